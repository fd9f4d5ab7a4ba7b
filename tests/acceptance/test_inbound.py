"""What people text: it stands in their thread under their name, as text and nothing else, whoever they are."""

import json
import re
import time

import httpx
import pytest

from bot.storage.contacts import Contacts
from bot.texting.model import Address, Contact
from sandbox.blooio.driver import Phone
from sandbox.blooio.signature import sign
from sandbox.slack.driver import Message
from tests.acceptance.people import pretty
from tests.acceptance.stage import is_card
from tests.acceptance.talking import SECRET, Conversation, Talk
from tests.hostile import TEXTS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER = "Phone number or email address"


async def known(talk: Talk, phone: Phone, name: str | None) -> None:
    await Contacts(talk.stage.app.pool).put([Contact(Address(phone.address), name)])


async def first_text(talk: Talk, phone: Phone, words: str = "Hello") -> Conversation:
    """Somebody writes first; return their thread in the inbox."""
    await phone.replies(words)
    return await talk.conversation(phone, "#general")


async def told(talk: Talk, phone: Phone, message_id: str, text: str, **details: object) -> None:
    """A webhook of Blooio's tells of a text as it stands in *details*; text as JSON spells it."""
    now = int(time.time())
    given = {"event": "message.received", "message_id": message_id, "external_id": phone.address, **details}
    given |= {"internal_id": "+15550109999", "sender": phone.address, "protocol": "imessage", "timestamp": now * 1000}
    body = (json.dumps(given)[:-1] + f', "text": {text}}}').encode()
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{talk.stage.app.url}/blooio/webhooks",
            content=body,
            headers={"X-Blooio-Signature": sign(SECRET, body, now), "Content-Type": "application/json"},
        )
    assert answer.status_code == 200


def harmless(message: Message) -> bool:
    return not message.mentions and not message.links


async def face(talk: Talk, message: Message) -> tuple[str, str | None, str | None]:
    """Under which name and picture a message was posted."""
    for one in await talk.sandbox.exchanges(vendor="slack", name="chat.postMessage"):
        posted = one["body"] if isinstance(one["body"], dict) else {}
        key = ((message.raw["metadata"] or {}).get("event_payload") or {}).get("key")
        if ((posted.get("metadata") or {}).get("event_payload") or {}).get("key") == key:
            return posted["username"], posted.get("icon_emoji"), posted.get("icon_url")
    raise AssertionError(message)


class TestUnknownPeople:
    async def test_they_stand_there_by_their_number(self, talk: Talk) -> None:
        """A card in the inbox, their text under it, and a face that is no colleague's."""
        phone = await talk.meets()
        conversation = await first_text(talk, phone, "Is this the shop?")
        [shown] = await conversation.shows("Is this the shop?")
        assert conversation.card.text.splitlines()[0] == pretty(phone)
        assert await face(talk, shown) == (pretty(phone), ":speech_balloon:", None)

    async def test_they_are_added_from_their_card(self, talk: Talk) -> None:
        """The form knows their number; once it is saved the card and the next text have their name."""
        phone = await talk.meets()
        conversation = await first_text(talk, phone)
        menu = next(one for block in conversation.card.blocks for one in block.get("elements", []) if "options" in one)
        assert "Add contact" in [option["text"]["text"] for option in menu["options"]]
        await conversation.ana.clicks(conversation.card, menu["action_id"], "Add contact")
        await self.saves(conversation, "Mia Lopez")
        await phone.replies("It's me")
        last = (await conversation.shows("Hello", "It's me"))[-1]
        assert last.author == "Mia Lopez (text)"

    async def test_they_are_added_from_what_they_wrote(self, talk: Talk) -> None:
        """The shortcut knows whose text it is, though another number stands in it."""
        phone = await talk.meets()
        conversation = await first_text(talk, phone, "Call my office, +1 555-010-4321")
        [text] = await conversation.shows("Call my office")
        await conversation.ana.uses_message_shortcut(text, "Add as contact")
        await self.saves(conversation, "Noa Levi")

    async def saves(self, conversation: Conversation, name: str) -> None:
        ana, phone = conversation.ana, conversation.phone

        async def opened() -> bool:
            return await ana.modal() is not None

        await conversation.talk.sandbox.until(opened)
        form = await ana.modal()
        assert form is not None
        assert form.values == {"Name": "", NUMBER: pretty(phone), "Tags": ""}
        await ana.fills("Name", name)
        await ana.submits()
        while await ana.modal() is not None:
            await ana.closes()

        async def named() -> bool:
            cards = {one.ts: one for one in await ana.sees(conversation.home) if is_card(one)}
            return cards[conversation.card.ts].text.splitlines()[0] == f"{name} · {pretty(phone)}"

        await conversation.talk.sandbox.until(named)


