"""The life of a text after it was accepted: queued, sent, delivered, read, or failed."""

from collections.abc import Callable

from sandbox.blooio.background import Background
from sandbox.blooio.fetching import Fetching, Refused
from sandbox.blooio.model import Channel, Message, Phone, Status
from sandbox.blooio.records import Records
from sandbox.changes import Changes

CANCELLING_TAKES = 0.2  # seconds

Tell = Callable[[str, Message, float], None]  # event, the text it is about, when


class Timeline:
    """
    Carries texts through their states on the sandbox's clock, as the phone they are for has it.

    Each step happens at its due time, also when a test's clock jumps over several.
    """

    def __init__(
        self,
        changes: Changes,
        records: Records,
        background: Background,
        fetching: Fetching,
        tell: Tell,
    ) -> None:
        self._clock = records.clock
        self._changes = changes
        self._records = records
        self._background = background
        self._fetching = fetching
        self._tell = tell
        self._carried: set[str] = set()  # the texts that have a task

    def begin(self, message: Message) -> None:
        """Start a text on its way."""
        self._carried.add(message.message_id)
        self._background.start(self._carry(message, since=self._clock.now()))

    async def send_now(self, message: Message) -> None:
        """Take the step to `sent` without waiting, attachments apart; `begin` does the rest."""
        phone = self._records.phone(message.address)
        if (
            not phone.stuck
            and await self._fetched(message)
            and message.status is Status.QUEUED
            and phone.channel is not None
        ):
            self._sent(message, phone, phone.channel, self._clock.now())

    def resume(self, phone: Phone) -> None:
        """Go on with the texts that were held up by what has just been changed about *phone*."""
        for message in self._records.chats.get(phone.address, ()):
            held = message.outbound and message.status in {Status.QUEUED, Status.SENT} and message.reached_at is None
            if held and message.message_id not in self._carried:
                self.begin(message)

    def cancel(self, message: Message) -> None:
        """Stop a text that is still queued."""
        message.status = Status.CANCELLATION_REQUESTED
        self._changes.bump()
        self._background.start(self._cancelled(message))

    def read(self, phone: Phone, message: Message, at: float) -> None:
        """Let the owner of *phone* read a text that reached it; Blooio hears of it only from iMessage, if allowed."""
        if message.read_at is not None or message.reached_at is None:
            return
        message.read_at = at
        if phone.receipts and message.protocol == Channel.IMESSAGE and message.status is Status.DELIVERED:
            message.status = Status.READ
            self._tell("message.read", message, at)
        self._changes.bump()

    async def _carry(self, message: Message, since: float) -> None:
        try:
            await self._carry_on(message, self._records.phone(message.address), since)
        finally:
            self._carried.discard(message.message_id)

    async def _carry_on(self, message: Message, phone: Phone, since: float) -> None:
        if phone.stuck or not await self._fetched(message):
            return
        if message.attachments:
            since = max(since, self._clock.now())  # no step was taken while they were fetched
        channel = phone.channel
        if message.status is Status.QUEUED:
            at = await self._due(message, phone.sent_after, since)
            if self._is_cancelled(message):
                return
            if channel is None:
                self._failed(message, "no_channel", at)
            else:
                self._sent(message, phone, channel, at)
        if channel is None or phone.unreachable:
            return
        if phone.fails_with is not None:
            self._failed(message, phone.fails_with, await self._due(message, phone.delivered_after, since))
            return
        self._arrived(message, phone, channel, await self._due(message, phone.delivered_after, since))
        if phone.read_after is not None:
            self.read(phone, message, await self._due(message, phone.read_after, since))

    def _arrived(self, message: Message, phone: Phone, channel: Channel, at: float) -> None:
        message.reached_at = at
        self._records.screens.setdefault(phone.address, []).append(message)
        message.protocol = channel  # settled, if it was pending
        if channel is not Channel.SMS or phone.sms_delivers:
            message.status, message.delivered_at = Status.DELIVERED, at
            self._tell("message.delivered", message, at)
        self._changes.bump()

    async def _fetched(self, message: Message) -> bool:
        """Whether what *message* has attached can be sent. If not, it has failed."""
        try:
            await self._fetching.fetch(message.text, message.attachments)
        except Refused as refused:
            if not self._is_cancelled(message):
                self._failed(message, refused.code, self._clock.now())
        return message.status is not Status.FAILED and not self._is_cancelled(message)

    async def _due(self, message: Message, after: float, since: float) -> float:
        """Wait for a step that is due *after* seconds, though not before *since*; return its time."""
        when = max(message.at + after, since)
        await self._clock.sleep_until(when)
        return when

    def _is_cancelled(self, message: Message) -> bool:
        return message.status in {Status.CANCELLATION_REQUESTED, Status.CANCELLED}

    def _sent(self, message: Message, phone: Phone, channel: Channel, at: float) -> None:
        message.status, message.sent_at = Status.SENT, at
        message.protocol = "pending" if phone.pending_first else channel
        self._tell("message.sent", message, at)
        self._changes.bump()

    def _failed(self, message: Message, code: str, at: float) -> None:
        message.status, message.error_code = Status.FAILED, code
        message.error_message = f"The message could not be delivered ({code})."
        self._tell("message.failed", message, at)
        self._changes.bump()

    async def _cancelled(self, message: Message) -> None:
        await self._clock.sleep(CANCELLING_TAKES)
        message.status = Status.CANCELLED
        self._changes.bump()
