"""What the local Blooio accepts as a text, what it refuses, and what a repeated key gets."""

import asyncio

import pytest

from sandbox.blooio.seed import JANE, LINE, SAM
from tests.contract.blooio_world import running

PICTURE = "https://files.example.test/a.png"


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_the_same_key_sends_once(world):
    """The first call is a 202; the same key again is a 200 with the first answer, and nothing more is sent."""
    first, second = await world.send(key="one"), await world.send(key="one")

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()
    assert len(await world.phone().texts()) == 1


async def test_the_same_key_at_the_same_time_sends_once(world):
    """Ten calls at once with one key are one text."""
    answers = await asyncio.gather(*(world.send(key="one") for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [202]
    assert len({answer.json()["message_id"] for answer in answers}) == 1


async def test_without_a_key_every_call_sends(world):
    """Two calls without a key are two texts: the trap of a careless retry."""
    await world.send()
    await world.send()

    assert len(await world.phone().texts()) == 2


@pytest.mark.parametrize(("on_key_reuse", "status"), [("ignore", 200), ("conflict", 409)])
async def test_a_key_with_another_body(world, on_key_reuse, status):
    """Nobody says what happens then, so it can be chosen: the first answer again, or a conflict."""
    await world.gateway.becomes(on_key_reuse=on_key_reuse)
    await world.send(key="one", text="Hello")

    assert (await world.send(key="one", text="Goodbye")).status_code == status
    assert (await world.send(key="one", text="Hello")).status_code == 200
    assert len(await world.phone().texts()) == 1


async def test_a_refused_call_does_not_use_up_its_key(world):
    """After a 400, the same key still sends."""
    refused = await world.send(key="one", text="")
    accepted = await world.send(key="one", text="Hello")

    assert (refused.status_code, accepted.status_code) == (400, 202)


async def test_an_array_of_texts_is_as_many_messages(world):
    """Each element is a text of its own, in order."""
    answer = (await world.send(text=["One", "Two"])).json()
    world.basics.clock.advance(2)

    assert len(answer["message_ids"]) == 2
    assert "message_id" not in answer
    assert [text.text for text in await world.phone().received(2)] == ["One", "Two"]


async def test_attachments_are_strings_or_objects(world):
    """Both spellings arrive as objects."""
    await world.sent(text="Look", attachments=[PICTURE, {"url": PICTURE, "name": "a.png"}])

    attachments = (await world.phone().texts())[0].attachments
    assert [(one["url"], one["name"]) for one in attachments] == [(PICTURE, None), (PICTURE, "a.png")]


async def test_parts_are_one_bubble_or_a_batch(world):
    """Parts make one message, unless a link preview makes each its own."""
    bubble = (await world.send(parts=[{"text": "Look: "}, {"url": PICTURE}])).json()
    batch = (await world.send(parts=[{"text": PICTURE, "link_preview": {}}, {"text": PICTURE}])).json()

    assert bubble["message_id"]
    assert (len(batch["message_ids"]), batch["count"]) == (2, 2)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"text": ""}, id="an empty text"),
        pytest.param({"text": 7}, id="a number"),
        pytest.param({"text": []}, id="no texts"),
        pytest.param({"text": ["One", ""]}, id="an empty text among others"),
        pytest.param({"text": "x" * 20_001}, id="a very long text"),
        pytest.param({"from_number": LINE}, id="no content"),
        pytest.param({"text": "Hi", "attachments": "https://a.test"}, id="attachments that are no array"),
        pytest.param({"text": "Hi", "attachments": ["a.png"]}, id="an attachment without a URL"),
        pytest.param({"text": "Hi", "attachments": ["https://["]}, id="an attachment with half a URL"),
        pytest.param({"text": "Hi", "attachments": [{"url": PICTURE, "name": 7}]}, id="a number for a name"),
        pytest.param({"text": "Hi", "effect": "boom"}, id="an unknown effect"),
        pytest.param({"text": "Hi", "metadata": {"note": "x" * 1024}}, id="metadata over 1 KB"),
        pytest.param({"text": "Hi", "metadata": "note"}, id="metadata that is no object"),
        pytest.param({"parts": [{"text": "Hi", "url": PICTURE}]}, id="a part that is two things"),
    ],
)
async def test_bad_bodies(world, body):
    """What cannot be a message is a 400, and nothing is sent."""
    assert (await world.send(**body)).status_code == 400
    assert await world.phone().texts() == []


@pytest.mark.parametrize("effect", ["Invisible Ink", "invisible-ink", "none"])
async def test_effects(world, effect):
    """Effects are named with a space or a dash, in any case."""
    assert (await world.send(text="Hi", effect=effect)).status_code == 202


