"""The form to write a text in: every way it opens, what it says, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sandbox.blooio.driver import Gateway, Phone
from sandbox.slack.driver import Person, Shown
from sandbox.slack.modal_driver import Modal
from tests.acceptance.people import Story, new_story, pretty, until_read
from tests.acceptance.stage import Stage, over_one_transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMESSAGE, SMS = "🔵 iMessage available", "🟢 Will go as SMS"
CHECKING = "Checking what they can get …"
UNKNOWN = "Can't be checked now. It goes on the best channel all the same."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(shared_stage: Stage) -> Stage:
    await until_read(shared_stage)
    return shared_stage


@pytest_asyncio.fixture(loop_scope="module")
async def story(library: Stage) -> AsyncIterator[Story]:
    yield await new_story(library)
    await library.sandbox.calm()
    if await library.ana.modal():
        await library.ana.closes(everything=True)


async def form(story: Story, *words: str, by: Person | None = None) -> Modal:
    """Wait until the form in front of somebody (Ana) says all of these; return it."""
    person, seen = by or story.ana, None

    async def shown() -> Modal | None:
        nonlocal seen
        seen = await person.modal()
        return seen if seen and seen.title == "New text" and all(one in seen.text for one in words) else None

    try:
        modal = await story.stage.sandbox.until(shown, timeout=20)
    except TimeoutError:
        raise AssertionError(f"expected {words}, saw {seen and seen.text}") from None
    assert modal is not None
    return modal


async def opens(story: Story) -> Modal:
    """Open the form with `/text` alone."""
    assert (await story.types("")).text == ""
    return await form(story)


async def chooses(story: Story, phone: Phone) -> Shown:
    """Type a name and choose the person of it who has this phone."""
    await story.ana.suggestions("To", "mia")
    return await story.ana.fills("To", phone.address)


async def asked(story: Story, number: str) -> int:
    """How often Blooio was asked what a number can receive."""
    return len(await story.stage.sandbox.exchanges(vendor="blooio", name=f"GET /contacts/{number}/capabilities"))


async def holds_up(story: Story, number: str, kind: str = "latency", **more: Any) -> None:
    """Let Blooio not say what a number can receive."""
    where = f"GET /contacts/{number}/capabilities"
    await story.stage.sandbox.order(vendor="blooio", where=where, kind=kind, **{"seconds": 30, "times": None, **more})


class TestOpening:
    async def test_the_command_alone(self, story: Story) -> None:
        """An empty form, whose thread will live here."""
        modal = await opens(story)
        assert (modal.title, modal.submit, modal.close) == ("New text", "Send", "Cancel")
        assert [field.label for field in modal.fields] == ["To", "Message", "Where the thread lives"]
        assert modal["To"].placeholder == "A name, a phone number or an email address"
        assert modal["Where the thread lives"].value.startswith("#people-")
        assert modal.text == ""

    @pytest.mark.parametrize("by_name", [True, False], ids=["a name", "a number"])
    async def test_a_person_without_a_message(self, story: Story, by_name: bool) -> None:
        """The form has them, and says what they can get."""
        mia = await story.knows("Mia Lopez")
        await story.types("mia" if by_name else mia.address)
        modal = await form(story, IMESSAGE)
        assert modal["To"].value == f"Mia Lopez · {pretty(mia)}"

    async def test_the_shortcut_from_anywhere(self, story: Story) -> None:
        """Slack does not say where they are, so the place has to be chosen."""
        mia = await story.knows("Mia Lopez")
        assert (await story.ana.uses_shortcut("New text")).error is None
        modal = await form(story)
        assert modal["Where the thread lives"].value == ""
        await chooses(story, mia)
        await story.ana.fills("Message", "hello")
        assert (await story.ana.submits()).outcome == "invalid"
        await story.ana.fills("Where the thread lives", story.home)
        assert (await story.ana.submits()).outcome == "closed"
        assert len(await mia.received(1)) == 1

    async def test_a_message_of_a_colleague(self, story: Story) -> None:
        """Its words stand in the form, as a phone shows them."""
        message = await story.stage.ben.posts(story.home, "Tell *Mia* :wave: it is <done> & dusted")
        await story.ana.uses_message_shortcut(message, "Text this to…")
        modal = await form(story)
        assert modal["Message"].value == "Tell *Mia* 👋 it is <done> & dusted"
        assert modal["Where the thread lives"].value.startswith("#people-")

    async def test_a_text_of_ours(self, story: Story) -> None:
        """Only its words, not what stands below them."""
        mia = await story.knows("Mia Lopez")
        await story.types(f"{mia.address} Hi *Mia*")

        async def receipt() -> Any:
            found = [one for one in await story.ana.sees_all(story.home) if one.text.startswith("Hi *Mia*")]
            return found[0] if found else None

        await story.ana.uses_message_shortcut(await story.stage.sandbox.until(receipt), "Text this to…")
        assert (await form(story))["Message"].value == "Hi *Mia*"

    @over_one_transport
    async def test_a_message_longer_than_a_text(self, story: Story) -> None:
        """It is cut, and the form says so; emoji count as a browser counts them."""
        for words in ("x" * 3000, "🎉" * 1500):
            message = await story.stage.ben.posts(story.home, words)
            await story.ana.uses_message_shortcut(message, "Text this to…")
            modal = await form(
                story, "The message was longer than a text can be: these are its first 2,000 characters."
            )
            assert words.startswith(modal["Message"].value)
            assert 1000 <= len(modal["Message"].value) <= 2000
            await story.ana.closes()

    async def test_the_button_on_a_card(self, story: Story) -> None:
        """The form has the person; the thread is theirs already."""
        mia = await story.knows("Mia Lopez")
        await story.types("mia first")
        await mia.received(1)

        async def card() -> Any:
            return next((one for one in await story.ana.sees(story.home) if "[Reply]" in one.text), None)

        await story.ana.clicks(await story.stage.sandbox.until(card), "Reply")
        modal = await form(story, IMESSAGE, "Their thread is in #people-")
        assert modal.values == {"To": f"Mia Lopez · {pretty(mia)}", "Message": ""}
        await story.ana.fills("Message", "second")
        assert (await story.ana.submits()).outcome == "closed"
        assert [text.text for text in await mia.received(2)] == ["first", "second"]
        assert (await story.is_told("Texting Mia Lopez.")).endswith("Open the thread")

    async def test_the_button_of_a_contact(self, story: Story) -> None:
        """In a form that is done, the form takes its place."""
        mia = await story.knows("Mia Lopez")
        shown = await story.ana.types(story.home, "/contact show mia")
        assert shown.message is not None
        await story.ana.clicks(shown.message, "Text")
        assert (await form(story, IMESSAGE))["To"].value.startswith("Mia Lopez")
        await story.ana.closes()

        await story.ana.types(story.home, "/contact add")
        await story.stage.sandbox.until(story.ana.modal)
        await story.ana.fills("Phone number or email address", mia.address)
        await story.ana.submits()
        await story.ana.clicks_in_modal("Text")
        modal = await form(story, IMESSAGE)
        assert modal.raw["depth"] == 1
        await story.ana.fills("Message", "hello")
        assert (await story.ana.submits()).outcome == "closed"
        assert len(await mia.received(1)) == 1

    async def test_a_trigger_that_has_expired(self, story: Story) -> None:
        """Slack opens no form then: what can be typed instead is said."""
        mia = await story.knows("Mia Lopez")
        body = {"ok": False, "error": "expired_trigger_id"}
        await story.stage.sandbox.order(
            vendor="slack", where="views.open", kind="status", status=200, body=body, times=4
        )
        await story.types("")
        await story.is_told("Text someone without leaving Slack")
        await story.types(mia.address)
        said = await story.is_told(f"⚠️ There is no message yet. Write it after {pretty(mia)}.")
        assert said.endswith(f"/text {mia.address}")
        message = await story.stage.ben.posts(story.home, "hello")
        await story.ana.uses_message_shortcut(message, "Text this to…")
        await story.is_told("⚠️ The form could not be opened. Try again.")
        await story.ana.uses_shortcut("New text")

        async def told() -> bool:
            return any("The form could not be opened" in one.text for one in await story.ana.sees_dm())

        await story.stage.sandbox.until(told)
        assert await story.ana.modal() is None


class TestSuggestions:
    async def test_people_by_any_part(self, story: Story) -> None:
        """Of a name in any script, or of a number however it is written."""
        mia = await story.knows("Mia Lopez")
        await story.knows("王小明")
        await story.knows("José Müller")
        await opens(story)
        for typed, offered in {
            "m": ["Mia Lopez", "José Müller"],
            "lop": ["Mia Lopez"],
            "LOPEZ mia": ["Mia Lopez"],
            mia.address[-6:]: ["Mia Lopez"],
            pretty(mia)[3:]: ["Mia Lopez"],
            "小": ["王小明"],
            "jose mu": ["José Müller"],
            "nobody": [],
        }.items():
            found = (await story.ana.suggestions("To", typed)).options
            assert [one.partition(" · ")[0] for one in found] == offered, typed

    async def test_a_number_that_nobody_has(self, story: Story) -> None:
        """Once it is complete it can be chosen as it is, and so can an email address."""
        await opens(story)
        assert (await story.ana.suggestions("To", "555 987")).options == []
        assert (await story.ana.suggestions("To", "(555) 987-6543")).options == ["Text +1 555-987-6543"]
        assert (await story.ana.suggestions("To", "Kim@x.example")).options == ["Text kim@x.example"]
        assert (await story.ana.suggestions("To", "911")).options == []

    @over_one_transport
    async def test_names_of_any_kind_fit(self, story: Story) -> None:
        """255 characters, right to left, emoji, 100 tags: Slack takes each as an option, and shows it when chosen."""
        names = ("Mia " + "x" * 251, "Mia " + "م" * 251, "Mia " + "👩‍👩‍👧" * 50, "Mia\n:wave: <b>", "Mia " + "🎉" * 251)
        for name in names:
            await story.knows(name, tags=tuple(f"tag {number}" for number in range(100)))
        await opens(story)
        found = await story.ana.suggestions("To", "mia")
        assert (found.error, len(found.options)) == (None, 5)
        assert all(len(one.encode("utf-16-le")) <= 150 for one in found.options)
        for offered in found.options:
            await story.ana.suggestions("To", "mia")
            assert (await story.ana.fills("To", offered)).error is None
            assert (await form(story, IMESSAGE))["To"].value == offered

    @over_one_transport
    async def test_an_address_longer_than_slack_takes(self, story: Story) -> None:
        """It is left out, and has no form; it can be texted by `/text` with a message."""
        await opens(story)
        address = "a" * 60 + "@" + "b" * 100 + ".example"
        found = await story.ana.suggestions("To", address)
        assert (found.options, found.error) == ([], None)
        await story.ana.closes()
        await story.types(address)
        await story.is_told(f"⚠️ There is no message yet. Write it after {address}.")

    @over_one_transport
    async def test_a_database_that_is_away(self, story: Story) -> None:
        """Nobody is found in time, but a number can still be chosen."""
        await story.knows("Mia Lopez")
        await opens(story)
        async with await psycopg.AsyncConnection.connect(story.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE contacts")
            found = await story.ana.suggestions("To", "+1 555 987 6543")
        assert (found.options, found.error) == (["Text +1 555-987-6543"], None)


class TestWhatWillHappen:
    @pytest.mark.parametrize(
        ("profile", "says"),
        [
            pytest.param({"imessage": True}, IMESSAGE, id="iMessage"),
            pytest.param({"imessage": False}, SMS, id="SMS"),
            pytest.param(
                {"imessage": False, "sms": False},
                "Blooio says that this number can get neither iMessage nor SMS.",
                id="nothing",
            ),
        ],
    )
    async def test_is_said_as_soon_as_somebody_is_chosen(
        self, story: Story, profile: dict[str, bool], says: str
    ) -> None:
        """What was written stays, and the check is remembered: the text goes without another."""
        phone = await story.phone(**profile)
        await opens(story)
        await story.ana.fills("Message", "hello :wave:\nthere")
        await story.ana.fills("To", phone.address)
        modal = await form(story, says)
        assert modal.values["Message"] == "hello :wave:\nthere"
        assert await asked(story, phone.address) == 1
        await story.ana.submits()

        async def was_sent() -> bool:
            name = f"POST /chats/{phone.address}/messages"
            return bool(await story.stage.sandbox.exchanges(vendor="blooio", name=name))

        await story.stage.sandbox.until(was_sent)
        assert await asked(story, phone.address) == 1

    async def test_a_check_that_is_fresh_is_not_asked_again(self, story: Story) -> None:
        """Another form about the same person says it at once."""
        mia = await story.knows("Mia Lopez")
        for _ in range(2):
            await story.types("mia")
            await form(story, IMESSAGE)
            await story.ana.closes()
        assert await asked(story, mia.address) == 1

    async def test_blooio_that_takes_its_time(self, story: Story) -> None:
        """The form says that it is asking, can be filled meanwhile, and sends without an answer."""
        mia = await story.knows("Mia Lopez")
        await holds_up(story, mia.address)
        await opens(story)
        assert (await chooses(story, mia)).error is None
        await form(story, CHECKING)
        await story.ana.fills("Message", "hello")
        assert (await story.ana.submits()).outcome == "closed"
        await story.stage.sandbox.calm()
        assert len(await mia.received(1)) == 1

    async def test_blooio_that_does_not_say(self, story: Story) -> None:
        """It goes on the best channel all the same."""
        mia = await story.knows("Mia Lopez")
        await holds_up(story, mia.address, kind="status", status=500)
        await opens(story)
        await chooses(story, mia)
        await form(story, UNKNOWN)
        await story.stage.sandbox.calm()
        await story.ana.fills("Message", "hello")
        assert (await story.ana.submits()).outcome == "closed"
        assert len(await mia.received(1)) == 1

    async def test_the_last_choice_counts(self, story: Story) -> None:
        """Leo is chosen while Mia is still being checked: what is said is about Leo, also when Mia's answer comes."""
        mia, leo = await story.knows("Mia Lopez"), await story.phone(imessage=False)
        await holds_up(story, mia.address, kind="latency", seconds=1)
        await opens(story)
        await chooses(story, mia)
        await story.ana.fills("To", leo.address)
        await form(story, SMS)

        async def was_answered() -> bool:
            return await asked(story, mia.address) == 1

        await story.stage.sandbox.until(was_answered)
        modal = await form(story, SMS)
        assert modal["To"].value == f"Text {pretty(leo)}"

    @over_one_transport
    async def test_a_form_that_changed_while_it_was_drawn(self, story: Story) -> None:
        """Slack refuses what was made from an older form; what was chosen last is drawn all the same."""
        mia = await story.knows("Mia Lopez")
        await opens(story)
        body = {"ok": False, "error": "hash_conflict"}
        await story.stage.sandbox.order(vendor="slack", where="views.update", kind="status", status=200, body=body)
        await chooses(story, mia)
        await form(story, IMESSAGE)

    @over_one_transport
    async def test_a_form_that_was_closed_meanwhile(self, story: Story) -> None:
        """There is nothing to draw, and the check is remembered."""
        mia = await story.knows("Mia Lopez")
        await holds_up(story, mia.address, kind="latency", seconds=0.5)
        await story.types("mia")
        await form(story, CHECKING)
        await story.ana.closes()
        await story.stage.sandbox.until(lambda: asked_once(story, mia.address))
        await story.types("mia")
        await form(story, IMESSAGE)
        assert await asked(story, mia.address) == 1

    async def test_our_own_number(self, story: Story) -> None:
        """It is said at once, and once more under the field."""
        await opens(story)
        ours = story.stage.app.texting.lines[0]
        await story.ana.fills("To", ours)
        await form(story, "That is our own number. Text somebody else.")
        await story.ana.fills("Message", "hello")
        refused = await story.ana.submits()
        assert refused.modal is not None
        assert refused.modal.errors == {"To": "That is our own number. Text somebody else."}


