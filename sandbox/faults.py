"""Trouble to order: what an imitated vendor does wrong, where, and how often."""

import fnmatch
import itertools
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What goes wrong. *Effect* is what the request was for: a message posted, a text accepted."""

    LATENCY = "latency"  # `seconds` of waiting before the effect
    SLOW_ANSWER = "slow_answer"  # the effect at once, the answer `seconds` later
    STATUS = "status"  # no effect; `status` with `body` (JSON) and, when set, Retry-After
    HTML = "html"  # no effect; `status` (502) with an HTML page
    TEXT = "text"  # no effect; `status` (200) with text/plain
    BROKEN_JSON = "broken_json"  # no effect; `status` (200) with half a JSON document
    DROP_BEFORE = "drop_before"  # no effect; the connection is cut
    DROP_AFTER = "drop_after"  # the effect; the connection is cut before the answer
    DOUBLE = "double"  # of a delivery to the app (`deliver:…`): it arrives twice


@dataclass
class Fault:
    """
    One order of trouble.

    *where* is a pattern (`fnmatch`) over the call's name: a method of Slack's (`chat.postMessage`), or verb and
    decoded path of Blooio's (`POST /chats/*/messages`). What a vendor delivers to the app is called `deliver:` and its
    kind (`deliver:slash_commands`), and can be late (`latency`), lost (`drop_before`), answered in vain (`drop_after`)
    or doubled.
    """

    vendor: str  # "slack" or "blooio"
    where: str
    kind: Kind
    times: int | None = 1  # how often; None: until it is taken back
    skip: int = 0  # how many calls pass before the first
    seconds: float = 0.0
    status: int = 0  # 0: what is usual for the kind
    retry_after: int | None = None  # seconds, in the header
    body: dict[str, Any] | None = None
    id: str = ""

    def matches(self, vendor: str, name: str) -> bool:
        return self.vendor == vendor and fnmatch.fnmatchcase(name, self.where)


@dataclass
class Faults:
    """The orders in force. `take` counts them down."""

    orders: list[Fault] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def order(self, fault: Fault) -> Fault:
        fault.id = f"fault-{next(self._ids)}"
        self.orders.append(fault)
        return fault

    def cancel(self, fault_id: str | None = None) -> None:
        """Take one order back, or all of them."""
        self.orders = [fault for fault in self.orders if fault_id is not None and fault.id != fault_id]

    def take(self, vendor: str, name: str) -> list[Fault]:
        """The faults that strike this call, in the order they were ordered: any latency, and the first other."""
        taken: list[Fault] = []
        for fault in list(self.orders):
            if not fault.matches(vendor, name):
                continue
            if fault.kind is not Kind.LATENCY and any(other.kind is not Kind.LATENCY for other in taken):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            taken.append(fault)
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.orders.remove(fault)
        return taken
