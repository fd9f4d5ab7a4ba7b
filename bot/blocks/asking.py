"""What somebody is asked who texted a name, and only they: which of several people, or what to do about nobody."""

from collections.abc import Sequence
from uuid import UUID

from bot.blocks.answer import given_back
from bot.blocks.contacts import Button, actions, called, title
from bot.blocks.mrkdwn import Payload, context, escape, isolated, section, shortened
from bot.reading.addresses import excerpt, pretty
from bot.texting.calling import MOST
from bot.texting.model import Address, Contact

#: `kind` of a draft of a text: a message, and the people of whom one gets it.
TEXT = "text"

#: `action_id` of the button that sends it.
CHOOSE = "text_named"

_BUTTON = 75  # characters
_EXCERPT, _LONG_EXCERPT = 60, 1000


def which_of(people: Sequence[tuple[Contact, str]], *, draft_id: UUID, typed: str) -> Payload:
    """
    Ask which of several people is meant. Each comes with what they would get to read.

    The buttons say which draft, and which person in it, and nothing else: what comes back is the client's.
    """
    said = "Several people may be meant. Nothing was sent yet: who gets it?"
    if len(people) == 1:
        said = "The name is written differently. Nothing was sent yet: is this who you mean?"
    blocks = [section(said)]
    differ = len({body for _, body in people}) != 1 or len(people) == 1
    for number, (contact, body) in enumerate(people[:MOST]):
        message = f"\n“{escape(shortened(body, _EXCERPT))}”" if differ and body else ""
        blocks.append({**section(title(contact) + message), "accessory": _send_to(contact, f"{draft_id}:{number}")})
    if len(people) > MOST:
        blocks.append(context("There are more. Write more of the name, in quotes, or use a number."))
    return {"text": said, "blocks": [*blocks, *given_back(typed)]}


def nobody_called(name: str, *, draft_id: UUID, typed: str) -> Payload:
    """Say that the address book knows nobody of that name, and offer to add them."""
    said = (
        f"⚠️ Nobody is called “{escape(isolated(excerpt(name)))}”. Add them, or use a phone number or an email address."
    )
    return {"text": said, "blocks": [section(said), *given_back(typed), actions((Button.ADD, str(draft_id)))]}


def now_send(contact: Contact, body: str, *, draft_id: UUID) -> list[Payload]:
    """Offer to send a message to somebody who was just added."""
    words = section(f"Your message: “{escape(shortened(body, _LONG_EXCERPT))}”")
    return [{**words, "accessory": _send_to(contact, f"{draft_id}:0")}]


def settled(address: Address, name: str | None) -> Payload:
    """Say that another button was pressed before: a message goes to one person."""
    said = f"You chose *{escape(name or pretty(address))}* for this message already. Nothing more was sent."
    return {"text": said, "blocks": [section(said)]}


def _send_to(contact: Contact, value: str) -> Payload:
    text = {"type": "plain_text", "text": shortened(f"Text {called(contact)}", _BUTTON)}
    return {"type": "button", "text": text, "action_id": CHOOSE, "value": value}