@over_one_transport
class TestLines:
    """Our own numbers: which one a text goes out from, and what it may do."""

    OTHER = "+15550108888"

    @pytest_asyncio.fixture(autouse=True, loop_scope="module")
    async def lines(self, story: Story) -> AsyncIterator[Gateway]:
        sandbox, texting = story.stage.sandbox, story.stage.app.texting
        ours = texting.lines[0]
        gateway = Gateway(sandbox._http, sandbox.url)
        yield gateway
        await gateway.becomes(lines=[{"number": ours}])
        await texting.learn_lines()

    async def become(self, story: Story, gateway: Gateway, *lines: dict[str, str]) -> None:
        await gateway.becomes(lines=list(lines))
        await story.stage.app.texting.learn_lines()

    async def test_one_that_can_only_reply(self, story: Story, lines: Gateway) -> None:
        """It is said without asking Blooio."""
        mia = await story.knows("Mia Lopez")
        ours = story.stage.app.texting.lines[0]
        await self.become(story, lines, {"number": ours, "plan_kind": "inbound"})
        await story.types("mia")
        await form(story, "Our number can only reply: they have to text us first.")
        assert await asked(story, mia.address) == 0

    async def test_several_to_choose_from(self, story: Story, lines: Gateway) -> None:
        """The text goes out from the one that was chosen, in a thread of its own; otherwise the best is taken."""
        mia = await story.knows("Mia Lopez")
        ours = story.stage.app.texting.lines[0]
        await story.types("mia first")
        await mia.received(1)
        await self.become(story, lines, {"number": ours}, {"number": self.OTHER, "plan_kind": "inbound"})
        await story.types("mia")
        modal = await form(story, IMESSAGE, "Their thread is in #people-")
        shown = ["The number that fits best", "+1 555-010-9999", "+1 555-010-8888 (replies only)"]
        assert modal["Send from"].options == shown
        assert modal["Send from"].value == shown[0]
        await story.ana.fills("Message", "second")
        await story.ana.fills("Send from", shown[2])
        modal = await form(story, "Our number can only reply: they have to text us first.")
        assert "Their thread" not in modal.text
        assert modal["Message"].value == "second"
        await mia.replies("I text you")
        assert (await story.ana.submits()).outcome == "closed"
        assert [text.from_number for text in await mia.received(2)] == [ours, self.OTHER]


