"""One text, told by a webhook and read in Blooio's list, perhaps by two ids: stored once, in every order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from bot.storage.conversations import Conversations
from bot.storage.database import Pool, open_pool
from bot.texting.model import Address, Attachment, Channel, Received
from bot.texting.service import new_id

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
LINE, OTHER_LINE = "+15550109999", "+15550109998"
JANE, JOE = Address("+15551234567"), Address("+15557654321")


async def defers_nothing(*_: Any) -> None:
    """No file is fetched in these stories."""


class World:
    """What people write, over one database."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        nothing: Any = None  # nobody opts out
        self.conversations = Conversations(pool, defer_files=defers_nothing, opt_outs=nothing)

    async def receive(self, received: Received) -> bool:
        incoming = await self.conversations.receive(
            received, new_id(), opting=None, team_id="T1", lines=[LINE, OTHER_LINE], home="C1", now=AT
        )
        return incoming.news

    async def read(self, *listed: Received) -> int:
        """Receive what stands in Blooio's list and is not stored; return how much was news."""
        ids = frozenset(one.message_id for one in listed)
        unknown = await self.conversations.unknown(sorted(ids))
        news = [await self.receive(replace(one, listed=ids)) for one in listed if one.message_id in unknown]
        return sum(news)

    async def stored(self) -> int:
        async with self.pool.connection() as connection:
            row = await (await connection.execute("SELECT count(*) FROM inbound")).fetchone()
        return row[0] if row else 0

    async def ask(self, query: str, *values: object) -> list[Any]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_pool(database_url) as pool:
        yield World(pool)


def one(message_id: str, *, told: bool, after: float = 0, **details: Any) -> Received:
    """A text; "v…" are ids of webhooks, "r…" of the list, "m…" of both."""
    given = {"address": JANE, "line": LINE, "text": "ok", "attachments": (), "channel": Channel.IMESSAGE} | details
    return Received(message_id=message_id, at=AT + timedelta(seconds=after), told=told, **given)


def told(message_id: str, **details: Any) -> Received:
    return one(message_id, told=True, **details)


def listed(message_id: str, **details: Any) -> Received:
    return one(message_id, told=False, **details)


async def test_told_then_read(world: World) -> None:
    """The list has another id for it, a little later."""
    assert await world.receive(told("v1"))
    assert await world.read(listed("r1", after=1.5)) == 0
    assert await world.read(listed("r1", after=1.5)) == 0
    assert not await world.receive(told("v1"))
    assert await world.stored() == 1


async def test_read_then_told(world: World) -> None:
    """The other way round."""
    assert await world.read(listed("r1")) == 1
    assert not await world.receive(told("v1", after=-1.5))
    assert not await world.receive(told("v1", after=-1.5))
    assert await world.read(listed("r1")) == 0
    assert await world.stored() == 1


async def test_with_one_id_for_both(world: World) -> None:
    """Then it is plain."""
    assert await world.receive(told("m1"))
    assert await world.read(listed("m1")) == 0
    assert await world.read(listed("m1"), listed("m2", after=60, text="Hi")) == 1
    assert not await world.receive(told("m2", after=60, text="Hi"))
    assert await world.stored() == 2


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"text": "OK"}, id="other words"),
        pytest.param({"after": 2.1}, id="another moment"),
        pytest.param({"address": JOE}, id="another person"),
        pytest.param({"attachments": (Attachment("https://files.example/cat.jpg"),)}, id="with a file"),
    ],
)
async def test_another_text(world: World, other: dict[str, Any]) -> None:
    """What differs in anything is another text, in either order."""
    assert await world.receive(told("v1"))
    assert await world.read(listed("r1", **other)) == 1
    assert await world.receive(told("v2", **other | {"after": 60}))
    assert await world.stored() == 3


