"""What Blooio told us, kept as it came: stored before it is acknowledged, applied afterwards, forgotten in time."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import LiteralString

import psycopg
from psycopg_pool import PoolTimeout

from bot.storage.database import Pool

#: Longer ones are kept as their hash: an index entry has its limits.
_LONGEST_KEY = 400

#: How many are forgotten in one transaction.
_FORGET = 5_000

#: Events written in one statement, statements under way at once, and how long one may take.
_TOGETHER = 100
_WRITERS = 2
_WRITE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it came."""

    key: str
    message_id: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class _Arrived:
    """One event that waits to be written, and whoever waits for that."""

    key: str
    name: str
    message_id: str | None
    body: bytes
    to_apply: bool
    stored: asyncio.Future[bool] = field(compare=False)


class Events:
    """Events in the order in which they arrived."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._arrived: list[_Arrived] = []
        self._writers: set[asyncio.Task[None]] = set()

    async def store(self, key: str, name: str, message_id: str | None, body: bytes, *, to_apply: bool) -> bool:
        """
        Keep an event; return whether it is news. Raises psycopg.Error, PoolTimeout and TimeoutError.

        Events that arrive while others are written are written together afterwards: a thousand at once cost a few
        dozen statements. Whoever gives up waiting does not stop the writing.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        message_id = _bounded(message_id) if message_id else None
        self._arrived.append(_Arrived(_bounded(key), name[:_LONGEST_KEY], message_id, body, to_apply, stored))
        if len(self._writers) < _WRITERS:
            writer = asyncio.create_task(self._write_all(), name="events writer")
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await stored

    async def _write_all(self) -> None:
        while self._arrived:
            together, self._arrived = self._arrived[:_TOGETHER], self._arrived[_TOGETHER:]
            if waited_for := [one for one in together if not one.stored.done()]:
                await self._write(waited_for)

    async def _write(self, together: Sequence[_Arrived]) -> None:
        """Write events and tell whoever waits. One that the database cannot take costs the others nothing."""
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                news = await self._insert(together)
        except psycopg.DataError as error:
            if len(together) > 1:
                for one in together:
                    await self._write([one])
            else:
                _fail(together, error)
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            _fail(together, error)
        else:
            for one in together:
                if not one.stored.done():
                    one.stored.set_result(one.key in news)
                news.discard(one.key)

    async def _insert(self, together: Sequence[_Arrived]) -> set[str]:
        """Insert events; return the keys of those that are news."""
        # In the order of their keys: two that write the same keys in different orders would wait for each other.
        rows = sorted(together, key=lambda one: one.key)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                INSERT INTO events (key, name, message_id, body, applied_at)
                SELECT key, name, message_id, body, CASE WHEN to_apply THEN NULL ELSE now() END
                  FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::boolean[])
                       AS arrived (key, name, message_id, body, to_apply)
                ON CONFLICT (key) DO NOTHING
                RETURNING key
                """,
                (
                    [one.key for one in rows],
                    [one.name for one in rows],
                    [one.message_id for one in rows],
                    [one.body for one in rows],
                    [one.to_apply for one in rows],
                ),
            )
            return {key for (key,) in await cursor.fetchall()}

    async def to_apply(self, limit: int) -> list[str]:
        """List the texts of ours that there is news of."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT DISTINCT e.message_id FROM events e JOIN deliveries d ON d.message_id = e.message_id
                 WHERE e.applied_at IS NULL LIMIT %s
                """,
                (limit,),
            )
            return [message_id for (message_id,) in await cursor.fetchall()]

    async def reacted_to(self, limit: int) -> list[str]:
        """List the texts of people's that there are reactions to which are not applied yet, by the ids they name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT DISTINCT e.message_id FROM events e
                 WHERE e.applied_at IS NULL AND e.name = 'message.reaction'
                   AND EXISTS (SELECT 1 FROM inbound i WHERE e.message_id IN (i.message_id, i.other_id))
                 LIMIT %s
                """,
                (limit,),
            )
            return [message_id for (message_id,) in await cursor.fetchall()]

    async def named(self, name: str, limit: int) -> list[StoredEvent]:
        """List what was told under one name and is not applied yet, oldest first."""
        return await self._read(
            """
            SELECT key, message_id, body FROM events WHERE applied_at IS NULL AND name = %s
             ORDER BY received_at LIMIT %s
            """,
            (name, limit),
        )

    async def about(self, message_ids: Sequence[str]) -> list[StoredEvent]:
        """List all that was ever told of these texts, oldest first."""
        return await self._read(
            "SELECT key, message_id, body FROM events WHERE message_id = ANY(%s) ORDER BY received_at, key",
            (list(message_ids),),
        )

    async def applied(self, keys: Sequence[str]) -> None:
        """The rows show these."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE events SET applied_at = now() WHERE key = ANY(%s) AND applied_at IS NULL", (list(keys),)
            )

    async def give_up(self, older_than: timedelta) -> int:
        """
        Stop looking for the texts that these are about: they were sent elsewhere. Return how many there were.

        What is only late is not given up: nobody may have been there to apply it. Should a text turn out to be ours
        after all, `Deliveries.accept` brings its events up again, and `Conversations.receive` those of a person's.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE events e SET applied_at = now()
                 WHERE e.applied_at IS NULL AND e.received_at < now() - %s AND e.name <> 'message.received'
                   AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = e.message_id)
                   AND NOT EXISTS (SELECT 1 FROM inbound i WHERE e.message_id IN (i.message_id, i.other_id))
                """,
                (older_than,),
            )
            return cursor.rowcount

    async def forget(self, older_than: timedelta) -> int:
        """Delete what was received so long ago, a limited number in one transaction; return how many that were."""
        forgotten = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "DELETE FROM events WHERE key IN (SELECT key FROM events WHERE received_at < now() - %s LIMIT %s)",
                    (older_than, _FORGET),
                )
            forgotten += cursor.rowcount
            if cursor.rowcount < _FORGET:
                return forgotten

    async def _read(self, query: LiteralString, values: tuple[object, ...]) -> list[StoredEvent]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return [StoredEvent(key, message_id, bytes(body)) for key, message_id, body in await cursor.fetchall()]


def _bounded(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _fail(together: Sequence[_Arrived], error: Exception) -> None:
    for one in together:
        if not one.stored.done():
            one.stored.set_exception(error)
