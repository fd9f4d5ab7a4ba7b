"""
What people wrote and no webhook told of: it is read in Blooio's list, by the leader.

Without webhooks this is how their texts arrive, so the list is read every few seconds; with them it is read rarely and
repairs what they missed. A text that was told of before is not stored again.

The list begins with the chat that has the latest text. Whatever it shows as it did the last time has no news, and
neither has all that follows: a round without news costs one request. How far it was read is remembered by Blooio's
clock, and only after all that was written until then is stored.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.hearing.group_texts import GroupTexts
from bot.leading import Hears
from bot.storage.conversations import Conversations
from bot.texting.errors import BlooioTrouble, Disconnected, NotFound, TextingError
from bot.texting.model import Address, Chat, Message, Page, ReadUpTo, Received
from bot.texting.ports import Gateway
from bot.texting.threads import Threads

logger = logging.getLogger(__name__)

#: Nobody says whether a bound counts itself, texts may enter the list late, and clocks differ.
OVERLAP = timedelta(minutes=10)

#: A text may enter the list long after it was written: then the count of a chat's texts gives it away, and so much of
#: the chat is looked through.
_DEEP = timedelta(days=7)

#: Where reading begins if there is no text yet whose time would say it.
_BEFORE_THE_FIRST = timedelta(days=1)

#: Seconds between two rounds: while there is something new, and when it has been quiet for long; with webhooks.
LIVELY, QUIET, REPAIRING = 3.0, 15.0, 300.0

#: It is quiet for ten times as long as the pause is. For so long webhooks are not relied on after they missed a text,
#: which they did if it is this old.
_QUIET_FOR = 10.0
_DISTRUSTED_FOR = 900.0
_MISSED_AFTER = timedelta(seconds=30)

#: After trouble, the first pause and the longest; and how many chats may be in trouble until the round is given up.
_AGAIN_SECONDS, _LONGEST_SECONDS = 5.0, 60.0
_TROUBLED = 3

#: How often it is looked whether Slack has told whose people they are.
_WORKSPACE_SECONDS = 0.5

#: Of a list that never ends, and how many chats are remembered.
_MOST_PAGES = 1_000
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Round:
    """What one reading of the list came to."""

    moved: bool  # some chat is not as it was the last time
    missed: int  # texts that webhooks should have told of


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why the list could not be read."""

    name: str
    retry_after: timedelta | None = None

    def pause(self, failures: int) -> float:
        """Say how many seconds to leave it alone, ever longer; *failures* are those in a row."""
        own = min(_AGAIN_SECONDS * 2.0 ** min(failures - 1, 10), _LONGEST_SECONDS)
        return max(own, self.retry_after.total_seconds() if self.retry_after else 0.0)


