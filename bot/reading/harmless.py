"""
What strangers wrote, made fit to be shown: pure.

Their words are kept as they came. What is shown of them can neither hide something, nor turn the text around it, nor
pile up over other people's words, nor push them off the screen. It stays text: nothing in it is read as markup.
"""

import re
from unicodedata import category

#: So much of a text is looked at; none that a person writes is as long.
_LONGEST = 100_000

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")

#: Marks above and below one letter, as any script needs them; and the tags in one flag, 🏴󠁧󠁢󠁳󠁣󠁴󠁿.
_MOST_MARKS = 4
_MOST_TAGS = 7
_FLAG, _TAGS = "\U0001f3f4", range(0xE0020, 0xE0080)

#: Invisible characters that join or part letters, or turn a word: one stands between two letters. All others go.
_JOINERS = "\u200c\u200d\u200e\u200f\u061c"

#: Signs that are written before a number in Arabic scripts: invisible by their category, but not on the screen.
_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")

#: What turns the text after it around, and what ends that. One that would turn letters themselves is no use to anybody.
_OPEN = {"\u202a": "\u202c", "\u202b": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
_CLOSE = frozenset(_OPEN.values())
_OVERRIDES = frozenset("\u202d\u202e")
_TURNING = _CLOSE | _OVERRIDES | frozenset(_OPEN)
_MOST_OPEN = 4

#: What looks blank: white space, and letters that show nothing.
_BLANK = r"(?:[^\S\n]|[\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0])"
_AT_LINE_END = re.compile(rf"{_BLANK}+$", re.MULTILINE)
_LONG_BLANK = re.compile(rf"{_BLANK}{{17,}}")
_BLANKS = re.compile(rf"(?:{_BLANK}|\n)+")
_EMPTY_LINES = re.compile(r"\n{4,}")
_STRAY_JOINER = re.compile(rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)")

#: Where Slack would begin or end bold and the like, a mention, an emoji, a link; and what looks the same and is not.
_MARKUP = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)")
_LOOK_ALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"}
_MENTION = re.compile(r"(?<!\w)([@#])(?=\w)")
_SHORTCODE = re.compile(r":(?=[\w+-]+:)")
_LINK = re.compile(r"(?<=[\w-])(?=\.[^\W\d_]{2})|(?<=:)(?=//)")
_JOINED = "\u2060"  # shows nothing, and nothing is recognised across it


def cleaned(text: str) -> str:
    """
    Return what is shown of *text*, line for line.

    Gone are control characters, invisible ones, direction marks without an end, and what exceeds four marks on a
    letter, two empty lines, or a wide gap. It may be empty.
    """
    text = _LINE_ENDS.sub("\n", text[:_LONGEST]).replace("\t", " ")
    text = "\n".join(_balanced(line) for line in _visible(text).split("\n"))
    text = _LONG_BLANK.sub(" " * 16, _STRAY_JOINER.sub("", text))  # first: a long one costs its square to look behind
    return _EMPTY_LINES.sub("\n\n\n", _AT_LINE_END.sub("", text)).strip("\n")


def one_line(text: str, limit: int) -> str:
    """Return what is shown of *text* where there is one line, in *limit* characters."""
    line = " ".join(_BLANKS.split(cleaned(text))).strip()
    return line if _end(line, limit) == len(line) else line[: cut(line, limit - 1)].rstrip() + "…"


def inert(text: str) -> str:
    """
    Return *text*, which is one line, so that Slack finds nothing in it where it looks for mentions, emoji and links.

    It reads the same. The three characters of Slack's markup still have to be escaped.
    """
    return _LINK.sub(_JOINED, _SHORTCODE.sub(f":{_JOINED}", _MENTION.sub(rf"\1{_JOINED}", text)))


def name(text: str, limit: int) -> str:
    """Return what somebody is called, as it is shown wherever Slack looks for markup; it may be empty."""
    return inert(_MARKUP.sub(lambda mark: _LOOK_ALIKES[mark[0]], one_line(text, limit)))


def cut(text: str, limit: int) -> int:
    """
    Say after how many characters to cut *text* so that *limit* are left, an emoji counted as two.

    Not within a letter and its marks or an emoji of several; at a line's end or between words, if one is near.
    """
    end = _end(text, limit)
    if end == len(text):
        return end
    for mark in ("\n", " "):
        near = text.rfind(mark, end - limit // 5, end)
        if near > 0:
            return near + 1
    apart = end
    while apart > max(0, end - 2 * _MOST_TAGS) and _belongs(text[apart - 1], text[apart]):
        apart -= 1
    return apart or end


def _end(text: str, limit: int) -> int:
    """Say how many characters of *text* are *limit* at most, counted as browsers count them."""
    return len(text[:limit].encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore"))


def _belongs(before: str, char: str) -> bool:
    """Say whether *char* is one with what stands before it."""
    return before == "\u200d" or char == "\u200d" or category(char) in {"Mn", "Me", "Sk"} or ord(char) in _TAGS


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = tags = 0
    for char in text:
        kind = category(char)
        if kind in {"Mn", "Me"}:
            marks += 1
            if marks <= _MOST_MARKS and kept and not kept[-1].isspace():
                kept.append(char)
        elif char in _JOINERS:
            if kept and kept[-1] not in _JOINERS:
                kept.append(char)
        elif char in _TURNING:
            kept.append(char)
        elif ord(char) in _TAGS:
            tags -= 1
            if tags >= 0:
                kept.append(char)
        elif char == "\n" or char in _SIGNS or not (kind in {"Cc", "Cf", "Cs"} or _is_noncharacter(char)):
            kept.append(char)
            marks, tags = 0, _MOST_TAGS if char == _FLAG else 0
    return "".join(kept)


def _is_noncharacter(char: str) -> bool:
    """One that is only not assigned yet is probably an emoji of next year."""
    last_two = 0xFFFE  # of each plane
    return ord(char) & last_two == last_two or "\ufdd0" <= char <= "\ufdef"


def _balanced(line: str) -> str:
    """Keep what turns text around only where the same line ends it."""
    if _TURNING.isdisjoint(line):
        return line
    chars, opened = list(line), list[int]()
    for place, char in enumerate(line):
        if char in _OPEN and len(opened) < _MOST_OPEN:
            opened.append(place)
        elif char in _CLOSE and opened and _OPEN[line[opened[-1]]] == char:
            opened.pop()
        elif char in _TURNING:
            chars[place] = ""
    for place in opened:
        chars[place] = ""
    return "".join(chars)
