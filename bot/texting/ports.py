"""What the domain needs from the outside: a gateway that texts, and a place that remembers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from bot.texting.errors import TextingError
from bot.texting.model import (
    Accepted,
    Address,
    Attachment,
    Capabilities,
    Channel,
    Chat,
    Contact,
    Delivery,
    Incoming,
    Known,
    Line,
    Message,
    Opting,
    Page,
    Person,
    Received,
    Reply,
    Request,
    Requested,
    Situation,
    StatusReport,
    Thread,
)


class Gateway(Protocol):
    """Blooio. Every method may raise a `TextingError`."""

    async def capabilities(self, address: Address) -> Capabilities: ...

    async def send_message(
        self,
        address: Address,
        text: str,
        *,
        idempotency_key: str,
        from_number: str | None,
        metadata: Mapping[str, str] | None,
        attachments: Sequence[Attachment] = (),
    ) -> Accepted:
        """Hand a text over; one with files may have no words. The same key twice is one text."""
        ...

    async def message_status(self, address: Address, message_id: str) -> StatusReport: ...

    async def list_messages(
        self, address: Address, *, direction: Literal["inbound", "outbound"], since: datetime, offset: int = 0
    ) -> Page[Message]:
        """Return a page of the texts after *since*, oldest first."""
        ...

    async def list_chats(self, *, offset: int = 0) -> Page[Chat]:
        """Return a page of all conversations, the one with the latest text first. They move while they are read."""
        ...

    async def get_contact(self, address: Address) -> Contact:
        """Look somebody up in the address book."""
        ...

    async def lines(self) -> Sequence[Line]: ...


class SignGateway(Protocol):
    """The small signs between people, in Blooio. Every method may raise a `TextingError`."""

    async def capabilities(self, address: Address) -> Capabilities: ...

    async def react(self, address: Address, message_id: str, reaction: str, *, added: bool) -> None:
        """Put a reaction of ours on a text, or take it off. Another takes its place; repeating it changes nothing."""
        ...

    async def typing(self, address: Address, *, begins: bool) -> None:
        """Show that we are typing, or no longer."""
        ...

    async def mark_read(self, address: Address) -> None:
        """Let somebody know that everything they wrote was read."""
        ...


class Files(Protocol):
    """Where Blooio finds the files of a text; see `bot.files.outgoing.OutgoingFiles`, which is the one there is."""

    async def check(self, delivery: Delivery) -> None:
        """Raise FileGone if a file is not there any more."""
        ...

    def addresses(self, delivery: Delivery) -> Sequence[Attachment]:
        """Return the same for every attempt with the same key. Raises FilesNeedAddress."""
        ...


class PeopleMemory(Protocol):
    """People; see `bot.storage.people.People`, which is the one there is."""

    async def has_thread(self, team_id: str, address: str, *, lines: Sequence[str], within: timedelta) -> bool: ...

    async def look_up(self, team_id: str, address: str, *, lines: Sequence[str], within: timedelta) -> Known: ...

    async def learn_of(self, team_id: str, address: str, capabilities: Capabilities) -> None: ...

    async def learn_capabilities(self, person_id: int, capabilities: Capabilities) -> None: ...

    async def learn_name(self, person_id: int, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A thread of ours, and how its channel wants replies."""

    thread: Thread
    person: Person
    replies: str  # texted, asked_for (by the button or by naming the bot) or never


class ReceivedMemory(Protocol):
    """What people write; see `bot.storage.conversations.Conversations`, which is the one there is."""

    async def receive(
        self,
        received: Received,
        inbound_id: UUID,
        *,
        opting: Opting | None,
        team_id: str,
        lines: Sequence[str],
        home: str,
        now: datetime,
    ) -> Incoming: ...


#: Says what becomes of a reply, given how its thread is and what is stored of it; None changes nothing.
Decide = Callable[[Situation, Reply | None], Reply | None]

