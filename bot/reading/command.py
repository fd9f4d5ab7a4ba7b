"""
Read `/text <person> <message>`: who is meant, and what they get to read. `help`, `report` and `settings` are nobody.

People put spaces into numbers and start messages with digits, so `+49 30 123456 10 Uhr` has two readings. A text must
never go to a wrong number: where the end of the number is in doubt we ask, and quotes always settle it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.reading.addresses import (
    AddressProblem,
    count_digits,
    excerpt,
    is_assigned,
    is_spaced_as_usual,
    looks_like_number,
    pretty,
    read_address,
    tidy,
)
from bot.reading.names import NameReading, name_readings
from bot.reading.slack_text import NO_NAMES, plain_text
from bot.texting.model import Address

MAX_BODY = 2000  # characters, as the phone gets them

#: What is wrong with a command, and what to do; more in `addresses.WORDS`. Plain text: escape it for Slack's markup.
WORDS = MappingProxyType(
    {
        "too_long": "The message has {length:,} characters, {excess:,} too many. A text can have {limit:,}.",
        "unknown_person": (
            "“{typed}” is not a name, a phone number or an email address. "
            "Start with one of these, then write the message."
        ),
        "ambiguous_number": (
            "It is not clear where the number ends: {readings}? "
            'Put the number in quotes, like "{example}", then write the message.'
        ),
        "unclear_number": (
            "It is not clear whether “{typed}” is one number. Put the whole number in quotes, then write the message."
        ),
        "unclosed_quote": "The quote before “{typed}” is not closed. Close it after the number.",
        "several_people": (
            "A text goes to one person at a time. If the second belongs to the message, put a colon after the first."
        ),
        "group": (
            "“{typed}” is not one person. Texts go to one person at a time, by name, phone number or email address."
        ),
        "teammate": "That is a teammate here in Slack. Text a phone number or an email address.",
        "report": (
            "A report is about the last 7 or 30 days, as a picture or as a file. "
            "What works: report, report 30d, report csv, report 30d csv."
        ),
        "slack_channel": "That is a channel here in Slack. Text a phone number or an email address.",
    }
)

_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]*)[\"“”„«»]|['‘’‚‹›]([^'‘’‚‹›]*)['‘’‚‹›]")
_QUOTES = "\"“”„«»'‘’‚‹›"
_TEL_TOKEN = re.compile(r"<(?P<uri>tel:[^<>|\s][^<>|]*)(?:\|(?P<label>[^<>\s][^<>]*)?)?>", re.IGNORECASE)
_TOKEN = re.compile(r"<(?P<kind>[@#!]?)[^<>]+>")
_SCHEME = re.compile(r"(?:tel|mailto):(?=\S)", re.IGNORECASE)
_WORD = re.compile(r"[^\S\n]*((?:&(?:amp|lt|gt);|[^\s,;:<])+)")
_CLEAR_END = re.compile(r"[^\S\n]*\n|:(?!\d)")
_TIME = re.compile(r"\s*\d{1,2}:\d\d")
_FIRST_OF_NUMBER = re.compile(r"\(?\+?[\d().\-/]*")
_MORE_OF_NUMBER = re.compile(r"[\d().\-/]+")
_HALF_A_NUMBER = re.compile(r"[\d().\-]{3,}[a-z#].*", re.IGNORECASE)  # `123-4567x12`, `555-FLOWERS`; not `2nd`
_EXTENSION = re.compile(r"[\s,;]*((?:extension|extn?|x)[\s.:=]*\d+)", re.IGNORECASE)
# Right after the person, or on its own after a space. Not the colon of `:wave:` or of `:)`.
_DELIMITER = re.compile(r"(?:,|;(?=\s)|:(?=\s|\w|$)(?![a-z][^\s:]*:)|\s+[,;:](?=\s|$))\s*")
_BLANK = re.compile(
    r"[\s\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+"
)  # a pasted number drags some along
_AND = re.compile(r"(?:and|&amp;|&)\s+", re.IGNORECASE)
_LONGEST_NUMBER = 20  # digits; E.164 has 15, an international prefix some more
_LONGEST_GROUP = 6  # digits that people write before they put a space
_PERIODS = MappingProxyType({"7d": 7, "30d": 30})
_WHOLE_NUMBER = 10  # digits that nobody writes without a space unless it is all of the number


class CommandProblem(Exception):
    """The command cannot be done as typed."""

    def __init__(self, code: str, words: str) -> None:
        """*code* is a key of `WORDS` here or in `addresses`; *words* tell the person what to do, in plain text."""
        super().__init__(code)  # the words hold personal data, and an exception may end in a log
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Help:
    """They asked how it works."""


@dataclass(frozen=True, slots=True)
class Compose:
    """They typed nothing, or only who is meant: they write the rest into a form."""

    address: Address | None


@dataclass(frozen=True, slots=True)
class Named:
    """They named somebody. Which of the readings is anybody, the address book knows."""

    readings: tuple[NameReading, ...]


@dataclass(frozen=True, slots=True)
class TextCommand:
    """Text *body* to *address*."""

    address: Address
    body: str


@dataclass(frozen=True, slots=True)
class Report:
    """They asked what became of the texts of the last days."""

    days: int
    csv: bool  # as a file for a spreadsheet, not as a picture


@dataclass(frozen=True, slots=True)
class Settings:
    """They want to choose how the channel they are in has its threads."""


def parse_text_command(
    text: str, *, region: str, names: Mapping[str, str] = NO_NAMES
) -> TextCommand | Named | Compose | Help | Report | Settings:
    """
    Read what follows `/text`, as Slack sends it with `should_escape`.

    *region* says how to read a number without a country code; *names* are those of `slack_text.mentioned_users`.
    Raises CommandProblem and nothing else.
    """
    blank = _BLANK.match(text)
    text = text[blank.end() if blank else 0 :].rstrip()
    if not text:
        return Compose(None)
    if text.casefold() in {"?", "help"}:
        return Help()
    if text.casefold() == "settings":
        return Settings()
    word, *more = text.casefold().split()
    if word == "report":  # somebody of that name can be had in quotes
        return _report(more)
    try:
        address, rest = split_address(text, region)
    except AddressProblem as problem:
        raise CommandProblem(problem.code, problem.words) from problem
    except CommandProblem as problem:
        readings = name_readings(text) if problem.code == "unknown_person" else ()
        if not readings:
            raise
        return Named(readings)
    body = read_body(rest, names=names)
    return TextCommand(address, body) if body else Compose(address)


def read_body(rest: str, *, names: Mapping[str, str] = NO_NAMES) -> str:
    """Read what somebody gets to read, from Slack's markup. Raises CommandProblem if it is too long."""
    body = plain_text(rest, names=names)
    if len(body) > MAX_BODY:
        raise _problem("too_long", length=len(body), excess=len(body) - MAX_BODY, limit=MAX_BODY)
    return body


