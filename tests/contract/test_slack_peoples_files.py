"""People's files: several in a message, large ones, those kept elsewhere, hidden or of another workspace; events."""

import hashlib
import tracemalloc
from dataclasses import replace

import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.filler import Filler
from sandbox.slack.seed import ANA, BOT_USER_ID, EVE, GLOBEX
from tests.contract.slack_fixtures import APP, answering, plain_http
from tests.contract.test_slack_events import Listening
from tests.contract.test_slack_files import APP_WITH_FILES, PNG, processed, with_bot_token
from tests.contract.test_slack_web_api import SUPPORT, refusal

DOCUMENT = "https://docs.google.com/document/d/1x/edit"
LARGE = Filler(24_000_001, beginning=PNG)


@pytest.fixture
async def sandbox():
    events = APP.bot_events | {"file_shared", "file_deleted"}
    async with Sandbox.start(replace(APP_WITH_FILES, bot_events=events)) as started:
        yield started


@pytest.fixture
async def http(sandbox):
    async with plain_http(sandbox.url) as client:
        yield client


async def info(client, file):
    return (await client.files_info(file=file.id))["file"]


async def test_several_files_come_in_one_message(sandbox, ana):
    """The message event has all of them; each has a `file_shared` of its own, which is an id and no more."""
    parent = await ana.posts("#support", "parent")
    async with answering(sandbox) as requests:
        message = await ana.uploads(
            "#support", files=[("cat.png", PNG), ("notes.txt", b"hello")], text="Both", thread_ts=parent.ts
        )
        events = await Listening(sandbox, requests).events(3)
    told = {event["type"]: event for event in events}
    assert [file["name"] for file in told["message"]["files"]] == ["cat.png", "notes.txt"]
    assert (message.text, message.thread_ts) == ("Both\ncat.png\nnotes.txt", parent.ts)
    shared = [event for event in events if event["type"] == "file_shared"]
    assert [event.pop("event_ts") for event in shared] != []
    assert shared == [
        {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": ANA.id,
            "file": {"id": file.id},
            "channel_id": SUPPORT,
        }
        for file in message.files
    ]


async def test_files_info_says_everything(client, ana):
    """What a download needs to know is there, and where the file was shared, thread included."""
    parent = await ana.posts("#support", "parent")
    message = await ana.uploads("#support", "cat.png", PNG, thread_ts=parent.ts)
    file = await info(client, message.files[0])
    assert (file["name"], file["title"], file["mimetype"], file["filetype"]) == (
        "cat.png",
        "cat.png",
        "image/png",
        "png",
    )
    assert (file["size"], file["mode"], file["is_external"], file["file_access"]) == (
        len(PNG),
        "hosted",
        False,
        "visible",
    )
    [share] = file["shares"]["public"][SUPPORT]
    assert (share["ts"], share["thread_ts"]) == (message.ts, parent.ts)
    assert file["url_private_download"].endswith(f"-{file['id']}/download/cat.png")


async def test_the_app_hears_of_its_own_files_too(sandbox, client, ana):
    """Sharing and deleting a file of its own are events; of files it cannot see there is none."""
    async with answering(sandbox) as requests:
        listening = Listening(sandbox, requests)
        completed = await client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt")
        events = await listening.events(2)
        assert [(event["type"], event.get("user_id")) for event in events] == [
            ("message", None),
            ("file_shared", BOT_USER_ID),
        ]
        await client.files_delete(file=completed["file"]["id"])
        secret = (await ana.uploads("#vip", "plan.txt", b"secret")).files[0]
        await ana.deletes_file(secret)
        changed, deleted = await listening.events(2)
    assert (changed["subtype"], changed["message"]["files"][0]["mode"]) == ("message_changed", "tombstone")
    assert (deleted["type"], deleted["file_id"]) == ("file_deleted", completed["file"]["id"])


