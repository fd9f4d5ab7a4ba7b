"""A Bolt app that is not ours, running against the sandbox over either transport."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import httpx
from aiohttp import web
from multidict import CIMultiDictProxy
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox
from sandbox.slack.manifest import parse

#: An app with a command, messages and clicks. Some scopes are left out, so that something is missing.
APP = parse(
    {
        "display_information": {"name": "Texting"},
        "features": {
            "app_home": {"messages_tab_enabled": True},
            "bot_user": {"display_name": "texting"},
            "slash_commands": [{"command": "/text", "description": "Text someone", "should_escape": True}],
        },
        "oauth_config": {
            "scopes": {
                "bot": [
                    "commands",
                    "chat:write",
                    "chat:write.customize",
                    "channels:join",
                    *(
                        f"{kind}:{what}"
                        for kind in ("channels", "groups", "im", "mpim")
                        for what in ("read", "history")
                    ),
                    "im:write",
                    "users:read",
                ]
            }
        },
        "settings": {
            "event_subscriptions": {"bot_events": ["message.channels", "message.groups", "message.im", "message.mpim"]},
            "interactivity": {"is_enabled": True},
        },
    }
)


class Heard(list[dict[str, Any]]):
    """What the app was given, in order."""

    def of(self, key: str, value: Any) -> list[dict[str, Any]]:
        return [one for one in self if one.get(key) == value]


def ten_lines(client: AsyncWebClient, signing_secret: str, *, listening: bool) -> tuple[AsyncApp, Heard]:
    """Make an app with a listener for a command, an action and a message; not *listening*, with none."""
    app = AsyncApp(client=client, signing_secret=signing_secret, logger=quiet())
    heard = Heard()
    if not listening:
        return app, heard

    @app.command("/text")
    async def command(ack, body, client):
        heard.append({"what": "command", **body})
        if body["text"] == "late":
            await asyncio.sleep(0.5)  # longer than the limit that the tests set
        await ack(text=f"Got {body['text']}")
        if body["text"] == "post":
            button = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Try again"}}
            blocks = [{"type": "actions", "elements": [button | {"value": "v1"}]}]
            await client.chat_postMessage(channel=body["channel_id"], text="Press it", blocks=blocks)

    @app.action("again")
    async def action(ack, body, respond):
        heard.append({"what": "action", **body})
        await ack()
        await respond(text="Pressed", replace_original=True)

    @app.event("message")
    async def message(body):
        heard.append({"what": "message", **body})

    return app, heard


#: What makes an app and what it hears, as `ten_lines` does.
Making = Callable[..., tuple[AsyncApp, Heard]]


def quiet() -> logging.Logger:
    """Make a logger that says nothing: what fails here is asserted."""
    logger = logging.getLogger("tests.bolt")
    logger.setLevel(logging.CRITICAL)
    return logger


@asynccontextmanager
async def client_of(sandbox: Sandbox) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        settings = sandbox.environment()
        yield AsyncWebClient(
            token=settings["SLACK_BOT_TOKEN"], base_url=settings["SLACK_API_URL"], session=session, logger=quiet()
        )


@asynccontextmanager
async def over_sockets(sandbox: Sandbox, *, listening: bool = True, making: Making = ten_lines) -> AsyncIterator[Heard]:
    """Connect the app over Socket Mode."""
    settings = sandbox.environment()
    async with client_of(sandbox) as client:
        app, heard = making(client, settings["SLACK_SIGNING_SECRET"], listening=listening)
        # The ping interval is how soon the SDK notices a connection that broke.
        handler = AsyncSocketModeHandler(
            app, settings["SLACK_APP_TOKEN"], web_client=client, ping_interval=0.2, logger=quiet()
        )
        await handler.connect_async()
        try:
            yield heard
        finally:
            await handler.close_async()


@dataclass
class Request:
    """One request of Slack's to a URL."""

    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def payload(self) -> dict[str, Any]:
        """The interaction inside the form."""
        return json.loads(self.form["payload"])

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@asynccontextmanager
async def answering(sandbox: Sandbox, **answer: Any) -> AsyncIterator[list[Request]]:
    """Serve a URL without any framework: it echoes challenges, and answers the rest with `web.Response(**answer)`."""
    requests: list[Request] = []

    async def take(request: web.Request) -> web.Response:
        received = Request(request.headers, await request.read())
        if b"url_verification" in received.body:
            return web.Response(text=received.json["challenge"])
        requests.append(received)
        return web.Response(**answer)

    async with serving(take) as url:
        await sandbox.set_transport(request_url=url)
        yield requests


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serve one handler on a free port; the value is its URL."""
    server = web.Application()
    server.router.add_post("/slack/events", handler)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


def plain_http(base_url: str = "") -> httpx.AsyncClient:
    """Make a client that neither asks the environment nor loads certificates."""
    return httpx.AsyncClient(base_url=base_url, trust_env=False, verify=False)


async def use(response_url: str, body: Any) -> httpx.Response:
    """POST to a `response_url` as an app does."""
    async with plain_http() as http:
        return await http.post(response_url, json=body)


@asynccontextmanager
async def over_http(sandbox: Sandbox, *, listening: bool = True, making: Making = ten_lines) -> AsyncIterator[Heard]:
    """Serve the app at a URL, and have the sandbox deliver there."""
    async with client_of(sandbox) as client:
        app, heard = making(client, sandbox.environment()["SLACK_SIGNING_SECRET"], listening=listening)

        async def events(request: web.Request) -> web.Response:
            answer = await app.async_dispatch(
                AsyncBoltRequest(
                    body=await request.text(),
                    headers={name: [value] for name, value in request.headers.items()},
                )
            )
            return web.Response(
                status=answer.status, body=answer.body, headers={k: v[0] for k, v in answer.headers.items()}
            )

        async with serving(events) as url:
            await sandbox.set_transport(request_url=url)
            yield heard


TRANSPORTS = {"Socket Mode": over_sockets, "HTTP": over_http}
