"""What people send from their phones: it is in the thread, or the line below their words says why not."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.stage import buttons, over_one_transport
from tests.acceptance.talking import Conversation, Talk, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
MB = 2**20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(shared_transport: str, shared_database_url: str) -> AsyncIterator[Talk]:
    """A stage of this module's own, on which files of more than 2 MB are too large."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people, channels CASCADE")
    async with (
        Sandbox.start() as sandbox,
        talking(sandbox, shared_database_url, transport=shared_transport, MAX_FILE_MB="2") as talk,
    ):
        yield talk


async def files_of(conversation: Conversation, *names: str) -> list[Message]:
    """Wait until the messages of the thread that have files have these, in this order; return them."""

    async def there() -> list[Message] | None:
        seen = [one for one in await conversation.sees() if one.files]
        return seen if [file.name for one in seen for file in one.files] == list(names) else None

    try:
        return await conversation.talk.sandbox.until(there)
    except TimeoutError:
        seen = [(one.text, [file.name for file in one.files]) for one in await conversation.sees()]
        raise AssertionError(f"expected {names}, saw {seen}") from None


async def test_a_photo(talk: Talk) -> None:
    """It stands in the thread below its text, byte for byte, and the text names it."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies("Look!", files=[("photo.png", PNG, "image/png")])
    [shared] = await files_of(jane, "photo.png")
    assert shared.files[0].mimetype == "image/png"
    assert await jane.ana.downloads(shared.files[0]) == PNG
    await says(jane, "Look!\n📎 photo.png")
    await jane.shows("Hi Jane", "Look!", "photo.png")


@over_one_transport
async def test_a_file_alone(talk: Talk) -> None:
    """A text without words is a line that names the file, and the file."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies(None, files=[("photo.png", PNG, "image/png")])
    await files_of(jane, "photo.png")
    await says(jane, "📎 photo.png")
    await jane.shows("Hi Jane", "📎 photo.png", "photo.png")


@over_one_transport
async def test_several_files_are_one_message(talk: Talk) -> None:
    """A thread is no place for a message each."""
    jane = await talk.begins("Hi Jane")
    files = [
        ("one.png", PNG, "image/png"),
        ("two.pdf", b"%PDF-1.7\n two", "application/pdf"),
        ("3.txt", b"3", "text/plain"),
    ]
    await jane.phone.replies("All three", files=files)
    [shared] = await files_of(jane, "one.png", "two.pdf", "3.txt")
    assert [await jane.ana.downloads(file) for file in shared.files] == [content for _, content, _ in files]
    await says(jane, "All three\n📎 one.png\n📎 two.pdf\n📎 3.txt")


@pytest.mark.parametrize(
    ("name", "served", "problem"),
    [
        pytest.param("big.jpg", {"size": 2 * MB + 1}, "could not be fetched: it is larger than 2 MB.", id="too large"),
        pytest.param(
            "big.jpg",
            {"size": 3 * MB, "chunked": True},
            "could not be fetched: it is larger than 2 MB.",
            id="too large, which nobody said",
        ),
        pytest.param(
            "big.jpg",
            {"size": 1000, "endless": True},
            "could not be fetched: it is larger than 2 MB.",
            id="it never ends",
        ),
        pytest.param(
            "old.jpg", {"size": 9, "lifetime": 0}, "could not be fetched: its link has expired.", id="expired"
        ),
        pytest.param("no.jpg", {"size": 9, "status": 404}, "could not be fetched: its link has expired.", id="gone"),
        pytest.param(
            "away.jpg",
            {"size": 9, "redirect": "https://files.example.com/a.jpg"},
            "could not be fetched: its link leads where files are not fetched from.",
            id="redirected to another host",
        ),
        pytest.param(
            "away.jpg",
            {"size": 9, "redirect": "http://169.254.169.254/latest/meta-data/"},
            "could not be fetched: its link leads where files are not fetched from.",
            id="redirected to the cloud's own",
        ),
        pytest.param("none.jpg", {"size": 0}, "could not be fetched: it is empty.", id="empty"),
        pytest.param(
            "page.jpg",
            {"size": 9, "content_type": "text/html"},
            "could not be fetched: files of this kind are not taken.",
            id="a page in its place",
        ),
    ],
)
@over_one_transport
async def test_a_file_that_cannot_be_had(talk: Talk, name: str, served: dict, problem: str) -> None:
    """The line below the words says why, once, and nothing is shared."""
    jane = await talk.begins("Hi Jane")
    url = await jane.phone.offers(name, media_type="image/jpeg", **served)
    await jane.phone.replies("Here", attachments=[url])
    await says(jane, f"Here\n📎 {name} {problem}")
    assert not any(one.files for one in await jane.sees())


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("page.html", b"<html></html>", "text/html"),
        ("drawing.svg", b"<svg/>", "image/svg+xml"),
        ("setup.exe", b"MZ", "application/octet-stream"),
        ("photo.jpg", b"<!DOCTYPE html><script>", "image/jpeg"),
        ("photo.jpg", b"MZ\x90", "image/jpeg"),
        ("unknown", b"abc", "application/octet-stream"),
    ],
)
@over_one_transport
async def test_kinds_that_are_not_taken(talk: Talk, name: str, content: bytes, media_type: str) -> None:
    """Pages and programs, whatever they are called or said to be."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies("Open this", files=[(name, content, media_type)])
    await says(jane, f"Open this\n📎 {name} could not be fetched: files of this kind are not taken.")
    assert not any(one.files for one in await jane.sees())


@over_one_transport
async def test_no_link_leads_into_our_network(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody there is even connected to: a server of this machine, other than Blooio's, hears nothing."""
    heard: list[str] = []

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append("a connection")
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    jane = await talk.begins("Hi Jane")
    hosts = [f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"2130706433:{port}", f"user@127.0.0.1:{port}"]
    links = [f"{scheme}://{host}/a.jpg" for scheme in ("http", "https") for host in hosts]
    links += ["https://169.254.169.254/a.jpg", "https://10.0.0.1/a.jpg", "http://127.0.0.1/a.jpg"]
    async with server:
        for link in links:
            await jane.phone.replies(None, attachments=[link])
        await jane.talk.sandbox.until(lambda: _refused(jane, len(links)), timeout=20)
    assert heard == []
    assert "10.0.0.1" not in caplog.text


