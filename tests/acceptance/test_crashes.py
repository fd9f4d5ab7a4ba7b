"""Whatever ends a process, in whatever company: nothing is lost, and nothing is there twice."""

import asyncio
import tempfile
from pathlib import Path

from bot.storage.embedded import start_embedded
from tests.acceptance.processes import bot_process
from tests.acceptance.walk import HELD_FOR, Call, Crash, Moment, Recipient, Walk, walk_through, walking


async def type_many(walk: Walk, recipients: list[Recipient]) -> list[tuple[Recipient, str]]:
    """Text everybody three times, all of them at once; return the texts that were acknowledged."""
    told: list[tuple[Recipient, str]] = []

    async def type_some(someone: Recipient) -> None:
        for _ in range(3):
            error = await walk.texts(someone)
            told.extend([(someone, someone.bodies[-1])] if error is None else [])

    await asyncio.gather(*map(type_some, recipients))
    return told


async def all_reached(walk: Walk, told: list[tuple[Recipient, str]]) -> None:
    """What was acknowledged is there; what was not may be; nothing is there twice, and all is in order."""
    for someone in walk.recipients:
        received = [text.text for text in await walk.sandbox.phone(someone.address).received()]
        assert received == [body for body in someone.bodies if body in received]
        assert [body for to, body in told if to is someone and body not in received] == []
        someone.bodies = received
        await walk.sees_the_truth(someone)


async def test_thirty_texts_survive_a_kill_in_their_middle(database_url: str, tmp_path: Path) -> None:
    """Killed with texts to ten people at every stage, the bot ends each acknowledged one: once, in order, and true."""
    async with walking(database_url, tmp_path, latency=0.05) as walk:
        await walk.start()
        recipients = [await walk.meets() for _ in range(10)]
        typing = asyncio.create_task(type_many(walk, recipients))

        async def in_the_middle() -> bool:
            return len(await walk.sandbox.exchanges(name="POST /chats/*/messages")) >= 8

        await walk.sandbox.until(in_the_middle)
        await walk.restart()
        told = await typing
        await walk.settles()

        assert len(told) >= 8
        await all_reached(walk, told)


async def test_a_second_bot_takes_over_from_a_killed_one(database_url: str, tmp_path: Path) -> None:
    """Another process on the same database sends what a killed one had begun, without waiting for its return."""
    async with walking(database_url, tmp_path) as walk, bot_process(walk.sandbox, database_url, tmp_path) as second:
        await walk.start()
        someone = await walk.meets()
        send = {"vendor": "blooio", "name": "POST /chats/*/messages"}
        await walk.sandbox.order(vendor="blooio", where=send["name"], kind="latency", seconds=HELD_FOR)
        assert await walk.texts(someone) is None

        async def is_held() -> bool:
            return bool(await walk.sandbox.under_way(**send))

        await walk.sandbox.until(is_held)
        await second.start()
        await walk.bot.kill()

        assert await walk.sandbox.phone(someone.address).received(1, timeout=20)
        await walk.settles()
        await walk.sees_the_truth(someone)


async def test_a_bot_told_to_stop_loses_nothing(database_url: str, tmp_path: Path) -> None:
    """SIGTERM in the middle of thirty texts ends the bot soon and without an error; the next one ends the texts."""
    async with walking(database_url, tmp_path, latency=0.05) as walk:
        await walk.start()
        recipients = [await walk.meets() for _ in range(10)]
        typing = asyncio.create_task(type_many(walk, recipients))

        async def in_the_middle() -> bool:
            return len(await walk.sandbox.exchanges(name="POST /chats/*/messages")) >= 8

        await walk.sandbox.until(in_the_middle)
        async with asyncio.timeout(30):
            assert await walk.bot.stop() == 0
        assert [line for line in walk.bot.lines if " ERROR " in line or "Traceback" in line] == []
        await walk.start()
        told = await typing
        await walk.settles()

        assert len(told) >= 8
        await all_reached(walk, told)


async def test_a_killed_bot_finds_its_embedded_database_again(tmp_path: Path) -> None:
    """Without a DATABASE_URL, too, a text survives: the database lives on in its folder."""
    with tempfile.TemporaryDirectory(prefix="bot") as folder:
        server = start_embedded(Path(folder))
        try:
            async with walking(server.get_uri(), tmp_path, DATABASE_URL="", DATA_DIR=folder) as walk:
                crash = Crash(Call("blooio", "POST /chats/*/messages", 0), Moment.DONE)
                assert await walk_through([crash], walk) == [crash]
        finally:
            server.cleanup()
