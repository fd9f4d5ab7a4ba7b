"""What people attach to their texts: how Blooio tells of it, and how well or badly it is served."""

import asyncio
import hashlib
import tracemalloc
from contextlib import suppress

import httpx
import pytest

from sandbox.blooio.attachments import made_up
from sandbox.blooio.seed import JANE
from tests.contract.blooio_world import running

PHOTO = ("été 1.png", b"\x89PNG\r\n\x1a\n" + b"light" * 100, "image/png")
NAME, CONTENT, TYPE = PHOTO
MEGABYTE = 1024 * 1024


@pytest.fixture
async def world():
    async with running() as world:
        yield world


@pytest.fixture
async def anybody():
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=30) as http:
        yield http


async def url_of(world, message_id):
    """Where a text's only attachment is."""
    message = (await world.http.get(f"/chats/{JANE}/messages/{message_id}")).json()
    return message["attachments"][0]["url"]


async def exchanges(world, name):
    return [exchange for exchange in world.basics.exchanges.kept if exchange.name == name]


async def test_a_file_is_served_to_anybody(world, anybody):
    """What a person attaches is found at its URL whole, with its type and length, and without a key."""
    message_id = await world.phone().replies("Look", files=[PHOTO])
    answer = await anybody.get(await url_of(world, message_id))

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == (TYPE, str(len(CONTENT)))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param({}, {"url": ..., "name": NAME}, id="objects"),
        pytest.param({"attachments": "strings"}, ..., id="strings"),
        pytest.param(
            {"attachments": "described"},
            {"url": ..., "file_name": NAME, "mime_type": TYPE, "size": len(CONTENT)},
            id="described",
        ),
        pytest.param({"format": "2026-09-01"}, {"url": ..., "name": NAME}, id="objects in the first envelope"),
        pytest.param({"format": "2026-09-01", "attachments": "strings"}, ..., id="strings in the first envelope"),
        pytest.param(
            {"format": "2026-10-01"}, {"url": ..., "media_type": TYPE, "size": len(CONTENT)}, id="the second envelope"
        ),
    ],
)
async def test_webhooks_tell_of_files(world, options, told):
    """Each form and format has its own words for a file; the URL in it is the one that reads show."""
    await world.subscribe(**options)
    message_id = await world.phone().replies(None, files=[PHOTO])
    url = await url_of(world, message_id)

    [knock] = await world.listener.heard(1)
    body = knock.body.get("data", knock.body)
    assert body["attachments"] == [url if told is ... else told | {"url": url}]
    assert body["text"] is None


@pytest.mark.parametrize("form", ["strings", "objects", "described"])
async def test_reads_have_each_form_too(world, form):
    """How reads show attachments is a setting, for lists and single messages alike."""
    await world.gateway.becomes(attachments=form)
    message_id = await world.phone().replies("Look", files=[PHOTO])
    [listed] = (await world.http.get(f"/chats/{JANE}/messages")).json()["messages"]
    read = (await world.http.get(f"/chats/{JANE}/messages/{message_id}")).json()

    [attachment] = listed["attachments"]
    shape = "string" if isinstance(attachment, str) else set(attachment)
    assert read["attachments"] == listed["attachments"]
    assert (
        shape
        == {"strings": "string", "objects": {"url", "name"}, "described": {"url", "file_name", "mime_type", "size"}}[
            form
        ]
    )


async def test_files_and_urls_together(world):
    """A text can carry files of the sandbox and URLs that lead anywhere, in the order given."""
    elsewhere = "http://169.254.169.254/latest"
    await world.phone().replies(
        "Look", attachments=[elsewhere], files=[PHOTO, ("b.pdf", b"%PDF-1.7", "application/pdf")]
    )

    attachments = (await world.phone().texts())[0].attachments
    assert [attachment["name"] for attachment in attachments] == [None, NAME, "b.pdf"]
    assert attachments[0]["url"] == elsewhere


