"""What `python -m bot doctor` finds out about the webhook, and about where texts of strangers are shown."""

import json
import re
import shlex
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from bot.blooio.client import BlooioClient
from bot.blooio.wire import Webhook
from bot.doctor.credentials import Unreachable
from bot.doctor.finding import Finding, Mark
from bot.hearing.registration import delivers, find_or_register, webhook_url
from bot.settings import LOOPBACK, Settings
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.webhooks import KeptWebhook
from bot.texting.errors import AlreadyExists, NotAccepted, TextingError, Unavailable

#: How Slack's ids of channels look.
_CONVERSATION = re.compile(r"[CG][A-Z0-9]{5,}")

_ROTATE = "python -m bot doctor --rotate-webhook-secret"
_SETTINGS = "the bot's settings (the environment or .env)"


async def check_public_url(public_url: str) -> Finding:
    """Say whether the bot answers there. Never a fault: it may not be running, or be reachable from elsewhere only."""
    address = f"{public_url.rstrip('/')}/healthz"
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=urlsplit(address).hostname not in LOOPBACK) as http:
            status = (await http.get(address)).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(Mark.NOTE, f"{address} did not answer ({type(error).__name__}). Is the bot running?")
    if status == HTTPStatus.OK:
        return Finding(Mark.WELL, f"{address} answers")
    return Finding(
        Mark.NOTE, f"{address} answered {status} instead of 200. Is the bot running, and does this address lead to it?"
    )


async def check_inbox(settings: Settings, slack: Slack) -> Finding:
    """Say whether texts from people who write first can be shown somewhere."""
    if settings.inbox is None:
        return Finding(
            Mark.NOTE,
            "INBOX_CHANNEL is not set, nor is ADMIN_CHANNEL: when somebody writes whom nobody texted, their text is "
            "kept, and nobody in Slack sees it. Set INBOX_CHANNEL to the id of a channel (C…), then it appears there.",
        )
    named = "INBOX_CHANNEL" if settings.inbox_channel else "INBOX_CHANNEL is not set; ADMIN_CHANNEL"
    if not _CONVERSATION.fullmatch(settings.inbox):
        return Finding(
            Mark.WRONG,
            f"{named} is {settings.inbox!r}, which is no channel's id. Copy the id (C…) from the end of the channel's "
            "details in Slack.",
        )
    try:
        place = await slack.places.get(settings.inbox)
    except SlackError as error:
        return Finding(Mark.NOTE, f"Slack did not say how {settings.inbox} is ({error}). Run this again.")
    if place.archived:
        return Finding(
            Mark.WRONG, f"{named} is {settings.inbox}, which is archived. Unarchive it, or set another channel."
        )
    if not place.usable:
        return Finding(
            Mark.WRONG,
            f"{named} is {settings.inbox}, which does not exist, or is private and the bot is not in it. Invite it "
            "there, or set another channel.",
        )
    return Finding(Mark.WELL, f"{named} is {settings.inbox}: texts from people who write first appear there")


async def check_webhook(
    settings: Settings, blooio: BlooioClient, *, kept: Callable[[str], Awaitable[KeptWebhook | None]]
) -> Finding:
    """
    Say how the webhook stands, and register it if it is not.

    *kept* returns what the bot keeps of the webhook at a URL; it may raise Unreachable, and is asked only if it
    matters. Nothing is stored: a new secret is in the words, and nowhere else.
    """
    configured = bool(settings.blooio_webhook_secrets)
    if settings.public_url is None:
        return Finding(
            Mark.NOTE,
            "PUBLIC_URL is not set, so the status of each text is asked for instead"
            if not configured
            else "BLOOIO_WEBHOOK_SECRET is set, so what Blooio sends is believed. PUBLIC_URL is not set, so nobody can "
            "tell whether Blooio sends anything: set it to the address where Blooio can reach the bot.",
        )
    url = webhook_url(settings.public_url)
    try:
        webhook = await find_or_register(blooio, url)
    except TextingError as error:
        return _not_registered(error, url, configured=configured)
    if webhook.secret is not None:
        return _registered(url, webhook.secret)
    if not configured:
        try:
            ours = await kept(url)
        except Unreachable:
            return Finding(
                Mark.WRONG,
                f"{url} is registered. Whether the bot keeps its secret cannot be seen without the database.",
            )
        if ours is None or ours.webhook_id != webhook.webhook_id:
            return Finding(
                Mark.WRONG,
                f"{url} is registered, but its secret is not known here, and Blooio shows a secret only once. "
                f"Set BLOOIO_WEBHOOK_SECRET if you have it, or get a new one: {_ROTATE}",
            )
    return _known(url, webhook, "BLOOIO_WEBHOOK_SECRET is set" if configured else "the bot keeps its secret")


async def rotate_webhook_secret(
    settings: Settings, blooio: BlooioClient, *, replace: Callable[[str, str, str], Awaitable[bool]]
) -> Finding:
    """
    Get a new secret for the webhook.

    *replace* takes its URL, its id and the secret, and returns whether the bot keeps that secret itself.
    """
    if settings.public_url is None:
        return Finding(
            Mark.WRONG, "PUBLIC_URL is not set: the webhook whose secret to renew is the one at that address"
        )
    url = webhook_url(settings.public_url)
    try:
        webhook = await find_or_register(blooio, url)
    except Unavailable:
        return Finding(
            Mark.WRONG,
            f"Blooio's API v2 lists no webhook for {url} and registers none any more (410). One that was made by hand "
            "gets its new secret where it was made: in Blooio's dashboard.",
        )
    except TextingError as error:
        return _not_registered(error, url, configured=False)
    if webhook.secret is not None:
        return _registered(url, webhook.secret)
    return await _renewed(blooio, webhook, replace)


