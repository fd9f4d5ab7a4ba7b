"""What a text means that is nothing but a standard word, and what is texted back."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.reading.opt_words import OptWords
from bot.texting.model import Author, Opting, OptWord, Received

#: Where an answer names the workspace; and what it says while Slack has not told us its name yet.
TEAM, US = "{team}", "us"


class StandardWords:
    """The words that people opt out and in with, or ask for help, and the answers to them."""

    def __init__(
        self,
        words: OptWords,
        answers: Mapping[OptWord, str | None],
        *,
        identity: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._words = words
        self._answers = answers
        self._identity = identity  # as Slack's `auth.test` tells it: `team`, `user` and `user_id` are ours

    def read(self, received: Received) -> Opting | None:
        """Say what a text asks for, if it is one of the words and nothing else."""
        read = self._words.read(received.text)
        if read is None:
            return None
        word, written = read
        identity, answer = self._identity(), self._answers.get(word)
        return Opting(
            word=word,
            written=written,
            answer=answer and answer.replace(TEAM, str(identity.get("team") or US)),
            author=Author(str(identity.get("user_id") or ""), str(identity.get("user") or "Texting")),
        )
