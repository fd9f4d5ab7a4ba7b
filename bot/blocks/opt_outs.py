"""People who opted out: how that is said to whoever wants to text them, and the form in which an admin allows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks import contacts
from bot.blocks.card import label
from bot.blocks.contact_forms import read_here, without_inputs
from bot.blocks.forms import entered, field, plain, remembered
from bot.blocks.mrkdwn import Payload, context, escape, section
from bot.texting.errors import OptedOut, TextingError
from bot.texting.model import Address, Person

#: `callback_id` of the form, and what its inputs are called, as block and as action.
ALLOW_FORM = "opt_allow_form"
ASKED_BY, NOTE = "asked_by", "note"

#: Characters. A note is to say something.
SHORTEST_NOTE, _LONGEST_NOTE = 10, 500
_LONGEST_NAME = 100

NO_NAME = "Who asked for it? Write a name."
NO_NOTE = f"Say why in at least {SHORTEST_NOTE} characters."
ALREADY_ALLOWED = "They get texts already, so nothing was changed."


@dataclass(frozen=True, slots=True)
class Allowing:
    """What stands in the form."""

    address: Address
    asked_by: str
    note: str


def with_remedy(payload: Payload, error: TextingError) -> Payload:
    """Offer with a refusal what can be done about it, if somebody opted out."""
    if not isinstance(error, OptedOut) or error.person is None:
        return payload
    allow = contacts.actions((contacts.Button.ALLOW, error.person.address))
    return {**payload, "blocks": [*payload["blocks"], allow]}


def only_admins(whom: str) -> str:
    """Say who can allow texts; *whom* follows "Ask". Plain text."""
    return f"Only an admin can allow texts to somebody who opted out. Ask {whom}, or let them write START."


def allow_form(person: Person, here: str) -> Payload:
    """Ask who wants texts to go to somebody again, and why. *here* is the conversation it is opened from."""
    assert person.opted_out_since is not None  # noqa: S101  (there would be nothing to allow)
    asked_by = {"type": "plain_text_input", "action_id": ASKED_BY, "max_length": _LONGEST_NAME, "focus_on_load": True}
    note = {
        "type": "plain_text_input",
        "action_id": NOTE,
        "multiline": True,
        "min_length": SHORTEST_NOTE,
        "max_length": _LONGEST_NOTE,
    }
    return {
        "type": "modal",
        "callback_id": ALLOW_FORM,
        "private_metadata": json.dumps({"here": here, "address": person.address}),
        "title": plain("Allow texts again"),
        "submit": plain("Allow texts"),
        "close": plain("Cancel"),
        "blocks": [
            section(f"*{escape(label(person))}*\n{contacts.opted_out(person.opted_out_since)}"),
            context("They can be texted as soon as you save this. Their thread shows what you write, and it is kept."),
            field(ASKED_BY, "Who asked for it?", asked_by),
            {**field(NOTE, "Why?", note), "hint": plain("For example what they said, and when.")},
        ],
    }


def read_allowing(view: Mapping[str, Any]) -> Allowing:
    """Read what stands in the form. All of it is the client's. Raises Unreadable."""
    asked_by, note = (" ".join(entered(view, name).split()) for name in (ASKED_BY, NOTE))
    return Allowing(Address(str(remembered(view).get("address") or "")), asked_by, note)


def wrong_fields(allowing: Allowing) -> dict[str, str]:
    """Say under which inputs what is missing stands."""
    wrong = {ASKED_BY: "" if allowing.asked_by else NO_NAME}
    wrong[NOTE] = "" if len(allowing.note) >= SHORTEST_NOTE else NO_NOTE
    return {name: words for name, words in wrong.items() if words}


def allowed(view: Mapping[str, Any], who: str) -> Payload:
    """Stand where the form stood when it is done. *who* is plain text."""
    said = f"✅ *{escape(who)}* can be texted again. What you wrote stands in their thread."
    return without_inputs("Allow texts again", read_here(view), [section(said)], close="Done")


def opted_out(who: str, *, news: bool) -> str:
    """Say that somebody gets no texts any more, or did not before; mrkdwn. *who* is plain text."""
    if not news:
        return f"*{escape(who)}* had opted out already."
    return f"🚫 *{escape(who)}* is opted out. Nothing is texted to them until they write START, or an admin allows it."
