"""What happened, as a webhook's flat body says it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.blooio.model import Message
from sandbox.blooio.records import new_id
from sandbox.blooio.rendering import ms, ms_or_none


@dataclass(frozen=True)
class Event:
    """One thing that happened to one text, frozen as it was then. A late delivery tells the old truth."""

    id: str  # the same in every delivery of it
    name: str  # "message.delivered"
    address: str  # the other party
    outbound: bool  # the direction of the text it is about
    at: float
    flat: dict[str, Any]  # the v2 body, attachments as objects


Publish = Callable[[Event], None]


class Events:
    """Turns what happens into events and hands them to *publish*."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    def tell(self, name: str, message: Message, at: float) -> None:
        """One of the five message events."""
        self._publish(_event(name, message, at, _DETAILS[name](message, at)))

    def tell_reaction(self, message: Message, reaction: str, action: str, at: float) -> None:
        details = {
            "direction": "inbound",
            "reaction": reaction,
            "action": action,
            "sender": message.address,
            "original_text": message.text,
        }
        self._publish(_event("message.reaction", message, at, details))


def _event(name: str, message: Message, at: float, details: dict[str, Any]) -> Event:
    flat = {
        "event": name,
        "message_id": message.message_id,
        "external_id": message.address,
        "internal_id": message.line,
        "status": message.status,
        "protocol": message.protocol,
        "timestamp": ms(at),
        "is_group": False,
        **details,
    }
    return Event(new_id("evt"), name, message.address, message.outbound, at, flat)


def _received(message: Message, at: float) -> dict[str, Any]:
    return {
        "sender": message.address,
        "text": message.text,
        "attachments": message.attachments,
        "received_at": ms(at),
    }


def _sent(message: Message, _at: float) -> dict[str, Any]:
    return {"text": message.text, "attachments": message.attachments, "sent_at": ms_or_none(message.sent_at)}


def _failed(message: Message, _at: float) -> dict[str, Any]:
    return {"error_code": message.error_code, "error_message": message.error_message}


#: What each event adds to what all have in common.
_DETAILS: dict[str, Callable[[Message, float], dict[str, Any]]] = {
    "message.received": _received,
    "message.sent": _sent,
    "message.delivered": lambda _message, at: {"delivered_at": ms(at)},
    "message.read": lambda _message, at: {"read_at": ms(at)},
    "message.failed": _failed,
}
