"""What is attached to a reply: it is on the phone with its words, or whoever attached it is told why not."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio

from bot.files.links import Link, path_of
from bot.storage.files import signing_key
from sandbox.blooio.driver import Text
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from sandbox.slack.filler import Filler
from tests.acceptance.stage import buttons
from tests.acceptance.talking import Conversation, Talk, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LARGEST = 16 * 2**20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(shared_transport: str, shared_database_url: str) -> AsyncIterator[Talk]:
    """A stage of this module's own, on which the bot has a public address."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people, channels CASCADE")
    async with (
        Sandbox.start() as sandbox,
        talking(sandbox, shared_database_url, transport=shared_transport, public=True) as talk,
    ):
        yield talk


async def attaches(jane: Conversation, *files: tuple[str, Any], text: str = "") -> Message:
    """Ana posts files in somebody's thread."""
    return await jane.ana.uploads(jane.home, files=files, text=text, thread_ts=jane.card.ts)


async def arrives(jane: Conversation, count: int = 2) -> Text:
    """Wait for the last text on the phone, whose files the local Blooio has fetched; return it."""
    return (await jane.phone.received(at_least=count, timeout=15))[-1]


def fetched(text: Text) -> list[tuple[str, int, str]]:
    """What the local Blooio has fetched for a text: name, size and digest of each file."""
    return [(file["name"], file["size"], file["sha256"]) for file in text.attachments]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def is_told(jane: Conversation, words: str) -> None:
    """Wait until Ana alone is told this in the thread, and nothing has left."""

    async def told() -> bool:
        return any(one.ephemeral and words in one.text for one in await jane.sees())

    try:
        await jane.talk.sandbox.until(told)
    except TimeoutError:
        said = [one.text for one in await jane.sees()]
        raise AssertionError(f"expected {words!r}, saw {said}") from None
    assert [one.text for one in await jane.phone.received(at_least=1)] == ["Hi Jane"]


async def test_a_photo_with_words(talk: Talk) -> None:
    """One text with both, byte for byte, marked like any other."""
    jane = await talk.begins("Hi Jane")
    typed = await attaches(jane, ("photo.png", PNG), text="Here it is")
    text = await arrives(jane)
    assert text.text == "Here it is"
    assert fetched(text) == [("photo.png", len(PNG), digest(PNG))]
    assert [file["media_type"] for file in text.attachments] == ["image/png"]
    await jane.is_marked(typed, "white_check_mark")


async def test_a_file_without_words(talk: Talk) -> None:
    """A reply may be a file alone."""
    jane = await talk.begins("Hi Jane")
    typed = await attaches(jane, ("Größe & more.pdf", b"%PDF-1.7\n"))
    text = await arrives(jane)
    assert not text.text
    assert fetched(text) == [("Größe & more.pdf", 9, digest(b"%PDF-1.7\n"))]
    await jane.is_marked(typed, "white_check_mark")


async def test_several_files(talk: Talk) -> None:
    """In one text, in their order."""
    jane = await talk.begins("Hi Jane")
    files = [(f"{number}.txt", f"file {number}".encode()) for number in range(10)]
    await attaches(jane, *files, text="All ten")
    text = await arrives(jane)
    assert fetched(text) == [(name, len(content), digest(content)) for name, content in files]


@pytest.mark.parametrize("head", [False, True], ids=["at once", "asked for with HEAD first"])
async def test_the_largest_file(talk: Talk, *, head: bool) -> None:
    """16 MB go out, whole."""
    await talk.gateway.becomes(fetch_head_first=head)
    jane = await talk.begins("Hi Jane")
    content = Filler(LARGEST, b"\xff\xd8\xff")
    await attaches(jane, ("large.jpg", content), text="Large")
    text = await arrives(jane)
    whole = hashlib.sha256()
    for chunk in content.chunks():
        whole.update(chunk)
    assert fetched(text) == [("large.jpg", LARGEST, whole.hexdigest())]
    await talk.gateway.becomes(fetch_head_first=False)


@pytest.mark.parametrize(
    ("files", "text", "words"),
    [
        pytest.param(
            [("film.mov", Filler(LARGEST + 1))], "Look", "film.mov is larger than 16 MB", id="larger than Blooio takes"
        ),
        pytest.param(
            [(f"{n}.txt", b"x") for n in range(11)], "Look", "One text takes 10 files at most.", id="too many"
        ),
        pytest.param([("song.mp3", b"ID3")], "Listen", "An audio file becomes a voice memo", id="audio with words"),
        pytest.param([("setup.exe", b"MZ")], "Run this", "setup.exe is a program", id="a program"),
    ],
)
async def test_what_cannot_go_is_said_before_anything_is_sent(talk: Talk, files: list, text: str, words: str) -> None:
    """To whoever attached it, and the words do not go without the file."""
    jane = await talk.begins("Hi Jane")
    await attaches(jane, *files, text=text)
    await is_told(jane, words)


