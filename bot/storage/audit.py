"""Who did what, when: every text, edit, override and refusal is a row, and nothing of what was written is in it."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from bot.storage.database import DATABASE_AWAY, Connection, Pool, in_time
from bot.texting.errors import NotStored

logger = logging.getLogger(__name__)

#: Whoever is refused waits for the answer, so the row may take so long and no longer.
_WITHIN_SECONDS = 0.5

_COLUMNS = "user_id, user_name, action, reason, person_id, thread_id, delivery_id, conversation_id"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the trail."""

    at: datetime
    user_id: str  # '' is the bot itself
    user_name: str
    action: str
    reason: str | None
    person_id: int | None
    thread_id: int | None
    delivery_id: UUID | None
    conversation_id: str | None


async def record(
    connection: Connection,
    *,
    user_id: str,
    user_name: str,
    action: str,
    reason: str | None = None,
    person_id: int | None = None,
    thread_id: int | None = None,
    delivery_id: UUID | None = None,
    conversation_id: str | None = None,
) -> None:
    """
    Put what somebody did on record, in the caller's transaction: it is done and recorded, or neither.

    A *refusal* is recorded once a minute for each person and reason: somebody may click very often. What was texted
    needs no call: the database records it with the text.
    """
    await connection.execute(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (user_id, user_name, action, reason, person_id, thread_id, delivery_id, conversation_id),
    )


class Audit:
    """The trail, for what is not part of a transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(
        self,
        *,
        user_id: str,
        user_name: str,
        action: str,
        reason: str | None = None,
        person_id: int | None = None,
        thread_id: int | None = None,
        delivery_id: UUID | None = None,
        conversation_id: str | None = None,
    ) -> None:
        """Put something on record. Never fails and never takes long: what cannot be recorded is logged."""
        try:
            async with in_time(_WITHIN_SECONDS, NotStored()), self._pool.connection() as connection:
                await record(
                    connection,
                    user_id=user_id,
                    user_name=user_name,
                    action=action,
                    reason=reason,
                    person_id=person_id,
                    thread_id=thread_id,
                    delivery_id=delivery_id,
                    conversation_id=conversation_id,
                )
        except (NotStored, *DATABASE_AWAY):
            logger.warning(
                "not_recorded user=%s action=%s reason=%s conversation=%s", user_id, action, reason, conversation_id
            )

    async def refused(
        self,
        *,
        user_id: str,
        user_name: str,
        reason: str,
        person_id: int | None = None,
        thread_id: int | None = None,
        conversation_id: str | None = None,
    ) -> None:
        """Put a refusal on record: *reason* is the code of the error. Never fails, as `record`."""
        await self.record(
            user_id=user_id,
            user_name=user_name,
            action="refusal",
            reason=reason,
            person_id=person_id,
            thread_id=thread_id,
            conversation_id=conversation_id,
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
