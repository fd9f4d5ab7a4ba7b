"""What Slack posts, read as Slack writes it."""

import json
from urllib.parse import urlencode

import pytest

from bot.ingress.web import Malformed, parse

FORM = "application/x-www-form-urlencoded"


def test_a_command_is_a_flat_form() -> None:
    """Empty fields stay, because a command without text has an empty one."""
    raw = urlencode({"command": "/text", "text": "", "user_id": "U1"}).encode()
    assert parse(raw, content_type=FORM) == {"command": "/text", "text": "", "user_id": "U1"}


def test_a_command_about_a_payload_is_a_command() -> None:
    """Bolt's own parser loses it."""
    raw = urlencode({"command": "/text", "text": '+15551234567 payload={"a":1}&payload=x'}).encode()
    assert parse(raw, content_type=FORM)["text"] == '+15551234567 payload={"a":1}&payload=x'


def test_interactivity_is_json_in_a_form() -> None:
    """The form has one field, `payload`."""
    raw = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()
    assert parse(raw, content_type=f"{FORM}; charset=utf-8") == {"type": "block_actions"}


def test_an_event_is_json() -> None:
    """Whatever follows the content type's semicolon."""
    assert parse(b'{"type":"event_callback"}', content_type="application/json; charset=utf-8") == {
        "type": "event_callback"
    }


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        pytest.param(b'{"type":', "application/json", id="half a document"),
        pytest.param(b"[1]", "application/json", id="a list"),
        pytest.param(b"\xff\xfe", "application/json", id="not text"),
        pytest.param(b"[" * 100_000, "application/json", id="very deep"),
        pytest.param(b"payload=%7B", FORM, id="half a payload"),
        pytest.param(b"payload=1", FORM, id="a payload that is a number"),
        pytest.param(b"just words", FORM, id="no form"),
        pytest.param(b"text=\xff", FORM, id="a form that is not text"),
    ],
)
def test_anything_else_is_malformed(raw: bytes, content_type: str) -> None:
    """One error for everything that Slack does not send."""
    with pytest.raises(Malformed):
        parse(raw, content_type=content_type)
