"""What Blooio tells us, from its own sender to the receipt: honest, mischievous, forged, and without a database."""

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import itertools
import json
import logging
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blooio import webhook
from bot.ingress import request_body
from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from tests.acceptance.stage import SUPPORT, Stage, bot_beside

CURRENT, NEXT = "whsec_current", "whsec_next"
FORMATS = ["flat", "2026-09-01", "2026-10-01"]
DELIVERED, READ = "🔵 iMessage · Delivered", " · Read"


@dataclass
class Line:
    """A stage, Blooio as its dashboard has it, and the webhook between them."""

    stage: Stage
    gateway: Gateway
    http: httpx.AsyncClient  # calls Blooio's API and ours
    database_url: str
    numbers: Iterator[int]
    webhook_id: str = ""

    @property
    def sandbox(self) -> Sandbox:
        return self.stage.sandbox

    @property
    def url(self) -> str:
        return f"{self.stage.app.url}/blooio/webhooks"

    async def subscribe(self, secret: str = CURRENT, **options: Any) -> None:
        self.webhook_id = (await self.gateway.subscribes(self.url, secret=secret, **options))["webhook_id"]

    async def meets(self, **profile: Any) -> str:
        address = f"+1{next(self.numbers)}"
        await self.sandbox.phone(address).becomes(
            **{"imessage": True, "sent_after": 0.02, "delivered_after": 0.05} | profile
        )
        return address

    async def texts(self, address: str, body: str = "Hello") -> None:
        shown = await self.stage.ana.types(SUPPORT, f"/text {address} {body}")
        assert shown.text.startswith("Texting "), shown

    async def receipt(self, address: str) -> str:
        """The line under somebody's one text, without the times of day; "" while there is none."""
        found = await self.ask(
            "SELECT t.card_ts FROM threads t JOIN people p ON p.id = t.person_id WHERE p.address = %s", address
        )
        if not found or found[0][0] is None:
            return ""
        shown = await self.stage.ana.sees_thread(SUPPORT, found[0][0])
        assert len(shown) <= 1, shown
        return without_times(shown[0].text.splitlines()[1]) if shown else ""

    async def settles(self, address: str, receipt: str, timeout: float = 15) -> None:
        """Wait until the line under somebody's one text is this one."""

        async def settled() -> bool:
            return await self.receipt(address) == receipt

        try:
            await self.sandbox.until(settled, timeout=timeout)
        except TimeoutError:
            raise AssertionError(f"expected {receipt!r}, saw {await self.receipt(address)!r}") from None

    async def attempts(self, address: str) -> list[tuple[str, int | None]]:
        """What Blooio posted to us about somebody's texts, in that order: the event, and our answer."""
        about = {text.message_id for text in await self.sandbox.phone(address).texts()}
        answer = await self.http.get(
            f"{self.sandbox.environment()['BLOOIO_BASE_URL']}/webhooks/{self.webhook_id}/logs",
            params={"limit": 200, "sort": "asc"},
            headers={"Authorization": f"Bearer {self.sandbox.environment()['BLOOIO_API_KEY']}"},
        )
        logs = [log for log in answer.json()["logs"] if log["metadata"]["message_id"] in about]
        return [(log["metadata"]["event_name"].removeprefix("message."), log["response_status"]) for log in logs]

    async def attempted(self, address: str, count: int) -> None:
        """Wait until Blooio has posted so many times about somebody's texts."""

        async def enough() -> bool:
            return len(await self.attempts(address)) >= count

        await self.sandbox.until(enough)

    async def asked(self, address: str) -> int:
        """How often the bot asked for the status of somebody's texts."""
        return len(await self.sandbox.exchanges(vendor="blooio", name=f"GET /chats/{address}/messages/*/status"))

    async def events(self) -> list[tuple[Any, ...]]:
        return await self.ask("SELECT name, message_id, body FROM events ORDER BY received_at")

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []


