"""A card, as it stands: what it says of a person, and what it offers."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.blocks.card import card
from bot.texting.model import Address, Author, Capabilities, Channel, Person, Thread

AT = datetime(2026, 1, 2, 14, 2, tzinfo=UTC)
ANA = Author("U1", "Ana")
THREAD = Thread(1, "+15550109999", "C1", "1.2", None, ANA)
JANE = Person(1, "T1", Address("+15551234567"), "Jane <3 Doe", Capabilities(imessage=True, sms=True, checked_at=AT))


def test_a_card_names_the_person_and_who_looks_after_them() -> None:
    """A name cannot format or mention anything; what is done often is a button, all else in the menu."""
    assert card(JANE, THREAD, owner_name="Ana & Co") == {
        "text": "Jane &lt;3 Doe",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Jane &lt;3 Doe* · +1 555-123-4567"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "🔵 iMessage · open · Ana &amp; Co"}]},
            {
                "type": "actions",
                "elements": [
                    button("Reply", "card_text", "+15551234567"),
                    button("Done", "card_done", str(THREAD.id)),
                    {
                        "type": "overflow",
                        "action_id": "card_more",
                        "options": [
                            {
                                "text": {"type": "plain_text", "text": words},
                                "value": f"{word}:{THREAD.id}:{ANA.user_id}",
                            }
                            for word, words in (
                                ("claim", "Claim"),
                                ("hand_off", "Hand off…"),
                                ("contact", "Contact card"),
                            )
                        ],
                    },
                ],
            },
        ],
    }


def button(words: str, action_id: str, value: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": words}
    return {"type": "button", "text": text, "action_id": action_id, "value": value}


NOBODYS = replace(THREAD, owner=None)
DONE = replace(THREAD, done_at=AT, done_by="Ben <b>")
OPTED_OUT = replace(JANE, opted_out_since=AT)
DAY_AND_TIME = "<!date^1767362520^{date_short_pretty} at {time}|2 Jan 2026 14:02 UTC>"
DAY = "<!date^1767362520^{date_short_pretty}|2 Jan 2026>"


@pytest.mark.parametrize(
    ("person", "thread", "replies", "state", "row"),
    [
        pytest.param(
            JANE,
            THREAD,
            "texted",
            "🔵 iMessage · open · Ana",
            "[Reply] [Done] [⋯ Claim, Hand off…, Contact card]",
            id="somebody's",
        ),
        pytest.param(
            JANE,
            NOBODYS,
            "texted",
            "🔵 iMessage · open · nobody yet",
            "[Reply] [Claim] [Done] [⋯ Hand off…, Contact card]",
            id="nobody's",
        ),
        pytest.param(
            JANE,
            replace(NOBODYS, waiting_since=AT),
            "texted",
            f"🔵 iMessage · open · nobody yet · waiting since {DAY_AND_TIME}",
            "[Reply] [Claim] [Done] [⋯ Hand off…, Contact card]",
            id="they wait",
        ),
        pytest.param(
            JANE,
            replace(DONE, waiting_since=AT),
            "texted",
            "🔵 iMessage · done by Ben &lt;b&gt;",
            "[Reply] [Reopen] [⋯ Contact card]",
            id="done",
        ),
        pytest.param(
            OPTED_OUT,
            THREAD,
            "texted",
            f"🚫 Opted out since {DAY} · open · Ana",
            "[Done] [⋯ Claim, Hand off…, Contact card]",
            id="opted out",
        ),
        pytest.param(
            OPTED_OUT,
            DONE,
            "texted",
            f"🚫 Opted out since {DAY} · done by Ben &lt;b&gt;",
            "[Reopen] [⋯ Contact card]",
            id="opted out and done",
        ),
        pytest.param(
            JANE,
            THREAD,
            "asked_for",
            "🔵 iMessage · open · Ana",
            "[Reply] [Done] [⋯ Claim, Hand off…, Contact card]",
            id="by the button",
        ),
        pytest.param(
            JANE,
            THREAD,
            "never",
            "🔵 iMessage · open · Ana",
            "[Done] [⋯ Claim, Hand off…, Contact card]",
            id="alerts only",
        ),
        pytest.param(
            JANE,
            replace(THREAD, conversation_id="D1"),
            "texted",
            "🔵 iMessage · open · Ana",
            "[Reply] [Done] [⋯ Contact card]",
            id="in somebody's own messages: nobody else is there",
        ),
        pytest.param(
            JANE,
            replace(NOBODYS, conversation_id="D1"),
            "texted",
            "🔵 iMessage · open · nobody yet",
            "[Reply] [Done] [⋯ Contact card]",
            id="in somebody's own messages, and nobody's",
        ),
        pytest.param(
            replace(JANE, name=None),
            THREAD,
            "texted",
            "🔵 iMessage · open · Ana",
            "[Reply] [Done] [⋯ Claim, Hand off…, Add contact]",
            id="without a name",
        ),
        pytest.param(
            JANE,
            replace(THREAD, channel=Channel.SMS),
            "texted",
            "🟢 SMS · open · Ana",
            "[Reply] [Done] [⋯ Claim, Hand off…, Contact card]",
            id="what happened outranks what the check said",
        ),
        pytest.param(
            replace(JANE, capabilities=None),
            THREAD,
            "texted",
            "open · Ana",
            "[Reply] [Done] [⋯ Claim, Hand off…, Contact card]",
            id="not checked",
        ),
    ],
)
def test_a_card_says_how_it_stands_and_offers_what_makes_sense(
    person: Person, thread: Thread, replies: str, state: str, row: str
) -> None:
    """Channel, state, owner, how long they wait; and no button that leads nowhere."""
    name = "Ana" if thread.owner is not None else None
    _, line, actions = card(person, thread, owner_name=name, replies=replies)["blocks"]
    assert line["elements"][0]["text"] == state
    *buttons, menu = actions["elements"]
    offered = ", ".join(one["text"]["text"] for one in menu["options"])
    assert " ".join([*(f"[{one['text']['text']}]" for one in buttons), f"[⋯ {offered}]"]) == row


def test_a_card_without_a_name_is_headed_by_the_number() -> None:
    """Nothing is made up."""
    stranger = replace(JANE, name=None, capabilities=None)
    assert card(stranger, THREAD, owner_name="Ana")["blocks"][0]["text"]["text"] == "*+1 555-123-4567*"
