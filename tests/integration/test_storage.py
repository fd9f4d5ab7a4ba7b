"""Texts, threads and jobs in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bot.jobs import Jobs
from bot.storage.database import Pool, migrate, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.drafts import Drafts
from bot.storage.drawings import Drawings, Shown
from bot.storage.people import People
from bot.storage.presence import WORKER, Presence, open_presence
from bot.storage.requests import Requests
from bot.texting.errors import NotStored
from bot.texting.model import (
    Address,
    Author,
    Capabilities,
    Channel,
    Delivery,
    DeliveryStatus,
    Known,
    Request,
    Requested,
    StatusReport,
)
from bot.texting.service import new_id

LINE = "+15550109999"
WITHIN = timedelta(seconds=1.5)
ANA = Author("U1", "Ana")
REQUEST = Request("T1:1", "T1", "C1", ANA, Address("+15551234567"), "Hi")


@dataclass
class Storage:
    """What the bot builds over one database."""

    url: str
    pool: Pool
    presence: Presence
    jobs: Jobs
    requests: Requests
    deliveries: Deliveries
    drawings: Drawings

    async def request(self, request: Request = REQUEST, *, lines: tuple[str, ...] = (LINE,)) -> Requested:
        return await self.requests.request(request, new_id(), lines=lines, now=datetime.now(UTC), within=WITHIN)

    async def accepted(self, request: Request = REQUEST) -> Requested:
        """A text that Blooio has, and whose status is due."""
        requested = await self.request(request)
        await self.deliveries.accept(requested.delivery.id, "msg_1", check_at=datetime.now(UTC) - timedelta(seconds=1))
        return requested

    async def shows(self, delivery: Delivery, *, revision: int) -> bool:
        """Slack shows a text; return whether it is the latest of it."""
        return await self.drawings.posted(Shown(delivery, None, None, None, revision), "C1", "1.2", revision=revision)

    async def ask(self, query: str, *values: Any) -> Any:
        async with self.pool.connection() as connection:
            row = await (await connection.execute(query, values)).fetchone()
            return row[0] if row else None


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
    ):
        requests, deliveries = Requests(pool, defer=jobs.defer), Deliveries(pool, defer=jobs.defer)
        yield Storage(database_url, pool, presence, jobs, requests, deliveries, Drawings(pool))


class TestMigrations:
    async def test_twice_is_once(self, database_url: str) -> None:
        """A database that is up to date stays as it is."""
        assert await migrate(database_url) == []

    async def test_two_processes_at_once_share_the_work(self, empty_database_url: str) -> None:
        """Each step is applied by one of them, and both end with a working schema."""
        one, other = await asyncio.gather(migrate(empty_database_url), migrate(empty_database_url))
        assert sorted(one + other) == [
            "0001_people_threads_deliveries.sql",
            "0002_tell_the_painter.sql",
            "0003_events_notices.sql",
            "0004_contacts.sql",
            "0005_two_way.sql",
            "procrastinate/schema.sql",
        ]

    async def test_an_older_schema_of_procrastinate_is_brought_up_to_date(self, database_url: str) -> None:
        """A step that a newer procrastinate brings is applied on its own."""
        last = "procrastinate/03.04.00_50_post_add_retry_failed_job_procedure.sql"
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute("DELETE FROM schema_migrations WHERE name = %s", (last,))
        assert await migrate(database_url) == [last]


class TestRequest:
    async def test_a_text_and_its_job_are_stored_together(self, storage: Storage) -> None:
        """One row, one job, in order behind the thread's earlier texts."""
        requested = await storage.request()
        assert requested.delivery.status is DeliveryStatus.QUEUED
        assert (requested.thread.line, requested.thread.conversation_id) == (LINE, "C1")
        assert await storage.ask("SELECT args->>'delivery_id' FROM procrastinate_jobs") == str(requested.delivery.id)
        assert await storage.ask("SELECT lock FROM procrastinate_jobs") == f"thread:{requested.thread.id}"

    async def test_a_repeated_request_is_the_same_text(self, storage: Storage) -> None:
        """The same key finds the text, whatever else is different, and adds no job."""
        first = await storage.request()
        second = await storage.request(replace(REQUEST, body="Hi again"))
        assert second.delivery == first.delivery
        assert await storage.ask("SELECT count(*) FROM procrastinate_jobs") == 1

    async def test_first_texts_from_two_channels_share_one_thread(self, storage: Storage) -> None:
        """Whoever is first decides where it lives."""
        several = [replace(REQUEST, key=f"T1:{n}", conversation_id=f"C{n}") for n in range(8)]
        requested = await asyncio.gather(*map(storage.request, several))
        assert len({one.thread.id for one in requested}) == 1
        assert len({one.thread.conversation_id for one in requested}) == 1
        assert await storage.ask("SELECT count(*) FROM deliveries") == 8

    async def test_a_job_that_cannot_be_deferred_leaves_no_text(self, storage: Storage) -> None:
        """What is not stored whole is not stored."""

        async def refuse(*_: object) -> None:
            raise psycopg.OperationalError

        with pytest.raises(NotStored):
            await Requests(storage.pool, defer=refuse).request(
                REQUEST, new_id(), lines=[LINE], now=datetime.now(UTC), within=WITHIN
            )
        assert await storage.ask("SELECT count(*) FROM people") == 0

    async def test_a_locked_table_is_answered_in_time(self, storage: Storage) -> None:
        """Slack's three seconds do not pass, and nothing is stored later."""
        async with await psycopg.AsyncConnection.connect(storage.url) as other:
            await other.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
            started = asyncio.get_running_loop().time()
            with pytest.raises(NotStored):
                await storage.request()
            assert asyncio.get_running_loop().time() - started < 10
        assert await storage.ask("SELECT count(*) FROM deliveries") == 0

    async def test_a_known_person_is_expected_on_their_channel(self, storage: Storage) -> None:
        """A fresh check counts for the next text."""
        first = await storage.request()
        checked = Capabilities(imessage=True, sms=True, checked_at=datetime.now(UTC))
        await storage.deliveries.learn(first.person.id, checked, first.delivery.id, Channel.IMESSAGE)
        second = await storage.request(replace(REQUEST, key="T1:2"))
        assert (second.delivery.expected_channel, second.person.capabilities) == (Channel.IMESSAGE, checked)

    async def test_a_thread_in_somebodys_messages_comes_out_for_a_colleague(self, storage: Storage) -> None:
        """Who texts sees what became of it; whoever the messages belong to stays there."""
        await storage.request(replace(REQUEST, conversation_id="D1"))
        again = await storage.request(replace(REQUEST, key="T1:2", conversation_id="C1"))
        assert again.thread.conversation_id == "D1"
        colleague = replace(REQUEST, key="T1:3", conversation_id="C2", author=Author("U2", "Ben"))
        moved = await storage.request(colleague)
        assert (moved.thread.conversation_id, moved.thread.owner) == ("C2", Author("U2", "Ben"))

    async def test_a_person_keeps_the_line_they_know(self, storage: Storage) -> None:
        """A new best line is for new people; a thread without a line gets one."""
        first = await storage.request(lines=("",))
        await storage.deliveries.adopt_line("+15550100001")
        second = await storage.request(replace(REQUEST, key="T1:2"), lines=(LINE, "+15550100001"))
        assert (second.thread.id, second.thread.line) == (first.thread.id, "+15550100001")
        third = await storage.request(replace(REQUEST, key="T1:3"), lines=(LINE,))
        assert third.thread.line == LINE


