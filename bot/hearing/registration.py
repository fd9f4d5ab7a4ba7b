"""
The webhook by which Blooio tells us what happens: its address, its secrets, and how it comes to be registered.

Its address is `WEBHOOK_PATH` below PUBLIC_URL. Its secret is shown once, when it is registered or rotated: whoever
runs the bot puts it into BLOOIO_WEBHOOK_SECRET, unless the bot registered it for itself (BLOOIO_REGISTER_WEBHOOK).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.blooio.client import BlooioClient
from bot.blooio.wire import Webhook
from bot.settings import Settings
from bot.storage.database import DatabaseAway, Pool, connect
from bot.storage.webhooks import keep_webhook, kept_webhook
from bot.texting.errors import AlreadyExists, TextingError, Unavailable

logger = logging.getLogger(__name__)

WEBHOOK_PATH = "/blooio/webhooks"

_REGISTERING = 7_285_005  # advisory lock: one process registers at a time

#: A registration that did not work out is tried again after this long, and after twice as long each further time.
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0

#: The table is read again after this long, so that a secret rotated by `doctor` is believed without a restart.
_SECRETS_FOR_SECONDS = 5.0


def webhook_url(public_url: str) -> str:
    """Return where Blooio reaches us, given PUBLIC_URL."""
    parts = urlsplit(public_url.rstrip("/") + WEBHOOK_PATH)
    return urlunsplit(parts._replace(netloc=parts.netloc.lower()))  # as Blooio may list it, whatever was typed


def delivers(webhook: Webhook) -> bool:
    """Say whether Blooio sends anything to it, as far as it told."""
    return webhook.active and (webhook.valid_until is None or webhook.valid_until > datetime.now(UTC))


async def find_or_register(blooio: BlooioClient, url: str) -> Webhook:
    """
    Return the webhook at *url*; one that is registered only now has its secret.

    May raise any of `texting.errors`; Unavailable and AlreadyExists mean what they do in `BlooioClient.create_webhook`.
    """
    listed = [webhook for webhook in await blooio.list_webhooks() if webhook.url == url]
    # A webhook that is not listed may be known all the same, and is then found by registering it again.
    return max(listed, key=delivers) if listed else await blooio.create_webhook(url)


class WebhookSecrets:
    """The secrets that may have signed what Blooio sends."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._configured = settings.blooio_webhook_secrets
        self._url = webhook_url(settings.public_url) if settings.public_url else None
        self._pool = pool
        self._kept: tuple[str, ...] = ()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def current(self) -> Sequence[str]:
        """Return the configured ones and the one that the bot keeps. While the database is away: the last known."""
        async with self._reading:
            if self._url is not None and time.monotonic() - self._read_at > _SECRETS_FOR_SECONDS:
                await self._read(self._url)
        return (*self._configured, *self._kept)

    async def _read(self, url: str) -> None:
        try:
            async with self._pool.connection(timeout=2) as connection:
                kept = await kept_webhook(connection, url)
            self._kept = (kept.secret,) if kept else ()
        except (psycopg.Error, PoolTimeout):
            logger.warning("webhook_secret_not_read", exc_info=True)
        self._read_at = time.monotonic()


@asynccontextmanager
async def registering(settings: Settings, database: str, blooio: BlooioClient) -> AsyncIterator[None]:
    """
    See to it that the webhook is registered, if the settings say so, while the block runs.

    It happens in the background: whatever goes wrong is logged with what to do, and nothing waits for it. *database*
    is a URL.
    """
    if not settings.blooio_register_webhook or settings.public_url is None:
        yield
        return
    url = webhook_url(settings.public_url)
    registration = _Registration(url, database, blooio, configured=bool(settings.blooio_webhook_secrets))
    async with beside(registration.succeed(), "registration"):
        yield


class _Registration:
    """One webhook, which is to be registered, with a secret that we know."""

    def __init__(self, url: str, database: str, blooio: BlooioClient, *, configured: bool) -> None:
        self._url = url
        self._database = database
        self._blooio = blooio
        self._configured = configured  # a secret is, so that none has to be kept
        self._unkept: Webhook | None = None  # registered, and the database has not taken its secret yet

    async def succeed(self) -> None:
        """Try until the webhook is there, or only a person can help."""
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                return await self._attempt()
            except TextingError as error:
                if not error.retryable:
                    return self._give_up(error)
                reason = error.code
            except (psycopg.Error, DatabaseAway) as error:
                reason = type(error).__name__
            logger.warning("webhook_not_registered reason=%s (trying again in %d s)", reason, wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    async def _attempt(self) -> None:
        async with await connect(self._database) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", (_REGISTERING,))  # waits for its turn
            if self._unkept is not None:
                return await self._keep(connection, self._unkept)
            webhook = await find_or_register(self._blooio, self._url)
            if webhook.secret is None:
                await self._look_at(webhook, connection)
            elif self._configured:
                logger.error(
                    "webhook_registered_anew url=%s (BLOOIO_WEBHOOK_SECRET is not its secret: "
                    "run `python -m bot doctor --rotate-webhook-secret` and set what it prints)",
                    self._url,
                )
            else:
                await self._keep(connection, webhook)
        return None

    async def _keep(self, connection: AsyncConnection[Any], webhook: Webhook) -> None:
        """Keep the secret, which Blooio will not show again."""
        self._unkept = webhook
        await keep_webhook(connection, self._url, webhook.webhook_id, webhook.secret or "")
        self._unkept = None
        logger.info("webhook_registered url=%s", self._url)

    async def _look_at(self, webhook: Webhook, connection: AsyncConnection[Any]) -> None:
        """Say how a webhook stands that was there before."""
        kept = await kept_webhook(connection, self._url)
        if not self._configured and (kept is None or kept.webhook_id != webhook.webhook_id):
            # Never rotated here: somebody may be using the secret, and it would be dead at once.
            logger.error(
                "webhook_secret_unknown url=%s (run `python -m bot doctor --rotate-webhook-secret`, "
                "or set BLOOIO_WEBHOOK_SECRET, and restart)",
                self._url,
            )
        elif not delivers(webhook):
            logger.error("webhook_paused url=%s (Blooio sends nothing to it: see its dashboard)", self._url)
        else:
            logger.info("webhook_known url=%s", self._url)

    def _give_up(self, error: TextingError) -> None:
        if isinstance(error, Unavailable) and self._configured:
            # A webhook that was made by hand may work without being listed in API v2.
            logger.warning("webhook_not_seen url=%s (`python -m bot doctor` says more)", self._url)
        elif isinstance(error, Unavailable):
            logger.error(
                "webhook_not_registered url=%s (Blooio's API v2 registers none any more: create it in its dashboard "
                "or with API v4, set BLOOIO_WEBHOOK_SECRET to its signing_secret and restart; "
                "`python -m bot doctor` says how)",
                self._url,
            )
        elif isinstance(error, AlreadyExists):
            logger.error(
                "webhook_not_registered url=%s (Blooio has no room for another: remove one in its dashboard, restart)",
                self._url,
            )
        else:
            logger.error("webhook_not_registered url=%s reason=%s (run `python -m bot doctor`)", self._url, error.code)
