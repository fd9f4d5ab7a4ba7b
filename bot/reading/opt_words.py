"""
The standard words: STOP, START, HELP and their like, when a text is nothing but one of them.

Source: CTIA, "Messaging Principles and Best Practices" (2023), 5.1.3: opting out works with any combination of case and
punctuation, and with the whole text only.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.texting.model import OptWord

#: What each is by default. STOP and START always are, whatever else is chosen: our own words name them.
STOP_WORDS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
START_WORDS = ("START", "UNSTOP", "YES")
HELP_WORDS = ("HELP", "INFO")

#: Nobody decorates a word with more than this: the rest of a long text need not be looked at.
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class OptWords:
    """Words by what they mean, each as `bare` writes it."""

    stop: frozenset[str]
    start: frozenset[str]
    help: frozenset[str]

    @classmethod
    def of(cls, stop: Iterable[str], start: Iterable[str], help_: Iterable[str]) -> "OptWords":
        """Take words as people write them. STOP and START are among them in any case."""
        return cls(
            frozenset(map(bare, ("STOP", *stop))),
            frozenset(map(bare, ("START", *start))),
            frozenset(map(bare, help_)),
        )

    def read(self, text: str) -> tuple[OptWord, str] | None:
        """
        Say what a text means that is one of the words and nothing else, and which: `(OptWord.STOP, "STOP")`.

        Case, punctuation, spaces, emoji and what cannot be seen do not count: `"Stop!!"` and `S T O P` are STOP. A
        sentence that holds a word is none.
        """
        if len(text) > _LONGEST:
            return None
        written = bare(text)
        for word, words in ((OptWord.STOP, self.stop), (OptWord.START, self.start), (OptWord.HELP, self.help)):
            if written in words:
                return word, written.upper()
        return None


def bare(text: str) -> str:
    """Write *text* with its letters and digits alone, in small letters, and those in their plain form."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if char.isalnum())


def clashes(*lists: Sequence[str]) -> list[str]:
    """List the words that stand in an earlier one of *lists* already."""
    seen: dict[str, int] = {}
    listed = [(word, number) for number, words in enumerate(lists) for word in words]
    return [word for word, number in listed if seen.setdefault(bare(word), number) != number]
