"""What is typed in threads, and what becomes of it. Each method is one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bot.storage import rows
from bot.storage.database import Connection, Pool, in_time, storing
from bot.storage.deliveries import Deliveries
from bot.texting.errors import NotRead
from bot.texting.model import Fate, Reply, Request
from bot.texting.ports import Place


class Replies:
    """Replies typed in threads."""

    def __init__(self, pool: Pool, *, deliveries: Deliveries) -> None:
        self._pool = pool
        self._deliveries = deliveries

    async def place(self, conversation_id: str, thread_ts: str, *, within: timedelta) -> Place | None:
        """Return whose thread it is, if it is one of ours. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.THREAD}, {rows.PERSON}, coalesce(c.replies, 'texted') AS replies
                  FROM threads t JOIN people p ON p.id = t.person_id
                  LEFT JOIN channels c ON c.conversation_id = t.conversation_id
                 WHERE t.conversation_id = %s AND t.card_ts = %s
                """,
                (conversation_id, thread_ts),
            )
            row = await cursor.fetchone()
        return Place(rows.thread(row), rows.person(row), row["replies"]) if row else None

    async def find(self, conversation_id: str, ts: str, *, within: timedelta) -> Reply | None:
        """Return what became of something typed in a thread. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"SELECT {rows.REPLY} FROM replies y WHERE conversation_id = %s AND ts = %s", (conversation_id, ts)
            )
            row = await cursor.fetchone()
        return rows.reply(row) if row else None

    async def store(
        self,
        reply: Reply,
        request: Request | None,
        delivery_id: UUID,
        *,
        lines: Sequence[str],
        now: datetime,
        within: timedelta,
    ) -> bool:
        """
        Store what somebody typed and, with a *request*, its text; return whether it was news.

        Slack may tell of one message many times: only the first counts. Raises NotStored, PerhapsStored, OptedOut.
        """
        async with storing(self._pool, within) as connection:
            cursor = await connection.execute(
                """
                INSERT INTO replies
                    (conversation_id, ts, thread_id, author_id, author_name, body, files, fate, reason, typed_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (conversation_id, ts) DO NOTHING
                """,
                (
                    reply.conversation_id,
                    reply.ts,
                    reply.thread_id,
                    reply.author.user_id,
                    reply.author.name,
                    reply.body,
                    Jsonb([asdict(file) for file in reply.files]),
                    reply.fate,
                    reply.reason,
                    now,
                ),
            )
            if cursor.rowcount == 0:
                return False
            if request is not None:
                await self._text(connection, reply, request, delivery_id, lines=lines, now=now)
            return True

    async def decide(
        self,
        reply: Reply,
        request: Request | None,
        delivery_id: UUID,
        *,
        lines: Sequence[str],
        now: datetime,
        within: timedelta,
    ) -> bool:
        """
        Settle what was asked about: with a *request* it is texted, without one it has the fate that *reply* says.

        Return False if it was settled before. Raises what `store` does.
        """
        async with storing(self._pool, within) as connection:
            cursor = await connection.execute(
                """
                UPDATE replies SET fate = %s, reason = %s, revision = revision + 1
                 WHERE conversation_id = %s AND ts = %s AND fate = 'asked'
                """,
                (reply.fate, reply.reason, reply.conversation_id, reply.ts),
            )
            if cursor.rowcount == 0:
                return False
            if request is not None:
                await self._text(connection, reply, request, delivery_id, lines=lines, now=now)
            return True

    async def _text(
        self,
        connection: Connection,
        reply: Reply,
        request: Request,
        delivery_id: UUID,
        *,
        lines: Sequence[str],
        now: datetime,
    ) -> None:
        requested = await self._deliveries.request_in(connection, request, delivery_id, lines=lines, now=now)
        values: tuple[Any, ...] = (requested.delivery.id, reply.conversation_id, reply.ts)
        await connection.execute("UPDATE replies SET delivery_id = %s WHERE conversation_id = %s AND ts = %s", values)
        assert reply.fate is Fate.TEXTED  # noqa: S101  (nothing else has a request)
