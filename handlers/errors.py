"""The one place where an error nobody expected meets the person who caused it."""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.blocks.answer import problem
from bot.blocks.mrkdwn import Payload
from bot.blocks.whisper import refusal
from bot.reading.request import EVENT, SUBMISSION, Unreadable, kind_of
from bot.reading.slack_text import plain_text
from bot.slack.client import Slack
from bot.slack.errors import SlackError

logger = logging.getLogger(__name__)

#: The manifest has a command that this release does not.
_UNKNOWN_COMMAND = "I do not know this command. Type /text help or /contact help to see what I can do."


async def failed(error: Exception, body: dict[str, Any], *, slack: Slack) -> BoltResponse:
    """
    Log the error under a reference; tell the person who typed a command, with their words given back, or clicked.

    What nobody listens to is acknowledged: Slack would send an event again, and tell a person that we are away. A
    form is not: it stays open with all that was written, and Slack says over it that there was trouble. Nor is an
    event: Slack sends it again. Nor is what Slack never sends, or not about anything that we made.
    """
    if isinstance(error, BoltUnhandledRequestError):
        logger.warning("request_not_expected kind=%s", kind_of(body))
        return _shown(problem(_UNKNOWN_COMMAND, _typed(body))) if "command" in body else BoltResponse(status=200)
    if isinstance(error, Unreadable):
        logger.warning("request_refused kind=%s", kind_of(body))
        return BoltResponse(status=HTTPStatus.BAD_REQUEST)
    reference = secrets.token_hex(4)
    logger.error("listener_failed reference=%s", reference, exc_info=error)
    if "command" not in body:
        return await _failed_to_act(body, reference, slack)
    look = (
        "Look whether your text is in the person's thread before you send it again."
        if body["command"] == "/text"
        else "Try again."
    )
    words = f"Something went wrong on our side. {look} Your admin can find the reason under {reference}."
    return _shown(problem(words, _typed(body)))


def _typed(body: dict[str, Any]) -> str:
    return f"{body['command']} {plain_text(str(body.get('text') or ''))}"


def _shown(payload: Payload) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(payload), headers={"content-type": "application/json"})


async def _failed_to_act(body: dict[str, Any], reference: str, slack: Slack) -> BoltResponse:
    if kind_of(body) in {SUBMISSION, EVENT}:
        return BoltResponse(status=500)
    if response_url := body.get("response_url"):
        words = f"Something went wrong on our side. Try again. Your admin can find the reason under {reference}."
        try:
            await slack.respond(str(response_url), {**refusal(words), "replace_original": False})
        except SlackError as unsaid:
            logger.warning("not_told error=%s", unsaid)
    return BoltResponse(status=200)


async def answered(
    error: Exception, body: dict[str, Any], response: BoltResponse | None, *, slack: Slack
) -> BoltResponse | None:
    """Answer a request that failed, unless it was acknowledged before: then there is nothing left to answer."""
    answer = await failed(error, body, slack=slack)
    return answer if response is not None else None


class _LastingAck(AsyncAck):
    """
    An acknowledgement that stays.

    Bolt takes it back when the listener fails before Bolt has looked for it, which it does every 10 ms: Slack would
    tell whoever clicked that we did not answer.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if value is not None or name not in self.__dict__:
            super().__setattr__(name, value)


async def _acknowledges_for_good(context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]) -> None:
    context["ack"] = _LastingAck()  # type: ignore[no-untyped-call]  # nor has the one it is made of
    await next_()


def register(app: AsyncApp, *, slack: Slack) -> None:
    app.use(_acknowledges_for_good)
    app.error(partial(answered, slack=slack))
