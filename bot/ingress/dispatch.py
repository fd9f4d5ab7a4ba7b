"""One path for everything Slack sends us, whichever way it came: over a socket or over HTTP."""

import asyncio
import json
import logging
import time
from http import HTTPStatus
from typing import Any

from prometheus_client import Histogram
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.background import comes
from bot.reading.request import Unreadable, kind_of, readable

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = Histogram(
    "texting_answer_seconds",
    "Time from a request of Slack's to our answer",
    ["kind", "status"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5),
)


class Dispatcher:
    """Hands requests to Bolt's listeners and knows how many are under way."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, body: dict[str, Any], *, retry_num: int = 0, retry_reason: str = "") -> BoltResponse:
        """
        Answer one request, verified by whoever received it; with 400 if Slack never sends such a one.

        Bolt's own HTTP parser is left out: it loses a command whose text contains the word `payload`.
        """
        kind = kind_of(body)
        headers: dict[str, str] = {}
        if retry_num:
            headers = {"x-slack-retry-num": str(retry_num), "x-slack-retry-reason": retry_reason}
        started = time.monotonic()
        try:
            request = _request(body, headers)
        except Unreadable:
            logger.warning("request_refused kind=%s", kind)
            return BoltResponse(status=HTTPStatus.BAD_REQUEST)
        response = await self._answer(request)
        if response.status != HTTPStatus.OK:
            logger.warning("request_not_answered kind=%s status=%d", kind, response.status)
        _ANSWER_SECONDS.labels(kind, response.status).observe(time.monotonic() - started)
        return response

    async def _answer(self, request: AsyncBoltRequest) -> BoltResponse:
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._app.async_dispatch(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def drain(self, grace_seconds: float) -> None:
        """Wait until nothing is under way, for at most *grace_seconds*."""
        if not await comes(self._idle, grace_seconds):
            logger.warning("requests_abandoned count=%d", self._under_way)


def _request(body: dict[str, Any], headers: dict[str, str]) -> AsyncBoltRequest:
    """Read a request as Bolt does, which looks into more of it than we do. Raises Unreadable."""
    cleaned: Any = readable(body)
    try:
        return AsyncBoltRequest(mode="socket_mode", body=cleaned, headers=headers)  # type: ignore[arg-type]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unreadable from error


def socket_payload(response: BoltResponse) -> dict[str, Any] | None:
    """Turn Bolt's answer into the payload of a socket's acknowledgement; None acknowledges without one."""
    if not response.body:
        return None
    if "application/json" in response.first_headers().get("content-type", ""):
        payload: dict[str, Any] = json.loads(response.body)
        return payload
    return {"text": response.body}
