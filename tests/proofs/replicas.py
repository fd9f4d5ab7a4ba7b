"""
Several replicas on one PostgreSQL: `python -m tests.proofs.replicas --seed 7`; docs/proofs/replicas.md has the results.

How much more do two and three get done than one; what becomes of everything when one is cut off in the middle, from
what it needs or from all; and can the previous release be replaced by this one while it works.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bot.storage.database import migrate
from bot.storage.embedded import start_embedded
from tests.proofs import replicas_rate, rolling
from tests.proofs.fleet import LEADING, Cut, Fleet, Replica, fleet, namespaces, serve_addresses
from tests.proofs.ledger import Ledger
from tests.proofs.record import Record
from tests.proofs.replicas_rate import rates, rig, rows
from tests.proofs.rolling import previous_release, roll, way
from tests.proofs.traffic import Command, median_and_most, traffic

REPLICAS = 3
CUT_SECONDS = 32.0
PEOPLE = 12

#: Texts take this long at Blooio, so that whoever is cut off has some under way.
SLOW_SECONDS = 3.0

_UNDER_WAY = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%s)"


@dataclass
class Loss:
    """What one replica lost for a while, and what was seen."""

    cut: Cut
    seconds: float
    leader_after: float | None = None  # seconds until another led; None: nobody else did
    jobs: int = 0  # under way in it when it was cut off
    jobs_after: float | None = None  # seconds until none of them was its own any more
    commands: list[Command] = field(default_factory=list)  # typed while it was cut off
    settled_after: float = 0.0  # seconds from the mending until all was delivered and drawn
    wrong: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def row(self) -> tuple[object, ...]:
        refused = sum(not command.accepted for command in self.commands)
        return (
            self.cut,
            _seconds(self.leader_after),
            f"{self.jobs}, {_seconds(self.jobs_after)}",
            f"{len(self.commands) - refused}, {refused}",
            median_and_most([command for command in self.commands if command.accepted]),
            f"{self.settled_after:.0f}",
            len(self.wrong),
        )


HEADER = (
    "the leader loses",
    "seconds until another leads",
    "its jobs, seconds until others have them",
    "commands accepted, refused meanwhile",
    "their answers p50, max in ms",
    "seconds until all is true, once mended",
    "lost, twice or wrong",
)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


async def lose(ships: Fleet, ledger: Ledger, cut: Cut, *, seconds: float, people: int = PEOPLE) -> Loss:
    """Let the leader lose something for so long, while people go on; return what became of everything."""
    stage, loss = ships.scene, Loss(cut, seconds)
    await stage.sandbox.order(
        vendor="blooio", where="POST /chats/*/messages", kind="latency", seconds=SLOW_SECONDS, times=None
    )
    async with traffic(ledger, people) as going_on:
        await asyncio.sleep(min(seconds / 5, 5.0))
        victim = await stage.sandbox.until(ships.leader)
        workers = list((await ships.holders())[victim.name] - {LEADING})
        await victim.loses(cut)
        began = time.monotonic()
        await _watch(ships, victim, workers, loss)
        ended = time.monotonic()
        await victim.has_again(cut)
        await asyncio.sleep(min(seconds / 5, 5.0))
    loss.commands = going_on.since(began, ended)
    await stage.sandbox.calm()
    await ledger.settles(timeout=180)
    loss.settled_after = time.monotonic() - ended
    loss.wrong = await ledger.wrong()
    for one in ships.replicas:
        loss.complaints += complaints(one, of_the_lost=one is victim)
    return loss


def complaints(replica: Replica, *, of_the_lost: bool) -> list[str]:
    """What it logged that nobody should have to read, and no more of it the next time. The lost may complain."""
    said, replica.bot.lines[:] = list(replica.bot.lines), []
    lines = [f"{replica.name}: {line}" for line in said if " ERROR " in line or "Traceback" in line]
    return [] if of_the_lost else lines


async def _watch(ships: Fleet, victim: Replica, workers: Sequence[int], loss: Loss) -> None:
    """Look at who leads and whose the jobs are, until the time of the cut is over."""
    began = time.monotonic()
    async with await psycopg.AsyncConnection.connect(ships.scene.database_url, autocommit=True) as connection:
        its: list[int] | None = None
        while (since := time.monotonic() - began) < loss.seconds:
            leader = await ships.leader()
            if loss.leader_after is None and leader not in {None, victim}:
                loss.leader_after = since
            cursor = await connection.execute(_UNDER_WAY, (workers,))
            found = [row[0] for row in await cursor.fetchall()]
            if its is None:
                its = found
                loss.jobs = len(its)
            if loss.jobs_after is None and loss.jobs and not set(its) & set(found):
                loss.jobs_after = since
            await asyncio.sleep(0.2)


async def cut_off(
    database_url: str, folder: Path, seed: int, *, machines: list[Any], cuts: Sequence[Cut]
) -> list[Loss]:
    """Let the leader of three lose one thing after the other."""
    losses = []
    async with fleet(database_url, folder, replicas=REPLICAS, seed=seed, machines=machines) as ships:
        await ships.scene.start()
        ledger = Ledger(ships.scene)
        for cut in cuts:
            loss = await lose(ships, ledger, cut, seconds=CUT_SECONDS)
            _say(f"{loss.row()} {loss.wrong[:5]} {loss.complaints[:3]}")
            losses.append(loss)
    return losses


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  (a run takes minutes)


@asynccontextmanager
async def postgres(addresses: Sequence[str] = (), *, schema: bool = True) -> AsyncIterator[tuple[Any, str, Path]]:
    """Start a server that keeps its promises (fsync is on): its handle, its URL and a folder beside it."""
    with tempfile.TemporaryDirectory(prefix="texting") as name:
        handle = await asyncio.to_thread(start_embedded, Path(name))
        try:
            url = str(handle.get_uri())
            if addresses:
                url = await asyncio.to_thread(serve_addresses, handle, list(addresses))
            if schema:
                await migrate(url)
            yield handle, url, Path(name)
        finally:
            await asyncio.to_thread(handle.cleanup)


async def _losses(options: argparse.Namespace) -> list[Loss]:
    losses: list[Loss] = []
    async with postgres() as (_, url, folder):
        cuts = [cut for cut in Cut if cut is not Cut.CABLE and (not options.only or options.only in cut)]
        losses += await cut_off(url, folder, options.seed, machines=[], cuts=cuts)
    with namespaces(REPLICAS) as machines:
        if not machines:
            _say("no network namespaces here: the cable is left out")
            return losses
        async with postgres([one.here for one in machines]) as (_, url, folder):
            losses += await cut_off(url, folder, options.seed, machines=machines, cuts=[Cut.CABLE])
    return losses


async def _rated(options: argparse.Namespace, record: Record) -> int:
    """Measure what one, two and three get done; return how many texts were sent twice."""
    async with postgres() as (handle, url, folder), rig(url, folder, handle.get_pid(), REPLICAS) as rigged:
        found = await rates(rigged, rounds=options.rounds, quick=1200, slow=200, slow_seconds=2.0)
    twice = sum(one.twice for one in found)
    record.say(f"**Throughput**, {replicas_rate.AT_ONCE} commands under way, medians of {options.rounds} rounds:")
    record.table(replicas_rate.HEADER, rows(found, latency=0.05))
    record.say(f"Sent twice: {twice} of {sum(one.texts for one in found):,}.")
    return twice


async def _rolled(options: argparse.Namespace, record: Record) -> int:
    """Replace the previous release; return how much is wrong then."""
    async with postgres(schema=False) as (_, url, folder):
        old = previous_release(folder)
        if old is None:
            record.say("The previous release is not in this clone: its replacement was left out.")
            return 0
        async with way(url, folder, old, options.seed) as going:
            await roll(going, seconds=8)
    record.say("**A release rolled out**, one process at a time, while people go on:")
    record.table(rolling.HEADER, [phase.row() for phase in going.phases])
    waited, errors = going.longest_wait * 1000, {one: len(lines) for one, lines in going.complaints.items()}
    record.say(
        f"The schema was brought up to date with {rolling.TEXTS:,} texts stored, by the last of {going.killed + 1} "
        f"processes, of which {going.killed} were killed at it; meanwhile a row took at most {waited:.0f} ms to be "
        f"written. Answers from phones: {going.answers}, replies: {going.replies}. Lost, twice or wrong: "
        f"{len(going.wrong)}. Errors in the logs of the previous release: {errors.get('previous', 0)}; "
        f"of this one: {errors.get('this', 0)}."
    )
    for line in going.wrong + going.complaints.get("previous", []) + going.complaints.get("this", []):
        _say(line)
    return len(going.wrong)


async def main(options: argparse.Namespace) -> int:
    """Do all of it, or one part; return the exit status."""
    record, wrong = Record("replicas", "make prove-replicas", options.seed), 0
    if options.only in {"", "rate"}:
        wrong += await _rated(options, record)
    if options.only not in {"rolling", "rate"}:
        losses = await _losses(options)
        record.say("**One cut off**, for half a minute, while people go on:")
        record.table(HEADER, [loss.row() for loss in losses])
        errors = [line for loss in losses for line in loss.complaints]
        record.say(f"Errors in the logs of the replicas that were not cut off: {len(errors)}.")
        for line in [line for loss in losses for line in loss.wrong] + errors:
            _say(line)
        wrong += sum(len(loss.wrong) for loss in losses)
    if options.only in {"", "rolling"}:
        wrong += await _rolled(options, record)
    if options.only:
        _say(record.text())
    else:
        record.write()
    return int(wrong > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3, help="of measuring the throughput")
    parser.add_argument("--only", default="", help="one part: rate, rolling, or a cut by its words")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # networks and a server are left behind otherwise
    sys.exit(asyncio.run(main(parser.parse_args())))
