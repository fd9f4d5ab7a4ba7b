"""The thread of a person: one for good, wherever they are texted from and whatever happens to it."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from sandbox.blooio.driver import Phone
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person, Shown
from tests.acceptance.stage import Stage, bot_beside, is_card, over_one_transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_PLACE = (
    "⚠️ I am not in this channel, so there is nowhere to show the answer. "
    "Type /invite @texting here, then send your text again."
)
NO_PLACE_IN_DM = (
    "⚠️ A text needs a place for its thread, and I cannot join a direct message. "
    "Send it from a channel, or from your messages with me."
)


_numbers = itertools.count(1)


@dataclass(frozen=True)
class Story:
    """Somebody to text who is in no other story, and a channel of Ana's, Ben's and the bot's for it."""

    stage: Stage
    number: str
    phone: Phone
    name: str  # the channel's
    home: str  # its id

    @property
    def shown(self) -> str:
        """The number as the bot writes it."""
        return f"+1 {self.number[2:5]}-{self.number[5:8]}-{self.number[8:]}"

    async def text(self, words: str, *, by: Person | None = None, where: str = "") -> Shown:
        """Let somebody (Ana) text the person from somewhere (the story's channel)."""
        return await (by or self.stage.ana).types(where or self.home, f"/text {self.number} {words}")

    async def posts(self, where: str = "") -> list[Message]:
        """What the bot posted at the root of a conversation."""
        return [one for one in await self.stage.ana.sees(where or self.home) if one.raw["by_app"] and not one.ephemeral]

    async def bodies(self, where: str = "") -> list[list[str]]:
        """The first lines of the texts in each thread of a conversation, tombstones included, oldest thread first."""
        ana, where = self.stage.ana, where or self.home
        parents = [one for one in await ana.sees(where) if one.reply_count]
        threads = [await ana.sees_thread(where, parent.ts) for parent in parents]
        return [[text.text.splitlines()[0] for text in thread] for thread in threads]

    async def shows(self, *threads: list[str], where: str = "") -> None:
        """Wait until a conversation shows these threads."""

        async def shown() -> bool:
            return await self.bodies(where) == list(threads)

        try:
            await self.stage.sandbox.until(shown)
        except TimeoutError:
            raise AssertionError(f"expected {list(threads)}, saw {await self.bodies(where)}") from None

    async def stored(self) -> int:
        """Count the texts to this person that are stored."""
        async with self.stage.app.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM deliveries d JOIN threads t ON t.id = d.thread_id"
                " JOIN people p ON p.id = t.person_id WHERE p.address = %s",
                (self.number,),
            )
            (count,) = await cursor.fetchone() or (0,)
        return int(count)

    async def calls(self, name: str) -> int:
        """Count the calls of a method of Slack's about the story's channel."""
        found = await self.stage.sandbox.exchanges(vendor="slack", name=name)
        return sum(one["body"].get("channel") == self.home for one in found)


async def new_story(stage: Stage) -> Story:
    number = f"+1555300{2 * next(_numbers):04}"
    phone = stage.sandbox.phone(number)
    await phone.becomes(sent_after=0, delivered_after=0.1)
    name = f"story-{number[-4:]}"
    home = await stage.sandbox.creates_channel(name, members=["ana", "ben", "bot"])
    return Story(stage, number, phone, name, home)


@pytest_asyncio.fixture(loop_scope="module")
async def story(shared_stage: Stage) -> AsyncIterator[Story]:
    yield await new_story(shared_stage)
    await shared_stage.sandbox.calm()


async def test_one_person_has_one_thread(story: Story) -> None:
    """Ben's text goes to the thread that Ana's began, each under their author's name and picture."""
    assert (await story.text("Hi Jane")).text == f"Texting {story.shown}."
    await story.shows(["Hi Jane"])
    answer = await story.text("See you at the desk", by=story.stage.ben)
    await story.shows(["Hi Jane", "See you at the desk"])

    state = [story.shown, "🔵 iMessage · open · Ana Alvarez", "[Reply] [Done] [⋯]"]

    async def card_is_drawn() -> Message | None:
        (card,) = await story.posts()
        return card if card.text.splitlines() == state else None

    card = await story.stage.sandbox.until(card_is_drawn)
    assert is_card(card)
    texts = await story.stage.ana.sees_thread(story.home, card.ts)
    assert [text.author for text in texts] == ["Ana Alvarez", "Ben Baker"]
    assert [text.raw["image"].rpartition("/")[2] for text in texts] == [
        f"{person.user_id}.svg" for person in (story.stage.ana, story.stage.ben)
    ]
    assert answer.text == f"Texting {story.shown}. Open the thread"
    assert f"/archives/{story.home}/p{card.ts.replace('.', '')}|Open the thread>" in str(answer.raw)


