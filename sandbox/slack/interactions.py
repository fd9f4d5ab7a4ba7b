"""
What interactive payloads say of who acted, and where.

Source: docs.slack.dev/reference/interaction-payloads.
"""

from typing import Any

from sandbox.slack.model import Conversation, Message, Person
from sandbox.slack.views import View, values
from sandbox.slack.wire import message_json, name_for_app
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


def interaction(kind: str, person: Person, workspace: Workspace) -> JSON:
    """
    Write the keys that all payloads have; a `trigger_id` is for those that may open a view.

    The team is that of the person, who may be of another workspace than the app.
    """
    team = workspace.team_of(person.id)
    return {
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.handle,
            "name": person.handle,
            "team_id": team.id,
        },
        "api_app_id": workspace.app.id,
        "token": "sandbox",
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def in_message(message: Message, conversation: Conversation, workspace: Workspace) -> JSON:
    """Write what tells that somebody acted in a message. An ephemeral message itself is not told."""
    ephemeral = message.ephemeral_to is not None
    container: JSON = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": conversation.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    written = {"container": container, "channel": {"id": conversation.id, "name": name_for_app(conversation)}}
    return written if ephemeral else written | {"message": message_json(message, workspace, all_metadata=True)}


def in_view(view: View, workspace: Workspace) -> JSON:
    """Write what tells that somebody acted in a view, which has no channel and no message."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view_json(view, workspace, state=values(view))}


def view_json(view: View, workspace: Workspace, *, state: JSON | None = None) -> JSON:
    """
    Write a view. *state*: what was entered, which only interactions tell.

    The Web API's answers and `view_closed` have an empty one.
    """
    return {
        "id": view.id,
        "team_id": workspace.team.id,
        "app_id": workspace.app.id,
        "app_installed_team_id": workspace.team.id,
        "bot_id": workspace.app.bot_id,
        **view.content,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": state or {}},
    }
