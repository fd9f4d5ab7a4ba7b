"""The workspace as Slack's API and events write it in JSON."""

from datetime import datetime
from typing import Any

from sandbox.slack import seed
from sandbox.slack.dates import zone
from sandbox.slack.file_objects import file_json
from sandbox.slack.model import SLACKBOT_ID, App, Conversation, Kind, Message, Person
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

#: Sizes in which a profile offers its picture; here all lead to the same drawing.
IMAGE_SIZES = (24, 32, 48, 72, 192, 512)


def message_json(message: Message, workspace: Workspace, *, all_metadata: bool = False) -> JSON:
    """Write one message as history, events and interactions show it."""
    written: JSON = {"type": "message"}
    if message.subtype:
        written["subtype"] = message.subtype
    app = workspace.app if message.by_app else message.another
    if app:
        written |= _by_app(message, app, workspace)
    else:
        written["user"] = message.user_id
    written |= {"text": message.text, "ts": message.ts}
    if message.client_msg_id:
        written["client_msg_id"] = message.client_msg_id
    if not message.subtype or message.by_app:
        written["team"] = workspace.team.id
    written |= _from_elsewhere(workspace.people[message.user_id])
    if message.blocks:
        written["blocks"] = message.blocks
    if message.attachments:
        written["attachments"] = message.attachments
    if message.files:
        written |= {"files": [file_json(file, workspace) for file in message.files]}
        written |= {"upload": False, "display_as_bot": False}
    if message.inviter_id:
        written["inviter"] = message.inviter_id
    written |= message.details
    return written | _marks(message, all_metadata=all_metadata) | _thread(message, workspace)


def _marks(message: Message, *, all_metadata: bool) -> JSON:
    """Write what has been put on a message since: edits, reactions, metadata."""
    marks: JSON = {}
    if message.edited:
        marks["edited"] = {"user": message.edited[0], "ts": message.edited[1]}
    if message.reactions:
        marks["reactions"] = [
            {"name": name, "users": list(people), "count": len(people)} for name, people in message.reactions.items()
        ]
    if message.metadata:
        marks["metadata"] = message.metadata if all_metadata else {"event_type": message.metadata["event_type"]}
    return marks


def _from_elsewhere(author: Person) -> JSON:
    """Write whose an author is who comes from another workspace; nothing of all others."""
    if author.team is None:
        return {}
    team = author.team.id
    profile = {"name": author.handle, "real_name": author.name, "display_name": author.name, "team": team}
    standing = {"is_restricted": author.is_guest, "is_ultra_restricted": False}
    return {"team": team, "user_team": team, "source_team": team, "user_profile": profile | standing}


def _by_app(message: Message, app: App, workspace: Workspace) -> JSON:
    if message.face is None:
        return {
            "user": app.bot_user_id,
            "bot_id": app.bot_id,
            "app_id": app.id,
            "bot_profile": bot_json(app) | {"team_id": workspace.team.id},
        }
    face = message.face
    # A post under another name is a `bot_message` without a `user`, as those of classic apps are.
    written: JSON = {"subtype": message.subtype or "bot_message", "bot_id": app.bot_id}
    if message.by_app:
        written["app_id"] = app.id
    written["username"] = face.username or app.name
    if face.icon_url:
        written["icons"] = {"image_48": face.icon_url}
    elif face.icon_emoji:
        written["icons"] = {"emoji": face.icon_emoji}
    return written


def _thread(message: Message, workspace: Workspace) -> JSON:
    conversation = workspace.conversations[message.conversation_id]
    if message.thread_ts is not None:
        parent = conversation.timeline.get(message.thread_ts)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": parent.user_id} if parent else {})
    replies = conversation.threads.get(message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user_id for reply in replies.values()))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": people[:5],
        "reply_users_count": len(people),
        "latest_reply": next(reversed(replies)),
        "is_locked": False,
        "subscribed": workspace.app.bot_user_id in people,
    }


