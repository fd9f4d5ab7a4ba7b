"""What Slack shows of the rows, and what it still has to show. Each method is one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Pool
from bot.texting.model import Author, Delivery, Person, Thread

_TEXT = f"{rows.DELIVERY}, d.posted_in, d.posted_ts, d.posting_at, d.revision"


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text and how much of it Slack shows."""

    delivery: Delivery
    posted_in: str | None  # the conversation of the message that shows it; the thread may have moved since
    posted_ts: str | None
    posting_since: datetime | None  # a post was begun and its outcome is not known
    revision: int


@dataclass(frozen=True, slots=True)
class ShownThread:
    """A thread, how much of its card Slack shows, and texts that Slack does not show (as they are)."""

    thread: Thread
    person: Person
    card_gone: bool  # somebody deleted it
    card_posting_since: datetime | None
    revision: int
    drawn_revision: int
    failures: int  # in a row, of drawing this thread
    texts: list[ShownText]  # oldest first

    @property
    def card_changed(self) -> bool:
        """Whether the card that Slack shows has to be drawn again."""
        return self.thread.card_ts is not None and not self.card_gone and self.drawn_revision < self.revision


class Drawings:
    """Threads as they are drawn."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def to_post(self, limit: int) -> list[int]:
        """List threads with texts that Slack does not show yet, longest waiting first."""
        return await self._numbers(
            """
            SELECT t.id FROM (SELECT DISTINCT thread_id FROM deliveries
                               WHERE drawn_revision < revision AND posted_ts IS NULL) d
              JOIN threads t ON t.id = d.thread_id
             WHERE t.draw_after <= now()
             ORDER BY t.draw_after LIMIT %s
            """,
            limit,
        )

    async def to_edit(self, limit: int) -> list[int]:
        """List threads whose card or texts Slack shows otherwise than they are, longest waiting first."""
        return await self._numbers(
            """
            SELECT id FROM (
                SELECT id, edit_after FROM threads
                 WHERE drawn_revision < revision AND NOT card_gone AND card_ts IS NOT NULL AND edit_after <= now()
                 UNION
                SELECT t.id, t.edit_after
                  FROM (SELECT DISTINCT thread_id FROM deliveries
                         WHERE drawn_revision < revision AND posted_ts IS NOT NULL) d
                  JOIN threads t ON t.id = d.thread_id
                 WHERE t.edit_after <= now()) changed
             ORDER BY edit_after LIMIT %s
            """,
            limit,
        )

    async def load_new(self, thread_id: int, *, limit: int = 20) -> ShownThread | None:
        """Read a thread with up to *limit* texts to post, unless posting has to wait."""
        return await self._load("d.posted_ts IS NULL", "t.draw_after, t.draw_failures", thread_id, limit)

    async def load_changed(self, thread_id: int, *, limit: int = 20) -> ShownThread | None:
        """Read a thread with up to *limit* texts to draw again, unless that has to wait."""
        return await self._load("d.posted_ts IS NOT NULL", "t.edit_after, t.edit_failures", thread_id, limit)

    async def _load(self, which: LiteralString, pause: LiteralString, thread_id: int, limit: int) -> ShownThread | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.THREAD}, {rows.PERSON}, t.card_gone, t.card_posting_at, t.revision AS card_revision,
                       t.drawn_revision, pause.failures, {_TEXT}
                  FROM threads t JOIN people p ON p.id = t.person_id
                  CROSS JOIN LATERAL (SELECT {pause}) pause (until, failures)
                  LEFT JOIN deliveries d ON d.thread_id = t.id AND d.drawn_revision < d.revision AND {which}
                 WHERE t.id = %s AND pause.until <= now()
                 ORDER BY d.requested_at, d.id LIMIT %s
                """,
                (thread_id, limit),
            )
            found = await cursor.fetchall()
        if not found:
            return None
        first = found[0]
        return ShownThread(
            thread=rows.thread(first),
            person=rows.person(first),
            card_gone=first["card_gone"],
            card_posting_since=first["card_posting_at"],
            revision=first["card_revision"],
            drawn_revision=first["drawn_revision"],
            failures=first["failures"],
            texts=[_text(row) for row in found if row["id"] is not None],
        )

    async def begin_card(self, thread_id: int) -> None:
        """A card is about to be posted: from here on a post without an answer has to be looked for."""
        await self._execute(
            "UPDATE threads SET card_posting_at = now(), card_ts = NULL, card_gone = false WHERE id = %s", (thread_id,)
        )

    async def card_not_posted(self, thread_id: int) -> None:
        """Slack refused the post."""
        await self._execute("UPDATE threads SET card_posting_at = NULL WHERE id = %s", (thread_id,))

    async def card_posted(self, thread_id: int, conversation_id: str, ts: str, *, revision: int) -> bool:
        """Slack shows this revision; return whether it is still the latest."""
        return await self._is_latest(
            """
            UPDATE threads
               SET conversation_id = %s, card_ts = %s, card_posting_at = NULL, drawn_revision = %s, draw_failures = 0
             WHERE id = %s
            RETURNING revision
            """,
            (conversation_id, ts, revision, thread_id),
            revision,
        )

    async def card_drawn(self, thread_id: int, *, revision: int) -> bool:
        """Slack shows this revision; return whether it is still the latest."""
        return await self._is_latest(
            "UPDATE threads SET drawn_revision = %s WHERE id = %s RETURNING revision",
            (revision, thread_id),
            revision,
        )

    async def card_gone(self, conversation_id: str, ts: str) -> bool:
        """Somebody deleted this message; return whether it was a card. The next text gets a new one."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE threads SET card_gone = true WHERE conversation_id = %s AND card_ts = %s RETURNING id",
                (conversation_id, ts),
            )
            return await cursor.fetchone() is not None

    async def move(self, thread_id: int, conversation_id: str, owner: Author) -> None:
        """The thread cannot live where it was: it moves, and *owner* looks after it now."""
        await self._execute(rows.MOVE_THREAD, (conversation_id, owner.user_id, owner.name, thread_id))

    async def begin_text(self, delivery_id: UUID) -> ShownText:
        """A text's message is about to be posted; return the row as it is at this moment."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"UPDATE deliveries d SET posting_at = now() WHERE id = %s RETURNING {_TEXT}",
                (delivery_id,),
            )
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (texts are never deleted)
            return _text(row)

    async def text_not_posted(self, delivery_id: UUID) -> None:
        """Slack refused the post."""
        await self._execute("UPDATE deliveries SET posting_at = NULL WHERE id = %s", (delivery_id,))

    async def text_posted(self, delivery_id: UUID, conversation_id: str, ts: str, *, revision: int) -> bool:
        """Slack shows this revision; return whether it is still the latest."""
        return await self._is_latest(
            """
            UPDATE deliveries SET posted_in = %s, posted_ts = %s, posting_at = NULL, drawn_revision = %s WHERE id = %s
            RETURNING revision
            """,
            (conversation_id, ts, revision, delivery_id),
            revision,
        )

    async def wait_to_post(self, thread_id: int, pause: timedelta, *, failed: bool) -> None:
        """Post nothing of a thread for *pause*."""
        await self._execute(
            """
            UPDATE threads SET draw_after = now() + %s, draw_failures = CASE WHEN %s THEN draw_failures + 1 ELSE 0 END
             WHERE id = %s
            """,
            (pause, failed, thread_id),
        )

    async def wait_to_edit(self, thread_id: int, pause: timedelta, *, failed: bool) -> None:
        """Edit nothing of a thread for *pause*."""
        await self._execute(
            """
            UPDATE threads SET edit_after = now() + %s, edit_failures = CASE WHEN %s THEN edit_failures + 1 ELSE 0 END
             WHERE id = %s
            """,
            (pause, failed, thread_id),
        )

    async def _numbers(self, query: LiteralString, limit: int) -> list[int]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, (limit,))
            return [number for (number,) in await cursor.fetchall()]

    async def _is_latest(self, query: LiteralString, values: tuple[Any, ...], revision: int) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            row = await cursor.fetchone()
        return row is None or row[0] == revision

    async def _execute(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)


def _text(row: rows.Row) -> ShownText:
    return ShownText(rows.delivery(row), row["posted_in"], row["posted_ts"], row["posting_at"], row["revision"])
