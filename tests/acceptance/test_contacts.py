"""`/contact`, from the words typed to the address book in Blooio, and back to whoever typed them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot import librarian
from bot.blooio.client import BlooioClient, blooio_http
from bot.storage.contacts import Contacts
from bot.texting.book import Book
from bot.texting.errors import NotFound
from bot.texting.model import Address, Contact
from handlers import contact_clicks, contact_forms, contacts
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person
from sandbox.slack.modal_driver import Modal
from tests.acceptance.stage import Stage, bot_beside, is_card, over_one_transport

pytestmark = pytest.mark.asyncio(loop_scope="module")


NUMBER = "Phone number or email address"
INCOMPLETE = "“555-1234” is not a complete phone number. Add the area code, or start with + and the country code."
MAYBE = "⚠️ Blooio did not answer, so this may not be saved. Try again: nothing is done twice."

_numbers = itertools.count(5_550_500_001)
_names = itertools.count(1)


@dataclass(frozen=True)
class Room:
    """A channel of a story's own, the book, and somebody in it whom no other story knows."""

    stage: Stage
    where: str
    book: Book
    blooio: BlooioClient
    copy: Contacts
    address: Address
    name: str  # of nobody else
    other: str

    @property
    def shown(self) -> str:
        """The number as the bot writes it."""
        return pretty(self.address)

    async def adds(self, name: str | None = None, *tags: str, address: Address | None = None) -> Contact:
        """Put somebody into the book before the story begins."""
        return (await self.book.add(address or self.address, name or self.name, tags)).contact

    async def types(self, command: str, *, by: Person | None = None) -> list[str]:
        """Type `/contact …`; return what is answered, line by line."""
        shown = await (by or self.stage.ana).types(self.where, f"/contact {command}".strip())
        assert shown.error is None, shown
        return shown.text.splitlines()

    async def told(self, person: Person | None = None) -> list[Message]:
        """What only somebody (Ana) sees here, oldest first."""
        return [one for one in await (person or self.stage.ana).sees(self.where) if one.ephemeral]

    async def is_told(self, begin: str, person: Person | None = None) -> Message:
        """Wait until the last thing that somebody (Ana) alone sees begins like this."""

        async def last() -> Message | None:
            told = await self.told(person)
            return told[-1] if told and told[-1].text.startswith(begin) else None

        try:
            return await self.stage.sandbox.until(last)
        except TimeoutError:
            raise AssertionError(f"expected {begin!r}, told {[one.text for one in await self.told(person)]}") from None

    async def clicks(self, what: str, *, by: Person | None = None) -> None:
        """Press a button of the last thing somebody (Ana) was told."""
        shown = await (by or self.stage.ana).clicks((await self.told(by))[-1], what)
        assert shown.error is None, shown

    async def form(self, person: Person | None = None) -> Modal:
        """Wait for a form before somebody's (Ana's) eyes."""
        return await self.stage.sandbox.until((person or self.stage.ana).modal)

    async def form_says(self, begin: str, person: Person | None = None) -> Modal:
        """Wait until the form before somebody's (Ana's) eyes begins like this."""

        async def said() -> Modal | None:
            modal = await (person or self.stage.ana).modal()
            return modal if modal is not None and modal.text.startswith(begin) else None

        return await self.stage.sandbox.until(said)

    async def order(self, method: str, kind: str, **details: Any) -> str:
        """Order trouble with what the bot asks Blooio about this story's person."""
        where = "POST /contacts" if method == "POST" else f"{method} /contacts/{self.address}*"
        return await self.stage.sandbox.order(vendor="blooio", where=where, kind=kind, **details)

    async def in_blooio(self) -> tuple[str | None, tuple[str, ...]]:
        """What Blooio has of this story's person."""
        contact = await self.blooio.get_contact(self.address)
        return contact.name, contact.tags


def pretty(address: Address) -> str:
    digits = address.removeprefix("+1")
    return f"+1 {digits[:3]}-{digits[3:6]}-{digits[6:]}"


def new_address() -> Address:
    return Address(f"+1{next(_numbers)}")


