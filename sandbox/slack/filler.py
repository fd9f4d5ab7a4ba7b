"""Contents of files that nobody has to store: bytes that are made as they are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CHUNK = 64 * 1024

#: What such a file is full of. It is no text, and its length is no power of two, so that a lost or doubled chunk shows.
FILLING = bytes(range(256)) * 250 + b"\0" * 31


@dataclass(frozen=True)
class Filler:
    """*size* bytes: the *beginning*, which tells what the file is, and then always the same."""

    size: int
    beginning: bytes = b""

    def __len__(self) -> int:
        return self.size

    def chunks(self) -> Iterator[bytes]:
        """Make the bytes, a chunk at a time."""
        yield self.beginning[: self.size]
        left = self.size - len(self.beginning)
        while left > 0:
            yield FILLING[:left]
            left -= len(FILLING)

    def first(self, count: int) -> bytes:
        return (self.beginning + FILLING)[: min(count, self.size)]

    def to_json(self) -> dict[str, Any]:
        """Write it for a control route."""
        return {"size": self.size, "beginning": self.beginning.hex()}


Content = bytes | Filler


def chunks(content: Content) -> Iterator[bytes | memoryview]:
    """Cut contents into chunks without copying what is there."""
    if isinstance(content, Filler):
        yield from content.chunks()
        return
    whole = memoryview(content)
    for start in range(0, len(whole), CHUNK):
        yield whole[start : start + CHUNK]


def first(content: Content, count: int) -> bytes:
    """Return the first *count* bytes, or as many as there are."""
    return content.first(count) if isinstance(content, Filler) else content[:count]
