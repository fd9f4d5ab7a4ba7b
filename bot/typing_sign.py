"""
The sign on a person's phone that we are typing: while somebody has the form open with them chosen, and not for long.

Nobody says that the sign ends by itself. So it is ended when the form is sent or closed, after a while, and when we
stop; what a process left behind that was killed is ended by the next.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from bot.background import beside
from bot.storage.writers import Writers
from bot.texting.errors import TextingError
from bot.texting.model import Address
from bot.texting.ports import SignGateway
from bot.texting.service import Texting

logger = logging.getLogger(__name__)

#: A form that has been open for longer is not being written in any more, for all a person can tell.
LASTS = timedelta(minutes=1)

#: How often the end of a sign is asked for, and the first pause between two attempts; each is twice the one before.
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5

_LOOK_UP_WITHIN = timedelta(seconds=2)
_FINISH_SECONDS = 5.0

#: Somebody in Slack: their workspace, and their id.
_Writer = tuple[str, str]


class TypingSign:
    """Shows it to those who have iMessage, whom there is a thread with, and who want texts. What fails is logged."""

    def __init__(self, *, texting: Texting, gateway: SignGateway, writers: Writers, lasts: timedelta = LASTS) -> None:
        self._texting = texting
        self._gateway = gateway
        self._writers = writers
        self._lasts = lasts.total_seconds()
        self._writing: dict[_Writer, Address] = {}
        self._alarms: dict[_Writer, asyncio.TimerHandle] = {}
        self._shown: set[Address] = set()  # whose phones may show it
        self._turns: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()
        self._under_way: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["TypingSign"]:
        """Show signs until the block is left; then end them all."""
        try:
            async with beside(self._tidy(), "typing tidies"):
                yield self
        finally:
            for writer in list(self._writing):
                self._stop(writer)
            if self._under_way:
                _, late = await asyncio.wait(self._under_way, timeout=_FINISH_SECONDS)
                for task in late:
                    logger.warning("typing_not_ended")
                    task.cancel()

    def begin(self, team_id: str, address: Address, user_id: str) -> None:
        """Somebody writes to a person now, and to nobody else."""
        writer = (team_id, user_id)
        if self._writing.get(writer) != address:
            self._stop(writer)
        elif (alarm := self._alarms.pop(writer, None)) is not None:
            alarm.cancel()
        self._writing[writer] = address
        self._alarms[writer] = asyncio.get_running_loop().call_later(self._lasts, self._stop, writer)
        self._soon(team_id, address)

    def end(self, team_id: str, user_id: str, addresses: Collection[Address]) -> None:
        """Somebody has stopped writing to these, perhaps in a form that another process of ours opened."""
        here = self._stop((team_id, user_id))
        for address in addresses:
            if address != here:
                self._soon(team_id, address, perhaps_shown=True)

    def _stop(self, writer: _Writer) -> Address | None:
        if (alarm := self._alarms.pop(writer, None)) is not None:
            alarm.cancel()
        address = self._writing.pop(writer, None)
        if address is not None:
            self._soon(writer[0], address)
        return address

    def _soon(self, team_id: str, address: Address, *, perhaps_shown: bool = False) -> None:
        work = self._bring_up_to_date(team_id, address, perhaps_shown=perhaps_shown)
        task = asyncio.create_task(work, name="typing")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _bring_up_to_date(self, team_id: str, address: Address, *, perhaps_shown: bool) -> None:
        """Let a phone show what is true, one call after the other."""
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:
            shown = address in self._shown
            if not shown:
                if not (perhaps_shown or self._is_written_to(address)):
                    return
                if not await self._may(team_id, address):
                    return
            if self._is_written_to(address):
                if not shown:
                    self._shown.add(address)
                    await self._tell(address, begins=True)
            elif shown or perhaps_shown:
                await self._end(address)
                self._shown.discard(address)

    def _is_written_to(self, address: Address) -> bool:
        return address in self._writing.values()

    async def _may(self, team_id: str, address: Address) -> bool:
        try:
            known = await self._texting.look_up(team_id, address, within=_LOOK_UP_WITHIN)
        except TextingError as error:
            logger.info("typing_not_shown code=%s", error.code)
            return False
        has_imessage = known.capabilities is not None and known.capabilities.imessage is True
        return known.thread is not None and known.opted_out is None and has_imessage

    async def _end(self, address: Address) -> None:
        for attempt in range(_ATTEMPTS):
            if await self._tell(address, begins=False):
                return
            await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)

    async def _tell(self, address: Address, *, begins: bool) -> bool:
        try:
            await self._gateway.typing(address, begins=begins)
        except TextingError as error:
            logger.warning("typing_not_told begins=%s code=%s", begins, error.code)
            return False
        return True

    async def _tidy(self) -> None:
        """End what a process may have left behind that was killed while somebody was writing."""
        try:
            left = await self._writers.left()
        except TextingError as error:
            logger.warning("typing_not_tidied code=%s", error.code)
            return
        for team_id, address in left:
            self._soon(team_id, address, perhaps_shown=True)
