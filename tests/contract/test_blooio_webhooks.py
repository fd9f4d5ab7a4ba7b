"""What the local Blooio's webhooks deliver, to whom, and again when refused."""

import json
from itertools import pairwise

import pytest

from sandbox.blooio.seed import FAY, JANE, LINE
from sandbox.blooio.signature import sign
from tests.contract.blooio_world import running

PICTURE = {"url": "https://files.example.test/a.png", "name": "a.png"}


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_a_texts_life_is_told(world):
    """Sent, delivered and read arrive in order, each with its own time."""
    await world.subscribe()
    message_id = await world.sent(text="Hello")
    world.basics.clock.advance(2)
    await world.listener.heard(2)
    await world.phone().reads()
    sent, delivered, read = (knock.body for knock in await world.listener.heard(3))

    common = {
        "message_id": message_id,
        "external_id": JANE,
        "internal_id": LINE,
        "protocol": "imessage",
        "is_group": False,
    }
    for body, event in ((sent, "message.sent"), (delivered, "message.delivered"), (read, "message.read")):
        assert common.items() <= body.items()
        assert (body["event"], body["status"]) == (event, event.removeprefix("message."))
    assert (sent["text"], sent["attachments"], sent["sent_at"]) == ("Hello", [], sent["timestamp"])
    assert delivered["delivered_at"] == pytest.approx(sent["sent_at"] + 700, abs=1)
    assert read["read_at"] == read["timestamp"]


async def test_a_failure_is_told(world):
    """A text that failed comes with its code."""
    await world.subscribe()
    await world.sent(FAY)
    world.basics.clock.advance(2)

    failed = (await world.listener.heard(2))[1].body
    assert (failed["event"], failed["status"]) == ("message.failed", "failed")
    assert (failed["error_code"], bool(failed["error_message"])) == ("recipient_unreachable", True)


async def test_an_inbound_text_is_told(world):
    """What a person writes arrives with their address as sender and as the other party."""
    await world.subscribe()
    message_id = await world.phone().replies("Hi", attachments=[PICTURE["url"]])

    body = (await world.listener.heard(1))[0].body
    assert body == {
        "event": "message.received",
        "message_id": message_id,
        "external_id": JANE,
        "internal_id": LINE,
        "status": "received",
        "protocol": "imessage",
        "timestamp": body["received_at"],
        "is_group": False,
        "sender": JANE,
        "text": "Hi",
        "attachments": [{"url": PICTURE["url"]}],
        "received_at": body["received_at"],
    }


async def test_a_reaction_is_told(world):
    """A tapback names the text that it is on."""
    await world.subscribe()
    await world.slow_phone()
    message_id = await world.sent(text="Hello")
    await world.phone().reacts("love")
    await world.phone().reacts("love", message_id=message_id, action="remove")

    bodies = [knock.body for knock in await world.listener.heard(2)]
    assert [(body["event"], body["message_id"], body["action"]) for body in bodies] == [
        ("message.reaction", message_id, "add"),
        ("message.reaction", message_id, "remove"),
    ]
    assert (bodies[0]["sender"], bodies[0]["original_text"]) == (JANE, "Hello")


async def test_headers_and_signature(world):
    """The raw body is signed with the time of the attempt, and the headers say what it is about."""
    await world.subscribe(secret="whsec_of_ours")
    message_id = await world.phone().replies("Grüße 👋")

    [knock] = await world.listener.heard(1)
    assert knock.signature == sign("whsec_of_ours", knock.raw, knock.signed_at)
    assert abs(knock.signed_at - world.basics.clock.now()) < 5
    assert knock.headers["content-type"] == "application/json"
    assert (knock.event, knock.headers["x-blooio-message-id"]) == ("message.received", message_id)
    assert "x-blooio-replay" not in knock.headers