def without_times(line: str) -> str:
    return re.sub(r" \d{1,2}:\d\d(\s[AP]M)?", "", line)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(shared_database_url: str) -> AsyncIterator[Line]:
    """A bot that knows two secrets, and a webhook signed with the first, which the module's stories share."""
    secrets = f"{CURRENT}, {NEXT}"
    async with another_line(shared_database_url, "socket", BLOOIO_WEBHOOK_SECRET=secrets) as line:
        yield line


pytestmark = pytest.mark.asyncio(loop_scope="module")


def signed(body: bytes, *, secret: str = CURRENT, age: int = 0) -> str:
    """A signature as Blooio makes it, *age* seconds ago."""
    at = str(int(time.time()) - age)
    return f"t={at},v1={hmac.new(secret.encode(), at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


# --- Honest and mischievous -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
async def test_all_that_is_told_shows(line: Line, form: str) -> None:
    """Delivered, read and reacted to, in each of the bodies; nobody asked for the status."""
    await line.subscribe(format=form)
    jane = await line.meets()
    await line.texts(jane)
    await line.settles(jane, DELIVERED)
    await line.sandbox.phone(jane).reads()
    await line.sandbox.phone(jane).reacts("love")

    await line.settles(jane, f"{DELIVERED}{READ} · ❤️")
    assert await line.asked(jane) == 0
    assert await line.attempts(jane) == [("sent", 200), ("delivered", 200), ("read", 200), ("reaction", 200)]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("kind", "events", "attempts"),
    [
        pytest.param("duplicate", "*", ["sent", "sent", "delivered", "delivered", "read", "read"], id="twice"),
        pytest.param("replay", "*", ["sent", "sent", "delivered", "delivered", "read", "read"], id="and replayed"),
        pytest.param("reorder", "message.sent", ["delivered", "sent", "read"], id="overtaken"),
        pytest.param("late", "message.[sd]*", ["read", "sent", "delivered"], id="late"),
        pytest.param("before_answer", "*", ["sent", "delivered", "read"], id="before our POST is answered"),
    ],
)
async def test_mischief_that_changes_nothing(
    line: Line, form: str, kind: str, events: str, attempts: list[str]
) -> None:
    """However an event comes, and however often: the receipt is the same, and nobody asked for it."""
    await line.subscribe(format=form)
    await line.gateway.misbehaves(kind, event=events, times=None)
    jane = await line.meets(read_after=0.1)
    try:
        await line.texts(jane)
        if kind == "late":
            await line.attempted(jane, 1)
            await line.gateway.behaves()
            await line.sandbox.advance(60)
        await line.attempted(jane, len(attempts))
    finally:
        await line.gateway.behaves()

    await line.settles(jane, f"{DELIVERED}{READ}")
    made = await line.attempts(jane)
    assert {answer for _, answer in made} == {200}
    names = [name for name, _ in made]
    assert names == attempts if kind != "late" else sorted(names) == sorted(attempts)
    assert await line.asked(jane) == 0
    (text,) = await line.sandbox.phone(jane).texts()
    assert await line.ask("SELECT count(*) FROM events WHERE message_id = %s", text.message_id) == [(3,)]
    assert await line.ask(
        "SELECT sent_at <= delivered_at AND delivered_at <= read_at FROM deliveries WHERE message_id = %s",
        text.message_id,
    ) == [(True,)]


async def test_what_is_not_believed_or_never_comes_is_asked_for(line: Line) -> None:
    """Stale, forged or dropped: nothing of it is stored, and the status that the bot asks for ends the text."""
    await line.subscribe()
    answered: dict[str, list[int | None]] = {}
    people = {}
    for kind in ("stale", "wrong_secret", "body_only", "drop"):
        await line.gateway.misbehaves(kind, times=None)
        jane = people[kind] = await line.meets()
        await line.texts(jane)
        await line.sandbox.phone(jane).received(1)
        if kind != "drop":
            await line.attempted(jane, 2)
        await line.gateway.behaves()
    for kind, jane in people.items():
        await line.settles(jane, DELIVERED)
        answered[kind] = [answer for _, answer in await line.attempts(jane)]
        assert await line.asked(jane) >= 1

    refused = [401, 401]
    assert answered == {"stale": refused, "wrong_secret": refused, "body_only": refused, "drop": []}
    ids = [text.message_id for jane in people.values() for text in await line.sandbox.phone(jane).texts()]
    assert await line.ask("SELECT count(*) FROM events WHERE message_id = ANY(%s)", ids) == [(0,)]


