"""Input that nobody should send: JSON and words gone wrong by lot, the same ones for the same seed, and made small."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.hostile import TEXTS

#: Where something stands in a value: keys and places from the outside in.
Path = tuple[str | int, ...]

#: Words that stand for something to somebody: to JSON, to Python, to PostgreSQL, to Slack, to a file system.
WORDS = (
    *("", " ", "\n", "0", "-1", "1", "²", "٣", "１２", "1e999", "NaN", "Infinity", "null", "None", "true", "[]", "{}"),
    *("\0", "a\0b", "\ud800", "\udc00\ud800", "a\ud83db", "\u2028", "\ufeff", "\U0010ffff", "\x1b[31m", "\u202e"),
    *(
        '"',
        "'",
        "\\",
        "'; DROP TABLE people; --",
        "%s",
        "%(x)s",
        "{0}",
        "{who}",
        "$1",
        "../../etc/passwd",
        "%00",
        "%2B",
    ),
    *("9" * 400, "1" * 5_000, "-" + "9" * 40, "1700000000.000100", "9" * 30 + ".1", ":", "::", "a:b:c", "@", "#", "!"),
    *(
        "<!channel>",
        "<@U0ANAALVARE>",
        "<@>",
        "<#C1|>",
        "<tel:+1|x>",
        "<mailto:|>",
        "<",
        ">",
        "&amp;lt;",
        "```",
        "/text",
    ),
    *("+", "+1", "+15551234567", "+1555123456789012", "jane@example.com", "@.", "a@b", "911", "٠١٢٣٤٥٦٧٨٩", "+" * 50),
    *("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g", "urn:uuid:x", "{" * 40),
    *('{"here": 5}', '{"here": null, "address": []}', "[" * 30_000, '{"a":' * 3_000, "1" + "0" * 5_000, "en_US", "C"),
    *("grp_1", "STOP", "stop!", "help", "report 30d csv", "settings", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00Z"),
    *("2026-02-30", "2026-01-02T03:04:05+99:99", "http://", "http://[", "javascript:alert(1)", "x" * 300, "ß" * 2_001),
)

#: What is no words.
THINGS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 0.5, -0.0, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63, 2**64),
    *(10**18, 10**30, -(10**30), 10**400, 253_402_300_800, 253_402_300_800_000, -62_135_596_801, 1e11, 99_999_999_999),
    *([], {}, [None], [[]], [{}], {"": None}, {"id": None}, {"value": {}}, {"identifier": 5}, ["", 0], [[[[[]]]]]),
)

#: Names that mean something in one of the requests: added where they do not belong.
NAMES = (
    *(
        "type",
        "event",
        "id",
        "user",
        "team",
        "channel",
        "view",
        "state",
        "values",
        "actions",
        "value",
        "blocks",
        "text",
    ),
    *("message", "container", "subtype", "thread_ts", "ts", "edited", "files", "data", "sender", "direction", "group"),
    *("bot_id", "command", "payload", "authorizations", "is_enterprise_install", "enterprise", "trigger_id", "item"),
    *("error", "error_code", "reply_to", "attachments", "status", "protocol", "is_group", "group_id", "ssl_check"),
)

_MEGABYTE = 1_000_000


class Lots:
    """Chances, the same ones for the same name."""

    def __init__(self, *names: object) -> None:
        self.random = random.Random("/".join(map(str, names)))

    def one(self, of: Sequence[Any]) -> Any:
        return of[self.random.randrange(len(of))]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def count(self, most: int) -> int:
        """Draw a number from 1 to *most*, a small one more often."""
        return min(self.random.randint(1, most), self.random.randint(1, most))


def word(lots: Lots) -> str:
    """Draw words: odd ones, hostile ones, several of them, now and then a great many."""
    kind = lots.random.random()
    if kind < 0.5:
        return str(lots.one(WORDS))
    if kind < 0.7:
        return str(lots.one(list(TEXTS.values())))
    if kind < 0.95:
        return "".join(str(lots.one(WORDS))[:60] for _ in range(lots.count(6)))
    alphabet = lots.one(
        ("a", "1", " ", ":", "<", "@", "a@", "\0", "\ud800", "&amp;", "+1 ", "é", "😀", "\n", "*_", "a.")
    )
    return str(alphabet * lots.one((100, 3_000, 3_001, 40_000 // len(alphabet))))


def thing(lots: Lots) -> Any:
    """Draw anything that JSON can say, and a little more."""
    kind = lots.random.random()
    if kind < 0.45:
        return word(lots)
    if kind < 0.9:
        return copy.deepcopy(lots.one(THINGS))
    if kind < 0.93:
        return deep(lots.one((10, 45, 60, 100)), lots.one(([], {})))
    if kind < 0.95:
        return [thing(lots) for _ in range(lots.count(5))]
    if kind < 0.97:
        return [str(lots.one(WORDS))[:20]] * lots.one((101, 3_000))
    return {str(lots.one(NAMES)): thing(lots) for _ in range(lots.count(5))}


def deep(levels: int, kind: Any) -> Any:
    """Nest lists, or objects, in each other; `broken` does it beyond what Python reads."""
    value: Any = kind
    for _ in range(levels):
        value = [value] if isinstance(kind, list) else {"a": value}
    return value


def mangled(text: str, lots: Lots) -> str:
    """Put something into words, take something out of them, or turn them around."""
    at, to = sorted((lots.random.randint(0, len(text)), lots.random.randint(0, len(text))))
    return str(
        lots.one(
            (
                text[:at] + word(lots) + text[at:],
                text[:at] + word(lots) + text[to:],
                text[:at] + text[to:],
                text[at:to],
                text * lots.count(4),
                text[::-1],
                text.swapcase(),
                word(lots) + text,
                text + word(lots),
            )
        )
    )


def mutated(value: Any, lots: Lots, *, most: int = 4) -> Any:
    """Return *value* with some things in it gone wrong; now and then none."""
    value = copy.deepcopy(value)
    if lots.chance(0.03):
        return value
    for _ in range(lots.count(most)):
        places = list(walk(value))
        path = lots.one(places)
        if not path:
            if lots.chance(0.1):
                return thing(lots)
            path = lots.one(places)
        if path:
            _go_wrong(value, path, lots, places)
    return value


def _go_wrong(value: Any, path: Path, lots: Lots, places: Sequence[Path]) -> None:
    inside, name = at(value, path[:-1]), path[-1]
    old = inside[name]
    match lots.random.randrange(9):
        case 0 | 1:
            inside[name] = thing(lots)
        case 2:
            inside[name] = mangled(old, lots) if isinstance(old, str) else word(lots)
        case 3:
            del inside[name]
        case 4 if isinstance(inside, dict):
            inside[str(lots.one(NAMES))] = lots.one((old, thing(lots)))
        case 5 if isinstance(inside, dict):
            inside[word(lots) if lots.chance(0.5) else str(lots.one(NAMES))] = inside.pop(name)
        case 6:
            inside[name] = lots.one(([old], {"id": old}, [old, old], str(old), {"value": old}))
        case 7:
            inside[name] = copy.deepcopy(at(value, lots.one(places)))
        case _ if isinstance(inside, list):
            inside.append(copy.deepcopy(old))
        case _ if isinstance(old, str):
            inside[name] = mangled(old, lots)
        case _:
            inside[name] = lots.one(THINGS)


def walk(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where everything in *value* stands, itself included; very deep things only from above."""
    yield path
    if len(path) > 40:
        return
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield from walk(one, (*path, name))


