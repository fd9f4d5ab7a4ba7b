"""
Texting: request a text, deliver it, and follow what became of it.

`request` is called while a person waits in Slack, `deliver` by the text's own job, `follow` on a timer. None of them
speaks to Slack: what people see is drawn from the rows these leave behind.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.jitter import jittered
from bot.texting.errors import (
    AlreadyExists,
    AwaitingReply,
    BlooioTrouble,
    Disconnected,
    NotFound,
    NotTaken,
    NotWaiting,
    OptedOut,
    OwnNumber,
    SentAgain,
    TextingError,
    Unconfirmed,
    UnknownText,
)
from bot.texting.model import (
    Address,
    Author,
    Capabilities,
    Channel,
    Delivery,
    Known,
    Line,
    Message,
    Person,
    Received,
    Request,
    Requested,
)
from bot.texting.ports import Files, Gateway, Memory, PeopleMemory, RequestMemory
from bot.texting.routing import (
    can_be_replaced,
    choose_channel,
    is_fresh,
    last_word,
    next_attempt,
    next_check,
    next_look,
    too_late_to_repeat,
)

logger = logging.getLogger(__name__)

#: The line of a thread while we do not know our numbers: Blooio chooses.
ANY_LINE = ""

#: A check that takes longer holds the text up more than it helps: Blooio chooses the channel anyway.
CHECK_TIMEOUT = timedelta(seconds=5)

#: How long after acceptance the status is asked for first; and when Blooio should have told us by then.
FIRST_CHECK = timedelta(seconds=1)
FIRST_CHECK_IF_TOLD = timedelta(seconds=5)

#: How much of a chat is looked through for a text of which nobody knows whether it was sent.
_PAGES_LOOKED_THROUGH = 50


#: Receives a text from a person, if it can; returns whether it did.
Hear = Callable[[Received], Awaitable[bool]]


class Postponed(Exception):
    """The text was not sent and will be tried again at *until*."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class Texting:
    """Text people on the best channel."""

    def __init__(
        self,
        *,
        requests: RequestMemory,
        memory: Memory,
        people: PeopleMemory,
        gateway: Gateway,
        files: Files,
        metadata: bool = True,
        webhooks: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._requests = requests
        self._memory = memory
        self._people = people
        self._gateway = gateway
        self._files = files
        self._metadata = metadata
        self._first_check = FIRST_CHECK_IF_TOLD if webhooks else FIRST_CHECK
        self._now = now
        self._lines: Sequence[Line] = ()
        self._hear: Hear | None = None

    def hear_through(self, hear: Hear) -> None:
        """Say who receives what people wrote: a text that waits for a reply may be the first to find it."""
        self._hear = hear

    @property
    def lines(self) -> list[str]:
        """Our numbers a text may go out from, best first: those that may begin a conversation, in a stable order."""
        usable = sorted((line for line in self._lines if line.active), key=lambda line: (line.reply_only, line.phone))
        return [line.phone for line in usable] or [ANY_LINE]

    async def learn_lines(self) -> None:
        """Ask Blooio which numbers are ours. Raises TextingError; what was known before stays known."""
        try:
            self._lines = await self._gateway.lines()
        except Disconnected as error:
            await self._memory.alert(error.code)
            raise
        if self.lines[0] != ANY_LINE:
            await self._memory.adopt_line(self.lines[0])

    def check_address(self, address: Address) -> None:
        """Raise OwnNumber if *address* is a number of ours."""
        if any(line.phone == address for line in self._lines):
            raise OwnNumber

    async def has_thread(self, team_id: str, address: Address, *, line: str | None = None, within: timedelta) -> bool:
        """Say whether this person has a thread already, so that a text needs no new place in Slack."""
        return await self._people.has_thread(team_id, address, lines=self._lines_of(line), within=within)

    async def request(self, request: Request, *, within: timedelta) -> Requested:
        """
        Store a text and its job; when this returns, the text survives anything.

        The same `request.key` again returns the same text. Raises OwnNumber, and NotStored or PerhapsStored *within*
        the time given.
        """
        self.check_address(request.address)
        lines = self._lines_of(request.line)
        return await self._requests.request(request, new_id(), lines=lines, now=self._now(), within=within)

    async def look_up(self, team_id: str, address: Address, *, line: str | None = None, within: timedelta) -> Known:
        """Return what is known here of somebody; on one *line*, or the best of ours. Raises NotRead."""
        return await self._people.look_up(team_id, address, lines=self._lines_of(line), within=within)

    def knows(self, known: Known) -> bool:
        """Say whether what somebody can receive is known well enough to say so."""
        return is_fresh(known.capabilities, self._now())

    async def look_ahead(self, team_id: str, address: Address) -> Capabilities:
        """
        Ask what somebody can receive whom nobody may have texted yet, and remember it: their text then goes at once.

        Raises TextingError when Blooio does not say.
        """
        capabilities = await self._ask(address)
        await self._people.learn_of(team_id, address, capabilities)
        return capabilities

    def can_only_reply(self, line: str | None) -> bool:
        """Say whether a text from this line of ours, or from the best one, needs the person to have written first."""
        phone = self._lines_of(line)[0]
        return any(one.reply_only for one in self._lines if one.phone == phone)

    def _lines_of(self, chosen: str | None) -> list[str]:
        """Return the lines a text may go out from; one that somebody chose is ours no more if a number was given up."""
        return [chosen] if chosen is not None and chosen in self.lines else self.lines

    async def find(self, delivery_id: UUID, *, team_id: str, within: timedelta) -> Requested:
        """Return a text of this workspace. Raises UnknownText, and NotRead *within* the time given."""
        found = await self._memory.find(delivery_id, within=within)
        if found is None or found.person.team_id != team_id:
            raise UnknownText
        return found

    async def again(self, failed: Requested, *, author: Author, conversation_id: str, within: timedelta) -> Requested:
        """
        Request the same text once more in place of a failed one: once, however many people ask for it at once.

        Raises what `request` does, and SentAgain for all but the first of them.
        """
        requested = await self.request(
            Request(
                key=f"again:{failed.delivery.id}",
                team_id=failed.person.team_id,
                conversation_id=conversation_id,
                author=author,
                address=failed.person.address,
                body=failed.delivery.body,
                instead_of=failed.delivery.id,
                typed=failed.delivery.typed,
                files=failed.delivery.files,
            ),
            within=within,
        )
        if requested.delivery.author.user_id != author.user_id:
            raise SentAgain
        return requested

    async def check_again(self, failed: Requested) -> bool:
        """
        Look whether Blooio has a text of which nobody knows whether it was sent; return whether it has.

        If so the text is followed as any other from here on; if not, it surely was not sent and its row says so.
        Raises TextingError when Blooio does not say, and SentAgain when the text has moved on.
        """
        if failed.delivery.error_code not in {Unconfirmed.code, NotTaken.code} or not can_be_replaced(failed.delivery):
            raise SentAgain
        message_id = await self._look_up(failed)
        if message_id is None:
            still = await self._memory.refail(failed.delivery.id, NotTaken.code, NotTaken.words)
        else:
            still = await self._memory.adopt(failed.delivery.id, message_id, check_at=self._now())
        if not still:
            raise SentAgain
        return message_id is not None

    async def check_number(self, person: Person) -> Capabilities:
        """Ask what a person can receive, and remember it. Raises TextingError when Blooio does not say."""
        capabilities = await self._ask(person.address)
        await self._people.learn_capabilities(person.id, capabilities)
        return capabilities

    async def _ask(self, address: Address) -> Capabilities:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT.total_seconds()):
                asked = await self._gateway.capabilities(address)
        except TimeoutError as error:
            raise BlooioTrouble from error
        return replace(asked, checked_at=self._now())

    async def try_now(self, held: Requested, *, within: timedelta) -> None:
        """
        Send a text without waiting for the person's reply.

        Raises NotWaiting and OptedOut, and NotStored *within* the time.
        """
        if held.person.opted_out_since is not None:
            raise OptedOut(held.person)
        if not await self._memory.release_one(held.delivery.id, within=within):
            raise NotWaiting

    async def dont_send(self, held: Requested, *, within: timedelta) -> None:
        """Cancel a text that waits for the person's reply. Raises NotWaiting, and NotStored *within* the time."""
        if not await self._memory.cancel(held.delivery.id, within=within):
            raise NotWaiting

    async def deliver(self, delivery_id: UUID) -> None:
        """
        Send one text: check what the person can receive unless that is known, then hand it to Blooio.

        Safe to repeat at any point: every attempt carries the same key. Raises Postponed when it should be
        called again later.
        """
        requested = await self._memory.begin_attempt(delivery_id)
        if requested is None:
            return
        if too_late_to_repeat(requested.delivery, self._now()):
            await self._give_up(requested, Unconfirmed())
            return
        if requested.person.opted_out_since is not None and not requested.delivery.automatic:
            await self._give_up(requested, OptedOut())  # they said so while it waited
            return
        channel = await self._expected_channel(requested)
        try:
            message_id = await self._send(requested, channel)
        except AwaitingReply as error:
            await self._hold(requested, error)
            return
        except TextingError as error:
            until = next_attempt(error, requested.delivery, self._now())
            if until is None:
                await self._give_up(requested, error)
                return
            logger.warning("text_postponed delivery=%s code=%s until=%s", delivery_id, error.code, until.isoformat())
            await self._memory.postpone(delivery_id, error.code, until=until)
            raise Postponed(until) from error
        await self._memory.accept(delivery_id, message_id, check_at=self._now() + self._first_check)
        if requested.person.capabilities is None and requested.person.name is None:
            await self._learn_name(requested.person)

    async def _expected_channel(self, requested: Requested) -> Channel | None:
        """
        Choose the channel from what is known, asking Blooio if nothing recent is. Not knowing stops no text.

        A repeated attempt knows what the first one knew: with the same key goes the same request, to the letter.
        """
        person, delivery = requested.person, requested.delivery
        if delivery.attempts > 1:
            return delivery.expected_channel
        if person.capabilities is not None and is_fresh(person.capabilities, self._now()):
            if delivery.expected_channel is None:  # the check was under way when the text was requested
                channel = choose_channel(person.address, person.capabilities)
                await self._memory.learn(person.id, person.capabilities, delivery.id, channel)
                return channel
            return delivery.expected_channel
        try:
            async with asyncio.timeout(CHECK_TIMEOUT.total_seconds()):
                capabilities = await self._gateway.capabilities(person.address)
        except (TextingError, TimeoutError) as error:
            code = error.code if isinstance(error, TextingError) else "timeout"
            logger.warning("check_failed delivery=%s code=%s", delivery.id, code)
            return delivery.expected_channel or choose_channel(person.address, person.capabilities)
        channel = choose_channel(person.address, capabilities)
        checked = replace(capabilities, checked_at=self._now())
        await self._memory.learn(person.id, checked, delivery.id, channel)
        return channel

    async def _learn_name(self, person: Person) -> None:
        """Put a new person's name on their card, if the address book has one. The text is on its way already."""
        try:
            contact = await self._gateway.get_contact(person.address)
        except TextingError as error:
            logger.info("name_not_learnt person=%d code=%s", person.id, error.code)
            return
        if contact.name:
            await self._people.learn_name(person.id, contact.name)

    async def _send(self, requested: Requested, channel: Channel | None) -> str:
        person, delivery = requested.person, requested.delivery
        if delivery.attempts <= 1:  # a later attempt repeats what the first one said
            await self._files.check(delivery)
        try:
            accepted = await self._gateway.send_message(
                person.address,
                delivery.body,
                idempotency_key=str(delivery.key),
                from_number=None if requested.thread.line == ANY_LINE else requested.thread.line,
                metadata={"expected_protocol": channel} if channel and self._metadata else None,
                attachments=self._files.addresses(delivery),
            )
        except AlreadyExists as error:
            # Blooio knows this key and does not say what became of it: look the text up, never send it again.
            found = await self._look_up(requested)
            if found is None:
                raise Unconfirmed(provider_code=error.provider_code) from error
            return found
        return accepted.message_id

    async def _look_up(self, requested: Requested) -> str | None:
        """Find the id of a text that Blooio may have taken, by its words; one that is another text's is not it."""
        delivery, address = requested.delivery, requested.person.address
        since = (delivery.attempted_at or delivery.requested_at) - timedelta(minutes=1)
        offset = 0
        for _ in range(_PAGES_LOOKED_THROUGH):
            try:
                page = await self._gateway.list_messages(address, direction="outbound", since=since, offset=offset)
            except NotFound:  # nobody ever wrote in this chat
                return None
            alike = [message.message_id for message in page.items if _is_alike(message, delivery)]
            known = await self._memory.known(alike)
            if found := next((message_id for message_id in alike if message_id not in known), None):
                return found
            if page.next_offset is None:
                return None
            offset = page.next_offset
        raise Unconfirmed

    async def _give_up(self, requested: Requested, error: TextingError) -> None:
        delivery = requested.delivery
        error = last_word(error, delivery)
        logger.warning("text_failed delivery=%s code=%s provider=%s", delivery.id, error.code, error.provider_code)
        await self._memory.fail(delivery.id, error.code, error.words)

    async def _hold(self, requested: Requested, error: AwaitingReply) -> None:
        """Keep a text until the person writes. Nothing was sent, so the next attempt has a key of its own."""
        delivery = requested.delivery
        logger.info("text_held delivery=%s provider=%s", delivery.id, error.provider_code)
        held = replace(delivery, held_since=self._now())
        check_at = next_look(held, self._now()) or self._now()
        await self._memory.hold(delivery.id, error.code, error.words, key=new_id(), check_at=check_at)

    async def heard_from(self, address: Address, line: str | None) -> None:
        """A person wrote to our *line*: what waited for that goes out."""
        released = await self._memory.release(address, line)
        if released:
            logger.info("texts_released count=%d", released)

    async def follow(self, limit: int = 20) -> int:
        """Ask Blooio for the status of the texts that are due, and record it. Return how many were due."""
        due = await self._memory.take_due_checks(limit)
        await asyncio.gather(*(self._check(requested) for requested in due))
        return len(due)

    async def next_due(self) -> datetime | None:
        """Say when `follow` has something to do."""
        return await self._memory.next_due_check()

    async def _check(self, requested: Requested) -> None:
        delivery = requested.delivery
        if delivery.held_since is not None:
            await self._look_for_a_reply(requested, delivery.held_since)
            return
        if delivery.message_id is None:
            await self._memory.check_again(delivery.id, None)
            return
        try:
            report = await self._gateway.message_status(requested.person.address, delivery.message_id)
        except NotFound:  # a text just accepted may not be known everywhere yet
            await self._memory.check_again(delivery.id, next_check(delivery, self._now()))
        except TextingError as error:
            logger.warning("status_check_failed delivery=%s code=%s", delivery.id, error.code)
            if isinstance(error, Disconnected):
                await self._memory.alert(error.code)
            await self._memory.check_again(delivery.id, self._later(requested, error))
        else:
            await self._memory.record(delivery.id, report, now=self._now())

    async def _look_for_a_reply(self, requested: Requested, since: datetime) -> None:
        """Look whether a person has written since a text began to wait for that."""
        delivery, address = requested.delivery, requested.person.address
        try:
            replies = await self._gateway.list_messages(address, direction="inbound", since=since)
        except NotFound:  # nobody ever wrote in this chat
            logger.debug("no_reply delivery=%s", delivery.id)
        except TextingError as error:
            logger.warning("reply_not_looked_for delivery=%s code=%s", delivery.id, error.code)
        else:
            if replies.items and await self._hear_first(requested, replies.items):
                await self.heard_from(address, requested.thread.line or None)
                return
        await self._memory.check_again(delivery.id, next_look(delivery, self._now()))

    async def _hear_first(self, requested: Requested, messages: Sequence[Message]) -> bool:
        """
        Have what a person wrote received before a text goes out that waited for it: it may say STOP.

        Return whether it was: if not, the text waits.
        """
        listed = frozenset(message.message_id for message in messages)
        for message in messages:
            received = Received(
                message_id=message.message_id,
                address=requested.person.address,
                line=message.line or requested.thread.line or None,
                text=message.text,
                attachments=message.attachments,
                channel=message.report.channel,
                at=message.report.sent_at,
                told=False,
                reply_to=message.reply_to,
                listed=listed,
            )
            if self._hear is None or not await self._hear(received):
                return False
        return True

    def _later(self, requested: Requested, error: TextingError) -> datetime | None:
        again = next_check(requested.delivery, self._now())
        if again is None or error.retry_after is None:
            return again
        return max(again, self._now() + jittered(error.retry_after))


def _is_alike(message: Message, delivery: Delivery) -> bool:
    """Say whether Blooio's text may be *delivery*: the same words and as many files, unless its list shows none."""
    as_many = len(message.attachments) == len(delivery.files) or (delivery.body != "" and not message.attachments)
    return message.text == delivery.body and as_many


def new_id() -> UUID:
    """Make a UUID of version 7 (RFC 9562): its first bits are the time, so that new rows stay together on disk."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
