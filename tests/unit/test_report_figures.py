"""Periods, shares and durations, and the words for them."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.blooio.problems import ERROR_OF_CODE, ERROR_OF_STATUS
from bot.report import words
from bot.report.figures import REASONS, ChannelFigures, Figures, Pace, Share, Totals, Way, last_days
from bot.slack.members import _zone
from bot.texting import errors
from bot.texting.model import Channel

NEW_YORK = ZoneInfo("America/New_York")

FIGURES = Figures(
    first=date(2026, 11, 14),
    last=date(2026, 11, 20),
    totals=Totals(1204, 1, Share(970, 1000), Share(1, 3), Pace(3.21, 61)),
    before=None,
    daily=({Way.IMESSAGE: 1190, Way.SMS: 4}, {Way.FAILED: 10}),
    expected={Channel.IMESSAGE: {Way.IMESSAGE: 1190, Way.SMS: 4}, None: {Way.FAILED: 10}},
    channels={
        Channel.IMESSAGE: ChannelFigures(Share(970, 1000), Share(1, 3), Pace(3.21, 61)),
        Channel.SMS: ChannelFigures(Share(0, 4), Share(0, 0), Pace(None, None)),
    },
    failures=(("line_offline", 6), ("new_in_2027", 3), (None, 1)),
)


def test_a_week_ends_now_and_begins_six_midnights_ago():
    """Today counts as a day, in the zone of whoever asks."""
    now = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # the 19th in New York
    period = last_days(7, now=now, zone=NEW_YORK)
    assert period.days == 7
    assert period.since == datetime(2026, 11, 13, 5, 0, tzinfo=UTC)
    assert period.starts[-1].date() == date(2026, 11, 19)
    assert period.until == now


def test_a_day_on_which_the_clocks_change_has_25_hours():
    """A day begins at midnight, whatever happened in the night before."""
    starts = last_days(7, now=datetime(2026, 11, 4, 20, tzinfo=UTC), zone=NEW_YORK).starts
    assert {start.hour for start in starts} == {0}
    hours = [
        (later.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)
        for start, later in itertools.pairwise(starts)
    ]
    assert hours == [24, 24, 24, 25, 24, 24]


def test_the_period_before_ends_at_the_same_time_of_day():
    """A day that is not over is compared with as much of a day; also when the clocks changed in between."""
    period = last_days(7, now=datetime(2026, 11, 4, 20, 0, tzinfo=UTC), zone=NEW_YORK)  # 15:00 there
    before = period.before()
    assert before.since == datetime(2026, 10, 22, 4, 0, tzinfo=UTC)
    assert before.until == datetime(2026, 10, 28, 19, 0, tzinfo=UTC)  # 15:00 there, still in summer time


@pytest.mark.parametrize(
    ("user", "zone"),
    [
        pytest.param({"tz": "America/New_York", "tz_offset": -18000}, NEW_YORK, id="a zone"),
        pytest.param({"tz": "Mars/Olympus", "tz_offset": 5400}, timezone(timedelta(hours=1.5)), id="one nobody knows"),
        pytest.param({"tz": None, "tz_offset": -3600}, timezone(timedelta(hours=-1)), id="only an offset"),
        pytest.param({"tz": "America", "tz_offset": None}, UTC, id="a continent"),
        pytest.param({"tz": "../etc/passwd", "tz_offset": 10**9}, UTC, id="nonsense"),
        pytest.param({}, UTC, id="nothing"),
    ],
)
def test_where_the_asker_is(user, zone):
    """Slack says it in one of two ways, or not at all."""
    assert _zone(user) == zone


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        pytest.param(0, 0, None, id="nothing to have a share of"),
        pytest.param(0, 5, "0%", id="none"),
        pytest.param(5, 5, "100%", id="all"),
        pytest.param(976, 1000, "98%", id="most"),
        pytest.param(996, 1000, "99.6%", id="nearly all"),
        pytest.param(99_999, 100_000, "99.9%", id="all but one is not all"),
        pytest.param(1, 100_000, "0.1%", id="one is not none"),
        pytest.param(4, 1000, "0.4%", id="few"),
        pytest.param(1, 100, "1%", id="one in a hundred"),
        pytest.param(99, 100, "99%", id="all but one in a hundred"),
    ],
)
def test_percent(part, whole, shown):
    """A share is a whole number, except where that would say all or none."""
    assert words.percent(Share(part, whole)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, None), (0, "0.0 s"), (3.21, "3.2 s"), (9.96, "10 s"), (45.4, "45 s"), (119, "119 s"), (120, "2.0 min"),
        (900, "15 min"), (7199, "120 min"), (7200, "2.0 h"), (40 * 3600, "40 h"), (50 * 3600, "2.1 days"),
    ],
)  # fmt: skip
def test_duration(seconds, shown):
    """A time is shown in the unit that people would say it in."""
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        (112, 100, "+12% on"),
        (88, 100, "-12% on"),
        (1001, 1000, "about as many as in"),
        (7, 0, None),
        (150, 12, "12 in"),
    ],
)
def test_change(now, before, shown):
    """A change is said in percent, as long as that means something."""
    assert words.change(now, before) == shown


def test_whatever_blooio_answers_has_words():
    """Each refusal of Blooio's, and no news at all, is said in words short enough for the chart."""
    kinds = {*ERROR_OF_CODE.values(), *ERROR_OF_STATUS.values(), errors.Unconfirmed, errors.NotTaken, errors.NotSent}
    assert {kind.code for kind in kinds} - set(REASONS) == set()
    assert max(map(len, REASONS.values())) <= 32


