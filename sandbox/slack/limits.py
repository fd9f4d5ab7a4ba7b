"""Slack's rate limits: off until somebody orders them. Source: docs.slack.dev/apis/web-api/rate-limits."""

import math
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.slack.errors import SlackError

MINUTE = 60.0

#: Calls a minute for each method, by tier; the fifth stands for Slack's "special" tier.
TIERS = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}


class RateLimited(SlackError):
    """Too many calls. `retry_after` is whole seconds, for the header."""

    def __init__(self, seconds: float) -> None:
        super().__init__("ratelimited")
        self.retry_after = max(1, math.ceil(seconds))


@dataclass
class Bucket:
    """Holds up to *size* tokens and gains *rate* of them a second."""

    size: float
    rate: float
    tokens: float
    at: float  # when `tokens` was right

    def take(self, now: float) -> None:
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            raise RateLimited((1 - self.tokens) / self.rate)
        self.tokens -= 1


@dataclass
class Limits:
    """Which limits are in force."""

    clock: Clock
    tiers: bool = False  # each method's own
    posting_rate: float | None = None  # messages a second in one conversation
    posting_burst: int = 5  # messages at once before that rate is felt
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def order(self, *, tiers: bool, posting_rate: float | None, posting_burst: int) -> None:
        self.tiers, self.posting_rate, self.posting_burst = tiers, posting_rate, posting_burst
        self._buckets.clear()

    def call(self, method: str, tier: int) -> None:
        """Count a call. Raises RateLimited."""
        if self.tiers:
            self._take(f"method:{method}", TIERS[tier], TIERS[tier] / MINUTE)

    def post(self, conversation_id: str) -> None:
        """Count a message. Raises RateLimited."""
        if self.posting_rate:
            self._take(f"post:{conversation_id}", self.posting_burst, self.posting_rate)

    def _take(self, key: str, size: float, rate: float) -> None:
        now = self.clock.now()
        self._buckets.setdefault(key, Bucket(size, rate, size, now)).take(now)
