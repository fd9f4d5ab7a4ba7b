"""What Slack shows of the rows, and what it still has to show. Each method is one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Overtaken, Pool
from bot.storage.notices import ALERT
from bot.texting.model import Author, Delivery, Inbound, Person, Remark, Reply, Thread

_TEXT = f"{rows.DELIVERY}, d.posted_in, d.posted_ts, d.posting_at, d.revision"

#: A text that its author typed in the thread needs a message of ours only when something came in its way.
_NEEDS_POST: LiteralString = "(NOT d.typed OR d.status = 'failed' OR d.held_since IS NOT NULL)"

#: Whatever is shown as a message of its own: what, its id, its place in the order, how much of it Slack shows.
_NEW: LiteralString = f"""
    SELECT 'text' AS kind, d.id, d.requested_at AS at, d.posted_in, d.posted_ts, d.posting_at, d.revision
      FROM deliveries d
     WHERE d.thread_id = t.id AND d.drawn_revision < d.revision AND d.posted_ts IS NULL AND {_NEEDS_POST}
     UNION ALL
    SELECT 'inbound', i.id, least(i.written_at, i.received_at), i.posted_in, i.posted_ts, i.posting_at, i.revision
      FROM inbound i WHERE i.thread_id = t.id AND i.drawn_revision < i.revision AND i.posted_ts IS NULL
     UNION ALL
    SELECT 'remark', r.id, r.made_at, r.posted_in, r.posted_ts, r.posting_at, 1
      FROM remarks r WHERE r.thread_id = t.id AND r.posted_ts IS NULL
"""
_CHANGED: LiteralString = """
    SELECT 'text' AS kind, d.id, d.requested_at AS at, d.posted_in, d.posted_ts, d.posting_at, d.revision
      FROM deliveries d
     WHERE d.thread_id = t.id AND d.drawn_revision < d.revision AND d.posted_ts IS NOT NULL
     UNION ALL
    SELECT 'inbound', i.id, i.received_at, i.posted_in, i.posted_ts, i.posting_at, i.revision
      FROM inbound i WHERE i.thread_id = t.id AND i.drawn_revision < i.revision AND i.posted_ts IS NOT NULL
"""

#: Nobody has begun to post it, or has posted it, since it was read.
_AS_READ: LiteralString = "posted_ts IS NULL AND posting_at IS NOT DISTINCT FROM %s"

_SHOWN: LiteralString = f"""
    {rows.THREAD}, {rows.PERSON}, coalesce(c.replies, 'texted') AS replies, t.card_gone, t.card_posting_at,
    t.revision AS card_revision, t.drawn_revision AS card_drawn
"""
_BEGIN_ONLY: LiteralString = f"""
    UPDATE deliveries d SET posting_at = now()
      FROM threads t JOIN people p ON p.id = t.person_id
      LEFT JOIN channels c ON c.conversation_id = t.conversation_id
     WHERE t.id = %s AND d.thread_id = t.id AND d.drawn_revision < d.revision AND d.posted_ts IS NULL AND {_NEEDS_POST}
       AND d.posting_at IS NULL AND t.card_ts IS NOT NULL AND NOT t.card_gone AND t.draw_after <= now()
       AND NOT EXISTS (SELECT FROM deliveries o
                        WHERE o.thread_id = t.id AND o.drawn_revision < o.revision AND o.posted_ts IS NULL
                          AND o.id <> d.id)
       AND NOT EXISTS (SELECT FROM inbound i
                        WHERE i.thread_id = t.id AND i.drawn_revision < i.revision AND i.posted_ts IS NULL)
       AND NOT EXISTS (SELECT FROM remarks r WHERE r.thread_id = t.id AND r.posted_ts IS NULL)
    RETURNING {_SHOWN}, t.draw_failures AS failures, {_TEXT}
"""

#: The table of each kind of entry.
_TABLES: dict[type, LiteralString] = {Delivery: "deliveries", Inbound: "inbound", Remark: "remarks"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What has a message of its own in a thread, and how much of it Slack shows."""

    what: Delivery | Inbound | Remark
    posted_in: str | None  # the conversation of the message that shows it; the thread may have moved since
    posted_ts: str | None
    posting_since: datetime | None  # a post was begun and its outcome is not known
    revision: int


