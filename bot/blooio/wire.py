"""
Blooio's HTTP conversation as values: no sockets, no clock, no logging.

A function named for a call (`send_message`) returns the `Request` to make; a `parse_…` function turns the answer's
status, headers and content into a value of `texting.model`, or raises one of `texting.errors`.

Source: Blooio API v2, https://docs.blooio.com, and its OpenAPI document, `<base>/openapi.json`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from bot.blooio import reading
from bot.blooio.problems import failure, problem
from bot.texting.errors import BlooioTrouble, NotAccepted, TextingError, Unconfirmed
from bot.texting.model import (
    Accepted,
    Account,
    Address,
    Attachment,
    Capabilities,
    Chat,
    Contact,
    DeliveryStatus,
    Line,
    Message,
    Page,
    StatusReport,
)

T = TypeVar("T")

#: The most one page may hold. Source: Blooio API v2, "Pagination".
LARGEST_PAGE = 200

#: Characters of a contact's name. Ours are shorter, and the field of a form holds three times as many.
_LONGEST_NAME = 1000

#: Chats in a page: it is asked for every few seconds, and mostly says that there is no news.
CHATS_PAGE = 100


@dataclass(frozen=True, slots=True)
class Request:
    """One call to Blooio. *path* is relative to the base address and already percent-encoded."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription to what Blooio tells unasked."""

    webhook_id: str  # "" if Blooio did not say
    url: str
    active: bool = True  # False: paused, nothing is delivered
    valid_until: datetime | None = None  # None: for good
    secret: str | None = field(default=None, repr=False)  # shown once: when it is new


# --- Requests ---------------------------------------------------------------------------------------------------------


def capabilities(address: Address) -> Request:
    """Ask what *address* can receive. Works for strangers too."""
    return Request("GET", f"/contacts/{_encoded(address)}/capabilities")


