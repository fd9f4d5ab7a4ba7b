"""What people typed, kept while they are asked what they mean. Each method is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from bot.storage.database import Pool, in_time
from bot.texting.errors import NotRead, NotStored
from bot.texting.service import new_id

_SECONDS = 1.0
_NOT_KEPT = "We could not keep what you typed. Try again in a minute."
_NOT_READ = "We could not look up what you typed. Try again in a minute."

#: Nobody answers a question after so long; and what was typed is about people.
_KEPT_FOR = "1 day"


@dataclass(frozen=True, slots=True)
class Draft:
    """Something typed that is not done yet."""

    id: UUID
    conversation_id: str  # where it was typed
    kind: str
    payload: dict[str, Any]


class Drafts:
    """What was typed and is not done yet."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, user_id: str, conversation_id: str, kind: str, payload: Mapping[str, Any]) -> UUID:
        """Keep what somebody typed; return its id. Raises NotStored."""
        draft_id = new_id()
        async with in_time(_SECONDS, NotStored(words=_NOT_KEPT)), self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO drafts (id, user_id, conversation_id, kind, payload) VALUES (%s, %s, %s, %s, %s)",
                (draft_id, user_id, conversation_id, kind, Jsonb(dict(payload))),
            )
        return draft_id

    async def find(self, draft_id: UUID, user_id: str) -> Draft | None:
        """Return what this person typed, if it is still kept. Raises NotRead."""
        async with in_time(_SECONDS, NotRead(words=_NOT_READ)), self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT conversation_id, kind, payload FROM drafts WHERE id = %s AND user_id = %s",
                (draft_id, user_id),
            )
            row = await cursor.fetchone()
        return Draft(draft_id, *row) if row else None

    async def choose(self, draft_id: UUID, user_id: str, choice: int) -> int | None:
        """
        Remember which of the offered ways somebody chose; return it, or the one they chose before. Raises NotStored.

        None: nothing is kept under that id for them.
        """
        async with in_time(_SECONDS, NotStored(words=_NOT_KEPT)), self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE drafts SET payload = jsonb_build_object('chosen', %s::int) || payload
                 WHERE id = %s AND user_id = %s
                RETURNING (payload->>'chosen')::int
                """,
                (choice, draft_id, user_id),
            )
            row = await cursor.fetchone()
        return row[0] if row else None

    async def forget_old(self) -> int:
        """Forget what was typed long ago; return how much that was."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"DELETE FROM drafts WHERE created_at < now() - interval '{_KEPT_FOR}'")
            return cursor.rowcount
