"""Check each credential against the live service, and say what to do about one that does not work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blooio.client import BlooioClient
from bot.settings import Settings
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.texting.errors import (
    AllowanceUsedUp,
    Disconnected,
    NotAllowed,
    TextingError,
)

logger = logging.getLogger(__name__)

_APPS = "https://api.slack.com/apps"

#: A vendor may be away for a moment; a bot that starts during a longer outage waits for it while it runs.
_TRIES = 3


class StartError(Exception):
    """The bot cannot work with these credentials; the message says what to do."""


class Unreachable(Exception):
    """The service did not answer; nothing is known about the credential."""


async def check_slack_bot_token(slack: Slack) -> str:
    """Return what is known of the workspace. Raises StartError or Unreachable."""
    try:
        identity = await slack.identify()
    except SlackRefused as refused:
        raise StartError(
            f"Slack refused SLACK_BOT_TOKEN ({refused.code}). Copy the Bot User OAuth Token (xoxb-…) from "
            f"{_APPS} → your app → OAuth & Permissions, and install the app if it is not installed."
        ) from refused
    except SlackError as error:
        raise Unreachable(f"Slack did not answer ({error})") from error
    return f"{identity.get('team')} as @{identity.get('user')}"


async def check_slack_app_token(client: AsyncWebClient, app_token: str) -> str:
    """Ask for a socket's address, without opening it. Raises StartError or Unreachable."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        data = getattr(error.response, "data", None)
        code = data.get("error") if isinstance(data, dict) else None
        if code is None or code in {"ratelimited", "internal_error", "service_unavailable", "fatal_error"}:
            raise Unreachable(f"Slack did not open a socket ({code})") from error
        raise StartError(
            f"Slack refused SLACK_APP_TOKEN ({code}). Create an app-level token (xapp-…) with the scope "
            f"connections:write at {_APPS} → your app → Basic Information, and switch Socket Mode on."
        ) from error
    except Exception as error:
        raise Unreachable(f"Slack did not open a socket ({type(error).__name__})") from error
    return "Socket Mode"


async def check_blooio_key(blooio: BlooioClient) -> str:
    """Return how many numbers the key has. Raises StartError or Unreachable."""
    try:
        account = await blooio.me()
    except (Disconnected, NotAllowed, AllowanceUsedUp) as refused:
        raise StartError(
            f"Blooio refused BLOOIO_API_KEY ({refused.code}). Copy an API key from Blooio's dashboard."
        ) from refused
    except TextingError as error:
        raise Unreachable(f"Blooio did not answer ({error.code})") from error
    if not account.valid:
        raise StartError("Blooio says that BLOOIO_API_KEY is not valid. Copy an API key from Blooio's dashboard.")
    active = sum(line.active for line in account.lines)
    return f"{active} active number{'' if active == 1 else 's'}"


async def check_at_start(settings: Settings, *, slack: Slack, client: AsyncWebClient, blooio: BlooioClient) -> None:
    """
    Check every credential. Raises StartError when one is refused.

    A service that does not answer is no reason to stay down: the bot starts, says so, and catches up later.
    """
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "slack": lambda: check_slack_bot_token(slack),
        "blooio": lambda: check_blooio_key(blooio),
    }
    if settings.slack_app_token is not None:
        app_token = settings.slack_app_token
        checks["socket_mode"] = lambda: check_slack_app_token(client, app_token)
    results = await asyncio.gather(*map(_patiently, checks.values()), return_exceptions=True)
    refused = [str(result) for result in results if isinstance(result, StartError)]
    if refused:
        raise StartError("\n".join(refused))
    for name, result in zip(checks, results, strict=True):
        if isinstance(result, Unreachable):
            logger.error("not_reachable service=%s reason=%s (starting all the same)", name, result)
        elif isinstance(result, BaseException):
            raise result


async def _patiently(check: Callable[[], Awaitable[str]]) -> str:
    for attempt in range(1, _TRIES):
        try:
            return await check()
        except Unreachable:
            await asyncio.sleep(0.5 * 2**attempt)
    return await check()
