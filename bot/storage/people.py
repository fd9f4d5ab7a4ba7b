"""People: where their threads are, what they can receive, what they are called. Each method is one transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg.rows import dict_row

from bot.storage import rows
from bot.storage.database import Pool, in_time
from bot.texting.errors import NotRead, NotStored
from bot.texting.model import Author, Capabilities, History, Known, Person

#: Somebody waits to be told what was learnt, and remembering it must not keep them.
_LEARN_SECONDS = 2.0

#: A person and their thread on the first of our lines (best first) on which they have one.
_ON_A_LINE: LiteralString = f"""
    SELECT {rows.PERSON}, {rows.THREAD}
      FROM people p {{join}} threads t ON t.person_id = p.id AND t.line = ANY(%s)
     WHERE p.team_id = %s AND p.address = %s
     ORDER BY array_position(%s, t.line) LIMIT 1
"""


class PointedAt(NamedTuple):
    """In whose thread a message stands."""

    person: Person
    theirs: bool  # it shows what they texted
    in_book: bool


async def find(cursor: Any, team_id: str, address: str, lines: Sequence[str]) -> rows.Row | None:
    """Read a person and their thread in the caller's transaction; None if they have none on these lines."""
    await cursor.execute(_ON_A_LINE.format(join="JOIN"), (list(lines), team_id, address, list(lines)))
    row: rows.Row | None = await cursor.fetchone()
    return row


async def add(
    cursor: Any, team_id: str, address: str, line: str, *, conversation_id: str, owner: Author | None
) -> rows.Row:
    """Add a person, if they are new, and a thread for them, if they have none on *line*; read both."""
    await cursor.execute(
        """
        INSERT INTO people (team_id, address, name) VALUES (%s, %s, (SELECT name FROM contacts WHERE address = %s))
        ON CONFLICT (team_id, address) DO UPDATE SET address = excluded.address
        RETURNING id
        """,
        (team_id, address, address),
    )
    person_id = (await cursor.fetchone())["id"]
    await cursor.execute(
        """
        INSERT INTO threads (person_id, line, conversation_id, owner_id, owner_name) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (person_id, line) DO NOTHING
        """,
        (person_id, line, conversation_id, *((owner.user_id, owner.name) if owner else (None, None))),
    )
    row = await find(cursor, team_id, address, [line])
    assert row is not None  # noqa: S101  (just inserted, or found by the conflict)
    return row


class People:
    """People we text, or who texted us."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def has_thread(self, team_id: str, address: str, *, lines: Sequence[str], within: timedelta) -> bool:
        """Say whether this person has a thread already. Raises NotStored: then nothing can be stored either."""
        async with in_time(within.total_seconds(), NotStored()), self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT 1 FROM people p JOIN threads t ON t.person_id = p.id AND t.line = ANY(%s)
                 WHERE p.team_id = %s AND p.address = %s
                """,
                (list(lines), team_id, address),
            )
            return await cursor.fetchone() is not None

    async def look_up(self, team_id: str, address: str, *, lines: Sequence[str], within: timedelta) -> Known:
        """Return what is known of somebody, and their thread if they have one. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_ON_A_LINE.format(join="LEFT JOIN"), (list(lines), team_id, address, list(lines)))
            row = await cursor.fetchone()
            if row is None:
                return Known(None, None)
            await cursor.execute("SELECT 1 FROM inbound WHERE thread_id = %s LIMIT 1", (row["thread_id"],))
            wrote_first = await cursor.fetchone() is not None
        person = rows.person(row)
        return Known(
            capabilities=person.capabilities,
            thread=rows.thread(row) if row["thread_id"] is not None else None,
            opted_out=person if person.opted_out_since is not None else None,
            wrote_first=wrote_first,
        )

    async def pointed_at(
        self, conversation_id: str, ts: str, thread_ts: str, *, team_id: str, within: timedelta
    ) -> PointedAt | None:
        """Say in whose thread a message stands, if it is one of ours. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.PERSON}, i.id IS NOT NULL AS theirs,
                       EXISTS (SELECT 1 FROM contacts c WHERE c.address = p.address) AS in_book
                  FROM threads t JOIN people p ON p.id = t.person_id
                  LEFT JOIN inbound i ON i.thread_id = t.id AND i.posted_in = %s AND i.posted_ts = %s
                 WHERE p.team_id = %s AND ((t.conversation_id = %s AND t.card_ts = %s)
                        OR t.id = (SELECT thread_id FROM inbound WHERE posted_in = %s AND posted_ts = %s))
                 ORDER BY theirs DESC LIMIT 1
                """,
                (conversation_id, ts, team_id, conversation_id, thread_ts, conversation_id, ts),
            )
            row = await cursor.fetchone()
        return PointedAt(rows.person(row), row["theirs"], row["in_book"]) if row else None

    async def learn_of(self, team_id: str, address: str, capabilities: Capabilities) -> None:
        """Remember what somebody can receive, also before their first text; their cards show it. Raises NotStored."""
        async with in_time(_LEARN_SECONDS, NotStored()), self._pool.connection() as connection:
            await connection.execute(
                """
                WITH learnt AS (
                    INSERT INTO people (team_id, address, name, imessage, sms, checked_at)
                    VALUES (%s, %s, (SELECT name FROM contacts WHERE address = %s), %s, %s, %s)
                    ON CONFLICT (team_id, address) DO UPDATE
                       SET imessage = excluded.imessage, sms = excluded.sms, checked_at = excluded.checked_at
                    RETURNING id)
                UPDATE threads t SET revision = t.revision + 1 FROM learnt WHERE t.person_id = learnt.id
                """,
                (team_id, address, address, capabilities.imessage, capabilities.sms, capabilities.checked_at),
            )

    async def history(self, team_id: str, address: str, *, texts: int, within: timedelta) -> History | None:
        """Return what there was with a person, and their last *texts*; None if there was nothing. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                f"""
                SELECT {rows.PERSON}, {rows.THREAD}, {rows.DELIVERY}
                  FROM people p
                  LEFT JOIN threads t ON t.person_id = p.id
                  LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE thread_id = t.id
                                      ORDER BY requested_at DESC, id DESC LIMIT %s) d ON true
                 WHERE p.team_id = %s AND p.address = %s
                 ORDER BY d.requested_at DESC NULLS LAST, d.id DESC LIMIT %s
                """,
                (texts, team_id, address, texts),
            )
            found = await cursor.fetchall()
        if not found:
            return None
        return History(
            person=rows.person(found[0]),
            thread=rows.thread(found[0]) if found[0]["thread_id"] is not None else None,
            texts=tuple(rows.delivery(row) for row in found if row["id"] is not None),
            homes={row["thread_id"]: row["conversation_id"] for row in found if row["thread_id"] is not None},
        )

    async def learn_capabilities(self, person_id: int, capabilities: Capabilities) -> None:
        """Remember what a person can receive; their cards show it."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "UPDATE people SET imessage = %s, sms = %s, checked_at = %s WHERE id = %s",
                (capabilities.imessage, capabilities.sms, capabilities.checked_at, person_id),
            )
            await connection.execute("UPDATE threads SET revision = revision + 1 WHERE person_id = %s", (person_id,))

    async def learn_name(self, person_id: int, name: str) -> None:
        """Remember what a nameless person is called; their cards show it. What the book said meanwhile stands."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "UPDATE people SET name = %s WHERE id = %s AND name IS NULL", (name, person_id)
            )
            if cursor.rowcount:
                await connection.execute(
                    "UPDATE threads SET revision = revision + 1 WHERE person_id = %s", (person_id,)
                )
