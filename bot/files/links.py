"""
The addresses under which files leave: signed, for one text, and only for a while. Pure.

`<public address>/files/<token>/<name>`: the token says which file, for which text and until when, and that we said so.
The name is for whoever judges a file by its address; it is signed as well.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from uuid import UUID

#: Where files are served. The token and the name follow.
PATH = "/files"

#: What is signed begins with this, so that nothing else signed with the same key can be taken for it.
_PURPOSE = b"texting-file-1"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{43}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Link:
    """A file of Slack's that one text may take along until *expires*."""

    file_id: str
    delivery_id: UUID
    expires: int  # epoch seconds


def path_of(link: Link, name: str, *, key: bytes) -> str:
    """Return the path of a link. The same link has the same path, to the letter."""
    said = f"{link.file_id}:{link.delivery_id.hex}:{link.expires}".encode()
    shown = safe_name(name)
    return f"{PATH}/{_encoded(said)}.{_encoded(_signature(said, shown, key))}/{shown}"


def read_path(token: str, name: str, *, key: bytes, now: datetime) -> Link | None:
    """Return the link that a path stands for; None if we did not make it, or if its time is over."""
    if not _TOKEN.fullmatch(token) or not name.isascii():
        return None
    written, _, signature = token.partition(".")
    said = _decoded(written)
    if said is None or not hmac.compare_digest(signature, _encoded(_signature(said, name, key))):
        return None
    file_id, delivery_id, expires = said.decode().split(":")
    link = Link(file_id, UUID(hex=delivery_id), int(expires))
    return link if datetime.fromtimestamp(link.expires, UTC) > now else None


def safe_name(name: str) -> str:
    """Return a name that stays as it is in an address, with its extension."""
    path = PurePath(_UNSAFE.sub("_", name))
    suffix = path.suffix[:10] if path.suffix != "." else ""
    stem = path.stem.strip("._") or "file"
    return stem[: _LONGEST_NAME - len(suffix)] + suffix


def _signature(said: bytes, name: str, key: bytes) -> bytes:
    return hmac.digest(key, b"\n".join((_PURPOSE, said, name.encode())), hashlib.sha256)


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decoded(written: str) -> bytes | None:
    """Undo `_encoded`; None for anything that it does not write, so that a path has one spelling only."""
    try:
        value = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
    except ValueError:
        return None
    return value if _encoded(value) == written else None
