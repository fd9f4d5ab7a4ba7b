"""
A storm of webhooks, and what the bot makes of it: `python -m bench.webhooks`, from the repository's root.

Texts are sent through `/text` in the sandbox. Then everything that Blooio would tell of them arrives at once: shuffled,
a fifth of it twice, in its three bodies, over 32 connections. In the middle of it Slack is out for a minute (of the
sandbox's clock), and the bot is killed and started again. In the end every row and every receipt has to say what the
events said. `tests/acceptance/test_webhook_storm.py` is the same on a smaller scale.

The bot runs as it would in production, in a process of its own with an embedded PostgreSQL; the sandbox is a third
process. Times are measured by whoever posts the webhooks.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import math
import os
import platform
import random
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import psycopg

from bot.storage.embedded import start_embedded
from sandbox.driver import Sandbox

ROOT = Path(__file__).resolve().parent.parent
SUPPORT = "#support"
SECRET = "whsec_storm"
LINE = "+15550109999"
CONNECTIONS = 32
FORMATS = ("flat", "2026-09-01", "2026-10-01")
RETRY_AFTER = 1.0  # seconds; Blooio's own first wait is 30, which would only make this take longer
TEXTS_EACH = 2  # that one person gets
WEBHOOKS_EACH = 4  # about one text, on average, repeats included

IMESSAGE, RCS, SMS = "imessage", "rcs", "sms"
_SHOWN = {IMESSAGE: "🔵 iMessage", RCS: "🟣 RCS", SMS: "🟢 SMS"}


@dataclass(frozen=True)
class Fate:
    """What may become of a text: the steps that Blooio tells of, and on which channel."""

    steps: tuple[str, ...]
    channel: str
    weight: int

    def fits(self, expected: str) -> bool:
        """Whether the channel is what the check promised: iMessage, or anything else."""
        return (self.channel == IMESSAGE) == (expected == IMESSAGE)


FATES = (
    Fate(("sent", "delivered", "read", "reaction"), IMESSAGE, 40),
    Fate(("queued", "sent", "delivered"), IMESSAGE, 20),
    Fate(("queued", "sent", "delivered"), SMS, 15),
    Fate(("queued", "sent", "delivered"), RCS, 10),
    Fate(("queued", "sent", "failed"), SMS, 10),
    Fate(("queued", "sent"), SMS, 5),
)
AS_EXPECTED = 9  # times as many texts take the channel that is expected of them
_AFTER = {"queued": 0, "sent": 1, "delivered": 3, "read": 8, "failed": 5, "reaction": 9}  # seconds


@dataclass
class Text:
    """One text that was really sent, and what Blooio tells of it."""

    number: int
    address: str
    expected: str | None  # the channel; None: nothing was known of the person yet
    fate: Fate
    accepted: datetime
    message_id: str = ""

    @property
    def body(self) -> str:
        return f"Storm {self.number}"

    def at(self, step: str) -> datetime | None:
        return self.accepted + timedelta(seconds=_AFTER[step]) if step in self.fate.steps else None

    @property
    def row(self) -> tuple[Any, ...]:
        """What its row has to say: status, channel, times, reactions."""
        status = next(step for step in ("failed", "read", "delivered", "sent") if step in self.fate.steps)
        times = (self.at("sent"), self.at("delivered"), self.at("read"), self.at("failed"))
        return (status, self.fate.channel, *times, ["love"] if "reaction" in self.fate.steps else [])

    @property
    def receipt(self) -> str:
        """How the line under it has to begin, without times of day."""
        if "failed" in self.fate.steps:
            return "⚠️ Not delivered. Blooio says: carrier_rejected"
        channel = _SHOWN[self.fate.channel]
        if self.expected not in {None, self.fate.channel}:
            channel += f" (expected {_SHOWN[self.expected or ''].split()[1]})"
        steps = [step.capitalize() for step in ("delivered", "read") if step in self.fate.steps] or ["Sent"]
        return " · ".join((channel, *steps, *(["❤️"] if "reaction" in self.fate.steps else [])))


@dataclass(frozen=True)
class Parcel:
    """One webhook."""

    body: bytes

    def headers(self) -> dict[str, str]:
        """Sign it as of now, as each attempt of Blooio's is."""
        now = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), now.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-Blooio-Signature": f"t={now},v1={signature}"}


