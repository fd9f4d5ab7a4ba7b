"""An error that nobody expected, and what becomes of the request that met it."""

import json
from typing import Any

import pytest

from bot.slack.client import Slack
from handlers.errors import failed

SLACK = Slack(None)  # type: ignore[arg-type]  # nothing is asked of it


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"type": "event_callback"}, 500, id="an event is sent again: what somebody typed is in it"),
        pytest.param({"type": "view_submission"}, 500, id="a form stays open, with all that was written in it"),
        pytest.param({"type": "block_actions"}, 200, id="a click in a form"),
    ],
)
async def test_what_slack_is_answered(body: dict[str, Any], status: int) -> None:
    """Slack keeps a form open and repeats an event when it gets no answer; a click is acknowledged."""
    assert (await failed(RuntimeError(), body, slack=SLACK)).status == status


async def test_whoever_typed_a_command_gets_their_words_back() -> None:
    """With a reference, and nothing of the error."""
    answer = await failed(RuntimeError("secret"), {"command": "/text", "text": "+1555 &amp; hi"}, slack=SLACK)
    shown = json.loads(answer.body)
    assert shown["text"].startswith("⚠️ Something went wrong on our side.")
    assert "/text +1555 & hi" in str(shown["blocks"])
    assert "secret" not in answer.body
