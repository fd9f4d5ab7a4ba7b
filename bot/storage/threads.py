"""Who looks after whom, and whether it is done. Each method is one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.audit import Entry, record
from bot.storage.database import Connection, Pool, in_time, storing
from bot.storage.read_marks import Acted
from bot.texting.errors import NotRead
from bot.texting.model import Author, Person, Thread

#: `cause` of the notice that a thread was handed to somebody.
HANDED_OFF = "handed_off"

#: They wait again from the first text that nobody has answered.
_UNANSWERED: LiteralString = """
    (SELECT min(i.received_at) FROM inbound i
      WHERE i.thread_id = t.id
        AND i.received_at > coalesce((SELECT max(d.requested_at) FROM deliveries d
                                       WHERE d.thread_id = t.id AND NOT d.automatic), '-infinity'))
"""

#: What is said where there is no such thread for somebody.
LEADS_NOWHERE = "This card leads nowhere any more. Nothing was changed."

_NEWER: LiteralString = "(check_mark_at IS NULL OR check_mark_at < %s)"


@dataclass(frozen=True, slots=True)
class Card:
    """A person and their thread, as a card shows them."""

    thread: Thread
    person: Person


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a click on a card."""

    card: Card  # as it is now
    made: bool  # False: it was so already, or somebody was faster


class Cards:
    """Threads, and what people in Slack do about them. *team_id* is that of whoever does it."""

    def __init__(self, pool: Pool, *, acted: Acted | None = None) -> None:
        self._pool = pool
        self._acted = acted

    async def find(self, thread_id: int, *, team_id: str, within: timedelta) -> Card:
        """Return a thread. Raises NotRead, also if there is none."""
        card = await self._find("t.id = %s AND p.team_id = %s", (thread_id, team_id), within)
        if card is None:
            raise NotRead(words=LEADS_NOWHERE)
        return card

    async def headed_by(self, conversation_id: str, ts: str, *, within: timedelta) -> Card | None:
        """Return the thread whose card a message is, if it is one. Raises NotRead."""
        return await self._find("t.conversation_id = %s AND t.card_ts = %s", (conversation_id, ts), within)

    async def claim(self, card: Card, author: Author, *, instead_of: str | None, within: timedelta) -> Change:
        """
        Let *author* look after an open thread, if whoever they think does still does: *instead_of* is their id.

        Raises NotStored and PerhapsStored, as all that follow.
        """
        async with storing(self._pool, within) as connection:
            change = await self._own(connection, card, author, instead_of)
            if change.made:
                await self._record(connection, change.card, author, "claim")
            return change

    async def hand_off(
        self, card: Card, author: Author, to: Author, *, instead_of: str | None, within: timedelta
    ) -> Change:
        """Let somebody else look after an open thread; they are told, once."""
        async with storing(self._pool, within) as connection:
            change = await self._own(connection, card, to, instead_of)
            if change.made:
                await self._record(connection, change.card, author, "hand_off", reason=to.user_id)
                if to.user_id != author.user_id:
                    await connection.execute(
                        """
                        INSERT INTO notices (key, cause, thread_id, user_id, by_name)
                        VALUES ('handed:' || gen_random_uuid(), %s, %s, %s, %s)
                        """,
                        (HANDED_OFF, card.thread.id, to.user_id, author.name),
                    )
            return change

    async def close(
        self, card: Card, author: Author, *, check_mark_at: datetime | None = None, within: timedelta
    ) -> Change:
        """
        Call a thread done: nobody waits there until they write again.

        *check_mark_at* is Slack's time of a ✅, if that is how they say so: of all put on a card and taken off, in
        whatever order and however often we hear of them, the last one counts.
        """
        async with storing(self._pool, within) as connection:
            if check_mark_at is not None and not await _is_last(connection, card, check_mark_at):
                return await _as_it_is(connection, card)
            change = await _change(
                connection,
                card,
                "done_at = now(), done_by = %s, waiting_since = NULL",
                (author.name,),
                only_if="t.done_at IS NULL",
            )
            if change.made:
                await self._record(connection, change.card, author, "done")
            return change

    async def reopen(
        self, card: Card, author: Author, *, check_mark_at: datetime | None = None, within: timedelta
    ) -> Change:
        """Call a thread open again; *check_mark_at* as for `close`."""
        async with storing(self._pool, within) as connection:
            if check_mark_at is not None and not await _is_last(connection, card, check_mark_at):
                return await _as_it_is(connection, card)
            what: LiteralString = f"done_at = NULL, done_by = NULL, waiting_since = {_UNANSWERED}"
            change = await _change(connection, card, what, (), only_if="t.done_at IS NOT NULL")
            if change.made:
                await self._record(connection, change.card, author, "reopen")
            return change

    async def _own(self, connection: Connection, card: Card, owner: Author, instead_of: str | None) -> Change:
        return await _change(
            connection,
            card,
            "owner_id = %s, owner_name = %s",
            (owner.user_id, owner.name),
            only_if="t.done_at IS NULL AND t.owner_id IS NOT DISTINCT FROM %s AND t.owner_id IS DISTINCT FROM %s",
            seen=(instead_of, owner.user_id),
        )

    async def _record(
        self, connection: Connection, card: Card, author: Author, action: str, *, reason: str | None = None
    ) -> None:
        """Put on record what somebody did; whoever does something about a thread has read it."""
        await record(
            connection,
            Entry(
                user_id=author.user_id,
                user_name=author.name,
                action=action,
                reason=reason,
                person_id=card.person.id,
                thread_id=card.thread.id,
                conversation_id=card.thread.conversation_id,
            ),
        )
        if self._acted is not None:
            await self._acted(connection, card.thread.id)

    async def _find(self, which: LiteralString, values: tuple[Any, ...], within: timedelta) -> Card | None:
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"SELECT {rows.THREAD}, {rows.PERSON} FROM threads t JOIN people p ON p.id = t.person_id WHERE {which}",
                values,
            )
            row = await cursor.fetchone()
        return _card(row) if row else None


async def _change(
    connection: Connection,
    card: Card,
    what: LiteralString,
    values: tuple[Any, ...],
    *,
    only_if: LiteralString,
    seen: tuple[Any, ...] = (),
) -> Change:
    """Change a thread, if it is as it has to be for that; its card is drawn again."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        f"""
        UPDATE threads t SET {what}, revision = t.revision + 1
          FROM people p
         WHERE t.id = %s AND p.id = t.person_id AND {only_if}
        RETURNING {rows.THREAD}, {rows.PERSON}
        """,
        (*values, card.thread.id, *seen),
    )
    row = await cursor.fetchone()
    return Change(_card(row), made=True) if row else await _as_it_is(connection, card)


async def _as_it_is(connection: Connection, card: Card) -> Change:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        f"SELECT {rows.THREAD}, {rows.PERSON} FROM threads t JOIN people p ON p.id = t.person_id WHERE t.id = %s",
        (card.thread.id,),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (threads are never deleted)
    return Change(_card(row), made=False)


async def _is_last(connection: Connection, card: Card, check_mark_at: datetime) -> bool:
    """Remember a ✅, or that it was taken off; return whether none was later."""
    cursor = await connection.execute(
        f"UPDATE threads SET check_mark_at = %s WHERE id = %s AND {_NEWER}",
        (check_mark_at, card.thread.id, check_mark_at),
    )
    return cursor.rowcount == 1


def _card(row: rows.Row) -> Card:
    return Card(rows.thread(row), rows.person(row))
