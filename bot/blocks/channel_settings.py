"""The form in which a channel chooses how it wants its threads."""

import json
from collections.abc import Mapping
from typing import Any

from bot.blocks.forms import field, plain, remembered
from bot.blocks.mrkdwn import Payload, context, section
from bot.reading.request import Unreadable
from bot.texting.model import Choices

#: `callback_id` of the form, and what its inputs are called, as block and as action.
SETTINGS_FORM = "channel_settings_form"
REPLIES, QUIET = "channel_replies", "channel_quiet"

#: What people read, by what is stored.
_REPLIES = {
    "texted": "Are texted",
    "asked_for": "Only with the Reply button or @Texting",
    "never": "Never: this channel only shows what comes in",
}
_QUIET = {
    "0": "Never",
    "15": "At most every 15 minutes",
    "60": "At most every hour",
    "240": "At most every 4 hours",
    "1440": "At most once a day",
}

#: What the choices come to, in whole sentences.
_SAID_OF_REPLIES = {
    "texted": "Replies in threads here are texted; a reply that starts with ! stays here.",
    "asked_for": "Replies in threads here stay here, unless they are written with the Reply button or name @Texting.",
    "never": "Replies in threads here stay here: this channel only shows what comes in.",
}
_SAID_OF_QUIET = {
    "0": "New texts in old threads are not announced.",
    "15": "New texts in old threads are announced at most every 15 minutes.",
    "60": "New texts in old threads are announced at most every hour.",
    "240": "New texts in old threads are announced at most every 4 hours.",
    "1440": "New texts in old threads are announced at most once a day.",
}


def settings_form(conversation_id: str, choices: Choices) -> Payload:
    """Show what a channel has chosen, to be changed."""
    return {
        "type": "modal",
        "callback_id": SETTINGS_FORM,
        "private_metadata": json.dumps({"here": conversation_id}),
        "title": plain("Channel settings"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            section(f"For everybody in <#{conversation_id}>"),
            field(REPLIES, "Replies in threads", _menu(REPLIES, _REPLIES, choices.replies)),
            field(QUIET, "Announce new texts here", _menu(QUIET, _QUIET, str(choices.quiet_minutes))),
            context("A new text in an old thread is easily missed. One message says who wrote, with links."),
        ],
    }


def read_settings(view: Mapping[str, Any]) -> tuple[str, Choices]:
    """Read which channel chose what, as Slack gives it back. Raises Unreadable for what we did not offer."""
    home, replies, quiet = str(remembered(view).get("here") or ""), _chosen(view, REPLIES), _chosen(view, QUIET)
    if not home or replies not in _REPLIES or quiet not in _QUIET:
        raise Unreadable("not offered")
    return home, Choices(replies, int(quiet))


def _chosen(view: Mapping[str, Any], name: str) -> str:
    menu: Mapping[str, Any] = (view["state"]["values"].get(name) or {}).get(name) or {}
    return str((menu.get("selected_option") or {}).get("value") or "")


def saved(choices: Choices, *, news: bool) -> Payload:
    """Say what a channel has chosen."""
    said = f"{_SAID_OF_REPLIES[choices.replies]} {_SAID_OF_QUIET[str(choices.quiet_minutes)]}"
    said = f"⚙️ Saved. {said}" if news else f"⚙️ Nothing changed. {said}"
    return {"text": said, "blocks": [section(said)]}


def _menu(action_id: str, offered: Mapping[str, str], chosen: str) -> Payload:
    options = [{"text": plain(words), "value": value} for value, words in offered.items()]
    initial = next((one for one in options if one["value"] == chosen), options[0])
    return {"type": "static_select", "action_id": action_id, "options": options, "initial_option": initial}