def several_people() -> CommandProblem:
    """Say that a second person was named."""
    return _problem("several_people")


def _report(words: list[str]) -> Report:
    days = [_PERIODS[word] for word in words if word in _PERIODS]
    csv = words.count("csv")
    if len(days) > 1 or csv > 1 or len(days) + csv < len(words):
        raise _problem("report")
    return Report(days=days[0] if days else _PERIODS["7d"], csv=bool(csv))


def _problem(code: str, **facts: object) -> CommandProblem:
    return CommandProblem(code, WORDS[code].format(**facts))


def split_address(text: str, region: str) -> tuple[Address, str]:
    """
    The address at the start of *text*, and what follows it, still in Slack's markup.

    Raises CommandProblem and AddressProblem; with the code `unknown_person` if it does not begin with one at all.
    """
    text = _without_link(text, region)
    address, rest = _person(text, region)
    extension = _EXTENSION.match(rest)
    if extension and "@" not in address and text[0] not in _QUOTES:
        raise AddressProblem("extension", text, extension=extension[1])
    delimiter = _DELIMITER.match(rest)
    rest = rest[delimiter.end() :] if delimiter else rest.lstrip()
    # A colon says that the message begins, whatever it begins with.
    if not (delimiter and ":" in delimiter[0]) and _starts_with_person(rest, region):
        raise _problem("several_people")
    return address, rest


def _without_link(text: str, region: str) -> str:
    """
    *text* with a `<tel:…>` at its start as it was typed.

    It is Slack that links numbers, and where its link ends is its guess, so it must not settle what the person left
    open. Its target is what counts only if the label reads as anything else.
    """
    start = len(text) - len(text.lstrip(_QUOTES))
    link = _TEL_TOKEN.match(text, start)
    if not link:
        scheme = _SCHEME.match(text, start)
        return text[:start] + text[scheme.end() :] if scheme else text
    uri, label = link["uri"].partition(":")[2], link["label"]
    same = label and _address_or_none(label, region) == _address_or_none(uri, region)
    return text[:start] + (label if same else uri) + text[link.end() :]


def _person(text: str, region: str) -> tuple[Address, str]:
    """The person at the start of *text*, and all that follows them."""
    if text[0] in _QUOTES:
        quoted = _QUOTED.match(text)
        if not quoted:
            raise _problem("unclosed_quote", typed=excerpt(plain_text(text[1:])))
        return _one_address(quoted[1] or quoted[2] or "", region), text[quoted.end() :]
    if token := _TOKEN.match(text):
        return _one_address(token[0], region), text[token.end() :]
    ends = _number_ends(text)
    if ends:
        return _number(text, ends, region)
    word = _WORD.match(text)
    first = word[1] if word else text.split(maxsplit=1)[0]
    return _one_address(first, region), text[len(first) :]


