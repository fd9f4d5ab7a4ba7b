"""
How long a report takes beside a long record, and what it costs the bot: `python -m bench.report --texts 1000000`.

The texts lie in an embedded PostgreSQL, a third of them in the last 30 days. Memory is this process's own (RSS), which
counts, reads the rows and waits for the picture as the bot does.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC
from pathlib import Path

import psutil
import uvloop

from bench.history import NOW, history, write
from bot.report.drawing import draw
from bot.report.figures import last_days
from bot.report.spreadsheet import TooLarge, spreadsheet
from bot.storage.database import migrate, open_pool
from bot.storage.embedded import embedded_postgres
from bot.storage.record import Record


async def main(texts: int) -> None:
    with tempfile.TemporaryDirectory(prefix="texting") as folder:
        async with embedded_postgres(Path(folder)) as url:
            await migrate(url)
            # 90 days have 69 usual weekdays' worth of texts, and the team grows by an eighth in the mean.
            write(url, history(days=90, a_day=texts / 69 / 1.125, people=5000), people=5000)
            async with open_pool(url) as pool:
                await measure(Record(pool))


async def measure(record: Record) -> None:
    show("at first", 0.0, "")
    for days in (7, 30):
        period = last_days(days, now=NOW, zone=UTC)
        started = time.monotonic()
        figures = await record.figures(period)
        show(f"{days} days counted", time.monotonic() - started, f"{figures.totals.texts:,} texts")
        started, slowest = time.monotonic(), asyncio.create_task(_slowest())
        picture = await draw(figures)
        show(
            "drawn", time.monotonic() - started, f"{len(picture):,} bytes, loop late by {_stop(slowest) * 1000:.0f} ms"
        )
        started, slowest = time.monotonic(), asyncio.create_task(_slowest())
        try:
            written = f"{len(await spreadsheet(record.entries(period))):,} bytes"
        except TooLarge:
            written = "too large"
        show("written", time.monotonic() - started, f"{written}, loop late by {_stop(slowest) * 1000:.0f} ms")


_late = 0.0


async def _slowest() -> None:
    global _late  # noqa: PLW0603  (one measurement at a time)
    _late = 0.0
    while True:
        started = time.monotonic()
        await asyncio.sleep(0.005)
        _late = max(_late, time.monotonic() - started - 0.005)


def _stop(task: "asyncio.Task[None]") -> float:
    task.cancel()
    return _late


def show(what: str, seconds: float, found: str) -> None:
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{what:20} {seconds:7.2f} s   {memory:6.1f} MB   {found}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=1_000_000)
    uvloop.run(main(parser.parse_args().texts))
