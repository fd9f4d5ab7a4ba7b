"""What a lane does when its work fails."""

import asyncio
import logging

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from bot.drawing.lanes import Lane


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(psycopg.errors.AdminShutdown(), (logging.WARNING, "posting_interrupted"), id="database stops"),
        pytest.param(PoolTimeout(), (logging.WARNING, "posting_interrupted"), id="no connection to it in time"),
        pytest.param(psycopg.errors.UndefinedColumn(), (logging.ERROR, "posting_failed"), id="a bug in a query"),
        pytest.param(KeyError("ts"), (logging.ERROR, "posting_failed"), id="a bug"),
    ],
)
async def test_only_a_bug_is_an_error(
    caplog: pytest.LogCaptureFixture, error: Exception, said: tuple[int, str]
) -> None:
    """A database that is away for a while is expected, and a lane works on afterwards whatever happened."""
    worked = asyncio.Event()
    errors = [error]

    async def work(number: int) -> None:
        if errors:
            lane.soon(number)  # it changed meanwhile
            raise errors.pop()
        worked.set()

    lane = Lane("posting", work, concurrency=1)
    lane.soon(7)
    await worked.wait()

    [line] = caplog.records
    assert (line.levelno, line.getMessage().split(" ")[0]) == said
