"""Ways to kill the bot at a chosen moment of a text, and to see that the text ended as it must."""

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sandbox.driver import Sandbox
from tests.acceptance.processes import BotProcess, bot_process, connect, idle, left
from tests.acceptance.stage import SUPPORT, is_card

HELD_FOR = 600.0  # seconds: longer than any test
AT_ONCE = 6  # walks; each has a bot, a sandbox and a database


class Moment(StrEnum):
    """When the bot is killed, seen from a call that it makes."""

    ARRIVED = "before the effect"
    DONE = "after the effect, before the answer"
    ANSWERED = "right after the answer"


@dataclass(frozen=True)
class Call:
    """The *nth* call of its name that a text causes, counted from 0."""

    vendor: str
    name: str
    nth: int


@dataclass(frozen=True)
class Crash:
    """One killing on the walk: while a person's first text is under way, or a later one."""

    call: Call
    moment: Moment
    first: bool = True

    def __str__(self) -> str:
        which = "a first text" if self.first else "a later text"
        return f"{which}, {self.call.name} no. {self.call.nth + 1}, {self.moment}"

    @property
    def kind(self) -> tuple[object, ...]:
        """What it is an example of: how often a card or a receipt is redrawn is a matter of timing."""
        return self.first, self.call.vendor, self.call.name, self.moment

    @property
    def is_of_a_new_process(self) -> bool:
        """Whether only a process that has just started makes this call, the answer being remembered."""
        return self.call.name in {"users.info", "conversations.info", "conversations.replies"}

    @property
    def may_come_before_the_store(self) -> bool:
        return self.call.name == "conversations.info"


@dataclass
class Recipient:
    """Somebody with an iPhone, and the texts that she was sent."""

    address: str
    bodies: list[str] = field(default_factory=list)

    @property
    def shown_as(self) -> str:
        digits = self.address.removeprefix("+1")
        return f"+1 {digits[:3]}-{digits[3:6]}-{digits[6:]}"


#: What a bot asks whether somebody texts or not: the address book, and who wrote meanwhile.
OF_NO_TEXT = {"GET /contacts", "GET /chats"}


