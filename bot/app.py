"""The composition root: builds every part once, in order of need, and closes them in reverse."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from bot.background import beside
from bot.blooio.client import BlooioClient, blooio_http
from bot.checks import check_at_start
from bot.desk import Desk
from bot.dispatch import Dispatcher
from bot.errands import Errands
from bot.follower import following
from bot.jobs import Jobs
from bot.leading import leading
from bot.librarian import Librarian
from bot.news import News
from bot.notifier import Notifier
from bot.painter import Painter
from bot.registration import WebhookSecrets, registering
from bot.report.service import Reports
from bot.server import serving
from bot.settings import Settings
from bot.slack import Slack, SlackError, open_slack
from bot.socket_mode import socket_mode
from bot.storage.contacts import Contacts
from bot.storage.conversations import Conversations
from bot.storage.database import Pool, database_url, migrate, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.drafts import Drafts
from bot.storage.drawings import Drawings
from bot.storage.events import Events
from bot.storage.notices import Notices
from bot.storage.people import People
from bot.storage.presence import open_presence
from bot.storage.record import Record
from bot.storage.replies import Replies
from bot.texting.book import Book
from bot.texting.errors import TextingError
from bot.texting.service import Texting
from bot.texting.threads import Threads
from bot.web import Probe, web_app
from bot.webhooks import BlooioWebhooks

logger = logging.getLogger(__name__)

#: How long the requests under way may take to finish once we are told to stop. Slack waits three seconds for each.
GRACE_SECONDS = 5.0


class Role(StrEnum):
    """What a process does; by default both."""

    WEB = "web"  # receives what people do in Slack
    WORKER = "worker"  # sends texts, follows them and draws


@dataclass(frozen=True, slots=True)
class App:
    """A running bot."""

    url: str  # where it serves HTTP
    texting: Texting
    slack: Slack
    pool: Pool


@asynccontextmanager
async def running(
    settings: Settings, *, roles: frozenset[Role] = frozenset(Role), bound: socket.socket
) -> AsyncIterator[App]:
    """
    Run the bot until the block is left, on an address already *bound*.

    Leaving stops receiving first, then finishes what is under way, then closes the rest. Raises StartError.
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings.database_url, settings.data_dir))
        await migrate(url)
        pool = await stack.enter_async_context(open_pool(url))
        presence = await stack.enter_async_context(open_presence(url))
        slack, client = await stack.enter_async_context(open_slack(settings.slack_bot_token, settings.slack_api_url))
        http = await stack.enter_async_context(blooio_http(settings.blooio_base_url, settings.blooio_api_key))
        blooio = BlooioClient(http)
        await check_at_start(settings, slack=slack, client=client, blooio=blooio)

        jobs = await stack.enter_async_context(Jobs(pool, presence).open())
        secrets = WebhookSecrets(settings, pool)
        deliveries, events = Deliveries(pool, defer=jobs.defer), Events(pool)
        people = People(pool)
        texting = Texting(
            memory=deliveries,
            people=people,
            gateway=blooio,
            metadata=settings.blooio_metadata,
            webhooks=bool(settings.blooio_webhook_secrets) or settings.blooio_register_webhook,
        )
        await stack.enter_async_context(_learning(texting, slack))
        threads = Threads(
            texting=texting,
            received=Conversations(pool, defer_files=jobs.defer_files),
            replies=Replies(pool, deliveries=deliveries),
            team_id=lambda: str(slack.identity.get("team_id") or ""),
            inbox=settings.inbox_channel,
        )
        drawings, book = Drawings(pool), Book(gateway=blooio, memory=Contacts(pool))
        if Role.WORKER in roles:
            painter = Painter(drawings=drawings, slack=slack)
            news = News(events=events, deliveries=deliveries, threads=threads, keep=settings.keep_events)
            notifier = Notifier(notices=Notices(pool), slack=slack, admin_channel=settings.admin_channel)
            await stack.enter_async_context(leading(url, painter, news, notifier, Librarian(book, Drafts(pool))))
            await stack.enter_async_context(following(texting))
            await stack.enter_async_context(jobs.work(texting))

        dispatcher = None
        if Role.WEB in roles:
            bolt = _bolt(client, slack)
            drafts = Drafts(pool)
            reports = await stack.enter_async_context(Reports(record=Record(pool), slack=slack).open())
            handlers.register(
                bolt,
                texting=texting,
                threads=threads,
                slack=slack,
                drawings=drawings,
                reports=reports,
                book=book,
                drafts=drafts,
                desk=Desk(book=book, drafts=drafts, people=people, slack=slack),
                errands=await stack.enter_async_context(Errands().open()),
                region=settings.default_region,
            )
            dispatcher = Dispatcher(bolt)
        web = web_app(
            dispatcher=None if settings.socket_mode else dispatcher,
            signing_secret=settings.slack_signing_secret,
            blooio=BlooioWebhooks(secrets=secrets.current, events=events) if Role.WEB in roles else None,
            probes=_probes(pool, slack, blooio),
        )
        address = await stack.enter_async_context(serving(web, bound, grace_seconds=GRACE_SECONDS))
        if dispatcher is not None and settings.slack_app_token is not None:
            await stack.enter_async_context(
                socket_mode(settings.slack_app_token, client, dispatcher, grace_seconds=GRACE_SECONDS)
            )
        if Role.WEB in roles:
            await stack.enter_async_context(registering(settings, url, blooio))
        logger.info(
            "started roles=%s address=%s slack=%s",
            "+".join(sorted(roles)),
            address,
            "socket_mode" if settings.socket_mode else "http",
        )
        yield App(url=address, texting=texting, slack=slack, pool=pool)
        logger.info("stopping")


