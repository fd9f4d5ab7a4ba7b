"""A text in its thread: the words that were sent, one line with the channel and the status, and what can be done."""

from datetime import datetime
from enum import Enum
from typing import Any

from bot.blocks import files
from bot.blocks.mrkdwn import Payload, context, escape, shortened, time_of, verbatim
from bot.texting import errors
from bot.texting.errors import TextingError
from bot.texting.model import Channel, Delivery, DeliveryStatus
from bot.texting.routing import can_be_replaced

NAMES = {Channel.IMESSAGE: "🔵 iMessage", Channel.RCS: "🟣 RCS", Channel.SMS: "🟢 SMS"}
PLAIN_NAMES = {Channel.IMESSAGE: "iMessage", Channel.RCS: "RCS", Channel.SMS: "SMS"}

#: Why a text waits for another attempt, by `TextingError.code`.
_WAITING = {
    "line_offline": "our number is offline",
    "throttled": "Blooio is busy",
    "unconfirmed": "Blooio has not answered",
}

#: What a person put on a text. Any other is an emoji already.
REACTIONS = {"love": "❤️", "like": "👍", "dislike": "👎", "laugh": "😂", "emphasize": "‼️", "question": "❓"}

#: A notification shows a line or two; the blocks show it all. It also keeps an update below Slack's 4000 characters.
_FALLBACK_LENGTH = 300

#: As much of a reply as says which one it is.
_EXCERPT = 60


class Button(Enum):
    """What somebody can do about a text: what they read, and the `action_id` that is heard when they click."""

    TRY_AGAIN = "Try again", "text_again"
    SEND_AGAIN = "Send again", "text_again"  # the same, but it may arrive twice
    EDIT_AND_SEND = "Edit and send", "text_edit"
    CHECK_NUMBER = "Check number", "text_check_number"
    CHECK_AGAIN = "Check again", "text_check_again"
    TRY_NOW = "Try now", "text_try_now"
    DONT_SEND = "Don't send", "text_dont_send"

    @property
    def action_id(self) -> str:
        return self.value[1]


_LATER = (Button.TRY_AGAIN, Button.EDIT_AND_SEND)
_OTHER_NUMBER = (Button.CHECK_NUMBER, Button.EDIT_AND_SEND)
_OTHER_WORDS = (Button.EDIT_AND_SEND,)

#: What helps against each failure: time, other words, another number, or knowing more.
_BUTTONS: dict[type[TextingError], tuple[Button, ...]] = {
    TextingError: _LATER,
    errors.Unconfirmed: (Button.CHECK_AGAIN, Button.SEND_AGAIN),
    errors.NotTaken: _LATER,
    errors.BlooioTrouble: _LATER,
    errors.Throttled: _LATER,
    errors.LineOffline: _LATER,
    errors.NotAccepted: _OTHER_NUMBER,
    errors.TextFirst: _OTHER_WORDS,
    errors.CannotQuote: _OTHER_WORDS,
    errors.PlainTextOnly: _OTHER_WORDS,
    errors.NotAllowed: (Button.TRY_AGAIN,),  # an admin may have seen to it
    errors.ReplyOnly: _LATER,
    errors.NoLinksYet: (Button.EDIT_AND_SEND, Button.TRY_AGAIN),  # without links now, or as it is when they reply
    errors.NewTextsPaused: _LATER,
    errors.AwaitingReply: _LATER,
    errors.LimitReached: _LATER,
    errors.NotFound: _OTHER_NUMBER,
    errors.Disconnected: _LATER,
    errors.AllowanceUsedUp: _LATER,
    errors.Unavailable: (Button.TRY_AGAIN,),
    errors.NotSent: (*_LATER, Button.CHECK_NUMBER),
    errors.FileNotFetched: _LATER,
    errors.FileGone: _OTHER_WORDS,
    errors.FilesNeedAddress: _LATER,
    errors.OptedOut: (Button.TRY_AGAIN,),  # they may have written START
    errors.OwnNumber: _OTHER_WORDS,  # the form has the number too
}
_BUTTONS_OF_CODE = {error.code: buttons for error, buttons in _BUTTONS.items()}


def receipt(delivery: Delivery) -> Payload:
    """Draw one text as its row has it now."""
    line = status_line(delivery)
    if delivery.typed:
        return _below_reply(delivery, line)
    words = delivery.body if len(delivery.body) <= _FALLBACK_LENGTH else delivery.body[:_FALLBACK_LENGTH] + "…"
    shown = [verbatim(delivery.body)] if delivery.body else []
    blocks = [*shown, *files.names_block(delivery.files), context(line)]
    if buttons := buttons_of(delivery):
        elements = [_element(button, delivery) for button in buttons]
        blocks.append({"type": "actions", "elements": elements})
    return {"text": f"{escape(words or files.names(delivery.files))}\n{line}", "blocks": blocks}


