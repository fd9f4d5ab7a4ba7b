"""A vendor that is away for minutes, while people go on: what the bot asks of it meanwhile, and how it comes back."""

import asyncio
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import psycopg

from sandbox.faults import Kind
from tests.proofs.ledger import Ledger, Pal
from tests.proofs.scene import Scene

SLACK, BLOOIO = "slack", "blooio"

_WARMING_UP = 5.0

#: All calls to a vendor, and no delivery of Slack's to the bot.
_CALLS = {SLACK: "[!d]*", BLOOIO: "*"}

#: The calls that bring a text where it belongs.
_TEXTS = {SLACK: "chat.postMessage", BLOOIO: "POST /chats/*/messages"}

#: How a vendor is away, one after the other: it does not listen, a page says so, and it takes what it never answers.
_AWAY = (
    {"kind": Kind.DROP_BEFORE},
    {"kind": Kind.HTML, "status": 503},
    {"kind": Kind.SLOW_ANSWER, "seconds": 100_000},
)

HEADER = (
    "away",
    "over",
    "minutes",
    "texts accepted meanwhile",
    "calls/s before: mean, most",
    "calls/min meanwhile: mean, most",
    "calls/s in the first minute back: mean, most",
    "of these texts sent or posted: most/s",
    "most calls in 0.1 s",
    "seconds until all is sent and drawn",
    "lost, twice or wrong",
)

_LATE = """
    SELECT count(*) FROM deliveries
     WHERE requested_at < to_timestamp(%s)
       AND (status IN ('queued', 'sent') OR drawn_revision < revision OR (posted_ts IS NULL AND NOT typed))
"""


@dataclass
class Calls:
    """When a vendor was called, on the sandbox's clock, and with which call."""

    times: list[float]  # in order
    names: list[str] = field(default_factory=list)  # each time's, if anybody wants to know

    def between(self, begin: float, end: float) -> "Calls":
        first, last = bisect_left(self.times, begin), bisect_left(self.times, end)
        return Calls(self.times[first:last], self.names[first:last])

    def named(self, pattern: str) -> "Calls":
        kept = [place for place, name in enumerate(self.names) if fnmatchcase(name, pattern)]
        return Calls([self.times[place] for place in kept], [self.names[place] for place in kept])

    def most(self, seconds: float) -> int:
        """Return how many there were at most within so many seconds."""
        return max((bisect_left(self.times, at + seconds) - first for first, at in enumerate(self.times)), default=0)


@dataclass
class Outage:
    """One outage, and what was seen of it."""

    vendors: tuple[str, ...]
    over: str
    seconds: float
    accepted: int = 0  # texts, while it lasted
    healed_after: float = float("inf")  # seconds
    wrong: list[str] = field(default_factory=list)
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)  # before, meanwhile and back: from, until
    calls: dict[str, Calls] = field(default_factory=dict)  # by vendor

    def called(self, vendor: str, phase: str) -> Calls:
        return self.calls[vendor].between(*self.phases[phase])

    def mean(self, vendor: str, phase: str, seconds: float) -> float:
        begin, end = self.phases[phase]
        return len(self.called(vendor, phase).times) * seconds / (end - begin)

    def rows(self) -> list[tuple[object, ...]]:
        """Return the rows of the table: one for each vendor that was away."""
        together = " (both)" if len(self.vendors) > 1 else ""
        return [
            (
                f"{vendor.capitalize()}{together}",
                self.over,
                f"{self.seconds / 60:g}",
                self.accepted,
                f"{self.mean(vendor, 'before', 1):.1f}, {self.called(vendor, 'before').most(1)}",
                f"{self.mean(vendor, 'meanwhile', 60):.0f}, {self.called(vendor, 'meanwhile').most(60)}",
                f"{self.mean(vendor, 'back', 1):.1f}, {self.called(vendor, 'back').most(1)}",
                self.called(vendor, "back").named(_TEXTS[vendor]).most(1),
                self.called(vendor, "back").most(0.1),
                f"{self.healed_after:.0f}",
                len(self.wrong),
            )
            for vendor in self.vendors
        ]


