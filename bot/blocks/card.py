"""The card at the head of a person's thread."""

from enum import Enum

from bot.blocks.mrkdwn import Payload, context, day_of, escape, isolated, moment_of, section
from bot.blocks.receipt import NAMES
from bot.reading import harmless
from bot.reading.addresses import pretty
from bot.texting.model import Person, Thread
from bot.texting.routing import choose_channel

#: `action_id` of the button *Reply*, with the person's address; of the menu beside it; and of the buttons about the
#: thread, with its id.
CARD_TEXT, CARD_MORE = "card_text", "card_more"
CLAIM, DONE, REOPEN = "card_claim", "card_done", "card_reopen"

#: Of a name so much is shown.
_LONGEST_NAME = 80  # characters


class More(Enum):
    """What the menu offers: the word in its value, and what people read."""

    CLAIM = "claim", "Claim"
    HAND_OFF = "hand_off", "Hand off…"
    CONTACT = "contact", "Contact card"
    ADD = "add", "Add contact"

    @property
    def word(self) -> str:
        return self.value[0]


def card(person: Person, thread: Thread, *, owner_name: str | None, replies: str = "texted") -> Payload:
    """
    Draw one person: who they are, what reaches them, who looks after them and how long they wait.

    *replies* is how the channel wants them: texted, asked_for or never, and then there is no button for one.
    """
    who, number = label(person), pretty(person.address)
    title = f"*{escape(isolated(who))}*" + (f" · {escape(number)}" if who != number else "")
    return {
        "text": escape(who),
        "blocks": [
            section(title),
            context(" · ".join(_state(person, thread, owner_name))),
            {"type": "actions", "elements": [*_buttons(person, thread, replies), _menu(person, thread)]},
        ],
    }


def _state(person: Person, thread: Thread, owner_name: str | None) -> list[str]:
    channel = thread.channel or choose_channel(person.address, person.capabilities)
    state = [NAMES[channel]] if channel else []
    if person.opted_out_since is not None:
        state = [f"🚫 Opted out since {day_of(person.opted_out_since)}"]
    if thread.done_at is not None:
        return [*state, f"done by {escape(thread.done_by)}" if thread.done_by else "done"]
    state += ["open", escape(owner_name) if owner_name else "nobody yet"]
    if thread.waiting_since is not None:
        state.append(f"waiting since {moment_of(thread.waiting_since)}")
    return state


def _buttons(person: Person, thread: Thread, replies: str) -> list[Payload]:
    buttons = []
    if replies != "never" and person.opted_out_since is None:
        buttons.append(_button("Reply", CARD_TEXT, person.address))
    if thread.done_at is not None:
        return [*buttons, _button("Reopen", REOPEN, str(thread.id))]
    if thread.owner is None and _is_shared(thread):
        buttons.append(_button("Claim", CLAIM, str(thread.id)))
    return [*buttons, _button("Done", DONE, str(thread.id))]


def _menu(person: Person, thread: Thread) -> Payload:
    """What is done now and then. In somebody's own messages with us there is nobody else to look after a person."""
    offered = [More.CONTACT if person.name else More.ADD]
    if thread.done_at is None and _is_shared(thread):
        offered = [*([More.CLAIM] if thread.owner is not None else []), More.HAND_OFF, *offered]
    options = [
        {"text": {"type": "plain_text", "text": words}, "value": f"{word}:{thread.id}:{_owner_id(thread)}"}
        for word, words in (one.value for one in offered)
    ]
    return {"type": "overflow", "action_id": CARD_MORE, "options": options}


def _is_shared(thread: Thread) -> bool:
    return thread.conversation_id.startswith(("C", "G"))


def _owner_id(thread: Thread) -> str:
    """Say who looked after the person when the menu was drawn: somebody else may do so when it is used."""
    return thread.owner.user_id if thread.owner is not None else ""


def _button(words: str, action_id: str, value: str) -> Payload:
    text = {"type": "plain_text", "text": words}
    return {"type": "button", "text": text, "action_id": action_id, "value": value}


def label(person: Person) -> str:
    """Name a person in plain text: their name without what Slack could take for markup, or their number."""
    return harmless.name(person.name or "", _LONGEST_NAME) or pretty(person.address)
