"""`kill -9` at any moment of an answer and of a reply: both arrive, once each, and the thread ends true."""

import asyncio
import contextlib
import itertools
import re
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.processes import BotProcess, bot_process, connect, idle, left
from tests.acceptance.stage import SUPPORT, is_card
from tests.acceptance.talking import SECRET
from tests.acceptance.walk import HELD_FOR, OF_NO_TEXT, Call, Moment

#: Seconds that pass until what was refused comes again: Slack tries after 1 and 5 minutes, Blooio after 0.5, 1, 2, 4.
_PAUSES = (61, 61, 121, 301)

AT_ONCE = 4  # walks; each has a bot, a sandbox and a database

#: What of a conversation is not done or not drawn yet.
_UNDER_WAY = """
    SELECT (SELECT count(*) FROM events WHERE applied_at IS NULL)
         + (SELECT count(*) FROM inbound WHERE drawn_revision < revision)
         + (SELECT count(*) FROM replies WHERE drawn_revision < revision)
         + (SELECT count(*) FROM remarks WHERE posted_ts IS NULL)
"""


@dataclass
class Jane:
    """Somebody with an iPhone and a thread, what she wrote, and what she was sent."""

    address: str
    card_ts: str = ""
    wrote: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)


class Story:
    """Somebody answers and somebody replies, while the bot is killed and started again."""

    def __init__(self, sandbox: Sandbox, bot: BotProcess, database_url: str, transport: str) -> None:
        self.sandbox = sandbox
        self.bot = bot
        self._database_url = database_url
        self._transport = transport
        self._numbers = itertools.count(5_550_900_001)
        self._subscribed = False

    async def start(self) -> None:
        await self.bot.start()
        await connect(self.sandbox, self.bot.url, self._transport)
        if not self._subscribed:  # once: another subscription would take the place of this one, and of what it owes us
            gateway = Gateway(self.sandbox._http, self.sandbox.url)
            await gateway.subscribes(f"{self.bot.url}/blooio/webhooks", secret=SECRET)
            self._subscribed = True

    async def meets(self) -> Jane:
        """Somebody who was texted, and whose thread stands."""
        jane = Jane(f"+1{next(self._numbers)}", got=["Hello"])
        await self.sandbox.phone(jane.address).becomes(imessage=True, sent_after=0, delivered_after=0)
        shown = await self.sandbox.person("ana").types(SUPPORT, f"/text {jane.address} Hello")
        assert shown.error is None, shown
        await self.settles()
        pretty = f"+1 {jane.address[2:5]}-{jane.address[5:8]}-{jane.address[8:]}"
        cards = [one for one in await self.sandbox.person("ana").sees(SUPPORT) if is_card(one) and pretty in one.text]
        jane.card_ts = cards[0].ts
        return jane

    async def talks(self, jane: Jane) -> None:
        """She answers, and at once Ana replies in her thread."""
        number = len(jane.wrote) + 1
        jane.wrote.append(f"answer {number}")
        jane.got.append(f"reply {number}")
        await self.sandbox.phone(jane.address).replies(jane.wrote[-1])
        await self.sandbox.person("ana").posts(SUPPORT, jane.got[-1], thread_ts=jane.card_ts)

    async def settles(self) -> None:
        """Wait until nothing is left to do, here or on the way here: what was refused comes again when time passes."""
        deadline = time.monotonic() + 45
        while not await self._is_quiet():
            assert time.monotonic() < deadline, await left(self._database_url)
            await asyncio.sleep(0.1)

    async def _is_quiet(self) -> bool:
        if not await idle(self._database_url):
            return False
        async with await psycopg.AsyncConnection.connect(self._database_url) as connection:
            return await (await connection.execute(_UNDER_WAY)).fetchone() == (0,)

    async def comes_again(self, jane: Jane) -> None:
        """Let time pass for Slack and Blooio until everything has reached the bot, and then the phone."""

        async def came() -> bool:
            texts = await self.sandbox.phone(jane.address).received()
            return len(texts) >= len(jane.got) and len(await self._theirs(jane)) >= len(jane.wrote)

        for wait in (0, *_PAUSES, 0):
            await self.sandbox.advance(wait)
            with contextlib.suppress(TimeoutError):
                await self.sandbox.until(came, timeout=4 if wait else 2)
                break
        else:
            raise AssertionError(f"sent {jane.got}, wrote {jane.wrote}: {await left(self._database_url)}")
        await self.settles()

    async def _thread(self, jane: Jane) -> list[Message]:
        return await self.sandbox.person("ana").sees_thread(SUPPORT, jane.card_ts)

    async def _theirs(self, jane: Jane) -> list[str]:
        return [one.text for one in await self._thread(jane) if one.text.startswith("answer ")]

    async def sees_the_truth(self, jane: Jane) -> None:
        """Everything is there once and in order, and each reply bears the one mark that is true."""
        received = [text.text for text in await self.sandbox.phone(jane.address).received()]
        assert received == jane.got, "on the phone"
        assert await self._theirs(jane) == jane.wrote, "in the thread"
        replies = [one for one in await self._thread(jane) if one.text.startswith("reply ")]
        marks = [set(one.raw["reactions"]) for one in replies]
        assert marks == [{"white_check_mark"}] * len(jane.wrote), f"marks {marks}"
        root = [one for one in await self.sandbox.person("ana").sees(SUPPORT) if not one.ephemeral]
        assert all(map(is_card, root)), "beside the cards"

    async def is_killed(self, call: Call, moment: Moment, jane: Jane) -> bool:
        """Talk, kill the bot at this moment and start it again; return whether it got that far."""
        last = (await self.sandbox.exchanges())[-1]["id"]
        if moment is not Moment.ANSWERED:
            kind = "latency" if moment is Moment.ARRIVED else "slow_answer"
            where = call.name.replace("*", jane.address, 1)
            await self.sandbox.order(vendor=call.vendor, where=where, kind=kind, skip=call.nth, seconds=HELD_FOR)
        await self.talks(jane)

        async def is_there() -> bool:
            if moment is Moment.ANSWERED:
                return len(await self.sandbox.exchanges(vendor=call.vendor, name=call.name, since=last)) > call.nth
            return any(one["held"] for one in await self.sandbox.under_way(vendor=call.vendor, name=call.name))

        async def how_far() -> str:
            texts = await self.sandbox.phone(jane.address).received()
            over = len(texts) == len(jane.got) and await self._is_quiet()
            return "there" if await is_there() else "past it" if over else ""

        far = await self.sandbox.until(how_far, timeout=40)
        await self.bot.kill()
        await self.sandbox.calm()
        await self.start()
        await self.comes_again(jane)
        await self.sees_the_truth(jane)
        return far == "there"


