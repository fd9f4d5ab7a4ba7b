"""A small language for the limits of Block Kit: checks that yield a problem and its place for each thing wrong."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing wrong. It reads as Slack words it, with a JSON pointer from the blocks."""

    message: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


Check = Callable[[Any, str], Iterator[Problem]]


def string(most: int, *, least: int = 1, pattern: str | None = None) -> Check:
    """Demand a text of *least* to *most* characters."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem("must be a string", pointer)
        elif len(value) < least:
            yield Problem(f"must be more than {least - 1} characters", pointer)
        elif len(value) > most:
            yield Problem(f"must be less than {most + 1} characters", pointer)
        elif pattern is not None and not re.fullmatch(pattern, value):
            yield Problem("failed to match all allowed schemas", pointer)

    return check


def flag(value: Any, pointer: str) -> Iterator[Problem]:
    """Demand true or false."""
    if not isinstance(value, bool):
        yield Problem("must be a boolean", pointer)


def integer(least: int, most: int) -> Check:
    """Demand a whole number between two ends, which count."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem("must be an integer", pointer)
        elif not least <= value <= most:
            yield Problem(f"must be between {least} and {most}", pointer)

    return check


def one_of(*words: str) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if value not in words:
            yield Problem(f"must be a valid enum value: {', '.join(words)}", pointer)

    return check


def anything(_value: Any, _pointer: str) -> Iterator[Problem]:
    """Let a part pass that the sandbox does not look into."""
    yield from ()


def listing(item: Check, *, most: int, least: int = 1) -> Check:
    """Demand a list of *least* to *most* items, each passing *item*."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem("must be an array", pointer)
            return
        if len(value) > most:
            yield Problem(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            yield Problem(f"no fewer than {least} items allowed", pointer)
        for index, one in enumerate(value):
            yield from item(one, f"{pointer}/{index}")

    return check


def shape(
    required: dict[str, Check] | None = None,
    optional: dict[str, Check] | None = None,
    *,
    rules: tuple[Check, ...] = (),
) -> Check:
    """Demand an object with these keys and no others. *rules* look at several keys together."""
    needed = required or {}
    known = needed | (optional or {})

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem("must be an object", pointer)
            return
        for key in needed:
            if value.get(key) is None:
                yield Problem(f"missing required field: {key}", pointer)
        for key, part in value.items():
            if key not in known and key != "type":
                yield Problem(f"invalid additional property: {key}", pointer)
            elif key != "type" and part is not None:
                yield from known[key](part, f"{pointer}/{key}")
        for rule in rules:
            yield from rule(value, pointer)

    return check


def exactly_one(*keys: str) -> Check:
    """Demand one of *keys*, and not two."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        given = [key for key in keys if value.get(key) is not None]
        if len(given) != 1:
            yield Problem(f"must define exactly one of: {', '.join(keys)}", pointer)

    return check


def by_type(table: dict[str, Check]) -> Check:
    """Demand an object whose `type` is in *table*, and the check that stands there."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in table:
            yield Problem(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            yield from table[kind](value, pointer)

    return check


def text_object(most: int, *kinds: str, least: int = 1) -> Check:
    """Demand a text object of one of *kinds*; without any, plain text or mrkdwn."""
    words = {"text": string(most, least=least)}
    both = {
        "plain_text": shape(words, {"emoji": flag}),
        "mrkdwn": shape(words, {"verbatim": flag}),
    }
    return by_type({kind: both[kind] for kind in kinds or both})


def plain(most: int) -> Check:
    return text_object(most, "plain_text")
