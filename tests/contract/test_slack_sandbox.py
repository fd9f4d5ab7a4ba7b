"""The sandbox itself: its driver, its control routes, and its command line."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from aiohttp import web

from sandbox.companion import environment_of
from sandbox.driver import Sandbox
from sandbox.server import World, serve
from tests.contract.slack_fixtures import APP, answering, plain_http, serving
from tests.contract.test_slack_web_api import SUPPORT

PROJECT = Path(__file__).parents[2]


async def test_until_returns_the_first_true_value(sandbox):
    """A check is asked again after every change."""
    ana = sandbox.person("ana")
    waiting = asyncio.create_task(sandbox.until(lambda: ana.sees("#support")))
    await sandbox.person("ben").posts("#support", "hello")
    [message] = await waiting
    assert (message.author, message.text) == ("Ben Baker", "hello")


async def test_until_says_what_it_last_saw(sandbox):
    """A wait in vain fails with what was there."""
    with pytest.raises(TimeoutError, match=r"not within 0.05 s; last seen: \[\]"):
        await sandbox.until(lambda: sandbox.person("ana").sees("#support"), timeout=0.05)


async def test_a_person_sees_her_conversations(sandbox):
    """Channels, threads, direct messages and what others may not see."""
    ana, ben = sandbox.person("ana"), sandbox.person("ben")
    parent = await ana.posts("#support", "parent")
    await ben.posts("#support", "reply", thread_ts=parent.ts)
    [seen] = await ana.sees("#support")
    assert (seen.text, seen.reply_count) == ("parent", 1)
    assert [one.text for one in await ana.sees_thread("#support", parent.ts)] == ["reply"]
    await ana.posts("@ben", "between us")
    assert [one.text for one in await ben.sees("@ana")] == ["between us"]
    await ana.posts("@bot", "to the bot")
    assert [one.text for one in await ana.sees_dm()] == ["to the bot"]
    assert await ben.sees_dm() == []


async def test_a_running_sandbox_can_be_driven_too(sandbox):
    """Sandbox.at finds one by its address, with the same people and environment."""
    async with Sandbox.at(sandbox.url) as same:
        await same.person("ana").posts("#support", "hello")
        assert same.environment() == sandbox.environment()
    assert len(await sandbox.person("ben").sees("#support")) == 1


async def test_channels_can_be_made_filled_and_archived(sandbox, client):
    """What a workspace's owner does."""
    made = await sandbox.creates_channel("orders", members=["ana", "bot"], private=True)
    await client.chat_postMessage(channel=made, text="hello")
    await sandbox.changes_members("#orders", "ben")
    assert [one.text for one in await sandbox.person("ben").sees("#orders")] == [
        "hello",
        "@Ben Baker has joined the channel",
    ]
    await sandbox.archives("#orders")
    assert (await client.conversations_info(channel=made))["channel"]["is_archived"] is True
    await sandbox.changes_members("#orders", "bot", remove=True)
    assert "orders" not in [
        one["name"] for one in (await client.conversations_list(types="private_channel"))["channels"]
    ]


async def test_the_phones_are_there_too(sandbox):
    """The other vendor is driven through the same object."""
    assert await sandbox.phone("+15551234567").received() == []


async def test_latency_is_felt_by_every_call(sandbox):
    """With a latency the vendors seem far away."""
    async with Sandbox.start(APP, latency=0.05) as slow:
        async with plain_http(slow.environment()["SLACK_API_URL"]) as http:
            await http.post("auth.test", data={"token": slow.environment()["SLACK_BOT_TOKEN"]})
        [exchange] = await slow.exchanges(name="auth.test")
        assert exchange["seconds"] >= 0.05


async def test_what_failed_can_be_listed_by_itself(sandbox):
    """Of a long record the few calls that were not answered with a 2xx."""
    environment = sandbox.environment()
    await sandbox.order(vendor="slack", where="auth.test", kind="status", status=503)
    async with plain_http(environment["SLACK_API_URL"]) as http:
        for _ in range(3):
            await http.post("auth.test", data={"token": environment["SLACK_BOT_TOKEN"]})
    statuses = [[one["status"] for one in await sandbox.exchanges(name="auth.test", failed=only)] for only in (0, 1)]
    assert statuses == [[503, 200, 200], [503]]


