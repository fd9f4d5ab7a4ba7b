"""Who looks after whom, who is writing, what channels choose and are told: in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bot.jobs import Jobs
from bot.storage.announcements import Announcement, Announcements
from bot.storage.channels import Channels
from bot.storage.database import Pool, open_pool
from bot.storage.notices import Notices
from bot.storage.presence import open_presence
from bot.storage.requests import Requests
from bot.storage.threads import Card, Cards
from bot.storage.writers import Writers
from bot.texting.errors import NotRead, NotStored
from bot.texting.model import Address, Author, Choices, Request
from bot.texting.service import new_id

LINE = "+15550109999"
WITHIN = timedelta(seconds=5)
ANA, BEN, CLEO = Author("U1", "Ana"), Author("U2", "Ben"), Author("U3", "Cleo")
JANE = Address("+15551234567")
CARD = "1700000000.000100"
AT = datetime(2026, 1, 2, 14, 2, tzinfo=UTC)


@dataclass
class Storage:
    """A thread of Ana's with somebody, in a channel."""

    pool: Pool
    requests: Requests
    cards: Cards
    card: Card

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def text(self, author: Author, *, address: Address = JANE, ago: float = 0) -> None:
        """Somebody texts a person, so many seconds ago."""
        request = Request(str(new_id()), "T1", "C1", author, address, f"words of {author.name}")
        now = datetime.now(UTC) - timedelta(seconds=ago)
        await self.requests.request(request, new_id(), lines=[LINE], now=now, within=WITHIN)

    async def writes(self, *, ago: float = 0, thread_id: int | None = None) -> None:
        """The person writes, so many seconds ago."""
        async with self.pool.connection() as connection, connection.transaction():
            now = datetime.now(UTC) - timedelta(seconds=ago)
            thread = thread_id or self.card.thread.id
            await connection.execute(
                """
                INSERT INTO inbound (id, message_id, thread_id, body, source, written_at, received_at, posted_ts)
                VALUES (gen_random_uuid(), gen_random_uuid()::text, %s, 'Hi', 'told', %s, %s, '1700000001.0')
                """,
                (thread, now, now),
            )
            await connection.execute(
                "UPDATE threads SET waiting_since = coalesce(waiting_since, %s) WHERE id = %s", (now, thread)
            )

    async def now(self) -> Card:
        return await self.cards.find(self.card.thread.id, team_id="T1", within=WITHIN)

    async def record(self) -> list[tuple[Any, ...]]:
        return await self.ask("SELECT user_name, action, reason FROM audit WHERE action <> 'send' ORDER BY id")


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with (
        open_pool(database_url) as pool,
        open_presence(database_url) as presence,
        Jobs(pool, presence).open() as jobs,
    ):
        requests, cards = Requests(pool, defer=jobs.defer), Cards(pool)
        request = Request("T1:1", "T1", "C1", ANA, JANE, "Hi")
        now = datetime.now(UTC) - timedelta(days=1)
        await requests.request(request, new_id(), lines=[LINE], now=now, within=WITHIN)
        async with pool.connection() as connection:
            await connection.execute(
                "UPDATE threads SET card_ts = %s, card_posted_at = now() - interval '23 hours'", (CARD,)
            )
        card = await cards.headed_by("C1", CARD, within=WITHIN)
        assert card is not None
        yield Storage(pool, requests, cards, card)


