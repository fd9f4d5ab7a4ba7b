"""What goes on after an acknowledgement, when we are told to stop."""

import asyncio
import logging

import pytest

from bot.errands import Errands


async def test_what_is_under_way_is_finished() -> None:
    """Somebody was told that it goes on."""
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    async with Errands().open() as errands:
        errands.run(work(), "work")
    assert done.is_set()


async def test_it_is_not_waited_for_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """What hangs is left, and the log says so; a failure is whoever's business who waits for it."""

    async def fail() -> None:
        raise RuntimeError

    async with Errands().open(grace_seconds=0.01) as errands:
        hanging = errands.run(asyncio.Event().wait(), "hangs")
        failing = errands.run(fail(), "fails")
    assert hanging.cancelled()
    assert isinstance(failing.exception(), RuntimeError)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["errand_abandoned name=hangs"]
