"""
An hour of everyday work with everyday trouble: what grows that should not, and what gets slower.

`python -m tests.proofs.soak --minutes 60 --rate 20 --seed 7`. See docs/proofs/soak.md.
"""

import argparse
import asyncio
import json
import logging
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.webhooks import sandbox_process
from bot.storage.embedded import start_embedded
from tests.proofs.record import PAGES, Record
from tests.proofs.soak_figures import Sample, Sampler, verdict
from tests.proofs.soak_picture import draw
from tests.proofs.soaking import FAULTS, Soak, soaking


async def run(soak: Soak, options: argparse.Namespace, *, report: Callable[[list[Sample]], None]) -> list[Sample]:
    """Let it work and suffer for so long; return what was seen meanwhile, the last after all had settled."""
    seconds = options.minutes * 60
    await soak.prepare(round(seconds * options.rate))
    sampler = Sampler(soak.bot.pid, soak.load, soak.ask, every=options.every)
    beside = [
        soak.ages(),
        soak.notes_what_slack_gives_up(),
        sampler.goes_on(report),
        *([soak.suffers(options.fault_every)] if options.fault_every else []),
    ]
    tasks = [asyncio.create_task(work) for work in beside]
    working = asyncio.create_task(soak.works(seconds, options.rate))
    await asyncio.wait([working, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            working.cancel()
            task.result()
        task.cancel()
    await working
    await asyncio.gather(*tasks, return_exceptions=True)
    await soak.heals()
    soak.load.ended = time.time()
    return sampler.samples


async def main(options: argparse.Namespace) -> None:
    command = f"python -m tests.proofs.soak --minutes {options.minutes:g} --rate {options.rate:g} --seed {options.seed}"
    command = "make prove-soak" if vars(options) == vars(read_options([])) else command
    record = Record("soak", command, seed=options.seed)
    with tempfile.TemporaryDirectory(prefix="soak") as name:
        server = start_embedded(Path(name))
        try:
            async with (
                sandbox_process() as sandbox,
                soaking(sandbox, server.get_uri(), Path(name), transport=options.transport, seed=options.seed) as soak,
            ):
                soak.rota = [fault for fault in FAULTS if options.only in fault]
                telling = _Telling(Path(options.partial), command, options.tell_every, soak)
                telling.keep(samples := await run(soak, options, report=telling.now_and_then))
                failed = await _report(record, soak, samples, options)
        finally:
            server.cleanup()
    if failed:
        raise SystemExit(1)


@dataclass
class _Telling:
    """Prints a line now and then, and keeps what was seen so far: an hour that is broken off is not lost."""

    path: Path
    command: str
    every: float
    soak: Soak
    _last: float = 0.0

    def now_and_then(self, samples: list[Sample]) -> None:
        if time.monotonic() - self._last >= self.every:
            self._last = time.monotonic()
            _say(samples[-1].line())
            self.keep(samples)

    def keep(self, samples: list[Sample]) -> None:
        seen = {"faults": self.soak.load.faults, "samples": [asdict(one) for one in samples]}
        self.path.write_text(json.dumps({"command": self.command} | seen))
        self.path.with_suffix(".bot.log").write_text("\n".join(self.soak.bot.lines))


async def _report(record: Record, soak: Soak, samples: list[Sample], options: argparse.Namespace) -> bool:
    """Look everything up, write down what was found, and return whether something is not as promised."""
    load, complaints = soak.load, soak.complaints()
    checks = await verdict(samples, load, soak.ask)
    try:
        settled, wrong = f"{await soak.settles(timeout=900):.0f} s after the end", []
    except AssertionError as error:
        settled, wrong = "never", [str(error)]
    _say(f"settled: {settled}; now every text is looked up")
    wrong += await soak.wrong()
    [[jobs]] = await soak.ask("SELECT count(*) FROM procrastinate_jobs")
    checks[:0] = [
        ("texts, replies, answers, receipts and cards that are wrong", len(wrong), 0, not wrong),
        ("jobs left when all has settled", jobs, 0, jobs == 0),
        ("errors in the log", len(complaints), 0, not complaints),
        ("people whose own doing failed", sum(soak.errors.values()), 0, not soak.errors),
    ]
    record.say(
        f"{load.texts:,} texts to {len(soak.pals):,} people, {load.answers:,} answers and {sum(soak.faults.values())}"
        f" faults in {options.minutes:g} minutes over {soak.transport}. Meanwhile {sum(load.refused.values())} commands"
        f" were refused, to whoever typed them, and {len(soak.untold)} replies given up by Slack after its four"
        f" attempts. All had settled: {settled}."
    )
    record.table(
        ("promised", "found", "at most", "holds"),
        [(what, found, bound, "yes" if holds else "**no**") for what, found, bound, holds in checks],
    )
    for line in (*wrong[:20], *complaints[:20], *soak.errors.most_common(5), dict(load.refused)):
        _say(str(line))
    failed = not all(holds for *_, holds in checks)
    if options.record:
        draw(samples, soak.load, PAGES / "soak.png")
        record.write()
    else:
        draw(samples, soak.load, Path(options.partial).with_suffix(".png"))
        _say(record.text())
    return failed


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Let SIGTERM end it as SIGINT does: the bot, the sandbox and the database go with it, what was seen stays."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (whoever runs a proof wants to see how it goes)


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An hour of work and trouble: what grows, and what gets slower.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0, help="texts a second (20)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--transport", choices=("socket", "http"), default="socket")
    parser.add_argument("--every", type=float, default=15.0, help="seconds between two samples (15)")
    parser.add_argument("--fault-every", type=float, default=30.0, help="seconds between two faults; 0: none (30)")
    parser.add_argument("--only", default="", help="only faults with this in their name")
    parser.add_argument("--tell-every", type=float, default=300.0, help="seconds between two lines (300)")
    kept = str(Path(tempfile.gettempdir()) / "soak-partial.json")
    parser.add_argument("--partial", default=kept, help=f"where what was seen so far is kept ({kept})")
    parser.add_argument("--no-record", dest="record", action="store_false", help="leave the page as it is")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(_until_told_to_stop(main(read_options())))
