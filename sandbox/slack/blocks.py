"""Block Kit's rules for the blocks of one surface. Source: docs.slack.dev/reference/block-kit/blocks."""

import copy
from collections.abc import Iterator
from typing import Any

from sandbox.slack.elements import ELEMENTS, IDENTIFIER, WEB_ADDRESS, context_part, element_in
from sandbox.slack.ids import new_secret
from sandbox.slack.shapes import (
    Check,
    Problem,
    anything,
    by_type,
    exactly_one,
    flag,
    integer,
    listing,
    one_of,
    plain,
    shape,
    string,
    text_object,
)

Block = dict[str, Any]

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_SUMMED = 13_200  # characters in all blocks of a message; not documented, measured by others
MOST_MARKDOWN = 12_000  # characters in all markdown blocks of a message


def check(blocks: list[Any], surface: str = "message") -> list[Problem]:
    """List everything wrong with *blocks* on a `message`, `modal` or `home`."""
    problems = list(listing(by_type(RULES[surface]), most=MOST_BLOCKS[surface], least=0)(blocks, "/blocks"))
    return problems or list(_across(blocks))


def normalise(blocks: list[Block]) -> list[Block]:
    """Return the blocks as Slack keeps them: with an id for each block and element, and the defaults of text."""
    kept = copy.deepcopy(blocks)
    for block in kept:
        block.setdefault("block_id", new_secret(5))
        if block.get("type") == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
        for part in _objects(block):
            if part.get("type") in ELEMENTS and part.get("type") != "image" and part is not block:
                part.setdefault("action_id", new_secret(5))
    _default_texts(kept)
    return kept


def with_text_defaults(value: Any) -> Any:
    """Return a part of a view or of an answer with the defaults of its texts, as Slack keeps it."""
    kept = copy.deepcopy(value)
    _default_texts(kept)
    return kept


def _default_texts(value: Any) -> None:
    for part in _objects(value):
        if part.get("type") == "plain_text":
            part.setdefault("emoji", True)
        elif part.get("type") == "mrkdwn":
            part.setdefault("verbatim", False)


def summed_length(blocks: list[Block]) -> int:
    """Count the characters of every text in *blocks*."""
    return sum(len(part["text"]) for part in _objects(blocks) if isinstance(part.get("text"), str))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in *value*, outer ones first."""
    if isinstance(value, dict):
        yield value
        for part in list(value.values()):
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _across(blocks: list[Block]) -> Iterator[Problem]:
    """What can only be said of all blocks together."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield Problem(f"block_id already exists: {block_id}", f"/blocks/{index}/block_id")
        seen |= {block_id} if block_id else set()
        actions: set[str] = set()
        for part in _objects(block):
            action_id = part.get("action_id")
            if action_id in actions:
                yield Problem(f"action_id already exists: {action_id}", f"/blocks/{index}")
            actions |= {action_id} if action_id else set()
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MOST_MARKDOWN:
        yield Problem(f"markdown must be less than {MOST_MARKDOWN + 1} characters in all", "/blocks")
    if len([block for block in blocks if block["type"] == "table"]) > 1:
        yield Problem("only one table is allowed", "/blocks")


def _text_or_fields(value: dict[str, Any], pointer: str) -> Iterator[Problem]:
    if value.get("text") is None and value.get("fields") is None:
        yield Problem("must define either `text` or `fields`", pointer)


def _no_dispatching_files(value: dict[str, Any], pointer: str) -> Iterator[Problem]:
    element = value.get("element")
    if value.get("dispatch_action") and isinstance(element, dict) and element.get("type") == "file_input":
        yield Problem("a file_input cannot dispatch actions", f"{pointer}/dispatch_action")


LEAVES = by_type(
    dict.fromkeys(
        ("text", "link", "user", "usergroup", "channel", "emoji", "date", "broadcast", "color", "team"), anything
    )
)
RICH_SECTION = shape({"elements": listing(LEAVES, most=10_000, least=0)}, {"border": integer(0, 1)})
RICH_LIST = shape(
    {"elements": listing(by_type({"rich_text_section": RICH_SECTION}), most=10_000, least=0)},
    {
        "style": one_of("bullet", "ordered"),
        "indent": integer(0, 8),
        "offset": integer(0, 1_000_000),
        "border": integer(0, 1),
    },
)
RICH_PART = by_type(
    {
        "rich_text_section": RICH_SECTION,
        "rich_text_preformatted": RICH_SECTION,
        "rich_text_quote": RICH_SECTION,
        "rich_text_list": RICH_LIST,
    }
)
RICH_TEXT = {"elements": listing(RICH_PART, most=10_000, least=0)}
CELL = by_type(
    {
        "raw_text": shape({"text": string(3000, least=0)}),
        "raw_number": shape({"value": anything}, {"text": string(3000, least=0)}),
        "rich_text": shape(RICH_TEXT),
    }
)
COLUMN = shape(optional={"align": one_of("left", "center", "right"), "is_wrapped": flag})


def _rules(surface: str) -> dict[str, Check]:
    """Tell which blocks a surface takes, and the limits of each."""
    named: dict[str, Check] = {"block_id": IDENTIFIER}
    everywhere = {
        "section": shape(
            None,
            named
            | {
                "text": text_object(3000),
                "fields": listing(text_object(2000), most=10),
                "accessory": element_in("section", surface),
                "expand": flag,
            },
            rules=(_text_or_fields,),
        ),
        "header": shape({"text": plain(150)}, named),
        "context": shape({"elements": listing(context_part(surface), most=10)}, named),
        "actions": shape({"elements": listing(element_in("actions", surface), most=25)}, named),
        "divider": shape(None, named),
        "image": shape(
            {"alt_text": string(2000)},
            named | {"image_url": WEB_ADDRESS, "slack_file": anything, "title": plain(2000)},
            rules=(exactly_one("image_url", "slack_file"),),
        ),
        "input": shape(
            {"label": plain(2000), "element": element_in("input", surface)},
            named | {"hint": plain(2000), "optional": flag, "dispatch_action": flag},
            rules=(_no_dispatching_files,),
        ),
        "rich_text": shape(RICH_TEXT, named),
        "video": shape({"alt_text": string(2000), "title": plain(200), "video_url": WEB_ADDRESS}, named | VIDEO),
    }
    if surface != "message":
        return everywhere
    return everywhere | {
        "context_actions": shape({"elements": listing(element_in("context_actions", surface), most=5)}, named),
        "markdown": shape({"text": string(MOST_MARKDOWN)}, named),
        "table": shape(
            {"rows": listing(listing(CELL, most=20), most=100)},
            named | {"column_settings": listing(COLUMN, most=20, least=0)},
        ),
    }


VIDEO: dict[str, Check] = {
    "thumbnail_url": WEB_ADDRESS,
    "title_url": WEB_ADDRESS,
    "author_name": string(50),
    "description": plain(200),
    "provider_icon_url": WEB_ADDRESS,
    "provider_name": string(255),
}

RULES: dict[str, dict[str, Check]] = {surface: _rules(surface) for surface in MOST_BLOCKS}
