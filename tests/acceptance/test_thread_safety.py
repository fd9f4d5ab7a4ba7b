"""Whatever happens in a thread, the phone gets what was meant for it, once, and nothing else."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.slack.seed import SIGNING_SECRET
from sandbox.slack.signing import sign
from tests.acceptance.talking import Conversation, Talk
from tests.message_events import (
    ANA,
    ASKED,
    BEN,
    BOT_USER,
    CASES,
    GONE,
    GUEST,
    NOTE,
    NOTHING,
    OTHER_APP,
    OTHER_BOT,
    OTHER_BOT_USER,
    REFUSED,
    TEAM,
    TEXTED,
    Case,
    Event,
    Where,
    deleted,
    edited,
    typed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Slack's events are made here, so it does not matter which way they come.
over_http = pytest.mark.parametrize("shared_transport", ["http"], indirect=True)

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Wire:
    """Slack, as far as it sends: signed, and each request answered before the next."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def tells(self, event: Event) -> None:
        body = {
            "token": "x",
            "team_id": TEAM,
            "api_app_id": "A0TEXTING01",
            "event": event,
            "type": "event_callback",
            "event_id": "Ev1",
            "event_time": 1,
        }
        await self._send(json.dumps(body).encode(), JSON)

    async def acts(self, payload: dict[str, Any]) -> None:
        await self._send(urlencode({"payload": json.dumps(payload)}).encode(), FORM)

    async def _send(self, body: bytes, content_type: str) -> None:
        timestamp = int(time.time())
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": str(timestamp),
            "X-Slack-Signature": sign(SIGNING_SECRET, timestamp, body),
        }
        response = await self._http.post(self._url, content=body, headers=signed)
        assert response.status_code == 200, response.text


@asynccontextmanager
async def wired(talk: Talk) -> AsyncIterator[Wire]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Wire(f"{talk.stage.app.url}/slack/events", http)


async def run(talk: Talk, query: str, *values: object) -> list[tuple[Any, ...]]:
    async with talk.stage.app.pool.connection() as connection:
        cursor = await connection.execute(query, values)
        return await cursor.fetchall() if cursor.description else []


async def begins(talk: Talk) -> Conversation:
    """Begin a thread with a text that nobody can collide with any more."""
    thread = await talk.begins("Hello")
    await thread.received("Hello")
    await run(
        talk,
        "UPDATE deliveries d SET requested_at = requested_at - interval '1 minute' FROM threads t"
        " WHERE t.id = d.thread_id AND t.conversation_id = %s",
        thread.home,
    )
    return thread


async def wants(talk: Talk, thread: Conversation, mode: str) -> None:
    await run(
        talk,
        "INSERT INTO channels (conversation_id, replies) VALUES (%s, %s)"
        " ON CONFLICT (conversation_id) DO UPDATE SET replies = excluded.replies",
        thread.home,
        mode,
    )


async def got(talk: Talk, thread: Conversation, words: list[str]) -> list[str]:
    """What the phone has got once nothing is under way any more; *words* are expected."""
    waiting = (
        "SELECT count(*) FROM deliveries d JOIN threads t ON t.id = d.thread_id"
        " WHERE t.conversation_id = %s AND d.status = 'queued'"
    )
    async with asyncio.timeout(60):
        while await run(talk, waiting, thread.home) != [(0,)]:  # noqa: ASYNC110  (a row has no event)
            await asyncio.sleep(0.02)
    return [text.text or "" for text in await thread.phone.received(at_least=len(words))]


@over_http
@pytest.mark.parametrize(
    ("mode", "done"),
    [
        pytest.param("texted", False, id="replies are texted"),
        pytest.param("texted", True, id="the thread is done"),
        pytest.param("asked_for", False, id="replies that name the bot"),
        pytest.param("never", False, id="alerts only"),
    ],
)
async def test_the_only_texts_that_leave_are_those_meant(talk: Talk, mode: str, done: bool) -> None:
    """The table of events, sent to the running bot: each has its fate, and the phone got what was meant."""
    cases = [case for case in CASES if case.mode == mode and case.done is done]
    assert cases
    thread = await begins(talk)
    await wants(talk, thread, mode)
    host = urlsplit(str(talk.stage.app.slack.identity["url"])).netloc
    now, fates = int(time.time()), {}
    async with wired(talk) as wire:
        for number, case in enumerate(cases):
            at = Where(thread.home, thread.card.ts, f"{now + 1000 + 20 * number}.000100", host)
            if done:
                await run(talk, "UPDATE threads SET done_at = now() WHERE conversation_id = %s", thread.home)
            for _ in range(2):  # Slack tells of it twice
                await wire.tells(case.make(at))
            fates[case.name] = await fate(talk, at)

    assert fates == {case.name: (case.what, case.why or fates[case.name][1]) for case in cases}
    expected = ["Hello", *(meant(case) for case in cases if case.what == TEXTED)]
    assert await got(talk, thread, expected) == expected


