"""Domain values in, Slack's payloads out."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bot.blocks.answer import accepted, help_text, problem
from bot.blocks.card import card
from bot.blocks.receipt import receipt, status_line
from bot.texting.model import (
    Address,
    Author,
    Capabilities,
    Channel,
    Delivery,
    DeliveryStatus,
    Person,
    Requested,
    Thread,
)

AT = datetime(2026, 1, 2, 14, 2, tzinfo=UTC)
TIME = "<!date^1767362520^{time}|14:02 UTC>"
LATER = datetime(2026, 1, 2, 14, 5, tzinfo=UTC)
LATER_TIME = "<!date^1767362700^{time}|14:05 UTC>"

ANA = Author("U1", "Ana")
THREAD = Thread(1, "+15550109999", "C1", "1.2", None, ANA)
JANE = Person(1, "T1", Address("+15551234567"), "Jane <3 Doe", Capabilities(imessage=True, sms=True, checked_at=AT))
QUEUED = Delivery(
    id=UUID(int=1), key=UUID(int=1), thread_id=1, body="Hi & bye *now*", author=ANA, status=DeliveryStatus.QUEUED,
    expected_channel=Channel.IMESSAGE, actual_channel=None, message_id=None, attempts=0, attempted_at=None,
    retry_at=None, requested_at=AT, accepted_at=None, sent_at=None, delivered_at=None, read_at=None, failed_at=None,
    error_code=None, error_words=None,
)  # fmt: skip


def test_a_receipt_is_the_words_as_sent_and_one_line() -> None:
    """The words are shown verbatim, the line below says channel and status."""
    assert receipt(QUEUED) == {
        "text": "Hi &amp; bye *now*\n🔵 iMessage · Queued",
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": "Hi & bye *now*", "emoji": False}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "🔵 iMessage · Queued"}]},
        ],
    }


def test_the_longest_text_fits_an_update() -> None:
    """Slack takes at most 4000 characters of `text`, and every `&` becomes five."""
    longest = receipt(replace(QUEUED, body="&" * 2000))
    assert len(longest["text"]) < 4000
    assert longest["blocks"][0]["text"]["text"] == "&" * 2000


SENT = replace(QUEUED, status=DeliveryStatus.SENT, actual_channel=Channel.IMESSAGE, accepted_at=AT, sent_at=AT)
DELIVERED = replace(SENT, status=DeliveryStatus.DELIVERED, delivered_at=AT)
FAILED = replace(SENT, status=DeliveryStatus.FAILED, error_code="reply_only", error_words="This number can only reply.")


@pytest.mark.parametrize(
    ("delivery", "line"),
    [
        pytest.param(replace(QUEUED, expected_channel=None), "⏳ Queued", id="nothing is known yet"),
        pytest.param(QUEUED, "🔵 iMessage · Queued", id="the channel is expected"),
        pytest.param(SENT, f"🔵 iMessage · Sent {TIME}", id="sent"),
        pytest.param(replace(SENT, sent_at=None), "🔵 iMessage · Sent", id="sent, nobody says when"),
        pytest.param(DELIVERED, f"🔵 iMessage · Delivered {TIME}", id="delivered"),
        pytest.param(
            replace(DELIVERED, status=DeliveryStatus.READ, read_at=LATER),
            f"🔵 iMessage · Delivered {TIME} · Read {LATER_TIME}",
            id="read",
        ),
        pytest.param(
            replace(SENT, actual_channel=Channel.SMS),
            f"🟢 SMS (expected iMessage) · Sent {TIME}",
            id="another channel than expected",
        ),
        pytest.param(
            replace(SENT, expected_channel=None, actual_channel=Channel.RCS),
            f"🟣 RCS · Sent {TIME}",
            id="RCS, unexpected",
        ),
        pytest.param(
            replace(SENT, expected_channel=None, actual_channel=None), f"📨 Sent {TIME}", id="nobody says over what"
        ),
        pytest.param(
            replace(QUEUED, retry_at=LATER, error_code="line_offline"),
            f"🔵 iMessage · Queued · our number is offline, trying again at {LATER_TIME}",
            id="waiting for another attempt",
        ),
        pytest.param(
            replace(QUEUED, retry_at=LATER, error_code="blooio_trouble"),
            f"🔵 iMessage · Queued · Blooio is having trouble, trying again at {LATER_TIME}",
            id="waiting because of Blooio",
        ),
        pytest.param(FAILED, "⚠️ *Not delivered.* This number can only reply.", id="failed after Blooio took it"),
        pytest.param(
            replace(FAILED, accepted_at=None), "⚠️ *Not sent.* This number can only reply.", id="failed before"
        ),
        pytest.param(
            replace(FAILED, error_code="unconfirmed", error_words="Who knows <x>."),
            "⚠️ *Not confirmed.* Who knows &lt;x&gt;.",
            id="nobody knows",
        ),
        pytest.param(replace(SENT, status=DeliveryStatus.CANCELLED), "🔵 iMessage · Cancelled", id="cancelled"),
    ],
)
def test_the_status_is_one_line(delivery: Delivery, line: str) -> None:
    """Channel first, then what became of the text, with times in the reader's zone."""
    assert status_line(delivery) == line


