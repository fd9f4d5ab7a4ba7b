"""Forms that people fill in: Slack calls them modals."""

import json
from collections.abc import Mapping
from typing import Any

from bot.blocks import files
from bot.blocks.mrkdwn import Payload, context
from bot.reading.addresses import pretty
from bot.reading.command import MAX_BODY
from bot.reading.form import FormProblem
from bot.reading.request import Unreadable, storable
from bot.texting.errors import OptedOut, OwnNumber, TextingError
from bot.texting.model import Requested
from bot.texting.routing import files_again

#: `callback_id` of the form, and what its inputs are called, as block and as action.
EDIT_FORM = "text_edit_form"
TO, MESSAGE = "to", "message"


def edit_and_send(failed: Requested, *, meanwhile: str = "") -> Payload:
    """
    Let somebody mend a failed text: another number, other words. It remembers which text it is, and nothing else.

    *meanwhile* (mrkdwn) says who else is writing to them.
    """
    along = files_again(failed.delivery)
    address = {"type": "plain_text_input", "action_id": TO, "initial_value": pretty(failed.person.address)}
    message = {
        "type": "plain_text_input",
        "action_id": MESSAGE,
        "multiline": True,
        "max_length": MAX_BODY,
        "focus_on_load": True,
    }
    if failed.delivery.body:
        message["initial_value"] = failed.delivery.body
    return {
        "type": "modal",
        "callback_id": EDIT_FORM,
        "notify_on_close": True,
        "private_metadata": str(failed.delivery.id),
        "title": plain("Edit and send"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [
            field(TO, "To", address),
            *([context(meanwhile)] if meanwhile else []),
            field(MESSAGE, "Message", message) | {"optional": bool(along)},
            *files.names_block(along),
        ],
    }


def remembered(view: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a form remembers of how it was opened. Raises Unreadable if it is no form of ours that does."""
    try:
        kept = json.loads(str(view.get("private_metadata") or "{}"))
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(kept, dict) or not isinstance(kept.get("here") or "", str):
        raise Unreadable
    cleaned: dict[str, Any] = storable(kept)
    return cleaned


def entered(view: Mapping[str, Any], name: str) -> str:
    """Read what was written into an input that is called *name*, as a block and as an action; "" if nothing was."""
    inputs: Mapping[str, Any] = view["state"]["values"].get(name) or {}
    return str((inputs.get(name) or {}).get("value") or "")


def field(block_id: str, label: str, element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def wrong_fields(wrong: FormProblem | TextingError) -> dict[str, str]:
    """Say under which inputs of the form what is wrong stands: an error without a field would not be seen."""
    if isinstance(wrong, TextingError):
        return {TO if isinstance(wrong, OwnNumber | OptedOut) else MESSAGE: wrong.words}
    return {name: words for name, words in ((TO, wrong.to), (MESSAGE, wrong.message)) if words}
