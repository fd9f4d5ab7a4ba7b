"""
One process at a time leads: whoever's connection holds the lock does the work that must have one hand.

Slack's limits are the app's, so one process draws and posts; what Blooio told us is applied by the same one. When it
dies its connection does too, and the next in line takes over at once. The leader's connection also hears what the rows
announce, and every part looks for itself now and then: an announcement can be lost, a row cannot.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import psycopg
from psycopg import AsyncConnection, sql

from bot.background import beside

logger = logging.getLogger(__name__)

_LEADING = 7_285_003  # advisory lock: whose connection has it, leads
_AGAIN_SECONDS = 1.0


#: What to call with the payload of what is announced on a channel; see the triggers in the migrations.
Hears = Mapping[str, Callable[[str], None]]


class Part(Protocol):
    """A part of the work that one process does for all."""

    hears: Hears

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Work until the block is left, which happens when this process leads no longer; finish what is under way."""
        ...


@asynccontextmanager
async def leading(url: str, *parts: Part) -> AsyncIterator[None]:
    """Lead, or stand by to lead, until the block is left."""
    async with beside(_lead_or_stand_by(url, parts), "leader"):
        yield


async def _lead_or_stand_by(url: str, parts: tuple[Part, ...]) -> None:
    hearers = {channel: hear for part in parts for channel, hear in part.hears.items()}
    while True:
        try:
            async with await AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute("SELECT pg_advisory_lock(%s)", (_LEADING,))  # waits for its turn
                for channel in hearers:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                async with AsyncExitStack() as work:
                    for part in parts:
                        await work.enter_async_context(part.at_work())
                    async for notification in connection.notifies():
                        hearers[notification.channel](notification.payload)
        except psycopg.Error:
            logger.warning("leader_disconnected")
            await asyncio.sleep(_AGAIN_SECONDS)
