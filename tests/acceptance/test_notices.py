"""Who is told of a failed text: its author, once; and an admin of what only an admin can mend, once an hour."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.texting import routing, service
from bot.texting.errors import Disconnected
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.failing import Case, all_told, new_case
from tests.acceptance.processes import bot_process
from tests.acceptance.stage import Stage, bot_beside, is_card

DELIVERED = "🔵 iMessage · Delivered"
WHY = "The trial's texts are used up. Try again when an admin has chosen a plan."
TRIAL = (
    "🛠️ The Blooio trial is used up. No text goes out until there is a plan.\n"
    "Choose a plan in Blooio. Then the texts that failed can be sent with Try again below each.\n"
)
ONCE_AN_HOUR = "failed for this in the last 24 hours. This is said once an hour at most."


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """How soon a status is asked for is the bot's own, only sooner."""
    monkeypatch.setattr(routing, "ASK_AFTER", timedelta(seconds=0.1))
    monkeypatch.setattr(service, "FIRST_CHECK", timedelta(seconds=0.1))


@asynccontextmanager
async def a_case(database_url: str, **settings: str) -> AsyncIterator[Case]:
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket", **settings) as app:
        yield await new_case(Stage(sandbox, app, "socket"))


async def dms(case: Case) -> list[Message]:
    """What the bot wrote to Ana."""
    return [one for one in await case.stage.ana.sees_dm() if one.author == "Texting"]


async def alerts(case: Case, where: str) -> list[str]:
    return [one.text for one in await case.stage.ana.sees(where) if one.text.startswith("🛠️")]


async def test_the_author_is_told_where_to_look(database_url: str) -> None:
    """Who, why, which text, and a link to its message in the thread: the author, once, and nobody else."""
    async with a_case(database_url) as case:
        failed = await case.fails("trial_exhausted", words="Hi Jane, your *order* is ready")
        [told] = await case.stage.sandbox.until(lambda: dms(case))

        assert told.text.splitlines() == [
            f"⚠️ Your text to {case.shown} was not sent. {WHY}",
            "Hi Jane, your *order* is ready",
            "Open it in its thread",
        ]
        link = f"/archives/{case.home}/p{failed.ts.replace('.', '')}?thread_ts={failed.thread_ts}&cid={case.home}"
        assert link in str(told.blocks).replace("&amp;", "&")
        assert await case.stage.ben.sees_dm() == []


async def test_a_text_that_fails_after_it_was_sent_again_is_told_to_whoever_did(database_url: str) -> None:
    """One rule: every text that fails is told to its author, once."""
    async with a_case(database_url) as case:
        await case.fails("trial_exhausted", times=2)
        await case.stage.sandbox.until(lambda: dms(case))
        await case.clicks("Try again", by=case.stage.ben)
        await case.ends("⚠️", "⚠️")
        await all_told(database_url, texts=2)
        assert len(await case.stage.ben.sees_dm()) == 1
        assert len(await dms(case)) == 1


#: What goes wrong with the post of a notice, which is the first to that conversation.
MISHAPS = {
    "its answer is lost": ("chat.postMessage", {"kind": "drop_after"}),
    "it never arrived": ("chat.postMessage", {"kind": "drop_before"}),
    "Slack is busy": ("chat.postMessage", {"kind": "status", "status": 429, "retry_after": 1}),
    "Slack is in trouble": ("chat.postMessage", {"kind": "status", "status": 503}),
    "the direct messages do not open": ("conversations.open", {"kind": "drop_before"}),
    "the scope is missing": (
        "conversations.open",
        {"kind": "status", "status": 200, "body": {"ok": False, "error": "missing_scope"}},
    ),
}