class CatchUp:
    """Reads what people wrote, one process at a time: it is a part of what the leader does."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        conversations: Conversations,
        threads: Threads,
        alert: Callable[[str], Awaitable[None]],
        webhooks: bool,
        inbox: str | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gateway = gateway
        self._conversations = conversations
        self._threads = threads
        self._alert = alert
        self._webhooks = webhooks
        self._inbox = inbox
        self._now = now
        self._groups = GroupTexts()
        self._seen: dict[str, Chat] = {}  # by id, as they were when they had been read, the first seen first
        self._troubled: dict[str, Chat] = {}  # that could not be read
        self.hears: Hears = {}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Read until the block is left."""
        async with beside(self._keep_reading(), "catching up"):
            yield

    async def _keep_reading(self) -> None:
        await self._give_homes()
        moved_at, missed_at = time.monotonic(), float("-inf")
        failures, said = 0, ""
        while True:
            if not self._threads.know_their_workspace:
                await asyncio.sleep(_WORKSPACE_SECONDS)
                continue
            found = await self._attempt()
            if isinstance(found, _Trouble):
                failures += 1
                if found.name != said:  # once, not every time
                    logger.warning("chats_not_read error=%s", found.name)
                    said = found.name
                await asyncio.sleep(found.pause(failures))
                continue
            if failures:
                logger.info("chats_read_again failures=%d", failures)
            failures, said = 0, ""
            if found.moved:
                moved_at = time.monotonic()
            if found.missed and self._webhooks:
                logger.warning("webhooks_missed texts=%d", found.missed)
                missed_at = time.monotonic()
            told = self._webhooks and time.monotonic() - missed_at > _DISTRUSTED_FOR
            await asyncio.sleep(_jittered(pause(told=told, quiet=time.monotonic() - moved_at)))

    async def _give_homes(self) -> None:
        """Whoever wrote before there was an inbox is put into it."""
        while self._inbox is not None:
            try:
                housed = await self._conversations.give_homes(self._inbox)
            except (psycopg.Error, PoolTimeout):
                logger.warning("homes_not_given", exc_info=True)
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if housed:
                logger.info("homes_given threads=%d", housed)
            return

    async def _attempt(self) -> Round | _Trouble:
        """Read once; an admin hears of what only they can mend."""
        try:
            return await self.read()
        except TextingError as error:
            if isinstance(error, Disconnected):
                await self._tell_admins(error)
            return _Trouble(error.code, error.retry_after)
        except (psycopg.Error, PoolTimeout) as error:
            return _Trouble(type(error).__name__)
        except Exception as error:  # a bug must not end the reading for good
            logger.exception("catch_up_failed")
            return _Trouble(type(error).__name__)

    async def _tell_admins(self, error: Disconnected) -> None:
        try:
            await self._alert(error.code)
        except (psycopg.Error, PoolTimeout):
            logger.warning("admins_not_told code=%s", error.code)

    async def read(self) -> Round:
        """Receive what is new in Blooio's list. Raises TextingError, psycopg.Error and PoolTimeout."""
        first = await self._gateway.list_chats()
        newest = max((chat.last_at for chat in first.items if chat.last_at), default=None)
        if newest is not None:
            newest = min(newest, self._now())  # one time that is wrong must not hide all that follows
        read = await self._conversations.read_up_to()
        if read is None:
            begin = newest or self._now() - _BEFORE_THE_FIRST
            await self._conversations.have_read_up_to(begin)
            read = ReadUpTo(begin, begin)
        moved = await self._moved(first, read.moment - OVERLAP)
        missed, self._troubled = await self._read_chats({**self._troubled, **moved}, read)
        self._remember(moved)
        self._groups.say()
        if newest is not None and newest > read.moment and not self._troubled:
            await self._conversations.have_read_up_to(newest)
        return Round(bool(moved), missed)

    async def _moved(self, page: Page[Chat], bound: datetime) -> dict[str, Chat]:
        """Return the chats since *bound* that are not as they were the last time; *page* is the first of the list."""
        moved: dict[str, Chat] = {}
        pages, top = 1, page
        while True:
            moved |= {chat.chat_id: chat for chat in page.items if self._seen.get(chat.chat_id) != chat}
            if page.next_offset is not None and not self._ends_in(page, bound):
                pages += 1
                if pages > _MOST_PAGES:
                    raise BlooioTrouble
                page = await self._gateway.list_chats(offset=page.next_offset)
            elif page is top:
                return moved
            else:  # whoever wrote meanwhile has moved to the front, past where it was read
                bound = max((chat.last_at for chat in top.items if chat.last_at), default=bound)
                page = top = await self._gateway.list_chats()

    def _ends_in(self, page: Page[Chat], bound: datetime) -> bool:
        """Say whether nothing new can follow: the last chat of the page is as it was, or older than *bound*."""
        if not page.items:
            return True
        last = page.items[-1]
        return self._seen.get(last.chat_id) == last or (last.last_at is not None and last.last_at < bound)

    async def _read_chats(self, moved: dict[str, Chat], read: ReadUpTo) -> tuple[int, dict[str, Chat]]:
        """Receive what is new in these chats; return how much webhooks had missed, and the chats that gave trouble."""
        missed, troubled = 0, {}
        for chat in sorted(moved.values(), key=lambda chat: chat.last_inbound_at or read.moment):
            if not self._may_have_news(chat, read.moment - OVERLAP):
                continue
            if chat.address is None:
                self._pass_over(chat)
                continue
            try:
                missed += await self._read_chat(chat, chat.address, read)
            except NotFound:
                continue
            except TextingError as error:
                if not error.retryable and not isinstance(error, Disconnected):
                    logger.warning("chat_not_read code=%s", error.code)  # nor would it be the next time
                    continue
                troubled[chat.chat_id] = chat
                if len(troubled) >= _TROUBLED or isinstance(error, Disconnected):
                    self._troubled |= troubled
                    raise
        return missed, troubled

    def _may_have_news(self, chat: Chat, bound: datetime) -> bool:
        before = self._seen.get(chat.chat_id)
        if before is None or chat.chat_id in self._troubled:
            return chat.last_inbound_at is not None and chat.last_inbound_at >= bound
        return (before.last_inbound_at, before.inbound) != (chat.last_inbound_at, chat.inbound)

    def _pass_over(self, group: Chat) -> None:
        before = self._seen.get(group.chat_id)
        if not self._webhooks and before is not None:  # with webhooks they are counted where they are told
            self._groups.passed_over(max(1, (group.inbound or 0) - (before.inbound or 0)))

    async def _read_chat(self, chat: Chat, address: Address, read: ReadUpTo) -> int:
        """Receive what is new in one chat; return how much of it webhooks should have told."""
        bound = read.moment - OVERLAP
        listed = await self._list(address, bound)
        if self._some_came_late(chat, listed):
            listed = await self._list(address, max(read.began_at - OVERLAP, bound - _DEEP))
        ids = [message.message_id for message in listed]
        unknown = await self._conversations.unknown(ids)
        missed = 0
        for message in listed:
            if message.message_id not in unknown:
                continue
            received = _received(message, address, frozenset(ids))
            try:
                incoming = await self._threads.receive(received)
            except psycopg.DataError:  # the same again would fail again, and all that follows would wait for it
                logger.exception("text_not_storable message=%s", message.message_id)
                continue
            late = received.at is None or self._now() - received.at > _MISSED_AFTER
            missed += incoming.news and late
        return missed

    def _some_came_late(self, chat: Chat, listed: Sequence[Message]) -> bool:
        """Say whether the chat has more new texts than there are after the last one that was seen."""
        before = self._seen.get(chat.chat_id)
        if before is None or before.inbound is None or chat.inbound is None:
            return False
        last = before.last_inbound_at
        newer = [one for one in listed if last is None or one.report.sent_at is None or one.report.sent_at > last]
        return len(newer) < chat.inbound - before.inbound

    async def _list(self, address: Address, since: datetime) -> list[Message]:
        """List what somebody wrote after *since*, oldest first, each text once though the list may shift."""
        found: dict[str, Message] = {}
        offset: int | None = 0
        for _ in range(_MOST_PAGES):
            if offset is None:
                return list(found.values())
            page = await self._gateway.list_messages(address, direction="inbound", since=since, offset=offset)
            found |= {message.message_id: message for message in page.items if message.inbound}
            offset = page.next_offset
        raise BlooioTrouble

    def _remember(self, moved: dict[str, Chat]) -> None:
        for chat_id, chat in moved.items():
            self._seen.pop(chat_id, None)
            if chat_id not in self._troubled:
                self._seen[chat_id] = chat
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]


def pause(*, told: bool, quiet: float) -> float:
    """
    Say how many seconds to wait for the next round.

    *told*: webhooks tell of what is new. *quiet*: for how many seconds nothing has been.
    """
    return REPAIRING if told else min(max(LIVELY, quiet / _QUIET_FOR), QUIET)


def _jittered(seconds: float) -> float:
    """Shorten a pause by up to a tenth: bots that were started together do not ask together for ever."""
    return seconds * (1 - secrets.randbelow(100) / 1000)


def _received(message: Message, address: Address, listed: frozenset[str]) -> Received:
    return Received(
        message_id=message.message_id,
        address=address,
        line=message.line,
        text=message.text,
        attachments=message.attachments,
        channel=message.report.channel,
        at=message.report.sent_at,
        told=False,
        reply_to=message.reply_to,
        listed=listed,
    )
