"""The card at the head of a person's thread."""

from bot.blocks.mrkdwn import Payload, context, escape, section
from bot.blocks.receipt import NAMES
from bot.reading.addresses import pretty
from bot.texting.model import Person, Thread
from bot.texting.routing import choose_channel


def card(person: Person, thread: Thread, *, owner_name: str) -> Payload:
    """Draw one person: who they are, what reaches them, who looks after them."""
    who = label(person)
    title = f"*{escape(person.name)}* · {escape(pretty(person.address))}" if person.name else f"*{escape(who)}*"
    channel = thread.channel or choose_channel(person.address, person.capabilities)
    state = ["open", escape(owner_name)]
    return {
        "text": escape(who),
        "blocks": [section(title), context(" · ".join([NAMES[channel], *state] if channel else state))],
    }


def label(person: Person) -> str:
    """Name a person in plain text: their name, or their number as people write it."""
    return person.name or pretty(person.address)
