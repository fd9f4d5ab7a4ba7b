"""STOP, START and HELP: who opts out is texted once more, to confirm it, and then not until they opt in again."""

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.storage.contacts import Contacts
from bot.texting.model import Address, Contact
from sandbox.slack.driver import Message
from tests.acceptance.opting_out import (
    ALLOW,
    FAILED,
    HELPED,
    STARTED,
    STOPPED,
    UNTIL,
    begins,
    card,
    form,
    is_told,
    number,
    order,
    refused,
    rows,
    says,
    stops,
    under,
)
from tests.acceptance.stage import buttons, over_one_transport
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


_names = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(talk: Talk) -> AsyncIterator[None]:
    """Leave no form and no trouble behind."""
    yield
    await talk.sandbox.calm()
    await talk.gateway.behaves()
    for person in (talk.stage.ana, talk.stage.ben):
        if await person.modal():
            await person.closes(everything=True)


class TestWords:
    """What people write, and what becomes of it."""

    async def test_stop_and_start(self, talk: Talk) -> None:
        """It is confirmed once, said in the thread and on the card, and holds until they opt in."""
        jane = await begins(talk)
        await jane.phone.replies("Where is my parcel?")
        await says(jane, "🔵 iMessage · open · Ana Alvarez · waiting since")
        await jane.phone.replies("“Stop!!”")
        shown = await jane.shows("Hi Jane", "Where is", "“Stop!!”", "🚫", STOPPED)
        assert shown[3].text == f"🚫 {number(jane)} opted out: they wrote STOP. {UNTIL}"
        assert [one.author for one in shown[3:]] == ["Texting", "Texting"]
        await under(jane, STOPPED, "🔵 iMessage · Delivered")
        await says(jane, "🚫 Opted out since Today · open · Ana Alvarez\n".rstrip())
        assert "waiting" not in (await card(jane)).text
        await jane.received("Hi Jane", STOPPED)
        refusal = await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        assert refusal.text.startswith(f"⚠️ {refused(jane)}")

        await jane.phone.replies("start")
        shown = await jane.shows("Hi Jane", "Where is", "“Stop!!”", "🚫", STOPPED, "start", "✅", STARTED)
        assert shown[6].text == f"✅ {number(jane)} wants texts again: they wrote START."
        await jane.types("Welcome back")
        await jane.received("Hi Jane", STOPPED, STARTED, "Welcome back")
        await says(jane, "🔵 iMessage · open · Ana Alvarez")

    async def test_a_sentence_opts_nobody_out(self, talk: Talk) -> None:
        """Nor does a reaction to our own words."""
        jane = await begins(talk)
        await jane.phone.replies("we have to STOP this bill")
        await jane.phone.replies("Loved “Reply STOP to get no more texts”")
        await jane.types("We will")
        await jane.received("Hi Jane", "We will")

    async def test_help(self, talk: Talk) -> None:
        """It is answered and changes nothing: somebody may still want to answer it."""
        jane = await begins(talk)
        await jane.phone.replies("Help?")
        await jane.shows("Hi Jane", "Help?", HELPED)
        await jane.phone.replies("INFO")
        await jane.shows("Hi Jane", "Help?", HELPED, "INFO")
        await says(jane, "🔵 iMessage · open · Ana Alvarez · waiting since")
        await jane.received("Hi Jane", HELPED)

    async def test_somebody_unknown(self, talk: Talk) -> None:
        """They opt out before anybody texts them."""
        phone = await talk.meets()
        await phone.replies("Unsubscribe")
        jane = await talk.conversation(phone, "#general")
        await jane.shows("Unsubscribe", "🚫", STOPPED)
        assert [text.text for text in await phone.received(1)] == [STOPPED]

    @pytest.mark.parametrize("kind", ["duplicate", "replay"])
    async def test_told_twice(self, talk: Talk, kind: str) -> None:
        """It is one opt-out."""
        jane = await begins(talk)
        await talk.gateway.misbehaves(kind, event="message.received", times=2)
        await jane.phone.replies("STOP")
        await jane.shows("Hi Jane", "STOP", "🚫", STOPPED)
        await jane.phone.replies("stop")  # again, as people do
        await jane.shows("Hi Jane", "STOP", "🚫", STOPPED, "stop")
        await jane.received("Hi Jane", STOPPED)

    async def test_told_in_the_wrong_order(self, talk: Talk) -> None:
        """START came after STOP, whatever came first to us: they get texts."""
        jane = await begins(talk)
        await talk.gateway.misbehaves("reorder", event="message.received")
        await jane.phone.replies("STOP")
        await jane.phone.replies("START")

        async def both() -> bool:
            texts = [one.text for one in await jane.sees()]
            return {"STOP", "START"} <= set(texts)

        await talk.sandbox.until(both)
        await jane.types("Hello again")

        async def arrived() -> bool:
            return [one.text for one in await jane.phone.received()][-1] == "Hello again"

        await talk.sandbox.until(arrived)
        assert [one.text for one in await jane.phone.received()].count(STOPPED) <= 1
        assert "Opted out" not in (await card(jane)).text

    async def test_a_gateway_that_blocks_who_opted_out(self, talk: Talk) -> None:
        """Carriers let one confirmation through: that is ours, and it is not spent on anything else."""
        jane = await begins(talk)
        await talk.gateway.becomes(blocks_after_stop=True)
        try:
            await jane.phone.replies("STOP")
            await under(jane, STOPPED, "🔵 iMessage · Delivered")
            await jane.received("Hi Jane", STOPPED)
        finally:
            await talk.gateway.becomes(blocks_after_stop=False)