async def fate(talk: Talk, at: Where) -> tuple[str, str | None]:
    rows = await run(talk, "SELECT fate, reason FROM replies WHERE conversation_id = %s AND ts = %s", at.home, at.ts)
    return rows[0] if rows else (NOTHING, None)


def meant(case: Case) -> str:
    assert case.body is not None
    return case.body


# Any sequence of actions.


@dataclass
class Message:
    """What somebody typed, as an oracle knows it."""

    author: str
    kind: str
    words: str  # of the message as it is now
    ts: str
    was: str = ""  # its kind before the last edit
    is_deleted: bool = False


@dataclass
class Row:
    """What the bot should have made of it."""

    fate: str
    words: str
    changed: str | None = None


@dataclass
class World:
    """A thread, and what should become of all that happens in it."""

    thread: Conversation
    now: int = field(default_factory=lambda: int(time.time()))
    mode: str = "texted"
    done: bool = False
    messages: list[Message] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    meant: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    moment: int = 0

    def tick(self) -> str:
        """A ts further on than any before: no two people answer within ten seconds."""
        self.moment += 1
        return f"{self.now + 1000 + 20 * self.moment}.000100"

    def at(self, ts: str) -> Where:
        return Where(self.thread.home, self.thread.card.ts, ts)

    def decide(self, kind: str) -> str | None:
        """Say what becomes of words of a kind, now."""
        if self.mode == "never":
            return REFUSED if kind == "named" else None
        if self.mode == "asked_for" and kind != "named":
            return None
        if kind == "note":
            return NOTE
        return ASKED if kind == "mention" or self.done else TEXTED

    def text(self, row: Row) -> None:
        row.fate, self.done = TEXTED, False
        self.meant.append(row.words)

    def answer(self, row: Row) -> None:
        """Somebody said that it is to be texted, whatever it was."""
        self.text(row)
        self.said.add(row.words)


def written(kind: str, words: str) -> str:
    return {"note": "!", "mention": f"<@{BEN}> ", "named": f"<@{BOT_USER}> "}.get(kind, "") + words


def as_texted(kind: str, words: str) -> str:
    return f"@Ben Baker {words}" if kind == "mention" else words


KINDS = st.sampled_from(["plain", "plain", "plain", "note", "mention", "named"])
PEOPLE = st.sampled_from([ANA, ANA, BEN])
WHICH = st.integers(0, 7)
#: How many other events overtake it, and how often it comes.
COMES = st.tuples(st.integers(0, 2), st.integers(1, 2))

ACTIONS = st.one_of(
    st.tuples(st.just("types"), PEOPLE, KINDS, COMES),
    st.tuples(st.just("types"), PEOPLE, KINDS, COMES),
    st.tuples(st.just("edits"), WHICH, KINDS, COMES),
    st.tuples(st.just("deletes"), WHICH, st.none(), COMES),
    st.tuples(st.just("unfurls"), WHICH, st.none(), COMES),
    st.tuples(st.just("strays"), st.sampled_from(["root", "other", "bot", "classic", "guest", "me"]), st.none(), COMES),
    st.tuples(st.just("mode"), st.sampled_from(["texted", "texted", "asked_for", "never"]), st.none(), st.none()),
    st.tuples(st.just("done"), st.none(), st.none(), st.none()),
    st.tuples(st.just("answers"), WHICH, st.sampled_from(["reply_text", "reply_keep"]), st.booleans()),
    st.tuples(st.just("shortcut"), WHICH, st.none(), st.none()),
)


