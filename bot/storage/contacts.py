"""
The copy of the address book that answers at once. Each method is one transaction.

What is read is read in time for whoever waits for it in Slack: NotRead otherwise. What is written may raise NotStored.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from bot.reading.searching import folded, searchable, wanted
from bot.storage.database import Connection, Pool, in_time
from bot.texting.errors import NotRead, NotStored
from bot.texting.model import Address, Contact

#: Somebody is a person of one workspace of ours: there is only one.
_CONTACT = """address, name, tags, last_message_at,
    (SELECT min(p.opted_out_since) FROM people p WHERE p.address = contacts.address) AS opted_out_since"""

#: Somebody waits for what is read, and Slack does not wait long.
_READ_SECONDS = 1.5
_WRITE_SECONDS = 10.0
_NOT_STORED = "The address book could not be written just now."
_NOT_READ = "The address book could not be read just now, so nothing was done. Try again in a minute."

#: A contact that so many lists in a row did not have is gone: a list shifts while it is read.
_GONE_AFTER = 2

_Row = tuple[str, str | None, list[str], datetime | None, datetime | None]


class Contacts:
    """People in the address book."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, address: Address) -> Contact | None:
        found = await self._read(f"SELECT {_CONTACT} FROM contacts WHERE address = %s", (address,))
        return found[0] if found else None

    async def put(self, contacts: Sequence[Contact], *, listed_at: datetime | None = None) -> None:
        """
        Remember contacts as Blooio has them.

        *listed_at* is when Blooio was asked for a list of them; what we changed since then is newer than the list.
        """
        rows = {contact.address: _row(contact) for contact in contacts}
        async with self._writing() as connection:
            await connection.execute(
                """
                WITH listed AS (
                    SELECT address, name, ARRAY(SELECT jsonb_array_elements_text(l.tags)) AS tags, last_message_at,
                           folded, search
                      FROM jsonb_to_recordset(%s) AS l (address text, name text, tags jsonb,
                                                        last_message_at timestamptz, folded text, search text))
                INSERT INTO contacts AS c (address, name, tags, last_message_at, folded, search, changed_at)
                SELECT address, name, tags, last_message_at, folded, search, coalesce(%s, now()) FROM listed l
                 WHERE NOT EXISTS (  -- most of a list is as it was, and need not be touched
                       SELECT 1 FROM contacts k
                        WHERE k.address = l.address
                          AND (k.name, k.tags, k.missed) IS NOT DISTINCT FROM (l.name, l.tags, 0)
                          AND k.last_message_at IS NOT DISTINCT FROM greatest(l.last_message_at, k.last_message_at))
                ON CONFLICT (address) DO UPDATE
                   SET name = excluded.name, tags = excluded.tags, folded = excluded.folded, search = excluded.search,
                       last_message_at = greatest(excluded.last_message_at, c.last_message_at), missed = 0,
                       changed_at = excluded.changed_at
                 WHERE c.changed_at <= excluded.changed_at
                """,
                (Jsonb(list(rows.values())), listed_at),
            )

    async def forget(self, address: Address) -> None:
        """Blooio does not have this contact any more."""
        async with self._writing() as connection:
            await connection.execute("DELETE FROM contacts WHERE address = %s", (address,))

    async def keep_only(self, listed: Collection[Address], *, listed_at: datetime) -> int:
        """Forget what several whole lists in a row did not have; return how many that were."""
        async with self._writing() as connection, connection.transaction():
            cursor = await connection.execute("SELECT address FROM contacts WHERE changed_at <= %s", (listed_at,))
            missing = [address for (address,) in await cursor.fetchall() if address not in listed]
            await connection.execute("UPDATE contacts SET missed = missed + 1 WHERE address = ANY(%s)", (missing,))
            cursor = await connection.execute("DELETE FROM contacts WHERE missed >= %s", (_GONE_AFTER,))
            return cursor.rowcount

    async def search(self, typed: str, *, limit: int, offset: int = 0) -> list[Contact]:
        """
        Find contacts by any part of name, number or tag; all words have to be found somewhere.

        Best first: the name begins like that, a word of it does, it is somewhere inside; then who was in touch last.
        """
        words = wanted(typed)
        if not words:
            return await self.recent(limit=limit, offset=offset)
        patterns = [f"%{_literally(word)}%" for word in words]
        first = _literally(words[0])
        return await self._read(
            f"""
            SELECT {_CONTACT} FROM contacts WHERE search LIKE ALL(%s)
             ORDER BY CASE WHEN search LIKE %s THEN 0 WHEN search LIKE %s THEN 1 ELSE 2 END,
                      last_message_at DESC NULLS LAST, search, address
             LIMIT %s OFFSET %s
            """,
            (patterns, f" {first}%", f"% {first}%", limit, offset),
        )

    async def recent(self, *, limit: int, offset: int = 0) -> list[Contact]:
        """List contacts, those in touch last first."""
        return await self._read(
            f"""
            SELECT {_CONTACT} FROM contacts ORDER BY last_message_at DESC NULLS LAST, address LIMIT %s OFFSET %s
            """,
            (limit, offset),
        )

    async def called(self, name: str, *, limit: int) -> list[Contact]:
        """Find who is called *name*: all of their name, or else a word of it (`Jane` finds `Jane Doe`)."""
        name = folded(name)
        if not name:
            return []
        whole = await self._read(
            f"""
            SELECT {_CONTACT} FROM contacts WHERE folded = %s
             ORDER BY last_message_at DESC NULLS LAST, address LIMIT %s
            """,
            (name, limit),
        )
        return whole or await self._read(
            f"""
            SELECT {_CONTACT} FROM contacts WHERE ' ' || folded || ' ' LIKE %s
             ORDER BY last_message_at DESC NULLS LAST, address LIMIT %s
            """,
            (f"% {_literally(name)} %", limit),
        )

    async def count(self) -> int:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM contacts")
            row = await cursor.fetchone()
            return int(row[0]) if row else 0

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        async with in_time(_WRITE_SECONDS, NotStored(words=_NOT_STORED)), self._pool.connection() as connection:
            yield connection

    async def _read(self, query: str, values: tuple[object, ...]) -> list[Contact]:
        async with in_time(_READ_SECONDS, NotRead(words=_NOT_READ)), self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            rows: list[_Row] = await cursor.fetchall()
        return [Contact(Address(address), name, tuple(tags), at, out) for address, name, tags, at, out in rows]


def _row(contact: Contact) -> dict[str, Any]:
    name, tags = _storable(contact.name), tuple(_storable(tag) or "" for tag in contact.tags)
    return {
        "address": contact.address,
        "name": name,
        "tags": tags,
        "last_message_at": contact.last_message_at.isoformat() if contact.last_message_at else None,
        "folded": folded(name or ""),
        "search": searchable(name, contact.address, tags),
    }


def _storable(text: str | None) -> str | None:
    """Return *text* without what JSON can hold and PostgreSQL cannot: a zero, and half of a character."""
    return text and text.replace("\0", "").encode(errors="replace").decode()


def _literally(text: str) -> str:
    """Escape what LIKE takes for a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
