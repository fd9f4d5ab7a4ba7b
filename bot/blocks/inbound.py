"""What a person wrote, in their thread: nothing of it is markup."""

import json

from bot.blocks import files
from bot.blocks.card import label
from bot.blocks.forms import plain
from bot.blocks.mrkdwn import Payload, escape, verbatim
from bot.blocks.receipt import REACTIONS
from bot.reading.addresses import pretty
from bot.reading.harmless import cleaned, cut, inert, one_line
from bot.texting.model import Inbound, Person

#: `action_id` of the button that shows all of a long text, with the text's id.
SHOW_ALL = "inbound_show_all"

#: A section takes so many characters, and a message's blocks about 13,200 in all; a form so many blocks, and bytes of
#: JSON. A thread is no place for a long text, nor for many lines.
_SECTION = 3_000
_SHOWN = 6_000
_LINES = 100
_MOST_SECTIONS = 90
_MOST_BYTES = 200_000

#: A notification shows a line or two; the blocks show it all.
_FALLBACK_LENGTH = 300

#: Of our text that they answer to: enough to know which it was.
_QUOTE = 100
_REACTIONS = 200

#: Over what somebody texted stands their name, and that they text: whatever they are called, nobody takes them for a
#: colleague or for us. What people of the team write stands under their own picture, never under this one.
FACE_EMOJI = ":speech_balloon:"
_TEXTS = " (text)"
_LONGEST_FACE = 80  # characters

_NO_WORDS = "(a text without words)"


def inbound(text: Inbound) -> Payload:
    """Draw a text of a person's as its row has it now."""
    body = cleaned(text.body)
    shown = body[: _end_of_shown(body)]
    blocks = [verbatim(part) for part in _sections(shown)]
    if len(shown) < len(body):
        blocks.append(_more(text, len(body) - len(shown)))
    if not blocks and not text.files:
        blocks = [_aside(_NO_WORDS)]
    fallback = (
        escape(inert(one_line(body[: 2 * _FALLBACK_LENGTH], _FALLBACK_LENGTH))) or files.names(text.files) or _NO_WORDS
    )
    return {
        "text": fallback,
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "blocks": [*_quote(text), *blocks, *files.file_blocks(text), *_reactions(text)],
    }


def face_name(person: Person) -> str:
    """Name a person over what they texted."""
    who = label(person)
    return who if who == pretty(person.address) else one_line(who, _LONGEST_FACE - len(_TEXTS)) + _TEXTS


def whole(text: Inbound) -> Payload:
    """Draw all of a long text as a form without fields."""
    body = cleaned(text.body)
    blocks: list[Payload] = []
    room, shown = _MOST_BYTES, 0
    for part in _sections(body)[:_MOST_SECTIONS]:
        room -= len(json.dumps(part))
        if room < 0:
            break
        blocks.append(verbatim(part))
        shown += len(part)
    if shown < len(body):
        blocks.append(_aside(f"… {_characters(len(body) - shown)}, which are too many to show here"))
    return {"type": "modal", "title": plain("The whole text"), "close": plain("Close"), "blocks": blocks}


def _end_of_shown(body: str) -> int:
    """Say after how many characters a text is cut in its thread."""
    end = 0
    for _ in range(_LINES):
        end = body.find("\n", end) + 1
        if not end:
            return cut(body, _SHOWN)
    return min(end, cut(body, _SHOWN))


def _sections(body: str) -> list[str]:
    """Cut a text into pieces that fit."""
    parts = []
    while body:
        end = cut(body, _SECTION)
        parts.append(body[:end])
        body = body[end:]
    return [part for part in parts if part.strip()]


def _more(text: Inbound, characters: int) -> Payload:
    said = {"type": "plain_text", "text": f"… {_characters(characters)}"}
    button = {"type": "button", "text": plain("Show all"), "action_id": SHOW_ALL, "value": str(text.id)}
    return {"type": "section", "text": said, "accessory": button}


def _characters(count: int) -> str:
    return "1 more character" if count == 1 else f"{count:,} more characters"


def _quote(text: Inbound) -> list[Payload]:
    """Say to which text of ours they answer, if they said so on their phone."""
    words = one_line(text.quoted, _QUOTE) if text.quoted else ""
    return [_aside(f"↪ “{words}”")] if words else []


def _reactions(text: Inbound) -> list[Payload]:
    """Show what they put on it themselves, as the receipt shows what they put on a text of ours."""
    shown = one_line(" ".join(REACTIONS.get(reaction, reaction) for reaction in text.reactions), _REACTIONS)
    return [_aside(shown)] if shown else []


def _aside(text: str) -> Payload:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}