class TestOwnership:
    async def test_of_many_who_claim_at_once_one_has_it(self, storage: Storage) -> None:
        """The others hear who; the trail says it once, and the card is drawn again once."""
        [(before,)] = await storage.ask("SELECT revision FROM threads")
        people = [Author(f"U{number}", f"N{number}") for number in range(10, 18)]
        changes = await asyncio.gather(
            *(storage.cards.claim(storage.card, one, instead_of="U1", within=WITHIN) for one in people)
        )
        [winner] = {change.card.thread.owner for change in changes}
        assert sum(change.made for change in changes) == 1
        assert winner in people
        assert await storage.record() == [(winner.name, "claim", None)]
        assert await storage.ask("SELECT revision FROM threads") == [(before + 1,)]

    async def test_handing_over_leaves_one_notice(self, storage: Storage) -> None:
        """For whoever gets the person, in the same transaction; nobody is told that they gave it to themselves."""
        change = await storage.cards.hand_off(storage.card, ANA, BEN, instead_of="U1", within=WITHIN)
        assert change.made
        assert not (await storage.cards.hand_off(storage.card, ANA, BEN, instead_of="U1", within=WITHIN)).made
        await storage.cards.hand_off(storage.card, ANA, ANA, instead_of="U2", within=WITHIN)
        notices = Notices(storage.pool)
        [notice] = [await notices.load(number) for number in await notices.due(10)]
        assert notice is not None
        assert notice.handed is not None
        assert (notice.text, notice.handed.to, notice.handed.by_name) == (None, "U2", "Ana")
        assert await storage.record() == [("Ana", "hand_off", "U2"), ("Ana", "hand_off", "U1")]

    async def test_another_workspaces_thread_is_none(self, storage: Storage) -> None:
        """What a button says comes from the client."""
        for team, number in (("T2", storage.card.thread.id), ("T1", 0)):
            with pytest.raises(NotRead):
                await storage.cards.find(number, team_id=team, within=WITHIN)

    async def test_reopened_they_wait_since_what_nobody_answered(self, storage: Storage) -> None:
        """Done ends the wait; taken back, it began with the first text after our last."""
        await storage.text(ANA, ago=300)
        await storage.writes(ago=200)
        await storage.writes(ago=100)
        waiting = (await storage.now()).thread.waiting_since
        assert waiting is not None
        closed = await storage.cards.close(storage.card, BEN, within=WITHIN)
        assert (closed.card.thread.waiting_since, closed.card.thread.done_by) == (None, "Ben")
        reopened = await storage.cards.reopen(storage.card, BEN, within=WITHIN)
        assert reopened.card.thread.waiting_since == waiting
        await storage.text(ANA)
        await storage.cards.close(storage.card, BEN, within=WITHIN)
        assert (await storage.cards.reopen(storage.card, BEN, within=WITHIN)).card.thread.waiting_since is None

    @pytest.mark.parametrize(
        ("heard", "done"),
        [
            pytest.param([("on", 1)], True, id="put on"),
            pytest.param([("on", 1), ("off", 2)], False, id="and taken off"),
            pytest.param([("off", 2), ("on", 1)], False, id="heard of in the wrong order"),
            pytest.param([("on", 1), ("off", 2), ("on", 1)], False, id="the first comes again"),
            pytest.param([("on", 3), ("off", 2), ("on", 1)], True, id="put on again, all in the wrong order"),
            pytest.param([("on", 1), ("reopen", 0), ("on", 1)], False, id="reopened by hand, then it comes again"),
            pytest.param([("done", 0), ("on", 1), ("off", 2)], False, id="done by hand before"),
            pytest.param([("on", 1), ("text", 0), ("on", 1)], False, id="somebody texted since"),
        ],
    )
    async def test_the_last_check_mark_counts(self, storage: Storage, heard: list[tuple[str, int]], done: bool) -> None:
        """In whatever order, and however often, Slack tells of them."""
        for what, second in heard:
            at = AT + timedelta(seconds=second)
            match what:
                case "on":
                    await storage.cards.close(storage.card, BEN, check_mark_at=at, within=WITHIN)
                case "off":
                    await storage.cards.reopen(storage.card, BEN, check_mark_at=at, within=WITHIN)
                case "done":
                    await storage.cards.close(storage.card, ANA, within=WITHIN)
                case "reopen":
                    await storage.cards.reopen(storage.card, ANA, within=WITHIN)
                case _:
                    await storage.text(ANA)
        assert ((await storage.now()).thread.done_at is not None) == done

    async def test_a_locked_row_is_answered_in_time(self, storage: Storage) -> None:
        """Slack's three seconds do not pass, and nothing is on record."""
        async with await psycopg.AsyncConnection.connect(storage.pool.conninfo) as other:
            await other.execute("SELECT 1 FROM threads FOR UPDATE")
            with pytest.raises(NotStored):
                await storage.cards.close(storage.card, BEN, within=timedelta(seconds=0.2))
        assert await storage.record() == []


