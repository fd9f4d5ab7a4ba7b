"""Reading messages back: a conversation's history and one thread's replies."""

import re

from sandbox.slack.call import JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Message
from sandbox.slack.wire import message_json

TIMESTAMP = re.compile(r"\d+(\.\d{1,6})?")


async def history(call: Call) -> JSON:
    """Newest first, thread replies left out unless they were broadcast."""
    conversation = call.joined_conversation()
    call.demand_for(conversation, "history")
    chosen = _within(call, list(conversation.timeline.values()))
    chosen.reverse()
    page, cursor = call.page(chosen, default=100, most=999)
    return _written(call, page, cursor) | {"pin_count": 0}


async def replies(call: Call) -> JSON:
    """Parent first, then replies oldest first. `ts` may be any message of the thread."""
    conversation = call.joined_conversation()
    call.demand_for(conversation, "history")
    ts = call.required("ts")
    if conversation.find(ts) is None:
        raise SlackError("thread_not_found")
    parent_ts = conversation.parent_of.get(ts, ts)
    parent = conversation.timeline.get(parent_ts)
    chosen = _within(call, conversation.replies(parent_ts))
    page, cursor = call.page(([parent] if parent else []) + chosen, default=1000, most=1000)
    return _written(call, page, cursor)


def _written(call: Call, page: list[Message], cursor: str) -> JSON:
    all_metadata = call.flag("include_all_metadata")
    written: JSON = {
        "messages": [message_json(one, call.workspace, all_metadata=all_metadata) for one in page],
        "has_more": bool(cursor),
    }
    if cursor:
        written["response_metadata"] = {"next_cursor": cursor}
    return written


def _within(call: Call, messages: list[Message]) -> list[Message]:
    """Keep the messages between `oldest` and `latest`; the ends count only with `inclusive`."""
    oldest, latest = _micros(call, "oldest"), _micros(call, "latest")
    inclusive = call.flag("inclusive")
    kept = []
    for message in messages:
        at = int(message.ts.replace(".", ""))
        if oldest is not None and (at < oldest or (at == oldest and not inclusive)):
            continue
        if latest is not None and (at > latest or (at == latest and not inclusive)):
            continue
        kept.append(message)
    return kept


def _micros(call: Call, name: str) -> int | None:
    value = call.given(name)
    if not value:
        return None
    if not TIMESTAMP.fullmatch(value):
        raise SlackError(f"invalid_ts_{name}")
    seconds, _, fraction = value.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0"))