def conversation_json(conversation: Conversation, workspace: Workspace) -> JSON:
    """Write a conversation as the bot sees it."""
    bot = workspace.app.bot_user_id
    common: JSON = {
        "id": conversation.id,
        "created": conversation.created,
        "is_archived": conversation.is_archived,
        "is_im": conversation.kind is Kind.IM,
        "is_org_shared": False,
        "context_team_id": workspace.team.id,
        "updated": conversation.created * 1000,
    }
    if conversation.kind is Kind.IM:
        other = next((one for one in conversation.members if one != bot), bot)
        shared = {"is_shared": bool(conversation.shared_with), "is_ext_shared": bool(conversation.shared_with)}
        return common | {"user": other, "is_user_deleted": False, "is_open": True, "priority": 0} | shared
    private = conversation.kind is not Kind.PUBLIC
    return common | {
        "name": conversation.name,
        "name_normalized": conversation.name,
        "is_channel": conversation.is_channel,
        "is_group": False,
        "is_mpim": conversation.kind is Kind.MPIM,
        "is_private": private,
        "is_general": conversation.is_general,
        "is_member": bot in conversation.members,
        "is_shared": bool(conversation.shared_with),
        "is_ext_shared": bool(conversation.shared_with),
        "is_pending_ext_shared": False,
        "creator": conversation.creator_id,
        "topic": {"value": conversation.topic, "creator": "", "last_set": 0},
        "purpose": {"value": conversation.purpose, "creator": "", "last_set": 0},
        **_sharing(conversation, workspace),
    }


def _sharing(conversation: Conversation, workspace: Workspace) -> JSON:
    """Write the workspaces of a Slack Connect channel; nothing of all others."""
    if not conversation.shared_with:
        return {}
    return {
        "conversation_host_id": workspace.team.id,
        "shared_team_ids": [workspace.team.id, *conversation.shared_with],
        "connected_team_ids": list(conversation.shared_with),
        "internal_team_ids": [],
    }


#: What an app reads in place of a conversation's name in commands and clicks.
NAMELESS = {Kind.PRIVATE: "privategroup", Kind.IM: "directmessage"}


def name_for_app(conversation: Conversation) -> str:
    """Return the name that commands and clicks have for a conversation: only public channels have their own."""
    return NAMELESS.get(conversation.kind, conversation.name)


def person_json(person: Person, workspace: Workspace, *, email: bool) -> JSON:
    """
    Write a person as `users.info` does. *email*: the app may read addresses.

    Somebody of another workspace is a stranger only as long as they share no conversation with the app.
    """
    team = workspace.team_of(person.id)
    met = any({person.id, workspace.app.bot_user_id} <= set(one.members) for one in workspace.conversations.values())
    offset = datetime.now(zone(person.tz)).utcoffset()
    app = next((one for one in workspace.apps if one.bot_user_id == person.id), None)
    profile: JSON = {
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": "" if person.is_bot else person.name,
        "display_name_normalized": "" if person.is_bot else person.name,
        "title": person.title,
        "phone": "",
        "skype": "",
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "team": team.id,
    }
    profile |= {f"image_{size}": avatar_url(workspace, person.id) for size in IMAGE_SIZES}
    if email and person.email:
        profile["email"] = person.email
    if app is not None:
        profile |= {"bot_id": app.bot_id, "api_app_id": app.id}
    return {
        "id": person.id,
        "team_id": team.id,
        "name": person.handle,
        "real_name": person.name,
        "deleted": False,
        "tz": person.tz,
        "tz_label": person.tz.rpartition("/")[2].replace("_", " "),
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": profile,
        "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner,
        "is_primary_owner": False,  # who founded the workspace is not among its people here
        "is_bot": person.is_bot and person.id != SLACKBOT_ID,  # Slack says false of Slackbot
        "is_app_user": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": False,
        "is_stranger": person.team is not None and not met,
        "updated": seed.CREATED,
    }


def bot_json(app: App) -> JSON:
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.bot_user_id,
        "name": app.name,
        "icons": {},
        "deleted": False,
        "updated": seed.CREATED,
    }


def avatar_url(workspace: Workspace, user_id: str) -> str:
    return f"{workspace.url}/_sandbox/avatar/{user_id}.svg"