async def test_a_person_deletes_a_file_of_her_own(sandbox, client, ana):
    """Its message keeps a tombstone, the app is told of both, and nobody else can delete it."""
    message = await ana.uploads("#support", "cat.png", PNG, text="Look")
    async with answering(sandbox) as requests:
        with pytest.raises(Refused, match="their own files"):
            await sandbox.person("ben").deletes_file(message.files[0])
        await ana.deletes_file(message.files[0])
        changed, deleted = await Listening(sandbox, requests).events(2)
    assert changed["message"]["files"] == [{"id": message.files[0].id, "mode": "tombstone"}]
    assert (deleted["type"], deleted["file_id"]) == ("file_deleted", message.files[0].id)
    assert await refusal(client.files_info(file=message.files[0].id)) == "file_deleted"


async def test_file_events_need_their_scope():
    """Without files:read the app that subscribed hears of the message alone."""
    manifest = replace(APP, bot_events=APP.bot_events | {"file_shared"})
    async with Sandbox.start(manifest) as sandbox, answering(sandbox) as requests:
        await sandbox.person("ana").uploads("#support", "cat.png", PNG)
        await sandbox.person("ana").posts("#support", "after")
        events = await Listening(sandbox, requests).events(2)
    assert [event["type"] for event in events] == ["message", "message"]


# Large files


async def test_a_large_file_costs_nothing_but_the_way(sandbox, client, http, ana):
    """Bytes are made as they are read: 24 MB come whole, with their length, and in a memory of a few megabytes."""
    [seen] = (await ana.uploads("#support", "film.png", LARGE)).files
    file = await info(client, seen)
    assert (file["size"], file["mimetype"], seen.size) == (24_000_001, "image/png", 24_000_001)
    tracemalloc.start()
    digest, count, largest = hashlib.sha256(), 0, 0
    async with http.stream("GET", file["url_private_download"], headers=with_bot_token()) as response:
        assert response.headers["content-length"] == "24000001"
        assert response.headers["content-type"] == "image/png"
        async for chunk in response.aiter_raw():
            digest.update(chunk)
            count, largest = count + len(chunk), max(largest, len(chunk))
    wanted = hashlib.sha256()
    for chunk in LARGE.chunks():
        wanted.update(chunk)
    assert (count, digest.digest()) == (24_000_001, wanted.digest())
    _, peak = tracemalloc.get_traced_memory()  # bytes, of the sandbox and of this client
    tracemalloc.stop()
    assert peak < 4_000_000
    [exchange] = await sandbox.exchanges(name="url_private")
    assert exchange["response"] == {"bytes": 24_000_001}


async def test_a_head_request_tells_the_length(client, http, ana):
    """Whoever asks for the headers alone gets no bytes."""
    [seen] = (await ana.uploads("#support", "film.bin", Filler(5_000_000))).files
    answer = await http.head((await info(client, seen))["url_private_download"], headers=with_bot_token())
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "5000000", b"")


@pytest.mark.parametrize(
    ("content", "mimetype"),
    [
        pytest.param(Filler(3, b"%PDF-1.7"), "application/pdf", id="shorter than its beginning"),
        pytest.param(Filler(1_000_000, b"%PDF-1.7"), "application/pdf", id="longer"),
    ],
)
async def test_a_made_file_is_as_long_as_it_says(client, http, ana, content, mimetype):
    """Its bytes are the beginning, cut or filled up."""
    [seen] = (await ana.uploads("#support", "paper.pdf", content)).files
    file = await info(client, seen)
    got = (await http.get(file["url_private"], headers=with_bot_token())).content
    assert (len(got), file["mimetype"]) == (content.size, mimetype)
    assert got == b"".join(content.chunks())
    assert got.startswith(b"%PDF-1.7"[: content.size])
    assert await ana.downloads(seen) == got


async def test_nobody_uploads_more_than_slack_takes(ana):
    """A gigabyte is the end."""
    with pytest.raises(Refused, match="1073741824 bytes at most"):
        await ana.uploads("#support", "all.bin", Filler(1024**3 + 1))


# Files that cannot be had