@pytest.mark.parametrize(
    ("type_", "events"),
    [
        ("message", ["message.sent", "message.delivered", "message.received"]),
        ("status", ["message.sent", "message.delivered"]),
        ("all", ["message.sent", "message.delivered", "message.reaction", "message.received"]),
        ("poll", []),
    ],
)
async def test_types(world, type_, events):
    """A webhook gets the events of its type."""
    await world.subscribe(type=type_)
    message_id = await world.sent()
    world.basics.clock.advance(2)
    await world.becomes(message_id, "delivered")
    await world.attempted(min(2, len(events)))
    await world.phone().reacts("love")
    await world.phone().replies("Hi")

    await world.listener.heard(len(events))
    assert world.listener.events == events


async def test_attachments_as_strings(world):
    """Older bodies have attachments as URLs."""
    await world.subscribe(attachments="strings")
    await world.phone().replies("Hi", attachments=[PICTURE["url"]])

    assert (await world.listener.heard(1))[0].body["attachments"] == [PICTURE["url"]]


async def test_the_first_v4_envelope(world):
    """2026-09-01 wraps v2's names."""
    await world.subscribe(format="2026-09-01")
    message_id = await world.phone().replies("Hi", attachments=[PICTURE["url"]])

    [knock] = await world.listener.heard(1)
    envelope = knock.body
    data = envelope.pop("data")
    assert envelope.pop("id").startswith("evt_")
    assert envelope == {
        "type": "message.received",
        "api_version": "2026-09-01",
        "created_at": data["timestamp"],
        "organization_id": "org_sandbox",
    }
    assert (data["message_id"], data["external_id"], data["internal_id"], data["sender"]) == (
        message_id,
        JANE,
        LINE,
        JANE,
    )
    assert knock.headers["x-blooio-delivery"].startswith("wdel_")


async def test_the_second_v4_envelope(world):
    """2026-10-01 has names of its own for people, attachments and errors."""
    await world.subscribe(format="2026-10-01")
    await world.phone(FAY).replies("Hi", attachments=[PICTURE["url"]])
    await world.listener.heard(1)
    await world.sent(FAY)
    world.basics.clock.advance(2)

    received, sent, failed = (knock.body["data"] for knock in await world.listener.heard(3))
    gone = {"event", "timestamp", "external_id", "internal_id", "chat_guid", "error_code"}
    assert not gone & (received.keys() | sent.keys() | failed.keys())
    assert (received["sender"], received["recipient"], received["contact"]) == (FAY, LINE, {"identifier": FAY})
    assert received["attachments"] == [{"media_type": None, "size": None, "url": PICTURE["url"]}]
    assert (sent["sender"], sent["recipient"], sent["channel_address"]) == (LINE, FAY, LINE)
    assert failed["error"]["code"] == "recipient_unreachable"
    assert received["chat_id"].startswith("chat_")


async def test_a_reaction_in_the_second_v4_envelope(world):
    """A reaction is from whoever reacted, whoever wrote the text that it is on."""
    await world.subscribe(format="2026-10-01")
    await world.slow_phone()
    ours = await world.sent(text="Hello")
    await world.phone().reacts("love")
    theirs = await world.phone().replies("Hi")
    await world.phone().reacts("like", message_id=theirs)

    on_ours, _, on_theirs = (knock.body["data"] for knock in await world.listener.heard(3))
    for data, message_id in ((on_ours, ours), (on_theirs, theirs)):
        assert (data["message_id"], data["direction"]) == (message_id, "inbound")
        assert (data["sender"], data["recipient"], data["channel_address"]) == (JANE, LINE, LINE)


async def test_one_person_at_a_time(world):
    """While an event is unanswered, the next one of the same person waits, and others do not."""
    await world.subscribe()
    async with world.listener.busy:
        for address, text in ((JANE, "One"), (JANE, "Two"), (FAY, "Three")):
            await world.phone(address).replies(text)
        meanwhile = [knock.body["text"] for knock in await world.listener.heard(2)]

    assert sorted(meanwhile) == ["One", "Three"]
    assert (await world.listener.heard(3))[2].body["text"] == "Two"


