"""What our texts have attached is fetched by Blooio, and refused where it cannot be."""

import asyncio
import hashlib
import socket

import pytest

from sandbox.blooio import fetching
from sandbox.blooio.seed import JANE, SAM
from tests.contract.blooio_world import running

MEGABYTE = 1024 * 1024
LIMIT = 16 * MEGABYTE
CONTENT = b"\x89PNG\r\n\x1a\n" + b"light" * 100
PHOTO = ("a.png", CONTENT, "image/png")


@pytest.fixture
async def world():
    """Have a conversation that began with text, since none begins with a file."""
    async with running() as world:
        await world.sent()
        yield world


async def ours(world):
    """The last text of ours, as the phone's record has it."""
    return (await world.phone().texts())[-1]


async def settled(world, message_id, status="delivered"):
    """Let a text run its course; returns it."""
    world.basics.clock.advance(2)
    await world.becomes(message_id, status)
    return await ours(world)


async def unused_url():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/a.png"


def fetches(world):
    return [one for one in world.basics.exchanges.kept if one.name.startswith("fetch:")]


async def test_an_attachment_is_fetched_and_seen(world):
    """The phone has the file: its type, size, digest and beginning, and all of it for the page, if it is small."""
    url = await world.phone().offers(*PHOTO)
    text = await settled(world, await world.sent(text="Look", attachments=[{"url": url, "name": "Photo.png"}]))

    [attachment] = text.attachments
    path = attachment.pop("path")
    assert attachment == {
        "url": url,
        "name": "Photo.png",
        "media_type": "image/png",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "beginning": CONTENT[:64].hex(),
        "problem": None,
    }
    assert (await world.http.get(world.url + path)).content == CONTENT


async def test_parts_are_fetched_too(world):
    """A part that is a URL is an attachment, and each is fetched in its turn."""
    urls = [await world.phone().offers(f"{name}.png", CONTENT + name.encode(), "image/png") for name in "ab"]
    text = await settled(world, await world.sent(parts=[{"text": "Look"}, *({"url": url} for url in urls)]))

    assert [one["sha256"] for one in text.attachments] == [
        hashlib.sha256(CONTENT + name).hexdigest() for name in (b"a", b"b")
    ]
    assert [one.raw_path for one in fetches(world)] == urls


async def test_nothing_is_sent_before_it_is_fetched(world):
    """While a file comes slowly the text is queued, however late it is by then."""
    await world.subscribe()
    url = await world.phone().offers("a.bin", size=3, rate=10)
    message_id = await world.sent(text="Look", attachments=[url])
    world.basics.clock.advance(60)
    at_once = await world.status(message_id)
    await world.becomes(message_id, "delivered")

    sent = next(knock.body for knock in await world.listener.heard(4) if knock.body["message_id"] == message_id)
    assert at_once["status"] == "queued"
    assert sent["sent_at"] >= fetches(world)[0].at * 1000


BAD = [
    pytest.param({"status": 404}, "its URL answered 404", id="not there"),
    pytest.param({"status": 410}, "its URL answered 410", id="expired"),
    pytest.param({"html": True}, "its URL answered 502", id="an error page"),
    pytest.param({"redirect": "http://127.0.0.1:1/"}, "its URL answered 302", id="a redirect"),
    pytest.param({"content_length": 9_999}, "the connection failed: ClientPayloadError", id="cut short"),
    pytest.param({"size": LIMIT + 1}, f"it is larger than {LIMIT} bytes", id="too large, as it says"),
    pytest.param({"size": LIMIT + 1, "chunked": True}, f"it is larger than {LIMIT} bytes", id="too large in the end"),
    pytest.param({"endless": True}, f"it is larger than {LIMIT} bytes", id="endless"),
    pytest.param({"size": 0}, "it is empty", id="empty"),
]


def offer(world, served):
    content = b"" if "size" in served else CONTENT
    return world.phone().offers("a.png", content, "image/png", **served)


