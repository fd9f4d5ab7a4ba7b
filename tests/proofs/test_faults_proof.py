"""Vendors at their worst, in small: every fault once, two at a time. See docs/proofs/faults.md."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.driver import Sandbox
from tests.proofs.faults import ACK_SECONDS, Cell, plays, shared_out
from tests.proofs.scene import scene
from tests.proofs.troubles import TROUBLES

OVER = ("socket", "http")

#: They heal after minutes: a webhook that never came is missed after five, and a line that is offline is tried slowly.
#: The run of docs/proofs/faults.md waits for them.
SLOW = {
    "Blooio: 503",
    "Webhooks: lost",
    "Webhooks: signed too long ago",
    "Webhooks: signed with another secret",
    "Webhooks: signed without a time",
}


@pytest.mark.timeout(180)
async def test_faults_two_at_a_time(database_urls: Callable[[], str], tmp_path: Path) -> None:
    """Under every fault, each together with another, what was accepted arrives once and in order, and shows so."""
    quick = [one for one in TROUBLES if one.name not in SLOW]
    random.Random(7).shuffle(quick)
    cells = [Cell(tuple(quick[first : first + 2])) for first in range(0, len(quick), 2)]
    shares = shared_out(cells, OVER)

    async def play(transport: str, share: list[Cell]) -> None:
        async with (
            Sandbox.start() as sandbox,
            scene(database_urls(), tmp_path, bots=1, transport=transport, sandbox=sandbox, seed=7) as stage,
        ):
            await stage.start()
            await sandbox.limits(ack_limit=ACK_SECONDS)
            await plays(stage, share, settles_within=120)

    async with asyncio.TaskGroup() as scenes:
        for transport, share in zip(OVER, shares, strict=True):
            scenes.create_task(play(transport, share))
    assert {cell.name: (cell.wrong, cell.log) for cell in cells if cell.wrong} == {}
    assert [cell.name for cell in cells if not cell.met] == []
