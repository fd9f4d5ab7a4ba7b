"""What channels are told of new texts in old threads. Each method is one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Connection, Overtaken, Pool
from bot.texting.model import Person, Thread


@dataclass(frozen=True, slots=True)
class Wrote:
    """Somebody who wrote, and what came of it."""

    person: Person
    thread: Thread
    texts: int
    last_at: datetime  # when the last of these texts came
    posted_ts: str | None  # the message in the thread that shows the first of them; None until it is posted
    answered_by: str | None  # the name of whoever did, once they do not wait any more


@dataclass(frozen=True, slots=True)
class Announcement:
    """The last announcement in a channel, as it is to be shown."""

    number: int  # the channel's
    conversation_id: str
    since: datetime | None  # the texts received from then on are in it; None: there are none
    ts: str | None  # its message; None until it is posted
    posting_since: datetime | None  # a post was begun and its outcome is not known
    revision: int
    failures: int  # in a row
    wrote: tuple[Wrote, ...]  # whoever wrote first first

    @property
    def key(self) -> str:
        """The key of the post, the same for every attempt."""
        return f"announcement-{self.number}-{self.since.timestamp() if self.since is not None else 0:.6f}"


class Announcements:
    """Announcements, and how much of them Slack shows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def due(self, limit: int) -> list[int]:
        """List the numbers of channels with something to announce, longest waiting first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT number FROM channels WHERE drawn_revision < revision AND announce_after <= now()
                 ORDER BY announce_after LIMIT %s
                """,
                (limit,),
            )
            return [number for (number,) in await cursor.fetchall()]

    async def load(self, number: int) -> Announcement | None:
        """Read what a channel is to be told, unless Slack shows it or it has to wait."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                SELECT conversation_id, quiet_minutes, announced_from, announced_ts, announcing_at, revision, failures
                  FROM channels WHERE number = %s AND drawn_revision < revision AND announce_after <= now()
                """,
                (number,),
            )
            channel = await cursor.fetchone()
            if channel is None:
                return None
            since: datetime | None = channel["announced_from"]
            wrote = await _wrote(connection, channel, since) if since is not None else ()
        return Announcement(
            number=number,
            conversation_id=channel["conversation_id"],
            since=since,
            ts=channel["announced_ts"],
            posting_since=channel["announcing_at"],
            revision=channel["revision"],
            failures=channel["failures"],
            wrote=wrote,
        )

    async def begin(self, announcement: Announcement) -> None:
        """
        An announcement is about to be posted: the channel is quiet from now on, and the post may have happened.

        Raises Overtaken if that was begun or done since the announcement was read.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE channels SET announcing_at = now(), announced_at = now()
                 WHERE number = %s AND announced_ts IS NULL AND announcing_at IS NOT DISTINCT FROM %s
                """,
                (announcement.number, announcement.posting_since),
            )
            if not cursor.rowcount:
                raise Overtaken

    async def not_posted(self, announcement: Announcement) -> None:
        """Slack refused the post."""
        await self._execute(
            "UPDATE channels SET announcing_at = NULL, announced_at = NULL WHERE number = %s", (announcement.number,)
        )

    async def posted(self, announcement: Announcement, ts: str, *, revision: int) -> bool:
        """Slack shows this revision in a new message; return whether it is still the latest."""
        return await self._is_latest(
            """
            UPDATE channels SET announced_ts = %s, announcing_at = NULL, drawn_revision = %s, failures = 0
             WHERE number = %s AND announced_from = %s
            RETURNING revision
            """,
            (ts, revision, announcement.number, announcement.since),
            revision,
        )

    async def edited(self, announcement: Announcement) -> bool:
        """Slack shows it as it was read; return whether it is still so. Another may have begun meanwhile."""
        return await self._is_latest(
            """
            UPDATE channels SET drawn_revision = %s, failures = 0
             WHERE number = %s AND announced_ts = %s
            RETURNING revision
            """,
            (announcement.revision, announcement.number, announcement.ts),
            announcement.revision,
        )

    async def shown(self, announcement: Announcement) -> bool:
        """
        There is nothing more to show of this; return whether that is still so.

        What was not posted is left: the next text begins another announcement. A text that came meanwhile is news.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE channels
                   SET drawn_revision = revision, failures = 0, announcing_at = NULL,
                       announced_from = CASE WHEN announced_ts IS NOT NULL THEN announced_from END
                 WHERE number = %s AND revision = %s
                """,
                (announcement.number, announcement.revision),
            )
            return cursor.rowcount == 1

    async def wait(self, number: int, pause: timedelta, *, failed: bool) -> None:
        """Announce nothing in a channel for *pause*."""
        await self._execute(
            """
            UPDATE channels SET announce_after = now() + %s, failures = CASE WHEN %s THEN failures + 1 ELSE 0 END
             WHERE number = %s
            """,
            (pause, failed, number),
        )

    async def _is_latest(self, query: LiteralString, values: tuple[Any, ...], revision: int) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            row = await cursor.fetchone()
        return row is not None and row[0] == revision

    async def _execute(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)


async def _wrote(connection: Connection, channel: rows.Row, since: datetime) -> tuple[Wrote, ...]:
    """Read who wrote in the old threads of a channel since then: cards that are new announce themselves."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        f"""
        SELECT {rows.THREAD}, {rows.PERSON}, n.texts, n.last_at, n.first_ts,
               (SELECT d.author_name FROM deliveries d
                 WHERE d.thread_id = t.id AND d.requested_at >= n.last_at AND NOT d.automatic
                 ORDER BY d.requested_at LIMIT 1) AS answered_by
          FROM (SELECT i.thread_id, count(*) AS texts, min(i.received_at) AS first_at, max(i.received_at) AS last_at,
                       (array_agg(i.posted_ts ORDER BY i.received_at))[1] AS first_ts
                  FROM inbound i JOIN threads h ON h.id = i.thread_id
                 WHERE i.received_at >= %s AND h.conversation_id = %s
                   AND coalesce(h.card_posted_at, h.created_at) < i.received_at - make_interval(mins => %s)
                 GROUP BY i.thread_id) n
          JOIN threads t ON t.id = n.thread_id JOIN people p ON p.id = t.person_id
         ORDER BY n.first_at
        """,
        (since, channel["conversation_id"], channel["quiet_minutes"]),
    )
    return tuple(_read(row) for row in await cursor.fetchall())


def _read(row: rows.Row) -> Wrote:
    thread = rows.thread(row)
    answered_by = row["answered_by"] or thread.done_by or "somebody"
    return Wrote(
        person=rows.person(row),
        thread=thread,
        texts=row["texts"],
        last_at=row["last_at"],
        posted_ts=row["first_ts"],
        answered_by=answered_by if thread.waiting_since is None else None,
    )
