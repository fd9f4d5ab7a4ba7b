"""
Bad input, and a great deal of it: no 500, no unhandled exception, no stuck job, no growth in memory.

`python -m tests.proofs.input --inputs 100000 --seed 7` gives so many inputs to what reads, to the running bot over
HTTP, over a socket, and in the answers of Slack and Blooio. `docs/proofs/input.md` says what is checked.
"""

import argparse
import asyncio
import itertools
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import psutil
import psycopg

from bench.webhooks import sandbox_process
from bot.reading.request import storable
from bot.storage.embedded import start_embedded
from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from tests.proofs import input_drawing, input_machine, input_readers
from tests.proofs.input_answers import WAITS, Meddler, envelope, meddling
from tests.proofs.input_mutation import Lots, word
from tests.proofs.input_wire import MARKER, Corpus, Wire, send, tour
from tests.proofs.record import Record
from tests.proofs.scene import UNDER_WAY, Scene, scene

#: What share of the inputs goes where; the rest is for what only reads and draws.
OVER_HTTP, STORIES, FRAMES, ANSWERS = 0.13, 0.02, 0.03, 0.01
_STEPS_OF_A_STORY = 15  # on average

#: By how much the bot may be larger in the second half of a storm than it ever was in the first.
GROWTH = 16.0  # MB

#: Requests under way at once, and what share of Slack's and Blooio's answers is changed.
_AT_ONCE = 8
_CHANGED = 0.25

#: How long the end may take. Slack may have been made to ask for a wait of a minute, which is honoured.
_PATIENCE = 150.0  # seconds

#: Numbers of people, as they would stand in a log that does not mask them.
_PERSONAL = re.compile(rf"{MARKER}|\+1555\d{{7}}|%2B1555\d{{7}}", re.IGNORECASE)

#: What the log says of what nobody expected; and how a line begins that says of trouble what was done about it.
_COMPLAINT = re.compile(r" (?:ERROR|CRITICAL) |Traceback|never awaited|never retrieved")
_HANDLED = re.compile(r"\S+ (?:WARNING|INFO) (?!asyncio|py\.warnings)")

#: What is stuck: due and not done, or not drawn. What waits on purpose (a file that is fetched again later, news of a
#: text that is nobody's, a text behind one that Blooio wants later) is not.
STUCK = {
    "jobs": """
        SELECT count(*) FROM procrastinate_jobs j
         WHERE (status <> 'todo' OR coalesce(scheduled_at, now()) <= now())
           AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs earlier
                            WHERE earlier.lock = j.lock AND earlier.id <> j.id AND earlier.scheduled_at > now())
    """,
    "texts without a job": """
        SELECT count(*) FROM deliveries d
         WHERE status = 'queued' AND message_id IS NULL AND held_since IS NULL
           AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.args ->> 'delivery_id' = d.id::text)
    """,
    "news not applied": """
        SELECT count(*) FROM events e
         WHERE applied_at IS NULL
           AND (name = 'message.received' OR EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = e.message_id))
    """,
    **{what: UNDER_WAY[what] for what in UNDER_WAY if what.endswith(("drawn", "marked", "posted"))},
}


@dataclass
class Found:
    """What a run found."""

    counts: dict[str, int] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    flaws: list[str] = field(default_factory=list)
    memory: dict[str, list[float]] = field(default_factory=dict)  # MB, as it went on
    slowest: dict[str, float] = field(default_factory=dict)  # seconds

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def read_and_draw(found: Found, seed: int, count: int) -> None:
    """Give input to what reads without doing anything, and draw whatever there can be."""
    readers = (*input_readers.READERS, input_drawing.READER)
    given, flaws, slowest = input_readers.run(seed, count, readers)
    found.counts |= given
    found.flaws += map(str, flaws)
    found.slowest["reading or drawing one"] = slowest


