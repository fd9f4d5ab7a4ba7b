"""Reading Blooio's list into a real PostgreSQL: all that is new, once, and at the cost of a request when nothing is."""

import itertools
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bot.blooio.client import BlooioClient, blooio_http
from bot.hearing.catch_up import OVERLAP, CatchUp
from bot.storage.conversations import Conversations
from bot.storage.database import Pool, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.people import People
from bot.storage.requests import Requests
from bot.texting.errors import BlooioTrouble, Disconnected
from bot.texting.model import Chat, Page
from bot.texting.service import Texting
from bot.texting.threads import Threads
from sandbox.blooio.driver import Gateway, Phone
from sandbox.driver import Sandbox

_numbers = itertools.count(5_550_800_001)


async def defers_nothing(*_: Any) -> None:
    """Nothing is sent or fetched in these stories."""


@dataclass
class World:
    """The local Blooio, a database, and what reads the one into the other."""

    sandbox: Sandbox
    pool: Pool
    blooio: BlooioClient
    skipped: float = 0.0  # seconds that the sandbox's clock is ahead
    alerts: list[str] = field(default_factory=list)
    catch_up: CatchUp = field(init=False)

    def __post_init__(self) -> None:
        self.restarts()

    def restarts(self, *, gateway: Any = None, webhooks: bool = False) -> None:
        """Forget all that is not in the database."""
        nothing: Any = None
        requests = Requests(self.pool, defer=defers_nothing)
        deliveries = Deliveries(self.pool, defer=defers_nothing)
        conversations = Conversations(self.pool, defer_files=defers_nothing, opt_outs=nothing)
        threads = Threads(
            texting=Texting(
                requests=requests, memory=deliveries, people=People(self.pool), gateway=self.blooio, files=nothing
            ),
            received=conversations,
            replies=nothing,
            opting=lambda _: None,
            team_id=lambda: "T1",
            inbox="C1",
            now=self.now,
        )
        self.catch_up = CatchUp(
            gateway=gateway or self.blooio,
            conversations=conversations,
            threads=threads,
            alert=self.hears,
            webhooks=webhooks,
            inbox="C1",
            now=self.now,
        )

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skipped)

    async def hears(self, cause: str) -> None:
        self.alerts.append(cause)

    async def time_passes(self, time: timedelta) -> None:
        await self.sandbox.advance(time.total_seconds())
        self.skipped += time.total_seconds()

    def phone(self) -> Phone:
        return self.sandbox.phone(f"+1{next(_numbers)}")

    async def somebody_writes(self, *words: str) -> Phone:
        phone = self.phone()
        for one in words or ("Hello",):
            await phone.replies(one)
            await self.time_passes(timedelta(milliseconds=2))  # no two are written at once
        return phone

    async def stored(self) -> list[str]:
        """What people wrote, oldest first."""
        return [body for (body,) in await self.ask("SELECT body FROM inbound ORDER BY written_at, id")]

    async def ask(self, query: str, *values: object) -> list[Any]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def changes(self, statement: str) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(statement.encode())

    async def requests(self) -> list[str]:
        """What was asked of Blooio's chats so far."""
        return [one["name"] for one in await self.sandbox.exchanges(vendor="blooio", name="GET /chats*")]

    def happened_earlier(self, message_id: str, by: timedelta) -> None:
        """A text entered the list long after it was written."""
        records = self.sandbox._world.blooio._records
        message = records.messages[message_id]
        message.at -= by.total_seconds()
        message.sent_at = message.at
        records.chats[message.address].sort(key=lambda one: one.at)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with Sandbox.start() as sandbox, open_pool(database_url) as pool:
        settings = sandbox.environment()
        async with blooio_http(settings["BLOOIO_BASE_URL"], settings["BLOOIO_API_KEY"]) as http:
            yield World(sandbox, pool, BlooioClient(http))


async def test_the_first_time_it_begins_at_now(world: World) -> None:
    """What people wrote before there was a bot is history."""
    await world.somebody_writes("Long ago")
    await world.time_passes(timedelta(hours=1))
    await world.somebody_writes("A moment ago")
    await world.catch_up.read()
    await world.somebody_writes("Now")
    await world.catch_up.read()
    assert await world.stored() == ["A moment ago", "Now"]


