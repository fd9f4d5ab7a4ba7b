"""What somebody who clicked is told in the thread, and only they."""

from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, escape, section
from bot.texting.errors import NotAccepted, NotFound, TextingError
from bot.texting.model import Capabilities, Person, Requested


def refusal(words: str) -> Payload:
    """Say why nothing came of a click."""
    return _only(f"⚠️ {escape(words)}")


def elsewhere(requested: Requested, *, thread_url: str | None) -> Payload:
    """Say that a text went to another person than the failed one, and where it can be followed."""
    home = requested.thread.conversation_id
    where = f"in <#{home}>" if home.startswith("C") else "in another conversation"
    link = f" <{thread_url}|Open the thread>" if thread_url else ""
    return _only(f"Texting *{escape(label(requested.person))}*. They have a thread of their own {where}.{link}")


def not_taken() -> Payload:
    """Say that a text of which nobody knew whether it was sent was not."""
    return _only("Blooio does not have this text. You can send it again.")


def can_get(person: Person, capabilities: Capabilities) -> Payload:
    """Say what a person can receive, as far as Blooio knows."""
    who, imessage, sms = escape(label(person)), capabilities.imessage, capabilities.sms
    if imessage:
        return _only(f"*{who}* can get iMessage.")
    if imessage is None:
        return _only(f"Blooio does not know what *{who}* can get.")
    if "@" in person.address:
        return _only(f"Blooio says that *{who}* has no iMessage. An email address gets nothing else: use a number.")
    if sms:
        return _only(f"*{who}* can get SMS only.")
    if sms is None:
        return _only(f"*{who}* has no iMessage. Blooio does not know whether SMS works.")
    return _only(f"Blooio says that *{who}* can get neither iMessage nor SMS. Check the number.")


def not_checked(person: Person, error: TextingError) -> Payload:
    """Say that there is no answer to what a person can receive."""
    who = escape(label(person))
    if isinstance(error, NotAccepted | NotFound):
        return _only(f"Blooio does not take *{who}* for somebody it can text. Check the number.")
    return _only(f"Blooio could not be asked about *{who}*. Try again in a minute.")


def not_reacted(person: Person, *, taken_off: bool) -> Payload:
    """Say that a reaction did not get to a person's phone, or could not be taken off it."""
    if taken_off:
        return refusal(f"Your reaction could not be taken back. {label(person)} may still see it.")
    return refusal(f"Your reaction could not be shown to {label(person)}. Reply with a text instead.")


def _only(text: str) -> Payload:
    return {"text": text, "blocks": [section(text)]}
