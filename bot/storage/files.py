"""Files that people send, on their way into Slack, and the key that signs the addresses of those that go out."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bot.storage.database import Connection, Pool, storing
from bot.texting.model import FileStatus

_KEY = "files"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that came with a text."""

    id: UUID
    position: int  # in its text
    url: str
    name: str | None  # as whoever sent it called it; once it was fetched, what it is called here
    media_type: str | None
    attempts: int  # to fetch it, that failed
    file_id: str | None  # Slack's, once Slack has it
    sharing_since: datetime | None  # a sharing was begun and its outcome is not known


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text with its files that are neither shared nor refused, and where they belong."""

    id: UUID
    received_at: datetime
    is_posted: bool  # its own message stands in the thread
    conversation_id: str  # of the thread; "" while there is none
    card_ts: str | None
    waiting: tuple[KeptFile, ...]  # in the order in which they came


class InboundFiles:
    """The files of people's texts. Each method is one transaction."""

    def __init__(self, pool: Pool, *, defer: Callable[[AsyncConnection[Any], UUID], Awaitable[None]]) -> None:
        self._pool = pool
        self._defer = defer

    async def load(self, inbound_id: UUID) -> KeptText | None:
        """Return a text with what is left to do of its files; None if that is nothing."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                SELECT i.id AS text_id, i.received_at, i.posted_ts, t.conversation_id, t.card_ts,
                       f.id, f.position, f.url, f.name, f.media_type, f.attempts, f.file_id, f.sharing_at
                  FROM inbound i JOIN threads t ON t.id = i.thread_id JOIN inbound_files f ON f.inbound_id = i.id
                 WHERE i.id = %s AND f.status = 'waiting'
                 ORDER BY f.position
                """,
                (inbound_id,),
            )
            found = await cursor.fetchall()
        if not found:
            return None
        first = found[0]
        return KeptText(
            id=first["text_id"],
            received_at=first["received_at"],
            is_posted=first["posted_ts"] is not None,
            conversation_id=first["conversation_id"],
            card_ts=first["card_ts"],
            waiting=tuple(_file(row) for row in found),
        )

    async def uploaded(self, file: KeptFile, file_id: str, *, name: str, media_type: str, size: int) -> None:
        """Slack has it, and shows it to nobody yet."""
        await self._change(
            "name = %s, media_type = %s, size = %s, file_id = %s, sharing_at = NULL",
            (name, media_type, size, file_id),
            [file],
        )

    async def begin_sharing(self, files: Sequence[KeptFile]) -> None:
        """They are about to be shared: from here on a sharing without an answer has to be looked for."""
        await self._change("sharing_at = now()", (), files)

    async def not_shared(self, files: Sequence[KeptFile]) -> None:
        """Slack refused to share them."""
        await self._change("sharing_at = NULL", (), files)

    async def shared(self, files: Sequence[KeptFile]) -> None:
        """They are in the thread."""
        await self._change("status = %s, sharing_at = NULL", (FileStatus.SHARED,), files, visibly=True)

    async def lost(self, files: Sequence[KeptFile]) -> None:
        """Slack does not have them any more: they are fetched once more."""
        await self._change("file_id = NULL, sharing_at = NULL, attempts = attempts + 1", (), files)

    async def failed(self, file: KeptFile) -> None:
        """An attempt to fetch it failed; there will be another."""
        await self._change("attempts = attempts + 1", (), [file])

    async def refused(self, files: Sequence[KeptFile], problem: str, *, again: bool) -> None:
        """They are not coming, for a reason that continues after their name; whether trying *again* may help."""
        await self._change(
            "status = %s, problem = %s, again = %s, sharing_at = NULL",
            (FileStatus.REFUSED, problem, again),
            files,
            visibly=True,
        )

    async def again(self, inbound_id: UUID, *, seen_in: str, within: timedelta) -> bool:
        """
        Try once more with those files of a text that this may help; return whether there are any.

        *seen_in* is the conversation in which somebody says so, below the message that shows the text.

        Raises NotStored or PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = await connection.execute(
                """
                UPDATE inbound_files SET status = 'waiting', problem = NULL, again = false, attempts = 0
                 WHERE inbound_id = %s AND status = 'refused' AND again
                   AND EXISTS (SELECT FROM inbound i WHERE i.id = inbound_id AND i.posted_in = %s)
                """,
                (inbound_id, seen_in),
            )
            if cursor.rowcount == 0:
                return False
            await _redraw(connection, [inbound_id])
            await self._defer(connection, inbound_id)
            return True

    async def _change(
        self, what: LiteralString, values: tuple[Any, ...], files: Sequence[KeptFile], *, visibly: bool = False
    ) -> None:
        """Change the rows of *files*, and have their text drawn again if it shows."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                f"UPDATE inbound_files SET {what} WHERE id = ANY(%s) AND status = 'waiting' RETURNING inbound_id",
                (*values, [file.id for file in files]),
            )
            texts = [inbound_id for (inbound_id,) in await cursor.fetchall()]
            if visibly:
                await _redraw(connection, texts)


async def signing_key(pool: Pool) -> bytes:
    """Return the key that signs the addresses of files: made once, whoever asks first."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO secrets (name, value) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING",
            (_KEY, secrets.token_bytes(_KEY_BYTES)),
        )
        cursor = await connection.execute("SELECT value FROM secrets WHERE name = %s", (_KEY,))
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101  (just inserted, or found by the conflict)
        return bytes(row[0])


async def _redraw(connection: Connection, inbound_ids: Sequence[UUID]) -> None:
    await connection.execute("UPDATE inbound SET revision = revision + 1 WHERE id = ANY(%s)", (list(inbound_ids),))


def _file(row: dict[str, Any]) -> KeptFile:
    return KeptFile(
        id=row["id"],
        position=row["position"],
        url=row["url"],
        name=row["name"],
        media_type=row["media_type"],
        attempts=row["attempts"],
        file_id=row["file_id"],
        sharing_since=row["sharing_at"],
    )
