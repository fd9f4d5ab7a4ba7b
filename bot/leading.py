"""
One process at a time leads: whoever's connection holds the lock does the work that must have one hand.

Slack's limits are the app's, so one process draws and posts; what Blooio told us is applied by the same one. When it
dies its connection does too, and the next in line takes over at once. The leader's connection also hears what the rows
announce, and every part looks for itself now and then: an announcement can be lost, a row cannot.

A leader that is cut off lives on, and nobody can tell it so. It has to notice by itself, and to have stopped before
another begins: it asks the database every few seconds, and stops when there is no answer in time; the server lets go
of the lock when it has not been asked for longer than all of that takes together (`database.HELD_SECONDS`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import psycopg
from psycopg import AsyncConnection, sql

from bot.background import beside
from bot.storage.database import hold

logger = logging.getLogger(__name__)

_LEADING = 7_285_003  # advisory lock: whose connection has it, leads
_AGAIN_SECONDS = 1.0

#: How often whoever stands by tries to lead.
_TRY_SECONDS = 0.5

#: How often the leader makes sure that it leads, and how long it waits for the answer. With the ten seconds that the
#: posts under way may take then, it has stopped five seconds before the server gives the lock to another.
_ASK_SECONDS = 2.0
_ANSWER_SECONDS = 3.0

#: What to call with the payload of what is announced on a channel; see the triggers in the migrations.
Hears = Mapping[str, Callable[[str], None]]


class Part(Protocol):
    """A part of the work that one process does for all."""

    hears: Hears

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """
        Work until the block is left, which happens when this process leads no longer.

        What is under way then may take ten seconds more.
        """
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
            async with await hold(url) as connection:
                await _until_it_leads(connection)
                for channel in hearers:
                    await _ask(connection, sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                async with _at_work(parts):
                    logger.info("leading")
                    await _hear(connection, hearers)
        except (psycopg.Error, TimeoutError) as error:
            logger.warning("leader_disconnected error=%s", type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)


async def _until_it_leads(connection: AsyncConnection[Any]) -> None:
    """Try until the lock is ours. Waiting for it would be silent, and the silent are taken for dead."""
    trying = sql.SQL("SELECT pg_try_advisory_lock({})").format(_LEADING)
    while not await _ask(connection, trying):  # noqa: ASYNC110  (nobody announces that the lock is free)
        await asyncio.sleep(_TRY_SECONDS)


async def _hear(connection: AsyncConnection[Any], hearers: Hears) -> None:
    """Pass on what is announced, for as long as this process leads."""
    while True:
        async for notification in connection.notifies(timeout=_ASK_SECONDS):
            hearers[notification.channel](notification.payload)
        await _ask(connection, sql.SQL("SELECT true"))


async def _ask(connection: AsyncConnection[Any], question: sql.SQL | sql.Composed) -> bool:
    """Ask the database something. Raises TimeoutError when there is no answer in time."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        cursor = await connection.execute(question)
        row = await cursor.fetchone() if cursor.description else None
    return row is not None and bool(row[0])


@asynccontextmanager
async def _at_work(parts: tuple[Part, ...]) -> AsyncIterator[None]:
    """Let the parts work until the block is left. They stop all at once, so that it takes no longer than one does."""

    async def work(part: Part) -> None:
        async with part.at_work():
            await asyncio.Event().wait()

    working = [asyncio.create_task(work(part), name=type(part).__name__) for part in parts]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        await asyncio.wait(working)
