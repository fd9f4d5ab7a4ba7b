"""Names and numbers as people look for them: any part, any case, with or without accents, in any script."""

import re
import unicodedata

_NUMBER = re.compile(r"(?:[+\s().\-/]*+\d)++[\s().\-/]*+")  # each digit is looked at once, however many there are
_SPACES = re.compile(r"\s+")


def folded(text: str) -> str:
    """Return *text* without case, accents and double spaces: `José  MÜLLER` is `jose muller`."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _SPACES.sub(" ", unicodedata.normalize("NFC", bare)).strip()


def searchable(name: str | None, address: str, tags: tuple[str, ...]) -> str:
    """Return what is looked through for a contact: each word begins after a space, and there is one before the name."""
    return " " + " ".join(part for part in (folded(name or ""), address, *(f"#{folded(tag)}" for tag in tags)) if part)


def wanted(typed: str) -> list[str]:
    """Return the parts that all have to be found: words, or the digits of a number however it is written."""
    if _NUMBER.fullmatch(typed.strip()):
        return ["".join(char for char in typed if char.isdigit())]
    return folded(typed).split(" ") if typed.strip() else []
