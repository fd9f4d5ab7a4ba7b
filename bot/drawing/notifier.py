"""
The notifier tells people, once, what they should not have to look for.

The author of a text hears that it failed, an admin channel what only an admin can mend, and whoever is to look after
a person from now on that somebody handed them over.

Whom to tell stands in rows that whoever fails a text leaves behind; the leader posts them. A post whose answer was
lost is looked for before it is made again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside, comes
from bot.blocks.mrkdwn import Payload
from bot.blocks.notice import CAUSES, Cause, admin_needed, failed_text, handed_off
from bot.drawing.lanes import Lane
from bot.leading import Hears
from bot.slack.client import Slack
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackError, SlackRefused, pause_after
from bot.storage.database import Overtaken
from bot.storage.notices import FailedText, HandedOff, Notice, Notices
from bot.texting.routing import can_be_replaced

logger = logging.getLogger(__name__)

#: Notices posted at once, and read at once. Posting mostly waits for Slack.
_AT_ONCE = 8
_BATCH = 100

#: How often notices are looked for that nobody announced: after a pause, a crash, a lost connection.
_LOOK_SECONDS = 1.0

#: A text that fails at once is not in its thread yet, and its author wants to find it there: so the notice waits for
#: the painter, for this long, looking this often.
_DRAWN_WITHIN = timedelta(seconds=10)
_DRAWN_SOON = timedelta(seconds=0.3)

_COUNTED = timedelta(hours=24)

#: The database's clock is a little behind ours by the time it is asked.
_A_MOMENT = timedelta(seconds=0.05)

#: How long the posts under way may take when we stop. Slack's answer to a post is worth waiting for.
_FINISH_SECONDS = 10.0


class Notifier:
    """Posts notices, one process at a time: it is a part of what the leader does."""

    def __init__(self, *, notices: Notices, slack: Slack, admin_channel: str | None) -> None:
        self._notices = notices
        self._slack = slack
        self._admin_channel = admin_channel
        self._announced = asyncio.Event()
        self._posts = Lane("notifying", self._tell, concurrency=_AT_ONCE)
        self.hears: Hears = {"texting_notice": lambda _: self._announced.set()}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Post what is due until the block is left; then finish the posts under way."""
        try:
            async with beside(self._look(), "notifier looks"):
                yield
        finally:
            await self._posts.stop(grace_seconds=_FINISH_SECONDS)

    async def _look(self) -> None:
        while True:
            self._announced.clear()
            try:
                for notice_id in await self._notices.due(_BATCH):
                    self._posts.soon(notice_id)
            except (psycopg.Error, PoolTimeout):
                logger.warning("notifier_blind", exc_info=True)
                await asyncio.sleep(_LOOK_SECONDS)
            await comes(self._announced, _LOOK_SECONDS)

    async def _tell(self, notice_id: int) -> None:
        """Post one notice, or say when it may be tried again."""
        notice = await self._notices.load(notice_id)
        if notice is None:
            return
        try:
            if notice.text is not None:
                await self._tell_author(notice, notice.text)
            elif notice.handed is not None:
                await self._tell_owner(notice, notice.handed)
            else:
                await self._tell_admins(notice)
        except Overtaken:
            logger.warning("overtaken notice=%d", notice_id)
        except SlackBusy as busy:
            await self._notices.wait(notice_id, busy.retry_after, failed=False)
            self._posts.later(notice_id, busy.retry_after + _A_MOMENT)
        except SlackRefused as refused:
            if refused.code in TOKEN_ERRORS:
                await self._notices.wait(notice_id, pause_after(refused, notice.failures), failed=True)
                return
            logger.warning("notice_refused notice=%d cause=%s error=%s", notice_id, notice.cause, refused.code)
            await self._notices.posted(notice_id)  # the same again would be refused again
        except SlackError as error:
            logger.warning("notice_postponed notice=%d error=%s", notice_id, error)
            await self._notices.wait(notice_id, pause_after(error, notice.failures), failed=True)

    async def _tell_author(self, notice: Notice, text: FailedText) -> None:
        """Tell the author of a failed text, unless it has moved on; and an admin, if only one can mend the cause."""
        if notice.cause in CAUSES:
            await self._notices.alert(notice.cause)
        delivery, thread = text.requested.delivery, text.requested.thread
        if delivery.automatic or not can_be_replaced(delivery):  # the bot needs no notice: its thread shows it
            await self._notices.posted(notice.id)
            return
        if text.posted_ts is None and datetime.now(UTC) - notice.raised_at < _DRAWN_WITHIN:
            await self._notices.wait(notice.id, _DRAWN_SOON, failed=False)
            self._posts.later(notice.id, _DRAWN_SOON + _A_MOMENT)
            return
        url = None
        if text.posted_in is not None and text.posted_ts is not None:
            url = self._slack.permalink(text.posted_in, text.posted_ts, thread_ts=thread.card_ts)
        home = await self._slack.places.direct(delivery.author.user_id)
        await self._post(notice, home, failed_text(text.requested, url=url))

    async def _tell_owner(self, notice: Notice, handed: HandedOff) -> None:
        """Tell somebody whom they look after now, unless that has moved on."""
        thread = handed.thread
        if thread.owner is None or thread.owner.user_id != handed.to:
            await self._notices.posted(notice.id)
            return
        url = self._slack.permalink(thread.conversation_id, thread.card_ts) if thread.card_ts else None
        home = await self._slack.places.direct(handed.to)
        await self._post(notice, home, handed_off(handed.person, thread, by_name=handed.by_name, url=url))

    async def _tell_admins(self, notice: Notice) -> None:
        """Tell the admins in their channel; without one, or when it takes no post, in the log."""
        cause = CAUSES.get(notice.cause)
        if cause is None:  # of another version of ours
            await self._notices.posted(notice.id)
            return
        texts = await self._notices.failed_for(notice.cause, _COUNTED)
        if self._admin_channel is None:
            self._log(notice, cause, texts, "set ADMIN_CHANNEL to hear of this in Slack")
            await self._notices.posted(notice.id)
            return
        try:
            await self._post_or_join(notice, self._admin_channel, admin_needed(cause, texts=texts))
        except SlackRefused as refused:
            if refused.code not in TOKEN_ERRORS:
                mend = "invite the bot to ADMIN_CHANNEL, or set it to the id of a channel that the bot is in"
                self._log(notice, cause, texts, f"Slack says {refused.code}: {mend}")
            raise

    def _log(self, notice: Notice, cause: Cause, texts: int, mend: str) -> None:
        logger.error("admin_needed cause=%s texts=%d: %s %s (%s)", notice.cause, texts, cause.title, cause.remedy, mend)

    async def _post_or_join(self, notice: Notice, home: str, payload: Payload) -> None:
        try:
            await self._post(notice, home, payload)
        except SlackRefused as refused:
            if refused.code != "not_in_channel":
                raise
            await self._slack.places.join(home)
            await self._post(notice, home, payload)

    async def _post(self, notice: Notice, home: str, payload: Payload) -> None:
        """Post a notice, unless the post whose answer was lost is there."""
        if notice.posting_since is None or not await self._slack.find_lost(
            home, notice.key, since=notice.posting_since
        ):
            self._slack.check_pace(home)
            await self._notices.begin(notice)
            try:
                await self._slack.post(home, payload, key=notice.key)
            except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
                await self._notices.not_posted(notice.id)
                raise
        await self._notices.posted(notice.id)