class TestWriters:
    @pytest.fixture
    def writers(self, storage: Storage) -> Writers:
        return Writers(storage.pool)

    async def test_somebody_writes_to_one_person(self, writers: Writers) -> None:
        """Others see them, they do not see themselves, and choosing somebody else ends it."""
        await writers.begins("T1", JANE, ANA)
        await writers.begins("T1", JANE, BEN)
        assert await writers.writing_to("T1", JANE, besides="U3") == [ANA, BEN]
        assert await writers.writing_to("T1", JANE, besides="U1") == [BEN]
        assert await writers.writing_to("T2", JANE, besides="U3") == []
        await writers.begins("T1", "sam@x.example", ANA)
        assert await writers.writing_to("T1", JANE, besides="U3") == [BEN]
        assert await writers.ends("T1", "U1") == ["sam@x.example"]
        assert await writers.writing_to("T1", "sam@x.example", besides="U3") == []

    async def test_it_is_forgotten(self, storage: Storage, writers: Writers) -> None:
        """After three minutes; who chooses again then has begun again."""
        await writers.begins("T1", JANE, ANA)
        await storage.ask("UPDATE writers SET since = since - interval '181 seconds'")
        assert await writers.writing_to("T1", JANE, besides="U2") == []
        await writers.begins("T1", JANE, ANA)
        assert await writers.writing_to("T1", JANE, besides="U2") == [ANA]

    @pytest.mark.parametrize(
        ("began", "texted", "told"),
        [
            pytest.param(60, 30, True, id="after they began"),
            pytest.param(5, 8, True, id="seconds before"),
            pytest.param(None, 8, True, id="seconds ago, and nobody knows when they began"),
            pytest.param(5, 11, False, id="before"),
            pytest.param(None, 11, False, id="a while ago"),
            pytest.param(7300, 7200, False, id="hours ago, in a form left open"),
        ],
    )
    async def test_what_a_colleague_texted_meanwhile(
        self, storage: Storage, writers: Writers, began: float | None, texted: float, told: bool
    ) -> None:
        """Is news once to whoever was writing then, and never to its author."""
        await storage.text(ANA, ago=texted)
        if began is not None:
            await writers.begins("T1", JANE, BEN)
            await storage.ask("UPDATE writers SET since = now() - make_interval(secs => %s)", began)
        crossing = await writers.crossed("T1", JANE, BEN)
        assert (crossing is not None) == told
        if crossing is not None:
            assert (crossing.author, crossing.body) == (ANA, "words of Ana")
        assert await writers.crossed("T1", JANE, BEN) is None
        assert await writers.crossed("T1", JANE, ANA) is None

    @pytest.mark.parametrize(
        ("began", "texted", "forgotten"),
        [
            pytest.param("25 hours", None, 1, id="a form that was left open"),
            pytest.param("23 hours", None, 0, id="not so long ago"),
            pytest.param("25 hours", "25 hours", 1, id="told of a text that is as old"),
            pytest.param("25 hours", "1 minute", 0, id="told of a text just now, which would be news again"),
        ],
    )
    async def test_what_is_of_no_use_any_more_goes(
        self, storage: Storage, writers: Writers, began: str, texted: str | None, forgotten: int
    ) -> None:
        """Nobody has to close a form for that."""
        await writers.begins("T1", JANE, BEN)
        if texted is not None:
            await storage.text(ANA, ago=5)
            assert await writers.crossed("T1", JANE, BEN) is not None
            await storage.ask(f"UPDATE deliveries SET requested_at = now() - interval '{texted}'")
        await storage.ask(f"UPDATE writers SET since = now() - interval '{began}'")
        assert await writers.forget_old() == forgotten

    async def test_another_text_is_news_again(self, storage: Storage, writers: Writers) -> None:
        """Whoever was told of one is told of the next, too."""
        for author in (ANA, CLEO):
            await storage.text(author)
            crossing = await writers.crossed("T1", JANE, BEN)
            assert crossing is not None
            assert crossing.author == author
        assert await writers.crossed("T1", JANE, BEN) is None


class TestChannels:
    async def test_what_was_chosen_is_kept_and_on_record(self, storage: Storage) -> None:
        """Once; the same again is no news."""
        channels = Channels(storage.pool)
        assert await channels.choices("C1", within=WITHIN) == Choices("texted", 60)
        wanted = Choices("never", 15)
        assert await channels.choose("C1", wanted, ANA, within=WITHIN)
        assert not await channels.choose("C1", wanted, BEN, within=WITHIN)
        assert await channels.choices("C1", within=WITHIN) == wanted
        assert await storage.record() == [("Ana", "settings", "replies=never quiet_minutes=15")]

    async def test_cards_are_drawn_again_where_it_changes_them(self, storage: Storage) -> None:
        """Only in that channel, and only if a button comes or goes."""
        channels = Channels(storage.pool)
        revisions = []
        for replies, where in (
            ("asked_for", "C1"),
            ("never", "C2"),
            ("never", "C1"),
            ("never", "C1"),
            ("texted", "C1"),
        ):
            await channels.choose(where, Choices(replies), ANA, within=WITHIN)
            revisions += await storage.ask("SELECT revision FROM threads")
        [first, *rest] = [revision for (revision,) in revisions]
        assert [revision - first for revision in rest] == [0, 1, 1, 2]