@pytest_asyncio.fixture(loop_scope="module")
async def room(shared_stage: Stage) -> AsyncIterator[Room]:
    number = next(_names)
    where = f"#contacts-{shared_stage.transport}-{number}"
    await shared_stage.sandbox.creates_channel(where, members=["ana", "ben", "bot"])
    environment = shared_stage.sandbox.environment()
    async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
        blooio, copy = BlooioClient(http), Contacts(shared_stage.app.pool)
        book = Book(gateway=blooio, memory=copy)
        first, other = (f"{name}{chr(ord('a') + number // 26)}{chr(ord('a') + number % 26)}" for name in ("Zo", "Mi"))
        yield Room(shared_stage, where, book, blooio, copy, new_address(), f"{first} Park", f"{other} Green")
    await shared_stage.sandbox.calm()
    for person in (shared_stage.ana, shared_stage.ben):
        while await person.modal() is not None:
            await person.closes()


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """People are told sooner that Blooio takes its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "_WAIT_SECONDS", 0.3)
        patch.setattr(contact_clicks, "_SAID_AFTER_SECONDS", 0.2)
        patch.setattr(contact_forms, "_SAID_AFTER_SECONDS", 0.3)
        yield


class TestAdd:
    async def test_in_one_line(self, room: Room) -> None:
        """Saved in Blooio, found at once by its name, and the card is the answer; nobody else sees anything."""
        answer = await room.types(f'add {room.shown} {room.name} #new #"west coast"')
        assert answer == [
            f"{room.name} is in the address book now.",
            f"{room.name} · {room.shown}",
            "Not checked yet what they can receive",
            "🏷️ new, west coast",
            "[Text] [Edit] [Check now] [Opt out…]",
        ]
        assert await room.in_blooio() == (room.name, ("new", "west coast"))
        assert (await room.types(f"show {room.name}"))[0] == f"{room.name} · {room.shown}"
        assert await room.told(room.stage.ben) == []

    async def test_by_a_form(self, room: Room) -> None:
        """The name that was typed stands in it; what is wrong stands under its field, and the words stay."""
        ana = room.stage.ana
        assert await room.types(f"add {room.name}") == []
        assert (await room.form()).values == {"Name": room.name, NUMBER: "", "Tags": ""}
        await ana.fills(NUMBER, "555-1234")
        await ana.fills("Tags", "new, " + "x" * 51)
        wrong = (await ana.submits()).modal
        assert wrong is not None
        assert wrong.errors == {
            NUMBER: INCOMPLETE,
            "Tags": "That is too long for a tag: it can have 50 characters.",
        }
        assert wrong.values == {"Name": room.name, NUMBER: "555-1234", "Tags": "new, " + "x" * 51}
        await ana.fills(NUMBER, room.shown)
        await ana.fills("Tags", "new, west coast")
        done = await ana.submits()
        assert done.modal is not None
        assert (done.outcome, done.modal.title) == ("updated", "Saved")
        assert done.modal.text.startswith(f"{room.name} is in the address book now.\n{room.name} · {room.shown}\n")
        assert await room.in_blooio() == (room.name, ("new", "west coast"))
        assert await room.told() == []

    async def test_who_is_there_already(self, room: Room) -> None:
        """Nothing is changed; their card and a form for them are offered."""
        await room.adds()
        answer = await room.types(f"add {room.address} {room.other}")
        assert answer[:2] == [f"{room.name} is in the address book already.", f"{room.name} · {room.shown}"]
        await room.clicks("Edit")
        assert (await room.form()).values == {"Name": room.name, "Tags": ""}
        assert await room.in_blooio() == (room.name, ())

    async def test_who_is_there_already_by_a_form(self, room: Room) -> None:
        """The form says so, and becomes the one to edit them if that is wanted."""
        ana = room.stage.ana
        await room.adds()
        await room.types(f"add {room.other}")
        await room.form()
        await ana.fills(NUMBER, room.address)
        done = await ana.submits()
        assert done.modal is not None
        assert done.modal.text.startswith(f"{room.name} is in the address book already.")
        await ana.clicks_in_modal("Edit")
        form = await room.form_says(room.shown)
        assert (form.title, form.values) == ("Edit contact", {"Name": room.name, "Tags": ""})

    @over_one_transport
    async def test_somebody_without_a_name_gets_one(self, room: Room) -> None:
        """Blooio adds people by itself when they are texted: that is not what the person typing means by "already"."""
        await room.blooio.create_contact(room.address)
        answer = await room.types(f"add {room.address} {room.name}")
        assert answer[0] == f"{room.name} is in the address book now."
        assert await room.in_blooio() == (room.name, ())

    @over_one_transport
    async def test_while_blooio_is_in_trouble(self, room: Room) -> None:
        """It is said, the words are given back, and typing them again is all there is to do."""
        await room.order("POST", "status", status=502)
        answer = await room.types(f"add {room.address} {room.name} #new")
        assert answer == [MAYBE, "You typed:", f"/contact add {room.address} {room.name} #new"]
        answer = await room.types(f"add {room.address} {room.name} #new")
        assert answer[0] == f"{room.name} is in the address book now."

    @over_one_transport
    async def test_an_answer_that_was_lost(self, room: Room) -> None:
        """Nobody knows whether it was saved; asked again it is there once, with the tags that were missing."""
        await room.order("POST", "drop_after")
        assert (await room.types(f"add {room.address} {room.name} #new"))[0] == MAYBE
        answer = await room.types(f"add {room.address} {room.name} #new")
        assert answer[0] == f"{room.name} is in the address book already."
        assert await room.in_blooio() == (room.name, ("new",))

    @over_one_transport
    async def test_the_tags_were_not_taken(self, room: Room) -> None:
        """The contact is saved, and what is missing is said."""
        await room.order("POST", "status", status=500, skip=1)
        await room.stage.sandbox.order(vendor="blooio", where="POST /contacts/*/tags", kind="status", status=500)
        answer = await room.types(f"add {room.address} {room.name} #new")
        assert answer[0] == (
            f"{room.name} is in the address book now. The tags could not be saved: try again with Edit."
        )

    @over_one_transport
    async def test_a_slow_blooio(self, room: Room) -> None:
        """Slack is answered in time, and the end is told to whoever typed it, here and once."""
        await room.order("POST", "slow_answer", seconds=0.8)
        assert await room.types(f"add {room.address} {room.name}") == [
            f"⏳ Saving {room.name} … Blooio takes its time."
        ]
        await room.is_told(f"{room.name} is in the address book now.")
        assert len(await room.told()) == 2
        assert await room.told(room.stage.ben) == []

    @over_one_transport
    async def test_a_slow_failure(self, room: Room) -> None:
        """What was said to go on comes to an end in words, with what was typed."""
        await room.order("POST", "latency", seconds=0.6)
        await room.order("POST", "status", status=400)
        assert (await room.types(f"add {room.address} {room.name}"))[0].startswith("⏳ Saving")
        told = await room.is_told("⚠️ Blooio did not accept this. Check the number, the name and the tags.")
        assert told.text.endswith(f"/contact add {room.address} {room.name}")

    @over_one_transport
    async def test_the_same_command_twice(self, room: Room) -> None:
        """Slack delivers it twice: there is one contact, and both answers are true."""
        await room.stage.sandbox.order(vendor="slack", where="deliver:slash_commands", kind="double")
        await room.types(f"add {room.address} {room.name} #new")
        assert await room.in_blooio() == (room.name, ("new",))
        found = await room.book.called(room.name, limit=5)
        assert [contact.address for contact in found] == [room.address]

    @over_one_transport
    async def test_the_trigger_has_expired(self, room: Room) -> None:
        """A button opens the form with what was typed."""
        refused = {"ok": False, "error": "expired_trigger_id"}
        await room.stage.sandbox.order(vendor="slack", where="views.open", kind="status", status=200, body=refused)
        answer = await room.types(f'add {room.name} #new #"west coast"')
        assert answer == [
            "⚠️ The form could not be opened in time.",
            "You typed:",
            f'/contact add {room.name} #new #"west coast"',
            "[Open the form]",
        ]
        await room.clicks("Open the form")
        assert (await room.form()).values == {"Name": room.name, NUMBER: "", "Tags": "new, west coast"}

    @over_one_transport
    async def test_slack_does_not_open_the_form(self, room: Room) -> None:
        """No answer is waited for longer than Slack waits for ours."""
        await room.stage.sandbox.order(vendor="slack", where="views.open", kind="latency", seconds=5)
        answer = await room.types(f"add {room.name}")
        assert answer[0] == "⚠️ The form could not be opened in time."


class TestForms:
    """What can come between somebody and a saved form."""

    async def writes(self, room: Room) -> Modal:
        """Let Ana fill in the form for a new contact."""
        await room.types(f"add {room.name}")
        await room.form()
        await room.stage.ana.fills(NUMBER, room.shown)
        await room.stage.ana.fills("Tags", "new")
        return await room.form()

    @over_one_transport
    async def test_blooio_is_in_trouble(self, room: Room) -> None:
        """It stands under the field, the words stay, and the same button tries again."""
        written = await self.writes(room)
        await room.order("POST", "html")
        failed = await room.stage.ana.submits()
        assert failed.modal is not None
        assert failed.modal.errors == {NUMBER: MAYBE.removeprefix("⚠️ ")}
        assert failed.modal.values == written.values
        assert (await room.stage.ana.submits()).outcome == "updated"
        assert await room.in_blooio() == (room.name, ("new",))

    async def test_a_slow_blooio(self, room: Room) -> None:
        """The form says that it is saving, and then that it is saved."""
        await self.writes(room)
        await room.order("POST", "slow_answer", seconds=0.8)
        saving = (await room.stage.ana.submits()).modal
        assert saving is not None
        assert (saving.title, saving.text, saving.submit) == ("Saving …", "⏳ Saving … Blooio takes its time.", None)
        done = await room.form_says(f"{room.name} is in the address book now.")
        assert done.title == "Saved"
        assert await room.told() == []

    @over_one_transport
    async def test_slow_and_then_in_trouble(self, room: Room) -> None:
        """The form is back with all that was written."""
        written = await self.writes(room)
        await room.order("POST", "latency", seconds=0.6)
        await room.order("POST", "status", status=503)
        await room.stage.ana.submits()
        again = await room.form_says(MAYBE)
        assert again.values == written.values
        await room.stage.ana.submits()
        assert await room.in_blooio() == (room.name, ("new",))

    @over_one_transport
    @pytest.mark.parametrize(
        ("status", "begin"),
        [
            pytest.param(0, "{name} is in the address book now.", id="saved"),
            pytest.param(502, MAYBE, id="not saved"),
        ],
    )
    async def test_the_form_was_closed_meanwhile(self, room: Room, status: int, begin: str) -> None:
        """What became of it is told where the form was opened, with the words if it came to nothing."""
        await self.writes(room)
        await room.order("POST", "latency", seconds=0.8)
        if status:
            await room.order("POST", "status", status=status)
        await room.stage.ana.submits()
        await room.stage.ana.closes()
        told = await room.is_told(begin.format(name=room.name))
        if status:
            assert told.text.endswith(f"/contact add {room.shown} {room.name} #new")
        assert await room.told(room.stage.ben) == []

    @over_one_transport
    async def test_closed_where_the_bot_is_not(self, room: Room) -> None:
        """In a conversation of other people nothing can be whispered: it is told in the messages with the bot."""
        await room.stage.ana.types("@ben", f"/contact add {room.name}")
        await room.form()
        await room.stage.ana.fills(NUMBER, room.shown)
        await room.order("POST", "latency", seconds=0.8)
        await room.stage.ana.submits()
        await room.stage.ana.closes()

        async def told() -> bool:
            return any(one.text.startswith(f"{room.name} is in") for one in await room.stage.ana.sees_dm())

        assert await room.stage.sandbox.until(told)

    async def test_the_same_submission_twice(self, room: Room) -> None:
        """Slack delivers it twice: one contact, and the form says that it is there."""
        await self.writes(room)
        await room.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="double")
        done = await room.stage.ana.submits()
        assert done.modal is not None
        assert done.modal.text.startswith(f"{room.name} is in the address book ")
        assert await room.in_blooio() == (room.name, ("new",))

    @over_one_transport
    async def test_two_windows(self, room: Room) -> None:
        """Two people edit the same contact: the slower one is told the new name, and saves over it only knowingly."""
        ana, ben = room.stage.ana, room.stage.ben
        await room.adds(None, "old")
        for person in (ana, ben):
            await room.types(f"edit {room.address}", by=person)
            await room.form(person)
        await ben.fills("Name", "Ben's Choice")
        await ben.fills("Tags", "old, from ben")
        await ben.submits()
        await ana.fills("Name", "Ana's Choice")
        await ana.fills("Tags", "from ana")
        slower = (await ana.submits()).modal
        assert slower is not None
        assert slower.text.startswith(
            "⚠️ Somebody else changed this contact meanwhile: the name is Ben's Choice now. Nothing was saved. "
            "Press Save again to give them the name Ana's Choice."
        )
        assert slower.values == {"Name": "Ana's Choice", "Tags": "from ana"}
        assert await room.in_blooio() == ("Ben's Choice", ("old", "from ben"))
        await ana.submits()
        assert await room.in_blooio() == ("Ana's Choice", ("from ben", "from ana"))

    @over_one_transport
    async def test_tags_of_two_windows_do_not_meet(self, room: Room) -> None:
        """Whoever leaves the name alone changes nothing of it, and takes nobody's tags away."""
        ana = room.stage.ana
        await room.adds(None, "old")
        await room.types(f"edit {room.address}")
        await room.form()
        await room.book.rename(room.address, room.other)
        await room.book.tag(room.address, "from ben")
        await ana.fills("Tags", "old, from ana")
        assert (await ana.submits()).outcome == "updated"
        assert await room.in_blooio() == (room.other, ("old", "from ben", "from ana"))

    @over_one_transport
    async def test_the_contact_is_gone(self, room: Room) -> None:
        """Somebody deleted it in Blooio while the form was open: it is said, and nobody is called so any more."""
        await room.adds()
        await room.types(f"edit {room.address}")
        await room.form()
        await deletes(room)
        await room.stage.ana.fills("Name", room.other)
        gone = (await room.stage.ana.submits()).modal
        assert gone is not None
        assert gone.errors == {"Name": "Blooio does not have this contact any more. Add it with /contact add."}
        assert await room.book.called(room.name, limit=1) == []