@pytest.mark.parametrize(("served", "problem"), BAD)
async def test_what_cannot_be_fetched_fails_later(world, served, problem):
    """The text is accepted, and then fails with a code; the phone's record says what was wrong."""
    await world.subscribe()
    message_id = await world.sent(text="Look", attachments=[await offer(world, served)])
    text = await settled(world, message_id, "failed")

    assert (text.error, text.attachments[0]["problem"]) == ("attachment_fetch_failed", problem)
    assert "Look" not in [text.text for text in await world.phone().received(1)]
    await world.until(lambda: "message.failed" in world.listener.events)
    failed = next(knock.body for knock in world.listener.knocks if knock.event == "message.failed")
    assert (failed["message_id"], failed["error_code"]) == (message_id, "attachment_fetch_failed")


@pytest.mark.parametrize(("served", "problem"), BAD)
async def test_what_cannot_be_fetched_may_be_refused(world, served, problem):
    """With the setting, the call itself is a 400 without a code; nothing is sent, and the key is good for another."""
    await world.gateway.becomes(on_bad_attachment="refuse")
    refused = await world.send(key="one", text="Look", attachments=[await offer(world, served)])
    accepted = await world.send(key="one", text="Look", attachments=[await world.phone().offers(*PHOTO)])

    assert (refused.status_code, refused.json().get("code")) == (400, None)
    assert problem in refused.json()["message"]
    assert accepted.status_code == 202
    assert [text.text for text in await world.phone().texts()] == ["Hello", "Look"]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("http://files.example.test/a.png", "only https URLs are fetched", id="plain http"),
        pytest.param("http://10.0.0.1/a.png", "only https URLs are fetched", id="plain http at a private address"),
        pytest.param(None, "the connection failed: ClientConnectorError", id="nobody there"),
    ],
)
async def test_urls_that_lead_nowhere(world, url, problem):
    """A URL must be https and be answered; on this machine plain http will do."""
    text = await settled(world, await world.sent(text="Look", attachments=[url or await unused_url()]), "failed")

    assert (text.error, text.attachments[0]["problem"]) == ("attachment_fetch_failed", problem)


async def test_elsewhere_is_taken_on_trust(world):
    """Nothing leaves this machine: what is at an https URL of elsewhere is sent, and marked as not fetched."""
    text = await settled(world, await world.sent(text="Look", attachments=["https://files.example.test/a.png"]))

    assert text.attachments[0]["problem"] == "not fetched: it is not on this machine"
    assert (text.attachments[0]["size"], fetches(world)) == (None, [])


async def test_a_file_that_never_comes(world, monkeypatch):
    """A fetch gives up after its time."""
    monkeypatch.setattr(fetching, "WITHIN", 0.1)
    url = await world.phone().offers("a.bin", size=1_000, rate=10)
    text = await settled(world, await world.sent(text="Look", attachments=[url]), "failed")

    assert text.attachments[0]["problem"] == "it did not come within 0.1 seconds"


async def test_the_largest_file(world):
    """16 MB are fetched, and not kept."""
    url = await world.phone().offers("film.mp4", media_type="video/mp4", size=LIMIT)
    text = await settled(world, await world.sent(text="Look", attachments=[url]))

    [attachment] = text.attachments
    assert (attachment["size"], attachment["problem"], attachment["path"]) == (LIMIT, None, None)
    assert bytes.fromhex(attachment["beginning"])[4:8] == b"ftyp"


async def test_fetches_are_recorded(world):
    """The record has host and path as the name, the whole URL, and what came of it."""
    good, bad = await world.phone().offers(*PHOTO), await world.phone().offers(*PHOTO, status=404)
    await settled(world, await world.sent(text="One", attachments=[good + "?sig=1"]))
    await settled(world, await world.sent(text="Two", attachments=[bad]), "failed")

    fetched, refused = fetches(world)
    assert (fetched.vendor, fetched.method, fetched.status) == ("blooio", "GET", 200)
    assert (fetched.name, fetched.raw_path) == ("fetch:" + good.removeprefix("http://"), good + "?sig=1")
    assert (fetched.response["size"], fetched.response["problem"]) == (len(CONTENT), None)
    assert (refused.status, refused.response["problem"]) == (404, "its URL answered 404")
    assert "authorization" not in fetched.headers