async def test_a_text_sent_elsewhere_is_stored_and_changes_nothing(line: Line) -> None:
    """Blooio's dashboard sends texts too: what is told of them is acknowledged, kept, and nobody's."""
    await line.subscribe()
    jane = await line.meets()
    environment = line.sandbox.environment()
    before = await line.ask("SELECT count(*) FROM deliveries")
    await line.http.post(
        f"{environment['BLOOIO_BASE_URL']}/chats/{jane.replace('+', '%2B')}/messages",
        json={"text": "From the dashboard"},
        headers={"Authorization": f"Bearer {environment['BLOOIO_API_KEY']}"},
    )
    await line.attempted(jane, 2)

    assert await line.attempts(jane) == [("sent", 200), ("delivered", 200)]
    (text,) = await line.sandbox.phone(jane).texts()
    assert await line.ask("SELECT count(*) FROM events WHERE message_id = %s", text.message_id) == [(2,)]
    assert await line.ask("SELECT count(*) FROM deliveries") == before


async def test_a_secret_is_exchanged_without_a_gap(line: Line) -> None:
    """The current secret and the next are believed; when Blooio rotates to one that we were not told, nothing is."""
    jane = await line.meets(delivered_after=30)
    await line.subscribe(secret=CURRENT)
    await line.texts(jane)
    await line.settles(jane, "🔵 iMessage · Sent")
    await line.subscribe(secret=NEXT)
    await line.sandbox.advance(30)
    await line.settles(jane, DELIVERED)
    assert await line.attempts(jane) == [("delivered", 200)]

    await line.subscribe(secret="whsec_of_nobody")
    await line.sandbox.phone(jane).reads()
    await line.attempted(jane, 1)
    assert await line.attempts(jane) == [("read", 401)]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param({"event": "poll.voted", "poll_id": "poll_1"}, "poll.voted", id="flat"),
        pytest.param(
            {"id": "evt_9", "type": "safety.state_changed", "data": {"a": 1}}, "safety.state_changed", id="v4"
        ),
        pytest.param({"event": "message.delivered"}, "message.delivered", id="of no text"),
        pytest.param({"event": "\ud800é\0" * 400}, ("?é" * 400)[:400], id="with a name that no table holds"),
    ],
)
async def test_an_unknown_event_is_kept(line: Line, body: dict[str, Any], name: str) -> None:
    """It is answered 200, stored as it came, and nothing is left to apply; a second time it is the same one."""
    raw = json.dumps(body).encode()
    for _ in range(2):
        answer = await line.http.post(line.url, content=raw, headers={"X-Blooio-Signature": signed(raw)})
        assert (answer.status_code, answer.content) == (200, b"")

    assert await line.ask("SELECT name, applied_at IS NULL FROM events WHERE body = %s", raw) == [(name, False)]


# --- Forged and broken ------------------------------------------------------------------------------------------------

MARK = "zebra-umbrella"
GOOD = json.dumps({"event": "message.delivered", "message_id": f"msg_{MARK}", "text": MARK}).encode()
Wire = Callable[[], bytes]


def request(
    body: bytes, *headers: str, method: str = "POST", signature: str | None = "", length: int | None = -1
) -> bytes:
    """One request as its bytes; "" signs it, None does not, -1 is the body's own length."""
    lines = [f"{method} /blooio/webhooks HTTP/1.1", "Host: bot", "Connection: close", *headers]
    if signature is not None:
        lines.append(f"X-Blooio-Signature: {signature or signed(body)}")
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, *headers: str, chunk: int = 65_536) -> bytes:
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return request(body, "Transfer-Encoding: chunked", *headers, length=None).removesuffix(body) + framed


