"""What a person reads of a message: lines of text, with ids, links, dates and blocks as a screen shows them."""

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.markup import mentions
from sandbox.slack.model import Message, Person
from sandbox.slack.text import read, shortcodes_to_emoji, unescape
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


class Reader:
    """Reads messages with one person's eyes: in her time zone."""

    def __init__(self, workspace: Workspace, viewer: Person) -> None:
        self._workspace = workspace
        self._viewer = viewer

    def author(self, message: Message) -> str:
        """Return the name over a message."""
        if message.face and message.face.username:
            return message.face.username
        return self._workspace.people[message.user_id].name

    def handles(self, reactions: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the handles of those who reacted, oldest first, by the reaction's name."""
        people = self._workspace.people
        return {name: [people[one].handle for one in ids] for name, ids in reactions.items()}

    def mentions(self, message: Message) -> list[str]:
        """Return whom a message mentions: see `markup.mentions`."""
        return mentions(message, self._workspace)

    def message(self, message: Message) -> str:
        """Return everything there is to read in a message, a line for each line on the screen."""
        text = self.mrkdwn(message.text, marks=message.formatted)
        lines = list(self.blocks(message.blocks)) if message.blocks else [text]
        for attachment in message.attachments:
            lines += self.blocks(attachment.get("blocks", []))
            lines += [self.mrkdwn(str(attachment[key])) for key in ("pretext", "title", "text") if attachment.get(key)]
        return "\n".join(line for line in lines if line)

    def blocks(self, blocks: list[JSON]) -> Iterator[str]:
        """Flatten blocks into lines. Buttons and menus read `[their text]`."""
        for block in blocks:
            draw = LINES_OF.get(block.get("type", ""))
            if draw is not None:
                yield from draw(self, block)

    def mrkdwn(self, text: str, *, marks: bool = True) -> str:
        """Read Slack's markup; without *marks* those of bold and the like are words as others."""
        return read(text, self._workspace, now=self._workspace.clock.now(), tz=self._viewer.tz, marks=marks)

    def text(self, text: JSON | None) -> str:
        """Read a text object. Plain text has no markup, but its entities are drawn, and its emoji if it wants that."""
        if not text:
            return ""
        if text.get("type") == "plain_text":
            plain = unescape(text["text"])
            return shortcodes_to_emoji(plain) if text.get("emoji", True) else plain
        return self.mrkdwn(text["text"])

    def person(self, user_id: str) -> str:
        return self.mrkdwn(f"<@{user_id}>")

    def channel(self, conversation_id: str) -> str:
        return self.mrkdwn(f"<#{conversation_id}>")


def _element(reader: Reader, element: JSON) -> str:
    match element.get("type"):
        case "mrkdwn" | "plain_text":
            return reader.text(element)
        case "image":
            return f"[{element.get('alt_text', '')}]"
        case "button" | "workflow_button":
            return f"[{reader.text(element.get('text'))}]"
        case "overflow":
            return "[⋯]"
        case "checkboxes" | "radio_buttons":
            return " ".join(f"[{reader.text(one.get('text'))}]" for one in element.get("options", []))
    chosen = element.get("initial_option", {}).get("text") or element.get("placeholder")
    return f"[{reader.text(chosen) or element.get('initial_value', '')}]"


def _section(reader: Reader, block: JSON) -> Iterator[str]:
    lines = [reader.text(block.get("text")), *map(reader.text, block.get("fields", []))]
    lines = [line for line in lines if line]
    if accessory := block.get("accessory"):
        lines = [" ".join([*lines[:1], _element(reader, accessory)]), *lines[1:]]
    yield from lines


def _row(reader: Reader, block: JSON) -> Iterator[str]:
    yield " ".join(_element(reader, one) for one in block.get("elements", []))


def _header(reader: Reader, block: JSON) -> Iterator[str]:
    yield reader.text(block.get("text"))


def _input(reader: Reader, block: JSON) -> Iterator[str]:
    yield f"{reader.text(block.get('label'))}: {_element(reader, block.get('element', {}))}"


def _image(reader: Reader, block: JSON) -> Iterator[str]:
    yield reader.text(block.get("title")) or f"[{block.get('alt_text', '')}]"


def _markdown(_reader: Reader, block: JSON) -> Iterator[str]:
    yield str(block.get("text", ""))


def _table(reader: Reader, block: JSON) -> Iterator[str]:
    for row in block.get("rows", []):
        yield " | ".join(" ".join(reader.blocks([cell])) or str(cell.get("text", "")) for cell in row)


def _rich_text(reader: Reader, block: JSON) -> Iterator[str]:
    for part in block.get("elements", []):
        listed = part.get("type") == "rich_text_list"
        for item in part.get("elements", []) if listed else [part]:
            line = "".join(_leaf(reader, leaf) for leaf in item.get("elements", []))
            yield f"• {line}" if listed else line


def _leaf(reader: Reader, leaf: JSON) -> str:
    draw = LEAF_OF.get(leaf.get("type", ""))
    return draw(reader, leaf) if draw else str(leaf.get("text", ""))


def _date(reader: Reader, leaf: JSON) -> str:
    return reader.mrkdwn(f"<!date^{leaf.get('timestamp')}^{leaf.get('format')}|{leaf.get('fallback', '')}>")


Draw = Callable[[Reader, JSON], Iterator[str]]

#: Block type to how its lines are drawn. What is not here, a divider for one, has nothing to read.
LINES_OF: dict[str, Draw] = {
    "section": _section,
    "header": _header,
    "context": _row,
    "actions": _row,
    "context_actions": _row,
    "input": _input,
    "image": _image,
    "rich_text": _rich_text,
    "table": _table,
    "markdown": _markdown,
}

#: Leaf of rich text to how it is drawn; other leaves have a `text`.
LEAF_OF: dict[str, Callable[[Reader, JSON], str]] = {
    "user": lambda reader, leaf: reader.person(leaf["user_id"]),
    "usergroup": lambda reader, leaf: reader.mrkdwn(f"<!subteam^{leaf['usergroup_id']}>"),
    "channel": lambda reader, leaf: reader.channel(leaf["channel_id"]),
    "link": lambda _, leaf: str(leaf.get("text") or leaf["url"]),
    "emoji": lambda _, leaf: shortcodes_to_emoji(f":{leaf['name']}:"),
    "broadcast": lambda _, leaf: f"@{leaf['range']}",
    "date": _date,
}
