"""
How fast a text is accepted, reaches Blooio and shows in its thread: `python -m bench.texts`.

The bot runs as it would in production (its own process, embedded PostgreSQL, HTTP mode) between stand-ins for Slack
and Blooio that each answer after 50 ms. Times are from the moment the command is sent to the bot to the moment the
stand-in is asked: by the message's POST at Blooio, by the thread reply's chat.postMessage at Slack.

`bench.speed` measures other programs in the same way: whatever serves `/slack/events` on `PORT`.
"""

import argparse
import asyncio
import itertools
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import psutil
import uvloop
from slack_sdk.signature import SignatureVerifier

ROOT = Path(__file__).resolve().parent.parent
SECRET = "0123456789abcdef0123456789abcdef"

#: Slack waits this long for an acknowledgement; whoever typed the command is told that it failed then.
SLACK_WAITS = 3.0

#: How long what was accepted may take to be done.
PATIENCE = 30.0

#: Every text of a run has a key of its own, and every new person a number of their own.
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Program:
    """A bot to be measured, and how it is started."""

    name: str
    command: tuple[str, ...]
    pause: float = 0.0  # seconds before people are texted again: it may remember for a while what it would ask else


OURS = Program("this bot", (sys.executable, "-m", "bot"), pause=5.5)


@dataclass(frozen=True)
class Scale:
    """How much is measured in one turn."""

    one_by_one: int = 60  # texts one at a time, to new people and again to the same
    burst: int = 300  # commands at once
    steady_seconds: float = 8.0  # with twenty commands under way all the time


#: What was measured: seconds, unless the name says otherwise.
Figures = dict[str, list[float]]


