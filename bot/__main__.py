"""The command line: `python -m bot` runs everything; `web`, `worker`, `migrate`, `doctor` and `audit` one part each."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvloop
from dotenv import dotenv_values
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from bot import log
from bot.access.permission import read_rules
from bot.app import Role, running
from bot.blooio.client import BlooioClient, blooio_http
from bot.doctor.credentials import (
    StartError,
    Unreachable,
    check_blooio_key,
    check_slack_app_token,
    check_slack_bot_token,
)
from bot.doctor.finding import Mark
from bot.doctor.rules import check_rules
from bot.doctor.webhook import check_inbox, check_public_url, check_webhook, rotate_webhook_secret
from bot.ingress.server import bind
from bot.settings import Settings, SettingsError, read_settings
from bot.slack.client import open_slack
from bot.storage.audit import trail
from bot.storage.database import DatabaseAway, connect, database_url, migrate
from bot.storage.webhooks import KeptWebhook, kept_webhook, replace_secret
from bot.trail import read_since, write_trail

STARTED_WRONG = 1
SETTINGS_WRONG = 2

_COMMANDS = {
    "run": "receive from Slack and send texts, in one process (the default)",
    "web": "only receive from Slack",
    "worker": "only send texts, follow them and draw their threads",
    "migrate": "bring the database's schema up to date and exit",
    "doctor": "check every setting against the live service, register the webhook, and say what to do",
    "audit": "print who did what, when, as CSV: texts, edits, refusals, opt-outs and the rest",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1 if it could not start, 2 if the settings are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Text people from Slack over iMessage, RCS and SMS."
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, meaning in _COMMANDS.items():
        subparser = commands.add_parser(name, help=meaning, description=meaning)
        if name == "doctor":
            subparser.add_argument(
                "--rotate-webhook-secret",
                dest="command",
                action="store_const",
                const="rotate",
                default="doctor",
                help="only get a new secret for the webhook at PUBLIC_URL; the old one is dead at once",
            )
        if name == "audit":
            subparser.add_argument(
                "--since", type=read_since, default="7d", help="how far back: 7d (the default) or 12h", metavar="7d"
            )
    options = parser.parse_args(arguments)
    command = options.command or "run"

    log.configure()
    try:
        settings = read_settings({**_dotenv(), **os.environ})
    except SettingsError as error:
        print(error, file=sys.stderr)
        return SETTINGS_WRONG
    try:
        if command == "audit":
            return _run(_audit(settings, options.since))
        return _run(_COROUTINES.get(command, _serve)(settings, command))
    except (StartError, DatabaseAway) as error:
        print(error, file=sys.stderr)
    except (psycopg.OperationalError, ConnectorException) as error:  # it went away while we were starting
        print(DatabaseAway.of(error), file=sys.stderr)
    return STARTED_WRONG


def _dotenv() -> dict[str, str]:
    """Read .env beside us. The environment outranks it, an empty value included."""
    return {name: value for name, value in dotenv_values(Path(".env")).items() if value is not None}


def _run(work: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _serve(settings: Settings, command: str) -> int:
    """Run until SIGTERM or SIGINT; a second one stops at once."""
    try:
        bound = bind(settings.host, settings.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # the error's own words name the address again
        raise StartError(
            f"{settings.host}:{settings.port} cannot be used ({reason}). Set PORT to a free port."
        ) from error
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_once() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_once)
    roles = frozenset(Role) if command == "run" else frozenset({Role(command)})
    with bound:
        async with running(settings, roles=roles, bound=bound):
            _collect_garbage_rarely()
            await stop.wait()
    return 0


def _collect_garbage_rarely() -> None:
    """
    Leave what was made by now out of every collection, and look at what is new less often.

    Hardly anything a text needs is part of a circle, so collecting cost a twentieth of its time, and now and then all
    of them stood still for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _migrate(settings: Settings, _: str) -> int:
    async with database_url(settings.database_url, settings.data_dir) as url:
        applied = await migrate(url)
    print("\n".join(applied) if applied else "The schema is up to date.")
    return 0


