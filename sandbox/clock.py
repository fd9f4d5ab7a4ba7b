"""The sandbox's time: real time, plus whatever a test has skipped."""

import asyncio
import time


class Clock:
    """Epoch seconds that can jump forward. Sleepers wake when real or skipped time reaches them."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._jumped = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip *seconds* (not negative); whatever was due in between is due now."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._skipped += seconds
        self._jumped.set()
        self._jumped = asyncio.Event()

    async def sleep_until(self, when: float) -> None:
        while (left := when - self.now()) > 0:
            jumped = self._jumped
            try:
                await asyncio.wait_for(jumped.wait(), timeout=left)
            except TimeoutError:
                continue

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + seconds)