def body_of(text: Text, step: str, form: str) -> bytes:
    """One event in one of Blooio's three bodies. Source: Blooio API v2 and v4, "Webhook events"."""
    at = round((text.accepted + timedelta(seconds=_AFTER[step])).timestamp() * 1000)
    flat: dict[str, Any] = {
        "event": f"message.{step}",
        "message_id": text.message_id,
        "external_id": text.address,
        "internal_id": LINE,
        "protocol": "pending" if step == "queued" else text.fate.channel,
        "timestamp": at,
        "is_group": False,
    }
    if step in {"sent", "delivered", "read"}:
        flat[f"{step}_at"] = at
    if step == "failed":
        flat |= {"error_code": "carrier_rejected", "error_message": "It was rejected."}
    if step == "reaction":
        flat |= {"direction": "inbound", "reaction": "love", "action": "add", "sender": text.address}
    if form == "flat":
        return json.dumps(flat).encode()
    data = dict(flat)
    if form == "2026-10-01":
        outbound = step != "reaction"
        for name in ("event", "timestamp", "external_id", "internal_id"):
            del data[name]
        data |= {"contact": {"identifier": text.address}, "channel_address": LINE}
        data |= {"sender": LINE if outbound else text.address, "recipient": text.address if outbound else LINE}
        data |= {"direction": "outbound" if outbound else "inbound"}
        if "error_code" in data:
            data["error"] = {"code": data.pop("error_code"), "message": data.pop("error_message")}
    envelope = {"id": f"evt_{text.number}_{step}", "type": f"message.{step}", "api_version": form, "created_at": at}
    return json.dumps(envelope | {"organization_id": "org_1", "data": data}).encode()


def parcels_of(texts: Sequence[Text], lots: random.Random) -> list[Parcel]:
    """Everything that is told of the texts, shuffled, with so many repeats that it comes to four for each text."""
    news = [(text, step) for text in texts for step in text.fate.steps]
    repeats = lots.sample(news, WEBHOOKS_EACH * len(texts) - len(news))
    parcels = [Parcel(body_of(text, step, lots.choice(FORMATS))) for text, step in news + repeats]
    lots.shuffle(parcels)
    return parcels


@dataclass
class Sender:
    """Posts webhooks as Blooio does: many at once, each again until it is acknowledged."""

    url: str
    answers: list[tuple[float, float]] = field(default_factory=list)  # when it was posted, seconds until it was taken
    refused: Counter[str] = field(default_factory=Counter)  # what else came
    answered_at: float = 0.0

    async def send(self, parcels: Sequence[Parcel]) -> None:
        queue: asyncio.Queue[Parcel] = asyncio.Queue()
        for parcel in parcels:
            queue.put_nowait(parcel)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=15)) as http:
            posting = [asyncio.create_task(self._post(http, queue)) for _ in range(CONNECTIONS)]
            while len(self.answers) < len(parcels):  # noqa: ASYNC110  (our own list, nobody announces it)
                await asyncio.sleep(0.005)
            for task in posting:
                task.cancel()
            await asyncio.gather(*posting, return_exceptions=True)

    async def _post(self, http: aiohttp.ClientSession, queue: asyncio.Queue[Parcel]) -> None:
        while True:
            parcel = await queue.get()
            started = time.monotonic()
            try:
                async with http.post(self.url, data=parcel.body, headers=parcel.headers()) as response:
                    await response.read()
                    said = str(response.status)
            except (aiohttp.ClientError, TimeoutError) as error:
                said = type(error).__name__
            if said == "200":
                self.answered_at = time.monotonic()
                self.answers.append((started, self.answered_at - started))
            else:
                self.refused[said] += 1
                asyncio.get_running_loop().call_later(RETRY_AFTER, queue.put_nowait, parcel)


@dataclass
class Bot:
    """The bot as a process that can be killed."""

    environment: dict[str, str]
    folder: Path  # where it finds no .env
    url: str
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot"),
            cwd=self.folder,
            env=kept | {"PYTHONPATH": str(ROOT), "HOST": "127.0.0.1"} | self.environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with aiohttp.ClientSession() as http, asyncio.timeout(30):
            while not await _answers(http, f"{self.url}/healthz"):
                assert self._process.returncode is None, "the bot did not start"
                await asyncio.sleep(0.05)

    async def end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(number)
            await process.wait()

    @property
    def memory(self) -> float:
        """How much it has, in MB."""
        assert self._process is not None
        return float(psutil.Process(self._process.pid).memory_info().rss / 2**20)


