"""The traps of both transports: nothing is lost, doubled or left unanswered, whichever way Slack reaches us."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from slack_sdk.signature import SignatureVerifier

from sandbox.blooio.driver import Phone
from sandbox.driver import Sandbox
from tests.acceptance.stage import SUPPORT, Stage, bot_beside

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = "application/x-www-form-urlencoded"
IN_TIME = 3.0  # seconds, as Slack counts them
NOT_STORED = "⚠️ We could not save this text, so it was not sent. Try again in a minute."

over_http = pytest.mark.parametrize("shared_transport", ["http"], indirect=True)
over_a_socket = pytest.mark.parametrize("shared_transport", ["socket"], indirect=True)


@asynccontextmanager
async def locked(stage: Stage, table: str) -> AsyncIterator[None]:
    """Keep everybody from a table, as a database in trouble does."""
    async with (
        await psycopg.AsyncConnection.connect(stage.app.pool.conninfo) as connection,
        connection.transaction(force_rollback=True),
    ):
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def quick_phone(sandbox: Sandbox, number: str) -> Phone:
    """Return a phone that a text reaches at once."""
    phone = sandbox.phone(number)
    await phone.becomes(sent_after=0, delivered_after=0)
    return phone


async def stored(stage: Stage, words: str) -> int:
    """Count the texts with these words."""
    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM deliveries WHERE body = %s", (words,))
        (count,) = await cursor.fetchone() or (0,)
    return int(count)


async def test_database_in_trouble(shared_stage: Stage) -> None:
    """Whoever sends a text that cannot be stored is told in time, gets the words back, and nothing is sent later."""
    phone = await quick_phone(shared_stage.sandbox, "+15554000002")
    async with locked(shared_stage, "deliveries"):
        began = time.monotonic()
        answer = await shared_stage.ana.types(SUPPORT, "/text +15554000002 Hi <Jane> & co")
        assert time.monotonic() - began < IN_TIME
    assert answer.text == f"{NOT_STORED}\nYou typed:\n/text +15554000002 Hi <Jane> & co"

    await shared_stage.ana.types(SUPPORT, "/text +15554000002 again")

    assert [text.text for text in await phone.received(1)] == ["again"]
    assert await stored(shared_stage, "Hi <Jane> & co") == 0


async def test_database_in_trouble_where_no_thread_can_live(shared_stage: Stage) -> None:
    """It is the same where the bot first has to look whether the person has a thread elsewhere."""
    async with locked(shared_stage, "people"):
        answer = await shared_stage.ana.types("@ben", "/text +15554000004 Hi Jane")
    assert answer.text == f"{NOT_STORED}\nYou typed:\n/text +15554000004 Hi Jane"
    assert await shared_stage.sandbox.phone("+15554000004").texts() == []


async def test_database_late(shared_stage: Stage) -> None:
    """A database that takes a moment is waited for, and the text goes out once."""
    phone = await quick_phone(shared_stage.sandbox, "+15554000006")
    async with locked(shared_stage, "deliveries"):
        typing = asyncio.create_task(shared_stage.ana.types(SUPPORT, "/text +15554000006 late"))
        await storing(shared_stage)
    assert (await typing).text == "Texting +1 555-400-0006."
    assert [text.text for text in await phone.received(1)] == ["late"]


async def test_slack_late(transport: str, database_url: str) -> None:
    """A Slack that is slow to say what a channel is does not make the acknowledgement late."""
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport=transport):
        phone = await quick_phone(sandbox, "+15554000008")
        await sandbox.order(vendor="slack", where="conversations.info", kind="latency", seconds=20)
        began = time.monotonic()
        answer = await sandbox.person("ana").types(SUPPORT, "/text +15554000008 Hi Jane")
        assert (answer.text, time.monotonic() - began < IN_TIME) == ("Texting +1 555-400-0008.", True)
        assert [text.text for text in await phone.received(1)] == ["Hi Jane"]


async def test_doubled_command(shared_stage: Stage) -> None:
    """A command that Slack delivers twice at once is one text."""
    phone = await quick_phone(shared_stage.sandbox, "+15554000010")
    await shared_stage.sandbox.order(vendor="slack", where="deliver:slash_commands", kind="double")
    answer = await shared_stage.ana.types(SUPPORT, "/text +15554000010 only once")
    assert answer.text == "Texting +1 555-400-0010."

    await shared_stage.ana.types(SUPPORT, "/text +15554000010 the next")

    assert [text.text for text in await phone.received(2)] == ["only once", "the next"]
    assert await stored(shared_stage, "only once") == 1


async def test_lost_acknowledgement(shared_stage: Stage) -> None:
    """When Slack misses our answer it says that the command failed; the thread shows that the text went out."""
    home = await shared_stage.sandbox.creates_channel(f"lost-{shared_stage.transport}", members=["ana", "bot"])
    await shared_stage.sandbox.order(vendor="slack", where="deliver:slash_commands", kind="drop_after")

    answer = await shared_stage.ana.types(home, "/text +15554000012 Hi Jane")

    assert answer.text == '/text failed with the error "operation_timeout"'
    (text,) = await shared_stage.settles("🔵 iMessage", where=home)
    assert text.text.startswith("Hi Jane\n")


async def test_retried_event(shared_stage: Stage) -> None:
    """An event that Slack delivers again, because it missed our answer, changes nothing."""
    home = await shared_stage.sandbox.creates_channel(f"again-{shared_stage.transport}", members=["ana", "bot"])
    await shared_stage.ana.types(home, "/text +15554000014 one")
    await shared_stage.settles("🔵 iMessage · Delivered", where=home)
    (card,) = await shared_stage.cards(home)

    async def heard_it_all() -> bool:  # the bot's own last edit comes back to it as an event, too
        events = await shared_stage.sandbox.exchanges(name="deliver:events_api")
        return any(home in (told := str(one["body"])) and "Delivered" in told for one in events)

    await shared_stage.sandbox.until(heard_it_all)
    await shared_stage.sandbox.order(vendor="slack", where="deliver:events_api", kind="drop_after")
    before = len(await shared_stage.sandbox.exchanges(name="deliver:events_api"))
    await shared_stage.ana.deletes(home, card.ts)

    async def delivered_again() -> bool:
        events = (await shared_stage.sandbox.exchanges(name="deliver:events_api"))[before:]
        return [(one["headers"]["attempt"], one["status"]) for one in events] == [("0", 0), ("1", 200)]

    await shared_stage.sandbox.until(delivered_again)
    await shared_stage.ana.types(home, "/text +15554000014 two")
    (text,) = await shared_stage.settles("🔵 iMessage", where=home)
    assert text.text.startswith("two\n")


async def test_stopped_under_way(transport: str, database_url: str) -> None:
    """A command under way when the bot is stopped is stored and answered, and the next bot sends it."""
    async with Sandbox.start() as sandbox, AsyncExitStack() as bot:
        phone = await quick_phone(sandbox, "+15554000016")
        app = await bot.enter_async_context(bot_beside(sandbox, database_url, transport=transport))
        stage = Stage(sandbox, app, transport)
        async with locked(stage, "deliveries"):
            typing = asyncio.create_task(stage.ana.types(SUPPORT, "/text +15554000016 just in time"))
            await storing(stage)
            with said("stopping") as stopping:
                end = asyncio.create_task(bot.aclose())
                await stopping.wait()
        assert (await typing).text == "Texting +1 555-400-0016."
        await end

        async with bot_beside(sandbox, database_url, transport=transport):
            assert [text.text for text in await phone.received(1)] == ["just in time"]


@over_a_socket
@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled", "too_many_websockets", "cut"])
async def test_reconnected(shared_stage: Stage, reason: str) -> None:
    """Whenever Slack ends a connection, for whatever reason, the next command is received and answered."""
    sandbox, name = shared_stage.sandbox, "apps.connections.open"
    before = len(await sandbox.exchanges(name=name))
    await sandbox.disconnect(None if reason == "cut" else reason, cut=reason == "cut")

    async def connected() -> bool:
        opened = len(await sandbox.exchanges(name=name)) > before
        return opened and (await sandbox.transport())["connections"] == 1

    await sandbox.until(connected, timeout=20)
    answer = await shared_stage.ana.types(SUPPORT, "/text +15554000018 after " + reason)
    assert answer.text.startswith("Texting +1 555-400-0018.")


@over_http
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param(
            {"type": "url_verification", "challenge": "abc"}, {"challenge": "abc"}, id="the challenge of the URL"
        ),
        pytest.param(
            {"type": "event_callback", "event": {"type": "team_rename"}}, None, id="an event nobody asked for"
        ),
        pytest.param({"type": "app_rate_limited", "minute_rate_limited": 1}, None, id="a notice that is no event"),
    ],
)
async def test_json(shared_stage: Stage, body: dict[str, Any], answer: object) -> None:
    """JSON of Slack's is acknowledged, also if nobody listens to it: otherwise it would come again and again."""
    response = await post(shared_stage, json.dumps(body).encode(), content_type="application/json")
    assert response.status_code == 200
    assert (response.json() if response.content else None) == answer


