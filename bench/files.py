"""
Memory while files pass through: `python -m bench.files`, from the repository's root.

The bot runs as it would in production, in a process of its own with an embedded PostgreSQL; the sandbox is another,
which makes the bytes of large files as they are read. Files come in as large as the default allows (25 MB), and go out
as large as Blooio takes them (16 MB): one, and several at once. Memory is the bot's (RSS), looked at every 5 ms.
"""

import asyncio
import itertools
import os
import platform
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.webhooks import SUPPORT, Bot, free_port, sandbox_process
from bot.storage.embedded import start_embedded
from sandbox.blooio.driver import Gateway, Phone
from sandbox.driver import Sandbox
from sandbox.slack.filler import Filler

SECRET = "whsec_files"
MB = 2**20
LARGEST_IN, LARGEST_OUT = 25 * MB, 16 * MB
EVERY = 0.005  # seconds

_numbers = itertools.count(5_550_400_001)


@dataclass
class Thread:
    """Somebody's phone and their thread."""

    phone: Phone
    card_ts: str


@dataclass
class Stage:
    """A bot beside a sandbox, and people who have been texted."""

    sandbox: Sandbox
    bot: Bot

    async def begin(self) -> Thread:
        """Text somebody new, and wait for their thread."""
        ana, phone = self.sandbox.person("ana"), self.sandbox.phone(f"+1{next(_numbers)}")
        await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
        shown = await ana.types(SUPPORT, f"/text {phone.address} Hello")
        assert shown.text.startswith("Texting "), shown
        digits = phone.address

        async def card() -> str | None:
            pretty = f"+1 {digits[2:5]}-{digits[5:8]}-{digits[8:]}"
            return next((one.ts for one in await ana.sees(SUPPORT) if pretty in one.text and one.reply_count), None)

        return Thread(phone, await self.sandbox.until(card, timeout=30) or "")

    async def send_in(self, thread: Thread, size: int) -> None:
        """Somebody sends a file of *size* bytes; it is in their thread when this returns."""
        name = f"{next(_numbers)}.jpg"
        url = await thread.phone.offers(name, media_type="image/jpeg", size=size)
        await thread.phone.replies(None, attachments=[url])

        async def shared() -> bool:
            seen = await self.sandbox.person("ana").sees_thread(SUPPORT, thread.card_ts)
            return any((file.name, file.size) == (name, size) for one in seen for file in one.files)

        await self.sandbox.until(shared, timeout=60)

    async def send_out(self, thread: Thread, size: int) -> None:
        """Ana attaches a file of *size* bytes to a reply; it is on the phone when this returns."""
        name = f"{next(_numbers)}.jpg"
        file = (name, Filler(size, b"\xff\xd8\xff"))
        await self.sandbox.person("ana").uploads(SUPPORT, files=[file], text=name, thread_ts=thread.card_ts)

        async def arrived() -> bool:
            texts = [text for text in await thread.phone.received() if text.text == name]
            return bool(texts) and texts[0].attachments[0]["size"] == size

        await self.sandbox.until(arrived, timeout=60)


@dataclass
class Watched:
    """The bot's memory in MB, and how long it took."""

    before: float
    peak: float
    seconds: float


async def watch(bot: Bot, work: Awaitable[object]) -> Watched:
    before = peak = bot.memory
    started = time.monotonic()
    working = asyncio.ensure_future(work)
    while not working.done():
        await asyncio.wait({working}, timeout=EVERY)
        peak = max(peak, bot.memory)
    await working
    return Watched(before, peak, time.monotonic() - started)


async def measure(stage: Stage) -> None:
    threads = [await stage.begin() for _ in range(8)]
    for thread in threads[:2]:  # what is imported and opened once
        await stage.send_in(thread, 100_000)
        await stage.send_out(thread, 100_000)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rows: Sequence[tuple[str, Callable[[Thread, int], Awaitable[None]], int, int]] = (
        ("one in", stage.send_in, LARGEST_IN, 1),
        ("eight in at once", stage.send_in, LARGEST_IN, 8),
        ("one out", stage.send_out, LARGEST_OUT, 1),
        ("eight out at once", stage.send_out, LARGEST_OUT, 8),
    )
    print("| files | MB each | RSS before | at most | more by | seconds |")
    for title, send, size, count in rows:
        seen = await watch(stage.bot, asyncio.gather(*(send(thread, size) for thread in threads[:count])))
        more = seen.peak - seen.before
        figures = f"{seen.before:10.1f} | {seen.peak:7.1f} | {more:7.1f} | {seen.seconds:7.1f}"
        print(f"| {title:17} | {size // MB:7} | {figures} |")


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    server = start_embedded(folder)
    try:
        async with sandbox_process() as sandbox:
            url = f"http://127.0.0.1:{free_port()}"
            settings = {
                "DATABASE_URL": server.get_uri(),
                "BLOOIO_WEBHOOK_SECRET": SECRET,
                "PORT": url.rpartition(":")[2],
                "PUBLIC_URL": url,
            }
            bot = Bot(sandbox.environment() | settings, folder, url)
            await bot.start()
            try:
                async with httpx.AsyncClient() as http:
                    await Gateway(http, sandbox.url).subscribes(f"{url}/blooio/webhooks", secret=SECRET)
                await sandbox.connected()
                yield Stage(sandbox, bot)
            finally:
                await bot.end(signal.SIGKILL)
    finally:
        server.cleanup()


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        async with staged(Path(name)) as stage:
            await measure(stage)


if __name__ == "__main__":
    asyncio.run(main())