@pytest.mark.parametrize(
    "order", [pytest.param(order, id=" ".join(order)) for order in permutations(["v1", "v2", "list"])]
)
@pytest.mark.parametrize("ids", [pytest.param(True, id="one id for both"), pytest.param(False, id="two ids")])
async def test_the_same_words_twice(world: World, order: Sequence[str], *, ids: bool) -> None:
    """Two texts that say "ok" within a second stay two, in whatever order we hear of them."""
    names = ("m1", "m2") if ids else ("r1", "r2")
    for step in order:
        if step == "list":
            await world.read(listed(names[0]), listed(names[1], after=1))
        else:
            number = int(step[1]) - 1
            await world.receive(told(names[number] if ids else step, after=number))
    assert await world.stored() == 2
    assert await world.read(listed(names[0]), listed(names[1], after=1)) == 0
    assert await world.stored() == 2


@pytest.mark.parametrize("lost", ["v1", "v2"])
async def test_the_same_words_twice_and_one_webhook_lost(world: World, lost: str) -> None:
    """The list has both, and the one that was not told of is kept: by one id or by two."""
    for first, second in (("r1", "r2"), ("v3", "v4")):
        number = {"v1": 1, "v2": 0}[lost]
        came = told([("v1", "v2"), ("v3", "v4")][first == "v3"][number], after=number + (600 if first == "v3" else 0))
        assert await world.receive(came)
        later = 600 if first == "v3" else 0
        assert await world.read(listed(first, after=later), listed(second, after=later + 1)) == 1
    assert await world.stored() == 4


async def test_a_text_taken_for_another_that_the_list_tells_apart(world: World) -> None:
    """A webhook was lost, the next text says the same: for a while they are one, until both stand in the list."""
    assert await world.read(listed("m1")) == 1
    assert not await world.receive(told("m2", after=1))  # taken for the first
    assert await world.read(listed("m1"), listed("m2", after=1)) == 1
    assert not await world.receive(told("m2", after=1))
    assert await world.stored() == 2


async def test_a_text_taken_for_another_whose_own_webhook_comes(world: World) -> None:
    """The webhook of the first comes late, and says that both ways have one id: the second is applied again."""
    await world.ask(
        "INSERT INTO events (key, name, message_id, body, applied_at)"
        " VALUES ('message.received:m2', 'message.received', 'm2', '', now()) RETURNING 1"
    )
    assert await world.read(listed("m1")) == 1
    assert not await world.receive(told("m2", after=1))
    assert not await world.receive(told("m1"))
    assert await world.ask("SELECT message_id FROM events WHERE applied_at IS NULL") == [("m2",)]
    assert await world.receive(told("m2", after=1))
    assert await world.stored() == 2


async def test_a_list_that_had_not_all_yet(world: World) -> None:
    """The list shows the second text before the first: it is taken for the first until that stands there too."""
    assert await world.receive(told("m1"))
    assert await world.read(listed("m2", after=1)) == 0
    assert await world.read(listed("m1"), listed("m2", after=1)) == 1
    assert await world.stored() == 2


async def test_the_same_words_to_two_numbers_of_ours(world: World) -> None:
    """Each stands in the thread of its number."""
    assert await world.receive(told("v1"))
    assert await world.receive(told("v2", line=OTHER_LINE))
    assert await world.read(listed("r2", line=OTHER_LINE), listed("r1")) == 0
    rows = await world.ask("SELECT message_id, other_id FROM inbound ORDER BY message_id")
    assert rows == [("v1", "r1"), ("v2", "r2")]


async def test_a_webhook_that_does_not_say_which_number(world: World) -> None:
    """The list does, and it is one text all the same."""
    assert await world.receive(told("v1", line=None))
    assert await world.read(listed("r1", line=OTHER_LINE)) == 0
    assert await world.stored() == 1


async def test_how_far_the_list_was_read(world: World) -> None:
    """It begins where it was read first, and never goes back."""
    conversations = world.conversations
    assert await conversations.read_up_to() is None
    for minutes in (0, 5, 3):
        await conversations.have_read_up_to(AT + timedelta(minutes=minutes))
    read = await conversations.read_up_to()
    assert read is not None
    assert (read.moment, read.began_at) == (AT + timedelta(minutes=5), AT)
