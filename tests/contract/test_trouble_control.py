"""What is behind the page's trouble drawer and its wire: what is wrong now, the bot stopped, and what travelled."""

import asyncio
import signal
import sys

import pytest
from aiohttp import web

from sandbox.blooio.driver import Gateway
from sandbox.blooio.signature import check, sign, sign_body_only
from sandbox.companion import Companion, State, port_for
from sandbox.driver import Sandbox
from sandbox.server import World, serve
from tests.contract.slack_fixtures import APP, plain_http, serving
from tests.contract.test_slack_sandbox import address_of, run  # noqa: F401 - a fixture

IDLE = [sys.executable, "-c", "import signal; signal.pause()"]
JANE = "+15551234567"

#: A companion that passes on what is delivered to it.
LISTENING = """
import json, os, http.server, signal, sys, urllib.request
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
def tell(what):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open({url}, json.dumps(what).encode())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        tell({"path": self.path, "body": body, "signature": self.headers["X-Blooio-Signature"]})
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
tell({name: os.environ[name] for name in ("PUBLIC_URL", "BLOOIO_WEBHOOK_SECRET", "INBOX_CHANNEL")})
server.serve_forever()
"""


@pytest.fixture
async def http(sandbox):
    async with plain_http(sandbox.url) as http:
        yield http


async def test_everything_that_is_wrong_is_listed_and_taken_back(sandbox, http):
    """Faults, mischief and limits stand in one answer, and go with one request."""
    await sandbox.order(vendor="blooio", where="*", kind="status", status=503, times=None)
    await Gateway(http, sandbox.url).misbehaves("late", times=None, seconds=20)
    await sandbox.limits(posting_rate=0.2, posting_burst=1)
    found = (await http.get("/_sandbox/trouble")).json()
    assert [(one["kind"], one["status"]) for one in found["faults"]] == [("status", 503)]
    assert [(one["kind"], one["seconds"]) for one in found["mischief"]] == [("late", 20)]
    assert found["limits"] == {"tiers": False, "posting_rate": 0.2}
    assert (found["webhooks"], found["bot"]) == (0, None)
    assert (await http.delete("/_sandbox/trouble")).json() == {
        "faults": [],
        "mischief": [],
        "limits": {"tiers": False, "posting_rate": None},
        "webhooks": 0,
        "bot": None,
    }


async def test_one_order_is_taken_back_alone(sandbox, http):
    """The others stay in force."""
    first = await sandbox.order(vendor="blooio", where="*", kind="html")
    await sandbox.order(vendor="slack", where="chat.*", kind="latency", seconds=3)
    late, lost = [
        (await http.post("/_sandbox/blooio/mischief", json={"kind": kind})).json()["id"] for kind in ("late", "drop")
    ]
    await http.delete("/_sandbox/faults", params={"id": first})
    await http.delete("/_sandbox/blooio/mischief", params={"id": late})
    found = (await http.get("/_sandbox/trouble")).json()
    assert [one["vendor"] for one in found["faults"]] == ["slack"]
    assert [one["id"] for one in found["mischief"]] == [lost]
    assert (await http.get("/_sandbox/faults")).json()["faults"] == found["faults"]


async def test_calls_held_up_go_on_when_everything_is_taken_back(sandbox, http):
    """Who waits for a slow vendor does not wait for the rest of its time."""
    await sandbox.order(vendor="slack", where="auth.test", kind="latency", seconds=3600, times=None)
    async with plain_http(sandbox.environment()["SLACK_API_URL"]) as slack:
        asked = asyncio.create_task(slack.post("auth.test", data={"token": sandbox.environment()["SLACK_BOT_TOKEN"]}))

        async def held():
            return [one for one in await sandbox.under_way(name="auth.test") if one["held"]]

        await sandbox.until(held)
        await http.delete("/_sandbox/trouble")
        assert (await asyncio.wait_for(asked, 30)).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/stop"), ("POST", "/start")])
async def test_without_a_companion_there_is_no_bot_to_stop(http, method, path):
    """The words say what to do instead."""
    answer = await http.request(method, f"/_sandbox/bot{path}")
    assert answer.status_code == 404
    assert "`make sandbox` starts both" in answer.json()["error"]


async def test_the_companion_is_stopped_and_started_again():
    """Each request answers once it is done; doing it twice changes nothing; everything back starts it too."""
    world = World(APP)
    world.companion = Companion(IDLE, {}, changed=world.basics.changes.bump)
    await world.companion.start()
    server = await serve(world)
    try:
        async with plain_http(server.url) as http:
            running, stopped = {"state": "running", "code": None}, {"state": "stopped", "code": None}
            assert (await http.get("/_sandbox/bot")).json() == running
            assert (await http.post("/_sandbox/bot/stop")).json() == stopped
            assert (await http.post("/_sandbox/bot/stop")).json() == stopped
            assert (await http.get("/_sandbox/trouble")).json()["bot"] == stopped
            assert (await http.post("/_sandbox/bot/start")).json() == running
            assert (await http.post("/_sandbox/bot/start")).json() == running
            await http.post("/_sandbox/bot/stop")
            assert (await http.delete("/_sandbox/trouble")).json()["bot"] == running
    finally:
        assert await world.companion.end() == 0
        await server.close()


