"""Two bots that are killed and a database that goes away, while people act: a plan carried out, and what they saw."""

import asyncio
import contextlib
import random
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.background import beside
from sandbox.driver import Sandbox
from tests.acceptance.processes import BotProcess
from tests.proofs.crash_plan import Kill, Plan, Round
from tests.proofs.ledger import Ledger, Pal
from tests.proofs.postgres import Outage, Server
from tests.proofs.scene import Scene, scene

_HELD_FOR = 600.0  # seconds: longer than anything waits
_HELD_WITHIN = 8.0
_UP_WITHIN = 90.0

#: With each round so many seconds pass for Slack and Blooio, which try again after 30, 60, 120, … what was refused.
_SKIP = 10.0

#: As long as Blooio's list of chats may go unread while webhooks tell of answers, and more.
_SETTLED_WITHIN = 400.0

#: When Slack tells of a message for the last times.
_LAST_TRIES = (61.0, 301.0)

#: A bot that was just killed may still be taken for one that listens, and one just started not yet.
_BEFORE, _AFTER = 0.5, 3.0

#: So long after the database is back people may still be refused.
_BACK_WITHIN = 10.0

_NOT_SENT = re.compile("so it was not sent|so nothing was done")
_NOT_SURE = "We could not confirm that this text was saved"


