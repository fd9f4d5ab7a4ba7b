"""Reactions on what people write: the team's, which phones show, and their own. Each method is one transaction."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.audit import Entry, record
from bot.storage.database import Pool, in_time, storing
from bot.storage.read_marks import Acted
from bot.texting.errors import NotRead
from bot.texting.model import Author, Inbound, Person, Thread

#: Defers the job that shows the team's reactions to one text on the phone, in the transaction of the connection.
DeferTapback = Callable[[AsyncConnection[Any], UUID], Awaitable[None]]

#: What Blooio refused: to put a reaction on a text, or to take one off.
Refused = Literal["put", "taken_off"]

_TEXT: LiteralString = f"""
    SELECT {rows.INBOUND}, {rows.THREAD}, {rows.PERSON}, coalesce(c.replies, 'texted') AS replies, i.posted_in,
           i.tapback, i.tapping,
           (SELECT b.reaction FROM tapbacks b WHERE b.inbound_id = i.id AND b.stands
             ORDER BY b.said_at DESC, b.user_id, b.name LIMIT 1) AS wanted
      FROM inbound i JOIN threads t ON t.id = i.thread_id JOIN people p ON p.id = t.person_id
      LEFT JOIN channels c ON c.conversation_id = i.posted_in
"""


@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody put a reaction on a person's text, or took it off."""

    author: Author
    name: str  # Slack's, with the skin tone
    reaction: str  # what that is on a phone: love, like, …, or an emoji
    added: bool
    said_at: Decimal  # Slack's `event_ts`


@dataclass(frozen=True, slots=True)
class TappedText:
    """A text of a person's that a message in Slack shows, and what the team put on it."""

    inbound: Inbound
    thread: Thread
    person: Person
    replies: str  # how the channel wants them: texted, asked_for or never
    posted_in: str  # the conversation of the message
    wanted: str | None  # the last reaction that stands, whoever put it there
    shown: str | None  # what the phone shows, unless it shows one of the next
    perhaps: frozenset[str]  # it was begun to put these on the phone or to take them off, and the outcome is not known

    @property
    def thread_ts(self) -> str | None:
        """The thread in which the message is; None if that has moved on."""
        return self.thread.card_ts if self.posted_in == self.thread.conversation_id else None