def say(line: str) -> None:
    """Tell whoever watches how far it has come."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)  # noqa: T201  (that is what it is for)


async def away(
    stage: Scene, vendors: Sequence[str], *, seconds: float, each: float, before: float = 30, back: float = 60
) -> Outage:
    """Let *vendors* be away, and people do something every *each* seconds: before, meanwhile and afterwards."""
    outage = Outage(tuple(vendors), stage.transport, seconds)
    ledger = Ledger(stage)
    busy = _People(stage, ledger, each)
    async with _listening(stage, outage), busy.at_work():
        await asyncio.sleep(_WARMING_UP)
        began = time.time()
        await asyncio.sleep(before)
        gone = time.time()
        accepted = busy.accepted
        await _is_away(stage, busy, vendors, seconds)
        back_at = time.time()
        outage.accepted = busy.accepted - accepted
        healing = asyncio.create_task(_heals(stage, back_at))
        await asyncio.sleep(back)
        busy.stop()
        outage.phases = {"before": (began, gone), "meanwhile": (gone, back_at), "back": (back_at, back_at + back)}
        outage.healed_after = await healing
    say(f"{' and '.join(vendors)} back over {stage.transport}: healed after {outage.healed_after:.0f} s")
    await ledger.settles(timeout=600)
    outage.wrong = await ledger.wrong()
    return outage


class _People:
    """Ana and Ben, who text new people and known ones, reply in threads, and are answered."""

    def __init__(self, stage: Scene, ledger: Ledger, each: float) -> None:
        self.accepted = 0
        self.in_slack = True  # or Slack is away for them as well
        self._stage = stage
        self._ledger = ledger
        self._each = each
        self._stopped = asyncio.Event()
        self._acts: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            self.stop()
            await working
            await asyncio.gather(*self._acts)

    def stop(self) -> None:
        self._stopped.set()

    async def _work(self) -> None:
        while not self._stopped.is_set():
            self._acts.add(asyncio.create_task(self._act()))
            await asyncio.sleep(self._each * self._stage.lots.uniform(0.5, 1.5))

    async def _act(self) -> None:
        lots, ledger = self._stage.lots, self._ledger
        pals: list[Pal] = ledger.pals
        what = lots.choices(("new", "text", "reply", "answer"), (4, 3, 2, 1))[0] if pals else "new"
        if not self.in_slack and what != "answer":
            return
        pal = await ledger.meets(lots.choice(("ana", "ben"))) if what == "new" else lots.choice(pals)
        if what == "answer" and pal.accepted:
            await ledger.answers(pal)
        elif what == "reply":
            await ledger.replies(pal)
        else:
            self.accepted += await ledger.texts(pal)


async def _is_away(stage: Scene, busy: _People, vendors: Sequence[str], seconds: float) -> None:
    """
    Be away for so long, in one way after the other.

    Slack's API goes first, while people still type. Halfway its sockets break and people have no Slack either.
    """
    if BLOOIO in vendors:
        await stage.gateway.misbehaves("late", times=None, seconds=seconds)
    ordered: list[str] = []
    for number, how in enumerate(_AWAY):
        new = [await stage.sandbox.order(vendor=vendor, where=_CALLS[vendor], times=None, **how) for vendor in vendors]
        for order in ordered:
            await stage.sandbox._ask("DELETE", "/_sandbox/faults", json={"id": order})
        ordered = new
        if number == 1 and SLACK in vendors and stage.transport == "socket":
            await asyncio.sleep(seconds / len(_AWAY) / 2)
            busy.in_slack = False
            await stage.sandbox.disconnect(cut=True)
            await asyncio.sleep(seconds / len(_AWAY) / 2)
        else:
            await asyncio.sleep(seconds / len(_AWAY))
    await stage.gateway.behaves()
    await stage.sandbox.calm()
    busy.in_slack = True


async def _heals(stage: Scene, back_at: float) -> float:
    """Return how many seconds it took until every text of before *back_at* has come to its end and shows as it is."""
    async with await psycopg.AsyncConnection.connect(stage.database_url, autocommit=True) as connection:
        while time.time() - back_at < 900:
            found = await (await connection.execute(_LATE, [back_at])).fetchone()
            if found == (0,):
                return time.time() - back_at
            await asyncio.sleep(0.2)
    return float("inf")


@asynccontextmanager
async def _listening(stage: Scene, outage: Outage) -> AsyncIterator[None]:
    """Note when the vendors are called: the sandbox keeps only the last calls."""
    heard: dict[str, list[tuple[float, str]]] = {SLACK: [], BLOOIO: []}
    latest = 0

    async def listen() -> None:
        nonlocal latest
        for one in await stage.sandbox.exchanges(since=latest):
            latest = max(latest, one["id"])
            if not one["name"].startswith("deliver:"):
                heard[one["vendor"]].append((one["at"], one["name"]))

    async def keep_listening() -> None:
        while True:
            await listen()
            await asyncio.sleep(5)

    listening = asyncio.create_task(keep_listening())
    try:
        yield
        await listen()
    finally:
        listening.cancel()
        for vendor, calls in heard.items():
            calls.sort()
            outage.calls[vendor] = Calls([at for at, _ in calls], [name for _, name in calls])