class Watched:
    """A bot under a supervisor: killed at any moment of its life, and started again until it runs."""

    def __init__(self, bot: BotProcess) -> None:
        self.bot = bot
        self.kills: list[tuple[float, float]] = []  # from the signal until it was seen to be dead
        self.vain_starts = 0  # that the bot gave up by itself
        self._starting: asyncio.Task[None] | None = None

    async def kill(self, dead_for: float) -> None:
        """Kill it, as soon as there is something to kill, and start it again after so many seconds."""
        while not self.has_process:  # noqa: ASYNC110  (nobody announces it)
            await asyncio.sleep(0.01)
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        struck = time.monotonic()
        await self.bot.kill()
        self.kills.append((struck, time.monotonic()))
        self._starting = asyncio.create_task(self._start_again(dead_for), name="supervisor")

    @property
    def has_process(self) -> bool:
        """Whether it runs or starts: its interpreter takes a second or two."""
        try:
            return self.bot.pid > 0
        except AssertionError:
            return False

    async def is_up(self) -> None:
        """Wait until it runs again."""
        if self._starting is not None:
            await self._starting

    async def _start_again(self, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            try:
                await self.bot.start()
            except AssertionError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    return
                self.vain_starts += 1
                await self.bot.kill()
                await asyncio.sleep(0.5)
            else:
                return


@dataclass(frozen=True)
class Typed:
    """A text that somebody typed, and when they were waiting for the answer."""

    pal: Pal
    body: str
    began: float
    ended: float


class Storm:
    """Carries a plan out, on a scene."""

    def __init__(self, stage: Scene, database: Server | None, plan: Plan) -> None:
        self.stage = stage
        self.ledger = Ledger(stage)
        self.plan = plan
        self.bots = [Watched(bot) for bot in stage.bots]
        self.typed: list[Typed] = []
        self.away: list[tuple[Outage, float, float]] = []  # from when until when the database was
        self.dead: list[tuple[float, float]] = []  # and both bots
        self.held = 0  # calls that a bot was killed over
        self._database = database
        self._pals: dict[int, Pal] = {}
        self._turns: dict[int, asyncio.Lock] = {}  # a person types one thing after another
        self._acting: list[asyncio.Task[None]] = []
        self._lots = random.Random(stage.lots.random())

    async def rages(self) -> None:
        """Go through all rounds, and wait until everybody has got their answer and both bots run."""
        await self.stage.start()
        async with beside(self._watch(), "watch"):
            for number, one in enumerate([*self.plan.among_kills, *self.plan.without]):
                if number == len(self.plan.among_kills):
                    await self._all_up()
                await self._round(one)
                if number % 20 == 0:
                    say(f"round {number + 1} of {len(self.plan.among_kills) + len(self.plan.without)}: {one.trouble}")
            await self._all_up()
            await asyncio.gather(*self._acting)

    async def settles(self) -> None:
        """Let Slack and Blooio try again what they have to, and wait for the end. Raises AssertionError."""
        for seconds in _LAST_TRIES:
            await self.stage.sandbox.advance(seconds)
            await asyncio.sleep(1)
        await self.ledger.settles(timeout=_SETTLED_WITHIN)

    async def _round(self, one: Round) -> None:
        await self._one_up()  # on a slow machine too, there is somebody to act with
        await self.stage.sandbox.advance(_SKIP)
        self._acting += [asyncio.create_task(self._act(act.what, act.pal, act.after)) for act in one.acts]
        await asyncio.sleep(one.pause)
        match one.trouble:
            case Outage() as outage:
                await self._outage(outage, one)
            case Kill.ANY_TIME:
                await self._kill(one)
            case Kill.ACKNOWLEDGED:
                await self._acknowledged(one)
            case Kill.SENDING | Kill.DRAWING as moment:
                await self._under_way(moment, one)

    async def _act(self, what: str, number: int, after: float) -> None:
        await asyncio.sleep(after)
        pal = await self._pal(number)
        match what:
            case "text":
                async with self._turns[number]:
                    await self._types(pal)
            case "reply":
                await self.ledger.replies(pal)
            case "answer" if pal.accepted:  # a stranger's thread would be elsewhere
                await self.ledger.answers(pal)

    async def _types(self, pal: Pal) -> bool:
        began = time.monotonic()
        accepted = await self.ledger.texts(pal)
        self.typed.append(Typed(pal, pal.typed[-1], began, time.monotonic()))
        return accepted

    async def _pal(self, number: int) -> Pal:
        """Somebody, met when they are first needed: each third reads what they get, each fifth has no iMessage."""
        async with self._turns.setdefault(number, asyncio.Lock()):
            if number not in self._pals:
                profile: dict[str, Any] = {"read_after": 0.6 if number % 3 == 0 else None, "imessage": number % 5 != 0}
                author = "ana" if number % 2 else "ben"
                self._pals[number] = await self.ledger.meets(author, sms_delivers=True, rcs=number % 10 == 0, **profile)
        return self._pals[number]

    async def _kill(self, one: Round) -> None:
        drawn, other = self.bots[one.bot], self.bots[1 - one.bot]
        if one.both:
            await asyncio.gather(drawn.kill(one.dead[0]), other.kill(one.dead[1]))
        else:
            await (drawn if drawn.has_process else other).kill(one.dead[0])

    async def _acknowledged(self, one: Round) -> None:
        """Somebody new is texted, and both bots die as soon as it was acknowledged."""
        await self._one_up()
        pal = await self.ledger.meets()
        await self._types(pal)
        await self._kill(one)

    async def _under_way(self, moment: Kill, one: Round) -> None:
        """Kill while a call of theirs waits for its answer, before its effect or after it."""
        await self._one_up()
        sandbox, (kind, drawing) = self.stage.sandbox, one.held
        pal = await self.ledger.meets()
        vendor, where = "slack", drawing
        if moment is Kill.SENDING:
            vendor, where = "blooio", f"POST /chats/{pal.address}/messages"
        await sandbox.order(vendor=vendor, where=where, kind=kind, seconds=_HELD_FOR)

        async def is_held() -> bool:
            return any(call["held"] for call in await sandbox.under_way(vendor=vendor, name=where))

        await self._types(pal)
        with contextlib.suppress(TimeoutError):
            await sandbox.until(is_held, timeout=_HELD_WITHIN)
            self.held += 1
        await self._kill(one)
        await sandbox.calm()

    async def _outage(self, outage: Outage, one: Round) -> None:
        if self._database is None:
            return
        began = time.monotonic()
        await self._database.is_away(outage, self.stage.database, one.away, self._lots)
        self.away.append((outage, began, time.monotonic()))

    async def _one_up(self) -> None:
        async with asyncio.timeout(_UP_WITHIN):
            while not self.stage.running():  # noqa: ASYNC110  (nobody announces it)
                await asyncio.sleep(0.05)

    async def _all_up(self) -> None:
        async with asyncio.timeout(_UP_WITHIN):
            for bot in self.bots:
                await bot.is_up()

    async def _watch(self) -> None:
        """Note when both bots are dead, and what Slack told of; its record is not endless."""
        dead_since, looks = 0.0, 0
        while True:
            if not self.stage.running():
                dead_since = dead_since or time.monotonic()
            elif dead_since:
                self.dead.append((dead_since, time.monotonic()))
                dead_since = 0.0
            looks += 1
            if looks % 100 == 0:
                await self.ledger.hears_slack()
            await asyncio.sleep(0.02)

    def wrong_answers(self) -> list[str]:
        """What people were shown instead of an answer that gives them their words back."""
        return [
            f"answer to {typed.body}: {answer}, {self.ledger.shown[typed.body].text!r}"
            for typed in self.typed
            if (answer := self.answer(typed)) in {"words lost", "else"}
        ]

    def without_cause(self) -> list[Typed]:
        """Texts that were refused, or not answered, though no bot died and the database was there."""
        return [typed for typed in self.typed if not self._has_cause(typed)]

    def answer(self, typed: Typed) -> str:
        """Say in a word what somebody was shown."""
        shown = self.ledger.shown[typed.body]
        if typed.body in typed.pal.accepted:
            return "accepted"
        if shown.error is not None:
            return "no answer"
        if f"/text {typed.pal.address} {typed.body}" not in shown.text:
            return "words lost"
        return "not sent" if _NOT_SENT.search(shown.text) else "not sure" if _NOT_SURE in shown.text else "else"

    def _has_cause(self, typed: Typed) -> bool:
        """Whether nothing has to be excused, or a kill while they waited, two dead bots, or the database away do it."""
        killed = any(
            typed.began < end + _BEFORE and start < typed.ended for bot in self.bots for start, end in bot.kills
        ) or any(typed.began < end + _AFTER and start < typed.ended for start, end in self.dead)
        away = any(typed.began < end + _BACK_WITHIN and start < typed.ended for _, start, end in self.away)
        return {"accepted": True, "no answer": killed, "not sent": away, "not sure": away}.get(self.answer(typed), True)


@asynccontextmanager
async def storm_on(
    folder: Path,
    plan: Plan,
    *,
    transport: str,
    database_url: str,
    database: Server | None = None,
    sandbox: Sandbox | None = None,
    seed: int = 1,
) -> AsyncIterator[Storm]:
    """Two bots, and a plan for them; without *database* it stays where it is."""
    async with scene(database_url, folder, transport=transport, sandbox=sandbox, seed=seed) as stage:
        yield Storm(stage, database, plan)


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)  # noqa: T201  (whoever runs it wants to see)