LARGE = b'{"event":"message.delivered","text":"%s"}' % (MARK.encode() * 360_000)
OTHER = f"t=1,v1={'0' * 64}"


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        pytest.param(lambda: request(GOOD, signature=None), 401, id="unsigned"),
        pytest.param(lambda: request(GOOD, signature=signed(GOOD, secret="whsec_of_nobody")), 401, id="forged"),
        pytest.param(lambda: request(GOOD, signature=signed(GOOD, age=302)), 401, id="too old"),
        pytest.param(lambda: request(GOOD, signature=signed(GOOD, age=-303)), 401, id="from the future"),
        pytest.param(
            lambda: request(json.dumps(json.loads(GOOD), indent=1).encode(), signature=signed(GOOD)),
            401,
            id="re-serialised",
        ),
        pytest.param(lambda: request(GOOD[:-9], signature=signed(GOOD)), 401, id="truncated"),
        pytest.param(lambda: request(GOOD[:-9]), 400, id="truncated and signed"),
        pytest.param(lambda: request(GOOD, signature=signed(GOOD), length=len(GOOD) - 9), 401, id="a length too small"),
        pytest.param(lambda: request(b"", signature=signed(GOOD)), 401, id="empty"),
        pytest.param(lambda: request(b""), 400, id="empty and signed"),
        pytest.param(lambda: request(GOOD, length=None), 401, id="no length"),
        pytest.param(lambda: request(LARGE), 413, id="5 MB"),
        pytest.param(lambda: request(b"", signature=None, length=10**15), 413, id="a petabyte, announced"),
        pytest.param(lambda: request(b"", signature=None, length=10**30), 400, id="a length beyond numbers"),
        pytest.param(lambda: chunked(LARGE), 413, id="5 MB in chunks"),
        pytest.param(lambda: chunked(GOOD, f"Content-Length: {len(GOOD)}"), 400, id="two framings"),
        pytest.param(lambda: request(GOOD, "Transfer-Encoding: gzip, chunked", length=None), 400, id="another framing"),
        pytest.param(lambda: request(GOOD, f"Content-Length: {len(GOOD) + 1}"), 400, id="two lengths"),
        pytest.param(lambda: request(GOOD, "Content-Length: -5", length=None), 400, id="a negative length"),
        pytest.param(lambda: request(gzip.compress(GOOD), "Content-Encoding: gzip"), 400, id="compressed"),
        pytest.param(lambda: request(GOOD.decode().encode("utf-16")), 400, id="in UTF-16"),
        pytest.param(lambda: request(GOOD.decode().encode("utf-16-le")), 400, id="in UTF-16, unmarked"),
        pytest.param(lambda: request(b'{"event":"\xff","text":"%s"}' % MARK.encode()), 400, id="no UTF-8"),
        pytest.param(lambda: request(GOOD[:-1] + b',"a":"\xe9"}'), 400, id="in Latin-1"),
        pytest.param(lambda: request(b"\0" + GOOD), 400, id="with a NUL before it"),
        pytest.param(lambda: request(b"[" * 200_000), 400, id="very deep"),
        pytest.param(lambda: request(b"[%s]" % GOOD), 400, id="a list"),
        pytest.param(lambda: request(b'{"text":"%s"}' % MARK.encode()), 400, id="no event"),
        pytest.param(
            lambda: request(GOOD, f"X-Blooio-Signature: {OTHER}"), 401, id="two signatures, the wrong one first"
        ),
        pytest.param(
            lambda: request(GOOD, f"X-Blooio-Signature: {signed(GOOD)}", signature=OTHER), 401, id="the right one first"
        ),
        pytest.param(
            lambda: request(GOOD, f"Blooio-Signature: {signed(GOOD)}", signature=None), 401, id="another header"
        ),
        pytest.param(
            lambda: request(GOOD, "X-Blooio-Signature: \xe9", signature=None), 401, id="a signature in Latin-1"
        ),
        pytest.param(lambda: request(GOOD, method="GET"), 405, id="GET"),
        pytest.param(lambda: request(GOOD, method="PUT"), 405, id="PUT"),
        pytest.param(lambda: b"POST /blooio/webhooks HTTP/1.1\r\n\r\n", 401, id="no header at all"),
        pytest.param(lambda: GOOD, 400, id="no HTTP"),
    ],
)
async def test_what_blooio_never_sends_is_refused(
    line: Line, caplog: pytest.LogCaptureFixture, wire: Wire, status: int
) -> None:
    """Over a socket, byte for byte: refused, nothing stored, and nothing of the body in any log."""
    caplog.set_level(logging.DEBUG)
    stored = await line.events()

    answer = await asyncio.to_thread(exchange, line.url, wire())

    assert int(answer.split()[1]) == status, answer
    assert answer.partition(b"\r\n\r\n")[2] in {b"", b"Method Not Allowed", b"Invalid HTTP request received."}
    assert await line.events() == stored
    assert MARK not in caplog.text


