"""What is seen of a soaking bot from outside, what has to be true of that, and a picture of it."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg

from bot.blooio.client import MAX_CONNECTIONS

Ask = Callable[..., Awaitable[list[tuple[Any, ...]]]]
Check = tuple[str, object, object, bool]  # what is promised, what was found, the bound, whether it holds

#: Tables that are the record itself, and grow with every text; and those that must not.
RECORD = ("people", "threads", "deliveries", "inbound", "replies", "audit")
BOUNDED = ("events", "procrastinate_jobs", "procrastinate_events", "writers", "drafts", "notices", "remarks")

#: The first part of a run is not judged: caches fill, code is loaded, the database makes its plans.
WARM_UP = 1 / 6

#: Megabytes an hour that the memory may grow by, connections to the database, threads and files more. Connections to
#: the vendors are used in turn, and so stay open when there were once so many: of them there are at most two pools
#: full, and some sockets of Socket Mode. And how much slower the end may be.
GROWTH = 8.0
MORE = 2
MORE_FILES = 2
POOLED = 100 + MAX_CONNECTIONS + 4
SLOWER = 1.2

#: The texts of a window are looked at when they had this long to reach Blooio, in seconds.
_SETTLED = 15.0


@dataclass
class Load:
    """What was done, and how long it took as whoever did it sees it."""

    texts: int = 0
    answers: int = 0
    late: float = 0.0  # seconds by which the load itself was late at worst
    most_under_way: int = 0
    acks: list[tuple[float, float, bool]] = field(default_factory=list)  # when, seconds, in a calm moment
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[float, str]] = field(default_factory=list)  # when each began
    ended: float = 0.0


@dataclass
class Sample:
    """One look. Memory and sizes are in MB, times in seconds, percentiles those of the window before."""

    at: float
    texts: int
    memory: float
    files: int  # open file descriptors of the bot, without the next two
    asking: int  # connections that it opened: to Slack and Blooio
    asked: int  # those that were opened to it: webhooks
    threads: int
    cpu: float  # of the bot, since it started
    database_cpu: float
    connections: int  # of the bot to the database
    ack: tuple[float, float] | None  # p50, p99
    blooio: tuple[float, float] | None  # from the request to Blooio's acceptance
    receipt: tuple[float, float] | None  # from the request to the message in the thread
    rows: dict[str, int]
    dead: dict[str, int]
    sizes: dict[str, float]

    def line(self) -> str:
        def ms(pair: tuple[float, float] | None) -> str:
            return "-" if pair is None else "/".join(f"{1000 * one:.0f}" for one in pair)

        return (
            f"{time.strftime('%H:%M:%S', time.gmtime(self.at))} {self.texts} texts, {self.memory:.1f} MB,"
            f" {self.files} files, {self.asking} + {self.asked} sockets, {self.connections} connections,"
            f" {self.threads} threads;"
            f" p50/p99 ms: ack {ms(self.ack)}, blooio {ms(self.blooio)}, receipt {ms(self.receipt)};"
            f" cpu {self.cpu:.0f} + {self.database_cpu:.0f} s;"
            f" events {self.rows.get('events', 0)}, jobs {self.rows.get('procrastinate_jobs', 0)}"
        )


class Sampler:
    """Looks at the bot every so often, from outside: the kernel and the database know."""

    def __init__(self, pid: int, load: Load, ask: Ask, *, every: float) -> None:
        self.samples: list[Sample] = []
        self._process = psutil.Process(pid)
        self._load = load
        self._ask = ask
        self._every = every
        self._acks_seen = 0

    async def goes_on(self, tell: Callable[[list[Sample]], None]) -> None:
        while True:
            await asyncio.sleep(self._every)
            with suppress(psycopg.Error):
                self.samples.append(await self.look())
                tell(self.samples)

    async def look(self) -> Sample:
        [[connections]] = await self._ask(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND application_name <> 'soak' AND datname = current_database()"
        )
        stats = await self._ask(
            "SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid) / 1048576.0 FROM pg_stat_user_tables"
        )
        rows = {name: live for name, live, *_ in stats}
        rows |= {name: (await self._ask(f"SELECT count(*) FROM {name}"))[0][0] for name in BOUNDED}
        cpu = self._process.cpu_times()
        asking, asked = _sockets(self._process)
        news, self._acks_seen = self._load.acks[self._acks_seen :], len(self._load.acks)
        return Sample(
            at=time.time(),
            texts=self._load.texts,
            memory=self._process.memory_info().rss / 2**20,
            files=self._process.num_fds() - asking - asked,
            asking=asking,
            asked=asked,
            threads=self._process.num_threads(),
            cpu=cpu.user + cpu.system,
            database_cpu=await self._database_cpu(),
            connections=connections,
            ack=_percentiles([seconds for _, seconds, _ in news]),
            blooio=await self._since("extract(epoch FROM accepted_at - requested_at)", "accepted_at IS NOT NULL"),
            receipt=await self._since("posted_ts::numeric - extract(epoch FROM requested_at)", "posted_ts IS NOT NULL"),
            rows=rows,
            dead={name: dead for name, _, dead, _ in stats},
            sizes={name: float(size) for name, _, _, size in stats},
        )

    async def _since(self, seconds: str, known: str) -> tuple[float, float] | None:
        [found] = await self._ask(
            f"""
            SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY {seconds}) FROM deliveries
             WHERE requested_at BETWEEN now() - make_interval(secs => %s) AND now() - make_interval(secs => %s)
               AND {known}
            """,
            [_SETTLED + self._every, _SETTLED],
        )
        return None if found[0] is None else (float(found[0][0]), float(found[0][1]))

    async def _database_cpu(self) -> float:
        """Of the server and all it has started, those that have ended included."""
        [[pid]] = await self._ask("SELECT pg_backend_pid()")
        server = psutil.Process(pid).parent()
        if server is None:
            return 0.0
        own = server.cpu_times()
        spent = own.user + own.system + own.children_user + own.children_system
        for child in server.children():
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                spent += times.user + times.system
        return spent


def _sockets(process: psutil.Process) -> tuple[int, int]:
    """Count the TCP connections that a process opened, and those that others opened to it."""
    found = process.net_connections(kind="tcp")
    ports = {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}
    others = [one.laddr.port in ports for one in found if one.raddr]
    return others.count(False), others.count(True)


def _percentiles(seconds: Sequence[float]) -> tuple[float, float] | None:
    if len(seconds) < 2:
        return None
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]


def growth(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope, an hour, of the line that fits points best whose first figure is in seconds."""
    if len(points) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope * 3600


