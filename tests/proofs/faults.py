"""
Vendors at their worst: `python -m tests.proofs.faults`, from the repository's root.

Every fault that the sandbox knows, alone and in pairs: under each a new person is texted, and one who is known is
texted, replied to and answers. Then it is calm again. Beside that both vendors are away for ten minutes, each alone and
both together. In the end everything that was accepted has arrived once and in order, every receipt is true, and nothing
is left to do. See docs/proofs/faults.md.
"""

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance import processes
from tests.proofs.ledger import Ledger, Pal
from tests.proofs.outage import BLOOIO, HEADER, SLACK, Outage, away, say
from tests.proofs.postgres import server
from tests.proofs.record import Record
from tests.proofs.scene import Scene, scene
from tests.proofs.troubles import TROUBLES, Trouble, calm, waiting

#: How long faults may take to strike before people do something more, and how often they do. What has not struck by
#: then has met nothing, and its cell shows nothing.
_STRIKES_WITHIN, _ROUNDS = 3.0, 12
_MOMENT = 0.3

_TRIES = 10

#: A webhook that was lost is missed after five minutes: until then nobody asks (see `routing.REPAIR_AFTER`).
_SETTLES_WITHIN = 1500.0


#: Slack waits three seconds for an answer. Five scenes on one small machine may take longer, which is not the question.
ACK_SECONDS = 15.0

_START_SECONDS = 120.0

#: Cells that share a channel: each has two cards, and whoever looks is shown the newest five hundred messages.
_IN_A_CHANNEL = 200

#: Ten bots that start at once would keep each other from it.
_STARTING = asyncio.Lock()

ALL = 1_000_000

#: The scenes that share the matrix, and how Slack reaches the bots there.
MATRIX_OVER = ("socket", "http")

#: Who is away, and how Slack reaches the bots there.
OUTAGES = (((SLACK,), "socket"), ((BLOOIO,), "http"), ((SLACK, BLOOIO), "socket"))


@dataclass
class Cell:
    """Some faults at once, and what people did under them."""

    troubles: tuple[Trouble, ...]
    new: Pal | None = None  # whom nobody had texted before
    known: Pal | None = None
    met: bool = False  # each of its faults has struck
    wrong: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)  # what the bots said meanwhile

    @property
    def name(self) -> str:
        return " + ".join(one.name for one in self.troubles)

    @property
    def socket_only(self) -> bool:
        return any(one.socket_only for one in self.troubles)


def cells_of(troubles: Sequence[Trouble], *, pairs: int = ALL, lots: random.Random) -> list[Cell]:
    """Make a cell of each fault alone, and of so many pairs, in any order."""
    two = list(itertools.combinations(troubles, 2))
    some = lots.sample(two, min(pairs, len(two)))
    cells = [Cell((one,)) for one in troubles] + [Cell(pair) for pair in some]
    lots.shuffle(cells)
    return cells


def shared_out(cells: Sequence[Cell], transports: Sequence[str]) -> list[list[Cell]]:
    """Share the cells out among scenes over these transports: what needs a socket goes where there is one."""
    shares: list[list[Cell]] = [[] for _ in transports]
    for cell in sorted(cells, key=lambda cell: not cell.socket_only):
        fit = [
            share for share, over in zip(shares, transports, strict=True) if over == "socket" or not cell.socket_only
        ]
        min(fit, key=len).append(cell)
    return shares


async def plays(stage: Scene, cells: Sequence[Cell], *, settles_within: float = _SETTLES_WITHIN) -> Ledger:
    """Play the cells one after the other on a scene that has started, and say in each what went wrong there."""
    ledger = Ledger(stage)
    where = ""
    for number, cell in enumerate(cells):
        if number % _IN_A_CHANNEL == 0:
            where = f"faults-{number // _IN_A_CHANNEL}"
            await stage.sandbox.creates_channel(where, members=["ana", "ben", "bot"])
        cell.new, cell.known = [await ledger.meets(_author(stage), where=f"#{where}") for _ in range(2)]
        while not await ledger.texts(cell.known):  # a busy machine may be too slow for the bot to say yes in time
            assert len(cell.known.typed) < _TRIES, "this one is texted before there is any trouble"
    await ledger.settles()
    for number, cell in enumerate(cells, start=1):
        await _play(stage, ledger, cell)
        if number % 50 == 0:
            await ledger.hears_slack()
            say(f"{number} of {len(cells)} cells over {stage.transport}")
    try:
        await ledger.settles(timeout=settles_within)
    except AssertionError as unsettled:
        say(str(unsettled))
    _tell_apart(await ledger.wrong(), cells)
    return ledger


def _author(stage: Scene) -> str:
    return stage.lots.choice(("ana", "ben"))


async def _play(stage: Scene, ledger: Ledger, cell: Cell) -> None:
    """Let the faults of one cell come, act under them, and take them back once they have struck."""
    assert cell.new is not None
    assert cell.known is not None
    before = [len(bot.lines) for bot in stage.bots]
    begun = [await trouble.begin(stage) for trouble in stage.lots.sample(cell.troubles, len(cell.troubles))]
    orders = {order for order in begun if order is not None}
    await asyncio.gather(ledger.texts(cell.new), ledger.answers(cell.known))
    for _ in range(_ROUNDS):
        await asyncio.gather(ledger.texts(cell.known), ledger.replies(cell.known))
        orders = await _strike(stage, orders)
        if not orders:
            break
        await stage.sandbox.releases_events("shuffled", seed=stage.lots.randrange(1000))  # or none could be struck
    cell.met = not orders
    await calm(stage)
    cell.log = [line for bot, first in zip(stage.bots, before, strict=True) for line in bot.lines[first:]]


