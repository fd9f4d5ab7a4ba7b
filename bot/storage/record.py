"""The record of all texts, read for the report: counted by the database, and row by row."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import class_row, dict_row

from bot.report.figures import CHANNELS, ChannelFigures, Entry, Figures, Pace, Period, Share, Totals, Way
from bot.storage.database import Connection, Pool
from bot.texting.model import Channel

#: Counting 1,000,000 texts takes a few seconds; whatever takes longer than this is not worth the other texts' time.
_LONGEST = timedelta(seconds=30)

#: Rows of the record fetched at once.
_FETCHED = 250

#: The texts of a period, as the report counts them. `way` is a `figures.Way`: where there is no doubt about the
#: channel, that. `took` is the channel that delivered rates are of: a text that failed at Blooio counts against the
#: channel it was meant for. `confirmable` are those that Blooio accepted and let go of: delivered, or not.
#: `seconds` leaves out texts whose delivery was only told by their being read, which is later.
_TEXTS: LiteralString = """
    WITH texts AS (
        SELECT *,
               status IN ('delivered', 'read') AS delivered,
               status IN ('sent', 'delivered', 'read') OR (status = 'failed' AND accepted_at IS NOT NULL)
                   AS confirmable,
               CASE WHEN status = 'queued' THEN 'under_way'
                    WHEN status IN ('failed', 'cancelled') THEN status
                    ELSE coalesce(actual_channel, 'unknown') END AS way,
               CASE WHEN status = 'failed' THEN coalesce(actual_channel, expected_channel)
                    ELSE actual_channel END AS took,
               CASE WHEN status IN ('delivered', 'read') AND (read_at IS NULL OR delivered_at < read_at)
                    THEN greatest(extract(epoch FROM delivered_at - requested_at), 0)::float8 END AS seconds
          FROM deliveries
         WHERE requested_at >= %(since)s AND requested_at < %(until)s
    )
"""

_PACE: LiteralString = "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) AS pace"


class Record:
    """What became of all texts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def figures(self, period: Period) -> Figures:
        """Count the texts of *period*, all at one moment."""
        async with self._snapshot() as connection:
            daily, expected = await _ways(connection, period)
            return Figures(
                first=period.starts[0].date(),
                last=period.starts[-1].date(),
                totals=await _totals(connection, period),
                before=await _before(connection, period),
                daily=daily,
                expected=expected,
                channels=await _channels(connection, period),
                failures=await _failures(connection, period),
            )

    async def entries(self, period: Period) -> AsyncGenerator[Sequence[Entry], None]:
        """Read the texts of *period*, oldest first, some hundred at a time."""
        columns = sql.SQL(", ").join(map(sql.Identifier, Entry.__slots__))
        query = sql.SQL(
            "SELECT {} FROM deliveries WHERE requested_at >= %(since)s AND requested_at < %(until)s"
            " ORDER BY requested_at, id"
        ).format(columns)
        async with (
            self._snapshot() as connection,
            connection.cursor(name="record", row_factory=class_row(Entry)) as cursor,
        ):
            await cursor.execute(query, _limits(period))
            while some := await cursor.fetchmany(_FETCHED):
                yield some

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        """A connection that sees the record as it is now, whatever changes meanwhile, and changes nothing itself."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            await connection.execute(f"SET LOCAL statement_timeout = {int(_LONGEST.total_seconds() * 1000)}")
            yield connection


async def _ask(connection: Connection, query: LiteralString, period: Period, **values: object) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_TEXTS + query, {**_limits(period), **values})
    return await cursor.fetchall()


def _limits(period: Period) -> dict[str, object]:
    return {"since": period.since, "until": period.until}


async def _ways(
    connection: Connection, period: Period
) -> tuple[tuple[dict[Way, int], ...], dict[Channel | None, dict[Way, int]]]:
    """How many texts took each way: by day, and by the channel expected of them."""
    rows = await _ask(
        connection,
        """
        SELECT width_bucket(requested_at, %(starts)s::timestamptz[]) AS day, expected_channel AS expected, way,
               count(*) AS texts
          FROM texts GROUP BY day, expected, way
        """,
        period,
        starts=list(period.starts),
    )
    daily: tuple[dict[Way, int], ...] = tuple({} for _ in period.starts)
    expected: dict[Channel | None, dict[Way, int]] = {}
    for row in rows:
        way = Way(row["way"])
        day = daily[row["day"] - 1]
        day[way] = day.get(way, 0) + row["texts"]
        ways = expected.setdefault(Channel(row["expected"]) if row["expected"] else None, {})
        ways[way] = ways.get(way, 0) + row["texts"]
    return daily, {channel: expected[channel] for channel in (*Channel, None) if channel in expected}


async def _totals(connection: Connection, period: Period) -> Totals:
    (row,) = await _ask(
        connection,
        f"""
        SELECT count(*) AS texts, count(DISTINCT person_id) AS people,
               count(*) FILTER (WHERE confirmable AND took IS DISTINCT FROM 'sms') AS confirmable,
               count(*) FILTER (WHERE delivered AND took IS DISTINCT FROM 'sms') AS delivered,
               count(*) FILTER (WHERE delivered AND took = 'imessage') AS readable,
               count(*) FILTER (WHERE status = 'read' AND took = 'imessage') AS read,
               {_PACE}
          FROM texts JOIN threads ON threads.id = thread_id
        """,
        period,
    )
    return Totals(
        texts=row["texts"],
        people=row["people"],
        delivered=Share(row["delivered"], row["confirmable"]),
        read=Share(row["read"], row["readable"]),
        pace=_pace(row),
    )


async def _before(connection: Connection, period: Period) -> Totals | None:
    """The period before; None if texting began during it, because then it is no measure."""
    earlier = period.before()
    cursor = await connection.execute("SELECT 1 FROM deliveries WHERE requested_at < %s LIMIT 1", (earlier.since,))
    return await _totals(connection, earlier) if await cursor.fetchone() else None


async def _channels(connection: Connection, period: Period) -> dict[Channel, ChannelFigures]:
    rows = await _ask(
        connection,
        f"""
        SELECT took, count(*) FILTER (WHERE confirmable) AS confirmable, count(*) FILTER (WHERE delivered) AS delivered,
               count(*) FILTER (WHERE status = 'read') AS read, {_PACE}
          FROM texts WHERE took IS NOT NULL AND (confirmable OR way IN ('imessage', 'rcs', 'sms')) GROUP BY took
        """,
        period,
    )
    found = {
        Channel(row["took"]): ChannelFigures(
            delivered=Share(row["delivered"], row["confirmable"]),
            read=Share(row["read"], row["delivered"]),
            pace=_pace(row),
        )
        for row in rows
    }
    return {channel: found[channel] for channel in CHANNELS.values() if channel in found}


async def _failures(connection: Connection, period: Period) -> tuple[tuple[str | None, int], ...]:
    rows = await _ask(
        connection,
        """
        SELECT error_code, count(*) AS texts FROM texts WHERE status = 'failed'
         GROUP BY error_code ORDER BY texts DESC, error_code
        """,
        period,
    )
    return tuple((row["error_code"], row["texts"]) for row in rows)


def _pace(row: dict[str, Any]) -> Pace:
    if row["pace"] is None:
        return Pace(None, None)
    median, slow = row["pace"]
    return Pace(round(median, 3), round(slow, 3))
