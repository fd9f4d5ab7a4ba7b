"""Blooio's JSON for what the records hold. Its times are integer milliseconds."""

from typing import Any

from sandbox.blooio.attachments import Attachment
from sandbox.blooio.model import AttachmentForm, Contact, Group, Message, Reaction, Status
from sandbox.blooio.records import Records

#: The states REST has another word for. Webhooks say `read` and `received`.
REST_STATUS = {Status.READ: Status.DELIVERED, Status.RECEIVED: Status.DELIVERED}


def ms(seconds: float) -> int:
    return round(seconds * 1000)


def ms_or_none(seconds: float | None) -> int | None:
    return None if seconds is None else ms(seconds)


def kind_of(address: str) -> str:
    return "email" if "@" in address else "phone"


def pagination(limit: int, offset: int, total: int) -> dict[str, int]:
    return {"limit": limit, "offset": offset, "total": total}


def contact_json(records: Records, contact: Contact) -> dict[str, Any]:
    chat = records.chats.get(contact.identifier)
    return {
        "id": contact.identifier,
        "contact_id": contact.contact_id,
        "identifier": contact.identifier,
        "name": contact.name,
        "type": kind_of(contact.identifier),
        "created_at": ms(contact.created_at),
        "last_message_time": ms(chat[-1].at) if chat else None,
        "tags": list(contact.tags),
    }


def contact_reference(records: Records, address: str) -> dict[str, Any] | None:
    """How chats and messages name their contact; None for somebody who is not in the address book."""
    contact = records.contact(address)
    if contact is None:
        return None
    return {"contact_id": contact.contact_id, "name": contact.name, "identifier": contact.identifier}


def attachment_json(attachment: Attachment, form: str = AttachmentForm.OBJECTS) -> str | dict[str, Any]:
    """An attachment in one of its forms. What is not known of it is left out."""
    match form:
        case AttachmentForm.STRINGS:
            return attachment.url
        case AttachmentForm.DESCRIBED:
            known = {"file_name": attachment.name, "mime_type": attachment.media_type, "size": attachment.size}
        case _:
            known = {"name": attachment.name}
    return {"url": attachment.url} | {key: value for key, value in known.items() if value is not None}


def reaction_json(reaction: Reaction) -> dict[str, Any]:
    return {
        "reaction": reaction.reaction,
        "is_added": reaction.is_added,
        "time_sent": ms(reaction.at),
        "sender": reaction.sender,
    }


def status_json(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "chat_id": message.address,
        "direction": message.direction,
        "status": REST_STATUS.get(message.status, message.status),
        "protocol": message.protocol,
        "time_sent": ms(message.at if message.sent_at is None else message.sent_at),
        "time_delivered": ms_or_none(message.delivered_at),
        "error": message.error_message,
    }


def message_json(records: Records, message: Message) -> dict[str, Any]:
    """A message as lists show it. `sender` is for groups; who wrote any other inbound text is `external_id`."""
    status = status_json(message)
    del status["chat_id"]
    return {
        **status,
        "external_id": message.address,
        "internal_id": message.line,
        "text": message.text,
        "attachments": [attachment_json(one, records.settings.attachments) for one in message.attachments],
        "sender": message.sender,
        "reactions": [reaction_json(reaction) for reaction in message.reactions],
    }


def message_detail_json(records: Records, message: Message) -> dict[str, Any]:
    detail = message_json(records, message)
    del detail["external_id"]
    return {**detail, "chat_id": message.address, "contact": contact_reference(records, message.address)}


def chat_json(records: Records, address: str) -> dict[str, Any]:
    """A chat as lists show it, at the same cost however long it is."""
    tally, last, group = records.tallies[address], records.chats[address][-1], records.groups.get(address)
    return {
        "id": address,
        "type": kind_of(address) if group is None else "group",
        "is_group": group is not None,
        "group_id": group and group.group_id,
        "group_name": group and group.name,
        "member_count": len(group.members) if group else 0,
        "contact": contact_reference(records, address),
        "message_count": tally.inbound + tally.outbound,
        "inbound_count": tally.inbound,
        "outbound_count": tally.outbound,
        "last_message_time": ms(last.at),
        "last_inbound_time": _time_of(tally.last_inbound),
        "last_outbound_time": _time_of(tally.last_outbound),
        "last_message": {
            "message_id": last.message_id,
            "text": last.text,
            "direction": last.direction,
            "time_sent": ms(last.at),
        },
    }


def _time_of(message: Message | None) -> int | None:
    return None if message is None else ms(message.at)


def participants_json(records: Records, group: Group) -> list[dict[str, Any]]:
    """Who is in a group, also those whom the address book does not know."""
    stranger = {"contact_id": None, "name": None}
    return [stranger | {"identifier": one} | (contact_reference(records, one) or {}) for one in group.members]
