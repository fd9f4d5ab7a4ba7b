"""Delivers events to webhooks: signed, in order for one person, again when refused, and as wrongly as ordered."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.blooio.background import Background
from sandbox.blooio.events import Event
from sandbox.blooio.formats import body_for
from sandbox.blooio.mischief import Kind, Mischief, Order
from sandbox.blooio.model import Delivery, Format, Webhook, WebhookAnswer
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.signature import check, sign, sign_body_only
from sandbox.changes import Changes
from sandbox.exchanges import Exchanges

RETRY_WAITS = (30, 60, 120, 240, 480)  # seconds before each further attempt
ANSWER_WITHIN = 15  # seconds of real time, as the receiver's slowness is real

Lane = tuple[str, str]  # a webhook and a person


@dataclass(frozen=True)
class Parcel:
    """What is posted to one webhook, alike in all attempts."""

    webhook: Webhook
    event_id: str
    event: str
    message_id: str
    body: dict[str, Any]
    mischief: Order | None = None
    original: Delivery | None = None  # of a replay
    delivery_id: str = field(default_factory=lambda: new_id("wdel"))

    def headers(self, raw: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "X-Blooio-Event": self.event,
            "X-Blooio-Message-Id": self.message_id,
            "X-Blooio-Signature": self._signature(raw),
        }
        if self.webhook.format is not Format.FLAT:
            headers["X-Blooio-Delivery"] = self.delivery_id
        if self.original is not None:
            headers |= {"X-Blooio-Replay": "true", "X-Original-Event-Id": self.original.log_id}
        return headers

    def _signature(self, raw: bytes) -> str:
        now = time.time()  # real time: whoever receives it checks it against their own clock
        match self.mischief:
            case Order(kind=Kind.STALE, seconds=age):
                return sign(self.webhook.secret, raw, int(now - age))
            case Order(kind=Kind.WRONG_SECRET):
                return sign("whsec_somebody_elses", raw, int(now))
            case Order(kind=Kind.BODY_ONLY):
                return sign_body_only(self.webhook.secret, raw)
            case _:
                return sign(self.webhook.secret, raw, int(now))


class Deliveries:
    """Sends events to the webhooks that want them."""

    def __init__(self, records: Records, changes: Changes, background: Background, exchanges: Exchanges) -> None:
        self.mischief = Mischief()
        self._records = records
        self._clock = records.clock
        self._changes = changes
        self._background = background
        self._exchanges = exchanges
        self._session: aiohttp.ClientSession | None = None
        self._last: dict[Lane, asyncio.Event] = {}  # set when the newest parcel's first attempt is over
        self._held: dict[Lane, list[Parcel]] = {}  # reordered, until the next one has gone

    def publish(self, event: Event) -> None:
        """Deliver *event* in the background."""
        now = self._clock.now()
        for webhook in self._records.webhooks.values():
            if webhook.wants(event.name, now):
                self._publish(webhook, event)

    async def caught_up(self, address: str) -> None:
        """Wait until everything about one person has been attempted once."""
        for (_, person), over in list(self._last.items()):
            if person == address:
                await over.wait()

    async def replay(self, webhook: Webhook, original: Delivery) -> Delivery:
        """Deliver once more, at once and with the headers of a replay; returns how it went."""
        return await self._attempt(
            Parcel(webhook, original.event_id, original.event, original.message_id, original.body, original=original)
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _publish(self, webhook: Webhook, event: Event) -> None:
        order = self.mischief.take(event.name)
        body = body_for(webhook, event)
        parcel = Parcel(webhook, event.id, event.name, event.flat["message_id"], body, order)
        lane = (webhook.webhook_id, event.address)
        match order:
            case Order(kind=Kind.DROP):
                self._record(parcel, {}, b"", self._clock.now(), WebhookAnswer())
            case Order(kind=Kind.REORDER):
                self._held.setdefault(lane, []).append(parcel)
            case Order(kind=Kind.LATE, seconds=seconds):
                self._background.start(self._deliver_later(parcel, seconds))
            case _:
                self._queue(lane, parcel)
                for held in self._held.pop(lane, ()):
                    self._queue(lane, held)

    def _queue(self, lane: Lane, parcel: Parcel) -> None:
        """Deliver after what goes to the same person before it: nobody promises it, and everybody sees it."""
        over = asyncio.Event()
        self._background.start(self._deliver_in_turn(parcel, self._last.get(lane), over))
        self._last[lane] = over

    async def _deliver_in_turn(self, parcel: Parcel, before: asyncio.Event | None, over: asyncio.Event) -> None:
        try:
            if before is not None:
                await before.wait()
            first = await self._attempt(parcel)
            match parcel.mischief:
                case Order(kind=Kind.DUPLICATE):
                    await self._attempt(parcel)
                case Order(kind=Kind.REPLAY):
                    await self.replay(parcel.webhook, first)
        finally:
            over.set()
        await self._retry(parcel, first)

    async def _deliver_later(self, parcel: Parcel, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._retry(parcel, await self._attempt(parcel))

    async def _retry(self, parcel: Parcel, attempt: Delivery) -> None:
        for wait in RETRY_WAITS:
            if attempt.succeeded:
                return
            await self._clock.sleep(wait)
            if parcel.webhook.webhook_id not in self._records.webhooks:
                return
            attempt = await self._attempt(parcel)

    async def _attempt(self, parcel: Parcel) -> Delivery:
        webhook, at = parcel.webhook, self._clock.now()
        raw = json.dumps(parcel.body, separators=(",", ":"), ensure_ascii=False).encode()
        headers = parcel.headers(raw)
        answer = await self._post(webhook.url, raw, headers)
        self._record(parcel, headers, raw, at, answer)
        attempt = Delivery(
            log_id=new_id("whlog"),
            event_id=parcel.event_id,
            event=parcel.event,
            message_id=parcel.message_id,
            body=parcel.body,
            attempted_at=at,
            answered_at=None if answer.status is None else self._clock.now(),
            answer=answer,
            original_log_id=None if parcel.original is None else parcel.original.log_id,
        )
        webhook.logs.append(attempt)
        webhook.last_triggered = at
        webhook.failure_count = 0 if attempt.succeeded else webhook.failure_count + 1
        self._changes.bump()
        return attempt

    def _record(self, parcel: Parcel, headers: dict[str, str], raw: bytes, at: float, answer: WebhookAnswer) -> None:
        """Keep an attempt among the exchanges; one without *headers* never left."""
        url, secret = urlsplit(parcel.webhook.url), parcel.webhook.secret
        signature = headers.get("X-Blooio-Signature")
        self._exchanges.record(
            vendor="blooio",
            name=f"deliver:{parcel.event}",
            at=at,
            method="POST",
            raw_path=f"{url.path}?{url.query}" if url.query else url.path,
            headers={name.lower(): value for name, value in headers.items()},
            body=parcel.body,
            status=answer.status or 0,
            response=answer.problem or answer.text,
            fault=parcel.mischief.kind if parcel.mischief else None,
            signature=signature and check(secret, raw, signature, time.time()),
        )

    async def _post(self, url: str, raw: bytes, headers: dict[str, str]) -> WebhookAnswer:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(url, data=raw, headers=headers, allow_redirects=False) as response:
                text = await response.text(errors="replace")
                return WebhookAnswer(response.status, text, dict(response.headers), response.content_type)
        except (aiohttp.ClientError, TimeoutError) as error:
            return WebhookAnswer(problem=type(error).__name__)