def _below_reply(delivery: Delivery, line: str) -> Payload:
    """Draw a text that stands in the thread already, where its author typed it: which one it is, and what is wrong."""
    words, named = shortened(delivery.body, _EXCERPT), files.names(delivery.files)
    shown = " ".join(part for part in (f"“{escape(words)}”" if words else "", escape(named)) if part)
    said = f"{escape(delivery.author.name)}: {shown}\n{line}"
    blocks = [context(said)]
    if buttons := buttons_of(delivery):
        blocks.append({"type": "actions", "elements": [_element(button, delivery) for button in buttons]})
    return {"text": said, "blocks": blocks}


def status_line(delivery: Delivery) -> str:
    """Say it in one line of mrkdwn: `🔵 iMessage · Delivered 14:02 · Read 14:05 · ❤️`."""
    return " · ".join([*_parts(delivery), *_reactions(delivery)])


def buttons_of(delivery: Delivery) -> tuple[Button, ...]:
    """Say what can be done about a text."""
    if delivery.automatic:
        return ()  # once is what the law expects, and nobody wrote it
    if delivery.held_since is not None:
        return Button.TRY_NOW, Button.DONT_SEND
    if can_be_replaced(delivery):
        return _BUTTONS_OF_CODE.get(delivery.error_code or "", _LATER)
    return ()


def headline(delivery: Delivery) -> str:
    """Say how a failed text ended, as it continues "it was": `not sent`."""
    if delivery.error_code == errors.Unconfirmed.code:
        return "not confirmed"
    return "not delivered" if delivery.accepted_at else "not sent"


def _parts(delivery: Delivery) -> list[str]:
    if delivery.status is DeliveryStatus.FAILED:
        failure = f"⚠️ *{headline(delivery).capitalize()}.* {escape(delivery.error_words or '')}".rstrip()
        return [failure, f"Sent again by {escape(delivery.again_by)}"] if delivery.again_by else [failure]
    if delivery.status is DeliveryStatus.CANCELLED:
        return ["🚫 Cancelled"]
    if delivery.held_since is not None:
        return ["⏸️ Waiting for their reply. It goes out when they write."]
    steps = _steps(delivery)
    if delivery.channel is None:
        return [f"{'⏳' if delivery.status is DeliveryStatus.QUEUED else '📨'} {steps[0]}", *steps[1:]]
    return [_channel(delivery.channel, delivery), *steps]


def _channel(channel: Channel, delivery: Delivery) -> str:
    expected, actual = delivery.expected_channel, delivery.actual_channel
    if expected and actual and expected is not actual:
        return f"{NAMES[channel]} (expected {PLAIN_NAMES[expected]})"
    return NAMES[channel]


def _steps(delivery: Delivery) -> list[str]:
    status = delivery.status
    if status is DeliveryStatus.QUEUED and delivery.retry_at is not None:
        why = _WAITING.get(delivery.error_code or "", "Blooio is having trouble")
        return ["Queued", f"{why}, trying again at {time_of(delivery.retry_at)}"]
    if status is DeliveryStatus.SENT:
        return [_at("Sent", delivery.sent_at)]
    if status is DeliveryStatus.DELIVERED:
        return [_at("Delivered", delivery.delivered_at)]
    if status is DeliveryStatus.READ:
        return [_at("Delivered", delivery.delivered_at), _at("Read", delivery.read_at)]
    return [status.capitalize()]


def _at(step: str, moment: datetime | None) -> str:
    return f"{step} {time_of(moment)}" if moment else step


def _reactions(delivery: Delivery) -> list[str]:
    shown = " ".join(escape(REACTIONS.get(reaction, reaction)) for reaction in delivery.reactions)
    return [shown] if shown else []


def _element(button: Button, delivery: Delivery) -> dict[str, Any]:
    """Draw a button. It says which text it is about and nothing else: what comes back is the client's."""
    text, action_id = button.value
    element = {"type": "button", "text": _plain(text), "action_id": action_id, "value": str(delivery.id)}
    if button is Button.SEND_AGAIN:
        element["confirm"] = {
            "title": _plain("Send it again?"),
            "text": _plain("Nobody knows whether it was sent, so it may arrive twice."),
            "confirm": _plain("Send again"),
            "deny": _plain("Cancel"),
        }
    return element


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