class TestKnownPeople:
    async def test_their_name_shows_at_once(self, talk: Talk) -> None:
        """The address book knows them, though nobody has texted them."""
        phone = await talk.meets()
        await known(talk, phone, "Jane Doe")
        conversation = await first_text(talk, phone)
        [shown] = await conversation.shows("Hello")
        assert conversation.card.text.splitlines()[0] == f"Jane Doe · {pretty(phone)}"
        assert await face(talk, shown) == ("Jane Doe (text)", ":speech_balloon:", None)

    async def test_another_number_that_they_mention_is_added(self, talk: Talk) -> None:
        """Whoever is in the book already is not meant."""
        phone = await talk.meets()
        await known(talk, phone, "Jane Doe")
        conversation = await first_text(talk, phone, "My sister has +1 555-010-4322")
        [text] = await conversation.shows("My sister")
        await conversation.ana.uses_message_shortcut(text, "Add as contact")

        async def opened() -> bool:
            return await conversation.ana.modal() is not None

        await talk.sandbox.until(opened)
        form = await conversation.ana.modal()
        assert form is not None
        assert form.values == {"Name": "", NUMBER: "+1 555-010-4322", "Tags": ""}
        await conversation.ana.closes()

    async def test_a_thread_that_is_done_opens_again(self, talk: Talk) -> None:
        """They wait for an answer."""
        jane = await talk.begins("Hi Jane")
        await jane.ana.clicks(jane.card, "Done")

        async def state() -> str:
            cards = {one.ts: one for one in await jane.ana.sees(jane.home)}
            return cards[jane.card.ts].text.splitlines()[1]

        async def done() -> bool:
            return "done by" in await state()

        async def waiting() -> bool:
            return "open · Ana" in await state() and "waiting since" in await state()

        await talk.sandbox.until(done)
        await jane.phone.replies("One more thing")
        await talk.sandbox.until(waiting)
        await jane.shows("Hi Jane", "One more thing")


class TestWebhooks:
    @pytest.mark.parametrize("kind", ["duplicate", "replay"])
    async def test_twice(self, talk: Talk, kind: str) -> None:
        """It stands there once."""
        jane = await talk.begins("Hi Jane")
        await talk.gateway.misbehaves(kind, event="message.received")
        await jane.phone.replies("Hello")
        await jane.phone.replies("Bye")
        await jane.shows("Hi Jane", "Hello", "Bye")
        assert await talk.gateway.behaves() is None
        await jane.shows("Hi Jane", "Hello", "Bye")

    async def test_in_another_order(self, talk: Talk) -> None:
        """Slack shows nothing for a while: then they stand there in the order in which they were written."""
        jane = await talk.begins("Hi Jane")
        await talk.sandbox.order(vendor="slack", where="chat.postMessage", kind="status", status=500, times=None)
        await talk.gateway.misbehaves("reorder", event="message.received")
        for words in ("One", "Two", "Three"):
            await jane.phone.replies(words)

        async def stored() -> bool:
            query = "SELECT count(*) FROM inbound i JOIN threads t ON t.id = i.thread_id WHERE t.card_ts = %s"
            async with talk.stage.app.pool.connection() as connection:
                return await (await connection.execute(query, [jane.card.ts])).fetchone() == (3,)

        async def posts() -> int:
            return len(await talk.sandbox.exchanges(vendor="slack", name="chat.postMessage"))

        await talk.sandbox.until(stored)
        before = await posts()

        async def refused() -> bool:
            return await posts() > before  # what was under way without having seen all three is over

        await talk.sandbox.until(refused)
        await talk.sandbox.calm()
        await jane.shows("Hi Jane", "One", "Two", "Three")

    async def test_the_same_words_twice(self, talk: Talk) -> None:
        """Both stand there."""
        jane = await talk.begins("Hi Jane")
        await jane.phone.replies("ok")
        await jane.phone.replies("ok")
        await jane.shows("Hi Jane", "ok", "ok")


async def test_slack_is_down_when_they_write(talk: Talk) -> None:
    """As soon as it is back their text is there, once."""
    phone = await talk.meets()
    await talk.sandbox.order(vendor="slack", where="chat.postMessage", kind="status", status=503, times=3)
    conversation = await first_text(talk, phone)
    await conversation.shows("Hello")


async def test_a_group(talk: Talk) -> None:
    """What is written in one is in nobody's thread."""
    jane = await talk.begins("Hi Jane")
    other = await talk.meets()
    group = await talk.gateway.group([jane.phone.address, other.address])
    await jane.phone.replies("Hi all", group=group)
    await other.replies("Hi", group=group)
    await jane.phone.replies("Just to you")
    await jane.shows("Hi Jane", "Just to you")
    assert not [one for one in await jane.ana.sees("#general") if pretty(other) in one.text]


async def test_what_they_answer_to(talk: Talk) -> None:
    """If they quoted a text of ours, its first words stand above."""
    jane = await talk.begins("Shall I keep *it* for you until tomorrow?")
    [ours] = await jane.phone.received(1)
    await told(
        talk,
        jane.phone,
        f"msg_quote_{talk.stage.transport}",
        '"Yes"',
        reply_to={"message_id": ours.message_id, "part_index": 0},
    )
    await told(
        talk,
        jane.phone,
        f"msg_other_{talk.stage.transport}",
        '"And this"',
        reply_to={"message_id": "msg_of_somebody_else"},
    )
    shown = await jane.shows("Shall I", "↪ “Shall I keep *it* for you until tomorrow?”\nYes", "And this")
    assert all(map(harmless, shown))


