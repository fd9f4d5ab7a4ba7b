"""Identifiers and timestamps that look like Slack's."""

import random
import string

from sandbox.clock import Clock

CAPITALS = string.ascii_uppercase + string.digits


def new_id(kind: str) -> str:
    """Make an identifier of one *kind*: the letters it starts with, such as `C` for a channel or `Ev` for an event."""
    return f"{kind}0" + "".join(random.choices(CAPITALS, k=9))


def new_secret(length: int = 24) -> str:
    """Make the part of a URL that nobody can guess."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def new_trigger_id(now: float) -> str:
    return f"{int(now * 1000)}.{random.randrange(10**10, 10**11)}.{random.randbytes(16).hex()}"


class Timestamps:
    """Message timestamps: `seconds.microseconds`, each greater than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        self._last = max(int(self._clock.now() * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
