"""
Who is meant by a name: `jane hello`, `Jane Doe hello`, `"Jane Doe" hello`.

A text must never go to the wrong person: exactly one who can be meant is texted, between several we ask.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.reading.names import NameReading, next_names
from bot.reading.searching import folded
from bot.texting.book import Book
from bot.texting.model import Contact

#: Who is asked about at most, and one more, to know whether there are more.
MOST = 5
_LOOKED_FOR = MOST + 1

#: How alike two words are (0 to 1) that may be one name, spelt in two ways; and how long, or `do` would be a Doe.
_ALIKE = 0.75
_LONG_ENOUGH = 4


@dataclass(frozen=True, slots=True)
class Meant:
    """Somebody who may be meant, and what they get to read then."""

    contact: Contact
    reading: NameReading


async def meant_by(book: Book, readings: Sequence[NameReading]) -> list[Meant]:
    """
    Find who may be meant, best first.

    Quotes and a colon say for sure where the name ends, and so does a comma if that is somebody's name. Otherwise
    whole names count first, long and short ones alike; and only then a word of a name.
    """
    if sure := [reading for reading in readings if reading.mark in {":", '"'}]:
        return await _called(book, sure)
    if sure := [reading for reading in readings if reading.sure]:
        found = await _called(book, sure)
        if found:
            return found
    return await _called(book, [reading for reading in readings if not reading.sure])


def misspelt(one: Meant, readings: Sequence[NameReading]) -> NameReading | None:
    """
    Return the reading with the next word in the name, if that looks like more of it: `Mia Lopes hello` for Mia Lopez.

    Sent as it is, she would get to read "Lopes hello"; and somebody else may have been meant.
    """
    longer = next(iter(readings[readings.index(one.reading) + 1 :]), None)
    if one.reading.sure or longer is None:
        return None
    known = folded(one.reading.name)
    word = folded(longer.name).removeprefix(known).strip()
    others = set(folded(one.contact.name or "").split()) - set(known.split())
    alike = any(SequenceMatcher(None, word, other).ratio() >= _ALIKE for other in others)
    return longer if alike and len(word) >= _LONG_ENOUGH else None


async def names_another(book: Book, reading: NameReading) -> bool:
    """Say whether another person of the address book is named right after the first."""
    found = await asyncio.gather(*(book.called(other.name, limit=1) for other in next_names(reading)))
    return any(found)


async def _called(book: Book, readings: Sequence[NameReading]) -> list[Meant]:
    readings = readings[::-1]  # the longest first
    found = await asyncio.gather(*(book.called(reading.name, limit=_LOOKED_FOR) for reading in readings))
    meant = [Meant(contact, reading) for reading, contacts in zip(readings, found, strict=True) for contact in contacts]
    whole = [one for one in meant if folded(one.contact.name or "") == folded(one.reading.name)]
    return _each_once(whole or meant)[:_LOOKED_FOR]


def _each_once(meant: Iterable[Meant]) -> list[Meant]:
    """Keep each person once, with the longest reading, which comes first."""
    once: dict[str, Meant] = {}
    for one in meant:
        once.setdefault(one.contact.address, one)
    return list(once.values())
