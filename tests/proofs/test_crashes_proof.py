"""The proof that crashes lose nothing, in small: see docs/proofs/crashes.md."""

import random
import tempfile
from pathlib import Path

import pytest

from sandbox.driver import Sandbox
from tests.proofs.crash_plan import Plan
from tests.proofs.crash_storm import storm_on
from tests.proofs.crashes import Found, prove
from tests.proofs.postgres import Outage, server


@pytest.mark.timeout(180)
async def test_killed_bots_lose_nothing(database_url: str, tmp_path: Path) -> None:
    """Two bots on sockets, killed six times: every text, reply and answer arrives once, and every receipt is true."""
    plan = Plan(random.Random(3), texts=60, kills=6, outages=0, pace=0.5)
    async with (
        Sandbox.start() as sandbox,
        storm_on(tmp_path, plan, transport="socket", database_url=database_url, sandbox=sandbox) as storm,
    ):
        found = await prove(storm)
    assert_proven(found, kills=6)


@pytest.mark.timeout(180)
async def test_a_database_that_crashes_loses_nothing_either(tmp_path: Path) -> None:
    """The same over HTTP, while PostgreSQL stops without a word, crashes, and is cut off in silence."""
    ways = (Outage.IMMEDIATE, Outage.BACKEND, Outage.SILENT)
    plan = Plan(random.Random(3), texts=40, kills=2, outages=1, ways=ways, pace=0.4)
    with tempfile.TemporaryDirectory(prefix="texting") as folder:
        async with (
            Sandbox.start() as sandbox,
            server(Path(folder)) as database,
            storm_on(
                tmp_path,
                plan,
                transport="http",
                database_url=database.url,
                database=database,
                sandbox=sandbox,
            ) as storm,
        ):
            found = await prove(storm)
    assert_proven(found, kills=2)
    assert [found.figures[f"database {way}"] for way in ways] == [1, 1, 1]


def assert_proven(found: Found, *, kills: int) -> None:
    """Check that nothing is wrong, and that it was put to the test."""
    assert found.wrong == []
    assert found.figures["bots killed"] == kills
    assert found.figures["acknowledged"] != 0  # how many depends on how busy the machine is
