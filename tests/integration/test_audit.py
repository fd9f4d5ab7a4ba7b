"""The trail on a real PostgreSQL: who did what, when, and how often it is said."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.storage.audit import REFUSAL, Audit, Entry, record, trail
from bot.storage.database import Pool, open_pool

CLICK = Entry(user_id="U1", user_name="Gus", action=REFUSAL, reason="not_permitted:guest")


@pytest.fixture
async def pool(database_url):
    async with open_pool(database_url) as pool:
        yield pool


async def entries(pool: Pool, since: timedelta = timedelta(hours=1)) -> list[Entry]:
    async with pool.connection() as connection:
        return [entry async for entry in trail(connection, since=since)]


async def test_what_is_done_is_recorded_with_it(pool):
    """In a transaction: the row is there if what it tells of is, and not otherwise."""
    async with pool.connection() as connection:
        async with connection.transaction():
            await record(connection, Entry(user_id="U1", user_name="Ana", action="claim", conversation_id="C1"))
        async with connection.transaction(force_rollback=True):
            await record(connection, Entry(user_id="U1", user_name="Ana", action="done"))

    [entry] = await entries(pool)
    assert (entry.user_id, entry.user_name, entry.action, entry.conversation_id) == ("U1", "Ana", "claim", "C1")
    assert entry.reason is entry.person_id is entry.thread_id is entry.delivery_id is None


async def test_a_flood_of_refusals_is_one_row(pool):
    """Fifty clicks at once are recorded once; another reason or person is another row, and so is what was done."""
    audit = Audit(pool)
    await asyncio.gather(*(audit.record(CLICK) for _ in range(50)))
    await audit.record(replace(CLICK, reason="opted_out"))
    await audit.record(replace(CLICK, user_id="U2"))
    for _ in range(2):
        await audit.record(Entry(user_id="U1", user_name="Gus", action="claim"))

    rows = [(entry.user_id, entry.action, entry.reason) for entry in await entries(pool)]
    refusals = [row for row in rows if row[1] == "refusal"]
    assert len(refusals) - len(set(refusals)) <= 1  # a minute may have begun meanwhile
    assert set(refusals) == {
        ("U1", "refusal", "not_permitted:guest"),
        ("U1", "refusal", "opted_out"),
        ("U2", "refusal", "not_permitted:guest"),
    }
    assert rows.count(("U1", "claim", None)) == 2


async def test_a_minute_later_it_is_recorded_again(pool):
    """Somebody who keeps trying is seen to."""
    await Audit(pool).record(CLICK)
    async with pool.connection() as connection:
        await connection.execute("UPDATE audit SET at = at - interval '1 minute'")
    await Audit(pool).record(CLICK)

    assert len(await entries(pool)) == 2


async def test_a_refusal_stands_without_the_database(database_url, caplog):
    """What cannot be recorded is logged, soon, and nobody hears of it otherwise."""
    async with open_pool(database_url) as pool:
        audit = Audit(pool)
    began = asyncio.get_running_loop().time()
    await audit.record(replace(CLICK, conversation_id="C1"))

    assert asyncio.get_running_loop().time() - began < 10
    assert "not_recorded user=U1 action=refusal reason=not_permitted:guest conversation=C1" in caplog.text


async def test_the_trail_is_read_from_a_moment_on_in_its_order(pool):
    """The oldest comes first; what is older than that is left out."""
    async with pool.connection() as connection:
        for number in range(5):
            await record(connection, Entry(user_id=f"U{number}", user_name="Ana", action="claim"))
            await connection.execute(
                "UPDATE audit SET at = now() - %s WHERE user_id = %s", (timedelta(days=number), f"U{number}")
            )

    assert [entry.user_id for entry in await entries(pool, timedelta(days=3.5))] == ["U3", "U2", "U1", "U0"]
