"""Tapbacks and emoji at the local Blooio: whose stand, who hears of them, and where they cannot be."""

import pytest

from sandbox.blooio.seed import JANE, LINE, RITA, SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def react(world, message_id, reaction, address=JANE, **body):
    """Ask the API for a reaction of ours."""
    path = f"/chats/{address}/messages/{message_id}/reactions"
    return await world.http.post(path, json={"reaction": reaction, **body})


async def standing(world, message_id):
    """What the phone shows on a text: who, and which."""
    [text] = [text for text in await world.phone().texts() if text.message_id == message_id]
    return [(one["sender"], one["reaction"]) for one in text.reactions]


async def test_a_name_or_a_number_from_the_end(world):
    """A reaction goes to an id, or to the last but so many, also of one direction."""
    first, second = await world.sent(), await world.sent()
    theirs = await world.phone().replies("Hi")
    by_id = await react(world, first, "+love")
    await react(world, "-1", "+like")
    await react(world, "-1", "+😂", direction="outbound")

    assert by_id.json() == {"success": True, "message_id": first, "reaction": "love", "action": "add"}
    assert [await standing(world, one) for one in (first, second, theirs)] == [
        [(None, "love")],
        [(None, "😂")],
        [(None, "like")],
    ]


@pytest.mark.parametrize("target", ["theirs", "ours"])
async def test_adding_and_removing(world, target):
    """A reaction of ours stands on a text of either side until it is taken back."""
    message_id = await (world.phone().replies("Hi") if target == "theirs" else world.sent())
    await react(world, message_id, "+love")
    before = await standing(world, message_id)
    removed = await react(world, message_id, "-love")

    assert (before, await standing(world, message_id)) == ([(None, "love")], [])
    assert removed.json()["action"] == "remove"


@pytest.mark.parametrize(
    ("steps", "stands"),
    [
        pytest.param(["+love", "+like"], ["like"], id="another takes its place"),
        pytest.param(["+love", "+😂"], ["😂"], id="an emoji takes its place as well"),
        pytest.param(["+😂", "+🔥"], ["🔥"], id="an emoji after an emoji"),
        pytest.param(["+love", "+love"], ["love"], id="the same twice"),
        pytest.param(["+love", "-like"], ["love"], id="taking another back"),
        pytest.param(["-love"], [], id="taking back what is not there"),
        pytest.param(["+love", "-love", "-love"], [], id="taking it back twice"),
        pytest.param(["+love", "+like", "-love"], ["like"], id="taking back what gave way"),
    ],
)
async def test_one_reaction_each(world, steps, stands):
    """We and the person have one reaction on a text at most, and do not touch each other's."""
    message_id = await world.sent()
    await world.phone().reacts("question")
    for step in steps:
        assert (await react(world, message_id, step)).status_code == 200
        await world.phone().reacts(step[1:], action="add" if step[0] == "+" else "remove")

    seen = await standing(world, message_id)
    assert [reaction for sender, reaction in seen if sender is None] == stands
    assert [reaction for sender, reaction in seen if sender == JANE] == (
        stands or ["question"] * all(step[0] == "-" for step in steps)
    )


async def test_reads_show_what_was_taken_back(world):
    """The API lists every reaction, and says of each whether it stands."""
    message_id = await world.sent()
    await world.phone().reacts("love")
    await react(world, message_id, "+like")
    await react(world, message_id, "-like")
    read = (await world.http.get(f"/chats/{JANE}/messages/{message_id}")).json()

    assert [(one["sender"], one["reaction"], one["is_added"]) for one in read["reactions"]] == [
        (JANE, "love", True),
        (None, "like", False),
    ]


@pytest.mark.parametrize("reaction", ["love", "*love", "+", "+adore", "+like it", "+!", 7, None, "❤️"], ids=repr)
async def test_what_is_no_reaction(world, reaction):
    """A missing sign, an unknown word and plain characters are 400s."""
    message_id = await world.sent()

    assert (await react(world, message_id, reaction)).status_code == 400
    assert await standing(world, message_id) == []


@pytest.mark.parametrize("reaction", ["love", "like", "dislike", "laugh", "emphasize", "question", "👍🏽", "1️⃣", "🇫🇷"])
async def test_what_is_a_reaction(world, reaction):
    """The classic six, and emoji however they are composed."""
    message_id = await world.sent()
    await react(world, message_id, "+" + reaction)

    assert await standing(world, message_id) == [(None, reaction)]


