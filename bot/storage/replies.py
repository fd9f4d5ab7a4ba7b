"""What is typed in threads, and what becomes of it. Each method is one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bot.storage import rows
from bot.storage.audit import REFUSAL, Entry, record
from bot.storage.database import Connection, Pool, in_time, storing
from bot.storage.requests import Requests
from bot.storage.writers import STILL_WRITING
from bot.texting.errors import NotRead, OptedOut
from bot.texting.model import REPLY_DELETED, REPLY_EDITED, DeliveryStatus, Fate, Reply, Situation
from bot.texting.ports import Decide, MakeText, Place, Taken
from bot.texting.service import new_id

#: Two colleagues who text one person within this time may not know of each other.
_AT_ONCE = timedelta(seconds=10)

#: A typed reply is as old as Slack says, however late we hear of it; so late at most.
_LATEST = timedelta(hours=1)

_PLACE: LiteralString = f"""
    {rows.THREAD}, {rows.PERSON}, coalesce(c.replies, 'texted') AS replies
      FROM threads t JOIN people p ON p.id = t.person_id
      LEFT JOIN channels c ON c.conversation_id = t.conversation_id
"""

#: A colleague's text counts as long as the person has not written since: until then it is the answer. Parameters: the
#: reply's author, the moment at which it was typed (epoch seconds), now.
_SITUATION: LiteralString = """
    SELECT t.done_at IS NOT NULL AS done,
           NOT EXISTS (SELECT 1 FROM inbound i WHERE i.thread_id = t.id)
           AND NOT EXISTS (SELECT 1 FROM deliveries d
                            WHERE d.thread_id = t.id AND d.status NOT IN ('failed', 'cancelled')) AS first,
           (SELECT d.author_id
              FROM deliveries d LEFT JOIN replies y ON y.delivery_id = d.id
             WHERE d.thread_id = t.id AND d.author_id <> %(author)s AND NOT d.automatic
               AND d.status NOT IN ('failed', 'cancelled') AND d.requested_at > %(now)s - %(latest)s
               AND (abs(coalesce(y.ts::numeric, extract(epoch FROM d.requested_at)) - %(typed)s) <= %(seconds)s
                    OR (y.ts IS NULL AND d.requested_at > %(now)s - %(at_once)s))
               AND NOT EXISTS (SELECT 1 FROM inbound i WHERE i.thread_id = t.id AND i.received_at > d.requested_at)
             ORDER BY d.requested_at DESC LIMIT 1) AS answered_by,
           (SELECT w.user_id FROM people p JOIN writers w ON w.team_id = p.team_id AND w.address = p.address
             WHERE p.id = t.person_id AND w.user_id <> %(author)s AND w.since > now() - %(still)s
             ORDER BY w.since LIMIT 1) AS writing_by
      FROM threads t WHERE t.id = %(thread)s