class TestAttempts:
    async def test_attempts_are_counted_until_blooio_has_it(self, storage: Storage) -> None:
        """The first attempt's time stays; after acceptance there is nothing to send."""
        delivery_id = (await storage.request()).delivery.id
        first = await storage.deliveries.begin_attempt(delivery_id)
        second = await storage.deliveries.begin_attempt(delivery_id)
        assert first is not None
        assert second is not None
        assert (first.delivery.attempts, second.delivery.attempts) == (1, 2)
        assert first.delivery.attempted_at == second.delivery.attempted_at
        await storage.deliveries.accept(delivery_id, "msg_1", check_at=datetime.now(UTC))
        assert await storage.deliveries.begin_attempt(delivery_id) is None

    async def test_that_it_may_have_been_taken_is_not_forgotten(self, storage: Storage) -> None:
        """A later, milder error does not replace it."""
        delivery_id = (await storage.request()).delivery.id
        for code in ("throttled", "unconfirmed", "throttled"):
            await storage.deliveries.postpone(delivery_id, code, until=datetime.now(UTC))
        assert await storage.ask("SELECT error_code FROM deliveries") == "unconfirmed"


class TestChecks:
    async def test_a_due_check_belongs_to_one_process(self, storage: Storage) -> None:
        """Two that look at once do not both get it, and it is not due again at once."""
        for number in range(10):
            await storage.accepted(replace(REQUEST, key=f"T1:{number}"))
        one, other = await asyncio.gather(*(storage.deliveries.take_due_checks(10) for _ in range(2)))
        assert len({due.delivery.id for due in one + other}) == len(one + other) == 10
        assert await storage.deliveries.take_due_checks(10) == []
        due = await storage.deliveries.next_due_check()
        assert due is not None
        assert due > datetime.now(UTC)

    async def test_a_report_moves_the_row_and_asks_for_a_drawing_once(self, storage: Storage) -> None:
        """A repeated report changes nothing that can be seen."""
        delivery_id = (await storage.accepted()).delivery.id
        before = await storage.ask("SELECT revision FROM deliveries")
        report = StatusReport(DeliveryStatus.DELIVERED, Channel.SMS)
        for _ in range(2):
            moved = await storage.deliveries.record(delivery_id, report, now=datetime.now(UTC))
        assert moved is not None
        assert (moved.status, moved.actual_channel) == (DeliveryStatus.DELIVERED, Channel.SMS)
        assert await storage.ask("SELECT revision FROM deliveries") == before + 1
        assert await storage.ask("SELECT check_at FROM deliveries") is None

    async def test_another_channel_than_expected_shows_on_the_card(self, storage: Storage) -> None:
        """And the same channel again does not draw the card again."""
        requested = await storage.accepted()
        for _ in range(2):
            report = StatusReport(DeliveryStatus.SENT, Channel.RCS)
            await storage.deliveries.record(requested.delivery.id, report, now=datetime.now(UTC))
        assert await storage.ask("SELECT channel FROM threads") == "rcs"
        assert await storage.ask("SELECT revision FROM threads") == 2


