"""The look through the log finds what it is for, wherever it stands: otherwise its silence would say nothing."""

import logging

import pytest

from sandbox.clock import Clock
from tests.log_scan import LogScan


@pytest.fixture
def scan() -> LogScan:
    scan = LogScan()
    scan.learn({"text": "see you at the notary", "nested": [{"message": {"text": "zebra"}}], "name": "not looked at"})
    scan.learn({"type": "plain_text_input", "value": "typed in a form"})
    scan.hide({"SLACK_SIGNING_SECRET": "5ecret5ecret", "DATABASE_URL": "x", "BLOOIO_WEBHOOK_SECRET": "current,next00"})
    return scan


def said(
    scan: LogScan, message: str, *arguments: object, logger: str = "bot.x", level: int = logging.INFO
) -> list[str]:
    scan.emit(logging.LogRecord(logger, level, "", 0, message, arguments, None))
    return scan.leaks()


@pytest.mark.parametrize(
    "value",
    [
        "+15551234567",
        "%2B4930123456",
        "15551234567",
        "5551234567",
        "+1 555-123-4567",
        "(555) 123-4567",
        "jane@example.test",
        "jane%40example.test",
        "xoxb-local-1",
        "xapp-local",
        "whsec_abc",
        "Bearer abc",
        "bl_live_1",
        "5ecret5ecret",
        "next00",
        "https://hooks.example/actions/T1/2/x",
        "postgresql://me:pass@db/x",
        "see you at the notary",
        "…see you at the notary…",
        "zebra",
        "typed in a form",
        "x\n2026-01-01 INFO bot forged",
        "\x1b[2K",
    ],
)
def test_what_is_personal_is_found(scan: LogScan, value: str) -> None:
    """In a line of ours, whatever its level."""
    assert said(scan, "text_failed why=%s", value, level=logging.DEBUG) != [] or value.startswith("…")


@pytest.mark.parametrize(
    "value",
    [
        "01a20611-723b-79c2-aaab-2b39a1a0a16a",
        "1760000000.000100",
        "C0SUPPORT01",
        "not_accepted",
        "http://127.0.0.1:43695",
        "2026-01-02T03:04:05+00:00",
        "again",  # a word of ours, although somebody may text it
    ],
)
def test_ids_codes_and_times_are_not(scan: LogScan, value: str) -> None:
    """What a log is for."""
    scan.learn({"text": "again"})
    assert said(scan, "text_failed why=%s", value) == []


def test_it_does_not_matter_which_comes_first(scan: LogScan) -> None:
    """A line is compared when the test is over: the text may have travelled after it."""
    scan.emit(logging.LogRecord("handlers.x", logging.INFO, "", 0, "typed=%s", ("giraffe",), None))
    scan.learn({"text": "giraffe"})
    assert scan.leaks() == ["the words 'giraffe' in handlers.x: 'typed=giraffe'"]
    assert scan.leaks() == []


def test_a_traceback_is_looked_at_as_it_is_shown(scan: LogScan) -> None:
    """The log masks numbers in it; words it cannot know."""
    for error, leaks in ((ValueError("+15551234567"), 0), (ValueError("zebra"), 1)):
        scan.emit(logging.LogRecord("bot", logging.ERROR, "", 0, "failed", None, (ValueError, error, None)))
        assert len(scan.leaks()) == leaks


def test_a_librarys_line_counts_if_the_log_shows_it(scan: LogScan) -> None:
    """Below the level that `bot.log` sets there is no line."""
    assert said(scan, "zebra", logger="slack_sdk.web", level=logging.INFO) == []
    assert said(scan, "zebra", logger="slack_sdk.web", level=logging.WARNING) != []
    assert said(scan, "zebra", logger="sandbox.server", level=logging.ERROR) == []


def test_a_mask_in_a_line_of_a_process_is_a_leak(scan: LogScan) -> None:
    """It stands for a number that should not have got that far."""
    scan.process_said("2026-01-02T03:04:05+0000 INFO bot.x text_failed to=‹phone›")
    scan.process_said("2026-01-02T03:04:05+0000 INFO bot.x text_failed zebra=zebra")
    assert [leak.split(" in ")[0] for leak in scan.leaks()] == ["a phone number", "the words 'zebra'"]
    scan.process_said("2026-01-02T03:04:05+0000 INFO bot.x started address=http://127.0.0.1:1")
    assert scan.leaks() == []


def test_the_wire_is_listened_to() -> None:
    """Whatever travels in this process teaches the one scan that every test ends with."""
    from sandbox.changes import Changes  # noqa: PLC0415  (only here)
    from sandbox.exchanges import Exchanges  # noqa: PLC0415
    from sandbox.faults import Faults  # noqa: PLC0415
    from tests.log_scan import SCAN  # noqa: PLC0415

    exchanges = Exchanges(Clock(), Faults(), Changes())
    exchanges.record(
        vendor="blooio",
        name="POST /x",
        at=0,
        method="POST",
        raw_path="/x",
        headers={},
        body={"text": "okapi in the moonlight"},
        status=200,
        response=None,
        fault=None,
    )
    logging.getLogger("bot.planted").info("planted words=%s", "okapi in the moonlight")
    [leak] = SCAN.leaks()
    assert leak.startswith("the words 'okapi in the moonlight'")
