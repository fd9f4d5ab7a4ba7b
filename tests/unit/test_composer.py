"""The form to write a text in, as a value."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.blocks.composer import OurLine, Writing, cut, new_text, option, outlook, read_writing, suggested
from bot.blocks.mrkdwn import isolated, shortened
from bot.texting.model import Address, Capabilities, Contact

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JANE = Address("+15551234567")
CHOSEN = {"text": {"type": "plain_text", "text": "Jane Doe · +1 555-123-4567"}, "value": JANE}


def as_slack_has_it(view: dict[str, Any], **values: dict[str, Any]) -> dict[str, Any]:
    """Give the form back with these values in its inputs."""
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    state = {one["block_id"]: {one["element"]["action_id"]: values.get(one["block_id"], {})} for one in inputs}
    return {"private_metadata": view["private_metadata"], "state": {"values": state}}


def test_what_stands_in_the_form_is_read_back() -> None:
    """Also what it does not show."""
    view = new_text(Writing("C1", "C1", cut=True), [OurLine("+1", reply_only=False), OurLine("+2", reply_only=True)])
    given = as_slack_has_it(
        view,
        to={"selected_option": CHOSEN},
        message={"value": "Hi"},
        line={"selected_option": {"value": "+2"}},
        home={"selected_conversation": "C2"},
    )
    assert read_writing(given) == Writing("C1", "C2", chosen=CHOSEN, message="Hi", cut=True, line="+2")


def test_what_is_missing_is_none() -> None:
    """Slack gives null for what nobody filled in; and the place is asked only where there is no thread yet."""
    view = new_text(Writing("C1", "C1", thread_in="C3"), [])
    assert [block.get("block_id") for block in view["blocks"]] == ["to", None, "message"]
    given = as_slack_has_it(view, to={"selected_option": None}, message={"value": None})
    assert read_writing(given) == Writing("C1", "C1")


def test_a_form_is_drawn_again_with_the_same_inputs() -> None:
    """Slack keeps what was written where block, action and type are the same, and the cursor is left alone."""
    first = new_text(Writing(None), [], new=True)
    again = new_text(Writing(None, chosen=CHOSEN, message="Hi", outlook="🔵"), [])

    def inputs(view: dict[str, Any]) -> list[tuple[str, str, str]]:
        found = [block for block in view["blocks"] if block["type"] == "input"]
        return [(one["block_id"], one["element"]["action_id"], one["element"]["type"]) for one in found]

    assert inputs(first) == inputs(again)
    assert "focus_on_load" in str(first)
    assert "focus_on_load" not in str(again)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("Jane Doe", "Jane Doe · +1 555-123-4567", id="a name"),
        pytest.param(None, "+1 555-123-4567", id="no name"),
        pytest.param(" \n ", "+1 555-123-4567", id="a blank name"),
        pytest.param("Jane\n Doe", "Jane Doe · +1 555-123-4567", id="two lines"),
        pytest.param("محمد", "\u2068محمد\u2069 · +1 555-123-4567", id="right to left"),
    ],
)
def test_an_option(name: str | None, text: str) -> None:
    """Slack's one line, with the number in its place."""
    assert option(JANE, name) == {"text": {"type": "plain_text", "text": text}, "value": JANE}


@pytest.mark.parametrize("name", ["x" * 255, "م" * 255, "🎉" * 255, "👩‍👩‍👧" * 60, "é" * 255, "x " * 127])
@pytest.mark.parametrize("address", [JANE, "a" * 60 + "@" + "b" * 70 + ".example"])
def test_an_option_fits(name: str, address: str) -> None:
    """75 characters as a browser counts them, however long name and address are."""
    offered = option(Address(address), name)
    assert offered is not None
    assert len(offered["text"]["text"].encode("utf-16-le")) <= 2 * 75
    assert "…" in offered["text"]["text"]


def test_the_number_that_was_typed_comes_first() -> None:
    """Unless it is somebody's, or longer than Slack takes."""
    jane = Contact(JANE, "Jane Doe")
    assert [one["text"]["text"] for one in suggested([jane], Address("+15557654321"))] == [
        "Text +1 555-765-4321",
        "Jane Doe · +1 555-123-4567",
    ]
    assert [one["value"] for one in suggested([jane], JANE)] == [JANE]
    assert suggested([], Address("a" * 200 + "@b.example")) == []
    assert suggested([Contact(Address("a" * 200 + "@b.example"), "Al")], None) == []


@pytest.mark.parametrize(
    ("address", "imessage", "sms", "words"),
    [
        (JANE, True, None, "🔵 iMessage available"),
        (JANE, False, True, "🟢 Will go as SMS"),
        (JANE, False, None, "🟢 Will go as SMS"),
        (JANE, False, False, "Blooio says that this number can get neither iMessage nor SMS."),
        (JANE, None, True, "Can't be checked now. It goes on the best channel all the same."),
        ("a@b.example", True, None, "🔵 iMessage available"),
        ("a@b.example", False, True, "Blooio says that this address has no iMessage. An email address gets"),
    ],
)
def test_what_will_happen(address: str, imessage: bool | None, sms: bool | None, words: str) -> None:
    """Unknown is not no."""
    assert outlook(Address(address), Capabilities(imessage, sms, NOW)).startswith(words)


def test_nothing_is_known_of_a_stranger() -> None:
    assert outlook(JANE, None).startswith("Can't be checked now.")


def test_a_message_is_cut_as_a_browser_counts() -> None:
    """Slack's own bound of the field is 2,000."""
    assert cut("x" * 2000) == ("x" * 2000, False)
    assert cut("x" * 2001) == ("x" * 2000, True)
    assert cut("🎉" * 1001) == ("🎉" * 1000, True)


def test_the_form_remembers_little() -> None:
    """Slack keeps 3,000 characters for us: a long message is not among them."""
    view = new_text(Writing("C1", "C1", message="x" * 2000), [])
    assert json.loads(view["private_metadata"]) == {"here": "C1", "home": "C1", "cut": False}


def test_short_lines() -> None:
    """Nothing ends in half a character, and what fits stays as it is."""
    assert shortened("a  b\nc", 5) == "a b c"
    assert shortened("abcdef", 5) == "abcd…"
    assert shortened("ab 🎉🎉", 6) == "ab 🎉…"
    assert isolated("Jane") == "Jane"
