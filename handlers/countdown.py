"""How long there is to answer: Slack waits three seconds from the moment somebody presses Enter or a button."""

import time
from collections.abc import Callable
from datetime import timedelta

#: The way here and back takes some of the three seconds.
ANSWERED_WITHIN = timedelta(seconds=2.5)

#: What Slack is asked on the way may take this much of them; without an answer we go on.
ASKING_SECONDS = 0.5


def countdown(limit: timedelta = ANSWERED_WITHIN) -> Callable[[], timedelta]:
    """Start to count down from *limit*; what is returned says how much is left."""
    end = time.monotonic() + limit.total_seconds()
    return lambda: timedelta(seconds=max(0.0, end - time.monotonic()))
