"""The `rich_text` block that a person's client sends along with the text of a message."""

import re
from typing import Any

from sandbox.slack.ids import new_secret
from sandbox.slack.model import Block
from sandbox.slack.text import parts, shortcodes_to_emoji, unescape

SHORTCODE = re.compile(r"(:[a-z0-9_+-]+:)")


def rich_text(text: str) -> list[Block]:
    """Write composed *text* as one block, a leaf for each token and each stretch of plain text."""
    leaves: list[dict[str, Any]] = []
    for part in parts(text):
        if isinstance(part, str):
            leaves += _plain_leaves(unescape(part))
        else:
            leaves.append(_leaf(part[0]))
    section = {"type": "rich_text_section", "elements": leaves}
    return [{"type": "rich_text", "block_id": new_secret(5), "elements": [section]}]


def _plain_leaves(text: str) -> list[dict[str, Any]]:
    """Split plain text at the emoji in it."""
    leaves = []
    for piece in SHORTCODE.split(text):
        if SHORTCODE.fullmatch(piece) and shortcodes_to_emoji(piece) != piece:
            leaves.append({"type": "emoji", "name": piece.strip(":")})
        elif piece:
            leaves.append({"type": "text", "text": piece})
    return leaves


def _leaf(inside: str) -> dict[str, Any]:
    target, _, label = inside.partition("|")
    match target[:1]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!" if target.startswith("!subteam^"):
            return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
    leaf = {"type": "link", "url": unescape(target)}
    return leaf | ({"text": unescape(label)} if label else {})
