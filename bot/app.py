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
from bot.access.permission import Permission, read_rules
from bot.background import beside
from bot.blooio.client import BlooioClient, blooio_http
from bot.desk import Desk
from bot.doctor.credentials import check_at_start
from bot.drawing.announcer import Announcer
from bot.drawing.notifier import Notifier
from bot.drawing.painter import Painter
from bot.errands import Errands
from bot.files.destinations import own_origin
from bot.files.fetching import open_fetcher
from bot.files.incoming import IncomingFiles
from bot.files.outgoing import OutgoingFiles
from bot.files.serving import ServedFiles
from bot.hearing.catch_up import CatchUp
from bot.hearing.follower import following
from bot.hearing.news import News
from bot.hearing.registration import WebhookSecrets, registering
from bot.hearing.webhooks import BlooioWebhooks
from bot.ingress.dispatch import Dispatcher
from bot.ingress.server import serving
from bot.ingress.socket_mode import socket_mode
from bot.ingress.web import Probe, web_app
from bot.jobs import Jobs
from bot.leading import leading
from bot.librarian import Librarian
from bot.report.service import Reports
from bot.settings import Settings
from bot.signs import Signs
from bot.slack.client import Slack, open_slack
from bot.slack.errors import SlackError
from bot.storage.announcements import Announcements
from bot.storage.audit import Audit
from bot.storage.channels import Channels
from bot.storage.contacts import Contacts
from bot.storage.conversations import Conversations
from bot.storage.database import DATABASE_AWAY, Pool, database_url, migrate, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.drafts import Drafts
from bot.storage.drawings import Drawings
from bot.storage.events import Events
from bot.storage.files import InboundFiles, signing_key
from bot.storage.notices import Notices
from bot.storage.opt_outs import OptOuts
from bot.storage.people import People
from bot.storage.presence import open_presence
from bot.storage.read_marks import Acted, ReadMarks
from bot.storage.record import Record
from bot.storage.replies import Replies
from bot.storage.requests import Requests
from bot.storage.tapbacks import Tapbacks
from bot.storage.threads import Cards
from bot.storage.writers import Writers
from bot.texting.book import Book
from bot.texting.errors import TextingError
from bot.texting.opting import StandardWords
from bot.texting.service import Texting
from bot.texting.threads import Threads
from bot.typing_sign import TypingSign

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


@dataclass(frozen=True, slots=True)
class Parts:
    """What both roles work with, each part built once."""

    settings: Settings
    url: str  # of the database
    pool: Pool
    slack: Slack
    client: AsyncWebClient
    blooio: BlooioClient
    jobs: Jobs
    events: Events
    deliveries: Deliveries
    conversations: Conversations
    people: People
    opt_outs: OptOuts
    tapbacks: Tapbacks
    read_marks: ReadMarks
    inbound_files: InboundFiles
    files_key: bytes
    outgoing: OutgoingFiles
    drawings: Drawings
    texting: Texting
    threads: Threads
    book: Book

    @property
    def acted(self) -> Acted | None:
        """What to tell of somebody's act on a thread, if that marks it as read."""
        return self.read_marks.acted if self.settings.mark_read else None


@asynccontextmanager
async def running(
    settings: Settings, *, roles: frozenset[Role] = frozenset(Role), bound: socket.socket
) -> AsyncIterator[App]:
    """
    Run the bot until the block is left, on an address already *bound*.

    Leaving stops receiving first, then finishes what is under way, then closes the rest. Raises StartError.
    """
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(_built(settings))
        slack, blooio, web = parts.slack, parts.blooio, Role.WEB in roles
        if Role.WORKER in roles:
            await stack.enter_async_context(_working(parts))
        dispatcher = Dispatcher(await stack.enter_async_context(_listening(parts))) if web else None
        secrets = WebhookSecrets(settings, parts.pool)
        served = web_app(
            dispatcher=None if settings.socket_mode else dispatcher,
            signing_secret=settings.slack_signing_secret,
            blooio=BlooioWebhooks(secrets=secrets.current, events=parts.events) if web else None,
            files=ServedFiles(slack=slack, key=parts.files_key) if web else None,
            probes=_probes(parts.pool, slack, blooio),
        )
        address = await stack.enter_async_context(serving(served, bound, grace_seconds=GRACE_SECONDS))
        if dispatcher is not None and settings.slack_app_token is not None:
            await stack.enter_async_context(
                socket_mode(settings.slack_app_token, parts.client, dispatcher, grace_seconds=GRACE_SECONDS)
            )
        if web:
            await stack.enter_async_context(registering(settings, parts.url, blooio))
        logger.info(
            "started roles=%s address=%s slack=%s",
            "+".join(sorted(roles)),
            address,
            "socket_mode" if settings.socket_mode else "http",
        )
        yield App(url=address, texting=parts.texting, slack=slack, pool=parts.pool)
        logger.info("stopping")