async def test_audio_alone_is_a_voice_memo(talk: Talk) -> None:
    """Without words it goes."""
    jane = await talk.begins("Hi Jane")
    await attaches(jane, ("song.mp3", b"ID3\x04\x00"))
    assert (await arrives(jane)).voice_memo


async def test_a_file_that_is_elsewhere(talk: Talk) -> None:
    """Its link can be pasted; the file itself is not Slack's to give."""
    jane = await talk.begins("Hi Jane")
    url = "https://docs.google.com/document/d/1"
    await jane.ana.shares_external_file(jane.home, "Plan", url, text="The plan", thread_ts=jane.card.ts)
    await is_told(jane, "is kept outside of Slack. Paste its link instead.")


async def test_a_repeated_attempt_is_the_same_to_the_letter(talk: Talk) -> None:
    """Blooio fails, and fails again: the third request has the same key, words and addresses."""
    jane = await talk.begins("Hi Jane")
    where = f"POST /chats/{jane.phone.address}/messages"
    await talk.sandbox.order(vendor="blooio", where=where, kind="status", status=500, times=2)
    await attaches(jane, ("photo.png", PNG), text="Here it is")
    assert fetched(await arrives(jane)) == [("photo.png", len(PNG), digest(PNG))]
    calls = await talk.sandbox.exchanges(vendor="blooio", name=where)
    attempts = [one for one in calls if one["body"]["text"] == "Here it is"]
    assert len(attempts) == 3
    assert len({str(one["body"]) for one in attempts}) == 1
    assert len({one["headers"]["idempotency-key"] for one in attempts}) == 1


async def test_an_answer_that_was_lost_is_found_by_its_file(talk: Talk) -> None:
    """A file alone has no words to be found by: it is on the phone once, and its thread knows."""
    jane = await talk.begins("Hi Jane")
    where = f"POST /chats/{jane.phone.address}/messages"
    await talk.sandbox.order(vendor="blooio", where=where, kind="drop_after")
    await talk.sandbox.order(vendor="blooio", where=where, kind="status", status=409, skip=1)
    typed = await attaches(jane, ("photo.png", PNG))
    await arrives(jane)
    await jane.is_marked(typed, "white_check_mark")
    assert len(await jane.phone.received()) == 2


@pytest.mark.parametrize("kind", ["html", "status"])
async def test_slack_does_not_give_the_file_out(talk: Talk, kind: str) -> None:
    """Then nothing is sent, its author reads why below their reply, and another try takes the file along."""
    jane = await talk.begins("Hi Jane")
    status = {"html": 200, "status": 500}[kind]
    await talk.sandbox.order(vendor="slack", where="url_private", kind=kind, status=status)
    typed = await attaches(jane, ("photo.png", PNG), text="Here it is")
    failed = await _failed(
        jane, "Ana Alvarez: “Here it is” 📎 photo.png\n⚠️ Not delivered. Blooio could not fetch the file"
    )
    await jane.is_marked(typed, "warning")
    assert buttons(failed) == ["Try again", "Edit and send"]
    await jane.ben.clicks(failed, "Try again")
    assert fetched(await arrives(jane)) == [("photo.png", len(PNG), digest(PNG))]


async def _failed(jane: Conversation, words: str) -> Message:
    async def shown() -> Message | None:
        return next((one for one in await jane.sees() if one.text.startswith(words)), None)

    try:
        found = await jane.talk.sandbox.until(shown)
    except TimeoutError:
        raise AssertionError(f"expected {words!r}, saw {[one.text for one in await jane.sees()]}") from None
    assert found is not None
    return found


async def test_edit_and_send_takes_the_file_along(talk: Talk) -> None:
    """Other words with the same file; the form names it."""
    jane = await talk.begins("Hi Jane")
    await talk.sandbox.order(vendor="slack", where="url_private", kind="status", status=500)
    await attaches(jane, ("photo.png", PNG))
    failed = await _failed(jane, "Ana Alvarez: 📎 photo.png\n⚠️ Not delivered.")
    await jane.ana.clicks(failed, "Edit and send")
    modal = await talk.sandbox.until(jane.ana.modal)
    assert modal is not None
    assert "📎 photo.png" in modal.text
    await jane.ana.fills("Message", "With words now")
    assert (await jane.ana.submits()).outcome == "closed"
    text = await arrives(jane)
    assert text.text == "With words now"
    assert fetched(text) == [("photo.png", len(PNG), digest(PNG))]


