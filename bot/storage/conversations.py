"""What people write to us, and the state of their threads. Each method is one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bot.storage import people, rows
from bot.storage.database import Connection, Pool
from bot.texting.model import Channel, Incoming, Received

#: Defers the job that fetches the files of one text, inside the transaction of the connection it is given.
DeferFiles = Callable[[AsyncConnection[Any], UUID], Awaitable[None]]


class Conversations:
    """Threads with people."""

    def __init__(self, pool: Pool, *, defer_files: DeferFiles) -> None:
        self._pool = pool
        self._defer_files = defer_files

    async def receive(
        self, received: Received, inbound_id: UUID, *, team_id: str, lines: Sequence[str], home: str, now: datetime
    ) -> Incoming:
        """
        Store a text from a person, or find it if it was stored before.

        It goes into their thread on the line they wrote to; whoever has none gets one: where another thread of theirs
        is, or in *home* ("": nowhere yet). A thread that was done is open again.
        """
        wanted = [received.line, ""] if received.line is not None else list(lines)
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            found = await people.find(cursor, team_id, received.address, wanted)
            if found is None:
                place = await self._home_of(cursor, team_id, received.address) or home
                line = received.line if received.line is not None else lines[0]
                found = await people.add(cursor, team_id, received.address, line, conversation_id=place, owner=None)
            news = await self._add(cursor, received, inbound_id, found["thread_id"], now)
            if news:
                await self._add_files(connection, received, inbound_id)
            await cursor.execute(
                f"""
                SELECT {rows.INBOUND}, {rows.THREAD}, {rows.PERSON}
                  FROM inbound i JOIN threads t ON t.id = i.thread_id JOIN people p ON p.id = t.person_id
                 WHERE i.message_id = %s
                """,
                (received.message_id,),
            )
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (just inserted, or found by the conflict)
            return Incoming(rows.inbound(row), rows.thread(row), rows.person(row), news=news)

    async def _add(self, cursor: Any, received: Received, inbound_id: UUID, thread_id: int, now: datetime) -> bool:
        """Store the text, and that they wait for an answer, unless it is there; return whether it is news."""
        await cursor.execute(
            """
            INSERT INTO inbound (id, message_id, thread_id, body, channel, source, written_at, received_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (message_id) DO NOTHING
            RETURNING id
            """,
            (
                inbound_id,
                received.message_id,
                thread_id,
                received.text.replace("\0", ""),
                received.channel,
                "told" if received.told else "read",
                received.at or now,
                now,
            ),
        )
        if await cursor.fetchone() is None:
            return False
        await cursor.execute(
            """
            UPDATE threads
               SET waiting_since = coalesce(waiting_since, %s), done_at = NULL, done_by = NULL,
                   channel = coalesce(%s, channel), revision = revision + 1
             WHERE id = %s
            RETURNING person_id
            """,
            (now, received.channel, thread_id),
        )
        if received.channel is Channel.IMESSAGE:  # whoever sends one can get one
            await cursor.execute(
                "UPDATE people SET imessage = true, checked_at = %s WHERE id = %s",
                (now, (await cursor.fetchone())["person_id"]),
            )
        return True

    async def _home_of(self, cursor: Any, team_id: str, address: str) -> str | None:
        """Return where somebody's last thread is, on whatever line, unless that is in a colleague's direct messages."""
        await cursor.execute(
            """
            SELECT t.conversation_id FROM people p JOIN threads t ON t.person_id = p.id
             WHERE p.team_id = %s AND p.address = %s AND t.conversation_id ~ '^[CG]'
             ORDER BY t.id DESC LIMIT 1
            """,
            (team_id, address),
        )
        row = await cursor.fetchone()
        return row["conversation_id"] if row else None

    async def _add_files(self, connection: Connection, received: Received, inbound_id: UUID) -> None:
        if not received.attachments:
            return
        async with connection.cursor() as cursor:
            await cursor.executemany(
                """
                INSERT INTO inbound_files (id, inbound_id, position, url, name, media_type)
                VALUES (gen_random_uuid(), %s, %s, %s, %s, %s)
                """,
                [
                    (inbound_id, position, file.url, file.name, file.media_type)
                    for position, file in enumerate(received.attachments)
                ],
            )
        await self._defer_files(connection, inbound_id)

    async def give_homes(self, home: str) -> int:
        """Put the threads that have no place in Slack yet into *home*; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE threads SET conversation_id = %s, revision = revision + 1 WHERE conversation_id = ''", (home,)
            )
            return cursor.rowcount