class Walk:
    """A bot that texts, is killed, starts again, and is looked at."""

    def __init__(self, sandbox: Sandbox, bot: BotProcess, database_url: str, transport: str) -> None:
        self.sandbox = sandbox
        self.bot = bot
        self.database_url = database_url
        self._transport = transport
        self._numbers = itertools.count(5_550_200_001)
        self.recipients: list[Recipient] = []

    async def start(self) -> None:
        await self.bot.start()
        await connect(self.sandbox, self.bot.url, self._transport)

    async def restart(self) -> None:
        await self.bot.kill()
        await self.start()

    async def meets(self) -> Recipient:
        """Somebody who was never texted before."""
        someone = Recipient(f"+1{next(self._numbers)}")
        await self.sandbox.phone(someone.address).becomes(imessage=True, sent_after=0.1, delivered_after=0.3)
        self.recipients.append(someone)
        return someone

    async def texts(self, someone: Recipient) -> str | None:
        """Ana texts her; return what went wrong with the command, as Ana sees it."""
        body = f"text {len(someone.bodies) + 1}"
        someone.bodies.append(body)
        return (await self.sandbox.person("ana").types(SUPPORT, f"/text {someone.address} {body}")).error

    async def settles(self) -> None:
        """Wait until the bot has nothing left to do."""
        deadline = time.monotonic() + 45
        while not await idle(self.database_url):
            assert time.monotonic() < deadline, await left(self.database_url)
            await asyncio.sleep(0.1)

    async def passes(self, crash: Crash, someone: Recipient) -> bool:
        """Text her, kill the bot at this moment and start it again; return whether it got that far."""
        vendor, name, nth = crash.call.vendor, crash.call.name, crash.call.nth
        last = (await self.sandbox.exchanges())[-1]["id"]
        if crash.moment is not Moment.ANSWERED:
            kind = "latency" if crash.moment is Moment.ARRIVED else "slow_answer"
            await self.sandbox.order(vendor=vendor, where=name, kind=kind, skip=nth, seconds=HELD_FOR)

        typing = asyncio.create_task(self.texts(someone))

        async def is_there() -> bool:
            if crash.moment is Moment.ANSWERED:
                return len(await self.sandbox.exchanges(vendor=vendor, name=name, since=last)) > nth
            return any(one["held"] for one in await self.sandbox.under_way(vendor=vendor, name=name))

        async def how_far() -> str:
            over = typing.done() and await idle(self.database_url)
            return "there" if await is_there() else "past it" if over else ""

        far = await self.sandbox.until(how_far, timeout=40)
        await self.bot.kill()
        await self.sandbox.calm()
        error = await typing
        await self.start()
        await self.settles()
        await self.sees_the_truth(someone, perhaps=crash.may_come_before_the_store and error is not None)
        return far == "there"

    async def sees_the_truth(self, someone: Recipient, *, perhaps: bool = False) -> None:
        """Every text is on her phone once and once in her one thread, with its fate; *perhaps* not the last one."""
        received = [text.text for text in await self.sandbox.phone(someone.address).received()]
        if perhaps and received == someone.bodies[:-1]:
            someone.bodies.pop()
        assert received == someone.bodies, "on the phone"
        ana = self.sandbox.person("ana")
        root = [message for message in await ana.sees(SUPPORT) if not message.ephemeral]
        assert all(map(is_card, root)), "beside the cards"
        cards = [message for message in root if message.text.startswith(someone.shown_as)]
        assert len(cards) == bool(someone.bodies), "cards"
        shown = [message.text.splitlines() for card in cards for message in await ana.sees_thread(SUPPORT, card.ts)]
        assert [body for body, _ in shown] == someone.bodies, "in the thread"
        assert all(line.startswith("🔵 iMessage · Delivered") for _, line in shown), f"receipts {shown}"
        assert all("🔵 iMessage · open" in card.text for card in cards), f"cards {cards}"


@asynccontextmanager
async def walking(
    database_url: str, folder: Path, *, transport: str = "socket", latency: float = 0.0, **settings: str
) -> AsyncIterator[Walk]:
    async with (
        Sandbox.start(latency=latency) as sandbox,
        bot_process(sandbox, database_url, folder, transport=transport, **settings) as bot,
    ):
        yield Walk(sandbox, bot, database_url, transport)


async def calls_of_a_text(walk: Walk, someone: Recipient) -> list[Call]:
    """Let one text go undisturbed through a bot that has just started, and list the calls that it made."""
    await walk.start()
    since = (await walk.sandbox.exchanges())[-1]["id"]
    assert await walk.texts(someone) is None
    await walk.settles()
    await walk.sees_the_truth(someone)
    exchanges = [
        one
        for one in await walk.sandbox.exchanges(since=since)
        if not one["name"].startswith("deliver:") and one["name"] not in OF_NO_TEXT
    ]
    await walk.bot.kill()
    seen: Counter[tuple[str, str]] = Counter()
    calls = []
    for one in exchanges:
        name = re.sub(r"\+\d+|msg_\w+", "*", one["name"])
        calls.append(Call(one["vendor"], name, seen[one["vendor"], name]))
        seen[one["vendor"], name] += 1
    return calls


async def walk_through(crashes: list[Crash], walk: Walk) -> list[Crash]:
    """Take these crashes one after another; return those that came to pass."""
    passed = []
    await walk.start()
    for crash in crashes:
        if crash.is_of_a_new_process:
            await walk.restart()
        someone = await walk.meets() if crash.first else walk.recipients[-1]
        try:
            if await walk.passes(crash, someone):
                passed.append(crash)
        except (AssertionError, TimeoutError) as error:
            error.add_note(f"Killed while {crash}. The bot's last words:")
            error.add_note("\n".join(walk.bot.lines[-20:]))
            raise
    for someone in walk.recipients:
        await walk.sees_the_truth(someone)
    return passed
