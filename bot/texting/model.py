"""What the bot talks about: people, the channels that reach them, and what became of each text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NewType, TypeVar
from uuid import UUID

T = TypeVar("T")

#: Where a person is texted: a phone in E.164 (`+15551234567`) or an email address in lower case.
Address = NewType("Address", str)


class Channel(StrEnum):
    """How a text travels to a phone."""

    IMESSAGE = "imessage"
    RCS = "rcs"
    SMS = "sms"


class DeliveryStatus(StrEnum):
    """The fate of one text. It only ever moves forward; see `routing.advance`."""

    QUEUED = "queued"  # stored here, or accepted by Blooio and not handed over yet
    SENT = "sent"  # handed to Apple or the carrier; on SMS this may be the last word
    DELIVERED = "delivered"  # confirmed by the person's device
    READ = "read"  # iMessage only, and only if the person allows it
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one person can receive. None is *unknown*, which is not no."""

    imessage: bool | None
    sms: bool | None
    checked_at: datetime  # aware UTC


@dataclass(frozen=True, slots=True)
class Author:
    """The person in Slack who wrote a text."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone we text."""

    id: int
    team_id: str
    address: Address
    name: str | None
    capabilities: Capabilities | None  # None: never checked
    opted_out_since: datetime | None = None  # they want no texts


@dataclass(frozen=True, slots=True)
class Thread:
    """One person's thread in Slack: one per (team, our line, person), for good."""

    id: int
    line: str  # our number, E.164; "" while Blooio chooses
    conversation_id: str  # Slack channel, DM or group DM; "" while there is none for somebody who wrote first
    card_ts: str | None  # the card's `ts`, which is the thread's; None until it is posted
    channel: Channel | None  # really used last, once it was another than expected
    owner: Author | None  # who looks after it; None: nobody yet
    done_at: datetime | None = None  # None: it is open
    done_by: str | None = None  # the name of whoever said so
    waiting_since: datetime | None = None  # they wrote then, and nobody has answered since


@dataclass(frozen=True, slots=True)
class Choices:
    """How a channel in Slack wants its threads; what is so unless it chooses."""

    replies: str = "texted"  # texted, asked_for (by the button or by naming the bot) or never
    quiet_minutes: int = 60  # between two announcements of new texts; 0: there are none


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file in Slack that goes out with a text."""

    file_id: str
    name: str
    media_type: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One text to one person."""

    id: UUID
    key: UUID  # the idempotency key of every attempt: the id, until Blooio refuses it for good under that
    thread_id: int
    body: str
    author: Author
    status: DeliveryStatus
    expected_channel: Channel | None  # chosen from the capabilities; None before the check or when it told nothing
    actual_channel: Channel | None  # what Blooio really used; None until it is known
    message_id: str | None  # Blooio's id, once it accepted the text
    attempts: int
    attempted_at: datetime | None  # the first attempt
    retry_at: datetime | None  # the next attempt, while waiting for it
    requested_at: datetime
    accepted_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    error_code: str | None  # `TextingError.code`
    error_words: str | None  # what a person is told about it
    held_since: datetime | None = None  # waits for the person's reply, because Blooio wants one first
    told_at: datetime | None = None  # when Blooio last told us of it unasked
    reactions: tuple[str, ...] = ()  # what the person put on it, oldest first: "love", or an emoji
    again_by: str | None = None  # who sent it once more, after it had failed
    typed: bool = False  # in the thread: its author's own message shows it
    automatic: bool = False  # a confirmation that the bot sends by itself
    files: tuple[OutboundFile, ...] = ()

    @property
    def channel(self) -> Channel | None:
        """The channel really used, or until that is known the expected one."""
        return self.actual_channel or self.expected_channel