async def test_the_first_time_and_nobody_wrote_yet(world: World) -> None:
    """Whoever is the first is read."""
    await world.catch_up.read()
    await world.somebody_writes("Hello")
    await world.catch_up.read()
    assert await world.stored() == ["Hello"]


async def test_a_round_without_news_costs_one_request(world: World) -> None:
    """However many have written lately."""
    for _ in range(3):
        await world.somebody_writes("One", "Two")
    await world.catch_up.read()
    before = await world.requests()
    found = await world.catch_up.read()
    assert (await world.requests())[len(before) :] == ["GET /chats"]
    assert not found.moved
    assert sorted(await world.stored()) == ["One"] * 3 + ["Two"] * 3


async def test_a_round_with_news_asks_for_that_chat_only(world: World) -> None:
    """The others are as they were."""
    phones = [await world.somebody_writes() for _ in range(3)]
    await world.catch_up.read()
    before = await world.requests()
    await phones[1].replies("More")
    found = await world.catch_up.read()
    assert found.moved
    assert (await world.requests())[len(before) :] == ["GET /chats", f"GET /chats/{phones[1].address}/messages"]
    assert (await world.stored())[-1] == "More"


async def test_our_own_texts_are_no_news(world: World) -> None:
    """A chat that moved because we wrote is not read."""
    phone = await world.somebody_writes()
    await world.catch_up.read()
    await world.blooio.send_message(phone.address, "Hi", idempotency_key="1")
    before = await world.requests()
    assert (await world.catch_up.read()).moved
    assert (await world.requests())[len(before) :] == ["GET /chats"]


async def test_after_a_long_time_away(world: World) -> None:
    """All that was written meanwhile is read, from whichever page of the list, and what was there before is not."""
    await world.somebody_writes("Before")
    await world.catch_up.read()
    await world.time_passes(2 * OVERLAP)
    for number in range(230):
        await world.somebody_writes(f"Meanwhile {number}")
    await world.time_passes(timedelta(days=3))
    world.restarts()
    await world.catch_up.read()
    assert len(await world.stored()) == 231
    assert (await world.requests()).count("GET /chats") == 1 + 3 + 1  # and the first page again, for who moved up
    before = await world.requests()
    await world.catch_up.read()
    assert len(await world.requests()) == len(before) + 1


class Moving:
    """Blooio, where something happens before a page of the list is asked for."""

    def __init__(self, blooio: BlooioClient, happens: dict[int, Any]) -> None:
        self._blooio = blooio
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blooio, name)

    async def list_chats(self, *, offset: int = 0) -> Page[Chat]:
        if offset in self._happens:
            await self._happens.pop(offset)()
        return await self._blooio.list_chats(offset=offset)


async def test_somebody_at_the_end_of_the_list_writes_while_it_is_read(world: World) -> None:
    """They have moved to the front, past where it was read: neither their text of before is missed nor the new one."""
    await world.catch_up.read()
    last = await world.somebody_writes("Waiting")
    for _ in range(120):
        await world.somebody_writes()
    world.restarts(gateway=Moving(world.blooio, {100: lambda: last.replies("Still waiting")}))
    await world.catch_up.read()
    assert len(await world.stored()) == 122
    await world.time_passes(2 * OVERLAP)
    await world.somebody_writes("Later")
    await world.catch_up.read()
    assert (await world.stored()).count("Waiting") == 1
    assert (await world.stored()).count("Still waiting") == 1


async def test_a_text_that_enters_the_list_late(world: World) -> None:
    """It was written hours before others that have been read, and is not missed."""
    phone = await world.somebody_writes("First")
    await world.catch_up.read()
    await world.time_passes(timedelta(hours=3))
    await phone.replies("Third")
    await world.catch_up.read()
    world.happened_earlier(await phone.replies("Second"), timedelta(hours=2))
    await world.catch_up.read()
    assert await world.stored() == ["First", "Second", "Third"]