@asynccontextmanager
async def telling(database_url: str, folder: Path, *, transport: str = "socket") -> AsyncIterator[Story]:
    """A story whose bot is always at one address, as it is behind a PUBLIC_URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"PORT": str(port), "BLOOIO_WEBHOOK_SECRET": SECRET, "INBOX_CHANNEL": "C0GENERAL01"}
    async with (
        Sandbox.start() as sandbox,
        bot_process(sandbox, database_url, folder, transport=transport, **settings) as bot,
    ):
        yield Story(sandbox, bot, database_url, transport)


async def calls_of_a_talk(story: Story) -> list[Call]:
    """Let an answer and a reply go undisturbed, and list the calls that the bot made for them."""
    await story.start()
    jane = await story.meets()
    since = (await story.sandbox.exchanges())[-1]["id"]
    await story.talks(jane)
    await story.comes_again(jane)
    await story.sees_the_truth(jane)
    seen: Counter[tuple[str, str]] = Counter()
    calls = []
    for one in await story.sandbox.exchanges(since=since):
        name = re.sub(r"\+\d+|msg_\w+", "*", one["name"])
        if name.startswith("deliver:") or name in OF_NO_TEXT or name == "GET /chats":
            continue
        calls.append(Call(one["vendor"], name, seen[one["vendor"], name]))
        seen[one["vendor"], name] += 1
    return calls


@pytest.mark.timeout(300)
async def test_a_talk_survives_a_kill_at_any_moment(database_urls, tmp_path: Path) -> None:
    """Killed before, during or after any call of an answer and a reply: each arrives once, in order, and marked."""
    async with telling(database_urls(), tmp_path) as story:
        calls = await calls_of_a_talk(story)
    names = {call.name for call in calls}
    assert names >= {"chat.postMessage", "reactions.add", "POST /chats/*/messages"}, names
    crashes = [(call, moment) for call in calls for moment in Moment]

    async def walk(some: list[tuple[Call, Moment]]) -> int:
        passed = 0
        async with telling(database_urls(), tmp_path) as story:
            await story.start()
            for call, moment in some:
                try:
                    passed += await story.is_killed(call, moment, await story.meets())
                except (AssertionError, TimeoutError) as error:
                    error.add_note(f"Killed at {call.name} no. {call.nth + 1}, {moment}. The bot's last words:")
                    error.add_note("\n".join(story.bot.lines[-20:]))
                    raise
        return passed

    async with asyncio.TaskGroup() as walks:
        tasks = [walks.create_task(walk(crashes[number::AT_ONCE])) for number in range(AT_ONCE)]
    assert sum(task.result() for task in tasks) >= len(crashes) * 0.6  # how often something is redrawn is timing


@pytest.mark.timeout(120)
async def test_a_killed_bot_catches_up_over_http_too(database_url: str, tmp_path: Path) -> None:
    """How Slack reaches the bot makes no difference to what survives."""
    async with telling(database_url, tmp_path, transport="http") as story:
        await story.start()
        for call, moment in (
            (Call("blooio", "POST /chats/*/messages", 0), Moment.DONE),
            (Call("slack", "chat.postMessage", 0), Moment.DONE),
            (Call("slack", "reactions.add", 0), Moment.ARRIVED),
        ):
            assert await story.is_killed(call, moment, await story.meets())


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_what_happened_while_nobody_was_there(database_url: str, tmp_path: Path, transport: str) -> None:
    """Answers and replies while the bot is down come when it is back, once and in order."""
    async with telling(database_url, tmp_path, transport=transport) as story:
        await story.start()
        jane = await story.meets()
        await story.bot.kill()
        await story.talks(jane)
        await story.start()
        await story.comes_again(jane)
        await story.sees_the_truth(jane)
