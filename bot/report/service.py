"""Makes reports for people in Slack: counted, drawn and shared after the command was acknowledged."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.report import words
from bot.report.drawing import NotDrawn, draw
from bot.report.figures import Figures, Period, last_days
from bot.report.spreadsheet import TooLarge, spreadsheet
from bot.slack.client import Slack
from bot.slack.errors import SlackBusy, SlackError, SlackRefused, SlackTrouble
from bot.storage.record import Record

logger = logging.getLogger(__name__)

#: Makes the picture. Raises NotDrawn.
Draw = Callable[[Figures], Awaitable[bytes]]

#: Reports made at once: each draws with a processor of its own.
_AT_ONCE = 2

#: The acknowledgement, "Drawing the report …", should not appear below what we have to say of it.
_ACKNOWLEDGED = timedelta(seconds=0.2)

#: How long one may take, Slack's pauses included. A `response_url` would work for thirty minutes.
_LONGEST = timedelta(minutes=3)

_LAST_WORD = timedelta(seconds=2)

#: How often a file is sent to a Slack that does not answer.
_ATTEMPTS = 3

#: `error` values of a conversation that takes no file from us.
_NO_PLACE = {
    "channel_not_found",
    "invalid_channel",
    "is_archived",
    "messages_tab_disabled",
    "not_in_channel",
    "posting_to_channel_denied",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
}

_NOT_COUNTED = "The report could not be counted just now. Please ask again in a minute."
_NOT_CONFIRMED = "Slack did not answer, so the report may be missing. If it is, please ask again in a minute."
_NOT_ALLOWED = "I may not share files in this workspace yet. An admin has to install the app again with files:write."
_NOT_TAKEN = "Slack did not take the report ({code}). Please ask again, or show this to your admin."
_STOPPED = "I was restarted before the report was ready. Please ask again in a minute."
_TOO_LARGE = "There are too many texts for one file."
_SHORTER = " /text report 7d csv has fewer."
_UNEXPECTED = "Something went wrong with the report. Your admin can find the reason under {reference}."
_IN_MESSAGES = "I cannot share files here, so the report is in your messages with me."
_FROM_ELSEWHERE = "Here is the report you asked for. I could not share it where you asked."


@dataclass(frozen=True, slots=True)
class Asked:
    """A report that somebody asked for."""

    user_id: str
    conversation_id: str
    response_url: str
    days: int
    csv: bool


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    name: str
    title: str
    alt_text: str
    comment: str


class Reports:
    """Reports under way."""

    def __init__(self, *, record: Record, slack: Slack, draw: Draw = draw) -> None:
        self._record = record
        self._slack = slack
        self._draw = draw
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._under_way: dict[tuple[object, ...], asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(self, *, grace_seconds: float = 10.0) -> AsyncIterator["Reports"]:
        """Make reports until the block is left; then finish those under way, or tell people that it came to nothing."""
        try:
            yield self
        finally:
            tasks = set(self._under_way.values())
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=grace_seconds)
                for task in late:
                    task.cancel()
                if late:
                    await asyncio.wait(late)

    def make(self, asked: Asked) -> None:
        """Begin a report. One that is under way already is not made twice: Slack repeats what it is unsure of."""
        key = (asked.user_id, asked.conversation_id, asked.days, asked.csv)
        if key in self._under_way:
            return
        task = asyncio.create_task(self._make(asked), name="report")
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key))

    async def _make(self, asked: Asked) -> None:
        """Make one report, and say so if that fails: whoever asked is waiting."""
        try:
            await asyncio.sleep(_ACKNOWLEDGED.total_seconds())
            async with asyncio.timeout(_LONGEST.total_seconds()), self._places:
                await self._make_and_share(asked)
        except asyncio.CancelledError:
            await self._tell(asked, _STOPPED)
            raise
        except TooLarge:
            await self._tell(asked, _TOO_LARGE + (_SHORTER if asked.days > 7 else ""))  # noqa: PLR2004  (a week)
        except (psycopg.Error, PoolTimeout) as error:
            logger.warning("report_not_counted error=%s", type(error).__name__)
            await self._tell(asked, _NOT_COUNTED)
        except (SlackTrouble, SlackBusy, TimeoutError) as error:
            logger.warning("report_not_shared error=%s", error)
            await self._tell(asked, _NOT_CONFIRMED)
        except SlackRefused as refused:
            logger.warning("report_refused error=%s", refused.code)
            allowed = refused.code != "missing_scope"
            await self._tell(asked, _NOT_TAKEN.format(code=refused.code) if allowed else _NOT_ALLOWED)
        except Exception:
            reference = secrets.token_hex(4)
            logger.exception("report_failed reference=%s", reference)
            await self._tell(asked, _UNEXPECTED.format(reference=reference))

    async def _make_and_share(self, asked: Asked) -> None:
        profile = await self._slack.people.profile(asked.user_id, fallback="")
        period = last_days(asked.days, now=datetime.now(UTC), zone=profile.zone)
        figures = await self._record.figures(period)
        if not figures.totals.texts:
            further = " /text report 30d looks further back." if asked.days == 7 else ""  # noqa: PLR2004  (a week)
            await self._tell(asked, f"No texts in the last {asked.days} days.{further}")
            return
        try:
            file = await (self._spreadsheet(asked, period, figures) if asked.csv else self._picture(asked, figures))
        except NotDrawn as error:
            logger.error("report_not_drawn error=%s", error)  # noqa: TRY400  (the message says it all)
            await self._tell(asked, f"The picture could not be drawn. In words:\n{words.alt_text(figures)}")
            return
        await self._share_somewhere(asked, file)

    async def _spreadsheet(self, asked: Asked, period: Period, figures: Figures) -> _File:
        return _File(
            content=await spreadsheet(self._record.entries(period)),
            name=f"{_name(figures)}.csv",
            title=f"Texts, {words.period(figures)}",
            alt_text="",
            comment=f"{_heading(asked, figures)}\n{words.summary(figures)}\n"
            "A row for each text, without numbers and messages. Times are UTC.",
        )

    async def _picture(self, asked: Asked, figures: Figures) -> _File:
        return _File(
            content=await self._draw(figures),
            name=f"{_name(figures)}.png",
            title=f"Texts, {words.period(figures)}",
            alt_text=words.alt_text(figures),
            comment=f"{_heading(asked, figures)}\n{words.summary(figures)}\n"
            f"`/text report {asked.days}d csv` gives the figures as a file.",
        )

    async def _share_somewhere(self, asked: Asked, file: _File) -> None:
        """Share *file* where it was asked for, or else in the messages with whoever asked."""
        try:
            await self._share_here(asked.conversation_id, file)
        except SlackRefused as refused:
            if refused.code not in _NO_PLACE:
                raise
            logger.info("report_to_messages error=%s", refused.code)
            payload = {"text": _FROM_ELSEWHERE}
            messages, _ = await self._slack.post(asked.user_id, payload, key=f"report-{secrets.token_hex(8)}")
            await self._share(messages, file)
            await self._tell(asked, _IN_MESSAGES)

    async def _share_here(self, conversation_id: str, file: _File) -> None:
        try:
            await self._share(conversation_id, file)
        except SlackRefused as refused:
            if refused.code != "not_in_channel":
                raise
            await self._slack.places.join(conversation_id)
            await self._share(conversation_id, file)

    async def _share(self, conversation_id: str, file: _File) -> None:
        """Send and share *file*. What may have been shared is not shared again."""
        file_id = await self._send(file)
        while True:
            try:
                await self._slack.files.share(file_id, conversation_id, title=file.title, comment=file.comment)
            except SlackBusy as busy:
                await asyncio.sleep(busy.retry_after.total_seconds())
            else:
                return

    async def _send(self, file: _File) -> str:
        failures = 0
        while True:
            try:
                return await self._slack.files.send(file.content, filename=file.name, alt_text=file.alt_text)
            except SlackBusy as busy:
                await asyncio.sleep(busy.retry_after.total_seconds())
            except SlackTrouble:
                failures += 1
                if failures == _ATTEMPTS:
                    raise
                await asyncio.sleep(failures)

    async def _tell(self, asked: Asked, text: str) -> None:
        """Tell whoever asked, and nobody else. If even that fails, the log has to do."""
        try:
            async with asyncio.timeout(_LAST_WORD.total_seconds()):
                await self._slack.respond(asked.response_url, {"text": text})
        except (SlackError, TimeoutError) as error:
            logger.warning("report_not_told error=%s", type(error).__name__)


def _heading(asked: Asked, figures: Figures) -> str:
    return f"*Texts in the last {figures.days} days* ({words.period(figures)}), for <@{asked.user_id}>"


def _name(figures: Figures) -> str:
    return f"texts-{figures.first}-to-{figures.last}"