class Tapbacks:
    """Reactions on people's texts."""

    def __init__(self, pool: Pool, *, defer: DeferTapback, acted: Acted | None = None) -> None:
        self._pool = pool
        self._defer = defer
        self._acted = acted

    async def text_at(self, conversation_id: str, ts: str, *, within: timedelta) -> TappedText | None:
        """Return the text of a person's that this message shows. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()):
            return await self._find("i.posted_in = %s AND i.posted_ts = %s", (conversation_id, ts))

    async def is_posting(self, conversation_id: str, *, within: timedelta) -> bool:
        """Say whether a text is being posted there, so that a message may show one of which we do not know yet."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT 1 FROM threads t JOIN inbound i ON i.thread_id = t.id
                 WHERE t.conversation_id = %s AND i.drawn_revision < i.revision AND i.posted_ts IS NULL
                   AND i.posting_at IS NOT NULL LIMIT 1
                """,
                (conversation_id,),
            )
            return await cursor.fetchone() is not None

    async def store(self, text: TappedText, tap: Tap, *, within: timedelta) -> bool:
        """
        Store what somebody put on a text or took off, with the job that brings it to the phone; say if it was news.

        Slack may tell of it many times and in any order: of each reaction the last word counts. Raises NotStored and
        PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = await connection.execute(
                """
                INSERT INTO tapbacks AS b (inbound_id, user_id, name, reaction, stands, said_at)
                VALUES (%s, %s, %s, %s, %s, %s)
                ON CONFLICT (inbound_id, user_id, name) DO UPDATE
                   SET stands = excluded.stands, said_at = excluded.said_at, untold = NULL
                 WHERE b.said_at < excluded.said_at
                RETURNING stands OR xmax <> 0
                """,
                (text.inbound.id, tap.author.user_id, tap.name, tap.reaction, tap.added, tap.said_at),
            )
            row = await cursor.fetchone()
            if row is None or not row[0]:  # what is taken off before it was put there was never on the phone
                return False
            await record(
                connection,
                Entry(
                    user_id=tap.author.user_id,
                    user_name=tap.author.name,
                    action="react" if tap.added else "unreact",
                    reason=tap.reaction,
                    person_id=text.person.id,
                    thread_id=text.thread.id,
                    conversation_id=text.posted_in,
                ),
            )
            await self._defer(connection, text.inbound.id)
            if self._acted is not None:
                await self._acted(connection, text.thread.id)
            return True

    async def load(self, inbound_id: UUID) -> TappedText | None:
        """Read a text that has been posted, with what is on it now."""
        return await self._find("i.id = %s AND i.posted_in IS NOT NULL", (inbound_id,))

    async def begin(self, inbound_id: UUID, reactions: Collection[str]) -> None:
        """These are about to be put on a text or taken off: from here on nobody knows whether the phone shows them."""
        await self._execute(
            "UPDATE inbound SET tapping = ARRAY(SELECT DISTINCT unnest(tapping || %s::text[])) WHERE id = %s",
            (sorted(reactions), inbound_id),
        )

    async def shows(self, inbound_id: UUID, reaction: str | None, *, perhaps: Collection[str] = ()) -> None:
        """The phone shows this, unless it shows one of those that it perhaps does."""
        await self._execute(
            "UPDATE inbound SET tapback = %s, tapping = %s WHERE id = %s", (reaction, sorted(perhaps), inbound_id)
        )

    async def refused(self, inbound_id: UUID, reaction: str, *, quietly: bool) -> None:
        """A reaction cannot be put on a text: it counts as not there, and whoever put it there is told."""
        await self._execute(
            """
            UPDATE tapbacks SET stands = false, untold = CASE WHEN %s THEN NULL ELSE 'put' END
             WHERE inbound_id = %s AND reaction = %s AND stands
            """,
            (quietly, inbound_id, reaction),
        )

    async def stays(self, inbound_id: UUID) -> None:
        """What was taken off cannot be taken off the phone: whoever did so last is told."""
        await self._execute(
            """
            UPDATE tapbacks SET untold = 'taken_off'
             WHERE (inbound_id, user_id, name) = (SELECT inbound_id, user_id, name FROM tapbacks
                                                   WHERE inbound_id = %s AND NOT stands
                                                   ORDER BY said_at DESC, user_id, name LIMIT 1)
            """,
            (inbound_id,),
        )

    async def untold(self, inbound_id: UUID) -> list[tuple[str, Refused]]:
        """List who does not know yet what Blooio refused, by their id."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT user_id, untold FROM tapbacks WHERE inbound_id = %s AND untold IS NOT NULL ORDER BY 1",
                (inbound_id,),
            )
            return [(user_id, what) for user_id, what in await cursor.fetchall()]

    async def told(self, inbound_id: UUID, user_id: str) -> None:
        """They know."""
        await self._execute(
            "UPDATE tapbacks SET untold = NULL WHERE inbound_id = %s AND user_id = %s", (inbound_id, user_id)
        )

    async def tell(
        self, message_ids: Sequence[str], told: Callable[[], Awaitable[Mapping[str, tuple[str, ...]]]]
    ) -> None:
        """
        Let texts show what their writers put on them, by Blooio's ids, under their rows' locks.

        What was told is read when the rows are locked, as in `Deliveries.tell`.
        """
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                """
                SELECT id, message_id, other_id FROM inbound
                 WHERE message_id = ANY(%s) OR other_id = ANY(%s) ORDER BY id FOR UPDATE
                """,
                (list(message_ids), list(message_ids)),
            )
            found, known = await cursor.fetchall(), await told()
            for inbound_id, *ids in found:
                standing = next((known[one] for one in ids if one in known), None)
                if standing is not None:
                    await connection.execute(
                        """
                        UPDATE inbound SET reactions = %s, revision = revision + 1
                         WHERE id = %s AND reactions <> %s::text[]
                        """,
                        (list(standing), inbound_id, list(standing)),
                    )

    async def _find(self, which: LiteralString, values: tuple[Any, ...]) -> TappedText | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(f"{_TEXT} WHERE {which}", values)
            row = await cursor.fetchone()
        if row is None:
            return None
        return TappedText(
            inbound=rows.inbound(row),
            thread=rows.thread(row),
            person=rows.person(row),
            replies=row["replies"],
            posted_in=row["posted_in"],
            wanted=row["wanted"],
            shown=row["tapback"],
            perhaps=frozenset(row["tapping"]),
        )

    async def _execute(self, query: LiteralString, values: tuple[Any, ...]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, values)
