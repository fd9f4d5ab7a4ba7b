"""A PostgreSQL of a proof's own that is stopped, killed and cut off: the embedded one, with the tools it brings."""

import asyncio
import random
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bot.storage.embedded import start_embedded
from tests.proofs.proxy import Proxy

_UP_AGAIN_SECONDS = 60.0


class Outage(StrEnum):
    """How a database can go away."""

    FAST = "stopped (fast)"  # every connection is ended with a word
    IMMEDIATE = "stopped (immediate)"  # and without one: it recovers from its log when it starts
    BACKEND = "a backend killed"  # kill -9 of what serves one connection: the server ends all and recovers
    CHILD = "a server process killed"  # kill -9 of what writes its log or its tables: it recovers as well
    REFUSED = "cut off, refusing"
    SILENT = "cut off, silently"  # nothing arrives and nothing is refused


class Server:
    """The server, whose `url` stays the same in all its lives."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.url: str = handle.get_uri()

    async def is_away(self, outage: Outage, proxy: Proxy, seconds: float, lots: random.Random) -> None:
        """Let it be away, for so long if that can be chosen; return when it answers again."""
        match outage:
            case Outage.FAST | Outage.IMMEDIATE:
                await asyncio.to_thread(self._stop, "fast" if outage is Outage.FAST else "immediate")
                await asyncio.sleep(seconds)
                await asyncio.to_thread(self._handle.ensure_postgres_running)
            case Outage.BACKEND:
                await self._kill_one(lots, "[local]")
            case Outage.CHILD:
                await self._kill_one(lots, "checkpointer", "walwriter", "background writer")
            case Outage.REFUSED | Outage.SILENT:
                await proxy.cut(silently=outage is Outage.SILENT)
                await asyncio.sleep(seconds)
                await proxy.mend()
        await self._answers()

    def _stop(self, mode: str) -> None:
        """Stop it as its wheel does, in a mode of ours. As root the server belongs to another user."""
        handle = self._handle
        subprocess.run(
            [handle.bin_path / "pg_ctl", "-w", "-m", mode, "-D", handle.pgdata, "stop"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=handle.system_user,
        )

    async def _kill_one(self, lots: random.Random, *names: str) -> None:
        """Kill one of the server's processes whose titles say one of *names*, as soon as there is any."""
        while True:
            children = psutil.Process(self._handle.get_pid()).children()
            with suppress(psutil.NoSuchProcess):  # it has just gone by itself
                if found := [one for one in children if any(name in " ".join(one.cmdline()) for name in names)]:
                    lots.choice(found).kill()
                    return
            await asyncio.sleep(0.05)

    async def _answers(self) -> None:
        deadline = time.monotonic() + _UP_AGAIN_SECONDS
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.url, connect_timeout=2) as connection:
                    await connection.execute("SELECT 1")
                    return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Server]:
    """Start a server below *folder*, which is not one of pytest's: as root the server runs as another user."""
    handle = await asyncio.to_thread(start_embedded, folder)
    try:
        yield Server(handle)
    finally:
        await asyncio.to_thread(handle.cleanup)
