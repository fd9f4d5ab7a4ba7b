"""
What somebody typed in a thread, and whether it is meant for the person: pure.

Nothing is texted by accident: joins, edits, deletions, bots, unfurls and what another thread broadcasts are none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.reading.slack_text import NO_NAMES, plain_text
from bot.texting.model import Fate

#: The `subtype` values of what people type. Source: Slack, "message event".
_TYPED = {None, "file_share", "thread_broadcast"}


@dataclass(frozen=True, slots=True)
class Typed:
    """Something that a person typed in a thread."""

    conversation_id: str
    thread_ts: str
    ts: str
    user_id: str
    text: str  # as Slack sent it


def read_typed(event: Mapping[str, Any]) -> Typed | None:
    """Return what a message event says that somebody typed in a thread; None for all else."""
    thread_ts, ts, user_id = event.get("thread_ts"), event.get("ts"), event.get("user")
    if event.get("subtype") not in _TYPED or event.get("bot_id") or event.get("bot_profile") or event.get("hidden"):
        return None
    if not thread_ts or thread_ts == ts or not user_id:
        return None
    return Typed(str(event["channel"]), str(thread_ts), str(ts), str(user_id), str(event.get("text") or ""))


def fate_of(typed: Typed, *, names: Mapping[str, str] = NO_NAMES) -> tuple[Fate, str]:
    """Say what becomes of it, and what a phone would show."""
    body = plain_text(typed.text, names=names)
    return (Fate.NOTE if body.startswith("!") else Fate.TEXTED), body
