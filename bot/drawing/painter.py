"""
The painter keeps Slack true: it draws each thread from its rows, and again whenever they change.

A row that Slack does not show yet announces itself, and one that no announcement reached is found by looking. Of all
processes the leader draws: Slack's limits are the app's, so one place has to keep them. Drawing is separate from
texting: a text does not wait for Slack, and an outage of Slack only means that there is more to draw afterwards.

A post is made at once. An edit waits for a moment, because the steps of a text come in quick succession: many changes
are one edit, and the last one is always drawn. What somebody typed in the thread is shown by their own message already:
there the receipt is a reaction.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.blocks.card import card
from bot.blocks.inbound import FACE_EMOJI, face_name, inbound
from bot.blocks.marks import marks_of
from bot.blocks.mrkdwn import Payload
from bot.blocks.notice import INBOX_CLOSED
from bot.blocks.receipt import receipt
from bot.blocks.remark import remark
from bot.drawing.lanes import Lane
from bot.leading import Hears
from bot.slack.client import Slack
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackError, SlackRefused, pause_after
from bot.slack.members import Profile
from bot.storage.database import Overtaken
from bot.storage.drawings import Drawings, MarkedReply, Shown, ShownThread
from bot.texting.model import Author, Delivery, Inbound, Person, Thread

logger = logging.getLogger(__name__)

#: Threads posted to, and edited, at once. They mostly wait for Slack, which takes some fifty edits a minute: more at
#: once would only take the processor from whoever waits for an answer of ours.
POSTS = 64
EDITS = 2
MARKS = 2

#: How long an edit waits for what follows.
SETTLE = timedelta(seconds=0.4)

#: How often rows are looked for that nobody announced: after a pause, a crash, a lost connection.
_LOOK_SECONDS = 1.0

#: For how long a card that was seen is taken to be still there.
_SEEN_FOR = timedelta(seconds=5).total_seconds()
_SEEN_KEPT = 10_000

#: How often one drawing reads the rows again before others get their turn, and how much of a thread it reads.
_ROUNDS = 20
_ENTRIES = 20

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

    def __init__(self, *, drawings: Drawings, slack: Slack, inbox: str | None) -> None:
        self._drawings = drawings
        self._slack = slack
        self._inbox = inbox
        self._seen: dict[int, float] = {}  # when a thread's card was last known to be there
        self._posts = Lane("posting", self._post, concurrency=POSTS)
        self._edits = Lane("editing", self._edit, concurrency=EDITS, pause=SETTLE)
        self._marks = Lane("marking", self._mark, concurrency=MARKS, pause=SETTLE)
        self.hears: Hears = {
            "texting_draw": lambda payload: self._posts.soon(int(payload)),
            "texting_edit": lambda payload: self._edits.soon(int(payload)),
            "texting_mark": lambda payload: self._marks.soon(int(payload)),
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Draw, and look for what nobody announces, until the block is left; then finish the posts under way."""
        try:
            async with beside(self._look(), "painter looks"):
                yield
        finally:
            await self._posts.stop(grace_seconds=_FINISH_SECONDS)
            for lane in (self._edits, self._marks):
                await lane.stop(grace_seconds=0)  # an edit is made again by whoever draws next

    async def _look(self) -> None:
        while True:
            try:
                for thread_id in await self._drawings.to_post(limit=4 * POSTS):
                    self._posts.soon(thread_id)
                for thread_id in await self._drawings.to_edit(limit=4 * POSTS):
                    self._edits.soon(thread_id)
                for thread_id in await self._drawings.to_mark(limit=4 * POSTS):
                    self._marks.soon(thread_id)
            except (psycopg.Error, PoolTimeout):
                logger.warning("painter_blind", exc_info=True)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _post(self, thread_id: int) -> None:
        """
        Post what Slack does not show yet, and again until it shows everything.

        Only what was stored while it was posting needs another look: whatever comes later announces itself.
        """
        for _ in range(_ROUNDS):
            shown = await self._read_new(thread_id)
            if shown is None or not shown.entries:
                return
            try:
                posted = await self._post_entries(shown)
            except Overtaken:
                logger.warning("overtaken thread=%d", thread_id)
                return
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
            if posted and len(shown.entries) < _ENTRIES:
                return

    async def _read_new(self, thread_id: int) -> ShownThread | None:
        """Read what to post. Where nothing has to be found out before, as is usual, the post is begun with that."""
        begun = await self._drawings.begin_only(thread_id) if self._seen_lately(thread_id) else None
        return begun or await self._drawings.load_new(thread_id, limit=_ENTRIES)

    async def _edit(self, thread_id: int) -> None:
        """Draw again what Slack shows otherwise than it is, and once more until everything is true."""
        for _ in range(_ROUNDS):
            shown = await self._drawings.load_changed(thread_id, limit=_ENTRIES)
            if shown is None or not (shown.entries or shown.card_changed):
                return
            try:
                latest = await self._edit_entries(shown)
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
            if latest and len(shown.entries) < _ENTRIES:
                return

    async def _mark(self, thread_id: int) -> None:
        """Put the reactions on replies that say what became of them, and take off those that do not any more."""
        for _ in range(_ROUNDS):
            replies = await self._drawings.load_marks(thread_id, limit=_ENTRIES)
            if not replies:
                return
            try:
                for marked in replies:
                    await self._mark_reply(marked)
            except SlackBusy as busy:
                await self._drawings.wait_to_mark(thread_id, busy.retry_after, failed=False)
                self._marks.later(thread_id, busy.retry_after + _A_MOMENT)
                return
            except SlackError as error:
                logger.warning("marking_postponed thread=%d error=%s", thread_id, error)
                failures = replies[0].failures
                await self._drawings.wait_to_mark(thread_id, pause_after(error, failures), failed=True)
                return
            if replies[0].failures:
                await self._drawings.wait_to_mark(thread_id, timedelta(), failed=False)

    async def _mark_reply(self, marked: MarkedReply) -> None:
        """The new mark comes before the old one goes: there is always one."""
        reply, wanted = marked.reply, marks_of(marked.reply, marked.delivery)
        if new := wanted - marked.marks:
            await self._drawings.begin_marking(reply, new)
            for name in sorted(new):
                await self._slack.react(reply.conversation_id, reply.ts, name)
        for name in sorted((marked.marks | marked.perhaps) - wanted):
            await self._slack.unreact(reply.conversation_id, reply.ts, name)
        await self._drawings.marked(marked, wanted)

    async def _post_entries(self, shown: ShownThread) -> bool:
        """
        Post the card, if there is none, and what comes under it; return whether that was possible.

        A conversation that takes no post is left for another.
        """
        thread = shown.thread
        try:
            if not shown.begun and not await self._card_stands(shown):
                thread = await self._post_card(shown)
            for entry in shown.entries:
                await self._post_entry(thread, shown.person, entry, begun=shown.begun)
        except SlackRefused as refused:
            if refused.code not in _NO_PLACE:
                raise
            await self._rehouse(thread, _whose(shown), refused)
            return False
        return True

    async def _post_entry(self, thread: Thread, person: Person, entry: Shown, *, begun: bool) -> None:
        """Post a message, or find the one whose answer was lost."""
        key, home = str(entry.what.id), entry.posted_in or thread.conversation_id
        if entry.posting_since is not None and not begun:
            ts = await self._slack.find_lost(home, key, thread_ts=thread.card_ts, since=entry.posting_since)
            if ts is not None:
                await self._drawings.posted(entry, home, ts, revision=0)  # whatever it says
                self._edits.soon(thread.id)
                return
        takes_a_moment = not begun or not self._knows_face(entry)
        face = await self._face(entry, person)
        if takes_a_moment:
            self._slack.check_pace(home)
            entry = await self._drawings.begin(entry)  # the row as it is now: the card took a moment
        try:
            home, ts = await self._slack.post(
                home, _drawn(entry, person), thread_ts=thread.card_ts, author=face, key=key
            )
        except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
            await self._drawings.not_posted(entry)
            raise
        self._saw(thread.id)
        if not await self._drawings.posted(entry, home, ts, revision=entry.revision):
            self._edits.soon(thread.id)  # it moved on while it was posted

    async def _face(self, entry: Shown, person: Person) -> Profile | None:
        """Return under whose name something stands in the thread; None: under the bot's own."""
        match entry.what:
            case Delivery(automatic=False, typed=False, author=author):
                return await self._profile(author)
            case Inbound():
                return Profile(face_name(person), None, emoji=FACE_EMOJI)
        return None

    def _knows_face(self, entry: Shown) -> bool:
        """Say whether `_face` has nobody to ask."""
        return not isinstance(entry.what, Delivery) or self._slack.people.knows(entry.what.author.user_id)

    async def _edit_entries(self, shown: ShownThread) -> bool:
        """Edit what the rows said; return whether they still say so."""
        latest, thread = True, shown.thread
        for entry in shown.entries:
            home, ts = entry.posted_in or thread.conversation_id, entry.posted_ts or ""
            await self._update(home, ts, _drawn(entry, shown.person))
            latest &= await self._drawings.posted(entry, home, ts, revision=entry.revision)
        if shown.card_changed and thread.card_ts is not None:
            await self._update(thread.conversation_id, thread.card_ts, await self._card(shown))
            latest &= await self._drawings.card_drawn(thread.id, revision=shown.revision)
        return latest

    async def _card(self, shown: ShownThread) -> Payload:
        owner = shown.thread.owner
        name = (await self._profile(owner)).name if owner else None
        return card(shown.person, shown.thread, owner_name=name, replies=shown.replies)

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
            payload = await self._card(shown)
            self._slack.check_pace(home)
            await self._drawings.begin_card(shown)
            try:
                home, ts = await self._slack.post(home, payload, key=key)
            except (SlackBusy, SlackRefused):  # nothing happened, so there is nothing to look for
                await self._drawings.card_not_posted(thread.id)
                raise
        if not await self._drawings.card_posted(thread.id, home, ts, revision=revision):
            self._edits.soon(thread.id)
        self._saw(thread.id)
        return replace(thread, conversation_id=home, card_ts=ts)

    async def _rehouse(self, thread: Thread, author: Author | None, refused: SlackRefused) -> None:
        """
        Make a home for a thread whose conversation took no post: join it, or move to a DM with the text's author.

        The text itself was accepted and goes out all the same, so it must show somewhere its author looks. Whoever
        wrote to nobody in particular is moved to the inbox; if that is what takes no post, they wait for it, and an
        admin hears of it.
        """
        home = thread.conversation_id
        self._slack.places.forget(home)
        if refused.code == "not_in_channel":
            try:
                await self._slack.places.join(home)
            except SlackRefused as not_joined:
                logger.info("not_joined thread=%d error=%s", thread.id, not_joined.code)
            else:
                return
        if author is None:
            if self._inbox is None or self._inbox == home:
                await self._drawings.alert(INBOX_CLOSED)
                raise refused
            logger.warning("thread_moved thread=%d error=%s", thread.id, refused.code)
            await self._drawings.move(thread.id, self._inbox, None)
            return
        if not home.startswith(("C", "G")):
            raise refused  # a DM is the last resort, and it was refused too
        logger.warning("thread_moved thread=%d error=%s", thread.id, refused.code)
        await self._drawings.move(thread.id, await self._slack.places.direct(author.user_id), author)

    async def _update(self, conversation_id: str, ts: str, payload: Payload) -> None:
        """Edit a message. One that is gone, or that we may not edit any more, has nothing left to keep true."""
        try:
            await self._slack.update(conversation_id, ts, payload)
        except SlackRefused as refused:
            if refused.code in TOKEN_ERRORS:
                raise
            logger.warning("edit_refused error=%s", refused.code)

    async def _profile(self, author: Author) -> Profile:
        return await self._slack.people.profile(author.user_id, fallback=author.name)

    def _saw(self, thread_id: int) -> None:
        if len(self._seen) > _SEEN_KEPT:
            self._seen.clear()
        self._seen[thread_id] = asyncio.get_running_loop().time()

    def _seen_lately(self, thread_id: int) -> bool:
        seen = self._seen.get(thread_id)
        return seen is not None and asyncio.get_running_loop().time() - seen < _SEEN_FOR


def _drawn(entry: Shown, person: Person) -> Payload:
    match entry.what:
        case Delivery() as delivery:
            return receipt(delivery)
        case Inbound() as text:
            return inbound(text)
        case other:
            return remark(other, person)


def _whose(shown: ShownThread) -> Author | None:
    """Return who has to see what is posted: the author of the last text, or who looks after the person."""
    authors = [one.what.author for one in shown.entries if isinstance(one.what, Delivery) and not one.what.automatic]
    return authors[-1] if authors else shown.thread.owner