@over_http
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"type": "block_actions", "actions": [{"action_id": "old", "type": "button"}]}, id="a click"),
        pytest.param(
            {
                "type": "view_submission",
                "view": {"id": "V1", "type": "modal", "callback_id": "old", "state": {"values": {}}},
            },
            id="a form",
        ),
        pytest.param({"type": "shortcut", "callback_id": "old", "trigger_id": "1.2.3"}, id="a shortcut"),
        pytest.param(
            {
                "type": "message_action",
                "callback_id": "old",
                "trigger_id": "1.2.3",
                "channel": {"id": "C1"},
                "message": {},
            },
            id="a message shortcut",
        ),
        pytest.param({"type": "thought_transfer"}, id="something Slack has yet to invent"),
    ],
)
async def test_interaction_nobody_listens_to(shared_stage: Stage, payload: dict[str, Any]) -> None:
    """An interaction of yesterday's version is acknowledged: the person is not told that we are away."""
    user = {"user": {"id": shared_stage.ana.user_id}, "team": {"id": "T0ACMEHQ001"}}
    response = await post(shared_stage, urlencode({"payload": json.dumps(payload | user)}).encode())
    assert (response.status_code, response.content) == (200, b"")


@over_http
async def test_command_nobody_listens_to(shared_stage: Stage) -> None:
    """A command that this version does not know is answered, with the words given back."""
    response = await post(shared_stage, urlencode(COMMAND | {"command": "/sms", "text": "hi"}).encode())
    assert response.status_code == 200
    assert response.json()["text"].startswith("⚠️ I do not know this command.")
    assert "/sms hi" in response.text


