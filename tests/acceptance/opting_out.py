"""What stories about opting out look at again and again."""

from typing import Any

import psycopg

from bot.storage.contacts import Contacts
from bot.texting.model import Address, Contact
from sandbox.blooio.trouble import SEND, ordered
from sandbox.slack.driver import Message, Person
from sandbox.slack.modal_driver import Modal
from tests.acceptance.talking import Conversation, Talk

STOPPED = "You will get no more texts from Acme. Reply START to get them again."
STARTED = "You will get texts from Acme again. Reply STOP to get no more."
HELPED = "This is Acme. We read what you text here, and answer. Reply STOP to get no more texts."
UNTIL = "Nothing is texted to them until they write START."
ALLOW = "Allow texts again…"
FAILED = "⚠️ Not sent. They opted out of texts. They can write START to get them again, or an admin can allow it."


def number(jane: Conversation) -> str:
    return jane.card.text.splitlines()[0]


def refused(jane: Conversation, who: str = "") -> str:
    """What everybody is told who wants to text somebody who opted out; up to the day."""
    return f"{who or number(jane)} opted out of texts on "


async def card(jane: Conversation) -> Message:
    [found] = [one for one in await jane.ana.sees(jane.home) if one.ts == jane.card.ts]
    return found


async def says(jane: Conversation, state: str) -> None:
    """Wait until the second line of the card begins like this."""

    async def said() -> bool:
        return (await card(jane)).text.splitlines()[1].startswith(state)

    try:
        await jane.talk.sandbox.until(said)
    except TimeoutError:
        raise AssertionError(f"expected {state}, saw {(await card(jane)).text!r}") from None


async def begins(talk: Talk) -> Conversation:
    """Somebody who has got a text."""
    jane = await talk.begins("Hi Jane")
    await jane.received("Hi Jane")
    return jane


async def stops(talk: Talk, *, named: str | None = None) -> Conversation:
    """Somebody who has opted out, and whose thread says so."""
    jane = await begins(talk)
    if named is not None:
        await Contacts(talk.stage.app.pool).put([Contact(Address(jane.phone.address), named)])
    await jane.phone.replies("STOP")
    await jane.shows("Hi Jane", "STOP", "🚫", STOPPED)
    await jane.received("Hi Jane", STOPPED)
    return jane


async def told(jane: Conversation, person: Person | None = None) -> list[Message]:
    """What only somebody (Ana) sees in the channel and its threads."""
    return [one for one in await (person or jane.ana).sees_all(jane.home) if one.ephemeral]


async def is_told(jane: Conversation, words: str, person: Person | None = None) -> Message:
    """Wait until the last thing that somebody (Ana) alone sees there begins like this."""

    async def heard() -> Message | None:
        said = await told(jane, person)
        return said[-1] if said and said[-1].text.startswith(words) else None

    try:
        message = await jane.talk.sandbox.until(heard)
    except TimeoutError:
        raise AssertionError(f"expected {words!r}, told {[one.text for one in await told(jane, person)]}") from None
    assert message is not None
    return message


async def form(talk: Talk, title: str, *words: str, by: Person | None = None) -> Modal:
    """Wait until the form in front of somebody (Ana) has this title and says all of these."""
    seen: Modal | None = None

    async def shown() -> Modal | None:
        nonlocal seen
        seen = await (by or talk.stage.ana).modal()
        return seen if seen and seen.title == title and all(one in seen.text for one in words) else None

    try:
        modal = await talk.sandbox.until(shown)
    except TimeoutError:
        raise AssertionError(f"expected {title} {words}, saw {seen and (seen.title, seen.text)}") from None
    assert modal is not None
    return modal


async def rows(talk: Talk, query: str, *values: Any) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        return await (await connection.execute(query, values)).fetchall()


async def order(talk: Talk, name: str, jane: Conversation, **changes: Any) -> None:
    """Order one fault of Blooio's for one person."""
    fault = ordered(name, **changes)
    where = (SEND if fault.where == "*" else fault.where).replace("*", jane.phone.address, 1)
    given = {"status": fault.status, "retry_after": fault.retry_after, "body": fault.body, "times": fault.times}
    await talk.sandbox.order(vendor="blooio", where=where, kind=fault.kind, **given, seconds=fault.seconds)


async def under(jane: Conversation, words: str, line: str, *, timeout: float = 10) -> Message:
    """Wait until a text stands in the thread with such a line below its words."""

    async def there() -> Message | None:
        for one in await jane.sees():
            if one.text.startswith(words) and line in one.text:
                return one
        return None

    try:
        found = await jane.talk.sandbox.until(there, timeout=timeout)
    except TimeoutError:
        raise AssertionError(f"expected {words} … {line}, saw {[one.text for one in await jane.sees()]}") from None
    assert found is not None
    return found
