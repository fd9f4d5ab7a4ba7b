"""Who looks after whom: claimed, handed over, done and open again, from the card, with two people in Slack."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sandbox.slack.driver import Message, Person
from sandbox.slack.modal_driver import Modal
from tests.acceptance.stage import over_one_transport
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def card(jane: Conversation) -> Message:
    """The card as it stands now."""
    [found] = [one for one in await jane.ana.sees(jane.home) if one.ts == jane.card.ts]
    return found


async def says(jane: Conversation, state: str, row: str | None = None) -> Message:
    """Wait until the second line of the card is this, or begins so if it ends with …, and the buttons are these."""

    async def said() -> Message | None:
        _, line, buttons = (now := await card(jane)).text.splitlines()
        fits = line.startswith(state[:-1]) if state.endswith("…") else line == state
        return now if fits and row in {None, buttons} else None

    try:
        return await jane.talk.sandbox.until(said)
    except TimeoutError:
        raise AssertionError(f"expected {state} {row or ''}, saw {(await card(jane)).text!r}") from None


async def told(jane: Conversation, person: Person) -> list[str]:
    """What only somebody sees in the channel, beside the answer to `/text`."""
    seen = [one.text for one in await person.sees_all(jane.home) if one.ephemeral]
    return [words for words in seen if not words.startswith("Texting ")]


async def is_told(jane: Conversation, words: str, person: Person) -> None:
    async def heard() -> bool:
        return words in await told(jane, person)

    try:
        await jane.talk.sandbox.until(heard)
    except TimeoutError:
        raise AssertionError(f"expected {words!r}, told {await told(jane, person)}") from None


async def rows(talk: Talk, query: str, *values: Any) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        return await (await connection.execute(query, values)).fetchall()


async def on_record(jane: Conversation) -> list[tuple[str, str, str | None]]:
    """What was done about a person, beside texting: who, what, and why or to whom."""
    return await rows(
        jane.talk,
        """
        SELECT user_name, action, reason FROM audit a JOIN threads t ON t.id = a.thread_id
         WHERE t.conversation_id = %s AND action <> 'send' ORDER BY a.id
        """,
        jane.home,
    )


async def form(jane: Conversation) -> Modal:
    """Wait for the form in front of Ana."""
    found = await jane.talk.sandbox.until(jane.ana.modal)
    assert found is not None
    return found


async def screens_are_late(talk: Talk) -> None:
    """Let people click on cards as they were for a while."""
    await talk.sandbox.order(vendor="slack", where="chat.update", kind="latency", seconds=2.0, times=None)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def in_peace(talk: Talk) -> AsyncIterator[None]:
    """No story leaves trouble behind."""
    yield
    await talk.sandbox.calm()


async def writes_first(talk: Talk) -> Conversation:
    """Somebody whom nobody looks after yet: she wrote to us, into a channel of her own."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies("Anybody there?")
    await jane.shows("Hi Jane", "Anybody there?")
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute(
            "UPDATE threads SET owner_id = NULL, owner_name = NULL, revision = revision + 1 WHERE conversation_id = %s",
            (jane.home,),
        )
    await says(jane, "🔵 iMessage · open · nobody yet · waiting since Today at …", "[Reply] [Claim] [Done] [⋯]")
    return jane


async def test_a_person_from_claim_to_done(talk: Talk) -> None:
    """Ben claims, a reply ends her wait, done is done by name, and her next text opens it again."""
    jane = await writes_first(talk)
    await jane.ben.clicks(await card(jane), "Claim")
    await says(jane, "🔵 iMessage · open · Ben Baker · waiting since Today at …", "[Reply] [Done] [⋯]")
    await jane.types("Yes!", by=jane.ben)
    await says(jane, "🔵 iMessage · open · Ben Baker")
    await jane.ana.clicks(await card(jane), "Done")
    await says(jane, "🔵 iMessage · done by Ana Alvarez", "[Reply] [Reopen] [⋯]")
    await jane.phone.replies("One more thing")
    await says(jane, "🔵 iMessage · open · Ben Baker · waiting since Today at …", "[Reply] [Done] [⋯]")
    assert await on_record(jane) == [("Ben Baker", "claim", None), ("Ana Alvarez", "done", None)]
    assert await told(jane, jane.ana) == await told(jane, jane.ben) == []