def _bolt(client: AsyncWebClient, slack: Slack) -> AsyncApp:
    """
    Build Bolt's app. Requests were verified by whoever received them, and there is one workspace: ours.

    Bolt would otherwise ask Slack who we are before the first listener runs, within that request's three seconds.
    """

    async def authorize() -> AuthorizeResult:
        identity = slack.identity
        return AuthorizeResult(
            enterprise_id=identity.get("enterprise_id"),
            team_id=identity.get("team_id"),
            bot_user_id=identity.get("user_id"),
            bot_id=identity.get("bot_id"),
            bot_token=client.token,
        )

    return AsyncApp(
        client=client,
        authorize=authorize,
        request_verification_enabled=False,
        # It takes the author of a deleted message for whoever deleted it: we would not hear that our card is gone.
        ignoring_self_events_enabled=False,
        # What nobody listens to is answered by `handlers.errors`: a bare 404 would look to Slack like an outage.
        raise_error_for_unhandled_request=True,
        logger=logging.getLogger("slack_bolt"),  # or Bolt's loggers take the root's level, whatever `bot.log` says
    )


def _probes(pool: Pool, slack: Slack, blooio: BlooioClient) -> dict[str, Probe]:
    async def database() -> None:
        async with pool.connection(timeout=2) as connection:
            await connection.execute("SELECT 1")

    return {"database": database, "slack": slack.identify, "blooio": blooio.me}


@asynccontextmanager
async def _learning(texting: Texting, slack: Slack) -> AsyncIterator[None]:
    """Know our numbers and our workspace: before the first text if they answer, otherwise as soon as they do."""

    async def learn() -> bool:
        try:
            await texting.learn_lines()
            if not slack.identity:
                await slack.identify()
        except (TextingError, SlackError) as error:
            logger.warning("not_learnt error=%s", type(error).__name__)
            return False
        return True

    async def keep_learning(*, known: bool) -> None:
        while True:
            await asyncio.sleep(600 if known else 15)
            known = await learn()

    async with beside(keep_learning(known=await learn()), "learning"):
        yield
