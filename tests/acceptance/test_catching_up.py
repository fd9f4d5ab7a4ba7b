"""What people text while no webhook tells of it, nobody is there to hear it, or there is no place for it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.hearing import catch_up
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.people import pretty
from tests.acceptance.processes import BotProcess, bot_process
from tests.acceptance.stage import is_card
from tests.acceptance.talking import INBOX, SECRET, Talk, talking


@pytest.fixture
async def silent(transport: str, database_url: str) -> AsyncIterator[Talk]:
    """A stage without webhooks."""
    async with Sandbox.start() as sandbox, talking(sandbox, database_url, transport=transport, webhooks=False) as talk:
        yield talk


async def test_without_webhooks(silent: Talk) -> None:
    """A conversation goes on all the same, and in its order; the same words twice stand there twice."""
    jane = await silent.begins("Hi Jane")
    for words in ("ok", "ok", "On my way!"):
        await jane.phone.replies(words)
    await jane.shows("Hi Jane", "ok", "ok", "On my way!")
    await jane.types("See you", by=jane.ben)
    await jane.received("Hi Jane", "See you")
    await jane.phone.replies("I'm here")
    shown = await jane.shows("Hi Jane", "ok", "ok", "On my way!", "See you", "I'm here")
    assert shown[-1].author == pretty(jane.phone)


async def test_somebody_unknown_without_webhooks(silent: Talk) -> None:
    """A card in the inbox, and their text under it."""
    phone = await silent.meets()
    await phone.replies("Is this the shop?")
    await (await silent.conversation(phone, "#general")).shows("Is this the shop?")


async def test_a_webhook_that_is_lost(
    transport: str, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is repaired by reading, beside others that were told of: nothing stands there twice."""
    monkeypatch.setattr(catch_up, "REPAIRING", 1.0)  # five minutes are too long for a story
    async with Sandbox.start() as sandbox, talking(sandbox, database_url, transport=transport) as talk:
        jane = await talk.begins("Hi Jane")
        await talk.gateway.misbehaves("drop", event="message.received")
        await jane.phone.replies("ok")
        await jane.phone.replies("ok")
        await jane.shows("Hi Jane", "ok", "ok")
        await talk.gateway.misbehaves("late", event="message.received", seconds=2)
        await jane.phone.replies("Late")
        await jane.shows("Hi Jane", "ok", "ok", "Late")
        await talk.sandbox.advance(5)
        await jane.phone.replies("Now")
        await jane.shows("Hi Jane", "ok", "ok", "Late", "Now")


@pytest.mark.parametrize("webhooks", [pytest.param(False, id="no webhooks"), pytest.param(True, id="webhooks")])
async def test_they_write_while_the_bot_is_away(database_url: str, tmp_path: Path, *, webhooks: bool) -> None:
    """It was killed: when it is back all is there, in order and once."""
    settings = {"INBOX_CHANNEL": INBOX} | ({"BLOOIO_WEBHOOK_SECRET": SECRET} if webhooks else {})
    async with Sandbox.start() as sandbox, bot_process(sandbox, database_url, tmp_path, **settings) as bot:
        await bot.start()
        phone = sandbox.phone("+15550700901")
        await phone.becomes(imessage=True)
        await until_it_reads(sandbox)
        await phone.replies("Before")
        if not webhooks:
            await shows(sandbox, "#general", "Before")
        await bot.kill()
        for words in ("One", "Two", "Three"):
            await phone.replies(words)
        await bot.start()
        await shows(sandbox, "#general", "Before", "One", "Two", "Three")