@dataclass
class Bench:
    """A bot between stand-ins, and what was noted so far."""

    http: aiohttp.ClientSession
    bot_url: str
    vendors_url: str
    bot: psutil.Process
    folder: Path
    started_in: float  # seconds
    sent: dict[str, float] = field(default_factory=dict)
    notes: dict[str, dict[str, float]] = field(default_factory=lambda: {"message": {}, "reply": {}, "card": {}})

    async def text(self, phone: str) -> tuple[str, float | None]:
        """Type `/text`; return the text's key and the seconds to its acknowledgement, or None: Slack gave up."""
        key = str(next(_numbers))
        form = {
            "command": "/text", "text": f"{phone} Hello #{key}", "team_id": "T1", "channel_id": "C1", "user_id": "U1",
            "user_name": "ana", "trigger_id": f"{time.time_ns()}.{key}", "response_url": "https://hooks.invalid/x",
        }  # fmt: skip
        body, now = urlencode(form), str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=now, body=body)
        headers = {
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": str(signature),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.sent[key] = time.monotonic()
        try:
            async with (
                asyncio.timeout(SLACK_WAITS),
                self.http.post(f"{self.bot_url}/slack/events", data=body, headers=headers) as response,
            ):
                answer = await response.text()
        except (TimeoutError, aiohttp.ClientError):
            return key, None
        assert "Texting" in answer, (response.status, answer)
        return key, time.monotonic() - self.sent[key]

    async def until_done(self, keys: Collection[str], *, patience: float = PATIENCE) -> tuple[int, float]:
        """Wait until these texts are at Blooio and in their threads; return how many were in time, and until when."""
        deadline = time.monotonic() + patience
        missing, message, reply = set(keys), self.notes["message"], self.notes["reply"]
        while missing and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            await self.read_notes()
            missing = {key for key in missing if key not in message or key not in reply}
        done = [max(message[key], reply[key]) for key in keys if key not in missing]
        return len(done), max(done, default=deadline)

    async def read_notes(self) -> None:
        async with self.http.get(f"{self.vendors_url}/record") as response:
            for what, key, at in await response.json():
                assert what == "card" or key not in self.notes[what], f"twice: {what} {key}"
                self.notes[what][key] = at

    def since_sent(self, what: str, keys: Iterable[str]) -> list[float]:
        return [self.notes[what][key] - self.sent[key] for key in keys]

    def processes(self) -> tuple[list[psutil.Process], list[psutil.Process]]:
        """Return the bot's processes, and those of its PostgreSQL, if it has one."""
        owned = [self.bot, *self.bot.children(recursive=True)]
        pid_file = self.folder / "postgres" / "postmaster.pid"
        if not pid_file.exists():
            return owned, []
        server = psutil.Process(int(pid_file.read_text().split()[0]))
        database = [server, *server.children(recursive=True)]
        return [one for one in owned if one not in database], database


@asynccontextmanager
async def bench(latency: float, program: Program = OURS, folder: Path | None = None) -> AsyncIterator[Bench]:
    """Start the stand-ins and *program* between them; what it keeps is in *folder*, or gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench") as temporary:
        folder = folder or Path(temporary)
        vendors_port, bot_port = _free_port(), _free_port()
        vendors_url, bot_url = f"http://127.0.0.1:{vendors_port}", f"http://127.0.0.1:{bot_port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK", "BLOOIO"))}
        environment |= {
            "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{vendors_url}/slack/api/", "BLOOIO_API_KEY": "bench",
            "BLOOIO_BASE_URL": f"{vendors_url}/blooio/v2/api",
            "HOST": "127.0.0.1", "PORT": str(bot_port), "DATA_DIR": str(folder), "NODE_ENV": "production",
        }  # fmt: skip
        stand_ins = ("-m", "bench.stand_ins", "--port", str(vendors_port), "--latency", str(latency))
        vendors = await asyncio.create_subprocess_exec(sys.executable, *stand_ins, cwd=ROOT)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        async with aiohttp.ClientSession(connector=connector) as http:
            await _until_answers(http, f"{vendors_url}/record")
            started = time.monotonic()
            with (Path(temporary) / "log").open("wb") as log:
                bot = await asyncio.create_subprocess_exec(
                    *program.command, env=environment, cwd=ROOT, stdout=log, stderr=log
                )
            try:
                try:
                    await _until_answers(http, f"{bot_url}/healthz", while_runs=bot)
                except NotStarted as error:
                    error.add_note(f"{program.name} said:\n{(Path(temporary) / 'log').read_text()}")
                    raise
                started_in = time.monotonic() - started
                yield Bench(http, bot_url, vendors_url, psutil.Process(bot.pid), folder, started_in)
            finally:
                if bot.returncode is None:
                    bot.terminate()
                await bot.wait()
                vendors.terminate()
                await vendors.wait()


async def measure(b: Bench, scale: Scale, *, pause: float = OURS.pause) -> Figures:
    """Measure one bot: one text at a time, many at once, and many for a while."""
    figures: Figures = defaultdict(list)
    figures["start"].append(b.started_in)
    await one_by_one(b, new_people(5), defaultdict(list), "warm: imports, connections, caches")
    people = new_people(scale.one_by_one)
    await one_by_one(b, people, figures, "first text")
    await asyncio.sleep(pause)
    await one_by_one(b, people, figures, "known person")
    people = new_people(scale.burst)
    await burst(b, people, figures)
    await steady(b, people, scale.steady_seconds, figures)
    return figures


def new_people(count: int) -> list[str]:
    return [f"+1555{2_000_000 + next(_numbers)}" for _ in range(count)]


async def one_by_one(b: Bench, people: list[str], figures: Figures, whom: str) -> None:
    """Text people, waiting for each text to be done."""
    for phone in people:
        key, seconds = await b.text(phone)
        assert seconds is not None, "not acknowledged in time"
        assert (await b.until_done([key]))[0] == 1, "a text is missing"
        figures["acknowledgement"].append(seconds)
        figures[f"message, {whom}"] += b.since_sent("message", [key])
        figures[f"reply, {whom}"] += b.since_sent("reply", [key])


async def burst(b: Bench, people: list[str], figures: Figures) -> None:
    """Text all of them at once."""
    started = time.monotonic()
    acknowledged = await _accepted(await asyncio.gather(*map(b.text, people)), figures, "burst")
    figures["burst accepted, of all"].append(len(acknowledged) / len(people))
    done, ended = await b.until_done(acknowledged)
    figures["burst texts/s"].append(done / (ended - started))


async def steady(b: Bench, people: list[str], seconds: float, figures: Figures, at_once: int = 20) -> None:
    """Keep *at_once* commands to known people under way for a while, then wait until all are done."""
    started, before = time.monotonic(), [cpu_seconds(some) for some in b.processes()]
    whom = itertools.cycle(people)
    answers: list[tuple[str, float | None]] = []

    async def person() -> None:
        while time.monotonic() < started + seconds:
            answers.append(await b.text(next(whom)))

    await asyncio.gather(*(person() for _ in range(at_once)))
    acknowledged = await _accepted(answers, figures, "steady")
    figures["steady accepted, of all"].append(len(acknowledged) / len(answers))
    done, ended = await b.until_done(acknowledged)
    figures["steady texts/s"].append(done / (ended - started))
    bot, database = (
        (cpu_seconds(some) - earlier) / max(done, 1) for some, earlier in zip(b.processes(), before, strict=True)
    )
    figures["cpu"].append(bot)
    figures["cpu with database"].append(bot + database)
    bot, database = b.processes()
    resident = sum(one.memory_info().rss for one in bot)
    figures["memory, bytes"].append(resident)
    figures["memory with database, bytes"].append(resident + memory_shared(database))


async def _accepted(answers: Iterable[tuple[str, float | None]], figures: Figures, what: str) -> list[str]:
    accepted = {key: seconds for key, seconds in answers if seconds is not None}
    figures[f"acknowledgement, {what}"] += accepted.values()
    return list(accepted)


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Sum up what these have used; what a child used that has ended counts for its parent."""
    return sum(sum(one.cpu_times()[:4]) for one in processes)


def memory_shared(processes: Iterable[psutil.Process]) -> float:
    """Sum up the memory of processes that share much of it, in bytes: of that, each has its part."""
    return sum(one.memory_full_info().pss for one in processes)


class NotStarted(Exception):
    """What was to be measured, or a stand-in, does not answer."""


async def _until_answers(
    http: aiohttp.ClientSession, url: str, *, while_runs: asyncio.subprocess.Process | None = None
) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (while_runs is None or while_runs.returncode is None):
        try:
            async with http.get(url):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.025)
    raise NotStarted(url)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def main(options: argparse.Namespace) -> None:
    async with bench(options.latency) as b:
        figures = await measure(b, Scale(options.count, options.burst, options.seconds))
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, both vendors at {options.latency * 1000:.0f} ms"
    )
    print(f"| {'':26} | p50 ms | p99 ms |\n| {'-' * 26} | -----: | -----: |")
    for title in (title for title in figures if title.startswith(("ack", "message", "reply"))):
        values = [value * 1000 for value in figures[title]]
        p99 = statistics.quantiles(values, n=100, method="inclusive")[98]
        print(f"| {title:26} | {statistics.median(values):6.1f} | {p99:6.1f} |")
    only = {title: values[0] for title, values in figures.items() if len(values) == 1}
    print(f"\nburst: {only['burst texts/s']:.0f} texts/s · 20 at a time: {only['steady texts/s']:.0f} texts/s")
    print(f"CPU: {only['cpu'] * 1000:.2f} ms a text, {only['cpu with database'] * 1000:.2f} ms with PostgreSQL")
    megabytes = (only[name] / 2**20 for name in ("memory, bytes", "memory with database, bytes"))
    print("memory: {:.0f} MB, {:.0f} MB with PostgreSQL".format(*megabytes), end=" · ")
    print(f"started in {only['start']:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the bot between stand-ins.")
    parser.add_argument("--latency", type=float, default=0.05, help="of each vendor, in seconds (0.05)")
    parser.add_argument("--count", type=int, default=60, help="texts one at a time (60)")
    parser.add_argument("--burst", type=int, default=300, help="commands at once (300)")
    parser.add_argument("--seconds", type=float, default=8, help="with 20 commands under way (8)")
    uvloop.run(main(parser.parse_args()))
