"""Files in the local Slack: uploaded by the app or by people, shared, shown, downloaded and deleted."""

import json
from dataclasses import replace

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.files import LIFETIME, MOST_BYTES
from sandbox.slack.seed import ANA, APP_TOKEN, BOT_TOKEN, BOT_USER_ID
from tests.contract.slack_fixtures import APP, answering, client_of, over_sockets, plain_http, use
from tests.contract.test_slack_web_api import DESK, GENERAL, OLD, RANDOM, SUPPORT, VIP, refusal

APP_WITH_FILES = replace(APP, scopes=(*APP.scopes, "files:read", "files:write"))
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cf00000003000100018d3a3a000000000049454e44ae426082"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
async def sandbox():
    async with Sandbox.start(APP_WITH_FILES) as started:
        yield started


@pytest.fixture
async def http(sandbox):
    async with plain_http(sandbox.url) as client:
        yield client


@pytest.fixture
def ana(sandbox):
    return sandbox.person("ana")


async def announced(client, name="notes.txt", length=5, **more):
    """Ask for an upload URL; return it with the id of the file to be."""
    answer = await client.files_getUploadURLExternal(filename=name, length=length, **more)
    return answer["upload_url"], answer["file_id"]


async def sent(client, http, content=b"hello", name="notes.txt", **more):
    """Announce and send a file, and leave it there; return its id."""
    url, file_id = await announced(client, name, len(content), **more)
    assert (await http.post(url, content=content)).status_code == 200
    return file_id


async def processed(sandbox, client, file_id):
    """Wait until Slack has looked into a file; return what files.info says."""

    async def known():
        file = (await client.files_info(file=file_id))["file"]
        return file if file["mimetype"] else None

    return await sandbox.until(known)


async def shared(sandbox, person, where="#support"):
    """Wait for the one message with files that a person sees, and return it."""

    async def with_files():
        return [one for one in await person.sees_all(where) if one.files]

    [message] = await sandbox.until(with_files)
    return message


def with_bot_token(token=BOT_TOKEN):
    return {"Authorization": f"Bearer {token}"}


# Uploading


async def test_slacks_own_client_uploads_and_shares(sandbox, client, ana):
    """files_upload_v2 puts a file into a channel, as a message with the comment and the file's title."""
    answer = await client.files_upload_v2(
        channel=SUPPORT, content=PNG, filename="cat.png", title="A cat", alt_txt="A grey cat", initial_comment="Look!"
    )
    message = await shared(sandbox, ana)
    [file] = message.files
    assert (message.author, message.text, message.thread_ts) == ("Texting", "Look!\nA cat", None)
    assert (file.id, file.name, file.title) == (answer["file"]["id"], "cat.png", "A cat")
    assert (file.mimetype, file.size, file.alt_text) == ("image/png", len(PNG), "A grey cat")
    assert await ana.downloads(file) == PNG


async def test_the_answer_comes_before_the_processing_and_the_sharing(sandbox, client, ana):
    """Completing tells neither type nor shares; files.info does once the message is there."""
    await sandbox.order(vendor="slack", where="process:files", kind="latency", seconds=60)
    completed = (await client.files_upload_v2(channel=SUPPORT, content=PNG, filename="cat.png"))["file"]
    early = (await client.files_info(file=completed["id"]))["file"]
    for file in (completed, early):
        assert (file["mimetype"], file["filetype"], file["shares"], file["channels"]) == ("", "", {}, [])
    assert await ana.sees("#support") == []

    await sandbox.advance(60)
    message = await shared(sandbox, ana)
    late = (await client.files_info(file=completed["id"]))["file"]
    assert (late["mimetype"], late["filetype"], late["channels"]) == ("image/png", "png", [SUPPORT])
    [share] = late["shares"]["public"][SUPPORT]
    assert (share["ts"], share["channel_name"]) == (message.ts, "support")
    assert late["is_public"] is True


async def test_a_file_that_is_not_processed_is_never_shared(sandbox, client, ana):
    """Processing can fail after the call was answered: the file exists, and no message does."""
    await sandbox.order(vendor="slack", where="process:files", kind="drop_before")
    await client.files_upload_v2(channel=SUPPORT, content=b"lost", filename="a.txt")
    await client.files_upload_v2(channel=SUPPORT, content=b"found", filename="b.txt")
    assert [file.name for file in (await shared(sandbox, ana)).files] == ["b.txt"]


