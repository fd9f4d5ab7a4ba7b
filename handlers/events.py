"""Events that are stored before Slack is told that we have them."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from slack_bolt.response import BoltResponse

from bot.texting.errors import TextingError

logger = logging.getLogger(__name__)


async def before_ack(
    event: dict[str, Any],
    next_: Callable[[], Awaitable[BoltResponse]],
    *,
    handle: Callable[[dict[str, Any]], Awaitable[None]],
) -> BoltResponse | None:
    """
    Handle an event before it is acknowledged.

    Bolt acknowledges an event before its listener runs, but after the listener's own middleware. What raises here is
    not acknowledged, so Slack sends it again.
    """
    try:
        await handle(event)
    except TextingError as error:
        logger.warning("event_postponed type=%s code=%s", event.get("type"), error.code)
        return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
    await next_()
    return None


async def acknowledged() -> None:
    """Nothing is left to do."""
