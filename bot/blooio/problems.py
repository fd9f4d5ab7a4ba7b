"""
Blooio's refusals in our words: the one place where a status and a code become an error.

Source: Blooio API v2, "Errors". The codes about safety and unanswered texts come from the documentation of v4, and
v2 meets the same rules.
"""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.blooio import reading
from bot.texting import errors
from bot.texting.errors import TextingError

#: Blooio's `code`, whatever the status it comes with.
ERROR_OF_CODE: dict[str, type[TextingError]] = {
    "attachment_first_message_not_allowed": errors.TextFirst,
    "reply_target_invalid": errors.CannotQuote,
    "reply_target_chat_mismatch": errors.CannotQuote,
    "reply_target_device_mismatch": errors.CannotQuote,
    "reply_target_expired": errors.CannotQuote,
    "reply_target_not_supported": errors.CannotQuote,
    "reply_target_not_found": errors.CannotQuote,
    "format_unsupported_for_channel_type": errors.PlainTextOnly,
    "invalid_content": errors.PlainTextOnly,
    "attachment_fetch_failed": errors.FileNotFetched,  # the local Blooio's word; the real one's is in no document
    "inbound_only_no_prior_inbound": errors.ReplyOnly,
    "conversation_content_restricted": errors.NoLinksYet,
    "safety_new_conversations_paused": errors.NewTextsPaused,
    "safety_reply_only": errors.NewTextsPaused,
    "safety_account_review": errors.NewTextsPaused,
    "outbound_limit_reached": errors.LimitReached,
    "new_conversation_limit_reached": errors.LimitReached,
    "conversation_awaiting_reply": errors.AwaitingReply,
    "conversation_streak_limit": errors.AwaitingReply,
    "conversation_inactive_paused": errors.AwaitingReply,
}

#: The rest, by HTTP status.
ERROR_OF_STATUS: dict[int, type[TextingError]] = {
    400: errors.NotAccepted,
    401: errors.Disconnected,
    402: errors.AllowanceUsedUp,
    403: errors.NotAllowed,
    404: errors.NotFound,
    408: errors.BlooioTrouble,
    409: errors.AlreadyExists,
    410: errors.Unavailable,
    422: errors.NotAccepted,
    425: errors.BlooioTrouble,
    429: errors.Throttled,
    501: errors.Unavailable,
    503: errors.LineOffline,
}

#: Bounds of a wait that Blooio asks for: no busy loop, and no text put off for a day by a wrong clock.
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)

LONGEST_CODE = 200  # characters, when it is shown: sometimes it is a sentence


def problem(status: int, headers: Mapping[str, str], content: bytes) -> TextingError:
    """
    Return the error that an answer other than 2xx stands for.

    *headers* is asked for lower-case names. *content* may be JSON, a proxy's HTML page, or nothing.
    """
    body = reading.json_object(content) or {}
    error = body.get("error")
    nested = error.get("code") if isinstance(error, dict) else None  # v4 puts it there
    code = reading.word(body.get("code")) or reading.word(nested)
    kind = ERROR_OF_CODE.get(code or "") or ERROR_OF_STATUS.get(status) or _error_of_class(status)
    if kind is errors.LineOffline and not body:
        kind = errors.BlooioTrouble  # whatever stands before Blooio says that it is away: that is not about our line
    words = _limit_words(code, body) if kind is errors.LimitReached else None
    return kind(words=words, provider_code=code, retry_after=_retry_after(headers))


def failure(body: dict[str, Any]) -> TextingError:
    """
    Return the error of a text that Blooio had accepted, as told by an answer, a status or a webhook.

    Blooio's codes for this are in no catalogue: an unknown one is shown as it is.
    """
    code = reading.error_code(body)
    kind = ERROR_OF_CODE.get(code or "", errors.NotSent)
    words = f"Blooio says: {code[:LONGEST_CODE]}" if code and kind is errors.NotSent else None
    return kind(words=words, provider_code=code)


def _error_of_class(status: int) -> type[TextingError]:
    if status >= 500:  # noqa: PLR2004 - HTTP's own number; 520 to 526 come from the proxy in front
        return errors.BlooioTrouble
    if status >= 400:  # noqa: PLR2004 - HTTP's own number
        return errors.NotAccepted
    return errors.Unavailable  # a redirect: this address is not, or no longer, Blooio's API


def _limit_words(code: str | None, body: dict[str, Any]) -> str | None:
    """Put Blooio's numbers into the words, when it gives them; None keeps the words without numbers."""
    current = reading.count(body.get("current"))
    limit = reading.count(body.get("limit"))
    if limit is None:
        limit = reading.count(body.get("cap"))
    if current is None or limit is None:
        return None
    which = "Today's limit" if code == "new_conversation_limit_reached" else "The limit"
    reached = f"{which} for new people is reached ({current} of {limit})."
    return f"{reached} You can still text everyone you have texted before."


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long Blooio asks us to wait, within bounds. A date counts from the answer's own `Date`."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        wait = timedelta(seconds=float(value))
    except OverflowError:
        return LONGEST_WAIT
    except ValueError:
        try:
            wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, TypeError):  # no date, or one with a zone and one without
            return None
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