async def _refused(jane: Conversation, count: int) -> bool:
    texts = [one.text for one in await jane.sees()]
    return sum("leads where files are not fetched from." in text for text in texts) == count


@over_one_transport
async def test_a_name_is_only_a_name(talk: Talk) -> None:
    """It mentions nobody, formats nothing, and ends as what it is does."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies(None, files=[("<!channel> *x* ../evil.exe", PNG, "image/png")])
    [shared] = await files_of(jane, "evil.exe.png")
    await says(jane, "📎 evil.exe.png")
    assert [one.mentions for one in await jane.sees()] == [[], [], []]
    assert shared.files[0].mimetype == "image/png"


@over_one_transport
async def test_what_is_in_the_way_for_a_moment_is_tried_again(talk: Talk) -> None:
    """The line says that it is being fetched, until it is."""
    jane = await talk.begins("Hi Jane")
    url = await jane.phone.offers("photo.png", PNG, "image/png", status=503, times=1)
    await jane.phone.replies("Soon", attachments=[url])
    await says(jane, "Soon\n📎 photo.png · fetching …")
    await files_of(jane, "photo.png")
    await says(jane, "Soon\n📎 photo.png")


async def test_try_again(talk: Talk) -> None:
    """What somebody has seen to meanwhile: a click fetches it, and two fetch it once."""
    jane = await talk.begins("Hi Jane")
    full = {"ok": False, "error": "storage_limit_reached"}
    await talk.sandbox.order(
        vendor="slack", where="files.getUploadURLExternal", kind="status", status=200, body=full, times=1
    )
    await jane.phone.replies("Look", files=[("photo.png", PNG, "image/png")])
    text = await says(jane, "Look\n📎 photo.png could not be shared: this workspace's storage is full.\n[Try again]")
    assert buttons(text) == ["Try again"]
    await asyncio.gather(jane.ana.clicks(text, "Try again"), jane.ben.clicks(text, "Try again"))
    await files_of(jane, "photo.png")
    await says(jane, "Look\n📎 photo.png")


@pytest.mark.parametrize(
    "where", ["files.getUploadURLExternal", "upload_url", "files.completeUploadExternal", "files.info"]
)
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "broken_json", "status", "html"])
@over_one_transport
async def test_slack_in_trouble(talk: Talk, where: str, kind: str) -> None:
    """Whatever step goes wrong, before or after its effect: the file is in the thread in the end, once."""
    jane = await talk.begins("Hi Jane")
    details = {"status": 500} if kind in {"status", "html"} else {}
    await talk.sandbox.order(vendor="slack", where=where, kind=kind, **details)
    if where == "files.info":  # asked only after a sharing without an answer
        await talk.sandbox.order(vendor="slack", where="files.completeUploadExternal", kind="drop_after")
    await jane.phone.replies("Look", files=[("photo.png", PNG, "image/png")])
    await files_of(jane, "photo.png")
    await says(jane, "Look\n📎 photo.png")
    await files_of(jane, "photo.png")
    await talk.sandbox.calm()


@over_one_transport
async def test_slack_is_busy(talk: Talk) -> None:
    """It is shared when Slack says so."""
    jane = await talk.begins("Hi Jane")
    await talk.sandbox.order(
        vendor="slack", where="files.completeUploadExternal", kind="status", status=429, retry_after=1
    )
    await jane.phone.replies("Look", files=[("photo.png", PNG, "image/png")])
    await files_of(jane, "photo.png")
    await says(jane, "Look\n📎 photo.png")


@over_one_transport
async def test_a_slow_file_holds_up_nothing(talk: Talk) -> None:
    """While it trickles, what they write appears and what is typed arrives."""
    jane = await talk.begins("Hi Jane")
    links = [
        await jane.phone.offers(f"{number}.png", size=MB, media_type="image/png", rate=1000) for number in range(10)
    ]
    for link in links:
        await jane.phone.replies(None, attachments=[link])
    await jane.phone.replies("Did you get them?")
    await jane.types("They are on their way")
    await jane.received("Hi Jane", "They are on their way")
    await talk.sandbox.until(lambda: _wrote(jane, "Did you get them?"))


async def _wrote(jane: Conversation, words: str) -> bool:
    return any(one.text == words for one in await jane.sees())


async def says(conversation: Conversation, words: str) -> Message:
    """Wait until a message of the thread reads like this; return it."""

    async def said() -> Message | None:
        return next((one for one in await conversation.sees() if one.text == words), None)

    try:
        return await conversation.talk.sandbox.until(said, timeout=20)
    except TimeoutError:
        raise AssertionError(f"expected {words!r}, saw {[one.text for one in await conversation.sees()]}") from None
