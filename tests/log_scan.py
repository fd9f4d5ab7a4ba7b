"""
Everything that the bot logs while the tests run, looked through: no number, no address, no word of a text, no secret.

What is personal is learnt from the wire: every text that the local Slack and the local Blooio receive or tell of. What
is logged is looked at when a test ends, so it does not matter which of the two came first. A line of ours is looked at
before `bot.log` masks it, because nothing personal should get that far; a library's line, and a traceback, as the log
would show them.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot import log
from sandbox.exchanges import Exchanges

#: Loggers of ours; and those of the local Slack and Blooio, and of what serves them, which the bot does not have.
OURS = ("bot", "handlers")
_NOT_THE_BOTS = ("sandbox", "tests", "aiohttp.server", "aiohttp.access", "aiohttp.web")

#: Numbers as people and programs write them, addresses, and whatever opens a door.
PERSONAL = (
    (re.compile(r"(?:\+|%2[Bb])\d{7,15}(?!\d)"), "a phone number"),
    (re.compile(r"(?<![\d.])1?555\d{7}(?![\d.])"), "a phone number"),
    (re.compile(r"(?<![\w-])(?:\+?1[ -])?\(?\d{3}\)?[ -]\d{3}-\d{4}(?![\w-])"), "a phone number"),
    (re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "an email address"),
    (re.compile(r"xox[a-z]-|xapp-|whsec_|(?:Bearer|Basic) \w|\bbl_\w|\bapi_\w"), "a secret"),
    (re.compile(r"/(?:commands|actions|response)/[\w/]+|ticket=\w"), "a response_url or a ticket"),
    (re.compile(r"://[^/\s:@]+:[^/\s@]+@"), "a password"),
)
_MASKED = re.compile(r"‹(?:phone|email|secret|response_url)›")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_ROOT = Path(__file__).parents[1]

#: Fields in which people's words travel, at both vendors; and the fewest characters that are taken for words.
_WORDS = {"text", "body", "message", "initial_value"}
_FEWEST = 4

#: A line that the bot writes as a process: when, how grave, whose, what.
_LINE = re.compile(r"\S+ [A-Z]+ (\S+) (.*)")


@dataclass(frozen=True)
class Line:
    """Something that was logged."""

    logger: str
    said: str

    def __str__(self) -> str:
        return f"{self.logger}: {self.said[:300]!r}"


class LogScan(logging.Handler):
    """Keeps what is logged and what is personal, until `leaks` compares them."""

    def __init__(self) -> None:
        super().__init__(level=logging.NOTSET)
        self._formatter = log.Formatter()
        self._lines: list[Line] = []
        self._words: dict[str, set[str]] = {}  # texts by their first word
        self._secrets: set[str] = set()

    # What is logged

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_NOT_THE_BOTS) or record.levelno < _production_level(record.name):
            return
        if record.name.startswith(OURS):
            self._lines.append(Line(record.name, record.getMessage()))
            if not record.exc_info:
                return
        shown = self._formatter.format(record)
        self._lines += (Line(f"{record.name} (as shown)", one) for one in shown.splitlines())

    def process_said(self, line: str) -> None:
        """Take a line that the bot wrote as a process of its own: masked, so a mask in a line of ours is a leak too."""
        read = _LINE.fullmatch(line)
        ours = read is not None and read[1].startswith(OURS)
        if ours and (mask := _MASKED.search(line)):
            self._lines.append(Line("process", line.replace(mask[0], "+4900000000")))
        self._lines.append(Line("process", read[2] if ours and read else line))

    # What is personal

    def learn(self, told: Any) -> None:
        """Remember the texts in what travelled."""
        for text in _texts(told):
            if len(text) >= _FEWEST and (first := text.split(None, 1)[:1]):
                self._words.setdefault(first[0], set()).add(text.strip())

    def hide(self, environment: Mapping[str, str]) -> None:
        """Remember the secrets in the settings of a bot."""
        names = ("TOKEN", "SECRET", "KEY")
        for value in (value for name, value in environment.items() if name.endswith(names)):
            self._secrets |= {one.strip() for one in value.split(",") if len(one.strip()) > _FEWEST}

    # The comparison

    def leaks(self) -> list[str]:
        """Say what is personal in all that was logged since the last time."""
        lines, self._lines = self._lines, []
        return [f"{what} in {line}" for line in lines for what in dict.fromkeys(self._in(line))]

    def _in(self, line: Line) -> Iterator[str]:
        for pattern, what in PERSONAL:
            if pattern.search(line.said):
                yield what
        for secret in self._secrets:
            if secret in line.said:
                yield "a secret"
        if _UNPRINTABLE.search(line.said):
            yield "a control character"
        for word in re.split(r"[\s=]+", line.said):
            for text in self._words.get(word, ()):
                if text in line.said and text not in _our_words():
                    yield f"the words {text[:40]!r}"


def _production_level(name: str) -> int:
    """Say from which level on the log shows a logger's lines; of ours, all are looked at."""
    if name.startswith(OURS):
        return logging.NOTSET
    levels = log._LEVELS
    return next((level for library, level in levels.items() if name.startswith(library)), logging.INFO)


@cache
def _our_words() -> str:
    """Return the bot's source: what stands there is no secret, although somebody texts "again"."""
    return "\n".join(path.read_text() for folder in OURS for path in (_ROOT / folder).rglob("*.py"))


def _texts(told: Any) -> Iterator[str]:
    """Yield the strings in a JSON value that are somebody's words."""
    if isinstance(told, dict):
        fields = _WORDS | {"value"} if told.get("type") == "plain_text_input" else _WORDS
        for key, value in told.items():
            if key in fields and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)


def install() -> LogScan:
    """Listen to everything from here on: what is logged in this process, and what travels to and from the vendors."""
    scan = LogScan()
    logging.getLogger().addHandler(scan)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    recorded = Exchanges.record

    def record(self: Exchanges, **exchange: Any) -> None:
        if exchange["vendor"] == "blooio" or exchange["name"].startswith("deliver:"):
            scan.learn(exchange["body"])
        recorded(self, **exchange)

    Exchanges.record = record  # type: ignore[method-assign]
    return scan


#: The one of this process.
SCAN = install()
