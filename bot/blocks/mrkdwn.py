"""The small pieces every message is made of."""

from datetime import datetime
from typing import Any

Payload = dict[str, Any]


def escape(text: str) -> str:
    """Make *text* harmless inside mrkdwn: nobody's name mentions a channel or fakes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def time_of(moment: datetime) -> str:
    """Show a time of day in the zone of whoever looks; *moment* is aware."""
    return f"<!date^{int(moment.timestamp())}^{{time}}|{moment:%H:%M} UTC>"


def section(text: str) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def verbatim(text: str) -> Payload:
    """Show *text* (1 to 3000 characters) exactly as it is: no mrkdwn, no mentions, no shortcodes."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def context(text: str) -> Payload:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