async def test_texts_keep_their_order(story: Story) -> None:
    """Texts sent in quick succession arrive, and are shown, in the order in which they were sent."""
    words = ["one", "two", "three", "four", "five"]
    for number, word in enumerate(words):
        await story.text(word, by=(story.stage.ana, story.stage.ben)[number % 2])

    assert [text.text for text in await story.phone.received(5)] == words
    await story.shows(words)


async def test_words_are_shown_as_they_were_sent(story: Story) -> None:
    """The thread shows what the phone got, and nothing in it mentions, links or formats anything."""
    await story.text("*hi* <b> & <!channel> @here\n:wave: `x`")
    (text,) = await story.phone.received(1)
    assert text.text == "*hi* <b> & <!channel> @here\n👋 `x`"

    await story.shows(["*hi* <b> & <!channel> @here"])
    (card,) = await story.posts()
    (message,) = await story.stage.ana.sees_thread(story.home, card.ts)
    assert message.blocks[0]["text"] == {"type": "plain_text", "text": text.text, "emoji": False}
    assert message.raw["text"].startswith("*hi* &lt;b&gt; &amp; &lt;!channel&gt; @here\n👋 `x`")


@over_one_transport
async def test_a_text_is_one_message(story: Story) -> None:
    """A text is posted once, below a card posted once; every news of it is an edit."""
    await story.text("Hi Jane")
    await story.stage.settles("🔵 iMessage · Delivered", where=story.home)
    await story.text("Bye Jane")
    await story.stage.settles("🔵 iMessage · Delivered", "🔵 iMessage · Delivered", where=story.home)

    assert await story.calls("chat.postMessage") == 3
    assert await story.calls("chat.update") >= 2


async def test_from_another_channel(story: Story) -> None:
    """A text from elsewhere goes to the person's thread; the answer says where that is, and elsewhere stays quiet."""
    other = await story.stage.sandbox.creates_channel(f"{story.name}-other", members=["ana", "ben", "bot"])
    await story.text("Hi Jane")
    await story.shows(["Hi Jane"])

    answer = await story.text("from elsewhere", by=story.stage.ben, where=other)

    assert answer.text == f"Texting {story.shown}. Their thread is in #{story.name}. Open the thread"
    await story.shows(["Hi Jane", "from elsewhere"])
    assert await story.posts(other) == []


async def test_from_the_messages_with_the_bot(story: Story) -> None:
    """A thread may live in somebody's messages with the bot; it comes out when a colleague texts the person."""
    await story.text("Hi Jane", where="@bot")
    await story.shows(["Hi Jane"], where="@bot")
    answer = await story.text("from a channel")
    assert answer.text == f"Texting {story.shown}. Their thread is in another conversation. Open the thread"
    await story.shows(["Hi Jane", "from a channel"], where="@bot")
    assert await story.posts() == []

    answer = await story.text("by a colleague", by=story.stage.ben)

    assert answer.text == f"Texting {story.shown}."
    await story.shows(["by a colleague"])
    await story.shows(["Hi Jane", "from a channel"], where="@bot")


async def test_card_deleted(story: Story) -> None:
    """When somebody deletes a card, the next text gets a new one, once, and nothing lands outside a thread."""
    await story.text("one")
    await story.shows(["one"])
    (card,) = await story.posts()
    await story.stage.ana.deletes(story.home, card.ts)

    await story.text("two")
    await story.shows(["one"], ["two"])
    await story.text("three")
    await story.shows(["one"], ["two", "three"])

    (new_card,) = await story.posts()
    assert is_card(new_card)