async def test_whatever_happens_to_a_notice_it_is_there_once(database_urls: Callable[[], str]) -> None:
    """Lost answers are looked for, waits are kept, and what was not posted is."""

    async def told(mishap: str) -> list[str]:
        where, fault = MISHAPS[mishap]
        database_url = database_urls()
        async with a_case(database_url) as case:
            await case.text("before")
            await case.ends("🔵 iMessage")
            skip = 1 if where == "chat.postMessage" else 0  # the failed text's own message
            await case.order("trial_exhausted")
            await case.stage.sandbox.order(vendor="slack", where=where, skip=skip, **fault)
            await case.text("Hi Jane")
            await all_told(database_url)
            assert any(one["fault"] for one in await case.stage.sandbox.exchanges(vendor="slack", name=where))
            return [told.text.splitlines()[1] for told in await dms(case)]

    seen = dict(zip(MISHAPS, await asyncio.gather(*map(told, MISHAPS)), strict=True))
    assert seen == {mishap: ["Hi Jane"] for mishap in MISHAPS}


async def test_a_notice_that_slack_refuses_is_given_up(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody who cannot be written to is not written to for ever, and the log says so."""
    async with a_case(database_url) as case:
        await case.text("before")
        await case.ends("🔵 iMessage")
        await case.order("bad_request")
        refusal = {"kind": "status", "status": 200, "body": {"ok": False, "error": "user_disabled"}}
        await case.stage.sandbox.order(vendor="slack", where="chat.postMessage", skip=1, **refusal)
        await case.text()
        await all_told(database_url)

        assert await dms(case) == []
        assert "notice_refused" in caplog.text


async def test_killed_while_a_notice_is_posted(database_urls: Callable[[], str], tmp_path: Path) -> None:
    """Whether Slack had it by then or not: the author is told once."""

    async def killed(how: str) -> None:
        database_url = database_urls()
        async with Sandbox.start() as sandbox, bot_process(sandbox, database_url, tmp_path) as bot:
            case = await new_case(Stage(sandbox, None, "socket"))
            await bot.start()
            await case.order("bad_request")
            await sandbox.order(vendor="slack", where="chat.postMessage", skip=2, kind=how, seconds=600)
            await case.text()

            async def is_posting() -> bool:
                return any(one["held"] for one in await sandbox.under_way(name="chat.postMessage"))

            await sandbox.until(is_posting)
            await bot.kill()
            await sandbox.calm()
            await bot.start()
            await all_told(database_url)
            assert len(await dms(case)) == 1

    await asyncio.gather(*map(killed, ("latency", "slow_answer")))


async def test_what_has_moved_on_is_not_told(database_url: str) -> None:
    """While Slack keeps us from telling the author, one text is sent again and another arrives after all."""
    async with a_case(database_url) as case:
        busy = {"kind": "status", "status": 429, "retry_after": 5}
        await case.stage.sandbox.order(vendor="slack", where="conversations.open", **busy)
        await case.fails("trial_exhausted")
        await case.clicks("Try again", by=case.stage.ben)
        await case.ends("⚠️", DELIVERED)
        await all_told(database_url)
        assert await dms(case) == []


async def test_a_thread_that_moved_to_somebodys_messages_has_one_card(database_url: str) -> None:
    """Its channel is archived before it was drawn, and Slack's answer to the new card is lost."""
    async with a_case(database_url) as case:
        for fault in ({"kind": "status", "status": 503}, {"kind": "drop_after", "skip": 1}):
            await case.stage.sandbox.order(vendor="slack", where="chat.postMessage", **fault)
        await case.text()
        await case.stage.sandbox.archives(case.home)

        async def thread() -> list[Message]:
            cards = [one for one in await dms(case) if is_card(one)]
            return [text for card in cards for text in await case.stage.ana.sees_thread("@bot", card.ts)]

        [text] = await case.stage.sandbox.until(thread, timeout=15)
        assert text.text.splitlines()[0] == "Hi Jane"
        assert len(await dms(case)) == 1
        assert any(one["fault"] == "drop_after" for one in await case.stage.sandbox.exchanges(name="chat.postMessage"))


class TestAdmins:
    async def test_a_cause_is_told_once_an_hour(self, database_url: str) -> None:
        """Three texts, one message; within the hour nothing more; after it again, with all that failed in a day."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            async with bot_beside(sandbox, database_url, transport="socket", ADMIN_CHANNEL=admins) as app:
                case = await new_case(Stage(sandbox, app, "socket"))
                await case.order("trial_exhausted", times=None)
                for number, minutes in enumerate((0, 0, 59, 2)):
                    async with app.pool.connection() as connection:
                        await connection.execute(
                            "UPDATE notices SET posted_at = posted_at - make_interval(mins => %s)", (minutes,)
                        )
                    await case.text()
                    await case.ends(*["⚠️"] * (number + 1))
                    await all_told(database_url, texts=number + 1)

                first, second = await alerts(case, admins)
        assert first == f"{TRIAL}1 text has {ONCE_AN_HOUR}"
        assert second == f"{TRIAL}4 texts have {ONCE_AN_HOUR}"

    async def test_the_bot_joins_a_public_channel(self, database_url: str) -> None:
        """Nobody has to invite it."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana"])
            async with bot_beside(sandbox, database_url, transport="socket", ADMIN_CHANNEL=admins) as app:
                case = await new_case(Stage(sandbox, app, "socket"))
                await case.fails("key_revoked")
                await all_told(database_url)
                [told] = await alerts(case, admins)
        assert told.startswith("🛠️ Texting is disconnected. Blooio refuses our API key, so no text goes out.")

    async def test_a_channel_that_takes_no_post(self, database_url: str, caplog: pytest.LogCaptureFixture) -> None:
        """The log says what happened, and what to do about both."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana"], private=True)
            async with bot_beside(sandbox, database_url, transport="socket", ADMIN_CHANNEL=admins) as app:
                case = await new_case(Stage(sandbox, app, "socket"))
                await case.fails("trial_exhausted")
                await all_told(database_url)
                assert len(await dms(case)) == 1
        [line] = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
        assert line == (
            "admin_needed cause=allowance_used_up texts=1: The Blooio trial is used up. Choose a plan in Blooio. "
            "(Slack says channel_not_found: invite the bot to ADMIN_CHANNEL, or set it to the id of a channel that "
            "the bot is in)"
        )

    async def test_without_a_channel_it_is_in_the_log(
        self, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Once per cause and hour, at the level that is looked at."""
        async with a_case(database_url) as case:
            await case.fails("trial_exhausted", times=2)
            await case.text()
            await case.ends("⚠️", "⚠️")
            await all_told(database_url, texts=2)
        [line] = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
        assert line.startswith("admin_needed cause=allowance_used_up texts=")
        assert line.endswith("Choose a plan in Blooio. (set ADMIN_CHANNEL to hear of this in Slack)")

    async def test_a_key_that_is_refused_for_our_numbers(self, database_url: str) -> None:
        """Which are asked for now and then."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            async with bot_beside(sandbox, database_url, transport="socket", ADMIN_CHANNEL=admins) as app:
                case = await new_case(Stage(sandbox, app, "socket"))
                await sandbox.order(vendor="blooio", where="GET /me*", kind="status", status=401, times=None)
                for _ in range(2):
                    with pytest.raises(Disconnected):
                        await app.texting.learn_lines()
                [told] = await sandbox.until(lambda: alerts(case, admins))
        assert told.startswith("🛠️ Texting is disconnected.")

    async def test_a_key_that_is_refused_for_anything_else(self, database_url: str) -> None:
        """A revoked key shows first where a status is asked for: no text has to fail."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            async with bot_beside(sandbox, database_url, transport="socket", ADMIN_CHANNEL=admins) as app:
                case = await new_case(Stage(sandbox, app, "socket"))
                where = f"GET /chats/{case.number}/messages/*/status"
                await sandbox.order(vendor="blooio", where=where, kind="status", status=401, times=2)
                await case.text()
                await case.ends(DELIVERED)
                [told] = await sandbox.until(lambda: alerts(case, admins))
        assert told.splitlines() == [
            "🛠️ Texting is disconnected. Blooio refuses our API key, so no text goes out.",
            "Create a new key in Blooio, set BLOOIO_API_KEY to it and restart the bot.",
        ]
