"""A door that can be shut: a TCP port in front of servers that come and go."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

Target = tuple[str, int] | Path  # host and port, or a Unix socket

_CHUNK = 2**16


class Proxy:
    """
    Carries each connection to one of *targets*, in turn, passing over those that do not listen.

    `cut` breaks every connection and refuses new ones; with *silently* nothing is broken and nothing arrives any more,
    as behind a firewall that forgot. `mend` ends either.
    """

    def __init__(self, targets: Callable[[], Sequence[Target]]) -> None:
        self._targets = targets
        self._turn = itertools.count()
        self._server: asyncio.Server
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._refuses = False
        self._flows = asyncio.Event()
        self._flows.set()

    async def start(self, listener: socket.socket | None = None) -> Self:
        """Listen on a free port of this machine, or where *listener* does."""
        listener = listener or socket.create_server(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._serve, sock=listener)
        return self

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    async def cut(self, *, silently: bool = False) -> None:
        if silently:
            self._flows.clear()
            return
        self._refuses = True
        await self._break_all()

    async def mend(self, *, resumes: bool = False) -> None:
        """
        Let new connections through; those that were silently cut are broken now, as they had been for long.

        With *resumes* they are not: what was held back arrives now, late.
        """
        if not self._flows.is_set() and not resumes:
            await self._break_all()
        self._refuses = False
        self._flows.set()

    async def close(self) -> None:
        self._server.close()
        await self._break_all()
        await self._server.wait_closed()

    async def _break_all(self) -> None:
        broken = list(self._open)
        for writers in list(self._open.values()):
            for writer in writers:
                writer.transport.abort()
        for task in broken:
            task.cancel()
        await asyncio.gather(*broken, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = [writer]
        with suppress(asyncio.CancelledError):  # asyncio's server would report it
            try:
                await self._carry(reader, writer, self._open[task])
            finally:
                del self._open[task]
                writer.transport.abort() if self._refuses else writer.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: list[asyncio.StreamWriter]
    ) -> None:
        found = None if self._refuses else await self._connect()
        if found is None:
            return
        there, back = found
        ends.append(back)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, back))
                both.create_task(self._pump(there, writer))
        except* OSError:
            pass  # one side is gone, and with the end of this so is the other
        finally:
            back.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        await self._flows.wait()
        targets = list(self._targets())
        first = next(self._turn)
        for number in range(len(targets)):
            target = targets[(first + number) % len(targets)]
            with suppress(OSError):
                if isinstance(target, Path):
                    return await asyncio.open_unix_connection(str(target))
                return await asyncio.open_connection(*target)
        return None

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry one direction until it ends; the other may go on (a client may end what it sends and still read)."""
        while chunk := await source.read(_CHUNK):
            await self._flows.wait()
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


@asynccontextmanager
async def proxy(targets: Callable[[], Sequence[Target]], listener: socket.socket | None = None) -> AsyncIterator[Proxy]:
    door = await Proxy(targets).start(listener)
    try:
        yield door
    finally:
        await door.close()


def place_of(url: str) -> Target:
    """Say where `http://host:port/…` listens."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
