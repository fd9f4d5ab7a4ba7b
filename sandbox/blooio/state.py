"""The phones as the page and the driver see them. Times are epoch seconds."""

from dataclasses import asdict
from typing import Any

from sandbox.blooio.model import Group, Message, Phone
from sandbox.blooio.records import Records


def state_json(records: Records) -> dict[str, Any]:
    """Everything there is to see."""
    return {
        "line": records.lines[0].number if records.lines else None,
        "lines": [asdict(line) for line in records.lines],
        "settings": asdict(records.settings),
        "phones": [phone_json(records, phone) for phone in records.phones.values()],
        "groups": [group_json(records, group) for group in records.groups.values()],
    }


def phone_json(records: Records, phone: Phone) -> dict[str, Any]:
    """One phone: its profile, and its texts in the order in which they were written."""
    return {**profile_json(phone), "texts": [text_json(message) for message in records.chats.get(phone.address, ())]}


def group_json(records: Records, group: Group) -> dict[str, Any]:
    """One group: its members, and its texts in the order in which they were written."""
    texts = [text_json(message) for message in records.chats.get(group.group_id, ())]
    return {"group_id": group.group_id, "name": group.name, "members": group.members, "texts": texts}


def profile_json(phone: Phone) -> dict[str, Any]:
    return {**asdict(phone), "channel": phone.channel}


def _attachment_json(message: Message, place: int) -> dict[str, Any]:
    """`path` is where the page finds the file, if it was kept; `beginning` is hex."""
    attachment = message.attachments[place]
    kept = attachment.content is not None
    return {
        "url": attachment.url,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "beginning": attachment.beginning.hex(),
        "problem": attachment.problem,
        "path": f"/_sandbox/blooio/attachments/{message.message_id}/{place}" if kept else None,
    }


def text_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "direction": message.direction,
        "text": message.text,
        "attachments": [_attachment_json(message, place) for place in range(len(message.attachments))],
        "voice_memo": message.is_voice_memo,
        "protocol": message.protocol,
        "status": message.status,
        "at": message.at,
        "sent_at": message.sent_at,
        "delivered_at": message.delivered_at,
        "reached_at": message.reached_at,
        "read_at": message.read_at,
        "error": message.error_code,
        "line": message.line,
        "sender": message.sender,
        "metadata": message.metadata,
        "key": message.key,
        "reactions": [asdict(reaction) for reaction in message.reactions if reaction.is_added],
    }
