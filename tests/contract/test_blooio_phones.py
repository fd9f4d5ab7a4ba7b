"""The phones of the sandbox: their control routes, their state, and the driver that plays a person."""

import asyncio

import pytest

from sandbox.blooio.seed import FAY, JANE, LINE, NORA, PAT, RITA, SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_everybody_is_there_from_the_start(world):
    """The state names the line and the seeded people, each with what they can receive."""
    state = world.blooio.state()

    assert (state["line"], [line["number"] for line in state["lines"]]) == (LINE, [LINE])
    assert {phone["address"]: phone["channel"] for phone in state["phones"]} == {
        JANE: "imessage",
        SAM: "sms",
        RITA: "rcs",
        NORA: "imessage",
        FAY: "imessage",
        PAT: "imessage",
    }
    assert (await world.http.get(f"{world.url}/_sandbox/phones")).json() == state


async def test_a_conversation(world):
    """Texts of both sides stand in the order of writing, and each side sees the other's."""
    await world.sent(text="Ready?", metadata={"order": 7})
    world.basics.clock.advance(2)
    [ready] = await world.phone().received(1)
    await world.phone().replies("yes")

    assert (ready.text, ready.metadata, ready.from_number) == ("Ready?", {"order": 7}, LINE)
    texts = await world.phone().texts()
    assert [(text.direction, text.text) for text in texts] == [("outbound", "Ready?"), ("inbound", "yes")]
    messages = (await world.http.get(f"/chats/{JANE}/messages")).json()["messages"]
    assert [message["text"] for message in messages] == ["yes", "Ready?"]


async def test_waiting_for_a_text(world):
    """The driver's wait ends when the text arrives, and otherwise with what there is."""
    waiting = asyncio.create_task(world.phone().received(1))
    await world.sent()
    world.basics.clock.advance(2)

    assert len(await waiting) == 1
    assert len(await world.phone().received(2, timeout=0.01)) == 1


@pytest.mark.parametrize(("address", "shows"), [(JANE, True), (RITA, True), (SAM, False)])
async def test_our_reading_shows_on_the_phone(world, address, shows):
    """A read receipt of ours marks what the person has written so far, unless it came over SMS."""
    await world.phone(address).replies("Hi")
    answer = await world.http.post(f"/chats/{address}/read")
    await world.phone(address).replies("Still there?")

    first, second = await world.phone(address).texts()
    assert (answer.json()["status"], first.read_at is not None, second.read_at) == ("read", shows, None)


@pytest.mark.parametrize("end", ["stopped", "sent"])
async def test_typing_shows_on_imessage(world, end):
    """Typing is seen on an iPhone until it stops or the text comes, in the state as by the driver."""
    seen = [await world.phone().sees_typing()]
    await world.http.post(f"/chats/{JANE}/typing")
    seen.append(await world.phone().sees_typing())
    shown = {phone["address"]: phone["typing"] for phone in world.blooio.state()["phones"]}
    await (world.http.delete(f"/chats/{JANE}/typing") if end == "stopped" else world.send())
    seen.append(await world.phone().sees_typing())

    assert seen == [False, True, False]
    assert [address for address, typing in shown.items() if typing] == [JANE]


@pytest.mark.parametrize(("address", "warned"), [(RITA, True), (SAM, False)])
async def test_typing_shows_on_nothing_else(world, address, warned):
    """Elsewhere it is accepted and not seen; over RCS a warning says so."""
    answer = await world.http.post(f"/chats/{address}/typing")

    assert (answer.status_code, "warning" in answer.json()) == (200, warned)
    assert not await world.phone(address).sees_typing()


async def test_a_new_phone(world):
    """A phone is described in one call, and described anew with its texts kept."""
    address = "+15550107770"
    await world.control("phones", address=address, name="New", imessage=False, rcs=True, delivered_after=0.5)
    await world.sent(address)
    world.basics.clock.advance(1)
    [text] = await world.phone(address).received(1)
    state = await world.control("phones", address=address)

    assert text.protocol == "rcs"
    assert (state["name"], state["imessage"], len(state["texts"])) == (None, True, 1)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", "phones", {"address": "nobody"}, id="no address"),
        pytest.param("POST", "phones", {"address": JANE, "colour": "blue"}, id="an unknown property"),
        pytest.param("PATCH", f"phones/{JANE}", {"imessage": 1}, id="a number for a switch"),
        pytest.param("PATCH", f"phones/{JANE}", {"sent_after": True}, id="a switch for a number"),
        pytest.param("PATCH", f"phones/{JANE}", [], id="no object"),
        pytest.param("POST", f"phones/{JANE}/texts", {}, id="an empty text"),
        pytest.param("POST", f"phones/{JANE}/texts", {"text": 7}, id="a number for a text"),
        pytest.param("POST", f"phones/{JANE}/texts", {"text": "Hi", "line": SAM}, id="a line that is not ours"),
        pytest.param("POST", f"phones/{JANE}/reactions", {"reaction": "love"}, id="nothing to react to"),
        pytest.param("POST", f"phones/{JANE}/reactions", {}, id="no reaction"),
        pytest.param("POST", "blooio/settings", {"speed": 1}, id="an unknown setting"),
        pytest.param("POST", "blooio/settings", {"webhooks": "ajar"}, id="an unknown choice"),
        pytest.param("POST", "blooio/settings", {"lines": [{"number": "us"}]}, id="a line without a number"),
        pytest.param("POST", "blooio/settings", {"lines": LINE}, id="a line that is no array"),
        pytest.param("POST", "blooio/webhooks", {"url": "here"}, id="a webhook without a URL"),
        pytest.param("POST", "blooio/webhooks", {"url": "https://a.test", "format": "v3"}, id="an unknown format"),
    ],
)
async def test_mistakes_are_told_in_words(world, method, path, body):
    """A control request that makes no sense is a 400 with an error, and changes nothing."""
    before = world.blooio.state()
    answer = await world.http.request(method, f"{world.url}/_sandbox/{path}", json=body)

    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert world.blooio.state() == before


async def test_the_driver_repeats_the_words(world):
    """A mistake made through the driver is an assertion with the sandbox's words."""
    with pytest.raises(AssertionError, match="a phone has no 'colour'"):
        await world.phone().becomes(colour="blue")


async def test_settings_can_be_read(world):
    """What was set is shown, beside the lines."""
    changed = await world.control("blooio/settings", links_need_reply=True)
    shown = (await world.http.get(f"{world.url}/_sandbox/blooio/settings")).json()

    assert changed == shown
    assert (shown["links_need_reply"], shown["lines"][0]["number"]) == (True, LINE)


async def test_every_visible_change_counts(world):
    """The revision grows with a text, a profile, an inbound text, a setting and a webhook."""
    steps = [
        world.sent,
        lambda: world.phone().becomes(name="Jane"),
        lambda: world.phone().replies("Hi"),
        lambda: world.gateway.becomes(strict_paths=False),
        world.subscribe,
    ]
    revisions = [world.basics.changes.revision]
    for step in steps:
        await step()
        revisions.append(world.basics.changes.revision)

    assert revisions == sorted(set(revisions))
