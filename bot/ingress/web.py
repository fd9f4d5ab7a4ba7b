"""Inbound HTTP: Slack's requests, files on their way out, whether we live and are ready, and our figures."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.files import serving
from bot.files.serving import ServedFiles
from bot.hearing.registration import WEBHOOK_PATH
from bot.hearing.webhooks import BlooioWebhooks
from bot.ingress.dispatch import Dispatcher
from bot.ingress.request_body import BodyRefused, read_body

logger = logging.getLogger(__name__)

#: Digits of a time in seconds. Python makes no number of thousands of digits, and no float of hundreds.
_LONGEST_TIME = 18

#: An answer about readiness is good for this long, so that a prober does not become a load on Slack and Blooio.
_READY_FOR_SECONDS = 5.0

#: Raises when the part it asks is not there.
Probe = Callable[[], Awaitable[object]]


class Malformed(Exception):
    """The body is not what Slack sends."""


def web_app(
    *,
    dispatcher: Dispatcher | None,
    signing_secret: str | None,
    blooio: BlooioWebhooks | None,
    files: ServedFiles | None,
    probes: Mapping[str, Probe],
) -> Starlette:
    """Build the ASGI application. Slack's route exists only in HTTP mode, with a secret to verify it by."""
    routes = [
        Route("/healthz", _healthz),
        Route("/readyz", _Readiness(probes)),
        Route("/metrics", _metrics),
    ]
    if dispatcher is not None and signing_secret:
        routes.append(Route("/slack/events", _SlackEvents(dispatcher, signing_secret), methods=["POST"]))
    if blooio is not None:
        routes.append(Route(WEBHOOK_PATH, blooio, methods=["POST"]))
    if files is not None:
        routes.append(Route(serving.ROUTE, files, methods=["GET"]))  # and HEAD with it
    return Starlette(routes=routes)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class _SlackEvents:
    """`POST /slack/events`: commands, interactivity, options and events, signed."""

    def __init__(self, dispatcher: Dispatcher, signing_secret: str) -> None:
        self._dispatcher = dispatcher
        self._verifier = SignatureVerifier(signing_secret)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            raw = await read_body(request)
        except BodyRefused as refused:
            return Response(status_code=refused.status)
        if not self._is_slacks(request, raw):
            return Response(status_code=401)
        try:
            body = parse(raw, content_type=request.headers.get("content-type", ""))
        except Malformed:
            return Response(status_code=400)
        if body.get("type") == "url_verification":
            return JSONResponse({"challenge": body.get("challenge")})
        if "ssl_check" in body and "command" not in body:
            return Response()
        retry = request.headers.get("x-slack-retry-num", "")
        answer = await self._dispatcher(
            body,
            retry_num=int(retry) if retry.isascii() and retry.isdigit() else 0,
            retry_reason=request.headers.get("x-slack-retry-reason", ""),
        )
        content_type = answer.first_headers().get("content-type", "text/plain; charset=utf-8")
        return Response(answer.body, status_code=answer.status, headers={"content-type": content_type})

    def _is_slacks(self, request: Request, raw: bytes) -> bool:
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not (
            timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIME and signature.isascii()
        ):
            return False
        try:
            return self._verifier.is_valid(body=raw, timestamp=timestamp, signature=signature)
        except UnicodeDecodeError:
            return False  # the verifier reads the body as text; Slack's always is


def parse(raw: bytes, *, content_type: str) -> dict[str, Any]:
    """
    Read one request of Slack's: JSON, a form, or a form whose field `payload` holds JSON.

    Raises Malformed. Source: Slack, "Verifying requests", "Handling user interaction", "Slash commands".
    """
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            body = json.loads(raw)
        else:
            form = dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw)))
            body = json.loads(form["payload"]) if "payload" in form and "command" not in form else form
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(body, dict):
        raise Malformed
    return body


class _Readiness:
    """`GET /readyz`: 200 when every part answers, otherwise 503 and which one does not."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self._checked_at = float("-inf")
        self._parts: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self._lock:
            if time.monotonic() - self._checked_at > _READY_FOR_SECONDS:
                answers = await asyncio.gather(*(self._ask(probe) for probe in self._probes.values()))
                self._parts = dict(zip(self._probes, answers, strict=True))
                self._checked_at = time.monotonic()
        ready = all(answer == "ok" for answer in self._parts.values())
        response = JSONResponse({"ready": ready, **self._parts}, status_code=200 if ready else 503)
        await response(scope, receive, send)

    async def _ask(self, probe: Probe) -> str:
        try:
            async with asyncio.timeout(5):
                await probe()
        except Exception as error:  # noqa: BLE001  (whatever it is, the part is not ready, and the probe says so)
            return type(error).__name__
        return "ok"
