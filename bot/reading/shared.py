"""A message in Slack that somebody points at: its words for a text, and whose number stands in it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from phonenumbers import Leniency, PhoneNumberMatcher

from bot.reading.addresses import AddressProblem, count_digits, read_address
from bot.reading.slack_text import NO_NAMES, plain_text
from bot.texting.model import Address

_LINK = re.compile(r"<((?:tel|mailto):[^<>|]+)(?:\|[^<>]*)?>", re.IGNORECASE)
_TOKEN = re.compile(r"<[^<>]*>")
_OF_EMAIL = r"[^\s<>()\[\],;:\"“”„]"
#: From where a word begins: to begin in the middle of a long one would cost its square.
_EMAIL = re.compile(rf"(?<!{_OF_EMAIL}){_OF_EMAIL}+@{_OF_EMAIL}+[^\s<>()\[\],;:\"“”„.!?]")

#: Digits of anything that may be somebody's number, and how many such things are looked at in one message.
_FEWEST_DIGITS = 7
_TRIES = 200


def words_of(message: Mapping[str, Any], *, ours: bool, names: Mapping[str, str] = NO_NAMES) -> str:
    """
    Return what a message says, as a phone should show it.

    One of *ours* that shows a text says more than its words, which stand alone in its first section.
    """
    blocks = message.get("blocks") or []
    section: Mapping[str, Any] = next((one for one in blocks if one.get("type") == "section"), {}) if ours else {}
    text = section.get("text")
    if isinstance(text, Mapping) and text.get("type") == "plain_text" and "accessory" not in section:
        return str(text.get("text") or "")
    return plain_text(str(message.get("text") or ""), names=names)


def address_in(message: Mapping[str, Any], *, region: str) -> Address | None:
    """Find the first phone number or email address that a message mentions, linked by Slack or not."""
    for text in _texts(message):
        for found in sorted(_candidates(text, region)):
            try:
                return read_address(found[1], region=region)
            except AddressProblem:
                continue
    return None


def _candidates(text: str, region: str) -> Iterator[tuple[int, str]]:
    """List what may be an address, and where it stands."""
    for link in _LINK.finditer(text):
        yield link.start(), link[1]
    bare = _TOKEN.sub(lambda token: " " * len(token[0]), text)
    for email in _EMAIL.finditer(bare):
        yield email.start(), email[0]
    for number in PhoneNumberMatcher(bare, region, leniency=Leniency.POSSIBLE, max_tries=_TRIES):
        if count_digits(number.raw_string) >= _FEWEST_DIGITS:
            yield number.start, number.raw_string


def _texts(part: Any) -> Iterator[str]:
    """List all that is written in a message: its text first, then what only its blocks and attachments have."""
    if isinstance(part, list):
        for one in part:
            yield from _texts(one)
    elif isinstance(part, Mapping):
        for key in ("text", "url", "blocks", "elements", "fields", "attachments"):
            value = part.get(key)
            if isinstance(value, str):
                yield f"<{value}>" if key == "url" else value
            elif value is not None:
                yield from _texts(value)
