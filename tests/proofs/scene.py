"""Bots as processes on one database, a local Slack and a local Blooio beside them, and a door in front of each."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.webhooks import sandbox_process
from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from tests.acceptance.processes import BotProcess, connect
from tests.proofs.proxy import Proxy, Target, place_of, proxy

SECRET = "whsec_proof"
INBOX = "C0GENERAL01"

#: What a bot has not applied, sent, followed or drawn yet. An SMS may stay `sent` for good, so give phones iMessage.
UNDER_WAY = {
    "jobs": "SELECT count(*) FROM procrastinate_jobs",
    "texts without an end": "SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sent')",
    "receipts not drawn": "SELECT count(*) FROM deliveries WHERE drawn_revision < revision",
    "cards not drawn": "SELECT count(*) FROM threads WHERE drawn_revision < revision AND NOT card_gone",
    "events not applied": "SELECT count(*) FROM events WHERE applied_at IS NULL",
    "answers not drawn": "SELECT count(*) FROM inbound WHERE drawn_revision < revision",
    "replies not marked": "SELECT count(*) FROM replies WHERE drawn_revision < revision",
    "remarks not posted": "SELECT count(*) FROM remarks WHERE posted_ts IS NULL",
}


@dataclass
class Scene:
    """What a proof acts on. `start` starts the bots; a bot's `kill`, `start` and `stop` are as in `BotProcess`."""

    sandbox: Sandbox
    bots: list[BotProcess]
    door: Proxy  # in front of the bots' HTTP: Slack's requests in HTTP mode, and Blooio's webhooks
    database_url: str  # the server itself, also where the bots go through a proxy
    database: Proxy  # through which every bot reaches the database
    transport: str
    lots: random.Random

    @property
    def gateway(self) -> Gateway:
        return Gateway(self.sandbox._http, self.sandbox.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    async def start(self) -> None:
        """Start every bot, connect Slack to them, and subscribe them to Blooio's webhooks."""
        for bot in self.bots:
            await bot.start()
        await connect(self.sandbox, self.url, self.transport, sockets=len(self.running()))
        await self.gateway.subscribes(f"{self.url}/blooio/webhooks", secret=SECRET)

    def running(self) -> list[BotProcess]:
        return [bot for bot in self.bots if bot.is_running]

    async def left(self) -> dict[str, int]:
        """What is under way, by its name; empty: nothing is left to do."""
        async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
            found = {what: (await (await connection.execute(query)).fetchone()) for what, query in UNDER_WAY.items()}
        return {what: row[0] for what, row in found.items() if row is not None and row[0]}

    def complaints(self) -> list[str]:
        """What the bots logged that nobody should have to read: errors, and anything that they did not expect."""
        lines = [line for bot in self.bots for line in bot.lines]
        return [line for line in lines if " ERROR " in line or " CRITICAL " in line or "Traceback" in line]


@asynccontextmanager
async def scene(
    database_url: str,
    folder: Path,
    *,
    bots: int = 2,
    transport: str = "socket",
    seed: int = 1,
    command: str = "run",
    sandbox: Sandbox | None = None,
    **settings: str,
) -> AsyncIterator[Scene]:
    """
    So many bots on one database, over "socket" or "http", not started yet.

    *folder* is where they find no .env; *sandbox* is one that runs already, otherwise it gets a process of its own.
    """
    async with AsyncExitStack() as stack:
        if sandbox is None:
            sandbox = await stack.enter_async_context(sandbox_process())
        running: list[BotProcess] = []
        door = await stack.enter_async_context(proxy(lambda: [place_of(bot.url) for bot in running if bot.is_running]))
        server = await stack.enter_async_context(proxy(lambda: [server_of(database_url)]))
        environment = sandbox.environment() | {
            "DATABASE_URL": through(database_url, server.port),
            "BLOOIO_WEBHOOK_SECRET": SECRET,
            "PUBLIC_URL": f"http://127.0.0.1:{door.port}",
            "INBOX_CHANNEL": INBOX,
            **settings,
        }
        if transport == "http":
            environment.pop("SLACK_APP_TOKEN", None)
        for _ in range(bots):
            running.append(BotProcess(environment, folder, command=command))
            stack.push_async_callback(running[-1].kill)
        yield Scene(sandbox, running, door, database_url, server, transport, random.Random(seed))


def server_of(database_url: str) -> Target:
    """Say where the server of a PostgreSQL URL listens."""
    parts = conninfo_to_dict(database_url)
    host, port = str(parts.get("host") or "127.0.0.1"), int(parts.get("port") or 5432)
    return Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)


def through(database_url: str, port: int) -> str:
    """Return the same database's address behind a proxy on *port*."""
    parts = urlsplit(database_url)
    if not parts.scheme.startswith("postgres"):
        return make_conninfo(database_url, host="127.0.0.1", port=port)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}", query=""))