async def test_a_signature_under_its_name_in_capitals_is_taken(line: Line) -> None:
    """Names of headers have no case; a body in chunks is a body; both prove that the table's requests are sound."""
    for number, wire in enumerate((request, chunked)):
        body = json.dumps({"event": f"poll.voted{number}", "text": MARK}).encode()
        raw = wire(body).replace(b"X-Blooio-Signature", b"X-BLOOIO-SIGNATURE")
        assert (await asyncio.to_thread(exchange, line.url, raw)).split()[1] == b"200"


async def test_a_body_that_never_ends_is_given_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stalls is told so in time, and whoever hangs up costs nothing."""
    monkeypatch.setattr(request_body, "MAX_SECONDS", 0.2)
    stored = await line.events()
    stalled = request(GOOD, length=len(GOOD) + 1)
    assert (await asyncio.to_thread(exchange, line.url, stalled)).split()[1] == b"408"
    assert await asyncio.to_thread(exchange, line.url, stalled, hang_up=True) == b""
    assert await line.events() == stored
    assert (await line.http.get(f"{line.stage.app.url}/healthz")).status_code == 200


def exchange(url: str, raw: bytes, *, hang_up: bool = False) -> bytes:
    """Send bytes and read the answer; a server that has answered may not read on."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
        if hang_up:
            return b""
        answer = b""
        while b"\r\n\r\n" not in answer and (part := connection.recv(65_536)):
            answer += part
        return answer


