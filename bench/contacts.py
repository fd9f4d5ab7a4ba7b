"""
An address book of 50,000 beside the bot: `python -m bench.contacts`, from the repository's root.

The local Blooio has them, in a process of its own, and takes 50 ms for each answer as one far away does. Measured is
the first reading of the whole list, the next one when nothing or one in a hundred has changed, and what type-ahead
takes: one to ten characters of names in several scripts, of numbers and of tags. Memory is this process's own (RSS),
which reads and searches as the bot does.
"""

import argparse
import asyncio
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import uvloop

from bot.blooio.client import BlooioClient, blooio_http
from bot.storage.contacts import Contacts
from bot.storage.database import migrate, open_pool
from bot.storage.embedded import embedded_postgres
from bot.texting.book import Book
from sandbox.blooio.model import Contact, Message, Status
from sandbox.driver import Sandbox
from sandbox.server import World

LATENCY = 0.05  # seconds
SHOWN = 20  # people in a menu
SEARCHES = 60  # of each length

FIRST = (
    "Jane Ana Ben Mary John José Zoë Björn Łukasz Siobhán Владимир Ольга Дмитрий Γιώργος Ελένη محمد فاطمة עדי נועם "
    "王 李 張 佐藤 鈴木 김 박 सीता राम Nguyễn Trần Ayşe Çağla Émile Chloë Tomás Mia Liam Noah Emma Olivia Lucas Sofia"
)
LAST = (
    "Doe Alvarez Baker Watson Smith García Müller Ångström Kowalski Ó-Briain Иванов Смирнова Παπαδόπουλος العلي الحسن "
    "כהן לוי 小明 秀英 健太 민준 서연 शर्मा वर्मा Văn Thị Yılmaz Öztürk Dupont Lefèvre Silva Rossi Costa Green Park"
)
TAGS = ("vip", "west coast", "newsletter", "wholesale", "événement", "клиент", "2026")


def people(count: int) -> Iterator[Contact]:
    """Make up *count* people, always the same."""
    dice = random.Random(20261122)
    first, last = FIRST.split(), LAST.split()
    for number in range(count):
        name = f"{dice.choice(first)} {dice.choice(last)}"
        if dice.random() < 0.3:
            name = f"{name} {number % 1000}"
        address = f"person{number}@example.test" if dice.random() < 0.03 else f"+1555{number:07}"
        contact = Contact(f"ct_{number}", address, None if dice.random() < 0.02 else name, created_at=float(number))
        for tag in dice.sample(TAGS, dice.choice((0, 0, 0, 1, 2))):
            contact.tags[tag] = 0.0
        yield contact


def blooio(count: int, told: Connection) -> None:
    """Run a local Blooio with so many contacts until the other end is closed. Each message renames one in a hundred."""

    async def serve() -> None:
        world = World("manifest.yml", latency=LATENCY)
        records = world.blooio._records  # noqa: SLF001  (quicker than 50,000 requests)
        everybody = list(people(count))
        records.contacts |= {contact.identifier: contact for contact in everybody}
        for contact in everybody[:: count // 1000 or 1]:  # some were texted lately
            records.add(_text(contact.identifier, contact.created_at))
        async with Sandbox(world=world) as sandbox:
            told.send(sandbox.environment())
            while (renamed := await asyncio.to_thread(told.recv)) is not None:
                for contact in everybody[::100]:
                    contact.name = f"{contact.name} {renamed}"
                told.send(None)

    uvloop.run(serve())


def _text(address: str, at: float) -> Message:
    return Message(
        f"msg_{address}", outbound=True, address=address, line="", text="Hi", attachments=[], at=at, status=Status.SENT
    )


@contextmanager
def local_blooio(count: int) -> Iterator[tuple[dict[str, str], Connection]]:
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=blooio, args=(count, theirs))
    process.start()
    theirs.close()  # if it dies, we hear of it
    try:
        yield ours.recv(), ours
    finally:
        ours.send(None)
        process.join()


@asynccontextmanager
async def library(environment: dict[str, str]) -> AsyncIterator[Book]:
    with tempfile.TemporaryDirectory(prefix="texting") as folder:
        async with embedded_postgres(Path(folder)) as url:
            await migrate(url)
            async with (
                open_pool(url) as pool,
                blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http,
            ):
                yield Book(gateway=BlooioClient(http), memory=Contacts(pool))


async def main(count: int) -> None:
    with local_blooio(count) as (environment, told):
        async with library(environment) as book:
            show("at first", 0.0, _memory())
            await timed("read for the first time", book)
            await timed("read again, nothing changed", book)
            await asyncio.to_thread(told.send, "again")
            await asyncio.to_thread(told.recv)
            await timed("read again, 1 in 100 changed", book)
            print(f"\n{'typed':<28}{'p50':>10}{'p99':>10}{'slowest':>10}")
            everything: list[float] = []
            for length in range(1, 11):
                took = [await search(book, typed) for typed in beginnings(count, length)]
                everything += took
                row(f"{length} character{'s' * (length > 1)}", took)
            row("all of them", everything)
            at_once = beginnings(count, 3)[:50]
            row("50 at once, 3 characters", await asyncio.gather(*(search(book, typed) for typed in at_once)))
            named = [await called(book, typed) for typed in beginnings(count, 10)]
            row("who is called …", named)
            print(f"\nafterwards, with {count:,} contacts: {_memory()}")


async def timed(what: str, book: Book) -> None:
    started = time.monotonic()
    late = asyncio.create_task(_lateness())
    found = await book.bring_up_to_date()
    took = time.monotonic() - started
    late.cancel()
    show(what, took, f"{found:,} contacts, {_memory()}, loop late by {_worst * 1000:.0f} ms")


def beginnings(count: int, length: int) -> list[str]:
    """List what people type: the first characters of names, and of words, numbers and tags too."""
    dice = random.Random(length)
    contacts = dice.sample(list(people(count)), SEARCHES)
    typed: list[str] = []
    for number, contact in enumerate(contacts):
        words = [contact.name or contact.identifier, (contact.name or "").split(" ")[-1], contact.identifier[-7:]]
        words.append(f"#{dice.choice(TAGS)}")
        typed.append((words[number % 10 - 6 if number % 10 > 6 else 0] or "a")[:length])
    return typed


async def search(book: Book, typed: str) -> float:
    started = time.monotonic()
    await book.search(typed, limit=SHOWN)
    return time.monotonic() - started


async def called(book: Book, name: str) -> float:
    started = time.monotonic()
    await book.called(name, limit=6)
    return time.monotonic() - started


_worst = 0.0


async def _lateness() -> None:
    global _worst  # noqa: PLW0603  (one figure of a script)
    _worst = 0.0
    while True:
        started = time.monotonic()
        await asyncio.sleep(0.001)
        _worst = max(_worst, time.monotonic() - started - 0.001)


def row(what: str, took: list[float]) -> None:
    ordered = sorted(took)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    print(f"{what:<28}{_ms(statistics.median(ordered))}{_ms(p99)}{_ms(ordered[-1])}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:7.1f} ms"


def show(what: str, seconds: float, more: str) -> None:
    print(f"{what:<30}{seconds:6.1f} s   {more}")


def _memory() -> str:
    return f"{psutil.Process().memory_info().rss / 2**20:.0f} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=50_000)
    uvloop.run(main(parser.parse_args().contacts))
