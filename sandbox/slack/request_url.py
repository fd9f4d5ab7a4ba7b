"""HTTP mode: signed requests to the app's URL. Source: docs.slack.dev/apis/events-api/using-http-request-urls."""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.deliveries import Answer, Delivery, Failure
from sandbox.slack.ids import new_secret
from sandbox.slack.seed import SIGNING_SECRET
from sandbox.slack.signing import sign

MOST_REDIRECTS = 2  # that are followed
FORM = "application/x-www-form-urlencoded"


@dataclass
class RequestURL:
    """The app behind its URL."""

    url: str
    verified: bool = False  # it answered the challenge
    problem: str = "not asked yet"  # why it is not verified
    _session: aiohttp.ClientSession | None = field(default=None, repr=False)

    async def deliver(self, delivery: Delivery, *, ack_limit: float) -> Answer:
        """POST as Slack does: commands as a form, interactions as JSON in a form, events as JSON."""
        headers = {}
        if delivery.attempt:
            headers = {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": delivery.reason}
        match delivery.kind:
            case "slash_commands":
                body, content_type = urlencode(delivery.payload), FORM
            case "interactive":
                body, content_type = urlencode({"payload": json.dumps(delivery.payload)}), FORM
            case _:
                body, content_type = json.dumps(delivery.payload), "application/json"
        return await self._post(body.encode(), content_type, headers, ack_limit=ack_limit)

    async def verify(self, *, ack_limit: float) -> bool:
        """Send the challenge that Slack sends when the URL is saved; remember whether it came back."""
        challenge = new_secret(40)
        body = {"type": "url_verification", "token": "sandbox", "challenge": challenge}
        answer = await self._post(json.dumps(body).encode(), "application/json", {}, ack_limit=ack_limit)
        echoed = answer.payload.get("challenge") if isinstance(answer.payload, dict) else answer.payload
        self.verified = answer.failure is None and echoed == challenge
        self.problem = "" if self.verified else answer.reason or "the challenge did not come back"
        return self.verified

    async def leave(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes, content_type: str, headers: dict[str, str], *, ack_limit: float) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        timestamp = int(time.time())  # real time: the app checks it against its own clock
        signed = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": str(timestamp),
            "X-Slack-Signature": sign(SIGNING_SECRET, timestamp, body),
        }
        answer = await self._ask(self._session, body, signed | headers, ack_limit=ack_limit)
        return replace(answer, sent={name.lower(): value for name, value in (signed | headers).items()})

    async def _ask(
        self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str], *, ack_limit: float
    ) -> Answer:
        try:
            async with (
                asyncio.timeout(ack_limit),
                session.post(self.url, data=body, headers=headers, max_redirects=MOST_REDIRECTS + 1) as response,
            ):
                return _answer(response, await response.text())
        except TimeoutError:
            return Answer(Failure.TIMEOUT, reason="http_timeout")
        except aiohttp.TooManyRedirects:
            return Answer(Failure.DISPATCH, reason="too_many_redirects")
        except aiohttp.ClientError:
            return Answer(Failure.DISPATCH, reason="connection_failed")


def _answer(response: aiohttp.ClientResponse, text: str) -> Answer:
    ok = response.status < 300  # noqa: PLR2004 (2xx)
    return Answer(
        failure=None if ok else Failure.DISPATCH,
        payload=_body(response.content_type, text) if ok else None,
        status=response.status,
        reason="" if ok else "http_error",
        final=response.headers.get("x-slack-no-retry") == "1",
    )


def _body(content_type: str, text: str) -> Any:
    if not text:
        return None
    if content_type == "application/json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
