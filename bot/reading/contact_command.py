"""
Read `/contact add | edit | find | list | show | tag | untag`.

Where a name ends is not said (`tag Jane Doe vip`), so a command about somebody by name can have several readings: the
address book decides which of them is somebody.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.reading.addresses import AddressProblem, excerpt
from bot.reading.command import CommandProblem, split_address
from bot.reading.names import NameReading, name_readings
from bot.reading.slack_text import plain_text
from bot.texting.model import Address

#: What is wrong with a command, and what to do. Plain text: escape it for Slack's markup.
WORDS = MappingProxyType(
    {
        "unknown_word": "“{typed}” is not something I can do with contacts. Try add, edit, find, list, show or tag.",
        "nobody": "Say who: /contact {verb} followed by a name, a phone number or an email address.",
        "nothing_to_find": "Say what to look for: /contact find followed by a part of a name, a number or a tag.",
        "no_tags": "Say which tags: /contact {verb} {who} followed by one or more tags.",
        "too_long": "That is too long for a {what}: it can have {limit} characters.",
        "too_many_tags": "Those are {count} tags. A contact can have {limit}.",
        "hidden_tag": 'Slack took a tag for a private channel of that name and hides it. Put the tag in quotes: #"…".',
        # What `/text` says in words of its own: here nothing is written to anybody.
        "unknown_person": "Say who: a name, a phone number or an email address.",
        "several_people": "Those are several people. A contact has one phone number or one email address.",
        "ambiguous_number": "It is not clear where the number ends. Put it in quotes.",
        "unclear_number": "It is not clear where the number ends. Put it in quotes.",
        "teammate": "That is a teammate here in Slack. The address book is for people you text.",
        "slack_channel": "That is a channel here in Slack. The address book is for people you text.",
        "group": "That is not one person. The address book is for people you text, one by one.",
    }
)

LONGEST_NAME = 255  # characters
LONGEST_TAG = 50
MOST_TAGS = 100
_LONGEST_SEARCH = 255

_QUOTED_TAG = re.compile(r"#?[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]|#?([^\s,#]+)")
_LISTED_TAG = re.compile(r"\s*(?:#?[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]|([^,;\n]+))")
_CHANNEL = re.compile(r"<#\w+(?:\|(?P<name>[^<>]*))?>")
_TAG_AT_END = re.compile(r"(?:^|\s)#(?:[\"“”„]([^\"“”„]+)[\"“”„]|([^\s#,\"“”„]+)),?\s*$")
_ADDRESS = re.compile(r"<tel:[^<>]+>|<mailto:[^<>]+>|[(+]?\+?\d[\d\s().\-/]{4,}|\S+@\S+")
_BEFORE_ADDRESS = re.compile(r"[\s,:;]+")
_LETTER = re.compile(r"[^\W\d]")

#: How far from its end a command is looked through for an address, and for each tag: the longest address is an email's
#: of 254 characters, which Slack writes twice. A whole command may be 40,000, and looking costs its square.
_NEAR_THE_END = 600


@dataclass(frozen=True, slots=True)
class ContactHelp:
    """They asked how it works."""


@dataclass(frozen=True, slots=True)
class AddContact:
    """Put somebody into the book; without an address by a form."""

    address: Address | None
    name: str  # "" when none was typed
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditContact:
    """Change somebody; without a name by a form."""

    who: Address | str
    name: str
    readings: tuple[NameReading, ...] = field(default=(), compare=False)  # where the name of who may end


@dataclass(frozen=True, slots=True)
class FindContacts:
    """Look for people; all of them when nothing is typed."""

    typed: str


@dataclass(frozen=True, slots=True)
class ShowContact:
    who: Address | str


@dataclass(frozen=True, slots=True)
class TagContact:
    """Put tags on somebody, or take them off."""

    who: Address | str
    tags: tuple[str, ...]
    remove: bool
    readings: tuple[NameReading, ...] = field(default=(), compare=False)  # where the name of who may end


ContactCommand = ContactHelp | AddContact | EditContact | FindContacts | ShowContact | TagContact


def parse_contact_command(text: str, *, region: str) -> ContactCommand:
    """Read what follows `/contact`, as Slack sends it with `should_escape`. Raises CommandProblem and nothing else."""
    verb, rest = (*text.split(maxsplit=1), "", "")[:2]
    read = _VERBS.get(verb.casefold())
    if read is None:
        raise _problem("unknown_word", typed=excerpt(plain_text(verb)))
    return read(verb.casefold(), _CHANNEL.sub(_tag_again, rest.strip()), region)


def read_tags(typed: str) -> tuple[str, ...]:
    """Read tags as people write them: with or without `#`, with spaces or commas, in quotes when there are spaces."""
    return _tags((quoted or bare) for quoted, bare in _QUOTED_TAG.findall(typed))


def read_tag_list(typed: str, *, known: Collection[str] = ()) -> tuple[str, ...]:
    """
    Read tags as people write them into a field of their own, between commas: `vip, west coast`.

    Those *known* may be longer than ours: they came from elsewhere. Raises CommandProblem.
    """
    found = _LISTED_TAG.findall(typed)
    return _tags((quoted or bare.strip().removeprefix("#") for quoted, bare in found), known=known)


def write_tag_list(tags: Iterable[str]) -> str:
    """Write tags so that `read_tag_list` reads the same again."""
    return ", ".join(f'"{tag}"' if re.search(r"[,;\n]|^#", tag) else tag for tag in tags)


def _tag_again(channel: re.Match[str]) -> str:
    """A tag that Slack took for a channel of that name. It does not tell the names of private ones."""
    if not channel["name"]:
        raise _problem("hidden_tag")
    return f"#{channel['name']}"


def _add(_: str, rest: str, region: str) -> AddContact:
    """`+1 555 123 4567 Jane Doe #vip`, and the same with the name first."""
    tags: list[str] = []
    while at_end := _TAG_AT_END.search(rest, max(0, len(rest) - _NEAR_THE_END)):
        tags.insert(0, _bounded(plain_text(at_end[1] or at_end[2]), "tag", LONGEST_TAG))
        rest = rest[: at_end.start()].strip()
    if not rest:
        return AddContact(None, "", tuple(tags))
    try:
        address, name = split_address(_address_first(rest), region)
    except (CommandProblem, AddressProblem) as problem:
        if problem.code == "unknown_person":  # a name, and the form asks for the rest
            return AddContact(None, read_name(rest), tuple(tags))
        raise _of_a_contact(problem) from problem
    return AddContact(address, read_name(name), tuple(tags))


def _address_first(rest: str) -> str:
    """Turn a name that an address follows around; return anything else as it is."""
    letter = _LETTER.search(rest)
    if letter is None:
        return rest
    for between in _BEFORE_ADDRESS.finditer(rest, max(letter.end(), len(rest) - _NEAR_THE_END)):
        if address := _ADDRESS.fullmatch(rest, between.end()):
            return f"{address[0]} {rest[: between.start()]}"
    return rest


def _edit(verb: str, rest: str, region: str) -> EditContact:
    readings = _readings(verb, rest, region)
    return EditContact(readings[0].name, read_name(readings[0].rest), readings)


def _find(_: str, rest: str, __: str) -> FindContacts:
    if not rest:
        raise _problem("nothing_to_find")
    return _everybody("", rest, "")


def _everybody(_: str, rest: str, __: str) -> FindContacts:
    return FindContacts(_bounded(plain_text(rest), "search", _LONGEST_SEARCH))


def _show(verb: str, rest: str, region: str) -> ShowContact:
    first = _readings(verb, rest, region)[0]
    whole_name = f"{first.name} {plain_text(first.rest)}".strip()
    return ShowContact(first.name if is_address(first.name) else whole_name)


def _tag(verb: str, rest: str, region: str) -> TagContact:
    readings = tuple(one for one in _readings(verb, rest, region) if read_tags(plain_text(one.rest)))
    if not readings:
        raise _problem("no_tags", verb=verb, who=excerpt(plain_text(rest)))
    return TagContact(readings[0].name, read_tags(plain_text(readings[0].rest)), verb == "untag", readings)


def is_address(who: str) -> bool:
    """Say whether a command names somebody by their address: no name is read from what looks like one."""
    return who.startswith("+") or "@" in who


def _readings(verb: str, rest: str, region: str) -> tuple[NameReading, ...]:
    """Whom a command is about, an address or a name, and what follows; the shortest name first."""
    if not rest:
        raise _problem("nobody", verb=verb)
    try:
        return (NameReading(*split_address(rest, region), sure=True),)
    except (CommandProblem, AddressProblem) as problem:
        readings = name_readings(rest) if problem.code == "unknown_person" else ()
        if not readings:
            raise _of_a_contact(problem) from problem
        return readings


def _of_a_contact(problem: CommandProblem | AddressProblem) -> CommandProblem:
    """Say what is wrong with an address in words that fit here."""
    return CommandProblem(problem.code, WORDS.get(problem.code, problem.words))


def _tags(found: Iterable[str], *, known: Collection[str] = ()) -> tuple[str, ...]:
    named = dict.fromkeys(stripped for tag in found if (stripped := tag.strip()))
    if len(named) > max(MOST_TAGS, len(known)):
        raise _problem("too_many_tags", count=len(named), limit=MOST_TAGS)
    return tuple(tag if tag in known else _bounded(tag, "tag", LONGEST_TAG) for tag in named)


def read_name(typed: str) -> str:
    """Read what somebody is to be called, as Slack sends it. Raises CommandProblem."""
    return _bounded(" ".join(plain_text(typed).strip(' "“”„').split()), "name", LONGEST_NAME)


def _bounded(text: str, what: str, limit: int) -> str:
    if len(text) > limit:
        raise _problem("too_long", what=what, limit=limit)
    return text


def _problem(code: str, **facts: object) -> CommandProblem:
    return CommandProblem(code, WORDS[code].format(**facts))


_VERBS: Mapping[str, Callable[[str, str, str], ContactCommand]] = MappingProxyType(
    {
        **dict.fromkeys(("", "?", "help"), lambda *_: ContactHelp()),
        **dict.fromkeys(("add", "new"), _add),
        **dict.fromkeys(("edit", "rename"), _edit),
        **dict.fromkeys(("find", "search"), _find),
        **dict.fromkeys(("list", "all"), _everybody),
        "show": _show,
        **dict.fromkeys(("tag", "untag"), _tag),
    }
)