@dataclass(frozen=True, slots=True)
class Request:
    """A text somebody asked for in Slack."""

    key: str  # the same for a repeat of the same request
    team_id: str
    conversation_id: str  # where it was asked for
    author: Author
    address: Address
    body: str
    instead_of: UUID | None = None  # the failed text that this one is sent in place of
    line: str | None = None  # the number of ours that they chose; None: the best one
    typed: bool = False  # in the thread, where their own message shows it
    automatic: bool = False  # a confirmation that the bot sends by itself: it goes to those who opted out, too
    files: tuple[OutboundFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Requested:
    """A text that is safely stored."""

    delivery: Delivery
    thread: Thread
    person: Person


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody before they are texted, perhaps for the first time."""

    capabilities: Capabilities | None  # None: never checked
    thread: Thread | None
    opted_out: Person | None = None  # who they are, if they want no texts
    wrote_first: bool = False  # in that thread: then also a number of ours may text them that can only reply


@dataclass(frozen=True, slots=True)
class Accepted:
    """Blooio's answer to a send: it has the text."""

    message_id: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What Blooio says of one text, asked or told. Times are aware UTC."""

    status: DeliveryStatus | None  # None: a word we do not know; keep what we have
    channel: Channel | None  # None: not settled yet, or a word we do not know
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    error_code: str | None = None  # with `failed`: `TextingError.code`
    error_words: str | None = None  # with `failed`: what a person is told


@dataclass(frozen=True, slots=True)
class Told:
    """All that Blooio told us of one text so far, unasked."""

    reports: tuple[StatusReport, ...]
    reactions: tuple[str, ...] | None  # the person's, oldest first, without those taken back; None: none is told of


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of the address book in Blooio."""

    address: Address
    name: str | None
    tags: tuple[str, ...] = ()
    last_message_at: datetime | None = None
    opted_out_since: datetime | None = None  # known of those in our copy only


@dataclass(frozen=True, slots=True)
class History:
    """What there was with a person so far."""

    person: Person
    thread: Thread | None  # of the last text
    texts: tuple[Delivery, ...]  # the last ones, newest first
    homes: Mapping[int, str] = field(default_factory=dict)  # the conversation of each of their threads
    unseen: frozenset[UUID] = frozenset()  # texts whose words are not for whoever looks


@dataclass(frozen=True, slots=True)
class Line:
    """One of our own numbers."""

    phone: str  # E.164
    active: bool
    reply_only: bool  # plan `inbound`: it may answer people who wrote first, and nothing else


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key we hold, and the numbers it may text from."""

    valid: bool
    organization: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a text, where it can be fetched. Its address may expire: fetch it soon."""

    url: str
    name: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One text as Blooio remembers it: what catching up and looking up a lost answer read."""

    message_id: str
    inbound: bool
    text: str  # "" when only files came
    attachments: tuple[Attachment, ...]
    line: str | None  # our number, E.164
    report: StatusReport  # of an inbound text, `sent_at` is when they sent it
    reply_to: str | None = None  # Blooio's id of the text that it quotes


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation in Blooio's list. Two that are equal have the same texts. Times are aware UTC."""

    chat_id: str
    address: Address | None  # with whom; None: a group
    last_at: datetime | None  # the last text in either direction; None: Blooio does not say
    last_inbound_at: datetime | None  # None: they never wrote
    inbound: int | None  # how many texts of theirs there are; None: Blooio does not say


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """How far Blooio's list of chats was read. Times are aware UTC, by Blooio's clock."""

    moment: datetime  # all that was written until then is stored
    began_at: datetime  # what was written before that is not read


@dataclass(frozen=True, slots=True)
class Received:
    """A text from a person as it reaches us."""

    message_id: str
    address: Address
    line: str | None  # the number of ours that they wrote to, E.164
    text: str  # "" when only files came
    attachments: tuple[Attachment, ...]
    channel: Channel | None
    at: datetime | None  # when they wrote; None: Blooio does not say
    told: bool  # by a webhook; False: read in Blooio's list
    reply_to: str | None = None  # Blooio's id of the text that they quoted
    listed: frozenset[str] = frozenset()  # Blooio's ids of all texts that stand in its list around this one, if read


class FileStatus(StrEnum):
    """What became of a file that a person sent."""

    WAITING = "waiting"  # still to be fetched
    SHARED = "shared"  # in the thread
    REFUSED = "refused"  # too large, of a wrong kind, or not there any more


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that a person sent."""

    id: UUID
    url: str
    name: str | None
    media_type: str | None
    status: FileStatus = FileStatus.WAITING
    problem: str | None = None  # why it was refused, as it goes on after its name
    again: bool = False  # it was refused, and trying again may help


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text from a person, in their thread."""

    id: UUID
    message_id: str
    thread_id: int
    body: str  # as they wrote it
    channel: Channel | None
    written_at: datetime
    received_at: datetime
    files: tuple[InboundFile, ...] = ()
    quoted: str | None = None  # the words of ours that they answer to
    reactions: tuple[str, ...] = ()  # what they put on it themselves: "love", or an emoji


class OptWord(StrEnum):
    """What a text means that is nothing but a standard word."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Opting:
    """A text that is nothing but a standard word."""

    word: OptWord
    written: str  # which of the words that mean it, in capitals
    answer: str | None  # what is texted back; None: nothing
    author: Author  # who does that: the bot


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text from a person that is safely stored."""

    inbound: Inbound
    thread: Thread
    person: Person
    news: bool  # False: it was stored before


#: `Remark.kind`: a reply was edited, or deleted, after it had been texted.
REPLY_EDITED, REPLY_DELETED = "reply_edited", "reply_deleted"


class Fate(StrEnum):
    """What becomes of what somebody types in a thread."""

    TEXTED = "texted"
    NOTE = "note"  # stays here
    ASKED = "asked"  # whether it is to be texted: until they say so it is not
    REFUSED = "refused"  # could not be texted, and they were told why
    GONE = "gone"  # deleted before it was texted


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody typed in a thread."""

    conversation_id: str
    ts: str
    thread_id: int
    author: Author
    body: str  # as a phone would show it
    fate: Fate
    reason: str | None = None  # why it was asked about or refused
    delivery_id: UUID | None = None  # of a texted one
    files: tuple[OutboundFile, ...] = ()
    changed_ts: str | None = None  # Slack's of the last edit that we heard of
    now_body: str | None = None  # what a texted one says since it was edited


@dataclass(frozen=True, slots=True)
class Situation:
    """What a thread is like at the moment when somebody types in it."""

    done: bool
    answered_by: str | None  # the id of a colleague who texted the person just now
    first: bool  # nothing was ever exchanged with the person
    writing_by: str | None = None  # the id of a colleague who is writing to the person in a form


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of the bot's own in a thread, posted once."""

    id: UUID
    thread_id: int
    kind: str
    payload: Mapping[str, Any]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list kept by Blooio."""

    items: tuple[T, ...]
    total: int | None  # of the whole list; None when Blooio does not say
    next_offset: int | None  # where the next page starts; None after the last
