"""Whatever a line says, nothing personal and no secret is in it."""

import logging

import psycopg
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


def test_nothing_quoted_passes_for_a_line() -> None:
    """Whatever ends a line, or moves the cursor, is spelled out: what a stranger sends forges no line."""
    forged = "x\n2026-01-02T03:04:05+0000 INFO bot.app stopping\r\x1b[2K\u2028\x85\x00"
    record = logging.LogRecord("bot", logging.INFO, "", 0, "refused error=%s", (forged,), None)
    line = Formatter().format(record)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert "x\\n2026-01-02" in line


def test_no_line_of_a_traceback_passes_for_one_of_ours() -> None:
    """What an exception says may have many lines: all but the first are indented."""
    error = ValueError("x\n2026-01-02T03:04:05+0000 INFO bot.app stopping\x1b[2K\r")
    record = logging.LogRecord("bot", logging.ERROR, "", 0, "failed", None, (ValueError, error, None))
    first, *others = Formatter().format(record).splitlines()
    assert first.endswith(" ERROR bot failed")
    assert len(others) == 2
    assert all(line.startswith("    ") and line.isprintable() for line in others)


def test_a_row_that_the_database_quotes_is_masked() -> None:
    """PostgreSQL says of a row that it refuses what is in it, over as many lines as that has."""
    said = (
        'null value in column "body" violates not-null constraint\n'
        "DETAIL:  Failing row contains (1, Hi Jane,\n\nyour order is ready, ana).\nHINT:  Look elsewhere."
    )
    record = logging.LogRecord(
        "bot", logging.ERROR, "", 0, "failed", None, (psycopg.Error, psycopg.errors.NotNullViolation(said), None)
    )
    line = Formatter().format(record)
    assert "violates not-null constraint" in line
    assert "HINT:  Look elsewhere." in line
    assert "Jane" not in line
    assert "order" not in line