async def test_a_companion_that_ended_by_itself_can_be_started_again(capfd):
    """Its code is told, and kept until it runs again."""
    news = asyncio.Event()
    companion = Companion([sys.executable, "-c", "raise SystemExit(3)"], {}, changed=news.set)
    await companion.start()
    while companion.state is not State.ENDED:
        news.clear()
        await asyncio.wait_for(news.wait(), 30)
    assert companion.code == 3
    assert "exit code 3" in capfd.readouterr().err
    await companion.start()
    assert companion.state is State.RUNNING
    await companion.end()


async def test_a_bot_that_cannot_be_started_again_is_told_in_words():
    """The program may be gone meanwhile."""
    world = World(APP)
    world.companion = Companion(["./no-such-program"], {})
    server = await serve(world)
    try:
        async with plain_http(server.url) as http:
            answer = await http.post("/_sandbox/bot/start")
            assert answer.status_code == 400
            assert answer.json() == {"error": "the bot cannot be started: No such file or directory"}
    finally:
        await server.close()


def test_a_companion_listens_where_the_environment_says_or_on_a_free_port():
    """PORT=0, which would be any port, becomes one that the sandbox knows too."""
    assert port_for({"PORT": "3456"}) == 3456
    assert port_for({"PORT": "0"}) > 0
    assert port_for({}) > 0


async def test_a_companion_is_told_of_texts_by_signed_webhooks(run):  # noqa: F811 - the fixture
    """It gets an address and a secret, and what a phone writes is delivered to it, as often as it is started."""
    heard = asyncio.Queue()

    async def hear(request):
        heard.put_nowait(await request.json())
        return web.Response()

    async with asyncio.timeout(60), serving(hear) as url:
        script = LISTENING.replace("{url}", repr(url))
        process = await run("--port", "0", "--", sys.executable, "-c", script)
        async with Sandbox.at(await address_of(process)) as sandbox, plain_http(sandbox.url) as http:
            settings = await heard.get()
            assert settings["PUBLIC_URL"].startswith("http://127.0.0.1:")
            assert settings["INBOX_CHANNEL"] == "C0SUPPORT01"
            await sandbox.phone(JANE).replies("Hello?")
            told = await heard.get()
            assert told["path"] == "/blooio/webhooks"
            t = int(told["signature"].removeprefix("t=").partition(",")[0])
            assert told["signature"] == sign(settings["BLOOIO_WEBHOOK_SECRET"], told["body"].encode(), t)
            await http.post("/_sandbox/bot/stop")
            await http.post("/_sandbox/bot/start")
            assert await heard.get() == settings
            await sandbox.phone(JANE).replies("Still there?")
            assert "Still there?" in (await heard.get())["body"]
        process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_webhooks_are_among_the_exchanges(sandbox, http):
    """Each attempt, with its headers, what came back, and whether its signature holds; a lost one as well."""

    async def hear(_request):
        return web.Response(text="thanks")

    async with serving(hear) as url:
        gateway = Gateway(http, sandbox.url)
        await gateway.subscribes(url, secret="whsec_s")
        phone = sandbox.phone(JANE)

        async def told(count):
            found = await sandbox.exchanges(vendor="blooio", name="deliver:*")
            return found if len(found) == count else None

        await phone.replies("one")
        [one] = await sandbox.until(lambda: told(1))
        assert (one["name"], one["method"], one["status"]) == ("deliver:message.received", "POST", 200)
        assert (one["response"], one["fault"], one["signature"]) == ("thanks", None, "valid")
        assert one["headers"]["x-blooio-event"] == "message.received"
        assert one["body"]["text"] == "one"
        for kind in ("wrong_secret", "stale", "drop"):
            await gateway.misbehaves(kind)
            await phone.replies(kind)
        found = await sandbox.until(lambda: told(4))
        assert {(one["fault"], one["signature"], one["status"]) for one in found[1:]} == {
            ("wrong_secret", "wrong", 200),
            ("stale", "old", 200),
            ("drop", None, 0),
        }


async def test_slacks_signed_requests_are_among_the_exchanges(sandbox):
    """In HTTP mode the headers of a delivery are kept; its signature is told of."""

    async def hear(request):
        return web.json_response(
            {"challenge": (await request.json()).get("challenge")} if request.can_read_body else {}
        )

    async with serving(hear) as url:
        await sandbox.set_transport(request_url=url)
        await sandbox.person("ana").posts("#support", "hello")

        async def told():
            return [one for one in await sandbox.exchanges(vendor="slack", name="deliver:*") if one["status"] == 200]

        one = (await sandbox.until(told))[0]
        assert one["signature"] == "valid"
        assert one["headers"]["x-slack-signature"].startswith("v0=")


async def test_only_the_latest_exchanges_are_asked_for(sandbox, http):
    """A page that opens late does not load everything there ever was."""
    async with plain_http(sandbox.environment()["SLACK_API_URL"]) as slack:
        for _ in range(3):
            await slack.post("auth.test", data={})
    found = (await http.get("/_sandbox/exchanges", params={"latest": 2})).json()["exchanges"]
    every = (await http.get("/_sandbox/exchanges")).json()["exchanges"]
    assert (len(every), found) == (3, every[-2:])


def test_a_signature_is_valid_old_or_wrong():
    """As a careful receiver judges it."""
    fresh = sign("whsec_a", b"{}", 1000)
    assert check("whsec_a", b"{}", fresh, 1000.5) == "valid"
    assert check("whsec_a", b"{}", fresh, 2000) == "old"
    assert check("whsec_b", b"{}", fresh, 1000) == "wrong"
    assert check("whsec_a", b"{ }", fresh, 1000) == "wrong"
    assert check("whsec_a", b"{}", sign_body_only("whsec_a", b"{}"), 1000) == "wrong"
