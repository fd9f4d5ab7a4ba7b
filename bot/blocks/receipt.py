"""A text in its thread: the words that were sent, and one line with the channel and the status."""

from datetime import datetime

from bot.blocks.mrkdwn import Payload, context, escape, time_of, verbatim
from bot.texting.model import Channel, Delivery, DeliveryStatus

NAMES = {Channel.IMESSAGE: "🔵 iMessage", Channel.RCS: "🟣 RCS", Channel.SMS: "🟢 SMS"}
_PLAIN_NAMES = {Channel.IMESSAGE: "iMessage", Channel.RCS: "RCS", Channel.SMS: "SMS"}

#: Why a text waits for another attempt, by `TextingError.code`.
_WAITING = {
    "line_offline": "our number is offline",
    "throttled": "Blooio is busy",
    "unconfirmed": "Blooio has not answered",
}

#: A notification shows a line or two; the blocks show it all. It also keeps an update below Slack's 4000 characters.
_FALLBACK_LENGTH = 300


def receipt(delivery: Delivery) -> Payload:
    """Draw one text as its row has it now."""
    line = status_line(delivery)
    words = delivery.body if len(delivery.body) <= _FALLBACK_LENGTH else delivery.body[:_FALLBACK_LENGTH] + "…"
    return {"text": f"{escape(words)}\n{line}", "blocks": [verbatim(delivery.body), context(line)]}


def status_line(delivery: Delivery) -> str:
    """Say it in one line of mrkdwn: `🔵 iMessage · Delivered 14:02 · Read 14:05`."""
    if delivery.status is DeliveryStatus.FAILED:
        return f"⚠️ *{_headline(delivery)}* {escape(delivery.error_words or '')}".rstrip()
    parts = [channel for channel in (_channel(delivery),) if channel]
    parts += _steps(delivery)
    if not delivery.channel:
        parts[0] = f"⏳ {parts[0]}" if delivery.status is DeliveryStatus.QUEUED else f"📨 {parts[0]}"
    return " · ".join(parts)


def _channel(delivery: Delivery) -> str | None:
    if delivery.channel is None:
        return None
    name = NAMES[delivery.channel]
    expected, actual = delivery.expected_channel, delivery.actual_channel
    if expected and actual and expected is not actual:
        return f"{name} (expected {_PLAIN_NAMES[expected]})"
    return name


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


def _headline(delivery: Delivery) -> str:
    if delivery.error_code == "unconfirmed":
        return "Not confirmed."
    return "Not delivered." if delivery.accepted_at else "Not sent."
