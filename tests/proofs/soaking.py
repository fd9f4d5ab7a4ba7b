"""A bot at work: people text, reply and answer all the time, and one thing after another goes wrong."""

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from sandbox.slack.driver import Person
from tests.acceptance.processes import BotProcess, connect
from tests.acceptance.stage import is_card
from tests.proofs.ledger import GivenUp, _wrong_count, _wrong_shown
from tests.proofs.scene import SECRET, UNDER_WAY
from tests.proofs.soak_figures import Load

#: One text in so many is the first to somebody; of the others so many are typed in the thread. Besides, people write.
FIRST_OF = 24
REPLIES = 0.3
ANSWERS = 0.25

#: People whose phones can only fail, one in so many; and those who have RCS instead of iMessage.
FAIL_OF = 200
RCS_OF = 8

#: Cards in one channel at most: the sandbox shows so much of one to whoever looks.
CARDS = 400

#: How long after the end of a fault texts count again as sent in a calm moment, in seconds.
HEALED = 8.0

#: Applied events older than this are made to look so old that they are to be forgotten, in seconds.
AGED_AFTER = 120.0

_PAUSES = (0, 61, 61, 121, 301)

#: A reply that took RCS shows that beside its step, as nobody can know beforehand that a phone has RCS.
_UNFORESEEN = "large_purple_circle"


_COMPLAINT = re.compile(r"\S+ (ERROR (bot|handlers)\.|CRITICAL )")


@dataclass(eq=False)
class Pal:
    """Somebody with a phone, and what went between them and their author in Slack."""

    address: str
    author: Person
    where: str
    fails: bool  # no text reaches their phone
    typed: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    replied: list[str] = field(default_factory=list)
    wrote: list[str] = field(default_factory=list)
    home: tuple[str, str] | None = None
    busy: bool = False  # a command is under way: which of two came first nobody could say


