"""Notices and what people do about failed texts, in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from bot.jobs import Jobs
from bot.storage.database import Pool, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.notices import Notices
from bot.storage.presence import open_presence
from bot.storage.requests import Requests
from bot.texting.errors import Disconnected, NotRead, NotStored, NotTaken, SentAgain, TextingError, Unconfirmed
from bot.texting.model import Address, Author, DeliveryStatus, Request, Requested, StatusReport
from bot.texting.service import new_id

WITHIN = timedelta(seconds=1.5)
ANA, BEN = Author("U1", "Ana"), Author("U2", "Ben")
REQUEST = Request("T1:1", "T1", "C1", ANA, Address("+15551234567"), "Hi")


@dataclass
class Storage:
    pool: Pool
    requests: Requests
    deliveries: Deliveries
    notices: Notices

    async def request(self, request: Request = REQUEST) -> Requested:
        now = datetime.now(UTC)
        return await self.requests.request(request, new_id(), lines=["+15550109999"], now=now, within=WITHIN)

    async def failed(self, error: TextingError, request: Request = REQUEST) -> UUID:
        """A text that was given up."""
        delivery_id = (await self.request(request)).delivery.id
        await self.deliveries.fail(delivery_id, error.code, error.words)
        return delivery_id

    async def ask(self, query: str, *values: Any) -> Any:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            row = await cursor.fetchone() if cursor.description else None
            return row[0] if row else None


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
    ):
        yield Storage(pool, Requests(pool, defer=jobs.defer), Deliveries(pool, defer=jobs.defer), Notices(pool))


class TestAuthors:
    async def test_a_failed_text_leaves_one_notice(self, storage: Storage) -> None:
        """With the text as it is now, whichever way it failed and however often that is written."""
        delivery_id = await storage.failed(Disconnected())
        await storage.deliveries.fail(delivery_id, "not_sent", "Again.")
        [notice_id] = await storage.notices.due(10)
        notice = await storage.notices.load(notice_id)
        assert notice is not None
        assert notice.text is not None
        assert (notice.cause, notice.text.requested.delivery.id) == ("disconnected", delivery_id)
        assert (notice.text.requested.person.address, notice.text.posted_ts) == (REQUEST.address, None)

    async def test_a_report_of_failure_leaves_one_too(self, storage: Storage) -> None:
        """Blooio accepted it and told us later."""
        delivery_id = (await storage.request()).delivery.id
        await storage.deliveries.accept(delivery_id, "msg_1", check_at=datetime.now(UTC))
        report = StatusReport(DeliveryStatus.FAILED, None, error_code="not_sent", error_words="No.")
        for _ in range(2):
            await storage.deliveries.record(delivery_id, report, now=datetime.now(UTC))
        assert len(await storage.notices.due(10)) == 1

    async def test_a_posted_notice_is_done(self, storage: Storage) -> None:
        """Neither listed nor read again."""
        await storage.failed(Disconnected())
        [notice_id] = await storage.notices.due(10)
        notice = await storage.notices.load(notice_id)
        assert notice is not None
        await storage.notices.begin(notice)
        notice = await storage.notices.load(notice_id)
        assert notice is not None
        assert notice.posting_since is not None
        await storage.notices.posted(notice_id)
        assert (await storage.notices.due(10), await storage.notices.load(notice_id)) == ([], None)

    async def test_a_notice_is_forgotten_after_a_month(self, storage: Storage) -> None:
        """Once somebody could read it: one that was never posted stays, however old."""
        for number in range(3):
            request = replace(REQUEST, key=f"T1:{number}")
            await storage.failed(Disconnected(), request)
        old, waiting, new = await storage.notices.due(10)
        for notice_id in (old, new):
            await storage.notices.posted(notice_id)
        await storage.ask("UPDATE notices SET raised_at = raised_at - interval '31 days'")
        await storage.ask("UPDATE notices SET posted_at = posted_at - interval '31 days' WHERE id = %s", old)

        assert await storage.notices.forget_old() == 1
        assert await storage.ask("SELECT array_agg(id ORDER BY id) FROM notices") == [waiting, new]

    async def test_a_notice_that_has_to_wait_is_left_alone(self, storage: Storage) -> None:
        """Until the pause is over; failures are counted in a row."""
        await storage.failed(Disconnected())
        [notice_id] = await storage.notices.due(10)
        await storage.notices.wait(notice_id, timedelta(minutes=1), failed=True)
        assert (await storage.notices.due(10), await storage.notices.load(notice_id)) == ([], None)
        await storage.notices.wait(notice_id, timedelta(seconds=-1), failed=True)
        notice = await storage.notices.load(notice_id)
        assert notice is not None
        assert notice.failures == 2


class TestAdmins:
    async def test_many_at_once_are_one_alert(self, storage: Storage) -> None:
        """Of all that say so in the same moment one is heard; another cause is another alert."""
        await asyncio.gather(*(storage.deliveries.alert(cause) for cause in ["disconnected"] * 8 + ["line_offline"]))
        found = [await storage.notices.load(notice_id) for notice_id in await storage.notices.due(10)]
        assert sorted(notice.cause for notice in found if notice) == ["disconnected", "line_offline"]
        assert [notice.text for notice in found if notice] == [None, None]

    @pytest.mark.parametrize(
        ("posted", "due"),
        [
            pytest.param("NULL", 1, id="not posted yet: it is due as it was"),
            pytest.param("now() - interval '59 minutes'", 0, id="posted within the hour: nothing"),
            pytest.param("now() - interval '61 minutes'", 1, id="posted before: again"),
        ],
    )
    async def test_a_cause_is_raised_once_an_hour(self, storage: Storage, posted: str, due: int) -> None:
        """Counted from when somebody could read it; raised again it is another post."""
        await storage.notices.alert("disconnected")
        [notice_id] = await storage.notices.due(10)
        before = await storage.notices.load(notice_id)
        await storage.ask(f"UPDATE notices SET posted_at = {posted}, raised_at = raised_at - interval '2 hours'")
        await asyncio.gather(*(storage.notices.alert("disconnected") for _ in range(3)))
        assert len(await storage.notices.due(10)) == due
        if posted.endswith("'61 minutes'"):
            again = await storage.notices.load(notice_id)
            assert before is not None
            assert again is not None
            assert (again.posting_since, again.failures) == (None, 0)
            assert again.raised_at >= before.raised_at

    async def test_a_repeat_within_the_hour_announces_nothing(self, storage: Storage) -> None:
        """Nobody is woken up for nothing."""
        async with await psycopg.AsyncConnection.connect(storage.pool.conninfo, autocommit=True) as listener:
            await listener.execute("LISTEN texting_notice")
            for _ in range(3):
                await storage.notices.alert("disconnected")
                await storage.ask("UPDATE notices SET posted_at = now()")
            heard = [one.channel async for one in listener.notifies(timeout=0.3)]
        assert heard == ["texting_notice"]

    async def test_texts_are_counted_by_cause(self, storage: Storage) -> None:
        """Those that failed lately."""
        for number in range(3):
            await storage.failed(Disconnected(), replace(REQUEST, key=f"T1:{number}"))
        await storage.notices.alert("disconnected")
        assert await storage.notices.failed_for("disconnected", timedelta(hours=24)) == 3
        await storage.ask(
            "UPDATE notices SET raised_at = now() - interval '25 hours' WHERE id = (SELECT min(id) FROM notices)"
        )
        assert await storage.notices.failed_for("disconnected", timedelta(hours=24)) == 2
        assert await storage.notices.failed_for("line_offline", timedelta(hours=24)) == 0


class TestReplacing:
    async def test_a_failed_text_is_replaced_once(self, storage: Storage) -> None:
        """By the first who asks; the same request may come again."""
        failed = await storage.failed(Disconnected())
        again = replace(REQUEST, key=f"again:{failed}", author=BEN, instead_of=failed)
        first, second = await asyncio.gather(storage.request(again), storage.request(again))
        assert first.delivery == second.delivery
        assert await storage.ask("SELECT again_by FROM deliveries WHERE id = %s", failed) == "Ben"
        with pytest.raises(SentAgain):
            await storage.request(replace(again, key="edit:1"))
        assert await storage.ask("SELECT count(*) FROM deliveries") == 2

    async def test_a_text_that_has_not_failed_is_not_replaced(self, storage: Storage) -> None:
        """Nothing is stored."""
        queued = (await storage.request()).delivery.id
        with pytest.raises(SentAgain):
            await storage.request(replace(REQUEST, key="again:1", instead_of=queued))
        assert await storage.ask("SELECT count(*) FROM deliveries") == 1


class TestUnconfirmed:
    async def test_what_blooio_has_is_followed(self, storage: Storage) -> None:
        """Its failure is taken back, the author need not hear of it, and a later one is news."""
        failed = await storage.failed(Unconfirmed())
        assert await storage.deliveries.adopt(failed, "msg_1", check_at=datetime.now(UTC))
        assert await storage.notices.due(10) == []
        [due] = await storage.deliveries.take_due_checks(10)
        assert (due.delivery.status, due.delivery.message_id) == (DeliveryStatus.QUEUED, "msg_1")
        assert (due.delivery.error_code, due.delivery.failed_at) == (None, None)
        assert await storage.deliveries.begin_attempt(failed) is None
        await storage.deliveries.fail(failed, "not_sent", "No.")
        assert len(await storage.notices.due(10)) == 1

    async def test_what_blooio_does_not_have_says_so(self, storage: Storage) -> None:
        """With other words, and its author is not told again."""
        failed = await storage.failed(Unconfirmed())
        assert await storage.deliveries.refail(failed, NotTaken.code, NotTaken.words)
        assert await storage.ask("SELECT error_code FROM deliveries") == "not_taken"
        assert len(await storage.notices.due(10)) == 1
        assert await storage.deliveries.refail(failed, NotTaken.code, NotTaken.words)  # two people ask at once
        assert await storage.deliveries.adopt(failed, "msg_1", check_at=datetime.now(UTC))  # it turns up late

    @pytest.mark.parametrize("error", [Disconnected(), Unconfirmed()], ids=["known", "unknown, but sent again"])
    async def test_what_has_moved_on_stays_as_it_is(self, storage: Storage, error: TextingError) -> None:
        """Nobody adopts a text under a colleague's hands."""
        failed = await storage.failed(error)
        if isinstance(error, Unconfirmed):
            await storage.request(replace(REQUEST, key=f"again:{failed}", instead_of=failed))
        assert not await storage.deliveries.adopt(failed, "msg_1", check_at=datetime.now(UTC))
        assert not await storage.deliveries.refail(failed, NotTaken.code, NotTaken.words)
        assert await storage.ask("SELECT error_code FROM deliveries WHERE id = %s", failed) == error.code

    async def test_texts_of_ours_are_known(self, storage: Storage) -> None:
        """So that none is taken for another."""
        delivery_id = (await storage.request()).delivery.id
        await storage.deliveries.accept(delivery_id, "msg_1", check_at=datetime.now(UTC))
        assert await storage.deliveries.known(["msg_1", "msg_2"]) == {"msg_1"}


