"""What people write to us, and the state of their threads. Each method is one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bot.storage import people, rows, same_text
from bot.storage.database import Connection, Pool, in_time
from bot.storage.opt_outs import OptOuts
from bot.texting.errors import NotRead
from bot.texting.model import Channel, Inbound, Incoming, Opting, ReadUpTo, Received

#: Defers the job that fetches the files of one text, inside the transaction of the connection it is given.
DeferFiles = Callable[[AsyncConnection[Any], UUID], Awaitable[None]]

#: Advisory lock, with a person: whose texts are being stored.
_HEARING = 7_285_006


class Conversations:
    """Threads with people."""

    def __init__(self, pool: Pool, *, defer_files: DeferFiles, opt_outs: OptOuts) -> None:
        self._pool = pool
        self._defer_files = defer_files
        self._opt_outs = opt_outs

    async def receive(
        self,
        received: Received,
        inbound_id: UUID,
        *,
        opting: Opting | None,
        team_id: str,
        lines: Sequence[str],
        home: str,
        now: datetime,
    ) -> Incoming:
        """
        Store a text from a person and heed what it asks for, or find it if it was stored before.

        It goes into their thread on the line they wrote to; whoever has none gets one: where another thread of theirs
        is, or in *home* ("": nowhere yet). A thread that was done is open again, unless nobody has to answer.
        """
        wanted = [received.line, ""] if received.line is not None else list(lines)
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            found = await people.find(cursor, team_id, received.address, wanted)
            if found is None:
                place = await self._home_of(cursor, team_id, received.address) or home
                line = received.line if received.line is not None else lines[0]
                found = await people.add(cursor, team_id, received.address, line, conversation_id=place, owner=None)
            # One after the other: what is told and what is read of a person may be one text.
            await cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", (_HEARING, found["person_id"]))
            message_id = await same_text.known_as(
                cursor, received, person_id=found["person_id"], thread_id=found["thread_id"]
            )
            news = message_id is None and await self._add(cursor, received, inbound_id, found, opting=opting, now=now)
            if news:
                heeded = opting is not None and await self._opt_outs.heed(
                    connection, opting, found, message_id=received.message_id, written_at=received.at or now, now=now
                )
                await self._move(cursor, received, found["thread_id"], waits=not heeded, now=now)
                await self._add_files(connection, received, inbound_id)
            await cursor.execute(
                f"""
                SELECT {rows.INBOUND}, {rows.THREAD}, {rows.PERSON}
                  FROM inbound i JOIN threads t ON t.id = i.thread_id JOIN people p ON p.id = t.person_id
                 WHERE i.message_id = %s
                """,
                (message_id or received.message_id,),
            )
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (just inserted, or found by the conflict)
            return Incoming(rows.inbound(row), rows.thread(row), rows.person(row), news=news)

    async def _add(
        self,
        cursor: Any,
        received: Received,
        inbound_id: UUID,
        place: rows.Row,
        *,
        opting: Opting | None,
        now: datetime,
    ) -> bool:
        """Store the text unless it is there; return whether it is news."""
        await cursor.execute(
            """
            INSERT INTO inbound
                (id, message_id, thread_id, body, reply_to, channel, word, source, written_at, received_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (message_id) DO NOTHING
            RETURNING id
            """,
            (
                inbound_id,
                received.message_id,
                place["thread_id"],
                received.text.replace("\0", ""),
                received.reply_to,
                received.channel,
                opting.word if opting else None,
                same_text.source_of(received),
                received.at or now,
                now,
            ),
        )
        if await cursor.fetchone() is None:
            return False
        await cursor.execute(  # reactions to it may have come long before it was read
            "UPDATE events SET applied_at = NULL WHERE name = 'message.reaction' AND message_id = %s",
            (received.message_id,),
        )
        if received.channel is Channel.IMESSAGE:  # whoever sends one can get one
            await cursor.execute(
                "UPDATE people SET imessage = true, checked_at = %s WHERE id = %s", (now, place["person_id"])
            )
        return True

    async def _move(self, cursor: Any, received: Received, thread_id: int, *, waits: bool, now: datetime) -> None:
        """Say in the thread what they write on, and that they wait for an answer."""
        await cursor.execute(
            """
            UPDATE threads
               SET waiting_since = CASE WHEN %s THEN coalesce(waiting_since, %s) ELSE waiting_since END,
                   done_at = CASE WHEN NOT %s THEN done_at END, done_by = CASE WHEN NOT %s THEN done_by END,
                   channel = coalesce(%s, channel), revision = revision + 1
             WHERE id = %s
            """,
            (waits, now, waits, waits, received.channel, thread_id),
        )

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

    async def shown_in(
        self, conversation_id: str, inbound_id: UUID, *, team_id: str, within: timedelta
    ) -> Inbound | None:
        """Return a text that a message in this conversation shows. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.INBOUND}
                  FROM inbound i JOIN threads t ON t.id = i.thread_id JOIN people p ON p.id = t.person_id
                 WHERE i.id = %s AND i.posted_in = %s AND p.team_id = %s
                """,
                (inbound_id, conversation_id, team_id),
            )
            row = await cursor.fetchone()
        return rows.inbound(row) if row else None

    async def unknown(self, message_ids: Sequence[str]) -> set[str]:
        """Return which of the texts that stand beside each other in Blooio's list still have to be received."""
        async with self._pool.connection() as connection, connection.transaction():
            return await same_text.unknown(connection.cursor(row_factory=dict_row), message_ids)

    async def read_up_to(self) -> ReadUpTo | None:
        """Say how far Blooio's list was read; None: never."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT moment, began_at FROM read_up_to")
            row = await cursor.fetchone()
        return ReadUpTo(*row) if row else None

    async def have_read_up_to(self, moment: datetime) -> None:
        """All that was written until *moment* is stored. The first time it says where reading begins."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO read_up_to (moment, began_at) VALUES (%s, %s)
                ON CONFLICT (only_one) DO UPDATE SET moment = greatest(read_up_to.moment, excluded.moment)
                """,
                (moment, moment),
            )

    async def give_homes(self, home: str) -> int:
        """Put the threads that have no place in Slack yet into *home*; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE threads SET conversation_id = %s, revision = revision + 1 WHERE conversation_id = ''", (home,)
            )
            return cursor.rowcount