HEADERS = (
    st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80).map(str.strip) | st.just(OTHER)
)
WORDS = st.text(max_size=5) | st.sampled_from(["+15551234567", "\ud800\0", "x" * 500, "msg_1", "imessage", "1e999"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["sent", "delivered", "read", "failed", "queued", "received", "reaction", "typing"]
FIELDS = ["timestamp", "external_id", "internal_id", "sender", "protocol", "error", "reaction", "data", "type", "id"]
LIKELY = st.builds(
    lambda name, message_id, fields: {"event": f"message.{name}", "message_id": message_id} | fields,
    st.sampled_from(NAMES),
    WORDS,
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6),
)
QUICKLY = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICKLY
@given(body=st.binary(max_size=300) | st.just(GOOD), header=HEADERS)
async def test_no_bytes_are_believed_unsigned(line: Line, body: bytes, header: str | None) -> None:
    """Whatever comes without Blooio's signature is refused with 401, and nothing is stored."""
    before = await line.ask("SELECT count(*) FROM events")
    headers = {} if header is None else {"X-Blooio-Signature": header}
    assert (await line.http.post(line.url, content=body, headers=headers)).status_code == 401
    assert await line.ask("SELECT count(*) FROM events") == before


@QUICKLY
@given(body=st.binary(max_size=300) | st.builds(lambda told: json.dumps(told).encode(), LIKELY | VALUES))
async def test_no_signed_bytes_break_it(line: Line, body: bytes) -> None:
    """Whatever Blooio signs is an event and stored, or none and refused; no error of ours is ever the answer."""
    answer = await line.http.post(line.url, content=body, headers={"X-Blooio-Signature": signed(body)})
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:  # then it is there; as it came, unless the same news came before in other words
        key = webhook.parse(body).key
        key = key if len(key) <= 400 else hashlib.sha256(key.encode()).hexdigest()
        assert await line.ask("SELECT key FROM events WHERE key = %s", key) == [(key,)]


async def test_after_all_that_the_next_text_is_followed(line: Line) -> None:
    """Nothing of what came before keeps the next event from being applied."""
    await test_all_that_is_told_shows(line, "flat")


# --- Without a secret, without a database -----------------------------------------------------------------------------


async def test_without_a_secret_all_is_refused(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is believed, and the log says which setting is missing, once for many."""
    async with (
        Sandbox.start() as sandbox,
        bot_beside(sandbox, database_url, transport="http") as app,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        for secret in ("", CURRENT):
            headers = {"X-Blooio-Signature": signed(GOOD, secret=secret)}
            answer = await http.post(f"{app.url}/blooio/webhooks", content=GOOD, headers=headers)
            assert answer.status_code == 401
    said = [record.getMessage() for record in caplog.records if "no_secret" in record.getMessage()]
    assert len(said) == 1
    assert "BLOOIO_WEBHOOK_SECRET" in said[0]
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await (await connection.execute("SELECT count(*) FROM events")).fetchone() == (0,)


async def test_a_table_that_is_locked_holds_nobody_up(line: Line) -> None:
    """An event that cannot be stored in time is answered 503, and Blooio brings it again."""
    await line.subscribe()
    jane = await line.meets(delivered_after=20)
    await line.texts(jane)
    await line.settles(jane, "🔵 iMessage · Sent")
    async with await psycopg.AsyncConnection.connect(line.database_url) as other:
        await other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        await line.sandbox.advance(20)
        await line.attempted(jane, 2)
    assert await line.attempts(jane) == [("sent", 200), ("delivered", 503)]
    await line.sandbox.advance(30)
    await line.attempted(jane, 3)

    await line.settles(jane, DELIVERED)
    assert await line.asked(jane) == 0


async def test_without_a_database_blooio_comes_again(database_url: str) -> None:
    """While the database takes no connection an event is answered 503; Blooio's next attempt brings it."""
    async with another_line(database_url, "http", BLOOIO_WEBHOOK_SECRET=CURRENT) as line:
        await line.subscribe()
        jane = await line.meets(delivered_after=20)
        await line.texts(jane)
        await line.settles(jane, "🔵 iMessage · Sent")
        with unreachable(database_url):
            await line.sandbox.advance(20)
            await line.attempted(jane, 2)
        assert await line.attempts(jane) == [("sent", 200), ("delivered", 503)]
        await line.sandbox.advance(30)

        await line.settles(jane, DELIVERED)
        assert await line.attempts(jane) == [("sent", 200), ("delivered", 503), ("delivered", 200)]


@contextlib.contextmanager
def unreachable(database_url: str) -> Iterator[None]:
    """Cut every connection to a database, and let nobody in."""
    name = urlsplit(database_url).path.removeprefix("/")
    server = urlunsplit(urlsplit(database_url)._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # type: ignore[arg-type]
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # type: ignore[arg-type]


# --- With webhooks and without ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def another_line(database_url: str, transport: str, **settings: str) -> AsyncIterator[Line]:
    """A stage of a story's own."""
    async with (
        Sandbox.start() as sandbox,
        bot_beside(sandbox, database_url, transport=transport, **settings) as app,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        stage = Stage(sandbox, app, transport)
        yield Line(stage, Gateway(http, sandbox.url), http, database_url, itertools.count(5_550_500_001))


#: Blooio gives a code to those whom it tells, and a sentence to those who ask.
WORDS_OF_FAILURE = {
    True: "⚠️ Not delivered. Blooio says: carrier_rejected",
    False: "⚠️ Not delivered. Blooio says: The message could not be delivered (carrier_rejected).",
}


@pytest.mark.parametrize("webhooks", [True, False], ids=["webhooks", "polling"])
async def test_every_fate_shows_with_webhooks_and_without(database_url: str, transport: str, webhooks: bool) -> None:
    """The same texts, told of or asked after, show the same; only what Blooio never says to who asks is missing."""
    settings = {"BLOOIO_WEBHOOK_SECRET": CURRENT} if webhooks else {}
    async with another_line(database_url, transport, **settings) as line:
        if webhooks:
            await line.subscribe(format="2026-10-01")
        read, by_sms, by_rcs = (
            await line.meets(),
            await line.meets(imessage=False),
            await line.meets(imessage=False, rcs=True),
        )
        claimed = await line.meets(imessage=False, claims={"imessage": True})
        failing, slow = await line.meets(fails_with="carrier_rejected"), await line.meets(delivered_after=60)
        everybody = [read, by_sms, by_rcs, claimed, failing, slow]
        await asyncio.gather(*map(line.texts, everybody))
        await line.settles(slow, "🔵 iMessage · Sent")
        await line.sandbox.advance(60)
        await line.sandbox.phone(read).received(1)
        await line.sandbox.phone(read).reads()
        await line.sandbox.phone(read).reacts("love")

        await line.settles(read, f"{DELIVERED}{READ} · ❤️" if webhooks else DELIVERED)
        await line.settles(by_sms, "🟢 SMS · Sent")
        await line.settles(by_rcs, "🟣 RCS (expected SMS) · Delivered")
        await line.settles(claimed, "🟢 SMS (expected iMessage) · Sent")
        await line.settles(failing, WORDS_OF_FAILURE[webhooks])
        await line.settles(slow, DELIVERED)
        asked = {person: await line.asked(person) for person in everybody}
        if webhooks:
            assert sum(asked.values()) <= 1
        else:
            assert all(1 <= times <= 8 for times in asked.values()), asked
            await nobody_asks_for_ever(line, by_sms)


async def nobody_asks_for_ever(line: Line, person: str) -> None:
    """A sent SMS may never say more: asked after half an hour, it is not asked after again."""
    before = await line.asked(person)
    await grows_old(line, "31 minutes")

    async def is_left_alone() -> bool:
        return await line.ask("SELECT count(*) FROM deliveries WHERE check_at IS NOT NULL") == [(0,)]

    await line.sandbox.until(is_left_alone)
    assert await line.asked(person) <= before + 2  # one may have been due anyway


async def grows_old(line: Line, age: str) -> None:
    """Let so much time pass for the texts that are still followed; the next question is due."""
    await line.ask(
        "UPDATE deliveries SET accepted_at = accepted_at - %s::interval, check_at = now() WHERE check_at IS NOT NULL",
        age,
    )


async def test_what_was_dropped_while_the_bot_was_down_is_found(database_url: str) -> None:
    """Told of nothing, or of half: the bot that starts again asks how the texts stand, once each."""
    async with Sandbox.start() as sandbox, httpx.AsyncClient(trust_env=False) as http:
        gateway, numbers = Gateway(http, sandbox.url), itertools.count(5_550_600_001)
        async with bot_beside(sandbox, database_url, transport="socket", BLOOIO_WEBHOOK_SECRET=CURRENT) as app:
            line = Line(Stage(sandbox, app, "socket"), gateway, http, database_url, numbers)
            await line.subscribe()
            half = await line.meets(delivered_after=60)
            await line.texts(half)
            await line.settles(half, "🔵 iMessage · Sent")
            nothing = await line.meets(sent_after=60, delivered_after=60)
            await line.texts(nothing)
            await line.settles(nothing, "🔵 iMessage · Queued")
        await gateway.misbehaves("drop", times=None)
        await sandbox.advance(60)
        for person in (half, nothing):
            await sandbox.phone(person).received(1)
        await grows_old(line, "10 minutes")

        async with bot_beside(sandbox, database_url, transport="socket", BLOOIO_WEBHOOK_SECRET=CURRENT) as app:
            line = Line(Stage(sandbox, app, "socket"), gateway, http, database_url, numbers)
            for person in (half, nothing):
                await line.settles(person, DELIVERED)
                assert await line.asked(person) == 1
