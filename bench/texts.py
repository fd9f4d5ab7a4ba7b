"""
How fast a text is accepted, reaches Blooio and shows in its thread: `python bench/texts.py`.

The bot runs as it would in production (its own process, embedded PostgreSQL, HTTP mode) between stand-ins for Slack
and Blooio that each answer after 50 ms. Times are from the moment the command is sent to the bot to the moment the
stand-in is asked: by the message's POST at Blooio, by the thread reply's chat.postMessage at Slack.
"""

import argparse
import asyncio
import os
import platform
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import psutil
from slack_sdk.signature import SignatureVerifier

ROOT = Path(__file__).resolve().parent.parent
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Bench:
    """A bot between stand-ins, and the figures so far."""

    http: aiohttp.ClientSession
    bot_url: str
    vendors_url: str
    bot: psutil.Process
    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    notes: dict[str, dict[str, float]] = field(default_factory=lambda: {"message": {}, "reply": {}, "card": {}})

    async def text(self, key: str, phone: str) -> None:
        """Type `/text` and wait for the acknowledgement."""
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
        async with self.http.post(f"{self.bot_url}/slack/events", data=body, headers=headers) as response:
            answer = await response.text()
            assert "Texting" in answer, (response.status, answer)
        self.acknowledged[key] = time.monotonic() - self.sent[key]

    async def until_done(self, keys: Sequence[str], timeout: float = 120) -> None:
        """Wait until every text is at Blooio and in its thread."""
        deadline = time.monotonic() + timeout
        while not all(key in self.notes["message"] and key in self.notes["reply"] for key in keys):
            assert time.monotonic() < deadline, "texts are missing"
            await asyncio.sleep(0.02)
            async with self.http.get(f"{self.vendors_url}/record") as response:
                for what, key, at in await response.json():
                    assert what == "card" or key not in self.notes[what], f"twice: {what} {key}"
                    self.notes[what][key] = at

    def since_sent(self, what: str, keys: Sequence[str]) -> list[float]:
        return [self.notes[what][key] - self.sent[key] for key in keys]


@asynccontextmanager
async def bench(latency: float) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        vendors_port, bot_port = _free_port(), _free_port()
        vendors_url, bot_url = f"http://127.0.0.1:{vendors_port}", f"http://127.0.0.1:{bot_port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK", "BLOOIO"))}
        environment |= {
            "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{vendors_url}/slack/api/", "BLOOIO_API_KEY": "bench",
            "BLOOIO_BASE_URL": f"{vendors_url}/blooio/v2/api",
            "HOST": "127.0.0.1", "PORT": str(bot_port), "DATA_DIR": folder,
        }  # fmt: skip
        stand_ins = [str(ROOT / "bench/stand_ins.py"), "--port", str(vendors_port), "--latency", str(latency)]
        vendors = await asyncio.create_subprocess_exec(sys.executable, *stand_ins)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=400)) as http:
            await _until_answers(http, f"{vendors_url}/record")
            bot = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", env=environment, cwd=ROOT)
            try:
                await _until_answers(http, f"{bot_url}/healthz")
                yield Bench(http, bot_url, vendors_url, psutil.Process(bot.pid))
            finally:
                bot.send_signal(signal.SIGTERM)
                await bot.wait()
                vendors.terminate()
                await vendors.wait()


async def one_at_a_time(bench: Bench, count: int, *, known: bool) -> list[str]:
    """Text *count* people, each only once or each for the second time, waiting for each text to be done."""
    keys = []
    for number in range(count):
        key = f"{'known' if known else 'first'}-{number}"
        await bench.text(key, f"+1555{2_000_000 + number}")
        await bench.until_done([key])
        keys.append(key)
    return keys


async def burst(bench: Bench, count: int) -> tuple[list[str], float]:
    """Send *count* commands at once to as many new people; return their keys and the seconds until all are done."""
    keys = [f"burst-{number}" for number in range(count)]
    started = time.monotonic()
    await asyncio.gather(*(bench.text(key, f"+1555{3_000_000 + n}") for n, key in enumerate(keys)))
    await bench.until_done(keys)
    return keys, time.monotonic() - started


async def sustained(bench: Bench, count: int, at_once: int = 20) -> tuple[list[str], float]:
    """Keep *at_once* commands under way until *count* are done, to people already known; return as `burst`."""
    keys = [f"steady-{number}" for number in range(count)]
    waiting = iter(enumerate(keys))
    started = time.monotonic()

    async def person() -> None:
        for number, key in waiting:
            await bench.text(key, f"+1555{3_000_000 + number % 300}")

    await asyncio.gather(*(person() for _ in range(at_once)))
    await bench.until_done(keys)
    return keys, time.monotonic() - started


async def main(options: argparse.Namespace) -> None:
    async with bench(options.latency) as b:
        await one_at_a_time(b, 5, known=False)  # warm: imports, connections, caches
        b.sent.clear()
        for notes in b.notes.values():
            notes.clear()
        rows: list[tuple[str, list[float]]] = []
        for title, known in (("first text", False), ("known person", True)):
            keys = await one_at_a_time(b, options.count, known=known)
            rows.append((f"acknowledgement, {title}", [b.acknowledged[key] for key in keys]))
            rows.append((f"message at Blooio, {title}", b.since_sent("message", keys)))
            rows.append((f"thread reply, {title}", b.since_sent("reply", keys)))
        keys, seconds = await burst(b, options.burst)
        rows.append((f"acknowledgement, burst of {options.burst}", [b.acknowledged[key] for key in keys]))
        rate_of_burst = options.burst / seconds
        steady, seconds = await sustained(b, options.steady)
        rows.append(("acknowledgement, 20 at a time", [b.acknowledged[key] for key in steady]))
        memory = b.bot.memory_info().rss / 2**20
        cpu = sum(b.bot.cpu_times()[:2])

    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, both vendors at {options.latency * 1000:.0f} ms"
    )
    print(f"| {'':36} | p50 ms | p99 ms |\n| {'-' * 36} | -----: | -----: |")
    for title, values in rows:
        p99 = statistics.quantiles(values, n=100, method="inclusive")[98]
        print(f"| {title:36} | {statistics.median(values) * 1000:6.1f} | {p99 * 1000:6.1f} |")
    print(f"\nburst: {rate_of_burst:.0f} texts/s · 20 at a time: {options.steady / seconds:.0f} texts/s")
    print(f"memory {memory:.0f} MB · {cpu:.1f} s of CPU in the bot's process")


async def _until_answers(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(600):
        try:
            async with http.get(url):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the bot between stand-ins.")
    parser.add_argument("--latency", type=float, default=0.05, help="of each vendor, in seconds (0.05)")
    parser.add_argument("--count", type=int, default=60, help="texts one at a time (60)")
    parser.add_argument("--burst", type=int, default=300, help="commands at once (300)")
    parser.add_argument("--steady", type=int, default=2000, help="texts at 20 at a time (2000)")
    asyncio.run(main(parser.parse_args()))
