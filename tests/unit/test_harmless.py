"""What strangers wrote, as it is shown: nothing hides, turns around, piles up or runs off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reading.harmless import cleaned, cut, inert, name, one_line

FAMILY = "👨\u200d👩\u200d👧"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("See you at 5! Ça va? Добре. 好的。", id="plain words"),
        pytest.param("First\n\n  second, indented\nthird", id="lines"),
        pytest.param(f"{FAMILY} {SCOTLAND} 🇩🇪 1️⃣ 👍🏽 🏳️\u200d🌈", id="emoji of several characters"),
        pytest.param("\U0001faf8 \U0001fae9", id="emoji newer than our tables"),
        pytest.param("می\u200cخواهم", id="a word that a joiner parts"),
        pytest.param("שָׁלוֹם", id="vowels below letters"),
        pytest.param("ที่นี่ น้ำ", id="Thai marks"),
        pytest.param("The \u2067שלום\u2069 sign", id="a word turned, and ended"),
        pytest.param("\u202a+1 555 123 4567\u202c", id="a number copied on a phone"),
        pytest.param("\u0600\u0661\u0662", id="a sign before Arabic digits"),
        pytest.param("\uf8ff", id="the apple that only Apple has"),
    ],
)
def test_what_people_write_is_shown_as_they_wrote_it(written: str) -> None:
    """No language and no emoji is harmed."""
    assert cleaned(written) == written


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("a\x00b\x07c\x1bd\x7fe", "abcde", id="control characters"),
        pytest.param("a\r\nb\rc\u2028d\u2029e\x0bf\x85g", "a\nb\nc\nd\ne\nf\ng", id="all kinds of line ends"),
        pytest.param("a\tb", "a b", id="a tab"),
        pytest.param("pay\u202egnp.exe", "paygnp.exe", id="an override"),
        pytest.param("\u202dabc\u202c", "abc", id="an override that is ended"),
        pytest.param("\u2067abc\nnext line", "abc\nnext line", id="an isolate left open"),
        pytest.param("abc\u2069\u202c", "abc", id="ends without a beginning"),
        pytest.param("\u2067a\u202ab\u2069c\u202c", "a\u202abc\u202c", id="crossed"),
        pytest.param("\u2066" * 50 + "x" + "\u2069" * 50, "\u2066" * 4 + "x" + "\u2069" * 4, id="nested without end"),
        pytest.param("in\u200bvis\u2060ib\ufeffle\u00ad", "invisible", id="zero width"),
        pytest.param("a" + "\u200d" * 9_000 + "b", "a\u200db", id="a flood of joiners"),
        pytest.param("a\u200e\u200f\u200e\u200fb", "a\u200eb", id="a flood of direction marks"),
        pytest.param("H\u0335\u0321\u0322\u0323\u0324\u0325e", "H\u0335\u0321\u0322\u0323e", id="marks upon marks"),
        pytest.param(
            "a" + "\u0301\u200d" * 30, "a\u0301\u200d\u0301\u200d\u0301\u200d\u0301", id="marks between joiners"
        ),
        pytest.param("\u0301\u0302start", "start", id="marks on nothing"),
        pytest.param("a" + "\n" * 5_000 + "b", "a\n\n\nb", id="line breaks"),
        pytest.param("a" + "\n\u200d \u3164" * 5_000 + "\nb", "a\n\n\nb", id="lines that look empty"),
        pytest.param("a" + " " * 9_000 + "b", "a" + " " * 16 + "b", id="a gap"),
        pytest.param("a" + "\u2800" * 9_000 + "b", "a" + " " * 16 + "b", id="a gap of blank letters"),
        pytest.param("\n\n  \n", "", id="nothing"),
        pytest.param("\u3164\u200b\u2800", "", id="nothing that can be seen"),
        pytest.param("x\U000e0041\U000e0042", "x", id="hidden tags"),
        pytest.param("🏴" + "\U000e0041" * 90, "🏴" + "\U000e0041" * 7, id="a flag of many tags"),
        pytest.param("a\ud800b\uffffc\ufdd0d", "abcd", id="what is no character"),
    ],
)
def test_what_serves_to_deceive_is_not_shown(written: str, shown: str) -> None:
    """It is kept in the row; only the drawing leaves it out."""
    assert cleaned(written) == shown


@given(st.text(st.characters(), max_size=400))
def test_cleaning_settles_at_once(written: str) -> None:
    """What was cleaned is clean, and can be sent to Slack."""
    shown = cleaned(written)
    assert cleaned(shown) == shown
    shown.encode()
    assert "\n\n\n\n" not in shown


@pytest.mark.parametrize(
    "flood", ["x", " ", "\u3164", "\n", " \n", "\u200d", "\u0301", "\u2067", "\u2069", ":a", "_*", "\r"]
)
def test_a_text_of_a_million_characters(flood: str) -> None:
    """No more is looked at than anybody writes, and each character of it a few times."""
    text = "a" + flood * (1_000_000 // len(flood)) + "b"
    assert len(cleaned(text)) <= 100_000
    assert len(one_line(text, 80)) <= 80
    assert len(name(text, 80).replace("\u2060", "")) <= 80


@pytest.mark.parametrize(
    ("written", "limit", "shown"),
    [
        pytest.param(" Jane \n\n  Doe ", 80, "Jane Doe", id="lines and gaps"),
        pytest.param("On my way to the shop", 12, "On my way…", id="between words"),
        pytest.param("😀" * 10, 10, "😀😀😀😀…", id="emoji count as two"),
        pytest.param("😀" * 5, 10, "😀" * 5, id="that just fits"),
        pytest.param("\u200b", 80, "", id="nothing"),
    ],
)
def test_one_line(written: str, limit: int, shown: str) -> None:
    """A name and a quote have one line, of a length that is known."""
    assert one_line(written, limit) == shown


@pytest.mark.parametrize(
    ("written", "limit", "first"),
    [
        pytest.param("short", 80, "short", id="fits"),
        pytest.param("one two three four five", 15, "one two three ", id="between words"),
        pytest.param("x" * 20, 10, "x" * 10, id="one long word"),
        pytest.param("😀" * 20, 10, "😀" * 5, id="emoji"),
        pytest.param("ab" + FAMILY * 4, 8, "ab", id="not within a family"),
        pytest.param("abcdefgh" + "e\u0301\u0302\u0303", 10, "abcdefgh", id="not between a letter and its marks"),
    ],
)
def test_cutting(written: str, limit: int, first: str) -> None:
    """Where a text is cut no letter and no emoji is."""
    assert written[: cut(written, limit)] == first


@given(st.text(min_size=1, max_size=100), st.integers(2, 40))
def test_cutting_gets_on(written: str, limit: int) -> None:
    """Whatever was written is cut in pieces that fit, and all of it."""
    parts, rest = [], written
    while rest:
        end = cut(rest, limit)
        assert end > 0
        parts.append(rest[:end])
        rest = rest[end:]
    assert "".join(parts) == written
    assert all(len(part.encode("utf-16-le", "replace")) <= 2 * limit for part in parts)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("Jane Doe", "Jane Doe", id="a name"),
        pytest.param("J.R. O'Neill-Müller", "J.R. O'Neill-Müller", id="a name with marks in it"),
        pytest.param("*Jane* _Doe_ ~x~ `y`", "∗Jane∗ ˍDoeˍ ∼x∼ ˋyˋ", id="formatting"),
        pytest.param("jane_doe*2", "jane_doe*2", id="marks within a word format nothing"),
        pytest.param("@channel", "@\u2060channel", id="a mention"),
        pytest.param(":smile:", ":\u2060smile:", id="an emoji's name"),
        pytest.param("bank.example", "bank\u2060.example", id="a domain"),
        pytest.param("https://x.com/y", "https:\u2060//x\u2060.com/y", id="an address"),
        pytest.param("  \u200b ", "", id="nothing"),
    ],
)
def test_names(written: str, shown: str) -> None:
    """A name formats nothing, mentions nobody and leads nowhere, and reads as it was written."""
    assert name(written, 80) == shown


def test_inert_text_keeps_its_words() -> None:
    """A notification reads as the text does."""
    assert inert("Mail me at jane_doe@home, it's 12:30").replace("\u2060", "") == "Mail me at jane_doe@home, it's 12:30"
