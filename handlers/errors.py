"""The one place where an error nobody expected meets the person who caused it."""

import json
import logging
import secrets
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.blocks.answer import problem
from bot.dispatch import kind_of
from bot.reading.slack_text import plain_text

logger = logging.getLogger(__name__)


async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """
    Log the error under a reference; tell the person who typed a command, with their words given back.

    What nobody listens to is acknowledged: Slack would send an event again, and tell a person that we are away.
    """
    if isinstance(error, BoltUnhandledRequestError) and "command" not in body:
        logger.warning("request_not_expected kind=%s", kind_of(body))
        return BoltResponse(status=200)
    reference = secrets.token_hex(4)
    logger.error("listener_failed reference=%s", reference, exc_info=error)
    if "command" not in body:
        return BoltResponse(status=200)
    words = (
        "Something went wrong on our side. Look whether your text is in the person's thread before you send it again. "
        f"Your admin can find the reason under {reference}."
    )
    payload = problem(words, f"{body['command']} {plain_text(str(body.get('text') or ''))}")
    return BoltResponse(status=200, body=json.dumps(payload), headers={"content-type": "application/json"})


def register(app: AsyncApp) -> None:
    app.error(failed)
