"""
The record as a file for a spreadsheet: a row for each text.

It is for counting, so it says neither whom a text went to nor what it said.
"""

import csv
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper

from bot.report.figures import Entry
from bot.report.words import CHANNEL_NAMES
from bot.texting.model import Channel

#: About 80,000 texts. More is no file to pass around in Slack.
LARGEST = 20_000_000

COLUMNS = (
    "id",
    "requested_at",
    "author_id",
    "author",
    "expected_channel",
    "real_channel",
    "status",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "seconds_to_deliver",
    "error_code",
    "error",
)

#: A cell that begins with one of these is a formula to a spreadsheet. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class TooLarge(Exception):
    """The file would be larger than `LARGEST`."""


async def spreadsheet(entries: AsyncGenerator[Sequence[Entry], None], *, largest: int = LARGEST) -> bytes:
    """Write *entries* as CSV, in UTF-8 with the mark by which Excel knows it. Raises TooLarge."""
    written = BytesIO()
    with TextIOWrapper(written, encoding="utf-8-sig", newline="", write_through=True) as text:
        rows = csv.writer(text)
        rows.writerow(COLUMNS)
        async with aclosing(entries):
            async for some in entries:
                rows.writerows(map(_row, some))
                if written.tell() > largest:
                    raise TooLarge
        return written.getvalue()


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.id,
        utc(entry.requested_at),
        harmless(entry.author_id),
        harmless(entry.author_name),
        _channel(entry.expected_channel),
        _channel(entry.actual_channel),
        entry.status,
        utc(entry.accepted_at),
        utc(entry.sent_at),
        utc(entry.delivered_at),
        utc(entry.read_at),
        utc(entry.failed_at),
        "" if entry.seconds is None else f"{entry.seconds:.3f}",
        harmless(entry.error_code or ""),
        harmless(entry.error_words or ""),
    )


def utc(moment: datetime | None) -> str:
    """Write a moment in ISO 8601, to the millisecond; nothing for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z" if moment else ""


def _channel(name: str | None) -> str:
    return CHANNEL_NAMES[Channel(name)] if name else ""


def harmless(text: str) -> str:
    """Keep *text* from being a formula to a spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text
