"""
Files as Slack writes them in messages, events and the files methods.

Source: docs.slack.dev/reference/objects/file-object.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from sandbox.slack.model import Conversation, File, Kind, Message
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

#: Slack's name for a type of file, where it is not the type in capitals.
PRETTY_TYPES = {"": "", "jpg": "JPEG", "text": "Plain Text", "binary": "Binary"}

#: The services whose files Slack knows, and the ends of their addresses.
EXTERNAL_TYPES = {"gdrive": ("docs.google.com", "drive.google.com"), "dropbox": ("dropbox.com",), "box": ("box.com",)}

#: What does not stand for itself in a file's URL.
UNSAFE_IN_URL = re.compile(r"[^a-z0-9._-]+")

#: The list of a file object that names a conversation, where it is not `groups`.
LIST_OF_KIND = {Kind.PUBLIC: "channels", Kind.IM: "ims"}


def file_json(file: File, workspace: Workspace) -> JSON:
    """
    Write a file as it stands in a message. Of a deleted or hidden one that is no more than so.

    Nor is it more of one that came from another workspace: `files.info` is to be asked.
    Source: docs.slack.dev/apis/slack-connect.
    """
    if file.is_deleted:
        return {"id": file.id, "mode": "tombstone"}
    if file.is_hidden:
        return {"id": file.id, "mode": "hidden_by_limit"}
    if workspace.team_of(file.user_id) is not workspace.team:
        unknown: JSON = {"created": 0, "timestamp": 0, "user": ""}
        return {"id": file.id, "mode": "file_access", "file_access": "check_file_info"} | unknown
    return whole_file_json(file, workspace)


def whole_file_json(file: File, workspace: Workspace) -> JSON:
    """Write everything about a file but where it has been shared."""
    team = workspace.team_of(file.user_id)
    name = UNSAFE_IN_URL.sub("_", file.name.lower())
    private = f"{workspace.url}/slack/files-pri/{team.id}-{file.id}"
    written: JSON = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.filetype,
        "pretty_type": PRETTY_TYPES.get(file.filetype, file.filetype.upper()),
        "user": file.user_id,
        "user_team": team.id,
        "editable": file.is_snippet,
        "size": len(file.content),
        "mode": "snippet" if file.is_snippet else "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(workspace.conversations[place].kind is Kind.PUBLIC for place, _ in file.shared),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{name}",
        "url_private_download": f"{private}/download/{name}",
        "permalink": f"{workspace.url}/files/{file.user_id}/{file.id}/{name}",
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.external_url:
        del written["url_private_download"]
        kept_by = external_type(file.external_url)
        written |= {"mode": "external", "is_external": True, "external_type": kept_by, "url_private": file.external_url}
    return written | ({"alt_txt": file.alt_text} if file.alt_text else {})


def external_type(url: str) -> str:
    """Return Slack's word for the service that keeps a file."""
    host = urlsplit(url).hostname or ""
    return next((word for word, hosts in EXTERNAL_TYPES.items() if host.endswith(hosts)), "unknown")


def shared_file_json(file: File, workspace: Workspace) -> JSON:
    """Write a file as the files methods do: with where it has been shared."""
    shares: dict[str, dict[str, list[JSON]]] = {}
    places: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
    for message in workspace.shares(file):
        conversation = workspace.conversations[message.conversation_id]
        kind = "public" if conversation.kind is Kind.PUBLIC else "private"
        shares.setdefault(kind, {}).setdefault(conversation.id, []).append(_share(message, conversation, workspace))
        listed = places[LIST_OF_KIND.get(conversation.kind, "groups")]
        if conversation.id not in listed:
            listed.append(conversation.id)
    written = {"id": file.id, "mode": "hidden_by_limit"} if file.is_hidden else whole_file_json(file, workspace)
    return written | places | {"shares": shares}


def _share(message: Message, conversation: Conversation, workspace: Workspace) -> JSON:
    replies = conversation.replies(message.ts)
    people = list(dict.fromkeys(reply.user_id for reply in replies))
    written: JSON = {
        "ts": message.ts,
        "channel_name": conversation.name,
        "team_id": workspace.team.id,
        "share_user_id": message.user_id,
        "reply_users": people[:5],
        "reply_users_count": len(people),
        "reply_count": len(replies),
    }
    return written | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
