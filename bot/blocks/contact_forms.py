"""The forms of the address book, and what takes their place when they were submitted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.blocks.forms import entered, field, plain, remembered
from bot.blocks.mrkdwn import Payload, context, escape, section
from bot.reading.addresses import pretty
from bot.reading.contact_command import LONGEST_NAME, write_tag_list
from bot.reading.request import Unreadable
from bot.texting.model import Address, Contact

#: `callback_id` of each form, and what their inputs are called, as block and as action.
ADD_FORM, EDIT_FORM = "contact_add_form", "contact_edit_form"
NAME, ADDRESS, TAGS = "name", "address", "tags"

#: Slack's bounds: of what a text field holds, and of what a form remembers.
_LONGEST_FIELD = 3000
_LONGEST_METADATA = 3000

_SEPARATED = "Separated by commas."


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in a form, as people wrote it."""

    here: str  # the conversation it was opened from
    name: str = ""
    address: str = ""
    tags: str = ""
    draft: str = ""  # the id of what somebody wanted to do with them


@dataclass(frozen=True, slots=True)
class Shown:
    """A contact as the form about them showed it."""

    address: Address
    name: str | None
    tags: tuple[str, ...] | None  # None: there are too many for a form


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a form."""

    title: str
    said: str  # mrkdwn
    blocks: tuple[Payload, ...] = ()


def add_form(typed: Typed, *, notice: str | None = None) -> Payload:
    """Ask for a new contact. *notice* (mrkdwn) stands above."""
    who = {**_input(ADDRESS, typed.address), "placeholder": plain("+1 555 123 4567 or jane@example.com")}
    name = {**_input(NAME, typed.name), "max_length": LONGEST_NAME}
    (name if not typed.name else who)["focus_on_load"] = True
    return {
        "type": "modal",
        "callback_id": ADD_FORM,
        "private_metadata": json.dumps({"here": typed.here, "draft": typed.draft}),
        "title": plain("New contact"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            *_notice(notice),
            {**field(NAME, "Name", name), "optional": True},
            field(ADDRESS, "Phone number or email address", who),
            {**field(TAGS, "Tags", _input(TAGS, typed.tags)), "optional": True, "hint": plain(_SEPARATED)},
        ],
    }


def edit_form(shown: Shown, typed: Typed, *, notice: str | None = None) -> Payload:
    """
    Ask what to change of a contact. The form remembers what it showed, to tell what somebody else changed meanwhile.

    *typed* stands in the fields; *notice* (mrkdwn) stands above.
    """
    name = {**_input(NAME, typed.name), "max_length": max(LONGEST_NAME, len(typed.name))}
    blocks = [
        *_notice(notice),
        section(f"*{escape(pretty(shown.address))}*"),
        {**field(NAME, "Name", name), "optional": True},
    ]
    if shown.tags is None:
        blocks.append(context("There are too many tags for a form. `/contact tag` and `/contact untag` change them."))
    else:
        tags = field(TAGS, "Tags", _input(TAGS, typed.tags))
        blocks.append({**tags, "optional": True, "hint": plain(_SEPARATED)})
    blocks.append(context("The number cannot be changed. For another one, add a new contact."))
    return {
        "type": "modal",
        "callback_id": EDIT_FORM,
        "private_metadata": _metadata(shown, typed.here),
        "title": plain("Edit contact"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def shown_of(contact: Contact) -> Shown:
    """Say what the form about a contact can show: a field and the form's memory hold only so much."""
    shown = Shown(contact.address, contact.name, contact.tags)
    fits = len(write_tag_list(contact.tags)) <= _LONGEST_FIELD and len(_metadata(shown, "")) < _LONGEST_METADATA - 100
    return shown if fits else replace(shown, tags=None)


def written_of(shown: Shown, here: str) -> Typed:
    """Say what stands in the form about a contact before anybody writes."""
    return Typed(here, shown.name or "", pretty(shown.address), write_tag_list(shown.tags or ()))


def saving(here: str) -> Payload:
    """Stand where the form stood while Blooio takes its time."""
    return without_inputs("Saving …", here, [section("⏳ Saving … Blooio takes its time.")], close="Close")


def outcome(what: Outcome, here: str) -> Payload:
    """Stand where the form stood when it is done."""
    return without_inputs(what.title, here, [section(what.said), *what.blocks], close="Done")


def told(what: Outcome) -> Payload:
    """Say the same in a message, to somebody who has closed the form."""
    return {"text": what.said, "blocks": [section(what.said), *what.blocks]}


def read_typed(view: Mapping[str, Any]) -> Typed:
    """Read what stands in a form. Raises Unreadable."""
    name, address, tags = (entered(view, one) for one in (NAME, ADDRESS, TAGS))
    return Typed(read_here(view), name, address, tags, str(remembered(view).get("draft") or ""))


def read_shown(view: Mapping[str, Any]) -> Shown:
    """Read what the form about a contact showed; nothing depends on its being true. Raises Unreadable."""
    kept = remembered(view)
    address, name, tags = kept.get("address"), kept.get("name"), kept.get("tags")
    if not isinstance(address, str) or not isinstance(name, str | None) or not isinstance(tags, list | None):
        raise Unreadable
    return Shown(Address(address), name, None if tags is None else tuple(map(str, tags)))


def read_here(view: Mapping[str, Any]) -> str:
    """Read from which conversation a form was opened. Raises Unreadable."""
    return str(remembered(view).get("here") or "")


def _metadata(shown: Shown, here: str) -> str:
    kept = {"here": here, "address": shown.address, "name": shown.name, "tags": shown.tags}
    return json.dumps(kept, ensure_ascii=False)


def without_inputs(title: str, here: str, blocks: list[Payload], *, close: str) -> Payload:
    """Draw what stands where a form stood."""
    return {
        "type": "modal",
        "private_metadata": json.dumps({"here": here}),
        "title": plain(title),
        "close": plain(close),
        "blocks": blocks,
    }


def _input(action_id: str, value: str) -> dict[str, Any]:
    typed = {"initial_value": value} if value else {}
    return {"type": "plain_text_input", "action_id": action_id, **typed}


def _notice(notice: str | None) -> list[Payload]:
    return [section(notice)] if notice else []
