"""The numbers of the report, from a real PostgreSQL, against texts that were counted by hand."""

import csv
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from typing import Any

import psycopg
import pytest

from bot.report.figures import ChannelFigures, Figures, Pace, Period, Share, Totals, Way, last_days
from bot.report.spreadsheet import COLUMNS, TooLarge, spreadsheet
from bot.storage.database import open_pool
from bot.storage.record import Record
from bot.texting.model import Channel
from bot.texting.service import new_id

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PERIOD = last_days(7, now=NOW, zone=UTC)  # from 14 November 00:00 to 20 November 15:00
PEOPLE = ["jane", "sam", "kim", "lee", "mo"]

IM, RCS, SMS = "imessage", "rcs", "sms"

#: When, who, status, expected, real; then what differs from the usual: accepted by Blooio, and no error.
#: `delivered` and `read` are seconds after the request.
TEXTS: list[tuple[str, str, str, str | None, str | None, dict[str, Any]]] = [
    # Before the period before: the record reaches back far enough to compare
    ("06 23:59:59", "sam", "delivered", SMS, SMS, {"delivered": 5}),
    # The period before: 7 November 00:00 to 13 November 15:00
    ("07 00:00:00", "sam", "sent", SMS, SMS, {}),
    ("13 14:59:59", "jane", "delivered", IM, IM, {"delivered": 20}),
    # Later that day: in neither
    ("13 23:59:59", "jane", "delivered", IM, IM, {"delivered": 1}),
    # 14 November, from its first moment on
    ("14 00:00:00", "jane", "read", IM, IM, {"delivered": 2, "read": 60}),
    ("14 09:00:00", "jane", "delivered", IM, IM, {"delivered": 4}),
    ("14 09:05:00", "sam", "sent", SMS, SMS, {}),  # an SMS that never says that it arrived
    ("14 09:10:00", "sam", "delivered", SMS, SMS, {"delivered": 10}),
    # 15 November: other channels than expected
    ("15 10:00:00", "jane", "delivered", IM, SMS, {"delivered": 6}),
    ("15 10:01:00", "kim", "delivered", SMS, RCS, {"delivered": 8}),
    ("15 10:02:00", "kim", "failed", SMS, None, {"accepted": False, "error": "not_accepted"}),
    # 16 November: failures
    ("16 10:00:00", "kim", "failed", SMS, SMS, {"error": "not_sent"}),
    ("16 10:01:00", "jane", "failed", IM, None, {"error": "not_sent"}),  # it counts against iMessage
    ("16 10:02:00", "lee", "failed", None, None, {"accepted": False}),
    # 17 November
    ("17 11:00:00", "jane", "delivered", IM, IM, {"delivered": 30, "failed": 9}),  # it had failed, and then arrived
    ("17 11:01:00", "jane", "read", IM, IM, {"delivered": 100, "read": 100}),  # when it was delivered nobody said
    ("17 11:02:00", "lee", "read", None, IM, {"delivered": 5, "read": 50}),  # nothing was known beforehand
    # 18 November: not settled, not gone
    ("18 11:00:00", "jane", "sent", IM, IM, {}),  # the phone is off
    ("18 11:01:00", "lee", "queued", IM, None, {"accepted": False}),  # here
    ("18 11:02:00", "lee", "queued", IM, IM, {}),  # at Blooio
    ("18 11:03:00", "lee", "queued", IM, None, {"accepted": False, "held": True}),
    ("18 11:04:00", "sam", "cancelled", SMS, SMS, {"failed": 60}),
    # 19 November
    ("19 12:00:00", "lee", "sent", IM, None, {}),  # and Blooio did not say how
    # 20 November, up to now; the clocks differ by a second
    ("20 14:59:59", "mo", "delivered", IM, IM, {"delivered": -1}),
    ("20 15:00:00", "mo", "queued", IM, None, {"accepted": False}),  # after the report
]