async def over_http(found: Found, running: Scene, seed: int, count: int, stories: int) -> Corpus:
    """Send requests of all kinds, and tell stories, to a bot that people have used; see what it is like afterwards."""
    await running.start()
    corpus = await tour(running)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        wire = Wire(running.bots[0].url, http)
        found.memory["HTTP"] = await _storm(wire, corpus, running, seed, count)
        found.counts["requests over HTTP"] = count
        found.flaws += wire.flaws
        wire.flaws.clear()
        if stories:
            told, failed = await input_machine.run(seed, stories, wire, corpus, lambda: complaints(running))
            found.counts["steps of stories"] = told
            found.flaws += failed
        found.answers += wire.answers
        found.slowest["an answer over HTTP"] = wire.slowest
    found.flaws += _grown(found.memory["HTTP"])
    found.flaws += await ends(running, f"+1555{8_000_001}")
    return corpus


async def _storm(wire: Wire, corpus: Corpus, running: Scene, seed: int, count: int) -> list[float]:
    numbers = iter(range(count))
    process, memory = psutil.Process(running.bots[0].pid), list[float]()

    async def go_on() -> None:
        for number in numbers:
            await send(number, wire, corpus, Lots(seed, "wire", number))
            if number % max(1, count // 20) == 0:
                memory.append(process.memory_info().rss / 2**20)

    await asyncio.gather(*(go_on() for _ in range(_AT_ONCE)))
    return memory


def _grown(memory: list[float]) -> list[str]:
    first, second = memory[: len(memory) // 2], memory[len(memory) // 2 :]
    if not first or max(second) <= max(first) + GROWTH:
        return []
    return [f"memory grew from {max(first):.0f} to {max(second):.0f} MB"]


async def meddled(
    found: Found, running: Scene, meddler: Meddler, corpus: Corpus, seed: int, *, frames: int, answers: int
) -> None:
    """Put frames between those of Slack's socket, and change what Slack and Blooio answer, while people go on."""
    await running.start()
    process = psutil.Process(running.bots[0].pid)
    memory = [process.memory_info().rss / 2**20]
    for number in range(frames):
        await meddler.inject(envelope(number, corpus.bodies, Lots(seed, "frame", number)))
        if number % 20 == 0:
            await asyncio.sleep(0.05)  # as fast as Slack may be, and not in one heap
    memory.append(process.memory_info().rss / 2**20)
    found.counts["frames of a socket"] = meddler.frames
    meddler.share = _CHANGED
    texted = await _people_go_on(running, meddler, seed, answers)
    meddler.share = 0.0
    found.counts["answers of Slack's and Blooio's"] = meddler.changed.total()
    memory.append(process.memory_info().rss / 2**20)
    found.memory["socket"] = memory
    found.flaws += await ends(running, f"+1555{8_000_002}", truths_only=True)
    for address in texted:
        twice = [one for one, times in Counter(one.text for one in await _phone(running, address)).items() if times > 1]
        found.flaws += [f"{address} got {one!r} more than once" for one in twice]


async def _phone(running: Scene, address: str) -> list[object]:
    return list(await running.sandbox.phone(address).received())


async def _people_go_on(running: Scene, meddler: Meddler, seed: int, answers: int) -> list[str]:
    """Let people text, answer, type and look people up until so many answers were changed; return whom they texted."""
    numbers, texted = itertools.count(), list[str]()
    home = await running.sandbox.creates_channel("meddled", members=["ana", "ben", "bot"])
    ana, ben = running.sandbox.person("ana"), running.sandbox.person("ben")

    async def go_on() -> None:
        while meddler.changed.total() < answers:
            number = next(numbers)
            lots = Lots(seed, "people", number)
            address = f"+1555{9_000_000 + number}"
            with suppress(Refused, AssertionError):
                match lots.random.randrange(6):
                    case 0 | 1:
                        await running.sandbox.phone(address).becomes(imessage=True, sent_after=0, delivered_after=0)
                        texted.append(address)
                        await ana.types(home, f"/text {address} Hello {number}")
                    case 2 if texted:
                        await ben.types(home, f"/text {lots.one(texted)} Again {number}")
                    case 3 if texted:
                        await running.sandbox.phone(lots.one(texted)).replies(
                            f"Yes {number} {storable(word(lots))[:2_000]}"
                        )
                    case 4:
                        if cards := [one for one in await ana.sees(home) if one.reply_count]:
                            await ana.posts(home, f"Typed {number}", thread_ts=lots.one(cards).ts)
                    case _:
                        verb = lots.one(("find j", "list", "show Jane", f"add {address} Jo {number}", "tag Jane vip"))
                        await ana.types(home, f"/contact {verb}")

    await asyncio.gather(*(go_on() for _ in range(12)))
    return texted


async def ends(running: Scene, address: str, *, truths_only: bool = False) -> list[str]:
    """
    Say what is wrong in the end: what is stuck, what the log says, whether a text still goes its way.

    *truths_only*: Slack was lied about, so what it shows of earlier texts may be anything.
    """
    flaws = []
    try:
        await running.sandbox.until(lambda: _nothing_stuck(running, truths_only=truths_only), timeout=_PATIENCE)
    except TimeoutError:
        flaws.append(f"stuck: {await _stuck(running, truths_only=truths_only)}\n{await _jobs(running)}")
    flaws += await _a_text_goes_its_way(running, address)
    said = complaints(running)
    if truths_only:
        said = [one for one in said if " admin_needed " not in one]  # as Blooio was made to refuse everything
    flaws += [f"the log says: {one}" for one in said[:10]]
    lines = [line for bot in running.bots for line in bot.lines]
    flaws += [f"the log has what somebody wrote: {line[:300]}" for line in lines if _PERSONAL.search(line)][:5]
    if not running.bots[0].is_running:
        flaws.append("the bot is not there any more")
    return flaws


def complaints(running: Scene) -> list[str]:
    """What the bots complained of, each with the lines that belong to it. A warning is no complaint: it was handled."""
    said: list[str] = []
    for line in (line for bot in running.bots for line in bot.lines):
        if (not line or line.startswith("    ")) and said:
            said[-1] += f"\n{line}"
        else:
            said.append(line)
    return [one for one in said if not _HANDLED.match(one) and _COMPLAINT.search(one)]


async def _nothing_stuck(running: Scene, *, truths_only: bool) -> bool:
    return not await _stuck(running, truths_only=truths_only)


async def _stuck(running: Scene, *, truths_only: bool) -> dict[str, int]:
    asked = {what: query for what, query in STUCK.items() if not truths_only or what in {"jobs", "news not applied"}}
    async with await psycopg.AsyncConnection.connect(running.database_url) as connection:
        rows = {what: (await (await connection.execute(query)).fetchone() or (0,))[0] for what, query in asked.items()}
    return {what: count for what, count in rows.items() if count}


async def _jobs(running: Scene) -> str:
    """List what there is to do, for whoever has waited in vain."""
    asked = "SELECT status, scheduled_at - now(), attempts, task_name, lock, args FROM procrastinate_jobs LIMIT 20"
    async with await psycopg.AsyncConnection.connect(running.database_url) as connection:
        return "\n".join(map(str, await (await connection.execute(asked)).fetchall()))


async def _a_text_goes_its_way(running: Scene, address: str) -> list[str]:
    """Text somebody new as if nothing had been; say what of it is not as it should be."""
    phone, ana = running.sandbox.phone(address), running.sandbox.person("ana")
    await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
    home = await running.sandbox.creates_channel(f"afterwards-{address[-1]}", members=["ana", "bot"])
    answer = await ana.types(home, f"/text {address} All is well")
    if not answer.text.startswith("Texting "):
        return [f"a text was answered with {answer.text!r} {answer.error}"]

    async def is_drawn() -> bool:
        shown = [one for card in await ana.sees(home) for one in await ana.sees_thread(home, card.ts)]
        return any("Delivered" in one.text for one in shown)

    try:
        await running.sandbox.until(is_drawn, timeout=_PATIENCE)
    except TimeoutError:
        return ["a text's receipt does not say that it was delivered"]
    got = [one.text for one in await phone.received(at_least=1)]
    return [] if got == ["All is well"] else [f"a phone got {got}"]


async def proof(
    seed: int,
    inputs: int,
    databases: Callable[[], str],
    folder: Path,
    sandbox: Sandbox,
    *,
    waits: tuple[str, ...] = WAITS,
) -> Found:
    """Give so many inputs to everything; return what was found."""
    found = Found()
    here = {
        name: round(inputs * share) for name, share in (("http", OVER_HTTP), ("frames", FRAMES), ("answers", ANSWERS))
    }
    stories = round(inputs * STORIES / _STEPS_OF_A_STORY)
    read_and_draw(found, seed, inputs - sum(here.values()) - stories * _STEPS_OF_A_STORY)
    _say(found, "read and drawn")
    database = databases()
    async with scene(
        database, folder, bots=1, transport="http", seed=seed, sandbox=sandbox, DATABASE_URL=database
    ) as running:
        corpus = await over_http(found, running, seed, here["http"], stories)
    await sandbox.set_transport(request_url=None)
    _say(found, "sent over HTTP")
    async with meddling(sandbox.url, seed) as meddler:
        meddler.waits = waits
        through = {"SLACK_API_URL": f"{meddler.url}/slack/api/", "BLOOIO_BASE_URL": f"{meddler.url}/blooio/v2/api"}
        through["DATABASE_URL"] = database = databases()
        async with scene(
            database, folder, bots=1, transport="socket", seed=seed, sandbox=sandbox, **through
        ) as running:
            await meddled(found, running, meddler, corpus, seed, frames=here["frames"], answers=here["answers"])
    _say(found, "in frames and answers")
    return found


def _say(found: Found, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {found.total:,} inputs {what}, {len(found.flaws)} flaws", file=sys.stderr)  # noqa: T201


def record(found: Found, seed: int, inputs: int) -> Record:
    """Put what was found into tables."""
    wrote = Record("input", f".venv/bin/python -m tests.proofs.input --inputs {inputs} --seed {seed}", seed)
    wrote.say(f"**{found.total:,} inputs, {len(found.flaws)} flaws.**")
    wrote.table(("Input for", "inputs"), [(name, f"{count:,}") for name, count in found.counts.items()])
    by_status = Counter[str]()
    for answer, count in found.answers.items():
        by_status[answer.rpartition(" ")[2]] += count
    wrote.table(
        ("Answers over HTTP", "requests"), [(status, f"{count:,}") for status, count in sorted(by_status.items())]
    )
    memory = found.memory.get("HTTP", [])
    half = len(memory) // 2
    rows: list[tuple[object, ...]] = [
        (f"slowest: {what}", f"{seconds:.2f} s") for what, seconds in found.slowest.items()
    ]
    if half:
        rows.append(("memory, most in the first half of the storm", f"{max(memory[:half]):.0f} MB"))
        rows.append(("memory, most in its second half", f"{max(memory[half:]):.0f} MB"))
    rows += [
        (f"memory over a socket: {when}", f"{size:.0f} MB")
        for when, size in zip(
            ("at first", "after the frames", "after the answers"), found.memory.get("socket", []), strict=False
        )
    ]
    wrote.table(("", "figure"), rows)
    return wrote


@contextmanager
def embedded(folder: Path) -> Iterator[Callable[[], str]]:
    """A server of one's own, which makes databases."""
    server, numbers = start_embedded(folder), itertools.count(1)

    def make() -> str:
        name = f"input_{next(numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return urlunsplit(urlsplit(server.get_uri())._replace(path=f"/{name}"))

    try:
        yield make
    finally:
        server.cleanup()


async def main(options: argparse.Namespace) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="input") as name, embedded(Path(name)) as databases:
        async with sandbox_process() as sandbox:
            found = await proof(options.seed, options.inputs, databases, Path(name), sandbox)
    wrote = record(found, options.seed, options.inputs)
    wrote.started = started
    for flaw in found.flaws:
        print(flaw, file=sys.stderr)  # noqa: T201  (whoever runs it wants to see it)
    if found.flaws or not options.write:
        print(wrote.text())  # noqa: T201
    else:
        wrote.write()
    return 1 if found.flaws else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bad input, and what the bot makes of it.")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave the page as it is")
    sys.exit(asyncio.run(main(parser.parse_args())))
