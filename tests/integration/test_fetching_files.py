"""Fetching what people send, over real sockets: names that resolve to what they should not, and answers that lie."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.files.destinations import NotAllowed, Origin
from bot.files.fetching import Fetcher, NotFetched, PublicResolver, open_fetcher

MB = 2**20
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 1000

Give = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """Answers with each of *answers* in turn, the last one for good."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        families = {address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in found}
        return [
            ResolveResult(hostname=host, host=address, port=port, family=families[address], proto=0, flags=0)
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


@contextlib.asynccontextmanager
async def giving(give: Give) -> AsyncIterator[int]:
    """Serve `/a.jpg` on loopback; yields the port."""
    app = web.Application()
    app.router.add_get("/a.jpg", give)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def fetched(fetcher: Fetcher, url: str, name: str | None = None) -> tuple[str, str, bytes]:
    async with fetcher.fetch(url, name) as file:
        return file.name, file.media_type, file.content.read()


async def photo(_: web.Request) -> web.Response:
    return web.Response(body=PHOTO, content_type="image/jpeg")


HOSTILE = [
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["::1"],
    ["fd00:ec2::254"],
    ["fe80::1%2"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::1"],
    ["8.8.8.8", "127.0.0.1"],
    ["127.0.0.1", "8.8.8.8"],
    ["2606:4700::1111", "8.8.8.8", "192.168.0.1"],
    ["not an address"],
]


@pytest.mark.parametrize("addresses", HOSTILE, ids=[" and ".join(addresses) for addresses in HOSTILE])
async def test_a_name_that_leads_into_our_network(addresses: list[str]) -> None:
    """One address that is not public is enough: the name is not its owner's friend, nor ours."""
    names = Names(addresses)
    async with open_fetcher(own=None, max_bytes=MB, resolver=names) as fetcher:
        with pytest.raises(NotFetched) as refused:
            await fetched(fetcher, "https://files.example.com/a.jpg")
    assert refused.value.code == "resolves_not_public"
    assert not refused.value.again
    assert names.asked == ["files.example.com"]


async def test_a_name_is_asked_for_once_and_its_answer_is_where_the_connection_goes() -> None:
    """A name server that changes its mind between the look and the connection changes nothing."""
    names = Names(["127.0.0.1"], ["127.0.0.9"])
    async with giving(photo) as port:
        own = Origin("http", "blooio.test", port)
        async with open_fetcher(own=own, max_bytes=MB, resolver=names) as fetcher:
            assert await fetched(fetcher, f"http://blooio.test:{port}/a.jpg") == ("a.jpg", "image/jpeg", PHOTO)
            assert names.asked == ["blooio.test"]
            with pytest.raises(NotFetched) as gone:  # the next file is another question
                await fetched(fetcher, f"http://blooio.test:{port}/a.jpg")
    assert gone.value.again
    assert names.asked == ["blooio.test"] * 2


async def test_what_was_public_is_looked_at_again() -> None:
    """Nothing is remembered of an earlier answer."""
    resolver = PublicResolver(Names(["8.8.8.8"], ["127.0.0.1"]), own=None)
    assert [one["host"] for one in await resolver.resolve("files.example.com", 443)] == ["8.8.8.8"]
    with pytest.raises(NotAllowed):
        await resolver.resolve("files.example.com", 443)


async def test_our_own_blooio_is_one_port_of_one_name() -> None:
    """The exception for a sandbox is for it alone."""
    resolver = PublicResolver(Names(["127.0.0.1"]), own=Origin("http", "blooio.test", 8080))
    assert await resolver.resolve("blooio.test", 8080)
    for host, port in (("blooio.test", 443), ("other.test", 8080)):
        with pytest.raises(NotAllowed):
            await resolver.resolve(host, port)


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to whatever it likes."""
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.Response(body=PHOTO)

    async with giving(proxy) as proxy_port, giving(photo) as port:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
        async with open_fetcher(own=Origin("http", "127.0.0.1", port), max_bytes=MB) as fetcher:
            await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg")
    assert asked == []


async def test_exactly_as_large_as_allowed() -> None:
    """The limit is the last size that is taken."""

    async def large(request: web.Request) -> web.Response:
        size = int(request.query["size"])
        return web.Response(body=b"\xff" * size, content_type="image/jpeg")

    async with giving(large) as port:
        own = Origin("http", "127.0.0.1", port)
        async with open_fetcher(own=own, max_bytes=MB) as fetcher:
            _, _, content = await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg?size={MB}")
            assert len(content) == MB
            with pytest.raises(NotFetched) as refused:
                await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg?size={MB + 1}")
    assert refused.value.words == "it is larger than 1 MB"


async def test_what_breaks_off_is_not_taken_for_whole() -> None:
    """It is tried again."""

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": "100000"})
        await response.prepare(request)
        await response.write(PHOTO[:50_000])
        assert request.transport is not None
        request.transport.close()
        return response

    async with giving(half) as port:
        own = Origin("http", "127.0.0.1", port)
        async with open_fetcher(own=own, max_bytes=MB) as fetcher:
            with pytest.raises(NotFetched) as broken:
                await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg")
    assert broken.value.again


@pytest.mark.parametrize("begun", [False, True], ids=["no answer", "an answer that trickles"])
async def test_what_takes_too_long_is_given_up(begun: bool) -> None:
    """For now: it is tried again."""

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        if begun:
            await response.prepare(request)
        while True:
            if begun:
                await response.write(b"\xff")
            await asyncio.sleep(0.05)

    async with giving(slow) as port:
        own = Origin("http", "127.0.0.1", port)
        async with open_fetcher(own=own, max_bytes=MB, seconds=0.5) as fetcher:
            with pytest.raises(NotFetched) as slow_one:
                await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg")
    assert (slow_one.value.code, slow_one.value.again) == ("too_slow", True)


async def test_nothing_is_unpacked() -> None:
    """A small answer that would become a large one is not taken: we asked for the file as it is."""

    async def packed(_: web.Request) -> web.Response:
        response = web.Response(body=b"\0" * 10 * MB, content_type="image/jpeg")
        response.enable_compression(web.ContentCoding.gzip, strategy=0)
        return response

    async with giving(packed) as port:
        own = Origin("http", "127.0.0.1", port)
        async with open_fetcher(own=own, max_bytes=MB) as fetcher:
            with pytest.raises(NotFetched) as refused:
                await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg")
    assert refused.value.code == "encoded"


async def test_no_cookie_is_kept() -> None:
    """Who sent one file cannot tell who fetches the next."""
    heard: list[str | None] = []

    async def cookie(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Cookie"))
        response = web.Response(body=PHOTO, content_type="image/jpeg")
        response.set_cookie("who", "you")
        return response

    async with giving(cookie) as port:
        own = Origin("http", "127.0.0.1", port)
        async with open_fetcher(own=own, max_bytes=MB) as fetcher:
            for _ in range(2):
                await fetched(fetcher, f"http://127.0.0.1:{port}/a.jpg")
    assert heard == [None, None]
