"""Files on their way out, from a Slack that misbehaves: what arrives is the file, or visibly not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web

from bot.files.links import Link, path_of
from bot.files.serving import ServedFiles
from bot.ingress.server import bind, serving
from bot.ingress.web import web_app
from bot.slack.client import open_slack

KEY = bytes(range(32))
CONTENT = bytes(range(256)) * 4096  # 1 MB
TOKEN = "xoxb-secret"
LINK = Link("F1", UUID(int=7), int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))

Give = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SomeSlack:
    """A Slack with one file, told how to give it out."""

    url: str = ""
    give: Give | None = None
    file: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    tokens: list[str | None] = field(default_factory=list)  # what came along with each request for the file
    left: asyncio.Event = field(default_factory=asyncio.Event)  # a request for the file was left alone

    async def info(self, _: web.Request) -> web.Response:
        if self.error is not None:
            return web.json_response({"ok": False, "error": self.error})
        address = f"{self.url}/files/F1"
        shared = {"C1": [{"ts": "1.1"}]}
        known = {"id": "F1", "name": "photo.jpg", "mimetype": "image/jpeg", "size": len(CONTENT), "mode": "hosted"}
        known |= {"url_private_download": address, "shares": {"public": shared}, "channels": ["C1"]}
        return web.json_response({"ok": True, "file": known | self.file})

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization"))
        try:
            if self.give is not None:
                return await self.give(request)
            return web.Response(body=CONTENT, content_type="image/jpeg")
        except (ConnectionResetError, asyncio.CancelledError):
            self.left.set()
            raise


@contextlib.asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def slack() -> AsyncIterator[SomeSlack]:
    some = SomeSlack()
    app = web.Application()
    app.router.add_route("*", "/api/files.info", some.info)
    app.router.add_get("/files/F1", some.serve)
    async with listening(app) as url:
        some.url = url
        yield some


@pytest.fixture
async def http(slack: SomeSlack) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever fetches files from the bot."""
    async with open_slack(TOKEN, f"{slack.url}/api/") as (ours, _):
        app = web_app(
            dispatcher=None, signing_secret=None, blooio=None, files=ServedFiles(slack=ours, key=KEY), probes={}
        )
        with bind("127.0.0.1", 0) as bound:
            async with serving(app, bound, grace_seconds=1) as url, httpx.AsyncClient(base_url=url) as client:
                yield client


def address() -> str:
    return path_of(LINK, "photo.jpg", key=KEY)


async def test_the_file(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """It comes whole, and Slack was asked with our token."""
    answer = await http.get(address())
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert slack.tokens == [f"Bearer {TOKEN}"]


async def test_head_reads_nothing(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """What is known of a file is enough to say how long it is."""
    answer = await http.head(address())
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(CONTENT)))
    assert slack.tokens == []


@pytest.mark.parametrize(
    "file",
    [
        {"mode": "tombstone"},
        {"mode": "hidden_by_limit"},
        {"mode": "external", "is_external": True},
        {"file_access": "access_denied"},
        {"channels": [], "shares": {}},
    ],
    ids=["deleted", "hidden", "elsewhere", "not for us", "shared with nobody any more"],
)
async def test_a_file_that_is_not_to_be_given(slack: SomeSlack, http: httpx.AsyncClient, file: dict) -> None:
    """It is like one that never was."""
    slack.file = file
    assert (await http.get(address())).status_code == 404
    assert (await http.head(address())).status_code == 404
    assert slack.tokens == []


@pytest.mark.parametrize(
    ("error", "status"),
    [("file_not_found", 404), ("file_deleted", 404), ("missing_scope", 502), ("internal_error", 502)],
)
async def test_slack_does_not_tell_of_it(slack: SomeSlack, http: httpx.AsyncClient, error: str, status: int) -> None:
    """One that is gone is gone; anything else is trouble that may pass."""
    slack.error = error
    assert (await http.get(address())).status_code == status


async def test_a_page_to_sign_in_is_no_file(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """Slack answers so, with status 200, without the right scope."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Sign in</html>", content_type="text/html")

    slack.give = page
    assert (await http.get(address())).status_code == 502
    slack.file = {"mimetype": "text/html", "name": "page.html"}  # also where the file is a page: it has another length
    assert (await http.get(address())).status_code == 502


async def test_a_page_that_is_the_file(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """It is given out as a download that no browser runs."""
    written = "<html>Hi</html>"

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=written, content_type="text/html")

    slack.give, slack.file = page, {"mimetype": "text/html", "name": "page.html", "size": len(written)}
    answer = await http.get(address())
    assert (answer.status_code, answer.text) == (200, written)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_slack_does_not_give_it_out(slack: SomeSlack, http: httpx.AsyncClient, status: int) -> None:
    """Nothing of its answer is passed on."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, text="secret words")

    slack.give = refuse
    answer = await http.get(address())
    assert (answer.status_code, answer.content) == (502, b"")


async def test_our_token_goes_to_slack_only(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """A redirect within Slack is followed; one to anybody else is not, and a file that is said to be there is not."""
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization", "no token"))
        return web.Response(body=CONTENT)

    elsewhere = web.Application()
    elsewhere.router.add_get("/{path:.*}", hear)
    async with listening(elsewhere) as url:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPFound(f"{url}/stolen" if "to" not in request.query else "/files/F1")

        slack.give = redirect
        assert (await http.get(address())).status_code == 502
        slack.give, slack.file = None, {"url_private_download": f"{url}/stolen"}
        assert (await http.get(address())).status_code == 502
    assert heard == []


async def test_a_redirect_within_slack(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """It is followed, a few times."""
    moves = 2

    async def move(request: web.Request) -> web.Response:
        nonlocal moves
        if moves == 0:
            return web.Response(body=CONTENT, content_type="image/jpeg")
        moves -= 1
        raise web.HTTPFound(request.path)

    slack.give = move
    assert (await http.get(address())).content == CONTENT
    moves = 100
    assert (await http.get(address())).status_code == 502


async def test_what_breaks_off_looks_broken(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """Whoever fetches it sees that it is not whole."""

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": str(len(CONTENT))})
        await response.prepare(request)
        await response.write(CONTENT[:100_000])
        assert request.transport is not None
        request.transport.abort()
        return response

    slack.give = half
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(address())


async def test_nobody_is_listening_any_more(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """Then Slack is let go at once, though it would give for ever."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)
            await asyncio.sleep(0.01)

    slack.give = endless
    async with http.stream("GET", address()) as response:
        async for _piece in response.aiter_raw():
            break
    async with asyncio.timeout(30):
        await slack.left.wait()


async def test_more_than_may_be_served_wait_for_their_turn(slack: SomeSlack, http: httpx.AsyncClient) -> None:
    """All of them come whole."""
    answers = await asyncio.gather(*(http.get(address()) for _ in range(40)))
    assert [answer.content == CONTENT for answer in answers] == [True] * 40
