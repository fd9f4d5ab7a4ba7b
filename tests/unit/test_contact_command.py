"""`/contact` and people by name, as Slack sends them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reading.command import CommandProblem
from bot.reading.contact_command import (
    WORDS,
    AddContact,
    ContactHelp,
    EditContact,
    FindContacts,
    ShowContact,
    TagContact,
    parse_contact_command,
    read_tag_list,
    read_tags,
    write_tag_list,
)
from bot.reading.names import NameReading, name_readings

JANE = "+15551234567"

UNDERSTOOD = [
    pytest.param("", ContactHelp(), id="nothing"),
    pytest.param("help", ContactHelp(), id="help"),
    pytest.param("add", AddContact(None, "", ()), id="a form"),
    pytest.param("add Jane Doe", AddContact(None, "Jane Doe", ()), id="a form with a name"),
    pytest.param("ADD +1 555 123 4567 Jane Doe", AddContact(JANE, "Jane Doe", ()), id="in one line"),
    pytest.param("add Jane Doe +1 555 123 4567", AddContact(JANE, "Jane Doe", ()), id="the name first"),
    pytest.param("add Jane Doe, (555) 123-4567", AddContact(JANE, "Jane Doe", ()), id="as in a signature"),
    pytest.param("add +15551234567", AddContact(JANE, "", ()), id="a number alone"),
    pytest.param("add +15551234567 Jane #vip #west", AddContact(JANE, "Jane", ("vip", "west")), id="with tags"),
    pytest.param("add <tel:+15551234567|555-123-4567> Jane", AddContact(JANE, "Jane", ()), id="a linked number"),
    pytest.param(
        "add <mailto:pat@x.example|pat@x.example> Pat &amp; Co", AddContact("pat@x.example", "Pat & Co", ()), id="email"
    ),
    pytest.param("add José Müller-Ångström +4930123456", AddContact("+4930123456", "José Müller-Ångström", ()), id="é"),
    pytest.param("add 王小明 +8613812345678", AddContact("+8613812345678", "王小明", ()), id="another script"),
    pytest.param("edit jane", EditContact("jane", ""), id="a form about somebody"),
    pytest.param('edit "Jane Doe" Jane Roe', EditContact("Jane Doe", "Jane Roe"), id="another name"),
    pytest.param("rename +15551234567 Jane Roe", EditContact(JANE, "Jane Roe"), id="another name for a number"),
    pytest.param("find jan", FindContacts("jan"), id="find"),
    pytest.param("list", FindContacts(""), id="everybody"),
    pytest.param("show Jane Doe", ShowContact("Jane Doe"), id="show somebody"),
    pytest.param("show +1 555 123 4567", ShowContact(JANE), id="show a number"),
    pytest.param("tag jane vip, #west", TagContact("jane", ("vip", "west"), remove=False), id="tags"),
    pytest.param('tag "Jane Doe" "west coast"', TagContact("Jane Doe", ("west coast",), remove=False), id="two words"),
    pytest.param(
        "tag Jane <#C123|support>", TagContact("Jane", ("support",), remove=False), id="a channel of that name"
    ),
    pytest.param(
        'add +15551234567 Jane #"west coast" #vip', AddContact(JANE, "Jane", ("west coast", "vip")), id="a quoted tag"
    ),
    pytest.param('edit jane "Jane Roe"', EditContact("jane", "Jane Roe"), id="a new name in quotes"),
    pytest.param("list\njan", FindContacts("jan"), id="a line break"),
    pytest.param("untag +15551234567 vip", TagContact(JANE, ("vip",), remove=True), id="a tag less"),
]

REFUSED = [
    pytest.param("dance", "unknown_word", id="a word nobody knows"),
    pytest.param("jane", "unknown_word", id="a name without a verb"),
    pytest.param("edit", "nobody", id="edit nobody"),
    pytest.param("show ", "nobody", id="show nobody"),
    pytest.param("find", "nothing_to_find", id="find nothing"),
    pytest.param("tag jane", "no_tags", id="tag with nothing"),
    pytest.param("add 555-1234 Jane", "impossible_number", id="half a number"),
    pytest.param("add +15551234567 " + "x" * 256, "too_long", id="a name too long"),
    pytest.param("tag jane " + "x" * 51, "too_long", id="a tag too long"),
    pytest.param("show <@U1>", "teammate", id="a teammate"),
    pytest.param("add +15551234567 +15557654321", "several_people", id="two people"),
    pytest.param("tag Jane <#C123|>", "hidden_tag", id="a private channel of that name"),
    pytest.param("show <#C123|support>", "group", id="a channel"),
    pytest.param("tag jane " + " ".join(map(str, range(101))), "too_many_tags", id="too many tags"),
    pytest.param("find " + "x" * 256, "too_long", id="a search too long"),
]


@pytest.mark.parametrize(("typed", "command"), UNDERSTOOD)
def test_understood(typed: str, command: object) -> None:
    """What people type, in the forms in which they type it."""
    assert parse_contact_command(typed, region="US") == command


@pytest.mark.parametrize(("typed", "code"), REFUSED)
def test_refused(typed: str, code: str) -> None:
    """What cannot be done is said with what to do."""
    with pytest.raises(CommandProblem) as refused:
        parse_contact_command(typed, region="US")
    assert refused.value.code == code


PIECES = ["add", "tag", "show", '"Jane"', "Doe", "+15551234567", "#vip", "<", ">", "&", ":", ",", "@x", "x@y.example"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_nothing_surprises_it(typed: str) -> None:
    """Any string is understood, or refused in words."""
    with suppress(CommandProblem):
        parse_contact_command(typed, region="US")


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        pytest.param(
            "jane doe hello",
            [("jane", "doe hello", False), ("jane doe", "hello", False), ("jane doe hello", "", False)],
            id="the end of the name is open",
        ),
        pytest.param('"Jane Doe" hello', [("Jane Doe", "hello", True)], id="quotes end it"),
        pytest.param("“Jane Doe”: hello", [("Jane Doe", "hello", True)], id="curly quotes and a colon"),
        pytest.param("Jane, 10 am?", [("Jane", "10 am?", True)], id="a comma ends it"),
        pytest.param(
            "Jane Doe: hello", [("Jane", "Doe: hello", False), ("Jane Doe", "hello", True)], id="a colon later"
        ),
        pytest.param("o'neil hi", [("o'neil", "hi", False), ("o'neil hi", "", False)], id="an apostrophe is no quote"),
        pytest.param("10:30 hello", [], id="a time is nobody"),
        pytest.param(":wave: hello", [], id="nor is an emoji"),
        pytest.param('"12" hello', [], id="nor are digits in quotes"),
    ],
)
def test_where_a_name_may_end(typed: str, readings: list[tuple[str, str, bool]]) -> None:
    """The book decides which reading is somebody."""
    assert name_readings(typed) == tuple(NameReading(*reading) for reading in readings)


def test_tags_as_people_write_them() -> None:
    """With or without `#`, with commas, in quotes, once each."""
    assert read_tags('vip, #west "north coast" #"big one" VIP vip') == ("vip", "west", "north coast", "big one", "VIP")


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        pytest.param("edit Jane Doe Roe", ["Jane", "Jane Doe", "Jane Doe Roe"], id="each may be the end of the name"),
        pytest.param("tag Jane Doe vip", ["Jane", "Jane Doe"], id="where a tag follows"),
        pytest.param('tag "Jane Doe" vip new', ["Jane Doe"], id="quotes"),
    ],
)
def test_who_is_meant_is_left_open(typed: str, readings: list[str]) -> None:
    """The book decides where a name ends."""
    command = parse_contact_command(typed, region="US")
    assert isinstance(command, EditContact | TagContact)
    assert [reading.name for reading in command.readings] == readings


@pytest.mark.parametrize("code", ["unknown_person", "several_people", "teammate", "group", "unclear_number"])
def test_nothing_here_is_about_a_message(code: str) -> None:
    """What `/text` says of an address has words of its own here."""
    assert "message" not in WORDS[code]
    assert "text a phone" not in WORDS[code].lower()


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        pytest.param("vip, west coast", ("vip", "west coast"), id="between commas"),
        pytest.param(" #vip ;#west coast\nnew", ("vip", "west coast", "new"), id="as people write them"),
        pytest.param('"a, b", c', ("a, b", "c"), id="a comma in quotes"),
        pytest.param("vip, , vip,", ("vip",), id="once each"),
        pytest.param("", (), id="none"),
    ],
)
def test_tags_in_a_field_of_their_own(typed: str, tags: tuple[str, ...]) -> None:
    """Commas are between them, and spaces are not."""
    assert read_tag_list(typed) == tags


TAG = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"“”„«»'), min_size=1, max_size=50)


@given(st.lists(TAG.map(str.strip).filter(bool), unique=True, max_size=20))
def test_tags_are_read_as_they_were_written(tags: list[str]) -> None:
    """A form that is opened and saved changes nothing."""
    assert read_tag_list(write_tag_list(tags), known=tags) == tuple(tags)


def test_what_came_from_elsewhere_may_be_longer() -> None:
    """Nobody is told that a tag is too long that they did not write."""
    assert read_tag_list("x" * 80, known=["x" * 80]) == ("x" * 80,)
    with pytest.raises(CommandProblem):
        read_tag_list("x" * 80)