async def test_several_files_make_one_message_in_each_place(sandbox, client, ana):
    """Files that are completed together are shared together, in channels and in people's direct messages."""
    uploads = [{"content": b"one", "filename": "one.txt"}, {"content": b"two", "filename": "two.txt", "title": "Two"}]
    await client.files_upload_v2(file_uploads=uploads, channels=[SUPPORT, DESK, ANA.id], initial_comment="Both")
    for where in ("#support", "#desk", "@bot"):
        assert (await shared(sandbox, ana, where)).text.splitlines()[0] == "Both"
        assert [file.name for file in (await shared(sandbox, ana, where)).files] == ["one.txt", "two.txt"]
    file = (await client.files_info(file=(await shared(sandbox, ana)).files[0].id))["file"]
    assert (file["channels"], file["groups"], file["ims"]) == ([SUPPORT], [DESK], ["D0ANABOT001"])
    assert {kind: list(places) for kind, places in file["shares"].items()} == {
        "public": [SUPPORT],
        "private": [DESK, "D0ANABOT001"],
    }


async def test_a_file_is_shared_into_a_thread(sandbox, client, ana):
    """thread_ts makes the message a reply; a reply's own ts and two channels are refused."""
    parent = await ana.posts("#support", "parent")
    await client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt", thread_ts=parent.ts)
    message = await shared(sandbox, ana)
    assert message.thread_ts == parent.ts
    deeper = client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt", thread_ts=message.ts)
    assert await refusal(deeper) == "cannot_reply_to_message"
    two = client.files_upload_v2(channels=[SUPPORT, DESK], content=b"x", filename="x.txt", thread_ts=parent.ts)
    assert await refusal(two) == "invalid_arguments"


async def test_the_app_hears_of_what_it_shared(sandbox, client):
    """The message event has the subtype file_share and the file object, and so have history and replies."""
    async with over_sockets(sandbox, listening=False):
        completed = await client.files_upload_v2(channel=SUPPORT, content=b"x", filename="My Notes.TXT")
        [event] = await sandbox.until(lambda: told(sandbox))
    assert (event["subtype"], event["user"], event["text"]) == ("file_share", BOT_USER_ID, "")
    [file] = event["files"]
    assert (file["id"], file["mode"], file["filetype"]) == (completed["file"]["id"], "hosted", "text")
    assert (file["pretty_type"], file["size"], file["user"]) == ("Plain Text", 1, BOT_USER_ID)
    assert file["url_private"].endswith(f"-{file['id']}/my_notes.txt")
    [stored] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert stored["files"] == event["files"]


async def told(sandbox, subtype="file_share"):
    """The message events of one kind that were delivered, oldest first."""
    events = [one["body"]["event"] for one in await sandbox.exchanges(name="deliver:events_api")]
    return [event for event in events if event.get("subtype") == subtype]


async def test_a_file_can_come_under_another_name(sandbox, client, ana):
    """With chat:write.customize the message has the author that the app chose."""
    file_id = await sent_with_slack(client)
    files = json.dumps([{"id": file_id}])
    await client.api_call(
        "files.completeUploadExternal", json={"files": files, "channel_id": SUPPORT, "username": "Jane Doe"}
    )
    assert (await shared(sandbox, ana)).author == "Jane Doe"


async def test_another_name_for_a_file_needs_its_scope():
    """Without chat:write.customize a name is refused, not ignored."""
    scopes = tuple(one for one in APP_WITH_FILES.scopes if one != "chat:write.customize")
    async with Sandbox.start(replace(APP, scopes=scopes)) as sandbox, client_of(sandbox) as client:
        upload = client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt", username="Jane Doe")
        assert await refusal(upload) == "missing_scope"


async def sent_with_slack(client, content=b"hello", name="notes.txt"):
    async with plain_http() as http:
        return await sent(client, http, content, name)


