"""Opting out while something goes wrong: webhooks away, Slack down, the bot killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from tests.acceptance.opting_out import FAILED, STOPPED, UNTIL, begins, order, refused, rows, says, under
from tests.acceptance.processes import bot_process, connect
from tests.acceptance.stage import SUPPORT, is_card
from tests.acceptance.talking import SECRET, talking


@pytest.fixture
async def fresh(transport: str, database_url: str) -> AsyncIterator[Sandbox]:
    """A sandbox of a story's own, in which much goes wrong."""
    async with Sandbox.start() as sandbox:
        yield sandbox


async def test_without_webhooks(fresh: Sandbox, transport: str, database_url: str) -> None:
    """STOP is read in Blooio's list, once, and no text that waited for a reply takes it for one."""
    async with talking(fresh, database_url, transport=transport, webhooks=False) as talk:
        jane = await begins(talk)
        await order(talk, "awaiting_reply", jane, times=1)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        await under(jane, "Hello?", "⏸️ Waiting for their reply.")
        await jane.phone.replies("STOP")
        await under(jane, "Hello?", FAILED, timeout=25)
        await jane.received("Hi Jane", STOPPED)
        await under(jane, STOPPED, "🔵 iMessage · Delivered")
        assert [one.text for one in await jane.sees()].count("STOP") == 1


async def test_a_webhook_that_was_lost(fresh: Sandbox, transport: str, database_url: str) -> None:
    """A text that waits for a reply looks for one itself: it finds STOP, and heeds it first."""
    async with talking(fresh, database_url, transport=transport) as talk:
        jane = await begins(talk)
        await order(talk, "awaiting_reply", jane, times=1)
        await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        await under(jane, "Hello?", "⏸️ Waiting for their reply.")
        await talk.gateway.misbehaves("drop", event="message.received")
        await jane.phone.replies("STOP")
        await rows(talk, "UPDATE deliveries SET check_at = now() WHERE held_since IS NOT NULL RETURNING 1")
        await under(jane, "Hello?", FAILED)
        await jane.received("Hi Jane", STOPPED)
        await under(jane, STOPPED, "🔵 iMessage · Delivered")
        assert [one.text for one in await jane.sees()].count("STOP") == 1


async def test_while_slack_is_down(fresh: Sandbox, transport: str, database_url: str) -> None:
    """It holds and is confirmed at once; the thread says so when Slack is back."""
    async with talking(fresh, database_url, transport=transport) as talk:
        jane = await begins(talk)
        for method in ("chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.replies"):
            await fresh.order(vendor="slack", where=method, kind="status", status=503, times=None)
        await jane.phone.replies("STOP")
        await jane.received("Hi Jane", STOPPED)
        refusal = await jane.ana.types(jane.home, f"/text {jane.phone.address} Hello?")
        assert refusal.text.startswith(f"⚠️ {refused(jane)}")
        await fresh.calm()
        await jane.shows("Hi Jane", "STOP", "🚫", STOPPED)
        await says(jane, "🚫 Opted out since Today")
        await jane.received("Hi Jane", STOPPED)


async def test_other_words_and_no_answer(fresh: Sandbox, transport: str, database_url: str) -> None:
    """A team chooses both."""
    async with talking(fresh, database_url, transport=transport, STOP_WORDS="Stopp, Ende", STOP_REPLY="none") as talk:
        jane = await begins(talk)
        await jane.phone.replies("Unsubscribe")
        await jane.shows("Hi Jane", "Unsubscribe")
        await jane.phone.replies("stopp!")
        await jane.shows("Hi Jane", "Unsubscribe", "stopp!", "🚫")
        await says(jane, "🚫 Opted out since Today")
        await jane.received("Hi Jane")


@pytest.mark.parametrize("how", ["latency", "slow_answer"])
async def test_killed_before_it_is_confirmed(
    fresh: Sandbox, transport: str, database_url: str, tmp_path: Path, how: str
) -> None:
    """Before the confirmation reached Blooio or after: it arrives once, and nothing else does."""
    ana = fresh.person("ana")
    settings = {"BLOOIO_WEBHOOK_SECRET": SECRET}
    async with bot_process(fresh, database_url, tmp_path, transport=transport, **settings) as bot:

        async def starts() -> None:
            await bot.start()
            await connect(fresh, bot.url, transport)
            await Gateway(fresh._http, fresh.url).subscribes(f"{bot.url}/blooio/webhooks", secret=SECRET)

        await starts()
        phone = fresh.phone("+15550800001")
        await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
        shown = await ana.types(SUPPORT, f"/text {phone.address} Hello")
        assert shown.text.startswith("Texting "), shown
        await phone.received(1)
        where = f"POST /chats/{phone.address}/messages"
        await fresh.order(vendor="blooio", where=where, kind=how, seconds=600)
        await phone.replies("STOP")

        async def is_on_its_way() -> bool:
            return any(one["held"] for one in await fresh.under_way(name=where))

        await fresh.until(is_on_its_way)
        await bot.kill()
        await fresh.calm()
        await starts()
        assert [one.text for one in await phone.received(2)] == ["Hello", STOPPED]

        async def is_shown() -> bool:
            cards = [one for one in await ana.sees(SUPPORT) if is_card(one)]
            seen = await ana.sees_thread(SUPPORT, cards[0].ts) if cards else []
            return [one.text.splitlines()[0] for one in seen][1:] == [
                "STOP",
                f"🚫 +1 555-080-0001 opted out: they wrote STOP. {UNTIL}",
                STOPPED,
            ]

        await fresh.until(is_shown, timeout=25)
        refusal = await ana.types(SUPPORT, f"/text {phone.address} Hello?")
        assert refusal.text.startswith("⚠️ +1 555-080-0001 opted out of texts on ")
        assert len(await phone.received()) == 2