@dataclass
class Storm:
    """A bot beside a sandbox, the texts that it sent, and the figures."""

    sandbox: Sandbox
    bot: Bot
    database_url: str
    lots: random.Random
    texts: list[Text] = field(default_factory=list)
    sender: Sender = field(init=False)
    down: tuple[float, float] = (0.0, 0.0)  # from when until when the bot was killed and starting
    since: int = 0  # the sandbox's record before the storm

    def __post_init__(self) -> None:
        self.sender = Sender(f"{self.bot.url}/blooio/webhooks")

    async def prepare(self, count: int) -> None:
        """Text people whose phones tell nothing by themselves, and wait until Slack shows every text."""
        accepted = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
        for number in range(count):
            person = number // TEXTS_EACH
            expected = IMESSAGE if person % 2 else SMS
            weights = [fate.weight * (AS_EXPECTED if fate.fits(expected) else 1) for fate in FATES]
            (fate,) = self.lots.choices(FATES, weights)
            self.texts.append(Text(number, f"+1555{4_000_000 + person}", expected, fate, accepted))
        # Not more at once: a bot that has just started is not what is measured, and may have little of a processor.
        await _in_batches([self._text(texts) for texts in self._by_person()], at_once=4)
        shown = "SELECT count(*) FROM deliveries WHERE message_id IS NOT NULL AND posted_ts IS NOT NULL"
        await self.until(shown, count, timeout=30 + count / 10)
        rows = {row[0]: row[1:] for row in await self.ask("SELECT body, message_id, expected_channel FROM deliveries")}
        for text in self.texts:
            text.message_id, text.expected = rows[text.body]
        self.since = (await self.sandbox.exchanges(name="chat.*"))[-1]["id"]

    def _by_person(self) -> list[list[Text]]:
        return [self.texts[first : first + TEXTS_EACH] for first in range(0, len(self.texts), TEXTS_EACH)]

    async def _text(self, texts: Sequence[Text]) -> None:
        imessage = texts[0].expected == IMESSAGE
        await self.sandbox.phone(texts[0].address).becomes(stuck=True, imessage=imessage)
        for text in texts:
            shown = await self.sandbox.person("ana").types(SUPPORT, f"/text {text.address} {text.body}")
            assert shown.text.startswith("Texting "), shown

    async def rage(self, parcels: Sequence[Parcel]) -> None:
        """Send them all, with Slack's outage from a fifth to four fifths of it, and a killing in the middle."""
        sending = asyncio.create_task(self.sender.send(parcels))
        await self._answered(len(parcels) // 5)
        await self.sandbox.order(vendor="slack", where="[!d]*", kind="status", status=503, times=None)
        await self._answered(len(parcels) // 2)
        self.down = (time.monotonic(), math.inf)
        await self.bot.end(signal.SIGKILL)
        await self.bot.start()
        self.down = (self.down[0], time.monotonic())
        await self._answered(len(parcels) * 4 // 5)
        await self.sandbox.advance(60)
        await self.sandbox.calm()
        await sending

    async def _answered(self, count: int) -> None:
        while len(self.sender.answers) < count:  # noqa: ASYNC110  (a list of our own, nobody announces it)
            await asyncio.sleep(0.005)

    async def calms_down(self, timeout: float) -> float:
        """Wait until nothing is left to apply and to draw; return how many seconds after the last answer."""
        await self.until("SELECT count(*) FROM events WHERE applied_at IS NULL", 0, timeout=timeout)
        await self.until(
            "SELECT (SELECT count(*) FROM deliveries WHERE drawn_revision < revision)"
            " + (SELECT count(*) FROM threads WHERE drawn_revision < revision)",
            0,
            timeout=timeout,
        )
        return time.monotonic() - self.sender.answered_at

    async def wrong_rows(self) -> list[str]:
        """What the rows say otherwise than the events."""
        rows = await self.ask(
            "SELECT body, status, actual_channel, sent_at, delivered_at, read_at, failed_at, reactions FROM deliveries"
        )
        found = {body: tuple(row) for body, *row in rows}
        return [
            f"{text.body}: {found[text.body]} for {text.row}" for text in self.texts if found[text.body] != text.row
        ]

    async def wrong_receipts(self) -> list[str]:
        """What Slack shows otherwise than the events say: receipts, and the channel on each card."""
        found = await self.ask(
            "SELECT p.address, t.conversation_id, t.card_ts FROM threads t JOIN people p ON p.id = t.person_id"
        )
        wrong: list[str] = []
        async with aiohttp.ClientSession(self.sandbox.url) as http:
            threads = {address: await self._thread(http, home, ts) for address, home, ts in found}
        for texts in self._by_person():
            card, *shown = threads[texts[0].address]
            if len(shown) != len(texts):
                wrong.append(f"{len(shown)} messages for {len(texts)} texts: {shown}")
            if _SHOWN[texts[-1].fate.channel] not in card:  # its last text's
                wrong.append(f"card of {texts[-1].body}: {card!r}")
            lines = {message.splitlines()[0]: _line(message) for message in shown}
            wrong += [
                f"{text.body}: {lines.get(text.body)!r} for {text.receipt!r}"
                for text in texts
                if lines.get(text.body) != text.receipt
            ]
        return wrong

    async def _thread(self, http: aiohttp.ClientSession, conversation_id: str, card_ts: str) -> list[str]:
        """What there is to read in a thread, its card first."""
        query = {"as": self.sandbox.person("ana").user_id, "in": conversation_id, "thread": card_ts}
        async with http.get("/_sandbox/state", params=query) as response:
            messages = (await response.json())["slack"]["messages"]
        return [message["read"] for message in messages]

    async def edits(self) -> tuple[int, int, int]:
        """How often receipts were edited, how often cards, and how often Slack did not take an edit."""
        receipts = {ts for (ts,) in await self.ask("SELECT posted_ts FROM deliveries")}
        exchanges = await self.sandbox.exchanges(name="chat.update", since=self.since)
        taken = [one["body"]["ts"] in receipts for one in exchanges if one["status"] == 200 and one["response"]["ok"]]
        return sum(taken), len(taken) - sum(taken), len(exchanges) - len(taken)

    def seconds(self) -> list[float]:
        """How long the answers took, but for those that had to wait for a bot that was not there."""
        down, up = self.down
        return [seconds for started, seconds in self.sender.answers if started + seconds < down or started > up]

    async def until(self, query: str, value: int, *, timeout: float) -> None:
        """Wait until the database answers so. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while (await self.ask(query))[0][0] != value:  # noqa: ASYNC110  (asking is the only way to know)
                await asyncio.sleep(0.1)

    async def ask(self, query: Any) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
            return await (await connection.execute(query)).fetchall()


def _line(shown: str) -> str:
    """The line under a text, without the times of day."""
    lines = shown.splitlines()
    return re.sub(r" \d{1,2}:\d\d(\s[AP]M)?", "", lines[1]) if len(lines) > 1 else ""


async def _in_batches(work: Sequence[Any], *, at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def in_place(one: Any) -> None:
        async with places:
            await one

    await asyncio.gather(*map(in_place, work))


@asynccontextmanager
async def storm(sandbox: Sandbox, database_url: str, folder: Path, *, seed: int = 1) -> AsyncIterator[Storm]:
    """A bot that has started, and a storm that may begin."""
    port = str(free_port())
    settings = {"DATABASE_URL": database_url, "BLOOIO_WEBHOOK_SECRET": SECRET, "PORT": port}
    bot = Bot(sandbox.environment() | settings, folder, f"http://127.0.0.1:{port}")
    await bot.start()
    try:
        await sandbox.connected()  # it serves HTTP a moment before that
        yield Storm(sandbox, bot, database_url, random.Random(seed))
    finally:
        await bot.end(signal.SIGKILL)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def sandbox_process() -> AsyncIterator[Sandbox]:
    port = str(free_port())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", port, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        async with Sandbox.at(f"http://127.0.0.1:{port}") as sandbox:
            yield sandbox
    finally:
        process.kill()  # it has nothing to keep
        await process.wait()


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        server = start_embedded(Path(name))
        try:
            async with sandbox_process() as sandbox, storm(sandbox, server.get_uri(), Path(name)) as raging:
                await _measure(raging, options)
        finally:
            server.cleanup()


async def _measure(raging: Storm, options: argparse.Namespace) -> None:
    started = time.monotonic()
    await raging.prepare(options.texts)
    prepared = time.monotonic() - started
    parcels = parcels_of(raging.texts, raging.lots)
    began = time.monotonic()
    await raging.rage(parcels)
    lasted = time.monotonic() - began
    calm = await raging.calms_down(timeout=300)
    wrong = await raging.wrong_rows() + await raging.wrong_receipts()
    receipts, cards, refused = await raging.edits()
    seconds, all_seconds = raging.seconds(), [seconds for _, seconds in raging.sender.answers]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for title, value in (
        ("texts, webhooks", f"{len(raging.texts)}, {len(parcels)}"),
        ("seconds to send the texts", f"{prepared:.0f}"),
        ("seconds of the storm", f"{lasted:.1f}"),
        ("webhooks a second", f"{len(parcels) / lasted:.0f}"),
        ("answers p50, p99, max in ms", _spread(seconds)),
        ("the same with the bot's restart", _spread(all_seconds)),
        ("not answered with 200", str(dict(raging.sender.refused))),
        ("seconds until every receipt is right", f"{calm:.1f}"),
        ("edits of receipts for each text", f"{receipts / len(raging.texts):.2f}"),
        ("edits of cards for each text", f"{cards / len(raging.texts):.2f}"),
        ("edits that Slack did not take", str(refused)),
        ("memory of the bot in MB", f"{raging.bot.memory:.0f}"),
        ("rows and receipts that are wrong", str(len(wrong))),
    ):
        print(f"| {title:36} | {value:>22} |")
    print(*wrong[:10], sep="\n")


def p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]


def _spread(seconds: Sequence[float]) -> str:
    return ", ".join(f"{1000 * value:.1f}" for value in (statistics.median(seconds), p99(seconds), max(seconds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A storm of webhooks, and what the bot makes of it.")
    parser.add_argument("--texts", type=int, default=2500, help="there are four times as many webhooks (2500)")
    asyncio.run(main(parser.parse_args()))
