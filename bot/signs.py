"""
The small signs between people: a reaction of the team's on a person's phone, and that what they wrote was read.

A person sees one reaction of ours on a text at most, as we are one to them: the last that stands, whoever of the team
put it there. What is to be seen stands in rows, and a job brings the phone to that.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from bot.blocks import whisper
from bot.slack.client import Slack
from bot.slack.errors import SlackBusy, SlackRefused, SlackTrouble
from bot.storage.read_marks import ReadMarks
from bot.storage.tapbacks import Tapbacks, TappedText
from bot.texting.errors import NotAccepted, TextingError
from bot.texting.ports import SignGateway
from bot.texting.routing import next_try
from bot.texting.service import Postponed

logger = logging.getLogger(__name__)


class Signs:
    """Makes them, each from a job of its own. Every method is safe to repeat; Postponed says when to do that."""

    def __init__(
        self,
        *,
        tapbacks: Tapbacks,
        read_marks: ReadMarks,
        gateway: SignGateway,
        slack: Slack,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tapbacks = tapbacks
        self._read_marks = read_marks
        self._gateway = gateway
        self._slack = slack
        self._now = now

    async def show(self, inbound_id: UUID, *, attempt: int) -> None:
        """Let the phone show what the team put on a text; who cannot have that is told. *attempt* counts from 1."""
        text = await self._tapbacks.load(inbound_id)
        if text is None:
            return
        if text.person.opted_out_since is None:  # otherwise nothing of ours reaches them
            try:
                await self._bring_up_to_date(text)
            except TextingError as error:
                until = next_try(error, attempt, self._now())
                if until is not None:
                    logger.info("tapback_postponed inbound=%s code=%s", inbound_id, error.code)
                    raise Postponed(until) from error
                await self._give_up(text, error)
        await self._tell(text)

    async def _bring_up_to_date(self, text: TappedText) -> None:
        """Put a reaction there, which takes the place of the last by itself, or take off whatever there may be."""
        inbound, address = text.inbound, text.person.address
        if text.wanted == text.shown and not text.perhaps:
            return
        there = text.perhaps | ({text.shown} if text.shown is not None else frozenset())
        changes = there if text.wanted is None else frozenset({text.wanted})
        await self._tapbacks.begin(inbound.id, changes)
        for reaction in sorted(changes):
            await self._gateway.react(address, inbound.message_id, reaction, added=text.wanted is not None)
        await self._tapbacks.shows(inbound.id, text.wanted)

    async def _give_up(self, text: TappedText, error: TextingError) -> None:
        """Whoever reacted is told, unless there is nothing that a phone without iMessage could show."""
        inbound_id = text.inbound.id
        quietly = isinstance(error, NotAccepted) and await self._has_no_imessage(text)
        logger.warning("tapback_refused inbound=%s code=%s provider=%s", inbound_id, error.code, error.provider_code)
        if text.wanted is not None:
            if not error.retryable:  # it surely is not there, so the phone shows what it did before
                await self._tapbacks.shows(inbound_id, text.shown, perhaps=text.perhaps)
            await self._tapbacks.refused(inbound_id, text.wanted, quietly=quietly)
        elif quietly:
            await self._tapbacks.shows(inbound_id, None)
        else:
            await self._tapbacks.stays(inbound_id)

    async def _has_no_imessage(self, text: TappedText) -> bool:
        """Ask what they can get by now."""
        try:
            return (await self._gateway.capabilities(text.person.address)).imessage is False
        except TextingError as error:
            logger.info("not_asked inbound=%s code=%s", text.inbound.id, error.code)
            return False

    async def _tell(self, text: TappedText) -> None:
        """Tell whoever does not know yet what was refused. Raises Postponed if Slack has to be asked again."""
        for user_id, what in await self._tapbacks.untold(text.inbound.id):
            payload = whisper.not_reacted(text.person, taken_off=what == "taken_off")
            try:
                await self._slack.whisper(text.posted_in, user_id, payload, thread_ts=text.thread_ts)
            except SlackBusy as busy:
                raise Postponed(self._now() + busy.retry_after) from busy
            except (SlackTrouble, SlackRefused) as error:  # it may have been shown, and is to be shown once
                logger.warning("not_told error=%s", error)
            await self._tapbacks.told(text.inbound.id, user_id)

    async def mark_read(self, thread_id: int, *, attempt: int) -> None:
        """Let a person know that what they wrote was read. What cannot be done is let be."""
        unread = await self._read_marks.unread(thread_id)
        if unread is None or unread.person.opted_out_since is not None:
            return
        try:
            await self._gateway.mark_read(unread.person.address)
        except TextingError as error:
            until = next_try(error, attempt, self._now())
            if until is not None:
                raise Postponed(until) from error
            logger.warning("not_marked_read thread=%d code=%s", thread_id, error.code)
            return
        await self._read_marks.marked(thread_id, unread.until)
