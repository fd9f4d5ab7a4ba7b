"""
Socket Mode: envelopes over websockets that the app opens.

Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import contextlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.slack.deliveries import Answer, Delivery, Failure
from sandbox.slack.ids import new_secret

MOST_SOCKETS = 10
LIFE = 18_060.0  # seconds a connection lasts
DEBUG_LIFE = 360.0  # with `debug_reconnects=true`
WARNING_AHEAD = 10.0  # seconds between the warning and the end
GRACE = 3.0  # seconds that any other `disconnect` leaves the app to close the socket itself
PING_INTERVAL = 30.0
REASONS = {"warning", "refresh_requested", "link_disabled", "too_many_websockets"}


@dataclass(eq=False)
class Link:
    """One open websocket."""

    socket: web.WebSocketResponse
    request: web.Request
    told: bool = False  # it has been sent its `disconnect`
    leaving: bool = False  # it gets no more envelopes
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)  # what goes on as long as it is open


@dataclass
class Pending:
    """An envelope that waits for its acknowledgement."""

    answer: "asyncio.Future[Answer]"
    sent_over: Link
    accepts_response: bool


@dataclass
class Sockets:
    """Every websocket of the app, and the envelopes on their way."""

    clock: Clock
    changes: Changes
    app_id: str
    enabled: bool = True  # Socket Mode is switched on
    strict: bool = False  # an acknowledgement counts only on the socket its envelope came over
    life: float | None = None  # seconds, in place of the usual; for tests of reconnection
    links: list[Link] = field(default_factory=list)
    _tickets: set[str] = field(default_factory=set)
    _pending: dict[str, Pending] = field(default_factory=dict)

    def ticket(self) -> str:
        """Make a ticket that opens one websocket, once."""
        ticket = new_secret(32)
        self._tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="invalid ticket")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(timeout=1.0)  # autoping answers a PING with its own payload, as the SDK demands
        await socket.prepare(request)
        link = Link(socket, request)
        if self.connections >= MOST_SOCKETS:
            await self._send(link, disconnect_message("too_many_websockets"))
            await socket.close()
            return socket
        life = self.life or (DEBUG_LIFE if request.query.get("debug_reconnects") == "true" else LIFE)
        self.links.append(link)
        self.changes.bump()
        await self._send(link, self._hello(life))
        link.tasks = [asyncio.create_task(self._keep_alive(link)), asyncio.create_task(self._age(link, life))]
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._receive(link, frame.data)
        finally:
            self.links.remove(link)
            self.changes.bump()
            for task in link.tasks:
                task.cancel()
            await asyncio.gather(*link.tasks, return_exceptions=True)
        return socket

    @property
    def connections(self) -> int:
        """How many sockets are open and have not been told to go."""
        return sum(not link.told for link in self.links)

    def _hello(self, life: float) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.connections,
            "connection_info": {"app_id": self.app_id},
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": int(life)},
        }

    async def deliver(self, delivery: Delivery, *, ack_limit: float) -> Answer:
        """Send an envelope over any one socket and wait for its acknowledgement."""
        open_links = [link for link in self.links if not link.leaving and not link.socket.closed]
        if not open_links:
            return Answer(Failure.DISPATCH, reason="connection_failed")
        link = random.choice(open_links)
        loop = asyncio.get_running_loop()
        # A doubled envelope shares its answer: the app's first acknowledgement counts.
        pending = self._pending.setdefault(
            delivery.envelope_id, Pending(loop.create_future(), link, delivery.accepts_response)
        )
        await self._send(link, envelope(delivery))
        try:
            async with asyncio.timeout(ack_limit):
                return await asyncio.shield(pending.answer)
        except TimeoutError:
            return Answer(Failure.TIMEOUT, reason="http_timeout")
        finally:
            self._pending.pop(delivery.envelope_id, None)

    def _receive(self, link: Link, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        pending = self._pending.get(str(answer.get("envelope_id"))) if isinstance(answer, dict) else None
        if pending is None or pending.answer.done() or (self.strict and pending.sent_over is not link):
            return
        payload = answer.get("payload") if pending.accepts_response else None
        pending.answer.set_result(Answer(payload=payload, status=200))

    async def disconnect(self, reason: str) -> None:
        """Tell every socket to go. A warned socket still gets envelopes, for ten seconds; the others none."""
        await asyncio.gather(*(self._dismiss(link, reason) for link in list(self.links)))

    async def cut(self) -> None:
        """Break every socket's connection without a word."""
        for link in list(self.links):
            link.leaving = True
            if link.request.transport is not None:
                link.request.transport.abort()

    async def leave(self) -> None:
        """Socket Mode was switched off: tell every socket, and let nobody in who asked before."""
        self.enabled = False
        self._tickets.clear()
        await self.disconnect("link_disabled")

    async def _dismiss(self, link: Link, reason: str) -> None:
        link.leaving = link.leaving or reason != "warning"  # a warned socket works on until its end
        if link.told:
            return  # one `disconnect` for each connection: the SDK reconnects once for each it reads
        link.told = True
        await self._send(link, disconnect_message(reason))
        link.tasks.append(asyncio.create_task(self._close(link, WARNING_AHEAD if reason == "warning" else GRACE)))

    async def _close(self, link: Link, after: float) -> None:
        await self.clock.sleep(after)
        await link.socket.close()

    async def _age(self, link: Link, life: float) -> None:
        await self.clock.sleep(max(life - WARNING_AHEAD, 0))
        await self._dismiss(link, "warning")

    async def _keep_alive(self, link: Link) -> None:
        number = 0
        while not link.socket.closed:
            number += 1
            with contextlib.suppress(ConnectionError):
                await link.socket.ping(f"Ping from sandbox {number}".encode())
            await asyncio.sleep(PING_INTERVAL)

    async def _send(self, link: Link, message: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):  # it has just gone; what was sent counts as not acknowledged
            await link.socket.send_str(json.dumps(message))


def envelope(delivery: Delivery) -> dict[str, Any]:
    """Wrap a delivery for the socket."""
    wrapped = {
        "envelope_id": delivery.envelope_id,
        "type": delivery.kind,
        "accepts_response_payload": delivery.accepts_response,
        "payload": delivery.payload,
    }
    if delivery.kind == "events_api":
        reason = "timeout" if delivery.reason == "http_timeout" else delivery.reason
        wrapped |= {"retry_attempt": delivery.attempt, "retry_reason": reason}
    return wrapped


def disconnect_message(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
