"""A conversation lives in its thread: what they write appears there, and what is typed there goes out."""

import pytest

from tests.acceptance.talking import Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_answer_and_a_reply(talk: Talk) -> None:
    """Their text stands in the thread under their name; the reply reaches the phone once and is marked delivered."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies("On my way!")
    await jane.shows("Hi Jane", "On my way!")
    typed = await jane.types("See you at the desk", by=jane.ben)
    await jane.received("Hi Jane", "See you at the desk")
    await jane.is_marked(typed, "white_check_mark")


async def test_a_note_stays_here(talk: Talk) -> None:
    """What begins with an exclamation mark is marked as a note and never texted."""
    jane = await talk.begins("Hi Jane")
    note = await jane.types("!she is a VIP, be nice")
    await jane.is_marked(note, "memo")
    await jane.types("Anything else?")
    await jane.received("Hi Jane", "Anything else?")


async def test_somebody_unknown_writes(talk: Talk) -> None:
    """A card in the inbox channel, and their text under it."""
    phone = await talk.meets()
    await phone.replies("Is this the shop?")
    conversation = await talk.conversation(phone, "#general")
    await conversation.shows("Is this the shop?")
