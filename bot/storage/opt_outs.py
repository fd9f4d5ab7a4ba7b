"""Who wants no texts. What a person wrote is heeded in the transaction that stores it; each method else is one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bot.storage import audit, rows
from bot.storage.database import Connection, Pool, storing
from bot.storage.requests import Requests
from bot.texting.errors import OptedOut, Unconfirmed
from bot.texting.model import Address, Author, Opting, OptWord, Request
from bot.texting.service import new_id

#: Somebody who asks for help gets the answer once in this time, and none to what they asked long ago.
_HELP_ONCE_IN = timedelta(minutes=1)
_HELP_WITHIN = timedelta(hours=1)

#: What a text leads to follows it in the thread.
_THEN = timedelta(milliseconds=1)

#: A text that waits, and that Blooio may have taken already, is one of which nobody knows whether it was sent. One that
#: is being attempted at this moment is left to that: `Texting.deliver` asks again before the next attempt.
_FAIL_WHAT_WAITS = """
    UPDATE deliveries d
       SET status = 'failed', failed_at = now(), retry_at = NULL, held_since = NULL, check_at = NULL,
           error_code = CASE WHEN perhaps THEN %(unconfirmed)s ELSE %(opted_out)s END,
           error_words = CASE WHEN perhaps THEN %(unconfirmed_words)s ELSE %(opted_out_words)s END,
           revision = d.revision + 1
      FROM (SELECT w.id, w.error_code IN ('unconfirmed', 'blooio_trouble') AS perhaps
              FROM deliveries w JOIN threads t ON t.id = w.thread_id
             WHERE t.person_id = %(person)s AND w.status = 'queued' AND w.message_id IS NULL AND NOT w.automatic
               AND (w.attempts = 0 OR w.retry_at > now())
               FOR UPDATE OF w) waiting
     WHERE d.id = waiting.id
