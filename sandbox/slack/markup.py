"""
What in a message Slack acts on, whatever it looks like: whom it mentions, and what can be clicked.

Slack reads markup in a message's `text`, in `mrkdwn`, in Markdown and in the leaves of rich text; in plain text never.
Source: docs.slack.dev/messaging/formatting-message-text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.slack.model import Message
from sandbox.slack.text import DOMAIN, EMAIL, FENCE, URL, Directory, parts, unescape

JSON = dict[str, Any]

#: The words that mention everybody, and how they are shown. `group` is an old word for the members of a channel.
EVERYBODY = {"here": "@here", "channel": "@channel", "group": "@channel", "everyone": "@everyone"}

#: The legacy keys of an attachment whose text is markup.
OF_ATTACHMENTS = ("pretext", "text")

CODE = re.compile(r"`[^`\n]+`")
MARKDOWN_LINK = re.compile(r"\[([^\]\n]+)\]\(\s*<?([^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
ADDRESS = re.compile(f"(?P<email>{EMAIL})|(?P<url>{URL})|(?P<domain>{DOMAIN})", re.IGNORECASE)


@dataclass(frozen=True)
class Markup:
    """A text that Slack reads markup in."""

    text: str
    finds_addresses: bool = True  # what merely looks like an address becomes a link; not with `verbatim`
    is_markdown: bool = False  # links are `[label](url)`


def mentions(message: Message, directory: Directory) -> list[str]:
    """
    Return whom a message mentions as people read it, each once: `@ben`, `@channel`, `@support-team`.

    Its `text` counts although blocks are shown in its place: notifications go by it. A mention of nobody there is, or
    of somebody who is elsewhere, counts by its id.
    """
    found = [name for token in _tokens(Markup(message.text)) if (name := _mentioned(token, directory))]
    for one in _shown(message):
        if isinstance(one, Markup):
            found += [name for token in _tokens(one) if (name := _mentioned(token, directory))]
        elif name := _mentioned(_token_of(one), directory):
            found.append(name)
    return list(dict.fromkeys(found))


def links(message: Message) -> list[tuple[str, str]]:
    """Return label and URL of each link that can be clicked in what a message shows, in the order they stand."""
    shown = list(_shown(message))
    if not message.blocks:
        shown.insert(0, Markup(message.text))
    found: list[tuple[str, str]] = []
    for one in shown:
        if isinstance(one, Markup):
            found += _links(one)
        elif one["type"] == "link":
            found.append((str(one.get("text") or one["url"]), str(one["url"])))
    return found


def _shown(message: Message) -> Iterator[Markup | JSON]:
    """Yield what a message shows besides its `text`: markup, and leaves of rich text."""
    yield from _within(message.blocks)
    for attachment in message.attachments:
        yield from _within(attachment.get("blocks", []))
        yield from (Markup(str(attachment[key])) for key in OF_ATTACHMENTS if attachment.get(key))
        yield from (Markup(str(one.get("value", ""))) for one in attachment.get("fields", []))


def _within(value: Any) -> Iterator[Markup | JSON]:
    if isinstance(value, list):
        for one in value:
            yield from _within(one)
    if not isinstance(value, dict):
        return
    match value.get("type"):
        case "mrkdwn":
            yield Markup(value["text"], finds_addresses=not value.get("verbatim"))
        case "markdown":
            yield Markup(value["text"], is_markdown=True)
        case "user" | "usergroup" | "broadcast" | "link":
            yield value
        case _:
            for part in value.values():
                yield from _within(part)


def _token_of(leaf: JSON) -> str:
    """Write a leaf of rich text as the token that stands for the same."""
    match leaf["type"]:
        case "user":
            return f"@{leaf['user_id']}"
        case "usergroup":
            return f"!subteam^{leaf['usergroup_id']}"
        case "broadcast":
            return f"!{leaf['range']}"
    return str(leaf["url"])


def _tokens(markup: Markup) -> Iterator[str]:
    yield from (part[0] for part in parts(markup.text) if isinstance(part, tuple))


def _mentioned(token: str, directory: Directory) -> str | None:
    """Return how a token reads if it is a mention."""
    target = token.partition("|")[0]
    if target.startswith("@"):
        person = directory.people.get(target[1:])
        return f"@{person.handle if person else target[1:]}"
    if target.startswith("!subteam^"):
        group = directory.groups.get(target.removeprefix("!subteam^"))
        return f"@{group.handle if group else target.removeprefix('!subteam^')}"
    return EVERYBODY.get(target[1:]) if target.startswith("!") else None


def _links(markup: Markup) -> Iterator[tuple[str, str]]:
    for part in parts(markup.text):
        if isinstance(part, tuple):
            target, _, label = part[0].partition("|")
            if target and target[0] not in "@#!":
                yield unescape(label or target), unescape(target)
            continue
        if markup.is_markdown:
            yield from ((found[1], found[2]) for found in MARKDOWN_LINK.finditer(part))
            part = MARKDOWN_LINK.sub(" ", part)  # noqa: PLW2901 (an address within such a link is not another one)
        if markup.finds_addresses:
            yield from _addresses(unescape(CODE.sub(" ", FENCE.sub(" ", part))))


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    for found in ADDRESS.finditer(text):
        prefix = {"email": "mailto:", "domain": "http://"}.get(found.lastgroup or "", "")
        yield found[0], prefix + found[0]