async def test_blocks_stand_in_for_a_comment(sandbox, client, http, ana):
    """Blocks are shown with the files, unless there is a comment; the list of files need not be JSON in a string."""
    block = {"type": "section", "text": {"type": "plain_text", "text": "From blocks"}}
    for comment, expected in ((None, "From blocks"), ("A comment", "A comment")):
        completing = {"files": [{"id": await sent(client, http)}], "channel_id": SUPPORT, "blocks": [block]}
        await client.api_call("files.completeUploadExternal", json=completing | {"initial_comment": comment})

        async def latest(expected=expected):
            return [one for one in await ana.sees("#support") if one.text == f"{expected}\nnotes.txt"]

        await sandbox.until(latest)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        pytest.param([{"type": "section"}], "invalid_blocks", id="a section without text"),
        pytest.param("{", "invalid_blocks_format", id="no JSON"),
        pytest.param([{"type": "markdown", "text": "# Hi"}], "internal_error", id="Slack's own trouble with markdown"),
    ],
)
async def test_blocks_of_a_file_keep_the_rules(client, http, blocks, error):
    """What chat.postMessage refuses is refused here, and then nothing is completed."""
    completing = {"files": [{"id": await sent(client, http)}], "channel_id": SUPPORT}
    refused = client.api_call("files.completeUploadExternal", json=completing | {"blocks": blocks})
    assert await refusal(refused) == error
    assert (await client.api_call("files.completeUploadExternal", json=completing))["ok"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param({"length": 5}, "missing_argument", id="no name"),
        pytest.param({"filename": "a.txt"}, "missing_argument", id="no length"),
        pytest.param({"filename": "a.txt", "length": 0}, "missing_argument", id="an empty file"),
        pytest.param({"filename": "a.txt", "length": -1}, "invalid_arguments", id="a length below zero"),
        pytest.param({"filename": "a.txt", "length": "x"}, "invalid_arguments", id="a length that is no number"),
        pytest.param({"filename": "a.txt", "length": MOST_BYTES + 1}, "file_upload_size_restricted", id="too much"),
        pytest.param({"filename": "a", "length": 1, "alt_txt": "x" * 1001}, "alt_txt_too_large", id="a long alt text"),
        pytest.param(
            {"filename": "a", "length": 2**20 + 1, "snippet_type": "text"}, "snippet_too_large", id="a large snippet"
        ),
        pytest.param(
            {"filename": "a", "length": 1, "snippet_type": "not a language"}, "unknown_snippet_type", id="no language"
        ),
    ],
)
async def test_what_cannot_be_uploaded_is_refused_at_once(client, arguments, error):
    """An upload URL is given only for what Slack would take."""
    assert await refusal(client.api_call("files.getUploadURLExternal", params=arguments)) == error


async def test_the_largest_that_is_taken(client):
    """The limits themselves are allowed."""
    await announced(client, length=MOST_BYTES, alt_txt="x" * 1000)
    await announced(client, length=2**20, snippet_type="python")


async def test_an_upload_url_takes_raw_bytes_and_forms(client, http):
    """Both ways of sending are answered in plain text with the number of bytes, and need no token."""
    for sending in ({"content": b"hello"}, {"files": {"filename": ("notes.txt", b"hello", "text/plain")}}):
        url, file_id = await announced(client)
        answer = await http.post(url, **sending)
        assert (answer.status_code, answer.text) == (200, "OK - 5")
        assert answer.headers["content-type"].startswith("text/plain")
        await client.files_completeUploadExternal(files=[{"id": file_id, "title": "x"}])
        stored = (await client.files_info(file=file_id))["file"]
        assert (await http.get(stored["url_private"], headers=with_bot_token())).content == b"hello"


async def test_a_file_of_another_length_fails(client, http):
    """More or fewer bytes than announced fail, and the URL is used up."""
    for content in (b"hell", b"hello!"):
        url, file_id = await announced(client)
        assert (await http.post(url, content=content)).status_code == 400
        assert (await http.post(url, content=b"hello")).status_code == 404
        assert await refusal(completing(client, file_id)) == "file_not_found"


async def test_an_upload_url_works_once(client, http):
    """A second upload to the same URL is refused, and the first one counts."""
    url, file_id = await announced(client)
    assert (await http.post(url, content=b"hello")).status_code == 200
    assert (await http.post(url, content=b"other")).status_code == 404
    await completing(client, file_id)
    stored = (await client.files_info(file=file_id))["file"]
    assert (await http.get(stored["url_private"], headers=with_bot_token())).content == b"hello"


def completing(client, *file_ids, **more):
    return client.files_completeUploadExternal(files=[{"id": one, "title": "x"} for one in file_ids], **more)