async def test_head_may_come_first(world):
    """With the setting, a HEAD asks whether a GET is worth while."""
    await world.gateway.becomes(fetch_head_first=True)
    good = await world.phone().offers(*PHOTO)
    large = await world.phone().offers("film.mp4", media_type="video/mp4", size=LIMIT + 1)
    await settled(world, await world.sent(text="One", attachments=[good]))
    await settled(world, await world.sent(text="Two", attachments=[large]), "failed")

    assert [one.method for one in fetches(world)] == ["HEAD", "GET", "HEAD"]


async def test_a_text_is_fetched_for_once(world):
    """A phone that was stuck and is well again makes no second fetch, and a webhook before the answer no other."""
    url = await world.phone().offers(*PHOTO)
    await world.gateway.misbehaves("before_answer")
    first = await world.sent(text="One", attachments=[url])
    await world.phone().becomes(unreachable=True)
    await settled(world, first, "sent")
    await world.phone().becomes(unreachable=False)
    await settled(world, first)

    assert len(fetches(world)) == 1


async def test_the_same_key_while_it_is_fetched(world):
    """A retry during the fetch waits for the first answer, and sends nothing more."""
    await world.gateway.becomes(on_bad_attachment="refuse")
    url = await world.phone().offers("a.bin", size=3, rate=10)
    answers = await asyncio.gather(*(world.send(key="one", text="Look", attachments=[url]) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [202]
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    assert len(fetches(world)) == 1


async def test_cancelling_during_the_fetch(world):
    """A text that was stopped while its file came is stopped, and not failed."""
    await world.gateway.becomes(cancelling=True)
    message_id = await world.sent(text="Look", attachments=[await world.phone().offers("a.bin", size=3, rate=10)])
    await world.http.delete(f"/chats/{JANE}/messages/{message_id}")
    await world.until(lambda: fetches(world))
    text = await settled(world, message_id, "cancelled")

    assert (text.error, text.reached_at) == (None, None)


async def test_files_go_over_sms(world):
    """A phone without iMessage gets files as well."""
    await world.sent(SAM)
    message_id = await world.sent(SAM, attachments=[await world.phone().offers(*PHOTO)])
    world.basics.clock.advance(2)
    text = (await world.phone(SAM).received(2))[-1]

    assert (text.message_id, text.protocol, text.attachments[0]["problem"]) == (message_id, "sms", None)


async def test_a_voice_memo_stands_alone(world):
    """One lone audio file becomes a voice memo, and is refused with text beside it; in company it is a file."""
    voice = await world.phone().offers("note.mp3", b"ID3\x04", "audio/mpeg")
    refused = await world.send(text="Listen", attachments=[voice])
    in_parts = await world.send(parts=[{"text": "Listen"}, {"url": voice}])
    alone = await settled(world, await world.sent(attachments=[voice]))
    in_company = await settled(
        world, await world.sent(text="Listen", attachments=[voice, await world.phone().offers(*PHOTO)])
    )

    for answer in (refused, in_parts):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_content")
    assert (alone.voice_memo, in_company.voice_memo) == (True, False)


@pytest.mark.parametrize("setting", ["fail", "refuse"])
async def test_a_voice_memo_by_another_name(world, setting):
    """A file that turns out to be audio once it is fetched is refused then."""
    await world.gateway.becomes(on_bad_attachment=setting)
    url = await world.phone().offers("note", b"ID3\x04", "audio/mpeg")
    answer = await world.send(text="Listen", attachments=[url])
    if setting == "refuse":
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_content")
    else:
        text = await settled(world, answer.json()["message_id"], "failed")
        assert text.error == "invalid_content"