COUNTED = Figures(
    first=datetime(2026, 11, 14).date(),  # noqa: DTZ001  (a day)
    last=datetime(2026, 11, 20).date(),  # noqa: DTZ001
    totals=Totals(
        texts=20,
        people=5,
        # Sent, delivered or read, and not an SMS: 9; and the one that failed at Blooio on 16 November at 10:01.
        delivered=Share(7, 10),
        read=Share(3, 6),
        # 0, 2, 4, 5, 6, 8, 10, 30: half-way between the fourth and the fifth; three tenths of the way from 10 to 30
        pace=Pace(5.5, 16),
    ),
    before=Totals(texts=2, people=2, delivered=Share(1, 1), read=Share(0, 1), pace=Pace(20, 20)),
    daily=(
        {Way.IMESSAGE: 2, Way.SMS: 2},
        {Way.RCS: 1, Way.SMS: 1, Way.FAILED: 1},
        {Way.FAILED: 3},
        {Way.IMESSAGE: 3},
        {Way.IMESSAGE: 1, Way.UNDER_WAY: 3, Way.CANCELLED: 1},
        {Way.UNKNOWN: 1},
        {Way.IMESSAGE: 1},
    ),
    expected={
        Channel.IMESSAGE: {Way.IMESSAGE: 6, Way.SMS: 1, Way.UNKNOWN: 1, Way.UNDER_WAY: 3, Way.FAILED: 1},
        Channel.SMS: {Way.RCS: 1, Way.SMS: 2, Way.CANCELLED: 1, Way.FAILED: 2},
        None: {Way.IMESSAGE: 1, Way.FAILED: 1},
    },
    channels={
        Channel.IMESSAGE: ChannelFigures(Share(6, 8), Share(3, 6), Pace(4, 20)),  # 0, 2, 4, 5, 30
        Channel.RCS: ChannelFigures(Share(1, 1), Share(0, 1), Pace(8, 8)),
        Channel.SMS: ChannelFigures(Share(2, 4), Share(0, 2), Pace(8, 9.6)),  # 6, 10
    },
    failures=(("not_sent", 2), ("not_accepted", 1), (None, 1)),
)


@pytest.fixture
async def record(database_url: str) -> AsyncIterator[Record]:
    with psycopg.connect(database_url) as connection:
        for number, name in enumerate(PEOPLE):
            address = f"+1555000000{number}"
            connection.execute("INSERT INTO people (team_id, address, name) VALUES ('T1', %s, %s)", (address, name))
        connection.execute(
            "INSERT INTO threads (person_id, line, conversation_id, owner_id, owner_name)"
            " SELECT id, '+15550109999', 'C1', 'U1', 'Ana' FROM people"
        )
    async with open_pool(database_url) as pool:
        yield Record(pool)


async def store(record: Record, when: str, who: str, *rest: Any, author: str = "Ana") -> None:
    """Store one text as a row of `TEXTS` has it."""
    status, expected, real, more = rest
    at = datetime.strptime(f"2026-11-{when}+0000", "%Y-%m-%d %H:%M:%S%z")

    def after(what: str) -> datetime | None:
        return at + timedelta(seconds=more[what]) if what in more else None

    row = {
        "id": new_id(),
        "request_key": f"{when} {new_id()}",
        "body": "A secret",
        "author_id": "U1",
        "author_name": author,
        "status": status,
        "expected_channel": expected,
        "actual_channel": real,
        "requested_at": at,
        "accepted_at": at + timedelta(seconds=0.25) if more.get("accepted", True) else None,
        "sent_at": at + timedelta(seconds=1) if status in {"sent", "delivered", "read"} else None,
        "delivered_at": after("delivered"),
        "read_at": after("read"),
        "failed_at": after("failed"),
        "held_since": at if more.get("held") else None,
        "error_code": more.get("error"),
        "error_words": more.get("words"),
    }
    names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    async with record._pool.connection() as connection:
        await connection.execute(
            f"INSERT INTO deliveries ({names}, thread_id) SELECT {marks}, t.id"
            " FROM threads t JOIN people p ON p.id = t.person_id WHERE p.name = %(who)s",
            {**row, "who": who},
        )


async def store_all(record: Record) -> None:
    for text in TEXTS:
        await store(record, *text)


