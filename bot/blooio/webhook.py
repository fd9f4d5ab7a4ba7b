"""
What Blooio tells us unasked: whether it is Blooio, and what happened.

`verify` comes first and reads bytes, `parse` comes second and returns an event. Three bodies are understood: the flat
one of API v2, and the two versions of the envelope that a subscription made through API v4 delivers.

Source: Blooio API v2, "Webhook events" and "Webhook signatures"; API v4, "Webhooks", versions 2026-09-01 and
2026-10-01.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.blooio import reading
from bot.blooio.problems import failure
from bot.texting.model import Address, Attachment, Channel, DeliveryStatus, StatusReport

#: A signature further than this from our clock is refused, which bounds replay; a narrower one would lose retries.
#: Source: Blooio API v2, "Webhook signatures".
TOLERANCE = 300  # seconds

#: Blooio's event names that move a text, and where to. Source: Blooio API v2, "Webhook events".
STATUS_OF_EVENT = {
    "message.queued": DeliveryStatus.QUEUED,  # API v4 only
    "message.sent": DeliveryStatus.SENT,
    "message.delivered": DeliveryStatus.DELIVERED,
    "message.read": DeliveryStatus.READ,
    "message.failed": DeliveryStatus.FAILED,
}

_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


class InvalidSignature(Exception):
    """Blooio did not sign this body lately, as far as we can tell. It does not say which part was wrong."""


class MalformedEvent(Exception):
    """The body is no JSON object that names its event: Blooio never sends this."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """One of our texts moved on. It may be one we did not send: another key, or Blooio's own dashboard."""

    key: str  # the same for every delivery of the same news
    message_id: str
    address: Address | None  # whom it was for
    line: str | None  # our number, E.164
    at: datetime | None  # when it happened
    report: StatusReport


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A person texted us."""

    key: str
    message_id: str
    address: Address  # who wrote
    group_id: str | None  # the group they wrote in, `grp_…`; None when they wrote to us alone
    line: str | None
    at: datetime | None
    text: str  # "" when only files came
    attachments: tuple[Attachment, ...]
    channel: Channel | None
    reply_to: str | None  # the message they quoted


@dataclass(frozen=True, slots=True)
class Reaction:
    """Someone put a reaction on a message, or took it back."""

    key: str
    message_id: str  # the message it is about
    address: Address | None  # whose reaction; None: ours
    group_id: str | None
    line: str | None
    at: datetime | None
    reaction: str  # love, like, dislike, laugh, emphasize, question, or an emoji
    added: bool


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event we have no use for, or one that lacks what we need of it. Keep it and answer 200."""

    key: str
    name: str
    raw: Mapping[str, Any]


Event = StatusChanged | MessageReceived | Reaction | UnknownEvent


def verify(header: str | None, body: bytes, *, secrets: Sequence[str], now: datetime) -> None:
    """
    Check that Blooio signed this webhook, and lately.

    *header* is `X-Blooio-Signature`, *body* the bytes as received. Any of *secrets* may have signed it, so that a
    secret can be exchanged without losing events; without one, nothing is accepted. *now* is aware.

    Source: Blooio API v2, "Webhook signatures": `t=<seconds>,v1=<hex HMAC-SHA256 of "<t>." and the body>`. There may
    be several `v1`, and other keys to ignore.
    """
    fields = [field.partition("=") for field in (header or "").split(",")]
    times = [value.strip() for name, _, value in fields if name.strip() == "t"]
    signatures = [value.strip().encode("utf-8", "replace") for name, _, value in fields if name.strip() == "v1"]
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]):
        raise InvalidSignature
    if abs(now.timestamp() - int(times[0])) > TOLERANCE:
        raise InvalidSignature
    signed = times[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures):
        raise InvalidSignature