async def test_a_file_that_is_deleted_before_it_goes(talk: Talk) -> None:
    """Its words do not go without it."""
    jane = await talk.begins("Hi Jane")
    await talk.sandbox.order(vendor="slack", where="files.info", kind="latency", seconds=1)
    typed = await attaches(jane, ("photo.png", PNG), text="Here it is")
    await talk.sandbox.until(lambda: _under_way(talk, "files.info"))
    await jane.ana.deletes_file(typed.files[0])
    await _failed(jane, "Ana Alvarez: “Here it is” 📎 photo.png\n⚠️ Not sent. A file that goes with it was deleted")
    assert [one.text for one in await jane.phone.received(at_least=1)] == ["Hi Jane"]


async def _under_way(talk: Talk, name: str) -> bool:
    return bool(await talk.sandbox.under_way(vendor="slack", name=name))


async def test_an_address_is_good_for_what_it_was_made_for(talk: Talk) -> None:
    """A file that nobody may see any more, a forged address and an old one look the same: like nothing."""
    jane = await talk.begins("Hi Jane")
    typed = await attaches(jane, ("photo.png", PNG), text="Here it is")
    url = (await arrives(jane)).attachments[0]["url"]
    key = await signing_key(talk.stage.app.pool)
    old = Link(typed.files[0].id, UUID(int=7), int((datetime.now(UTC) - timedelta(seconds=1)).timestamp()))
    async with httpx.AsyncClient() as http:
        good = await http.get(url)
        assert (good.status_code, good.content) == (200, PNG)
        assert good.headers["content-type"] == "image/png"
        assert good.headers["content-length"] == str(len(PNG))
        assert good.headers["content-disposition"] == "attachment; filename*=UTF-8''photo.png"
        assert good.headers["x-content-type-options"] == "nosniff"
        assert good.headers["cache-control"] == "private, no-store"
        head = await http.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(PNG))
        assert (await http.post(url)).status_code == 405
        for bad in (
            url + "x",
            url.replace("/files/", "/files/A"),
            url.rpartition("/")[0] + "/other.png",
            talk.stage.app.url + path_of(old, "photo.png", key=key),
            talk.stage.app.url + path_of(Link("F0NOTHING", old.delivery_id, 2**32), "photo.png", key=key),
            talk.stage.app.url + "/files/x/y",
        ):
            assert (await http.get(bad)).status_code == 404, bad
        await jane.ana.deletes_file(typed.files[0])
        assert (await http.get(url)).status_code == 404
        assert (await http.head(url)).status_code == 404


async def test_only_slack_gets_our_token(talk: Talk) -> None:
    """Blooio fetches without one, and Slack is asked with it."""
    jane = await talk.begins("Hi Jane")
    await attaches(jane, ("photo.png", PNG), text="Here it is")
    await arrives(jane)
    [*_, asked] = await talk.sandbox.exchanges(vendor="slack", name="url_private")
    assert asked["response"] == {"bytes": len(PNG)}


async def test_whoever_goes_away_ends_it(talk: Talk) -> None:
    """A large file is not read to its end for nobody: Slack is let go, and others get their turn."""
    jane = await talk.begins("Hi Jane")
    await attaches(jane, ("large.jpg", Filler(LARGEST, b"\xff\xd8\xff")), text="Large")
    url = (await arrives(jane)).attachments[0]["url"]
    async with httpx.AsyncClient() as http:
        for _ in range(40):  # more than are served at once
            async with http.stream("GET", url) as response:
                assert response.status_code == 200
                async for _piece in response.aiter_raw():
                    break
        whole = await http.get(url)
    assert len(whole.content) == LARGEST


async def test_no_public_address(shared_transport: str, database_url: str) -> None:
    """Files cannot go, and whoever attaches one is told what an admin can do."""
    async with Sandbox.start() as sandbox, talking(sandbox, database_url, transport=shared_transport) as talk:
        jane = await talk.begins("Hi Jane")
        await attaches(jane, ("photo.png", PNG), text="Here it is")
        await is_told(jane, "Files need the bot's public address. An admin can set PUBLIC_URL.")
