"""Reading what was written: chats, messages and groups, as somebody who catches up asks for them."""

import json

import pytest

from sandbox.blooio.seed import JANE, LINE, NORA, SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_message_lists(world):
    """Messages are filtered by direction and time, sorted, and paged with totals."""
    for text in ("One", "Two"):
        await world.sent(text=text)
        world.basics.clock.advance(10)
    await world.phone().replies("Three")
    every = (await world.http.get(f"/chats/{JANE}/messages")).json()
    two = every["messages"][1]["time_sent"] + 1_000
    texts = {}
    for name, query in {
        "ascending": {"sort": "asc"},
        "inbound": {"direction": "inbound"},
        "since": {"since": two},
        "until": {"until": two},
        "second page": {"limit": 1, "offset": 1},
    }.items():
        answer = await world.http.get(f"/chats/{JANE}/messages", params=query)
        texts[name] = [message["text"] for message in answer.json()["messages"]]

    assert [message["text"] for message in every["messages"]] == ["Three", "Two", "One"]
    assert every["pagination"] == {"limit": 50, "offset": 0, "total": 3}
    assert texts == {
        "ascending": ["One", "Two", "Three"],
        "inbound": ["Three"],
        "since": ["Three"],
        "until": ["Two", "One"],
        "second page": ["Two"],
    }


async def test_unknown_chats_and_messages(world):
    """A chat without messages and a message of another chat are 404s."""
    other = await world.sent(SAM)
    await world.sent(JANE)

    for path in ("/chats/+15550107770", "/chats/+15550107770/messages", f"/chats/{JANE}/messages/{other}/status"):
        answer = await world.http.get(path)
        assert (answer.status_code, json.loads(answer.text)["status"]) == (404, 404)


async def test_chat_lists(world):
    """Chats are found by address and name, the latest first."""
    await world.sent(JANE)
    world.basics.clock.advance(1)
    await world.sent(SAM)
    everybody = (await world.http.get("/chats")).json()
    jane = (await world.http.get("/chats", params={"q": "jane"})).json()

    assert [chat["id"] for chat in everybody["chats"]] == [SAM, JANE]
    assert [(chat["id"], chat["outbound_count"]) for chat in jane["chats"]] == [(JANE, 1)]


async def test_a_chat_says_when_they_last_wrote(world):
    """Both directions are counted and timed apart, and the last text of all is shown."""
    await world.sent(text="Hello")
    before = (await world.http.get(f"/chats/{JANE}")).json()
    world.basics.clock.advance(60)
    theirs = await world.phone().replies("Hi")
    world.basics.clock.advance(60)
    await world.sent(text="Bye")
    [chat] = (await world.http.get("/chats")).json()["chats"]
    message = (await world.http.get(f"/chats/{JANE}/messages/{theirs}")).json()

    assert (before["last_inbound_time"], before["inbound_count"]) == (None, 0)
    assert chat["last_inbound_time"] == message["time_sent"]
    assert chat["last_inbound_time"] < chat["last_outbound_time"] == chat["last_message_time"]
    assert (chat["message_count"], chat["inbound_count"], chat["outbound_count"]) == (3, 1, 2)
    assert (chat["last_message"]["text"], chat["last_message"]["direction"]) == ("Bye", "outbound")


async def test_chats_move_to_the_front(world):
    """A new text, of either direction, makes its chat the most recent."""
    for address in (JANE, SAM, NORA):
        await world.sent(address)
    await world.phone(SAM).replies("Hi")
    recent = (await world.http.get("/chats")).json()["chats"]
    oldest = (await world.http.get("/chats", params={"sort": "oldest"})).json()["chats"]

    assert [chat["id"] for chat in recent] == [SAM, NORA, JANE]
    assert [chat["id"] for chat in oldest] == [JANE, NORA, SAM]


async def test_catching_up_with_two_thousand_chats(world):
    """Page by page, every chat comes once, the latest first; within one, only what is new and theirs."""
    addresses = [f"+1555{number:07}" for number in range(2_000)]
    phones = world.blooio._control._inbound
    for address in addresses:
        phones.text(world.blooio._records.phone(address), "Hi", attachments=[])
    seen, total = [], None
    while total is None or len(seen) < total:
        answer = (await world.http.get("/chats", params={"limit": 200, "offset": len(seen)})).json()
        seen += [chat["id"] for chat in answer["chats"]]
        total = answer["pagination"]["total"]

    assert seen == addresses[::-1]


