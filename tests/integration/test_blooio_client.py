"""The client on real sockets: what httpx, httpx-aiohttp, aiohttp and yarl make of it together."""

import asyncio
import gzip
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.blooio import client
from bot.blooio.client import BlooioClient, blooio_http
from bot.texting import errors
from bot.texting.model import Accepted

JANE = "+15551234567"


def http_answer(body=b'{"message_id": "msg_7"}', status="202 Accepted", headers=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class RawServer:
    """A server that reads whole requests as bytes and answers each as its test says."""

    def __init__(self, answer):
        self._answer = answer
        self.received = []
        self.base_url = ""

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                self.received.append(head + await reader.readexactly(length))
                await self._answer(writer, len(self.received))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def request_lines(self):
        return [request.split(b"\r\n")[0].decode() for request in self.received]


@asynccontextmanager
async def serving(answer):
    server = RawServer(answer)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v2/api"
        yield server


@asynccontextmanager
async def texting(answer):
    """Yield a client, its HTTP client and the server it talks to."""
    async with serving(answer) as server, blooio_http(server.base_url, "bl_live_secret") as http:
        yield BlooioClient(http), http, server


async def answers(writer, count):
    writer.write(http_answer())


async def cuts(writer, count):
    """Close the connection after the request was taken, without a word."""
    writer.close()


async def resets(writer, count):
    """The same with a reset, as a crashing server does."""
    writer.transport.abort()


async def cuts_short(writer, count):
    """Begin an answer and close."""
    writer.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"message_id": "ms')
    await writer.drain()
    writer.close()


async def says_nonsense(writer, count):
    writer.write(b"I am not a web server.\r\n\r\n")
    writer.close()


async def keeps_silent(writer, count):
    await asyncio.sleep(5)


async def closes_the_second_time(writer, count):
    """Answer once and keep the connection, then close it on the next request, as an idle timeout does."""
    if count == 1:
        writer.write(http_answer())
    else:
        writer.close()


def send(blooio):
    return blooio.send_message(JANE, "Hi", idempotency_key="k-1")


async def test_addresses_arrive_encoded():
    """What arrives is what `wire` wrote, below the base path, though yarl would decode "%40" and "%2C"."""
    async with texting(answers) as (blooio, _, server):
        await blooio.capabilities(JANE)
        await blooio.capabilities("jane,doe@example.com")
        await blooio.message_status(JANE, "msg~7/:;=")
        await blooio.list_contacts(query="+1555 &")

    assert server.request_lines[:3] == [
        "GET /v2/api/contacts/%2B15551234567/capabilities HTTP/1.1",
        "GET /v2/api/contacts/jane%2Cdoe%40example.com/capabilities HTTP/1.1",
        "GET /v2/api/chats/%2B15551234567/messages/msg~7%2F%3A%3B%3D/status HTTP/1.1",
    ]
    assert "q=%2B1555+%26" in server.request_lines[3]


async def test_a_text_as_bytes():
    """The body and the headers that matter, once each, on one connection."""
    async with texting(answers) as (blooio, _, server):
        assert await send(blooio) == Accepted("msg_7")

    [request] = server.received
    head, body = request.split(b"\r\n\r\n")
    assert body == b'{"text":"Hi"}'
    for header in (b"authorization: Bearer bl_live_secret", b"idempotency-key: k-1", b"user-agent: blooio-slack"):
        assert head.lower().count(header.lower()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(cuts, id="the connection is closed"),
        pytest.param(resets, id="the connection is reset"),
        pytest.param(cuts_short, id="the answer breaks off"),
        pytest.param(says_nonsense, id="the answer is not HTTP"),
        pytest.param(keeps_silent, id="no answer in time"),
    ],
)
async def test_a_text_that_was_taken_and_not_answered(answer):
    """It may have been sent, and it went out once: nobody below us repeats it."""
    async with texting(answer) as (blooio, http, server):
        http.timeout = httpx.Timeout(0.1)
        with pytest.raises(errors.Unconfirmed):
            await send(blooio)

    assert len(server.received) == 1


async def test_a_kept_connection_that_closes_under_a_text():
    """The text was written to a connection the server had given up: unconfirmed, and not repeated below us."""
    async with texting(closes_the_second_time) as (blooio, _, server):
        await send(blooio)
        with pytest.raises(errors.Unconfirmed):
            await send(blooio)

    assert len(server.received) == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(resets, id="the connection is reset"),
        pytest.param(says_nonsense, id="the answer is not HTTP"),
        pytest.param(keeps_silent, id="no answer in time"),
    ],
)
async def test_a_question_that_was_not_answered(answer):
    """It can simply be asked again."""
    async with texting(answer) as (blooio, http, _):
        http.timeout = httpx.Timeout(0.1)
        with pytest.raises(errors.BlooioTrouble):
            await blooio.capabilities(JANE)


async def test_a_text_that_never_left():
    """Nobody listens: it was surely not sent."""
    async with serving(answers) as server:
        base_url = server.base_url
    async with blooio_http(base_url, "bl_live_secret") as http:
        with pytest.raises(errors.BlooioTrouble):
            await send(BlooioClient(http))


async def test_a_text_that_found_no_free_connection(monkeypatch):
    """It waited behind another one and was never written."""
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    async with texting(keeps_silent) as (blooio, http, server):
        http.timeout = httpx.Timeout(0.4, pool=0.1)
        first, second = await asyncio.gather(send(blooio), send(blooio), return_exceptions=True)

    assert (type(first), type(second)) == (errors.Unconfirmed, errors.BlooioTrouble)
    assert len(server.received) == 1


async def test_a_compressed_answer():
    """Compression is offered in every request, so an answer may use it."""

    async def compresses(writer, count):
        writer.write(http_answer(gzip.compress(b'{"message_id": "msg_7"}'), headers="Content-Encoding: gzip\r\n"))

    async with texting(compresses) as (blooio, _, _):
        assert await send(blooio) == Accepted("msg_7")


async def test_redirects_are_not_followed():
    """A text goes to the address that was set, and the key nowhere else."""

    async def redirects(writer, count):
        writer.write(http_answer(b"", "307 Temporary Redirect", "Location: /elsewhere\r\n"))

    async with texting(redirects) as (blooio, _, server):
        with pytest.raises(errors.Unavailable):
            await send(blooio)

    assert len(server.received) == 1


async def test_this_machine_is_reached_without_the_proxy(monkeypatch):
    """The local Blooio is never asked through a proxy that could not find it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with texting(answers) as (blooio, _, _):
        assert await send(blooio) == Accepted("msg_7")


async def test_other_machines_are_reached_through_the_proxy(monkeypatch):
    """Behind a company's proxy the bot works like any other program."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(answers) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v2/api"))
        async with blooio_http("http://blooio.example.com/v2/api", "bl_live_secret") as http:
            await BlooioClient(http).capabilities("jane@example.com")

    assert proxy.request_lines == [
        "GET http://blooio.example.com/v2/api/contacts/jane%40example.com/capabilities HTTP/1.1"
    ]


async def test_a_netrc_entry_does_not_matter(monkeypatch, tmp_path):
    """If it were let to look, aiohttp would refuse a request that has both a key and an entry there."""
    (tmp_path / "netrc").write_text("default login jane password doe\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with texting(answers) as (blooio, _, _):
        assert await send(blooio) == Accepted("msg_7")
