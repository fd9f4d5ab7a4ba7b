"""The small pieces every message is made of."""

from datetime import datetime
from typing import Any
from unicodedata import bidirectional

Payload = dict[str, Any]


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
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def verbatim(text: str) -> Payload:
    """Show *text* (1 to 3000 characters) exactly as it is: no mrkdwn, no mentions, no shortcodes."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def context(text: str) -> Payload:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