def at(value: Any, path: Path) -> Any:
    for name in path:
        value = value[name]
    return value


def written(value: Any) -> bytes:
    """Write JSON as vendors do, halves of characters and all. What Python cannot write, as nobody can, is nothing."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 100_000


def broken(body: bytes, lots: Lots) -> bytes:
    """Break the bytes themselves."""
    at = lots.random.randint(0, len(body))
    return bytes(
        lots.one(
            (
                body[:at],
                body[at:],
                body[:at] + lots.random.randbytes(lots.count(8)) + body[at:],
                body + b"\0" * lots.count(9),
                body.decode(errors="replace").encode("utf-16"),
                b"\xef\xbb\xbf" + body,
                body.replace(b'"', b"'"),
                b"[" * lots.one((1_000, 100_000)),
                b'{"a":' * 50_000,
                b"\xff" * lots.count(50),
                body + b" " * (_MEGABYTE - len(body) - lots.random.randint(-2, 2)),
                b"1" * 10_000,
                b"",
            )
        )
    )


def smaller(value: Any, fails: Callable[[Any], bool], *, tries: int = 600) -> Any:
    """Make a value as small as it can be and still fail: leave things out, then put plain ones in their place."""
    left = tries
    goes_on = True
    while goes_on and left > 0:
        goes_on = False
        for path in sorted(walk(value), key=len):
            for candidate in _simpler(value, path):
                left -= 1
                if left <= 0:
                    return value
                if fails(candidate):
                    value, goes_on = candidate, True
                    break
            if goes_on:
                break
    return value


def _simpler(value: Any, path: Path) -> Iterator[Any]:
    try:
        old = at(value, path)
    except (LookupError, TypeError):
        return
    if path:
        candidate = copy.deepcopy(value)
        del at(candidate, path[:-1])[path[-1]]
        yield candidate
    plain = "" if isinstance(old, str) else 0 if isinstance(old, int | float) else type(old)() if old else old
    replacements: list[Any] = [] if old == plain else [plain]
    if isinstance(old, str) and len(old) > 1:
        half = len(old) // 2
        replacements += [old[:half], old[half:]]
    for one in replacements:
        if not path:
            yield one
            continue
        candidate = copy.deepcopy(value)
        at(candidate, path[:-1])[path[-1]] = one
        yield candidate
