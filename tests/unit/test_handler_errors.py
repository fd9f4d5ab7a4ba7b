"""An error that nobody expected, and what becomes of the request that met it."""

import json
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import Slack
from handlers.errors import failed, register

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


async def test_what_was_acknowledged_stays_so() -> None:
    """A click whose listener fails before Bolt has looked whether it was acknowledged."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_user_id="U1", bot_id="B1")

    async def fails(ack: AsyncAck) -> None:
        await ack()
        raise RuntimeError

    app = AsyncApp(client=AsyncWebClient(), authorize=authorize, request_verification_enabled=False)
    register(app, slack=SLACK)
    app.action("check")(fails)
    click = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U2"}, "actions": [{"action_id": "check"}]}
    answer = await app.async_dispatch(AsyncBoltRequest(body=click, mode="socket_mode"))
    assert answer.status == 200
