"""What Blooio told us, stored and applied in a real PostgreSQL, in every order in which it can come."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException

from bot.blooio import webhook
from bot.blooio.client import BlooioClient, blooio_http
from bot.hearing.news import News
from bot.jobs import Jobs
from bot.storage.conversations import Conversations
from bot.storage.database import POOL_SIZE, Pool, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.events import Events
from bot.storage.opt_outs import OptOuts
from bot.storage.people import People
from bot.storage.presence import open_presence
from bot.storage.replies import Replies
from bot.storage.requests import Defer, Requests
from bot.storage.tapbacks import Tapbacks
from bot.texting.service import Texting, new_id
from bot.texting.threads import Threads

ACCEPTED = datetime(2026, 1, 2, 12, tzinfo=UTC)
LINE = "+15550109999"
KEEP = timedelta(days=30)
HOUR = timedelta(hours=1)
SECONDS = {"queued": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4, "reaction": 5, "received": 6}

#: Whether somebody waits for a lock.
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def at(step: str) -> datetime:
    return ACCEPTED + timedelta(seconds=SECONDS[step])


def body(message_id: str, step: str, **details: object) -> bytes:
    """One event of a text as Blooio's flat body has it; what it says of the channel settles only with time."""
    told: dict[str, object] = {
        "event": f"message.{step}",
        "message_id": message_id,
        "external_id": "+15551234567",
        "protocol": "pending" if step in {"queued", "sent"} else "rcs",
        "timestamp": int(at(step).timestamp() * 1000),
    }
    if step == "failed":
        told["error_code"] = "carrier_rejected"
    if step == "reaction":
        told |= {"reaction": "love", "action": "add", "sender": "+15551234567"}
    return json.dumps(told | details).encode()


@dataclass
class World:
    """What applies events, over one database."""

    pool: Pool
    events: Events
    deliveries: Deliveries
    jobs: Jobs
    blooio: BlooioClient  # nobody is there

    def news(self, defer: Defer | None = None) -> News:
        deliveries = Deliveries(self.pool, defer=defer or self.jobs.defer)
        requests = Requests(self.pool, defer=defer or self.jobs.defer)
        nothing: Any = None  # no text of these stories is sent
        texting = Texting(
            requests=requests, memory=deliveries, people=People(self.pool), gateway=self.blooio, files=nothing
        )
        threads = Threads(
            texting=texting,
            received=Conversations(
                self.pool,
                defer_files=self.jobs.defer_files,
                opt_outs=OptOuts(self.pool, requests=requests),
            ),
            replies=Replies(self.pool, requests=requests),
            opting=lambda _: None,
            team_id=lambda: "T1",
            inbox="C1",
        )
        tapbacks = Tapbacks(self.pool, defer=self.jobs.defer_tapback)
        return News(events=self.events, deliveries=deliveries, tapbacks=tapbacks, threads=threads, keep=KEEP)

    async def texts(self, count: int, *, each: int = 1) -> list[UUID]:
        """Store texts that are queued, so many to one person, and return their ids."""
        ids = [new_id() for _ in range(count)]
        await self.ask(
            "INSERT INTO people (team_id, address) SELECT 'T1', '+1555' || n FROM generate_series(1000000, %s) n",
            999_999 + count // each,
        )
        await self.ask(
            "INSERT INTO threads (person_id, line, conversation_id, owner_id, owner_name)"
            " SELECT id, %s, 'C1', 'U1', 'Ana' FROM people",
            LINE,
        )
        await self.ask(
            """
            INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name, expected_channel,
                                    requested_at)
            SELECT asked.id, asked.id::text, thread.id, 'Hi', 'U1', 'Ana', 'imessage', %s + asked.n * interval '1 s'
              FROM unnest(%s::uuid[]) WITH ORDINALITY AS asked (id, n)
              JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM threads) thread
                ON thread.n = (asked.n - 1) / %s + 1
            """,
            ACCEPTED,
            ids,
            each,
        )
        return ids

    async def hears(self, *bodies: bytes) -> list[bool]:
        """Store events as the endpoint does, many at once; return which are news."""
        told = [(webhook.parse(body), body) for body in bodies]
        return await asyncio.gather(
            *(
                self.events.store(event.key, event.key.partition(":")[0], event.message_id, body, to_apply=True)
                for event, body in told
            )
        )

    async def accept(self, delivery_ids: Sequence[UUID]) -> None:
        """Blooio's answers to our POSTs: each text's id is its message's, too."""
        await asyncio.gather(*(self.deliveries.accept(one, f"msg_{one}", check_at=at("read")) for one in delivery_ids))

    async def grows_old(self, age: timedelta) -> None:
        await self.ask("UPDATE events SET received_at = now() - %s", age)

    async def ends(self) -> set[tuple[Any, ...]]:
        """The different things that the texts' rows say."""
        rows = await self.ask(
            "SELECT status, actual_channel, sent_at, delivered_at, read_at, failed_at, error_code, error_words,"
            " array_to_string(reactions, ' ') FROM deliveries"
        )
        return set(rows)

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
        blooio_http("http://127.0.0.1:9/v2/api", "nobody") as http,
    ):
        yield World(pool, Events(pool), Deliveries(pool, defer=jobs.defer), jobs, BlooioClient(http))