async def test_metadata_is_kept_and_never_echoed(world):
    """The phone's record shows the metadata, and no read of the API does."""
    message_id = await world.sent(text="Hi", metadata={"expected_protocol": "imessage"})

    assert (await world.phone().texts())[0].metadata == {"expected_protocol": "imessage"}
    assert "metadata" not in (await world.http.get(f"/chats/{JANE}/messages/{message_id}")).json()


async def test_the_line_is_ours_or_refused(world):
    """A text leaves from the line it names; somebody else's number is a 403."""
    await world.sent(text="Hi", from_number=LINE)

    assert (await world.phone().texts())[0].from_number == LINE
    assert (await world.send(text="Hi", from_number="+15550108888")).status_code == 403


async def test_a_chat_keeps_its_line(world):
    """New chats go round the pool, and each keeps the line it began with."""
    other = "+15550109998"
    await world.gateway.becomes(lines=[{"number": LINE}, {"number": other}])
    for address in (JANE, SAM, SAM, JANE):
        await world.sent(address)

    assert [text.from_number for text in await world.phone(JANE).texts()] == [LINE, LINE]
    assert [text.from_number for text in await world.phone(SAM).texts()] == [other, other]


async def test_a_line_that_can_only_reply(world):
    """Who never wrote cannot be texted from it; after their first text, they can."""
    await world.gateway.becomes(lines=[{"number": LINE, "plan_kind": "inbound"}])
    refused = await world.send()
    await world.phone().replies("Hi there")

    assert refused.status_code == 403
    assert refused.json() == {
        "error": "ApiError",
        "message": "This number can only reply to people who have messaged it first",
        "status": 403,
        "code": "inbound_only_no_prior_inbound",
        "allocation_id": "alloc_sandbox",
        "external_id": JANE,
    }
    assert (await world.send()).status_code == 202


async def test_no_line_is_a_503(world):
    """Without an active line nothing can be sent, named or not."""
    await world.gateway.becomes(lines=[{"number": LINE, "is_active": False}])

    assert (await world.send()).status_code == 503
    assert (await world.send(text="Hi", from_number=LINE)).status_code == 503


async def test_a_conversation_begins_with_text(world):
    """An attachment alone cannot open a chat, and can follow."""
    first = await world.send(attachments=[PICTURE])
    await world.sent(text="Hi")

    assert (first.status_code, first.json()["code"]) == (400, "attachment_first_message_not_allowed")
    assert (await world.send(attachments=[PICTURE])).status_code == 202


@pytest.mark.parametrize("body", [{"text": "See https://example.test"}, {"text": "Hi", "attachments": [PICTURE]}])
async def test_links_may_need_a_reply(world, body):
    """With the rule switched on, links and files wait for the person's first text."""
    await world.gateway.becomes(links_need_reply=True)
    refused = await world.send(**body)
    await world.phone().replies("Hi")

    assert (refused.status_code, refused.json()["code"]) == (403, "conversation_content_restricted")
    assert (await world.send(**body)).status_code == 202


async def test_inline_replies(world):
    """A reply names a message of the same chat."""
    here, elsewhere = await world.sent(), await world.sent(SAM)
    answers = [
        await world.send(text="Re", reply_to={"message_id": parent}) for parent in (here, elsewhere, "msg_unknown")
    ]

    assert [(answer.status_code, answer.json().get("code")) for answer in answers] == [
        (202, None),
        (400, "reply_target_chat_mismatch"),
        (404, "reply_target_not_found"),
    ]
    assert (await world.send(text="Re", reply_to="last")).json()["code"] == "reply_target_invalid"


@pytest.mark.parametrize(
    ("chat", "status"), [(f"{JANE},{SAM}", 404), (f"{JANE},nobody", 400), ("grp_abc123", 404), ("15551234567", 400)]
)
async def test_groups_are_not_imitated(world, chat, status):
    """A list of people or a group that is not linked is refused, and reaches nobody."""
    assert (await world.send(chat)).status_code == status
    assert await world.phone().texts() == []


async def test_a_failed_text_inside_a_2xx(world):
    """A text may be refused in an answer that says 202."""
    await world.phone().becomes(refuses=True)
    answer = await world.send()

    assert (answer.status_code, answer.json()["status"]) == (202, "failed")
    assert (await world.status(answer.json()["message_id"]))["status"] == "failed"


async def test_cancelling(world):
    """Switched on, a queued text can be stopped, and a sent one cannot."""
    await world.gateway.becomes(cancelling=True)
    await world.slow_phone()
    message_id = await world.sent()
    stopped = await world.http.delete(f"/chats/{JANE}/messages/{message_id}")
    world.basics.clock.advance(300)
    await world.becomes(message_id, "cancelled")
    late = await world.http.delete(f"/chats/{JANE}/messages/{message_id}")

    assert (stopped.status_code, stopped.json()["status"]) == (200, "cancellation_requested")
    assert late.status_code == 409
    assert await world.phone().received() == []