@pytest.mark.parametrize("edge", [-1, 0, 1])
async def test_since_and_until_do_not_count_themselves(world, edge):
    """A message of exactly that millisecond is neither after nor before it."""
    for text in ("One", "Two", "Three"):
        await world.phone().replies(text)
        world.basics.clock.advance(5)
    times = [one["time_sent"] for one in (await world.http.get(f"/chats/{JANE}/messages")).json()["messages"]][::-1]
    found = {}
    for name in ("since", "until"):
        query = {name: times[1] + edge, "direction": "inbound", "sort": "asc"}
        answer = await world.http.get(f"/chats/{JANE}/messages", params=query)
        found[name] = [message["text"] for message in answer.json()["messages"]]

    assert found["since"] == (["Two", "Three"] if edge < 0 else ["Three"])
    assert found["until"] == (["One", "Two"] if edge > 0 else ["One"])


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"sort": "new"}, {"direction": "both"}, {"since": "today"}]
)
async def test_queries_that_make_no_sense(world, query):
    """Out of range, unknown or no number: a 400."""
    await world.sent()

    assert (await world.http.get(f"/chats/{JANE}/messages", params=query)).status_code == 400


@pytest.mark.parametrize("format_", ["flat", "2026-09-01"])
async def test_a_group_is_told_of(world, format_):
    """What somebody writes in a group names the group as the other party, and the person as the sender."""
    await world.subscribe(format=format_)
    group = await world.gateway.group([JANE, SAM], "Lunch")
    message_id = await world.phone(SAM).replies("Noon?", group=group)

    [knock] = await world.listener.heard(1)
    body = knock.body.get("data", knock.body)
    assert (body["message_id"], body["external_id"], body["sender"], body["internal_id"]) == (
        message_id,
        group,
        SAM,
        LINE,
    )
    assert (body["is_group"], body["group_id"], body["group_name"]) == (True, group, "Lunch")
    assert [person["identifier"] for person in body["participants"]] == [JANE, SAM]
    assert body["participants"][0]["name"] == "Jane Doe"


async def test_a_group_in_the_second_v4_envelope(world):
    """There the group is an object of its own, and the contact is whoever wrote."""
    await world.subscribe(format="2026-10-01")
    group = await world.gateway.group([JANE, SAM])
    await world.phone(SAM).replies("Noon?", group=group)

    data = (await world.listener.heard(1))[0].body["data"]
    assert (data["is_group"], data["group"]["group_id"], data["group"]["group_name"]) == (True, group, None)
    assert (data["sender"], data["contact"], data["recipient"]) == (SAM, {"identifier": SAM}, LINE)
    assert not {"external_id", "group_id", "participants"} & data.keys()


async def test_a_group_in_reads(world):
    """Lists say that a chat is a group, and which member wrote; nobody's own chat has its messages."""
    group = await world.gateway.group([JANE, SAM], "Lunch")
    message_id = await world.phone(SAM).replies("Noon?", group=group)
    [chat] = (await world.http.get("/chats", params={"q": "lunch"})).json()["chats"]
    [message] = (await world.http.get(f"/chats/{group}/messages")).json()["messages"]

    assert (chat["id"], chat["type"], chat["is_group"], chat["group_id"]) == (group, "group", True, group)
    assert (chat["group_name"], chat["member_count"], chat["contact"]) == ("Lunch", 2, None)
    assert (message["message_id"], message["external_id"], message["sender"]) == (message_id, group, SAM)
    assert await world.phone(SAM).texts() == []
    assert (await world.http.get(f"/chats/{SAM}")).status_code == 404


async def test_answering_a_group(world):
    """A text to a group arrives, can be reacted to by its members, and is nobody else's to react to."""
    group = await world.gateway.group([JANE, SAM])
    await world.phone().replies("Noon?", group=group)
    message_id = await world.sent(group, text="Yes")
    world.basics.clock.advance(2)
    await world.becomes(message_id, "delivered")
    await world.phone().reacts("love", message_id=message_id)
    with pytest.raises(AssertionError, match="no such text"):
        await world.phone(NORA).reacts("love", message_id=message_id)

    asked, answered = await world.gateway.group_texts(group)
    assert (asked.text, asked.sender, asked.direction) == ("Noon?", JANE, "inbound")
    assert (answered.text, answered.sender, answered.reached_at is not None) == ("Yes", None, True)
    assert [(one["sender"], one["reaction"]) for one in answered.reactions] == [(JANE, "love")]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        pytest.param("blooio/groups", {"members": [JANE]}, "2 members or more", id="a group of one"),
        pytest.param("blooio/groups", {"members": [JANE, "nobody"]}, "Invalid identifier", id="no address"),
        pytest.param("blooio/groups", {"members": [JANE, SAM], "name": 7}, "name must be", id="a number for a name"),
        pytest.param(f"phones/{JANE}/texts", {"text": "Hi", "group": "grp_x"}, "is in no group", id="no such group"),
    ],
)
async def test_groups_that_make_no_sense(world, path, body, words):
    """A mistake about a group is told in words."""
    answer = await world.http.post(f"{world.url}/_sandbox/{path}", json=body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]
