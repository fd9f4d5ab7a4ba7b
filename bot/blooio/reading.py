"""
Single values of Blooio's JSON, read with distrust.

Every field of Blooio's schema is optional, times come in several units, and enums grow. So nothing here raises: what
cannot be read is None (or empty), and the caller decides whether that matters.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.texting.model import Address, Attachment, Channel, DeliveryStatus

#: Blooio's `protocol` and what it means to us. "pending" is not settled yet and "unknown" never was: both are missing
#: here and so None. "non-imessage" is how the API said it before it told RCS from SMS; SMS is what carried nearly all
#: of those, and the news in it, "not iMessage", stays true. Source: Blooio API v2, schema of a message.
CHANNEL_OF = {
    "imessage": Channel.IMESSAGE,
    "rcs": Channel.RCS,
    "sms": Channel.SMS,
    "non-imessage": Channel.SMS,
}

#: Blooio's `status` and what it means to us. "cancellation_requested" is missing on purpose: it is a wish, and the
#: text may still arrive. Source: Blooio API v2, schema of a message status.
STATUS_OF = {
    "queued": DeliveryStatus.QUEUED,
    "pending": DeliveryStatus.QUEUED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "failed": DeliveryStatus.FAILED,
    "cancelled": DeliveryStatus.CANCELLED,
}

#: Of an email address (RFC 5321, 4.5.3.1). What is longer is nobody's, and Slack would not take it in a button.
_LONGEST_ADDRESS = 254

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THIS_CENTURY = range(2000, 2100)
_SMALLEST_MILLISECONDS = 1e11  # as seconds this is the year 5138, as milliseconds 1973


def json_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in *content*; None for HTML, nothing, or any other JSON."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, absurdly long numbers, absurdly deep nesting
        return None
    return body if isinstance(body, dict) else None


def text(value: object) -> str:
    """Return what a person wrote, without the two things PostgreSQL cannot store: NUL and half a surrogate pair."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def word(value: object) -> str | None:
    """Return a name, an id or a code; None when it is missing or blank."""
    return text(value).strip() or None


def address(value: object) -> Address | None:
    """Return a phone in E.164 or an email address in lower case; None for Blooio's internal ids and anything else."""
    written = word(value)
    if written is None or len(written) > _LONGEST_ADDRESS or not (written.startswith("+") or "@" in written):
        return None
    return Address(written.lower())


def yes_or_no(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: object) -> datetime | None:
    """
    Return a time as aware UTC. Reads epoch milliseconds, epoch seconds (below 1e11) and ISO 8601, as text too.

    A time outside of this century is a mistake, and one at the ends of the calendar breaks whoever moves it to
    another zone.
    """
    try:
        read = _moment(value)
    except (ValueError, OverflowError):
        return None
    return read if read is not None and read.year in _THIS_CENTURY else None


def _moment(value: object) -> datetime | None:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        written = datetime.fromisoformat(value)
        return written.astimezone(UTC) if written.tzinfo else written.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    number = float(value)
    return _EPOCH + timedelta(seconds=number if number < _SMALLEST_MILLISECONDS else number / 1000)


def channel(value: object) -> Channel | None:
    return CHANNEL_OF.get(text(value).lower())


def status(value: object) -> DeliveryStatus | None:
    return STATUS_OF.get(text(value).lower())


def error_code(body: dict[str, Any]) -> str | None:
    """Return why a text failed: `error_code` (webhooks), `code`, `error.code` (API v4) or plain `error` (a status)."""
    error = body.get("error")
    plain = error.get("code") if isinstance(error, dict) else error
    return word(body.get("error_code")) or word(body.get("code")) or word(plain)


def quoted(body: dict[str, Any]) -> str | None:
    """Return the id of the message that one quotes: in `reply_to`, or as API v4 has it beside."""
    quote = body.get("reply_to")
    return word(quote.get("message_id") if isinstance(quote, dict) else body.get("reply_to_message_id"))


def tags(value: object) -> tuple[str, ...]:
    """Return tags, given as strings (in a contact) or as objects (by the tags endpoint)."""
    if not isinstance(value, list):
        return ()
    names = (word(tag.get("tag")) if isinstance(tag, dict) else word(tag) for tag in value)
    return tuple(name for name in names if name is not None)


def attachments(value: object) -> tuple[Attachment, ...]:
    """Return files, given as addresses or as objects whose keys differ by API version."""
    if not isinstance(value, list):
        return ()
    found = (_attachment(item if isinstance(item, dict) else {"url": item}) for item in value)
    return tuple(file for file in found if file is not None)


def _attachment(file: dict[str, Any]) -> Attachment | None:
    url = word(file.get("url"))
    if url is None:
        return None
    return Attachment(
        url=url,
        name=word(file.get("name")) or word(file.get("file_name")),
        media_type=word(file.get("media_type")) or word(file.get("mime_type")),
    )