async def deletes(room: Room) -> None:
    """Delete the story's person in Blooio's own dashboard."""
    environment = room.stage.sandbox.environment()
    async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
        (await http.delete(f"/contacts/{room.address.replace('+', '%2B')}")).raise_for_status()


class TestEdit:
    async def test_by_a_form(self, room: Room) -> None:
        """Name and tags as they are, to be changed; the number is shown and cannot be."""
        ana = room.stage.ana
        await room.adds(None, "old", "west coast")
        assert await room.types(f"edit {room.name}") == []
        form = await room.form()
        assert form.values == {"Name": room.name, "Tags": "old, west coast"}
        assert form.text == f"{room.shown}\nThe number cannot be changed. For another one, add a new contact."
        await ana.fills("Name", "José 🌸")
        await ana.fills("Tags", "west coast, new")
        done = (await ana.submits()).modal
        assert done is not None
        assert done.text.startswith(f"Saved: José 🌸.\nJosé 🌸 · {room.shown}\n")
        assert await room.in_blooio() == ("José 🌸", ("west coast", "new"))

    @over_one_transport
    async def test_the_name_is_taken_off(self, room: Room) -> None:
        """An empty name is none."""
        await room.adds()
        await room.types(f"edit {room.address}")
        await room.form()
        await room.stage.ana.fills("Name", None)
        assert (await room.stage.ana.submits()).outcome == "updated"
        assert await room.in_blooio() == (None, ())

    @pytest.mark.parametrize("who", ["{address}", '"{name}"', "{name}:", "{first}"])
    async def test_in_one_line(self, room: Room, who: str) -> None:
        """Somebody by number, in quotes, before a colon, or by the first name: the rest is what they are called now."""
        await room.adds()
        named = who.format(address=room.address, name=room.name, first=room.name.split()[0])
        answer = await room.types(f"edit {named} {room.other}")
        assert answer[0] == f"{room.name} is called {room.other} now."
        assert await room.in_blooio() == (room.other, ())

    @over_one_transport
    async def test_a_word_that_may_be_their_name(self, room: Room) -> None:
        """`edit Jane Doe` when there is a Jane of another name renames nobody: the form asks."""
        await room.adds()
        assert await room.types(f"edit {room.name.split()[0]} Smith") == []
        assert (await room.form()).values == {"Name": "Smith", "Tags": ""}
        assert await room.in_blooio() == (room.name, ())

    @over_one_transport
    async def test_the_thread_shows_the_new_name(self, room: Room) -> None:
        """Whoever is texted is called what the book calls them, from the first card on and after a change."""
        ana = room.stage.ana
        await room.adds()
        await ana.types(room.where, f"/text {room.address} Hi")

        async def card(name: str) -> Message | None:
            cards = [one for one in await ana.sees(room.where) if is_card(one)]
            return cards[0] if cards and cards[0].text.startswith(f"{name} · {room.shown}") else None

        await room.stage.sandbox.until(lambda: card(room.name))
        await room.types(f"edit {room.address} {room.other}")
        await room.stage.sandbox.until(lambda: card(room.other))


