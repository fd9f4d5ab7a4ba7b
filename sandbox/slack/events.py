"""Which happenings the app hears of, and how Slack words them. Source: docs.slack.dev/reference/events."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from sandbox.slack.happenings import Changed, Deleted, DeletedFile, Happening, Joined, Posted, Reacted, VisitedApp
from sandbox.slack.ids import new_id
from sandbox.slack.interactions import view_json
from sandbox.slack.manifest import SCOPE_OF_EVENT, Manifest
from sandbox.slack.model import Conversation, File, Kind, Message
from sandbox.slack.wire import JSON, message_json
from sandbox.slack.workspace import Workspace

#: Kind of conversation to the `channel_type` of a message event, and to the manifest's name for it.
CHANNEL_TYPE = {Kind.PUBLIC: "channel", Kind.PRIVATE: "group", Kind.IM: "im", Kind.MPIM: "mpim"}
MESSAGE_EVENT = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.IM: "message.im",
    Kind.MPIM: "message.mpim",
}


class Replied(StrEnum):
    """Whether each reply in a thread is a `message_replied` as well."""

    OFF = "off"
    DOCUMENTED = "documented"
    SEEN = "seen"  # without its subtype, which Slack's own page warns of


class Events:
    """Turns happenings into the event bodies that the app has subscribed to and may see."""

    def __init__(self, workspace: Workspace, manifest: Manifest) -> None:
        self.replied = Replied.OFF
        self._workspace = workspace
        self._manifest = manifest

    def bodies(self, happening: Happening) -> Iterator[JSON]:
        """Yield the outer body of each event that *happening* is worth; none if the app is not to know."""
        for name, event in self._events(happening):
            if self._subscribed(name):
                yield self._body(event, shared=self._is_shared(happening))

    def _subscribed(self, name: str) -> bool:
        scope = SCOPE_OF_EVENT[name]
        return name in self._manifest.bot_events and (scope is None or scope in self._manifest.scopes)

    def _events(self, happening: Happening) -> Iterator[tuple[str, JSON]]:
        if isinstance(happening, DeletedFile):
            if self._workspace.file_for_app(happening.file.id):
                yield "file_deleted", self._deleted_file(happening.file)
            return
        bot = self._workspace.app.bot_user_id
        conversation = self._conversation(happening)
        if bot not in conversation.members:
            return
        match happening:
            case Posted(message):
                yield from self._of_post(message, conversation)
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

    def _of_post(self, message: Message, conversation: Conversation) -> Iterator[tuple[str, JSON]]:
        """Yield what a post is told as: a message, a mention of the bot, its files, a thread that has grown."""
        bot, written = self._workspace.app.bot_user_id, self._posted(message, conversation)
        yield MESSAGE_EVENT[conversation.kind], written
        said = message.subtype in {None, "file_share"}
        if f"<@{bot}" in message.text and conversation.kind is not Kind.IM and said:
            mention = {key: value for key, value in written.items() if key != "channel_type"}
            yield "app_mention", mention | {"type": "app_mention"}
        for file in message.files:
            yield "file_shared", self._shared_file(file, message)
        if message.thread_ts is not None and self.replied is not Replied.OFF:
            yield MESSAGE_EVENT[conversation.kind], self._replied(message.thread_ts, conversation)

    def _is_shared(self, happening: Happening) -> bool:
        """Say whether something happened in a channel that is shared with another workspace."""
        return not isinstance(happening, DeletedFile) and bool(self._conversation(happening).shared_with)

    def _conversation(self, happening: Posted | Changed | Deleted | Joined | Reacted | VisitedApp) -> Conversation:
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

    def _replied(self, parent_ts: str, conversation: Conversation) -> JSON:
        """Write that a thread has grown: its parent, with everybody who replied and when."""
        parent = message_json(conversation.timeline[parent_ts], self._workspace)
        parent["replies"] = [{"user": one.user_id, "ts": one.ts} for one in conversation.replies(parent_ts)]
        written = self._hidden(conversation, subtype="message_replied", message=parent, thread_ts=parent_ts)
        return written if self.replied is Replied.DOCUMENTED else {k: v for k, v in written.items() if k != "subtype"}

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

    def _shared_file(self, file: File, message: Message) -> JSON:
        """Write that a file came with a message. It is an id and no more: `files.info` tells the rest."""
        return {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": message.user_id,
            "file": {"id": file.id},
            "channel_id": message.conversation_id,
            "event_ts": self._workspace.timestamps.next(),
        }

    def _deleted_file(self, file: File) -> JSON:
        return {"type": "file_deleted", "file_id": file.id, "event_ts": self._workspace.timestamps.next()}

    def _joined(self, conversation: Conversation, user_id: str, inviter_id: str | None) -> JSON:
        event = {
            "type": "member_joined_channel",
            "user": user_id,
            "channel": conversation.id,
            "channel_type": "C" if conversation.kind is Kind.PUBLIC else "G",
            "team": self._workspace.team_of(user_id).id,
            "event_ts": self._workspace.timestamps.next(),
        }
        return event | ({"inviter": inviter_id} if inviter_id else {})

    def _reacted(self, message: Message, user_id: str, reaction: str, *, added: bool) -> JSON:
        event = {
            "type": "reaction_added" if added else "reaction_removed",
            "user": user_id,
            "reaction": reaction,
            "item": {"type": "message", "channel": message.conversation_id, "ts": message.ts},
            "event_ts": self._workspace.timestamps.next(),
        }
        # A post under a name of its own has no `user`, and so nobody whose item it is.
        return event | ({"item_user": message.user_id} if message.face is None else {})

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

    def _body(self, event: JSON, *, shared: bool) -> JSON:
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
            "is_ext_shared_channel": shared,
            "event_context": f"4-{new_id('EC')}",
        }