async def _strike(stage: Scene, orders: set[str]) -> set[str]:
    """Wait a moment for the faults to strike; return the orders of those that have not."""
    deadline = time.monotonic() + _STRIKES_WITHIN
    await asyncio.sleep(_MOMENT)
    while orders and time.monotonic() < deadline:
        orders = await waiting(stage, orders)
        await asyncio.sleep(0.1)
    return orders


def _tell_apart(wrong: Sequence[str], cells: Sequence[Cell]) -> None:
    """Give each complaint to the cell whose people it is about; what is about nobody concerns them all."""
    for one in wrong:
        about = [cell for cell in cells for pal in (cell.new, cell.known) if pal and pal.address in one]
        for cell in about or cells[-1:]:
            cell.wrong.append(one)


@asynccontextmanager
async def _started(database_url: str, transport: str, seed: int) -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="faults") as folder:  # where the bots find no .env
        async with scene(database_url, Path(folder), transport=transport, seed=seed) as stage:
            async with _STARTING:
                await stage.start()
            await stage.sandbox.limits(ack_limit=ACK_SECONDS)
            yield stage


@asynccontextmanager
async def _servers(count: int) -> AsyncIterator[list[str]]:
    """Start so many PostgreSQL, one for each scene: one takes a hundred connections."""
    async with AsyncExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory(prefix="faults")) for _ in range(count)]
        yield [(await stack.enter_async_context(server(Path(folder)))).url for folder in folders]


async def _matrix(options: argparse.Namespace, database_urls: Sequence[str]) -> list[Cell]:
    cells = cells_of(TROUBLES, pairs=options.pairs, lots=random.Random(options.seed))

    async def play(number: int, share: list[Cell]) -> None:
        async with _started(database_urls[number], MATRIX_OVER[number], options.seed + number) as stage:
            await plays(stage, share)

    await asyncio.gather(*(play(number, share) for number, share in enumerate(shared_out(cells, MATRIX_OVER))))
    return cells


async def _outages(options: argparse.Namespace, database_urls: Sequence[str]) -> list[Outage]:
    async def one(number: int, vendors: tuple[str, ...], transport: str) -> Outage:
        async with _started(database_urls[number], transport, options.seed + number) as stage:
            return await away(stage, vendors, seconds=60 * options.minutes, each=options.each)

    return list(await asyncio.gather(*(one(number, *some) for number, some in enumerate(OUTAGES))))


async def main(options: argparse.Namespace) -> int:
    """Run it all and write it down; return how much was wrong."""
    record = Record("faults", "make prove-faults", seed=options.seed)
    processes._START_SECONDS = _START_SECONDS
    async with _servers(len(OUTAGES) + len(MATRIX_OVER)) as urls, asyncio.TaskGroup() as both:
        if options.minutes:
            away_tasks = both.create_task(_outages(options, urls[: len(OUTAGES)]))
        if options.pairs >= 0:
            cell_tasks = both.create_task(_matrix(options, urls[len(OUTAGES) :]))
    outages = away_tasks.result() if options.minutes else []
    cells = cell_tasks.result() if options.pairs >= 0 else []
    right = [cell for cell in cells if not cell.wrong and cell.met]
    pals = [pal for cell in cells for pal in (cell.new, cell.known) if pal]
    explained, untold = sum(len(pal.explained) for pal in pals), sum(len(pal.untold) for pal in pals)
    accepted = sum(len(pal.accepted) for pal in pals) + explained
    record.table(
        ("", "cells", "each fault struck", "all true in the end"),
        [
            (what, len(some), sum(cell.met for cell in some), sum(not cell.wrong for cell in some))
            for what, some in (
                (f"{len(TROUBLES)} faults, each alone", [cell for cell in cells if len(cell.troubles) == 1]),
                ("in pairs", [cell for cell in cells if len(cell.troubles) == 2]),
            )
        ],
    )
    record.say(
        f"{accepted} texts were accepted under them; {untold} replies in threads were given up by Slack after its four"
        f" attempts, and {explained} texts found the line offline (503) three times in a minute, and their threads say"
        f" so. The faults: {', '.join(one.name for one in TROUBLES)}."
    )
    if outages:
        record.table(HEADER, [row for outage in outages for row in outage.rows()])
    for cell in cells:
        if cell not in right:
            say("\n".join([f"{cell.name}: {cell.wrong or 'it met nothing'}", *cell.log[-40:]]))
    for outage in outages:
        if outage.wrong:
            say(f"the outage of {outage.vendors}: {outage.wrong}")
    if options.pairs == ALL and options.minutes == 10:
        record.write()
    else:
        print(record.text())  # noqa: T201  (whoever runs a proof wants to see it)
    return len(cells) - len(right) + sum(len(outage.wrong) for outage in outages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Vendors at their worst, and what becomes of the texts.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pairs", type=int, default=ALL, help="so many pairs of faults (all); -1: no matrix at all")
    parser.add_argument("--minutes", type=float, default=10, help="how long an outage lasts (10); 0: none")
    parser.add_argument("--each", type=float, default=2, help="seconds between two acts in an outage (2)")
    sys.exit(min(asyncio.run(main(parser.parse_args())), 1))
