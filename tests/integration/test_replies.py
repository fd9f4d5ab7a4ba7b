"""What is typed in threads, in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.jobs import Jobs
from bot.storage.database import Pool, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.presence import open_presence
from bot.storage.replies import _PLACE, Replies
from bot.storage.requests import Requests
from bot.texting.errors import OptedOut
from bot.texting.model import Address, Author, Fate, Reply, Request, Situation
from bot.texting.ports import Decide, MakeText, Place, Taken
from bot.texting.service import new_id

LINE = "+15550109999"
WITHIN = timedelta(seconds=5)
ANA, BEN = Author("U1", "Ana"), Author("U2", "Ben")
JANE = Address("+15551234567")
CARD = "1700000000.000100"


def texted(place: Place, author: Author, ts: str, *, asks_first: bool = True) -> Decide:
    """Text it, unless a colleague was faster."""

    def decide(situation: Situation, stored: Reply | None) -> Reply | None:
        if stored is not None:
            return None
        fate = Fate.ASKED if asks_first and situation.answered_by else Fate.TEXTED
        return Reply("C1", ts, place.thread.id, author, f"words of {author.name}", fate)

    return decide


def text_of(reply: Reply) -> tuple[Request, Any]:
    key = f"reply:{reply.conversation_id}:{reply.ts}"
    return Request(key, "T1", "C1", reply.author, JANE, reply.body, line=LINE, typed=True), new_id()


@dataclass
class Storage:
    """A thread with somebody, and what is typed in it."""

    pool: Pool
    requests: Requests
    deliveries: Deliveries
    replies: Replies
    place: Place

    async def take(self, author: Author, ts: str, decide: Decide | None = None, text: MakeText = text_of) -> Taken:
        return await self.replies.take(
            self.place,
            decide or texted(self.place, author, ts),
            text,
            conversation_id="C1",
            ts=ts,
            author_id=author.user_id,
            lines=[LINE],
            now=datetime.now(UTC),
            within=WITHIN,
        )

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def situation(self, author: Author, ts: str) -> Situation:
        """What the thread is like for somebody who types in it."""
        seen: list[Situation] = []
        await self.take(author, ts, lambda situation, _: seen.append(situation))
        return seen[0]


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
    ):
        requests, deliveries = Requests(pool, defer=jobs.defer), Deliveries(pool, defer=jobs.defer)
        replies = Replies(pool, requests=requests)
        request = Request("T1:1", "T1", "C1", ANA, JANE, "Hi")
        now = datetime.now(UTC) - timedelta(minutes=5)
        await requests.request(request, new_id(), lines=[LINE], now=now, within=WITHIN)
        async with pool.connection() as connection:
            await connection.execute("UPDATE threads SET card_ts = %s", (CARD,))
        place = await replies.place("C1", CARD, within=WITHIN)
        assert place is not None
        yield Storage(pool, requests, deliveries, replies, place)


async def test_two_colleagues_at_once(storage: Storage) -> None:
    """Whoever is stored second is asked, however close together they type: nobody slips through."""
    people = [Author(f"U{number}", f"N{number}") for number in range(6)]
    taken = await asyncio.gather(*(storage.take(one, f"170000010{n}.000100") for n, one in enumerate(people)))
    assert sorted(one.reply.fate for one in taken if one.reply) == ["asked"] * 5 + ["texted"]
    assert await storage.ask("SELECT count(*) FROM deliveries WHERE typed") == [(1,)]


async def test_the_same_message_at_once(storage: Storage) -> None:
    """It is stored once, with one text and one job."""
    taken = await asyncio.gather(*(storage.take(BEN, "1700000100.000100") for _ in range(5)))
    assert sum(one.news for one in taken) == 1
    assert await storage.ask("SELECT count(*) FROM deliveries WHERE typed") == [(1,)]
    assert await storage.ask("SELECT count(*) FROM procrastinate_jobs") == [(2,)]


@pytest.mark.parametrize(
    ("seconds", "answered_by"),
    [(10, "U1"), (-10, "U1"), (0, "U1"), (11, None), (-11, None)],
    ids=["after", "before, but heard of later", "at once", "long after", "long before"],
)
async def test_who_answered(storage: Storage, seconds: int, answered_by: str | None) -> None:
    """A colleague's reply counts for ten seconds of Slack's clock, in whatever order we hear of them."""
    await storage.take(ANA, "1700000100.000100")
    assert (await storage.situation(BEN, f"{1700000100 + seconds}.000100")).answered_by == answered_by
    assert (await storage.situation(ANA, f"{1700000100 + seconds}.000100")).answered_by is None


async def test_an_answer_to_what_they_wrote_since(storage: Storage) -> None:
    """Once the person has written again, a colleague's text is no answer any more."""
    await storage.take(ANA, "1700000100.000100")
    await storage.ask(
        "INSERT INTO inbound (id, message_id, thread_id, body, source, written_at)"
        " VALUES (%s, 'msg_in', %s, 'Hm?', 'told', now())",
        new_id(),
        storage.place.thread.id,
    )
    assert (await storage.situation(BEN, "1700000101.000100")).answered_by is None


