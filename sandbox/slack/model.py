"""What a Slack workspace is made of: people, conversations and messages."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.slack.filler import Content

SLACKBOT_ID = "USLACKBOT"

#: The images that an image block takes, and that are shown rather than offered as a download. SVG is none of them.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif"})

Block = dict[str, Any]


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class Person:
    """A member of the workspace or of a shared channel: a human, an app's bot user, or Slackbot."""

    id: str
    handle: str  # what is typed after `@`
    name: str
    tz: str = "America/New_York"
    title: str = ""
    email: str = ""
    is_bot: bool = False
    is_guest: bool = False  # `is_restricted`: invited to some channels only
    is_admin: bool = False
    is_owner: bool = False  # and thereby an admin
    team: Team | None = None  # another workspace's, which Slack Connect brings together with this one

    @property
    def sees_only_their_own(self) -> bool:
        """Whether they see no public channel but those they are in."""
        return self.is_guest or self.team is not None


@dataclass(frozen=True)
class UserGroup:
    """A group of people who are mentioned together, as `@support-team`."""

    id: str
    handle: str
    name: str
    members: tuple[str, ...]
    is_disabled: bool = False


@dataclass(frozen=True)
class App:
    """An app installed in the workspace: the one that is being built, or another."""

    id: str
    bot_id: str
    bot_user_id: str
    name: str


class Kind(StrEnum):
    """The kinds of conversation, each named as the `types` argument names it."""

    PUBLIC = "public_channel"
    PRIVATE = "private_channel"
    IM = "im"
    MPIM = "mpim"


@dataclass(frozen=True)
class Face:
    """A name and picture chosen for one message, in place of the app's own."""

    username: str | None = None
    icon_url: str | None = None
    icon_emoji: str | None = None


@dataclass(eq=False)
class File:
    """A file that has been uploaded whole. Its types are empty until Slack has looked into it, a moment later."""

    id: str
    name: str
    title: str
    user_id: str  # who uploaded it; the bot user for the app
    created: int
    content: Content = b""
    alt_text: str = ""
    is_snippet: bool = False
    mimetype: str = ""
    filetype: str = ""
    is_deleted: bool = False
    is_hidden: bool = False  # it is older than the workspace's plan shows
    is_given: bool = False  # to the app, in a form
    external_url: str = ""  # where it is kept, if that is not Slack
    shared: list[tuple[str, str]] = field(default_factory=list)  # conversation and `ts` of each message it came with

    @property
    def is_image(self) -> bool:
        return self.mimetype in IMAGES


@dataclass
class Message:
    """One message. `ephemeral_to` is the only person who sees it, if it is ephemeral."""

    conversation_id: str
    ts: str
    user_id: str  # the author; the bot user for the app's own
    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None  # the parent's `ts`, on replies only
    subtype: str | None = None
    by_app: bool = False  # by the app that is being built
    another: App | None = None  # whose it is, if it is another app's
    face: Face | None = None
    metadata: dict[str, Any] | None = None
    formatted: bool = True  # bold and the like are drawn in its text; not with `mrkdwn: false`
    edited: tuple[str, str] | None = None  # by whom, and its `ts`
    reactions: dict[str, list[str]] = field(default_factory=dict)  # name to people, oldest first
    client_msg_id: str | None = None
    ephemeral_to: str | None = None
    inviter_id: str | None = None  # on join messages
    details: dict[str, Any] = field(default_factory=dict)  # further keys of a line of housekeeping, such as its `topic`
    files: list[File] = field(default_factory=list)
    revision: int = 0  # of its last change that can be seen, as `Changes` counts them


@dataclass
class Conversation:
    """A channel, a direct message or a group of people, with its messages in the order they were posted."""

    id: str
    kind: Kind
    name: str = ""
    members: list[str] = field(default_factory=list)
    creator_id: str = ""
    created: int = 0
    topic: str = ""
    purpose: str = ""
    shared_with: tuple[str, ...] = ()  # the other workspaces of a Slack Connect channel
    is_general: bool = False
    is_archived: bool = False
    timeline: dict[str, Message] = field(default_factory=dict)  # `ts` to message, broadcast replies included
    threads: dict[str, dict[str, Message]] = field(default_factory=dict)  # parent's `ts` to replies by `ts`
    parent_of: dict[str, str] = field(default_factory=dict)  # reply's `ts` to its parent's
    ephemerals: dict[str, Message] = field(default_factory=dict)
    gone: list[tuple[int, str]] = field(default_factory=list)  # revision and `ts` of what was taken away

    @property
    def is_channel(self) -> bool:
        return self.kind in {Kind.PUBLIC, Kind.PRIVATE}

    def find(self, ts: str) -> Message | None:
        """Return the message with this `ts`, a reply or not; never an ephemeral one."""
        if parent := self.parent_of.get(ts):
            return self.threads[parent].get(ts)
        return self.timeline.get(ts)

    def holds(self, message: Message) -> bool:
        """Say whether a message is still there, ephemeral or not."""
        return message is self.find(message.ts) or message is self.ephemerals.get(message.ts)

    def replies(self, ts: str) -> list[Message]:
        """Return the replies of one thread, oldest first, without the parent."""
        return list(self.threads.get(ts, {}).values())

    def store(self, message: Message, *, broadcast: bool = False) -> None:
        if message.ephemeral_to is not None:
            self.ephemerals[message.ts] = message
            return
        if message.thread_ts is not None:
            self.threads.setdefault(message.thread_ts, {})[message.ts] = message
            self.parent_of[message.ts] = message.thread_ts
        if message.thread_ts is None or broadcast:
            self.timeline[message.ts] = message

    def discard(self, message: Message) -> None:
        if message.ephemeral_to is not None:
            self.ephemerals.pop(message.ts, None)
            return
        self.timeline.pop(message.ts, None)
        if parent := self.parent_of.pop(message.ts, None):
            del self.threads[parent][message.ts]
            if not self.threads[parent]:
                del self.threads[parent]
