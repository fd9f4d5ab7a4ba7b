"""
Has the picture drawn by a process of its own.

That is the better part of a second's work and some tens of megabytes, and the bot has texts to send meanwhile: it
never even loads what draws.
"""

import asyncio
import sys
from pathlib import Path

from bot.report.figures import Figures

_ROOT = Path(__file__).parents[2]  # where `bot` is found, wherever the bot was started


class NotDrawn(Exception):
    """The picture could not be made; the message says why, without figures."""


async def draw(figures: Figures, *, within: float = 20.0, python: str = sys.executable) -> bytes:
    """Have the report drawn by another process, *within* seconds. Raises NotDrawn."""
    try:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            "bot.report.picture",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
        )
    except OSError as error:
        raise NotDrawn(f"the process did not start: {type(error).__name__}") from error
    try:
        async with asyncio.timeout(within):
            picture, complaint = await process.communicate(figures.to_json())
    except TimeoutError as error:
        raise NotDrawn(f"not within {within:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotDrawn(f"exit status {process.returncode}: {last[:200]}")
    return picture