class TestDrawings:
    async def test_what_slack_does_not_show_is_waiting(self, storage: Storage) -> None:
        """A new thread waits with its text, until both are drawn."""
        requested = await storage.request()
        thread_id, delivery_id = requested.thread.id, requested.delivery.id
        assert await storage.drawings.to_post(10) == [thread_id]
        shown = await storage.drawings.load_new(thread_id)
        assert shown is not None
        assert [entry.what.id for entry in shown.entries] == [delivery_id]
        assert await storage.drawings.card_posted(thread_id, "C1", "1.1", revision=shown.revision)
        assert await storage.shows(requested.delivery, revision=shown.entries[0].revision)
        assert (await storage.drawings.to_post(10), await storage.drawings.to_edit(10)) == ([], [])

    async def test_a_change_during_the_drawing_is_noticed(self, storage: Storage) -> None:
        """The old revision is drawn, said not to be the latest, and waits to be drawn again."""
        requested = await storage.accepted()
        thread_id = requested.thread.id
        shown = await storage.drawings.load_new(thread_id)
        assert shown is not None
        report = StatusReport(DeliveryStatus.SENT, None)
        await storage.deliveries.record(requested.delivery.id, report, now=datetime.now(UTC))
        latest = await storage.shows(requested.delivery, revision=shown.entries[0].revision)
        assert not latest
        assert (await storage.drawings.to_post(10), await storage.drawings.to_edit(10)) == ([], [thread_id])
        changed = await storage.drawings.load_changed(thread_id)
        assert changed is not None
        assert [entry.what.status for entry in changed.entries if isinstance(entry.what, Delivery)] == [
            DeliveryStatus.SENT
        ]

    async def test_a_thread_that_has_to_wait_is_left_alone(self, storage: Storage) -> None:
        """Neither listed nor loaded until the pause is over; failures are counted in a row."""
        thread_id = (await storage.request()).thread.id
        await storage.drawings.wait_to_post(thread_id, timedelta(minutes=1), failed=True)
        assert await storage.drawings.to_post(10) == []
        assert await storage.drawings.load_new(thread_id) is None
        await storage.drawings.wait_to_post(thread_id, timedelta(seconds=-1), failed=True)
        shown = await storage.drawings.load_new(thread_id)
        assert shown is not None
        assert shown.failures == 2

    async def test_an_edit_may_wait_when_a_post_need_not(self, storage: Storage) -> None:
        """What can be posted is posted, while what could not be edited is left alone."""
        first = await storage.accepted()
        await storage.drawings.card_posted(first.thread.id, "C1", "1.1", revision=0)
        await storage.shows(first.delivery, revision=0)
        await storage.drawings.wait_to_edit(first.thread.id, timedelta(minutes=1), failed=True)
        assert await storage.drawings.load_changed(first.thread.id) is None
        second = await storage.request(replace(REQUEST, key="T1:2"))
        shown = await storage.drawings.load_new(first.thread.id)
        assert shown is not None
        assert [entry.what.id for entry in shown.entries] == [second.delivery.id]
        assert (await storage.drawings.to_post(10), await storage.drawings.to_edit(10)) == ([first.thread.id], [])

    async def test_a_deleted_card_waits_for_the_next_text(self, storage: Storage) -> None:
        """It is not drawn again for its own sake; a message that is no card is none of ours."""
        requested = await storage.request()
        await storage.drawings.card_posted(requested.thread.id, "C1", "1.1", revision=0)
        await storage.shows(requested.delivery, revision=1)
        assert not await storage.drawings.card_gone("C1", "1.2")
        assert await storage.drawings.card_gone("C1", "1.1")
        assert (await storage.drawings.to_post(10), await storage.drawings.to_edit(10)) == ([], [])

    async def test_a_change_announces_itself(self, storage: Storage) -> None:
        """Whoever changes a row, the painter hears of its thread, and whether there is something to post."""
        async with await psycopg.AsyncConnection.connect(storage.url, autocommit=True) as listener:
            await listener.execute("LISTEN texting_draw")
            await listener.execute("LISTEN texting_edit")
            requested = await storage.accepted()
            now, delivery_id = datetime.now(UTC), requested.delivery.id
            await storage.deliveries.record(delivery_id, StatusReport(DeliveryStatus.SENT, None), now=now)
            await storage.shows(requested.delivery, revision=2)
            await storage.deliveries.record(delivery_id, StatusReport(DeliveryStatus.DELIVERED, None), now=now)
            heard = [(one.channel, one.payload) async for one in listener.notifies(timeout=5, stop_after=3)]
        thread_id = str(requested.thread.id)
        assert heard == [("texting_draw", thread_id)] * 2 + [("texting_edit", thread_id)]


