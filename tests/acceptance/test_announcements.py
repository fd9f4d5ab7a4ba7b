"""A new text in an old thread: the channel hears of it once in a while, and each channel chooses how often."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sandbox.slack.driver import Message, Person
from sandbox.slack.modal_driver import Modal
from tests.acceptance.stage import is_card, over_one_transport
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def in_peace(talk: Talk) -> AsyncIterator[None]:
    """No story leaves trouble behind."""
    yield
    await talk.sandbox.calm()


async def do(talk: Talk, query: str, *values: Any) -> None:
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        await connection.execute(query, values)


async def time_passes(talk: Talk, home: str) -> None:
    """Let all that happened in a channel have happened two hours before."""
    for query in (
        "UPDATE channels SET announced_at = announced_at - interval '2 hours' WHERE conversation_id = %s",
        "UPDATE threads SET card_posted_at = card_posted_at - interval '2 hours' WHERE conversation_id = %s",
    ):
        await do(talk, query, home)


async def old_threads(talk: Talk, *names: str) -> list[Conversation]:
    """People in one channel whose cards are hours old, all of them answered."""
    home = await talk.channel()
    people = [await talk.begins(f"Hi {name}", home=home) for name in names]
    for person, name in zip(people, names, strict=True):
        query = (
            "WITH named AS (UPDATE people SET name = %s WHERE address = %s RETURNING id)"
            " UPDATE threads t SET revision = revision + 1 FROM named WHERE t.person_id = named.id"
        )
        await do(talk, query, name, person.phone.address)
    await time_passes(talk, home)
    return people


async def announcements(talk: Talk, home: str) -> list[Message]:
    """What the bot posted in a channel beside cards."""
    seen = await talk.stage.ana.sees(home)
    return [one for one in seen if one.author == "Texting" and not one.ephemeral and not is_card(one)]


async def announces(talk: Talk, home: str, *lines: str) -> list[Message]:
    """Wait until these are the announcements in a channel; return them."""

    async def shown() -> bool:
        return [one.text for one in await announcements(talk, home)] == list(lines)

    try:
        await talk.sandbox.until(shown)
        return await announcements(talk, home)
    except TimeoutError:
        raise AssertionError(f"expected {lines}, saw {[one.text for one in await announcements(talk, home)]}") from None


async def posts(talk: Talk, home: str) -> int:
    """How often something was posted into a channel itself: each time is noise."""
    made = await talk.sandbox.exchanges(vendor="slack", name="chat.postMessage")
    return sum(one["body"].get("channel") == home and not one["body"].get("thread_ts") for one in made)


async def test_one_message_however_many_write(talk: Talk) -> None:
    """Who else writes and who answers is edited into it; each name leads to the text in its thread."""
    jane, sam = await old_threads(talk, "Jane Doe", "Sam <!here>")
    before = await posts(talk, jane.home)
    await jane.phone.replies("Anybody there?")
    [shown] = await announces(talk, jane.home, "💬 Jane Doe wrote")
    seen = await jane.shows("Hi Jane Doe", "Anybody there?")
    [(label, url)] = shown.links
    assert label == "Jane Doe"
    assert url.endswith(f"/p{seen[1].ts.replace('.', '')}?thread_ts={jane.card.ts}&cid={jane.home}")
    await jane.phone.replies("Hello?")
    await sam.phone.replies("Hi all")
    [again] = await announces(talk, jane.home, "💬 Jane Doe wrote 2 texts · Sam <!here> wrote")
    assert (again.ts, again.mentions) == (shown.ts, [])
    await jane.types("Yes!", by=jane.ben)
    await announces(talk, jane.home, "💬 Jane Doe wrote 2 texts, Ben Baker answered · Sam <!here> wrote")
    await sam.ana.clicks(sam.card, "Done")
    await announces(
        talk, jane.home, "💬 Jane Doe wrote 2 texts, Ben Baker answered · Sam <!here> wrote, done by Ana Alvarez"
    )
    assert await posts(talk, jane.home) == before + 1


async def test_the_next_text_after_the_interval_is_a_new_message(talk: Talk) -> None:
    """Within it nothing is posted, after it whoever wrote since is named, and the old message stays as it was."""
    jane, sam = await old_threads(talk, "Jane Doe", "Sam")
    await jane.phone.replies("One")
    await announces(talk, jane.home, "💬 Jane Doe wrote")
    await time_passes(talk, jane.home)
    await sam.phone.replies("Two")
    old, new = await announces(talk, jane.home, "💬 Jane Doe wrote", "💬 Sam wrote")
    await jane.phone.replies("Three")
    await announces(talk, jane.home, "💬 Jane Doe wrote", "💬 Sam wrote · Jane Doe wrote")
    assert old.ts < new.ts


async def test_a_new_card_is_announcement_enough(talk: Talk) -> None:
    """Somebody whose card has just come is not announced, and others in the same channel are."""
    (jane,) = await old_threads(talk, "Jane Doe")
    new = await talk.begins("Hi", home=jane.home)
    await new.phone.replies("Hello")
    await new.shows("Hi", "Hello")
    await jane.phone.replies("Anybody?")
    await announces(talk, jane.home, "💬 Jane Doe wrote")


async def test_a_message_that_somebody_deleted(talk: Talk) -> None:
    """It is not posted again, and the next interval has its own."""
    jane, sam = await old_threads(talk, "Jane Doe", "Sam")
    await jane.phone.replies("One")
    [shown] = await announces(talk, jane.home, "💬 Jane Doe wrote")
    await talk.stage.ana.deletes(jane.home, shown.ts)
    await jane.phone.replies("Two")
    await jane.shows("Hi Jane Doe", "One", "Two")
    await announces(talk, jane.home)
    await time_passes(talk, jane.home)
    await sam.phone.replies("Three")
    await announces(talk, jane.home, "💬 Sam wrote")


async def test_a_lost_answer_does_not_make_two(talk: Talk) -> None:
    """The post whose answer never came is found again, and says the latest."""
    jane, sam = await old_threads(talk, "Jane Doe", "Sam")
    await jane.phone.replies("One")
    await announces(talk, jane.home, "💬 Jane Doe wrote")
    await time_passes(talk, jane.home)
    before = await posts(talk, jane.home)
    await talk.sandbox.order(vendor="slack", where="chat.postMessage", kind="drop_after", skip=1)
    await sam.phone.replies("Two")
    await sam.shows("Hi Sam", "Two")
    await announces(talk, jane.home, "💬 Jane Doe wrote", "💬 Sam wrote")
    await jane.phone.replies("Three")
    await announces(talk, jane.home, "💬 Jane Doe wrote", "💬 Sam wrote · Jane Doe wrote")
    assert await posts(talk, jane.home) == before + 1


async def choose(talk: Talk, person: Person, home: str, **choices: str) -> None:
    """Open the settings of a channel, choose and save."""
    await person.types(home, "/text settings")
    assert await talk.sandbox.until(person.modal) is not None
    for label, choice in choices.items():
        await person.fills({"replies": "Replies in threads", "announce": "Announce new texts here"}[label], choice)
    assert (await person.submits()).outcome == "closed"


async def test_a_channel_chooses(talk: Talk) -> None:
    """The form shows what is so, says what it comes to, and what was chosen is kept and on record."""
    home = await talk.channel()
    ana = talk.stage.ana
    await ana.types(home, "/text settings")
    form: Modal | None = await talk.sandbox.until(ana.modal)
    assert form is not None
    assert form.title == "Channel settings"
    assert form.values == {"Replies in threads": "Are texted", "Announce new texts here": "At most every hour"}
    await ana.closes()
    await choose(talk, ana, home, replies="Only with the Reply button or @Texting", announce="At most once a day")

    async def said() -> list[str]:
        return [one.text for one in await ana.sees_all(home) if one.ephemeral and one.text.startswith("⚙️")]

    [words] = await talk.sandbox.until(said)
    assert words == (
        "⚙️ Saved. Replies in threads here stay here, unless they are written with the Reply button or name @Texting. "
        "New texts in old threads are announced at most once a day."
    )
    await talk.stage.ben.types(home, "/text settings")
    form = await talk.sandbox.until(talk.stage.ben.modal)
    assert form is not None
    assert form.values == {
        "Replies in threads": "Only with the Reply button or @Texting",
        "Announce new texts here": "At most once a day",
    }
    await talk.stage.ben.closes()
    async with await psycopg.AsyncConnection.connect(talk.database_url) as connection:
        cursor = await connection.execute(
            "SELECT user_name, action, reason FROM audit WHERE conversation_id = %s", (home,)
        )
        assert await cursor.fetchall() == [("Ana Alvarez", "settings", "replies=asked_for quiet_minutes=1440")]


async def test_a_channel_that_only_shows_what_comes_in(talk: Talk) -> None:
    """The cards lose their Reply button at once and get it back, and what is typed there stays there."""
    [jane] = await old_threads(talk, "Jane Doe")

    async def row(expected: str) -> None:
        async def drawn() -> bool:
            return (await talk.stage.cards(jane.home))[0].text.splitlines()[-1] == expected

        await talk.sandbox.until(drawn)

    await row("[Reply] [Done] [⋯]")
    await choose(talk, talk.stage.ana, jane.home, replies="Never: this channel only shows what comes in")
    await row("[Done] [⋯]")
    await jane.types("Nobody gets this")
    await choose(talk, talk.stage.ana, jane.home, replies="Are texted")
    await row("[Reply] [Done] [⋯]")
    await jane.types("This is for you")
    await jane.received("Hi Jane Doe", "This is for you")


async def test_a_channel_that_wants_no_announcements(talk: Talk) -> None:
    """It gets none, and once it wants them again, none of what was before."""
    jane, sam = await old_threads(talk, "Jane Doe", "Sam")
    await choose(talk, talk.stage.ana, jane.home, announce="Never")
    await jane.phone.replies("One")
    await jane.shows("Hi Jane Doe", "One")
    await choose(talk, talk.stage.ana, jane.home, announce="At most every 15 minutes")
    await sam.phone.replies("Two")
    await announces(talk, jane.home, "💬 Sam wrote")


async def test_settings_are_for_channels(talk: Talk) -> None:
    """In direct messages the person is told where to type it."""
    shown = await talk.stage.ana.types("@bot", "/text settings")
    assert shown.text == "Settings are for channels. Type /text settings in the channel that you want to change."
    assert await talk.stage.ana.modal() is None


@over_one_transport
async def test_settings_where_the_bot_is_not(talk: Talk) -> None:
    """A private channel has to invite it first."""
    home = await talk.sandbox.creates_channel("just-us", members=["ana", "ben"], private=True)
    shown = await talk.stage.ana.types(home, "/text settings")
    assert shown.text == "I am not in this channel yet. Type /invite @texting here, then /text settings again."
