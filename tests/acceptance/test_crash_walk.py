"""`kill -9` at any moment of a text: the phone gets it exactly once, and the receipt ends true."""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.walk import AT_ONCE, Call, Crash, Moment, calls_of_a_text, walk_through, walking


@pytest.mark.timeout(300)
async def test_a_text_survives_a_kill_at_any_moment(database_urls, tmp_path: Path) -> None:
    """Killed before, during or after any call that a text causes, the bot starts again and ends it: once, and true."""
    crashes: list[Crash] = []
    async with walking(database_urls(), tmp_path) as walk:
        someone = await walk.meets()
        for first in (True, False):
            calls = await calls_of_a_text(walk, someone)
            crashes += [Crash(call, moment, first=first) for call in calls for moment in Moment]
    kinds = {crash.kind for crash in crashes}
    names = {crash.call.name for crash in crashes}
    assert names >= {"chat.postMessage", "chat.update", "conversations.replies", "POST /chats/*/messages"}

    async def walk_some(some: list[Crash]) -> list[Crash]:
        async with walking(database_urls(), tmp_path) as walk:
            return await walk_through(some, walk)

    async with asyncio.TaskGroup() as walks:
        tasks = [walks.create_task(walk_some(crashes[number::AT_ONCE])) for number in range(AT_ONCE)]

    assert {crash.kind for task in tasks for crash in task.result()} == kinds


@pytest.mark.timeout(120)
async def test_a_killed_bot_catches_up_over_http_too(database_url: str, tmp_path: Path) -> None:
    """How Slack reaches the bot makes no difference to what survives."""
    send = Call("blooio", "POST /chats/*/messages", 0)
    crashes = [
        Crash(Call("slack", "conversations.info", 0), Moment.ARRIVED),
        Crash(send, Moment.DONE),
        Crash(Call("slack", "chat.postMessage", 1), Moment.DONE),
        Crash(send, Moment.ARRIVED, first=False),
    ]
    async with walking(database_url, tmp_path, transport="http") as walk:
        assert await walk_through(crashes, walk) == crashes
