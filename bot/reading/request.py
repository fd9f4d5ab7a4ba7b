"""
A request of Slack's before anybody reads it: what each of its kind has is there, and all of it can be stored. Pure.

Whoever reads a request further on relies on that and on nothing else: what stands in a button, in a form or in a
message is the client's.

Source: Slack, "Slash commands", "Interaction payloads", "Events API".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kinds of requests that Slack sends to an app like ours: the payload's own `type`, but for commands.
COMMAND, EVENT = "command", "event_callback"
ACTIONS, SUBMISSION, CLOSED = "block_actions", "view_submission", "view_closed"
SHORTCUT, MESSAGE_SHORTCUT, SUGGESTION = "shortcut", "message_action", "block_suggestion"

#: What else Slack may think of: nobody here listens to it, and it is acknowledged.
UNKNOWN = "unknown"

#: Slack nests rich text some levels deep. More of them are nothing that anybody wrote.
_DEEPEST = 50

#: Characters of an id: Slack's own have a dozen, and it lets us choose names of so many.
_LONGEST_ID = 255


class Unreadable(ValueError):
    """This is not what Slack sends, or not what it sends about anything that we made."""


@dataclass(frozen=True, slots=True)
class _Maybe:
    """What may be missing, or null."""

    shape: Any


@dataclass(frozen=True, slots=True)
class _Each:
    """An object whose names are anybody's."""

    shape: Any


@dataclass(frozen=True, slots=True)
class _Some:
    """A list with something in it."""

    shape: Any


@dataclass(frozen=True, slots=True)
class _Short:
    """Text that is an id or a name of ours: it is asked about, remembered and logged."""


@dataclass(frozen=True, slots=True)
class _Brief:
    """Anything, but no long text: whoever reads an event looks what it is, and remembers or logs it."""


@dataclass(frozen=True, slots=True)
class _IfObject:
    """Anything, but if it is an object it has this shape."""

    shape: Any


_TEXT = _Maybe(str)
_ID = _Short()
_NAMED = {"id": _ID}
_OPTION = {"value": str}
_FIELD = {
    "value": _TEXT,
    "selected_option": _Maybe(_OPTION),
    "selected_user": _TEXT,
    "selected_conversation": _TEXT,
}
_VIEW = {
    "id": _ID,
    "type": str,
    "hash": _TEXT,
    "callback_id": _Maybe(_ID),
    "private_metadata": _TEXT,
    "blocks": _Maybe([{"type": str, "block_id": str}]),
    "state": {"values": _Each(_Each(_FIELD))},
}
_PERSON = {"id": _ID, "team_id": _Maybe(_ID), "username": _TEXT, "name": _TEXT}
_MESSAGE = {
    "ts": _Maybe(_ID),
    "thread_ts": _Maybe(_ID),
    "user": _Maybe(_ID),
    "text": _TEXT,
    "bot_id": _Maybe(_ID),
    "edited": _Maybe({"ts": _ID}),
    "blocks": _Maybe([dict]),
}
_INTERACTION = {
    "user": _PERSON,
    "team": _Maybe({"id": _ID, "enterprise_id": _Maybe(_ID)}),
    "enterprise": _Maybe(_NAMED),
    "channel": _Maybe(_NAMED),
    "container": _Maybe({"channel_id": _Maybe(_ID), "thread_ts": _Maybe(_ID)}),
    "message": _Maybe(_MESSAGE),
    "view": _Maybe(_VIEW),
    "trigger_id": _Maybe(_ID),
    "response_url": _TEXT,
    "callback_id": _Maybe(_ID),
    "action_id": _Maybe(_ID),
    "actions": _Maybe([dict]),
}
_ACTION = {"action_id": _ID, "block_id": _TEXT, "action_ts": _Maybe(_ID), **_FIELD}
_ITEM = {"type": str, "channel": _Maybe(_ID), "ts": _Maybe(_ID)}

_OF_EVENT = dict.fromkeys(
    (
        *("user", "bot_id", "team", "user_team", "channel", "ts", "thread_ts", "event_ts", "deleted_ts"),
        *("subtype", "item_user", "reaction"),
    ),
    _Brief(),
)

_SHAPES: Mapping[str, Any] = {
    COMMAND: {
        "command": _ID,
        "team_id": _ID,
        "channel_id": _ID,
        "user_id": _ID,
        "enterprise_id": _Maybe(_ID),
        "user_name": _TEXT,
        "user": _Maybe(dict),
        "team": _Maybe(dict),
        "text": _TEXT,
        "trigger_id": _TEXT,
        "response_url": _TEXT,
    },
    EVENT: {
        "team_id": _TEXT,
        "enterprise_id": _TEXT,
        "authorizations": _Maybe([{"team_id": _TEXT, "enterprise_id": _TEXT, "user_id": _TEXT}]),
        "event": {
            **_OF_EVENT,
            "type": _ID,
            "item": _Maybe(_ITEM),
            "message": _IfObject(_OF_EVENT),
            "previous_message": _IfObject(_OF_EVENT),
        },
    },
    ACTIONS: {**_INTERACTION, "actions": _Some(_ACTION)},
    SUBMISSION: {**_INTERACTION, "view": _VIEW},
    CLOSED: {**_INTERACTION, "view": _VIEW},
    SHORTCUT: {**_INTERACTION, "callback_id": _ID, "trigger_id": str},
    MESSAGE_SHORTCUT: {**_INTERACTION, "callback_id": _ID, "trigger_id": str, "channel": _NAMED, "message": _MESSAGE},
    SUGGESTION: {**_INTERACTION, "action_id": _ID, "value": _TEXT},
    UNKNOWN: {**_INTERACTION, "type": str, "user": _Maybe(_PERSON)},
}


def kind_of(body: Mapping[str, Any]) -> str:
    """Name what Slack sent: one of the kinds above. The name is written into logs and figures."""
    if COMMAND in body:
        return COMMAND
    kind = body.get("type")
    return kind if isinstance(kind, str) and kind in _SHAPES else UNKNOWN


def readable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request as it can be read and stored. Raises Unreadable."""
    cleaned: dict[str, Any] = storable(body)
    kind = kind_of(cleaned)
    if not _fits(cleaned, _SHAPES[kind]):
        raise Unreadable(kind)
    return cleaned


def storable(value: Any, *, depth: int = 0) -> Any:
    """
    Return JSON without the two things that PostgreSQL cannot store: NUL and half a surrogate pair.

    Raises Unreadable for what is nested beyond all reason.
    """
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.encode("utf-8", "ignore").decode().replace("\0", "")
    if depth > _DEEPEST:
        raise Unreadable
    if isinstance(value, Mapping):
        return {storable(name): storable(one, depth=depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one, depth=depth + 1) for one in value]
    return value


def _fits(value: Any, shape: Any) -> bool:  # noqa: PLR0911  (one for each kind of shape)
    match shape:
        case _Maybe():
            return value is None or _fits(value, shape.shape)
        case _Short():
            return isinstance(value, str) and len(value) <= _LONGEST_ID
        case _Brief():
            return not isinstance(value, str) or len(value) <= _LONGEST_ID
        case _IfObject():
            return not isinstance(value, dict) or _fits(value, shape.shape)
        case _Each():
            return isinstance(value, dict) and all(_fits(one, shape.shape) for one in value.values())
        case _Some():
            return bool(value) and _fits(value, [shape.shape])
        case list():
            return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
        case dict():
            return isinstance(value, dict) and all(_fits(value.get(name), one) for name, one in shape.items())
    return isinstance(value, shape)
