"""The card at the head of a person's thread."""

from bot.blocks.mrkdwn import Payload, context, escape, section
from bot.blocks.receipt import NAMES
from bot.reading.addresses import pretty
from bot.texting.model import Person, Thread
from bot.texting.routing import choose_channel

#: `action_id` of the button *Text*.
CARD_TEXT = "card_text"


def card(person: Person, thread: Thread, *, owner_name: str | None) -> Payload:
    """Draw one person: who they are, what reaches them, who looks after them."""
    who = label(person)
    title = f"*{escape(person.name)}* · {escape(pretty(person.address))}" if person.name else f"*{escape(who)}*"
    channel = thread.channel or choose_channel(person.address, person.capabilities)
    state = ["open", *([escape(owner_name)] if owner_name else [])]
    return {
        "text": escape(who),
        "blocks": [
            {**section(title), "accessory": _text_them(person)},
            context(" · ".join([NAMES[channel], *state] if channel else state)),
        ],
    }


def _text_them(person: Person) -> Payload:
    """Draw the button that opens the form for this person. It stands beside their name: a row of its own is dear."""
    text = {"type": "plain_text", "text": "Text"}
    return {"type": "button", "text": text, "action_id": CARD_TEXT, "value": person.address}


def label(person: Person) -> str:
    """Name a person in plain text: their name, or their number as people write it."""
    return person.name or pretty(person.address)
