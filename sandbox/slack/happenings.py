"""What happens in a workspace, as those who listen are told."""

from dataclasses import dataclass

from sandbox.slack.model import Conversation, File, Message


@dataclass(frozen=True)
class Posted:
    message: Message


@dataclass(frozen=True)
class Changed:
    """A message was edited, unfurled, lost a file, or became the tombstone of a thread."""

    message: Message
    previous: Message


@dataclass(frozen=True)
class Deleted:
    message: Message


@dataclass(frozen=True)
class Joined:
    conversation: Conversation
    user_id: str
    inviter_id: str | None


@dataclass(frozen=True)
class Reacted:
    message: Message
    user_id: str
    reaction: str
    added: bool


@dataclass(frozen=True)
class DeletedFile:
    file: File


@dataclass(frozen=True)
class VisitedApp:
    """A person opened their direct message with the app."""

    conversation: Conversation
    user_id: str
    tab: str


Happening = Posted | Changed | Deleted | Joined | Reacted | DeletedFile | VisitedApp
