"""The phones as the page and the driver see them. Times are epoch seconds."""

from dataclasses import asdict
from typing import Any

from sandbox.blooio.model import Message, Phone
from sandbox.blooio.records import Records


def state_json(records: Records) -> dict[str, Any]:
    """Everything there is to see."""
    return {
        "line": records.lines[0].number if records.lines else None,
        "lines": [asdict(line) for line in records.lines],
        "settings": asdict(records.settings),
        "phones": [phone_json(records, phone) for phone in records.phones.values()],
    }


def phone_json(records: Records, phone: Phone) -> dict[str, Any]:
    """One phone: its profile, and its texts in the order in which they were written."""
    return {**profile_json(phone), "texts": [text_json(message) for message in records.chats.get(phone.address, ())]}


def profile_json(phone: Phone) -> dict[str, Any]:
    return {**asdict(phone), "channel": phone.channel}


def text_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "direction": message.direction,
        "text": message.text,
        "attachments": message.attachments,
        "protocol": message.protocol,
        "status": message.status,
        "at": message.at,
        "sent_at": message.sent_at,
        "delivered_at": message.delivered_at,
        "reached_at": message.reached_at,
        "read_at": message.read_at,
        "error": message.error_code,
        "line": message.line,
        "metadata": message.metadata,
        "key": message.key,
        "reactions": [asdict(reaction) for reaction in message.reactions],
    }
