"""What the proof of bad input found once, each by its smallest example: see `docs/proofs/input.md`."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.blocks import channel_settings, composer, contact_forms, contacts, forms, mrkdwn, opt_outs, ownership
from bot.blooio import reading, wire
from bot.blooio.client import BlooioClient, blooio_http
from bot.ingress.socket_mode import _is_envelope
from bot.log import Formatter
from bot.reading.command import CommandProblem
from bot.reading.contact_command import parse_contact_command
from bot.reading.request import Unreadable
from bot.reading.searching import wanted
from bot.reading.shared import address_in, words_of
from bot.slack.calls import _seconds
from bot.slack.client import Slack
from bot.slack.members import read_member
from bot.texting.errors import NotAccepted
from bot.texting.model import Address
from handlers.errors import answered, failed


def make_log_record(message: str) -> logging.LogRecord:
    return logging.LogRecord("x", logging.WARNING, "", 0, message, (), None)


SLACK = Slack(None)  # type: ignore[arg-type]  # nothing is asked of it


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(
            lambda: parse_contact_command("add " + ":a" * 20_000, region="US"), id="/contact add, punctuation"
        ),
        pytest.param(lambda: parse_contact_command("add " + " a" * 20_000, region="US"), id="/contact add, words"),
        pytest.param(lambda: parse_contact_command("add x" + " #a" * 13_000, region="US"), id="/contact add, tags"),
        pytest.param(lambda: address_in({"text": "a" * 40_000}, region="US"), id="a message without a blank"),
        pytest.param(lambda: wanted("1" * 40_000 + "'"), id="a search for digits"),
        pytest.param(lambda: Formatter().format(make_log_record("x" * 40_000)), id="a line of the log"),
    ],
)
def test_a_long_text_costs_its_length(read: Callable[[], object]) -> None:
    """Nobody waits for the bot because somebody pasted a page. Some of these took minutes."""
    started = time.process_time()
    with suppress(CommandProblem):
        read()
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "read",
    [
        composer.read_writing,
        contact_forms.read_typed,
        contact_forms.read_shown,
        channel_settings.read_settings,
        opt_outs.read_allowing,
        ownership.read_hand_off,
    ],
)
@pytest.mark.parametrize("kept", ["{", "[]", "5", '{"here": 5}', "[" * 100_000])
def test_a_form_that_remembers_something_else(read: Callable[[Mapping[str, Any]], object], kept: str) -> None:
    """It is none of ours, and says so in one way."""
    with pytest.raises(Unreadable):
        read({"private_metadata": kept, "state": {"values": {}}})


def test_a_form_without_its_fields() -> None:
    """Another release drew it: what is not there is empty."""
    view: dict[str, Any] = {"private_metadata": "{}", "state": {"values": {"to": {}, "name": None}}}
    assert forms.entered(view, "to") == forms.entered(view, "name") == forms.entered(view, "x") == ""
    assert composer.read_writing(view).message == ""
    with pytest.raises(Unreadable):
        channel_settings.read_settings(view)
    with pytest.raises(Unreadable):
        ownership.read_hand_off({**view, "private_metadata": json.dumps({"thread": 2**63})})


@pytest.mark.parametrize(
    "value", ["[" * 100_000, '{"typed": "x", "offset": Infinity}', '{"typed": "x", "offset": "²"}']
)
def test_a_button_for_a_page_that_there_is_not(value: str) -> None:
    """One error, whatever is wrong with it."""
    with pytest.raises(ValueError):  # noqa: PT011  (it says nothing more)
        contacts.read_place(value)


def test_slack_takes_what_is_drawn_however_long_it_is() -> None:
    """What is too long for a block is cut, not in the middle of a link or of an escaped character."""
    for draw in (mrkdwn.section, mrkdwn.context, mrkdwn.verbatim):
        text = json.dumps(draw("x" * 4_000))
        assert "x" * 2_999 + "\\u2026" in text
        assert "x" * 3_000 not in text
    assert mrkdwn.section("x" * 2_990 + "<https://a.example/page|a page>")["text"]["text"] == "x" * 2_990 + "…"
    assert mrkdwn.section("x" * 2_997 + "&amp;")["text"]["text"] == "x" * 2_997 + "…"
    assert mrkdwn.section("x" * 3_000)["text"]["text"] == "x" * 3_000


def test_an_address_that_no_button_holds() -> None:
    """Nobody has one of that length."""
    assert reading.address("+" + "1" * 253) is not None
    assert reading.address("+" + "1" * 254) is None


def test_a_name_as_long_as_a_book() -> None:
    """A contact has the beginning of it."""
    row = {"identifier": "+15551234567", "name": "x" * 30_000}
    assert wire.parse_contact(200, {}, json.dumps(row).encode()).name == "x" * 1_000


@pytest.mark.parametrize("user", [{"profile": []}, {"profile": {"display_name": 5}}, {"enterprise_user": "x"}, {}])
def test_a_member_of_another_shape(user: dict[str, Any]) -> None:
    """Nothing is known of them."""
    member = read_member(user)
    assert (member.profile.name, member.enterprise_id) == ("", None)


def test_a_message_of_another_shape() -> None:
    """Its words are what it says, as far as it does."""
    assert words_of({"blocks": [{"type": "section", "text": "x"}], "text": "Hi"}, ours=True) == "Hi"
    assert words_of({"blocks": [{"type": "section", "text": {"type": "plain_text"}}]}, ours=True) == ""


@pytest.mark.parametrize(
    ("header", "seconds"), [("inf", 60), ("1e400", 60), ("nan", 1), ("-5", 1), ("86400", 60), ("x", 30), ("7", 7)]
)
def test_how_long_slack_may_silence_us(header: str, seconds: float) -> None:
    """A wait without an end would be one."""
    assert _seconds(header) == seconds


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ('{"type": "hello", "num_connections": 1}', True),
        ('{"type": "disconnect", "reason": "warning"}', True),
        ('{"type": "interactive", "envelope_id": "e", "payload": {}}', True),
        ('{"type": "interactive", "envelope_id": "e", "payload": []}', False),
        ('{"type": "interactive", "envelope_id": 5, "payload": {}}', False),
        ('{"type": "interactive", "payload": {}}', False),
        ('{"type": 5}', False),
        ('{"type": "hel', False),
        ("[1]", False),
        ("ping", False),
        ("[" * 100_000, False),
    ],
)
def test_what_a_socket_hands_on(message: str, *, is_one: bool) -> None:
    """Envelopes, and what Slack says about the socket."""
    assert _is_envelope(message) is is_one


async def test_what_is_not_slacks_is_no_failure_of_ours() -> None:
    """It is refused with 400. A form that was open stays open, and Slack says over it that there was trouble."""
    for kind in ("view_submission", "block_actions"):
        assert (await failed(Unreadable(), {"type": kind}, slack=SLACK)).status == 400


def test_a_line_of_the_log_has_an_end() -> None:
    """Whatever stands in it is masked before it is cut."""
    line = Formatter().format(make_log_record("x" * 1_900 + " +15551234567" * 500))
    assert len(line) == 2_001
    assert "+1555" not in line


@pytest.mark.parametrize("acknowledged", [False, True])
async def test_what_fails_after_the_acknowledgement_is_not_answered(*, acknowledged: bool) -> None:
    """There is nothing left to answer, and Bolt would call an answer a failure of its own."""
    before = None if acknowledged else BoltResponse(status=500)
    answer = await answered(RuntimeError(), {"type": "view_closed"}, before, slack=SLACK)
    assert (answer is None) is acknowledged


async def test_an_address_that_makes_no_url() -> None:
    """It is refused as any other that is nobody's."""
    async with blooio_http("http://127.0.0.1:1/v2/api", "key") as http:
        with pytest.raises(NotAccepted):
            await BlooioClient(http).get_contact(Address("+" + "1" * 70_000))


async def test_a_command_that_nobody_listens_to() -> None:
    """Whoever typed it is told what there is."""
    error = BoltUnhandledRequestError(request=None, current_response=BoltResponse(status=404))  # type: ignore[arg-type]
    answer = await failed(error, {"command": "/txt", "text": "x"}, slack=SLACK)
    assert answer.status == 200
    assert json.loads(answer.body)["text"] == (
        "⚠️ I do not know this command. Type /text help or /contact help to see what I can do."
    )
