"""What the local Blooio keeps: lines, phones, texts and contacts. Times are epoch seconds on the sandbox's clock."""

import re
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.blooio.attachments import Attachment

PHONE = re.compile(r"\+[1-9]\d{6,14}")
EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")


class Channel(StrEnum):
    """Blooio's `protocol` once it is settled."""

    IMESSAGE = "imessage"
    RCS = "rcs"
    SMS = "sms"


class Status(StrEnum):
    """A text's state. REST has no word for READ and RECEIVED; webhooks have none for the two of cancelling."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLATION_REQUESTED = "cancellation_requested"
    CANCELLED = "cancelled"
    RECEIVED = "received"


@dataclass
class Line:
    """A number of ours. `plan_kind` "inbound" may only answer people who wrote first."""

    number: str
    plan_kind: str = "dedicated"  # shared, dedicated, inbound, trial, 2fa
    is_active: bool = True
    last_active: float | None = None


@dataclass
class Phone:
    """
    One person's phone (or e-mail account): what it can receive, how fast, and what goes wrong with it.

    All times are seconds after the text was accepted.
    """

    address: str
    name: str | None = None
    imessage: bool = True
    rcs: bool = False
    sms: bool = True
    sent_after: float = 0.3
    delivered_after: float = 1.0
    receipts: bool = True  # whether the owner lets iMessage tell that a text was read
    read_after: float | None = None  # None: texts are read when somebody says so
    sms_delivers: bool = False  # whether an SMS gets a delivery report
    unreachable: bool = False  # texts stay `sent`, until the phone is found again
    stuck: bool = False  # texts stay `queued`
    refuses: bool = False  # texts are accepted with a 2xx that says `failed`
    fails_with: str | None = None  # the error code with which texts fail instead of being delivered
    pending_first: bool = False  # `protocol` reads "pending" until the text has arrived
    claims: dict[str, bool | None] = field(default_factory=dict)
    """What a capability check says instead of the truth; None leaves the key out."""
    typing: bool = False  # whether it shows that we are typing

    @property
    def is_email(self) -> bool:
        return "@" in self.address

    @property
    def channel(self) -> Channel | None:
        """What a text to this phone travels over: the best that it has."""
        if self.imessage:
            return Channel.IMESSAGE
        if self.is_email:
            return None
        if self.rcs:
            return Channel.RCS
        return Channel.SMS if self.sms else None

    @property
    def capabilities(self) -> dict[str, bool]:
        truth = {"imessage": self.imessage, "sms": self.sms and not self.is_email, "facetime": self.imessage}
        return {key: value for key, value in {**truth, **self.claims}.items() if value is not None}


@dataclass
class Reaction:
    """A tapback or emoji on a text. `sender` None is us."""

    reaction: str
    sender: str | None
    at: float
    is_added: bool = True


@dataclass
class Message:
    """One text between a line of ours and one address or group, in either direction."""

    message_id: str
    outbound: bool
    address: str
    line: str
    text: str | None
    attachments: list[Attachment]
    at: float  # when it was accepted (outbound) or came in
    status: Status
    protocol: str | None = None
    key: str | None = None  # the Idempotency-Key it was sent with
    metadata: dict[str, Any] | None = None
    sent_at: float | None = None
    delivered_at: float | None = None
    read_at: float | None = None
    reached_at: float | None = None  # when it was on the phone's screen, whatever Blooio was told
    error_code: str | None = None
    error_message: str | None = None
    reactions: list[Reaction] = field(default_factory=list)
    sender: str | None = None  # who wrote it to a group

    @property
    def is_voice_memo(self) -> bool:
        """One lone audio file is shown as one."""
        return not self.text and len(self.attachments) == 1 and self.attachments[0].is_audio

    @property
    def direction(self) -> str:
        return "outbound" if self.outbound else "inbound"


@dataclass
class Group:
    """A group chat over iMessage, which our line is in. In place of an address, its texts have its id."""

    group_id: str
    name: str | None
    members: list[str]  # addresses, ours not among them
    created_at: float
    phone: Phone = field(init=False)  # on which a text to all of them arrives

    def __post_init__(self) -> None:
        self.phone = Phone(self.group_id, self.name, sms=False)


@dataclass
class Tally:
    """How much one chat holds in either direction, and the last of each: what lists show without counting."""

    inbound: int = 0
    outbound: int = 0
    last_inbound: Message | None = None
    last_outbound: Message | None = None

    def count(self, message: Message) -> None:
        if message.outbound:
            self.outbound, self.last_outbound = self.outbound + 1, message
        else:
            self.inbound, self.last_inbound = self.inbound + 1, message


@dataclass
class Contact:
    """An entry of the address book. Deleting is soft: `deleted_at` hides it."""

    contact_id: str
    identifier: str
    name: str | None
    created_at: float
    tags: dict[str, float] = field(default_factory=dict)  # tag, and when it was added
    deleted_at: float | None = None


@dataclass
class Settings:
    """How the local Blooio behaves where the real one's documents disagree or leave a choice."""

    strict_paths: bool = False  # a raw "+" in a path is a space, and so a 400
    on_key_reuse: str = "ignore"  # the same key with another body: "ignore" (first answer again) or "conflict" (409)
    webhooks: str = "open"  # registering through v2: "open" (201) or "closed" (410)
    links_need_reply: bool = False  # links and attachments are refused until the person has written
    cancelling: bool = False  # whether DELETE on a message exists
    attachments: str = "objects"  # how reads show them: a word of `AttachmentForm`
    on_bad_attachment: str = "fail"  # one that cannot be fetched: `message.failed` later, or "refuse" (a 400)
    fetch_head_first: bool = False  # whether an attachment is asked for with HEAD before GET
    blocks_after_stop: bool = False  # whether who has opted out gets one confirmation and then a 403 for every text
    reaction_echo: str = "off"  # whether webhooks hear of our own, and from whom: "off", "null" or "line"
    replaced_reactions: str = "silent"  # whether webhooks hear that one gave way to another: "silent" or "told"


