"""A text as somebody asked for it: stored with its job, once, and in its person's thread."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bot.storage import audit, people, rows
from bot.storage.database import DATABASE_AWAY, Connection, Pool, storing
from bot.storage.queue import DELIVER, TEXTS, deferred
from bot.storage.read_marks import Acted
from bot.texting.errors import NotStored, OptedOut, PerhapsStored, SentAgain
from bot.texting.model import Author, Person, Request, Requested, Thread
from bot.texting.routing import choose_channel, is_fresh

logger = logging.getLogger(__name__)


class Defer(Protocol):
    """Defers the job that sends one text, inside the transaction of the connection it is given."""

    def __call__(
        self, connection: AsyncConnection[Any], delivery_id: UUID, thread_id: int, /, *, first: bool = False
    ) -> Awaitable[None]:
        """Put the text behind the earlier ones of its thread, or *first* before all that wait."""
        ...


_INSERT: LiteralString = f"""
    INSERT INTO deliveries AS d
        (id, request_key, thread_id, body, author_id, author_name, expected_channel, requested_at, typed, automatic,
         files)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (request_key) DO NOTHING
    RETURNING {rows.DELIVERY}
"""
_LOCK: LiteralString = "'thread:' || of_thread"
_ARGUMENTS: LiteralString = "jsonb_build_object('delivery_id', id)"
_INSERT_AND_DEFER: LiteralString = f"""
    WITH added AS ({_INSERT})
    SELECT added.*, {deferred(f"'{TEXTS}'", f"'{DELIVER}'", "0", _LOCK, _ARGUMENTS)} FROM added
"""


class Requests:
    """What is asked to be texted."""

    def __init__(self, pool: Pool, *, defer: Defer, acted: Acted | None = None) -> None:
        self._pool = pool
        self._defer = defer
        self._acted = acted
        self._audit = audit.Audit(pool)

    async def request(
        self, request: Request, delivery_id: UUID, *, lines: Sequence[str], now: datetime, within: timedelta
    ) -> Requested:
        """
        Store a text and its job, or find the text that the same request stored before.

        The person's first text decides where their thread lives; a later one goes to that thread, on whichever of our
        *lines* (best first) it is. Raises NotStored or PerhapsStored, *within* the time that is left, and OptedOut.
        """
        started = time.monotonic()
        plainly = await self._request_plainly(request, delivery_id, lines=lines, now=now, within=within)
        if plainly is not None:
            return plainly
        try:
            async with storing(self._pool, within - timedelta(seconds=time.monotonic() - started)) as connection:
                return await self.request_in(connection, request, delivery_id, lines=lines, now=now)
        except OptedOut as refused:
            await self._audit.record(
                audit.Entry(
                    user_id=request.author.user_id,
                    user_name=request.author.name,
                    action=audit.REFUSAL,
                    reason=refused.code,
                    person_id=refused.person.id if refused.person else None,
                    conversation_id=request.conversation_id,
                )
            )
            raise

    async def _request_plainly(
        self, request: Request, delivery_id: UUID, *, lines: Sequence[str], now: datetime, within: timedelta
    ) -> Requested | None:
        """
        Store a text that changes nothing else, in one statement; None if something does.

        Most texts go to somebody whose thread is open and who waits for nothing. Raises as `request` does.
        """
        if request.instead_of is not None or request.automatic or self._acted is not None:
            return None
        storing = False
        try:
            async with asyncio.timeout(within.total_seconds()), self._pool.connection() as connection:
                cursor = connection.cursor(row_factory=dict_row)
                found = await people.find(cursor, request.team_id, request.address, lines)
                if found is None:
                    return None
                person, thread = rows.person(found), rows.thread(found)
                if person.opted_out_since is not None or _out_of_sight(thread, request.author) or _unanswered(thread):
                    return None
                storing = True
                values = _new_values(request, delivery_id, person, thread, typed=request.typed, now=now)
                await cursor.execute(_INSERT_AND_DEFER, values)
                row = await cursor.fetchone() or await _stored_before(cursor, request)
        except DATABASE_AWAY as error:
            logger.warning("not_stored error=%s committing=%s", type(error).__name__, storing)
            raise (PerhapsStored if storing else NotStored) from error
        return Requested(rows.delivery(row), thread, person)

    async def request_in(
        self, connection: Connection, request: Request, delivery_id: UUID, *, lines: Sequence[str], now: datetime
    ) -> Requested:
        """Do what `request` does in the caller's transaction."""
        cursor = connection.cursor(row_factory=dict_row)
        typed, mended = request.typed, None
        if request.instead_of is not None:
            mended = await self._replace(cursor, request, request.instead_of)
            typed = typed and await self._shows(cursor, request.instead_of)
        found = await people.find(cursor, request.team_id, request.address, lines) or await people.add(
            cursor,
            request.team_id,
            request.address,
            lines[0],
            conversation_id=request.conversation_id,
            owner=request.author,
        )
        person, thread = rows.person(found), rows.thread(found)
        if person.opted_out_since is not None and not request.automatic:
            raise OptedOut(person)
        if not request.automatic:
            if _out_of_sight(thread, request.author):
                thread = await self._bring_out(cursor, thread, request)
            thread = await self._answer(cursor, thread, request.author)
        await cursor.execute(_INSERT, _new_values(request, delivery_id, person, thread, typed=typed, now=now))
        row = await cursor.fetchone()
        if row is not None:
            if request.automatic:
                await self._defer(connection, delivery_id, thread.id, first=True)
            else:
                await self._defer(connection, delivery_id, thread.id)
                if self._acted is not None:
                    await self._acted(connection, thread.id)
            await _record_mending(connection, request, mended, person, thread)
            if typed and request.instead_of is not None:  # the same words: the same message shows them
                await cursor.execute(
                    "UPDATE replies SET delivery_id = %s, revision = revision + 1 WHERE delivery_id = %s",
                    (delivery_id, request.instead_of),
                )
        else:
            row = await _stored_before(cursor, request)
        return Requested(rows.delivery(row), thread, person)

    async def _replace(self, cursor: Any, request: Request, failed: UUID) -> dict[str, Any] | None:
        """
        Note on a failed text who sends it again, and return what it was: its `thread_id` and its `body`.

        The same request may say so twice: None is the second time. Raises SentAgain.
        """
        await cursor.execute(
            """
            UPDATE deliveries SET again_by = %s, revision = revision + 1
             WHERE id = %s AND status = 'failed' AND again_by IS NULL
            RETURNING thread_id, body
            """,
            (request.author.name, failed),
        )
        replaced: dict[str, Any] | None = await cursor.fetchone()
        if replaced is not None:
            return replaced
        await cursor.execute("SELECT 1 FROM deliveries WHERE request_key = %s", (request.key,))
        if await cursor.fetchone() is None:
            raise SentAgain
        return None

    async def _shows(self, cursor: Any, failed: UUID) -> bool:
        """Say whether the reply that a text was typed as still says what it said."""
        await cursor.execute("SELECT 1 FROM replies WHERE delivery_id = %s AND changed_ts IS NULL", (failed,))
        return await cursor.fetchone() is not None

    async def _bring_out(self, cursor: Any, thread: Thread, request: Request) -> Thread:
        """Move a thread out of somebody's direct messages, where this text's author could not see it."""
        await cursor.execute(
            rows.MOVE_THREAD,
            (request.conversation_id, request.author.user_id, request.author.name, thread.id),
        )
        return replace(thread, conversation_id=request.conversation_id, card_ts=None, owner=request.author)

    async def _answer(self, cursor: Any, thread: Thread, author: Author) -> Thread:
        """Whoever texts a person answers them: they wait no longer, and somebody looks after them (again)."""
        if not _unanswered(thread):
            return thread
        await cursor.execute(
            f"""
            UPDATE threads t
               SET waiting_since = NULL, done_at = NULL, done_by = NULL, owner_id = coalesce(owner_id, %s),
                   owner_name = coalesce(owner_name, %s), revision = revision + 1
             WHERE id = %s
            RETURNING {rows.THREAD}
            """,
            (author.user_id, author.name, thread.id),
        )
        return rows.thread(await cursor.fetchone())