def test_a_card_names_the_person_and_who_looks_after_them() -> None:
    """A name cannot format or mention anything."""
    assert card(JANE, THREAD, owner_name="Ana & Co") == {
        "text": "Jane &lt;3 Doe",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Jane &lt;3 Doe* · +1 555-123-4567"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "🔵 iMessage · open · Ana &amp; Co"}]},
        ],
    }


def test_a_card_without_a_name_or_a_check_shows_what_there_is() -> None:
    """Nothing is made up."""
    stranger = replace(JANE, name=None, capabilities=None)
    blocks = card(stranger, THREAD, owner_name="Ana")["blocks"]
    assert blocks[0]["text"]["text"] == "*+1 555-123-4567*"
    assert blocks[1]["elements"][0]["text"] == "open · Ana"


def test_a_card_shows_the_channel_that_is_really_used() -> None:
    """What the check said is outranked by what happened."""
    blocks = card(JANE, replace(THREAD, channel=Channel.SMS), owner_name="Ana")["blocks"]
    assert blocks[1]["elements"][0]["text"] == "🟢 SMS · open · Ana"


@pytest.mark.parametrize(
    ("home", "url", "words"),
    [
        pytest.param("C1", None, "Texting *Jane &lt;3 Doe*.", id="here, not posted yet"),
        pytest.param("C1", "https://x/p1", "Texting *Jane &lt;3 Doe*. <https://x/p1|Open the thread>", id="here"),
        pytest.param(
            "C2",
            "https://x/p1",
            "Texting *Jane &lt;3 Doe*. Their thread is in <#C2>. <https://x/p1|Open the thread>",
            id="in another channel",
        ),
        pytest.param("D2", None, "Texting *Jane &lt;3 Doe*. Their thread is in another conversation.", id="in a DM"),
    ],
)
def test_the_answer_says_where_to_follow(home: str, url: str | None, words: str) -> None:
    """A thread elsewhere is named and linked."""
    requested = Requested(QUEUED, replace(THREAD, conversation_id=home), JANE)
    payload = accepted(requested, asked_in="C1", thread_url=url)
    assert payload == {"text": words, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]}


def test_a_problem_gives_the_words_back() -> None:
    """What was typed can be copied and mended; none of it is markup."""
    payload = problem("“<x>” is not a number.", "/text <x> hello")
    assert payload["text"] == "⚠️ “&lt;x&gt;” is not a number."
    preformatted = payload["blocks"][2]["elements"][0]
    assert preformatted["elements"] == [{"type": "text", "text": "/text <x> hello"}]


def test_an_endless_message_is_given_back_as_far_as_slack_shows() -> None:
    """Slack refuses messages with more than about 13,200 characters in their blocks."""
    shown = problem("Too long.", "x" * 40_000)["blocks"][2]["elements"][0]["elements"][0]["text"]
    assert len(shown) < 13_000


def test_help_shows_how_to_type_a_text() -> None:
    """The first line of code in it can be copied."""
    assert "`/text +1 555 123 4567 Hi Jane" in help_text()["text"]
