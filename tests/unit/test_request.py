"""A request of Slack's before anybody reads it."""

import copy
from typing import Any

import pytest

from bot.reading.request import Unreadable, kind_of, readable, storable

COMMAND = {"command": "/text", "text": "hi", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}
CLICK = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "actions": [{"action_id": "x", "value": "1"}],
}
FORM = {
    "type": "view_submission",
    "user": {"id": "U1"},
    "view": {"id": "V1", "type": "modal", "private_metadata": "", "state": {"values": {"to": {"to": {"value": None}}}}},
}
EVENT = {"type": "event_callback", "event": {"type": "message"}, "authorizations": None}
SHORTCUT = {"type": "shortcut", "user": {"id": "U1"}, "callback_id": "x", "trigger_id": "1.2"}
NEW = {"type": "something_new"}


@pytest.mark.parametrize("body", [COMMAND, CLICK, FORM, EVENT, SHORTCUT, NEW], ids=kind_of)
def test_what_slack_sends_is_let_in(body: dict[str, Any]) -> None:
    """As it came."""
    assert readable(body) == body


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        pytest.param(COMMAND, ("user_id",), None, id="a command of nobody's"),
        pytest.param(COMMAND, ("user_id",), "U" * 256, id="a command of somebody with an id as long as a book"),
        pytest.param(COMMAND, ("text",), ["hi"], id="a command with a list"),
        pytest.param(COMMAND, ("user",), "U1", id="a command with a user that is text"),
        pytest.param(CLICK, ("user",), "U1", id="a user that is text"),
        pytest.param(CLICK, ("actions",), [], id="a click on nothing"),
        pytest.param(CLICK, ("actions", 0, "value"), {}, id="a value that is an object"),
        pytest.param(FORM, ("view", "state"), {}, id="a form without fields"),
        pytest.param(FORM, ("view", "state", "values", "to"), ["to"], id="a field that is a list"),
        pytest.param(FORM, ("view", "private_metadata"), {}, id="a memory that is an object"),
        pytest.param(EVENT, ("event",), "message", id="an event that is text"),
        pytest.param(EVENT, ("authorizations",), ["T1"], id="authorizations that are text"),
        pytest.param(EVENT, ("event", "user"), "U" * 256, id="an event of somebody with an id as long as a book"),
        pytest.param(SHORTCUT, ("trigger_id",), 12, id="a trigger that is a number"),
        pytest.param(NEW, ("actions",), "x", id="something new, with actions that are text"),
        pytest.param(NEW, ("type",), 5, id="no kind at all"),
    ],
)
def test_what_slack_never_sends_is_not(body: dict[str, Any], path: tuple[Any, ...], value: object) -> None:
    """Whoever reads on relies on it."""
    changed: Any = copy.deepcopy(body)
    inside = changed
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    with pytest.raises(Unreadable):
        readable(changed)


def test_what_the_database_cannot_hold_is_left_out() -> None:
    """NUL, and half a surrogate pair, wherever they stand; everything else stays."""
    assert storable({"a\0": ["x\0y", "\ud83d!", "😀é", 5, None]}) == {"a": ["xy", "!", "😀é", 5, None]}


def test_what_is_nested_beyond_reason_is_not_read() -> None:
    """Nobody writes that deep."""
    value: Any = "x"
    for _ in range(40):
        value = [value]
    assert storable(value) == value
    for _ in range(20):
        value = [value]
    with pytest.raises(Unreadable):
        storable(value)


@pytest.mark.parametrize("kind", ["x", "block_actions\n", 5, None, ["shortcut"]])
def test_only_what_we_know_is_named(kind: object) -> None:
    """The name is in logs and figures: nobody can make it up."""
    assert kind_of({"type": kind}) == "unknown"