class TestTheInbox:
    async def test_it_is_archived_for_a_while(
        self, transport: str, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An admin hears of it once; as soon as it is back all is there."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            inbox = await sandbox.creates_channel("inbox", members=["ana", "ben", "bot"])
            places = {"INBOX_CHANNEL": inbox, "ADMIN_CHANNEL": admins}
            async with talking(sandbox, database_url, transport=transport, **places) as talk:
                jane, joe = await talk.meets(), await talk.meets()
                await jane.replies("Hello")
                conversation = await talk.conversation(jane, inbox)
                await conversation.shows("Hello")
                await sandbox.archives(inbox)
                await jane.replies("Anybody there?")
                await joe.replies("I'm new")

                async def said() -> list[Message]:
                    return [one for one in await talk.stage.ana.sees(admins) if "The inbox takes no posts." in one.text]

                await sandbox.until(said)
                await jane.replies("Hello?")
                await sandbox.archives(inbox, archived=False)
                await conversation.shows("Hello", "Anybody there?", "Hello?")
                await (await talk.conversation(joe, inbox)).shows("I'm new")
                assert len(await said()) == 1
        assert "inbox_missing" not in caplog.text

    async def test_the_bot_is_not_in_it(self, transport: str, database_url: str) -> None:
        """It comes in by itself, as the channel is public."""
        async with Sandbox.start() as sandbox:
            inbox = await sandbox.creates_channel("inbox", members=["ana", "ben"])
            async with talking(sandbox, database_url, transport=transport, INBOX_CHANNEL=inbox) as talk:
                jane = await talk.meets()
                await jane.replies("Hello")
                await (await talk.conversation(jane, inbox)).shows("Hello")

    async def test_another_one_is_set(self, database_url: str, tmp_path: Path) -> None:
        """Whoever stood in one that takes no posts any more is moved; whom nobody looks after stays so."""
        async with Sandbox.start() as sandbox:
            old = await sandbox.creates_channel("old-inbox", members=["ana", "bot"])
            new = await sandbox.creates_channel("new-inbox", members=["ana", "bot"])
            phone = sandbox.phone("+15550700902")
            await phone.becomes(imessage=True)
            async with inboxed(sandbox, database_url, tmp_path, old) as bot:
                await bot.start()
                await until_it_reads(sandbox)
                await phone.replies("Hello")
                await shows(sandbox, old, "Hello")
            await sandbox.archives(old)
            async with inboxed(sandbox, database_url, tmp_path, new) as bot:
                await bot.start()
                await phone.replies("Still there?")
                await shows(sandbox, new, "Still there?")

    async def test_there_is_none_at_first(self, database_url: str, tmp_path: Path) -> None:
        """What people write is kept, and an error says once that nobody sees it; with an inbox all is there."""
        async with Sandbox.start() as sandbox:
            inbox = await sandbox.creates_channel("inbox", members=["ana", "bot"])
            phones = [sandbox.phone(f"+1555070091{number}") for number in range(3)]
            async with bot_process(sandbox, database_url, tmp_path) as bot:
                await bot.start()
                await until_it_reads(sandbox)
                for phone in phones:
                    await phone.replies("Hello")
                await sandbox.until(lambda: stored(database_url, 3))
                assert sum("inbox_missing" in line for line in bot.lines) == 1
                assert not [one for one in await everything(sandbox) if "555-070" in one.text]
            async with inboxed(sandbox, database_url, tmp_path, inbox) as bot:
                await bot.start()

                async def there() -> bool:
                    return len([one for one in await sandbox.person("ana").sees(inbox) if is_card(one)]) == 3

                await sandbox.until(there, timeout=20)

    async def test_the_admins_channel_stands_in(self, transport: str, database_url: str) -> None:
        """Without an inbox it is where people who write first are seen."""
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            places = {"INBOX_CHANNEL": "", "ADMIN_CHANNEL": admins}
            async with talking(sandbox, database_url, transport=transport, **places) as talk:
                jane = await talk.meets()
                await jane.replies("Hello")
                await (await talk.conversation(jane, admins)).shows("Hello")


async def test_blooio_is_in_trouble(silent: Talk, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, not with every attempt; when it is back nothing is missing."""
    jane = await silent.begins("Hi Jane")
    with caplog.at_level(logging.INFO):
        await silent.sandbox.order(vendor="blooio", where="GET /chats", kind="status", status=500, times=2)
        await jane.phone.replies("Hello")

        async def back() -> bool:
            return "chats_read_again failures=2" in caplog.text

        await silent.sandbox.until(back, timeout=30)
    await jane.shows("Hi Jane", "Hello")
    assert caplog.text.count("chats_not_read") == 1


async def test_slack_is_away_when_the_bot_starts(database_url: str, tmp_path: Path) -> None:
    """Nobody knows yet whose people they are: what they write waits until Slack says so."""
    async with Sandbox.start() as sandbox, inboxed(sandbox, database_url, tmp_path, INBOX) as bot:
        phone = sandbox.phone("+15550700920")
        await sandbox.order(vendor="slack", where="auth.test", kind="status", status=500, times=4)
        await bot.start()
        await phone.replies("Hello")
        await shows(sandbox, "#general", "Hello")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM people WHERE team_id = ''").fetchone() == (0,)


@asynccontextmanager
async def inboxed(sandbox: Sandbox, database_url: str, folder: Path, inbox: str) -> AsyncIterator[BotProcess]:
    async with bot_process(sandbox, database_url, folder, INBOX_CHANNEL=inbox) as bot:
        yield bot


async def until_it_reads(sandbox: Sandbox) -> None:
    """Wait until the bot has read Blooio's list once: what is older is history."""

    async def reads() -> bool:
        return bool(await sandbox.exchanges(vendor="blooio", name="GET /chats"))

    await sandbox.until(reads, timeout=20)


async def shows(sandbox: Sandbox, where: str, *words: str) -> None:
    """Wait until the one thread in a channel has these texts."""
    ana = sandbox.person("ana")

    async def shown() -> bool:
        cards = [one for one in await ana.sees(where) if is_card(one)]
        return len(cards) == 1 and [one.text for one in await ana.sees_thread(where, cards[0].ts)] == list(words)

    await sandbox.until(shown, timeout=30)


async def stored(database_url: str, count: int) -> bool:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM inbound")).fetchone()
    return row == (count,)


async def everything(sandbox: Sandbox) -> list[Message]:
    ana = sandbox.person("ana")
    return [one for where in ("#general", "#support", "@bot") for one in await ana.sees_all(where)]