async def test_one_vendor_can_be_looked_at_alone(sandbox):
    """Whoever looks at a thread does not ask for every text on every phone."""
    async with plain_http(sandbox.url) as http:
        everything = (await http.get("/_sandbox/state")).json()
        slack = (await http.get("/_sandbox/state", params={"only": "slack"})).json()
    assert everything.keys() - slack.keys() == {"blooio"}
    assert slack["slack"].keys() == everything["slack"].keys()


async def test_a_url_that_is_not_up_yet_is_challenged_until_it_is(sandbox):
    """The bot may start after the sandbox: the challenge is sent again until it comes back."""
    answers = [web.Response(status=503)]

    async def echo(request):
        challenge = (await request.json())["challenge"]
        return answers.pop() if answers else web.json_response({"challenge": challenge})

    async with serving(echo) as url:
        stood = await sandbox.set_transport(request_url=url)
        assert (stood["verified"], stood["problem"]) == (False, "http_error")

        async def verified():
            return (await sandbox.transport())["verified"]

        await sandbox.until(verified)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="this machine"),
        pytest.param({"Host": "localhost:8400"}, 200, id="by its other name"),
        pytest.param({"Host": "evil.example"}, 403, id="another name for this machine"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="a page of elsewhere"),
        pytest.param({"Origin": "null"}, 403, id="a page of nowhere"),
    ],
)
async def test_control_routes_are_for_this_machines_own_page(sandbox, headers, status):
    """A page of elsewhere must not drive the sandbox, nor read from it."""
    async with plain_http(sandbox.url) as http:
        assert (await http.get("/_sandbox/state", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("slack/type", {"as": "zoe", "in": "#support", "text": "/text"}, "there is nobody called zoe"),
        ("slack/type", {"as": "ana", "in": "#support", "text": "hello"}, "a command starts with a slash"),
        (
            "slack/type",
            {"as": "ana", "in": "#support", "text": "/text", "thread_ts": "1.0"},
            "Slack does not offer commands inside threads",
        ),
        ("slack/post", {"as": "bot", "in": "#support", "text": "hello"}, "Texting is not a person"),
        ("slack/post", {"as": "ana", "in": "#support", "text": " "}, "there is no text"),
        ("slack/edit", {"as": "ana", "in": "#support", "ts": "1.0", "text": "x"}, "Ana Alvarez sees no message 1.0"),
        ("slack/disconnect", {"reason": "boredom"}, "reason is one of"),
        ("slack/conversations", {"name": "support"}, "name_taken"),
        ("faults", {"vendor": "slack", "where": "*", "kind": "rain"}, "'rain' is not a valid Kind"),
        ("faults", {"vendor": "post", "where": "*", "kind": "html"}, "vendor is slack or blooio"),
        ("faults", {"vendor": "slack", "where": "auth.test", "kind": "double"}, "only deliveries can be doubled"),
        ("clock", {"advance": -1}, "the clock only moves forward"),
    ],
)
async def test_a_mistake_is_told_in_words(sandbox, path, body, words):
    """A control request that makes no sense answers 400 and says why."""
    async with plain_http(sandbox.url) as http:
        answer = await http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


async def test_the_page_has_an_address_and_people_have_faces(sandbox, client):
    """The root answers, avatars are pictures, and a permalink leads to the page."""
    posted = await client.chat_postMessage(channel=SUPPORT, text="hello")
    link = (await client.chat_getPermalink(channel=SUPPORT, message_ts=posted["ts"]))["permalink"]
    async with plain_http(sandbox.url) as http:
        assert (await http.get("/")).status_code == 200
        face = (await client.users_info(user="U0ANAALVARE"))["user"]["profile"]["image_72"]
        assert (await http.get(face)).headers["Content-Type"].startswith("image/svg+xml")
        assert (await http.get(link)).headers["Location"] == f"/#{SUPPORT}/p{posted['ts'].replace('.', '')}"