async def test_a_file_that_is_kept_elsewhere_says_where(client, http, ana):
    """Its private URL is the other service's; Slack has nothing of it to give."""
    message = await ana.shares_external_file("#support", "Plan", DOCUMENT, text="Here")
    [seen] = message.files
    file = await info(client, seen)
    assert (file["mode"], file["is_external"], file["external_type"]) == ("external", True, "gdrive")
    assert (file["url_private"], file["size"]) == (DOCUMENT, 0)
    assert "url_private_download" not in file
    [stored] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert (stored["subtype"], stored["files"][0]["is_external"]) == ("file_share", True)
    guessed = f"/slack/files-pri/T0ACMEHQ001-{file['id']}/download/plan"
    assert b"Sign in" in (await http.get(guessed, headers=with_bot_token())).content
    assert (message.text, seen.raw["external_url"]) == ("Here\nPlan", DOCUMENT)
    assert (await http.get(seen.raw["path"])).headers["location"] == DOCUMENT
    with pytest.raises(Refused, match="an https address"):
        await ana.shares_external_file("#support", "Plan", "http://docs.google.com/x")


@pytest.mark.parametrize(
    ("url", "kept_by"),
    [("https://www.dropbox.com/s/x", "dropbox"), ("https://files.elsewhere.example/x", "unknown")],
)
async def test_slack_knows_some_services(client, ana, url, kept_by):
    """A service is told by its address."""
    [seen] = (await ana.shares_external_file("#support", "Plan", url)).files
    assert (await info(client, seen))["external_type"] == kept_by


async def test_a_hidden_file_is_an_id_and_a_mode(sandbox, client, http, ana):
    """A free plan hides what is old: message and files.info say so, and its URLs give nothing."""
    message = await ana.uploads("#support", "cat.png", PNG)
    private = (await info(client, message.files[0]))["url_private_download"]
    await sandbox.hides_file(message.files[0])
    [stored] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert stored["files"] == [{"id": message.files[0].id, "mode": "hidden_by_limit"}]
    assert (await info(client, message.files[0]))["mode"] == "hidden_by_limit"
    assert (await http.get(private, headers=with_bot_token())).status_code == 404
    [seen] = await ana.sees("#support")
    assert seen.files[0].title == "This file is hidden: it is older than the plan shows."
    with pytest.raises(Refused, match="no such file"):
        await ana.downloads(seen.files[0])


async def test_a_file_from_elsewhere_has_to_be_asked_for(sandbox, client, http):
    """Of a file of another workspace's person the message has an id; files.info has the rest, under that team's URL."""
    async with answering(sandbox) as requests:
        message = await sandbox.person("eve").uploads("#globex", "cat.png", PNG, text="Ours")
        first, _ = await Listening(sandbox, requests).events(2)
    [file] = first["files"]
    assert (file["id"], file["mode"], file["file_access"]) == (message.files[0].id, "file_access", "check_file_info")
    assert file.keys().isdisjoint({"url_private", "url_private_download", "name", "mimetype"})
    assert (first["user"], first["user_team"]) == (EVE.id, GLOBEX.id)
    whole = await info(client, message.files[0])
    assert (whole["file_access"], whole["user_team"], whole["name"]) == ("visible", GLOBEX.id, "cat.png")
    assert f"/{GLOBEX.id}-" in whole["url_private_download"]
    assert (await http.get(whole["url_private_download"], headers=with_bot_token())).content == PNG


async def test_a_file_of_ones_own_in_a_shared_channel_is_whole(sandbox, client):
    """People of this workspace share with all that there is to know."""
    await sandbox.person("ben").uploads("#globex", "cat.png", PNG)
    [stored] = (await client.conversations_history(channel="C0GLOBEX001"))["messages"]
    assert stored["files"][0]["file_access"] == "visible"


async def test_shares_come_after_the_answer_in_threads_too(sandbox, client, ana):
    """The app's own file in a thread: `shares` is empty at first, and names the thread once it is there."""
    parent = await ana.posts("#support", "parent")
    await sandbox.order(vendor="slack", where="process:files", kind="latency", seconds=60)
    upload = client.files_upload_v2(channel=SUPPORT, content=PNG, filename="cat.png", thread_ts=parent.ts)
    completed = (await upload)["file"]
    assert completed["shares"] == {}
    await sandbox.advance(60)
    file = await processed(sandbox, client, completed["id"])
    [share] = file["shares"]["public"][SUPPORT]
    assert share["thread_ts"] == parent.ts
    [reply] = await ana.sees_thread("#support", parent.ts)
    assert (reply.ts, reply.files[0].name) == (share["ts"], "cat.png")
