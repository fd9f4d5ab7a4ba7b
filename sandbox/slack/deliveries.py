"""What Slack delivers to the app: commands and clicks once, events until they are acknowledged."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol
from uuid import uuid4

from sandbox.clock import Clock
from sandbox.exchanges import Exchanges
from sandbox.faults import Faults, Kind

#: Seconds between an event's first delivery and each retry: almost at once, a minute later, five minutes after that.
RETRIES = (0.0, 60.0, 300.0)


class Failure(StrEnum):
    """Slack's word for a delivery that was not acknowledged, as the person who acted reads it."""

    TIMEOUT = "operation_timeout"  # the app took it and did not answer in time
    DISPATCH = "dispatch_failed"  # nobody took it, or the answer was not a 200


@dataclass(frozen=True)
class Delivery:
    """One thing to deliver, once."""

    kind: str  # "slash_commands", "interactive" or "events_api"
    payload: dict[str, Any]
    accepts_response: bool = False  # the acknowledgement may carry a payload
    attempt: int = 0
    reason: str = ""  # why the attempt before failed, in the words of HTTP mode's `x-slack-retry-reason`
    envelope_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the app answered, or why it did not."""

    failure: Failure | None = None
    payload: Any = None  # the acknowledgement's body: a JSON object, or a text
    status: int = 0  # HTTP's; 200 for an acknowledgement over a socket; 0 for none
    reason: str = ""  # for the next attempt's `reason`
    final: bool = False  # the app asked for no retries
    sent: dict[str, str] = field(default_factory=dict)  # the headers of the request it answers; none over a socket


class Transport(Protocol):
    """A way to the app: its sockets, or its URL."""

    async def deliver(self, delivery: Delivery, *, ack_limit: float) -> Answer:
        """Deliver once and wait for the acknowledgement, at most *ack_limit* real seconds."""
        ...

    async def leave(self) -> None:
        """The app is reached another way from now on."""
        ...


class Deliveries:
    """Deliver over the transport of the moment, with the ordered faults, and keep a record among the exchanges."""

    def __init__(self, clock: Clock, faults: Faults, exchanges: Exchanges, transport: Transport) -> None:
        self.transport = transport
        self.ack_limit = 3.0  # seconds of real time, as Bolt counts them
        self._clock = clock
        self._faults = faults
        self._exchanges = exchanges
        self._tasks: set[asyncio.Task[None]] = set()
        self._repeats: int | None = 0  # how many of the next events come twice; None: all
        self._at_once = False
        self._held: list[Delivery] | None = None  # events that wait to be released; None: they go out at once

    async def ask(self, kind: str, payload: dict[str, Any], *, accepts_response: bool = True) -> Answer:
        """Deliver a command or an interaction. It is never retried."""
        return await self._deliver(Delivery(kind, payload, accepts_response))

    def announce(self, body: dict[str, Any]) -> None:
        """Deliver an event in the background, with retries on the sandbox's clock."""
        delivery = Delivery("events_api", body)
        if self._held is not None:
            self._held.append(delivery)
        else:
            self.in_background(self._until_acknowledged(delivery))

    def repeat(self, times: int | None, *, at_once: bool) -> None:
        """Deliver each of the next *times* events twice, None: each from now on; *at_once*, or once it was answered."""
        self._repeats, self._at_once = times, at_once

    def hold(self) -> None:
        """Keep the events that are raised from now on, until they are released."""
        self._held = self._held or []

    async def release(self, order: Callable[[list[dict[str, Any]]], Sequence[int]]) -> int:
        """
        Deliver the held events in another *order*, each once the one before was answered; return how many.

        *order* is told the bodies as they were raised, and names each by its place, as often as it is to come: twice
        is the same event in another envelope. One that is not acknowledged is retried as always.
        """
        held = self._held or []
        places = order([one.payload for one in held])
        self._held = None
        for place in places:
            answer = await self._deliver(held[place])
            self.in_background(self._retry(held[place], answer))
        return len(places)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until_acknowledged(self, delivery: Delivery) -> None:
        if self._repeats == 0:
            await self._retry(delivery, await self._deliver(delivery))
            return
        self._repeats = self._repeats and self._repeats - 1
        again = replace(delivery, attempt=1, reason="http_timeout")  # as if the answer had come too late
        if self._at_once:
            answers = list(await asyncio.gather(self._deliver(delivery), self._deliver(again)))
        else:
            answers = [await self._deliver(delivery), await self._deliver(again)]
        await self._retry(delivery, next((one for one in answers if one.failure is None), answers[-1]), tried=1)

    async def _retry(self, delivery: Delivery, answer: Answer, *, tried: int = 0) -> None:
        """Deliver again until it is acknowledged; so many retries were *tried* already."""
        for attempt, pause in enumerate(RETRIES[tried:], start=tried + 1):
            if answer.failure is None or answer.final:
                return
            await self._clock.sleep(pause)
            answer = await self._deliver(replace(delivery, attempt=attempt, reason=answer.reason))

    async def _deliver(self, delivery: Delivery) -> Answer:
        delivery = replace(delivery, envelope_id=str(uuid4()))
        at = self._clock.now()
        copies = 1
        struck: Kind | None = None
        for fault in self._faults.take("slack", f"deliver:{delivery.kind}"):
            if fault.kind is Kind.LATENCY:
                await self._clock.sleep(fault.seconds)
                continue
            struck = fault.kind
            copies = {Kind.DROP_BEFORE: 0, Kind.DOUBLE: 2}.get(fault.kind, 1)
        answers = await asyncio.gather(
            *(self.transport.deliver(delivery, ack_limit=self.ack_limit) for _ in range(copies))
        )
        answer = next((one for one in answers if one.failure is None), answers[0] if answers else None)
        if answer is None or struck is Kind.DROP_AFTER:
            answer = Answer(Failure.TIMEOUT, reason="http_timeout")
        self._exchanges.record(
            vendor="slack",
            name=f"deliver:{delivery.kind}",
            at=at,
            method="DELIVER",
            raw_path=delivery.envelope_id,
            headers={"attempt": str(delivery.attempt), "reason": delivery.reason} | answer.sent,
            body=delivery.payload,
            status=answer.status,
            response=answer.payload,
            fault=struck,
            signature="valid" if "x-slack-signature" in answer.sent else None,  # it is signed as it leaves
        )
        return answer
