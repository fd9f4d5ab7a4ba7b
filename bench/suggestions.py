"""
Type-ahead the whole way: `python -m bench.suggestions`, from the repository's root.

A local Slack and a local Blooio with 50,000 contacts, in a process of their own, and the bot in this one. Somebody has
the form "New text" open and types: measured is from the key to what the menu shows, over a socket and over HTTP, which
includes the local Slack's own work on both ends.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import uvloop

from bench.contacts import beginnings, local_blooio, row
from bot.app import running
from bot.ingress.server import bind
from bot.settings import read_settings
from bot.storage.contacts import Contacts
from bot.storage.embedded import embedded_postgres
from sandbox.driver import Sandbox
from sandbox.slack.driver import Person


async def main(count: int) -> None:
    with local_blooio(count) as (environment, _), tempfile.TemporaryDirectory(prefix="texting") as folder:
        async with embedded_postgres(Path(folder)) as database_url:
            for transport in ("socket", "http"):
                settings = environment | {"DATABASE_URL": database_url}
                if transport == "http":
                    del settings["SLACK_APP_TOKEN"]
                await measure(settings, transport, count)


async def measure(settings: dict[str, str], transport: str, count: int) -> None:
    with bind("127.0.0.1", 0) as bound:
        async with (
            Sandbox.at(settings["SLACK_API_URL"].removesuffix("/slack/api/")) as sandbox,
            running(read_settings(settings), bound=bound) as app,
        ):
            if transport == "http":
                await sandbox.set_transport(request_url=f"{app.url}/slack/events")
            await until_read(sandbox, Contacts(app.pool), count)
            ana = sandbox.person("ana")
            await ana.types("#support", "/text")
            await sandbox.until(ana.modal)
            print(f"\n{'over ' + transport:<28}{'p50':>10}{'p99':>10}{'slowest':>10}")
            everything: list[float] = []
            for length in range(1, 11):
                took = [await suggested(ana, typed) for typed in beginnings(count, length)]
                everything += took
                row(f"{length} character{'s' * (length > 1)}", took)
            row("all of them", everything)
            row("20 people at once", await asyncio.gather(*(suggested(ana, one) for one in beginnings(count, 3)[:20])))


async def until_read(sandbox: Sandbox, contacts: Contacts, count: int) -> None:
    """Wait until the bot has everybody, and reads nothing more."""
    quiet = 0
    while quiet < 10:
        await asyncio.sleep(0.1)
        busy = await sandbox.under_way(vendor="blooio") or await contacts.count() < count
        quiet = 0 if busy else quiet + 1


async def suggested(person: Person, typed: str) -> float:
    started = time.monotonic()
    found = await person.suggestions("To", typed)
    assert found.error is None, found.error
    return time.monotonic() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=50_000)
    uvloop.run(main(parser.parse_args().contacts))