class TestLookUp:
    async def test_find(self, room: Room) -> None:
        """Any part of a name, a number or a tag, with a button to the card."""
        await room.adds(None, f"tag{room.name.split()[0]}")
        first = room.name.split()[0]
        for typed in (first[:4].lower() + " PARK", f"tag{first}", room.address[-7:]):
            answer = await room.types(f"find {typed}")
            assert answer == [
                f"People for “{typed}”",
                f"{room.name} · {room.shown}",
                f"🏷️ tag{room.name.split()[0]} [Show]",
            ]
        await room.clicks("Show")
        await room.is_told(f"{room.name} · {room.shown}")
        assert len(await room.told()) == 4

    async def test_nobody_is_found(self, room: Room) -> None:
        """It is said with what to do, and the words stand in it."""
        assert await room.types("find nobody at all") == [
            "Nobody was found for “nobody at all”.",
            "Try fewer letters, or /contact list. /contact add +1 555 123 4567 Jane Doe adds somebody.",
        ]

    async def test_pages(self, room: Room) -> None:
        """Ten a page; the buttons turn it in place, however often they are pressed."""
        family = room.name.split()[0] + "son"
        for number in range(23):
            await room.copy.put([Contact(new_address(), f"Person {number:02} {family}")])
        first = await room.types(f"find {family}")
        assert [line.split(" · ")[0] for line in first[1:11]] == [f"Person {n:02} {family}" for n in range(10)]
        assert first[11:] == ["1 to 10", "[Next →]"]
        before = (await room.told())[-1]
        await asyncio.gather(*(room.stage.ana.clicks(before, "Next →") for _ in range(2)))
        second = await room.is_told(f"People for “{family}”\nPerson 10 {family}")
        assert second.text.splitlines()[11:] == ["11 to 20", "[← Previous] [Next →]"]
        await room.clicks("Next →")
        third = await room.is_told(f"People for “{family}”\nPerson 20 {family}")
        assert third.text.splitlines()[4:] == ["21 to 23", "[← Previous]"]
        await room.clicks("← Previous")
        await room.is_told(f"People for “{family}”\nPerson 10 {family}")
        assert len(await room.told()) == 1

    @over_one_transport
    async def test_list_begins_with_who_was_texted_last(self, room: Room) -> None:
        """A text puts somebody at the top of the list at once."""
        await room.adds()
        await room.stage.ana.types(room.where, f"/text {room.address} Hi")

        async def listed() -> bool:
            return (await room.types("list"))[1] == f"{room.name} · {room.shown} [Show]"

        assert await room.stage.sandbox.until(listed)

    async def test_show(self, room: Room) -> None:
        """What they can receive, the last texts with what became of them, and the way to their thread."""
        ana = room.stage.ana
        await room.adds(None, "new")
        await room.stage.sandbox.phone(room.address).becomes(imessage=True, sent_after=0.0, delivered_after=0.1)
        assert (await room.types(f"show {room.name}"))[1] == "Not checked yet what they can receive"
        await room.clicks("Check now")
        await room.is_told(f"{room.name} · {room.shown}\n🔵 iMessage · checked Today, ")
        for words in ("One", "Two", "Three", "Four\nlines"):
            await ana.types(room.where, f"/text {room.address} {words}")

        async def delivered() -> list[str] | None:
            card = await room.types(f"show {room.address}")
            return card if sum("Delivered" in line for line in card) == 3 else None

        card = await room.stage.sandbox.until(delivered)
        assert card[0] == f"{room.name} · {room.shown}"
        assert card[1].startswith("🔵 iMessage · checked Today, ")
        assert card[1].endswith(" · Open the thread")
        assert card[2] == "🏷️ new"
        assert [line.split(" · ", 1)[1] for line in card[3:9:2]] == [
            "@Ana Alvarez: Four lines",
            "@Ana Alvarez: Three",
            "@Ana Alvarez: Two",
        ]
        assert all(line.startswith("🔵 iMessage · Delivered ") for line in card[4:10:2])
        assert card[9:] == ["[Text] [Edit] [Check now] [Opt out…]"]
        [thread] = [one for one in await ana.sees(room.where) if is_card(one)]
        link = (await room.told())[-1].blocks[1]["elements"][0]["text"]
        assert f"/p{thread.ts.replace('.', '')}|Open the thread>" in link

    @over_one_transport
    async def test_what_they_can_receive_is_not_known(self, room: Room) -> None:
        """The card stays as it is, and it is said why."""
        await room.adds()
        await room.types(f"show {room.address}")
        await room.order("GET", "status", status=503)
        await room.clicks("Check now")
        await room.is_told("⚠️ Blooio could not be asked what they can receive. Try again in a minute.")
        assert (await room.told())[0].text.splitlines()[0] == f"{room.name} · {room.shown}"

    async def test_a_number_that_is_not_in_the_book(self, room: Room) -> None:
        """They can be added: the form has the number."""
        answer = await room.types(f"show {room.address}")
        assert answer == [
            f"⚠️ {room.shown} is not in the address book.",
            "You typed:",
            f"/contact show {room.address}",
            "[Add contact]",
        ]
        await room.clicks("Add contact")
        assert (await room.form()).values == {"Name": "", NUMBER: room.shown, "Tags": ""}

    @over_one_transport
    async def test_what_was_wanted_of_them_is_kept(self, room: Room) -> None:
        """Whoever names or tags somebody who is not in the book can add them with that."""
        await room.types(f"edit {room.address} {room.name}")
        await room.clicks("Add contact")
        assert (await room.form()).values == {"Name": room.name, NUMBER: room.shown, "Tags": ""}
        await room.stage.ana.closes()
        await room.types(f'tag {room.address} new "west coast"')
        await room.clicks("Add contact")
        assert (await room.form()).values == {"Name": "", NUMBER: room.shown, "Tags": "new, west coast"}

    @over_one_transport
    async def test_while_blooio_is_away(self, room: Room) -> None:
        """The copy answers; of whom it does not know nothing is claimed."""
        await room.adds()
        await room.stage.sandbox.order(vendor="blooio", where="*", kind="status", status=502, times=None)
        assert (await room.types(f"find {room.name}"))[1] == f"{room.name} · {room.shown} [Show]"
        assert (await room.types(f"show {room.name}"))[0] == f"{room.name} · {room.shown}"
        answer = await room.types(f"show {new_address()}")
        assert answer[0] == "⚠️ Blooio did not say whether they are in the address book. Try again in a minute."
        assert (await room.types(f"tag {room.name} new"))[0] == MAYBE

    @over_one_transport
    async def test_the_database_does_not_answer(self, room: Room) -> None:
        """Slack's three seconds do not pass: it is said that nothing was done."""
        await room.adds()
        async with room.stage.app.pool.connection() as other, other.transaction():
            await other.execute("LOCK TABLE contacts")
            answer = await room.types(f"find {room.name}")
        words = "⚠️ The address book could not be read just now, so nothing was done. Try again in a minute."
        assert answer == [words, "You typed:", f"/contact find {room.name}"]