class Format(StrEnum):
    """The body that a webhook gets: v2's, or the envelope of a v4 subscription in one of its versions."""

    FLAT = "flat"
    V4_2026_09 = "2026-09-01"
    V4_2026_10 = "2026-10-01"


class AttachmentForm(StrEnum):
    """How an attachment looks. Documents and clients have seen each of these."""

    OBJECTS = "objects"  # {url, name}
    STRINGS = "strings"  # the URL
    DESCRIBED = "described"  # {url, file_name, mime_type, size}


_STATUS_EVENTS = ("message.sent", "message.delivered", "message.failed", "message.read")
#: The events of each `webhook_type`. "all" has these and all others.
EVENTS_OF_TYPE: dict[str, tuple[str, ...]] = {
    "message": ("message.received", *_STATUS_EVENTS),
    "status": _STATUS_EVENTS,
    "poll": (),
    "all": (),
}


@dataclass
class Webhook:
    """One subscription."""

    webhook_id: str
    url: str
    type: str  # message, status, poll, all
    secret: str
    created_at: float
    valid_until: int = -1  # milliseconds; -1 is for ever
    format: Format = Format.FLAT
    attachments: AttachmentForm = AttachmentForm.OBJECTS
    deprecated_at: float | None = None
    last_triggered: float | None = None
    failure_count: int = 0
    rotations: int = 0
    logs: deque["Delivery"] = field(default_factory=lambda: deque(maxlen=2_000))  # oldest first

    def wants(self, event: str, now: float) -> bool:
        """Whether *event* is delivered to this subscription at *now*."""
        if self.deprecated_at is not None or (self.valid_until != -1 and now * 1000 > self.valid_until):
            return False
        return self.type == "all" or event in EVENTS_OF_TYPE[self.type]


@dataclass(frozen=True)
class WebhookAnswer:
    """What a webhook's URL answered, or the `problem` that kept it from answering."""

    status: int | None = None
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver one event: what Blooio's webhook logs show."""

    log_id: str  # of this attempt; the API calls it event_id
    event_id: str  # of the event: equal in all attempts
    event: str
    message_id: str
    body: dict[str, Any]
    attempted_at: float
    answered_at: float | None  # None: no answer
    answer: WebhookAnswer
    original_log_id: str | None = None  # of a replay: the attempt that it repeats

    @property
    def succeeded(self) -> bool:
        return self.answer.status is not None and 200 <= self.answer.status < 300  # noqa: PLR2004 - any 2xx

    @property
    def duration_ms(self) -> int:
        return 0 if self.answered_at is None else round((self.answered_at - self.attempted_at) * 1000)
