"""A vendor that is away for everybody: it is asked now and then, and not overrun when it is back."""

import asyncio
from datetime import timedelta

import pytest

from bot import breaker
from bot.breaker import FIRST_RATE, TRIPS
from bot.texting import routing
from sandbox.driver import Sandbox
from sandbox.faults import Kind
from tests.acceptance.stage import Stage, bot_beside
from tests.acceptance.trouble import Scene
from tests.proofs.outage import Calls

PEOPLE = 15
PROBES = 0.5  # seconds from one to the next, in place of five
AWAY = 3.0  # seconds, from when it has been noticed

#: What goes on by itself for each text, by vendor.
CALL = {"blooio": "POST /chats/*/messages", "slack": "chat.postMessage"}


@pytest.mark.parametrize("vendor", CALL)
async def test_an_outage_is_outlived_without_a_storm(
    vendor: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many texts wait, few calls ask whether it is back; then they come back slowly, and arrive once."""
    monkeypatch.setattr(breaker, "PROBE_EVERY", timedelta(seconds=PROBES))
    monkeypatch.setattr(routing, "LONGEST_WAIT", timedelta(seconds=1))
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket") as app:
        scene = Scene(Stage(sandbox, app, "socket"))
        people = [await scene.meets() for _ in range(PEOPLE)]

        async def calls() -> Calls:
            return Calls([one["at"] for one in await sandbox.exchanges(vendor=vendor, name=CALL[vendor])])

        async def is_noticed() -> bool:
            return len((await calls()).times) >= TRIPS

        where = {"blooio": "*", "slack": "[!d]*"}[vendor]  # all but Slack's deliveries
        await sandbox.order(vendor=vendor, where=where, kind=Kind.DROP_BEFORE, times=None)
        await asyncio.gather(*map(scene.texts, people))
        await sandbox.until(is_noticed)
        await asyncio.sleep(1)  # what was on its way when it was noticed arrives
        noticed = len((await calls()).times)
        await asyncio.sleep(AWAY)
        meanwhile = len((await calls()).times) - noticed
        assert meanwhile <= AWAY / PROBES + 1

        before = len((await calls()).times)
        await sandbox.calm()
        receipts = await asyncio.gather(*map(scene.receipt, people))
        assert [line for line in receipts if not line.startswith("🔵 iMessage · Delivered")] == []
        assert [await scene.reached(someone) for someone in people] == [1] * PEOPLE
        back = Calls((await calls()).times[before:])
        assert len(back.times) >= PEOPLE
        first_seconds = back.between(back.times[0], back.times[0] + 3)
        assert first_seconds.most(1.0) <= 2 * FIRST_RATE
