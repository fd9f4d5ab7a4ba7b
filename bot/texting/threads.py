"""A thread is a conversation: what a person writes lands in it, and what somebody types in it goes out."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.texting.model import Address, Fate, Incoming, Received, Reply, Request
from bot.texting.ports import Place, ReceivedMemory, ReplyMemory
from bot.texting.service import Texting, new_id

logger = logging.getLogger(__name__)


class Threads:
    """Receive what people write, and text what is typed in their threads."""

    def __init__(
        self,
        *,
        texting: Texting,
        received: ReceivedMemory,
        replies: ReplyMemory,
        team_id: Callable[[], str],
        inbox: str | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._texting = texting
        self._received = received
        self._replies = replies
        self._team_id = team_id
        self._inbox = inbox
        self._now = now

    async def receive(self, received: Received) -> Incoming:
        """
        Store a text from a person, once, and release what waited for it.

        Safe to repeat. Somebody without a thread gets one in the inbox channel.
        """
        incoming = await self._received.receive(
            received,
            new_id(),
            team_id=self._team_id(),
            lines=self._texting.lines,
            home=self._inbox or "",
            now=self._now(),
        )
        if incoming.news and not incoming.thread.conversation_id:
            logger.error("inbox_missing thread=%d (set INBOX_CHANNEL: somebody wrote first)", incoming.thread.id)
        await self._texting.heard_from(received.address, received.line)
        return incoming

    async def place(self, conversation_id: str, thread_ts: str, *, within: timedelta) -> Place | None:
        """Return whose thread begins with this message, if it is one of ours. Raises NotRead."""
        return await self._replies.place(conversation_id, thread_ts, within=within)

    async def reply(self, reply: Reply, place: Place, *, within: timedelta) -> bool:
        """
        Store what somebody typed, once, and its text if it is to be texted; return whether it was news.

        Raises NotStored, PerhapsStored and OptedOut.
        """
        request, delivery_id = self._request(reply, place)
        return await self._replies.store(
            reply, request, delivery_id, lines=[place.thread.line], now=self._now(), within=within
        )

    async def decide(self, reply: Reply, place: Place, *, within: timedelta) -> bool:
        """Give what was asked about the fate it has in *reply*; return False if it was settled before."""
        request, delivery_id = self._request(reply, place)
        return await self._replies.decide(
            reply, request, delivery_id, lines=[place.thread.line], now=self._now(), within=within
        )

    def _request(self, reply: Reply, place: Place) -> tuple[Request | None, UUID]:
        delivery_id = new_id()
        if reply.fate is not Fate.TEXTED:
            return None, delivery_id
        request = Request(
            key=f"reply:{reply.conversation_id}:{reply.ts}",
            team_id=place.person.team_id,
            conversation_id=reply.conversation_id,
            author=reply.author,
            address=Address(place.person.address),
            body=reply.body,
            line=place.thread.line,
            typed=True,
            files=reply.files,
        )
        return request, delivery_id
