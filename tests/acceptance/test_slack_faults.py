"""Whatever Slack or the database does wrong: texts go out once, and threads end drawn, once and true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import psycopg
import pytest

from sandbox.driver import Sandbox
from sandbox.faults import Kind
from tests.acceptance.processes import idle, left
from tests.acceptance.stage import SUPPORT, Stage, bot_beside, is_card
from tests.acceptance.trouble import Scene

DELIVERED = "🔵 iMessage · Delivered"

#: A call that fails, and how: the answer is Slack's, a proxy's, or none at all.
WAYS = {
    "busy": {"kind": "status", "status": 429, "retry_after": 1, "body": {"ok": False, "error": "ratelimited"}},
    "a 500": {"kind": "status", "status": 500},
    "internal_error": {"kind": "status", "status": 200, "body": {"ok": False, "error": "internal_error"}},
    "a page": {"kind": "html"},
    "words": {"kind": "text"},
    "words with a 429": {"kind": "text", "status": 429},
    "half a document": {"kind": "broken_json"},
    "cut before": {"kind": "drop_before"},
    "cut after": {"kind": "drop_after"},
}

#: The calls that draw: their names, and how many of that name pass before the one that fails.
CALLS = {
    "the card": ("chat.postMessage", 0),
    "the text": ("chat.postMessage", 1),
    "the first redraw": ("chat.update", 0),
    "the second redraw": ("chat.update", 1),
}


#: PostgreSQL takes a hundred connections, and a bot opens up to twenty.
BOTS_AT_ONCE = 5


@asynccontextmanager
async def on_stage(database_url: str) -> AsyncIterator[Scene]:
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket") as app:
        yield Scene(Stage(sandbox, app, "socket"))


async def settles(database_url: str, timeout: float = 25) -> None:
    """Wait until the bot has nothing left to send or draw."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not await idle(database_url):
        assert asyncio.get_running_loop().time() < deadline, await left(database_url)
        await asyncio.sleep(0.1)


async def shown(scene: Scene) -> list[list[str]]:
    """What stands in #support: a card and its texts, line by line. Nothing else may stand beside the cards."""
    root = [message for message in await scene.stage.ana.sees(SUPPORT) if not message.ephemeral]
    assert all(map(is_card, root)), root
    return [
        [line for text in await scene.stage.ana.sees_thread(SUPPORT, card.ts) for line in text.text.splitlines()]
        for card in root
    ]


@pytest.mark.parametrize("call", CALLS)
async def test_a_failed_drawing_is_mended(call: str, database_urls) -> None:
    """However a post or an edit fails, the thread ends drawn: each message once, though the answer was lost."""
    name, skip = CALLS[call]
    places = asyncio.Semaphore(BOTS_AT_ONCE)

    async def draw(way: str) -> list[list[str]]:
        database_url = database_urls()
        async with places, on_stage(database_url) as scene:
            await scene.sandbox.order(vendor="slack", where=name, skip=skip, **WAYS[way])
            someone = await scene.meets(delivered_after=1.5)  # long enough after *Sent* to be another edit
            await scene.texts(someone)
            await settles(database_url)
            assert await scene.reached(someone) == 1
            assert any(one["fault"] for one in await scene.sandbox.exchanges(vendor="slack", name=name))
            return await shown(scene)

    seen = dict(zip(WAYS, await asyncio.gather(*map(draw, WAYS)), strict=True))

    lines = {way: [[line[: len(DELIVERED)] for line in thread] for thread in threads] for way, threads in seen.items()}
    assert lines == {way: [["Hello", DELIVERED]] for way in WAYS}


async def test_a_failure_that_was_mended_is_forgotten(database_url: str) -> None:
    """Pauses grow with failures in a row; once a thread is drawn, the next failure is a first one again."""
    async with on_stage(database_url) as scene:
        someone = await scene.meets()
        await scene.texts(someone)
        await settles(database_url)
        await scene.sandbox.order(vendor="slack", where="chat.update", kind=Kind.DROP_BEFORE)
        await scene.texts(someone)
        await settles(database_url)

        assert any(one["fault"] for one in await scene.sandbox.exchanges(vendor="slack", name="chat.update"))
        assert "'draw_failures': 0" in await left(database_url)