"""


class Replies:
    """Replies typed in threads."""

    def __init__(self, pool: Pool, *, requests: Requests) -> None:
        self._pool = pool
        self._requests = requests

    async def place(self, conversation_id: str, thread_ts: str, *, within: timedelta) -> Place | None:
        """Return whose thread it is, if it is one of ours: one look into an index. Raises NotRead."""
        row = await self._one(
            f"SELECT {_PLACE} WHERE t.conversation_id = %s AND t.card_ts = %s", (conversation_id, thread_ts), within
        )
        return _place(row) if row else None

    async def find(self, conversation_id: str, ts: str, *, within: timedelta) -> tuple[Reply, Place] | None:
        """Return what became of something typed in a thread, and whose thread that is. Raises NotRead."""
        row = await self._one(
            f"""
            SELECT r.*, {_PLACE}
              JOIN LATERAL (SELECT {rows.REPLY} FROM replies y
                             WHERE y.conversation_id = %s AND y.ts = %s) r ON r.reply_thread = t.id
            """,
            (conversation_id, ts),
            within,
        )
        return (rows.reply(row), _place(row)) if row else None

    async def take(
        self,
        place: Place,
        decide: Decide,
        make_text: MakeText,
        *,
        conversation_id: str,
        ts: str,
        author_id: str,
        lines: Sequence[str],
        now: datetime,
        within: timedelta,
    ) -> Taken:
        """
        Store what *decide* makes of something typed in a thread, and its text if it is to be texted.

        What is typed in one thread is taken one after the other, so that two colleagues cannot miss each other.
        Raises NotStored, PerhapsStored, OptedOut.
        """
        async with storing(self._pool, within) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute("SELECT 1 FROM threads WHERE id = %s FOR NO KEY UPDATE", (place.thread.id,))
            await cursor.execute(
                f"SELECT {rows.REPLY} FROM replies y WHERE conversation_id = %s AND ts = %s",
                (conversation_id, ts),
            )
            row = await cursor.fetchone()
            stored = rows.reply(row) if row else None
            reply = decide(await self._situation(cursor, place, ts, author_id, now), stored)
            if reply is None:
                return Taken(stored, news=False)
            if stored is not None:
                assert reply.fate is not Fate.TEXTED  # noqa: S101  (only `settle` texts what was not texted at once)
                await self._change(cursor, reply)
                return Taken(reply, news=True)
            await self._insert(cursor, reply, now)
            if reply.fate is Fate.TEXTED:
                await self._text(connection, reply, make_text, lines=lines, now=now)
            elif reply.reason == OptedOut.code:
                await self._record(connection, REFUSAL, reply, place, reason=reply.reason)
            return Taken(reply, news=True)

    async def settle(
        self, reply: Reply, make_text: MakeText, *, lines: Sequence[str], now: datetime, within: timedelta
    ) -> bool:
        """
        Give what was asked about the fate that *reply* has, with its text if it is to be texted.

        Return False if it was settled before, or edited since. Raises what `take` does.
        """
        async with storing(self._pool, within) as connection:
            await connection.execute("SELECT 1 FROM threads WHERE id = %s FOR NO KEY UPDATE", (reply.thread_id,))
            cursor = await connection.execute(
                """
                UPDATE replies SET fate = %s, reason = %s, revision = revision + 1
                 WHERE conversation_id = %s AND ts = %s AND fate = 'asked' AND changed_ts IS NOT DISTINCT FROM %s
                """,
                (reply.fate, reply.reason, reply.conversation_id, reply.ts, reply.changed_ts),
            )
            if cursor.rowcount == 0:
                return False
            if reply.fate is Fate.TEXTED:
                await self._text(connection, reply, make_text, lines=lines, now=now)
            return True

    async def edited(
        self, reply: Reply, place: Place, *, body: str, changed_ts: str, url: str | None, within: timedelta
    ) -> None:
        """
        Somebody edited a reply that was texted: remark, once, that the person has the original, and remember *body*.

        Older news than what is known changes nothing. Raises NotStored and PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                UPDATE replies SET now_body = %s, changed_ts = %s
                 WHERE conversation_id = %s AND ts = %s AND fate = 'texted' AND coalesce(changed_ts, '') < %s
                RETURNING delivery_id
                """,
                (body, changed_ts, reply.conversation_id, reply.ts, changed_ts),
            )
            if await cursor.fetchone() is not None and body != reply.body:
                await self._remark(cursor, REPLY_EDITED, reply, place, url)
                await self._record(connection, "edit", reply, place)

    async def gone(self, reply: Reply, *, now: datetime, within: timedelta) -> bool:
        """
        Somebody deleted a reply: it never goes out any more, also if we hear of it only later.

        Return False if it was texted before. Raises NotStored and PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = connection.cursor()
            await cursor.execute("SELECT 1 FROM threads WHERE id = %s FOR NO KEY UPDATE", (reply.thread_id,))
            key = reply.conversation_id, reply.ts
            await cursor.execute("SELECT fate FROM replies WHERE conversation_id = %s AND ts = %s", key)
            match await cursor.fetchone():
                case None:
                    await self._insert(cursor, reply, now)
                case (Fate.TEXTED,):
                    return False
                case _:
                    await cursor.execute(
                        """
                        UPDATE replies SET fate = 'gone', changed_ts = %s, revision = revision + 1
                         WHERE conversation_id = %s AND ts = %s
                        """,
                        (reply.changed_ts, *key),
                    )
            return True

    async def deleted(self, reply: Reply, place: Place, *, changed_ts: str, url: str | None, within: timedelta) -> None:
        """
        Somebody deleted a reply that was texted: remark, once, that the person has it.

        If its text waits for the person's reply, it is not sent. Raises NotStored and PerhapsStored.
        """
        async with storing(self._pool, within) as connection:  # no lock on the thread: a text's status locks it last
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                UPDATE deliveries
                   SET status = 'cancelled', held_since = NULL, check_at = NULL, error_code = NULL,
                       error_words = NULL, revision = revision + 1
                 WHERE id = %s AND held_since IS NOT NULL AND status = 'queued'
                """,
                (reply.delivery_id,),
            )
            await cursor.execute(
                "UPDATE replies SET changed_ts = %s WHERE conversation_id = %s AND ts = %s",
                (changed_ts, reply.conversation_id, reply.ts),
            )
            if await self._remark(cursor, REPLY_DELETED, reply, place, url):
                await self._record(connection, "delete", reply, place)

    async def _situation(self, cursor: Any, place: Place, ts: str, author_id: str, now: datetime) -> Situation:
        await cursor.execute(
            _SITUATION,
            {
                "thread": place.thread.id,
                "author": author_id,
                "typed": ts,
                "now": now,
                "latest": _LATEST,
                "at_once": _AT_ONCE,
                "still": STILL_WRITING,
                "seconds": _AT_ONCE.total_seconds(),
            },
        )
        return Situation(**await cursor.fetchone())

    async def _insert(self, cursor: Any, reply: Reply, now: datetime) -> None:
        await cursor.execute(
            """
            INSERT INTO replies
                (conversation_id, ts, thread_id, author_id, author_name, body, files, fate, reason, changed_ts,
                 typed_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                reply.conversation_id,
                reply.ts,
                reply.thread_id,
                reply.author.user_id,
                reply.author.name,
                reply.body,
                Jsonb([asdict(file) for file in reply.files]),
                reply.fate,
                reply.reason,
                reply.changed_ts,
                now,
            ),
        )

    async def _change(self, cursor: Any, reply: Reply) -> None:
        await cursor.execute(
            """
            UPDATE replies
               SET body = %s, files = %s, fate = %s, reason = %s, changed_ts = %s, revision = revision + 1
             WHERE conversation_id = %s AND ts = %s AND fate <> 'texted'
            """,
            (
                reply.body,
                Jsonb([asdict(file) for file in reply.files]),
                reply.fate,
                reply.reason,
                reply.changed_ts,
                reply.conversation_id,
                reply.ts,
            ),
        )

    async def _text(
        self,
        connection: Connection,
        reply: Reply,
        make_text: MakeText,
        *,
        lines: Sequence[str],
        now: datetime,
    ) -> None:
        request, delivery_id = make_text(reply)
        requested = await self._requests.request_in(connection, request, delivery_id, lines=lines, now=now)
        await connection.execute(
            "UPDATE replies SET delivery_id = %s WHERE conversation_id = %s AND ts = %s",
            (requested.delivery.id, reply.conversation_id, reply.ts),
        )

    async def _remark(self, cursor: Any, kind: str, reply: Reply, place: Place, url: str | None) -> bool:
        """Say it in the thread, once, unless the person has nothing; return whether this is the first time."""
        await cursor.execute("SELECT status FROM deliveries WHERE id = %s", (reply.delivery_id,))
        status = (await cursor.fetchone())["status"]
        if status in {DeliveryStatus.FAILED, DeliveryStatus.CANCELLED}:
            return False
        payload = {
            "conversation_id": reply.conversation_id,
            "ts": reply.ts,
            "author": reply.author.name,
            "arrived": status != DeliveryStatus.QUEUED,
            "url": url,
        }
        await cursor.execute(
            """
            INSERT INTO remarks (id, key, thread_id, kind, payload) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (key) DO NOTHING
            RETURNING id
            """,
            (
                new_id(),
                f"{kind}:{reply.conversation_id}:{reply.ts}",
                place.thread.id,
                kind,
                Jsonb(payload),
            ),
        )
        return await cursor.fetchone() is not None

    async def _record(
        self, connection: Connection, action: str, reply: Reply, place: Place, *, reason: str | None = None
    ) -> None:
        await record(
            connection,
            Entry(
                user_id=reply.author.user_id,
                user_name=reply.author.name,
                action=action,
                reason=reason,
                person_id=place.person.id,
                thread_id=place.thread.id,
                delivery_id=reply.delivery_id,
                conversation_id=reply.conversation_id,
            ),
        )

    async def _one(self, query: str, values: tuple[Any, ...], within: timedelta) -> rows.Row | None:
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query, values)
            return await cursor.fetchone()


def _place(row: rows.Row) -> Place:
    return Place(rows.thread(row), rows.person(row), row["replies"])
