"""What happened, as a webhook's flat body says it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.blooio.attachments import Attachment
from sandbox.blooio.model import Message
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.rendering import ms, ms_or_none, participants_json


@dataclass(frozen=True)
class Event:
    """One thing that happened to one text, frozen as it was then. A late delivery tells the old truth."""

    id: str  # the same in every delivery of it
    name: str  # "message.delivered"
    address: str  # the other party
    outbound: bool  # the direction of the text it is about
    at: float
    flat: dict[str, Any]  # the v2 body; its attachments are those below, in a form of the webhook's
    attachments: tuple[Attachment, ...] = ()


Publish = Callable[[Event], None]


class Events:
    """Turns what happens into events and hands them to *publish*."""

    def __init__(self, records: Records, publish: Publish) -> None:
        self._records = records
        self._publish = publish

    def tell(self, name: str, message: Message, at: float) -> None:
        """One of the five message events."""
        self._publish(self._event(name, message, at, _DETAILS[name](message, at)))

    def tell_reaction(
        self, message: Message, reaction: str, action: str, at: float, sender: str | None, *, outbound: bool
    ) -> None:
        """A reaction was added or removed, on a text of either direction; *outbound* if it is ours."""
        details = {
            "direction": "outbound" if outbound else "inbound",
            "reaction": reaction,
            "action": action,
            "sender": sender,
            "original_text": message.text,
        }
        self._publish(self._event("message.reaction", message, at, details))

    def _event(self, name: str, message: Message, at: float, details: dict[str, Any]) -> Event:
        flat = {
            "event": name,
            "message_id": message.message_id,
            "external_id": message.address,
            "internal_id": message.line,
            "status": message.status,
            "protocol": message.protocol,
            "timestamp": ms(at),
            **self._group(message),
            **details,
        }
        attachments = tuple(replace(attachment) for attachment in message.attachments)
        return Event(new_id("evt"), name, message.address, message.outbound, at, flat, attachments)

    def _group(self, message: Message) -> dict[str, Any]:
        group = self._records.groups.get(message.address)
        if group is None:
            return {"is_group": False}
        people = participants_json(self._records, group)
        return {"is_group": True, "group_id": group.group_id, "group_name": group.name, "participants": people}


def _received(message: Message, at: float) -> dict[str, Any]:
    return {
        "sender": message.sender or message.address,
        "text": message.text,
        "attachments": [],
        "received_at": ms(at),
    }


def _sent(message: Message, _at: float) -> dict[str, Any]:
    return {"text": message.text, "attachments": [], "sent_at": ms_or_none(message.sent_at)}


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
