"""Whatever a line says, nothing personal and no secret is in it."""

import logging

import pytest

from bot.log import Formatter


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("to +15551234567 ok", "to ‹phone› ok", id="a phone number"),
        pytest.param("GET /contacts/%2B15551234567/x", "GET /contacts/‹phone›/x", id="a phone number in a path"),
        pytest.param("to pat@example.test", "to ‹email›", id="an email address"),
        pytest.param("to pat%40example.test/x", "to ‹email›/x", id="an email address in a path"),
        pytest.param("token xoxb-12-ab refused", "token ‹secret› refused", id="a bot token"),
        pytest.param("xapp-1-A1-b", "‹secret›", id="an app token"),
        pytest.param("key bl_live_abc", "key ‹secret›", id="a key of Blooio's"),
        pytest.param("Authorization: Bearer abc.def", "Authorization: Bearer ‹secret›", id="an authorization header"),
        pytest.param("wss://x/link/?ticket=abc&app_id=A1", "wss://x/link/?ticket=‹secret›&app_id=A1", id="a ticket"),
        pytest.param("POST https://hooks.slack.com/commands/T1/2/x", "POST ‹response_url›", id="a response_url"),
        pytest.param("text_failed delivery=01a2 code=reply_only", None, id="an event"),
    ],
)
def test_a_line_is_masked(line: str, shown: str | None) -> None:
    """Numbers, addresses and secrets are replaced; the rest stays."""
    record = logging.LogRecord("bot", logging.INFO, "", 0, line, None, None)
    assert Formatter().format(record).split(" ", 3)[3] == (shown or line)


def test_a_traceback_is_masked_too() -> None:
    """An exception may quote anything."""
    error = ValueError("https://x/contacts/%2B15551234567")
    record = logging.LogRecord("bot", logging.ERROR, "", 0, "failed", None, (ValueError, error, None))
    assert "‹phone›" in Formatter().format(record)
    assert "1555" not in Formatter().format(record)