async def test_groups_are_passed_over(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """They are nobody's thread, and it is said how many there were."""
    one, two = world.phone(), world.phone()
    for phone in (one, two):
        await phone.becomes(imessage=True)
    group = await Gateway(world.sandbox._http, world.sandbox.url).group([one.address, two.address])
    await one.replies("Hi all", group=group)
    await world.catch_up.read()
    await one.replies("Still there?", group=group)
    await two.replies("Yes", group=group)
    with caplog.at_level(logging.WARNING):
        await world.catch_up.read()
    assert await world.stored() == []
    assert "group_texts_ignored count=2" in caplog.text


@pytest.mark.parametrize(
    ("status", "error"), [pytest.param(401, Disconnected, id="no key"), pytest.param(500, BlooioTrouble, id="trouble")]
)
async def test_trouble_with_the_list(world: World, status: int, error: type[Exception]) -> None:
    """Nothing is lost: the next round reads it."""
    await world.catch_up.read()
    await world.somebody_writes("Hello")
    await world.sandbox.order(vendor="blooio", where="GET /chats", kind="status", status=status)
    with pytest.raises(error):
        await world.catch_up.read()
    await world.catch_up.read()
    assert await world.stored() == ["Hello"]


async def test_an_admin_hears_that_we_are_disconnected(world: World) -> None:
    """Only they can mend that."""
    await world.sandbox.order(vendor="blooio", where="GET /chats", kind="status", status=401)
    assert (await world.catch_up._attempt()).name == "disconnected"
    assert world.alerts == ["disconnected"]


async def test_trouble_with_one_chat(world: World) -> None:
    """The others are read; it is read as soon as it can be, though nobody writes in it any more."""
    await world.catch_up.read()
    troubled = await world.somebody_writes("Mine?")
    await world.somebody_writes("Yours")
    await world.sandbox.order(
        vendor="blooio", where=f"GET /chats/{troubled.address}/messages", kind="status", status=500, times=2
    )
    for _ in range(2):
        await world.catch_up.read()
        assert await world.stored() == ["Yours"]
        await world.time_passes(OVERLAP)
    await world.catch_up.read()
    assert await world.stored() == ["Mine?", "Yours"]


async def test_trouble_with_one_chat_and_a_restart(world: World) -> None:
    """What was not read is not counted as read."""
    await world.catch_up.read()
    troubled = await world.somebody_writes("Mine?")
    await world.sandbox.order(vendor="blooio", where=f"GET /chats/{troubled.address}/*", kind="status", status=500)
    await world.catch_up.read()
    await world.time_passes(timedelta(days=1))
    world.restarts()
    await world.catch_up.read()
    assert await world.stored() == ["Mine?"]


async def test_a_chat_that_blooio_refuses_for_good(world: World) -> None:
    """It holds up nobody, and is not asked for again until somebody writes in it."""
    await world.catch_up.read()
    refused = await world.somebody_writes("Mine?")
    await world.sandbox.order(vendor="blooio", where=f"GET /chats/{refused.address}/*", kind="status", status=403)
    await world.catch_up.read()
    before = await world.requests()
    await world.catch_up.read()
    assert (await world.requests())[len(before) :] == ["GET /chats"]
    await refused.replies("Hello?")
    await world.catch_up.read()
    assert await world.stored() == ["Mine?", "Hello?"]


async def test_a_time_that_is_wrong(world: World) -> None:
    """One text from the future hides none of those that follow."""
    strange = await world.somebody_writes()
    world.happened_earlier((await strange.texts())[0].message_id, timedelta(days=-365))
    await world.catch_up.read()
    await world.somebody_writes("Hello")
    await world.catch_up.read()
    assert "Hello" in await world.stored()


async def test_webhooks_that_miss_texts(world: World) -> None:
    """What they should have told long ago is counted; what they may still tell is not."""
    world.restarts(webhooks=True)
    await world.catch_up.read()
    await world.somebody_writes("Lost", "Lost too")
    await world.time_passes(timedelta(minutes=1))
    await world.somebody_writes("Just now")
    assert (await world.catch_up.read()).missed == 2


async def test_the_database_is_away(world: World) -> None:
    """The round is for nothing, and the next one reads all of it."""
    await world.catch_up.read()
    await world.somebody_writes("Hello")
    await world.changes("ALTER TABLE inbound RENAME TO inbound_away")
    with pytest.raises(psycopg.Error):
        await world.catch_up.read()
    await world.changes("ALTER TABLE inbound_away RENAME TO inbound")
    await world.catch_up.read()
    assert await world.stored() == ["Hello"]
