"""One counter over everything that can be seen, so that a page or a test waits for news instead of asking again."""

import asyncio
import contextlib


class Changes:
    """A revision that grows with every visible change, and can be waited for."""

    def __init__(self) -> None:
        self.revision = 1
        self._news = asyncio.Event()

    def bump(self) -> int:
        """Say that something visible changed; return the new revision."""
        self.revision += 1
        self._news.set()
        self._news = asyncio.Event()
        return self.revision

    async def wait(self, since: int, timeout: float) -> int:
        """Return the revision as soon as it is greater than *since*, or after *timeout* seconds."""
        if self.revision <= since:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), timeout=timeout)
        return self.revision
