"""Serve the HTTP side inside our own event loop and shutdown order."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = logging.getLogger(__name__)


#: Longer than the minute after which the usual proxies close an idle connection: if we close it first, a request
#: that is already on its way is lost.
KEEP_ALIVE_SECONDS = 75


#: How long the head of a request may take to come: whoever drips it holds a connection, and we have only so many.
HEAD_SECONDS = 10


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, which does not wait for ever for a request to begin, or for its head to end."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._close_in(KEEP_ALIVE_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._close_in(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_time()
        super().on_headers_complete()

    def _close_in(self, seconds: float) -> None:
        self._in_time()
        self._overdue = self.loop.call_later(seconds, self.transport.close)

    def _in_time(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command line: one order of shutdown for everything."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Take the address, so that a busy port is one clear error before anything starts. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, reuse_port=False)


@contextlib.asynccontextmanager
async def serving(app: Starlette, bound: socket.socket, *, grace_seconds: float) -> AsyncIterator[str]:
    """Serve until the block is left; then stop accepting and finish what is under way."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=_Protocol,
        proxy_headers=False,  # what X-Forwarded-… says is nobody's word, and nothing here asks
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(grace_seconds),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]), name="http server")
    while not server.started and not task.done():  # noqa: ASYNC110  (uvicorn offers no event to wait for)
        await asyncio.sleep(0.005)
    host, port = bound.getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await task
