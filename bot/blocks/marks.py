"""The receipt of what somebody typed in the thread: reactions on their own message."""

from bot.texting.model import Delivery, DeliveryStatus, Fate, Reply

#: Slack's names of 📝 and ⏸️: it was not texted, for good or until somebody decides.
NOTE, ASKED = "memo", "double_vertical_bar"

#: ⏳ 📤 ✅ 👀 ⚠️ 🚫
_STATUS = {
    DeliveryStatus.QUEUED: "hourglass_flowing_sand",
    DeliveryStatus.SENT: "outbox_tray",
    DeliveryStatus.DELIVERED: "white_check_mark",
    DeliveryStatus.READ: "eyes",
    DeliveryStatus.FAILED: "warning",
    DeliveryStatus.CANCELLED: "no_entry_sign",
}


def marks_of(reply: Reply, delivery: Delivery | None) -> frozenset[str]:
    """Say which reactions of ours stand on a reply, by Slack's names."""
    if delivery is not None:
        return frozenset({_STATUS[delivery.status]})
    return frozenset({Fate.NOTE: {NOTE}, Fate.ASKED: {ASKED}, Fate.REFUSED: {"no_entry_sign"}}.get(reply.fate, ()))
