"""
This bot and what one would write instead, side by side: `python -m bench.speed`.

The others are in `bench/peers`: Bolt for Python and for JavaScript, written as its guide shows it. All of them run
between the same stand-ins for Slack and Blooio, take turns, and are measured in the same way, with vendors that answer
after 0, 50 and 200 ms. Then this bot alone, beside histories of 1,000 to 1,000,000 texts. The tables go into
`docs/proofs/speed.md`, and a picture of them beside it.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import cost
from bench.plot import draw
from bench.texts import OURS, ROOT, Figures, Program, Scale, bench, measure
from tests.proofs.record import PAGES, Record

_PEERS = ROOT / "bench/peers"
_PYTHON = sys.executable
SYNC = Program("Bolt for Python", (_PYTHON, str(_PEERS / "bolt_sync.py")))
ASYNC = Program("Bolt for Python, async", (_PYTHON, str(_PEERS / "bolt_async.py")))
SHARED = Program("the same, shared session", (_PYTHON, str(_PEERS / "bolt_async.py"), "--shared"))
NODE = Program("Bolt for JavaScript", ("node", str(_PEERS / "js/app.js")))

#: What design decisions are measured by: the vendors' latency in seconds, rounds, how much in each turn.
PLAN = ((0.05, 3, Scale(20, 300, 6)), (0.0, 2, Scale(20, 300, 5)), (0.2, 2, Scale(8, 300, 6)))
QUICK = ((0.05, 1, Scale(5, 60, 2)),)
MAIN = 0.05

#: Figures by program.
Results = dict[Program, Figures]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    title: str
    figure: str
    unit: float = 1000  # what the figure is multiplied by
    digits: int = 0
    of_all: Callable[[Sequence[float]], float] = statistics.median


ROWS = (
    Row("acknowledgement, ms", "acknowledgement", digits=1),
    Row("message at Blooio, first text, ms", "message, first text"),
    Row("message at Blooio, known person, ms", "message, known person"),
    Row("thread reply, first text, ms", "reply, first text"),
    Row("thread reply, known person, ms", "reply, known person"),
    Row("burst of 300: accepted, %", "burst accepted, of all", 100, of_all=min),
    Row("burst of 300: slowest acknowledgement, ms", "acknowledgement, burst", of_all=max),
    Row("burst of 300: texts/s", "burst texts/s", 1),
    Row("20 at a time: accepted, %", "steady accepted, of all", 100, of_all=min),
    Row("20 at a time: texts/s", "steady texts/s", 1),
    Row("CPU a text, ms", "cpu", digits=2),
    Row("CPU a text with PostgreSQL, ms", "cpu with database", digits=2),
    Row("memory, MB", "memory, bytes", 2**-20),
    Row("memory with PostgreSQL, MB", "memory with database, bytes", 2**-20),
    Row("start, s", "start", 1, digits=1),
)


@dataclass(frozen=True)
class Target:
    """What this bot has to reach, as a part of what the best of the others does."""

    title: str
    figure: str
    most: float
    of_best: bool = True  # of the best peer's; otherwise of nobody's


TARGETS = (
    Target("message at Blooio, first text", "message, first text", 0.65),
    Target("message at Blooio, known person", "message, known person", 0.25),
    Target("thread reply, first text", "reply, first text", 0.75),
    Target("thread reply, known person", "reply, known person", 0.75),
)


def contenders() -> list[Program]:
    """List whom we can measure here; say in one line who is left out."""
    missing = "node" if shutil.which("node") is None else None
    if missing is None and not (_PEERS / "js/node_modules").exists():
        missing = "its packages (`npm ci` in bench/peers/js)"
    if missing:
        print(f"Left out: {NODE.name}, because this machine has no {missing}.")
    return [OURS, SYNC, ASYNC, SHARED] + ([] if missing else [NODE])


async def compare(programs: Sequence[Program], latency: float, rounds: int, scale: Scale, folder: Path) -> Results:
    """Let all of them take turns, and back, so that whatever else the machine does meets all of them."""
    results: Results = {program: defaultdict(list) for program in programs}
    for number in range(rounds):
        for program in programs if number % 2 == 0 else reversed(programs):
            async with bench(latency, program, folder) as b:
                figures = await measure(b, scale, pause=program.pause)
            for name, values in figures.items():
                results[program][name] += values
            print(f"{latency * 1000:3.0f} ms, round {number + 1}: {program.name}", flush=True)
    return results


def show(record: Record, results: Mapping[float, Results]) -> None:
    for latency in sorted(results, key=lambda one: (one != MAIN, one)):
        programs = list(results[latency])
        record.say(f"**Vendors that answer after {latency * 1000:.0f} ms**")
        rows = [[row.title, *(_cell(results[latency][one], row) for one in programs)] for row in ROWS]
        record.table(["", *(one.name for one in programs)], rows)


def _cell(figures: Figures, row: Row) -> str:
    values = figures[row.figure]
    return f"{row.of_all(values) * row.unit:.{row.digits}f}" if values else "–"


def judge(results: Results, costs: Mapping[int, float]) -> list[list[str]]:
    """Compare with the targets: what, the target, what was reached, whether that is enough."""
    ours = results[OURS]
    peers = [figures for program, figures in results.items() if program is not OURS]
    rows = []
    for target in TARGETS:
        best = min(statistics.median(figures[target.figure]) for figures in peers)
        ratio = statistics.median(ours[target.figure]) / best
        rows.append([target.title, f"≤ {target.most} of the best peer's", f"{ratio:.2f}", _mark(ratio <= target.most)])
    accepted, slowest = min(ours["burst accepted, of all"]), max(ours["acknowledgement, burst"])
    rows.append(
        [
            "burst of 300",
            "all accepted, each within 1 s",
            f"{accepted:.0%}, {slowest:.2f} s",
            _mark(accepted == 1 and slowest <= 1),
        ]
    )
    rate = statistics.median(ours["steady texts/s"])
    rows.append(["20 at a time", "≥ 200 texts/s, all stored first", f"{rate:.0f}", _mark(rate >= 200)])
    if NODE in results:
        memory = statistics.median(ours["memory, bytes"]) / statistics.median(results[NODE]["memory, bytes"])
        rows.append(["memory", "less than Node's", f"{memory:.2f} of it", _mark(memory < 1)])
    if costs:
        growth = costs[max(costs)] / costs[min(costs)]
        title = f"CPU a text beside {max(costs):,} texts"
        rows.append([title, f"≤ 1.2 of that beside {min(costs):,}", f"{growth:.2f}", _mark(growth <= 1.2)])
    return rows


def _mark(reached: bool) -> str:  # noqa: FBT001  (it is what it says)
    return "✓" if reached else "✗"


async def run(plan: Sequence[tuple[float, int, Scale]], programs: Sequence[Program]) -> dict[float, Results]:
    with tempfile.TemporaryDirectory(prefix="speed") as folder:
        return {
            latency: await compare(programs, latency, rounds, scale, Path(folder)) for latency, rounds, scale in plan
        }


async def main(options: argparse.Namespace) -> None:
    record = Record("speed", "make bench")
    results = await run(QUICK if options.quick else PLAN, contenders())
    sizes = (1_000, 10_000) if options.quick else cost.SIZES
    costs = await cost.measure_costs(0.0, sizes, rounds=1 if options.quick else 3)
    by_size = cost.median(costs, "cpu with database")
    record.table(["target", "at 50 ms", "reached", ""], judge(results[MAIN], by_size))
    show(record, results)
    record.say("**Beside a history** (vendors that answer at once)")
    titles = {
        "CPU a text with PostgreSQL, ms": by_size,
        "message at Blooio, known person, ms": cost.median(costs, "message, known person"),
        "thread reply, known person, ms": cost.median(costs, "reply, known person"),
    }
    rows = [[title, *(f"{found[size] * 1000:.2f}" for size in sizes)] for title, found in titles.items()]
    record.table(["texts stored before", *(f"{size:,}" for size in sizes)], rows)
    if options.quick:
        print(record.text())
        return
    record.write()
    (PAGES / "speed.png").write_bytes(draw(_medians(results[MAIN]), by_size))


def _medians(results: Results) -> dict[str, dict[str, float]]:
    return {
        program.name: {figure: statistics.median(values) for figure, values in figures.items() if values}
        for program, figures in results.items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare this bot with what one would write instead.")
    parser.add_argument("--quick", action="store_true", help="two minutes, printed only")
    uvloop.run(main(parser.parse_args()))