async def test_only_what_was_sent_can_be_completed_and_once(client, http):
    """Unknown, unsent and completed files are not found; one of them keeps the others from being completed."""
    _, unsent = await announced(client)
    ready = await sent(client, http)
    for file_id in ("F0UNKNOWN01", unsent):
        assert await refusal(completing(client, ready, file_id)) == "file_not_found"
    assert await refusal(client.files_info(file=ready)) == "file_not_found"
    assert await refusal(client.api_call("files.completeUploadExternal", json={"files": []})) == "invalid_arguments"
    assert await refusal(client.api_call("files.completeUploadExternal", json={"files": "{"})) == "invalid_arguments"
    await completing(client, ready)
    assert await refusal(completing(client, ready)) == "file_not_found"


async def test_unfinished_uploads_expire(sandbox, client, http):
    """After an hour neither the URL nor what was sent to it is there."""
    url, _ = await announced(client)
    ready = await sent(client, http)
    await sandbox.advance(LIFETIME + 1)
    assert (await http.post(url, content=b"hello")).status_code == 404
    assert await refusal(completing(client, ready)) == "file_not_found"


@pytest.mark.parametrize(
    ("place", "error"),
    [
        pytest.param({"channel_id": "#support"}, "invalid_arguments", id="a channel by name"),
        pytest.param({"channel_id": ANA.id}, "invalid_arguments", id="a person in place of a channel"),
        pytest.param({"channels": ["support"]}, "invalid_channel", id="a channel by name among several"),
        pytest.param({"channel_id": "C0NOWHERE01"}, "channel_not_found", id="nowhere"),
        pytest.param({"channels": [SUPPORT, VIP]}, "channel_not_found", id="a private channel without the bot"),
        pytest.param({"channels": [BOT_USER_ID]}, "channel_not_found", id="the bot's talk with itself"),
        pytest.param({"channel_id": RANDOM}, "not_in_channel", id="a public channel without the bot"),
        pytest.param({"channel_id": OLD}, "is_archived", id="an archived channel"),
        pytest.param({"channels": [GENERAL] * 101}, "channels_limit_exceeded", id="too many channels"),
    ],
)
async def test_a_file_is_shared_only_where_the_bot_may(client, http, place, error):
    """Each place where a bot cannot share has Slack's word for it, and the upload can still be completed elsewhere."""
    file_id = await sent(client, http)
    assert await refusal(completing(client, file_id, **place)) == error
    assert (await completing(client, file_id, channel_id=SUPPORT))["ok"]


async def test_a_file_without_a_channel_stays_with_the_app(sandbox, client, http, ana):
    """Nobody sees it, and the app does."""
    file_id = await sent(client, http)
    await completing(client, file_id)
    file = await processed(sandbox, client, file_id)
    assert (file["title"], file["shares"], file["is_public"]) == ("x", {}, False)
    assert await ana.sees("#support") == []
    assert (await http.get(f"/_sandbox/slack/files/{file_id}", params={"as": ana.user_id})).status_code == 403


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("files.getUploadURLExternal", "files:write"),
        ("files.completeUploadExternal", "files:write"),
        ("files.delete", "files:write"),
        ("files.info", "files:read"),
    ],
)
async def test_each_method_needs_its_scope(method, scope):
    """Without its scope a method is refused whatever the arguments."""
    async with Sandbox.start(APP) as sandbox, client_of(sandbox) as client:
        with pytest.raises(SlackApiError) as caught:
            await client.api_call(method)
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", scope)