async def verdict(samples: Sequence[Sample], load: Load, ask: Ask) -> list[Check]:
    """Say what is promised of a run, what was found, and whether it holds."""
    started, ended = samples[0].at, samples[-1].at
    half = [one for one in samples if one.at >= (started + ended) / 2]
    grows = growth([(one.at, one.memory) for one in half])
    checks: list[Check] = [
        ("memory, MB: at the middle and at the end", f"{half[0].memory:.0f}, {half[-1].memory:.0f}", "", True),
        ("… growth in the second half, MB an hour", f"{grows:.1f}", f"{GROWTH:g}", grows <= GROWTH),
    ]
    for what, figures, more in (
        ("connections to the database: usual, most", [one.connections for one in samples], MORE),
        ("threads: usual, most", [one.threads for one in samples], MORE),
        ("open files: usual, most", [one.files for one in samples], MORE_FILES),
    ):
        grown = statistics.median(figures[-len(figures) // 4 :]) - statistics.median(figures[: len(figures) // 2])
        found = f"{statistics.median(figures):.0f}, {max(figures)}"
        checks.append((what, found, f"+{more} at the end", grown <= more))
    for what, figures, most in (
        ("connections to Slack and Blooio: usual, most", [one.asking for one in samples], POOLED),
        ("connections from others: usual, most", [one.asked for one in samples], None),
    ):
        found = f"{statistics.median(figures):.0f}, {max(figures)}"
        checks.append((what, found, "" if most is None else most, most is None or max(figures) <= most))
    checks += await _drift(samples, load, ask)
    middle, last = half[0], samples[-1]
    for name in BOUNDED:
        found = [one.rows[name] for one in samples if one.at >= started + (ended - started) * WARM_UP]
        first, end = (statistics.mean(part) for part in (found[: len(found) // 2], found[len(found) // 2 :]))
        held = name in {"notices", "remarks"} or end <= 1.25 * first + 50
        checks.append((f"rows of `{name}`: mean of the first half, of the second", f"{first:.0f}, {end:.0f}", "", held))
    [[old]] = await ask("SELECT count(*) FROM events WHERE received_at < now() - interval '30 days'")
    checks.append(("events left that are to be forgotten", old, "what a minute brings", old <= _a_minutes(load, last)))
    for name in RECORD:
        per_text = (last.sizes[name] - middle.sizes[name]) / max(1, last.texts - middle.texts) * 1024
        checks.append((f"`{name}`, KB for each text", f"{per_text:.2f}", "", True))
    return checks


def _a_minutes(load: Load, last: Sample) -> float:
    lasted = max(60.0, last.at - load.acks[0][0]) if load.acks else 60.0
    return 4 * 60 * (load.texts + load.answers) / lasted + 100


async def _drift(samples: Sequence[Sample], load: Load, ask: Ask) -> list[Check]:
    """Compare the first tenth after the warm-up with the last tenth, in calm moments."""
    began, ended = samples[0].at, load.ended
    began += (ended - began) * WARM_UP
    tenth = max((ended - began) / 10, 1.0)
    early, late = (began, began + tenth), (ended - tenth, ended)
    checks: list[Check] = []
    acks = [
        _percentiles([seconds for at, seconds, calm in load.acks if calm and part[0] <= at < part[1]])
        for part in (early, late)
    ]
    checks += _compared("acknowledgement", *acks)
    for what, seconds, known in (
        ("from the command to Blooio", "extract(epoch FROM accepted_at - requested_at)", "accepted_at IS NOT NULL"),
        (
            "from the command to the thread",
            "posted_ts::numeric - extract(epoch FROM requested_at)",
            "posted_ts IS NOT NULL AND NOT typed",
        ),
    ):
        calm = []
        for part in (early, late):
            rows = await ask(
                f"SELECT extract(epoch FROM requested_at), {seconds} FROM deliveries"
                f" WHERE requested_at BETWEEN to_timestamp(%s) AND to_timestamp(%s) AND {known}",
                list(part),
            )
            calm.append(_percentiles([float(one) for at, one in rows if _is_calm(float(at), load)]))
        checks += _compared(what, *calm)
    for what, spent in (("bot", lambda one: one.cpu), ("database", lambda one: one.database_cpu)):
        costs = []
        for part in (early, late):
            seen = [one for one in samples if part[0] - tenth / 2 <= one.at <= part[1] + tenth / 2]
            texts = seen[-1].texts - seen[0].texts if len(seen) > 1 else 0
            costs.append(1000 * (spent(seen[-1]) - spent(seen[0])) / texts if texts else 0.0)
        found = f"{costs[0]:.1f}, {costs[1]:.1f}"
        checks.append(
            (f"processor of the {what}, ms a text: first, last tenth", found, f"{SLOWER:g} times", _holds(*costs))
        )
    return checks


def _compared(what: str, early: tuple[float, float] | None, late: tuple[float, float] | None) -> list[Check]:
    if early is None or late is None:
        return []
    return [
        (
            f"{what}, {name} in ms: first, last tenth",
            f"{1000 * one:.1f}, {1000 * other:.1f}",
            f"{SLOWER:g} times" if name == "p50" else "",
            name != "p50" or _holds(one, other),
        )
        for name, one, other in zip(("p50", "p99"), early, late, strict=True)
    ]


def _holds(early: float, late: float) -> bool:
    return late <= SLOWER * early


def _is_calm(at: float, load: Load) -> bool:
    """Whether the last fault had begun long enough before, and the next was not near."""
    return not any(-1 <= at - begun <= 18 for begun, _ in load.faults)
