"""`kill -9` between a reaction in Slack and the phone: what stands in the end is shown."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.processes import BotProcess, bot_process, connect
from tests.acceptance.stage import SUPPORT, is_card
from tests.acceptance.talking import SECRET
from tests.acceptance.walk import HELD_FOR

JANE = "+15550960001"


async def start(sandbox: Sandbox, bot: BotProcess, transport: str) -> None:
    await bot.start()
    await connect(sandbox, bot.url, transport)
    await Gateway(sandbox._http, sandbox.url).subscribes(f"{bot.url}/blooio/webhooks", secret=SECRET)


async def writes(sandbox: Sandbox) -> Message:
    """Jane is texted and answers; return the message that shows it."""
    ana, phone = sandbox.person("ana"), sandbox.phone(JANE)
    await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
    await ana.types(SUPPORT, f"/text {JANE} Hello")
    await phone.received(at_least=1)
    await phone.replies("On my way!")

    async def shown() -> Message | None:
        for card in [one for one in await ana.sees(SUPPORT) if is_card(one)]:
            for one in await ana.sees_thread(SUPPORT, card.ts):
                if one.text == "On my way!":
                    return one
        return None

    text = await sandbox.until(shown)
    assert text is not None
    return text


async def on_the_phone(sandbox: Sandbox) -> list[str]:
    [text] = [one for one in await sandbox.phone(JANE).texts() if one.direction == "inbound"]
    return [one["reaction"] for one in text.reactions]


async def settles(sandbox: Sandbox, database_url: str, *reactions: str) -> None:
    """Let time pass until everything has reached the bot and the phone, and see what that shows."""
    deadline = time.monotonic() + 40
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        while True:
            await sandbox.advance(61)
            left = await (await connection.execute("SELECT count(*) FROM procrastinate_jobs")).fetchone()
            if left == (0,) and await on_the_phone(sandbox) == list(reactions):
                return
            assert time.monotonic() < deadline, (left, await on_the_phone(sandbox))
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("taken_off", [False, True], ids=["it stays", "and taken off while nobody was there"])
@pytest.mark.parametrize(
    ("transport", "held"),
    [
        pytest.param("socket", "latency", id="before it was put there"),
        pytest.param("socket", "slow_answer", id="before that was known"),
        pytest.param("http", "slow_answer", id="before that was known, over HTTP"),
    ],
)
async def test_killed_on_the_way(
    database_url: str, tmp_path: Path, transport: str, held: str, *, taken_off: bool
) -> None:
    """Stored and not sent, or sent and not known: the next life of the bot finishes it, and sees what came since."""
    async with (
        Sandbox.start() as sandbox,
        bot_process(sandbox, database_url, tmp_path, transport=transport, BLOOIO_WEBHOOK_SECRET=SECRET) as bot,
    ):
        await start(sandbox, bot, transport)
        text = await writes(sandbox)
        where = f"POST /chats/{JANE}/messages/*/reactions"
        await sandbox.order(vendor="blooio", where=where, kind=held, seconds=HELD_FOR)
        await sandbox.person("ana").reacts(text, "heart")

        async def is_held() -> bool:
            return any(one["held"] for one in await sandbox.under_way(vendor="blooio", name=where))

        await sandbox.until(is_held)
        await bot.kill()
        await sandbox.calm()
        if taken_off:
            await sandbox.person("ana").reacts(text, "heart", remove=True)
        await start(sandbox, bot, transport)
        await settles(sandbox, database_url, *([] if taken_off else ["love"]))


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_reaction_while_nobody_was_there(database_url: str, tmp_path: Path, transport: str) -> None:
    """What people put on a text while the bot is down is shown when it is back."""
    async with (
        Sandbox.start() as sandbox,
        bot_process(sandbox, database_url, tmp_path, transport=transport, BLOOIO_WEBHOOK_SECRET=SECRET) as bot,
    ):
        await start(sandbox, bot, transport)
        text = await writes(sandbox)
        await bot.kill()
        await sandbox.person("ana").reacts(text, "heart")
        await sandbox.person("ben").reacts(text, "tada")
        await sandbox.person("ben").reacts(text, "tada", remove=True)
        await start(sandbox, bot, transport)
        await settles(sandbox, database_url, "love")
