"""How calls to a vendor that is away are held back, and let go when it is back."""

import asyncio
from itertools import pairwise

import pytest

from bot import breaker
from bot.breaker import TRIPS, Breaker


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)  # others get their turn


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Breaker:
    return Breaker("a vendor", now=clock.now, sleep=clock.sleep)


async def turns(guard: Breaker, clock: Clock, *, seconds: float) -> list[float]:
    """Take turns for so long; return when they came, in seconds from now."""
    began, taken = clock.time, []
    while True:
        await guard.turn()
        if clock.time - began > seconds:
            return taken
        taken.append(clock.time - began)


def trip(guard: Breaker) -> None:
    for _ in range(TRIPS):
        guard.failed()


async def test_without_trouble_nobody_waits(guard: Breaker, clock: Clock) -> None:
    """Not after failures either, as long as there are successes in between: they are about somebody in particular."""
    for _ in range(5):
        for _ in range(TRIPS - 1):
            guard.failed()
        guard.succeeded()
    for _ in range(1000):
        await guard.turn()
    assert clock.time == 1_000.0


async def test_a_vendor_that_is_away_is_probed(guard: Breaker, clock: Clock) -> None:
    """However many calls wait, one goes every five seconds or so, and not on the beat."""
    trip(guard)
    taken = []
    for at in await turns(guard, clock, seconds=60):
        guard.failed()
        taken.append(at)
    assert 9 <= len(taken) <= 12
    gaps = [after - before for before, after in pairwise(taken)]
    assert min(gaps) >= 5
    assert max(gaps) < 6.25
    assert len(set(gaps)) > 1


async def test_calls_come_back_slowly(guard: Breaker, clock: Clock) -> None:
    """Five a second at first, twice as many every ten seconds, and after a minute as many as there are."""
    trip(guard)
    await guard.turn()
    guard.succeeded()
    taken = await turns(guard, clock, seconds=breaker.HALF_OPEN_FOR.total_seconds() - 1)
    per_second = [sum(second <= at < second + 1 for at in taken) for second in range(59)]
    assert max(per_second[:5]) <= 8
    assert max(per_second[:20]) <= 21
    assert max(per_second) <= 325
    assert sum(per_second) > 1_000
    await clock.sleep(2)
    before = clock.time
    for _ in range(1000):
        await guard.turn()
    assert clock.time == before


async def test_a_relapse_is_noticed(guard: Breaker, clock: Clock) -> None:
    """Away again while calls were coming back: it is probed as before."""
    trip(guard)
    await guard.turn()
    guard.succeeded()
    await guard.turn()
    trip(guard)
    assert len(await turns(guard, clock, seconds=60)) <= 12


async def test_those_who_wait_go_one_by_one_and_may_leave(guard: Breaker, clock: Clock) -> None:
    """Turns are in the order in which they were asked for; one that is not wanted any more holds up nobody."""
    trip(guard)
    order: list[int] = []

    async def take(number: int) -> None:
        await guard.turn()
        order.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.wait(tasks)
    assert order == [0, 1, 2, 4]
    assert clock.time - 1_000 >= 4 * 5
