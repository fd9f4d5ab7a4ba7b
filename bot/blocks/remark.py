"""Lines of the bot's own in a thread, by the kind of remark."""

from types import MappingProxyType

from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, escape, section
from bot.blocks.replies import CORRECTABLE, correction_offered
from bot.texting.model import Person, Remark


def remark(one: Remark, person: Person) -> Payload:
    """Draw a remark about *person*. What stands in its payload mentions nobody and fakes no link."""
    if one.kind in CORRECTABLE:
        return correction_offered(one, person)
    written = {name: escape(str(value)) for name, value in one.payload.items()}
    said = _WORDS[one.kind].format(who=escape(label(person)), **written)
    return {"text": said, "blocks": [section(said)]}


_UNTIL = "Nothing is texted to them until they write START."

#: By the kind of remark, mrkdwn. `{who}` is the person, all else is of the payload.
_WORDS = MappingProxyType(
    {
        "opted_out": f"🚫 *{{who}}* opted out: they wrote {{word}}. {_UNTIL}",
        "opted_out_by": f"🚫 {{by}} opted *{{who}}* out. {_UNTIL}",
        "opted_in": "✅ *{who}* wants texts again: they wrote {word}.",
        "allowed": "✅ {by} allowed texts to *{who}* again. {asked_by} asked for it: “{note}”",
    }
)
