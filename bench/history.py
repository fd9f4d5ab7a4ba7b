"""
A team's texts of some weeks, made up and always the same: for the picture in the README, and to measure with.

`python -m bench.history docs/report.png` draws the README's picture from them, on a PostgreSQL of its own.
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bot.report.drawing import draw
from bot.report.figures import last_days
from bot.storage.database import migrate, open_pool
from bot.storage.embedded import embedded_postgres
from bot.storage.record import Record

#: A Friday evening.
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

AUTHORS = [("U0ANAALVARE", "Ana Alvarez"), ("U0BENBAKER1", "Ben Baker"), ("U0GUSGREEN1", "Gus Green")]
WEEK = [1.0, 1.1, 1.05, 1.0, 0.9, 0.22, 0.1]  # from Monday on
#: Seconds until a text is delivered: the median, and how far from it others are.
DELAYS = {"imessage": (2.2, 0.7), "rcs": (3.6, 0.8), "sms": (6.5, 0.9)}
FAILURES = {  # whether Blooio had accepted the text, and how often
    "not_accepted": (False, 30),
    "not_sent": (True, 26),
    "unconfirmed": (False, 10),
    "reply_only": (False, 8),
    "no_links_yet": (False, 7),
    "limit_reached": (False, 4),
}

COLUMNS = (
    "id, request_key, thread_id, body, author_id, author_name, status, expected_channel, actual_channel, error_code,"
    " error_words, attempts, requested_at, accepted_at, sent_at, delivered_at, read_at, failed_at, held_since,"
    " posted_in, posted_ts, drawn_revision"
)


@dataclass
class Someone:
    """A person who is texted."""

    thread_id: int
    imessage: bool
    rcs: bool


def history(*, days: int, a_day: float = 58, people: int = 240, now: datetime = NOW) -> Iterator[dict[str, Any]]:
    """Make up the texts of the last *days*, about *a_day* of them on a usual weekday, to *people*."""
    dice = random.Random(20261122)
    everybody = [Someone(number + 1, dice.random() < 0.66, dice.random() < 0.2) for number in range(people)]
    weights = [1 / (1 + number / 12) for number in range(people)]  # some are texted a lot
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in reversed(range(days)):
        day = today - timedelta(days=back)
        expected = a_day * WEEK[day.weekday()] * (1 + (days - back) / days / 4)  # a team that grows
        moments = sorted(_working_hour(dice) for _ in range(round(dice.gauss(expected, expected / 9))))
        for number, moment in enumerate(moments):
            at = day + timedelta(hours=moment)
            if at < now:
                outage = back == 9 and 15.0 < moment < 16.2
                waiting = back == 0 and number >= len(moments) - 2
                yield _text(dice, dice.choices(everybody, weights)[0], at, now, outage=outage, waiting=waiting)


def _working_hour(dice: random.Random) -> float:
    """An hour of the day in UTC, for a team in New York: mornings and afternoons, seldom evenings."""
    return min(dice.choices([dice.gauss(15.2, 1.1), dice.gauss(19.2, 1.4), dice.uniform(13, 23)], [5, 5, 1])[0], 23.4)


def _text(
    dice: random.Random, someone: Someone, at: datetime, now: datetime, *, outage: bool, waiting: bool
) -> dict[str, Any]:
    author_id, author_name = dice.choices(AUTHORS, [5, 3, 1])[0]
    expected = "imessage" if someone.imessage else "sms"
    row: dict[str, Any] = {
        "id": UUID(int=dice.getrandbits(128), version=4),
        "thread_id": someone.thread_id,
        "author_id": author_id,
        "author_name": author_name,
        "status": "queued",
        "expected_channel": None if dice.random() < 0.02 else expected,
        "requested_at": at,
    }
    if waiting:
        return row | ({"held_since": at} if dice.random() < 0.5 else {})
    if outage:
        return row | {"status": "failed", "error_code": "line_offline", "failed_at": at + timedelta(minutes=1)}
    accepted_at = at + timedelta(seconds=dice.uniform(0.15, 0.6))
    if dice.random() < 0.021:
        code = dice.choices(list(FAILURES), [often for _, often in FAILURES.values()])[0]
        taken = {"accepted_at": accepted_at} if FAILURES[code][0] else {}
        return row | taken | {"status": "failed", "error_code": code, "failed_at": at + timedelta(seconds=4)}
    if dice.random() < 0.002:
        return row | {"status": "cancelled", "accepted_at": accepted_at, "failed_at": at + timedelta(minutes=3)}
    return row | {"accepted_at": accepted_at} | _delivered(dice, someone, at, now)


def _delivered(dice: random.Random, someone: Someone, at: datetime, now: datetime) -> dict[str, Any]:
    """Send a text on its way, as far as it has come by *now*."""
    channel = "imessage" if someone.imessage and dice.random() > 0.035 else "rcs" if someone.rcs else "sms"
    sent_at = at + timedelta(seconds=dice.uniform(0.6, 1.4))
    sent = {"status": "sent", "actual_channel": channel, "sent_at": sent_at}
    median, spread = DELAYS[channel]
    delay = median * dice.lognormvariate(0, spread)
    if dice.random() < 0.03:
        delay = dice.uniform(900, 6 * 3600)  # the phone was off
    delivered_at = sent_at + timedelta(seconds=delay)
    if delivered_at > now or dice.random() < {"imessage": 0.015, "rcs": 0.03, "sms": 0.21}[channel]:
        return sent
    delivered = sent | {"status": "delivered", "delivered_at": delivered_at}
    read_at = delivered_at + timedelta(seconds=240 * dice.lognormvariate(0, 1.6))
    if channel != "imessage" or dice.random() > 0.63 or read_at > now:
        return delivered
    return delivered | {"status": "read", "read_at": read_at}


def write(url: str, texts: Iterator[dict[str, Any]], *, people: int = 240) -> None:
    """Store *texts* in an empty database, as texts that Slack shows already."""
    columns = COLUMNS.split(", ")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people (team_id, address) SELECT 'T1', '+1555' || lpad(n::text, 7, '0')"
            " FROM generate_series(1, %s) n",
            (people,),
        )
        cursor.execute(
            "INSERT INTO threads (person_id, line, conversation_id, card_ts, owner_id, owner_name, drawn_revision)"
            " SELECT id, '+15550109999', 'C1', '1.0', 'U1', 'Ana', 1 FROM people"
        )
        cursor.execute("SELECT id FROM threads ORDER BY person_id")
        threads = [thread_id for (thread_id,) in cursor.fetchall()]
        with cursor.copy(f"COPY deliveries ({COLUMNS}) FROM STDIN") as copy:
            for number, text in enumerate(texts):
                row = {
                    **text,
                    "request_key": f"history {number}",
                    "thread_id": threads[text["thread_id"] - 1],
                    "body": "Hi",
                    "attempts": 1,
                    "posted_in": "C1",
                    "posted_ts": "2.0",
                    "drawn_revision": 1,
                }
                copy.write_row([row.get(column) for column in columns])
        cursor.execute("ANALYZE deliveries")


async def _drawn() -> bytes:
    with tempfile.TemporaryDirectory(prefix="texting") as folder:
        async with embedded_postgres(Path(folder)) as url:
            await migrate(url)
            write(url, history(days=61))
            async with open_pool(url) as pool:
                figures = await Record(pool).figures(last_days(30, now=NOW, zone=UTC))
    return await draw(figures)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(asyncio.run(_drawn()))
