"""Webhooks that go wrong as ordered."""

import time

import pytest

from sandbox.blooio.seed import JANE
from sandbox.blooio.signature import sign, sign_body_only
from tests.contract.blooio_world import running

SECRET = "whsec_of_ours"


@pytest.fixture
async def world():
    async with running() as world:
        await world.subscribe(secret=SECRET)
        yield world


def age(knock):
    """How old a signature says it is, in seconds."""
    return time.time() - knock.signed_at


async def say(world, *texts):
    """Let Jane write *texts*, one after another."""
    for text in texts:
        await world.phone().replies(text)


def heard(world):
    return [knock.body["text"] for knock in world.listener.knocks]


async def test_duplicate(world):
    """One event comes twice, byte for byte; the next comes once."""
    await world.gateway.misbehaves("duplicate")
    await say(world, "One", "Two")

    await world.listener.heard(3)
    assert heard(world) == ["One", "One", "Two"]


async def test_reorder(world):
    """An event is overtaken by the next one."""
    await world.gateway.misbehaves("reorder", event="message.sent")
    await world.sent()
    world.basics.clock.advance(2)

    await world.listener.heard(2)
    assert world.listener.events == ["message.delivered", "message.sent"]


PHOTO = ("a.png", b"\x89PNG", "image/png")
URL = {
    "flat": lambda body: body["attachments"][0]["url"],
    "2026-09-01": lambda body: body["data"]["attachments"][0]["url"],
    "2026-10-01": lambda body: body["data"]["attachments"][0]["url"],
}


@pytest.mark.parametrize("format_", URL)
@pytest.mark.parametrize(
    ("kind", "seconds", "order"),
    [
        pytest.param("drop", 0, [1, 2], id="dropped"),
        pytest.param("duplicate", 0, [0, 0, 1, 2], id="doubled"),
        pytest.param("reorder", 0, [1, 0, 2], id="overtaken"),
        pytest.param("late", 30, [1, 2, 0], id="late"),
        pytest.param("replay", 0, [0, 0, 1, 2], id="replayed"),
    ],
)
async def test_what_people_write_goes_wrong_in_every_format(world, format_, kind, seconds, order):
    """An inbound text with a file can be lost, doubled, overtaken or late, and each delivery is whole."""
    await world.subscribe(secret=SECRET, format=format_)
    await world.gateway.misbehaves(kind, event="message.received", seconds=seconds)
    for text in ("One", "Two", "Three"):
        await world.phone().replies(text, files=[PHOTO])
    if kind == "late":
        await world.attempted(2)
        world.basics.clock.advance(seconds)
    written = (await world.http.get(f"/chats/{JANE}/messages", params={"sort": "asc"})).json()["messages"]
    urls = [message["attachments"][0]["url"] for message in written]

    knocks = await world.listener.heard(len(order))
    assert [urls.index(URL[format_](knock.body)) for knock in knocks] == order
    assert all(knock.signature == sign(SECRET, knock.raw, knock.signed_at) for knock in knocks)


async def test_drop(world):
    """An event never comes, not even later."""
    await world.gateway.misbehaves("drop", times=2)
    await say(world, "One", "Two", "Three")
    world.basics.clock.advance(10_000)

    await world.listener.heard(1)
    assert heard(world) == ["Three"]


async def test_late(world):
    """An event comes after the others, so many seconds later, with the time at which it happened."""
    await world.gateway.misbehaves("late", seconds=90)
    await say(world, "One", "Two")
    await world.attempted(1)
    world.basics.clock.advance(90)

    one = (await world.listener.heard(2))[1]
    assert heard(world) == ["Two", "One"]
    assert age(one) < 5
    assert one.body["timestamp"] / 1000 == pytest.approx(world.basics.clock.now() - 90, abs=5)


async def test_stale(world):
    """An event is rightly signed, ten minutes ago."""
    await world.gateway.misbehaves("stale")
    await say(world, "One")

    [knock] = await world.listener.heard(1)
    assert age(knock) == pytest.approx(600, abs=5)
    assert knock.signature == sign(SECRET, knock.raw, knock.signed_at)


async def test_wrong_secret(world):
    """An event is signed by somebody else, in every attempt."""
    await world.gateway.misbehaves("wrong_secret")
    world.listener.statuses = [401, 401]
    await say(world, "One")
    await world.attempted(1)
    world.basics.clock.advance(30)

    for knock in await world.listener.heard(2):
        assert knock.signature != sign(SECRET, knock.raw, knock.signed_at)


async def test_body_only(world):
    """An event is signed as one mistaken sample has it."""
    await world.gateway.misbehaves("body_only")
    await say(world, "One")

    [knock] = await world.listener.heard(1)
    assert knock.signature == sign_body_only(SECRET, knock.raw)


async def test_replay(world):
    """An event comes a second time as a replay."""
    await world.gateway.misbehaves("replay")
    await say(world, "One")

    first, second = await world.listener.heard(2)
    assert "x-blooio-replay" not in first.headers
    assert second.headers["x-blooio-replay"] == "true"
    assert first.raw == second.raw


async def test_before_the_answer(world):
    """A text's first webhook has come when the call that sent it is answered."""
    await world.slow_phone()
    await world.gateway.misbehaves("before_answer")
    answer = await world.send()

    assert world.listener.events == ["message.sent"]
    assert world.listener.knocks[0].body["message_id"] == answer.json()["message_id"]
    world.basics.clock.advance(200)
    await world.listener.heard(2)
    assert world.listener.events == ["message.sent", "message.delivered"]


async def test_orders_strike_only_what_they_name(world):
    """A pattern chooses events; others pass untouched."""
    await world.gateway.misbehaves("drop", event="message.d*", times=None)
    await world.sent()
    world.basics.clock.advance(2)
    await world.phone().received(1)
    await say(world, "Hi")

    await world.listener.heard(2)
    assert world.listener.events == ["message.sent", "message.received"]


async def test_orders_are_taken_back(world):
    """After a DELETE, webhooks behave."""
    await world.gateway.misbehaves("drop", times=None)
    await world.gateway.behaves()
    await say(world, "One")

    await world.listener.heard(1)
    assert heard(world) == ["One"]


@pytest.mark.parametrize(
    "order", [{"kind": "magic"}, {"kind": "drop", "times": 0}, {"kind": "late", "seconds": "many"}, {"times": 1}]
)
async def test_mistaken_orders(world, order):
    """An order that makes no sense is refused in words."""
    answer = await world.http.post(f"{world.url}/_sandbox/blooio/mischief", json=order)

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_people_do_not_wait_for_each_other(world):
    """What is held back for one person does not hold back another's."""
    await world.gateway.misbehaves("reorder")
    await say(world, "Held")
    await world.phone("+15557654321").replies("Free")

    [knock] = await world.listener.heard(1)
    assert knock.body["sender"] != JANE