class TestEveryWay:
    """Every way to text somebody who opted out is refused in private, with who, when and what can be done."""

    async def ends_there(self, jane: Conversation) -> None:
        """Nothing of it reached the phone, and an admin can do something about it."""
        await jane.received("Hi Jane", STOPPED)
        found = await rows(
            jane.talk,
            "SELECT count(*) FROM deliveries d JOIN threads t ON t.id = d.thread_id"
            " WHERE t.conversation_id = %s AND status = 'queued' AND message_id IS NULL",
            jane.home,
        )
        assert found == [(0,)]

    @over_one_transport
    async def test_the_command_with_a_number(self, talk: Talk) -> None:
        """The words are given back."""
        jane = await stops(talk)
        shown = await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        assert shown.text.startswith(f"⚠️ {refused(jane)}")
        assert "so nothing is texted to them. They can write START to get texts again, or an admin" in shown.text
        assert "Hello?" in shown.text
        assert shown.message is not None
        assert buttons(shown.message) == [ALLOW]
        await self.ends_there(jane)
        [(who, reason)] = await rows(
            talk,
            "SELECT user_name, reason FROM audit a JOIN people p ON p.id = a.person_id"
            " WHERE p.address = %s AND action = 'refusal'",
            jane.phone.address,
        )
        assert (who, reason) == ("ana", "opted_out")

    @over_one_transport
    async def test_the_command_with_a_name(self, talk: Talk) -> None:
        """They are called by it."""
        name = f"Nell{next(_names)} Nash"
        jane = await stops(talk, named=name)
        shown = await jane.ana.types(jane.home, f'/text "{name}" Hello?')
        assert shown.text.startswith(f"⚠️ {refused(jane, name)}")
        await self.ends_there(jane)

    @over_one_transport
    async def test_the_question_who_is_meant(self, talk: Talk) -> None:
        """The question stays: the other one may be meant."""
        name = f"Twin{next(_names)}"
        jane = await stops(talk, named=f"{name} One")
        other = await talk.meets()
        await Contacts(talk.stage.app.pool).put([Contact(Address(other.address), f"{name} Two")])
        shown = await jane.ana.types(jane.home, f"/text {name} Hello?")
        assert shown.message is not None
        await jane.ana.clicks(shown.message, f"Text {name} One")
        message = await is_told(jane, f"⚠️ {refused(jane, f'{name} One')}")
        assert buttons(message) == [ALLOW]
        await self.ends_there(jane)

    @over_one_transport
    async def test_the_form(self, talk: Talk) -> None:
        """It says so as soon as the person is chosen, and says it again below them when it is sent."""
        name = f"Fay{next(_names)} Ford"
        jane = await stops(talk, named=name)
        await jane.ana.types(jane.home, "/text")
        await form(talk, "New text")
        offered = await jane.ana.suggestions("To", name)
        assert offered.options == [f"🚫 {name} · {number(jane)}"]
        await jane.ana.fills("To", offered.options[0])
        await form(talk, "New text", f"🚫 {refused(jane, name)}")
        await jane.ana.fills("Message", "Hello?")
        submitted = await jane.ana.submits()
        assert submitted.modal is not None
        assert submitted.modal.errors["To"].startswith(refused(jane, name))
        await self.ends_there(jane)

    @over_one_transport
    async def test_the_form_that_opens_with_them(self, talk: Talk) -> None:
        """What is known is in it from the start."""
        jane = await stops(talk)
        await jane.ana.types(jane.home, f"/text {jane.phone.address}")
        await form(talk, "New text", f"🚫 {refused(jane)}")

    @over_one_transport
    async def test_reply_on_an_old_card(self, talk: Talk) -> None:
        """The card has no such button any more; where it is still shown, the form says it."""
        jane = await begins(talk)
        before = await card(jane)
        assert "[Reply]" in before.text
        for method in ("chat.update", "chat.postMessage"):  # Slack still shows it as it was
            await talk.sandbox.order(vendor="slack", where=method, kind="status", status=503, times=None)
        await jane.phone.replies("STOP")
        await jane.received("Hi Jane", STOPPED)
        await jane.ana.clicks(before, "Reply")
        await form(talk, "New text", f"🚫 {refused(jane)}")
        await talk.sandbox.calm()
        await says(jane, "🚫 Opted out since Today")
        assert "[Reply]" not in (await card(jane)).text

    async def test_a_reply_in_the_thread(self, talk: Talk) -> None:
        """It is marked as not texted."""
        jane = await stops(talk)
        typed = await jane.types("Hello?", by=jane.ben)
        await jane.is_marked(typed, "no_entry_sign")
        message = await is_told(jane, f"⚠️ {refused(jane)}", jane.ben)
        assert buttons(message) == [ALLOW]
        await self.ends_there(jane)
        recorded = await rows(
            talk,
            "SELECT user_name, reason FROM audit a JOIN threads t ON t.id = a.thread_id"
            " WHERE t.conversation_id = %s AND action = 'refusal'",
            jane.home,
        )
        assert recorded == [("Ben Baker", "opted_out")]

    @over_one_transport
    async def test_a_reply_that_was_asked_about(self, talk: Talk) -> None:
        """They opted out before the answer."""
        jane = await begins(talk)
        typed = await jane.types("@ben can you take this?")
        question = await is_told(jane, "⏸️ This was not texted")
        await jane.phone.replies("STOP")
        await says(jane, "🚫 Opted out since Today")
        await jane.ana.clicks(question, "reply_text")
        assert buttons(await is_told(jane, f"⚠️ {refused(jane)}")) == [ALLOW]
        await jane.is_marked(typed, "no_entry_sign")
        await self.ends_there(jane)

    @over_one_transport
    async def test_a_correction(self, talk: Talk) -> None:
        """The form does not open."""
        jane = await begins(talk)
        typed = await jane.types("See you at 4")
        await jane.received("Hi Jane", "See you at 4")
        await jane.ana.edits(typed, "See you at 5")

        async def remarked() -> Message | None:
            return next((one for one in await jane.sees() if one.text.startswith("✏️")), None)

        remark = await talk.sandbox.until(remarked)
        assert remark is not None
        await jane.phone.replies("STOP")
        await says(jane, "🚫 Opted out since Today")
        await jane.ana.clicks(remark, "Send a correction")
        await is_told(jane, f"⚠️ {refused(jane)}")
        assert await jane.ana.modal() is None
        await jane.received("Hi Jane", "See you at 4", STOPPED)

    @over_one_transport
    async def test_a_text_that_failed(self, talk: Talk) -> None:
        """Trying again is refused, and so is editing it, unless it is for somebody else."""
        jane = await begins(talk)
        await order(talk, "bad_request", jane, times=1)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        failed = await under(jane, "Hello?", "⚠️ Not sent.")
        await jane.phone.replies("STOP")
        await says(jane, "🚫 Opted out since Today")
        await jane.ana.clicks(failed, "Edit and send")
        await form(talk, "Edit and send")
        submitted = await jane.ana.submits()
        assert submitted.modal is not None
        assert submitted.modal.errors["To"].startswith(refused(jane))
        await jane.ana.closes()
        await self.ends_there(jane)

    @over_one_transport
    async def test_try_again(self, talk: Talk) -> None:
        """The text that STOP caught can be tried again, but not before they opt in."""
        jane = await begins(talk)
        await order(talk, "awaiting_reply", jane, times=1)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        held = await under(jane, "Hello?", "⏸️ Waiting for their reply.")
        await jane.phone.replies("STOP")
        failed = await under(jane, "Hello?", FAILED)
        assert buttons(failed) == ["Try again"]
        await jane.ana.clicks(failed, "Try again")
        assert buttons(await is_told(jane, f"⚠️ {refused(jane)}")) == [ALLOW]
        await jane.received("Hi Jane", STOPPED)
        assert buttons(held) == ["Try now", "Don't send"]
        await jane.phone.replies("START")
        await says(jane, "🔵 iMessage · open")
        await jane.ana.clicks(failed, "Try again")
        await jane.received("Hi Jane", STOPPED, STARTED, "Hello?")

    @over_one_transport
    async def test_a_text_that_waits(self, talk: Talk) -> None:
        """STOP is no reply that lets it go: it fails, and its author hears of it."""
        jane = await begins(talk)
        await order(talk, "awaiting_reply", jane, times=1)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        await under(jane, "Hello?", "⏸️ Waiting for their reply.")
        await jane.phone.replies("STOP")
        await under(jane, "Hello?", FAILED)

        async def hears() -> bool:
            said = f"⚠️ Your text to {number(jane)} was not sent. They opted out of texts."
            return any(one.text.startswith(said) for one in await jane.ana.sees_dm())

        await talk.sandbox.until(hears)
        await jane.received("Hi Jane", STOPPED)

    @over_one_transport
    async def test_texts_behind_a_slow_blooio(self, talk: Talk) -> None:
        """The one under way arrives; those behind it do not, and the confirmation is the last word."""
        jane = await begins(talk)
        await order(talk, "slow", jane, seconds=3, times=1)
        for words in ("one", "two", "three"):
            await jane.ana.types(jane.home, f"/text {jane.phone.address} {words}")

        async def is_under_way() -> bool:
            return any(one["held"] for one in await talk.sandbox.under_way(name=f"POST /chats/{jane.phone.address}/*"))

        await talk.sandbox.until(is_under_way)
        await jane.phone.replies("STOP")
        await under(jane, "two", FAILED)
        await under(jane, "three", FAILED)
        await under(jane, STOPPED, "Delivered")
        await jane.received("Hi Jane", "one", STOPPED)

    @over_one_transport
    async def test_a_text_that_is_tried_again_later(self, talk: Talk) -> None:
        """It is given up at once, and the confirmation does not wait for its next attempt."""
        jane = await begins(talk)
        await order(talk, "throttled", jane, times=1, retry_after=120)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        await under(jane, "Hello?", "trying again")
        await jane.phone.replies("STOP")
        await under(jane, "Hello?", FAILED)
        await jane.received("Hi Jane", STOPPED)