"""


class OptOuts:
    """People who want no texts, and those who want them again."""

    def __init__(self, pool: Pool, *, requests: Requests) -> None:
        self._pool = pool
        self._requests = requests

    async def heed(
        self,
        connection: Connection,
        opting: Opting,
        place: rows.Row,
        *,
        message_id: str,
        written_at: datetime,
        now: datetime,
    ) -> bool:
        """
        Do what a standard word asks for, in the transaction that stores it: once, and in the order written.

        *place* has the person's and the thread's columns. Return whether the text is dealt with: nobody has to answer.
        """
        cursor = connection.cursor(row_factory=dict_row)
        person_id, moment = place["person_id"], min(written_at, now)
        await cursor.execute("SELECT opted_out_since FROM people WHERE id = %s FOR UPDATE", (person_id,))
        person = await cursor.fetchone()
        assert person is not None  # noqa: S101  (their thread has been found)
        since: datetime | None = person["opted_out_since"]
        match opting.word:
            case OptWord.STOP:
                if since is not None or await _wrote_since(cursor, person_id, OptWord.START, written_at):
                    return True
                await _opt_out(cursor, person_id, moment)
            case OptWord.START:
                if since is None:
                    return False  # to them it may mean something else
                if written_at < since or await _wrote_since(cursor, person_id, OptWord.STOP, written_at):
                    return True
                await _opt_in(cursor, person_id)
            case OptWord.HELP:
                if written_at >= now - _HELP_WITHIN and not await _helped_since(cursor, person_id, now - _HELP_ONCE_IN):
                    await self._answer(connection, opting, place, message_id=message_id, now=now)
                return False
        kind = "opted_out" if opting.word is OptWord.STOP else "opted_in"
        await _remark(cursor, person_id, kind, {"word": opting.written}, key=message_id, at=moment + _THEN)
        entry = audit.Entry(
            user_id="",
            user_name="",
            action="opt_out" if opting.word is OptWord.STOP else "opt_in",
            reason=opting.written,
            person_id=person_id,
            thread_id=place["thread_id"],
        )
        await audit.record(connection, entry)
        await self._answer(connection, opting, place, message_id=message_id, now=now)
        return True

    async def _answer(
        self, connection: Connection, opting: Opting, place: rows.Row, *, message_id: str, now: datetime
    ) -> None:
        if opting.answer is None:
            return
        request = Request(
            key=f"{opting.word}:{message_id}",
            team_id=place["team_id"],
            conversation_id=place["conversation_id"],
            author=opting.author,
            address=Address(place["address"]),
            body=opting.answer,
            line=place["line"],
            automatic=True,
        )
        await self._requests.request_in(connection, request, new_id(), lines=[place["line"]], now=now + 2 * _THEN)

    async def opt_out(self, team_id: str, address: Address, *, by: Author, now: datetime, within: timedelta) -> bool:
        """
        Text somebody no more, who told a colleague so; return False if they had opted out before.

        They may be nobody whom we ever texted. Raises NotStored and PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                INSERT INTO people (team_id, address, name)
                VALUES (%s, %s, (SELECT name FROM contacts WHERE address = %s))
                ON CONFLICT (team_id, address) DO UPDATE SET address = excluded.address
                RETURNING id, opted_out_since
                """,
                (team_id, address, address),
            )
            person = await cursor.fetchone()
            assert person is not None  # noqa: S101  (inserted, or found by the conflict)
            if person["opted_out_since"] is not None:
                return False
            await _opt_out(cursor, person["id"], now)
            await _remark(cursor, person["id"], "opted_out_by", {"by": by.name}, key=str(new_id()), at=now)
            entry = audit.Entry(user_id=by.user_id, user_name=by.name, action="opt_out", person_id=person["id"])
            await audit.record(connection, entry)
            return True

    async def allow(
        self,
        team_id: str,
        address: Address,
        *,
        by: Author,
        asked_by: str,
        note: str,
        now: datetime,
        within: timedelta,
    ) -> bool:
        """
        Let texts through again to somebody who opted out; return False if they get them already.

        Who asked for it and why is kept. Raises NotStored and PerhapsStored.
        """
        async with storing(self._pool, within) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                """
                SELECT id FROM people WHERE team_id = %s AND address = %s AND opted_out_since IS NOT NULL FOR UPDATE
                """,
                (team_id, address),
            )
            person = await cursor.fetchone()
            if person is None:
                return False
            await _opt_in(cursor, person["id"])
            said = {"by": by.name, "asked_by": asked_by, "note": note}
            await _remark(cursor, person["id"], "allowed", said, key=str(new_id()), at=now)
            entry = audit.Entry(
                user_id=by.user_id,
                user_name=by.name,
                action="override",
                reason=f"{note} (asked for by {asked_by})",
                person_id=person["id"],
            )
            await audit.record(connection, entry)
            return True


async def _opt_out(cursor: Any, person_id: int, since: datetime) -> None:
    """Text a person no more: nothing that waits goes out, and nobody can answer them."""
    await cursor.execute("UPDATE people SET opted_out_since = %s WHERE id = %s", (since, person_id))
    words = {
        "opted_out": OptedOut.code,
        "opted_out_words": OptedOut.words,
        "unconfirmed": Unconfirmed.code,
        "unconfirmed_words": Unconfirmed.words,
    }
    await cursor.execute(_FAIL_WHAT_WAITS, {"person": person_id, **words})
    await cursor.execute(
        "UPDATE threads SET waiting_since = NULL, revision = revision + 1 WHERE person_id = %s", (person_id,)
    )


async def _opt_in(cursor: Any, person_id: int) -> None:
    await cursor.execute("UPDATE people SET opted_out_since = NULL WHERE id = %s", (person_id,))
    await cursor.execute("UPDATE threads SET revision = revision + 1 WHERE person_id = %s", (person_id,))


async def _wrote_since(cursor: Any, person_id: int, word: OptWord, moment: datetime) -> bool:
    """Say whether a person wrote this after *moment*: what they wrote at that moment has reached us too late, then."""
    await cursor.execute(
        """
        SELECT 1 FROM inbound i JOIN threads t ON t.id = i.thread_id
         WHERE t.person_id = %s AND i.word = %s AND i.written_at > %s LIMIT 1
        """,
        (person_id, word, moment),
    )
    return await cursor.fetchone() is not None


async def _helped_since(cursor: Any, person_id: int, moment: datetime) -> bool:
    await cursor.execute(
        """
        SELECT 1 FROM deliveries d JOIN threads t ON t.id = d.thread_id
         WHERE t.person_id = %s AND d.requested_at > %s AND d.automatic AND d.request_key LIKE 'help:%%' LIMIT 1
        """,
        (person_id, moment),
    )
    return await cursor.fetchone() is not None


async def _remark(
    cursor: Any, person_id: int, kind: str, payload: Mapping[str, str], *, key: str, at: datetime
) -> None:
    """Say it in every thread of a person's, once."""
    await cursor.execute(
        """
        INSERT INTO remarks (id, key, thread_id, kind, payload, made_at)
        SELECT gen_random_uuid(), %s || ':' || t.id, t.id, %s, %s, %s FROM threads t WHERE t.person_id = %s
        ON CONFLICT (key) DO NOTHING
        """,
        (f"{kind}:{key}", kind, Jsonb(dict(payload)), at, person_id),
    )
