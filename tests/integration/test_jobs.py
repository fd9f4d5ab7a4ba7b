"""Jobs and presence where workers and connections come and go, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from procrastinate.jobs import Status

from bot.jobs import Jobs
from bot.storage.database import Pool, open_pool
from bot.storage.drawings import Drawings
from bot.storage.presence import WORKER, Presence, open_presence
from bot.storage.requests import Requests
from bot.texting.model import Address, Author, Request, Requested
from bot.texting.service import new_id

REQUEST = Request("T1:1", "T1", "C1", Author("U1", "Ana"), Address("+15551234567"), "Hi")

#: The workers' locks in this database, as the dead are told from the living by. A server has other databases, too.
LOCKS = """
    FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
PRESENT = f"SELECT DISTINCT objid {LOCKS} ORDER BY objid"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as pool:
        yield pool


@pytest.fixture
async def presence(database_url: str) -> AsyncIterator[Presence]:
    async with open_presence(database_url) as presence:
        yield presence


@pytest.fixture
async def jobs(pool: Pool, presence: Presence) -> AsyncIterator[Jobs]:
    async with Jobs(pool, presence).open() as jobs:
        yield jobs


async def request(pool: Pool, jobs: Jobs, *, key: str = REQUEST.key) -> Requested:
    return await Requests(pool, defer=jobs.defer).request(
        replace(REQUEST, key=key), new_id(), lines=("+15550109999",), now=datetime.now(UTC), within=timedelta(seconds=5)
    )


async def present(pool: Pool) -> list[int]:
    async with pool.connection() as connection:
        cursor = await connection.execute(PRESENT, (WORKER,))
        return [int(row[0]) for row in await cursor.fetchall()]


async def test_a_job_that_somebody_else_ended_is_let_go(pool: Pool, jobs: Jobs) -> None:
    """A worker that was taken for dead does not try for ever to end a job that another has ended."""
    await request(pool, jobs)
    manager = jobs._app.job_manager
    worker_id = await manager.register_worker()
    job = await manager.fetch_job(queues=None, worker_id=worker_id)
    assert job is not None
    assert job.id is not None

    async with asyncio.timeout(30):
        for _ in range(2):
            await manager.finish_job_by_id_async(job.id, Status.SUCCEEDED, True)
        await manager.retry_job(job)


async def test_a_worker_in_anothers_place_leaves_nothing_of_it(pool: Pool, presence: Presence) -> None:
    """The lock of a worker that gave up is gone for good, and so are its jobs given back."""
    await presence.hold_worker(1)
    await presence.hold_worker(2)
    assert await present(pool) == [2]

    await presence.release_worker()
    assert await present(pool) == []


async def test_a_lock_that_the_server_still_holds_for_the_lost_holds_up_nobody(
    database_url: str, pool: Pool, presence: Presence
) -> None:
    """A worker whose connection broke unnoticed by the server says at once on a new one that it lives."""
    async with open_presence(database_url) as half_dead, asyncio.timeout(30):
        await half_dead.hold_worker(1)
        await presence.hold_worker(1)

    assert await present(pool) == [1]


async def test_presence_outlives_its_connection(database_url: str, pool: Pool, presence: Presence) -> None:
    """The lock is lost with the connection, and taken again on the next one."""
    await presence.hold_worker(1)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(f"SELECT pg_terminate_backend(pid) {LOCKS}", (WORKER,))
    await presence.renew()

    assert await present(pool) == [1]


async def test_a_thread_with_nothing_but_its_card_to_draw_is_itself(pool: Pool, jobs: Jobs) -> None:
    """A card can be redrawn without a text: what is loaded names the thread, and drawing it is an end of it."""
    drawings = Drawings(pool)
    requested = await request(pool, jobs)
    thread_id = requested.thread.id
    shown = await drawings.load_new(thread_id)
    assert shown is not None
    await drawings.card_posted(thread_id, "C1", "1.1", revision=0)
    await drawings.posted(shown.entries[0], "C1", "1.2", revision=shown.entries[0].revision)
    assert await drawings.to_edit(limit=10) == [thread_id]
    shown = await drawings.load_changed(thread_id)
    assert shown is not None
    assert (shown.thread.id, shown.entries, shown.card_changed) == (thread_id, [], True)
    await drawings.card_drawn(shown.thread.id, revision=shown.revision)

    assert await drawings.to_edit(limit=10) == []


async def test_the_next_job_is_found_in_order(pool: Pool, jobs: Jobs) -> None:
    """A server that looked at the queue when it was empty does not read past all jobs that were done since."""
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE procrastinate_jobs")
        await connection.set_autocommit(False)
    manager = jobs._app.job_manager
    worker_id = await manager.register_worker()
    before = await _scans(pool)
    for number in range(20):
        await request(pool, jobs, key=f"T1:{number}")
        job = await manager.fetch_job(queues=["default"], worker_id=worker_id)
        assert job is not None
        assert job.id is not None
        await manager.finish_job_by_id_async(job.id, Status.SUCCEEDED, True)

    used = {index for index, scans in (await _scans(pool)).items() if scans > before[index]}
    assert "procrastinate_jobs_priority_idx_v1" in used
    assert "procrastinate_jobs_queue_name_idx_v1" not in used


async def _scans(pool: Pool) -> dict[str, int]:
    """How often each index of the queue was read, whoever read it."""
    connections = [await pool.getconn() for _ in range(pool.max_size)]  # each tells what it did itself
    for connection in connections:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.commit()
        await connection.execute("SELECT 1")
        await connection.commit()
        await pool.putconn(connection)
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'procrastinate_jobs'"
        )
        return {index: int(scans) for index, scans in await cursor.fetchall()}
