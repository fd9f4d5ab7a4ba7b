"""People by name: an address book for a story, and a channel to text them from."""

import itertools
from dataclasses import dataclass

from bot.storage.contacts import Contacts
from bot.texting.model import Address, Contact
from sandbox.blooio.driver import Phone
from sandbox.slack.driver import Message, Person, Shown
from tests.acceptance.stage import Stage

_numbers = itertools.count(5_550_600_001)

#: One of those whom the local Blooio knows from the start.
_SEEDED = Address("+15551234567")


@dataclass(frozen=True)
class Story:
    """A channel of Ana's, Ben's and the bot's, and an address book with nobody in it but those put there."""

    stage: Stage
    home: str  # the channel's id

    @property
    def ana(self) -> Person:
        return self.stage.ana

    @property
    def contacts(self) -> Contacts:
        return Contacts(self.stage.app.pool)

    async def knows(self, name: str | None, *, tags: tuple[str, ...] = ()) -> Phone:
        """Put somebody into the address book; return their phone, which gets iMessages at once."""
        phone = await self.phone()
        await self.contacts.put([Contact(Address(phone.address), name, tags)])
        return phone

    async def phone(self, **profile: object) -> Phone:
        """A phone of nobody's in the address book."""
        phone = self.stage.sandbox.phone(f"+1{next(_numbers)}")
        await phone.becomes(**{"imessage": True, "sent_after": 0, "delivered_after": 0, **profile})
        return phone

    async def types(self, words: str, *, by: Person | None = None) -> Shown:
        return await (by or self.ana).types(self.home, f"/text {words}")

    async def question(self, person: Person | None = None) -> Message:
        """The last message that only somebody (Ana) sees."""
        return [one for one in await (person or self.ana).sees(self.home) if one.ephemeral][-1]

    async def told(self, person: Person | None = None, *, where: str | None = None) -> list[str]:
        """What only somebody (Ana) sees in the channel."""
        return [one.text for one in await (person or self.ana).sees_all(where or self.home) if one.ephemeral]

    async def is_told(self, words: str, person: Person | None = None, *, where: str | None = None) -> str:
        """Wait until the last thing that somebody (Ana) alone sees begins like this; return it."""

        async def heard() -> str | None:
            said = await self.told(person, where=where)
            return said[-1] if said and said[-1].startswith(words) else None

        try:
            return await self.stage.sandbox.until(heard) or ""
        except TimeoutError:
            raise AssertionError(f"expected {words!r}, told {await self.told(person, where=where)}") from None

    async def stored(self) -> int:
        """How many texts there are."""
        async with self.stage.app.pool.connection() as connection:
            row = await (await connection.execute("SELECT count(*) FROM deliveries")).fetchone()
            return row[0] if row else 0


async def until_read(stage: Stage) -> None:
    """Wait until the bot has read Blooio's list, which it does when it starts: later it would be in a story's way."""

    async def was_read() -> bool:
        return await Contacts(stage.app.pool).get(_SEEDED) is not None

    await stage.sandbox.until(was_read)


async def new_story(stage: Stage) -> Story:
    """Begin with an empty address book, in a channel of its own."""
    async with stage.app.pool.connection() as connection:
        await connection.execute("TRUNCATE contacts, drafts")
    name = f"people-{next(_numbers) % 10_000}"
    return Story(stage, await stage.sandbox.creates_channel(name, members=["ana", "ben", "bot"]))


def pretty(phone: Phone) -> str:
    """A phone's number as the bot writes it."""
    number = phone.address
    return f"+1 {number[2:5]}-{number[5:8]}-{number[8:]}"