async def rows_of(record: Record, period: Period = PERIOD) -> list[dict[str, str]]:
    written = await spreadsheet(record.entries(period))
    return list(csv.DictReader(StringIO(written.decode("utf-8-sig"))))


class TestFigures:
    async def test_every_number_is_as_counted_by_hand(self, record: Record) -> None:
        """The twenty texts of the period are counted, and nothing at its edges is."""
        await store_all(record)
        assert await record.figures(PERIOD) == COUNTED

    async def test_what_follows_from_them_adds_up(self, record: Record) -> None:
        """Each text is in one way, one day and one expectation; eight of ten took the channel expected of them."""
        await store_all(record)
        figures = await record.figures(PERIOD)
        assert figures.ways == {
            Way.IMESSAGE: 7,
            Way.RCS: 1,
            Way.SMS: 3,
            Way.UNKNOWN: 1,
            Way.UNDER_WAY: 3,
            Way.CANCELLED: 1,
            Way.FAILED: 4,
        }
        assert sum(figures.ways.values()) == figures.totals.texts == 20
        assert sum(sum(ways.values()) for ways in figures.expected.values()) == 20
        assert sum(count for _, count in figures.failures) == figures.ways[Way.FAILED]
        assert figures.as_expected == Share(8, 10)

    async def test_it_survives_the_way_to_another_process(self, record: Record) -> None:
        """What is drawn is what was counted."""
        await store_all(record)
        figures = await record.figures(PERIOD)
        assert Figures.from_json(figures.to_json()) == figures

    async def test_a_day_is_the_askers_day(self, record: Record) -> None:
        """Five hours behind UTC, the first text of the 14th belongs to the 13th, and one at 4 in the morning too."""
        await store(record, "14 00:00:00", "jane", "sent", SMS, SMS, {})
        await store(record, "14 04:59:59", "jane", "sent", SMS, SMS, {})
        await store(record, "14 05:00:00", "jane", "sent", SMS, SMS, {})
        await store(record, "20 04:59:59", "jane", "sent", SMS, SMS, {})
        figures = await record.figures(last_days(7, now=NOW, zone=timezone(timedelta(hours=-5))))
        assert [sum(day.values()) for day in figures.daily] == [1, 0, 0, 0, 0, 1, 0]

    async def test_a_record_that_just_began_is_not_compared(self, record: Record) -> None:
        """A week before which there was nothing, or only part of a week, is no measure."""
        await store(record, "07 00:00:00", "jane", "sent", SMS, SMS, {})
        await store(record, "14 00:00:00", "jane", "sent", SMS, SMS, {})
        assert (await record.figures(PERIOD)).before is None
        await store(record, "06 23:59:59", "jane", "sent", SMS, SMS, {})
        before = (await record.figures(PERIOD)).before
        assert before is not None
        assert before.texts == 1

    async def test_clocks_that_differ_take_no_time_back(self, record: Record) -> None:
        """A text that was delivered before it was asked for was delivered at once."""
        await store(record, "14 10:00:00", "jane", "delivered", IM, IM, {"delivered": -3})
        assert (await record.figures(PERIOD)).totals.pace == Pace(0, 0)

    async def test_only_an_imessage_is_read(self, record: Record) -> None:
        """What else may be called read does not raise the share of the iMessages."""
        await store(record, "14 10:00:00", "jane", "delivered", IM, IM, {"delivered": 3})
        await store(record, "14 10:00:01", "kim", "read", SMS, RCS, {"delivered": 3, "read": 9})
        assert (await record.figures(PERIOD)).totals.read == Share(0, 1)

    async def test_a_channel_begins_with_a_text_that_took_it(self, record: Record) -> None:
        """One that is on the way, or was called back, is nothing to say of a channel."""
        await store(record, "14 10:00:00", "jane", "queued", IM, IM, {})
        await store(record, "14 10:00:01", "sam", "cancelled", SMS, SMS, {})
        assert (await record.figures(PERIOD)).channels == {}

    async def test_nothing_is_counted_as_nothing(self, record: Record) -> None:
        """An empty record has figures too."""
        figures = await record.figures(PERIOD)
        assert figures.totals == Totals(0, 0, Share(0, 0), Share(0, 0), Pace(None, None))
        assert (figures.ways, figures.expected, figures.channels, figures.failures) == ({}, {}, {}, ())
        assert figures.daily == ({},) * 7