async def test_a_text_sent_another_way_counts_too(storage: Storage) -> None:
    """By our clock, for ten seconds; one that failed does not count."""
    now = datetime.now(UTC)
    request = Request("T1:2", "T1", "C1", ANA, JANE, "Hello again")
    requested = await storage.requests.request(request, new_id(), lines=[LINE], now=now, within=WITHIN)
    assert (await storage.situation(BEN, "1700000100.000100")).answered_by == "U1"
    await storage.deliveries.fail(requested.delivery.id, "not_sent", "No.")
    assert (await storage.situation(BEN, "1700000100.000100")).answered_by is None


async def test_nothing_was_exchanged_yet(storage: Storage) -> None:
    """As long as no text of ours stands and the person has not written."""
    assert not (await storage.situation(BEN, "1700000100.000100")).first
    await storage.ask("UPDATE deliveries SET status = 'failed'")
    assert (await storage.situation(BEN, "1700000100.000100")).first


async def test_a_question_is_settled_once(storage: Storage) -> None:
    """However many clicks come at once; and not after the reply was edited."""
    await storage.take(ANA, "1700000100.000100")
    taken = await storage.take(BEN, "1700000101.000100")
    assert taken.reply is not None
    wanted = replace(taken.reply, fate=Fate.TEXTED)
    outdated = replace(wanted, changed_ts="1700000102.000100")

    async def settle(reply: Reply) -> bool:
        return await storage.replies.settle(reply, text_of, lines=[LINE], now=datetime.now(UTC), within=WITHIN)

    assert not await settle(outdated)
    assert sorted(await asyncio.gather(*(settle(wanted) for _ in range(4)))) == [False, False, False, True]
    assert await storage.ask("SELECT count(*) FROM deliveries WHERE typed") == [(2,)]


async def test_what_was_texted_is_never_anything_else(storage: Storage) -> None:
    """Neither an answer nor a deletion takes it back; the deletion says so."""
    taken = await storage.take(BEN, "1700000100.000100")
    assert taken.reply is not None
    assert not await storage.replies.gone(replace(taken.reply, fate=Fate.GONE), now=datetime.now(UTC), within=WITHIN)
    kept = replace(taken.reply, fate=Fate.NOTE)
    assert not await storage.replies.settle(kept, text_of, lines=[LINE], now=datetime.now(UTC), within=WITHIN)
    assert await storage.ask("SELECT fate FROM replies") == [("texted",)]


async def test_what_is_said_once(storage: Storage) -> None:
    """An edit and a deletion are remarked once each and put on record; older news changes nothing."""
    taken = await storage.take(BEN, "1700000100.000100")
    [(delivery_id,)] = await storage.ask("SELECT delivery_id FROM replies")
    assert taken.reply is not None
    reply = replace(taken.reply, delivery_id=delivery_id)
    for words, changed_ts in (("b", "3.000100"), ("a", "2.000100"), ("c", "4.000100"), ("c", "4.000100")):
        await storage.replies.edited(reply, storage.place, body=words, changed_ts=changed_ts, url=None, within=WITHIN)
    for _ in range(2):
        await storage.replies.deleted(reply, storage.place, changed_ts="5.000100", url=None, within=WITHIN)
    assert await storage.ask("SELECT now_body FROM replies") == [("c",)]
    assert await storage.ask("SELECT kind FROM remarks ORDER BY made_at") == [("reply_edited",), ("reply_deleted",)]
    recorded = await storage.ask("SELECT action FROM audit WHERE user_id = 'U2' ORDER BY id")
    assert recorded == [("send",), ("edit",), ("edit",), ("delete",)]


