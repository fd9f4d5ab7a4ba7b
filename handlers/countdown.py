"""How long there is to answer: Slack waits three seconds from the moment somebody presses Enter or a button."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta

#: The way here and back takes some of the three seconds.
ANSWERED_WITHIN = timedelta(seconds=2.5)

#: What Slack is asked on the way may take this much of them; without an answer we go on.
ASKING_SECONDS = 0.5

#: When the request that is answered came in.
_came_in: ContextVar[float | None] = ContextVar("came_in", default=None)


def begin() -> None:
    """A request came in: from now on Slack waits, also while it is looked at who makes it."""
    _came_in.set(time.monotonic())


def countdown(limit: timedelta = ANSWERED_WITHIN) -> Callable[[], timedelta]:
    """Count down from *limit* since the request came in; what is returned says how much is left."""
    end = (_came_in.get() or time.monotonic()) + limit.total_seconds()
    return lambda: timedelta(seconds=max(0.0, end - time.monotonic()))
