"""
Everything at once: shuffled, repeated, while Slack is out and the bot is killed.

Small, so that it can be run every time. `STORM_TEXTS=2500` makes it ten thousand webhooks, and then the answers have to
be quick as well; `python -m bench.webhooks` prints the figures of that.
"""

import asyncio
import os
from pathlib import Path

import pytest

from bench.webhooks import SUPPORT, p99, parcels_of, storm
from sandbox.driver import Sandbox

TEXTS = int(os.environ.get("STORM_TEXTS", "150"))
MOST_EDITS = 1.5  # for each text
#: Seconds that 99 in 100 answers take at most. Where other tests run beside this one, it is what Blooio waits for one.
SLOWEST = 0.1 if "STORM_TEXTS" in os.environ else 5.0

#: Texts that Slack shows otherwise than they are.
_NOT_DRAWN = "SELECT count(*) FROM deliveries WHERE drawn_revision < revision AND posted_ts IS NOT NULL"


@pytest.mark.timeout(600)
async def test_a_storm_leaves_every_row_and_every_receipt_right(database_url: str, tmp_path: Path) -> None:
    """Nothing is lost, nothing is wrong, and Slack is edited hardly more than once for each text."""
    async with Sandbox.start() as sandbox, storm(sandbox, database_url, tmp_path) as raging:
        await raging.prepare(TEXTS)
        parcels = parcels_of(raging.texts, raging.lots)
        assert len(parcels) == 4 * TEXTS
        await raging.rage(parcels)
        await raging.calms_down(timeout=60 + TEXTS / 20)

        assert await raging.wrong_rows() == []
        assert await raging.wrong_receipts() == []
        receipts, cards, _ = await raging.edits()
        assert receipts + cards <= MOST_EDITS * TEXTS
        assert p99(raging.seconds()) < SLOWEST
        assert raging.sender.refused  # it was killed


async def test_slacks_limits_hold_up_edits_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    """With fifty edits a minute, a new text is posted while edits wait, and in the end all of them are drawn."""
    async with Sandbox.start() as sandbox, storm(sandbox, database_url, tmp_path) as raging:
        await raging.prepare(54)
        await sandbox.limits(tiers=True)
        await raging.sender.send(parcels_of(raging.texts, raging.lots))

        async def refused() -> bool:
            return any(one["status"] == 429 for one in await sandbox.exchanges(name="chat.update"))

        await sandbox.until(refused)
        await sandbox.phone("+15554999999").becomes(stuck=True)
        await sandbox.person("ana").types(SUPPORT, "/text +15554999999 Meanwhile")
        await raging.until(
            "SELECT count(*) FROM deliveries WHERE body = 'Meanwhile' AND posted_ts IS NOT NULL", 1, timeout=15
        )
        assert (await raging.ask(_NOT_DRAWN))[0][0] > 3

        async with asyncio.timeout(60):
            while (await raging.ask(_NOT_DRAWN))[0][0]:
                await sandbox.advance(30)
                await asyncio.sleep(0.5)
        await raging.calms_down(timeout=20)
        assert await raging.wrong_rows() == []
        assert await raging.wrong_receipts() == []