async def test_an_edit_back_to_the_original(storage: Storage) -> None:
    """The person has these words: there is nothing to say."""
    taken = await storage.take(BEN, "1700000100.000100")
    assert taken.reply is not None
    body = taken.reply.body
    await storage.replies.edited(taken.reply, storage.place, body=body, changed_ts="3.1", url=None, within=WITHIN)
    assert await storage.ask("SELECT count(*) FROM remarks") == [(0,)]


async def test_deleting_what_waits(storage: Storage) -> None:
    """A text that waits for the person's reply is not sent any more, and there is nothing to correct."""
    taken = await storage.take(BEN, "1700000100.000100")
    [(delivery_id,)] = await storage.ask("SELECT delivery_id FROM replies")
    await storage.deliveries.hold(delivery_id, "awaiting_reply", "", key=new_id(), check_at=datetime.now(UTC))
    assert taken.reply is not None
    reply = replace(taken.reply, delivery_id=delivery_id)
    await storage.replies.deleted(reply, storage.place, changed_ts="5.1", url=None, within=WITHIN)
    assert await storage.ask("SELECT status FROM deliveries WHERE typed") == [("cancelled",)]
    assert await storage.ask("SELECT count(*) FROM remarks") == [(0,)]


async def test_nobody_who_opted_out_is_texted(storage: Storage) -> None:
    """The whole of it is undone: no reply is stored without its text."""
    await storage.ask("UPDATE people SET opted_out_since = now()")
    with pytest.raises(OptedOut):
        await storage.take(BEN, "1700000100.000100")
    assert await storage.ask("SELECT count(*) FROM replies") == [(0,)]


@pytest.mark.parametrize("changed_ts", [None, "1700000105.000100"], ids=["as it was", "edited since"])
async def test_a_failed_reply_is_sent_again(storage: Storage, changed_ts: str | None) -> None:
    """The reply shows the new text too, as long as it says the same words; else that has a message of its own."""
    await storage.take(BEN, "1700000100.000100")
    [(failed,)] = await storage.ask("SELECT delivery_id FROM replies")
    await storage.deliveries.fail(failed, "not_sent", "No.")
    await storage.ask("UPDATE replies SET changed_ts = %s", changed_ts)
    again = Request("again:1", "T1", "C1", ANA, JANE, "words of Ben", instead_of=failed, line=LINE, typed=True)
    now = datetime.now(UTC)
    requested = await storage.requests.request(again, new_id(), lines=[LINE], now=now, within=WITHIN)
    shown = failed if changed_ts else requested.delivery.id
    assert await storage.ask("SELECT delivery_id FROM replies") == [(shown,)]
    assert requested.delivery.typed is (changed_ts is None)


async def test_a_thread_is_found_by_its_index(storage: Storage) -> None:
    """A message in a thread that is none of ours costs one look into an index."""
    await storage.ask("INSERT INTO people (team_id, address) SELECT 'T1', '+1555' || n FROM generate_series(1, 5000) n")
    await storage.ask(
        "INSERT INTO threads (person_id, line, conversation_id, card_ts) SELECT id, '+1', 'C2', id || '.1' FROM people"
    )
    await storage.ask("ANALYZE")
    plan = await storage.ask(f"EXPLAIN SELECT {_PLACE} WHERE t.conversation_id = 'C2' AND t.card_ts = '1.1'")
    assert "threads_by_card" in str(plan)
    assert "Seq Scan on threads" not in str(plan)
    assert await storage.replies.place("C2", "none", within=WITHIN) is None
