"""The report's figures in words, for the picture, for the line above it and for whoever cannot see it."""

from collections.abc import Sequence

from bot.report.figures import OTHER_REASON, REASONS, Figures, Share, Way
from bot.texting.model import Channel

CHANNEL_NAMES = {Channel.IMESSAGE: "iMessage", Channel.RCS: "RCS", Channel.SMS: "SMS"}
WAY_NAMES = {
    Way.IMESSAGE: "iMessage",
    Way.RCS: "RCS",
    Way.SMS: "SMS",
    Way.UNKNOWN: "Channel not known",
    Way.UNDER_WAY: "On the way",
    Way.CANCELLED: "Cancelled",
    Way.FAILED: "Failed",
}

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_TOO_MANY_PERCENT = 1000  # then two numbers say more
_LONGEST_ALT_TEXT = 1000  # Source: Slack, files.getUploadURLExternal, `alt_txt`


def count(number: int) -> str:
    return f"{number:,}"


def some(number: int, one: str, many: str) -> str:
    """`1 text`, `2 texts`."""
    return f"{number:,} {one if number == 1 else many}"


def percent(share: Share) -> str | None:
    """`98%`, and never 100% or 0% of anything but all and none; None when there is nothing to have a share of."""
    if not share.whole:
        return None
    tenths = share.part * 1000 / share.whole
    if share.part in {0, share.whole} or 10 <= tenths <= 990:  # noqa: PLR2004  (1 % and 99 %)
        return f"{round(tenths / 10)}%"
    return f"{min(max(round(tenths), 1), 999) / 10:.1f}%"


def duration(seconds: float | None) -> str | None:
    """`3.2 s`, `45 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if seconds is None:
        return None
    for unit, length, above in ((" days", _DAY, 2 * _DAY), (" h", _HOUR, 2 * _HOUR), (" min", _MINUTE, 2 * _MINUTE)):
        if seconds >= above:
            return _two_digits(seconds / length) + unit
    return _two_digits(seconds) + " s"


def _two_digits(number: float) -> str:
    return f"{number:.1f}" if number < 9.95 else f"{number:.0f}"  # noqa: PLR2004  (9.95 is shown as 10)


def change(now: int, before: int) -> str | None:
    """`+12% on`, to be followed by what it is compared with; None when there is nothing to compare with."""
    if not before:
        return None
    percents = round((now - before) * 100 / before)
    if percents >= _TOO_MANY_PERCENT:
        return f"{before:,} in"
    return f"{percents:+}% on" if percents else "about as many as in"


def reasons(failures: Sequence[tuple[str | None, int]]) -> list[tuple[str, int]]:
    """Say in a few words each why texts failed, the most frequent first; codes without words are one reason."""
    counted: dict[str, int] = {}
    for code, number in failures:
        title = REASONS.get(code or "", OTHER_REASON)
        counted[title] = counted.get(title, 0) + number
    return sorted(counted.items(), key=lambda reason: -reason[1])


def period(figures: Figures) -> str:
    """`24 Oct to 22 Nov 2026`."""
    first, last = figures.first, figures.last
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {first:%b}{year} to {last.day} {last:%b %Y}"


def summary(figures: Figures) -> str:
    """The main figures in one line of plain text."""
    totals = figures.totals
    parts = [f"{some(totals.texts, 'text', 'texts')} to {some(totals.people, 'person', 'people')}"]
    if delivered := percent(totals.delivered):
        parts.append(f"{delivered} of iMessage and RCS delivered")
    if read := percent(totals.read):
        parts.append(f"{read} of iMessages read")
    if median := duration(totals.pace.median):
        parts.append(f"{median} to deliver (median)")
    parts.append(f"{count(failed)} failed" if (failed := figures.ways.get(Way.FAILED, 0)) else "none failed")
    return " · ".join(parts)


def alt_text(figures: Figures) -> str:
    """The picture in words, for who cannot see it. At most 1,000 characters: it is cut between sentences."""
    ways = ", ".join(f"{count(n)} {WAY_NAMES[way]}" for way, n in figures.ways.items())
    sentences = [
        f"Texts of the last {figures.days} days, {period(figures)}: {summary(figures)}.",
        f"What became of them: {ways}.",
    ]
    if share := percent(figures.as_expected):
        sentences.append(f"{share} took the expected channel.")
    sentences += [
        f"Expected {CHANNEL_NAMES[channel] if channel else 'unknown'}: "
        + ", ".join(f"{count(n)} {WAY_NAMES[way]}" for way, n in ways.items())
        + "."
        for channel, ways in figures.expected.items()
    ]
    for channel, each in figures.channels.items():
        said = [f"{share} delivered" if (share := percent(each.delivered)) else ""]
        said += [f"{share} read" if (share := percent(each.read)) and channel is Channel.IMESSAGE else ""]
        said += [f"{median} to deliver" if (median := duration(each.pace.median)) else ""]
        if any(said):
            sentences.append(f"{CHANNEL_NAMES[channel]}: {', '.join(filter(None, said))}.")
    if figures.failures:
        why = ", ".join(f"{title} {count(n)}" for title, n in reasons(figures.failures))
        sentences.append(f"Why texts failed: {why}.")
    text = ""
    for sentence in sentences:
        if len(text) + len(sentence) >= _LONGEST_ALT_TEXT:
            break
        text += f" {sentence}" if text else sentence
    return text
