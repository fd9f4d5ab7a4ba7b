"""Ordered trouble at the local Blooio: every documented refusal, and answers that never come."""

import httpx
import pytest

from sandbox.blooio.seed import JANE
from sandbox.blooio.trouble import SEND, TROUBLE, ordered
from sandbox.faults import Kind
from tests.contract.blooio_world import running

REFUSALS = {name: fault for name, fault in TROUBLE.items() if fault.kind is Kind.STATUS}


@pytest.fixture
async def world():
    async with running() as world:
        yield world


@pytest.mark.parametrize("name", REFUSALS)
async def test_refusals(world, name):
    """Each refusal is answered once, in the documented shape, and sends nothing."""
    fault = REFUSALS[name]
    world.basics.faults.order(ordered(name))
    method, path = fault.where.replace("*", JANE, 1).split() if fault.where != "*" else ("GET", "/me")
    body = {"text": "Hello", "webhook_url": world.listener.url} if method == "POST" else None
    first = await world.http.request(method, path, json=body)
    texts = await world.phone().texts()
    second = await world.http.request(method, path, json=body)

    assert (first.status_code, first.json()) == (fault.status, fault.body)
    assert (first.json()["error"], first.json()["status"]) == ("ApiError", fault.status)
    assert texts == []
    assert second.is_success


async def test_throttling_says_when_to_come_back(world):
    """A throttle has no code, and a Retry-After."""
    world.basics.faults.order(ordered("throttled", retry_after=7))
    answer = await world.send()

    assert (answer.status_code, answer.headers["Retry-After"], answer.json().get("code")) == (429, "7", None)


async def test_an_html_page(world):
    """A proxy's 502 is HTML."""
    world.basics.faults.order(ordered("html_page"))
    answer = await world.send()

    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


@pytest.mark.parametrize("name", ["connection_cut", "answer_lost"])
async def test_no_answer(world, name):
    """The connection breaks before or after the text was accepted; the same key then sends it, or finds it sent."""
    world.basics.faults.order(ordered(name))
    with pytest.raises(httpx.RemoteProtocolError):
        await world.send(key="one")
    sent = len(await world.phone().texts())
    again = await world.send(key="one")

    assert (sent, again.status_code) == {"connection_cut": (0, 202), "answer_lost": (1, 200)}[name]
    assert len(await world.phone().texts()) == 1


async def test_the_trap_of_a_late_answer(world):
    """A text is accepted at once and answered after the caller's patience: with a key it is one text, without two."""
    for key in ("one", None):
        world.basics.faults.order(ordered("answer_too_late"))
        with pytest.raises(httpx.ReadTimeout):
            await world.send(key=key, timeout=httpx.Timeout(5, read=0.05))
        await world.send(key=key)

    assert [text.key for text in await world.phone().texts()] == ["one", None, None]


async def test_trouble_for_one_person(world):
    """A fault may name a path, decoded, and leaves others alone."""
    world.basics.faults.order(ordered("reply_only", where=f"POST /chats/{JANE}/messages"))

    assert (await world.send("+15557654321")).status_code == 202
    assert (await world.send(JANE)).status_code == 403


def test_every_send_trouble_names_sends():
    """The table's patterns are the ones that calls go by."""
    assert {fault.where for fault in TROUBLE.values()} >= {SEND, "*", "GET /contacts/*/capabilities"}
