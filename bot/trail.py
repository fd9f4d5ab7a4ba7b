"""What `python -m bot audit` prints: who did what, when. Colleagues are named; no number and no word of a text is."""

import argparse
import csv
import re
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TextIO

from bot.report.spreadsheet import harmless, utc
from bot.storage.audit import Entry

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


def read_since(written: str) -> timedelta:
    """Read `7d` or `12h`. Raises ArgumentTypeError, which says what works."""
    found = re.fullmatch(r"(\d{1,4})([dh])", written.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError("write it as 7d or 12h")
    return int(found[1]) * _UNITS[found[2]]


async def write_trail(entries: AsyncIterator[Entry], out: TextIO) -> None:
    """Write *entries* as CSV, a row for each, with the names of the columns above."""
    rows = csv.writer(out, lineterminator="\n")
    names = [field.name for field in fields(Entry)]
    rows.writerow(names)
    async for entry in entries:
        rows.writerow([_cell(getattr(entry, name)) for name in names])


def _cell(value: object) -> str:
    if value is None or isinstance(value, datetime):
        return utc(value)
    return harmless(str(value))
