"""People who text, reply and answer, each at their own pace, while something happens to the bots."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.proofs.ledger import Ledger, Pal

_AUTHORS = ("ana", "ben")


@dataclass
class Command:
    """One `/text` as its author saw it."""

    at: float  # monotonic
    seconds: float  # until there was an answer
    accepted: bool


@dataclass
class Traffic:
    """What went on."""

    ledger: Ledger
    commands: list[Command] = field(default_factory=list)
    replies: int = 0
    answers: int = 0
    kinds: set[str] = field(default_factory=lambda: {"text"})  # what people do at present
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def since(self, moment: float, until: float = float("inf")) -> list[Command]:
        return [command for command in self.commands if moment <= command.at < until]

    async def lives(self, pal: Pal, lots: random.Random, pause: float) -> None:
        while not self._over.is_set():
            what = lots.choices(("text", "reply", "answer"), (5, 2, 2))[0]
            if what == "text" or what not in self.kinds:
                began = time.monotonic()
                accepted = await self.ledger.texts(pal)
                self.commands.append(Command(began, time.monotonic() - began, accepted))
            elif what == "reply":
                self.replies += await self.ledger.replies(pal)
            elif await self.ledger.home_of(pal):  # somebody unknown would write to the inbox
                await self.ledger.answers(pal)
                self.answers += 1
            try:
                await asyncio.wait_for(self._over.wait(), lots.uniform(0.5, 1.5) * pause)
            except TimeoutError:
                continue


@asynccontextmanager
async def traffic(
    ledger: Ledger, people: int, *, pause: float = 2.0, two_way: bool = True, **profile: object
) -> AsyncIterator[Traffic]:
    """Let so many people be at it until the block is left, each after about *pause* seconds again."""
    lots = ledger.scene.lots
    going_on = Traffic(ledger, kinds={"text", "reply", "answer"} if two_way else {"text"})
    pals = [await ledger.meets(_AUTHORS[number % len(_AUTHORS)], **profile) for number in range(people)]
    async with asyncio.TaskGroup() as group:
        for pal in pals:
            group.create_task(going_on.lives(pal, random.Random(lots.random()), pause))
        try:
            yield going_on
        finally:
            going_on._over.set()


def median_and_most(commands: list[Command]) -> str:
    """Say in milliseconds how long the answers took."""
    if not commands:
        return "-"
    seconds = [command.seconds for command in commands]
    return f"{statistics.median(seconds) * 1000:.0f}, {max(seconds) * 1000:.0f}"
