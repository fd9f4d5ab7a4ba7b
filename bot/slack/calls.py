"""How Slack's methods are called: in turn, not while Slack is away or wants a rest, and every failure sorted."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.breaker import Breaker
from bot.reading.request import storable
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackError, SlackRefused, SlackTrouble

logger = logging.getLogger(__name__)

#: What an `error` of Slack's looks like: it is logged. Anything else is none that we can read.
_ERROR = re.compile(r"[\w.:-]{1,100}", re.ASCII)

#: `error` values that a later attempt can outlive. Source: Slack, "Web API", general errors.
_TRANSIENT = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}

#: Seconds between two calls of a method that was refused lately, and for how long it counts as lately.
#: Source: Slack, "Rate limits": one message per second per channel, short bursts tolerated.
_PACE = 1.0
_PACED_FOR = 30.0

#: What is asked by itself, for each thread there is something to draw in. While Slack is away this waits.
_DRAWING = {
    "chat.postMessage",
    "chat.update",
    "reactions.add",
    "reactions.remove",
    "conversations.history",
    "conversations.replies",
}

#: However long a wait Slack asks for, or what stands before it: it is asked again after this long, which is no load.
_LONGEST_WAIT = timedelta(minutes=1).total_seconds()

#: What a call raises that is not answered, or not with what can be read. AttributeError is what slack_sdk raises for an
#: answer that is text where JSON was promised, RecursionError is JSON nested beyond all reason.
_NO_ANSWER = (
    *(SlackClientError, aiohttp.ClientError, TimeoutError, OSError),
    *(AttributeError, RecursionError, ValueError),
)


class Calls:
    """Slack's methods, one call each. What they raise is a SlackError."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self._not_before: dict[tuple[str, str], float] = {}  # by method and gate
        self._paced_until: dict[tuple[str, str], float] = {}
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._breakers = {method: Breaker(f"slack_{method}") for method in _DRAWING}

    @property
    def session(self) -> aiohttp.ClientSession:
        session = self.client.session
        assert session is not None  # noqa: S101  (`open_slack` gave it one)
        return session

    async def call(
        self,
        name: str,
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        /,
        *,
        gate: str = "",
        within: float | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """
        Call one method, *within* so many seconds. What draws waits for its turn before that, if Slack is or was away.

        After a 429 the same method (and *gate*) is left alone for as long as Slack said. For a while after that its
        calls go one at a time and a second apart, which is what Slack allows in the long run: those that waited
        together would only be refused together.
        """
        limit = (name, gate)
        if self._paced_until.get(limit, 0.0) < time.monotonic():
            return await self._ask(limit, method, arguments, within)
        async with self._turns.setdefault(limit, asyncio.Lock()):
            answer = await self._ask(limit, method, arguments, within)
            self._not_before[limit] = time.monotonic() + _PACE
            return answer

    async def deliver(self, url: str, **request: Any) -> None:
        """POST to an address that Slack gave us for this and that needs no token."""
        try:
            async with self.session.post(url, allow_redirects=False, **request) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SlackTrouble(type(error).__name__) from error
        check_status(response)

    def check(self, limit: tuple[str, str]) -> None:
        """Raise SlackBusy if a call has to wait: *limit* is a method and its gate."""
        wait = self._not_before.get(limit, 0.0) - time.monotonic()
        if wait > 0:
            raise SlackBusy(timedelta(seconds=wait))

    async def _ask(
        self,
        limit: tuple[str, str],
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        arguments: dict[str, Any],
        within: float | None,
    ) -> dict[str, Any]:
        self.check(limit)
        breaker = self._breakers.get(limit[0])
        if breaker is None:
            return await self._answer(limit, method, arguments, within)
        await breaker.turn()
        try:
            answer = await self._answer(limit, method, arguments, within)
        except SlackTrouble:
            breaker.failed()
            raise
        except SlackError:
            breaker.succeeded()  # it answers
            raise
        breaker.succeeded()
        return answer

    async def _answer(
        self,
        limit: tuple[str, str],
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        arguments: dict[str, Any],
        within: float | None,
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(within):
                response = await method(**arguments)
            return storable(response.data) if isinstance(response.data, dict) else {}
        except SlackApiError as error:
            raise self._sorted(limit, error) from error
        except _NO_ANSWER as error:
            raise SlackTrouble(type(error).__name__) from error

    def _sorted(self, limit: tuple[str, str], error: SlackApiError) -> SlackError:
        response = error.response
        status = getattr(response, "status_code", None)
        data = getattr(response, "data", None)
        said = data.get("error") if isinstance(data, dict) else None
        code = said if isinstance(said, str) and _ERROR.fullmatch(said) else None
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in {"ratelimited", "rate_limited"}:
            headers = getattr(response, "headers", None) or {}
            seconds = _seconds(headers.get("Retry-After") or headers.get("retry-after"))
            self._leave_alone(limit, seconds)
            return SlackBusy(timedelta(seconds=seconds))
        if code is None or code in _TRANSIENT:
            return SlackTrouble(str(code or status))
        if code in TOKEN_ERRORS:
            logger.error("slack_token_refused error=%s (renew SLACK_BOT_TOKEN)", code)
        return SlackRefused(code)

    def _leave_alone(self, limit: tuple[str, str], seconds: float) -> None:
        """Call a method no more for so long, and forget of which that is over: there are as many as forms opened."""
        now = time.monotonic()
        for moments in (self._not_before, self._paced_until):
            for over in [one for one, moment in moments.items() if moment < now]:
                del moments[over]
        self._not_before[limit] = now + seconds
        self._paced_until[limit] = now + seconds + _PACED_FOR


def check_status(response: aiohttp.ClientResponse) -> None:
    """Raise what the status of an answer says, unless that is 200."""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise SlackBusy(timedelta(seconds=_seconds(response.headers.get("Retry-After"))))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SlackTrouble(str(response.status))
    if response.status != HTTPStatus.OK:
        raise SlackRefused(f"http_{response.status}")


@asynccontextmanager
async def in_time(name: str, seconds: float) -> AsyncIterator[None]:
    """Raise SlackTrouble if a call takes too long."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SlackTrouble(f"{name} took too long") from error


def _seconds(header: str | None) -> float:
    try:
        return min(max(1.0, float(header or 1)), _LONGEST_WAIT)
    except ValueError:
        return 30.0
