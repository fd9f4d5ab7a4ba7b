"""Who looks after whom: what somebody who clicked is told, and the form to hand a person over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks.card import label
from bot.blocks.forms import field, plain, remembered
from bot.blocks.mrkdwn import Payload, context, escape, section, shortened
from bot.reading.request import Unreadable
from bot.texting.model import Person, Thread

#: `callback_id` of the form, and what its input is called, as block and as action.
HAND_OFF_FORM, TO = "hand_off_form", "hand_to"

_NAME = 60  # characters, where a line is short
_LARGEST_ID = 2**63 - 1  # PostgreSQL's bigint


@dataclass(frozen=True, slots=True)
class HandingOff:
    """What stands in the form, as Slack gives it back. All of it is the client's."""

    thread_id: int
    owner_id: str | None  # who looked after them when it was opened
    to: str | None  # who is to


def looks_after(person: Person, thread: Thread, user_id: str) -> Payload:
    """Say why nothing came of a claim."""
    who = f"*{escape(label(person))}*"
    if thread.done_at is not None:
        return _only(f"{who} is done, {_by(thread)} said so. Press Reopen first.")
    if thread.owner is None:
        return _only(f"Nobody looks after {who} any more. Press Claim again.")
    if thread.owner.user_id == user_id:
        return _only(f"You look after {who} already.")
    return _only(f"*{escape(thread.owner.name)}* looks after {who} already.")


def done_already(person: Person, thread: Thread) -> Payload:
    """Say that a thread was done before."""
    return _only(f"*{escape(label(person))}* is done already, {_by(thread)} said so.")


def open_already(person: Person) -> Payload:
    """Say that a thread was open before."""
    return _only(f"*{escape(label(person))}* is open already.")


def hand_off_form(person: Person, thread: Thread) -> Payload:
    """Ask who is to look after somebody."""
    owner = thread.owner
    now = f"*{escape(owner.name)}* looks after them now." if owner is not None else "Nobody looks after them yet."
    menu = {
        "type": "users_select",
        "action_id": TO,
        "placeholder": plain("A teammate"),
        "focus_on_load": True,
    }
    return {
        "type": "modal",
        "callback_id": HAND_OFF_FORM,
        "private_metadata": json.dumps({"thread": thread.id, "owner": owner.user_id if owner else None}),
        "title": plain("Hand off"),
        "submit": plain("Hand off"),
        "close": plain("Cancel"),
        "blocks": [
            section(f"Who is to look after *{escape(label(person))}*?"),
            context(f"{now} Whoever you choose is told."),
            field(TO, "Teammate", menu),
        ],
    }


def read_hand_off(view: Mapping[str, Any]) -> HandingOff:
    """Read the form. Raises Unreadable if it is none of ours."""
    kept = remembered(view)
    thread_id, owner = kept.get("thread"), kept.get("owner")
    if not isinstance(thread_id, int) or not 0 < thread_id <= _LARGEST_ID:
        raise Unreadable
    menu: Mapping[str, Any] = (view["state"]["values"].get(TO) or {}).get(TO) or {}
    return HandingOff(thread_id, str(owner) if owner else None, str(menu.get("selected_user") or "") or None)


def not_handed_off(person: Person, thread: Thread, to: str) -> str:
    """Say under the field why nothing came of it: plain text."""
    who = shortened(label(person), _NAME)
    if thread.done_at is not None:
        return f"{who} is done by now. Reopen them first."
    if thread.owner is None:
        return f"Nobody looks after {who} any more. Close this and look again."
    if thread.owner.user_id == to:
        return f"{thread.owner.name} looks after {who} already."
    return f"Meanwhile {thread.owner.name} took over. Close this and look again."


def _by(thread: Thread) -> str:
    return f"*{escape(thread.done_by)}*" if thread.done_by else "somebody"


def _only(text: str) -> Payload:
    return {"text": text, "blocks": [section(text)]}
