"""Who is alive: locks that belong to one connection, so that PostgreSQL lets go of them the moment a process dies."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, Error, OperationalError

from bot.storage.database import hold

logger = logging.getLogger(__name__)


#: The first of the two numbers of a living worker's lock; the second is its procrastinate id.
WORKER = 7_285_002

#: Shared, so that it never waits: the server may still hold it for a connection of ours that is long broken.
_LOCK = "SELECT pg_advisory_lock_shared(%s, %s)"
_UNLOCK = "SELECT pg_advisory_unlock_shared(%s, %s)"

_ANSWER_SECONDS = 4.0


class Presence:
    """
    Says that this process's workers live, each by a lock.

    A heartbeat would say "dead" only after a time-out; a lock says it at once, `kill -9` included. When the connection
    is lost the lock is too, until the next one: others may then repeat the worker's jobs, which costs nothing but
    effort. A process that vanishes with its machine cannot close its connection: the server does, once it has heard
    nothing for a while (`database.HELD_SECONDS`).
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AsyncConnection[Any] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._workers: dict[str, int] = {}  # by the place each of them has, of which there is one for each queue

    async def hold_worker(self, worker_id: int, place: str = "") -> None:
        """Say that this worker lives here, in place of an earlier one."""
        await self.release_worker(place)
        await self._ask(_LOCK, (WORKER, _half(worker_id)))
        self._workers[place] = worker_id

    async def release_worker(self, place: str = "") -> None:
        worker_id = self._workers.pop(place, None)
        if worker_id is not None:
            await self._ask(_UNLOCK, (WORKER, _half(worker_id)))

    async def renew(self) -> None:
        """Notice a lost connection, and take the lock again."""
        await self._ask("SELECT %s + %s", (0, 0))

    async def _ask(self, query: str, values: tuple[int, int]) -> None:
        async with self._one_at_a_time:
            try:
                await self._in_time(query, values)
            except OperationalError:
                logger.warning("presence_lost")
                await self.close()
                await self._in_time(query, values)

    async def _in_time(self, query: str, values: tuple[int, int]) -> None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._execute(query, values)
        except TimeoutError as error:
            raise OperationalError("The server did not answer in time.") from error

    async def _execute(self, query: str, values: tuple[int, int]) -> None:
        if self._connection is None:
            self._connection = await hold(self._url)
            for worker_id in self._workers.values():
                await self._connection.execute(_LOCK, (WORKER, _half(worker_id)))
        await self._connection.execute(query, values)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close()
            except Error:
                logger.debug("presence_close_failed")


@asynccontextmanager
async def open_presence(url: str) -> AsyncIterator[Presence]:
    presence = Presence(url)
    try:
        yield presence
    finally:
        await presence.close()


def _half(number: int) -> int:
    """Fold a row's id into the 32 signed bits of an advisory lock's second number."""
    return (number + 2**31) % 2**32 - 2**31
