"""What goes on after an acknowledgement: finished, if it can be, before we stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: An acknowledgement is on its way to Slack for a moment. What replaces it must not overtake it.
ACKNOWLEDGED_SECONDS = 0.3


class Errands:
    """Work under way for people who have been told that it goes on."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def open(self, *, grace_seconds: float = 10.0) -> AsyncIterator["Errands"]:
        """Work until the block is left; then give what is under way so long to finish."""
        try:
            yield self
        finally:
            if self._under_way:
                _, late = await asyncio.wait(self._under_way, timeout=grace_seconds)
                for task in late:
                    logger.warning("errand_abandoned name=%s", task.get_name())
                    task.cancel()
                if late:
                    await asyncio.wait(late)

    def run(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Begin something that is finished whatever becomes of whoever began it."""
        task = asyncio.create_task(work, name=name)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("errand_failed name=%s error=%s", task.get_name(), type(error).__name__)
