"""The small pieces every message is made of."""

import re
from datetime import datetime
from typing import Any
from unicodedata import bidirectional

Payload = dict[str, Any]

#: Characters of a text in a block. Names and words are cut where they are drawn; this is for all else.
_MOST = 3000
_HALF = re.compile(r"(?:<[^<>]*|&[a-z]{0,3})\Z")


def escape(text: str) -> str:
    """Make *text* harmless inside mrkdwn: nobody's name mentions a channel or fakes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def time_of(moment: datetime) -> str:
    """Show a time of day in the zone of whoever looks; *moment* is aware."""
    return f"<!date^{int(moment.timestamp())}^{{time}}|{moment:%H:%M} UTC>"


def moment_of(moment: datetime) -> str:
    """Show a day and a time in the zone of whoever looks, the day as *today* while it is; *moment* is aware."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} at {{time}}|{moment.day} {moment:%b %Y %H:%M} UTC>"


def day_of(moment: datetime) -> str:
    """Show a day in the zone of whoever looks; *moment* is aware."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}}|{moment.day} {moment:%b %Y}>"


def shortened(text: str, limit: int) -> str:
    """
    Return *text* on one line, cut to *limit* characters, as a button and an option have to be.

    They are counted as browsers count them: most emoji are two. Nobody documents how Slack does.
    """
    line = " ".join(text.split())
    if _units(line) <= limit:
        return line
    kept, room = "", limit - 1
    for char in line:
        room -= _units(char)
        if room < 0:
            break
        kept += char
    return kept.rstrip(" \u200d") + "…"


def isolated(name: str) -> str:
    """Return *name* so that its writing direction ends with it: an Arabic one would turn the number after it around."""
    turns = any(bidirectional(char) in {"R", "AL", "RLE", "RLO", "LRO", "LRE"} for char in name)
    return f"\u2068{name}\u2069" if turns else name


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="replace")) // 2


def section(text: str) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _fitting(text)}}


def verbatim(text: str) -> Payload:
    """Show *text* (at least a character) exactly as it is: no mrkdwn, no mentions, no shortcodes."""
    return {"type": "section", "text": {"type": "plain_text", "text": _cut(text), "emoji": False}}


def context(text: str) -> Payload:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _fitting(text)}]}


def _cut(text: str) -> str:
    """Return as much as Slack takes: with more, it would show nothing of the whole message."""
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _fitting(text: str) -> str:
    """The same of mrkdwn, without a half of a link or of an escaped character at its end."""
    return text if len(text) <= _MOST else f"{_HALF.sub('', text[: _MOST - 1])}…"
