"""Opting out and in, in a real PostgreSQL: once, in the order written, whatever the order of arrival."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException

from bot.jobs import Jobs
from bot.reading.opt_words import HELP_WORDS, START_WORDS, STOP_WORDS, OptWords
from bot.storage.conversations import Conversations
from bot.storage.database import Pool, open_pool
from bot.storage.deliveries import Deliveries
from bot.storage.drawings import Drawings
from bot.storage.opt_outs import OptOuts
from bot.storage.people import People
from bot.storage.presence import open_presence
from bot.storage.replies import Replies
from bot.storage.requests import Defer, Requests
from bot.texting.errors import AwaitingReply, BlooioTrouble, OptedOut, Throttled, Unconfirmed
from bot.texting.model import (
    Address,
    Author,
    Channel,
    Delivery,
    Inbound,
    OptWord,
    Received,
    Remark,
    Request,
    Requested,
)
from bot.texting.opting import StandardWords
from bot.texting.service import Texting, new_id
from bot.texting.threads import Threads

JANE = Address("+15551234567")
LINE, OTHER_LINE = "+15550109999", "+15550108888"
ANA = Author("U1", "Ana")
WITHIN = timedelta(seconds=1.5)
NOW = datetime.now(UTC).replace(microsecond=0)
BOT = {"team": "Acme", "user": "texting", "user_id": "U0"}
ANSWERS: dict[OptWord, str | None] = {
    OptWord.STOP: "No more from {team}.",
    OptWord.START: "Again from {team}.",
    OptWord.HELP: "This is {team}.",
}


def minutes(count: float) -> datetime:
    """A moment so many minutes before now, if *count* is negative."""
    return NOW + timedelta(minutes=count)


@dataclass
class World:
    """What receives texts, over one database."""

    pool: Pool
    jobs: Jobs

    def threads(self, *, defer: Defer | None = None, answers: dict[OptWord, str | None] = ANSWERS) -> Threads:
        requests = Requests(self.pool, defer=defer or self.jobs.defer)
        nothing: Any = None  # no text of these stories is sent
        words = StandardWords(OptWords.of(STOP_WORDS, START_WORDS, HELP_WORDS), answers, identity=lambda: BOT)
        conversations = Conversations(
            self.pool, defer_files=self.jobs.defer_files, opt_outs=OptOuts(self.pool, requests=requests)
        )
        return Threads(
            texting=Texting(
                requests=requests, memory=self.deliveries, people=People(self.pool), gateway=nothing, files=nothing
            ),
            received=conversations,
            replies=Replies(self.pool, requests=requests),
            opting=words.read,
            team_id=lambda: "T1",
            inbox="C1",
        )

    @property
    def requests(self) -> Requests:
        return Requests(self.pool, defer=self.jobs.defer)

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.pool, defer=self.jobs.defer)

    @property
    def opt_outs(self) -> OptOuts:
        return OptOuts(self.pool, requests=self.requests)

    async def writes(
        self,
        text: str,
        *,
        at: datetime = NOW,
        message_id: str = "",
        line: str = LINE,
        told: bool = True,
        who: Address = JANE,
    ) -> Inbound:
        """Jane writes to us."""
        received = Received(message_id or f"msg_{new_id()}", who, line, text, (), Channel.IMESSAGE, at=at, told=told)
        return (await self.threads().receive(received)).inbound

    async def texts(self, body: str = "Hi", *, line: str = LINE) -> Requested:
        """Ana texts Jane."""
        request = Request(f"{new_id()}", "T1", "C1", ANA, JANE, body)
        return await self.requests.request(request, new_id(), lines=[line], now=datetime.now(UTC), within=WITHIN)

    async def allow(self, note: str = "She called this morning") -> bool:
        return await self.opt_outs.allow(
            "T1", JANE, by=ANA, asked_by="Jane", note=note, now=datetime.now(UTC), within=WITHIN
        )

    async def opt_out(self, address: Address = JANE) -> bool:
        return await self.opt_outs.opt_out("T1", address, by=ANA, now=datetime.now(UTC), within=WITHIN)

    async def since(self, who: Address = JANE) -> datetime | None:
        """Since when Jane is opted out."""
        [(since,)] = await self.ask("SELECT opted_out_since FROM people WHERE address = %s", who)
        return since  # type: ignore[no-any-return]

    async def answers(self) -> list[str]:
        """What the bot texted by itself, in order."""
        found = await self.ask("SELECT body FROM deliveries WHERE automatic ORDER BY requested_at, id")
        return [body for (body,) in found]

    async def remarks(self) -> list[str]:
        return [kind for (kind,) in await self.ask("SELECT kind FROM remarks ORDER BY made_at, thread_id")]

    async def trail(self) -> list[tuple[str, str, str | None]]:
        """What is on record but texts: who, what and why."""
        found = await self.ask("SELECT user_name, action, reason FROM audit WHERE action <> 'send' ORDER BY id")
        return [(who, what, why) for who, what, why in found]

    async def fate(self, text: Requested) -> tuple[str, str | None]:
        [(status, code)] = await self.ask("SELECT status, error_code FROM deliveries WHERE id = %s", text.delivery.id)
        return status, code

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
    ):
        yield World(pool, jobs)


async def test_stop(world: World) -> None:
    """From that moment on nothing can be stored to be texted, and nobody has to answer; one text confirms it."""
    hello = await world.texts()
    await world.writes("Where is my parcel?", at=minutes(-3))
    stop = await world.writes("“Stop!”", at=minutes(-2))
    assert await world.since() == minutes(-2)
    assert await world.answers() == ["No more from Acme."]
    assert await world.fate(hello) == ("failed", OptedOut.code)
    assert await world.ask("SELECT waiting_since FROM threads") == [(None,)]
    assert await world.trail() == [("", "opt_out", "STOP")]
    with pytest.raises(OptedOut) as refused:
        await world.texts("Are you there?")
    day = minutes(-2)
    assert refused.value.words == (
        f"+1 555-123-4567 opted out of texts on {day.day} {day:%b %Y}, so nothing is texted to them. "
        "They can write START to get texts again, or an admin can allow it."
    )
    shown = await Drawings(world.pool).load_new(stop.thread_id)
    assert shown is not None
    kinds = [
        entry.what.kind if isinstance(entry.what, Remark) else type(entry.what).__name__ for entry in shown.entries
    ]
    assert kinds == ["Inbound", "Inbound", "opted_out", "Delivery", "Delivery"]
    assert isinstance(shown.entries[-1].what, Delivery)
    assert shown.entries[-1].what.automatic


async def test_the_same_text_again(world: World) -> None:
    """Told many times, at once, and read in the list too: it is one opt-out."""
    await world.texts()
    await asyncio.gather(*(world.writes("STOP", message_id="msg_1") for _ in range(5)))
    await world.writes("STOP", message_id="msg_1", told=False)
    await world.writes("STOP", message_id="msg_read_under_another_id", told=False)
    assert await world.answers() == ["No more from Acme."]
    assert await world.remarks() == ["opted_out"]
    assert await world.trail() == [("", "opt_out", "STOP")]


async def test_a_text_told_again_after_start_opts_nobody_out(world: World) -> None:
    """What was heeded once is never heeded again."""
    await world.texts()
    for text, message_id in (("STOP", "msg_1"), ("START", "msg_2"), ("STOP", "msg_1"), ("START", "msg_2")):
        await world.writes(text, message_id=message_id, at=minutes(-2 if text == "STOP" else -1))
    assert await world.since() is None
    assert await world.answers() == ["No more from Acme.", "Again from Acme."]
    assert await world.remarks() == ["opted_out", "opted_in"]


async def test_stop_twice(world: World) -> None:
    """Whoever has opted out gets no second confirmation, until they have opted in again."""
    await world.texts()
    for text, at in (("STOP", -4), ("Unsubscribe", -3), ("start", -2), ("quit", -1)):
        await world.writes(text, at=minutes(at))
    assert await world.answers() == ["No more from Acme.", "Again from Acme.", "No more from Acme."]
    assert await world.since() == minutes(-1)


HISTORIES = [
    (("STOP", "START"), False),
    (("STOP", "YES"), False),
    (("STOP", "START", "STOP"), True),
    (("START", "STOP"), True),
    (("STOP", "STOP", "START"), False),
    (("STOP", "START", "START"), False),
    (("STOP", "START", "STOP", "START"), False),
]


async def test_any_order_of_arrival(world: World) -> None:
    """What counts is the order in which they were written, told or read."""
    people = itertools.count(5_552_000_001)
    wrong = []
    for history, out in HISTORIES:
        for order in itertools.permutations(range(len(history))):
            who = Address(f"+1{next(people)}")
            for number in order:
                await world.writes(history[number], at=minutes(number - 10), told=number % 2 == 0, who=who)
            if (await world.since(who) is not None) is not out:
                wrong.append((history, order))
    assert wrong == []


async def test_yes_means_something_else_to_whoever_gets_texts(world: World) -> None:
    """It opts nobody in who is in, is not confirmed, and somebody has to answer it."""
    await world.texts()
    await world.writes("Yes!")
    await world.writes("start")
    assert await world.answers() == await world.remarks() == []
    [(waiting,)] = await world.ask("SELECT waiting_since FROM threads")
    assert waiting is not None


async def test_a_done_thread_stays_done(world: World) -> None:
    """Nobody has to answer STOP and START; what follows opens it again."""
    await world.texts()
    await world.ask("UPDATE threads SET done_at = now(), done_by = 'Ana'")
    await world.writes("STOP", at=minutes(-3))
    await world.writes("START", at=minutes(-2))
    assert await world.ask("SELECT done_by, waiting_since FROM threads") == [("Ana", None)]
    await world.writes("Hello?", at=minutes(-1))
    assert await world.ask("SELECT done_by, waiting_since IS NULL FROM threads") == [(None, False)]


async def test_help(world: World) -> None:
    """It is answered once a minute, not hours later, also to whoever opted out, and changes nothing."""
    await world.texts()
    await world.writes("help", at=minutes(-90))
    assert await world.answers() == []
    await world.writes("Help!")
    await world.writes("INFO")
    assert await world.answers() == ["This is Acme."]
    assert await world.remarks() == await world.trail() == []
    assert await world.since() is None
    await world.ask("UPDATE deliveries SET requested_at = requested_at - interval '2 min'")
    await world.writes("STOP")
    await world.writes("help")
    assert await world.answers() == ["This is Acme.", "No more from Acme.", "This is Acme."]
    assert await world.since() is not None


async def test_no_answers(world: World) -> None:
    """Whoever wants none switches them off; the words work all the same."""
    await world.texts()
    silent = world.threads(answers={OptWord.STOP: None})
    for number, text in enumerate(("STOP", "START", "HELP")):
        at = minutes(number - 5)
        await silent.receive(Received(f"msg_{number}", JANE, LINE, text, (), None, at=at, told=True))
    assert await world.answers() == []
    assert await world.remarks() == ["opted_out", "opted_in"]


async def test_what_waits_does_not_go_out(world: World) -> None:
    """Held, queued and postponed texts fail; one of which nobody knows whether it was sent says so."""
    held, queued, busy, unknown, trying, gone = [await world.texts(f"text {n}") for n in range(6)]
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=5)
    for one in (busy, unknown, trying, gone):
        await world.deliveries.begin_attempt(one.delivery.id)
    await world.deliveries.hold(held.delivery.id, AwaitingReply.code, "Wait.", key=new_id(), check_at=later)
    await world.deliveries.postpone(busy.delivery.id, Throttled.code, until=later)
    await world.deliveries.postpone(unknown.delivery.id, BlooioTrouble.code, until=later)
    await world.deliveries.accept(gone.delivery.id, "msg_out", check_at=now)
    await world.writes("STOP")
    assert await world.fate(held) == await world.fate(queued) == await world.fate(busy) == ("failed", OptedOut.code)
    assert await world.fate(unknown) == ("failed", Unconfirmed.code)
    assert await world.fate(trying) == ("queued", None)
    assert await world.fate(gone) == ("queued", None)
    told = await world.ask("SELECT count(*) FROM notices WHERE cause IN ('opted_out', 'unconfirmed')")
    assert told == [(4,)]
    # None of them is attempted again, and the confirmation goes before all that wait.
    assert await world.deliveries.begin_attempt(held.delivery.id) is None
    assert await world.deliveries.release(JANE, LINE) == 0
    [(first,)] = await world.ask(
        "SELECT args ->> 'delivery_id' FROM procrastinate_jobs ORDER BY priority DESC, id LIMIT 1"
    )
    assert await world.ask("SELECT automatic FROM deliveries WHERE id = %s", first) == [(True,)]


async def test_the_queue_refuses_once(world: World) -> None:
    """The confirmation is stored with the text that asks for it, or neither is: then all of it happens again."""
    await world.texts()
    stop = Received("msg_1", JANE, LINE, "STOP", (), None, at=NOW, told=True)

    async def refuse(*_: object, **__: object) -> None:
        raise ConnectorException

    with pytest.raises(ConnectorException):
        await world.threads(defer=refuse).receive(stop)
    assert await world.since() is None
    assert await world.ask("SELECT count(*) FROM inbound") == [(0,)]
    await world.threads().receive(stop)
    assert await world.since() == NOW
    assert await world.answers() == ["No more from Acme."]


async def test_all_numbers_of_ours(world: World) -> None:
    """Whoever opts out does so for all of them: every thread says it, and the one that heard it confirms it."""
    await world.texts()
    await world.texts(line=OTHER_LINE)
    await world.writes("STOP", line=OTHER_LINE)
    assert await world.remarks() == ["opted_out", "opted_out"]
    found = await world.ask("SELECT t.line FROM deliveries d JOIN threads t ON t.id = d.thread_id WHERE d.automatic")
    assert found == [(OTHER_LINE,)]
    for line in (LINE, OTHER_LINE):
        with pytest.raises(OptedOut):
            await world.texts(line=line)


async def test_a_thread_in_direct_messages_stays_there(world: World) -> None:
    """The bot that confirms is no colleague who could not see it."""
    await world.texts()
    await world.ask("UPDATE threads SET conversation_id = 'D1', card_ts = '1.1'")
    await world.writes("STOP")
    assert await world.ask("SELECT conversation_id, card_ts, owner_name FROM threads") == [("D1", "1.1", "Ana")]
    assert await world.answers() == ["No more from Acme."]


async def test_somebody_unknown_writes_stop(world: World) -> None:
    """They have opted out before anybody texted them."""
    await world.writes("STOP")
    assert await world.answers() == ["No more from Acme."]
    with pytest.raises(OptedOut):
        await world.texts()


async def test_an_admin_allows_it(world: World) -> None:
    """Once, with who asked and why on record and in the thread, until they write STOP again."""
    await world.texts()
    await world.writes("STOP", at=minutes(-2))
    assert await asyncio.gather(world.allow(), world.allow()) in ([True, False], [False, True])
    assert await world.since() is None
    assert await world.remarks() == ["opted_out", "allowed"]
    assert await world.trail() == [
        ("", "opt_out", "STOP"),
        ("Ana", "override", "She called this morning (asked for by Jane)"),
    ]
    [(said,)] = await world.ask("SELECT payload FROM remarks WHERE kind = 'allowed'")
    assert said == {"by": "Ana", "asked_by": "Jane", "note": "She called this morning"}
    await world.texts("Hello again")
    await world.writes("stop", at=minutes(-1))
    assert await world.since() == minutes(-1)
    assert await world.answers() == ["No more from Acme.", "No more from Acme."]


async def test_what_was_allowed_is_not_what_we_had_not_read(world: World) -> None:
    """An admin overrules the STOP that we know of, and no other."""
    await world.texts()
    await world.writes("STOP", at=minutes(-20))
    await world.allow()
    await world.writes("STOP", at=minutes(-10), told=False)
    assert await world.since() == minutes(-10)


async def test_there_may_be_nothing_to_allow(world: World) -> None:
    """Nothing is recorded then."""
    assert not await world.allow()
    await world.texts()
    assert not await world.allow()
    assert await world.remarks() == await world.trail() == []


async def test_a_colleague_was_told(world: World) -> None:
    """It is as good as STOP, for somebody whom we never texted too; nobody is texted for it."""
    queued = await world.texts()
    assert await asyncio.gather(world.opt_out(), world.opt_out()) in ([True, False], [False, True])
    assert await world.fate(queued) == ("failed", OptedOut.code)
    assert await world.remarks() == ["opted_out_by"]
    assert await world.trail() == [("Ana", "opt_out", None)]
    assert await world.answers() == []
    assert await world.opt_out(Address("+15550000000"))
    await world.writes("START", at=minutes(-10), told=False)  # before they said so
    assert await world.since() is not None
    await world.writes("START", at=datetime.now(UTC) + timedelta(seconds=1))
    assert await world.since() is None
