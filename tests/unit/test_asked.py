"""What somebody else knows: asked once, and kept with its age."""

import asyncio

import pytest

from bot.slack.asked import Asked


class Oracle:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.speaks = asyncio.Event()

    async def answer(self, key: str) -> str:
        self.asked += 1
        await self.speaks.wait()
        if key == "none":
            raise LookupError(key)
        return f"{key} {self.asked}"


async def test_those_who_ask_at_once_ask_once() -> None:
    """A burst of clicks of somebody new is one question."""
    oracle = Oracle()
    asked = Asked(oracle.answer)
    waiting = [asyncio.create_task(asked.get("a", seconds=60)) for _ in range(50)]
    await asyncio.sleep(0)
    oracle.speaks.set()

    assert set(await asyncio.gather(*waiting)) == {"a 1"}
    assert await asked.get("a", seconds=60) == "a 1"
    assert oracle.asked == 1


async def test_an_old_answer_is_asked_for_again() -> None:
    """It is known as long as it is fresh enough for whoever wants to know."""
    oracle = Oracle()
    oracle.speaks.set()
    asked = Asked(oracle.answer)
    asked.put("a", "told")

    assert (asked.known("a", seconds=60), asked.known("a", seconds=-1), asked.known("b", seconds=60)) == (
        "told",
        None,
        None,
    )
    assert await asked.get("a", seconds=-1) == "a 1"
    assert asked.known("a", seconds=60) == "a 1"


async def test_whoever_stops_waiting_stops_nobody() -> None:
    """The answer that comes later is kept, for the next who wants to know."""
    oracle = Oracle()
    asked = Asked(oracle.answer)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.get("a", seconds=60), 0.01)
    oracle.speaks.set()

    assert await asked.get("a", seconds=60) == "a 1"


async def test_what_is_raised_is_not_kept() -> None:
    """Everybody who waited hears of it, and the next one asks again."""
    oracle = Oracle()
    oracle.speaks.set()
    asked = Asked(oracle.answer)
    raised = await asyncio.gather(*(asked.get("none", seconds=60) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in raised] == [LookupError, LookupError]
    with pytest.raises(LookupError):
        await asked.get("none", seconds=60)
    assert oracle.asked == 2


async def test_only_the_latest_answers_are_kept() -> None:
    """However many there are to ask about, memory is for so many; an answer that is renewed is a late one."""
    oracle = Oracle()
    oracle.speaks.set()
    asked = Asked(oracle.answer, most=2)
    for key in ("a", "b", "a", "c"):
        asked.put(key, "told")

    assert [asked.known(key, seconds=60) for key in "abc"] == ["told", None, "told"]
    assert await asked.get("b", seconds=60) == "b 1"
