"""Methods about files. Source: docs.slack.dev/reference/methods, the files family."""

import re

from sandbox.slack.call import JSON, Call
from sandbox.slack.content import LONGEST_TEXT, Content, parse_list, read_content, read_face
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.file_objects import shared_file_json
from sandbox.slack.files import MOST_BYTES, MOST_SNIPPET_BYTES
from sandbox.slack.model import SLACKBOT_ID, Conversation, File, Kind

LONGEST_ALT_TEXT = 1_000
MOST_CHANNELS = 100

#: What `channel_id` must look like; `channels` takes people too, for the direct messages with them.
CHANNEL_ID = re.compile(r"[CGDZ][A-Z0-9]{8,}")
PLACE_ID = re.compile(r"[CGDZUW][A-Z0-9]{8,}")
SNIPPET_TYPE = re.compile(r"[a-z0-9_+#.-]{1,40}")


async def get_upload_url(call: Call) -> JSON:
    """Announce an upload. A `length` of 0 counts as missing, as with Slack."""
    name, length = call.given("filename"), call.given("length")
    if not name or not length.strip("0"):
        raise SlackError("missing_argument")
    if not length.isdecimal():
        raise invalid_arguments("input must be an integer [json-pointer:/length]")
    if len(call.given("alt_txt")) > LONGEST_ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    snippet_type = call.given("snippet_type")
    if snippet_type and not SNIPPET_TYPE.fullmatch(snippet_type):
        raise SlackError("unknown_snippet_type")
    if snippet_type and int(length) > MOST_SNIPPET_BYTES:
        raise SlackError("snippet_too_large")
    if int(length) > MOST_BYTES:
        raise SlackError("file_upload_size_restricted")
    file_id, url = call.files.announce(name, int(length), alt_text=call.given("alt_txt"), is_snippet=bool(snippet_type))
    return {"upload_url": url, "file_id": file_id}


async def complete_upload(call: Call) -> JSON:
    """
    Make files of uploads, and post them wherever they are to be shared.

    The answer comes first: in it the files have neither types nor `shares` yet.
    """
    titles = _titles(call)
    call.files.require(titles)
    places = _places(call)
    thread_ts = _thread(call, places)
    content = _content(call)
    face = read_face(call.arguments)
    if face is not None:
        call.demand("chat:write.customize")

    def share(processed: list[File]) -> None:
        for place in places:
            call.workspace.post(
                place,
                call.bot,
                text=content.text,
                blocks=content.blocks,
                thread_ts=thread_ts,
                by_app=True,
                face=face,
                subtype="file_share",
                files=processed,
            )

    files = call.files.complete(titles, user_id=call.bot)
    call.files.process(files, share)
    return {"files": [shared_file_json(file, call.workspace) for file in files]}


async def info(call: Call) -> JSON:
    file = _file(call)
    return {"file": shared_file_json(file, call.workspace), "comments": [], "response_metadata": {"next_cursor": ""}}


async def delete(call: Call) -> JSON:
    """Delete a file of the app's own."""
    file = _file(call)
    if file.user_id != call.bot:
        raise SlackError("cant_delete_file")
    call.workspace.delete_file(file)
    return {}


def _file(call: Call) -> File:
    file = call.workspace.file_for_app(call.required("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.is_deleted:
        raise SlackError("file_deleted")
    return file


def _titles(call: Call) -> dict[str, str]:
    """Read `files`: the title of each by its id, empty if it has none."""
    given = parse_list(call.arguments.get("files"), error="invalid_arguments")
    if not given:
        raise invalid_arguments("missing required field: files")
    titles = {}
    for index, one in enumerate(given):
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            raise invalid_arguments(f"missing required field: id [json-pointer:/files/{index}]")
        titles[one["id"]] = str(one.get("title") or "")
    return titles


def _places(call: Call) -> list[Conversation]:
    """Find the conversations that `channel_id` and `channels` name; none: the files stay with the app."""
    channel_id, channels = call.given("channel_id"), call.listed("channels")
    if channel_id and not CHANNEL_ID.fullmatch(channel_id):
        raise invalid_arguments(
            f"input must match regex pattern: ^{CHANNEL_ID.pattern}$ [json-pointer:/channel_id]",
        )
    if len(channels) > MOST_CHANNELS:
        raise SlackError("channels_limit_exceeded")
    if not all(PLACE_ID.fullmatch(one) for one in channels):
        raise SlackError("invalid_channel")
    wanted = dict.fromkeys([channel_id] * bool(channel_id) + channels)
    return [_place(call, one) for one in wanted]


def _place(call: Call, identifier: str) -> Conversation:
    """Find where the bot may share a file. Unlike for a post, `chat:write.public` is not enough."""
    if identifier in call.workspace.people:
        if identifier in {call.bot, SLACKBOT_ID}:
            raise SlackError("channel_not_found")
        return call.workspace.open_direct([identifier, call.bot])[0]
    found = call.workspace.conversations.get(identifier)
    if found is None or (found.kind is not Kind.PUBLIC and call.bot not in found.members):
        raise SlackError("channel_not_found")
    if call.bot not in found.members:
        raise SlackError("not_in_channel")
    if found.is_archived:
        raise SlackError("is_archived")
    return found


def _thread(call: Call, places: list[Conversation]) -> str | None:
    thread_ts = call.given("thread_ts")
    if thread_ts and len(places) > 1:
        raise invalid_arguments("thread_ts takes one channel only")
    if any(thread_ts in place.parent_of for place in places):
        raise SlackError("cannot_reply_to_message")  # a reply itself, as in chat.postMessage: not documented here
    return thread_ts or None


def _content(call: Call) -> Content:
    """Read what is said of the files: `initial_comment`, and only without one `blocks`."""
    if comment := call.given("initial_comment"):
        return Content(text=comment[:LONGEST_TEXT])
    if not call.arguments.get("blocks"):
        return Content()
    content = read_content({"blocks": call.arguments["blocks"]})
    if any(block["type"] == "markdown" for block in content.blocks):
        raise SlackError("internal_error")  # source: github.com/slackapi/python-slack-sdk/issues/1756
    call.workspace.check_pictures(content.blocks)
    return content