async def test_card_and_texts_deleted(story: Story) -> None:
    """When somebody deletes a whole thread, the next text begins a new one."""
    await story.text("one")
    (message,) = await story.stage.settles("🔵 iMessage", where=story.home)
    (card,) = await story.posts()
    await story.stage.ana.deletes(story.home, message.ts)
    await story.stage.ana.deletes(story.home, card.ts)
    assert await story.posts() == []

    await story.text("two")
    await story.text("three")

    await story.shows(["two", "three"])
    assert len(await story.posts()) == 1


@over_one_transport
async def test_text_deleted(story: Story) -> None:
    """When somebody deletes a text's message, it stays deleted, and the thread goes on."""
    await story.phone.becomes(unreachable=True)
    await story.text("one")
    (message,) = await story.stage.settles("🔵 iMessage · Sent", where=story.home)
    await story.stage.ana.deletes(story.home, message.ts)

    await story.phone.becomes(unreachable=False)
    await story.text("two")

    await story.stage.settles("🔵 iMessage · Delivered", where=story.home)
    await story.shows(["two"])
    assert await story.calls("chat.postMessage") == 3


async def test_public_channel_without_the_bot(story: Story) -> None:
    """The bot joins a public channel where somebody texts from."""
    other = await story.stage.sandbox.creates_channel(f"{story.name}-new", members=["ana"])
    assert (await story.text("Hi Jane", where=other)).text == f"Texting {story.shown}."
    await story.shows(["Hi Jane"], where=other)


async def test_private_channel_without_the_bot(story: Story) -> None:
    """In a private channel the bot has to be invited first; then the same words work."""
    other = await story.stage.sandbox.creates_channel(f"{story.name}-secret", members=["ana"], private=True)

    answer = await story.text("Hi Jane", where=other)
    assert answer.text == f"{NO_PLACE}\nYou typed:\n/text {story.number} Hi Jane"
    assert await story.stored() == 0
    assert await story.posts(other) == []

    await story.stage.sandbox.changes_members(other, "bot", by="ana")
    assert (await story.text("Hi Jane", where=other)).text == f"Texting {story.shown}."
    await story.shows(["Hi Jane"], where=other)
    assert [text.text for text in await story.phone.received(1)] == ["Hi Jane"]


async def test_direct_message_between_two_people(story: Story) -> None:
    """Between two people there is no place for a thread, and the answer says where there is."""
    answer = await story.text("Hi Jane", where="@ben")
    assert answer.text == f"{NO_PLACE_IN_DM}\nYou typed:\n/text {story.number} Hi Jane"
    assert await story.stored() == 0
    assert await story.phone.texts() == []


@pytest.mark.parametrize("where", ["#vip", "@ben"], ids=["a private channel", "a direct message"])
async def test_places_without_the_bot_reach_a_thread_elsewhere(story: Story, where: str) -> None:
    """Where no thread could live, a person who has one can be texted all the same."""
    await story.text("Hi Jane")
    await story.shows(["Hi Jane"])

    answer = await story.text("from a closed place", where=where)

    assert answer.text == f"Texting {story.shown}. Their thread is in #{story.name}. Open the thread"
    await story.shows(["Hi Jane", "from a closed place"])


async def test_removed_from_a_public_channel(story: Story) -> None:
    """The bot comes back to a public channel that it was removed from, when there is something to show in it."""
    await story.text("one")
    await story.shows(["one"])
    await story.stage.sandbox.changes_members(story.home, "bot", remove=True)
    await story.text("two")
    await story.shows(["one", "two"])


async def test_removed_from_a_private_channel(story: Story) -> None:
    """A thread whose channel put the bot out goes on in the messages between its author and the bot."""
    sandbox = story.stage.sandbox
    other = await sandbox.creates_channel(f"{story.name}-secret", members=["ben", "bot"], private=True)
    await story.text("one", by=story.stage.ben, where=other)
    await story.phone.received(1)
    await sandbox.changes_members(other, "bot", remove=True)

    await story.text("two", by=story.stage.ben, where=other)

    assert [text.text for text in await story.phone.received(2)] == ["one", "two"]
    await sandbox.until(lambda: _in_dm(story.stage.ben, story.shown, "two"))


