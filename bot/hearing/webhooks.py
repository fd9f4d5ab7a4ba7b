"""`POST /blooio/webhooks`: what Blooio tells us, verified, stored, and only then acknowledged."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from prometheus_client import Counter, Histogram
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response

from bot.blooio import webhook
from bot.blooio.webhook import Event, InvalidSignature, MalformedEvent, UnknownEvent
from bot.ingress.request_body import BodyRefused, read_body
from bot.storage.events import Events

logger = logging.getLogger(__name__)

#: How often the log gives one reason for which webhooks are refused.
_SAY_AGAIN_SECONDS = 60.0

#: How long an event may take to be stored. Blooio waits 5 seconds for an answer, or 15: its documents differ.
_STORE_SECONDS = 2.0

_ANSWERS = Counter("texting_webhooks", "Blooio's webhooks by our answer", ["answer"])
_ANSWER_SECONDS = Histogram(
    "texting_webhook_seconds",
    "Time from a webhook of Blooio's to our answer",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)


class BlooioWebhooks:
    """
    The endpoint. Whoever calls it learns a status and nothing else; nothing of the body reaches a log.

    200: stored, also when it was stored before. 400: signed, but no event. 401: not signed by Blooio, or long ago.
    413: too large. 503: not stored; Blooio tries again.
    """

    def __init__(self, *, secrets: Callable[[], Awaitable[Sequence[str]]], events: Events) -> None:
        self._secrets = secrets
        self._events = events
        self._say_again_at: dict[str, float] = {}  # by reason

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.monotonic()
        status = await self._answer(Request(scope, receive))
        _ANSWERS.labels(status).inc()
        _ANSWER_SECONDS.observe(time.monotonic() - started)
        await Response(status_code=status)(scope, receive, send)

    async def _answer(self, request: Request) -> int:
        try:
            body = await read_body(request)
            # One that comes twice counts as one with a comma (RFC 9110, 5.3): nobody chooses which of them to believe.
            event = await self._verified(",".join(request.headers.getlist("x-blooio-signature")), body)
        except BodyRefused as refused:
            return refused.status
        except InvalidSignature:
            return 401
        except MalformedEvent:
            self._say("reason=malformed")
            return 400
        return 200 if await self._store(event, body) else 503

    async def _store(self, event: Event, body: bytes) -> bool:
        """Keep an event; return whether that is certain. If it is not, Blooio sends it again, and no harm is done."""
        name, message_id = event.key.partition(":")[0], None
        if not isinstance(event, UnknownEvent):
            message_id = event.message_id
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                await self._events.store(event.key, name, message_id, body, to_apply=message_id is not None)
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            logger.warning("webhook_not_stored error=%s", type(error).__name__)
            return False
        return True

    async def _verified(self, header: str | None, body: bytes) -> Event:
        """Return what a body tells, if Blooio signed it. Raises InvalidSignature and MalformedEvent."""
        secrets = await self._secrets()
        if not secrets:
            self._say("reason=no_secret (set BLOOIO_WEBHOOK_SECRET; python -m bot doctor helps)", logging.ERROR)
            raise InvalidSignature
        try:
            webhook.verify(header, body, secrets=secrets, now=datetime.now(UTC))
        except InvalidSignature:
            self._say("reason=signature")
            raise
        if not _is_utf8(body):
            raise MalformedEvent
        return webhook.parse(body)

    def _say(self, reason: str, level: int = logging.WARNING) -> None:
        """Log a refusal, but not each: strangers decide how many there are. `/metrics` counts them all."""
        if time.monotonic() >= self._say_again_at.get(reason, 0.0):
            self._say_again_at[reason] = time.monotonic() + _SAY_AGAIN_SECONDS
            logger.log(level, "webhook_refused %s", reason)


def _is_utf8(body: bytes) -> bool:
    """Say whether it is text as JSON has to be (RFC 8259, 8.1). Python's reader would take UTF-16 too, by its NULs."""
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False