class TestTags:
    async def test_tag_and_untag(self, room: Room) -> None:
        """The card shows what they are now; a tag that was not there is no mistake."""
        await room.adds()
        answer = await room.types(f'tag {room.name} new, "west coast"')
        assert answer[0] == f"Saved: {room.name}."
        assert answer[3] == "🏷️ new, west coast"
        answer = await room.types(f"untag {room.address} new other")
        assert answer[3] == "🏷️ west coast"
        assert await room.in_blooio() == (room.name, ("west coast",))

    @over_one_transport
    async def test_a_tag_that_is_a_channel_here(self, room: Room) -> None:
        """Slack makes a channel of `#support`; it is a tag all the same. It hides the name of a private one."""
        await room.adds()
        assert (await room.types(f"tag {room.name} #support"))[3] == "🏷️ support"
        assert (await room.types(f"tag {room.name} #vip"))[0] == (
            '⚠️ Slack took a tag for a private channel of that name and hides it. Put the tag in quotes: #"…".'
        )

    @over_one_transport
    async def test_somebody_who_is_gone(self, room: Room) -> None:
        """Deleted in Blooio: it is said, and nobody is called so any more."""
        await room.adds()
        await deletes(room)
        answer = await room.types(f"tag {room.name} new")
        assert answer[0] == "⚠️ Blooio does not have this contact any more. Add it with /contact add."
        with pytest.raises(NotFound):
            await room.in_blooio()
        assert await room.book.called(room.name, limit=1) == []