class TestAllowing:
    """An admin lets texts through again, and says why."""

    async def test_an_admin_allows_it(self, talk: Talk) -> None:
        """Not without a note; it stands in the thread and on record, and STOP holds again."""
        jane = await stops(talk)
        shown = await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        assert shown.message is not None
        await jane.ana.clicks(shown.message, ALLOW)
        modal = await form(talk, "Allow texts again", number(jane), "🚫 Opted out since Today")
        assert [field.label for field in modal.fields] == ["Who asked for it?", "Why?"]
        await jane.ana.fills("Who asked for it?", "Jane")
        await jane.ana.fills("Why?", "         She  \n")
        assert (await jane.ana.submits()).modal is not None
        errors = (await form(talk, "Allow texts again")).errors
        assert errors == {"Why?": "Say why in at least 10 characters."}
        await jane.ana.fills("Why?", "She called <!channel> this morning")
        assert (await jane.ana.submits()).outcome == "updated"
        await form(talk, "Allow texts again", f"✅ {number(jane)} can be texted again.")
        await jane.ana.closes()
        remark = "✅ Ana Alvarez allowed texts to"
        thread = await jane.shows("Hi Jane", "STOP", "🚫", STOPPED, remark)
        assert thread[-1].text.endswith("again. Jane asked for it: “She called <!channel> this morning”")
        assert thread[-1].mentions == []
        recorded = await rows(
            talk,
            "SELECT user_name, reason FROM audit a JOIN people p ON p.id = a.person_id"
            " WHERE p.address = %s AND action = 'override'",
            jane.phone.address,
        )
        assert recorded == [("Ana Alvarez", "She called <!channel> this morning (asked for by Jane)")]
        await says(jane, "🔵 iMessage · open")
        await jane.types("Hello again")
        await jane.received("Hi Jane", STOPPED, "Hello again")

        await jane.ana.clicks(shown.message, ALLOW)
        await is_told(jane, "⚠️ They get texts already, so nothing was changed.")
        await jane.phone.replies("Stop")
        await jane.received("Hi Jane", STOPPED, "Hello again", STOPPED)

    async def test_nobody_else_may(self, talk: Talk) -> None:
        """They are told whom to ask, it is on record, and a form that was open before does not help."""
        jane = await stops(talk)
        typed = await jane.types("Hello?", by=jane.ben)
        await jane.is_marked(typed, "no_entry_sign")
        message = await is_told(jane, f"⚠️ {refused(jane)}", jane.ben)
        await jane.ben.clicks(message, ALLOW)
        await is_told(
            jane,
            "⚠️ Only an admin can allow texts to somebody who opted out. Ask an admin of this Slack workspace, or let "
            "them write START.",
            jane.ben,
        )
        assert await jane.ben.modal() is None
        recorded = await rows(
            talk,
            "SELECT reason FROM audit a JOIN people p ON p.id = a.person_id"
            " WHERE p.address = %s AND action = 'refusal' ORDER BY a.id",
            jane.phone.address,
        )
        assert recorded == [("opted_out",), ("not_admin",)]
        assert "Opted out" in (await card(jane)).text


