"""Two people write to the same person at the same time: each of them is told."""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from sandbox.slack.driver import Message, Person
from sandbox.slack.modal_driver import Modal
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def in_peace(talk: Talk) -> AsyncIterator[None]:
    """No story leaves a form open."""
    yield
    await talk.sandbox.calm()
    for person in (talk.stage.ana, talk.stage.ben):
        if await person.modal():
            await person.closes(everything=True)


async def replies(jane: Conversation, person: Person) -> Modal:
    """Press Reply on the card; return the form when it says what they can get."""
    [card] = [one for one in await person.sees(jane.home) if one.ts == jane.card.ts]
    await person.clicks(card, "Reply")

    async def opened() -> Modal | None:
        form = await person.modal()
        return form if form is not None and "🔵 iMessage available" in form.text else None

    form = await jane.talk.sandbox.until(opened)
    assert form is not None
    return form


async def test_whoever_comes_second_is_told(talk: Talk) -> None:
    """The form says who is writing already; once that one has sent or closed the form, it does not."""
    jane = await talk.begins("Hi Jane")
    assert "✍️" not in (await replies(jane, jane.ana)).text
    assert "✍️ Ana Alvarez is writing to them right now." in (await replies(jane, jane.ben)).text.splitlines()
    await jane.ben.closes()
    await jane.ana.fills("Message", "I have it")
    assert (await jane.ana.submits()).outcome == "closed"

    async def nobody_writes() -> bool:
        async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
            cursor = await connection.execute("SELECT 1 FROM writers WHERE address = %s", (jane.phone.address,))
            return await cursor.fetchone() is None

    await talk.sandbox.until(nobody_writes)
    await jane.received("Hi Jane", "I have it")
    assert "✍️" not in (await replies(jane, jane.ben)).text


async def test_whoever_types_in_the_thread_meanwhile_is_asked(talk: Talk) -> None:
    """A reply that crosses with a form is texted only if its author still wants that."""
    jane = await talk.begins("Hi Jane")
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute("UPDATE deliveries SET requested_at = requested_at - interval '1 minute'")
    await replies(jane, jane.ana)
    typed = await jane.types("I have it", by=jane.ben)

    async def question() -> Message | None:
        seen = [one for one in await jane.ben.sees_all(jane.home) if one.ephemeral and "⏸️" in one.text]
        return seen[-1] if seen else None

    asked = await talk.sandbox.until(question)
    assert asked is not None
    assert "@Ana Alvarez is writing to them right now" in asked.text
    await jane.is_marked(typed, "double_vertical_bar")
    await jane.received("Hi Jane")
    await jane.ana.closes()

    async def nobody_writes() -> bool:
        async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
            query = "SELECT count(*) FROM writers WHERE address = %s"
            return await (await connection.execute(query, [jane.phone.address])).fetchone() == (0,)

    await talk.sandbox.until(nobody_writes)
    await jane.types("Here", by=jane.ben)
    await jane.received("Hi Jane", "Here")


async def test_a_form_left_open_is_forgotten(talk: Talk) -> None:
    """Slack does not always say that a form was closed: after three minutes nobody is kept from writing."""
    jane = await talk.begins("Hi Jane")
    await replies(jane, jane.ana)
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute(
            "UPDATE writers SET since = since - interval '3 minutes' WHERE address = %s", (jane.phone.address,)
        )
    assert "✍️" not in (await replies(jane, jane.ben)).text


async def test_a_colleagues_text_goes_out_meanwhile(talk: Talk) -> None:
    """Whoever sends second is told once what the first said; pressing Send again sends theirs too."""
    jane = await talk.begins("Hi Jane")
    for person in (jane.ana, jane.ben):
        await replies(jane, person)
        await person.fills("Message", f"{person.name} here")
    assert (await jane.ben.submits()).outcome == "errors"  # Ana's first text went out a moment ago
    assert (await jane.ben.submits()).outcome == "closed"
    await jane.received("Hi Jane", "Ben Baker here")
    held = await jane.ana.submits()
    assert held.modal is not None
    assert held.modal.errors == {
        "Message": "Meanwhile Ben Baker texted them: “Ben Baker here”. Press Send again to send yours too."
    }
    await jane.received("Hi Jane", "Ben Baker here")
    assert (await jane.ana.submits()).outcome == "closed"
    await jane.received("Hi Jane", "Ben Baker here", "Ana Alvarez here")


async def test_one_of_two_lets_it_be(talk: Talk) -> None:
    """Who closes the form instead has sent nothing, and what colleagues texted before is no news to the next."""
    jane = await talk.begins("Hi Jane")
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute("UPDATE deliveries SET requested_at = requested_at - interval '11 seconds'")
    await replies(jane, jane.ben)
    await jane.ben.fills("Message", "Never mind")
    await jane.ben.closes()
    await replies(jane, jane.ben)
    await jane.ben.fills("Message", "Your order is ready")
    assert (await jane.ben.submits()).outcome == "closed"
    await jane.received("Hi Jane", "Your order is ready")
