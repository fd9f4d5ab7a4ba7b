"""Files: as they are attached to a text, and as a person's phone offers them. Sizes are bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

KEPT = 256 * 1024  # a file up to this size is kept, for the page to show
BLOCK = 64 * 1024

#: How files of a type begin, so that whoever looks at the bytes of a made-up one finds what its type says.
BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "image/gif": b"GIF89a",
    "application/pdf": b"%PDF-1.7\n",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00",
}

TYPES = MimeTypes()  # without the files of this machine, so that it is the same everywhere
TYPES.add_type("audio/mp4", ".m4a")
TYPES.add_type("audio/x-caf", ".caf")
TYPES.add_type("audio/amr", ".amr")


@dataclass
class Attachment:
    """
    One file of one text. `url` and `name` are as whoever sent it gave them.

    The rest is known of a file that a phone offers, and of one of ours once the local Blooio has fetched it.
    """

    url: str
    name: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    beginning: bytes = b""  # the first 64 bytes
    content: bytes | None = None  # all of them, if they are few
    problem: str | None = None  # why it could not be fetched
    settled: bool = False  # whether the local Blooio has fetched it, or given up

    @property
    def is_audio(self) -> bool:
        """Judged by its type, and while that is not known by its name."""
        guessed = TYPES.guess_type(self.name or unquote(PurePosixPath(urlsplit(self.url).path).name))[0]
        return (self.media_type or guessed or "").startswith("audio/")


@dataclass(frozen=True)
class Manners:
    """How badly a file is served. Without any of it, it comes whole, with its type and its length."""

    status: int | None = None  # in place of 200
    html: bool = False  # a page stands in its place, with a 502 unless `status` is another, which may be 200
    redirect: str | None = None  # to this URL, with a 302
    content_type: str | None = None  # in place of its own; empty for none at all
    content_length: int | None = None  # in place of the true one; fewer bytes follow, or more
    chunked: bool = False  # without a length
    endless: bool = False  # without a length or an end
    rate: int | None = None  # bytes a second
    lifetime: float | None = None  # seconds, after which it is gone: a 410
    times: int | None = None  # how many requests meet all this; after those it is served well


@dataclass
class File:
    """A file on somebody's phone. One without `content` is made up while it is served: a large one costs nothing."""

    file_id: str
    name: str
    media_type: str
    size: int
    offered_at: float  # epoch seconds
    content: bytes | None = None
    announced: int | None = None  # the size that Blooio tells, if that is not the true one
    manners: Manners = field(default_factory=Manners)
    asked: int = 0  # how many requests there were for it

    def blocks(self) -> Iterator[bytes]:
        if self.content is None:
            return made_up(self.size, self.media_type)
        return (self.content[start : start + BLOCK] for start in range(0, self.size, BLOCK))


def made_up(size: int, media_type: str) -> Iterator[bytes]:
    """Yield *size* bytes, always the same ones, that begin like a file of their type."""
    filling = bytes(range(256)) * (BLOCK // 256)
    beginning = BEGINNINGS.get(media_type, b"")[:size]
    if beginning:
        yield beginning
    left = size - len(beginning)
    while left > 0:
        yield filling[:left]
        left -= BLOCK