@dataclass
class Soak:
    """A bot, what is done to it, and what is seen of it."""

    sandbox: Sandbox
    bot: BotProcess
    database: "psycopg.AsyncConnection[Any]"
    transport: str
    lots: random.Random
    authors: list[Person]
    rota: list[str] = field(default_factory=lambda: list(FAULTS))
    channels: list[str] = field(default_factory=list)
    pals: list[Pal] = field(default_factory=list)
    load: Load = field(default_factory=Load)
    errors: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    healthy_from: float = 0.0  # epoch seconds; infinite while a fault is in force
    _addresses: "itertools.count[int]" = field(default_factory=lambda: itertools.count(5_557_000_001))
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._slack = GivenUp(self.sandbox)

    @property
    def untold(self) -> set[str]:
        """Replies of which Slack told the bot as often as it does, in vain."""
        return self._slack.given_up

    @property
    def gateway(self) -> Gateway:
        return Gateway(self.sandbox._http, self.sandbox.url)

    async def prepare(self, texts: int) -> None:
        """Start the bot, subscribe it to webhooks, and make channels enough for that many texts."""
        await self.bot.start()
        await connect(self.sandbox, self.bot.url, self.transport)
        await self.gateway.subscribes(f"{self.bot.url}/blooio/webhooks", secret=SECRET)
        for number in range(max(8, texts // FIRST_OF // CARDS + 1)):
            name, members = f"soak-{number}", [*(one.handle for one in self.authors), "bot"]
            self.channels.append(await self.sandbox.creates_channel(name, members=members))

    # The load

    async def works(self, seconds: float, rate: float) -> None:
        """Type *rate* texts a second for so long, each at its time, whatever has become of those before."""
        started = time.monotonic()
        homes = asyncio.create_task(self._find_homes())
        for number in range(round(seconds * rate)):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            self.load.late = max(self.load.late, time.monotonic() - started - number / rate)
            self._begin(self._text())
            if self.lots.random() < ANSWERS:
                self._begin(self._answer())
            self.load.most_under_way = max(self.load.most_under_way, len(self._under_way))
        while self._under_way:
            await asyncio.wait(self._under_way)
        homes.cancel()
        await asyncio.gather(homes, return_exceptions=True)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._under_way.discard(task)  # type: ignore[arg-type]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors[f"{type(error).__name__}: {error}"[:200]] += 1

    async def _text(self) -> None:
        """One text: the first to somebody, one to somebody known, or a reply in their thread."""
        known = None if self.lots.randrange(FIRST_OF) == 0 else self._somebody(lambda pal: bool(pal.accepted))
        if known is None:
            await self._types(await self._meets())
        elif known.home is not None and self.lots.random() < REPLIES:
            body = f"reply {next(self._numbers)}"
            known.replied.append(body)
            self.load.texts += 1
            await known.author.posts(known.home[0], body, thread_ts=known.home[1])
        else:
            await self._types(known)

    async def _types(self, pal: Pal) -> None:
        body = f"text {next(self._numbers)}"
        pal.typed.append(body)
        self.load.texts += 1
        pal.busy = True
        began, at = time.monotonic(), time.time()
        try:
            shown = await pal.author.types(pal.where, f"/text {pal.address} {body}")
        finally:
            pal.busy = False
        if shown.error is None and shown.text.startswith("Texting "):
            pal.accepted.add(body)
            self.load.acks.append((at, time.monotonic() - began, at >= self.healthy_from))
        else:
            self.load.refused[shown.error or shown.text[:80]] += 1

    async def _answer(self) -> None:
        pal = self._somebody(lambda one: one.home is not None and not one.fails)
        if pal is not None:
            body = f"answer {next(self._numbers)}"
            pal.wrote.append(body)
            self.load.answers += 1
            await self.sandbox.phone(pal.address).replies(body)

    def _somebody(self, fits: Callable[[Pal], bool]) -> Pal | None:
        for _ in range(20):
            pal = self.lots.choice(self.pals) if self.pals else None
            if pal is not None and not pal.busy and fits(pal):
                return pal
        return None

    async def _meets(self) -> Pal:
        number = len(self.pals)
        address = f"+1{next(self._addresses)}"
        fails = number % FAIL_OF == 10
        where = self.channels[number % len(self.channels)]
        pal = Pal(address, self.authors[number % len(self.authors)], where, fails)
        self.pals.append(pal)
        profile: dict[str, Any] = {"sent_after": 0.1, "delivered_after": 0.4, "read_after": None}
        profile |= {"imessage": number % RCS_OF != 0, "rcs": number % RCS_OF == 0}
        if number % 3 == 0:
            profile["read_after"] = 2.0
        if fails:
            profile["fails_with"] = "carrier_rejected"
        await self.sandbox.phone(address).becomes(**profile)
        return pal

    async def _find_homes(self) -> None:
        """Learn where threads are, as their authors see it, a second after they are there."""
        while True:
            await asyncio.sleep(1)
            with suppress(psycopg.Error):
                await self.finds_homes()

    async def finds_homes(self) -> None:
        homeless = {pal.address: pal for pal in self.pals if pal.home is None}
        query = """
            SELECT p.address, t.conversation_id, t.card_ts FROM threads t JOIN people p ON p.id = t.person_id
             WHERE t.card_ts IS NOT NULL AND p.address = ANY(%s)
        """
        for address, *home in await self.ask(query, [list(homeless)]):
            homeless[address].home = (home[0], home[1])

    # The trouble

    async def suffers(self, every: float) -> None:
        """Let one thing after another go wrong, for some seconds each, until cancelled."""
        while True:
            rota = list(self.rota)
            self.lots.shuffle(rota)
            for name in rota:
                self.healthy_from = time.time() + HEALED
                await asyncio.sleep(every * 2 / 3)
                self.healthy_from = float("inf")
                self.faults[name] += 1
                self.load.faults.append((time.time(), name))
                try:
                    await FAULTS[name](self)
                    await asyncio.sleep(min(every / 3, 3 + self.lots.random() * 4))
                finally:
                    await self.heals()

    async def heals(self) -> None:
        await self.sandbox.calm()
        await self.gateway.behaves()
        self.healthy_from = time.time() + HEALED

    async def ages(self, every: float = 20.0) -> None:
        """Make events old that were applied a while ago: the bot is to forget them. Goes on until cancelled."""
        while True:
            await asyncio.sleep(every)
            with suppress(psycopg.Error):
                await self.ask(
                    "WITH old AS (UPDATE events SET received_at = received_at - interval '31 days'"
                    " WHERE applied_at < now() - make_interval(secs => %s) AND received_at > now() - interval '1 day'"
                    " RETURNING 1)"
                    " SELECT count(*) FROM old",
                    [AGED_AFTER],
                )

    async def notes_what_slack_gives_up(self, every: float = 20.0) -> None:
        """A reply that nobody took, at Slack's fourth attempt either, is nobody's. Goes on until cancelled."""
        while True:
            await self._slack.look()
            await asyncio.sleep(every)

    # The end

    async def settles(self, timeout: float) -> float:
        """Wait until nothing is left to do and everything has arrived; return how many seconds that took."""
        started = time.monotonic()
        for pause in _PAUSES:
            await self.sandbox.advance(pause)
            await asyncio.sleep(0.5)
        while left := await self.left() or {"not arrived": len(await self.missing())}:
            if not any(left.values()):
                break
            if time.monotonic() - started > timeout:
                raise AssertionError(f"left to do: {left}; not arrived: {(await self.missing())[:10]}")
            await self.sandbox.advance(61)  # what was refused or lost comes again
            await asyncio.sleep(0.5)
        return time.monotonic() - started

    async def left(self) -> dict[str, int]:
        found = {what: (await self.ask(query))[0][0] for what, query in UNDER_WAY.items()}
        return {what: count for what, count in found.items() if count}

    async def missing(self) -> list[str]:
        """What was said and is in no row, which costs less to find out than what nobody sees."""
        rows = {body for (body,) in await self.ask("SELECT body FROM deliveries UNION ALL SELECT body FROM inbound")}
        wanted = (body for pal in self.pals for body in (*pal.accepted, *pal.replied, *pal.wrote))
        await self._slack.look()
        return [body for body in wanted if body not in rows and body not in self.untold]

    async def wrong(self) -> list[str]:
        """Everything that is not as promised; nothing is left to chance or to samples."""
        await self.finds_homes()
        places = asyncio.Semaphore(4)

        async def look(pal: Pal) -> list[str]:
            async with places:
                return [f"{pal.address}: {one}" for one in await self._wrong_with(pal)]

        found = await asyncio.gather(*(look(pal) for pal in self.pals))
        wrong = [one for some in found for one in some]
        for where in self.channels:
            root = [one for one in await self.authors[0].sees(where) if not one.ephemeral]
            cards = Counter(one.text.splitlines()[0] for one in root if is_card(one))
            wrong += [f"beside the cards in {where}: {one.text!r}" for one in root if not is_card(one)]
            wrong += [f"{count} cards: {name}" for name, count in cards.items() if count > 1]
            with_home = sum(pal.where == where and pal.home is not None for pal in self.pals)
            wrong += [f"{len(cards)} cards for {with_home} people"] if len(cards) != with_home else []
        return wrong

    async def _wrong_with(self, pal: Pal) -> list[str]:
        texts = await self.sandbox.phone(pal.address).texts()
        reached = sorted((one for one in texts if one.reached_at is not None), key=lambda one: one.reached_at or 0.0)
        received = [one.text or "" for one in reached if one.direction == "outbound"]
        shown = await pal.author.sees_thread(*pal.home) if pal.home else []
        theirs = [one.text for one in shown if one.text.startswith("answer ")]
        wrong = _wrong_count(theirs, surely=pal.wrote)
        sent = [one for one in texts if one.direction == "outbound"]
        said = [one.text or "" for one in sent] if pal.fails else received
        surely = [body for body in (*pal.accepted, *pal.replied) if body not in self.untold]
        wrong += ["reached a phone that takes nothing"] if pal.fails and received else []
        wrong += _wrong_count(said, surely=surely, perhaps=[*pal.typed, *pal.replied])
        commands = [body for body in said if body.startswith("text ")]
        if commands != [body for body in pal.typed if body in commands]:
            wrong.append(f"out of order: {commands}")
        if not pal.fails:
            for text in sent:
                wrong += [one for one in _wrong_shown(text, shown) if _UNFORESEEN not in one]
        return wrong

    def complaints(self) -> list[str]:
        """What the bot logged as an error of its own; libraries may log that their connection was killed."""
        return [line for line in self.bot.lines if _COMPLAINT.match(line)]

    async def ask(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        return await (await self.database.execute(query, values)).fetchall()  # type: ignore[arg-type]


Fault = Callable[[Soak], Awaitable[None]]


async def _slack_busy(soak: Soak) -> None:
    body = {"ok": False, "error": "ratelimited"}
    where = {"vendor": "slack", "where": "[!d]*"}
    await soak.sandbox.order(**where, kind="status", status=429, retry_after=1, body=body, times=None)


async def _slack_away(soak: Soak) -> None:
    await soak.sandbox.order(vendor="slack", where="[!d]*", kind="status", status=503, times=None)


async def _blooio_slow(soak: Soak) -> None:
    await soak.sandbox.order(vendor="blooio", where="[!d]*", kind="latency", seconds=1.5, times=None)


async def _blooio_away(soak: Soak) -> None:
    await soak.sandbox.order(vendor="blooio", where="[!d]*", kind="status", status=503, times=None)


async def _webhooks_late(soak: Soak) -> None:
    await soak.gateway.misbehaves("late", times=200, seconds=10)


async def _webhooks_lost(soak: Soak) -> None:
    """What a status is nobody has to tell, but that a text was read: only webhooks have a word for that."""
    await soak.gateway.misbehaves("drop", event="message.[sd]*", times=80)
    await soak.gateway.misbehaves("drop", event="message.received", times=20)


async def _webhooks_doubled(soak: Soak) -> None:
    await soak.gateway.misbehaves("duplicate", times=200)


async def _socket_renewed(soak: Soak) -> None:
    await soak.sandbox.disconnect("refresh_requested")


async def _socket_cut(soak: Soak) -> None:
    await soak.sandbox.disconnect(cut=True)


async def _backends_killed(soak: Soak) -> None:
    """Half of the bot's connections to the database, by lot."""
    found = await soak.ask(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'soak'"
    )
    pids = [pid for (pid,) in found]
    await soak.ask(
        "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", [soak.lots.sample(pids, -(-len(pids) // 2))]
    )


FAULTS: dict[str, Fault] = {
    "Slack answers 429": _slack_busy,
    "Slack answers 503": _slack_away,
    "Blooio takes 1.5 s for each answer": _blooio_slow,
    "Blooio answers 503": _blooio_away,
    "200 webhooks are 10 s late": _webhooks_late,
    "100 webhooks are lost": _webhooks_lost,
    "200 webhooks come twice": _webhooks_doubled,
    "Slack asks for a new socket": _socket_renewed,
    "the socket breaks": _socket_cut,
    "half of the bot's database connections are killed": _backends_killed,
}


@asynccontextmanager
async def soaking(
    sandbox: Sandbox, database_url: str, folder: Path, *, transport: str = "socket", seed: int = 7, **settings: str
) -> AsyncIterator[Soak]:
    """One bot, as `python -m bot` starts it, beside a sandbox; it is killed in the end."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url, "BLOOIO_WEBHOOK_SECRET": SECRET} | settings
    if transport == "http":
        environment.pop("SLACK_APP_TOKEN", None)
    bot = BotProcess(environment, folder)
    connecting = psycopg.AsyncConnection.connect(database_url, autocommit=True, application_name="soak")
    try:
        async with await connecting as database:
            authors = [sandbox.person("ana"), sandbox.person("ben")]
            yield Soak(sandbox, bot, database, transport, random.Random(seed), authors)
    finally:
        await bot.kill()
