"""Every request an imitated vendor received: kept for tests and for the page, with the ordered faults applied."""

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults, Kind

SECRET_HEADERS = {"authorization", "cookie"}
HTML_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class RawText(str):
    """A payload that travels as it stands, not as JSON; as text/plain unless the headers say otherwise."""

    __slots__ = ()


Answer = tuple[int, dict[str, str], Any]  # status, headers, and a JSON value or RawText

#: What is answered in place of the effect: the usual status, the content type and the body.
CANNED = {
    Kind.HTML: (502, "text/html", HTML_PAGE),
    Kind.TEXT: (200, "text/plain", "upstream is busy"),
    Kind.BROKEN_JSON: (200, "application/json", '{"ok": true, "mess'),
}


@dataclass(frozen=True)
class Exchange:
    """
    One request and what it was answered. `status` is 0 when the connection was cut.

    What a vendor delivered to the app is kept too, its `name` starting with `deliver:`.
    """

    id: int
    vendor: str  # "slack" or "blooio"
    name: str  # as in `Fault.where`
    at: float  # epoch seconds on the sandbox's clock, when the request had been read
    seconds: float  # until the answer
    method: str
    raw_path: str  # as it came over the wire, percent-encoding and query included
    headers: dict[str, str]  # lower-case names, secrets left out
    body: Any  # parsed JSON or form; text otherwise
    status: int
    response: Any
    fault: str | None  # the kind of fault or mischief that struck, if any
    signature: str | None = None  # of a delivery that was signed: "valid", "old" or "wrong", as the app should find it


@dataclass(eq=False)
class UnderWay:
    """A request that has arrived and is not answered yet."""

    vendor: str
    name: str
    held: str = ""  # "before" its effect or "after" it, while an ordered fault makes it wait


@dataclass
class Exchanges:
    """The last 20,000 exchanges, oldest first."""

    clock: Clock
    faults: Faults
    changes: Changes
    latency: float = 0.0  # seconds every call takes, as if the vendor were far away
    kept: deque[Exchange] = field(default_factory=lambda: deque(maxlen=20_000))
    under_way: list[UnderWay] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _holding: "set[asyncio.Future[None]]" = field(default_factory=set)

    async def answer(
        self,
        request: web.Request,
        *,
        vendor: str,
        name: str,
        body: Any,
        effect: Callable[[], Awaitable[Answer]],
    ) -> web.StreamResponse:
        """
        Answer one request with what its *effect* returns, as the faults allow.

        A call is recorded when its answer has been decided, cut connections included.
        """
        call = UnderWay(vendor, name)
        self.under_way.append(call)
        try:
            return await self._answer(request, call, body=body, effect=effect)
        finally:
            self.under_way.remove(call)

    async def _answer(
        self, request: web.Request, call: UnderWay, *, body: Any, effect: Callable[[], Awaitable[Answer]]
    ) -> web.StreamResponse:
        vendor, name = call.vendor, call.name
        at = self.clock.now()
        if self.latency:
            await self.clock.sleep(self.latency)
        struck: Fault | None = None
        for fault in self.faults.take(vendor, name):
            if fault.kind is Kind.LATENCY:
                await self._hold(call, "before", fault.seconds)
                if request.transport is None:
                    raise asyncio.CancelledError  # its sender is gone, and so it never arrived
            else:
                struck = fault
        if struck is None or struck.kind in {Kind.DROP_AFTER, Kind.SLOW_ANSWER}:
            status, headers, payload = await effect()
        else:
            status, headers, payload = instead(struck)
        after = struck.seconds if struck is not None and struck.kind is Kind.SLOW_ANSWER else 0.0
        cut = struck is not None and struck.kind in {Kind.DROP_BEFORE, Kind.DROP_AFTER}
        self.record(
            vendor=vendor,
            name=name,
            at=at,
            seconds=self.clock.now() - at + after,
            method=request.method,
            raw_path=request.raw_path,
            headers={k.lower(): v for k, v in request.headers.items() if k.lower() not in SECRET_HEADERS},
            body=body,
            status=0 if cut else status,
            response=payload,
            fault=struck.kind if struck else None,
        )
        if after:
            await self._hold(call, "after", after)
        if cut:
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError
        if isinstance(payload, RawText):
            return web.Response(status=status, text=payload, headers=headers)
        return web.json_response(payload, status=status, headers=headers)

    async def _hold(self, call: UnderWay, where: str, seconds: float) -> None:
        call.held = where
        self.changes.bump()
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        self._holding.add(sleeping)
        try:
            await asyncio.wait([sleeping])
        finally:
            sleeping.cancel()
            self._holding.discard(sleeping)
            call.held = ""

    def let_go(self) -> None:
        """Let the calls go on that ordered faults hold up."""
        for sleeping in self._holding:
            sleeping.cancel()

    def record(
        self,
        *,
        vendor: str,
        name: str,
        at: float,
        method: str,
        raw_path: str,
        headers: dict[str, str],
        body: Any,
        status: int,
        response: Any,
        fault: StrEnum | None,
        seconds: float | None = None,
        signature: str | None = None,
    ) -> None:
        """Keep one exchange that began *at* and took *seconds* (without a value: until now)."""
        self.kept.append(
            Exchange(
                id=next(self._ids),
                vendor=vendor,
                name=name,
                at=at,
                seconds=self.clock.now() - at if seconds is None else seconds,
                method=method,
                raw_path=raw_path,
                headers=headers,
                body=body,
                status=status,
                response=response,
                fault=str(fault) if fault else None,
                signature=signature,
            )
        )
        self.changes.bump()


def instead(fault: Fault) -> Answer:
    """Return what is answered when a fault keeps the effect from happening."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.kind is Kind.STATUS:
        return fault.status or 500, headers, RawText() if fault.body is None else fault.body
    status, content_type, text = CANNED.get(fault.kind, (0, "text/plain", ""))
    return fault.status or status, headers | {"Content-Type": f"{content_type}; charset=utf-8"}, RawText(text)
