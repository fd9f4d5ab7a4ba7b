"""The copy of the address book, on a real PostgreSQL, beside a local Blooio."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.blooio.client import BlooioClient, blooio_http
from bot.librarian import Librarian
from bot.storage.contacts import Contacts
from bot.storage.database import Pool, open_pool
from bot.storage.drafts import Draft, Drafts
from bot.texting.book import Added, Book, Change, ChangedMeanwhile
from bot.texting.errors import NotFound, NotRead, TextingError
from bot.texting.model import Address, Contact
from sandbox.driver import Sandbox

JANE, SAM = Address("+15551234567"), Address("+15557654321")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Library:
    """A book, its copy, and Blooio."""

    sandbox: Sandbox
    pool: Pool
    contacts: Contacts
    blooio: BlooioClient
    book: Book


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as pool:
        yield pool


@pytest.fixture
async def library(pool: Pool) -> AsyncIterator[Library]:
    async with Sandbox.start() as sandbox:
        environment = sandbox.environment()
        async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
            blooio, contacts = BlooioClient(http), Contacts(pool)
            yield Library(sandbox, pool, contacts, blooio, Book(gateway=blooio, memory=contacts))


def names(found: list[Contact]) -> list[str | None]:
    return [contact.name for contact in found]


class TestCopy:
    """What is remembered, and how it is found."""

    PEOPLE = (
        Contact(JANE, "Jane Doe", ("vip",), NOW - timedelta(days=1)),
        Contact(SAM, "Sam Janeway", (), NOW),
        Contact(Address("+15550000001"), "Mary Jane Watson", (), NOW - timedelta(days=2)),
        Contact(Address("+4930123456"), "José Müller", ()),
        Contact(Address("+15550000003"), "100% _real_", ()),
        Contact(Address("pat@example.test"), None, ()),
    )

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            pytest.param("jane", ["Jane Doe", "Sam Janeway", "Mary Jane Watson"], id="the best match first"),
            pytest.param("doe jane", ["Jane Doe"], id="all words, in any order"),
            pytest.param("muller", ["José Müller"], id="without accents"),
            pytest.param("(555) 123-4567", ["Jane Doe"], id="a number as people write it"),
            pytest.param("4567", ["Jane Doe"], id="the end of a number"),
            pytest.param("#vip", ["Jane Doe"], id="a tag"),
            pytest.param("EXAMPLE.test", [None], id="somebody without a name"),
            pytest.param("%", ["100% _real_"], id="a pattern is no pattern"),
            pytest.param("_r", ["100% _real_"], id="nor is this one"),
            pytest.param("nobody", [], id="nobody"),
            pytest.param(
                "", ["Sam Janeway", "Jane Doe", "Mary Jane Watson"], id="nothing typed: who was in touch last"
            ),
        ],
    )
    async def test_search(self, pool: Pool, typed: str, found: list[str | None]) -> None:
        """Any part of name, number or tag, best first."""
        contacts = Contacts(pool)
        await contacts.put(self.PEOPLE)
        assert names(await contacts.search(typed, limit=3)) == found

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            pytest.param("JANE DOE", ["Jane Doe"], id="the whole name"),
            pytest.param("jane", ["Jane Doe", "Mary Jane Watson"], id="a word of it"),
            pytest.param("jan", [], id="not a part of a word: a text must not go to the wrong person"),
            pytest.param("vip", [], id="not a tag"),
            pytest.param("jose", ["José Müller"], id="without accents"),
        ],
    )
    async def test_called(self, pool: Pool, name: str, found: list[str | None]) -> None:
        """Names that a text may be sent by."""
        contacts = Contacts(pool)
        await contacts.put(self.PEOPLE)
        assert names(await contacts.called(name, limit=5)) == found

    async def test_a_change_of_ours_is_newer_than_a_list_that_was_begun_before(self, pool: Pool) -> None:
        """The list that is still being read has the old name."""
        contacts, begun = Contacts(pool), datetime.now(UTC) - timedelta(seconds=1)
        await contacts.put([Contact(JANE, "Jane Roe")])
        await contacts.put([Contact(JANE, "Jane Doe")], listed_at=begun)
        assert await contacts.get(JANE) == Contact(JANE, "Jane Roe")
        await contacts.put([Contact(JANE, "Jane Doe")], listed_at=datetime.now(UTC))
        assert await contacts.get(JANE) == Contact(JANE, "Jane Doe")

    async def test_who_is_missing_twice_is_gone(self, pool: Pool) -> None:
        """A list shifts while it is read, so once is no proof."""
        contacts = Contacts(pool)
        await contacts.put([Contact(JANE, "Jane"), Contact(SAM, "Sam")])
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert await contacts.keep_only({SAM}, listed_at=later) == 0
        await contacts.put([Contact(JANE, "Jane")], listed_at=later)  # found again
        assert await contacts.keep_only({SAM}, listed_at=later) == 0
        assert await contacts.keep_only({SAM}, listed_at=later) == 1
        assert names(await contacts.recent(limit=5)) == ["Sam"]

    async def test_the_card_shows_the_new_name(self, pool: Pool) -> None:
        """People are called what the book calls them; only a real change is drawn."""
        contacts = Contacts(pool)
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO people (team_id, address) VALUES ('T1', %s)", (JANE,))
            await connection.execute(
                "INSERT INTO threads (person_id, line, conversation_id, owner_id, owner_name)"
                " SELECT id, '', 'C1', 'U1', 'Ana' FROM people"
            )
            for name in ("Jane Doe", "Jane Doe", "Jane Roe"):
                await contacts.put([Contact(JANE, name)])
            cursor = await connection.execute(
                "SELECT p.name, t.revision FROM people p JOIN threads t ON t.person_id = p.id"
            )
            assert await cursor.fetchone() == ("Jane Roe", 3)

    async def test_a_whole_name_is_found_among_many(self, pool: Pool) -> None:
        """However many have the word among their tags or a longer name, and were in touch since."""
        contacts = Contacts(pool)
        guards = [f"+1555100{number:04}" for number in range(200)]
        await contacts.put([Contact(Address(one), f"Coast Guard {one}", ("west coast",), NOW) for one in guards])
        await contacts.put([Contact(JANE, "Coast")])
        assert names(await contacts.called("coast", limit=5)) == ["Coast"]
        assert len(await contacts.called("guard", limit=5)) == 5

    async def test_what_the_database_cannot_hold(self, pool: Pool) -> None:
        """JSON can: a zero and half of an emoji in a name must not end the reading of the list."""
        contacts = Contacts(pool)
        await contacts.put([Contact(JANE, "Ja\0ne \ud83d", ("v\0ip",)), Contact(SAM, "Sam")])
        assert await contacts.get(JANE) == Contact(JANE, "Jane ?", ("vip",))
        assert names(await contacts.search("sam", limit=1)) == ["Sam"]

    async def test_a_list_that_names_somebody_twice(self, pool: Pool) -> None:
        """It shifts while it is read: the last of them counts."""
        contacts = Contacts(pool)
        await contacts.put([Contact(JANE, "Jane"), Contact(JANE, "Jane Doe")])
        assert names(await contacts.recent(limit=5)) == ["Jane Doe"]

    async def test_what_is_as_it_was_is_not_touched(self, pool: Pool) -> None:
        """Reading a long list again writes nothing."""
        contacts = Contacts(pool)

        async def versions() -> list[tuple[object, ...]]:
            async with pool.connection() as connection:
                cursor = await connection.execute("SELECT address, xmin::text, xmax::text FROM contacts ORDER BY 1")
                return await cursor.fetchall()

        await contacts.put(self.PEOPLE)
        before = await versions()
        await contacts.put([*self.PEOPLE[:-1], Contact(self.PEOPLE[-1].address, "Pat")], listed_at=datetime.now(UTC))
        after = await versions()
        assert [old == new for old, new in zip(before, after, strict=True)].count(False) == 1

    async def test_the_last_text_counts(self, pool: Pool) -> None:
        """A list that was read before a text does not take it back."""
        contacts = Contacts(pool)
        await contacts.put([Contact(JANE, "Jane", (), NOW)])
        await contacts.put([Contact(JANE, "Jane", (), NOW - timedelta(days=1))])
        await contacts.put([Contact(JANE, "Jane Doe", (), None)])
        assert (await contacts.recent(limit=1))[0].last_message_at == NOW

    async def test_a_database_that_does_not_answer(self, pool: Pool) -> None:
        """Whoever waits is told in time."""
        contacts = Contacts(pool)
        async with pool.connection() as other, other.transaction():
            await other.execute("LOCK TABLE contacts")
            async with asyncio.timeout(10):
                with pytest.raises(NotRead):
                    await contacts.search("jane", limit=5)


class TestDrafts:
    """What people typed, while they are asked what they mean."""

    async def test_only_whoever_typed_it_goes_on_with_it(self, pool: Pool) -> None:
        """An id is the client's; it is theirs, or nobody's."""
        drafts = Drafts(pool)
        draft_id = await drafts.keep("U1", "C1", "contact_nobody", {"nobody": {"name": "Zoë 🌸"}})
        kept = await drafts.find(draft_id, "U1")
        assert kept == Draft(draft_id, "C1", "contact_nobody", {"nobody": {"name": "Zoë 🌸"}})
        assert await drafts.find(draft_id, "U2") is None

    async def test_it_is_forgotten_after_a_day(self, library: Library) -> None:
        """What was typed is about people. The librarian forgets it on the way."""
        drafts = Drafts(library.pool)
        old, new = [await drafts.keep("U1", "C1", "contact_nobody", {}) for _ in range(2)]
        async with library.pool.connection() as connection:
            await connection.execute("UPDATE drafts SET created_at = now() - interval '25 h' WHERE id = %s", (old,))

        async def forgotten() -> bool:
            return await drafts.find(old, "U1") is None and await library.contacts.count() == 5

        async with Librarian(library.book, drafts.forget_old).at_work():
            await library.sandbox.until(forgotten)
        assert await drafts.find(new, "U1") is not None


class TestBook:
    """Blooio's book through ours."""

    async def test_everybody_is_read(self, library: Library) -> None:
        """More than one page, whatever was added meanwhile."""
        for number in range(450):
            await library.blooio.create_contact(Address(f"+1555400{number:04}"), f"Person {number:03}")
        count = await library.book.bring_up_to_date()
        assert count == await library.contacts.count() == 455
        assert names(await library.book.search("person 449", limit=5)) == ["Person 449"]

    async def test_an_edit_made_elsewhere_arrives(self, library: Library) -> None:
        """Renamed, tagged and deleted in Blooio: two lists later the copy says the same."""
        await library.book.bring_up_to_date()
        await library.blooio.update_contact(JANE, name="Jane Roe")
        await library.blooio.add_tags(JANE, "vip")
        await library.book.bring_up_to_date()
        jane = await library.contacts.get(JANE)
        assert jane is not None
        assert (jane.name, jane.tags) == ("Jane Roe", ("vip",))

    async def test_adding_somebody(self, library: Library) -> None:
        """New people go to Blooio and into the copy; who is there already stays as they are."""
        added = await library.book.add(Address("+15550001111"), "Zoe", ["vip", "west"])
        assert (added.new, added.untagged, added.contact.tags) == (True, False, ("vip", "west"))
        assert replace(added.contact, last_message_at=None) == replace(
            await library.blooio.get_contact(Address("+15550001111")), last_message_at=None
        )
        again = await library.book.add(JANE, "Somebody Else")
        assert (again.new, again.contact.name) == (False, "Jane Doe")
        assert names(await library.book.called("zoe", limit=2)) == ["Zoe"]

    async def test_changing_somebody(self, library: Library) -> None:
        """Names and tags, there and here at once."""
        assert (await library.book.rename(JANE, "Jane Roe")).name == "Jane Roe"
        assert (await library.book.tag(JANE, "vip", "west")).tags == ("vip", "west")
        assert (await library.book.untag(JANE, "vip", "never had")).tags == ("west",)
        kept = await library.contacts.get(JANE)
        assert kept is not None
        assert (kept.name, kept.tags) == ("Jane Roe", ("west",))
        with pytest.raises(NotFound):
            await library.book.rename(Address("+15550009999"), "Nobody")

    async def test_who_is_there_without_a_name(self, library: Library) -> None:
        """Blooio adds people by itself: whoever names one of them does not change anybody's entry."""
        zoe = Address("+15550001111")
        await library.blooio.create_contact(zoe)
        assert await library.book.add(zoe, "Zoe") == Added(Contact(zoe, "Zoe"), new=True)
        assert (await library.book.add(zoe, "Zoe", ["vip"])).contact.tags == ("vip",)
        again = await library.book.add(zoe, "Somebody Else", ["west"])
        assert (again.new, again.contact.name, again.contact.tags) == (False, "Zoe", ("vip",))

    async def test_a_change_goes_on_in_the_middle(self, library: Library) -> None:
        """What was saved of it before Blooio failed is left alone, and the rest follows."""
        change = Change(JANE, "Jane Doe", "Jane Roe", more_tags=("new",), fewer_tags=("old",))
        await library.book.tag(JANE, "old", "kept")
        await library.sandbox.order(vendor="blooio", where="POST /contacts/*/tags", kind="drop_after")
        with pytest.raises(TextingError):
            await library.book.change(change)
        for _ in range(2):
            assert (await library.book.change(change)).tags == ("kept", "new")
        assert await library.blooio.get_contact(JANE) == await library.contacts.get(JANE)
        patches = await library.sandbox.exchanges(vendor="blooio", name=f"PATCH /contacts/{JANE}")
        assert len(patches) == 1

    async def test_a_change_of_somebody_who_has_another_name_by_now(self, library: Library) -> None:
        """Nothing is changed, and the copy knows the new name; tags alone do not meet the name."""
        await library.book.bring_up_to_date()
        await library.blooio.update_contact(JANE, name="Jane Smith")
        with pytest.raises(ChangedMeanwhile) as changed:
            await library.book.change(Change(JANE, "Jane Doe", "Jane Roe", more_tags=("new",)))
        assert changed.value.contact == await library.contacts.get(JANE)
        assert (changed.value.contact.name, changed.value.contact.tags) == ("Jane Smith", ())
        both = await library.book.change(Change(JANE, "Jane Doe", "Jane Doe", more_tags=("new",)))
        assert (both.name, both.tags) == ("Jane Smith", ("new",))
        same = await library.book.change(Change(JANE, "Jane Doe", "Jane Smith"))
        assert same.name == "Jane Smith"

    async def test_who_is_gone_in_blooio_is_gone_here(self, library: Library) -> None:
        """A change that finds nobody is how we learn it first."""
        await library.book.bring_up_to_date()
        environment = library.sandbox.environment()
        async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
            await http.delete(f"/contacts/{JANE.replace('+', '%2B')}")
        with pytest.raises(NotFound):
            await library.book.change(Change(JANE, "Jane Doe", "Jane Roe"))
        assert await library.contacts.get(JANE) is None
        assert await library.book.get(JANE) is None

    async def test_the_copy_does_not_take_it(self, library: Library) -> None:
        """Blooio has it: that is what was wanted, and the copy gets it with the next list."""
        async with library.pool.connection() as connection:
            await connection.execute("ALTER TABLE contacts RENAME TO gone")
            added = await library.book.add(Address("+15550001111"), "Zoe")
            await connection.execute("ALTER TABLE gone RENAME TO contacts")
        assert added.new
        await library.book.bring_up_to_date()
        assert names(await library.book.called("zoe", limit=2)) == ["Zoe"]

    async def test_while_blooio_is_away(self, library: Library) -> None:
        """The copy answers; what cannot be saved is not said to be."""
        await library.book.bring_up_to_date()
        await library.sandbox.order(vendor="blooio", where="*", kind="status", status=502, times=None)
        assert names(await library.book.search("jane", limit=5)) == ["Jane Doe"]
        with pytest.raises(TextingError):
            await library.book.add(Address("+15550001111"), "Zoe")
        with pytest.raises(TextingError):
            await library.book.bring_up_to_date()
        with pytest.raises(TextingError):  # nobody knows whether they are in it
            await library.book.get(Address("+15550001111"))
        assert names(await library.book.search("jane", limit=5)) == ["Jane Doe"]