async def _renewed(
    blooio: BlooioClient, webhook: Webhook, replace: Callable[[str, str, str], Awaitable[bool]]
) -> Finding:
    url = webhook.url
    try:
        secret = await blooio.rotate_webhook_secret(webhook.webhook_id)
    except TextingError as error:
        if error.retryable:
            return Finding(
                Mark.WRONG,
                f"Blooio did not answer ({error.code}). The secret of {url} may be another one by now: "
                "run this again until it prints the new one.",
            )
        return Finding(Mark.WRONG, f"Blooio refused a new secret for {url} ({error.code}). The old one is still good.")
    first = f"{url} has a new secret. The old one is dead from now on."
    if await replace(url, webhook.webhook_id, secret):
        then = (
            "The bot keeps this secret itself and has the new one already: there is nothing more to do.\n"
            "  If BLOOIO_WEBHOOK_SECRET is set too, put this line in place of it."
        )
    else:
        then = (
            f"Put this line in place of the old one into {_SETTINGS}, and restart it. It is shown this once.\n"
            "  Until then the bot refuses what Blooio sends, and asks for the status of each text instead."
        )
    return Finding(Mark.WELL, _with_secret(first, secret, then))


def _registered(url: str, secret: str) -> Finding:
    return Finding(
        Mark.WELL,
        _with_secret(
            f"{url} is registered now.",
            secret,
            f"Put this line into {_SETTINGS}, and restart it. It is shown this once, and stored nowhere.\n"
            "  If a secret is set already, put the new one behind it (current,next): then either is believed.",
        ),
    )


def _with_secret(first: str, secret: str, then: str) -> str:
    return f"{first}\n\n  BLOOIO_WEBHOOK_SECRET={secret}\n\n  {then}"


def _known(url: str, webhook: Webhook, held: str) -> Finding:
    """Say how a webhook stands whose secret is known; *held* says where."""
    if delivers(webhook):
        return Finding(Mark.WELL, f"{url} is registered, and {held}")
    if webhook.active:
        return Finding(
            Mark.WRONG,
            f"{url} is registered, but only until {webhook.valid_until:%Y-%m-%d %H:%M} UTC, which is over: "
            "Blooio sends nothing to it. Remove it in Blooio's dashboard and run `python -m bot doctor` again.",
        )
    return Finding(
        Mark.WRONG, f"{url} is registered, but paused: Blooio sends nothing to it. Resume it in Blooio's dashboard."
    )


def _not_registered(error: TextingError, url: str, *, configured: bool) -> Finding:
    match error:
        case Unavailable():
            return _by_hand(url, configured=configured)
        case AlreadyExists():
            return Finding(
                Mark.WRONG,
                f"{url} could not be registered: Blooio has no room for another webhook (an organization can have "
                "64). Remove one in Blooio's dashboard, and run `python -m bot doctor` again.",
            )
        case NotAccepted():
            return Finding(
                Mark.WRONG,
                f"Blooio did not accept {url}. Set PUBLIC_URL to an https address that can be reached from outside.",
            )
    if error.retryable:
        return Finding(Mark.WRONG, f"Blooio did not answer ({error.code}). Run `python -m bot doctor` again.")
    return Finding(Mark.WRONG, f"Blooio refused to register {url} ({error.code}).")


def _by_hand(url: str, *, configured: bool) -> Finding:
    """
    Explain how to make the webhook where API v2 registers none.

    Source: Blooio API v4, "Webhooks"; API v2 answers 410 and names that page.
    """
    steps = f"""\
    1. Create a webhook for this very address, in Blooio's dashboard or with its API v4:
         {url}
         curl -X POST https://api.blooio.com/v4/webhooks -H "Authorization: Bearer $BLOOIO_API_KEY" \\
           -H "Content-Type: application/json" -d {shlex.quote(json.dumps({"url": url}))}
    2. Copy the `signing_secret` it shows, whsec_…: it is shown only once.
    3. Put BLOOIO_WEBHOOK_SECRET=whsec_… into {_SETTINGS}.
    4. Restart the bot.
  Whichever body it sends is understood: that of API v2, and both of API v4 (2026-09-01 and 2026-10-01)."""
    if not configured:
        return Finding(
            Mark.WRONG, f"Blooio's API v2 registers no webhooks any more (410). Make it by hand, once:\n{steps}"
        )
    # A webhook made by hand need not be listed in API v2, so this is no alarm.
    return Finding(
        Mark.NOTE,
        "BLOOIO_WEBHOOK_SECRET is set, but Blooio's API v2 lists no webhook for this bot and registers none any more "
        "(410).\n"
        "  One made by hand may be missing from that list: if texts turn Delivered within seconds, all is well.\n"
        f"  Otherwise make it by hand:\n{steps}",
    )
