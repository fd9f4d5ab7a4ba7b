"""
Ready-made trouble: each way in which a call to Blooio is known to go wrong, by name.

What goes wrong with a text after it was accepted belongs to the phone (`refuses`, `fails_with`, `unreachable`…), and
what goes wrong with webhooks is `mischief`.
"""

from dataclasses import replace
from typing import Any

from sandbox.blooio.errors import error_json
from sandbox.faults import Fault, Kind

SEND = "POST /chats/*/messages"
EXAMPLE = "+15550100001"  # the person in the errors that name one


def ordered(name: str, **changes: Any) -> Fault:
    """A fault of the table, to be ordered: `ordered("throttled", retry_after=2, times=None)`."""
    return replace(TROUBLE[name], **changes)


def _refusal(status: int, message: str, code: str | None = None, *, where: str = SEND, **context: Any) -> Fault:
    return Fault("blooio", where, Kind.STATUS, status=status, body=error_json(status, message, code, **context))


#: A name for each, and the fault. Sends, unless the name says otherwise.
TROUBLE: dict[str, Fault] = {
    # Nothing is known, or nothing was said.
    "answer_too_late": Fault("blooio", SEND, Kind.SLOW_ANSWER, seconds=90),
    "answer_lost": Fault("blooio", SEND, Kind.DROP_AFTER),
    "connection_cut": Fault("blooio", SEND, Kind.DROP_BEFORE),
    "html_page": Fault("blooio", "*", Kind.HTML, status=502),
    "broken_json": Fault("blooio", SEND, Kind.BROKEN_JSON, status=202),
    "slow": Fault("blooio", "*", Kind.LATENCY, seconds=2),
    # The request.
    "bad_request": _refusal(400, "Invalid chat id"),
    "attachment_first": _refusal(
        400, "The first message of a conversation must have text", "attachment_first_message_not_allowed"
    ),
    "reply_expired": _refusal(400, "The message to reply to is too old", "reply_target_expired"),
    "reply_not_found": _refusal(404, "The message to reply to was not found", "reply_target_not_found"),
    "format_unsupported": _refusal(400, "Markdown is not supported here", "format_unsupported_for_channel_type"),
    "invalid_content": _refusal(400, "This mix of content is not allowed", "invalid_content"),
    "unprocessable": _refusal(422, "Validation failed"),
    "not_found": _refusal(404, "Chat not found"),
    "conflict": _refusal(409, "Duplicate idempotency key"),
    # The account.
    "key_revoked": _refusal(401, "Invalid or missing API key", where="*"),
    "trial_exhausted": _refusal(402, "Trial message allowance used up"),
    "forbidden": _refusal(403, "This message is not allowed"),
    "reply_only": _refusal(
        403,
        "This number can only reply to people who have messaged it first",
        "inbound_only_no_prior_inbound",
        allocation_id="alloc_sandbox",
        external_id=EXAMPLE,
    ),
    "content_restricted": _refusal(
        403, "Links and media are not allowed before the first reply", "conversation_content_restricted"
    ),
    "new_conversations_paused": _refusal(403, "New conversations are paused", "safety_new_conversations_paused"),
    "line_reply_only": _refusal(403, "This number is limited to replies", "safety_reply_only"),
    "account_review": _refusal(403, "This account is under review", "safety_account_review"),
    "registration_closed": _refusal(
        410, "Webhook registration through v2 is closed; use POST /v4/webhooks", where="POST /webhooks"
    ),
    # Too much.
    "throttled": replace(_refusal(429, "Too many requests"), retry_after=1),
    "new_contacts_limit": _refusal(
        429,
        "Outbound limit reached",
        "outbound_limit_reached",
        limit=50,
        current=50,
        mode="new_contacts",
        allocation_id="alloc_sandbox",
        sender_number="+15550109999",
    ),
    "new_conversations_limit": _refusal(
        429,
        "Daily limit for new conversations reached",
        "new_conversation_limit_reached",
        plan_id="plan_sandbox",
        cap=15,
        current=15,
    ),
    "awaiting_reply": _refusal(429, "Waiting for a reply", "conversation_awaiting_reply"),
    "streak_limit": _refusal(429, "Too many messages in a row", "conversation_streak_limit"),
    "inactive_paused": _refusal(429, "This conversation has been silent too long", "conversation_inactive_paused"),
    # Blooio itself.
    "server_error": _refusal(500, "Internal error"),
    "not_implemented": _refusal(501, "Coming soon"),
    "line_unreachable": _refusal(502, "The number could not be reached"),
    "no_active_number": _refusal(503, "No active number available to send from"),
    "gateway_timeout": _refusal(504, "Upstream timeout"),
    "capabilities_unavailable": _refusal(
        503, "No active number available to check capabilities", where="GET /contacts/*/capabilities"
    ),
}
