"""How `python -m bot doctor` says what it found."""

from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """How a line of `doctor` begins."""

    WELL = "✓"
    WRONG = "✗"  # needs attention
    NOTE = "-"


@dataclass(frozen=True, slots=True)
class Finding:
    """What `doctor` has to say about one thing."""

    mark: Mark
    words: str = field(repr=False)  # may hold a secret that is new, for whoever reads the terminal