#: Makes the text of a reply that is to be texted, and its id.
MakeText = Callable[[Reply], tuple[Request, UUID]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A reply as it is stored; None if it is nothing to us."""

    reply: Reply | None
    news: bool  # something was stored just now
    refused: TextingError | None = None  # why it could not be texted, found out at the last moment


class ReplyMemory(Protocol):
    """What is typed in threads; see `bot.storage.replies.Replies`, which is the one there is."""

    async def place(self, conversation_id: str, thread_ts: str, *, within: timedelta) -> Place | None: ...

    async def find(self, conversation_id: str, ts: str, *, within: timedelta) -> tuple[Reply, Place] | None: ...

    async def take(
        self,
        place: Place,
        decide: Decide,
        make_text: MakeText,
        *,
        conversation_id: str,
        ts: str,
        author_id: str,
        lines: Sequence[str],
        now: datetime,
        within: timedelta,
    ) -> Taken: ...

    async def settle(
        self, reply: Reply, make_text: MakeText, *, lines: Sequence[str], now: datetime, within: timedelta
    ) -> bool: ...

    async def edited(
        self, reply: Reply, place: Place, *, body: str, changed_ts: str, url: str | None, within: timedelta
    ) -> None: ...

    async def gone(self, reply: Reply, *, now: datetime, within: timedelta) -> bool: ...

    async def deleted(
        self, reply: Reply, place: Place, *, changed_ts: str, url: str | None, within: timedelta
    ) -> None: ...


class RequestMemory(Protocol):
    """Texts as they are asked for; see `bot.storage.requests.Requests`, which is the one there is."""

    async def request(
        self, request: Request, delivery_id: UUID, *, lines: Sequence[str], now: datetime, within: timedelta
    ) -> Requested: ...


class Memory(Protocol):
    """Texts and the people they go to; see `bot.storage.deliveries.Deliveries`, which is the one there is."""

    async def begin_attempt(self, delivery_id: UUID) -> Requested | None: ...

    async def learn(
        self, person_id: int, capabilities: Capabilities, delivery_id: UUID, expected: Channel | None
    ) -> None: ...

    async def accept(self, delivery_id: UUID, message_id: str, *, check_at: datetime) -> None: ...

    async def postpone(self, delivery_id: UUID, error_code: str, *, until: datetime) -> None: ...

    async def fail(self, delivery_id: UUID, error_code: str, error_words: str) -> None: ...

    async def take_due_checks(self, limit: int) -> list[Requested]: ...

    async def next_due_check(self) -> datetime | None: ...

    async def check_again(self, delivery_id: UUID, at: datetime | None) -> None: ...

    async def record(self, delivery_id: UUID, report: StatusReport, *, now: datetime) -> Delivery | None: ...

    async def hold(
        self, delivery_id: UUID, error_code: str, error_words: str, *, key: UUID, check_at: datetime
    ) -> None: ...

    async def release(self, address: Address, line: str | None) -> int: ...

    async def release_one(self, delivery_id: UUID, *, within: timedelta) -> bool: ...

    async def cancel(self, delivery_id: UUID, *, within: timedelta) -> bool: ...

    async def find(self, delivery_id: UUID, *, within: timedelta) -> Requested | None: ...

    async def known(self, message_ids: Sequence[str]) -> set[str]: ...

    async def adopt(self, delivery_id: UUID, message_id: str, *, check_at: datetime) -> bool: ...

    async def refail(self, delivery_id: UUID, error_code: str, error_words: str) -> bool: ...

    async def alert(self, cause: str) -> None: ...

    async def adopt_line(self, line: str) -> None: ...


class ContactGateway(Protocol):
    """The address book in Blooio. Every method may raise a `TextingError`."""

    async def create_contact(self, address: Address, name: str | None = None) -> tuple[Contact, bool]:
        """Return the contact and whether it is new."""
        ...

    async def get_contact(self, address: Address) -> Contact: ...

    async def update_contact(self, address: Address, *, name: str | None) -> Contact: ...

    async def list_contacts(self, *, sort: str, limit: int, offset: int) -> Page[Contact]: ...

    async def add_tags(self, address: Address, *tags: str) -> None: ...

    async def remove_tag(self, address: Address, tag: str) -> None: ...


class ContactMemory(Protocol):
    """The copy of the address book; see `bot.storage.contacts.Contacts`, which is the one there is."""

    async def get(self, address: Address) -> Contact | None: ...

    async def put(self, contacts: Sequence[Contact], *, listed_at: datetime | None = None) -> None: ...

    async def forget(self, address: Address) -> None: ...

    async def keep_only(self, listed: Collection[Address], *, listed_at: datetime) -> int: ...

    async def search(self, typed: str, *, limit: int, offset: int = 0) -> list[Contact]: ...

    async def called(self, name: str, *, limit: int) -> list[Contact]: ...
