"""
The painter keeps Slack true: it draws each thread from its rows, and again whenever they change.

A row that Slack does not show yet announces itself, and one that no announcement reached is found by looking. Of all
processes the leader draws: Slack's limits are the app's, so one place has to keep them. Drawing is separate from
texting: a text does not wait for Slack, and an outage of Slack only means that there is more to draw afterwards.

A post is made at once. An edit waits for a moment, because the steps of a text come in quick succession: many changes
are one edit, and the last one is always drawn.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.blocks.card import card
from bot.blocks.receipt import receipt
from bot.lanes import Lane
from bot.leading import Hears
from bot.slack import TOKEN_ERRORS, Profile, Slack, SlackBusy, SlackError, SlackRefused, pause_after
from bot.storage.drawings import Drawings, ShownText, ShownThread
from bot.texting.model import Author, Thread

logger = logging.getLogger(__name__)

#: Threads posted to, and edited, at once. They mostly wait for Slack, which takes some fifty edits a minute: more at
#: once would only take the processor from whoever waits for an answer of ours.
POSTS = 64
EDITS = 2

#: How long an edit waits for what follows.
SETTLE = timedelta(seconds=0.4)

#: How often rows are looked for that nobody announced: after a pause, a crash, a lost connection.
_LOOK_SECONDS = 1.0

#: For how long a card that was seen is taken to be still there.
_SEEN_FOR = timedelta(seconds=5).total_seconds()
_SEEN_KEPT = 10_000

#: How often one drawing reads the rows again before others get their turn, and how many texts it reads.
_ROUNDS = 20
_TEXTS = 20

#: The database's clock is a little behind ours by the time it is asked.
_A_MOMENT = timedelta(seconds=0.05)

#: How long the threads under way may take when we stop. Slack's answer to a post is worth waiting for.
_FINISH_SECONDS = 10.0

#: `error` values of a conversation that cannot take a post (any more).
_NO_PLACE = {
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "messages_tab_disabled",
    "not_in_channel",
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
}


class Painter:
    """Draws threads, one process at a time: it is a part of what the leader does."""

    def __init__(self, *, drawings: Drawings, slack: Slack) -> None:
        self._drawings = drawings
        self._slack = slack
        self._seen: dict[int, float] = {}  # when a thread's card was last known to be there
        self._posts = Lane("posting", self._post, concurrency=POSTS)
        self._edits = Lane("editing", self._edit, concurrency=EDITS, pause=SETTLE)
        self.hears: Hears = {
            "texting_draw": lambda payload: self._posts.soon(int(payload)),
            "texting_edit": lambda payload: self._edits.soon(int(payload)),
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Draw, and look for what nobody announces, until the block is left; then finish the posts under way."""
        try:
            async with beside(self._look(), "painter looks"):
                yield
        finally:
            await self._posts.stop(grace_seconds=_FINISH_SECONDS)
            await self._edits.stop(grace_seconds=0)  # an edit is made again by whoever draws next

    async def _look(self) -> None:
        while True:
            try:
                for thread_id in await self._drawings.to_post(limit=4 * POSTS):
                    self._posts.soon(thread_id)
                for thread_id in await self._drawings.to_edit(limit=4 * POSTS):
                    self._edits.soon(thread_id)
            except (psycopg.Error, PoolTimeout):
                logger.warning("painter_blind", exc_info=True)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _post(self, thread_id: int) -> None:
        """
        Post what Slack does not show yet, and again until it shows everything.

        Only what was stored while it was posting needs another look: whatever comes later announces itself.
        """
        for _ in range(_ROUNDS):
            shown = await self._drawings.load_new(thread_id, limit=_TEXTS)
            if shown is None or not shown.texts:
                return
            try:
                posted = await self._post_texts(shown)
            except SlackBusy as busy:
                await self._drawings.wait_to_post(thread_id, busy.retry_after, failed=False)
                self._posts.later(thread_id, busy.retry_after + _A_MOMENT)
                return
            except SlackError as error:
                logger.warning("drawing_postponed thread=%d error=%s", thread_id, error)
                await self._drawings.wait_to_post(thread_id, pause_after(error, shown.failures), failed=True)
                return
            if shown.failures:
                await self._drawings.wait_to_post(thread_id, timedelta(), failed=False)
            if posted and len(shown.texts) < _TEXTS:
                return

    async def _edit(self, thread_id: int) -> None:
        """Draw again what Slack shows otherwise than it is, and once more until everything is true."""
        for _ in range(_ROUNDS):
            shown = await self._drawings.load_changed(thread_id, limit=_TEXTS)
            if shown is None or not (shown.texts or shown.card_changed):
                return
            try:
                latest = await self._edit_texts(shown)
            except SlackBusy as busy:
                # The limit is the app's: with this place in the lane taken, the next thread does not ask for it.
                await asyncio.sleep(busy.retry_after.total_seconds())
                continue
            except SlackError as error:
                logger.warning("drawing_postponed thread=%d error=%s", thread_id, error)
                await self._drawings.wait_to_edit(thread_id, pause_after(error, shown.failures), failed=True)
                return
            if shown.failures:
                await self._drawings.wait_to_edit(thread_id, timedelta(), failed=False)
            if latest and len(shown.texts) < _TEXTS:
                return

    async def _post_texts(self, shown: ShownThread) -> bool:
        """
        Post the card, if there is none, and the texts; return whether that was possible.

        A conversation that takes no post is left for another.
        """
        thread = shown.thread
        try:
            if not await self._card_stands(shown):
                thread = await self._post_card(shown)
            for text in shown.texts:
                await self._post_text(thread, text)
        except SlackRefused as refused:
            if refused.code not in _NO_PLACE:
                raise
            await self._rehouse(thread, shown.texts[-1].delivery.author, refused)
            return False
        return True

    async def _post_text(self, thread: Thread, text: ShownText) -> None:
        """Post a text's message, or find the one whose answer was lost."""
        delivery_id, home = text.delivery.id, text.posted_in or thread.conversation_id
        if text.posting_since is not None:
            ts = await self._slack.find_lost(home, str(delivery_id), thread_ts=thread.card_ts, since=text.posting_since)
            if ts is not None:
                await self._drawings.text_posted(delivery_id, home, ts, revision=0)  # whatever it says
                self._edits.soon(thread.id)
                return
        author = await self._profile(text.delivery.author)
        self._slack.check_pace(home)
        text = await self._drawings.begin_text(delivery_id)  # the row as it is now: the card took a moment
        try:
            home, ts = await self._slack.post(
                home, receipt(text.delivery), thread_ts=thread.card_ts, author=author, key=str(delivery_id)
            )
        except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
            await self._drawings.text_not_posted(delivery_id)
            raise
        self._saw(thread.id)
        if not await self._drawings.text_posted(delivery_id, home, ts, revision=text.revision):
            self._edits.soon(thread.id)  # it moved on while it was posted

    async def _edit_texts(self, shown: ShownThread) -> bool:
        """Edit what the rows said; return whether they still say so."""
        latest, thread = True, shown.thread
        for text in shown.texts:
            home, ts = text.posted_in or thread.conversation_id, text.posted_ts or ""
            await self._update(home, ts, receipt(text.delivery))
            latest &= await self._drawings.text_posted(text.delivery.id, home, ts, revision=text.revision)
        if shown.card_changed and thread.card_ts is not None:
            payload = card(shown.person, thread, owner_name=(await self._profile(thread.owner)).name)
            await self._update(thread.conversation_id, thread.card_ts, payload)
            latest &= await self._drawings.card_drawn(thread.id, revision=shown.revision)
        return latest

    async def _card_stands(self, shown: ShownThread) -> bool:
        """
        Say whether the thread has a card to post under.

        Posting with the `thread_ts` of a deleted message would put every text at the channel's root.
        """
        thread = shown.thread
        if thread.card_ts is None or shown.card_gone:
            return False
        if not self._seen_lately(thread.id) and not await self._slack.card_exists(
            thread.conversation_id, thread.card_ts
        ):
            logger.info("card_gone thread=%d", thread.id)
            return False
        self._saw(thread.id)
        return True

    async def _post_card(self, shown: ShownThread) -> Thread:
        """Post the card, or find the one whose answer was lost; return the thread that begins with it."""
        thread, key = shown.thread, f"card-{shown.thread.id}"
        home, ts = thread.conversation_id, None
        revision = shown.drawn_revision
        if shown.card_posting_since is not None:
            ts = await self._slack.find_lost(home, key, since=shown.card_posting_since)
        if ts is None:
            revision = shown.revision
            payload = card(shown.person, thread, owner_name=(await self._profile(thread.owner)).name)
            self._slack.check_pace(home)
            await self._drawings.begin_card(thread.id)
            try:
                home, ts = await self._slack.post(home, payload, key=key)
            except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
                await self._drawings.card_not_posted(thread.id)
                raise
        if not await self._drawings.card_posted(thread.id, home, ts, revision=revision):
            self._edits.soon(thread.id)
        self._saw(thread.id)
        return replace(thread, conversation_id=home, card_ts=ts)

    async def _rehouse(self, thread: Thread, author: Author, refused: SlackRefused) -> None:
        """
        Make a home for a thread whose conversation took no post: join it, or move to a DM with the text's author.

        The text itself was accepted and goes out all the same, so it must show somewhere its author looks.
        """
        home = thread.conversation_id
        self._slack.forget_place(home)
        if refused.code == "not_in_channel":
            try:
                await self._slack.join(home)
            except SlackRefused as not_joined:
                logger.info("not_joined thread=%d error=%s", thread.id, not_joined.code)
            else:
                return
        if not home.startswith("C") and not home.startswith("G"):
            raise refused  # a DM is the last resort, and it was refused too
        logger.warning("thread_moved thread=%d error=%s", thread.id, refused.code)
        await self._drawings.move(thread.id, await self._slack.direct(author.user_id), author)

    async def _update(self, conversation_id: str, ts: str, payload: dict[str, Any]) -> None:
        """Edit a message. One that is gone, or that we may not edit any more, has nothing left to keep true."""
        try:
            await self._slack.update(conversation_id, ts, payload)
        except SlackRefused as refused:
            if refused.code in TOKEN_ERRORS:
                raise
            logger.warning("edit_refused error=%s", refused.code)

    async def _profile(self, author: Author) -> Profile:
        return await self._slack.profile(author.user_id, fallback=author.name)

    def _saw(self, thread_id: int) -> None:
        if len(self._seen) > _SEEN_KEPT:
            self._seen.clear()
        self._seen[thread_id] = asyncio.get_running_loop().time()

    def _seen_lately(self, thread_id: int) -> bool:
        seen = self._seen.get(thread_id)
        return seen is not None and asyncio.get_running_loop().time() - seen < _SEEN_FOR