def send_message(
    address: Address,
    text: str,
    *,
    idempotency_key: str,
    from_number: str | None = None,
    metadata: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> Request:
    """
    Ask Blooio to queue *text* for *address*, with *attachments* that it fetches itself; with them *text* may be "".

    The same *idempotency_key* with the same arguments texts the person once, however often it is repeated.
    *from_number* pins our line (E.164); without it Blooio chooses. *metadata* may hold up to 1 KB of JSON; Blooio
    keeps it for its analytics and never returns it.
    """
    body: dict[str, Any] = {"text": text} if text or not attachments else {}
    if attachments:
        body["attachments"] = [{"url": file.url, "name": file.name} if file.name else file.url for file in attachments]
    if from_number is not None:
        body["from_number"] = from_number
    if metadata is not None:
        body["metadata"] = dict(metadata)
    return Request(
        "POST",
        f"/chats/{_encoded(address)}/messages",
        json=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def message_status(address: Address, message_id: str) -> Request:
    """Ask what became of a text. A text just sent may be unknown (404) for some seconds."""
    return Request("GET", f"/chats/{_encoded(address)}/messages/{_encoded(message_id)}/status")


def list_messages(
    address: Address,
    *,
    direction: Literal["inbound", "outbound"],
    since: datetime,
    limit: int = LARGEST_PAGE,
    offset: int = 0,
) -> Request:
    """
    Ask for one page of the texts exchanged with *address* after *since* (aware), oldest first.

    Nobody says whether a text at *since* itself is included, so overlap.
    """
    params: dict[str, str | int] = {
        "direction": direction,
        "since": int(since.timestamp() * 1000),
        "sort": "asc",
        "limit": limit,
        "offset": offset,
    }
    return Request("GET", f"/chats/{_encoded(address)}/messages", params=params)


def react(address: Address, message_id: str, reaction: str, *, added: bool) -> Request:
    """
    Put a reaction of ours on a text of either side, or take it off: love, like, …, or an emoji. iMessage only.

    We have one on a text at most, whoever of us reacted: another takes its place.
    """
    path = f"/chats/{_encoded(address)}/messages/{_encoded(message_id)}/reactions"
    return Request("POST", path, json={"reaction": f"{'+' if added else '-'}{reaction}"})


def typing(address: Address, *, begins: bool) -> Request:
    """Show that we are typing, or no longer. Nobody says that it ends by itself, so it has to be ended."""
    return Request("POST" if begins else "DELETE", f"/chats/{_encoded(address)}/typing")


def mark_read(address: Address) -> Request:
    """Let somebody know that everything they wrote was read."""
    return Request("POST", f"/chats/{_encoded(address)}/read")


def list_chats(*, limit: int = CHATS_PAGE, offset: int = 0) -> Request:
    """Ask for one page of all chats, groups included, the one with the latest text first."""
    return Request("GET", "/chats", params={"sort": "recent", "limit": limit, "offset": offset})


def create_contact(address: Address, name: str | None = None) -> Request:
    """Add *address* to the address book. Answered with 409 when it is there already."""
    body: dict[str, Any] = {"identifier": address}
    if name is not None:
        body["name"] = name
    return Request("POST", "/contacts", json=body)


def get_contact(address: Address) -> Request:
    return Request("GET", f"/contacts/{_encoded(address)}")


def update_contact(address: Address, *, name: str | None) -> Request:
    """Rename a contact; None clears the name. Nothing else of a contact can be edited."""
    return Request("PATCH", f"/contacts/{_encoded(address)}", json={"name": name})


def list_contacts(*, query: str | None = None, sort: str = "recent", limit: int = 50, offset: int = 0) -> Request:
    """
    Ask for one page of the address book.

    *query* matches addresses and names. *sort* is `recent`, `oldest`, `name_asc` or `name_desc`; *limit* is 1 to 200.
    """
    params: dict[str, str | int] = {"sort": sort, "limit": limit, "offset": offset}
    if query:
        params["q"] = query
    return Request("GET", "/contacts", params=params)


def add_tags(address: Address, *tags: str) -> Request:
    """Tag a contact. A tag it has already is no error."""
    return Request("POST", f"/contacts/{_encoded(address)}/tags", json={"tags": list(tags)})


def remove_tag(address: Address, tag: str) -> Request:
    return Request("DELETE", f"/contacts/{_encoded(address)}/tags/{_encoded(tag)}")


def me() -> Request:
    """Ask whose key this is. The answer repeats the key: never log it."""
    return Request("GET", "/me")


def lines() -> Request:
    """Ask for our own numbers."""
    return Request("GET", "/me/numbers")


def list_webhooks() -> Request:
    """Ask for every webhook that this key can see. There are no pages."""
    return Request("GET", "/webhooks")


def create_webhook(url: str) -> Request:
    """
    Have everything told to *url*, for good.

    Answered with 201 and the secret, with 200 and no secret when the URL is known already, with 409 when there are 64
    webhooks, and with 410 where API v2 registers no new URL any more.
    """
    return Request("POST", "/webhooks", json={"webhook_url": url, "webhook_type": "all", "valid_until": -1})


def rotate_webhook_secret(webhook_id: str) -> Request:
    """Have a webhook's secret replaced. The old one signs nothing from then on."""
    return Request("POST", f"/webhooks/{_encoded(webhook_id)}/secret/rotate")


def _encoded(value: str) -> str:
    """
    Write one segment of a path. Raises NotAccepted for what might lead to another path, such as "" and "..".

    Addresses come back from buttons and forms, so they are the client's; and not every server between us and Blooio
    leaves "%2F" as it is.
    """
    if not all(part.strip(".") for part in re.split(r"[/\\]", value)):
        raise NotAccepted
    return quote(value, safe="")  # a raw "+" is read as a space: "+1555…" has to travel as "%2B1555…"


# --- Answers ----------------------------------------------------------------------------------------------------------


def parse_capabilities(status: int, headers: Mapping[str, str], content: bytes, *, now: datetime) -> Capabilities:
    """Say what a person can receive, as of Blooio's own check or, if it does not say when that was, *now*."""
    body = _body(status, headers, content)
    nested = body.get("capabilities")
    can = nested if isinstance(nested, dict) else body
    checked_at = reading.moment(body.get("last_checked")) or reading.moment(body.get("lastChecked"))
    return Capabilities(
        imessage=reading.yes_or_no(can.get("imessage")),
        sms=reading.yes_or_no(can.get("sms")),
        checked_at=checked_at or now,
    )


def parse_accepted(status: int, headers: Mapping[str, str], content: bytes) -> Accepted:
    """
    Read the answer to a send: 202 the first time, 200 when the key was seen before.

    Raises Unconfirmed when Blooio said yes in a way that cannot be read: the text may well be on its way.
    """
    body = _body(status, headers, content, unreadable=Unconfirmed)
    if body.get("status") == "failed":
        raise failure(body)
    message_id = reading.word(body.get("message_id"))
    if message_id is None:
        several = body.get("message_ids")
        message_id = reading.word(several[0]) if isinstance(several, list) and several else None
    if message_id is None:
        raise Unconfirmed
    return Accepted(message_id)


def parse_status(status: int, headers: Mapping[str, str], content: bytes) -> StatusReport:
    """Read what became of a text. Read receipts are told by webhook only, so READ does not occur here."""
    return _report(_body(status, headers, content))


def parse_messages(
    status: int, headers: Mapping[str, str], content: bytes, *, limit: int, offset: int
) -> Page[Message]:
    """Read a page of a chat that was asked for with *limit* and *offset*."""
    return _page(_body(status, headers, content), "messages", _message, limit=limit, offset=offset)


def parse_chats(status: int, headers: Mapping[str, str], content: bytes, *, limit: int, offset: int) -> Page[Chat]:
    """Read a page of the list of chats that was asked for with *limit* and *offset*."""
    return _page(_body(status, headers, content), "chats", _chat, limit=limit, offset=offset)


def parse_contact(status: int, headers: Mapping[str, str], content: bytes) -> Contact:
    contact = _contact(_body(status, headers, content))
    if contact is None:
        raise BlooioTrouble
    return contact


def parse_contacts(
    status: int, headers: Mapping[str, str], content: bytes, *, limit: int, offset: int
) -> Page[Contact]:
    """Read a page of the address book that was asked for with *limit* and *offset*."""
    return _page(_body(status, headers, content), "contacts", _contact, limit=limit, offset=offset)


def parse_done(status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Read an answer of which only success matters."""
    if not _successful(status):
        raise problem(status, headers, content)


def parse_me(status: int, headers: Mapping[str, str], content: bytes) -> Account:
    """Read whose key this is, leaving out the key."""
    body = _body(status, headers, content)
    organization = body.get("organization")
    return Account(
        valid=body.get("valid") is True,
        organization=reading.word(organization.get("name")) if isinstance(organization, dict) else None,
        lines=_each(body.get("devices"), _line),
    )


def parse_lines(status: int, headers: Mapping[str, str], content: bytes) -> tuple[Line, ...]:
    return _each(_body(status, headers, content).get("numbers"), _line)


def parse_webhooks(status: int, headers: Mapping[str, str], content: bytes) -> tuple[Webhook, ...]:
    return _each(_body(status, headers, content).get("webhooks"), _webhook)


def parse_webhook(status: int, headers: Mapping[str, str], content: bytes, *, url: str) -> Webhook:
    """Read the answer to `create_webhook` of *url*. Only a new webhook has its secret."""
    body = _body(status, headers, content)
    return Webhook(
        webhook_id=reading.word(body.get("webhook_id")) or "",
        url=url,
        secret=reading.word(body.get("signing_secret")),
    )


def parse_webhook_secret(status: int, headers: Mapping[str, str], content: bytes) -> str:
    """Read the new secret. Raises BlooioTrouble when there is none to be read: then nobody knows it."""
    secret = reading.word(_body(status, headers, content).get("signing_secret"))
    if secret is None:
        raise BlooioTrouble
    return secret


def _successful(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own numbers


def _body(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    unreadable: type[TextingError] = BlooioTrouble,
) -> dict[str, Any]:
    """Return the JSON object of a successful answer. Raises what the answer says, or *unreadable*."""
    if not _successful(status):
        raise problem(status, headers, content)
    body = reading.json_object(content)
    if body is None:
        raise unreadable
    return body


def _page(
    body: dict[str, Any],
    name: str,
    parse: Callable[[dict[str, Any]], T | None],
    *,
    limit: int,
    offset: int,
) -> Page[T]:
    """Read one page, and where the next one starts. A row that cannot be read is left out, and still counted."""
    rows = body.get(name)
    received = len(rows) if isinstance(rows, list) else 0
    pagination = body.get("pagination")
    told = pagination if isinstance(pagination, dict) else {}
    total = reading.count(told.get("total"))
    following = offset + received
    last = (
        received == 0
        or told.get("has_more") is False
        or (following >= total if total is not None else received < limit)
    )
    return Page(_each(rows, parse), total=total, next_offset=None if last else following)


def _each(rows: object, parse: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
    """Parse the objects of a list that may be missing; what is not readable is left out."""
    if not isinstance(rows, list):
        return ()
    parsed = (parse(row) for row in rows if isinstance(row, dict))
    return tuple(value for value in parsed if value is not None)


def _contact(row: dict[str, Any]) -> Contact | None:
    # `id` is the address too; only generated samples show Blooio's internal "ct_…" there.
    address = reading.address(row.get("identifier")) or reading.address(row.get("id"))
    if address is None:
        return None
    return Contact(
        address=address,
        name=(reading.word(row.get("name")) or "")[:_LONGEST_NAME] or None,
        tags=reading.tags(row.get("tags")),
        last_message_at=reading.moment(row.get("last_message_time")),
    )


def _chat(row: dict[str, Any]) -> Chat | None:
    chat_id = reading.word(row.get("id"))
    if chat_id is None:
        return None
    # A comma stands between the members of a group that has no id of its own.
    group = row.get("is_group") is True or row.get("type") == "group" or chat_id.startswith("grp_") or "," in chat_id
    last_at = reading.moment(row.get("last_message_time"))
    last_inbound_at = reading.moment(row.get("last_inbound_time"))
    if "last_inbound_time" not in row:  # it may be theirs: their texts are looked for
        last_inbound_at = last_at
    return Chat(
        chat_id=chat_id,
        address=None if group else reading.address(chat_id),
        last_at=max((at for at in (last_at, last_inbound_at) if at is not None), default=None),
        last_inbound_at=last_inbound_at,
        inbound=reading.count(row.get("inbound_count")),
    )


def _message(row: dict[str, Any]) -> Message | None:
    message_id = reading.word(row.get("message_id"))
    if message_id is None:
        return None
    return Message(
        message_id=message_id,
        inbound=row.get("direction") == "inbound",
        text=reading.text(row.get("text")),
        attachments=reading.attachments(row.get("attachments")),
        line=reading.word(row.get("internal_id")),
        report=_report(row),
        reply_to=reading.quoted(row),
    )


def _report(body: dict[str, Any]) -> StatusReport:
    status = reading.status(body.get("status"))
    failed = failure(body) if status is DeliveryStatus.FAILED else None
    return StatusReport(
        status=status,
        channel=reading.channel(body.get("protocol")),
        sent_at=reading.moment(body.get("time_sent")),
        delivered_at=reading.moment(body.get("time_delivered")),
        error_code=failed.code if failed else None,
        error_words=failed.words if failed else None,
    )


def _line(row: dict[str, Any]) -> Line | None:
    phone = reading.word(row.get("phone_number"))
    if phone is None:
        return None
    return Line(
        phone=phone,
        active=row.get("is_active") is not False,  # missing is not offline: an alarm needs a reason
        reply_only=row.get("plan_kind") == "inbound",
    )


def _webhook(row: dict[str, Any]) -> Webhook | None:
    url = reading.word(row.get("webhook_url"))
    if url is None:
        return None
    return Webhook(
        webhook_id=reading.word(row.get("webhook_id")) or "",
        url=url,
        active=row.get("is_active") is not False and reading.moment(row.get("deprecated_at")) is None,
        valid_until=reading.moment(row.get("valid_until")),  # -1, which is for good, is no moment
    )
