"""
People by name at the start of a command: `jane hello`, `"Jane Doe" hello`, `Jane Doe: hello`.

Where a name ends is not said, so there are several readings, and the address book decides which of them is somebody.
"""

import re
from dataclasses import dataclass, field

from bot.reading.slack_text import plain_text

_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]|['‘’‚‹›]([^'‘’‚‹›]+)['‘’‚‹›](?!\w)")
_WORD = re.compile(r"(?:&(?:amp|lt|gt);|[^\s,;:<>\"“”„«»])+")
_DELIMITER = re.compile(r"\s*([,:;])(?=\s|$)\s*")
_AND = re.compile(r"(?:and|&amp;|&|\+)\s+", re.IGNORECASE)

#: Words of a name that is not in quotes.
_LONGEST = 4


@dataclass(frozen=True, slots=True)
class NameReading:
    """One way to read who is meant."""

    name: str  # plain text
    rest: str  # what follows, still in Slack's markup
    sure: bool  # quotes or a colon say that the name ends there
    mark: str = field(default="", compare=False)  # what says so: `:` (also after quotes), `"`, `,` or `;`


def name_readings(text: str) -> tuple[NameReading, ...]:
    """Read a name at the start of *text*, the shortest reading first; empty if it does not begin like one."""
    if quoted := _QUOTED.match(text):
        name = plain_text(quoted[1] or quoted[2]).strip()
        if not any(char.isalpha() for char in name):
            return ()
        rest = text[quoted.end() :]
        delimiter = _DELIMITER.match(rest)
        mark = ":" if delimiter and delimiter[1] == ":" else '"'
        return (NameReading(name, rest[delimiter.end() if delimiter else 0 :].strip(), sure=True, mark=mark),)
    readings: list[NameReading] = []
    at = 0
    for _ in range(_LONGEST):
        word = _WORD.match(text, at)
        if word is None or (not readings and not plain_text(word[0])[:1].isalpha()):
            break
        name = plain_text(text[: word.end()]).strip()
        delimiter = _DELIMITER.match(text, word.end())
        if delimiter is not None:
            readings.append(NameReading(name, text[delimiter.end() :].strip(), sure=True, mark=delimiter[1]))
            break
        readings.append(NameReading(name, text[word.end() :].strip(), sure=False))
        space = re.compile(r"[^\S\n]+").match(text, word.end())
        if space is None:
            break
        at = space.end()
    return tuple(readings)


def next_names(reading: NameReading) -> tuple[NameReading, ...]:
    """
    Read a second name right after the first: `Jane, Ben: hello`, `Jane and Ben hello`; empty if there is none.

    A colon says that the message begins, whatever it begins with. After a comma a word in small letters is the
    message's (`Jane, will you come?`), unless a mark says that it is a name.
    """
    if reading.mark == ":":
        return ()
    joined = _AND.match(reading.rest)
    if not joined and not reading.mark:
        return ()
    found = name_readings(reading.rest[joined.end() if joined else 0 :])
    if joined or any(one.mark in {":", '"'} for one in found) or not reading.rest[:1].islower():
        return found
    return ()