async def test_only_loopback_is_served():
    """The sandbox refuses to be reached from another machine."""
    world = World(APP)
    with pytest.raises(ValueError, match="this machine only"):
        await serve(world, host="0.0.0.0")
    await world.close()


def test_a_companion_gets_our_settings_and_no_real_ones():
    """Whatever the shell knows of Slack and Blooio, and its proxies, stay behind."""
    inherited = {
        "PATH": "/bin",
        "SLACK_BOT_TOKEN": "xoxb-1-real",
        "SLACK_APP_TOKEN": "xapp-1",
        "HTTPS_PROXY": "http://p",
    }
    assert environment_of(inherited, {"SLACK_BOT_TOKEN": "ours"}) == {"PATH": "/bin", "SLACK_BOT_TOKEN": "ours"}


@pytest.fixture
async def run():
    """Start `python -m sandbox` and read its address; whatever still runs is ended."""
    started = []

    async def running(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox", *arguments, stdout=PIPE, stderr=PIPE, cwd=PROJECT
        )
        started.append(process)
        return process

    yield running
    for process in started:
        if process.returncode is None:
            process.terminate()  # what runs beside it would live on if it were killed, and keep its output open
        await process.communicate()


async def address_of(process):
    line = (await process.stdout.readline()).decode()
    return re.fullmatch(r"The sandbox is at (http://127\.0\.0\.1:\d+)\n", line)[1]


async def test_the_command_line_serves_and_types(run):
    """One terminal serves; another types a command and prints what the person sees."""
    server = await run("--port", "0")
    url = await address_of(server)
    async with Sandbox.at(url) as sandbox:
        settings = {f"{name}={value}" for name, value in sandbox.environment().items()}
        async with answering(sandbox, text="Got it"):
            typing = await run("type", "/text hello", "--in", "#general", "--as", "ben", "--url", url, "--for", "0.1")
            output, _ = await typing.communicate()
    assert output.decode() == "#general  Ben Baker: /text hello\n  only Ben Baker sees: Got it\n"
    assert typing.returncode == 0
    server.send_signal(signal.SIGINT)
    output, errors = await server.communicate()
    assert server.returncode == 0
    assert errors == b""
    assert settings <= set(output.decode().split())


async def test_a_command_runs_beside_the_sandbox_and_ends_with_it(run):
    """The companion finds the sandbox by its environment, and gets a SIGTERM at the end."""
    heard = asyncio.Queue()

    async def hear(request):
        heard.put_nowait(await request.text())
        return web.Response()

    async with serving(hear) as url, asyncio.timeout(60):
        script = f"""
import os, signal, sys, urllib.request
def tell(words):
    urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open({url!r}, words.encode())
signal.signal(signal.SIGTERM, lambda *_: (tell("ended"), sys.exit(0)))
tell(os.environ["SLACK_API_URL"])
signal.pause()
"""
        process = await run("--port", "0", "--", sys.executable, "-c", script)
        address = await address_of(process)
        assert await heard.get() == f"{address}/slack/api/"
        process.send_signal(signal.SIGTERM)
        assert await heard.get() == "ended"
        await process.communicate()
    assert process.returncode == 0


async def test_a_companion_that_fails_is_told_and_its_code_passed_on(run):
    """The sandbox goes on without its companion, and ends with the companion's exit code."""
    process = await run("--port", "0", "--", sys.executable, "-c", "raise SystemExit(3)")
    await address_of(process)
    line = (await process.stderr.readline()).decode()
    assert "has ended with exit code 3" in line
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["--manifest", "nowhere.yml"], 2, "cannot be read", id="no manifest"),
        pytest.param(["--manifest", "Makefile"], 2, "Slack would refuse", id="a manifest that is none"),
        pytest.param(["--port", "0", "--", "./no-such-program"], 127, "cannot be started", id="no such program"),
        pytest.param(["type", "/text", "--url", "http://127.0.0.1:9"], 1, "There is no sandbox", id="nobody there"),
    ],
)
async def test_the_command_line_says_what_is_wrong(run, arguments, code, words):
    """A mistake on the command line ends with words and a code."""
    process = await run(*arguments)
    _, errors = await process.communicate()
    assert words in errors.decode()
    assert process.returncode == code