async def _record_mending(
    connection: Connection, request: Request, mended: dict[str, Any] | None, person: Person, thread: Thread
) -> None:
    """Put on record who sent a failed text once more, as it was or edited."""
    if mended is None:
        return
    same = mended == {"thread_id": thread.id, "body": request.body}
    entry = audit.Entry(
        user_id=request.author.user_id,
        user_name=request.author.name,
        action="again" if same else "edit",
        person_id=person.id,
        thread_id=thread.id,
        delivery_id=request.instead_of,
        conversation_id=thread.conversation_id,
    )
    await audit.record(connection, entry)


def _new_values(
    request: Request, delivery_id: UUID, person: Person, thread: Thread, *, typed: bool, now: datetime
) -> tuple[Any, ...]:
    """Return the parameters of `_INSERT`."""
    expected = None
    if is_fresh(person.capabilities, now):
        expected = choose_channel(person.address, person.capabilities)
    return (
        delivery_id,
        request.key,
        thread.id,
        request.body,
        request.author.user_id,
        request.author.name,
        expected,
        now,
        typed,
        request.automatic,
        Jsonb([asdict(file) for file in request.files]),
    )


async def _stored_before(cursor: Any, request: Request) -> rows.Row:
    """Read the text that the same request stored."""
    await cursor.execute(f"SELECT {rows.DELIVERY} FROM deliveries d WHERE request_key = %s", (request.key,))
    row: rows.Row | None = await cursor.fetchone()
    assert row is not None  # noqa: S101  (the conflict was with a committed row)
    return row


def _unanswered(thread: Thread) -> bool:
    """Say whether a text changes whose turn it is: they wait, it is done, or nobody looks after them."""
    return thread.waiting_since is not None or thread.done_at is not None or thread.owner is None


def _out_of_sight(thread: Thread, author: Author) -> bool:
    """Say whether a thread is where *author* cannot see it: in a colleague's direct messages, or nowhere yet."""
    if not thread.conversation_id:
        return True
    direct = thread.conversation_id.startswith(("D", "U", "W"))
    return direct and (thread.owner is None or thread.owner.user_id != author.user_id)
