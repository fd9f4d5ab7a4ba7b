"""Slack's requests over a WebSocket: no public address needed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ingress.dispatch import Dispatcher, socket_payload
from bot.reading.request import kind_of

logger = logging.getLogger(__name__)

#: Also how soon a socket that broke off is missed. Until there is a new one, people's commands fail.
_PING_SECONDS = 3

#: How long a start waits for the first socket. Slack may be away for longer; then it comes in its own time.
_CONNECT_SECONDS = 3


class _Sockets(SocketModeClient):
    """Slack's client, which is handed envelopes only: anything else it would log as a failure, with where it failed."""

    async def enqueue_message(self, message: str) -> None:
        if _is_envelope(message):
            await super().enqueue_message(message)
        else:
            logger.warning("envelope_refused")


def _is_envelope(message: str) -> bool:
    """Say whether it can be an envelope, or what Slack says about the socket itself."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return False
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        return False
    about_itself = "envelope_id" not in said and "payload" not in said
    return about_itself or (isinstance(said.get("envelope_id"), str) and isinstance(said.get("payload"), dict))


@asynccontextmanager
async def socket_mode(
    app_token: str, client: AsyncWebClient, dispatcher: Dispatcher, *, grace_seconds: float
) -> AsyncIterator[SocketModeClient]:
    """
    Receive over a socket until the block is left. While Slack is away the block runs without one.

    Leaving answers what is under way first: an answer needs the socket, and whatever else arrives meanwhile is
    stored before it is answered, like anything.
    """

    async def receive(sockets: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        response = await dispatcher(
            request.payload, retry_num=request.retry_attempt or 0, retry_reason=request.retry_reason or ""
        )
        if response.status != HTTPStatus.OK:
            return  # no answer at all: Slack tells the person, and sends an event again
        try:
            await sockets.send_socket_mode_response(
                SocketModeResponse(request.envelope_id, payload=socket_payload(response))
            )
        except (aiohttp.ClientError, ConnectionError):  # the socket went meanwhile; Slack sends an event again
            logger.warning("answer_not_delivered kind=%s", kind_of(request.payload))

    sockets = _Sockets(app_token=app_token, web_client=client, ping_interval=_PING_SECONDS)
    sockets.socket_mode_request_listeners.append(receive)
    connecting = asyncio.create_task(sockets.connect(), name="socket mode connects")  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait([connecting], timeout=_CONNECT_SECONDS)
        yield sockets
        await dispatcher.drain(grace_seconds)
    finally:
        connecting.cancel()
        await sockets.close()  # type: ignore[no-untyped-call]
