"""The stage of the proofs itself: two bots behind doors that can be shut, and a ledger that notices what is wrong."""

from pathlib import Path

import pytest

from sandbox.driver import Sandbox
from tests.proofs.ledger import Ledger
from tests.proofs.scene import scene


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_quiet_day_leaves_nothing_wrong(database_url: str, tmp_path: Path, transport: str) -> None:
    """Texts, replies and answers through two bots arrive and show as they should, and a wrong count is noticed."""
    async with (
        Sandbox.start() as sandbox,
        scene(database_url, tmp_path, transport=transport, sandbox=sandbox) as stage,
    ):
        await stage.start()
        ledger = Ledger(stage)
        for author in ("ana", "ben"):
            pal = await ledger.meets(author)
            assert await ledger.texts(pal)
            await ledger.settles()
            assert await ledger.replies(pal)
            await ledger.answers(pal)
            assert await ledger.texts(pal)
        await ledger.settles()
        assert await ledger.wrong() == []
        assert stage.complaints() == []

        pal.wrote.append("answer 0")
        pal.typed.reverse()
        assert [one.partition(": ")[2] for one in await ledger.wrong()] == [
            f"out of order on the phone: {pal.typed[::-1]}",
            "missing: answer 0",
        ]
