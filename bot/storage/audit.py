"""Who did what, when: every text, edit, override and refusal is a row, and nothing of what was written is in it."""

import logging
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from bot.storage.database import DATABASE_AWAY, Connection, Pool, in_time
from bot.texting.errors import NotStored

logger = logging.getLogger(__name__)

#: Whoever is refused waits for the answer, so the row may take so long and no longer.
_WITHIN_SECONDS = 0.5

#: What is on record as a refusal is so once a minute for each person and reason: somebody may click very often.
REFUSAL = "refusal"

_RECORD = """
    INSERT INTO audit (user_id, user_name, action, reason, person_id, thread_id, delivery_id, conversation_id)
    VALUES (%(user_id)s, %(user_name)s, %(action)s, %(reason)s, %(person_id)s, %(thread_id)s, %(delivery_id)s,
            %(conversation_id)s)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the trail: what somebody did, and to whom and what."""

    at: datetime | None = None  # None: it is done now
    user_id: str  # '' is the bot itself
    user_name: str
    action: str
    reason: str | None = None  # of a refusal: the code of the error
    person_id: int | None = None
    thread_id: int | None = None
    delivery_id: UUID | None = None
    conversation_id: str | None = None


async def record(connection: Connection, entry: Entry) -> None:
    """
    Put what somebody did on record, in the caller's transaction: it is done and recorded, or neither.

    What was texted needs no call: the database records it with the text.
    """
    await connection.execute(_RECORD, asdict(entry))


class Audit:
    """The trail, for what is not part of a transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(self, entry: Entry) -> None:
        """Put something on record. Never fails and never takes long: what cannot be recorded is logged."""
        try:
            async with in_time(_WITHIN_SECONDS, NotStored()), self._pool.connection() as connection:
                await record(connection, entry)
        except (NotStored, *DATABASE_AWAY):
            logger.warning(
                "not_recorded user=%s action=%s reason=%s conversation=%s",
                entry.user_id,
                entry.action,
                entry.reason,
                entry.conversation_id,
            )


async def trail(connection: Connection, *, since: timedelta) -> AsyncIterator[Entry]:
    """Read the trail of the last *since*, oldest first, without holding it in memory."""
    async with connection.transaction(), connection.cursor("trail", row_factory=class_row(Entry)) as cursor:
        await cursor.execute(
            """
            SELECT a.at, a.user_id, a.user_name, a.action, a.reason, coalesce(a.person_id, t.person_id) AS person_id,
                   a.thread_id, a.delivery_id, coalesce(a.conversation_id, t.conversation_id) AS conversation_id
              FROM audit a LEFT JOIN threads t ON t.id = a.thread_id
             WHERE a.at > now() - %s ORDER BY a.at, a.id
            """,
            (since,),
        )
        async for entry in cursor:
            yield entry
