"""A lane of work on numbered things: each at most once at a time, and once more if it changed meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg

logger = logging.getLogger(__name__)

_NOW = timedelta()


class Lane:
    """
    Works on what it is told of, a limited number at once.

    With a *pause* the work on a thing begins that long after it was first told of, and whatever it is told of the
    thing meanwhile is part of the same work.
    """

    def __init__(
        self, name: str, work: Callable[[int], Awaitable[None]], *, concurrency: int, pause: timedelta = _NOW
    ) -> None:
        self._name = name
        self._work = work
        self._pause = pause
        self._places = asyncio.Semaphore(concurrency)
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()  # what changed while it was worked on
        self._alarms: dict[int, asyncio.TimerHandle] = {}  # pauses that will be over

    def soon(self, number: int) -> None:
        """Work on a thing; many calls in a moment are one piece of work."""
        if number in self._at_work:
            self._again.add(number)
        elif not self._pause:
            self._start(number)
        elif number not in self._alarms:
            self.later(number, self._pause)

    def later(self, number: int, pause: timedelta) -> None:
        """Work on a thing when a pause is over, rather than when looking finds it."""
        if (alarm := self._alarms.pop(number, None)) is not None:
            alarm.cancel()
        self._alarms[number] = asyncio.get_running_loop().call_later(pause.total_seconds(), self._start, number)

    def _start(self, number: int) -> None:
        if (alarm := self._alarms.pop(number, None)) is not None:
            alarm.cancel()
        if number in self._at_work:
            self._again.add(number)
            return
        task = asyncio.create_task(self._in_place(number), name=f"{self._name} {number}")
        self._at_work[number] = task
        task.add_done_callback(lambda done: self._done(number, done))

    async def _in_place(self, number: int) -> None:
        async with self._places:
            self._again.discard(number)  # it will see all that changed until now
            await self._work(number)

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        del self._at_work[number]
        if task.cancelled():
            return
        match task.exception():  # looking will find it again
            case None:
                pass
            case psycopg.OperationalError() as away:
                logger.warning("%s_interrupted number=%d error=%s", self._name, number, type(away).__name__)
            case error:
                logger.error("%s_failed number=%d", self._name, number, exc_info=error)
        if number in self._again:
            self._again.discard(number)
            self.soon(number)

    async def stop(self, *, grace_seconds: float) -> None:
        """Take on nothing more; give what is under way this long, then leave it."""
        self._again.clear()
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()
        if self._at_work and grace_seconds:
            await asyncio.wait(self._at_work.values(), timeout=grace_seconds)
        left = list(self._at_work.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
