"""Which of people's texts they may know to be read. Each method is one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Connection, Pool
from bot.texting.model import Person

#: Defers the job that marks a thread read, in the transaction of the connection.
DeferRead = Callable[[AsyncConnection[Any], int], Awaitable[None]]

#: Somebody in Slack did something about a thread, in the transaction of the connection.
Acted = Callable[[Connection, int], Awaitable[None]]

#: When they last wrote over iMessage: nothing else can show that it was read.
_LAST: LiteralString = """
    (SELECT i.received_at FROM inbound i WHERE i.thread_id = t.id AND i.channel = 'imessage'
      ORDER BY i.received_at DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Unread:
    """What a person wrote over iMessage, and does not know to be read."""

    person: Person
    until: datetime  # received then and before


class ReadMarks:
    """How far threads are marked read."""

    def __init__(self, pool: Pool, *, defer: DeferRead) -> None:
        self._pool = pool
        self._defer = defer

    async def acted(self, connection: Connection, thread_id: int) -> None:
        """Somebody in Slack did something about a thread, so its texts were read: in the caller's transaction."""
        cursor = await connection.execute(
            f"SELECT 1 FROM threads t WHERE id = %s AND {_LAST} > coalesce(t.read_until, '-infinity')", (thread_id,)
        )
        if await cursor.fetchone() is not None:
            await self._defer(connection, thread_id)

    async def unread(self, thread_id: int) -> Unread | None:
        """Return what is to be marked, if there is anything."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.PERSON}, {_LAST} AS until FROM threads t JOIN people p ON p.id = t.person_id
                 WHERE t.id = %s AND {_LAST} > coalesce(t.read_until, '-infinity')
                """,
                (thread_id,),
            )
            row = await cursor.fetchone()
        return Unread(rows.person(row), row["until"]) if row else None

    async def marked(self, thread_id: int, until: datetime) -> None:
        """They know it."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE threads SET read_until = greatest(read_until, %s) WHERE id = %s", (until, thread_id)
            )