async def test_a_number_of_ours_that_can_only_reply(talk: Talk) -> None:
    """Who wrote to it first can be texted, and nobody says otherwise."""
    ours = talk.stage.app.texting.lines[0]
    await talk.gateway.becomes(lines=[{"number": ours, "plan_kind": "inbound"}])
    await talk.stage.app.texting.learn_lines()
    try:
        phone = await talk.meets()
        conversation = await first_text(talk, phone)
        await conversation.ana.clicks(conversation.card, "Reply")

        async def checked() -> bool:
            form = await conversation.ana.modal()
            return form is not None and "iMessage" in form.text

        await talk.sandbox.until(checked)
        form = await conversation.ana.modal()
        assert form is not None
        assert "can only reply" not in form.text
        await conversation.ana.fills("Message", "Hi there")
        assert (await conversation.ana.submits()).outcome == "closed"
        await conversation.received("Hi there")
    finally:
        await talk.gateway.becomes(lines=[{"number": ours}])
        await talk.stage.app.texting.learn_lines()


async def test_two_numbers_of_ours(talk: Talk) -> None:
    """Each has a thread of its own, and both are in one place."""
    ours, other = talk.stage.app.texting.lines[0], "+15550110000"
    await talk.gateway.becomes(lines=[{"number": ours}, {"number": other}])
    await talk.stage.app.texting.learn_lines()
    try:
        jane = await talk.begins("Hi Jane")
        await jane.phone._ask("POST", "/texts", json={"text": "To the other", "attachments": [], "line": other})

        async def second() -> Message | None:
            cards = [one for one in await jane.ana.sees(jane.home) if is_card(one) and one.reply_count]
            return next((one for one in cards if one.ts != jane.card.ts), None)

        card = await talk.sandbox.until(second)
        assert card is not None
        there = Conversation(talk, jane.home, jane.phone, card)
        await there.shows("To the other")
        await there.types("From the other")
        got = await jane.phone.received(2)
        assert [(text.text, text.from_number) for text in got] == [("Hi Jane", ours), ("From the other", other)]
        await jane.shows("Hi Jane")
    finally:
        await talk.gateway.becomes(lines=[{"number": ours}])
        await talk.stage.app.texting.learn_lines()


class TestInjection:
    """What people mean to do to us with their words. `tests/unit/test_injection.py` looks at each of them closely."""

    async def test_texts(self, talk: Talk) -> None:
        """All of them stand in the thread, and none does anything; what cannot travel as a text is told as JSON."""
        jane = await talk.begins("Hi Jane")
        for number, words in enumerate(TEXTS.values()):
            spelled = json.dumps(words)  # half a pair as an escape, as Blooio could spell it
            if any("\ud800" <= char <= "\udfff" for char in words):
                await told(talk, jane.phone, f"msg_hostile_{jane.card.ts}_{number}", spelled)
            else:
                await jane.phone.replies(words)

        async def all_there() -> bool:
            return len(await jane.sees()) == 1 + len(TEXTS)

        await talk.sandbox.until(all_there, timeout=50)
        for shown in (await jane.sees())[1:]:
            assert harmless(shown), shown.text
            assert shown.author == pretty(jane.phone)
            assert not shown.raw["formatted"]
            assert shown.text
            assert len(shown.text) < 7_000
            assert len(shown.text.splitlines()) < 120
        assert not [text for text in await jane.phone.received() if text.text != "Hi Jane"]

    async def test_all_of_a_long_text(self, talk: Talk) -> None:
        """The thread has its beginning, and a button the rest; only where the text is shown."""
        jane = await talk.begins("Hi Jane")
        words = " ".join(str(number) for number in range(4_000))
        await jane.phone.replies(words)
        shown = (await jane.shows("Hi Jane", "0 1 2 3"))[-1]
        assert re.search(r"… 12,\d\d\d more characters", shown.text)
        await jane.ana.clicks(shown, "Show all")

        async def opened() -> bool:
            return await jane.ana.modal() is not None

        await talk.sandbox.until(opened)
        modal = await jane.ana.modal()
        assert modal is not None
        assert modal.title == "The whole text"
        assert modal.text.replace("\n", " ").split() == words.split()
        await jane.ana.closes()

    @pytest.mark.parametrize(
        "name",
        [
            "<!channel>",
            "<@U0ANAALVARE>",
            "<https://evil.example|bank.example>",
            "*bank.example* _x_ `y`",
            "@channel :tada:",
            "\u202eanA",
            "Ana",
            "Texting",
            "\u200b\u2060",
            "x" * 500,
        ],
    )
    async def test_names(self, talk: Talk, name: str) -> None:
        """Somebody who is called like that has a card and writes under it, and it does nothing."""
        phone = await talk.meets()
        await known(talk, phone, name)
        conversation = await first_text(talk, phone)
        [shown] = await conversation.shows("Hello")
        assert harmless(conversation.card)
        assert harmless(shown)
        assert shown.author.endswith(" (text)") or shown.author == pretty(phone)
        assert len(shown.author) <= 80