async def test_a_busy_slack_is_left_alone(database_url: str) -> None:
    """After a 429 nothing is posted in that conversation until `Retry-After` has passed, and nothing is lost."""
    async with on_stage(database_url) as scene:
        busy = WAYS["busy"] | {"retry_after": 2}
        await scene.sandbox.order(vendor="slack", where="chat.postMessage", **busy)
        people = [await scene.meets() for _ in range(3)]
        for someone in people:
            await scene.texts(someone)
        await settles(database_url)
        posts = await scene.sandbox.exchanges(vendor="slack", name="chat.postMessage")

        assert [post["status"] for post in posts] == [429, *[200] * 6]
        assert posts[1]["at"] - posts[0]["at"] >= 2.0
        assert len(await shown(scene)) == 3


async def test_an_outage_of_slack_holds_up_no_text(database_url: str) -> None:
    """While Slack is away texts reach their phones; afterwards every thread is drawn, once and true."""
    async with on_stage(database_url) as scene:
        people = [await scene.meets() for _ in range(3)]
        for where in ("chat.*", "conversations.*", "users.*"):
            await scene.sandbox.order(vendor="slack", where=where, kind=Kind.DROP_BEFORE, times=None)
        for someone in people:
            await scene.texts(someone)
        for someone in people:
            assert await scene.sandbox.phone(someone).received(1)
        assert await shown(scene) == []
        await scene.sandbox.calm()
        await settles(database_url)

        assert [[line[: len(DELIVERED)] for line in thread] for thread in await shown(scene)] == [
            ["Hello", DELIVERED]
        ] * 3


async def test_posting_limits_are_kept(database_url: str) -> None:
    """Ten texts in one channel that takes few messages a second: all are drawn in the end, without hammering."""
    async with on_stage(database_url) as scene:
        await scene.sandbox.limits(posting_rate=4.0, posting_burst=4)
        people = [await scene.meets() for _ in range(10)]
        await asyncio.gather(*map(scene.texts, people))
        await settles(database_url, timeout=40)
        posts = await scene.sandbox.exchanges(vendor="slack", name="chat.postMessage")
        refused = [post for post in posts if post["status"] == 429]
        assert len(await shown(scene)) == 10
        assert [await scene.reached(someone) for someone in people] == [1] * 10

        assert sum(post["status"] == 200 for post in posts) == 20
        assert len(refused) <= 20
        # What was under way together is refused together; then there is a pause of at least a second.
        bursts = [after["at"] for before, after in pairwise(refused) if after["at"] - before["at"] > 0.2]
        assert all(after - before >= 0.8 for before, after in pairwise(bursts))


async def cut(database_url: str) -> int:
    """End every connection to the database but this one; return how many there were."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        [(count,)] = await cursor.fetchall()
        return count


async def test_a_database_that_cuts_its_connections_is_outlived(database_url: str) -> None:
    """Cut off in the middle of ten texts, twice, the bot heals by itself: each goes out once and ends true."""
    async with on_stage(database_url) as scene:
        people = [await scene.meets() for _ in range(10)]
        for where, seconds in (("POST /chats/*/messages", 2.0), ("GET /chats/*/messages/*/status", 0.4)):
            await scene.sandbox.order(vendor="blooio", where=where, kind=Kind.LATENCY, seconds=seconds, times=None)
        await asyncio.gather(*map(scene.texts, people))

        async def is_sending() -> bool:
            return len(await scene.sandbox.under_way(name="POST /chats/*/messages")) >= 5

        async def is_asking() -> bool:
            return bool(await scene.sandbox.under_way(name="GET /chats/*/messages/*/status"))

        await scene.sandbox.until(is_sending)
        assert await cut(database_url) > 3
        await scene.sandbox.until(is_asking)
        assert await cut(database_url) > 3
        await settles(database_url, timeout=45)

        assert [await scene.reached(someone) for someone in people] == [1] * 10
        assert [[line[: len(DELIVERED)] for line in thread] for thread in await shown(scene)] == [
            ["Hello", DELIVERED]
        ] * 10
        late = await scene.meets()
        await scene.texts(late)
        assert (await scene.receipt(late)).startswith(DELIVERED)