async def apply_all(news: News) -> None:
    while await news.apply():
        pass


def arrivals(steps: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every order of our POST's answer (`accept`) and of these events, with every subset of the events coming twice."""
    for size in range(len(steps) + 1):
        for doubled in combinations(steps, size):
            yield from orders({"accept": 1} | {step: 1 + (step in doubled) for step in steps})


def orders(left: dict[str, int]) -> Iterator[tuple[str, ...]]:
    """Every different order of a bag of steps."""
    if not left:
        yield ()
    for one, times in left.items():
        rest = {other: number for other, number in left.items() if other != one}
        for order in orders(rest | {one: times - 1} if times > 1 else rest):
            yield (one, *order)


@pytest.mark.parametrize(
    ("steps", "end"),
    [
        pytest.param(
            ("sent", "delivered", "read"),
            ("read", "rcs", at("sent"), at("delivered"), at("read"), None, None, None, ""),
            id="read",
        ),
        pytest.param(
            ("sent", "failed", "delivered"),
            ("delivered", "rcs", at("sent"), at("delivered"), None, None, None, None, ""),
            id="it failed, or not",
        ),
    ],
)
async def test_every_order_ends_in_one_row(world: World, steps: tuple[str, ...], end: tuple[Any, ...]) -> None:
    """Whenever the id becomes known, whatever comes first or twice, and applied after each step: one end for all."""
    plans = list(arrivals(steps))
    assert len(plans) == 1374
    ids, news = await world.texts(len(plans)), world.news()
    for number in range(max(map(len, plans))):
        step_of = {one: plan[number] for one, plan in zip(ids, plans, strict=True) if number < len(plan)}
        await world.accept([one for one, step in step_of.items() if step == "accept"])
        await world.hears(*(body(f"msg_{one}", step) for one, step in step_of.items() if step != "accept"))
        await apply_all(news)

    assert await world.ends() == {end}
    assert await world.ask("SELECT count(*) FROM events WHERE applied_at IS NULL") == [(0,)]


async def test_a_failure_in_every_order_has_its_reason(world: World) -> None:
    """A failed text says why, whether or not the failure was told before it was known to be sent."""
    plans = list(arrivals(("queued", "failed")))
    ids, news = await world.texts(len(plans)), world.news()
    for number in range(max(map(len, plans))):
        step_of = {one: plan[number] for one, plan in zip(ids, plans, strict=True) if number < len(plan)}
        await world.accept([one for one, step in step_of.items() if step == "accept"])
        await world.hears(*(body(f"msg_{one}", step) for one, step in step_of.items() if step != "accept"))
        await apply_all(news)

    words = "Blooio says: carrier_rejected"
    assert await world.ends() == {("failed", "rcs", None, None, None, at("failed"), "not_sent", words, "")}


async def test_two_leaders_do_no_harm(world: World) -> None:
    """For a moment two processes may both apply, on the same texts, while more is told of them."""
    ids = await world.texts(200)
    await world.accept(ids)
    leaders = [world.news() for _ in range(4)]
    over = asyncio.Event()

    async def lead(news: News) -> None:
        while not over.is_set():
            await news.apply()

    leading = [asyncio.create_task(lead(news)) for news in leaders]
    for step in ("read", "sent", "reaction", "delivered"):
        await asyncio.gather(*(world.hears(body(f"msg_{text}", step)) for text in ids))
    over.set()
    await asyncio.gather(*leading)
    await apply_all(leaders[0])

    assert await world.ends() == {("read", "rcs", at("sent"), at("delivered"), at("read"), None, None, None, "love")}


async def test_a_leader_that_waited_does_not_undo_what_the_other_did(world: World) -> None:
    """One that had to wait for the row knows by then what the other knew, who was quicker."""
    (text,) = await world.texts(1)
    await world.accept([text])
    await world.hears(body(f"msg_{text}", "read"))
    reaction = body(f"msg_{text}", "reaction")
    async with world.pool.connection() as other:
        async with other.transaction():
            await other.execute("SELECT 1 FROM deliveries FOR UPDATE")
            slow = asyncio.create_task(apply_all(world.news()))
            async with asyncio.timeout(30):
                while not await world.ask(_WAITING):  # noqa: ASYNC110  (nobody announces it)
                    await asyncio.sleep(0.01)
            key = webhook.parse(reaction).key
            await world.events.store(key, "message.reaction", f"msg_{text}", reaction, to_apply=False)
            await other.execute("UPDATE deliveries SET reactions = '{love}'")
        await slow

    assert await world.ask("SELECT status, reactions FROM deliveries") == [("read", ["love"])]


class TestGivingUp:
    """Events of texts that are nobody's."""

    async def test_a_text_that_is_ours_after_all(self, world: World) -> None:
        """What was given up as somebody else's counts when our POST's answer comes hours later."""
        (text,) = await world.texts(1)
        await world.hears(*(body(f"msg_{text}", step) for step in ("sent", "delivered", "read")))
        await world.grows_old(2 * HOUR)
        assert await world.events.give_up(HOUR) == 3
        assert await world.ask("SELECT status FROM deliveries") == [("queued",)]

        await world.accept([text])
        await apply_all(world.news())

        assert await world.ask("SELECT status, read_at FROM deliveries") == [("read", at("read"))]

    async def test_what_is_ours_is_never_given_up(self, world: World) -> None:
        """What was acknowledged while nobody applied anything, for hours, is applied by whoever comes next."""
        (text,) = await world.texts(1)
        await world.accept([text])
        await world.hears(body(f"msg_{text}", "delivered"), body("msg_of_somebody_else", "delivered"))
        await world.grows_old(2 * HOUR)

        assert await world.events.give_up(HOUR) == 1
        await apply_all(world.news())

        assert await world.ask("SELECT status FROM deliveries") == [("delivered",)]

    async def test_a_reply_is_never_given_up(self, world: World) -> None:
        """A text that waits for a reply goes out, however late the reply is looked at."""
        (text,) = await world.texts(1)
        await world.deliveries.hold(text, "awaiting_reply", "Wait.", key=new_id(), check_at=at("read"))
        await world.hears(body("msg_in", "received", external_id="+15551000000", internal_id=LINE))
        await world.grows_old(2 * HOUR)

        assert await world.events.give_up(HOUR) == 0
        await apply_all(world.news())

        assert await world.ask("SELECT held_since FROM deliveries") == [(None,)]
        assert await world.ask("SELECT args->>'delivery_id' FROM procrastinate_jobs") == [(str(text),)]


async def test_what_they_write_in_a_group_answers_nobody_in_particular(world: World) -> None:
    """A text that waits for their reply goes on waiting."""
    (text,) = await world.texts(1)
    await world.deliveries.hold(text, "awaiting_reply", "Wait.", key=new_id(), check_at=at("read"))
    group = {"external_id": "grp_1", "sender": "+15551000000", "is_group": True, "group_id": "grp_1"}
    await world.hears(body("msg_in", "received", internal_id=LINE, **group))
    await apply_all(world.news())

    assert await world.ask("SELECT count(*) FROM deliveries WHERE held_since IS NOT NULL") == [(1,)]
    assert await world.ask("SELECT count(*) FROM events WHERE applied_at IS NULL") == [(0,)]


async def test_a_reaction_outlives_its_event(world: World) -> None:
    """What was forgotten is not taken back by what comes later."""
    (text,) = await world.texts(1)
    await world.accept([text])
    await world.hears(body(f"msg_{text}", "reaction"))
    await apply_all(world.news())
    await world.grows_old(KEEP + HOUR)
    await world.events.forget(KEEP)
    await world.hears(body(f"msg_{text}", "read"))
    await apply_all(world.news())

    assert await world.ask("SELECT status, reactions FROM deliveries") == [("read", ["love"])]


class TestTheirOwn:
    """Reactions of people's to what they wrote themselves."""

    WROTE = body("msg_in", "received", external_id="+15551000000", internal_id=LINE, protocol="imessage")
    LOVED = body("msg_in", "reaction", external_id="+15551000000", sender="+15551000000", internal_id=LINE)

    async def test_a_reaction_comes_before_its_text(self, world: World) -> None:
        """It waits for the text, also one that was read in Blooio's list hours later."""
        await world.texts(1)
        await world.hears(self.LOVED)
        await world.grows_old(2 * HOUR)
        assert await world.events.give_up(HOUR) == 1
        await world.hears(self.WROTE)
        await apply_all(world.news())

        assert await world.ask("SELECT reactions, revision FROM inbound") == [(["love"], 2)]
        assert await world.ask("SELECT count(*) FROM events WHERE applied_at IS NULL") == [(0,)]

    async def test_what_is_late_is_not_given_up(self, world: World) -> None:
        """Nobody may have been there to apply it."""
        await world.texts(1)
        await world.hears(self.WROTE)
        await apply_all(world.news())
        await world.hears(self.LOVED)
        await world.grows_old(2 * HOUR)
        assert await world.events.give_up(HOUR) == 0
        await apply_all(world.news())

        assert await world.ask("SELECT reactions FROM inbound") == [(["love"],)]

    async def test_the_same_again_draws_nothing(self, world: World) -> None:
        """Another reaction to be applied leaves a text alone that shows it already."""
        await world.texts(1)
        await world.hears(self.WROTE, self.LOVED)
        await apply_all(world.news())
        await world.ask("UPDATE events SET applied_at = NULL WHERE name = 'message.reaction'")
        await apply_all(world.news())

        assert await world.ask("SELECT reactions, revision FROM inbound") == [(["love"], 2)]


async def test_only_what_is_old_is_forgotten(world: World) -> None:
    """Retention deletes events, applied or not, by their age; what they said stays in the row."""
    (text,) = await world.texts(1)
    await world.accept([text])
    await world.hears(body(f"msg_{text}", "sent"), body("msg_of_somebody_else", "sent"))
    await apply_all(world.news())
    await world.grows_old(KEEP + HOUR)
    await world.hears(body(f"msg_{text}", "delivered"))

    assert await world.events.forget(KEEP) == 2
    assert await world.events.forget(KEEP) == 0
    await apply_all(world.news())

    assert await world.ask("SELECT name FROM events") == [("message.delivered",)]
    assert await world.ask("SELECT status, sent_at, delivered_at FROM deliveries") == [
        ("delivered", at("sent"), at("delivered"))
    ]


async def test_a_busy_month_is_forgotten_at_once(world: World) -> None:
    """More than one transaction deletes: whatever the pace at which events come, they go at that pace."""
    await world.ask(
        "INSERT INTO events (key, name, body, received_at, applied_at)"
        " SELECT 'old ' || n, 'message.sent', '', now() - interval '31 days', now() FROM generate_series(1, 10001) n"
        " RETURNING 1"
    )
    await world.hears(body("msg_of_somebody_else", "sent"))

    assert await world.events.forget(KEEP) == 10_001
    assert await world.ask("SELECT count(*) FROM events") == [(1,)]


@pytest.mark.parametrize("later_first", [False, True])
async def test_a_card_shows_the_channel_of_the_last_text(world: World, later_first: bool) -> None:
    """News of an earlier text that comes late does not bring the channel back that it took."""
    earlier, later = await world.texts(2, each=2)
    await world.accept([earlier, later])
    told = [body(f"msg_{earlier}", "sent", protocol="sms"), body(f"msg_{later}", "sent", protocol="rcs")]
    for one in reversed(told) if later_first else told:
        await world.hears(one)
        await apply_all(world.news())

    assert await world.ask("SELECT channel FROM threads") == [("rcs",)]


class TestStoring:
    """Many events at once are few statements."""

    async def test_each_is_told_whether_it_is_news(self, world: World) -> None:
        """Of one thing told by many at once, one is news; afterwards none is."""
        bodies = [body(f"msg_{number % 50}", "sent") for number in range(500)]
        assert sum(await world.hears(*bodies)) == 50
        assert sum(await world.hears(*bodies)) == 0
        assert await world.ask("SELECT count(*) FROM events") == [(50,)]

    async def test_one_that_cannot_be_stored_costs_the_others_nothing(self, world: World) -> None:
        """Whatever the database does not take fails alone; this one PostgreSQL has no letter for."""
        told = [*("a", "b"), "c\0", *("d", "e")]
        stored = await asyncio.gather(
            *(world.events.store(key, "message.sent", None, b"{}", to_apply=False) for key in told),
            return_exceptions=True,
        )
        assert [type(one) for one in stored] == [bool, bool, psycopg.DataError, bool, bool]
        assert await world.ask("SELECT count(*) FROM events") == [(4,)]

    async def test_two_processes_that_store_the_same_do_not_block_each_other(self, world: World) -> None:
        """Overlapping batches in opposite orders wait for each other and end."""
        bodies = [body(f"msg_{number}", "sent", text=os.urandom(40_000).hex()) for number in range(200)]
        other = World(world.pool, Events(world.pool), world.deliveries, world.jobs, world.blooio)
        stored = await asyncio.gather(world.hears(*bodies), other.hears(*reversed(bodies)))
        assert sum(map(sum, stored)) == 200


async def test_a_mistake_does_not_end_the_applying(world: World) -> None:
    """A queue that refuses once holds a reply up for a moment: it is applied again, and so is all that follows."""
    (text,) = await world.texts(1)
    await world.deliveries.hold(text, "awaiting_reply", "Wait.", key=new_id(), check_at=at("read"))
    await world.hears(body("msg_in", "received", external_id="+15551000000", internal_id=LINE))
    refused: list[UUID] = []

    async def defer(connection: Any, delivery_id: UUID, thread_id: int) -> None:
        if not refused:
            refused.append(delivery_id)
            raise ConnectorException
        await world.jobs.defer(connection, delivery_id, thread_id)

    async with world.news(defer).at_work(), asyncio.timeout(30):
        while not await world.ask("SELECT id FROM procrastinate_jobs"):  # noqa: ASYNC110  (nobody announces it)
            await asyncio.sleep(0.02)

    assert refused == [text]
    assert await world.ask("SELECT held_since FROM deliveries") == [(None,)]


async def test_it_stops_when_a_connection_comes_at_the_same_moment(world: World) -> None:
    """Whoever leads no longer has to stop, or nobody can begin; Python 3.11's waits forget that they were cancelled."""
    for turns in range(12):
        news = world.news()
        async with asyncio.timeout(30), AsyncExitStack() as work:
            async with AsyncExitStack() as taken:
                for _ in range(POOL_SIZE):
                    await taken.enter_async_context(world.pool.connection())
                await work.enter_async_context(news.at_work())
                while world.pool.get_stats()["requests_waiting"] < 2:  # noqa: ASYNC110  (nobody announces it)
                    await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
