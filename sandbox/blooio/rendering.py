"""Blooio's JSON for what the records hold. Its times are integer milliseconds."""

from typing import Any

from sandbox.blooio.model import Contact, Message, Reaction, Status
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


def message_json(message: Message) -> dict[str, Any]:
    """A message as lists show it. `sender` is for groups; who wrote an inbound text is `external_id`."""
    status = status_json(message)
    del status["chat_id"]
    return {
        **status,
        "external_id": message.address,
        "internal_id": message.line,
        "text": message.text,
        "attachments": message.attachments,
        "sender": None,
        "reactions": [reaction_json(reaction) for reaction in message.reactions],
    }


def message_detail_json(records: Records, message: Message) -> dict[str, Any]:
    detail = message_json(message)
    del detail["external_id"]
    return {**detail, "chat_id": message.address, "contact": contact_reference(records, message.address)}


def chat_json(records: Records, address: str) -> dict[str, Any]:
    messages = records.chats[address]
    last = messages[-1]
    inbound = [message for message in messages if not message.outbound]
    outbound = [message for message in messages if message.outbound]
    return {
        "id": address,
        "type": kind_of(address),
        "is_group": False,
        "group_id": None,
        "group_name": None,
        "member_count": 0,
        "contact": contact_reference(records, address),
        "message_count": len(messages),
        "inbound_count": len(inbound),
        "outbound_count": len(outbound),
        "last_message_time": ms(last.at),
        "last_inbound_time": ms(inbound[-1].at) if inbound else None,
        "last_outbound_time": ms(outbound[-1].at) if outbound else None,
        "last_message": {
            "message_id": last.message_id,
            "text": last.text,
            "direction": last.direction,
            "time_sent": ms(last.at),
        },
    }
