"""
The announcer tells a channel, at most once in a while, who wrote in its old threads.

Slack shows a new message in an old thread to nobody who does not follow it, and showing each of them in the channel
too would be noise. So there is one message per quiet interval. While that lasts, whoever else writes is edited into it,
and so is who answered: an edit makes no noise.

What there is to tell stands in rows, which the text itself leaves behind; the leader posts it. A post whose answer was
lost is looked for before it is made again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.blocks.announcement import News, announcement
from bot.blocks.mrkdwn import Payload
from bot.drawing.lanes import Lane
from bot.leading import Hears
from bot.slack.client import Slack
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackError, SlackRefused, pause_after
from bot.storage.announcements import Announcement, Announcements, Wrote
from bot.storage.database import Overtaken

logger = logging.getLogger(__name__)

_AT_ONCE = 4
_BATCH = 100

#: How long an announcement waits for what follows: people write several texts in a row.
_SETTLE = timedelta(seconds=0.5)

#: How often channels are looked for that nobody announced: after a pause, a crash, a lost connection.
_LOOK_SECONDS = 1.0

#: A link leads to the text, so that is in its thread first: the announcement waits for the painter, for so long,
#: looking this often.
_DRAWN_WITHIN = timedelta(seconds=10)
_DRAWN_SOON = timedelta(seconds=0.3)

#: The database's clock is a little behind ours by the time it is asked.
_A_MOMENT = timedelta(seconds=0.05)

#: How long the posts under way may take when we stop. Slack's answer to a post is worth waiting for.
_FINISH_SECONDS = 10.0


class Announcer:
    """Announces, one process at a time: it is a part of what the leader does."""

    def __init__(self, announcements: Announcements, slack: Slack) -> None:
        self._announcements = announcements
        self._slack = slack
        self._channels = Lane("announcing", self._announce, concurrency=_AT_ONCE, pause=_SETTLE)
        self.hears: Hears = {"texting_announce": lambda payload: self._channels.soon(int(payload))}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Announce what is due until the block is left; then finish the posts under way."""
        try:
            async with beside(self._look(), "announcer looks"):
                yield
        finally:
            await self._channels.stop(grace_seconds=_FINISH_SECONDS)

    async def _look(self) -> None:
        while True:
            try:
                for number in await self._announcements.due(_BATCH):
                    self._channels.soon(number)
            except (psycopg.Error, PoolTimeout):
                logger.warning("announcer_blind", exc_info=True)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _announce(self, number: int) -> None:
        """Show a channel what it is to be told, or say when that may be tried again."""
        due = await self._announcements.load(number)
        if due is None:
            return
        try:
            latest = await (self._post(due) if due.ts is None else self._edit(due, due.ts))
        except Overtaken:
            logger.warning("overtaken channel=%d", number)
        except SlackBusy as busy:
            await self._announcements.wait(number, busy.retry_after, failed=False)
            self._channels.later(number, busy.retry_after + _A_MOMENT)
        except SlackRefused as refused:
            if refused.code in TOKEN_ERRORS:
                await self._announcements.wait(number, pause_after(refused, due.failures), failed=True)
                return
            logger.warning("announcement_refused channel=%d error=%s", number, refused.code)
            await self._announcements.shown(due)  # the same again would be refused again
        except SlackError as error:
            logger.warning("announcement_postponed channel=%d error=%s", number, error)
            await self._announcements.wait(number, pause_after(error, due.failures), failed=True)
        else:
            if not latest:
                self._channels.soon(number)

    async def _post(self, due: Announcement) -> bool:
        """Post an announcement, unless nobody waits any more; return whether Slack shows the latest."""
        if due.posting_since is not None:
            ts = await self._slack.find_lost(due.conversation_id, due.key, since=due.posting_since)
            if ts is not None:
                return await self._announcements.posted(due, ts, revision=0)  # whatever it says
        if all(one.answered_by is not None for one in due.wrote):
            return await self._announcements.shown(due)
        if any(_is_to_be_drawn(one) for one in due.wrote):
            self._channels.later(due.number, _DRAWN_SOON)
            return True
        ts = await self._post_or_join(due, self._drawn(due))
        return await self._announcements.posted(due, ts, revision=due.revision)

    async def _post_or_join(self, due: Announcement, payload: Payload) -> str:
        try:
            return await self._try_to_post(due, payload)
        except SlackRefused as refused:
            if refused.code != "not_in_channel":
                raise
            await self._slack.places.join(due.conversation_id)
            return await self._try_to_post(due, payload)

    async def _try_to_post(self, due: Announcement, payload: Payload) -> str:
        self._slack.check_pace(due.conversation_id)
        await self._announcements.begin(due)
        try:
            _, ts = await self._slack.post(due.conversation_id, payload, key=due.key)
        except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
            await self._announcements.not_posted(due)
            raise
        return ts

    async def _edit(self, due: Announcement, ts: str) -> bool:
        """Show the announcement as it is now; one that somebody deleted has nothing left to keep true."""
        if due.wrote:
            await self._slack.update(due.conversation_id, ts, self._drawn(due))
        return await self._announcements.edited(due)

    def _drawn(self, due: Announcement) -> Payload:
        return announcement([self._news(one) for one in due.wrote])

    def _news(self, one: Wrote) -> News:
        thread = one.thread
        ts = one.posted_ts or thread.card_ts
        url = self._slack.permalink(thread.conversation_id, ts, thread_ts=thread.card_ts) if ts else None
        return News(one.person, one.texts, one.answered_by, done=thread.done_at is not None, url=url)


def _is_to_be_drawn(one: Wrote) -> bool:
    return one.posted_ts is None and datetime.now(UTC) - one.last_at < _DRAWN_WITHIN
