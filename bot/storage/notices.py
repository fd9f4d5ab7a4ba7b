"""Whom we have to tell in Slack, once: the author of a failed text, an admin, whoever a thread was handed to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Overtaken, Pool
from bot.texting.model import Person, Requested, Thread

#: An admin hears of a cause once in this long, however many texts it stops: (key, cause). One statement, so that of
#: all processes that say so in the same moment one is heard. An alert that Slack has not shown yet stays as it is.
ALERT: LiteralString = """
    INSERT INTO notices AS n (key, cause) VALUES (%s, %s)
    ON CONFLICT (key) DO UPDATE
       SET raised_at = now(), post_after = now(), posting_at = NULL, posted_at = NULL, failures = 0
     WHERE n.posted_at < now() - interval '1 hour'
"""

#: So long after it was said nobody has to know any more that it was.
_KEPT_FOR = "30 days"


@dataclass(frozen=True, slots=True)
class FailedText:
    """The text that a notice is about, and the message that shows it."""

    requested: Requested
    posted_in: str | None
    posted_ts: str | None


@dataclass(frozen=True, slots=True)
class HandedOff:
    """The thread that somebody is to look after from now on."""

    thread: Thread
    person: Person
    to: str  # whose it is now, unless it went on to somebody else: their id
    by_name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that somebody has to get."""

    id: int
    key: str  # the post's: the same for every attempt, another for each time that it is raised
    cause: str  # a TextingError's code
    raised_at: datetime
    posting_since: datetime | None  # a post was begun and its outcome is not known
    failures: int  # in a row
    text: FailedText | None  # None: it is for an admin, unless
    handed: HandedOff | None = None  # it is for whoever looks after somebody now


class Notices:
    """Notices, and which of them Slack shows. Each method is one transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def alert(self, cause: str) -> None:
        """Let an admin hear of *cause*, a TextingError's code, unless one has lately."""
        await self._execute(ALERT, (f"admin:{cause}", cause))

    async def due(self, limit: int) -> list[int]:
        """List notices that can be posted now, the oldest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id FROM notices WHERE posted_at IS NULL AND post_after <= now() ORDER BY id LIMIT %s",
                (limit,),
            )
            return [notice_id for (notice_id,) in await cursor.fetchall()]

    async def load(self, notice_id: int) -> Notice | None:
        """Read a notice, unless it is posted or has to wait."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT n.id AS notice_id, n.cause, n.raised_at, n.posting_at AS notice_posting_at, n.failures,
                       n.thread_id AS handed_thread, n.user_id AS handed_to, n.by_name AS handed_by,
                       {rows.DELIVERY}, d.posted_in, d.posted_ts, {rows.PERSON}, {rows.THREAD}
                  FROM notices n
                  LEFT JOIN deliveries d ON d.id = n.delivery_id
                  LEFT JOIN threads t ON t.id = coalesce(d.thread_id, n.thread_id)
                  LEFT JOIN people p ON p.id = t.person_id
                 WHERE n.id = %s AND n.posted_at IS NULL AND n.post_after <= now()
                """,
                (notice_id,),
            )
            row = await cursor.fetchone()
        return _notice(row) if row else None

    async def failed_for(self, cause: str, within: timedelta) -> int:
        """Count the texts that failed for *cause* lately."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM notices WHERE delivery_id IS NOT NULL AND cause = %s AND raised_at > now() - %s",
                (cause, within),
            )
            row = await cursor.fetchone()
            return int(row[0]) if row else 0

    async def begin(self, notice: Notice) -> None:
        """
        A notice is about to be posted: from here on a post without an answer has to be looked for.

        Raises Overtaken if that was begun or done since the notice was read.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE notices SET posting_at = now()
                 WHERE id = %s AND posted_at IS NULL AND posting_at IS NOT DISTINCT FROM %s
                """,
                (notice.id, notice.posting_since),
            )
            if not cursor.rowcount:
                raise Overtaken

    async def not_posted(self, notice_id: int) -> None:
        """Slack refused the post."""
        await self._execute("UPDATE notices SET posting_at = NULL WHERE id = %s", (notice_id,))

    async def posted(self, notice_id: int) -> None:
        """Slack shows it, or nobody has to hear of it any more."""
        await self._execute("UPDATE notices SET posted_at = now(), posting_at = NULL WHERE id = %s", (notice_id,))

    async def wait(self, notice_id: int, pause: timedelta, *, failed: bool) -> None:
        """Leave a notice alone for *pause*."""
        await self._execute(
            "UPDATE notices SET post_after = now() + %s, failures = CASE WHEN %s THEN failures + 1 ELSE 0 END"
            " WHERE id = %s",
            (pause, failed, notice_id),
        )

    async def forget_old(self) -> int:
        """Forget what was said long ago; return how much that was. What failed stands in its own row."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"DELETE FROM notices WHERE posted_at < now() - interval '{_KEPT_FOR}'")
            return cursor.rowcount

    async def _execute(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)


def _notice(row: rows.Row) -> Notice:
    text = None
    if row["id"] is not None:
        requested = Requested(rows.delivery(row), rows.thread(row), rows.person(row))
        text = FailedText(requested, row["posted_in"], row["posted_ts"])
    handed = None
    if row["handed_thread"] is not None:
        handed = HandedOff(rows.thread(row), rows.person(row), row["handed_to"], row["handed_by"])
    raised_at: datetime = row["raised_at"]
    return Notice(
        id=row["notice_id"],
        key=f"notice-{row['notice_id']}-{int(raised_at.timestamp())}",
        cause=row["cause"],
        raised_at=raised_at,
        posting_since=row["notice_posting_at"],
        failures=row["failures"],
        text=text,
        handed=handed,
    )
