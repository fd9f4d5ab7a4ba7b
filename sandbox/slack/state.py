"""What can be seen of the workspace: for the page and for tests, as one person sees it."""

from dataclasses import asdict
from typing import Any

from sandbox.slack.manifest import Manifest
from sandbox.slack.markup import links
from sandbox.slack.menus import visible
from sandbox.slack.modal_state import home_state, modal_state
from sandbox.slack.model import Conversation, File, Message, Person
from sandbox.slack.reading import Reader
from sandbox.slack.shortcuts import takes_shortcuts
from sandbox.slack.wire import avatar_url
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

MOST_MESSAGES = 500  # of one conversation, the newest; a thread is given whole when it is asked for


def state(
    workspace: Workspace,
    manifest: Manifest,
    *,
    viewer: Person | None = None,
    conversation: Conversation | None = None,
    thread_ts: str | None = None,
) -> JSON:
    """
    Write the workspace, with the messages, the modal and the app's Home that *viewer* sees.

    *conversation* narrows the messages to one, *thread_ts* to one thread of it. Without a viewer there are none.
    """
    written = surroundings_state(workspace, manifest, viewer=viewer) | {"messages": []}
    if viewer is not None:
        reader = Reader(workspace, viewer)
        for one in workspace.conversations.values():
            if visible(one, viewer) and (conversation is None or one is conversation):
                chosen = _messages(one, viewer, thread_ts)
                written["messages"] += [message_state(message, one, reader) for message in chosen]
    return written


def surroundings_state(workspace: Workspace, manifest: Manifest, *, viewer: Person | None) -> JSON:
    """Write all that *viewer* sees but messages: who and what is there, the modal and the app's Home."""
    seen = [one for one in workspace.conversations.values() if viewer is None or visible(one, viewer)]
    reader = Reader(workspace, viewer) if viewer else None
    has_home = viewer is not None and manifest.home_tab
    return {
        "team": {"id": workspace.team.id, "name": workspace.team.name},
        "app": app_state(workspace, manifest),
        "people": [person_state(person, workspace) for person in workspace.people.values()],
        "groups": [asdict(one) for one in workspace.groups.values()],
        "conversations": [conversation_state(one, workspace, viewer) for one in seen],
        "modal": modal_state(workspace, viewer, reader) if viewer and reader else None,
        "home": home_state(workspace, viewer, reader) if has_home and viewer and reader else None,
    }


def _messages(conversation: Conversation, viewer: Person, thread_ts: str | None) -> list[Message]:
    mine = [one for one in conversation.ephemerals.values() if one.ephemeral_to == viewer.id]
    if thread_ts is not None:
        parent = conversation.timeline.get(thread_ts)
        chosen = ([parent] if parent else []) + conversation.replies(thread_ts)
        chosen += [one for one in mine if one.thread_ts == thread_ts]
    else:
        chosen = list(conversation.timeline.values())[-MOST_MESSAGES:]
        replies = [reply for one in chosen for reply in conversation.replies(one.ts)][-MOST_MESSAGES:]
        chosen = list({one.ts: one for one in (*chosen, *replies, *mine[-MOST_MESSAGES:])}.values())
    return sorted(chosen, key=lambda message: message.ts)


def app_state(workspace: Workspace, manifest: Manifest) -> JSON:
    """Write the app with what it offers to people: its commands, and its shortcuts if it can be told of them."""
    return {
        "id": workspace.app.id,
        "name": workspace.app.name,
        "user_id": workspace.app.bot_user_id,
        "commands": [asdict(one) for one in manifest.commands.values()],
        "shortcuts": [asdict(one) for one in manifest.shortcuts] if manifest.interactivity else [],
        "has_home": manifest.home_tab,
    }


def person_state(person: Person, workspace: Workspace) -> JSON:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name,
        "title": person.title,
        "tz": person.tz,
        "is_bot": person.is_bot,
        "is_guest": person.is_guest,
        "is_admin": person.is_admin or person.is_owner,
        "team": workspace.team_of(person.id).name,
        "is_external": person.team is not None,
        "image": avatar_url(workspace, person.id),
    }


def conversation_state(conversation: Conversation, workspace: Workspace, viewer: Person | None) -> JSON:
    others = [one for one in conversation.members if viewer is None or one != viewer.id]
    names = ", ".join(workspace.people[one].name for one in others)
    return {
        "id": conversation.id,
        "kind": str(conversation.kind),
        "name": conversation.name if conversation.is_channel else names,
        "members": list(conversation.members),
        "is_member": viewer is not None and viewer.id in conversation.members,
        "is_archived": conversation.is_archived,
        "is_shared": bool(conversation.shared_with),
        "topic": conversation.topic,
        "has_app": workspace.app.bot_user_id in conversation.members,
    }


def file_state(file: File) -> JSON:
    """Write a file as people see it; its bytes are at `path`, for the page and for tests."""
    return {
        "id": file.id,
        "name": file.name,
        "title": _title(file),
        "mimetype": file.mimetype,
        "size": len(file.content),
        "alt_text": file.alt_text,
        "is_image": file.is_image,
        "is_deleted": file.is_deleted,
        "is_hidden": file.is_hidden,
        "external_url": file.external_url,
        "path": f"/_sandbox/slack/files/{file.id}",
    }


def _title(file: File) -> str:
    if file.is_deleted:
        return "This file was deleted."
    return "This file is hidden: it is older than the plan shows." if file.is_hidden else file.title


def message_state(message: Message, conversation: Conversation, reader: Reader) -> JSON:
    """Write a message both raw and as it is read."""
    face = message.face
    return {
        "conversation_id": conversation.id,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user_id": message.user_id,
        "author": reader.author(message),
        "image": face.icon_url if face else None,
        "by_app": message.by_app,
        "subtype": message.subtype,
        "text": message.text,
        "read": reader.message(message),
        "formatted": message.formatted,
        "mentions": reader.mentions(message),
        "links": links(message),
        "blocks": message.blocks,
        "attachments": message.attachments,
        "files": [file_state(file) for file in message.files],
        "reply_count": len(conversation.threads.get(message.ts, ())),
        "ephemeral": message.ephemeral_to is not None,
        "takes_shortcuts": takes_shortcuts(message),
        "edited": message.edited is not None,
        "reactions": {name: list(people) for name, people in message.reactions.items()},
        "reacted": reader.handles(message.reactions),
        "metadata": message.metadata,
    }
