"""The workspace: who is where, what was said, and a call to whoever listens each time something happens."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.slack import seed
from sandbox.slack.errors import SlackError
from sandbox.slack.happenings import Changed, Deleted, DeletedFile, Happening, Joined, Posted, Reacted, VisitedApp
from sandbox.slack.ids import Timestamps, new_id
from sandbox.slack.model import (
    SLACKBOT_ID,
    App,
    Block,
    Conversation,
    Face,
    File,
    Kind,
    Message,
    Person,
    Team,
    UserGroup,
)
from sandbox.slack.pictures import check_pictures
from sandbox.slack.triggers import Triggers
from sandbox.slack.views import Views


class Workspace:
    """People, conversations and messages. Its methods know Slack's rules about messages, not about permissions."""

    def __init__(self, clock: Clock, changes: Changes, *, app_name: str, bot_name: str) -> None:
        self.clock = clock
        self.changes = changes
        self.url = ""  # where the workspace is served, once it is
        self.team = seed.TEAM
        self.app: App = seed.the_app(app_name)
        self.apps = (self.app, seed.ANOTHER)
        bot = seed.bot_user(bot_name, app_name)
        everybody = (*seed.HUMANS, *seed.OUTSIDERS, bot, seed.ANOTHER_BOT, seed.SLACKBOT)
        self.people: dict[str, Person] = {person.id: person for person in everybody}
        self.conversations: dict[str, Conversation] = {one.id: one for one in seed.conversations()}
        self.groups: dict[str, UserGroup] = {seed.SUPPORT_TEAM.id: seed.SUPPORT_TEAM}
        self.files: dict[str, File] = {}  # the uploaded ones by id, deleted ones included
        self.timestamps = Timestamps(clock)
        self.triggers = Triggers(clock)
        self.views = Views(clock, changes)
        self.listeners: list[Callable[[Happening], None]] = []

    # Finding

    def person_called(self, name: str) -> Person | None:
        """Find a person by what is typed after `@`: the handle, or the full name without spaces."""
        wanted = name.lower()
        return next(
            (
                person
                for person in self.people.values()
                if wanted in {person.handle.lower(), person.name.lower(), person.name.lower().replace(" ", ".")}
            ),
            None,
        )

    def team_of(self, user_id: str) -> Team:
        """Return the workspace that somebody belongs to."""
        return self.people[user_id].team or self.team

    def channel_called(self, name: str) -> Conversation | None:
        return next((one for one in self.conversations.values() if one.is_channel and one.name == name), None)

    def direct(self, one: str, other: str) -> Conversation | None:
        """Find the direct message between two people, if they have opened one."""
        both = {one, other}
        return next(
            (found for found in self.conversations.values() if found.kind is Kind.IM and set(found.members) == both),
            None,
        )

    def open_direct(self, members: list[str]) -> tuple[Conversation, bool]:
        """Return the direct or group message of exactly these people, and whether it was there already."""
        wanted = set(members)
        for found in self.conversations.values():
            if not found.is_channel and set(found.members) == wanted:
                return found, True
        kind = Kind.IM if len(wanted) <= 2 else Kind.MPIM  # noqa: PLR2004 (two people make a direct message)
        name = "mpdm-" + "--".join(self.people[one].handle for one in members) + "-1" if kind is Kind.MPIM else ""
        opened = Conversation(
            new_id("D" if kind is Kind.IM else "C"),
            kind,
            name,
            list(members),
            creator_id=members[0],
            created=int(self.clock.now()),
            shared_with=self._elsewhere(members),
        )
        self.conversations[opened.id] = opened
        self.changes.bump()
        return opened, False

    # Places

    def create_channel(self, name: str, *, members: list[str], private: bool) -> Conversation:
        if self.channel_called(name):
            raise SlackError("name_taken")
        made = Conversation(
            new_id("C"),
            Kind.PRIVATE if private else Kind.PUBLIC,
            name,
            list(members),
            creator_id=members[0] if members else "",
            created=int(self.clock.now()),
            shared_with=self._elsewhere(members),
        )
        self.conversations[made.id] = made
        self.changes.bump()
        return made

    def join(self, conversation: Conversation, user_id: str, *, inviter_id: str | None = None) -> None:
        """Add a member to a channel; everybody reads a line about it."""
        if user_id in conversation.members:
            return
        conversation.members.append(user_id)
        conversation.shared_with = tuple(dict.fromkeys((*conversation.shared_with, *self._elsewhere([user_id]))))
        self._happened(Joined(conversation, user_id, inviter_id))
        self.post(
            conversation,
            user_id,
            text=f"<@{user_id}> has joined the channel",
            subtype="channel_join" if conversation.kind is Kind.PUBLIC else "group_join",
            inviter_id=inviter_id,
        )

    def _elsewhere(self, user_ids: list[str]) -> tuple[str, ...]:
        """Return the other workspaces that these people come from."""
        teams = [self.people[one].team for one in user_ids]
        return tuple(dict.fromkeys(team.id for team in teams if team is not None))

    def leave(self, conversation: Conversation, user_id: str) -> None:
        if user_id not in conversation.members:
            return
        subtype = "channel_leave" if conversation.kind is Kind.PUBLIC else "group_leave"
        self.post(conversation, user_id, text=f"<@{user_id}> has left the channel", subtype=subtype)
        conversation.members.remove(user_id)
        self.changes.bump()

    def archive(self, conversation: Conversation, *, archived: bool, user_id: str) -> None:
        """Close a channel or open it again; everybody reads a line about it."""
        if conversation.is_archived is archived:
            return
        conversation.is_archived = archived
        word = "archive" if archived else "unarchive"
        line = f"<@{user_id}> {word}d the channel"
        self._keep_house(conversation, user_id, word, line, members=list(conversation.members))

    def describe(self, conversation: Conversation, user_id: str, *, topic: str | None, purpose: str | None) -> None:
        """Set a channel's topic, its purpose or both."""
        if topic is not None:
            conversation.topic = topic
            line = f"<@{user_id}> set the channel topic: {topic}"
            self._keep_house(conversation, user_id, "topic", line, topic=topic)
        if purpose is not None:
            conversation.purpose = purpose
            line = f"<@{user_id}> set the channel description: {purpose}"
            self._keep_house(conversation, user_id, "purpose", line, purpose=purpose)

    def rename(self, conversation: Conversation, user_id: str, name: str) -> None:
        if self.channel_called(name):
            raise SlackError("name_taken")
        old, conversation.name = conversation.name, name
        line = f'<@{user_id}> has renamed the channel from "{old}" to "{name}"'
        self._keep_house(conversation, user_id, "name", line, old_name=old, name=name)

    def _keep_house(self, conversation: Conversation, user_id: str, word: str, line: str, **details: Any) -> None:
        """Post a line of housekeeping: `channel_topic` and such, or in a private channel `group_topic`."""
        kind = "channel" if conversation.kind is Kind.PUBLIC else "group"
        self.post(conversation, user_id, text=line, subtype=f"{kind}_{word}", details=details)

    # Messages

    def post(
        self,
        conversation: Conversation,
        user_id: str,
        *,
        text: str = "",
        blocks: list[Block] | None = None,
        attachments: list[dict[str, Any]] | None = None,
        thread_ts: str | None = None,
        broadcast: bool = False,
        by_app: bool = False,
        face: Face | None = None,
        metadata: dict[str, Any] | None = None,
        formatted: bool = True,
        subtype: str | None = None,
        inviter_id: str | None = None,
        details: dict[str, Any] | None = None,
        another: App | None = None,
        ephemeral_to: str | None = None,
        files: list[File] | None = None,
        quiet: bool = False,
    ) -> Message:
        """
        Post a message. A *thread_ts* whose message is gone puts it at the conversation's root, as Slack does.

        *another*: whose it is, if it is another app's. *formatted*: bold and the like are drawn. *quiet*: the app does
        not hear of it; it never hears of ephemeral messages. Raises SlackError for pictures in *blocks* that the app
        may not show.
        """
        if by_app:
            self.check_pictures(blocks or [])
        if thread_ts is not None and conversation.find(thread_ts) is None:
            thread_ts = None
        typed = not by_app and another is None and subtype in {None, "file_share"}
        message = Message(
            conversation.id,
            self.timestamps.next(),
            user_id,
            text=text,
            blocks=blocks or [],
            attachments=attachments or [],
            thread_ts=thread_ts,
            subtype=subtype or ("thread_broadcast" if broadcast and thread_ts else None),
            by_app=by_app,
            face=face,
            metadata=metadata,
            formatted=formatted,
            client_msg_id=str(uuid4()) if typed else None,
            inviter_id=inviter_id,
            details=details or {},
            another=another,
            ephemeral_to=ephemeral_to,
            files=list(files or []),
        )
        conversation.store(message, broadcast=broadcast)
        self.touch(message)
        self._touch_parent(message)
        for file in message.files:
            file.shared.append((conversation.id, message.ts))
        if ephemeral_to is None and not quiet:
            self._happened(Posted(message))
        self.changes.bump()
        return message

    def edit(
        self,
        message: Message,
        *,
        text: str,
        blocks: list[Block] | None = None,
        attachments: list[dict[str, Any]] | None = None,
        metadata: dict[str, Any] | None = None,
        marked: bool = True,
    ) -> None:
        """Replace a message's content. *marked*: readers see "(edited)". *metadata*: None keeps it, `{}` removes it."""
        if message.by_app:
            self.check_pictures(blocks or [])
        previous = replace(message, reactions=dict(message.reactions))
        message.text, message.formatted = text, True  # an update cannot ask for anything else
        message.blocks = blocks or []
        message.attachments = attachments or []
        if metadata is not None:
            message.metadata = metadata or None
        if marked:
            message.edited = (message.user_id, self.timestamps.next())
        self.touch(message)
        if message.ephemeral_to is None:
            self._happened(Changed(message, previous))
        self.changes.bump()

    def unfurl(self, message: Message, attachments: list[dict[str, Any]]) -> None:
        """Add what Slack found behind a message's links. To the app that is a change; nobody has edited anything."""
        previous = replace(message, reactions=dict(message.reactions))
        message.attachments = [*message.attachments, *attachments]
        self.touch(message)
        self._happened(Changed(message, previous))
        self.changes.bump()

    def delete(self, message: Message) -> None:
        """Take a message away. A parent with replies leaves a tombstone, which goes with its last reply."""
        conversation = self.conversations[message.conversation_id]
        if message.ephemeral_to is None and conversation.replies(message.ts):
            previous = replace(message)
            message.subtype = "tombstone"
            message.user_id = SLACKBOT_ID
            message.text = "This message was deleted."
            message.by_app, message.another, message.details = False, None, {}
            message.blocks, message.attachments, message.reactions, message.files = [], [], {}, []
            message.face = message.metadata = message.edited = message.client_msg_id = None
            self.touch(message)
            self._happened(Changed(message, previous))
        else:
            self._discard(conversation, message)
            if message.ephemeral_to is None:
                self._happened(Deleted(message))
            self._touch_parent(message)
            self._bury(conversation, message.thread_ts)
        self.changes.bump()

    def _bury(self, conversation: Conversation, parent_ts: str | None) -> None:
        parent = conversation.timeline.get(parent_ts or "")
        if parent and parent.subtype == "tombstone" and not conversation.replies(parent.ts):
            self._discard(conversation, parent)

    def _discard(self, conversation: Conversation, message: Message) -> None:
        conversation.discard(message)
        conversation.gone.append((self.changes.revision + 1, message.ts))

    def touch(self, *messages: Message) -> None:
        """Note that messages look different from the next revision on, which the caller brings about."""
        for message in messages:
            message.revision = self.changes.revision + 1

    def _touch_parent(self, message: Message) -> None:
        """What stands below the first message of a thread tells of its replies."""
        if parent := self.conversations[message.conversation_id].find(message.thread_ts or ""):
            self.touch(parent)

    def react(self, message: Message, user_id: str, reaction: str) -> None:
        people = message.reactions.setdefault(reaction, [])
        if user_id in people:
            raise SlackError("already_reacted")
        people.append(user_id)
        self.touch(message)
        self._happened(Reacted(message, user_id, reaction, added=True))
        self.changes.bump()

    def unreact(self, message: Message, user_id: str, reaction: str) -> None:
        people = message.reactions.get(reaction, [])
        if user_id not in people:
            raise SlackError("no_reaction")
        people.remove(user_id)
        if not people:
            del message.reactions[reaction]
        self.touch(message)
        self._happened(Reacted(message, user_id, reaction, added=False))
        self.changes.bump()

    # Files

    def shares(self, file: File) -> list[Message]:
        """Return the messages that a file is in, oldest first."""
        found = (self.conversations[conversation_id].find(ts) for conversation_id, ts in file.shared)
        return [message for message in found if message is not None and file in message.files]

    def file_for_app(self, file_id: str) -> File | None:
        """Find a file that the app may see: its own, one given to it, or one where it is a member. Maybe deleted."""
        file, bot = self.files.get(file_id), self.app.bot_user_id
        if file is None or file.user_id == bot or file.is_given:
            return file
        places = (self.conversations[conversation_id] for conversation_id, _ in file.shared)
        return file if any(bot in one.members for one in places) else None

    def check_pictures(self, blocks: list[Block]) -> None:
        """Refuse blocks with a `slack_file` that the app may not show. Raises SlackError."""
        check_pictures(blocks, self.file_for_app)

    def delete_file(self, file: File) -> None:
        """Delete a file. The messages that it was in keep a tombstone of it."""
        gone = replace(file, content=b"", mimetype="", filetype="", is_deleted=True)
        self.files[file.id] = gone
        for message in self.shares(file):
            previous = replace(message)
            message.files = [gone if one is file else one for one in message.files]
            self.touch(message)
            self._happened(Changed(message, previous))
        self._happened(DeletedFile(gone))
        self.changes.bump()

    def visit_app(self, user_id: str, tab: str = "messages") -> None:
        conversation, _ = self.open_direct([user_id, self.app.bot_user_id])
        self._happened(VisitedApp(conversation, user_id, tab))

    def _happened(self, happening: Happening) -> None:
        for listener in self.listeners:
            listener(happening)
