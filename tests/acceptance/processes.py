"""The bot as a process of its own, so that a test can kill it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sandbox.driver import Sandbox
from tests.log_scan import SCAN

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 30.0

#: What the bot still has to do: texts to send and to follow, and what Slack does not show as it is.
_LEFT_TO_DO = """
    SELECT (SELECT count(*) FROM procrastinate_jobs)
         + (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sent'))
         + (SELECT count(*) FROM deliveries WHERE drawn_revision < revision)
         + (SELECT count(*) FROM threads WHERE drawn_revision < revision AND NOT card_gone)
"""


class BotProcess:
    """`python -m bot`, started again and again on one database."""

    def __init__(
        self, environment: dict[str, str], folder: Path, *, command: str = "run", within: Sequence[str] = ()
    ) -> None:
        self._environment = environment
        self._within = within  # a command that runs it somewhere else, such as `ip netns exec …`
        self._folder = folder  # where it finds no .env
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._address: asyncio.Future[str]
        self.lines: list[str] = []  # what it logged, of all its lives

    @property
    def url(self) -> str:
        """Where its present life serves HTTP."""
        return self._address.result()

    @property
    def is_running(self) -> bool:
        """Whether it has started and was not ended."""
        alive = self._process is not None and self._process.returncode is None
        return alive and self._address.done() and not self._address.cancelled()

    @property
    def pid(self) -> int:
        """The number of its process, in its present life."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it says that it has."""
        self._address = asyncio.get_running_loop().create_future()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *(*self._within, sys.executable, "-m", "bot", self._command),
            cwd=self._folder,
            env=kept | {"PYTHONPATH": str(_ROOT), "HOST": "127.0.0.1", "PORT": "0"} | self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read(self._process.stderr))
        try:
            async with asyncio.timeout(_START_SECONDS):
                await asyncio.shield(self._address)
        except (TimeoutError, asyncio.CancelledError):
            raise AssertionError("the bot did not start:\n" + "\n".join(self.lines)) from None

    async def _read(self, stream: Any) -> None:
        async for raw in stream:
            self.lines.append(raw.decode().rstrip())
            SCAN.process_said(self.lines[-1])
            if not self._address.done() and (started := re.search(r" started .*address=(\S+)", self.lines[-1])):
                self._address.set_result(started[1])
        if not self._address.done():
            self._address.cancel()

    async def kill(self) -> None:
        """Kill it as the kernel would: nothing of it runs any more."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop, wait until it has, and return its exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None or self._reading is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        status = await process.wait()
        await self._reading
        return status

    async def killed_and_started(self) -> None:
        await self.kill()
        await self.start()


@asynccontextmanager
async def bot_process(
    sandbox: Sandbox,
    database_url: str,
    folder: Path,
    *,
    transport: str = "socket",
    command: str = "run",
    **settings: str,
) -> AsyncIterator[BotProcess]:
    """A bot connected to *sandbox* over "socket" or "http", not started yet, and killed in the end."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url} | settings
    if transport == "http":
        environment.pop("SLACK_APP_TOKEN", None)
    SCAN.hide(environment)
    bot = BotProcess(environment, folder, command=command)
    try:
        yield bot
    finally:
        await bot.kill()


async def connect(sandbox: Sandbox, url: str, transport: str, *, sockets: int = 1) -> None:
    """Let Slack deliver to what has started: over "http" to *url*, or over "socket" once so many sockets are open."""
    if transport == "http":
        await sandbox.set_transport(request_url=f"{url}/slack/events")
    else:
        await sandbox.connected(sockets)


async def idle(database_url: str) -> bool:
    """Whether every text has come to its end and is drawn: iMessages, as an SMS may stay `sent`."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(_LEFT_TO_DO)
        return await cursor.fetchone() == (0,)


async def left(database_url: str) -> str:
    """What is left to do, row by row, for a test that has waited in vain."""
    found = []
    async with await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row) as connection:
        for table in ("procrastinate_jobs", "procrastinate_workers", "deliveries", "threads"):
            cursor = await connection.execute(f"SELECT * FROM {table}")
            found += [f"{table}: {row}" for row in await cursor.fetchall()]
    return "\n".join(found)