def parse(body: bytes) -> Event:
    """Return what a verified *body* tells. Raises MalformedEvent, and nothing else, whatever the bytes are."""
    told = reading.json_object(body)
    if told is None:
        raise MalformedEvent
    news = _flat(told)
    name = reading.word(news.get("event"))
    if name is None:
        raise MalformedEvent
    message_id = reading.word(news.get("message_id"))
    event = _understood(name, message_id, news) if message_id else None
    if event is not None:
        return event
    key = reading.word(told.get("id")) or hashlib.sha256(body).hexdigest()
    return UnknownEvent(f"{name}:{key}", name, told)


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """Put an envelope of API v4 into the words of API v2; return anything else as it is."""
    data = told.get("data")
    if not isinstance(told.get("type"), str) or not isinstance(data, dict):
        return told
    # Version 2026-09-01 keeps the words of v2, but nobody says whether inside `data` or beside it.
    either = told | {name: value for name, value in data.items() if value is not None}
    inbound = told["type"] not in STATUS_OF_EVENT and either.get("direction") != "outbound"
    contact = _identifier(data.get("contact"))
    recipient = _identifier(data.get("recipient"))
    sender = _identifier(either.get("sender")) or (contact if inbound else None)
    group = data.get("group")
    return either | {
        "event": told["type"],
        "timestamp": either.get("timestamp") or told.get("created_at"),
        "message_id": data.get("message_id") or told.get("message_id") or data.get("id"),
        "sender": sender,
        "external_id": either.get("external_id") or (sender if inbound else recipient or contact),
        "internal_id": either.get("internal_id")
        or (recipient if inbound else None)
        or _identifier(data.get("channel_address")),
        "group_id": either.get("group_id") or (group.get("group_id") if isinstance(group, dict) else None),
    }


def _identifier(value: object) -> object:
    """Return the address in *value*, which API v4 gives as text or as an object around it."""
    return value.get("identifier") if isinstance(value, dict) else value


def _understood(name: str, message_id: str, news: dict[str, Any]) -> Event | None:
    """Return the event called *name*; None if we have no use for it, or cannot tell who wrote."""
    if name in STATUS_OF_EVENT:
        return _status_changed(name, message_id, news)
    if name == "message.received":
        return _message_received(name, message_id, news)
    if name == "message.reaction":
        return _reaction(name, message_id, news)
    return None


def _status_changed(name: str, message_id: str, news: dict[str, Any]) -> StatusChanged:
    status = STATUS_OF_EVENT[name]
    failed = failure(news) if status is DeliveryStatus.FAILED else None
    at = reading.moment(news.get("timestamp"))

    def time_of(step: DeliveryStatus, field: str) -> datetime | None:
        return reading.moment(news.get(field)) or (at if status is step else None)

    return StatusChanged(
        key=f"{name}:{message_id}",
        message_id=message_id,
        address=reading.address(news.get("external_id")),
        line=reading.word(news.get("internal_id")),
        at=at,
        report=StatusReport(
            status=status,
            channel=reading.channel(news.get("protocol")),
            sent_at=time_of(DeliveryStatus.SENT, "sent_at"),
            delivered_at=time_of(DeliveryStatus.DELIVERED, "delivered_at"),
            read_at=time_of(DeliveryStatus.READ, "read_at"),
            failed_at=time_of(DeliveryStatus.FAILED, "failed_at"),
            error_code=failed.code if failed else None,
            error_words=failed.words if failed else None,
        ),
    )


def _message_received(name: str, message_id: str, news: dict[str, Any]) -> MessageReceived | None:
    address = reading.address(news.get("sender")) or reading.address(news.get("external_id"))
    if address is None:
        return None
    return MessageReceived(
        key=f"{name}:{message_id}",
        message_id=message_id,
        address=address,
        group_id=_group_id(news),
        line=reading.word(news.get("internal_id")),
        at=reading.moment(news.get("timestamp")) or reading.moment(news.get("received_at")),
        text=reading.text(news.get("text")),
        attachments=reading.attachments(news.get("attachments")),
        channel=reading.channel(news.get("protocol")),
        reply_to=reading.quoted(news),
    )


def _reaction(name: str, message_id: str, news: dict[str, Any]) -> Reaction | None:
    reaction = reading.word(news.get("reaction"))
    if reaction is None:
        return None
    line = reading.word(news.get("internal_id"))
    address = reading.address(news.get("sender"))
    if address is None and news.get("direction") != "outbound":
        address = reading.address(news.get("external_id"))
    if address == line:
        address = None
    at = reading.moment(news.get("timestamp"))
    added = news.get("action") != "remove"
    return Reaction(
        # One person may put the same reaction, take it back and put it again: each is news.
        key=f"{name}:{message_id}:{address}:{reaction}:{added}:{at and at.isoformat()}",
        message_id=message_id,
        address=address,
        group_id=_group_id(news),
        line=line,
        at=at,
        reaction=reaction,
        added=added,
    )


def _group_id(news: dict[str, Any]) -> str | None:
    candidates = (reading.word(news.get("group_id")), reading.word(news.get("external_id")))
    return next((found for found in candidates if found and found.startswith("grp_")), None)
