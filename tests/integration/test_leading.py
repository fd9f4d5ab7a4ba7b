"""Who leads, who lives and who gives up where a connection dies without a word, on a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from bot import leading as leading_room
from bot.jobs import Jobs
from bot.leading import Hears, leading
from bot.storage import database
from bot.storage import presence as presence_room
from bot.storage.announcements import Announcement, Announcements
from bot.storage.database import Overtaken, Pool, migrate, open_pool, storing
from bot.storage.drawings import Drawings
from bot.storage.notices import Notices
from bot.storage.presence import open_presence
from bot.storage.requests import Requests
from bot.texting.errors import NotStored
from bot.texting.model import Address, Author, Request, Requested
from bot.texting.service import new_id
from tests.proofs.proxy import Proxy, proxy
from tests.proofs.scene import server_of, through

WITHIN = timedelta(seconds=1)


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Proxy]:
    """What stands between us and the database, and can fall silent."""
    async with proxy(lambda: [server_of(database_url)]) as door:
        yield door


@pytest.fixture
def by_door(database_url: str, door: Proxy) -> str:
    """The database's address behind it."""
    return through(database_url, door.port)


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits a tenth of what they are, and in the same order."""
    monkeypatch.setattr(leading_room, "_ASK_SECONDS", 0.2)
    monkeypatch.setattr(leading_room, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(leading_room, "_TRY_SECONDS", 0.1)
    monkeypatch.setattr(presence_room, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(database, "_HOLDING", {"idle_session_timeout": "2s"})
    monkeypatch.setattr(database, "_IN_THE_POOL", {"idle_in_transaction_session_timeout": "1s"})


class Work:
    """A part that notes when it works."""

    def __init__(self) -> None:
        self.hears: Hears = {}
        self.spells: list[list[float]] = []  # from, until
        self.begun = asyncio.Event()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        self.spells.append([time.monotonic(), float("inf")])
        self.begun.set()
        try:
            yield
        finally:
            self.spells[-1][1] = time.monotonic()


@pytest.mark.usefixtures("short_limits")
class TestLeader:
    async def test_a_leader_that_is_cut_off_has_stopped_before_another_begins(
        self, database_url: str, by_door: str, door: Proxy
    ) -> None:
        """Without a word from anybody: it notices by itself, and the database gives its place away."""
        first, second = Work(), Work()
        async with leading(by_door, first), asyncio.timeout(20):
            await first.begun.wait()
            async with leading(database_url, second):
                await door.cut(silently=True)
                await second.begun.wait()
                assert first.spells[0][1] < second.spells[0][0]
                await door.mend(resumes=True)
        assert len(first.spells) == 1

    async def test_it_leads_again_when_it_is_heard_again(self, by_door: str, door: Proxy) -> None:
        """What it took for a cut was one, and its own earlier lock is no obstacle for long."""
        work = Work()
        async with leading(by_door, work), asyncio.timeout(20):
            await work.begun.wait()
            work.begun.clear()
            await door.cut(silently=True)
            while work.spells[0][1] == float("inf"):  # noqa: ASYNC110  (nobody announces it)
                await asyncio.sleep(0.05)
            await door.mend(resumes=True)
            await work.begun.wait()

    async def test_a_quiet_leader_is_not_taken_for_dead(self, database_url: str) -> None:
        """It asks often enough, and whoever stands by does, too."""
        first, second = Work(), Work()
        async with leading(database_url, first), leading(database_url, second):
            await asyncio.sleep(3)  # longer than the database would wait
            spells = first.spells + second.spells
            assert [until for _, until in spells] == [float("inf")]


@pytest.mark.usefixtures("short_limits")
class TestPresence:
    async def test_jobs_of_a_worker_that_is_cut_off_are_given_to_others(
        self, database_url: str, by_door: str, door: Proxy
    ) -> None:
        """The database notices that nothing is heard of it."""
        async with (
            open_pool(database_url) as pool,
            open_presence(by_door) as lost,
            open_presence(database_url) as here,
            Jobs(pool, here).open() as jobs,
        ):
            await request(pool, jobs)
            manager = jobs._app.job_manager
            worker_id = await super(type(manager), manager).register_worker()
            await lost.hold_worker(worker_id)
            assert await manager.fetch_job(queues=None, worker_id=worker_id) is not None
            assert await jobs.return_jobs_of_the_dead() == 0

            await door.cut(silently=True)
            async with asyncio.timeout(10):
                while not await jobs.return_jobs_of_the_dead():  # noqa: ASYNC110  (nobody announces it)
                    await asyncio.sleep(0.1)

    async def test_saying_that_we_live_does_not_wait_for_ever(self, by_door: str, door: Proxy) -> None:
        """It fails, and so whoever says it goes on."""
        async with open_presence(by_door) as presence:
            await presence.hold_worker(1)
            await door.cut(silently=True)
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                await presence.renew()
            assert time.monotonic() - began < 10


class TestSilence:
    async def test_who_waits_for_an_answer_gets_one_in_time(self, by_door: str, door: Proxy) -> None:
        """The database is asked and says nothing: its own three seconds are Slack's, and not psycopg's ten more."""
        async with open_pool(by_door) as pool:
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
            await door.cut(silently=True)
            began = time.monotonic()
            with pytest.raises(NotStored):
                async with storing(pool, WITHIN) as connection:
                    await connection.execute("SELECT 1")
            assert time.monotonic() - began < 8
            await door.mend()

    async def test_who_sets_no_limit_gives_up_too(
        self, by_door: str, door: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection is broken, and another takes its place when the database is back."""
        async with open_pool(by_door) as pool:
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
                monkeypatch.setattr(database, "_ANSWER_SECONDS", 0.3)
                await door.cut(silently=True)
                with pytest.raises(psycopg.OperationalError, match="did not answer"):
                    await connection.execute("SELECT 1")
                assert connection.closed
            monkeypatch.undo()
            await door.mend()
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")

    async def test_whoever_only_listens_may_hear_nothing(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Silence is no sign of death to somebody who asked nothing."""
        monkeypatch.setattr(database, "_ANSWER_SECONDS", 0.2)
        async with open_pool(database_url) as pool, pool.connection() as connection:
            await connection.execute("LISTEN proof")

            async def tell_later() -> None:
                await asyncio.sleep(1)
                async with pool.connection() as other:
                    await other.execute("NOTIFY proof, 'now'")

            telling = asyncio.create_task(tell_later())
            async with asyncio.timeout(10):
                heard = [one.payload async for one in connection.notifies(stop_after=1)]
            await telling
            assert heard == ["now"]

    @pytest.mark.usefixtures("short_limits")
    async def test_rows_of_somebody_who_is_cut_off_are_free_again(
        self, database_url: str, by_door: str, door: Proxy
    ) -> None:
        """The database ends a transaction of which it hears nothing."""
        async with (
            open_pool(by_door) as lost,
            open_pool(database_url) as pool,
            lost.connection() as connection,
            pool.connection() as other,
        ):
            await connection.execute("BEGIN")
            await connection.execute("SELECT pg_advisory_xact_lock(1)")
            await door.cut(silently=True)
            async with asyncio.timeout(10), other.transaction():
                await other.execute("SELECT pg_advisory_xact_lock(1)")
            await door.mend()
            await connection.close()

    async def test_so_is_the_connection_that_hears_of_jobs(self, database_url: str) -> None:
        """Procrastinate opens it beside the pool; a dead one would be kept for hours."""
        async with (
            open_pool(database_url) as pool,
            open_presence(database_url) as presence,
            Jobs(pool, presence).open() as jobs,
            jobs._app.connector._get_standalone_connection() as connection,  # type: ignore[attr-defined]
        ):
            told = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
            assert told == (f"{database.IDLE_SECONDS}s",)

    async def test_both_ends_are_told(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server ends what is silent; and what DATABASE_URL says itself counts."""
        async with open_pool(database_url) as pool, pool.connection() as connection:
            told = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
            assert told == (f"{database.IDLE_SECONDS}s",)
        async with await database.hold(database_url) as connection:
            told = await (await connection.execute("SHOW idle_session_timeout")).fetchone()
            assert told == (f"{database.HELD_SECONDS}s",)
        assert "tcp_user_timeout=10000" in database._lively(database_url)
        own = psycopg.conninfo.make_conninfo(database_url, tcp_user_timeout=7)
        assert "tcp_user_timeout=7" in database._lively(own)

        monkeypatch.setattr(database, "_HOLDING", {"idle_session_timeout": "never", "of_another_version": "1"})
        async with await database.hold(database_url) as connection:
            await connection.execute("SELECT 1")


class TestOvertaken:
    """Whoever led without knowing better begins nothing that another has begun since."""

    async def test_a_text_and_its_card(self, database_url: str) -> None:
        """Each is begun once by those who read it at the same time, whatever the other did with it."""
        async with stored(database_url) as (pool, requested):
            drawings = Drawings(pool)
            ours, theirs = [await drawings.load_new(requested.thread.id) for _ in range(2)]
            assert ours is not None
            assert theirs is not None
            await drawings.begin_card(theirs)
            with pytest.raises(Overtaken):
                await drawings.begin_card(ours)
            await drawings.card_posted(requested.thread.id, "C1", "1.1", revision=1)
            with pytest.raises(Overtaken):
                await drawings.begin_card(ours)

            await drawings.begin(theirs.entries[0])
            with pytest.raises(Overtaken):
                await drawings.begin(ours.entries[0])
            await drawings.posted(theirs.entries[0], "C1", "1.2", revision=1)
            with pytest.raises(Overtaken):
                await drawings.begin(ours.entries[0])

    async def test_a_notice(self, database_url: str) -> None:
        """An admin hears of it once."""
        async with stored(database_url) as (pool, _):
            notices = Notices(pool)
            await notices.alert("disconnected")
            [notice_id] = await notices.due(10)
            ours, theirs = [await notices.load(notice_id) for _ in range(2)]
            assert ours is not None
            assert theirs is not None
            await notices.begin(theirs)
            with pytest.raises(Overtaken):
                await notices.begin(ours)
            await notices.posted(notice_id)
            with pytest.raises(Overtaken):
                await notices.begin(ours)

    async def test_an_announcement(self, database_url: str) -> None:
        """A channel is told once."""
        async with open_pool(database_url) as pool:
            async with pool.connection() as connection:
                await connection.execute(
                    "INSERT INTO channels (conversation_id, announced_from, revision) VALUES ('C1', now(), 1)"
                )
            announcements = Announcements(pool)
            [number] = await announcements.due(10)
            ours, theirs = [await read(announcements, number) for _ in range(2)]
            await announcements.begin(theirs)
            with pytest.raises(Overtaken):
                await announcements.begin(ours)
            await announcements.posted(theirs, "1.1", revision=0)
            with pytest.raises(Overtaken):
                await announcements.begin(ours)


class TestMigrating:
    async def test_who_works_does_not_wait_for_a_migration_that_waits(
        self, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A table in use is waited for a moment at a time, and whoever else uses it goes on."""
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute("DELETE FROM schema_migrations WHERE name = '0005_two_way.sql'")
            await connection.execute("ALTER TABLE people DROP COLUMN opted_out_since")
            async with await psycopg.AsyncConnection.connect(database_url) as at_work:
                await at_work.execute("SELECT FROM people")
                migrating = asyncio.create_task(migrate(database_url))
                longest = 0.0
                while "migration_waits" not in caplog.text or longest == 0.0:
                    began = time.monotonic()
                    await connection.execute("SELECT FROM people")
                    longest = max(longest, time.monotonic() - began)
                    await asyncio.sleep(0.01)
                assert not migrating.done()
                assert longest < 10
            with pytest.raises(psycopg.errors.DuplicateColumn):  # it is tried again: this table has no room for it
                await migrating


async def read(announcements: Announcements, number: int) -> Announcement:
    found = await announcements.load(number)
    assert found is not None
    return found


async def request(pool: Pool, jobs: Jobs) -> Requested:
    wanted = Request("T1:1", "T1", "C1", Author("U1", "Ana"), Address("+15551234567"), "Hi")
    return await Requests(pool, defer=jobs.defer).request(
        wanted, new_id(), lines=("+15550109999",), now=datetime.now(UTC), within=timedelta(seconds=5)
    )


@asynccontextmanager
async def stored(database_url: str) -> AsyncIterator[tuple[Pool, Requested]]:
    """One text that is stored, and not drawn."""
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
    ):
        yield pool, await request(pool, jobs)