@dataclass(frozen=True, slots=True)
class ShownThread:
    """A thread, how much of its card Slack shows, and what Slack does not show as it is."""

    thread: Thread
    person: Person
    replies: str  # how its channel wants them: texted, asked_for or never
    card_gone: bool  # somebody deleted it
    card_posting_since: datetime | None
    revision: int
    drawn_revision: int
    failures: int  # in a row, of drawing this thread
    entries: list[Shown]  # oldest first
    begun: bool = False  # the post of its only entry was begun as it was read

    @property
    def card_changed(self) -> bool:
        """Whether the card that Slack shows has to be drawn again."""
        return self.thread.card_ts is not None and not self.card_gone and self.drawn_revision < self.revision


@dataclass(frozen=True, slots=True)
class MarkedReply:
    """What somebody typed, what became of it, and the reactions of ours that Slack shows on it."""

    reply: Reply
    delivery: Delivery | None
    marks: frozenset[str]
    perhaps: frozenset[str]  # it was begun to put these on it, and the outcome is not known
    revision: int
    delivery_revision: int | None
    failures: int  # in a row, of marking this thread


class Drawings:
    """Threads as they are drawn."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def to_post(self, limit: int) -> list[int]:
        """List threads with something that Slack does not show yet, longest waiting first."""
        return await self._numbers(
            f"""
            SELECT t.id FROM (SELECT thread_id FROM deliveries d
                               WHERE drawn_revision < revision AND posted_ts IS NULL AND {_NEEDS_POST}
                               UNION
                              SELECT thread_id FROM inbound WHERE drawn_revision < revision AND posted_ts IS NULL
                               UNION
                              SELECT thread_id FROM remarks WHERE posted_ts IS NULL) n
              JOIN threads t ON t.id = n.thread_id
             WHERE t.draw_after <= now() AND t.conversation_id <> ''
             ORDER BY t.draw_after LIMIT %s
            """,
            limit,
        )

    async def to_edit(self, limit: int) -> list[int]:
        """List threads whose card or messages Slack shows otherwise than they are, longest waiting first."""
        return await self._numbers(
            """
            SELECT id FROM (
                SELECT id, edit_after FROM threads
                 WHERE drawn_revision < revision AND NOT card_gone AND card_ts IS NOT NULL AND edit_after <= now()
                 UNION
                SELECT t.id, t.edit_after
                  FROM (SELECT thread_id FROM deliveries WHERE drawn_revision < revision AND posted_ts IS NOT NULL
                         UNION
                        SELECT thread_id FROM inbound WHERE drawn_revision < revision AND posted_ts IS NOT NULL) c
                  JOIN threads t ON t.id = c.thread_id
                 WHERE t.edit_after <= now()) changed
             ORDER BY edit_after LIMIT %s
            """,
            limit,
        )

    async def to_mark(self, limit: int) -> list[int]:
        """List threads with replies that Slack does not mark as they are, longest waiting first."""
        return await self._numbers(
            """
            SELECT t.id FROM (SELECT DISTINCT thread_id FROM replies WHERE drawn_revision < revision) y
              JOIN threads t ON t.id = y.thread_id
             WHERE t.mark_after <= now()
             ORDER BY t.mark_after LIMIT %s
            """,
            limit,
        )

    async def load_new(self, thread_id: int, *, limit: int = 20) -> ShownThread | None:
        """Read a thread with up to *limit* entries to post, unless posting has to wait or there is no place for it."""
        return await self._load(_NEW, "t.draw_after, t.draw_failures", thread_id, limit)

    async def begin_only(self, thread_id: int) -> ShownThread | None:
        """
        Begin the post of a thread's only text that Slack does not show yet, under a card that stands, and read both.

        None if there is more to it, or nothing: what `load_new` and `begin` say in two questions is one here, because
        most texts go to a thread like that.
        """
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_BEGIN_ONLY, (thread_id,))
            row = await cursor.fetchone()
        return _shown(row, [_shown_text(row)], begun=True) if row is not None else None

    async def load_changed(self, thread_id: int, *, limit: int = 20) -> ShownThread | None:
        """Read a thread with up to *limit* entries to draw again, unless that has to wait."""
        return await self._load(_CHANGED, "t.edit_after, t.edit_failures", thread_id, limit)

    async def _load(
        self, entries: LiteralString, pause: LiteralString, thread_id: int, limit: int
    ) -> ShownThread | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {_SHOWN}, pause.failures, e.kind, e.at, e.posted_in, e.posted_ts, e.posting_at, e.revision,
                       {rows.DELIVERY}, i.*, r.*
                  FROM threads t JOIN people p ON p.id = t.person_id
                  LEFT JOIN channels c ON c.conversation_id = t.conversation_id
                  CROSS JOIN LATERAL (SELECT {pause}) pause (until, failures)
                  LEFT JOIN LATERAL ({entries} ORDER BY at, id LIMIT %s) e ON true
                  LEFT JOIN deliveries d ON e.kind = 'text' AND d.id = e.id
                  LEFT JOIN LATERAL (SELECT {rows.INBOUND} FROM inbound i
                                      WHERE e.kind = 'inbound' AND i.id = e.id) i ON true
                  LEFT JOIN LATERAL (SELECT r.id AS remark_id, r.kind AS remark_kind, r.payload, r.made_at
                                       FROM remarks r WHERE e.kind = 'remark' AND r.id = e.id) r ON true
                 WHERE t.id = %s AND pause.until <= now() AND t.conversation_id <> ''
                 ORDER BY e.at, e.id
                """,
                (limit, thread_id),
            )
            found = await cursor.fetchall()
        return _shown(found[0], [_entry(row) for row in found if row["kind"] is not None]) if found else None

    async def load_marks(self, thread_id: int, *, limit: int = 20) -> list[MarkedReply]:
        """Read up to *limit* replies of a thread that Slack does not mark as they are, unless that has to wait."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.REPLY}, y.marks, y.marking, y.revision AS reply_revision, t.mark_failures, {rows.DELIVERY},
                       d.revision AS delivery_revision
                  FROM replies y JOIN threads t ON t.id = y.thread_id LEFT JOIN deliveries d ON d.id = y.delivery_id
                 WHERE y.thread_id = %s AND y.drawn_revision < y.revision AND t.mark_after <= now()
                 ORDER BY y.typed_at LIMIT %s
                """,
                (thread_id, limit),
            )
            return [_marked(row) for row in await cursor.fetchall()]

    async def begin_marking(self, reply: Reply, marks: frozenset[str]) -> None:
        """These are about to be put on a reply: from here on Slack may show them."""
        await self._execute(
            """
            UPDATE replies SET marking = ARRAY(SELECT DISTINCT unnest(marking || %s::text[]))
             WHERE conversation_id = %s AND ts = %s
            """,
            (sorted(marks), reply.conversation_id, reply.ts),
        )

    async def marked(self, marked: MarkedReply, marks: frozenset[str]) -> None:
        """Slack shows these marks, which say all that there is to say of a text without a message of its own."""
        async with self._pool.connection() as connection, connection.transaction():
            if marked.delivery is not None:  # locked first, as by whatever changes a text
                await connection.execute(
                    f"""
                    UPDATE deliveries d SET drawn_revision = greatest(drawn_revision, %s)
                     WHERE id = %s AND posted_ts IS NULL AND NOT {_NEEDS_POST}
                    """,
                    (marked.delivery_revision, marked.delivery.id),
                )
            await connection.execute(
                """
                UPDATE replies SET marks = %s, marking = '{}', drawn_revision = %s
                 WHERE conversation_id = %s AND ts = %s
                """,
                (sorted(marks), marked.revision, marked.reply.conversation_id, marked.reply.ts),
            )

    async def begin_card(self, shown: ShownThread) -> None:
        """
        A card is about to be posted: from here on a post without an answer has to be looked for.

        Raises Overtaken if that was begun or done since the thread was read.
        """
        await self._begin(
            """
            UPDATE threads SET card_posting_at = now(), card_ts = NULL, card_gone = false
             WHERE id = %s AND card_ts IS NOT DISTINCT FROM %s AND card_posting_at IS NOT DISTINCT FROM %s
            """,
            (shown.thread.id, shown.thread.card_ts, shown.card_posting_since),
        )

    async def card_not_posted(self, thread_id: int) -> None:
        """Slack refused the post."""
        await self._execute("UPDATE threads SET card_posting_at = NULL WHERE id = %s", (thread_id,))

    async def card_posted(self, thread_id: int, conversation_id: str, ts: str, *, revision: int) -> bool:
        """Slack shows this revision; return whether it is still the latest."""
        return await self._is_latest(
            """
            UPDATE threads
               SET conversation_id = %s, card_ts = %s, card_posting_at = NULL, card_posted_at = now(),
                   drawn_revision = %s, draw_failures = 0
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

    async def move(self, thread_id: int, conversation_id: str, owner: Author | None) -> None:
        """The thread cannot live where it was: it moves, and *owner* looks after it now; None: nobody yet."""
        who = (owner.user_id, owner.name) if owner else (None, None)
        await self._execute(rows.MOVE_THREAD, (conversation_id, *who, thread_id))

    async def alert(self, cause: str) -> None:
        """Let an admin hear of *cause*, one of `blocks.notice.CAUSES`, unless one has lately."""
        await self._execute(ALERT, (f"admin:{cause}", cause))

    async def begin(self, shown: Shown) -> Shown:
        """
        An entry's message is about to be posted; return the entry as it is at this moment.

        Raises Overtaken if that was begun or done since the entry was read.
        """
        what = shown.what
        if not isinstance(what, Delivery):
            await self._begin(
                f"UPDATE {_TABLES[type(what)]} SET posting_at = now() WHERE id = %s AND {_AS_READ}",
                (what.id, shown.posting_since),
            )
            return shown
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"UPDATE deliveries d SET posting_at = now() WHERE id = %s AND {_AS_READ} RETURNING {_TEXT}",
                (what.id, shown.posting_since),
            )
            row = await cursor.fetchone()
            if row is None:
                raise Overtaken
            return _shown_text(row)

    async def not_posted(self, shown: Shown) -> None:
        """Slack refused the post."""
        await self._execute(f"UPDATE {_TABLES[type(shown.what)]} SET posting_at = NULL WHERE id = %s", (shown.what.id,))

    async def posted(self, shown: Shown, conversation_id: str, ts: str, *, revision: int) -> bool:
        """Slack shows this revision; return whether it is still the latest."""
        what = shown.what
        if isinstance(what, Remark):
            await self._execute(
                "UPDATE remarks SET posted_in = %s, posted_ts = %s, posting_at = NULL WHERE id = %s",
                (conversation_id, ts, what.id),
            )
            return True
        return await self._is_latest(
            f"""
            UPDATE {_TABLES[type(what)]}
               SET posted_in = %s, posted_ts = %s, posting_at = NULL, drawn_revision = %s WHERE id = %s
            RETURNING revision
            """,
            (conversation_id, ts, revision, what.id),
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

    async def wait_to_mark(self, thread_id: int, pause: timedelta, *, failed: bool) -> None:
        """Mark no replies of a thread for *pause*."""
        await self._execute(
            """
            UPDATE threads SET mark_after = now() + %s, mark_failures = CASE WHEN %s THEN mark_failures + 1 ELSE 0 END
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

    async def _begin(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            if not (await connection.execute(query, values)).rowcount:
                raise Overtaken

    async def _execute(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)


def _shown(row: rows.Row, entries: list[Shown], *, begun: bool = False) -> ShownThread:
    return ShownThread(
        thread=rows.thread(row),
        person=rows.person(row),
        replies=row["replies"],
        card_gone=row["card_gone"],
        card_posting_since=row["card_posting_at"],
        revision=row["card_revision"],
        drawn_revision=row["card_drawn"],
        failures=row["failures"],
        entries=entries,
        begun=begun,
    )


def _shown_text(row: rows.Row) -> Shown:
    return Shown(rows.delivery(row), row["posted_in"], row["posted_ts"], row["posting_at"], row["revision"])


def _entry(row: rows.Row) -> Shown:
    what: Delivery | Inbound | Remark
    match row["kind"]:
        case "text":
            what = rows.delivery(row)
        case "inbound":
            what = rows.inbound(row)
        case _:
            what = Remark(row["remark_id"], row["thread_id"], row["remark_kind"], row["payload"], row["made_at"])
    return Shown(what, row["posted_in"], row["posted_ts"], row["posting_at"], row["revision"])


def _marked(row: rows.Row) -> MarkedReply:
    return MarkedReply(
        reply=rows.reply(row),
        delivery=rows.delivery(row) if row["id"] is not None else None,
        marks=frozenset(row["marks"]),
        perhaps=frozenset(row["marking"]),
        revision=row["reply_revision"],
        delivery_revision=row["delivery_revision"],
        failures=row["mark_failures"],
    )