class TestWhoIsMeant:
    async def test_several(self, room: Room) -> None:
        """Nothing is done before it is clear; the button goes on with what was typed, in the question's place."""
        first = room.name.split()[0]
        await room.adds()
        await room.adds(f"{first} Lee", address=new_address())
        answer = await room.types(f"tag {first} new")
        assert answer[0] == "Several people may be meant. Nothing was done yet: who is it?"
        assert sorted(answer[1:3]) == sorted(
            [f"{room.name} · {room.shown} [Tag {room.name}]", *(line for line in answer[1:3] if "Lee" in line)]
        )
        assert answer[3:] == ["You typed:", f"/contact tag {first} new"]
        assert await room.in_blooio() == (room.name, ())
        await room.clicks(f"Tag {room.name}")
        await room.is_told(f"Saved: {room.name}.")
        assert await room.in_blooio() == (room.name, ("new",))
        assert len(await room.told()) == 1

    async def test_several_of_whom_one_is_edited(self, room: Room) -> None:
        """The form takes the question's place."""
        first = room.name.split()[0]
        await room.adds()
        await room.adds(f"{first} Lee", address=new_address())
        await room.types(f"edit {first}")
        await room.clicks(f"Edit {room.name}")
        assert (await room.form()).values == {"Name": room.name, "Tags": ""}

        async def gone() -> bool:
            return await room.told() == []

        assert await room.stage.sandbox.until(gone)

    @over_one_transport
    async def test_a_double_click(self, room: Room) -> None:
        """The question's button pressed twice before anything moved: doing the same again changes nothing."""
        first = room.name.split()[0]
        await room.adds()
        await room.adds(f"{first} Lee", address=new_address())
        await room.types(f"tag {first} new")
        question = (await room.told())[-1]
        await asyncio.gather(*(room.stage.ana.clicks(question, f"Tag {room.name}") for _ in range(2)))
        await room.is_told(f"Saved: {room.name}.")
        assert await room.in_blooio() == (room.name, ("new",))

    @over_one_transport
    async def test_slow_after_the_question(self, room: Room) -> None:
        """It is said that it goes on, and then what came of it, all in one place."""
        first = room.name.split()[0]
        await room.adds()
        await room.adds(f"{first} Lee", address=new_address())
        await room.types(f"tag {first} new")
        await room.order("POST", "status", status=500, skip=99)
        await room.stage.sandbox.order(
            vendor="blooio", where=f"POST /contacts/{room.address}/tags", kind="slow_answer", seconds=0.8
        )
        await room.clicks(f"Tag {room.name}")
        await room.is_told(f"⏳ Saving {room.name} …")
        await room.is_told(f"Saved: {room.name}.")
        assert len(await room.told()) == 1

    async def test_more_than_can_be_asked_about(self, room: Room) -> None:
        """Five at most; more of the name is asked for."""
        first = room.name.split()[0]
        for number in range(7):
            await room.copy.put([Contact(new_address(), f"{first} Lee {number}")])
        answer = await room.types(f"show {first}")
        assert len([line for line in answer if f"[Show {first} Lee" in line]) == 5
        assert "There are more. Write more of the name, or a number." in answer

    async def test_nobody(self, room: Room) -> None:
        """They can be added under the name that was typed."""
        answer = await room.types(f"show {room.name}")
        assert answer == [
            f"⚠️ Nobody here is called “{room.name}”.",
            "You typed:",
            f"/contact show {room.name}",
            "[Add contact]",
        ]
        await room.clicks("Add contact")
        assert (await room.form()).values == {"Name": room.name, NUMBER: "", "Tags": ""}

    @over_one_transport
    async def test_nobody_but_nearly(self, room: Room) -> None:
        """Who is called something that begins so is offered, and never taken."""
        begun = room.name.split()[0]
        name = f"{begun}ette Park"
        await room.adds(name)
        answer = await room.types(f"tag {begun} new")
        assert answer[:3] == [
            f"⚠️ Nobody here is called “{begun}”.",
            "Did you mean one of these?",
            f"{name} · {room.shown} [Tag {name}]",
        ]
        assert await room.in_blooio() == (name, ())
        await room.clicks(f"Tag {name}")
        await room.is_told(f"Saved: {name}.")

    @over_one_transport
    async def test_a_name_of_several_words_without_quotes(self, room: Room) -> None:
        """The book decides where it ends: the tag is what follows."""
        await room.adds()
        assert (await room.types(f"tag {room.name} new"))[3] == "🏷️ new"

    @over_one_transport
    async def test_a_question_that_is_too_old(self, room: Room) -> None:
        """What was typed is kept for a day; the button then says so."""
        await room.types(f"show {room.name}")
        async with room.stage.app.pool.connection() as connection:
            await connection.execute("DELETE FROM drafts")
        await room.clicks("Add contact")
        await room.is_told("⚠️ This is too old to go on with. Nothing was done. Type the command again.")