async def test_retries(world):
    """A refused delivery comes again after 30 s, 1, 2, 4 and 8 minutes, freshly signed, and then no more."""
    webhook = await world.subscribe(format="2026-09-01")
    world.listener.statuses = [500] * 10
    await world.phone().replies("Hi")
    for attempt, wait in enumerate((30, 60, 120, 240, 480), start=1):
        await world.attempted(attempt)
        world.basics.clock.advance(wait)
    await world.attempted(6)
    world.basics.clock.advance(10_000)
    answer = (await world.http.get(f"/webhooks/{webhook['webhook_id']}")).json()
    knocks = world.listener.knocks
    times = [knock.at for knock in knocks]

    assert len(knocks) == 6
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([30, 60, 120, 240, 480], abs=1)
    assert len({knock.raw for knock in knocks}) == len({knock.headers["x-blooio-delivery"] for knock in knocks}) == 1
    assert (answer["failure_count"], answer["is_active"]) == (6, True)


async def test_retries_end_with_success(world):
    """After the first 2xx nothing comes again."""
    await world.subscribe()
    world.listener.statuses = [503, 204]
    await world.phone().replies("Hi")
    await world.attempted(1)
    world.basics.clock.advance(30)
    await world.attempted(2)
    world.basics.clock.advance(10_000)
    await world.phone().replies("Bye")

    await world.listener.heard(3)
    assert [knock.body["text"] for knock in world.listener.knocks] == ["Hi", "Hi", "Bye"]


async def test_nobody_listening(world):
    """A refused connection is an attempt without an answer, and later ones succeed."""
    listening = world.listener.url
    world.listener.url = "http://127.0.0.1:9/webhook"
    webhook = await world.subscribe()
    await world.phone().replies("Hi")
    await world.attempted(1)
    [stored] = world.blooio._records.webhooks.values()
    stored.url = listening
    world.basics.clock.advance(30)
    await world.attempted(2)

    logs = (await world.http.get(f"/webhooks/{webhook['webhook_id']}/logs", params={"sort": "asc"})).json()["logs"]
    assert [log["response_status"] for log in logs] == [None, 200]


async def test_registration(world):
    """A new URL is a 201 with its secret, a known one a 200 without, and a bad one a 400."""
    first = await world.http.post("/webhooks", json={"webhook_url": "https://bot.example.test/hook"})
    again = await world.http.post("/webhooks", json={"webhook_url": "https://bot.example.test/hook"})
    plain = await world.http.post("/webhooks", json={"webhook_url": "http://bot.example.test/hook"})
    odd = await world.http.post("/webhooks", json={"webhook_url": world.listener.url, "webhook_type": "odd"})

    assert (first.status_code, first.json()["webhook_type"]) == (201, "message")
    assert first.json()["signing_secret"].startswith("whsec_")
    assert (again.status_code, again.json()["webhook_id"]) == (200, first.json()["webhook_id"])
    assert "signing_secret" not in again.json()
    assert (plain.status_code, odd.status_code) == (400, 400)


async def test_closed_registration(world):
    """Closed, a new URL is a 410 and a known one still a 200; the dashboard's door stays open."""
    await world.subscribe()
    await world.gateway.becomes(webhooks="closed")
    new = await world.http.post("/webhooks", json={"webhook_url": "https://bot.example.test/hook"})
    known = await world.http.post("/webhooks", json={"webhook_url": world.listener.url})

    assert (new.status_code, known.status_code) == (410, 200)


async def test_no_more_than_64_webhooks(world):
    """The 65th is a 409."""
    statuses = [
        (await world.http.post("/webhooks", json={"webhook_url": f"https://bot.example.test/{n}"})).status_code
        for n in range(65)
    ]

    assert statuses == [201] * 64 + [409]


