"""Which happenings the app hears of, and how Slack words them. Source: docs.slack.dev/reference/events."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.ids import new_id
from sandbox.slack.interactions import view_json
from sandbox.slack.manifest import SCOPE_OF_EVENT, Manifest
from sandbox.slack.model import Conversation, Kind, Message
from sandbox.slack.wire import JSON, message_json
from sandbox.slack.workspace import Changed, Deleted, Happening, Joined, Posted, Reacted, VisitedApp, Workspace

#: Kind of conversation to the `channel_type` of a message event, and to the manifest's name for it.
CHANNEL_TYPE = {Kind.PUBLIC: "channel", Kind.PRIVATE: "group", Kind.IM: "im", Kind.MPIM: "mpim"}
MESSAGE_EVENT = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.IM: "message.im",
    Kind.MPIM: "message.mpim",
}


class Events:
    """Turns happenings into the event bodies that the app has subscribed to and may see."""

    def __init__(self, workspace: Workspace, manifest: Manifest) -> None:
        self._workspace = workspace
        self._manifest = manifest

    def bodies(self, happening: Happening) -> Iterator[JSON]:
        """Yield the outer body of each event that *happening* is worth; none if the app is not to know."""
        for name, event in self._events(happening):
            if self._subscribed(name):
                yield self._body(event)

    def _subscribed(self, name: str) -> bool:
        scope = SCOPE_OF_EVENT[name]
        return name in self._manifest.bot_events and (scope is None or scope in self._manifest.scopes)

    def _events(self, happening: Happening) -> Iterator[tuple[str, JSON]]:
        bot = self._workspace.app.bot_user_id
        conversation = self._conversation(happening)
        if bot not in conversation.members:
            return
        match happening:
            case Posted(message):
                written = self._posted(message, conversation)
                yield MESSAGE_EVENT[conversation.kind], written
                said = message.subtype in {None, "file_share"}
                if f"<@{bot}" in message.text and conversation.kind is not Kind.IM and said:
                    yield (
                        "app_mention",
                        {k: v for k, v in written.items() if k != "channel_type"} | {"type": "app_mention"},
                    )
            case Changed(message, previous):
                yield (
                    MESSAGE_EVENT[conversation.kind],
                    self._hidden(
                        conversation,
                        subtype="message_changed",
                        message=message_json(message, self._workspace),
                        previous_message=message_json(previous, self._workspace),
                    ),
                )
            case Deleted(message):
                yield (
                    MESSAGE_EVENT[conversation.kind],
                    self._hidden(
                        conversation,
                        subtype="message_deleted",
                        deleted_ts=message.ts,
                        previous_message=message_json(message, self._workspace),
                    ),
                )
            case Joined(_, user_id, inviter_id):
                yield "member_joined_channel", self._joined(conversation, user_id, inviter_id)
            case Reacted(message, user_id, reaction, added):
                yield (
                    "reaction_added" if added else "reaction_removed",
                    self._reacted(message, user_id, reaction, added=added),
                )
            case VisitedApp(_, user_id, tab):
                yield "app_home_opened", self._visited(conversation, user_id, tab)

    def _conversation(self, happening: Happening) -> Conversation:
        match happening:
            case Joined(conversation) | VisitedApp(conversation):
                return conversation
            case Posted(message) | Changed(message) | Deleted(message) | Reacted(message):
                return self._workspace.conversations[message.conversation_id]

    def _posted(self, message: Message, conversation: Conversation) -> JSON:
        written = message_json(message, self._workspace)
        if message.subtype == "thread_broadcast" and message.thread_ts in conversation.timeline:
            written["root"] = message_json(conversation.timeline[message.thread_ts], self._workspace)
        return written | {
            "channel": conversation.id,
            "channel_type": CHANNEL_TYPE[conversation.kind],
            "event_ts": message.ts,
        }

    def _hidden(self, conversation: Conversation, **parts: Any) -> JSON:
        ts = self._workspace.timestamps.next()
        return {
            "type": "message",
            **parts,
            "channel": conversation.id,
            "channel_type": CHANNEL_TYPE[conversation.kind],
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
        }

    def _joined(self, conversation: Conversation, user_id: str, inviter_id: str | None) -> JSON:
        event = {
            "type": "member_joined_channel",
            "user": user_id,
            "channel": conversation.id,
            "channel_type": "C" if conversation.kind is Kind.PUBLIC else "G",
            "team": self._workspace.team.id,
            "event_ts": self._workspace.timestamps.next(),
        }
        return event | ({"inviter": inviter_id} if inviter_id else {})

    def _reacted(self, message: Message, user_id: str, reaction: str, *, added: bool) -> JSON:
        return {
            "type": "reaction_added" if added else "reaction_removed",
            "user": user_id,
            "reaction": reaction,
            "item": {"type": "message", "channel": message.conversation_id, "ts": message.ts},
            "item_user": message.user_id,
            "event_ts": self._workspace.timestamps.next(),
        }

    def _visited(self, conversation: Conversation, user_id: str, tab: str) -> JSON:
        """Write a visit; of the Home tab with the view that was published there, if there is one."""
        event = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": conversation.id,
            "tab": tab,
            "event_ts": self._workspace.timestamps.next(),
        }
        home = self._workspace.views.home(user_id) if tab == "home" else None
        return event | ({"view": view_json(home, self._workspace)} if home else {})

    def _body(self, event: JSON) -> JSON:
        team, app = self._workspace.team, self._workspace.app
        return {
            "token": "sandbox",
            "team_id": team.id,
            "context_team_id": team.id,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(self._workspace.clock.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team.id,
                    "user_id": app.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{new_id('EC')}",
        }
