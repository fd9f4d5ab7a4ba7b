"""The previous release replaced by this one, a process at a time, while people go on; and put back."""

import asyncio
import io
import itertools
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bot.storage.database import migrate
from tests.acceptance.processes import BotProcess
from tests.proofs.ledger import Ledger
from tests.proofs.scene import Scene, scene
from tests.proofs.traffic import Command, Traffic, median_and_most, traffic

ROOT = Path(__file__).resolve().parents[2]

#: The last that was released before this tree: texts, statuses and reports; no answers and no replies yet.
PREVIOUS = "cde3fd0a7b220d2081e9c59dfbb76f653cee8b06"

#: Texts that are there already, of so many people.
TEXTS, PEOPLE = 200_000, 20_000

KILLS = 5

_MIGRATE = """
import asyncio, sys
from bot.storage.database import migrate
print("begins", flush=True)
asyncio.run(migrate(sys.argv[1]))
"""

_HISTORY = """
    INSERT INTO people (team_id, address) SELECT 'T1', '+1555' || (3000000 + n) FROM generate_series(1, {people}) n;
    INSERT INTO threads (person_id, line, conversation_id, card_ts, owner_id, owner_name, drawn_revision)
    SELECT id, '+15550109999', 'C0SUPPORT01', '1600000000.' || lpad(id::text, 6, '0'), 'U1', 'Ana', 1 FROM people;
    INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name, status, expected_channel,
                            message_id, accepted_at, posted_in, posted_ts, drawn_revision)
    SELECT gen_random_uuid(), 'old:' || n, t.id, 'An older text, number ' || n, 'U1', 'Ana', 'delivered', 'imessage',
           'old_' || n, now(), 'C0SUPPORT01', '1600000001.' || n, 1
      FROM generate_series(1, {texts}) n JOIN threads t ON t.id = 1 + mod(n, {people});
    ANALYZE;
"""

_PROBE = """
    INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name)
    SELECT gen_random_uuid(), gen_random_uuid()::text, 1, 'a probe', 'U1', 'Ana'
"""


def previous_release(folder: Path, commit: str = PREVIOUS) -> Path | None:
    """Unpack the previous release below *folder*; None where this clone does not have it."""
    asked = ["git", "archive", commit]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder / "previous", filter="data")
    return folder / "previous"


@dataclass
class Phase:
    """A stretch of the way, and what was seen of it."""

    what: str
    commands: list[Command]

    def row(self) -> tuple[object, ...]:
        refused = sum(not command.accepted for command in self.commands)
        return self.what, len(self.commands) - refused, refused, median_and_most(self.commands)


HEADER = ("meanwhile", "commands accepted", "refused", "their answers p50, max in ms")


@dataclass
class Way:
    """From the previous release to this one."""

    stage: Scene
    old: Path
    phases: list[Phase] = field(default_factory=list)
    longest_wait: float = 0.0  # seconds that a row took to be written while the schema was brought up to date
    applied: list[str] = field(default_factory=list)
    killed: int = 0
    answers: int = 0
    replies: int = 0
    wrong: list[str] = field(default_factory=list)
    complaints: dict[str, list[str]] = field(default_factory=dict)  # by release

    @asynccontextmanager
    async def phase(self, what: str, going_on: Traffic) -> AsyncIterator[None]:
        began = time.monotonic()
        yield
        self.phases.append(Phase(what, going_on.since(began)))

    async def becomes(self, bot: BotProcess, *, old: bool) -> None:
        """Stop a bot, if it runs, and start it as the one release or the other."""
        await bot.stop()
        self.keep(bot)
        bot._environment["PYTHONPATH"] = str(self.old if old else ROOT)
        await bot.start()
        await self.stage.sandbox.connected(len(self.stage.running()), timeout=30)

    def keep(self, bot: BotProcess) -> None:
        """Keep what a bot complained of in the life that has ended."""
        release = "previous" if bot._environment.get("PYTHONPATH") == str(self.old) else "this"
        bad = [
            f"{before.strip()} … {line.strip()}"
            for before, line in itertools.pairwise(["", *bot.lines])
            if " ERROR " in line or "Traceback" in line
        ]
        self.complaints.setdefault(release, []).extend(bad)
        bot.lines.clear()


@asynccontextmanager
async def way(database_url: str, folder: Path, old: Path, seed: int) -> AsyncIterator[Way]:
    """Two bots of the previous release with a long history, started."""
    async with scene(database_url, folder, bots=2, seed=seed) as stage:
        for bot in stage.bots:
            bot._environment = bot._environment | {"PYTHONPATH": str(old)}  # which they share until now
        await stage.bots[0].start()
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(_HISTORY.format(people=PEOPLE, texts=TEXTS).encode())
        await stage.bots[0].stop()
        await stage.start()
        yield Way(stage, old)


async def roll(going: Way, seconds: float) -> None:
    """Go the way, *seconds* for each stretch of it."""
    stage, (one, other) = going.stage, going.stage.bots
    ledger = Ledger(stage)
    async with traffic(ledger, 10, pause=1.5, two_way=False) as going_on:
        async with going.phase("two of the previous release", going_on):
            await asyncio.sleep(seconds)
        async with going.phase("one of them stopped; the schema brought up to date, killed on the way", going_on):
            await one.stop()
            going.keep(one)
            await _migrated(going, going_on)
        async with going.phase("one of each", going_on):
            await going.becomes(one, old=False)
            going_on.kinds |= {"answer"}
            await asyncio.sleep(seconds)
        going_on.kinds -= {"answer"}
        async with going.phase("put back: two of the previous release on the new schema", going_on):
            await going.becomes(one, old=True)
            await asyncio.sleep(seconds)
        async with going.phase("one of each again", going_on):
            await going.becomes(one, old=False)
            await asyncio.sleep(seconds)
        async with going.phase("two of this release", going_on):
            await going.becomes(other, old=False)
            going_on.kinds |= {"answer", "reply"}
            await asyncio.sleep(seconds)
    await ledger.settles(timeout=180)
    going.wrong = await ledger.wrong()
    going.answers, going.replies = going_on.answers, going_on.replies
    for bot in stage.bots:
        await bot.stop()
        going.keep(bot)


async def _migrated(going: Way, going_on: Traffic) -> None:
    """Bring the schema up to date by a process that is killed several times, and then by one that is not."""
    url = going.stage.database_url
    probing = asyncio.create_task(_probe(going, url))
    for _ in range(KILLS):
        migrating = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _MIGRATE, url),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert migrating.stdout is not None
        await migrating.stdout.readline()
        await asyncio.sleep(going.stage.lots.uniform(0, 0.5))
        if migrating.returncode is None:
            migrating.kill()
        going.killed += await migrating.wait() == -signal.SIGKILL
    going.applied = await migrate(url)
    await asyncio.sleep(1)
    probing.cancel()
    await asyncio.wait([probing])


async def _probe(going: Way, url: str) -> None:
    """Write a row every few milliseconds, and note how long that took; nothing stays."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        while True:
            began = time.monotonic()
            await connection.execute(_PROBE)
            await connection.rollback()
            going.longest_wait = max(going.longest_wait, time.monotonic() - began)
            await asyncio.sleep(0.005)
