"""Texts in groups that our number is in: they are no part of anybody's thread, and how many there were is said."""

import logging
import time

from prometheus_client import Counter

logger = logging.getLogger(__name__)

_SAID_AGAIN_AFTER = 3600.0  # seconds

_IGNORED = Counter("texting_group_texts_ignored", "Texts in groups, which are shown nowhere")


class GroupTexts:
    """Counts the texts in groups that were passed over."""

    def __init__(self) -> None:
        self._unsaid = 0
        self._said_at: float | None = None

    def passed_over(self, count: int = 1) -> None:
        _IGNORED.inc(count)
        self._unsaid += count

    def say(self) -> None:
        """Log how many there were since the last time, once an hour at most."""
        if self._unsaid and (self._said_at is None or time.monotonic() - self._said_at >= _SAID_AGAIN_AFTER):
            logger.warning("group_texts_ignored count=%d", self._unsaid)
            self._unsaid, self._said_at = 0, time.monotonic()