class TestContacts:
    """The address book says it, and a colleague can say it for somebody."""

    async def test_the_card_and_the_list(self, talk: Talk) -> None:
        """Opted out by a colleague who was told on the phone, after a question; an admin takes it back there."""
        name = f"Cora{next(_names)} Cole"
        jane = await begins(talk)
        await Contacts(talk.stage.app.pool).put([Contact(Address(jane.phone.address), name)])
        shown = await jane.ben.types(jane.home, f"/contact show {name}")
        assert shown.message is not None
        assert buttons(shown.message) == ["Text", "Edit", "Check now", "Opt out…"]
        await jane.ben.clicks(shown.message, "Opt out…")
        said = f"🚫 {name} is opted out. Nothing is texted to them until they write START, or an admin allows it."
        message = await is_told(jane, said, jane.ben)
        assert "🚫 Opted out since Today" in message.text
        assert buttons(message) == [ALLOW, "Edit", "Check now"]
        await jane.shows("Hi Jane", "🚫")
        assert (await jane.sees())[-1].text == f"🚫 Ben Baker opted {name} out. {UNTIL}"
        await jane.received("Hi Jane")

        found = await jane.ana.types(jane.home, f"/contact find {name}")
        assert f"{name} · {number(jane)} · 🚫 Opted out since Today" in found.text
        shown = await jane.ana.types(jane.home, f"/contact show {name}")
        assert shown.message is not None
        await jane.ana.clicks(shown.message, ALLOW)
        await form(talk, "Allow texts again", name)

    @over_one_transport
    async def test_a_card_in_a_form(self, talk: Talk) -> None:
        """Where a form was submitted, the answers come in its place."""
        jane = await begins(talk)
        await jane.ana.types(jane.home, "/contact add")
        await form(talk, "New contact")
        name = f"Fern{next(_names)} Foss"
        await jane.ana.fills("Name", name)
        await jane.ana.fills("Phone number or email address", jane.phone.address)
        await jane.ana.submits()
        await form(talk, "Saved", name)
        await jane.ana.clicks_in_modal("Opt out…")
        await form(talk, "Contact", f"🚫 {name} is opted out.", "🚫 Opted out since Today")
        await jane.ana.clicks_in_modal(ALLOW)
        await form(talk, "Allow texts again", name)
        await jane.ana.fills("Who asked for it?", "Fern")
        await jane.ana.fills("Why?", "It was the wrong number")
        await jane.ana.submits()
        await form(talk, "Allow texts again", f"✅ {name} can be texted again.")