def _one_address(typed: str, region: str) -> Address:
    """The address in *typed*, which is all of the person: a word, a token, or what stood in quotes."""
    token = _TOKEN.match(typed.strip())
    shown = excerpt(plain_text(typed))
    kind = token["kind"] if token else ""
    if kind == "@":
        raise _problem("teammate")
    if kind == "#":
        raise _problem("slack_channel")
    if kind == "!" or shown.startswith(("@", "#")):
        raise _problem("group", typed=shown)
    if "@" in typed or looks_like_number(typed) or _address_or_none(typed, region):
        return read_address(typed, region=region)
    raise _problem("unknown_person", typed=shown)


def _address_or_none(typed: str, region: str) -> Address | None:
    try:
        return read_address(typed, region=region)
    except AddressProblem:
        return None


def _number_ends(text: str) -> list[int]:
    """Where a number at the start of *text* may end: after each word that could belong to it."""
    ends: list[int] = []
    digits = at = 0
    while word := _WORD.match(text, at):
        tidied = tidy(word[1])
        if _TIME.match(text, at) or not (_MORE_OF_NUMBER if at else _FIRST_OF_NUMBER).fullmatch(tidied):
            break
        at = word.end()
        if in_word := count_digits(tidied):
            digits += in_word
            ends.append(at)
        if digits > _LONGEST_NUMBER or text.startswith((",", ";", ":"), at):
            break
    return ends


def _number(text: str, ends: list[int], region: str) -> tuple[Address, str]:
    """The number at the start of *text*, which ends at one of *ends*, if there is only one way to read it."""
    if _CLEAR_END.match(text, ends[-1]) and (address := _address_or_none(text[: ends[-1]], region)):
        return address, text[ends[-1] :]
    readings: dict[int, Address] = {}
    problems: dict[int, AddressProblem] = {}
    for end in ends:
        try:
            readings[end] = read_address(text[:end], region=region)
        except AddressProblem as problem:
            problems[end] = problem
    first = ends[0]
    if first in problems and problems[first].code == "emergency_number" and "+" not in text[:first]:
        raise problems[first]
    if first in readings and _is_whole(text[:first], readings[first]):
        return readings[first], text[first:]
    if not readings:
        raise _clearest(problems, text, region)
    assigned = [end for end in readings if is_assigned(readings[end])]
    # `+39 312 345` is long enough for Italy, but `+39 312 345 6789` is exactly how a mobile is written there. Only a
    # reading that no phone has gives way to such a one.
    exact = max((end for end in assigned if is_spaced_as_usual(text[:end], readings[end])), default=0)
    likely = [end for end in readings if end >= exact or end in assigned]
    if len(likely) > 1:
        example = next((end for end in likely if end in assigned), likely[0])
        shown = " or ".join(pretty(readings[end]) for end in likely)
        raise _problem("ambiguous_number", readings=shown, example=pretty(readings[example]))
    end = likely[0]
    if not _is_grouped(text[:end]):
        raise _problem("unclear_number", typed=excerpt(text[:end]))
    return readings[end], text[end:]


def _is_whole(word: str, phone: Address) -> bool:
    """Whether *word*, read as *phone*, leaves no doubt that nothing of the number is missing."""
    return count_digits(word) >= _WHOLE_NUMBER and is_assigned(phone)


def _is_grouped(typed: str) -> bool:
    """
    Whether the spaces in *typed* are where people put them in a number.

    If not, the last digits may be the message's, and complete a number that lacks some: `555-1234 100 tickets`,
    `555-123-456 2 tickets`.
    """
    *groups, last = tidy(typed).split()
    return not groups or (count_digits(last) > 1 and max(map(count_digits, groups)) <= _LONGEST_GROUP)


def _clearest(problems: dict[int, AddressProblem], text: str, region: str) -> AddressProblem:
    """Of the *problems* that each reading of the start of *text* has, the one to talk about."""
    end = max(problems)
    half = _WORD.match(text, end)
    if half and _HALF_A_NUMBER.fullmatch(tidy(half[1])):
        try:
            read_address(text[: half.end()], region=region)
        except AddressProblem as whole:
            return whole
    # With more words of the message it only gets too long; what is too short is shown with all that may belong to it.
    short = [problem for problem in problems.values() if problem.code != "number_too_long"]
    return short[-1] if short else problems[min(problems)]


def _starts_with_person(text: str, region: str) -> bool:
    """Whether *text* goes on with a second address, not with the message."""
    joined = _AND.match(text)
    text = _without_link(text[joined.end() :] if joined else text, region)
    if quoted := _QUOTED.match(text):
        text = quoted[1] or quoted[2] or ""
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    if "@" in word:
        return _address_or_none(word.rstrip(",;:"), region) is not None
    return any(
        count_digits(text[:end]) >= _WHOLE_NUMBER
        and _is_grouped(text[:end])
        and _address_or_none(text[:end], region) is not None
        for end in _number_ends(text)
    )