async def _doctor(settings: Settings, _: str) -> int:
    """Print a line for each service; return 1 if any of them needs attention."""
    healthy = True
    async with (
        open_slack(settings.slack_bot_token, settings.slack_api_url) as (slack, client),
        blooio_http(settings.blooio_base_url, settings.blooio_api_key) as http,
    ):
        checks = [
            ("Slack", check_slack_bot_token(slack)),
            ("Blooio", check_blooio_key(BlooioClient(http))),
            ("Database", _check_database(settings)),
        ]
        if settings.slack_app_token is not None:
            checks.append(("Socket Mode", check_slack_app_token(client, settings.slack_app_token)))
        for name, check in checks:
            try:
                print(f"✓ {name}: {await check}")
            except (StartError, Unreachable) as problem:
                healthy = False
                print(f"✗ {name}: {problem}")
        for name, finding in await check_rules(slack, read_rules(settings)):
            print(f"{finding.mark} {name}: {finding.words}")
            healthy = healthy and finding.mark is not Mark.WRONG
        inbox = await check_inbox(settings, slack)
        print(f"{inbox.mark} Inbox: {inbox.words}")
        healthy = healthy and inbox.mark is not Mark.WRONG
        if settings.public_url is not None:
            reached = await check_public_url(settings.public_url)
            print(f"{reached.mark} PUBLIC_URL: {reached.words}")
        webhook = await check_webhook(settings, BlooioClient(http), kept=lambda url: _kept_webhook(settings, url))
        print(f"{webhook.mark} Webhooks: {webhook.words}")
        healthy = healthy and webhook.mark is not Mark.WRONG
    return 0 if healthy else STARTED_WRONG


async def _rotate(settings: Settings, _: str) -> int:
    """Print the webhook's new secret."""

    async def replace(url: str, webhook_id: str, secret: str) -> bool:
        try:
            async with _database(settings) as connection:
                return await replace_secret(connection, url, webhook_id, secret)
        except (Unreachable, psycopg.Error):
            return False  # set as a setting it is believed all the same

    async with blooio_http(settings.blooio_base_url, settings.blooio_api_key) as http:
        rotated = await rotate_webhook_secret(settings, BlooioClient(http), replace=replace)
    print(f"{rotated.mark} Webhooks: {rotated.words}")
    return STARTED_WRONG if rotated.mark is Mark.WRONG else 0


async def _audit(settings: Settings, since: timedelta) -> int:
    """Print the trail of the last *since*."""
    try:
        async with _database(settings) as connection:
            await connection.execute("SELECT FROM audit LIMIT 0")
            await write_trail(trail(connection, since=since), sys.stdout)
    except Unreachable as away:
        raise StartError(str(away)) from away
    except psycopg.errors.UndefinedTable as error:
        raise StartError("This database has no trail yet. Run `python -m bot migrate` first.") from error
    return 0


async def _check_database(settings: Settings) -> str:
    async with _database(settings) as connection:
        cursor = await connection.execute("SHOW server_version")
        row = await cursor.fetchone()
    return f"PostgreSQL {row[0] if row else '?'}"


async def _kept_webhook(settings: Settings, url: str) -> KeptWebhook | None:
    try:
        async with _database(settings) as connection:
            return await kept_webhook(connection, url)
    except psycopg.errors.UndefinedTable:  # the bot has not started on this database yet
        return None
    except psycopg.Error as error:
        raise Unreachable(type(error).__name__) from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[AsyncConnection[Any]]:
    """Connect to the database. Raises Unreachable."""
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(database_url(settings.database_url, settings.data_dir))
            connection = await stack.enter_async_context(await connect(url))
        except DatabaseAway as error:
            raise Unreachable(str(error)) from error
        except Exception as error:
            raise Unreachable(f"it did not start ({type(error).__name__}). Check DATA_DIR.") from error
        yield connection


_COROUTINES = {"migrate": _migrate, "doctor": _doctor, "rotate": _rotate}

if __name__ == "__main__":
    sys.exit(main())
