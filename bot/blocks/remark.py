"""Lines of the bot's own in a thread, by the kind of remark."""

from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, escape, section
from bot.texting.model import Person, Remark


def remark(one: Remark, person: Person) -> Payload:
    """Draw a remark about *person*."""
    said = _WORDS[one.kind].format(who=escape(label(person)), **one.payload)
    return {"text": said, "blocks": [section(said)]}


_WORDS: dict[str, str] = {}
