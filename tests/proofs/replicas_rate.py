"""How much one, two and three replicas get done over Socket Mode, between stand-ins that only answer."""

import argparse
import asyncio
import itertools
import json
import logging
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiohttp import WSMsgType, web

from bench.stand_ins import StandIns
from bench.webhooks import free_port
from tests.acceptance.processes import BotProcess

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 300
AT_ONCE = 60  # commands under way
ACK_SECONDS = 60.0


class SocketStandIns(StandIns):
    """A Slack that hands out commands over its sockets in turn, beside the rest that only answers."""

    def __init__(self, latency: float) -> None:
        super().__init__(latency)
        self._sockets: list[web.WebSocketResponse] = []
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._slow = 0.0  # seconds more until Blooio takes a text

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**22)
        app.router.add_post("/slack/api/apps.connections.open", self.open)
        app.router.add_get("/link", self.link)
        app.router.add_post("/drive", self.drive)
        app.router.add_get("/sockets", self.sockets)
        app.router.add_route("*", "/slack/api/{method}", self.slack)
        app.router.add_route("*", "/blooio/{rest:.*}", self.blooio)
        return app

    async def open(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "url": f"ws://{request.host}/link"})

    async def sockets(self, _: web.Request) -> web.Response:
        return web.json_response(len(self._sockets))

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        self._sockets.append(socket)
        try:
            async for frame in socket:
                answer = json.loads(frame.data) if frame.type is WSMsgType.TEXT else {}
                if (waiting := self._waiting.pop(answer.get("envelope_id"), None)) is not None:
                    waiting.set_result(str(answer.get("payload")))
        finally:
            self._sockets.remove(socket)
        return socket

    async def blooio(self, request: web.Request) -> web.Response:
        if request.method == "POST" and request.path.endswith("/messages"):
            await asyncio.sleep(self._slow)
        return await super().blooio(request)

    async def drive(self, request: web.Request) -> web.Response:
        """Type a text under each of `keys`; answer when all are at Blooio and in their threads."""
        asked = await request.json()
        keys, self._slow = asked["keys"], asked["slow"]
        self._notes.clear()
        waiting, seconds = iter(enumerate(keys)), []
        taken: set[str] = set()
        began = time.monotonic()

        async def person() -> None:
            for number, key in waiting:
                typed = time.monotonic()
                if "Texting" in await self._type(key, f"+1555{3_000_000 + number % PEOPLE}"):
                    taken.add(key)
                seconds.append(time.monotonic() - typed)

        await asyncio.gather(*(person() for _ in range(AT_ONCE)))
        await self._until_shown(taken)
        at_blooio = max(at for what, _, at in self._notes if what == "message") - began
        sent = Counter(key for what, key, _ in self._notes if what == "message")
        shown = max(at for what, _, at in self._notes if what == "reply") - began
        found = {"seconds": seconds, "at_blooio": at_blooio, "shown": shown, "texts": len(taken)}
        return web.json_response(found | {"twice": sum(count - 1 for count in sent.values())})

    async def _type(self, key: str, phone: str) -> str:
        """Type `/text`, and return what is shown to the author."""
        envelope_id, loop = f"{time.time_ns()}-{key}", asyncio.get_running_loop()
        self._waiting[envelope_id] = answer = loop.create_future()
        payload = {
            "command": "/text", "text": f"{phone} Hello #{key}", "team_id": "T1", "channel_id": "C1", "user_id": "U1",
            "user_name": "ana", "trigger_id": envelope_id, "response_url": "https://hooks.invalid/x",
        }  # fmt: skip
        envelope = {"envelope_id": envelope_id, "type": "slash_commands", "accepts_response_payload": True}
        await self._sockets[next(self._turn) % len(self._sockets)].send_json(envelope | {"payload": payload})
        return await asyncio.wait_for(answer, ACK_SECONDS)

    async def _until_shown(self, keys: set[str]) -> None:
        async with asyncio.timeout(120):
            while True:
                self._noted.clear()
                notes = list(self._notes)
                if all({key for what, key, _ in notes if what == wanted} >= keys for wanted in ("message", "reply")):
                    return
                await self._noted.wait()
                await asyncio.sleep(0.05)


@dataclass
class Round:
    """What so many replicas did with so many texts."""

    replicas: int
    slow: float
    texts: int
    refused: int  # because the machine was too busy to store them in time
    seconds: list[float]  # until each command was answered
    at_blooio: float  # seconds until the last of them was there
    shown: float
    twice: int
    cpu: dict[str, float]  # of a core, while it lasted