class TestWaiting:
    async def test_a_reply_that_came_with_the_refusal_counts(self, storage: Storage) -> None:
        """A text waits from its attempt on, not from when that was written down."""
        delivery_id = (await storage.request()).delivery.id
        attempt = await storage.deliveries.begin_attempt(delivery_id)
        assert attempt is not None
        await storage.deliveries.hold(delivery_id, "awaiting_reply", "", key=new_id(), check_at=datetime.now(UTC))
        assert await storage.ask("SELECT held_since FROM deliveries") == attempt.delivery.attempted_at

    async def test_only_what_waits_is_released_or_cancelled(self, storage: Storage) -> None:
        """Once, and whoever comes second hears that they did."""
        delivery_id = (await storage.request()).delivery.id
        assert not await storage.deliveries.release_one(delivery_id, within=WITHIN)
        assert not await storage.deliveries.cancel(delivery_id, within=WITHIN)
        await storage.deliveries.hold(delivery_id, "awaiting_reply", "", key=new_id(), check_at=datetime.now(UTC))
        done = await asyncio.gather(
            storage.deliveries.cancel(delivery_id, within=WITHIN),
            storage.deliveries.release_one(delivery_id, within=WITHIN),
        )
        assert sorted(done) == [False, True]

    async def test_a_locked_table_is_answered_in_time(self, storage: Storage) -> None:
        """Slack's three seconds do not pass."""
        delivery_id = (await storage.request()).delivery.id
        within = timedelta(seconds=0.2)
        async with await psycopg.AsyncConnection.connect(storage.pool.conninfo) as other:
            await other.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(NotRead):
                await storage.deliveries.find(delivery_id, within=within)
            for method in (storage.deliveries.release_one, storage.deliveries.cancel):
                with pytest.raises(NotStored):
                    await method(delivery_id, within=within)
