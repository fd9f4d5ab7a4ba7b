"""Domain values in, Slack's payloads out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bot.blocks.answer import accepted, help_text, problem
from bot.blocks.forms import edit_and_send
from bot.blocks.notice import CAUSES, INBOX_CLOSED, admin_needed, failed_text
from bot.blocks.receipt import _BUTTONS, Button, buttons_of, receipt, status_line
from bot.blocks.whisper import can_get, not_checked
from bot.texting.errors import BlooioTrouble, NotAccepted, NotSent, TextingError
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
        pytest.param(replace(SENT, status=DeliveryStatus.CANCELLED), "🚫 Cancelled", id="cancelled"),
        pytest.param(
            replace(QUEUED, held_since=AT, error_code="awaiting_reply", error_words="Whatever was stored."),
            "⏸️ Waiting for their reply. It goes out when they write.",
            id="waiting for the person's reply",
        ),
        pytest.param(
            replace(FAILED, again_by="Ben <b>"),
            "⚠️ *Not delivered.* This number can only reply. · Sent again by Ben &lt;b&gt;",
            id="sent again by a colleague",
        ),
        pytest.param(
            replace(DELIVERED, reactions=("love", "like", "dislike", "laugh", "emphasize", "question", "🎉")),
            f"🔵 iMessage · Delivered {TIME} · ❤️ 👍 👎 😂 ‼️ ❓ 🎉",
            id="what they put on it",
        ),
    ],
)
def test_the_status_is_one_line(delivery: Delivery, line: str) -> None:
    """Channel first, then what became of the text, with times in the reader's zone."""
    assert status_line(delivery) == line


def failures(error: type[TextingError] = TextingError) -> list[type[TextingError]]:
    """Every way in which a text can fail, and those in which a click can."""
    return [error, *(one for kind in error.__subclasses__() for one in failures(kind))]


#: What a click or a command meets: no text ever ends with these.
NEVER_STORED = {
    "already_exists",
    "unknown_text",
    "sent_again",
    "not_waiting",
    "not_permitted",
    "not_read",
    "not_stored",
    "perhaps_stored",
}


@pytest.mark.parametrize("error", failures(), ids=lambda error: error.code)
def test_every_failure_has_words_and_buttons(error: type[TextingError]) -> None:
    """What a failed text says can be acted on, and what can be done was decided for each failure."""
    assert error().words.endswith(".")
    assert len(error().words) < 120
    if error.code in NEVER_STORED:
        assert error not in _BUTTONS
        return
    failed = replace(FAILED, error_code=error.code, error_words=error().words)
    buttons = buttons_of(failed)
    assert buttons == _BUTTONS[error]
    assert buttons
    assert ("Check the number." in error().words) == (Button.CHECK_NUMBER in buttons and error is not NotSent)
    assert "Try again" not in error().words or Button.TRY_AGAIN in buttons
    assert "Check again" not in error().words or Button.CHECK_AGAIN in buttons
    again = {Button.TRY_AGAIN, Button.SEND_AGAIN, Button.EDIT_AND_SEND}
    assert again & set(buttons), "there is always a way to go on"


def test_no_two_failures_share_a_code() -> None:
    """A row's code stands for one failure."""
    codes = [error.code for error in failures()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("delivery", "buttons"),
    [
        pytest.param(QUEUED, (), id="on its way"),
        pytest.param(DELIVERED, (), id="delivered"),
        pytest.param(FAILED, (Button.TRY_AGAIN, Button.EDIT_AND_SEND), id="failed"),
        pytest.param(replace(FAILED, again_by="Ben"), (), id="sent again"),
        pytest.param(replace(FAILED, error_code="of the future"), (Button.TRY_AGAIN, Button.EDIT_AND_SEND), id="new"),
        pytest.param(replace(QUEUED, held_since=AT), (Button.TRY_NOW, Button.DONT_SEND), id="waiting for a reply"),
        pytest.param(replace(SENT, status=DeliveryStatus.CANCELLED), (), id="cancelled"),
    ],
)
def test_buttons_are_for_what_can_be_done(delivery: Delivery, buttons: tuple[Button, ...]) -> None:
    """A text that somebody can do something about has buttons, and no other."""
    assert buttons_of(delivery) == buttons
    actions = [block for block in receipt(delivery)["blocks"] if block["type"] == "actions"]
    assert len(actions) == bool(buttons)


def test_a_button_says_which_text_it_is_about_and_nothing_else() -> None:
    """What comes back from a client is an id, which the row is looked up by."""
    (actions,) = receipt(FAILED)["blocks"][2:]
    assert actions == {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": text},
                "action_id": action_id,
                "value": str(FAILED.id),
            }
            for text, action_id in (("Try again", "text_again"), ("Edit and send", "text_edit"))
        ],
    }


def test_a_text_that_may_arrive_twice_is_not_sent_again_by_one_click() -> None:
    """Slack asks first."""
    (actions,) = receipt(replace(FAILED, error_code="unconfirmed"))["blocks"][2:]
    check, send = actions["elements"]
    assert "confirm" not in check
    assert send["confirm"]["text"]["text"] == "Nobody knows whether it was sent, so it may arrive twice."


