"""Asks Blooio what became of the texts whose status is due, for as long as the block around it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.texting.service import Texting

logger = logging.getLogger(__name__)

#: Asked for at once. Blooio publishes no request limits, so this stays modest.
_BATCH = 16
_LOOK_SECONDS = 1.0


@asynccontextmanager
async def following(texting: Texting) -> AsyncIterator[None]:
    async with beside(_follow(texting), "follower"):
        yield


async def _follow(texting: Texting) -> None:
    while True:
        pause = _LOOK_SECONDS
        try:
            if await texting.follow(_BATCH) == _BATCH:
                continue  # there may be more that is due
            due = await texting.next_due()
            if due is not None:
                pause = min(max((due - datetime.now(UTC)).total_seconds(), 0.05), _LOOK_SECONDS)
        except (psycopg.Error, PoolTimeout):
            logger.warning("follower_blind", exc_info=True)
        except Exception:  # a bug must not end the following of every text; each keeps its place and is tried again
            logger.exception("follower_failed")
        await asyncio.sleep(pause)