@asynccontextmanager
async def _built(settings: Settings) -> AsyncIterator[Parts]:
    """Open what has to be open, check what has to be right, and build the parts."""
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
        read_marks = ReadMarks(pool, defer=jobs.defer_read)
        acted = read_marks.acted if settings.mark_read else None
        requests = Requests(pool, defer=jobs.defer, acted=acted)
        deliveries = Deliveries(pool, defer=jobs.defer)
        people, opt_outs = People(pool), OptOuts(pool, requests=requests)
        conversations = Conversations(pool, defer_files=jobs.defer_files, opt_outs=opt_outs)
        files_key = await signing_key(pool)
        outgoing = OutgoingFiles(public_url=settings.public_url, key=files_key, slack=slack)
        texting = Texting(
            requests=requests,
            memory=deliveries,
            people=people,
            gateway=blooio,
            files=outgoing,
            metadata=settings.blooio_metadata,
            webhooks=settings.webhooks,
        )
        await stack.enter_async_context(_learning(texting, slack))
        threads = Threads(
            texting=texting,
            received=conversations,
            replies=Replies(pool, requests=requests),
            opting=StandardWords(settings.opt_words, settings.opt_answers, identity=lambda: slack.identity).read,
            team_id=lambda: str(slack.identity.get("team_id") or ""),
            inbox=settings.inbox,
        )
        texting.hear_through(threads.hear)
        yield Parts(
            settings=settings,
            url=url,
            pool=pool,
            slack=slack,
            client=client,
            blooio=blooio,
            jobs=jobs,
            events=Events(pool),
            deliveries=deliveries,
            conversations=conversations,
            people=people,
            opt_outs=opt_outs,
            tapbacks=Tapbacks(pool, defer=jobs.defer_tapback, acted=acted),
            read_marks=read_marks,
            inbound_files=InboundFiles(pool, defer=jobs.defer_files),
            files_key=files_key,
            outgoing=outgoing,
            drawings=Drawings(pool),
            texting=texting,
            threads=threads,
            book=Book(gateway=blooio, memory=Contacts(pool)),
        )


@asynccontextmanager
async def _working(parts: Parts) -> AsyncIterator[None]:
    """
    Send, follow, and lead or stand by to lead, until the block is left.

    What people send is fetched from the public internet, or from a Blooio on this machine.
    """
    settings, slack, blooio, texting = parts.settings, parts.slack, parts.blooio, parts.texting
    notices = Notices(parts.pool)
    leader = leading(
        parts.url,
        Painter(drawings=parts.drawings, slack=slack, inbox=settings.inbox),
        News(
            events=parts.events,
            deliveries=parts.deliveries,
            tapbacks=parts.tapbacks,
            threads=parts.threads,
            keep=settings.keep_events,
        ),
        Notifier(notices=notices, slack=slack, admin_channel=settings.admin_channel),
        Announcer(Announcements(parts.pool), slack),
        CatchUp(
            gateway=blooio,
            conversations=parts.conversations,
            threads=parts.threads,
            alert=notices.alert,
            webhooks=settings.webhooks,
            inbox=settings.inbox,
        ),
        Librarian(parts.book, Drafts(parts.pool).forget_old, Writers(parts.pool).forget_old, notices.forget_old),
    )
    own = own_origin(settings.blooio_base_url)
    signs = Signs(tapbacks=parts.tapbacks, read_marks=parts.read_marks, gateway=blooio, slack=slack)
    async with leader, following(texting), open_fetcher(own=own, max_bytes=settings.max_file_bytes) as fetcher:
        files = IncomingFiles(memory=parts.inbound_files, fetcher=fetcher, slack=slack)
        async with parts.jobs.work(texting, files, signs):
            yield


@asynccontextmanager
async def _listening(parts: Parts) -> AsyncIterator[AsyncApp]:
    """Hear what people do in Slack until the block is left; then finish what was begun for them."""
    settings, slack, pool = parts.settings, parts.slack, parts.pool
    bolt, audit, drafts, writers = _bolt(parts.client, slack), Audit(pool), Drafts(pool), Writers(pool)
    permission = Permission(slack=slack, rules=read_rules(settings), audit=audit)
    async with (
        permission.open(),
        Reports(record=Record(pool), slack=slack).open() as reports,
        _typing(settings, parts.texting, parts.blooio, writers) as typing_sign,
        Errands().open() as errands,
    ):
        handlers.register(
            bolt,
            texting=parts.texting,
            threads=parts.threads,
            slack=slack,
            drawings=parts.drawings,
            files=parts.inbound_files,
            outgoing=parts.outgoing,
            ownership=Cards(pool, acted=parts.acted),
            channels=Channels(pool),
            writers=writers,
            tapbacks=parts.tapbacks,
            typing_sign=typing_sign,
            reports=reports,
            book=parts.book,
            drafts=drafts,
            desk=Desk(book=parts.book, drafts=drafts, people=parts.people, slack=slack),
            people=parts.people,
            conversations=parts.conversations,
            errands=errands,
            permission=permission,
            audit=audit,
            opt_outs=parts.opt_outs,
            region=settings.default_region,
        )
        yield bolt


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
async def _typing(
    settings: Settings, texting: Texting, blooio: BlooioClient, writers: Writers
) -> AsyncIterator[TypingSign | None]:
    """Let people see that somebody writes to them, if that is wanted."""
    if not settings.typing:
        yield None
        return
    async with TypingSign(texting=texting, gateway=blooio, writers=writers).open() as sign:
        yield sign


@asynccontextmanager
async def _learning(texting: Texting, slack: Slack) -> AsyncIterator[None]:
    """Know our numbers and our workspace: before the first text if they answer, otherwise as soon as they do."""

    async def learn() -> bool:
        known = True
        for learn_one in (_identify, texting.learn_lines):
            try:
                await learn_one()
            except (TextingError, SlackError, *DATABASE_AWAY) as error:
                logger.warning("not_learnt error=%s", type(error).__name__)
                known = False
        return known

    async def _identify() -> None:
        if not slack.identity:
            await slack.identify()

    async def keep_learning(*, known: bool) -> None:
        while True:
            await asyncio.sleep(600 if known else 15)
            known = await learn()

    async with beside(keep_learning(known=await learn()), "learning"):
        yield
