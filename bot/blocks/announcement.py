"""What a channel is told of new texts in its old threads: one line, however many wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, escape, isolated, shortened
from bot.texting.model import Person

_MOST_NAMED = 15
_NAME = 60  # characters


@dataclass(frozen=True, slots=True)
class News:
    """Somebody who wrote."""

    person: Person
    texts: int
    answered_by: str | None  # the name of whoever did; None: they wait
    done: bool  # and it was not by a text
    url: str | None  # of the first of these texts


def announcement(news: Sequence[News]) -> Payload:
    """
    Say who wrote, with links to what, and who answered.

    The words are elements and no markup: nobody's name formats or mentions anything.
    """
    words: list[dict[str, Any]] = [_text("💬 ")]
    for number, one in enumerate(news[:_MOST_NAMED]):
        if number:
            words.append(_text(" · "))
        words += [_name(one), _text(_what(one))]
    if len(news) > _MOST_NAMED:
        words.append(_text(f" · and {len(news) - _MOST_NAMED} more"))
    line = {"type": "rich_text_section", "elements": words}
    return {
        "text": escape("".join(word["text"] for word in words)),
        "blocks": [{"type": "rich_text", "elements": [line]}],
    }


def _name(one: News) -> dict[str, Any]:
    name = _text(isolated(shortened(label(one.person), _NAME)), bold=True)
    return {**name, "type": "link", "url": one.url} if one.url is not None else name


def _what(one: News) -> str:
    wrote = " wrote" if one.texts == 1 else f" wrote {one.texts} texts"
    if one.answered_by is None:
        return wrote
    by = shortened(one.answered_by, _NAME)
    return f"{wrote}, done by {by}" if one.done else f"{wrote}, {by} answered"


def _text(words: str, *, bold: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": {"bold": True}} if bold else {})}