def test_the_form_holds_the_failed_text() -> None:
    """The number as people read it, the words as they were, and which text they are to replace."""
    form = edit_and_send(Requested(FAILED, THREAD, JANE))
    assert form["private_metadata"] == str(FAILED.id)
    assert [block["element"]["initial_value"] for block in form["blocks"]] == ["+1 555-123-4567", "Hi & bye *now*"]
    assert all(len(form[name]["text"]) <= 24 for name in ("title", "submit", "close"))


def test_the_author_hears_which_text_failed_and_why() -> None:
    """Who, why, the first words of it, and where it is; none of it is markup."""
    long = replace(FAILED, body="Hi *Jane*\n" + "your order is ready " * 10)
    payload = failed_text(Requested(long, THREAD, JANE), url="https://x/p1")
    said = "⚠️ Your text to *Jane &lt;3 Doe* was not delivered. This number can only reply."
    assert payload["text"] == said
    first, words, link = payload["blocks"]
    assert first["text"]["text"] == said
    assert words["text"] == {
        "type": "plain_text",
        "text": "Hi *Jane* your order is ready your order is ready your order is ready your order is ready your …",
        "emoji": False,
    }
    assert link["elements"][0]["text"] == "<https://x/p1|Open it in its thread>"


@pytest.mark.parametrize(
    ("change", "how"),
    [
        pytest.param({}, "was not delivered.", id="after Blooio took it"),
        pytest.param({"accepted_at": None}, "was not sent.", id="before"),
        pytest.param({"error_code": "unconfirmed"}, "was not confirmed.", id="nobody knows"),
    ],
)
def test_the_author_hears_how_it_ended_as_the_receipt_says_it(change: dict[str, Any], how: str) -> None:
    """The same three words everywhere."""
    failed = replace(FAILED, **change)
    assert how in failed_text(Requested(failed, THREAD, JANE), url=None)["text"]
    assert how.removeprefix("was ").capitalize() in status_line(failed)


@pytest.mark.parametrize("error", [error for error in failures() if error.admin], ids=lambda error: error.code)
def test_whatever_only_an_admin_can_mend_is_explained_to_one(error: type[TextingError]) -> None:
    """What happened, what it means, what to do."""
    cause = CAUSES[error.code]
    payload = admin_needed(cause, texts=0)
    assert payload["blocks"][0]["text"]["text"] == f"🛠️ *{cause.title}* {cause.meaning}\n{cause.remedy}"
    assert len(payload["blocks"]) == 1


def test_only_what_an_admin_can_mend_is_told_to_one() -> None:
    """All errors that are an admin's, and the one cause that is no text's."""
    assert set(CAUSES) == {error.code for error in failures() if error.admin} | {INBOX_CLOSED}


@pytest.mark.parametrize(
    ("texts", "count"),
    [pytest.param(1, "1 text has failed", id="one"), pytest.param(1200, "1,200 texts have", id="many")],
)
def test_an_admin_hears_how_many_texts_a_cause_stopped(texts: int, count: str) -> None:
    """And that they can be sent afterwards."""
    first, counted = admin_needed(CAUSES["line_offline"], texts=texts)["blocks"]
    assert first["text"]["text"].endswith("Then the texts that failed can be sent with *Try again* below each.")
    assert counted["elements"][0]["text"].startswith(count)


NUMBER = "+1 555-123-4567"


@pytest.mark.parametrize(
    ("address", "imessage", "sms", "words"),
    [
        pytest.param("+15551234567", True, True, f"*{NUMBER}* can get iMessage.", id="iMessage"),
        pytest.param("+15551234567", False, True, f"*{NUMBER}* can get SMS only.", id="SMS"),
        pytest.param(
            "+15551234567",
            False,
            False,
            f"Blooio says that *{NUMBER}* can get neither iMessage nor SMS. Check the number.",
            id="neither",
        ),
        pytest.param(
            "+15551234567",
            False,
            None,
            f"*{NUMBER}* has no iMessage. Blooio does not know whether SMS works.",
            id="no iMessage, SMS unknown",
        ),
        pytest.param("+15551234567", None, True, f"Blooio does not know what *{NUMBER}* can get.", id="unknown"),
        pytest.param(
            "sam@x.example",
            False,
            None,
            "Blooio says that *sam@x.example* has no iMessage. An email address gets nothing else: use a number.",
            id="an email address without iMessage",
        ),
    ],
)
def test_what_a_person_can_get_in_words(address: str, imessage: bool | None, sms: bool | None, words: str) -> None:
    """As far as Blooio knows, and no further."""
    person = replace(JANE, name=None, address=Address(address))
    assert can_get(person, Capabilities(imessage, sms, AT))["text"] == words


def test_a_number_that_could_not_be_checked_says_so() -> None:
    """Trouble is not an answer; a refusal of the number is."""
    assert not_checked(JANE, BlooioTrouble())["text"] == (
        "Blooio could not be asked about *Jane &lt;3 Doe*. Try again in a minute."
    )
    assert not_checked(JANE, NotAccepted())["text"].endswith("Check the number.")


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