@over_http
async def test_certificate_check(shared_stage: Stage) -> None:
    """Slack's occasional look at our certificate is answered."""
    response = await post(shared_stage, b"ssl_check=1&token=x")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("trouble", "asked"),
    [
        pytest.param({}, "ask @Ben Baker", id="Slack says who it is"),
        pytest.param({"kind": "latency", "seconds": 20}, "ask a colleague", id="Slack does not say in time"),
        pytest.param({"kind": "status", "status": 500}, "ask a colleague", id="Slack does not say"),
    ],
)
async def test_mentioned_by_id(database_url: str, trouble: dict[str, Any], asked: str) -> None:
    """Somebody mentioned by id only is looked up; the customer reads a name, or else of a colleague."""
    async with Sandbox.start() as sandbox:
        await sandbox.order(vendor="slack", where="users.list", kind="status", status=500)  # nobody is known
        async with bot_beside(sandbox, database_url, transport="http") as app:
            phone = await quick_phone(sandbox, "+15554000020")
            if trouble:
                await sandbox.order(vendor="slack", where="users.info", skip=1, **trouble)  # of who types it is told
            stage = Stage(sandbox, app, "http")
            await post(stage, urlencode(COMMAND | {"text": f"+15554000020 ask <@{stage.ben.user_id}>"}).encode())
            assert [text.text for text in await phone.received(1)] == [asked]


@over_http
async def test_mentioned_by_id_and_given_back(shared_stage: Stage) -> None:
    """Words that are given back have the names in them that were typed."""
    response = await post(shared_stage, urlencode(COMMAND | {"text": f"hi <@{shared_stage.ben.user_id}>"}).encode())
    assert "/text hi @Ben Baker" in response.text


@over_http
@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"X-Slack-Signature": "v0=" + 64 * "0"}, id="a wrong signature"),
        pytest.param({"X-Slack-Signature": ""}, id="an empty signature"),
        pytest.param({"X-Slack-Signature": None}, id="no signature"),
        pytest.param({"X-Slack-Request-Timestamp": None}, id="no time"),
        pytest.param({"X-Slack-Request-Timestamp": "soon"}, id="a time that is no number"),
        pytest.param({"X-Slack-Request-Timestamp": "1e9"}, id="a time in another spelling"),
        pytest.param({"X-Slack-Request-Timestamp": "9" * 400}, id="a time beyond all time"),
        pytest.param({"X-Slack-Request-Timestamp": "9" * 5000}, id="a time longer than Python reads"),
        pytest.param({"X-Slack-Request-Timestamp": "1700000000"}, id="a time that the signature is not for"),
        pytest.param({"age": -600}, id="a signature ten minutes old"),
        pytest.param({"age": 600}, id="a signature ten minutes ahead"),
        pytest.param({"secret": "another"}, id="another app's secret"),
    ],
)
async def test_forged(shared_stage: Stage, forged: dict[str, Any]) -> None:
    """Whoever is not Slack hears 401 and nothing else, and nothing happens."""
    body = urlencode(COMMAND | {"text": "+15554000022 forged", "trigger_id": str(forged)}).encode()
    response = await post(shared_stage, body, **forged)
    assert (response.status_code, response.content) == (401, b"")
    assert await stored(shared_stage, "forged") == 0


