"""How reactions are written: the person's own below their text, and what became of ours."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bot.blocks.inbound import inbound
from bot.blocks.whisper import not_reacted
from bot.texting.model import Address, Inbound, Person

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
JANE = Person(1, "T1", Address("+15551234567"), "Jane <!channel> Doe", None)


@pytest.mark.parametrize(
    ("reactions", "shown"),
    [
        pytest.param((), [], id="none"),
        pytest.param(("love",), ["❤️"], id="a word of Blooio's"),
        pytest.param(("🔥", "emphasize"), ["🔥 ‼️"], id="two"),
        pytest.param(("<!channel>",), ["<!channel>"], id="no markup, whatever it is"),
    ],
)
def test_their_own_reactions_stand_below_their_text(reactions: tuple[str, ...], shown: list[str]) -> None:
    """One line of plain text, if there are any."""
    first, *below = inbound(Inbound(UUID(int=1), "msg_1", 1, "Hi", None, NOW, NOW, reactions=reactions))["blocks"]
    assert first["type"] == "section"
    assert below == [
        {"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]} for text in shown
    ]


def test_what_blooio_refused_is_said_in_words() -> None:
    """It says whose phone, and what to do instead; a name is no markup."""
    assert not_reacted(JANE, taken_off=False)["text"] == (
        "⚠️ Your reaction could not be shown to Jane &lt;!channel&gt; Doe. Reply with a text instead."
    )
    assert not_reacted(JANE, taken_off=True)["text"] == (
        "⚠️ Your reaction could not be taken back. Jane &lt;!channel&gt; Doe may still see it."
    )