class TestAnnouncements:
    @pytest.fixture
    def announcements(self, storage: Storage) -> Announcements:
        return Announcements(storage.pool)

    async def due(self, announcements: Announcements) -> Announcement:
        [number] = await announcements.due(10)
        found = await announcements.load(number)
        assert found is not None
        return found

    async def posted(self, announcements: Announcements) -> Announcement:
        """Post what is due."""
        due = await self.due(announcements)
        await announcements.begin(due)
        assert await announcements.posted(due, "1700000009.0", revision=due.revision)
        return due

    async def test_texts_are_counted_until_somebody_answers(
        self, storage: Storage, announcements: Announcements
    ) -> None:
        """In one announcement, which is edited; the key of its post stays."""
        await storage.writes()
        first = await self.posted(announcements)
        assert [(one.texts, one.answered_by) for one in first.wrote] == [(1, None)]
        assert await announcements.due(10) == []
        await storage.writes()
        second = await self.due(announcements)
        assert (second.ts, second.key, second.wrote[0].texts) == ("1700000009.0", first.key, 2)
        assert await announcements.edited(second)
        await storage.text(BEN)
        third = await self.due(announcements)
        assert third.wrote[0].answered_by == "Ben"
        assert await announcements.edited(third)
        assert await announcements.due(10) == []

    @pytest.mark.parametrize(
        ("change", "due"),
        [
            pytest.param("SELECT 1", True, id="an old card in a channel"),
            pytest.param("UPDATE threads SET card_posted_at = now()", False, id="a new card"),
            pytest.param("UPDATE threads SET card_ts = NULL", False, id="no card yet"),
            pytest.param("UPDATE threads SET conversation_id = 'D1'", False, id="in direct messages"),
            pytest.param("UPDATE threads SET conversation_id = ''", False, id="nowhere yet"),
            pytest.param(
                "INSERT INTO channels (conversation_id, quiet_minutes) VALUES ('C1', 0)", False, id="it wants none"
            ),
            pytest.param(
                "INSERT INTO channels (conversation_id, quiet_minutes) VALUES ('C1', 1440)", False, id="once a day"
            ),
        ],
    )
    async def test_where_a_text_is_announced(
        self, storage: Storage, announcements: Announcements, change: str, due: bool
    ) -> None:
        """Only where nothing else shows it, and the channel wants it."""
        await storage.ask(change)
        await storage.writes()
        assert bool(await announcements.due(10)) == due

    async def test_after_the_interval_the_next_text_begins_another(
        self, storage: Storage, announcements: Announcements
    ) -> None:
        """With another key and without what was told before; an edit of the old one that comes late changes nothing."""
        await storage.writes()
        await self.posted(announcements)
        await storage.writes()
        late = await self.due(announcements)
        await storage.ask("UPDATE channels SET announced_at = announced_at - interval '61 minutes'")
        await storage.writes()
        assert not await announcements.edited(late)
        new = await self.due(announcements)
        assert (new.ts, [one.texts for one in new.wrote]) == (None, [1])
        assert new.key != late.key

    async def test_what_nobody_waits_for_is_not_announced(self, storage: Storage, announcements: Announcements) -> None:
        """Answered before it was posted; the next text is not counted together with it."""
        await storage.writes()
        await storage.text(BEN)
        due = await self.due(announcements)
        assert [one.answered_by for one in due.wrote] == ["Ben"]
        assert await announcements.shown(due)
        assert await announcements.due(10) == []
        await storage.writes()
        assert [one.texts for one in (await self.due(announcements)).wrote] == [1]

    async def test_a_text_that_comes_while_there_is_nothing_to_show(
        self, storage: Storage, announcements: Announcements
    ) -> None:
        """Is not lost with it."""
        await storage.writes()
        due = await self.due(announcements)
        await storage.writes()
        assert not await announcements.shown(due)
        assert [one.texts for one in (await self.due(announcements)).wrote] == [2]

    async def test_an_answer_and_a_text_at_once(self, storage: Storage, announcements: Announcements) -> None:
        """They wait for each other in one order: none is refused because they wait in a circle."""
        await storage.writes()
        await self.posted(announcements)
        for _ in range(5):
            await asyncio.gather(
                *(storage.writes() for _ in range(4)),
                *(storage.text(author) for author in (ANA, BEN)),
                Channels(storage.pool).choose("C1", Choices("never"), ANA, within=WITHIN),
                Channels(storage.pool).choose("C1", Choices("texted"), ANA, within=WITHIN),
            )
        [(texts,)] = await storage.ask("SELECT count(*) FROM inbound")
        assert texts == 21
