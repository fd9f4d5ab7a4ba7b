"""Socket Mode frame by frame, as a client that is not slack_sdk would see it."""

import asyncio
import json

import aiohttp
import pytest

from tests.contract.slack_fixtures import over_sockets


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def opens(sandbox, client, http):
    """Ask for a ticket and open a websocket with it; the frames are left to the test."""

    async def opening(query=""):
        opened = await client.apps_connections_open(app_token=sandbox.environment()["SLACK_APP_TOKEN"])
        return await http.ws_connect(opened["url"] + query, autoping=False)

    return opening


async def receive(socket):
    """Return the next JSON frame; the server's pings in between are not answered."""
    while True:
        frame = await socket.receive(timeout=30)
        if frame.type is aiohttp.WSMsgType.TEXT:
            return json.loads(frame.data)
        if frame.type is not aiohttp.WSMsgType.PING:
            return None


async def test_a_connection_begins_with_hello(opens):
    """Nothing comes before hello, which counts the connections."""
    sockets = [await opens(), await opens()]
    hellos = [await receive(socket) for socket in sockets]
    assert [(one["type"], one["num_connections"]) for one in hellos] == [("hello", 1), ("hello", 2)]
    assert hellos[0]["connection_info"]["app_id"].startswith("A")


async def test_a_ticket_opens_one_socket(sandbox, client, http):
    """A ticket works once, and only one that was given out."""
    opened = await client.apps_connections_open(app_token=sandbox.environment()["SLACK_APP_TOKEN"])
    socket = await http.ws_connect(opened["url"])
    for url in (opened["url"], opened["url"].replace("ticket=", "ticket=x")):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)
    await socket.close()


async def test_pings_are_answered_with_their_own_payload(opens):
    """slack_sdk takes a session for dead unless its own words come back."""
    socket = await opens()
    await socket.ping(b"sdk-ping-pong:1700000000.5")
    frames = [await socket.receive(timeout=30) for _ in range(3)]
    assert frames[0].type is aiohttp.WSMsgType.TEXT
    by_type = {frame.type: frame.data for frame in frames[1:]}
    assert bytes(by_type[aiohttp.WSMsgType.PONG]) == b"sdk-ping-pong:1700000000.5"
    assert bytes(by_type[aiohttp.WSMsgType.PING]).startswith(b"Ping from")


async def test_an_envelope_is_acknowledged_with_a_payload(sandbox, opens):
    """The acknowledgement names its envelope; what it carries is shown to the person."""
    socket = await opens()
    await receive(socket)
    typing = asyncio.create_task(sandbox.person("ana").types("#support", "/text hello"))
    envelope = await receive(socket)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    await socket.send_str("no JSON")
    await socket.send_json({"envelope_id": "another"})
    await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hi"}})
    assert (await typing).text == "hi"


async def test_an_event_says_which_try_it_is(sandbox, opens):
    """Events carry retry_attempt and retry_reason, and take no payload."""
    socket = await opens()
    await receive(socket)
    await sandbox.limits(ack_limit=0.05)
    await sandbox.person("ana").posts("#support", "hello")
    first, second = await receive(socket), await receive(socket)
    assert (first["retry_attempt"], first["retry_reason"], first["accepts_response_payload"]) == (0, "", False)
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["envelope_id"] != second["envelope_id"]
    assert first["payload"]["event_id"] == second["payload"]["event_id"]


async def test_each_envelope_goes_to_one_socket(sandbox, opens):
    """Two connections share the traffic by lot; none gets what the other got."""
    sockets = [await opens(), await opens()]
    for socket in sockets:
        await receive(socket)
    for number in range(20):
        await sandbox.person("ana").posts("#support", str(number))
    texts = []

    async def drain(socket):
        while len(texts) < 20:
            envelope = await receive(socket)
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            texts.append(envelope["payload"]["event"]["text"])

    done = [asyncio.create_task(drain(socket)) for socket in sockets]
    await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.cancel()
    assert sorted(texts, key=int) == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("strict", "limit", "error"),
    [pytest.param(False, 3.0, None, id="accepted"), pytest.param(True, 0.3, "operation_timeout", id="strict")],
)
async def test_an_acknowledgement_over_another_socket(sandbox, opens, strict, limit, error):
    """After a reconnection the SDK acknowledges over the new socket; whether that counts can be chosen."""
    await sandbox.disconnect(strict=strict)
    await sandbox.limits(ack_limit=limit)
    old = await opens()
    await receive(old)
    typing = asyncio.create_task(sandbox.person("ana").types("#support", "/text hello"))
    envelope = await receive(old)
    new = await opens()
    await receive(new)
    await new.send_json({"envelope_id": envelope["envelope_id"]})
    assert (await typing).error == error


async def test_the_eleventh_socket_is_turned_away(opens):
    """Ten connections are allowed; the next is told so and closed."""
    sockets = [await opens() for _ in range(10)]
    for socket in sockets:
        assert (await receive(socket))["type"] == "hello"
    turned_away = await opens()
    assert (await receive(turned_away))["reason"] == "too_many_websockets"
    assert await receive(turned_away) is None


@pytest.mark.parametrize(
    ("query", "life"), [pytest.param("", 18_060, id="usual"), pytest.param("&debug_reconnects=true", 360, id="debug")]
)
async def test_a_connection_ends_after_a_warning(sandbox, opens, query, life):
    """Ten seconds before its end a connection is warned, and then closed."""
    socket = await opens(query)
    assert (await receive(socket))["debug_info"]["approximate_connection_time"] == life
    await sandbox.advance(life - 9)
    warning = await receive(socket)
    assert (warning["type"], warning["reason"]) == ("disconnect", "warning")
    await sandbox.advance(10)
    assert await receive(socket) is None


async def test_a_socket_told_to_go_gets_no_more(sandbox, opens):
    """After refresh_requested a command finds nobody until a new socket is open."""
    socket = await opens()
    await receive(socket)
    await sandbox.disconnect("refresh_requested")
    assert (await receive(socket))["reason"] == "refresh_requested"
    assert (await sandbox.person("ana").types("#support", "/text hello")).error == "dispatch_failed"
    await sandbox.advance(3)
    assert await receive(socket) is None


async def test_the_life_of_connections_can_be_shortened(sandbox):
    """With a short life the SDK reconnects by itself, again and again, and goes on answering."""
    await sandbox.disconnect(life=10.1)  # seconds: warned after a tenth of one
    async with over_sockets(sandbox):

        async def opened():
            return len(await sandbox.exchanges(name="apps.connections.open")) > 3

        await sandbox.until(opened)

        async def answered():
            return (await sandbox.person("ana").types("#support", "/text hello")).text == "Got hello"

        await sandbox.until(answered)