class TestTyped:
    @pytest.mark.parametrize("typed", ["", "help", "?"])
    async def test_help(self, room: Room, typed: str) -> None:
        """All that can be typed, to whoever asks."""
        answer = await room.types(typed)
        assert answer[0] == "The address book"
        assert [
            word
            for word in ("add", "edit", "find", "list", "show", "tag", "untag")
            if f"/contact {word}" not in "\n".join(answer)
        ] == []
        assert await room.told(room.stage.ben) == []

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("dance", "“dance” is not something I can do with contacts. Try add, edit, find, list, show or tag."),
            ("edit", "Say who: /contact edit followed by a name, a phone number or an email address."),
            ("find", "Say what to look for: /contact find followed by a part of a name, a number or a tag."),
            ("tag jane", "Say which tags: /contact tag jane followed by one or more tags."),
            ("add 555-1234 Jane", INCOMPLETE),
            ("show @ben", "That is a teammate here in Slack. The address book is for people you text."),
        ],
    )
    async def test_what_cannot_be_done(self, room: Room, typed: str, words: str) -> None:
        """It is said with what to do, and the words are given back."""
        assert await room.types(typed) == [f"⚠️ {words}", "You typed:", f"/contact {typed}"]

    @over_one_transport
    async def test_where_the_bot_is_not(self, room: Room) -> None:
        """The book answers in a conversation of other people too, and its buttons work."""
        await room.adds()
        shown = await room.stage.ana.types("@ben", f"/contact find {room.name}")
        assert shown.message is not None
        await room.stage.ana.clicks(shown.message, "Show")

        async def card() -> bool:
            return any(one.text.startswith(f"{room.name} · ") for one in await room.stage.ana.sees("@ben"))

        assert await room.stage.sandbox.until(card)
        assert [one for one in await room.stage.ben.sees("@ana") if one.ephemeral] == []