class TestSending:
    async def test_a_text_goes_out_and_its_thread_begins_here(self, story: Story) -> None:
        """Under the name of whoever wrote it; nothing more has to be said."""
        mia = await story.knows("Mia Lopez")
        await opens(story)
        await chooses(story, mia)
        await form(story, IMESSAGE)
        await story.ana.fills("Message", "a <b> & *c* :wave:")
        assert (await story.ana.submits()).outcome == "closed"
        assert [text.text for text in await mia.received(1)] == ["a <b> & *c* 👋"]
        [text] = await story.stage.settles("🔵 iMessage", where=story.home)
        assert text.author == "Ana Alvarez"
        assert await story.told() == []

    async def test_errors_stand_under_their_fields(self, story: Story) -> None:
        """And the words stay: what is mended can be sent."""
        mia = await story.knows("Mia Lopez")
        await opens(story)
        await chooses(story, mia)
        await story.ana.fills("Message", " \n ")
        refused = await story.ana.submits()
        assert refused.outcome in {"errors", "invalid"}
        await story.ana.fills("Message", "hello")
        await story.ana.fills("Where the thread lives", "#vip")
        refused = await story.ana.submits()
        assert refused.modal is not None
        assert refused.modal.errors["Where the thread lives"].startswith(
            "I am not in that channel. Type /invite @texting there, then press Send again"
        )
        assert refused.modal["Message"].value == "hello"
        await story.ana.fills("Where the thread lives", story.home)
        assert (await story.ana.submits()).outcome == "closed"
        assert len(await mia.received(1)) == 1

    @pytest.mark.parametrize(
        ("place", "words"),
        [
            ("#old", "That channel is archived. Choose another one."),
            ("@ben", "I cannot join a direct message between people. Choose a channel, or your messages with me."),
        ],
    )
    async def test_places_without_a_thread(self, story: Story, place: str, words: str) -> None:
        """It is said under the field what to do."""
        mia = await story.knows("Mia Lopez")
        await opens(story)
        await chooses(story, mia)
        await story.ana.fills("Message", "hello")
        await story.ana.fills("Where the thread lives", place)
        before = await story.stored()
        refused = await story.ana.submits()
        assert refused.modal is not None
        assert refused.modal.errors == {"Where the thread lives": words}
        assert await story.stored() == before

    async def test_a_thread_elsewhere(self, story: Story) -> None:
        """The form says where it is and does not ask; afterwards who sent it is told how to get there."""
        mia = await story.knows("Mia Lopez")
        await story.types("mia first")
        await mia.received(1)
        await story.stage.settles("🔵 iMessage", where=story.home)
        await story.ana.types("#general", "/text")
        await form(story)
        await chooses(story, mia)
        modal = await form(story, IMESSAGE, "Their thread is in #people-")
        assert [field.label for field in modal.fields] == ["To", "Message"]
        await story.ana.fills("Message", "second")
        assert (await story.ana.submits()).outcome == "closed"
        said = await story.is_told("Texting Mia Lopez. Their thread is in #people-", where="#general")
        assert said.endswith("Open the thread")
        assert len(await mia.received(2)) == 2

    async def test_a_thread_among_somebodys_messages(self, story: Story) -> None:
        """A colleague would not see it there: the form asks where it shall live instead, and brings it out."""
        mia = await story.knows("Mia Lopez")
        await story.stage.ben.types("@bot", "/text mia first")
        await mia.received(1)
        await story.types("mia")
        modal = await form(story, IMESSAGE)
        assert "Their thread" not in modal.text
        assert modal["Where the thread lives"].value.startswith("#people-")
        await story.ana.fills("Message", "second")
        assert (await story.ana.submits()).outcome == "errors"  # Ben's text has only just gone out
        assert (await story.ana.submits()).outcome == "closed"
        await story.stage.settles("🔵 iMessage", where=story.home)  # the first stays where it was

    async def test_from_nowhere_it_is_said_in_their_messages(self, story: Story) -> None:
        """The shortcut works where nobody can be whispered to."""
        mia = await story.knows("Mia Lopez")
        await story.types("mia first")
        await story.stage.settles("🔵 iMessage", where=story.home)
        await story.ana.uses_shortcut("compose")
        await form(story)
        await chooses(story, mia)
        await form(story, "Their thread is in")
        await story.ana.fills("Message", "second")
        assert (await story.ana.submits()).outcome == "closed"

        async def told() -> bool:
            return any(one.text.startswith("Texting Mia Lopez. Their thread") for one in await story.ana.sees_dm())

        await story.stage.sandbox.until(told)

    async def test_a_submission_that_comes_twice(self, story: Story) -> None:
        """Its answer is lost and Send is pressed again, or Slack sends it twice: one text."""
        mia = await story.knows("Mia Lopez")
        await opens(story)
        await chooses(story, mia)
        await story.ana.fills("Message", "once")
        await form(story, IMESSAGE)
        await story.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="drop_after")
        assert (await story.ana.submits()).outcome == "failed"
        await story.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="double")
        assert (await story.ana.submits()).outcome == "closed"
        await story.types("mia twice")
        assert [text.text for text in await mia.received(2)] == ["once", "twice"]

    async def test_two_people_with_a_form_each(self, story: Story) -> None:
        """The same words to the same person from two people are two texts."""
        mia, ben = await story.knows("Mia Lopez"), story.stage.ben
        for person in (story.ana, ben):
            await story.types("mia", by=person)
            await form(story, by=person)
            await person.fills("Message", "hello")
        assert [one.outcome for one in await asyncio.gather(story.ana.submits(), ben.submits())] == ["closed"] * 2
        assert len(await mia.received(2)) == 2

    @over_one_transport
    async def test_a_database_that_is_away(self, story: Story) -> None:
        """The form says so in time and keeps the words; then it can be sent."""
        mia = await story.knows("Mia Lopez")
        await story.types("mia")
        await form(story, IMESSAGE)
        await story.ana.fills("Message", "hello")
        async with await psycopg.AsyncConnection.connect(story.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE")
            refused = await story.ana.submits()
        assert refused.modal is not None
        words = "We could not save this text, so it was not sent. Try again in a minute."
        assert refused.modal.errors == {"Message": words}
        assert refused.modal["Message"].value == "hello"
        assert (await story.ana.submits()).outcome == "closed"
        assert len(await mia.received(1)) == 1

    async def test_closing_the_form_sends_nothing(self, story: Story) -> None:
        """Nothing is stored of it."""
        before = await story.stored()
        await story.types((await story.phone()).address)
        await form(story, IMESSAGE)
        await story.ana.fills("Message", "hello")
        await story.ana.closes()
        assert await story.stored() == before


class TestAddAsContact:
    async def test_the_number_in_a_message(self, story: Story) -> None:
        """The form for a new contact has it; saved, they are found by name."""
        phone = await story.phone()
        message = await story.stage.ben.posts(story.home, f"Mia called from {pretty(phone)}, call back", tel=True)
        assert (await story.ana.uses_message_shortcut(message, "Add as contact")).error is None
        modal = await story.stage.sandbox.until(story.ana.modal)
        assert modal.values["Phone number or email address"] == pretty(phone)
        await story.ana.fills("Name", "Mia Lopez")
        assert (await story.ana.submits()).outcome == "updated"
        await story.ana.closes()
        assert (await story.types("mia hello")).text == "Texting Mia Lopez."

    async def test_a_message_without_one(self, story: Story) -> None:
        """The form is empty and says why."""
        message = await story.stage.ben.posts(story.home, "call 911 at 10:30")
        await story.ana.uses_message_shortcut(message, "add_contact")
        modal = await story.stage.sandbox.until(story.ana.modal)
        assert modal.text == "There is no phone number or email address in this message. Write it here."
        assert modal.values["Phone number or email address"] == ""


async def asked_once(story: Story, number: str) -> bool:
    return await asked(story, number) == 1