class TestDeadWorkers:
    async def test_a_dead_workers_jobs_go_back_exactly_once(self, storage: Storage, database_url: str) -> None:
        """Its lock goes with its connection, and two that look at once return each job once."""
        for number in range(5):
            await storage.request(replace(REQUEST, key=f"T1:{number}", address=Address(f"+1555123456{number}")))
        async with open_presence(database_url) as doomed:
            await self._take_all_jobs(storage, doomed)
            assert await storage.jobs.return_jobs_of_the_dead() == 0  # it lives
        held = (
            f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {WORKER}"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        while await storage.ask(held):  # noqa: ASYNC110  (the server lets go when it next looks, and does not say so)
            await asyncio.sleep(0.02)
        returned = await asyncio.gather(*(storage.jobs.return_jobs_of_the_dead() for _ in range(2)))
        assert sorted(returned) == [0, 5]
        assert await storage.ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == 5

    async def test_a_worker_that_lost_its_connection_takes_its_lock_again(self, storage: Storage) -> None:
        """Its jobs are not taken for a dead worker's."""
        await storage.request()
        await self._take_all_jobs(storage, storage.presence)
        await storage.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        await storage.presence.renew()
        assert await storage.jobs.return_jobs_of_the_dead() == 0

    async def _take_all_jobs(self, storage: Storage, presence: Presence) -> None:
        """What a worker does: register, hold the lock, take jobs."""
        worker_id = await storage.ask("SELECT worker_id FROM procrastinate_register_worker_v1()")
        await presence.hold_worker(worker_id)
        count = await storage.ask("SELECT count(*) FROM procrastinate_jobs")
        for _ in range(count):
            await storage.ask("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", worker_id)


class TestBeforeTheFirstText:
    """What is learnt of somebody whom nobody has texted yet."""

    CAPABILITIES = Capabilities(imessage=True, sms=None, checked_at=datetime(2026, 1, 1, tzinfo=UTC))

    async def look_up(self, storage: Storage, *lines: str) -> Known:
        return await People(storage.pool).look_up("T1", REQUEST.address, lines=lines or (LINE,), within=WITHIN)

    async def test_a_stranger(self, storage: Storage) -> None:
        """Nothing is known, and nothing is made up."""
        assert await self.look_up(storage) == Known(None, None)

    async def test_what_they_can_receive(self, storage: Storage) -> None:
        """It is there for their first text, which then needs no check; their name is the address book's."""
        await storage.ask("INSERT INTO contacts VALUES (%s, 'Jane', '{}', NULL, '', '') RETURNING 1", REQUEST.address)
        await People(storage.pool).learn_of("T1", REQUEST.address, self.CAPABILITIES)
        assert await self.look_up(storage) == Known(self.CAPABILITIES, None)
        requested = await storage.request()
        assert (requested.person.name, requested.person.capabilities) == ("Jane", self.CAPABILITIES)
        assert (await self.look_up(storage)).thread == requested.thread

    async def test_it_is_another_workspaces(self, storage: Storage) -> None:
        """Each workspace has people of its own."""
        await People(storage.pool).learn_of("T2", REQUEST.address, self.CAPABILITIES)
        assert await self.look_up(storage) == Known(None, None)

    async def test_it_may_be_learnt_again(self, storage: Storage) -> None:
        """The last word counts, and the card is drawn anew."""
        requested = await storage.request()
        revision = await storage.ask("SELECT revision FROM threads WHERE id = %s", requested.thread.id)
        for imessage in (True, False):
            await People(storage.pool).learn_of("T1", REQUEST.address, replace(self.CAPABILITIES, imessage=imessage))
        known = (await self.look_up(storage)).capabilities
        assert known == replace(self.CAPABILITIES, imessage=False)
        assert await storage.ask("SELECT revision FROM threads WHERE id = %s", requested.thread.id) == revision + 2

    async def test_the_thread_on_one_line(self, storage: Storage) -> None:
        """With several lines the best one's thread is the person's; on another line they may have none."""
        requested = await storage.request()
        assert (await self.look_up(storage, "+15550108888", LINE)).thread == requested.thread
        assert (await self.look_up(storage, "+15550108888")).thread is None

    async def test_a_name_that_is_known(self, storage: Storage) -> None:
        """A person's card has it from the first text on."""
        await storage.ask("INSERT INTO contacts VALUES (%s, 'Jane', '{}', NULL, '', '') RETURNING 1", REQUEST.address)
        assert (await storage.request()).person.name == "Jane"


class TestDrafts:
    """What somebody typed, while they are asked what they mean."""

    async def test_the_first_choice_counts(self, storage: Storage) -> None:
        """However many are made, at once or later."""
        drafts = Drafts(storage.pool)
        draft_id = await drafts.keep("U1", "C1", "text", {"body": "Hi"})
        chosen = await asyncio.gather(*(drafts.choose(draft_id, "U1", number) for number in (3, 1, 2, 0)))
        assert len(set(chosen)) == 1
        assert await drafts.choose(draft_id, "U1", 7) == chosen[0]
        kept = await drafts.find(draft_id, "U1")
        assert kept is not None
        assert kept.payload == {"body": "Hi", "chosen": chosen[0]}

    async def test_it_is_nobody_elses(self, storage: Storage) -> None:
        """Whoever guesses the id gets nothing."""
        drafts = Drafts(storage.pool)
        draft_id = await drafts.keep("U1", "C1", "text", {"body": "Hi"})
        assert await drafts.find(draft_id, "U2") is None
        assert await drafts.choose(draft_id, "U2", 0) is None