async def test_a_large_file_costs_nothing(world, anybody):
    """100 MB are made up while they are served, always the same and never all at once."""
    url = await world.phone().offers("film.mp4", media_type="video/mp4", size=100 * MEGABYTE)
    received, digest = 0, hashlib.sha256()
    tracemalloc.start()
    async with anybody.stream("GET", url) as answer:
        async for block in answer.aiter_raw():
            received += len(block)
            digest.update(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    expected = hashlib.sha256()
    for block in made_up(100 * MEGABYTE, "video/mp4"):
        expected.update(block)
    assert (received, digest.digest()) == (100 * MEGABYTE, expected.digest())
    assert peak < 5 * MEGABYTE


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/gif", "application/pdf", "video/mp4", "x/y"])
@pytest.mark.parametrize("size", [0, 3, 5_000, 200_000])
def test_made_up_files_have_their_size(media_type, size):
    """However small or large, and whatever it begins with."""
    assert sum(map(len, made_up(size, media_type))) == size


@pytest.mark.parametrize(
    ("served", "status", "content_type"),
    [
        pytest.param({"status": 404}, 404, "text/plain; charset=utf-8", id="not there"),
        pytest.param({"status": 410}, 410, "text/plain; charset=utf-8", id="gone"),
        pytest.param({"html": True}, 502, "text/html; charset=utf-8", id="an error page"),
        pytest.param({"html": True, "status": 503}, 503, "text/html; charset=utf-8", id="another error page"),
        pytest.param(
            {"html": True, "status": 200}, 200, "text/html; charset=utf-8", id="a page as if it were the file"
        ),
        pytest.param({"content_type": "text/html"}, 200, "text/html", id="a wrong type"),
        pytest.param({"content_type": ""}, 200, None, id="no type"),
    ],
)
async def test_a_file_that_is_served_badly(world, anybody, served, status, content_type):
    """Whatever was ordered comes in the file's place."""
    answer = await anybody.get(await world.phone().offers(*PHOTO, **served))

    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, content_type)
    assert (answer.content == CONTENT) is ("content_type" in served)


async def test_a_redirect(world, anybody):
    """A file may be said to be anywhere else."""
    answer = await anybody.get(await world.phone().offers(*PHOTO, redirect="http://10.0.0.1/x"))

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://10.0.0.1/x")


async def test_without_a_length(world, anybody):
    """A chunked file comes whole."""
    answer = await anybody.get(await world.phone().offers(*PHOTO, chunked=True))

    assert "Content-Length" not in answer.headers
    assert answer.content == CONTENT


async def test_fewer_bytes_than_promised(world, anybody):
    """A file that ends too early breaks the connection."""
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        await anybody.get(await world.phone().offers(*PHOTO, content_length=len(CONTENT) + 1))


async def test_more_bytes_than_promised(world):
    """What follows the promised length is on the wire, and is not taken for the next answer."""
    url = httpx.URL(await world.phone().offers("a.bin", b"12345678", content_length=4))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET " + url.raw_path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()

    assert b"content-length: 4" in head.lower()
    assert body == b"12345678"


async def test_more_bytes_than_announced(world, anybody):
    """What Blooio says of a file's size is not what comes."""
    await world.subscribe(format="2026-10-01")
    url = await world.phone().offers(*PHOTO, announced=10)
    await world.phone().replies("Look", attachments=[url])

    [knock] = await world.listener.heard(1)
    assert knock.body["data"]["attachments"][0]["size"] == 10
    assert len((await anybody.get(url)).content) == len(CONTENT)


async def test_an_endless_file(world, anybody):
    """It goes on for as long as anybody reads, and stops when nobody does."""
    url = await world.phone().offers(*PHOTO, endless=True)
    async with anybody.stream("GET", url) as answer:
        received = 0
        async for block in answer.aiter_raw():
            received += len(block)
            if received > 50 * len(CONTENT):
                break

    await world.until(lambda: any(one.name == f"file:{NAME}" for one in world.basics.exchanges.kept))


async def test_a_trickle(world):
    """A slow file outlasts a reader's patience, and has begun by then."""
    url = await world.phone().offers("a.bin", size=1_000, rate=10)
    began = 0
    async with httpx.AsyncClient(verify=False, trust_env=False) as http, http.stream("GET", url) as answer:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                async for block in answer.aiter_raw():
                    began += len(block)

    assert 1 <= began < 100


