"""What the page follows: one conversation's newest messages and one of its threads; afterwards, what has changed."""

from bisect import bisect_left
from itertools import islice
from typing import Any

from sandbox.slack.fields import stateful
from sandbox.slack.manifest import Manifest
from sandbox.slack.menus import choices, visible
from sandbox.slack.model import Conversation, Kind, Message, Person
from sandbox.slack.reading import Reader
from sandbox.slack.state import message_state, surroundings_state
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

NEWEST = 100  # messages of a conversation that are shown at first
ABOVE = 20  # messages that are shown above one that a link leads to
LOOKED_AT = 100  # messages of each conversation among which those that call for its reader are counted

#: Lines that nobody needs to be told of.
QUIET = frozenset({"channel_join", "group_join", "channel_leave", "group_leave", "tombstone"})


def page_state(
    workspace: Workspace,
    manifest: Manifest,
    *,
    viewer: Person | None,
    conversation: Conversation | None,
    since: int,
    at: str,
    oldest: str,
) -> JSON:
    """
    Write what *viewer* sees who looks at *conversation*: all but messages whole, messages as changed after *since*.

    The messages are the newest, from *oldest* (a `ts`) on if that is given, and with what is around the message *at*;
    and the thread that *at* is in. `gone` are those taken away after *since*, `has_older` says whether there are more
    before them.
    """
    written = surroundings_state(workspace, manifest, viewer=viewer)
    written |= {"messages": [], "gone": [], "has_older": False}
    if viewer is None:
        return written
    written["conversations"] = [
        one | _unread(workspace.conversations[one["id"]], viewer, workspace) for one in written["conversations"]
    ]
    if conversation is None or not visible(conversation, viewer):
        return written
    shown, has_older = _shown(conversation, viewer, at=at, oldest=oldest)
    reader = Reader(workspace, viewer)
    changed = [one for one in shown if one.revision > since]
    return written | {
        "messages": [
            message_state(one, conversation, reader) | _details(one, conversation, viewer, workspace, reader)
            for one in changed
        ],
        "gone": [ts for revision, ts in conversation.gone if revision > since],
        "has_older": has_older,
    }


def older_state(workspace: Workspace, *, viewer: Person, conversation: Conversation, before: str) -> JSON:
    """Write the messages that stand before one, as many as the page begins with, and whether there are older ones."""
    if not visible(conversation, viewer):
        return {"messages": [], "has_older": False}
    timeline = list(conversation.timeline.values())
    end = _place(timeline, before)
    start = max(0, end - NEWEST)
    reader = Reader(workspace, viewer)
    return {
        "messages": [
            message_state(one, conversation, reader) | _details(one, conversation, viewer, workspace, reader)
            for one in timeline[start:end]
        ],
        "has_older": start > 0,
    }


def _shown(conversation: Conversation, viewer: Person, *, at: str, oldest: str) -> tuple[list[Message], bool]:
    """Choose the messages, in the order they were posted, and say whether there are older ones."""
    timeline = list(conversation.timeline.values())
    target = conversation.find(at)
    thread_ts = (target.thread_ts or target.ts) if target else None
    start = max(0, len(timeline) - NEWEST)
    if oldest:
        start = min(start, _place(timeline, oldest))
    if thread_ts:
        start = min(start, max(0, _place(timeline, thread_ts) - ABOVE))
    first = timeline[start].ts if start else ""
    mine = [one for one in conversation.ephemerals.values() if one.ephemeral_to == viewer.id]
    seen = [
        *timeline[start:],
        *(conversation.replies(thread_ts) if thread_ts else []),
        *(one for one in mine if one.thread_ts == thread_ts or (one.thread_ts is None and one.ts >= first)),
    ]
    return sorted({one.ts: one for one in seen}.values(), key=lambda one: one.ts), start > 0


def _place(timeline: list[Message], ts: str) -> int:
    return bisect_left(timeline, ts, key=lambda one: one.ts)


def _details(
    message: Message, conversation: Conversation, viewer: Person, workspace: Workspace, reader: Reader
) -> JSON:
    """Write what only the page needs of a message."""
    replies = conversation.replies(message.ts)
    parent = conversation.find(message.thread_ts or "") if message.subtype == "thread_broadcast" else None
    menus = [element for _, element in stateful(message.blocks)] if message.blocks else []
    latest = replies[-1] if replies else None
    return {
        "is_app": message.by_app or message.another is not None,
        "replies": {
            "people": list(dict.fromkeys(one.user_id for one in replies)),
            "latest": latest and {"ts": latest.ts, "user_id": latest.user_id, "by_app": latest.by_app},
        },
        "reply_to": reader.mrkdwn(parent.text) if parent else None,
        "choices": {element["action_id"]: choices(element, viewer, workspace) for element in menus},
    }


def _unread(conversation: Conversation, viewer: Person, workspace: Workspace) -> JSON:
    """
    Tell what may make a conversation stand out to a person who has not read it.

    `newest` is the `ts` of the newest message by somebody else. `calls` are those of messages that count: each in a
    direct message, and elsewhere each that mentions the person, in a thread too.
    """
    written = list(islice(reversed(conversation.timeline.values()), LOOKED_AT))
    by_others = [one for one in written if one.user_id != viewer.id and one.subtype not in QUIET]
    if conversation.kind in {Kind.IM, Kind.MPIM}:
        calls = [one.ts for one in by_others]
    else:
        replies = (conversation.find(ts) for ts in islice(reversed(conversation.parent_of), LOOKED_AT))
        tokens = _tokens(viewer, workspace)
        others = [one for one in replies if one is not None and one.user_id != viewer.id]
        calls = [one.ts for one in (*by_others, *others) if any(token in one.text for token in tokens)]
    is_member = viewer.id in conversation.members
    return {
        "newest": by_others[0].ts if by_others and is_member else "",
        "calls": sorted(set(calls)) if is_member else [],
    }


def _tokens(viewer: Person, workspace: Workspace) -> list[str]:
    """List the beginnings of the tokens that mention a person."""
    groups = [one.id for one in workspace.groups.values() if viewer.id in one.members and not one.is_disabled]
    return [f"<@{viewer.id}", "<!here", "<!channel", "<!everyone", *(f"<!subteam^{one}" for one in groups)]