async def test_pausing_and_ending(world):
    """A deprecated webhook and an expired one are told nothing; reviving brings the next events."""
    webhook = await world.subscribe()
    path = f"/webhooks/{webhook['webhook_id']}"
    await world.http.patch(path, json={"deprecate": True})
    await world.phone().replies("Unheard")
    await world.http.patch(path, json={"deprecate": False, "valid_until": 1})
    await world.phone().replies("Unheard too")
    await world.http.patch(path, json={"valid_until": -1})
    await world.phone().replies("Heard")

    assert [knock.body["text"] for knock in await world.listener.heard(1)] == ["Heard"]
    assert (await world.http.patch(path, json={"deprecate": "yes"})).status_code == 400


async def test_rotating_the_secret(world):
    """The new secret signs from then on."""
    webhook = await world.subscribe()
    rotated = (await world.http.post(f"/webhooks/{webhook['webhook_id']}/secret/rotate")).json()
    await world.phone().replies("Hi")

    [knock] = await world.listener.heard(1)
    assert knock.signature == sign(rotated["signing_secret"], knock.raw, knock.signed_at)
    assert rotated["rotation_count"] == 1


async def test_logs(world):
    """Attempts are logged, filtered by status and paged with what remains."""
    webhook = await world.subscribe()
    world.listener.statuses = [500, 200, 200]
    for count, text in enumerate(("One", "Two", "Three"), start=1):
        await world.phone().replies(text)
        await world.attempted(count)
    path = f"/webhooks/{webhook['webhook_id']}/logs"
    failed = (await world.http.get(path, params={"min_status": 500})).json()
    page = (await world.http.get(path, params={"limit": 2, "sort": "asc"})).json()

    assert [log["event_body"]["text"] for log in failed["logs"]] == ["One"]
    assert page["pagination"] == {"limit": 2, "offset": 0, "total": 3, "returned": 2, "has_more": True}
    assert page["logs"][0]["response_json"] == {"ok": True}
    assert (await world.http.get("/webhooks/wh_unknown/logs")).status_code == 404


async def test_replaying_from_the_logs(world):
    """A replay repeats the body with its own headers, and a 200 may say that it failed."""
    webhook = await world.subscribe(format="2026-09-01")
    await world.phone().replies("Hi")
    await world.attempted(1)
    path = f"/webhooks/{webhook['webhook_id']}/logs"
    log = (await world.http.get(path)).json()["logs"][0]
    world.listener.statuses = [500]
    replay = await world.http.post(f"{path}/{log['event_id']}/replay")

    first, second = await world.listener.heard(2)
    assert first.raw == second.raw
    assert (second.headers["x-blooio-replay"], second.headers["x-original-event-id"]) == ("true", log["event_id"])
    assert first.headers["x-blooio-delivery"] != second.headers["x-blooio-delivery"]
    assert (replay.status_code, replay.json()["success"], replay.json()["response_status"]) == (200, False, 500)
    logs = (await world.http.get(path)).json()["logs"]
    assert [entry["metadata"]["is_replay"] for entry in logs] == [True, False]


async def test_a_deleted_webhook_is_told_nothing_more(world):
    """Deleting ends retries too."""
    webhook = await world.subscribe()
    world.listener.statuses = [500]
    await world.phone().replies("Hi")
    await world.attempted(1)
    deleted = await world.http.delete(f"/webhooks/{webhook['webhook_id']}")
    world.basics.clock.advance(30)
    again = await world.http.delete(f"/webhooks/{webhook['webhook_id']}")

    assert (deleted.json()["success"], again.status_code) == (True, 404)
    assert len(world.listener.knocks) == 1


async def test_bodies_are_json_in_utf8(world):
    """Text outside ASCII travels as itself, so that whoever parses and dumps before verifying is found out."""
    await world.subscribe()
    await world.phone().replies("Grüße")

    [knock] = await world.listener.heard(1)
    assert "Grüße".encode() in knock.raw
    assert json.dumps(knock.body).encode() != knock.raw
