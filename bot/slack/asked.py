"""What somebody else knows better than we do: asked once, whoever wants to know, and kept together with its age."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: So many answers are kept, the latest. Whatever else is known is asked for again.
_KEPT = 10_000


class Asked(Generic[T]):
    """Answers by key."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], *, most: int = _KEPT) -> None:
        self._ask = ask
        self._most = most
        self._answers: dict[str, tuple[float, T]] = {}
        self._asking: dict[str, asyncio.Task[T]] = {}

    def known(self, key: str, *, seconds: float) -> T | None:
        """Return the last answer, if it is no older than *seconds*."""
        kept = self._answers.get(key)
        return kept[1] if kept is not None and time.monotonic() - kept[0] <= seconds else None

    async def get(self, key: str, *, seconds: float) -> T:
        """
        Return an answer no older than *seconds*; raise what asking raises.

        Those who want to know the same at once ask once. Whoever stops waiting stops nobody: the answer is kept.
        """
        known = self.known(key, seconds=seconds)
        return known if known is not None else await asyncio.shield(self.ask(key))

    def put(self, key: str, answer: T) -> None:
        """Keep what was heard without asking."""
        self._answers.pop(key, None)  # the oldest answer is the first
        self._answers[key] = (time.monotonic(), answer)
        if len(self._answers) > self._most:
            del self._answers[next(iter(self._answers))]

    def ask(self, key: str) -> asyncio.Task[T]:
        """Ask now, or wait with those who do; the answer is kept whether or not anybody awaits it."""
        if key not in self._asking:
            task = asyncio.create_task(self._keep(key), name="asking")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return self._asking[key]

    async def _keep(self, key: str) -> T:
        answer = await self._ask(key)
        self.put(key, answer)
        return answer

    def _asked(self, key: str, task: asyncio.Task[T]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # was raised for whoever waited; nobody has to