@pytest.mark.parametrize("target", ["msg_unknown", "-9", "-x"])
async def test_the_target_must_exist(world, target):
    """An unknown message and one beyond the first are 404s, and so is one of another chat."""
    elsewhere = await world.sent(RITA)
    await world.sent()

    for unknown in (target, elsewhere):
        assert (await react(world, unknown, "+love")).status_code == 404


@pytest.mark.parametrize("address", [SAM, RITA])
async def test_reactions_need_imessage(world, address):
    """Over SMS and RCS a reaction is a 400 without a code."""
    message_id = await world.sent(address)
    answer = await react(world, message_id, "+love", address)

    assert (answer.status_code, answer.json().get("code")) == (400, None)
    assert (await world.phone(address).texts())[0].reactions == []


async def test_reactions_need_a_line(world):
    """Without an active line, nothing can be reacted."""
    message_id = await world.sent()
    await world.gateway.becomes(lines=[{"number": LINE, "is_active": False}])

    assert (await react(world, message_id, "+love")).status_code == 503


async def test_their_reaction_is_told(world):
    """An event says who reacted how to which text, of either direction, and its repetition is none."""
    await world.subscribe()
    await world.slow_phone()
    ours, theirs = await world.sent(text="Hello"), await world.phone().replies("Hi")
    await world.phone().reacts("love")
    await world.phone().reacts("love")
    await world.phone().reacts("😂", message_id=theirs)
    await world.phone().reacts("love", message_id=ours, action="remove")

    bodies = [knock.body for knock in (await world.listener.heard(4))[1:]]
    names = ("message_id", "action", "reaction", "original_text", "direction", "sender")
    assert [tuple(body[name] for name in names) for body in bodies] == [
        (ours, "add", "love", "Hello", "inbound", JANE),
        (theirs, "add", "😂", "Hi", "inbound", JANE),
        (ours, "remove", "love", "Hello", "inbound", JANE),
    ]


@pytest.mark.parametrize(("replaced", "told"), [("silent", ["add love", "add like"]), ("told", ...)])
async def test_what_gave_way(world, replaced, told):
    """Whether an event says that a reaction gave way to another is a setting."""
    await world.gateway.becomes(replaced_reactions=replaced)
    await world.subscribe()
    await world.slow_phone()
    await world.sent()
    await world.phone().reacts("love")
    await world.phone().reacts("like")
    told = ["add love", "remove love", "add like"] if told is ... else told

    bodies = [knock.body for knock in await world.listener.heard(len(told))]
    assert [f"{body['action']} {body['reaction']}" for body in bodies] == told


@pytest.mark.parametrize(("echo", "sender"), [("null", None), ("line", LINE)])
async def test_our_reaction_may_be_echoed(world, echo, sender):
    """With the setting, webhooks hear of our own reaction too, as outbound."""
    await world.subscribe()
    message_id = await world.phone().replies("Hi")
    await react(world, message_id, "+love")
    await world.gateway.becomes(reaction_echo=echo)
    await react(world, message_id, "-love")

    echoed = (await world.listener.heard(2))[1].body
    assert (echoed["event"], echoed["message_id"], echoed["external_id"]) == ("message.reaction", message_id, JANE)
    assert (echoed["direction"], echoed["sender"], echoed["action"]) == ("outbound", sender, "remove")


@pytest.mark.parametrize(
    ("reaction", "action", "words"),
    [
        ("love", "add", "Loved “Hello”"),
        ("laugh", "add", "Laughed at “Hello”"),
        ("emphasize", "remove", "Removed an exclamation from “Hello”"),
        ("🔥", "add", "Reacted 🔥 to “Hello”"),
    ],
)
async def test_reacting_in_words(world, reaction, action, words):
    """A phone without iMessage cannot react, and texts what it means."""
    await world.sent(SAM, text="Hello")
    with pytest.raises(AssertionError, match="has no iMessage"):
        await world.phone(SAM).reacts(reaction)
    message_id = await world.phone(SAM).reacts_over_sms(reaction, action=action)

    sent, reacted = await world.phone(SAM).texts()
    assert (reacted.message_id, reacted.direction, reacted.text) == (message_id, "inbound", words)
    assert sent.reactions == []