class Play:
    """One sequence of actions, sent to the bot and to the oracle."""

    def __init__(self, talk: Talk, thread: Conversation, wire: Wire) -> None:
        self.talk = talk
        self.wire = wire
        self.world = World(thread)
        self.late: list[tuple[int, Event, Any]] = []  # how many events go before it, it, what the oracle makes of it

    async def acts(self, action: tuple[str, Any, Any, Any]) -> None:
        name, first, second, third = action
        await getattr(self, name)(first, second, third)

    async def types(self, author: str, kind: str, comes: tuple[int, int]) -> None:
        world = self.world
        message = Message(author, kind, f"{kind} {len(world.messages)}", world.tick())
        world.messages.append(message)
        event = typed(world.at(message.ts), written(kind, message.words), user=author)
        words = as_texted(kind, message.words)

        def heard() -> None:
            if message.ts in world.rows or (fate := world.decide(kind)) is None:
                return
            world.rows[message.ts] = row = Row(fate, words)
            if fate == TEXTED:
                world.text(row)

        await self._comes(event, heard, comes)

    async def edits(self, which: int, kind: str, comes: tuple[int, int]) -> None:
        message = self._choose(which)
        if message is None:
            return
        world, changed = self.world, self.world.tick()
        words, was = f"{kind} edit {world.moment}", message.kind
        event = edited(
            world.at(message.ts),
            written(kind, words),
            before=written(was, message.words),
            user=message.author,
            edited={"user": message.author, "ts": changed},
        )
        message.words, message.kind, message.was = words, kind, was

        def heard() -> None:
            row, fate = world.rows.get(message.ts), world.decide(kind)
            fate = ASKED if fate == TEXTED else fate
            if row is None:
                if fate is not None:
                    fate = NOTE if was == "note" else fate
                    world.rows[message.ts] = Row(fate, as_texted(kind, words), changed)
            elif row.fate in {ASKED, REFUSED} and (row.changed or "") < changed:
                world.rows[message.ts] = Row(fate or NOTE, as_texted(kind, words), changed)

        await self._comes(event, heard, comes)

    async def deletes(self, which: int, _: None, comes: tuple[int, int]) -> None:
        message = self._choose(which)
        if message is None:
            return
        world, changed = self.world, self.world.tick()
        message.is_deleted = True

        def heard() -> None:
            row = world.rows.get(message.ts)
            if row is None or row.fate != TEXTED:
                world.rows[message.ts] = Row(GONE, "", changed)

        event = deleted(world.at(message.ts), event_ts=changed)
        event["previous_message"] |= {"user": message.author, "text": written(message.kind, message.words)}
        await self._comes(event, heard, comes)

    async def unfurls(self, which: int, _: None, comes: tuple[int, int]) -> None:
        message = self._choose(which)
        if message is not None:
            text = written(message.kind, message.words)
            await self._comes(edited(self.world.at(message.ts), text, before=text, edited=...), lambda: None, comes)

    async def strays(self, what: str, _: None, comes: tuple[int, int]) -> None:
        """Something that is never texted, whatever it says."""
        changes: dict[str, dict[str, Any]] = {
            "root": {"thread_ts": ...},
            "other": {"thread_ts": "1600000000.000100", "subtype": "thread_broadcast"},
            "bot": {"user": OTHER_BOT_USER, "bot_id": OTHER_BOT, "app_id": OTHER_APP},
            "classic": {"user": ..., "bot_id": OTHER_BOT, "subtype": "bot_message"},
            "guest": {"user": GUEST},
            "me": {"subtype": "me_message"},
        }
        at = self.world.at(self.world.tick())
        await self._comes(typed(at, f"stray {what} {self.world.moment}", **changes[what]), lambda: None, comes)

    async def mode(self, mode: str, _: None, __: None) -> None:
        await self.settle()
        self.world.mode = mode
        await wants(self.talk, self.world.thread, mode)

    async def done(self, _: None, __: None, ___: None) -> None:
        await self.settle()
        self.world.done = True
        home = self.world.thread.home
        await run(self.talk, "UPDATE threads SET done_at = now() WHERE conversation_id = %s", home)

    async def answers(self, which: int, button: str, outdated: bool) -> None:
        """Press a button of the question about a reply, or of an earlier question."""
        message = self._choose(which, is_deleted=None)
        if message is None:
            return
        row, world = self.world.rows.get(message.ts), self.world
        changed = "1.000100" if outdated else (row.changed if row else None)
        await self.wire.acts(self._click(message, button, f"{message.ts}:{changed or ''}"))
        if row is None or row.fate != ASKED or outdated:
            return
        if button == "reply_keep":
            row.fate = NOTE
        elif world.mode != "never":
            world.answer(row)

    async def shortcut(self, which: int, _: None, __: None) -> None:
        """*Text this reply*: it asks, whatever the reply was taken for."""
        message = self._choose(which)
        if message is None:
            return
        world, at = self.world, self.world.at(message.ts)
        row = world.rows.get(message.ts)
        payload = self._payload(message) | {
            "type": "message_action",
            "callback_id": "text_reply",
            "message_ts": message.ts,
            "message": typed(at, written(message.kind, message.words), user=message.author),
        }
        await self.wire.acts(payload)
        if world.mode != "never" and (row is None or row.fate not in {TEXTED, GONE}):
            await self._until(message.ts, ASKED)  # Slack has its answer before
            words = as_texted(message.kind, message.words)
            world.rows[message.ts] = Row(ASKED, words, row.changed if row else None)

    async def _until(self, ts: str, fate: str) -> None:
        query, home = "SELECT fate FROM replies WHERE conversation_id = %s AND ts = %s", self.world.thread.home
        async with asyncio.timeout(60):
            while await run(self.talk, query, home, ts) != [(fate,)]:  # noqa: ASYNC110  (a row has no event)
                await asyncio.sleep(0.02)

    async def settle(self) -> None:
        """Let everything arrive that is late."""
        while self.late:
            await self._deliver(*self.late.pop(0)[1:])

    async def _comes(self, event: Event, heard: Any, comes: tuple[int, int]) -> None:
        delay, times = comes
        self.late += [(delay, event, heard)] * times
        waiting, self.late = self.late, []
        for left, late, then in waiting:
            if left:
                self.late.append((left - 1, late, then))
            else:
                await self._deliver(late, then)

    async def _deliver(self, event: Event, heard: Any) -> None:
        await self.wire.tells(event)
        heard()

    def _choose(self, which: int, *, is_deleted: bool | None = False) -> Message | None:
        there = [one for one in self.world.messages if is_deleted is None or one.is_deleted is is_deleted]
        return there[which % len(there)] if there else None

    def _click(self, message: Message, action_id: str, value: str) -> dict[str, Any]:
        container = {"type": "message", "message_ts": "1.2", "thread_ts": self.world.thread.card.ts}
        return self._payload(message) | {
            "type": "block_actions",
            "container": container | {"channel_id": self.world.thread.home, "is_ephemeral": True},
            "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        }

    def _payload(self, message: Message) -> dict[str, Any]:
        return {
            "user": {"id": message.author, "username": "x", "team_id": TEAM},
            "team": {"id": TEAM, "domain": "acme"},
            "api_app_id": "A0TEXTING01",
            "channel": {"id": self.world.thread.home, "name": "x"},
            "trigger_id": "1.2.x",
            "response_url": f"{self.talk.sandbox.url}/nowhere",
        }


@over_http
@pytest.mark.timeout(180)  # many stories one after the other; on a machine that does much else they take long
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a sequence is short as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=st.lists(ACTIONS, min_size=3, max_size=14))
async def test_any_sequence_of_actions(talk: Talk, actions: list[tuple[str, Any, Any, Any]]) -> None:
    """Notes, edits and other bots' words never reach the phone, and what is meant reaches it exactly once."""
    random.seed(time.time_ns())  # Hypothesis seeds each example alike, and so the sandbox would repeat its ids
    thread = await begins(talk)
    async with wired(talk) as wire:
        play = Play(talk, thread, wire)
        for action in actions:
            await play.acts(action)
        await play.settle()

    expected = ["Hello", *play.world.meant]
    arrived = await got(talk, thread, expected)
    assert Counter(arrived) == Counter(expected)
    unasked = [words for words in arrived if words not in play.world.said]
    assert all(words.startswith(("Hello", "plain", "named")) and "edit" not in words for words in unasked)
    rows = await run(talk, "SELECT ts, fate FROM replies WHERE conversation_id = %s", thread.home)
    ours = {ts: fate for ts, fate in rows if ts in {one.ts for one in play.world.messages}}
    assert ours == {ts: row.fate for ts, row in play.world.rows.items()}