def test_no_words_are_left_of_an_error_that_is_no_more():
    """A code that is renamed takes its words along."""

    def family(kind: type[errors.TextingError]) -> set[str]:
        return {kind.code}.union(*map(family, kind.__subclasses__()))

    assert set(REASONS) - family(errors.TextingError) == set()


def test_summary():
    """The main figures are one line of text."""
    assert words.summary(FIGURES) == (
        "1,204 texts to 1 person · 97% of iMessage and RCS delivered · 33% of iMessages read · "
        "3.2 s to deliver (median) · 10 failed"
    )


def test_summary_leaves_out_what_nobody_knows():
    """A share of nothing is not mentioned, and that nothing failed is."""
    totals = Totals(1, 2, Share(0, 0), Share(0, 0), Pace(None, None))
    assert words.summary(replace(FIGURES, totals=totals, daily=({Way.SMS: 1},))) == "1 text to 2 people · none failed"


def test_alt_text():
    """Who cannot see the picture reads all that it says; a code nobody knows has words too."""
    assert words.alt_text(FIGURES) == (
        "Texts of the last 2 days, 14 Nov to 20 Nov 2026: 1,204 texts to 1 person · 97% of iMessage and RCS delivered "
        "· 33% of iMessages read · 3.2 s to deliver (median) · 10 failed. "
        "What became of them: 1,190 iMessage, 4 SMS, 10 Failed. 99.7% took the expected channel. "
        "Expected iMessage: 1,190 iMessage, 4 SMS. Expected unknown: 10 Failed. "
        "iMessage: 97% delivered, 33% read, 3.2 s to deliver. SMS: 0% delivered. "
        "Why texts failed: Our number was offline 6, Another reason 4."
    )


def test_alt_text_has_room_for_it_all():
    """Slack takes 1,000 characters; with every way, channel and reason it still ends with a whole sentence."""
    every = dict.fromkeys(Way, 1_234_567)
    figures = replace(
        FIGURES,
        daily=(every,) * 30,
        expected=dict.fromkeys((*Channel, None), every),
        failures=tuple(dict.fromkeys(REASONS, 1_234_567).items()),
    )
    text = words.alt_text(figures)
    assert len(text) <= 1000
    assert text.endswith(".")


def test_a_period_over_the_turn_of_the_year_says_both():
    """The first day has its year where it is another than the last day's."""
    assert (
        words.period(replace(FIGURES, first=date(2026, 12, 28), last=date(2027, 1, 3))) == "28 Dec 2026 to 3 Jan 2027"
    )
