"""A text that waits for the person's reply, when Blooio tells of it, and when the bot is killed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.hearing.registration import WEBHOOK_PATH
from bot.texting import routing
from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from tests.acceptance.failing import new_case
from tests.acceptance.processes import bot_process
from tests.acceptance.stage import Stage, bot_beside

DELIVERED = "🔵 iMessage · Delivered"
WAITING = "⏸️ Waiting for their reply. It goes out when they write."
SECRET = "whsec_acceptance"


async def test_blooio_tells_that_they_wrote(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reply releases at once what waited for it, once and in order, without anybody looking for it."""
    monkeypatch.setattr(routing, "LOOK_AFTER", timedelta(hours=1))
    async with (
        Sandbox.start() as sandbox,
        bot_beside(sandbox, database_url, transport="socket", BLOOIO_WEBHOOK_SECRET=SECRET) as app,
    ):
        await Gateway(sandbox._http, sandbox.url).subscribes(app.url + WEBHOOK_PATH, secret=SECRET, type="all")
        case = await new_case(Stage(sandbox, app, "socket"))
        await case.order("awaiting_reply", times=3)
        for words in ("one", "two", "three"):
            await case.text(words)
        await case.ends(WAITING, WAITING, WAITING)
        refused = await case.keys()

        await case.phone.replies("Yes?")

        await case.ends(DELIVERED, DELIVERED, DELIVERED)
        await case.on_the_phone("one", "two", "three")
        assert len(set(await case.keys()) - set(refused)) == 3
        looked = await sandbox.exchanges(vendor="blooio", name=f"GET /chats/{case.number}/messages")
        assert looked == []


async def test_killed_while_a_released_text_goes_out(database_urls: Callable[[], str], tmp_path: Path) -> None:
    """Whether Blooio had it by then or not: it goes out once, under one key that is not the refused one."""

    async def killed(how: str) -> None:
        async with Sandbox.start() as sandbox, bot_process(sandbox, database_urls(), tmp_path) as bot:
            case = await new_case(Stage(sandbox, None, "socket"))
            await bot.start()
            await case.order("awaiting_reply")
            await case.text()
            await case.ends(WAITING)
            where = f"POST /chats/{case.number}/messages"
            await sandbox.order(vendor="blooio", where=where, kind=how, seconds=600)
            await case.clicks("Try now")

            async def is_on_its_way() -> bool:
                return any(one["held"] for one in await sandbox.under_way(name=where))

            await sandbox.until(is_on_its_way)
            await bot.kill()
            await sandbox.calm()
            await bot.start()

            await case.ends(DELIVERED, timeout=25)
            await case.on_the_phone("Hi Jane")
            assert len(await case.keys()) == 2

    await asyncio.gather(*map(killed, ("latency", "slow_answer")))


async def test_killed_between_the_release_and_the_send(database_url: str, tmp_path: Path) -> None:
    """A web process takes the click while no worker lives: the job is stored with the release, and waits."""
    async with Sandbox.start() as sandbox, bot_process(sandbox, database_url, tmp_path) as bot:
        case = await new_case(Stage(sandbox, None, "socket"))
        await bot.start()
        await case.order("awaiting_reply")
        await case.text()
        waiting = await case.ends(WAITING)
        await bot.kill()
        async with bot_process(sandbox, database_url, tmp_path, command="web") as web:
            await web.start()
            assert (await case.clicks("Try now", on=waiting)).error is None
            await web.kill()
        assert len(await case.keys()) == 1
        await bot.start()

        await case.ends(DELIVERED, timeout=25)
        await case.on_the_phone("Hi Jane")
        assert len(await case.keys()) == 2


async def test_killed_with_a_try_again_under_way(database_url: str, tmp_path: Path) -> None:
    """The click was acknowledged, so the text goes out; clicked again by whoever did not trust it, it goes out once."""
    async with Sandbox.start() as sandbox, bot_process(sandbox, database_url, tmp_path) as bot:
        case = await new_case(Stage(sandbox, None, "socket"))
        await bot.start()
        failed = await case.fails("trial_exhausted")
        await sandbox.order(vendor="slack", where="chat.update", kind="status", status=503, times=None)
        await sandbox.order(vendor="blooio", where="POST /chats/*/messages", kind="latency", seconds=600)
        await asyncio.gather(*(case.clicks("Try again", on=failed) for _ in range(3)))
        await bot.kill()
        await sandbox.order(vendor="slack", where="chat.update", kind="status", status=503, times=None)
        await bot.start()
        await case.clicks("Try again", on=failed)
        await sandbox.calm()

        await case.ends("⚠️ Not sent. The trial's texts are used up.", DELIVERED, timeout=25)
        await case.on_the_phone("Hi Jane")
