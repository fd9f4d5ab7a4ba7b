"""
A circuit breaker: a vendor that is away is asked now and then whether it is back, and is not overrun when it is.

    closed ── ten failures in a row ──> open ── one success ──> half open ── a minute ──> closed

What waits for its turn stays where it is: the places that work (a worker's jobs, a painter's lane) are limited, so what
else there is to do waits in the database. Each process has its own; without trouble nobody waits.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.jitter import jittered

logger = logging.getLogger(__name__)

#: So many failures in a row, of whatever people and threads, are no accident of one of them.
TRIPS = 10

#: While it is open one call goes through every so often, and tells whether the vendor is back.
PROBE_EVERY = timedelta(seconds=5)

#: When it is back: calls a second at first, how soon that doubles, and when there is no bound any more.
FIRST_RATE = 5.0
DOUBLES_EVERY = timedelta(seconds=10)
HALF_OPEN_FOR = timedelta(seconds=60)


class Breaker:
    """Ask for a `turn` before a call, and say afterwards whether it `succeeded` or `failed`: was not answered."""

    def __init__(
        self,
        name: str,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._now = now  # seconds
        self._sleep = sleep
        self._failures = 0  # in a row
        self._back_at: float | None = None  # since when it is half open
        self._next = 0.0  # when the next call may go
        self._queue = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        return self._failures >= TRIPS

    async def turn(self) -> None:
        """Wait until a call may be made, one after the other; not at all while it is closed."""
        if self._is_closed():
            return
        async with self._queue:
            if (wait := self._next - self._now()) > 0:
                await self._sleep(wait)
            self._next = self._now() + jittered(self._gap()).total_seconds()

    def succeeded(self) -> None:
        if self.is_open:
            logger.info("vendor_back of=%s failures=%d", self._name, self._failures)
            self._back_at = self._now()
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures == TRIPS:
            logger.warning("vendor_away of=%s", self._name)
            self._next = self._now() + jittered(PROBE_EVERY).total_seconds()

    def _is_closed(self) -> bool:
        return not self.is_open and (self._back_at is None or self._half_open_for() > HALF_OPEN_FOR)

    def _half_open_for(self) -> timedelta:
        return timedelta(seconds=self._now() - (self._back_at or 0.0))

    def _gap(self) -> timedelta:
        """Return the time from one call to the next."""
        if self.is_open:
            return PROBE_EVERY
        return timedelta(seconds=1 / (FIRST_RATE * 2 ** (self._half_open_for() / DOUBLES_EVERY)))