@over_http
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param(b"x=" + b"1" * 1_000_000, FORM, 413, id="more than a megabyte"),
        pytest.param(b'{"type":', "application/json", 400, id="half a document"),
        pytest.param(b"[]", "application/json", 400, id="a list"),
        pytest.param(b"payload=%7B", FORM, 400, id="half a payload"),
        pytest.param(b"just words", FORM, 400, id="no form"),
        pytest.param(b"text=\xff", FORM, 401, id="bytes that are no text, which Slack's signature is never of"),
    ],
)
async def test_malformed(shared_stage: Stage, body: bytes, content_type: str, status: int) -> None:
    """What Slack would never send is refused, for its size before its signature is looked at."""
    response = await post(shared_stage, body, content_type=content_type)
    assert (response.status_code, response.content) == (status, b"")


async def test_probes(shared_stage: Stage) -> None:
    """The probes answer over both transports; Slack's requests are taken over HTTP only if that is the transport."""
    async with httpx.AsyncClient(base_url=shared_stage.app.url, trust_env=False) as http:
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (
            200,
            {"ready": True, "database": "ok", "slack": "ok", "blooio": "ok"},
        )
        assert "texting_answer_seconds_bucket" in (await http.get("/metrics")).text
        status = (await http.post("/slack/events")).status_code
        assert status == (401 if shared_stage.transport == "http" else 404)


@pytest.mark.parametrize(
    ("vendor", "call", "part"),
    [("blooio", "GET /me", "blooio"), ("slack", "auth.test", "slack")],
    ids=["Blooio", "Slack"],
)
async def test_not_ready(database_url: str, vendor: str, call: str, part: str) -> None:
    """While a service is down, `/readyz` says which, and `/healthz` stays well."""
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket") as app:
        await sandbox.order(vendor=vendor, where=call, kind="status", status=503, times=None)
        async with httpx.AsyncClient(base_url=app.url, trust_env=False) as http:
            response = await http.get("/readyz")
            parts = response.json()
            assert (response.status_code, parts.pop("ready")) == (503, False)
            assert [name for name, answer in parts.items() if answer != "ok"] == [part]
            assert (await http.get("/healthz")).status_code == 200


#: A command as Slack sends it; `text` and `trigger_id` are each test's own.
COMMAND = {
    "command": "/text",
    "text": "",
    "team_id": "T0ACMEHQ001",
    "channel_id": "C0SUPPORT01",
    "channel_name": "support",
    "user_id": "U0ANAALVARE",
    "user_name": "ana",
    "api_app_id": "A0TEXTING01",
    "response_url": "https://slack.example/response",
    "trigger_id": "0",
}


async def post(
    stage: Stage, body: bytes, *, content_type: str = FORM, age: int = 0, secret: str = "", **headers: str | None
) -> httpx.Response:
    """Post what Slack posts, signed as it signs, with *headers* in place of its own; None leaves one out."""
    timestamp = str(int(time.time()) + age)
    verifier = SignatureVerifier(secret or stage.sandbox.environment()["SLACK_SIGNING_SECRET"])
    signed: dict[str, str | None] = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": verifier.generate_signature(timestamp=timestamp, body=body.decode("latin-1")),
    }
    sent = {name: value for name, value in (signed | headers).items() if value is not None}
    async with httpx.AsyncClient(base_url=stage.app.url, trust_env=False) as http:
        return await http.post("/slack/events", content=body, headers=sent)


async def storing(stage: Stage) -> None:
    """Wait until the bot is held up by the lock, in the middle of storing a text."""
    async with await psycopg.AsyncConnection.connect(stage.app.pool.conninfo, autocommit=True) as connection:
        async with asyncio.timeout(30):
            while True:
                cursor = await connection.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%INSERT INTO del%'"
                    " AND datname = current_database() AND pid <> pg_backend_pid()"
                )
                if await cursor.fetchone():
                    return
                await asyncio.sleep(0.02)


@contextmanager
def said(words: str) -> Iterator[asyncio.Event]:
    """An event that comes about when the bot logs *words*."""
    event = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == words:
                event.set()

    listener, logger = Listener(), logging.getLogger("bot")
    logger.addHandler(listener)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield event
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