async def test_archived_before_it_was_drawn(story: Story) -> None:
    """A text accepted in a channel that is archived a moment later is sent, and shown to its author."""
    sandbox = story.stage.sandbox
    await sandbox.order(vendor="slack", where="chat.postMessage", kind="status", status=503, times=1)
    await story.text("one")
    await sandbox.archives(story.home)

    assert [text.text for text in await story.phone.received(1)] == ["one"]
    await sandbox.until(lambda: _in_dm(story.stage.ana, story.shown, "one"))
    assert await story.posts() == []


#: What a phone is like, and the receipt of a text to it.
RECEIPTS: dict[str, tuple[dict[str, object], str]] = {
    "an iPhone": ({}, "🔵 iMessage · Delivered"),
    "an SMS of which nobody says more": ({"imessage": False}, "🟢 SMS · Sent"),
    "an SMS whose carrier reports": ({"imessage": False, "sms_delivers": True}, "🟢 SMS · Delivered"),
    "a phone with RCS": ({"imessage": False, "rcs": True}, "🟣 RCS (expected SMS) · Delivered"),
    "a check that was wrong": (
        {"imessage": False, "claims": {"imessage": True}},
        "🟢 SMS (expected iMessage) · Sent",
    ),
    "a phone that is switched off": ({"unreachable": True}, "🔵 iMessage · Sent"),
    "a text that Blooio does not move": ({"stuck": True}, "🔵 iMessage · Queued"),
    "a text that fails": (
        {"fails_with": "recipient_unreachable"},
        "⚠️ Not delivered. Blooio says: The message could not be delivered (recipient_unreachable).",
    ),
    "a text that fails at once": ({"refuses": True}, "⚠️ Not sent. Blooio did not say why."),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def texted(shared_stage: Stage) -> dict[str, Story]:
    """Stories in which each of these phones was texted: their receipts settle side by side."""
    stories = {name: await new_story(shared_stage) for name in RECEIPTS}
    for name, (phone, _) in RECEIPTS.items():
        await stories[name].phone.becomes(**phone)
        await stories[name].text("Hi Jane")
    return stories


@over_one_transport
@pytest.mark.parametrize("name", RECEIPTS)
async def test_receipt(texted: dict[str, Story], name: str) -> None:
    """The receipt says over which channel the text went, whether another was expected, and how far it came."""
    story, (_, receipt) = texted[name], RECEIPTS[name]
    await story.stage.settles(receipt, where=story.home)


@over_one_transport
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"kind": "status", "status": 500}, id="fails"),
        pytest.param({"kind": "latency", "seconds": 30}, id="hangs"),
        pytest.param({"kind": "broken_json"}, id="says nothing that can be read"),
    ],
)
async def test_check_in_trouble(story: Story, trouble: dict[str, object]) -> None:
    """A check of what the person can receive that goes wrong stops no text; the receipt names what was really used."""
    where = f"GET /contacts/{story.number}/capabilities"
    await story.stage.sandbox.order(vendor="blooio", where=where, times=None, **trouble)

    await story.text("Hi Jane")

    (text,) = await story.phone.received(1, timeout=10)
    assert text.metadata is None
    await story.stage.settles("🔵 iMessage · Delivered", where=story.home)


async def test_card_deleted_while_the_bot_was_away(database_url: str) -> None:
    """A bot that did not hear that a card was deleted looks before it posts: nothing lands outside a thread."""
    async with Sandbox.start() as sandbox:
        async with bot_beside(sandbox, database_url, transport="socket") as app:
            story = await new_story(Stage(sandbox, app, "socket"))
            await story.text("one")
            (message,) = await story.stage.settles("🔵 iMessage · Delivered", where=story.home)
            (card,) = await story.posts()
        await sandbox.order(vendor="slack", where="deliver:events_api", kind="drop_before", times=None)
        await story.stage.ana.deletes(story.home, message.ts)
        await story.stage.ana.deletes(story.home, card.ts)

        async with bot_beside(sandbox, database_url, transport="socket"):
            await story.text("two")
            await story.shows(["two"])
            (new_card,) = await story.posts()
            assert is_card(new_card)


async def _in_dm(person: Person, *lines: str) -> bool:
    """Whether somebody's messages with the bot have a card for this person, and under it this text."""
    number, body = lines
    for card in await person.sees_dm():
        if is_card(card) and card.text.startswith(number):
            texts = await person.sees_thread("@bot", card.ts)
            return [text.text.splitlines()[0] for text in texts] == [body]
    return False