# Downloading


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no token"),
        pytest.param(with_bot_token("xoxb-sandbox-other"), id="another token"),
        pytest.param(with_bot_token(APP_TOKEN), id="the app-level token"),
    ],
)
async def test_a_private_url_asks_others_to_sign_in(client, http, headers):
    """Without the bot's token a page comes in place of the file, with status 200."""
    file_id = await sent(client, http, PNG, "cat.png")
    file = (await completing(client, file_id))["files"][0]
    for url in (file["url_private"], file["url_private_download"]):
        answer = await http.get(url, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"Sign in" in answer.content


async def test_a_private_url_needs_the_scope():
    """The bot's token without files:read gets the sign-in page too."""
    manifest = replace(APP, scopes=(*APP.scopes, "files:write"))
    async with Sandbox.start(manifest) as sandbox, client_of(sandbox) as client, plain_http() as http:
        file = (await completing(client, await sent(client, http)))["files"][0]
        assert b"Sign in" in (await http.get(file["url_private"], headers=with_bot_token())).content


async def test_a_private_url_gives_the_bot_the_bytes(sandbox, client, http):
    """The type is the file's; the download is named, and nothing is left for a browser to guess or run."""
    file_id = await sent(client, http, PNG, 'my "cat"\r\n.png')
    await completing(client, file_id)
    file = await processed(sandbox, client, file_id)
    shown = await http.get(file["url_private"], headers=with_bot_token())
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert "content-disposition" not in shown.headers
    saved = await http.get(file["url_private_download"], headers=with_bot_token())
    assert saved.content == PNG
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''my%20%22cat%22%0D%0A.png"
    assert saved.headers["x-content-type-options"] == "nosniff"
    [first, _] = await sandbox.exchanges(name="url_private")
    assert first["response"] == {"bytes": len(PNG)}


async def test_downloads_and_uploads_can_go_wrong(sandbox, client, http):
    """Ordered faults strike the URLs as they do the methods."""
    url, file_id = await announced(client)
    await sandbox.order(vendor="slack", where="upload_url", kind="status", status=503)
    assert (await http.post(url, content=b"hello")).status_code == 503
    assert (await http.post(url, content=b"hello")).status_code == 200
    file = (await completing(client, file_id))["files"][0]
    await sandbox.order(vendor="slack", where="url_private", kind="html")
    assert (await http.get(file["url_private"], headers=with_bot_token())).status_code == 502
    await sandbox.order(vendor="slack", where="url_private", kind="drop_after")
    with pytest.raises(httpx.TransportError):
        await http.get(file["url_private"], headers=with_bot_token())


async def test_the_bot_sees_the_files_of_its_conversations(sandbox, client, http, ana):
    """A person's file is the bot's to read where it is a member; elsewhere it does not exist for it."""
    hers = (await ana.uploads("#support", "cat.png", PNG)).files[0]
    assert (await client.files_info(file=hers.id))["file"]["user"] == ana.user_id
    assert await refusal(client.files_delete(file=hers.id)) == "cant_delete_file"
    secret = (await ana.uploads("#vip", "plan.txt", b"secret")).files[0]
    assert await refusal(client.files_info(file=secret.id)) == "file_not_found"
    private = f"/slack/files-pri/T0ACMEHQ001-{secret.id}/plan.txt"
    assert b"Sign in" in (await http.get(private, headers=with_bot_token())).content
    assert await refusal(client.files_info(file="F0UNKNOWN01")) == "file_not_found"


# Deleting


async def test_a_deleted_file_leaves_a_tombstone(sandbox, client, http, ana):
    """The message stays, and the app is told that it changed; the bytes are gone for everybody."""
    file = (await client.files_upload_v2(channel=SUPPORT, content=PNG, filename="cat.png", initial_comment="Hi"))[
        "file"
    ]
    message = await shared(sandbox, ana)
    async with over_sockets(sandbox, listening=False):
        await client.files_delete(file=file["id"])
        [change] = await sandbox.until(lambda: told(sandbox, "message_changed"))
    assert change["message"]["files"] == [{"id": file["id"], "mode": "tombstone"}]
    assert change["previous_message"]["files"][0]["mode"] == "hosted"
    [stored] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert stored["files"] == [{"id": file["id"], "mode": "tombstone"}]
    assert (await shared(sandbox, ana)).text == "Hi\nThis file was deleted."
    with pytest.raises(Refused, match="no such file"):
        await ana.downloads(message.files[0])
    assert (await http.get(file["url_private"], headers=with_bot_token())).status_code == 404
    for method in (client.files_info, client.files_delete):
        assert await refusal(method(file=file["id"])) == "file_deleted"


async def test_a_file_that_is_deleted_at_once_is_never_shared(sandbox, client, http, ana):
    """What is gone before it was processed does not come into the message of the others."""
    await sandbox.order(vendor="slack", where="process:files", kind="latency", seconds=60)
    gone, kept = [await sent(client, http, name=name) for name in ("gone.txt", "kept.txt")]
    await completing(client, gone, kept, channel_id=SUPPORT)
    await client.files_delete(file=gone)
    await sandbox.advance(60)
    assert [file.name for file in (await shared(sandbox, ana)).files] == ["kept.txt"]


@pytest.mark.parametrize("replies", [0, 1])
async def test_a_file_outlives_its_message(sandbox, client, ana, replies):
    """Deleting the message, even if it leaves a tombstone, ends the share and keeps the file."""
    file = (await client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt"))["file"]
    message = await shared(sandbox, ana)
    for _ in range(replies):
        await ana.posts("#support", "reply", thread_ts=message.ts)
    await client.chat_delete(channel=SUPPORT, ts=message.ts)
    history = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert [one.get("files") for one in history] == [None] * replies
    left = (await client.files_info(file=file["id"]))["file"]
    assert (left["id"], left["shares"], left["channels"]) == (file["id"], {}, [])


# Pictures in blocks


def picture(**slack_file):
    return ImageBlock(alt_text="A cat", slack_file=SlackFile(**slack_file)).to_dict()


async def test_an_image_block_shows_a_file(sandbox, client, http, ana):
    """An image that the app may see is named by its id or one of its URLs, and not by both."""
    file_id = await sent(client, http, PNG, "cat.png")
    await completing(client, file_id)
    file = await processed(sandbox, client, file_id)
    for named in ({"id": file_id}, {"url": file["url_private"]}, {"url": file["permalink"]}):
        await client.chat_postMessage(channel=SUPPORT, text="x", blocks=[picture(**named)])
    assert [one.text for one in await ana.sees("#support")] == ["[A cat]"] * 3
    both = picture(id=file_id) | {"slack_file": {"id": file_id, "url": file["permalink"]}}
    for block in (both, both | {"slack_file": file_id}):
        posting = client.chat_postMessage(channel=SUPPORT, text="x", blocks=[block])
        assert await refusal(posting) == "invalid_blocks"


async def test_an_image_block_takes_no_other_file(sandbox, client, http, ana):
    """What is unknown, hidden, deleted, no image or not processed yet is an invalid slack file, with its place."""
    secret = (await ana.uploads("#vip", "cat.png", PNG)).files[0].id
    drawing = (await ana.uploads("#support", "cat.svg", SVG)).files[0].id
    disguised = (await ana.uploads("#support", "cat.png", SVG)).files[0].id
    gone = await sent(client, http, PNG, "cat.png")
    await completing(client, gone)
    await processed(sandbox, client, gone)
    await client.files_delete(file=gone)
    await sandbox.order(vendor="slack", where="process:files", kind="latency", seconds=60)
    fresh = await sent(client, http, PNG, "cat.png")
    await completing(client, fresh)
    unfinished = await sent(client, http, PNG, "cat.png")
    for file_id in ("F0UNKNOWN01", secret, drawing, disguised, gone, fresh, unfinished):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=SUPPORT, text="x", blocks=[picture(id=file_id)])
        assert caught.value.response["error"] == "invalid_blocks"
        assert caught.value.response["errors"] == ["invalid slack file [json-pointer:/blocks/0/slack_file]"]


async def test_every_way_of_showing_blocks_checks_their_pictures(sandbox, client):
    """Updates, ephemeral messages, elements inside blocks and response URLs are no way around it."""
    unknown = picture(id="F0UNKNOWN01")
    ts = (await client.chat_postMessage(channel=SUPPORT, text="x"))["ts"]
    accessory = {"type": "section", "text": {"type": "plain_text", "text": "x"}, "accessory": unknown}
    for refused in (
        client.chat_update(channel=SUPPORT, ts=ts, text="x", blocks=[unknown]),
        client.chat_postEphemeral(channel=SUPPORT, user=ANA.id, text="x", blocks=[unknown]),
        client.chat_postMessage(channel=SUPPORT, text="x", blocks=[accessory]),
        client.files_upload_v2(channel=SUPPORT, content=b"x", filename="x.txt", blocks=json.dumps([unknown])),
    ):
        assert await refusal(refused) == "invalid_blocks"
    async with over_sockets(sandbox) as heard:
        await sandbox.person("ana").types("#support", "/text hello")
        answer = await use(heard[0]["response_url"], {"blocks": [unknown], "response_type": "in_channel"})
    assert (answer.status_code, answer.text) == (400, "invalid_blocks")


# People's files


async def test_a_person_uploads_a_file(sandbox, client, ana):
    """The app is told of a file_share by her, with her words and a file that it can download."""
    parent = await ana.posts("#support", "parent")
    async with over_sockets(sandbox) as heard:
        message = await ana.uploads("#support", "cat.png", PNG, text="For @texting", thread_ts=parent.ts)
        [event] = await sandbox.until(lambda: [one["event"] for one in heard if "files" in one["event"]])
    assert (message.author, message.text, message.thread_ts) == ("Ana Alvarez", "For @Texting\ncat.png", parent.ts)
    assert (event["subtype"], event["user"], event["thread_ts"]) == ("file_share", ana.user_id, parent.ts)
    assert event["text"] == f"For <@{BOT_USER_ID}>"
    assert "bot_id" not in event
    assert event["client_msg_id"]
    [file] = event["files"]
    assert (file["name"], file["mimetype"], file["size"]) == ("cat.png", "image/png", len(PNG))
    async with plain_http() as http:
        assert (await http.get(file["url_private_download"], headers=with_bot_token())).content == PNG


async def test_a_mention_with_a_file_is_a_mention():
    """The app that is mentioned beside a file is told so, as beside any other message."""
    scopes, events = (*APP_WITH_FILES.scopes, "app_mentions:read"), frozenset({"app_mention"})
    async with (
        Sandbox.start(replace(APP, scopes=scopes, bot_events=events)) as sandbox,
        answering(sandbox) as requests,
    ):
        await sandbox.person("ana").uploads("#support", "cat.png", PNG, text="For @texting")
        [request] = await sandbox.until(lambda: requests)
    event = request.json["event"]
    assert (event["type"], event["files"][0]["name"]) == ("app_mention", "cat.png")


async def test_a_file_needs_no_words(ana):
    """Her message is then the title of the file alone."""
    message = await ana.uploads("#support", "notes.txt", b"hello")
    assert (message.text, message.blocks) == ("notes.txt", [])


@pytest.mark.parametrize(
    ("where", "name", "content", "why"),
    [
        pytest.param("#support", "a.txt", b"", "not empty", id="an empty file"),
        pytest.param("#support", "", b"x", "has a name", id="no name"),
        pytest.param("#support", "a.bin", bytes(MOST_BYTES + 1), "at most", id="too much"),
        pytest.param("#old", "a.txt", b"x", "archived", id="an archived channel"),
    ],
)
async def test_a_person_cannot_upload_everything_everywhere(ana, where, name, content, why):
    """Slack's windows would not let her."""
    with pytest.raises(Refused, match=why):
        await ana.uploads(where, name, content)


async def test_people_download_what_they_see(sandbox, ana):
    """A file of a private channel is for its members."""
    [file] = (await ana.uploads("#vip", "plan.txt", b"secret")).files
    assert await sandbox.person("ben").downloads(file) == b"secret"
    with pytest.raises(Refused, match="Gus Guest does not see this file"):
        await sandbox.person("gus").downloads(file)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("cat.png", PNG, ("image/png", "png")),
        ("cat.txt", b"\xff\xd8\xff\xe0 and so on", ("image/jpeg", "jpg")),
        ("cat.png", b"no picture", ("text/plain", "text")),
        ("cat.svg", SVG, ("image/svg+xml", "svg")),
        ("paper.pdf", b"%PDF-1.7", ("application/pdf", "pdf")),
        ("README", b"Read me", ("text/plain", "text")),
        ("blob", b"\x00\xff", ("application/octet-stream", "binary")),
    ],
)
async def test_slack_finds_out_what_a_file_is(client, ana, name, content, found):
    """Images are known by their bytes, other files by their names, and the rest by being text or not."""
    [file] = (await ana.uploads("#support", name, content)).files
    stored = (await client.files_info(file=file.id))["file"]
    assert (stored["mimetype"], stored["filetype"]) == found


# The page


async def test_the_page_gets_images_to_show_and_all_else_to_save(http, ana):
    """Only what is an image by its bytes is shown; nothing that is served can run."""
    for name, content, content_type, disposition in (
        ("cat.png", PNG, "image/png", None),
        ("cat.svg", SVG, "application/octet-stream", "attachment; filename*=UTF-8''cat.svg"),
        ("cat.png", SVG, "application/octet-stream", "attachment; filename*=UTF-8''cat.png"),
        (
            "page.html",
            b"<script>alert(1)</script>",
            "application/octet-stream",
            "attachment; filename*=UTF-8''page.html",
        ),
    ):
        [file] = (await ana.uploads("#support", name, content)).files
        answer = await http.get(file.raw["path"])
        assert (answer.content, answer.headers["content-type"]) == (content, content_type)
        assert answer.headers.get("content-disposition") == disposition
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_permalink_leads_to_the_file(client, http, ana):
    """A person who opens a file's permalink gets the file."""
    [file] = (await ana.uploads("#support", "cat.png", PNG)).files
    permalink = (await client.files_info(file=file.id))["file"]["permalink"]
    assert (await http.get(permalink, follow_redirects=True)).content == PNG