async def test_two_claim_at_once(talk: Talk) -> None:
    """One of them has her, and only the other is told who."""
    jane = await writes_first(talk)
    shown = await card(jane)
    await screens_are_late(talk)
    await asyncio.gather(jane.ana.clicks(shown, "Claim"), jane.ben.clicks(shown, "Claim"))
    [(winner, action, _)] = await on_record(jane)
    assert action == "claim"
    late = jane.ben if winner == "Ana Alvarez" else jane.ana
    number = jane.card.text.splitlines()[0]
    await is_told(jane, f"{winner} looks after {number} already.", late)
    assert await told(jane, jane.ana if late is jane.ben else jane.ben) == []
    await says(jane, f"🔵 iMessage · open · {winner} · waiting since Today at …")


async def test_taking_over_from_a_colleague(talk: Talk) -> None:
    """The menu's Claim takes a person over from whoever it named when it was opened, and from nobody else."""
    jane = await talk.begins("Hi Jane")
    number = jane.card.text.splitlines()[0]
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    await jane.ana.clicks(shown, "Claim")
    await is_told(jane, f"You look after {number} already.", jane.ana)
    await screens_are_late(talk)
    await jane.ben.clicks(shown, "Claim")
    await jane.ana.clicks(shown, "Claim")  # her screen still says that it is she
    await is_told(jane, f"Ben Baker looks after {number} already.", jane.ana)
    await says(jane, "🔵 iMessage · open · Ben Baker")
    assert [who for who, _, _ in await on_record(jane)] == ["Ben Baker"]


async def test_done_twice_and_open_twice(talk: Talk) -> None:
    """Whoever is second is told who was first, and nothing is recorded twice."""
    jane = await talk.begins("Hi Jane")
    number = jane.card.text.splitlines()[0]
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    await screens_are_late(talk)
    await jane.ana.clicks(shown, "Done")
    await jane.ben.clicks(shown, "Done")
    await is_told(jane, f"{number} is done already, Ana Alvarez said so.", jane.ben)
    await jane.ben.clicks(shown, "Claim")
    await is_told(jane, f"{number} is done, Ana Alvarez said so. Press Reopen first.", jane.ben)
    done = await says(jane, "🔵 iMessage · done by Ana Alvarez")
    await jane.ben.clicks(done, "Reopen")
    await jane.ana.clicks(done, "Reopen")
    await is_told(jane, f"{number} is open already.", jane.ana)
    await says(jane, "🔵 iMessage · open · Ana Alvarez")
    assert [action for _, action, _ in await on_record(jane)] == ["done", "reopen"]


async def test_what_was_not_answered_waits_again(talk: Talk) -> None:
    """Reopened by hand, the card says since when they wait; a text that was answered does not wait."""
    jane = await writes_first(talk)
    waiting = (await card(jane)).text.splitlines()[1]
    await jane.ana.clicks(await card(jane), "Done")
    await jane.ana.clicks(await says(jane, "🔵 iMessage · done by Ana Alvarez"), "Reopen")
    await says(jane, waiting)
    await jane.types("Here!")
    await jane.ana.clicks(await says(jane, "🔵 iMessage · open · Ana Alvarez"), "Done")
    await jane.ana.clicks(await says(jane, "🔵 iMessage · done by Ana Alvarez"), "Reopen")
    await says(jane, "🔵 iMessage · open · Ana Alvarez")


async def test_handing_a_person_over(talk: Talk) -> None:
    """The form names who has her, an app cannot, and whoever gets her is told once, with a link."""
    jane = await writes_first(talk)
    number = jane.card.text.splitlines()[0]
    await jane.ana.clicks(await card(jane), "Hand off…")
    assert (await form(jane)).text.splitlines() == [
        f"Who is to look after {number}?",
        "Nobody looks after them yet. Whoever you choose is told.",
    ]
    assert (await jane.ana.submits()).outcome == "invalid"
    for handle, words in {
        "texting": "That is an app. Choose a teammate.",
        "gus": "They may not text customers here. Choose somebody else.",
        "eve": "They may not text customers here. Choose somebody else.",
    }.items():
        await jane.ana.fills("Teammate", handle)
        refused = await jane.ana.submits()
        assert refused.modal is not None
        assert refused.modal.errors == {"Teammate": words}
    await jane.ana.fills("Teammate", "ben")
    assert (await jane.ana.submits()).outcome == "closed"
    await says(jane, "🔵 iMessage · open · Ben Baker · waiting since Today at …", "[Reply] [Done] [⋯]")

    async def heard() -> list[str]:
        return [one.text for one in await jane.ben.sees_dm() if number in one.text]

    [words] = await talk.sandbox.until(heard)
    first, second = words.splitlines()
    assert first == f"🤝 Ana Alvarez handed {number} over to you."
    assert second.startswith("They have been waiting since Today at ")
    assert second.endswith(" · Open the thread")
    assert await on_record(jane) == [("Ana Alvarez", "hand_off", jane.ben.user_id)]


