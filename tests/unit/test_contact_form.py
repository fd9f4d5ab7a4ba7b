"""What people write into the forms of the address book, and what becomes of it."""

import pytest

from bot.reading.contact_form import ContactFormProblem, NewContact, parse_add_form, parse_edit_form

JANE = "+15551234567"


@pytest.mark.parametrize(
    ("name", "address", "tags", "read"),
    [
        pytest.param("Jane Doe", "(555) 123-4567", "vip, new", NewContact(JANE, "Jane Doe", ("vip", "new")), id="all"),
        pytest.param("", "Pat@X.example", "", NewContact("pat@x.example", None, ()), id="an email address alone"),
        pytest.param(" José\n:cherry_blossom: ", JANE, "", NewContact(JANE, "José 🌸", ()), id="an emoji"),
        pytest.param("a <b> & &amp; c", JANE, "<b>", NewContact(JANE, "a <b> & &amp; c", ("<b>",)), id="no markup"),
    ],
)
def test_a_new_contact(name: str, address: str, tags: str, read: NewContact) -> None:
    """The number as `/contact add` reads it, names and tags as they were written."""
    assert parse_add_form(name, address, tags, region="US") == read


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Each under its field."""
    with pytest.raises(ContactFormProblem) as caught:
        parse_add_form("x" * 256, " ", "y" * 51, region="US")
    assert caught.value.of == {
        "name": "That is too long for a name: it can have 255 characters.",
        "address": "There is no number yet. Write a phone number or an email address here.",
        "tags": "That is too long for a tag: it can have 50 characters.",
    }
    assert "x" not in str(caught.value)


def test_what_was_there_before_may_be_longer() -> None:
    """Whoever changes a tag is not told that the name is too long; a name is read once, when it is written."""
    long = ":wave: " * 50
    assert parse_edit_form(long, "vip", name_before=long, tags_before=()) == (long, ("vip",))
    assert parse_edit_form("", "", name_before="Jane", tags_before=("vip",)) == (None, ())
    assert parse_edit_form("", "", name_before=None, tags_before=()) == (None, ())
