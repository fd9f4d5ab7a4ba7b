"""What an ordered webhook does wrong. Blooio promises neither order nor uniqueness, and others may forge."""

import fnmatch
import itertools
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """One way to go wrong. It holds for every attempt of the delivery that it strikes."""

    DUPLICATE = "duplicate"  # delivered twice
    REORDER = "reorder"  # held until the person's next event has been delivered
    DROP = "drop"  # never delivered
    LATE = "late"  # delivered `seconds` later, letting others pass
    STALE = "stale"  # signed as of `seconds` ago
    WRONG_SECRET = "wrong_secret"
    BODY_ONLY = "body_only"  # signed as the one mistaken sample does
    REPLAY = "replay"  # delivered, then once more as a replay
    BEFORE_ANSWER = "before_answer"  # `message.sent` arrives before the answer to the POST that caused it


DEFAULT_SECONDS = {Kind.LATE: 60.0, Kind.STALE: 600.0}


@dataclass
class Order:
    """One order of mischief; *event* is a pattern (`fnmatch`) over event names."""

    kind: Kind
    event: str = "*"
    times: int | None = 1  # how often; None: until it is taken back
    seconds: float = 0.0
    id: str = ""


class Mischief:
    """The orders in force. `take` counts them down."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._ids = itertools.count(1)

    def order(self, order: Order) -> Order:
        order.id = f"mischief-{next(self._ids)}"
        order.seconds = order.seconds or DEFAULT_SECONDS.get(order.kind, 0.0)
        self.orders.append(order)
        return order

    def cancel(self, order_id: str | None = None) -> None:
        """Take one order back, or all of them."""
        self.orders = [order for order in self.orders if order_id is not None and order.id != order_id]

    def take(self, event: str) -> Order | None:
        """The oldest order that strikes the delivery of *event*."""
        for order in self.orders:
            if order.kind is not Kind.BEFORE_ANSWER and fnmatch.fnmatchcase(event, order.event):
                return self._use(order)
        return None

    def take_before_answer(self) -> bool:
        """Whether the text that is being accepted shall be heard of before its answer."""
        for order in self.orders:
            if order.kind is Kind.BEFORE_ANSWER:
                self._use(order)
                return True
        return False

    def _use(self, order: Order) -> Order:
        if order.times is not None:
            order.times -= 1
            if order.times <= 0:
                self.orders.remove(order)
        return order
