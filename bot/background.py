"""Work that goes on beside other work."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Let *work* go on while the block does; then stop it, and wait until it has."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def comes(event: asyncio.Event, seconds: float) -> bool:
    """
    Wait for *event*, for so long at most; return whether it came.

    Python 3.11's `asyncio.wait_for` forgets that it was cancelled when the event comes at the same moment
    (python/cpython#86296), and whoever waits for its end would wait for good.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
