"""
The copy of the address book, kept up to date by the leader: at the start, and then every few minutes.

On the way it forgets what is kept for a while only, such as what people typed and never went on with.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.leading import Hears
from bot.texting.book import Book
from bot.texting.errors import TextingError

logger = logging.getLogger(__name__)

#: Between two readings of the whole list. A long list is read more rarely: reading takes a twentieth of the time.
_EVERY_SECONDS = 180.0
_SHARE = 20

_AGAIN_SECONDS = 15.0

#: Forgets what is old; returns how much that was.
Forget = Callable[[], Awaitable[int]]


class Librarian:
    """Reads the address book, one process at a time: it is a part of what the leader does."""

    def __init__(self, book: Book, *forget: Forget) -> None:
        self._book = book
        self._forget = forget
        self.hears: Hears = {}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Keep the copy up to date until the block is left."""
        async with beside(self._keep_up_to_date(), "librarian"):
            yield

    async def _keep_up_to_date(self) -> None:
        known: int | None = None
        while True:
            started = time.monotonic()
            try:
                for forget_old in self._forget:
                    await forget_old()
                count = await self._book.bring_up_to_date()
            except (TextingError, psycopg.Error, PoolTimeout) as error:
                logger.warning("contacts_not_read error=%s", getattr(error, "code", type(error).__name__))
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            except Exception:  # a bug must not end the reading for good
                logger.exception("librarian_failed")
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            took = time.monotonic() - started
            if count != known:
                logger.info("contacts_read count=%d seconds=%.1f", count, took)
                known = count
            await asyncio.sleep(max(_EVERY_SECONDS, _SHARE * took))
