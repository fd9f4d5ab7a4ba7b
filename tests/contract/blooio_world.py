"""What the contract tests of the local Blooio stand on: it, its official client, and a webhook's far end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from aiohttp import web
from blooio import AsyncBlooio

from sandbox.blooio import Blooio
from sandbox.blooio.driver import Gateway, Phone
from sandbox.blooio.seed import JANE
from sandbox.clock import Clock
from sandbox.world import Basics

KEY = "bl_sandbox_test"
PATIENCE = 5.0  # seconds of real time after which a test that waits gives up


@dataclass(frozen=True)
class Knock:
    """One request that a webhook's URL received."""

    headers: dict[str, str]  # names in lower case
    raw: bytes
    at: float  # on the sandbox's clock

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def event(self) -> str:
        return self.headers["x-blooio-event"]

    @property
    def signature(self) -> str:
        return self.headers["x-blooio-signature"]

    @property
    def signed_at(self) -> int:
        """The signature's `t`."""
        return int(self.signature.removeprefix("t=").partition(",")[0])


@dataclass
class Listener:
    """The far end of a webhook. It answers with `statuses` one by one, and 200 after those; not while `busy`."""

    clock: Clock
    url: str = ""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    knocks: list[Knock] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answer(self, request: web.Request) -> web.Response:
        async with self._news:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.knocks.append(Knock(headers, await request.read(), self.clock.now()))
            self._news.notify_all()
        async with self.busy:
            pass
        return web.json_response({"ok": True}, status=self.statuses.pop(0) if self.statuses else 200)

    async def heard(self, count: int) -> list[Knock]:
        """Everything that came, as soon as it is *count* requests."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.knocks) >= count)
        return self.knocks

    @property
    def events(self) -> list[str]:
        return [knock.event for knock in self.knocks]


@dataclass
class World:
    """A local Blooio on a socket of its own."""

    basics: Basics
    blooio: Blooio
    url: str
    http: httpx.AsyncClient  # calls the API with a good key
    client: AsyncBlooio  # the vendor's own client, without its retries
    gateway: Gateway
    listener: Listener

    def phone(self, address: str = JANE) -> Phone:
        return Phone(self.http, self.url, address)

    async def slow_phone(self, address: str = JANE) -> None:
        """Have texts sent after 100 and delivered after 200 seconds: no test is slow enough to miss a step."""
        await self.phone(address).becomes(sent_after=100, delivered_after=200)

    async def send(
        self, address: str = JANE, *, key: str | None = None, timeout: float | httpx.Timeout = PATIENCE, **body: Any
    ) -> httpx.Response:
        """Post a message: "Hello" unless the body says something else."""
        headers = {} if key is None else {"Idempotency-Key": key}
        path = f"/chats/{quote(address, safe='')}/messages"
        return await self.http.post(path, json=body or {"text": "Hello"}, headers=headers, timeout=timeout)

    async def sent(self, address: str = JANE, **body: Any) -> str:
        """Post a message that is accepted; returns its id."""
        answer = await self.send(address, **body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["message_id"])

    async def status(self, message_id: str, address: str = JANE) -> dict[str, Any]:
        answer = await self.http.get(f"/chats/{quote(address, safe='')}/messages/{message_id}/status")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Post to a control route."""
        answer = await self.http.post(f"{self.url}/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def subscribe(self, **options: Any) -> dict[str, Any]:
        """Have the listener told of everything."""
        return await self.gateway.subscribes(self.listener.url, **options)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be true, looking whenever anything changed."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.basics.changes.wait(self.basics.changes.revision, PATIENCE)

    async def becomes(self, message_id: str, status: str) -> None:
        """Wait until a text has reached *status*, on the clock as it is."""
        messages = self.blooio._records.messages
        await self.until(lambda: messages[message_id].status == status)

    async def attempted(self, count: int) -> None:
        """Wait until *count* webhook deliveries have been attempted, answers included."""
        webhooks = self.blooio._records.webhooks
        await self.until(lambda: sum(len(webhook.logs) for webhook in webhooks.values()) >= count)


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    """Start a fresh local Blooio and a listener for its webhooks; stop both."""
    async with AsyncExitStack() as stack:
        basics = Basics()
        blooio = Blooio(basics)
        stack.push_async_callback(blooio.close)
        app = web.Application()
        blooio.add_routes(app)
        url = await _serve(stack, app)

        listener = Listener(basics.clock)
        listening = web.Application()
        listening.router.add_post("/webhook", listener.answer)
        listener.url = await _serve(stack, listening) + "/webhook"

        base_url = url + "/blooio/v2/api"
        http = await stack.enter_async_context(
            _plain_http(base_url=base_url, headers={"Authorization": f"Bearer {KEY}"})
        )
        client = AsyncBlooio(api_key=KEY, base_url=base_url, max_retries=0, http_client=_plain_http())
        await stack.enter_async_context(client)
        yield World(basics, blooio, url, http, client, Gateway(http, url), listener)


def _plain_http(**options: Any) -> httpx.AsyncClient:
    """A client that reads no certificates, which takes most of a short test's time."""
    return httpx.AsyncClient(verify=False, **options)


async def _serve(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # a late answer may still be held back
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    return f"http://{host}:{port}"
