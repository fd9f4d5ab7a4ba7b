"""The HTTP side holds what strangers do to it: slow ones, many, large, packed, and those who say who they are."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bot.ingress import request_body, server
from bot.ingress.request_body import BodyRefused, read_body
from bot.ingress.server import bind, serving


async def _ok(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _size(request: Request) -> PlainTextResponse:
    try:
        return PlainTextResponse(str(len(await read_body(request))))
    except BodyRefused as refused:
        return PlainTextResponse("", status_code=refused.status)


async def _who(request: Request) -> JSONResponse:
    return JSONResponse({"client": request.client.host if request.client else None, "scheme": request.url.scheme})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/", _ok), Route("/size", _size, methods=["POST"]), Route("/who", _who)])
    with bind("127.0.0.1", 0) as bound:
        async with serving(app, bound, grace_seconds=1) as url:
            yield url


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param([b"GET / HTTP/1.1\r\nHost: x\r\n"], id="a head that does not end"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"X: y\r\n"] * 3], id="a head that comes by the drop"),
        pytest.param(
            [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nX"], id="the head of the second request"
        ),
    ],
)
async def test_a_head_that_does_not_end_is_given_up(
    url: str, begun: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever drips it holds no connection; all others are answered meanwhile."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    reader, writer = await _connected(url)
    for piece in begun:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        assert (await http.get("/")).text == "ok"
    async with asyncio.timeout(30):
        await reader.read()  # to its end
    writer.close()


async def test_a_connection_without_a_request_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred of them, too; and a request in time is answered, however late its connection was idle."""
    monkeypatch.setattr(server, "KEEP_ALIVE_SECONDS", 0.5)
    idle = [await _connected(url) for _ in range(300)]
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        assert (await http.get("/")).text == "ok"
    async with asyncio.timeout(30):
        await asyncio.gather(*(reader.read() for reader, _ in idle))
    for _, writer in idle:
        writer.close()


async def test_a_slow_handler_is_not_hurried(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is for the head of a request only: a body has one of its own."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    reader, writer = await _connected(url)
    writer.write(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\na")
    await asyncio.sleep(0.6)
    writer.write(b"b")
    async with asyncio.timeout(30):
        assert (await reader.read()).endswith(b"2")
    writer.close()


async def test_a_body_that_comes_by_the_drop_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, and the connection is free."""
    monkeypatch.setattr(request_body, "MAX_SECONDS", 0.2)
    reader, writer = await _connected(url)
    writer.write(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na")
    async with asyncio.timeout(30):
        assert b" 408 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
async def test_a_large_body_is_refused(url: str, announced: bool) -> None:
    """413, whether or not its length is said before."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        content = b"x" * 1_000_001 if announced else chunks()
        assert (await http.post("/size", content=content)).status_code == 413


async def test_nothing_is_unpacked(url: str) -> None:
    """A small body that would become a large one stays what it is: bytes, whose signature is checked as they came."""
    packed = gzip.compress(b"\0" * 50_000_000)
    assert len(packed) < 100_000
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.post("/size", content=packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.text) == (200, str(len(packed)))


async def test_what_is_forwarded_is_nobodys_word(url: str) -> None:
    """Whoever calls may say that they are somebody else, over https: nothing here believes it, or says what we are."""
    forged = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https", "Forwarded": "for=10.1.2.3;proto=https"}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.get("/who", headers=forged)
    assert answer.json() == {"client": "127.0.0.1", "scheme": "http"}
    assert "server" not in answer.headers
