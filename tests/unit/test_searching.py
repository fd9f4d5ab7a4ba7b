"""How names and numbers are looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reading.searching import folded, searchable, wanted


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        pytest.param("José  MÜLLER ", "jose muller", id="case, accents and spaces"),
        pytest.param("Straße", "strasse", id="a letter that folds into two"),
        pytest.param("Ἀθηνᾶ", "αθηνα", id="Greek with its marks"),
        pytest.param("Владимир", "владимир", id="Cyrillic"),
        pytest.param("محمد", "محمد", id="right to left"),
        pytest.param("王小明", "王小明", id="no spaces between names"),
        pytest.param("가나", "가나", id="syllables stay whole"),
        pytest.param("Jane 🌸", "jane 🌸", id="a flower"),
    ],
)
def test_what_looks_different_and_is_the_same(text: str, bare: str) -> None:
    """Nobody types accents into a search field."""
    assert folded(text) == bare


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        pytest.param("jane do", ["jane", "do"], id="words in any order"),
        pytest.param("(555) 123-45", ["55512345"], id="a part of a number, however it is written"),
        pytest.param("+1 555", ["1555"], id="with its country"),
        pytest.param("pat@example.test", ["pat@example.test"], id="an email address"),
        pytest.param("#VIP", ["#vip"], id="a tag"),
        pytest.param("  ", [], id="nothing"),
    ],
)
def test_all_parts_have_to_be_found(typed: str, parts: list[str]) -> None:
    """What was typed is cut into what has to be there."""
    assert wanted(typed) == parts


def test_a_contact_is_found_by_all_it_has() -> None:
    """Each word begins after a space, so that beginnings can be told from middles."""
    assert searchable("Jane Doe", "+15551234567", ("VIP", "west coast")) == " jane doe +15551234567 #vip #west coast"
    assert searchable(None, "pat@example.test", ()) == " pat@example.test"


@given(st.text())
def test_folding_is_done_once(text: str) -> None:
    """What is stored and what is typed meet in the middle."""
    assert folded(folded(text)) == folded(text)
