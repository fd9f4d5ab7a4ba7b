"""
Slack's and Blooio's answers gone wrong: whoever stands between the bot and them changes what they say.

What is done is done all the same: only the bot is told otherwise, or nothing that can be read.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.proofs.input_mutation import Lots, broken, mutated, word, written

#: Headers that belong to one connection.
_HOP = {"connection", "content-length", "content-encoding", "transfer-encoding", "host", "keep-alive", "date", "server"}
_STATUSES = (
    200,
    200,
    201,
    204,
    206,
    299,
    300,
    302,
    400,
    401,
    403,
    404,
    409,
    410,
    418,
    422,
    429,
    429,
    500,
    502,
    503,
    599,
)


#: What `Retry-After` is made to say. Of the last ones the longest wait is made that the bot allows.
SHORT_WAITS = ("1", "0", "-1", "nan", "Thu, 01 Jan 1970 00:00:00 GMT")
WAITS = (*SHORT_WAITS, "x", "1e400", "inf")


@dataclass
class Meddler:
    """A server between the bot and the sandbox, which passes everything on, and changes a share of the answers."""

    sandbox_url: str
    seed: int
    share: float = 0.0
    waits: tuple[str, ...] = WAITS
    changed: Counter[str] = field(default_factory=Counter)  # answers, by the call
    frames: int = 0  # that were put between those of a socket
    url: str = ""
    _number: int = 0
    _http: aiohttp.ClientSession = field(init=False)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)

    async def carry(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        body = await request.read()
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        to = self.sandbox_url + request.raw_path
        # yarl must not touch the path: it is how the bot wrote it.
        async with self._http.request(
            request.method, aiohttp.client.URL(to, encoded=True), data=body, headers=kept, allow_redirects=False
        ) as answer:
            status, headers, content = answer.status, dict(answer.headers), await answer.read()
        headers = {name: value for name, value in headers.items() if name.lower() not in _HOP}
        name = request.path.rpartition("/")[2]
        if name == "apps.connections.open":
            content = content.replace(
                self.sandbox_url.partition("://")[2].encode(), self.url.partition("://")[2].encode()
            )
        elif self.share:
            self._number += 1
            lots = Lots(self.seed, "answer", self._number)
            if lots.chance(self.share):
                self.changed["Slack" if "/slack/" in request.path else "Blooio"] += 1
                status, headers, content = self._meddle(status, headers, content, lots)
        return web.Response(status=status, headers=headers, body=content)

    def _meddle(
        self, status: int, headers: dict[str, str], content: bytes, lots: Lots
    ) -> tuple[int, dict[str, str], bytes]:
        if lots.chance(0.15):
            headers["Content-Type"] = lots.one(("text/html", "application/json", "text/plain", "x/y", ""))
        if lots.chance(0.15):
            status = lots.one(_STATUSES)
            headers["Retry-After"] = lots.one(self.waits)
            headers["Location"] = lots.one(("/x", "http://127.0.0.1:1/", "http://[", "//"))
        with suppress(ValueError):
            changed = mutated(json.loads(content), lots)
            content = written(changed)[:3_000_000]
        if lots.chance(0.1):
            content = broken(content, lots)
        return status, headers, b"" if status in {204, 304} else content

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        here = web.WebSocketResponse(autoping=True)
        await here.prepare(request)
        self._sockets.add(here)
        try:
            async with self._http.ws_connect(self.sandbox_url + request.raw_path) as there:
                await asyncio.gather(self._pump(here, there), self._pump(there, here))
        finally:
            self._sockets.discard(here)
        return here

    async def _pump(self, source: Any, sink: Any) -> None:
        with suppress(ConnectionError):
            async for message in source:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await sink.send_str(message.data)
                elif message.type is aiohttp.WSMsgType.BINARY:
                    await sink.send_bytes(message.data)
            await sink.close()

    async def inject(self, frame: str | bytes) -> None:
        """Put a frame between those that Slack sends, on every socket of the bot."""
        for socket in list(self._sockets):
            with suppress(ConnectionError, RuntimeError):
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
                self.frames += 1


def envelope(number: int, bodies: list[dict[str, Any]], lots: Lots) -> str | bytes:
    """Return one frame that is perhaps an envelope of Slack's."""
    body = lots.one(bodies)
    kind = "slash_commands" if "command" in body else "events_api" if "event" in body else "interactive"
    whole = {"type": kind, "envelope_id": f"bad-{number}", "accepts_response_payload": True, "payload": body}
    if kind == "events_api":
        whole |= {"retry_attempt": 0, "retry_reason": ""}
    choice = lots.random.random()
    if choice < 0.7:
        whole["payload"] = mutated(body, lots)
        return written(whole).decode()
    if choice < 0.93:
        changed = mutated({**whole, "payload": {}}, lots)
        if isinstance(changed, dict):
            changed["type"] = "x" if changed.get("type") == "disconnect" else changed.get("type")
        return written(changed).decode()
    if choice < 0.97:
        return word(lots).encode("utf-8", "replace").decode()[:60_000]
    return broken(written(whole), lots)[:100_000]


@asynccontextmanager
async def meddling(sandbox_url: str, seed: int) -> AsyncIterator[Meddler]:
    """Stand in between, at `url`, until the block is left."""
    meddler = Meddler(sandbox_url, seed)
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{path:.*}", meddler.carry)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = runner.addresses[0][1]
    meddler.url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(auto_decompress=True) as meddler._http:
        try:
            yield meddler
        finally:
            await runner.cleanup()
