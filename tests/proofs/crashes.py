"""
`kill -9` of the bots, and a database that goes away: `python -m tests.proofs.crashes`, from the repository's root.

Two bots on one PostgreSQL. People type texts, reply in threads and answer from their phones all the while; one of the
bots is killed every few seconds, at any moment or at a chosen one, and started again; the database is stopped, killed
and cut off. In the end everything that was accepted has arrived once and in order, every receipt is true, nothing is
left to do, and whoever was refused was told so in words that are true. See docs/proofs/crashes.md.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.crash_plan import Plan
from tests.proofs.crash_storm import Storm, say, storm_on
from tests.proofs.postgres import Outage, server
from tests.proofs.record import Record

#: Of the texts typed, so many may be refused because the machine is too busy to answer within Slack's three seconds.
_WITHOUT_CAUSE = 0.05


@dataclass
class Found:
    """What came of a storm: figures by name, and what is wrong, in words."""

    figures: dict[str, object]
    wrong: list[str]


async def examine(storm: Storm) -> Found:
    """Count, and compare with what people were told. Call it once all has settled."""
    ledger, stage = storm.ledger, storm.stage
    wrong = [*await ledger.wrong(), *storm.wrong_answers()]
    received = Counter[str]()
    for pal in ledger.pals:
        received.update(text.text or "" for text in await stage.sandbox.phone(pal.address).received())
    accepted = [body for pal in ledger.pals for body in pal.accepted]
    told = Counter(storm.answer(typed) for typed in storm.typed)
    unsent = [typed.body for typed in storm.typed if storm.answer(typed) == "not sent"]
    wrong += [f"said to be not sent, and on the phone: {body}" for body in unsent if received[body]]
    causeless = storm.without_cause()
    if len(causeless) > _WITHOUT_CAUSE * len(storm.typed):
        wrong.append(f"without a cause not acknowledged: {[typed.body for typed in causeless]}")
    replied = [body for pal in ledger.pals for body in pal.replied]
    answered = [body for pal in ledger.pals for body in pal.wrote]
    errors = Counter(line.split(" ")[3] for line in stage.complaints() if " ERROR " in line or " CRITICAL " in line)
    away = Counter(outage for outage, _, _ in storm.away)
    figures: dict[str, object] = {
        "texts typed": len(storm.typed),
        "acknowledged": len(accepted),
        "of these on the phone exactly once": sum(received[body] == 1 for body in accepted),
        "lost": sum(received[body] == 0 for body in accepted),
        "twice, of all typed": sum(received[typed.body] > 1 for typed in storm.typed),
        "people whose texts are out of order": sum("out of order" in one for one in wrong),
        "not acknowledged: Slack says that we do not answer": told["no answer"],
        "not acknowledged: words given back, “was not sent”": told["not sent"],
        "not acknowledged: words given back, “could not confirm”": told["not sure"],
        "of these three on the phone, once": sum(
            received[typed.body] == 1 for typed in storm.typed if typed.body not in typed.pal.accepted
        ),
        "answers to commands that lose the words": len(storm.wrong_answers()),
        "not acknowledged without a cause (a busy machine)": len(causeless),
        "replies typed": len(replied) + sum(len(pal.untold) for pal in ledger.pals),
        "on the phone exactly once": sum(received[body] == 1 for body in replied),
        "given up by Slack after four attempts": sum(len(pal.untold) for pal in ledger.pals),
        "answers from phones": len(answered),
        "in the thread exactly once": len(answered) - sum(bool(re.search(r": answer \d", one)) for one in wrong),
        "receipts and marks wrong": sum("receipt of" in one or "marks of" in one for one in wrong),
        "bots killed": sum(len(bot.kills) for bot in storm.bots),
        "over a call that was held": storm.held,
        "times both were dead (seconds)": f"{len(storm.dead)} ({sum(end - start for start, end in storm.dead):.0f})",
        "starts that failed, the database being away": sum(bot.vain_starts for bot in storm.bots),
        **{f"database {outage}": away[outage] for outage in Outage},
        "left under way": sum((await stage.left()).values()),
        "error lines in the logs": ", ".join(f"{name} {count}" for name, count in errors.items()) or 0,
    }
    return Found(figures, wrong)


async def prove(storm: Storm) -> Found:
    """Carry it out and look at the end."""
    began = time.monotonic()
    await storm.rages()
    ended = time.monotonic()
    try:
        await storm.settles()
    except AssertionError as stuck:
        settled, wrong = "never", [str(stuck)]
    else:
        settled, wrong = str(round(time.monotonic() - ended)), []
    found = await examine(storm)
    found.wrong += wrong
    found.figures |= {"seconds of trouble": round(ended - began), "seconds until all had settled": settled}
    return found


async def main(options: argparse.Namespace) -> int:
    found: dict[str, Found] = {}
    record = Record("crashes", options.repeat, seed=options.seed)
    for transport in ("socket", "http") if options.transport == "both" else (options.transport,):
        lots = random.Random(f"{options.seed} {transport}")
        plan = Plan(lots, texts=options.texts, kills=options.kills // 2, outages=options.outages)
        with tempfile.TemporaryDirectory(prefix="crashes") as name:
            async with (
                server(Path(name)) as database,
                storm_on(
                    Path(name),
                    plan,
                    transport=transport,
                    database=database,
                    database_url=database.url,
                    seed=options.seed,
                ) as storm,
            ):
                try:
                    found[transport] = await prove(storm)
                except BaseException:
                    _keep_logs(storm, options.logs)
                    raise
                _keep_logs(storm, options.logs)
        say(f"{transport}: {len(found[transport].wrong)} wrong")
        say("\n".join(found[transport].wrong[:30]))
    rows = [(title, *(one.figures[title] for one in found.values())) for title in next(iter(found.values())).figures]
    wrong = sum(len(one.wrong) for one in found.values())
    record.table(("", *found), rows)
    record.say("Nothing is wrong." if not wrong else f"**{wrong} things are wrong.**")
    if options.transport == "both":
        record.write()
    else:
        say(record.text())
    return wrong != 0


def _keep_logs(storm: Storm, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, bot in enumerate(storm.stage.bots):
            (folder / f"{storm.stage.transport}-{number}.log").write_text("\n".join(bot.lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill the bots and take the database away, and look what is left.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--texts", type=int, default=1000, help="for each transport (1000)")
    parser.add_argument("--kills", type=int, default=200, help="in all: half of them for each transport (200)")
    parser.add_argument("--outages", type=int, default=3, help="of the database, of each kind and transport (3)")
    parser.add_argument("--transport", choices=("socket", "http", "both"), default="both")
    parser.add_argument("--logs", type=Path, help="keep the logs of the bots in this folder")
    parser.add_argument("--repeat", default="make prove-crashes", help=argparse.SUPPRESS)
    sys.exit(asyncio.run(main(parser.parse_args())))
