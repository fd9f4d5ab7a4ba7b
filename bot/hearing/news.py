"""
What Blooio told us, applied: events become the state of a text, or a text in somebody's thread.

An event is stored when it arrives and applied here, by the leader. Each time, all that was ever told of a text is read
again, so repeats and any order of arrival end in the same row; an event that came before we knew the text's id waits
until we do.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside, comes
from bot.blooio import webhook
from bot.blooio.webhook import Event, MalformedEvent, MessageReceived, Reaction, StatusChanged
from bot.hearing.group_texts import GroupTexts
from bot.leading import Hears
from bot.storage.deliveries import Deliveries
from bot.storage.events import Events, StoredEvent
from bot.storage.tapbacks import Tapbacks
from bot.texting.model import Address, Received, Told
from bot.texting.threads import Threads

logger = logging.getLogger(__name__)

#: Texts brought up to date in one transaction.
_BATCH = 100

#: How often events are looked for that nobody announced: those of a text whose id was not known when they came.
_LOOK_SECONDS = 0.5

#: How long to wait for more when there is news: the steps of a text come together, and so do those of many texts.
_GATHER_SECONDS = 0.05

#: A text that is nobody's after this long was sent elsewhere: from Blooio's dashboard, or with another key.
_OURS_WITHIN = timedelta(hours=1)
_TIDY_SECONDS = 60.0


class News:
    """Applies events, one process at a time: it is a part of what the leader does."""

    def __init__(
        self, *, events: Events, deliveries: Deliveries, tapbacks: Tapbacks, threads: Threads, keep: timedelta
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._tapbacks = tapbacks
        self._threads = threads
        self._keep = keep
        self._groups = GroupTexts()
        self._announced = asyncio.Event()
        self.hears: Hears = {"texting_event": lambda _: self._announced.set()}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Apply events until the block is left."""
        async with beside(self._apply_all(), "news"), beside(self._tidy(), "news tidies"):
            yield

    async def _apply_all(self) -> None:
        while True:
            self._announced.clear()
            try:
                while await self.apply():
                    pass
            except (psycopg.Error, PoolTimeout):
                logger.warning("news_blind", exc_info=True)
                await asyncio.sleep(_LOOK_SECONDS)
            except Exception:  # a bug must not end the applying of all news; what failed is tried again
                logger.exception("news_failed")
                await asyncio.sleep(_LOOK_SECONDS)
            if await comes(self._announced, _LOOK_SECONDS):
                await asyncio.sleep(_GATHER_SECONDS)

    async def apply(self) -> bool:
        """Apply some of what is not applied yet; return whether there may be more."""
        message_ids = await self._events.to_apply(_BATCH)
        if message_ids:
            await self._bring_up_to_date(message_ids)
        received: list[StoredEvent] = []
        if self._threads.know_their_workspace:  # until then they wait
            received = await self._events.named("message.received", _BATCH)
        for stored in received:
            await self._receive(stored)
            await self._events.applied([stored.key])  # one by one: a later one may bring an earlier one up again
        reacted_to = await self._events.reacted_to(_BATCH)
        if reacted_to:
            await self._show_reactions(reacted_to)
        return _BATCH in {len(message_ids), len(received), len(reacted_to)}

    async def _receive(self, stored: StoredEvent) -> None:
        event = read(stored)
        if not isinstance(event, MessageReceived):
            return
        if event.group_id is not None:  # what they write in a group answers nobody in particular
            self._groups.passed_over()
            return
        try:
            await self._threads.receive(received_of(event))
        except psycopg.DataError:  # the same again would fail again, and all that comes after would wait for it
            logger.exception("text_not_storable message=%s", stored.message_id)

    async def _bring_up_to_date(self, message_ids: Sequence[str]) -> None:
        keys: list[str] = []

        async def told() -> dict[str, Told]:
            by_text: dict[str, list[Event]] = defaultdict(list)
            for one in await self._events.about(message_ids):
                keys.append(one.key)
                event = read(one)
                if event is not None and one.message_id is not None:
                    by_text[one.message_id].append(event)
            return {message_id: told_by(events) for message_id, events in by_text.items()}

        await self._deliveries.tell(message_ids, told)
        await self._events.applied(keys)

    async def _show_reactions(self, message_ids: Sequence[str]) -> None:
        """Let texts of people's show what they themselves put on them."""
        keys: list[str] = []

        async def told() -> dict[str, tuple[str, ...]]:
            by_text: dict[str, list[Event]] = defaultdict(list)
            for one in await self._events.about(message_ids):
                event = read(one)
                if isinstance(event, MessageReceived):
                    continue
                keys.append(one.key)
                if event is not None and one.message_id is not None:
                    by_text[one.message_id].append(event)
            return {message_id: told_by(events).reactions or () for message_id, events in by_text.items()}

        await self._tapbacks.tell(message_ids, told)
        await self._events.applied(keys)

    async def _tidy(self) -> None:
        while True:
            self._groups.say()
            try:
                await self._events.give_up(_OURS_WITHIN)
                await self._events.forget(self._keep)
            except (psycopg.Error, PoolTimeout):
                logger.warning("events_not_tidied", exc_info=True)
            await asyncio.sleep(_TIDY_SECONDS)


def read(stored: StoredEvent) -> Event | None:
    """Read an event again that was understood when it came; None if it is not any more."""
    try:
        return webhook.parse(stored.body)
    except MalformedEvent:
        logger.warning("event_not_understood_any_more")
        return None


def received_of(event: MessageReceived) -> Received:
    """Return the text that an event tells of."""
    return Received(
        message_id=event.message_id,
        address=event.address,
        line=event.line,
        text=event.text,
        attachments=event.attachments,
        channel=event.channel,
        at=event.at,
        told=True,
        reply_to=event.reply_to,
    )


def told_by(events: Iterable[Event]) -> Told:
    """Gather what *events*, in the order of their arrival, say of one text."""
    reports, reactions = [], []
    for event in events:
        if isinstance(event, StatusChanged):
            reports.append(event.report)
        elif isinstance(event, Reaction) and event.address is not None:
            reactions.append(event)
    return Told(tuple(reports), _standing(reactions) if reactions else None)


def _standing(reactions: Iterable[Reaction]) -> tuple[str, ...]:
    """
    Return the reactions that stand: one of each person at most, as their phones have it.

    Another takes the place of the last, and Blooio may or may not tell that the last was taken back.
    """
    standing: dict[Address | None, str] = {}
    for reaction in sorted(reactions, key=_when):
        if reaction.added:
            standing.pop(reaction.address, None)
            standing[reaction.address] = reaction.reaction
        elif standing.get(reaction.address) == reaction.reaction:
            del standing[reaction.address]
    return tuple(standing.values())


def _when(reaction: Reaction) -> float:
    return reaction.at.timestamp() if reaction.at else 0.0
