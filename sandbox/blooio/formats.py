"""One event in each of the bodies that a webhook may get."""

from typing import Any

from sandbox.blooio.account_api import ORGANIZATION
from sandbox.blooio.events import Event
from sandbox.blooio.model import Format, Webhook
from sandbox.blooio.rendering import attachment_json

#: v2's names that the newer envelope has dropped.
DROPPED_2026_10 = {"event", "timestamp", "external_id", "internal_id"}


def body_for(webhook: Webhook, event: Event) -> dict[str, Any]:
    """The JSON that *webhook* gets for *event*."""
    flat = dict(event.flat)
    if webhook.format is Format.V4_2026_10:
        return _envelope(event, webhook.format, _v4_names(event))
    if "attachments" in flat:
        flat["attachments"] = [attachment_json(one, webhook.attachments) for one in event.attachments]
    if webhook.format is Format.V4_2026_09:
        return _envelope(event, webhook.format, flat)
    return flat


def _envelope(event: Event, version: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.name,
        "api_version": version,
        "created_at": event.flat["timestamp"],
        "organization_id": ORGANIZATION,
        "data": data,
    }


def _v4_names(event: Event) -> dict[str, Any]:
    """The people are `contact`, `sender` and `recipient`; `chat_id` is opaque and means nothing to v2."""
    flat = event.flat
    person, line = flat["external_id"], flat["internal_id"]
    direction = flat.get("direction") or ("outbound" if event.outbound else "inbound")  # a reaction has its own
    author = flat.get("sender") or person  # in a group, not the other party
    sender, recipient = (line, person) if direction == "outbound" else (author, line)
    data = {key: value for key, value in flat.items() if key not in DROPPED_2026_10}
    data |= {
        "chat_id": "chat_" + person.encode().hex(),
        "contact": {"identifier": person if direction == "outbound" else author},
        "sender": sender,
        "recipient": recipient,
        "channel_address": line,
        "direction": direction,
    }
    if "attachments" in flat:
        data["attachments"] = [
            {"url": one.url, "media_type": one.media_type, "size": one.size} for one in event.attachments
        ]
    if flat["is_group"]:
        data["group"] = {name: data.pop(name) for name in ("group_id", "group_name", "participants")}
    if "error_code" in data:
        data["error"] = {"code": data.pop("error_code"), "message": data.pop("error_message")}
    return data
