"""Slack's date macro, `<!date^seconds^format^link|fallback>`, as one reader sees it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: Words Slack puts in place of the date when the date is near. Keys are days from today.
NEAR = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}


def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return UTC


def show_date(seconds: int, form: str, *, now: float, tz: tzinfo) -> str:
    """Fill in *form*, which holds tokens such as `{date_short_pretty}` and `{time}`, for a reader in *tz*."""
    moment = datetime.fromtimestamp(seconds, tz)
    today = datetime.fromtimestamp(now, tz).date()
    return re.sub(
        r"\{(\w+)\}",
        lambda found: FORMS[found[1]](moment, today) if found[1] in FORMS else found[0],
        form,
    )


def _numeric(moment: datetime, _today: date) -> str:
    return moment.strftime("%Y-%m-%d")


def _plain(moment: datetime, _today: date) -> str:
    return f"{moment:%B} {_ordinal(moment.day)}, {moment.year}"


def _short(moment: datetime, _today: date) -> str:
    return f"{moment:%b} {moment.day}, {moment.year}"


def _long(moment: datetime, _today: date) -> str:
    return f"{moment:%A}, {moment:%B} {_ordinal(moment.day)}, {moment.year}"


def _pretty(form: Callable[[datetime, date], str]) -> Callable[[datetime, date], str]:
    def pretty(moment: datetime, today: date) -> str:
        return NEAR.get((moment.date() - today).days) or form(moment, today)

    return pretty


def _clock(moment: datetime, _today: date) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M %p}"


def _clock_with_seconds(moment: datetime, _today: date) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M:%S %p}"


def _ordinal(day: int) -> str:
    suffix = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")  # noqa: PLR2004 (the teens)
    return f"{day}{suffix}"


#: Token to how it is written. A reader's clock preference is not imitated: everybody reads 12 hours.
FORMS: dict[str, Callable[[datetime, date], str]] = {
    "date_num": _numeric,
    "date": _plain,
    "date_short": _short,
    "date_long": _long,
    "date_pretty": _pretty(_plain),
    "date_short_pretty": _pretty(_short),
    "date_long_pretty": _pretty(_long),
    "time": _clock,
    "time_secs": _clock_with_seconds,
}