@dataclass
class Rig:
    """Stand-ins, and replicas that are started and stopped."""

    http: aiohttp.ClientSession
    stand_ins: psutil.Process
    bots: list[BotProcess]
    postgres: psutil.Process
    _numbers: Any

    async def run(self, count: int) -> None:
        """Let so many replicas run, and no more."""
        for number, bot in enumerate(self.bots):
            if number < count and not bot.is_running:
                await bot.start()
            elif number >= count and bot.is_running:
                await bot.stop()
        async with asyncio.timeout(30):
            while True:
                async with self.http.get("/sockets") as answer:
                    if await answer.json() == count:
                        return
                await asyncio.sleep(0.05)

    async def drive(self, replicas: int, texts: int, slow: float = 0.0) -> Round:
        """Let *replicas* take *texts* commands, AT_ONCE under way at any time."""
        await self.run(replicas)
        keys = [str(next(self._numbers)) for _ in range(texts)]
        before, began = self._cpu(), time.monotonic()
        async with self.http.post("/drive", json={"keys": keys, "slow": slow}) as answer:
            answer.raise_for_status()
            found = await answer.json()
        lasted, after = time.monotonic() - began, self._cpu()
        return Round(
            replicas,
            slow,
            found["texts"],
            texts - found["texts"],
            found["seconds"],
            found["at_blooio"],
            found["shown"],
            found["twice"],
            {name: (after[name] - before.get(name, 0.0)) / lasted for name in after},
        )

    def _cpu(self) -> dict[str, float]:
        spent = {"stand-ins": _spent(self.stand_ins)}
        spent |= {f"bot {n + 1}": _spent(psutil.Process(bot.pid)) for n, bot in enumerate(self.bots) if bot.is_running}
        ended = self.postgres.cpu_times()  # of its connections
        spent["PostgreSQL"] = sum(_spent(one) for one in [self.postgres, *self.postgres.children()])
        spent["PostgreSQL"] += ended.children_user + ended.children_system
        return spent


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a connection of PostgreSQL's that ended meanwhile
        return 0.0
    return float(times.user + times.system)


@asynccontextmanager
async def rig(database_url: str, folder: Path, postgres_pid: int, replicas: int = 3) -> AsyncIterator[Rig]:
    """Stand-ins and *replicas* bots on one database, not started yet."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_APP_TOKEN": "xapp-bench", "SLACK_API_URL": f"{url}/slack/api/",
        "BLOOIO_API_KEY": "bench", "BLOOIO_BASE_URL": f"{url}/blooio/v2/api", "DATABASE_URL": database_url,
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.proofs.replicas_rate", "--port", str(port)), cwd=ROOT
        )
        stack.callback(process.kill)
        timeout = aiohttp.ClientTimeout(total=300)
        http = await stack.enter_async_context(aiohttp.ClientSession(url, timeout=timeout))
        async with asyncio.timeout(30):
            while not await _answers(http):  # noqa: ASYNC110  (asking is the only way to know)
                await asyncio.sleep(0.05)
        bots = [BotProcess(environment, folder) for _ in range(replicas)]
        for bot in bots:
            stack.push_async_callback(bot.kill)
        yield Rig(http, psutil.Process(process.pid), bots, psutil.Process(postgres_pid), itertools.count(1))


async def _answers(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/sockets"):
            return True
    except aiohttp.ClientConnectionError:
        return False


async def rates(rigged: Rig, *, rounds: int, quick: int, slow: int, slow_seconds: float) -> list[Round]:
    """Measure one, two and three replicas in turn, *rounds* times, with a quick Blooio and with a slow one."""
    counts = range(1, len(rigged.bots) + 1)
    await rigged.drive(len(rigged.bots), 2 * PEOPLE)  # everybody is known from then on
    found = []
    for number in range(rounds):
        for count in counts if number % 2 == 0 else reversed(counts):
            found.append(await rigged.drive(count, quick))
            found.append(await rigged.drive(count, slow * count, slow_seconds))
    return found


HEADER = (
    "replicas",
    "Blooio takes",
    "texts/s at Blooio",
    "texts/s in their threads",
    "answers p50, p99 in ms",
    "refused",
    "CPU: each bot",
    "stand-ins",
    "PostgreSQL",
)


def rows(found: Sequence[Round], latency: float) -> list[tuple[object, ...]]:
    """One row for each number of replicas and each Blooio: medians of the rounds."""
    table: list[tuple[object, ...]] = []
    for slow in sorted({one.slow for one in found}):
        for count in sorted({one.replicas for one in found}):
            those = [one for one in found if (one.replicas, one.slow) == (count, slow)]
            seconds = sorted(itertools.chain.from_iterable(one.seconds for one in those))
            median = statistics.median
            each = [median(one.cpu[f"bot {n + 1}"] for one in those) for n in range(count)]
            table.append(
                (
                    count,
                    f"{slow + latency:.2f} s",
                    f"{median(one.texts / one.at_blooio for one in those):.0f}",
                    f"{median(one.texts / one.shown for one in those):.0f}",
                    f"{seconds[len(seconds) // 2] * 1000:.0f}, {seconds[len(seconds) * 99 // 100] * 1000:.0f}",
                    sum(one.refused for one in those),
                    ", ".join(f"{share:.0%}" for share in each),
                    f"{median(one.cpu['stand-ins'] for one in those):.0%}",
                    f"{median(one.cpu['PostgreSQL'] for one in those):.0%}",
                )
            )
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The stand-ins, for `tests.proofs.replicas`.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.05)
    options = parser.parse_args()
    logging.basicConfig()
    web.run_app(SocketStandIns(options.latency).app(), host="127.0.0.1", port=options.port, print=None, access_log=None)