async def test_a_url_expires(world, anybody):
    """After its lifetime on the sandbox's clock, a file is gone."""
    url = await world.phone().offers(*PHOTO, lifetime=60)
    before = await anybody.get(url)
    world.basics.clock.advance(60)

    assert (before.status_code, (await anybody.get(url)).status_code) == (200, 410)


async def test_a_file_recovers(world, anybody):
    """Trouble that was ordered so many times is over after those."""
    url = await world.phone().offers(*PHOTO, status=503, times=2)

    assert [(await anybody.get(url)).status_code for _ in range(3)] == [503, 503, 200]


async def test_a_head_has_no_body(world, anybody):
    """A HEAD learns type and length."""
    answer = await anybody.head(await world.phone().offers(*PHOTO))

    assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == (TYPE, str(len(CONTENT)))
    assert answer.content == b""


async def test_requests_for_files_are_recorded(world, anybody):
    """The record says what was given, and whether a key came along that has no business there."""
    url = await world.phone().offers(*PHOTO)
    await anybody.get(url)
    await anybody.get(url, headers={"Authorization": "Bearer bl_sandbox"})

    plain, with_key = await exchanges(world, f"file:{NAME}")
    assert (plain.vendor, plain.status, plain.response) == ("blooio", 200, {"bytes": len(CONTENT)})
    assert (plain.body, with_key.body) == ({"has_key": False}, {"has_key": True})
    assert "bl_sandbox" not in str(with_key)


async def test_the_page_is_given_what_is_small(world, anybody):
    """A small file has a path of its own for the page, which gets pictures as such and nothing that runs."""
    page = ("evil.html", b"<script>alert(1)</script>", "text/html")
    await world.phone().replies("Look", files=[PHOTO, page])
    await world.phone().replies(None, attachments=[await world.phone().offers("film.mp4", size=MEGABYTE)])

    small, large = await world.phone().texts()
    picture, html = [await anybody.get(world.url + one["path"]) for one in small.attachments]
    assert (picture.content, picture.headers["Content-Type"]) == (CONTENT, TYPE)
    assert html.headers["Content-Type"] == "application/octet-stream"
    assert large.attachments[0]["path"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/blooio/files/file_unknown/a.png",
        "/_sandbox/blooio/attachments/msg_unknown/0",
        "/_sandbox/blooio/attachments/{message}/1",
        "/_sandbox/blooio/attachments/{message}/x",
    ],
)
async def test_what_is_not_there(world, anybody, path):
    """Unknown files are 404s."""
    message = await world.phone().replies("Look", files=[PHOTO])

    assert (await anybody.get(world.url + path.format(message=message))).status_code == 404


async def test_a_voice_memo(world):
    """A lone audio file is a voice memo, and one with words or company is a file."""
    voice = ("note.m4a", b"\0", "audio/mp4")
    for text, files in ((None, [voice]), ("Listen", [voice]), (None, [voice, PHOTO]), (None, [PHOTO])):
        await world.phone().replies(text, files=files)

    assert [text.voice_memo for text in await world.phone().texts()] == [True, False, False, False]


@pytest.mark.parametrize(
    ("query", "content", "words"),
    [
        pytest.param({"colour": "blue"}, b"x", "a file has no 'colour'", id="an unknown property"),
        pytest.param({"status": "bad"}, b"x", "status cannot be 'bad'", id="a word for a number"),
        pytest.param({"html": "1"}, b"x", "html cannot be '1'", id="a number for a switch"),
        pytest.param({"size": "7"}, b"x", "either content or a size", id="content and a size"),
        pytest.param({"size": "much"}, b"", "size must be a number", id="a size that is none"),
        pytest.param({"endless": "true"}, b"", "only if there is something in it", id="endless nothing"),
        pytest.param({}, b"x" * (20 * MEGABYTE + 1), "20971520 bytes at most", id="a file too large to keep"),
    ],
)
async def test_mistakes_are_told_in_words(world, query, content, words):
    """A file that cannot be served is refused."""
    answer = await world.http.post(f"{world.url}/_sandbox/phones/{JANE}/files", params=query, content=content)

    assert answer.status_code == 400
    assert words in answer.json()["error"]