class TestSpreadsheet:
    async def test_each_text_of_the_period_is_a_row(self, record: Record) -> None:
        """The same twenty texts, oldest first, with every step's time."""
        await store_all(record)
        rows = await rows_of(record)
        assert len(rows) == 20
        assert list(rows[0]) == list(COLUMNS)
        assert rows[0] | {"id": ""} == {
            "id": "",
            "requested_at": "2026-11-14T00:00:00.000Z",
            "author_id": "U1",
            "author": "Ana",
            "expected_channel": "iMessage",
            "real_channel": "iMessage",
            "status": "read",
            "accepted_at": "2026-11-14T00:00:00.250Z",
            "sent_at": "2026-11-14T00:00:01.000Z",
            "delivered_at": "2026-11-14T00:00:02.000Z",
            "read_at": "2026-11-14T00:01:00.000Z",
            "failed_at": "",
            "seconds_to_deliver": "2.000",
            "error_code": "",
            "error": "",
        }
        assert [row["requested_at"] for row in rows] == sorted(row["requested_at"] for row in rows)
        seconds = [float(row["seconds_to_deliver"] or -1) for row in rows if row["delivered_at"]]
        assert seconds == [2, 4, 10, 6, 8, 30, -1, 5, 0]  # -1: when it was delivered nobody said

    async def test_it_says_neither_who_nor_what(self, record: Record) -> None:
        """No number, no name of theirs and no message is in the file."""
        await store_all(record)
        written = (await spreadsheet(record.entries(PERIOD))).decode("utf-8-sig")
        assert not any(private in written for private in ("A secret", "+1555", "5550", *PEOPLE))

    async def test_no_cell_is_a_formula(self, record: Record) -> None:
        """What somebody calls themselves, or Blooio answers, is not calculated by a spreadsheet."""
        names = ['=HYPERLINK("http://x.example")', "+1", "-1", "@SUM(1)", "\tTab", "＝1", "\n=1", 'Ana, "the"\nBoss']
        for minute, name in enumerate(names):
            failed = {"error": "not_sent", "words": "=1+1", "accepted": True}
            await store(record, f"14 10:{minute:02}:00", "jane", "failed", IM, None, failed, author=name)
        rows = await rows_of(record)
        assert [row["author"] for row in rows] == [*(f"'{name}" for name in names[:-1]), names[-1]]
        assert {row["error"] for row in rows} == {"'=1+1"}

    async def test_many_texts_come_one_by_one(self, record: Record) -> None:
        """More than are fetched at once: none is missing, none is there twice."""
        async with record._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name, requested_at)"
                " SELECT gen_random_uuid(), n::text, (SELECT min(id) FROM threads), '', 'U1', 'Ana',"
                " '2026-11-15Z'::timestamptz + n * interval '1 second' FROM generate_series(1, 1203) n"
            )
        rows = await rows_of(record)
        assert len({row["id"] for row in rows}) == len(rows) == 1203
        times = [datetime.fromisoformat(row["requested_at"]) for row in rows]
        assert all(later - earlier == timedelta(seconds=1) for earlier, later in itertools.pairwise(times))

    async def test_a_file_that_gets_too_large_is_given_up(self, record: Record) -> None:
        """It is not written to its end first."""
        await store_all(record)
        with pytest.raises(TooLarge):
            await spreadsheet(record.entries(PERIOD), largest=1000)
        pool = record._pool.get_stats()
        assert pool["pool_available"] == pool["pool_size"]  # the connection it read from is free again

    async def test_excel_knows_that_it_is_utf_8(self, record: Record) -> None:
        """A name with an umlaut is read as one."""
        await store(record, "14 10:00:00", "jane", "sent", IM, IM, {}, author="Zoë Müller")
        written = await spreadsheet(record.entries(PERIOD))
        assert written.startswith(b"\xef\xbb\xbfid,requested_at,")
        assert "Zoë Müller" in written.decode()
