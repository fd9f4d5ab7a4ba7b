"""What the report says, as values: how many texts of a few days took which channel, arrived, were read, failed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

from bot.texting.model import Channel


class Way(StrEnum):
    """What became of a text, for counting: each text counts in exactly one."""

    IMESSAGE = "imessage"
    RCS = "rcs"
    SMS = "sms"
    UNKNOWN = "unknown"  # sent, and Blooio did not say how
    UNDER_WAY = "under_way"  # queued: here or at Blooio, also while it waits for a reply
    CANCELLED = "cancelled"
    FAILED = "failed"


#: The ways that are channels.
CHANNELS = MappingProxyType({Way(channel): channel for channel in Channel})

#: Why texts that were stored fail, by `TextingError.code`, in as few words as a chart has room for.
REASONS = MappingProxyType(
    {
        "unconfirmed": "Never confirmed",
        "not_taken": "Blooio never got it",
        "blooio_trouble": "Blooio was in trouble",
        "throttled": "Blooio was too busy",
        "line_offline": "Our number was offline",
        "not_accepted": "Number or message not accepted",
        "text_first": "A file cannot come first",
        "cannot_quote": "Message cannot be quoted",
        "plain_text_only": "Formatting not accepted",
        "not_allowed": "Not allowed on this account",
        "reply_only": "Our number may only reply",
        "no_links_yet": "No links before they replied",
        "new_texts_paused": "New texts are paused",
        "awaiting_reply": "They have to reply first",
        "limit_reached": "Limit for new people reached",
        "not_found": "Blooio does not know the person",
        "already_exists": "Already there",
        "disconnected": "Blooio refused our key",
        "allowance_used_up": "Trial messages used up",
        "unavailable": "Blooio does not offer this",
        "not_sent": "Accepted, then not delivered",
        "file_not_fetched": "A file could not be fetched",
        "file_gone": "A file was deleted",
        "files_need_address": "No public address for files",
    }
)
OTHER_REASON = "Another reason"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days up to now, as the person who asks has them on the calendar."""

    starts: tuple[datetime, ...]  # of each day; aware
    until: datetime  # this moment is not in it

    @property
    def days(self) -> int:
        return len(self.starts)

    @property
    def since(self) -> datetime:
        return self.starts[0]

    def before(self) -> "Period":
        """The days before, up to the same time of day: a day that is not over is compared with as much of another."""
        back = timedelta(days=self.days)  # by the calendar and the clock on the wall, also when the clocks change
        return Period(tuple(start - back for start in self.starts), self.until - back)


def last_days(days: int, *, now: datetime, zone: tzinfo) -> Period:
    """Today and the days before it, *days* in all, in the time *zone* of whoever asks."""
    local = now.astimezone(zone)
    today = local.date()
    starts = (datetime.combine(today - timedelta(days=back), time(), zone) for back in reversed(range(days)))
    return Period(tuple(starts), local)


@dataclass(frozen=True, slots=True)
class Entry:
    """One text in the record, without whom it went to and what it said."""

    id: UUID
    requested_at: datetime
    author_id: str
    author_name: str
    expected_channel: str | None
    actual_channel: str | None
    status: str
    accepted_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    error_code: str | None
    error_words: str | None

    @property
    def seconds(self) -> float | None:
        """From the request to the delivery; None if that was only told by its being read, which is later."""
        if self.delivered_at is None or (self.read_at is not None and self.read_at <= self.delivered_at):
            return None
        return max((self.delivered_at - self.requested_at).total_seconds(), 0)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from the request to the delivery; None when no text says."""

    median: float | None
    slow: float | None  # nine in ten were no slower


@dataclass(frozen=True, slots=True)
class Totals:
    """One period in a few figures."""

    texts: int
    people: int  # texted
    delivered: Share  # of what Blooio accepted for iMessage and RCS: an SMS may never say that it arrived
    read: Share  # of the delivered iMessages: nothing else says that it was read
    pace: Pace


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel."""

    delivered: Share  # of what Blooio accepted and did not keep in its queue
    read: Share  # of the delivered
    pace: Pace


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the report says of one period."""

    first: date
    last: date
    totals: Totals
    before: Totals | None  # the period before; None if the record does not reach back that far
    daily: tuple[Mapping[Way, int], ...]  # oldest first
    expected: Mapping[Channel | None, Mapping[Way, int]]  # None: nothing was expected
    channels: Mapping[Channel, ChannelFigures]
    failures: tuple[tuple[str | None, int], ...]  # by error code, the most frequent first

    @property
    def days(self) -> int:
        return len(self.daily)

    @property
    def ways(self) -> dict[Way, int]:
        """How many texts took each way; those that none took are left out."""
        counted = {way: sum(day.get(way, 0) for day in self.daily) for way in Way}
        return {way: count for way, count in counted.items() if count}

    @property
    def as_expected(self) -> Share:
        """The texts that took the channel expected of them, of those with an expected and a known channel."""
        known = [(expected, way, n) for expected, ways in self.expected.items() for way, n in ways.items() if expected]
        known = [(expected, way, n) for expected, way, n in known if way in CHANNELS]
        return Share(sum(n for expected, way, n in known if CHANNELS[way] is expected), sum(n for _, _, n in known))

    def to_json(self) -> bytes:
        """Write it down for another process."""
        return json.dumps(
            {
                "first": self.first.isoformat(),
                "last": self.last.isoformat(),
                "totals": _totals_to_json(self.totals),
                "before": _totals_to_json(self.before) if self.before else None,
                "daily": [dict(day) for day in self.daily],
                "expected": [[channel, dict(ways)] for channel, ways in self.expected.items()],
                "channels": {
                    channel: [*_share(each.delivered), *_share(each.read), *_pace(each.pace)]
                    for channel, each in self.channels.items()
                },
                "failures": self.failures,
            }
        ).encode()

    @classmethod
    def from_json(cls, written: bytes) -> Self:
        """Read what `to_json` wrote."""
        read: dict[str, Any] = json.loads(written)
        return cls(
            first=date.fromisoformat(read["first"]),
            last=date.fromisoformat(read["last"]),
            totals=_totals(read["totals"]),
            before=_totals(read["before"]) if read["before"] else None,
            daily=tuple(_ways(day) for day in read["daily"]),
            expected={Channel(name) if name else None: _ways(ways) for name, ways in read["expected"]},
            channels={
                Channel(name): ChannelFigures(Share(*each[:2]), Share(*each[2:4]), Pace(*each[4:]))
                for name, each in read["channels"].items()
            },
            failures=tuple((code, count) for code, count in read["failures"]),
        )


def _share(share: Share) -> tuple[int, int]:
    return share.part, share.whole


def _pace(pace: Pace) -> tuple[float | None, float | None]:
    return pace.median, pace.slow


def _totals_to_json(totals: Totals) -> list[Any]:
    return [totals.texts, totals.people, *_share(totals.delivered), *_share(totals.read), *_pace(totals.pace)]


def _totals(read: list[Any]) -> Totals:
    return Totals(read[0], read[1], Share(*read[2:4]), Share(*read[4:6]), Pace(*read[6:8]))


def _ways(read: Mapping[str, int]) -> dict[Way, int]:
    return {Way(way): count for way, count in read.items()}
