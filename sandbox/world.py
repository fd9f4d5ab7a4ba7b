"""Everything the sandbox is: its time, its trouble, its record, and the two vendors it imitates."""

from dataclasses import dataclass, field

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.exchanges import Exchanges
from sandbox.faults import Faults


@dataclass
class Basics:
    """What both vendors share."""

    clock: Clock = field(default_factory=Clock)
    changes: Changes = field(default_factory=Changes)
    faults: Faults = field(default_factory=Faults)
    exchanges: Exchanges = field(init=False)

    def __post_init__(self) -> None:
        self.exchanges = Exchanges(self.clock, self.faults, self.changes)
