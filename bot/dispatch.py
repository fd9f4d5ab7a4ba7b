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
        Answer one request, verified by whoever received it.

        Bolt's own HTTP parser is left out: it loses a command whose text contains the word `payload`.
        """
        headers: dict[str, str] = {}
        if retry_num:
            headers = {"x-slack-retry-num": str(retry_num), "x-slack-retry-reason": retry_reason}
        request = AsyncBoltRequest(mode="socket_mode", body=body, headers=headers)  # type: ignore[arg-type]
        started = time.monotonic()
        self._under_way += 1
        self._idle.clear()
        try:
            response = await self._app.async_dispatch(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        if response.status != HTTPStatus.OK:
            logger.warning("request_not_answered kind=%s status=%d", kind_of(body), response.status)
        _ANSWER_SECONDS.labels(kind_of(body), response.status).observe(time.monotonic() - started)
        return response

    async def drain(self, grace_seconds: float) -> None:
        """Wait until nothing is under way, for at most *grace_seconds*."""
        try:
            await asyncio.wait_for(self._idle.wait(), grace_seconds)
        except TimeoutError:
            logger.warning("requests_abandoned count=%d", self._under_way)


def kind_of(body: dict[str, Any]) -> str:
    """Name what Slack sent: `command`, or the payload's own `type`."""
    if "command" in body:
        return "command"
    kind = body.get("type")
    return kind if isinstance(kind, str) else "unknown"


def socket_payload(response: BoltResponse) -> dict[str, Any] | None:
    """Turn Bolt's answer into the payload of a socket's acknowledgement; None acknowledges without one."""
    if not response.body:
        return None
    if "application/json" in response.first_headers().get("content-type", ""):
        payload: dict[str, Any] = json.loads(response.body)
        return payload
    return {"text": response.body}
