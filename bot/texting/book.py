"""
The address book: Blooio is its home, and a copy here makes names and suggestions instant.

A change goes to Blooio first and into the copy when Blooio has it. The copy is brought up to date now and then, so a
change made elsewhere arrives within minutes, and it answers while Blooio is away.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.texting.errors import BlooioTrouble, NotFound, TextingError
from bot.texting.model import Address, Contact, Page
from bot.texting.ports import ContactGateway, ContactMemory

logger = logging.getLogger(__name__)

#: One page of the whole list, and how many are asked for at once.
_PAGE = 200
_PAGES_AT_ONCE = 4

#: Somebody who is not in the copy is asked for in Blooio, and whoever asks does not wait for long.
_ASKED_WITHIN = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class Added:
    """A contact that was to be added."""

    contact: Contact
    new: bool  # False: it was there already, and kept the name it had
    untagged: bool = False  # it is there, and Blooio did not take the tags


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody made of a contact as they saw it: a name and some tags, more and fewer."""

    address: Address
    name_before: str | None
    name: str | None
    more_tags: tuple[str, ...] = ()
    fewer_tags: tuple[str, ...] = ()


class ChangedMeanwhile(Exception):
    """Somebody else gave the contact another name; nothing was changed."""

    def __init__(self, contact: Contact) -> None:
        super().__init__()  # a name is personal data, and an exception may end in a log
        self.contact = contact  # as it is now


class Book:
    """People by name."""

    def __init__(
        self,
        *,
        gateway: ContactGateway,
        memory: ContactMemory,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gateway = gateway
        self._memory = memory
        self._now = now

    async def add(self, address: Address, name: str | None, tags: Sequence[str] = ()) -> Added:
        """
        Put somebody into the book, or find that they are in it. Raises TextingError: then perhaps nothing was added.

        Asked for again, it comes to the same: who is there under that name gets the tags that are missing, and who is
        there without a name, as Blooio adds people by itself, gets one. Nobody else's entry is changed.
        """
        contact, new = await self._gateway.create_contact(address, name)
        if not new and name is not None and contact.name is None:
            contact, new = await self._gateway.update_contact(address, name=name), True
        missing = [tag for tag in tags if tag not in contact.tags]
        untagged = False
        if missing and (new or name in {None, contact.name}):
            try:
                await self._gateway.add_tags(address, *missing)
            except TextingError as error:
                logger.warning("contact_not_tagged code=%s", error.code)
                untagged = True
            else:
                contact = replace(contact, tags=(*contact.tags, *missing))
        await self._remember(contact)
        return Added(contact, new, untagged)

    async def change(self, change: Change) -> Contact:
        """
        Change a contact, unless somebody else gave it another name since. Raises ChangedMeanwhile and TextingErrors.

        What is as it should be already is left alone: doing it again, or going on in the middle, comes to the same.
        Tags are added and taken off one by one, so two people's changes of those do not meet.
        """
        contact = await self._in_blooio(change.address)
        if change.name != change.name_before and contact.name not in {change.name, change.name_before}:
            await self._remember(contact)
            raise ChangedMeanwhile(contact)
        if change.name not in {change.name_before, contact.name}:
            contact = await self._gateway.update_contact(change.address, name=change.name)
        if missing := [tag for tag in change.more_tags if tag not in contact.tags]:
            await self._gateway.add_tags(change.address, *missing)
        for tag in set(change.fewer_tags) & set(contact.tags):
            await self._take_off(change.address, tag)
        kept = (tag for tag in contact.tags if tag not in change.fewer_tags)
        contact = replace(contact, tags=(*kept, *missing))
        await self._remember(contact)
        return contact

    async def rename(self, address: Address, name: str | None) -> Contact:
        """Give a contact another name, or none. Raises NotFound and other TextingErrors."""
        async with self._forgetting(address):
            contact = await self._gateway.update_contact(address, name=name)
        await self._remember(contact)
        return contact

    async def tag(self, address: Address, *tags: str) -> Contact:
        """Tag a contact. Raises NotFound and other TextingErrors."""
        async with self._forgetting(address):
            await self._gateway.add_tags(address, *tags)
        return await self._as_in_blooio(address)

    async def untag(self, address: Address, *tags: str) -> Contact:
        """Take tags off a contact; one that it does not have is no error. Raises TextingError."""
        for tag in tags:
            await self._take_off(address, tag)
        return await self._as_in_blooio(address)

    async def _take_off(self, address: Address, tag: str) -> None:
        try:
            await self._gateway.remove_tag(address, tag)
        except NotFound:
            logger.debug("tag_not_there")

    async def get(self, address: Address) -> Contact | None:
        """Look somebody up in the copy, and in Blooio if they are not in it. Raises TextingError."""
        kept = await self._memory.get(address)
        if kept is not None:
            return kept
        try:
            async with asyncio.timeout(_ASKED_WITHIN.total_seconds()):
                return await self._as_in_blooio(address)
        except NotFound:
            return None
        except TimeoutError as error:
            raise BlooioTrouble from error

    async def _as_in_blooio(self, address: Address) -> Contact:
        contact = await self._in_blooio(address)
        await self._remember(contact)
        return contact

    async def _in_blooio(self, address: Address) -> Contact:
        async with self._forgetting(address):
            return await self._gateway.get_contact(address)

    @asynccontextmanager
    async def _forgetting(self, address: Address) -> AsyncIterator[None]:
        """Forget a contact when Blooio does not find it."""
        try:
            yield
        except NotFound:
            await self._copied(self._memory.forget(address))
            raise

    async def _remember(self, contact: Contact) -> None:
        await self._copied(self._memory.put([contact]))

    async def _copied(self, writing: Awaitable[None]) -> None:
        """Blooio has it, and the copy gets it with the next reading of the list if it does not take it now."""
        try:
            await writing
        except TextingError as error:
            logger.warning("contact_not_copied code=%s", error.code)

    async def kept(self, address: Address) -> Contact | None:
        """Look somebody up in the copy alone, which answers at once. Raises NotRead."""
        return await self._memory.get(address)

    async def search(self, typed: str, *, limit: int, offset: int = 0) -> list[Contact]:
        """Find contacts by any part of name, number or tag, best first; everybody when nothing is typed."""
        return await self._memory.search(typed, limit=limit, offset=offset)

    async def called(self, name: str, *, limit: int) -> list[Contact]:
        """Find who is called *name*, all of it or a word of it."""
        return await self._memory.called(name, limit=limit)

    async def bring_up_to_date(self) -> int:
        """Read Blooio's whole list into the copy; return how many contacts it has. Raises TextingError."""
        listed_at = self._now()
        listed: set[Address] = set()

        async def take(page: Page[Contact]) -> None:
            listed.update(contact.address for contact in page.items)
            await self._memory.put(page.items, listed_at=listed_at)

        page = await self._page(0)
        await take(page)
        if page.total is not None and page.next_offset is not None:
            offsets = range(page.next_offset, page.total, len(page.items) or _PAGE)
            for some in batched(offsets, _PAGES_AT_ONCE):
                for page in await asyncio.gather(*map(self._page, some)):
                    await take(page)
        while page.next_offset is not None:  # it grew meanwhile, or nobody said how long it is
            page = await self._page(page.next_offset)
            await take(page)
        await self._memory.keep_only(listed, listed_at=listed_at)
        return len(listed)

    async def _page(self, offset: int) -> Page[Contact]:
        return await self._gateway.list_contacts(sort="name_asc", limit=_PAGE, offset=offset)


def batched(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Cut a sequence into pieces of *size*; the last may be shorter."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