async def test_handing_over_somebody_whom_a_colleague_took_meanwhile(talk: Talk) -> None:
    """The form says so and stays open; nothing changes hands."""
    jane = await talk.begins("Hi Jane")
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    await jane.ana.clicks(shown, "Hand off…")
    await form(jane)
    await jane.ben.clicks(shown, "Claim")
    await jane.ana.fills("Teammate", "ana")
    refused = await jane.ana.submits()
    assert refused.modal is not None
    assert refused.modal.errors == {"Teammate": "Meanwhile Ben Baker took over. Close this and look again."}
    await jane.ana.closes()
    await says(jane, "🔵 iMessage · open · Ben Baker")


async def test_a_check_mark_on_the_card(talk: Talk) -> None:
    """✅ means done, and open again when the last of them is taken off; nothing is typed or texted for it."""
    jane = await talk.begins("Hi Jane")
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    await jane.ben.reacts(shown, "white_check_mark")
    await says(jane, "🔵 iMessage · done by Ben Baker")
    await talk.sandbox.holds_events()
    await jane.ana.reacts(shown, "heavy_check_mark")
    await jane.ben.reacts(shown, "white_check_mark", remove=True)
    await jane.ana.reacts(shown, "eyes")
    assert await talk.sandbox.releases_events() >= 3  # they are answered now
    await says(jane, "🔵 iMessage · done by Ben Baker")
    await jane.ana.reacts(shown, "heavy_check_mark", remove=True)
    await says(jane, "🔵 iMessage · open · Ana Alvarez")
    assert await on_record(jane) == [("Ben Baker", "done", None), ("Ana Alvarez", "reopen", None)]
    await jane.received("Hi Jane")


async def test_a_guest_may_look_and_nothing_else(talk: Talk) -> None:
    """Neither a button nor a check mark of theirs changes anything, and they alone are told."""
    jane = await talk.begins("Hi Jane", home=await talk.channel("gus"))
    gus = talk.sandbox.person("gus")
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    words = "⚠️ Guests cannot text customers or see the address book here."
    for do in (gus.clicks(shown, "Done"), gus.reacts(shown, "white_check_mark")):
        before = len(await told(jane, gus))
        await do

        async def heard(before: int = before) -> bool:
            return len(now := await told(jane, gus)) > before and now[-1].startswith(words)

        await talk.sandbox.until(heard)
    await says(jane, "🔵 iMessage · open · Ana Alvarez")
    assert {action for _, action, _ in await on_record(jane)} <= {"refusal"}


async def test_a_contact_card_and_a_new_contact(talk: Talk) -> None:
    """The menu offers to add who is unknown, with the number filled in, and then shows what the book has."""
    jane = await talk.begins("Hi Jane")
    number = jane.card.text.splitlines()[0]
    await jane.ana.clicks(await says(jane, "🔵 iMessage · open · Ana Alvarez"), "Add contact")
    assert (await form(jane)).values["Phone number or email address"] == number
    await jane.ana.fills("Name", "Jane Doe")
    await jane.ana.submits()

    async def named() -> Message | None:
        return now if (now := await card(jane)).text.startswith("Jane Doe · ") else None

    await jane.ben.clicks(await talk.sandbox.until(named), "Contact card")

    async def shown() -> bool:
        return any(one.startswith(f"Jane Doe · {number}") for one in await told(jane, jane.ben))

    await talk.sandbox.until(shown)
    await jane.ana.closes(everything=True)


@over_one_transport
async def test_a_click_that_cannot_be_stored(talk: Talk) -> None:
    """Whoever clicked is told in time, and the next click works."""
    jane = await talk.begins("Hi Jane")
    shown = await says(jane, "🔵 iMessage · open · Ana Alvarez")
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute("SELECT 1 FROM threads WHERE conversation_id = %s FOR UPDATE", (jane.home,))
        assert (await jane.ben.clicks(shown, "Done")).error is None
        await is_told(jane, "⚠️ We could not save that, so nothing was changed. Try again in a minute.", jane.ben)
    await jane.ben.clicks(shown, "Done")
    await says(jane, "🔵 iMessage · done by Ben Baker")
