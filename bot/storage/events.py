"""What Blooio told us, kept as it came: stored before it is acknowledged, applied afterwards, forgotten in time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from bot.storage.database import Pool

#: Longer ones are kept as their hash: an index entry has its limits.
_LONGEST_KEY = 400

#: How many are forgotten in one transaction.
_FORGET = 5_000


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it came."""

    key: str
    message_id: str | None
    body: bytes


class Events:
    """Events in the order in which they arrived."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def store(self, key: str, name: str, message_id: str | None, body: bytes, *, to_apply: bool) -> bool:
        """Keep an event; return whether it is news. Raises psycopg.Error and PoolTimeout."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                INSERT INTO events (key, name, message_id, body, applied_at)
                VALUES (%s, %s, %s, %s, CASE WHEN %s THEN NULL ELSE now() END)
                ON CONFLICT (key) DO NOTHING
                """,
                (_bounded(key), name[:_LONGEST_KEY], _bounded(message_id) if message_id else None, body, to_apply),
            )
            return cursor.rowcount == 1

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

        Should one turn out to be ours after all, `Deliveries.accept` brings its events up again.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE events SET applied_at = now() WHERE applied_at IS NULL AND received_at < now() - %s",
                (older_than,),
            )
            return cursor.rowcount

    async def forget(self, older_than: timedelta) -> int:
        """Delete what was received so long ago, a limited number at a time; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM events WHERE key IN (SELECT key FROM events WHERE received_at < now() - %s LIMIT %s)",
                (older_than, _FORGET),
            )
            return cursor.rowcount

    async def _read(self, query: LiteralString, values: tuple[object, ...]) -> list[StoredEvent]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return [StoredEvent(key, message_id, bytes(body)) for key, message_id, body in await cursor.fetchall()]


def _bounded(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
