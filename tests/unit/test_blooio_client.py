"""The client, with httpx's own seam in place of the network."""

import json

import httpx
import pytest

from bot.blooio import client
from bot.blooio.client import BlooioClient, blooio_http
from bot.texting import errors
from bot.texting.model import Accepted, Contact

JANE = "+15551234567"
BASE = "https://backend.blooio.com/v2/api"
JANE_DOE = {"identifier": JANE, "name": "Jane Doe"}


class Blooio:
    """Answers from a list, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx.Response(status, json=body)

    def http(self):
        return blooio_http(BASE, "bl_live_secret", transport=httpx.MockTransport(self))


async def test_a_text_on_the_wire():
    """The seed's call, whole: address, key, idempotency, body."""
    blooio = Blooio((202, {"message_id": "msg_7", "status": "queued"}))
    async with blooio.http() as http:
        accepted = await BlooioClient(http).send_message(JANE, "Hi", idempotency_key="k-1")

    assert accepted == Accepted("msg_7")
    [request] = blooio.asked
    assert request.method == "POST"
    assert request.url.raw_path == b"/v2/api/chats/%2B15551234567/messages"
    assert request.headers["authorization"] == "Bearer bl_live_secret"
    assert request.headers["idempotency-key"] == "k-1"
    assert json.loads(request.content) == {"text": "Hi"}


async def test_a_repeated_text_is_the_same_bytes():
    """Blooio may compare the bodies of one key."""
    blooio = Blooio((202, {"message_id": "msg_7"}), (200, {"message_id": "msg_7"}))
    async with blooio.http() as http:
        for _ in range(2):
            await BlooioClient(http).send_message(JANE, "Hé 👋", idempotency_key="k-1", metadata={"a": "b", "c": "d"})

    first, second = blooio.asked
    assert first.content == second.content


async def test_a_new_contact():
    """Created, and said to be."""
    blooio = Blooio((201, JANE_DOE))
    async with blooio.http() as http:
        assert await BlooioClient(http).create_contact(JANE, "Jane Doe") == (Contact(JANE, "Jane Doe"), True)


async def test_a_contact_that_exists():
    """The one that is there is fetched, and keeps its name."""
    blooio = Blooio((409, {"error": "ApiError", "status": 409}), (200, JANE_DOE))
    async with blooio.http() as http:
        assert await BlooioClient(http).create_contact(JANE, "John Doe") == (Contact(JANE, "Jane Doe"), False)

    assert [request.method for request in blooio.asked] == ["POST", "GET"]


async def test_every_contact_once():
    """Rows shift between pages while others write; nobody is told twice."""
    blooio = Blooio(
        (200, {"contacts": [JANE_DOE], "pagination": {"total": 2}}),
        (200, {"contacts": [JANE_DOE, {"identifier": "john@example.com"}], "pagination": {"total": 3}}),
    )
    async with blooio.http() as http:
        found = [contact.address async for contact in BlooioClient(http).iterate_contacts()]

    assert found == [JANE, "john@example.com"]
    assert [request.url.params["offset"] for request in blooio.asked] == ["0", "1"]


async def test_an_endless_list_ends(monkeypatch):
    """A server that never says "last page" does not hold us for ever."""
    monkeypatch.setattr(client, "MAX_PAGES", 3)
    blooio = Blooio(*[(200, {"contacts": [JANE_DOE], "pagination": {"total": 1000}})] * 10)
    async with blooio.http() as http:
        assert len([contact async for contact in BlooioClient(http).iterate_contacts()]) == 1

    assert len(blooio.asked) == 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        pytest.param(httpx.ConnectError("no route"), errors.BlooioTrouble, id="it never left"),
        pytest.param(httpx.ConnectTimeout("slow"), errors.BlooioTrouble, id="no connection in time"),
        pytest.param(httpx.PoolTimeout("busy"), errors.BlooioTrouble, id="no free connection in time"),
        pytest.param(httpx.ReadTimeout("slow"), errors.Unconfirmed, id="no answer in time"),
        pytest.param(httpx.ReadError("cut"), errors.Unconfirmed, id="cut while answering"),
        pytest.param(httpx.WriteError("cut"), errors.Unconfirmed, id="cut while sending"),
        pytest.param(httpx.RemoteProtocolError("what?"), errors.Unconfirmed, id="not HTTP"),
    ],
)
async def test_a_text_without_an_answer(trouble, kind):
    """What may have been sent is unconfirmed; what surely was not may simply be tried again."""
    async with Blooio(trouble).http() as http:
        with pytest.raises(errors.TextingError) as raised:
            await BlooioClient(http).send_message(JANE, "Hi", idempotency_key="k-1")

    assert raised.type is kind
    assert raised.value.__notes__ == [type(trouble).__name__]
    assert raised.value.__suppress_context__  # what httpx and aiohttp say may name the address


async def test_a_question_without_an_answer():
    """Only a text can be half done; a question is asked again."""
    async with Blooio(httpx.ReadTimeout("slow")).http() as http:
        with pytest.raises(errors.BlooioTrouble):
            await BlooioClient(http).capabilities(JANE)


async def test_the_key_is_not_shown():
    """Whoever prints the client does not print the key."""
    async with Blooio().http() as http:
        assert "secret" not in f"{http!r} {http.headers!r} {vars(BlooioClient(http))!r}"


@pytest.mark.parametrize(
    ("base_url", "proxy"),
    [
        pytest.param(BASE, "http://proxy.example.com:3128", id="Blooio"),
        pytest.param("https://quiet.example.com/v2/api", None, id="a machine that the environment excepts"),
        pytest.param("http://localhost:4000/blooio/v2/api", None, id="this machine"),
        pytest.param("http://127.0.0.1:4000/blooio/v2/api", None, id="this machine by number"),
        pytest.param("http://[::1]:4000/blooio/v2/api", None, id="this machine by IPv6"),
    ],
)
def test_which_proxy_is_used(monkeypatch, base_url, proxy):
    """The environment's, but never for the sandbox."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "quiet.example.com")

    assert client._proxy(base_url) == proxy
