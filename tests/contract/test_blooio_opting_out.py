"""A Blooio that knows who has opted out, as an account might have it."""

import pytest

from sandbox.blooio.seed import SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        await world.gateway.becomes(blocks_after_stop=True)
        await world.sent(SAM)
        yield world


async def statuses(world, count, **body):
    return [(await world.send(SAM, **body)).status_code for _ in range(count)]


async def test_one_confirmation_and_then_nothing(world):
    """After STOP one text goes, every other is a 403 without a code, and START opens the way again."""
    await world.phone(SAM).replies("STOP")
    first, second = await world.send(SAM, text="You are opted out."), await world.send(SAM)
    await world.phone(SAM).replies("start")

    assert (first.status_code, second.status_code, second.json().get("code")) == (202, 403, None)
    assert await statuses(world, 2) == [202, 202]


async def test_the_confirmation_comes_in_time(world):
    """Five minutes after STOP, not even that goes."""
    await world.phone(SAM).replies("Stop ")
    world.basics.clock.advance(5 * 60)

    assert await statuses(world, 1) == [403]


async def test_a_confirmation_is_one_text(world):
    """Two at once are refused together."""
    await world.phone(SAM).replies("unsubscribe")

    assert await statuses(world, 1, text=["One", "Two"]) == [403]
    assert await statuses(world, 2) == [202, 403]


@pytest.mark.parametrize("text", ["We have to STOP this bill", "stopping", "", None])
async def test_only_the_whole_text_counts(world, text):
    """A word within a sentence opts nobody out."""
    await world.phone(SAM).replies(text, attachments=[] if text else ["https://files.example.test/a.png"])

    assert await statuses(world, 2) == [202, 202]


async def test_others_are_not_concerned(world):
    """Whoever did not write STOP is texted as ever."""
    await world.phone(SAM).replies("STOP")

    assert [(await world.send()).status_code for _ in range(2)] == [202, 202]


async def test_it_is_off_by_default(world):
    """Without the setting everybody is texted: no document of Blooio's says otherwise."""
    await world.gateway.becomes(blocks_after_stop=False)
    await world.phone(SAM).replies("STOP")

    assert await statuses(world, 3) == [202, 202, 202]
