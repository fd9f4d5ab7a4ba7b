"""A text's life in the database once it is requested: attempted, accepted, followed. Each method is one transaction."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Pool, in_time
from bot.storage.notices import ALERT
from bot.storage.requests import Defer
from bot.texting.errors import NotRead, NotStored
from bot.texting.model import (
    Capabilities,
    Channel,
    Delivery,
    Requested,
    StatusReport,
    Told,
)
from bot.texting.routing import Moved, advance, catch_up, next_check

logger = logging.getLogger(__name__)


#: How long a due check belongs to the process that took it; it is due again if that process dies.
_CHECKING = timedelta(seconds=10)

#: A text that may have been sent, for all that was known when it was given up, and that nobody has sent again: (id,).
_UNCONFIRMED: LiteralString = (
    "id = %s AND status = 'failed' AND error_code IN ('unconfirmed', 'not_taken') AND again_by IS NULL"
)


class Deliveries:
    """Texts on their way, and what became of them."""

    def __init__(self, pool: Pool, *, defer: Defer) -> None:
        self._pool = pool
        self._defer = defer

    async def begin_attempt(self, delivery_id: UUID) -> Requested | None:
        """Count one more attempt to send, or return None when there is nothing left to send."""
        return await self._one(
            f"""
            UPDATE deliveries d
               SET attempts = d.attempts + 1, attempted_at = coalesce(d.attempted_at, now())
              FROM threads t JOIN people p ON p.id = t.person_id
             WHERE d.id = %s AND t.id = d.thread_id AND d.status = 'queued' AND d.message_id IS NULL
               AND d.held_since IS NULL
            RETURNING {rows.DELIVERY}, {rows.PERSON}, {rows.THREAD}
            """,
            (delivery_id,),
        )

    async def learn(
        self, person_id: int, capabilities: Capabilities, delivery_id: UUID, expected: Channel | None
    ) -> None:
        """Remember what a person can receive, and the channel expected of this text."""
        await self._execute(
            """
            WITH person AS (                        -- one after the other, as everywhere: nobody waits in a circle
                UPDATE people SET imessage = %s, sms = %s, checked_at = %s WHERE id = %s
                RETURNING id),
            text AS (
                UPDATE deliveries d SET expected_channel = %s, revision = revision + 1 FROM person
                 WHERE d.id = %s AND expected_channel IS DISTINCT FROM %s
                RETURNING thread_id)
            UPDATE threads t SET revision = revision + 1 FROM text WHERE t.id = text.thread_id
            """,
            (
                capabilities.imessage,
                capabilities.sms,
                capabilities.checked_at,
                person_id,
                expected,
                delivery_id,
                expected,
            ),
        )

    async def accept(self, delivery_id: UUID, message_id: str, *, check_at: datetime) -> None:
        """
        Blooio has the text. A wait for another attempt, if any, is over.

        What was told of it before its id was known, and was taken for somebody else's, is news now.
        """
        await self._execute(
            """
            WITH ours AS (UPDATE events SET applied_at = NULL WHERE message_id = %s AND applied_at IS NOT NULL)
            UPDATE deliveries
               SET message_id = %s, accepted_at = now(), check_at = %s,
                   revision = revision + (retry_at IS NOT NULL)::int,
                   retry_at = NULL, error_code = NULL, error_words = NULL
             WHERE id = %s
            """,
            (message_id, message_id, check_at, delivery_id),
        )

    async def postpone(self, delivery_id: UUID, error_code: str, *, until: datetime) -> None:
        """The attempt failed; the next one is at *until*. That Blooio may have taken one of them is not forgotten."""
        await self._execute(
            """
            UPDATE deliveries
               SET retry_at = %s, revision = revision + 1,
                   error_code = CASE WHEN error_code IN ('unconfirmed', 'blooio_trouble') THEN error_code ELSE %s END
             WHERE id = %s
            """,
            (until, error_code, delivery_id),
        )

    async def fail(self, delivery_id: UUID, error_code: str, error_words: str) -> None:
        """The text will not be sent."""
        await self._execute(
            """
            UPDATE deliveries
               SET status = 'failed', failed_at = now(), error_code = %s, error_words = %s, retry_at = NULL,
                   check_at = NULL, revision = revision + 1
             WHERE id = %s AND status = 'queued'
            """,
            (error_code, error_words, delivery_id),
        )

    async def hold(
        self, delivery_id: UUID, error_code: str, error_words: str, *, key: UUID, check_at: datetime
    ) -> None:
        """
        Blooio wants the person's reply first: wait for it, and then try again under another key.

        It waits from the attempt on: a reply that came while Blooio was answering counts.
        """
        await self._execute(
            """
            UPDATE deliveries
               SET held_since = coalesce(attempted_at, now()), error_code = %s, error_words = %s, send_key = %s,
                   attempts = 0, attempted_at = NULL, retry_at = NULL, check_at = %s, revision = revision + 1
             WHERE id = %s AND status = 'queued' AND message_id IS NULL
            """,
            (error_code, error_words, key, check_at, delivery_id),
        )

    async def release(self, address: str, line: str | None) -> int:
        """The person wrote: queue what waited for that, in the order in which it was asked for; return how many."""
        return await self._release(
            """
            t.id = d.thread_id AND p.address = %s AND (%s::text IS NULL OR t.line IN (%s, ''))
            """,
            (address, line, line),
        )

    async def release_one(self, delivery_id: UUID, *, within: timedelta) -> bool:
        """Queue one text that waits for the person's reply; return whether it did. Raises NotStored."""
        async with in_time(within.total_seconds(), NotStored()):
            return await self._release("t.id = d.thread_id AND d.id = %s", (delivery_id,)) == 1

    async def _release(self, which: LiteralString, values: tuple[Any, ...]) -> int:
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                f"""
                UPDATE deliveries d
                   SET held_since = NULL, check_at = NULL, error_code = NULL, error_words = NULL,
                       revision = d.revision + 1
                  FROM threads t JOIN people p ON p.id = t.person_id
                 WHERE d.held_since IS NOT NULL AND d.status = 'queued' AND {which}
                RETURNING d.requested_at, d.id, d.thread_id
                """,
                values,
            )
            released = sorted(await cursor.fetchall())
            for _, delivery_id, thread_id in released:
                await self._defer(connection, delivery_id, thread_id)
            return len(released)

    async def cancel(self, delivery_id: UUID, *, within: timedelta) -> bool:
        """Do not send a text that waits for the person's reply; return whether it did. Raises NotStored."""
        async with in_time(within.total_seconds(), NotStored()), self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE deliveries
                   SET status = 'cancelled', held_since = NULL, check_at = NULL, error_code = NULL,
                       error_words = NULL, revision = revision + 1
                 WHERE id = %s AND held_since IS NOT NULL AND status = 'queued'
                """,
                (delivery_id,),
            )
            return cursor.rowcount == 1

    async def find(self, delivery_id: UUID, *, within: timedelta) -> Requested | None:
        """Return a text with its thread and its person. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()):
            return await self._one(
                f"""
                SELECT {rows.DELIVERY}, {rows.PERSON}, {rows.THREAD}
                  FROM deliveries d JOIN threads t ON t.id = d.thread_id JOIN people p ON p.id = t.person_id
                 WHERE d.id = %s
                """,
                (delivery_id,),
            )

    async def known(self, message_ids: Sequence[str]) -> set[str]:
        """Say which of Blooio's texts are ours already."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT message_id FROM deliveries WHERE message_id = ANY(%s)", (list(message_ids),)
            )
            return {message_id for (message_id,) in await cursor.fetchall()}

    async def adopt(self, delivery_id: UUID, message_id: str, *, check_at: datetime) -> bool:
        """
        Blooio has a text after all that was given up as unconfirmed: follow it; return whether it still was.

        Its failure is taken back, and so is the notice of that: should it fail yet, that is news to its author.
        """
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                f"""
                WITH ours AS (UPDATE events SET applied_at = NULL WHERE message_id = %s AND applied_at IS NOT NULL)
                UPDATE deliveries
                   SET status = 'queued', message_id = %s, accepted_at = now(), check_at = %s, failed_at = NULL,
                       error_code = NULL, error_words = NULL, revision = revision + 1
                 WHERE {_UNCONFIRMED}
                """,
                (message_id, message_id, check_at, delivery_id),
            )
            if cursor.rowcount:
                await connection.execute("DELETE FROM notices WHERE key = %s", (f"failed:{delivery_id}",))
            return cursor.rowcount == 1

    async def refail(self, delivery_id: UUID, error_code: str, error_words: str) -> bool:
        """Say more exactly why an unconfirmed text failed, however often; return whether it still was one."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"""
                UPDATE deliveries SET error_code = %s, error_words = %s, revision = revision + 1 WHERE {_UNCONFIRMED}
                """,
                (error_code, error_words, delivery_id),
            )
            return cursor.rowcount == 1

    async def alert(self, cause: str) -> None:
        """Let an admin hear of *cause*, a TextingError's code, unless one has lately."""
        await self._execute(ALERT, (f"admin:{cause}", cause))

    async def take_due_checks(self, limit: int) -> list[Requested]:
        """Take up to *limit* texts whose status should be asked for now; no other process gets them for a while."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                UPDATE deliveries d SET check_at = now() + %s
                  FROM threads t JOIN people p ON p.id = t.person_id
                 WHERE t.id = d.thread_id AND d.id IN (
                       SELECT id FROM deliveries WHERE check_at <= now() ORDER BY check_at
                       LIMIT %s FOR UPDATE SKIP LOCKED)
                RETURNING {rows.DELIVERY}, {rows.PERSON}, {rows.THREAD}
                """,
                (_CHECKING, limit),
            )
            return [_requested(row) for row in await cursor.fetchall()]

    async def next_due_check(self) -> datetime | None:
        """Say when the next status check is due."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT min(check_at) FROM deliveries WHERE check_at IS NOT NULL")
            row = await cursor.fetchone()
            return row[0] if row else None

    async def check_again(self, delivery_id: UUID, at: datetime | None) -> None:
        """Nothing was learnt; ask again then, or never."""
        await self._execute("UPDATE deliveries SET check_at = %s WHERE id = %s", (at, delivery_id))

    async def record(self, delivery_id: UUID, report: StatusReport, *, now: datetime) -> Delivery | None:
        """Move a text on by one report of Blooio's, under its row's lock; return it as it is now."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(f"SELECT {rows.DELIVERY} FROM deliveries d WHERE id = %s FOR UPDATE", (delivery_id,))
            row = await cursor.fetchone()
            if row is None:
                return None
            moved = advance(rows.delivery(row), report, now)
            await self._move(cursor, [(rows.delivery(row), moved)], now)
            return moved.delivery

    async def tell(self, message_ids: Sequence[str], told: Callable[[], Awaitable[Mapping[str, Told]]]) -> None:
        """
        Move texts on by all that Blooio told us of each, by its message id, under their rows' locks.

        What was told is read when the rows are locked: another process that applied news a moment ago cannot have
        known more than we do.
        """
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"SELECT {rows.DELIVERY} FROM deliveries d WHERE message_id = ANY(%s) ORDER BY id FOR UPDATE",
                (list(message_ids),),
            )
            found = [rows.delivery(row) for row in await cursor.fetchall()]
            known, now = await told(), datetime.now(UTC)
            moves = [
                (delivery, catch_up(delivery, known[message_id], now))
                for delivery in found
                if (message_id := delivery.message_id) is not None and message_id in known
            ]
            await self._move(cursor, moves, now)

    async def _move(self, cursor: Any, moves: Sequence[tuple[Delivery, Moved]], now: datetime) -> None:
        """
        Write texts as they moved on; a card shows the channel that its last text really took.

        News of an earlier text may come after news of a later one, and does not change the card then.
        """
        await cursor.executemany(
            """
            UPDATE deliveries
               SET status = %s, actual_channel = %s, sent_at = %s, delivered_at = %s, read_at = %s, failed_at = %s,
                   error_code = %s, error_words = %s, told_at = %s, reactions = %s, check_at = %s,
                   revision = revision + %s
             WHERE id = %s
            """,
            [
                (*_values(moved.delivery), next_check(moved.delivery, now), int(moved.visibly), moved.delivery.id)
                for _, moved in moves
            ],
        )
        await cursor.executemany(
            """
            UPDATE threads t SET channel = %s, revision = revision + 1
             WHERE id = %s AND coalesce(channel, %s) IS DISTINCT FROM %s
               AND NOT EXISTS (SELECT 1 FROM deliveries d
                                WHERE d.requested_at >= %s AND d.thread_id = t.id AND d.actual_channel IS NOT NULL
                                  AND (d.requested_at, d.id) > (%s, %s))
            """,
            [
                (*(channel, after.thread_id, after.expected_channel, channel), *(2 * (after.requested_at,)), after.id)
                for before, after in ((before, moved.delivery) for before, moved in moves)
                if (channel := after.actual_channel) is not None and channel != before.actual_channel
            ],
        )

    async def adopt_line(self, line: str) -> None:
        """Give *line* the threads that were begun before any line of ours was known."""
        await self._execute(
            """
            UPDATE threads t SET line = %s WHERE line = ''
               AND NOT EXISTS (SELECT 1 FROM threads o WHERE o.person_id = t.person_id AND o.line = %s)
            """,
            (line, line),
        )

    async def _one(self, query: str, values: tuple[Any, ...]) -> Requested | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query, values)
            row = await cursor.fetchone()
            return _requested(row) if row else None

    async def _execute(self, query: str, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)


def _requested(row: rows.Row) -> Requested:
    return Requested(rows.delivery(row), rows.thread(row), rows.person(row))


def _values(delivery: Delivery) -> tuple[Any, ...]:
    return (
        delivery.status,
        delivery.actual_channel,
        delivery.sent_at,
        delivery.delivered_at,
        delivery.read_at,
        delivery.failed_at,
        delivery.error_code,
        delivery.error_words,
        delivery.told_at,
        list(delivery.reactions),
    )
