"""A thread is a conversation: what a person writes lands in it, and what somebody types in it goes out."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from bot.texting.errors import OptedOut
from bot.texting.model import Address, Fate, Incoming, Opting, Received, Reply, Request, Situation
from bot.texting.ports import Decide, Place, ReceivedMemory, ReplyMemory, Taken
from bot.texting.service import Texting, new_id

logger = logging.getLogger(__name__)

_SAID_AGAIN_AFTER = timedelta(hours=1)


class Threads:
    """Receive what people write, and text what is typed in their threads."""

    def __init__(
        self,
        *,
        texting: Texting,
        received: ReceivedMemory,
        replies: ReplyMemory,
        opting: Callable[[Received], Opting | None],
        team_id: Callable[[], str],
        inbox: str | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._texting = texting
        self._received = received
        self._replies = replies
        self._opting = opting
        self._team_id = team_id
        self._inbox = inbox
        self._now = now
        self._said_at: datetime | None = None  # that somebody's text stands nowhere in Slack

    async def receive(self, received: Received) -> Incoming:
        """
        Store a text from a person, once, and release what waited for it; a standard word is heeded.

        Safe to repeat. Somebody without a thread gets one in the inbox channel.
        """
        incoming = await self._received.receive(
            received,
            new_id(),
            opting=self._opting(received),
            team_id=self._team_id(),
            lines=self._texting.lines,
            home=self._inbox or "",
            now=self._now(),
        )
        if incoming.news and not incoming.thread.conversation_id:
            self._say_that_nobody_sees_it(incoming.thread.id)
        await self._texting.heard_from(received.address, received.line)
        return incoming

    async def hear(self, received: Received) -> bool:
        """Do what `receive` does, if it can be done; return whether it was."""
        if not self.know_their_workspace:
            return False
        await self.receive(received)
        return True

    @property
    def know_their_workspace(self) -> bool:
        """Whether a text can be received: Slack has told whose people they are."""
        return bool(self._team_id())

    def _say_that_nobody_sees_it(self, thread_id: int) -> None:
        """Say once an hour that there is no place for people who write first."""
        now = self._now()
        if self._said_at is None or now - self._said_at >= _SAID_AGAIN_AFTER:
            self._said_at = now
            logger.error("inbox_missing thread=%d (somebody wrote first: set INBOX_CHANNEL)", thread_id)

    async def place(self, conversation_id: str, thread_ts: str, *, within: timedelta) -> Place | None:
        """Return whose thread begins with this message, if it is one of ours. Raises NotRead."""
        return await self._replies.place(conversation_id, thread_ts, within=within)

    async def find(self, conversation_id: str, ts: str, *, within: timedelta) -> tuple[Reply, Place] | None:
        """Return what became of something typed in a thread of this workspace, and whose that is. Raises NotRead."""
        found = await self._replies.find(conversation_id, ts, within=within)
        return found if found is not None and found[1].person.team_id == self._team_id() else None

    async def take(
        self, place: Place, decide: Decide, *, conversation_id: str, ts: str, author_id: str, within: timedelta
    ) -> Taken:
        """
        Store what *decide* makes of something typed in a thread: once, with its text if it is to be texted.

        If the text turns out to be impossible, the reply is stored as refused. Raises NotStored and PerhapsStored.
        """
        left = _countdown(within)

        async def take(decide: Decide) -> Taken:
            return await self._replies.take(
                place,
                decide,
                partial(self._text, place=place),
                conversation_id=conversation_id,
                ts=ts,
                author_id=author_id,
                lines=[place.thread.line],
                now=self._now(),
                within=left(),
            )

        def refuse(situation: Situation, stored: Reply | None) -> Reply | None:
            reply = decide(situation, stored)
            if reply is None or reply.fate is not Fate.TEXTED:
                return reply
            return replace(reply, fate=Fate.REFUSED, reason=OptedOut.code)

        try:
            return await take(decide)
        except OptedOut as error:
            return replace(await take(refuse), refused=error)

    async def settle(self, reply: Reply, place: Place, *, within: timedelta) -> bool:
        """
        Give what was asked about the fate that it has in *reply*; return False if that is settled, or out of date.

        Raises NotStored and PerhapsStored; and OptedOut, when the reply is refused.
        """
        left = _countdown(within)

        async def settle(reply: Reply) -> bool:
            text = partial(self._text, place=place)
            lines = [place.thread.line]
            return await self._replies.settle(reply, text, lines=lines, now=self._now(), within=left())

        try:
            return await settle(reply)
        except OptedOut as error:
            await settle(replace(reply, fate=Fate.REFUSED, reason=error.code))
            raise

    async def edited(
        self, reply: Reply, place: Place, *, body: str, changed_ts: str, url: str | None, within: timedelta
    ) -> None:
        """A reply that was texted says *body* now: say in the thread, once, what the person has."""
        await self._replies.edited(reply, place, body=body, changed_ts=changed_ts, url=url, within=within)

    async def deleted(self, reply: Reply, place: Place, *, url: str | None, within: timedelta) -> None:
        """
        A reply was deleted, perhaps before we heard of it: it does not go out any more.

        If it was texted, that is said in the thread, once. Raises NotStored and PerhapsStored.
        """
        left = _countdown(within)
        if await self._replies.gone(reply, now=self._now(), within=left()):
            return
        found = await self.find(reply.conversation_id, reply.ts, within=left())
        if found is not None:
            changed_ts = reply.changed_ts or ""
            await self._replies.deleted(found[0], place, changed_ts=changed_ts, url=url, within=left())

    def _text(self, reply: Reply, *, place: Place) -> tuple[Request, UUID]:
        """Make the text of a reply: the same, however often that is asked for."""
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
        return request, new_id()


def _countdown(within: timedelta) -> Callable[[], timedelta]:
    """Start to count down; what is returned says how much is left."""
    end = time.monotonic() + within.total_seconds()
    return lambda: timedelta(seconds=max(0.0, end - time.monotonic()))
