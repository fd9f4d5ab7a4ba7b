"""What a person wrote, in their thread: nothing of it is markup."""

from bot.blocks.mrkdwn import Payload, escape, verbatim
from bot.texting.model import Inbound

#: A section takes so many characters, and a message's blocks about 13,200 in all.
_SECTION = 3_000
_SHOWN = 12_000

#: A notification shows a line or two; the blocks show it all.
_FALLBACK_LENGTH = 300


def inbound(text: Inbound) -> Payload:
    """Draw a text of a person's as its row has it now."""
    shown = text.body[:_SHOWN]
    blocks = [verbatim(shown[start : start + _SECTION]) for start in range(0, len(shown), _SECTION)]
    return {"text": escape(text.body[:_FALLBACK_LENGTH]), "mrkdwn": False, "blocks": blocks}