HOSTILE = {
    "a long one": "W" * 255,
    "right to left": "محمد العلي",
    "emoji": "👩‍👩‍👧‍👦" * 30,
    "marks of Slack's": "<!channel> <@U0ANAALVARE> *b* _i_ `c` &amp; https://x.example",
    "all marks": "&" * 255,
}


@over_one_transport
class TestHostile:
    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    async def test_names_are_only_names(self, room: Room, name: str) -> None:
        """However somebody is called, Slack takes every message and form about them, and nobody is mentioned."""
        tags = [f"{number:02} {'<&>' * 15}" for number in range(100)]
        await room.adds(name, *tags)
        assert (await room.types(f"show {room.address}"))[0].endswith(f" · {room.shown}")
        card = (await room.told())[-1]
        assert card.mentions == []
        assert all(label == url for label, url in card.links)
        assert (await room.types(f"find {room.address}"))[1].endswith(f" · {room.shown}")
        assert (await room.types(f"untag {room.address} none"))[0].startswith("Saved: ")
        await room.types(f"edit {room.address}")
        form = await room.form()
        assert form["Name"].value == name
        assert "There are too many tags for a form. /contact tag and /contact untag change them." in form.text
        await room.stage.ana.fills("Name", f"{room.other}")
        assert (await room.stage.ana.submits()).outcome == "updated"
        assert await room.in_blooio() == (room.other, tuple(tags))

    async def test_a_page_full_of_them(self, room: Room) -> None:
        """Ten of the longest fit into one message, and five into a question."""
        first = room.name.split()[0]
        for number in range(12):
            tags = tuple(f"{'&' * 47}{number}{n}" for n in range(9))
            address = Address(f"{'&' * 60}{first.lower()}{number:02}@{'x' * 60}.{'y' * 60}.example")
            await room.copy.put([Contact(address, f"{first} {'&' * 240}", tags)])
        assert (await room.types(f"find {first}"))[-1] == "[Next →]"
        assert "There are more. Write more of the name, or a number." in await room.types(f"show {first}")


async def test_an_edit_made_elsewhere_arrives(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blooio's own people rename somebody: the book here and the card of their thread say so by themselves."""
    monkeypatch.setattr(librarian, "_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(librarian, "_SHARE", 1)
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket") as app:
        stage, jane = Stage(sandbox, app, "socket"), Address("+15551234567")
        await stage.ana.types("#support", f"/text {jane} Hi")
        await sandbox.until(stage.cards)
        environment = sandbox.environment()
        async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
            await BlooioClient(http).update_contact(jane, name="Jane Roe")

        async def arrived() -> bool:
            shown = await stage.ana.types("#support", "/contact find roe")
            [card] = await stage.cards()
            return shown.text.startswith("People for “roe”") and card.text.startswith("Jane Roe · ")

        assert await sandbox.until(arrived)
