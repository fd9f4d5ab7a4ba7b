"""A message in Slack that somebody points at."""

from typing import Any

import pytest

from bot.reading.shared import address_in, words_of

LINKED = {"type": "link", "url": "tel:+15551234567", "text": "Jane's phone"}


@pytest.mark.parametrize(
    ("message", "address"),
    [
        pytest.param({"text": "call <tel:+15551234567|555 123 4567> now"}, "+15551234567", id="a number Slack linked"),
        pytest.param({"text": "write <mailto:Jane@x.example|Jane>"}, "jane@x.example", id="an email Slack linked"),
        pytest.param({"text": "call (555) 123-4567 at 10:30"}, "+15551234567", id="a number of the region"),
        pytest.param({"text": "jane@x.example, or +15551234567"}, "jane@x.example", id="the first of two"),
        pytest.param({"text": "+15551234567, or jane@x.example."}, "+15551234567", id="the other way round"),
        pytest.param({"text": "mail jane@x.example."}, "jane@x.example", id="the end of a sentence"),
        pytest.param({"text": "order 12345 of 2026-11-22, 555-1234"}, None, id="other digits"),
        pytest.param({"text": "911! or 112"}, None, id="nobody to text"),
        pytest.param({"text": "911, then +15551234567"}, "+15551234567", id="after one that is not to be texted"),
        pytest.param({"text": "hello <@U1> in <#C1|general>"}, None, id="nobody outside"),
        pytest.param({"text": "<https://x.example/?id=15551234567|here>"}, None, id="digits of a link"),
        pytest.param({}, None, id="nothing"),
        pytest.param({"text": "", "files": [{"name": "a.png"}]}, None, id="a file"),
        pytest.param(
            {
                "text": "",
                "blocks": [
                    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [LINKED]}]},
                ],
            },
            "+15551234567",
            id="a link in a block",
        ),
        pytest.param(
            {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "+1 555-123-4567"}]}]},
            "+15551234567",
            id="a field of a block",
        ),
        pytest.param({"attachments": [{"text": "from +49 30 123456"}]}, "+4930123456", id="an attachment"),
    ],
)
def test_whose_number_stands_in_a_message(message: dict[str, Any], address: str | None) -> None:
    """The first that can be texted; everything else is left to the person."""
    assert address_in(message, region="US") == address


def test_the_words_of_a_message() -> None:
    """As a phone shows them."""
    message = {"text": "Hi <@U1> &amp; <#C1|general> :wave:", "blocks": [{"type": "rich_text", "elements": []}]}
    assert words_of(message, ours=False, names={"U1": "Ben"}) == "Hi @Ben & #general 👋"


def test_the_words_of_a_text_without_its_status() -> None:
    """What we posted has the status below the words, which nobody wants to text on."""
    words = {"type": "section", "text": {"type": "plain_text", "text": "Hi *Jane* :wave:"}}
    message = {"text": "Hi *Jane*\n🔵 iMessage · Read", "blocks": [words, {"type": "context", "elements": []}]}
    assert words_of(message, ours=True) == "Hi *Jane* :wave:"
    assert words_of(message, ours=False).endswith("Read")
