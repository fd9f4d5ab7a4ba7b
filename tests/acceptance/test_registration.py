"""The webhook, from the first `doctor` to a rotated secret: against the sandbox's Blooio, on real sockets."""

import asyncio
import json
import logging
import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from aiohttp import web

from bot.app import running
from bot.blooio.client import BlooioClient, blooio_http
from bot.blooio.webhook import InvalidSignature, verify
from bot.blooio.wire import Webhook
from bot.hearing import registration
from bot.hearing.registration import WebhookSecrets, registering
from bot.ingress.server import bind
from bot.settings import read_settings
from bot.storage.database import open_pool
from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from tests.acceptance.test_start import NO_DATABASE, Ended, run

ROTATE = "--rotate-webhook-secret"
NOBODY = "http://127.0.0.1:9"


@dataclass
class Site:
    """What is at PUBLIC_URL: it says that it is healthy, and keeps what Blooio sends."""

    url: str = ""
    health: int = 200
    came: list[tuple[str, bytes]] = field(default_factory=list)  # signature and body

    @property
    def webhook(self) -> str:
        return f"{self.url}/blooio/webhooks"

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(status=self.health)

    async def receive(self, request: web.Request) -> web.Response:
        self.came.append((request.headers["X-Blooio-Signature"], await request.read()))
        return web.Response()


@dataclass
class World:
    """A sandbox, the database of a bot beside it, and its site."""

    sandbox: Sandbox
    gateway: Gateway
    blooio: BlooioClient
    site: Site
    database_url: str
    folder: Path

    def environment(self, **settings: str) -> dict[str, str]:
        found = self.sandbox.environment() | {"DATABASE_URL": self.database_url, "PUBLIC_URL": self.site.url}
        return found | settings

    async def doctor(self, *arguments: str, **settings: str) -> Ended:
        return await run(self.folder, "doctor", *arguments, **self.environment(**settings))

    async def webhooks(self) -> tuple[Webhook, ...]:
        return await self.blooio.list_webhooks()

    async def signs_with(self, secret: str) -> bool:
        """Say whether the next thing that Blooio sends to the site is signed with *secret*."""
        self.site.came.clear()
        await self.sandbox.phone("+15556000001").replies("Hi")
        async with asyncio.timeout(30):
            while not self.site.came:  # noqa: ASYNC110  (it is our own list, nobody announces it)
                await asyncio.sleep(0.01)
        signature, body = self.site.came[0]
        try:
            verify(signature, body, secrets=[secret], now=datetime.now(UTC))
        except InvalidSignature:
            return False
        return True

    async def ask(self, query: str, *values: Any) -> Any:
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else None

    async def kept(self) -> list[tuple[str, str, str]]:
        """What the bot keeps: address, id and secret."""
        return list(await self.ask("SELECT url, webhook_id, secret FROM webhooks"))

    async def keeps(self, webhook_id: str, secret: str) -> None:
        await self.ask(
            "INSERT INTO webhooks (url, webhook_id, secret) VALUES (%s, %s, %s)", self.site.webhook, webhook_id, secret
        )

    async def asked(self, name: str) -> int:
        return len(await self.sandbox.exchanges(vendor="blooio", name=name))


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox.start())
        environment = sandbox.environment()
        http = await stack.enter_async_context(
            blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"])
        )
        control = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        site = Site()
        app = web.Application()
        app.router.add_get("/healthz", site.healthz)
        app.router.add_post("/blooio/webhooks", site.receive)
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield World(sandbox, Gateway(control, sandbox.url), BlooioClient(http), site, database_url, tmp_path)


async def soon(check: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until *check* returns something true: a row, for instance, which nobody announces."""
    async with asyncio.timeout(30):
        while not (found := await check()):  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.01)
    return found


def line_of(ended: Ended, name: str) -> str:
    """What `doctor` says about one thing: a line, or of the webhook, which comes last, all there is."""
    begin = re.search(rf"^. {name}: ", ended.said, re.MULTILINE)
    assert begin is not None, ended
    said = ended.said[begin.start() :].rstrip("\n")
    return said if name == "Webhooks" else said.splitlines()[0]


def secret_in(ended: Ended) -> str:
    """The secret that is to be set, whose line can be copied as it stands."""
    [secret] = re.findall(r"^ *BLOOIO_WEBHOOK_SECRET=(whsec_\w+)$", ended.said, re.MULTILINE)
    assert ended.said.count(secret) == 1
    assert secret not in ended.complained
    return str(secret)


class TestDoctor:
    """`python -m bot doctor`, as a process."""

    async def test_registers_the_webhook(self, world: World) -> None:
        """A webhook that is missing is registered; its secret is printed once, believed, and stored nowhere."""
        ended = await world.doctor()
        secret = secret_in(ended)
        assert ended.status == 0
        assert line_of(ended, "Webhooks") == (
            f"✓ Webhooks: {world.site.webhook} is registered now.\n"
            "\n"
            f"  BLOOIO_WEBHOOK_SECRET={secret}\n"
            "\n"
            "  Put this line into the bot's settings (the environment or .env), and restart it. "
            "It is shown this once, and stored nowhere.\n"
            "  If a secret is set already, put the new one behind it (current,next): then either is believed."
        )
        assert [webhook.url for webhook in await world.webhooks()] == [world.site.webhook]
        assert await world.signs_with(secret)
        assert await world.kept() == []

        again = await world.doctor(BLOOIO_WEBHOOK_SECRET=secret)
        assert again.status == 0
        assert line_of(again, "Webhooks") == (
            f"✓ Webhooks: {world.site.webhook} is registered, and BLOOIO_WEBHOOK_SECRET is set"
        )
        assert line_of(again, "PUBLIC_URL") == f"✓ PUBLIC_URL: {world.site.url}/healthz answers"
        assert secret not in again.said
        assert len(await world.webhooks()) == 1

    async def test_a_secret_that_nobody_has(self, world: World) -> None:
        """A webhook whose secret is lost needs a new secret, and doctor says how to get it."""
        await world.blooio.create_webhook(world.site.webhook)
        ended = await world.doctor()
        assert ended.status == 1
        assert line_of(ended, "Webhooks") == (
            f"✗ Webhooks: {world.site.webhook} is registered, but its secret is not known here, and Blooio shows a "
            "secret only once. Set BLOOIO_WEBHOOK_SECRET if you have it, or get a new one: "
            "python -m bot doctor --rotate-webhook-secret"
        )

    @pytest.mark.parametrize(
        ("same", "begins"),
        [
            pytest.param(True, "✓ Webhooks: {} is registered, and the bot keeps its secret", id="this webhook's"),
            pytest.param(False, "✗ Webhooks: {} is registered, but its secret is not known", id="an earlier one's"),
        ],
    )
    async def test_a_secret_that_the_bot_keeps(self, world: World, same: bool, begins: str) -> None:
        """The secret of a webhook that the bot registered for itself is known, if it is that webhook still."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        await world.keeps(webhook.webhook_id if same else "wh_earlier", "whsec_ours")
        ended = await world.doctor()
        assert line_of(ended, "Webhooks").startswith(begins.format(world.site.webhook))
        assert ended.status == (0 if same else 1)
        assert "whsec_ours" not in ended.said + ended.complained

    async def test_without_the_database(self, world: World) -> None:
        """Whether the bot keeps the secret is in the database, and doctor does not pretend to know without it."""
        await world.blooio.create_webhook(world.site.webhook)
        ended = await world.doctor(DATABASE_URL=NO_DATABASE)
        assert line_of(ended, "Webhooks") == (
            f"✗ Webhooks: {world.site.webhook} is registered. "
            "Whether the bot keeps its secret cannot be seen without the database."
        )

    async def test_a_database_that_is_new(self, world: World, bare_database_url: str) -> None:
        """On a database without tables nothing is kept, and doctor makes none."""
        await world.blooio.create_webhook(world.site.webhook)
        ended = await world.doctor(DATABASE_URL=bare_database_url)
        assert "but its secret is not known here" in line_of(ended, "Webhooks")
        world.database_url = bare_database_url
        assert await world.ask("SELECT to_regclass('webhooks')") == [(None,)]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            pytest.param(
                {"deprecate": True},
                "{} is registered, but paused: Blooio sends nothing to it. Resume it in Blooio's dashboard.",
                id="paused",
            ),
            pytest.param(
                {"valid_until": 1760000004000},
                "{} is registered, but only until 2025-10-09 08:53 UTC, which is over: Blooio sends nothing to it. "
                "Remove it in Blooio's dashboard and run `python -m bot doctor` again.",
                id="over",
            ),
        ],
    )
    async def test_a_webhook_that_rests(self, world: World, change: dict[str, Any], words: str) -> None:
        """A webhook to which Blooio sends nothing needs attention, however well its secret is known."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        await world.blooio._http.patch(f"/webhooks/{webhook.webhook_id}", json=change)
        ended = await world.doctor(BLOOIO_WEBHOOK_SECRET="whsec_ours")
        assert ended.status == 1
        assert line_of(ended, "Webhooks") == f"✗ Webhooks: {words.format(world.site.webhook)}"

    async def test_registration_is_closed(self, world: World) -> None:
        """Where API v2 registers none (410), doctor explains the way by hand, with a command that can be pasted."""
        await world.gateway.becomes(webhooks="closed")
        ended = await world.doctor()
        hook = world.site.webhook
        assert ended.status == 1
        assert line_of(ended, "Webhooks") == (
            "✗ Webhooks: Blooio's API v2 registers no webhooks any more (410). Make it by hand, once:\n"
            "    1. Create a webhook for this very address, in Blooio's dashboard or with its API v4:\n"
            f"         {hook}\n"
            '         curl -X POST https://api.blooio.com/v4/webhooks -H "Authorization: Bearer $BLOOIO_API_KEY" \\\n'
            f'           -H "Content-Type: application/json" -d \'{{"url": "{hook}"}}\'\n'
            "    2. Copy the `signing_secret` it shows, whsec_…: it is shown only once.\n"
            "    3. Put BLOOIO_WEBHOOK_SECRET=whsec_… into the bot's settings (the environment or .env).\n"
            "    4. Restart the bot.\n"
            "  Whichever body it sends is understood: that of API v2, and both of API v4 (2026-09-01 and 2026-10-01)."
        )
        command = shlex.split(ended.said[ended.said.index("curl") : ended.said.index("    2. ")].replace("\\\n", " "))
        assert json.loads(command[-1]) == {"url": hook}

    async def test_made_by_hand(self, world: World) -> None:
        """A webhook that was made by hand may not be listed: with a secret set, that is no alarm."""
        await world.gateway.becomes(webhooks="closed")
        ended = await world.doctor(BLOOIO_WEBHOOK_SECRET="whsec_ours")
        assert ended.status == 0
        assert line_of(ended, "Webhooks").startswith(
            "- Webhooks: BLOOIO_WEBHOOK_SECRET is set, but Blooio's API v2 lists no webhook for this bot and registers "
            "none any more (410).\n"
            "  One made by hand may be missing from that list: if texts turn Delivered within seconds, all is well.\n"
            "  Otherwise make it by hand:\n"
            "    1. Create a webhook for this very address"
        )

    async def test_no_room(self, world: World) -> None:
        """With 64 webhooks already, one of them has to go."""
        for number in range(64):
            await world.blooio.create_webhook(f"https://bot.example.com/{number}")
        ended = await world.doctor()
        assert ended.status == 1
        assert line_of(ended, "Webhooks") == (
            f"✗ Webhooks: {world.site.webhook} could not be registered: Blooio has no room for another webhook (an "
            "organization can have 64). Remove one in Blooio's dashboard, and run `python -m bot doctor` again."
        )

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            pytest.param(500, "Blooio did not answer (blooio_trouble). Run `python -m bot doctor` again.", id="away"),
            pytest.param(403, "Blooio refused to register {} (not_allowed).", id="not allowed"),
            pytest.param(
                400,
                "Blooio did not accept {}. Set PUBLIC_URL to an https address that can be reached from outside.",
                id="an address that it does not like",
            ),
        ],
    )
    async def test_other_refusals(self, world: World, status: int, words: str) -> None:
        """Whatever else Blooio answers, the line says what to do."""
        await world.sandbox.order(vendor="blooio", where="POST /webhooks", kind="status", status=status)
        ended = await world.doctor()
        assert ended.status == 1
        assert line_of(ended, "Webhooks") == f"✗ Webhooks: {words.format(world.site.webhook)}"

    @pytest.mark.parametrize(
        ("secret", "words"),
        [
            pytest.param("", "PUBLIC_URL is not set, so the status of each text is asked for instead", id="no secret"),
            pytest.param(
                "whsec_ours",
                "BLOOIO_WEBHOOK_SECRET is set, so what Blooio sends is believed. PUBLIC_URL is not set, so nobody can "
                "tell whether Blooio sends anything: set it to the address where Blooio can reach the bot.",
                id="a secret",
            ),
        ],
    )
    async def test_without_an_address(self, world: World, secret: str, words: str) -> None:
        """Without PUBLIC_URL nothing is asked and nothing is wrong."""
        ended = await world.doctor(PUBLIC_URL="", BLOOIO_WEBHOOK_SECRET=secret)
        assert ended.status == 0
        assert line_of(ended, "Webhooks") == f"- Webhooks: {words}"
        assert " PUBLIC_URL: " not in ended.said
        assert await world.asked("*/webhooks*") == 0

    async def test_the_address_does_not_answer(self, world: World) -> None:
        """A bot that is not running, or that another one's page stands in for, is worth a note and no more."""
        world.site.health = 404
        wrong, nobody = await asyncio.gather(world.doctor(), world.doctor(PUBLIC_URL=NOBODY))
        assert (wrong.status, nobody.status) == (0, 0)
        assert line_of(wrong, "PUBLIC_URL") == (
            f"- PUBLIC_URL: {world.site.url}/healthz answered 404 instead of 200. "
            "Is the bot running, and does this address lead to it?"
        )
        assert line_of(nobody, "PUBLIC_URL") == (
            f"- PUBLIC_URL: {NOBODY}/healthz did not answer (ConnectError). Is the bot running?"
        )


class TestRotation:
    """`python -m bot doctor --rotate-webhook-secret`, as a process."""

    async def test_a_secret_that_is_set(self, world: World) -> None:
        """The new secret is printed with where to put it, and nothing is stored."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        ended = await world.doctor(ROTATE, BLOOIO_WEBHOOK_SECRET=webhook.secret or "")
        secret = secret_in(ended)
        assert secret != webhook.secret
        assert ended.status == 0
        assert ended.said == (
            f"✓ Webhooks: {world.site.webhook} has a new secret. The old one is dead from now on.\n"
            "\n"
            f"  BLOOIO_WEBHOOK_SECRET={secret}\n"
            "\n"
            "  Put this line in place of the old one into the bot's settings (the environment or .env), and restart "
            "it. It is shown this once.\n"
            "  Until then the bot refuses what Blooio sends, and asks for the status of each text instead.\n"
        )
        assert await world.signs_with(secret)
        assert await world.kept() == []

    async def test_a_secret_that_the_bot_keeps(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A running bot that registered the webhook for itself believes the new secret without a restart."""
        monkeypatch.setattr(registration, "_SECRETS_FOR_SECONDS", 0.0)
        webhook = await world.blooio.create_webhook(world.site.webhook)
        await world.keeps(webhook.webhook_id, webhook.secret or "")
        async with open_pool(world.database_url) as pool:
            secrets = WebhookSecrets(read_settings(world.environment()), pool)
            assert await secrets.current() == (webhook.secret,)

            ended = await world.doctor(ROTATE)

            secret = secret_in(ended)
            assert await secrets.current() == (secret,)
        assert ended.said.endswith(
            "\n  The bot keeps this secret itself and has the new one already: there is nothing more to do.\n"
            "  If BLOOIO_WEBHOOK_SECRET is set too, put this line in place of it.\n"
        )
        assert await world.kept() == [(world.site.webhook, webhook.webhook_id, secret)]
        assert await world.signs_with(secret)

    @pytest.mark.parametrize("database", [NO_DATABASE, "bare"])
    async def test_without_the_database(self, world: World, bare_database_url: str, database: str) -> None:
        """A secret that was made is never lost, whatever the database does."""
        await world.blooio.create_webhook(world.site.webhook)
        url = bare_database_url if database == "bare" else database
        ended = await world.doctor(ROTATE, DATABASE_URL=url)
        assert ended.status == 0
        assert await world.signs_with(secret_in(ended))

    async def test_a_webhook_that_is_not_there(self, world: World) -> None:
        """What has no secret yet is registered, which gives it one."""
        ended = await world.doctor(ROTATE)
        assert ended.said.startswith(f"✓ Webhooks: {world.site.webhook} is registered now.\n")
        assert await world.signs_with(secret_in(ended))

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            pytest.param(
                {"kind": "drop_after"},
                "Blooio did not answer (blooio_trouble). The secret of {} may be another one by now: "
                "run this again until it prints the new one.",
                id="the answer is lost",
            ),
            pytest.param(
                {"kind": "status", "status": 403},
                "Blooio refused a new secret for {} (not_allowed). The old one is still good.",
                id="refused",
            ),
        ],
    )
    async def test_no_new_secret(self, world: World, fault: dict[str, Any], words: str) -> None:
        """Without a new secret it says whether the old one can still be trusted."""
        await world.blooio.create_webhook(world.site.webhook)
        await world.sandbox.order(vendor="blooio", where="POST /webhooks/*/secret/rotate", **fault)
        ended = await world.doctor(ROTATE)
        assert (ended.status, ended.said) == (1, f"✗ Webhooks: {words.format(world.site.webhook)}\n")

    async def test_made_by_hand(self, world: World) -> None:
        """The secret of a webhook that API v2 does not list is renewed elsewhere."""
        await world.gateway.becomes(webhooks="closed")
        ended = await world.doctor(ROTATE, BLOOIO_WEBHOOK_SECRET="whsec_ours")
        assert ended.status == 1
        assert ended.said == (
            f"✗ Webhooks: Blooio's API v2 lists no webhook for {world.site.webhook} and registers none any more (410). "
            "One that was made by hand gets its new secret where it was made: in Blooio's dashboard.\n"
        )

    async def test_without_an_address(self, world: World) -> None:
        """It has to be known whose secret to renew."""
        ended = await world.doctor(ROTATE, PUBLIC_URL="")
        assert (ended.status, ended.said) == (
            1,
            "✗ Webhooks: PUBLIC_URL is not set: the webhook whose secret to renew is the one at that address\n",
        )


class Start:
    """A bot's start, as far as the webhook goes, and what it logs."""

    def __init__(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        self._world = world
        self._caplog = caplog
        caplog.set_level(logging.INFO, logger="bot")

    async def until(self, *words: str, **settings: str) -> list[str]:
        """Start with BLOOIO_REGISTER_WEBHOOK and these settings until a line with each of *words* is logged."""
        self._caplog.clear()
        given = read_settings(self._world.environment(**{"BLOOIO_REGISTER_WEBHOOK": "true"} | settings))
        async with registering(given, given.database_url or "", self._world.blooio):
            await self.logged(*words)
        lines = [record.getMessage() for record in self._caplog.records if record.name == "bot.hearing.registration"]
        assert not any("whsec_" in line for line in lines)
        return lines

    async def logged(self, *words: str) -> None:
        def missing() -> list[str]:
            return [word for word in words if word not in self._caplog.text]

        try:
            async with asyncio.timeout(30):
                while missing():  # noqa: ASYNC110  (the log announces nothing)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{missing()} not in:\n{self._caplog.text}") from None


@pytest.fixture
def start(world: World, caplog: pytest.LogCaptureFixture) -> Start:
    return Start(world, caplog)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not work is tried again soon."""
    monkeypatch.setattr(registration, "_FIRST_WAIT_SECONDS", 0.05)


class TestStart:
    """BLOOIO_REGISTER_WEBHOOK."""

    async def test_registers_and_keeps_the_secret(self, world: World, start: Start) -> None:
        """The first start registers the webhook and keeps its secret; the second asks once and makes nothing."""
        await start.until("webhook_registered")
        [(url, webhook_id, secret)] = await world.kept()
        assert [(url, webhook_id)] == [(one.url, one.webhook_id) for one in await world.webhooks()]
        assert await world.signs_with(secret)

        listed = await world.asked("GET /webhooks")
        await start.until("webhook_known")
        assert await world.asked("GET /webhooks") == listed + 1
        assert await world.asked("POST /webhooks*") == 1
        assert await world.kept() == [(url, webhook_id, secret)]

    async def test_is_gone(self, world: World, start: Start) -> None:
        """A webhook that somebody removed is registered again, and its new secret takes the old one's place."""
        await start.until("webhook_registered")
        [(url, webhook_id, secret)] = await world.kept()
        await world.blooio._http.delete(f"/webhooks/{webhook_id}")
        await start.until("webhook_registered")
        [(same_url, other_id, other_secret)] = await world.kept()
        assert same_url == url
        assert (other_id, other_secret) != (webhook_id, secret)
        assert await world.signs_with(other_secret)

    async def test_two_processes(self, world: World, start: Start) -> None:
        """Processes that start together register one webhook, and none of them complains."""
        await world.sandbox.order(vendor="blooio", where="GET /webhooks", kind="slow_answer", seconds=0.2, times=None)
        settings = read_settings(world.environment(BLOOIO_REGISTER_WEBHOOK="true"))
        async with registering(settings, world.database_url, world.blooio):
            lines = await start.until("webhook_registered", "webhook_known")
        assert sorted(lines) == [f"webhook_{what} url={world.site.webhook}" for what in ("known", "registered")]
        assert await world.asked("POST /webhooks") == 1
        assert len(await world.kept()) == 1

    @pytest.mark.parametrize("settings", [{}, {"kept": "wh_earlier"}], ids=["none kept", "an earlier one's kept"])
    async def test_a_secret_that_nobody_has(self, world: World, start: Start, settings: dict[str, str]) -> None:
        """A secret is never rotated by itself: one line says who can do it."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        if settings:
            await world.keeps(settings["kept"], "whsec_earlier")
        [line] = await start.until("webhook_secret_unknown")
        assert line == (
            f"webhook_secret_unknown url={world.site.webhook} (run `python -m bot doctor --rotate-webhook-secret`, "
            "or set BLOOIO_WEBHOOK_SECRET, and restart)"
        )
        assert await world.asked("POST /webhooks/*/secret/rotate") == 0
        assert await world.signs_with(webhook.secret or "")

    async def test_a_secret_that_is_set(self, world: World, start: Start) -> None:
        """With a secret set, a webhook that is there is left alone, and nothing is kept."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        assert await start.until("webhook_known", BLOOIO_WEBHOOK_SECRET=webhook.secret or "") == [
            f"webhook_known url={world.site.webhook}"
        ]
        assert await world.kept() == []

    async def test_is_gone_and_a_secret_is_set(self, world: World, start: Start) -> None:
        """A webhook that has to be registered anew has another secret than the one set: a line says what to do."""
        [line] = await start.until("webhook_registered_anew", BLOOIO_WEBHOOK_SECRET="whsec_earlier")
        assert line == (
            f"webhook_registered_anew url={world.site.webhook} (BLOOIO_WEBHOOK_SECRET is not its secret: "
            "run `python -m bot doctor --rotate-webhook-secret` and set what it prints)"
        )
        assert len(await world.webhooks()) == 1
        assert await world.kept() == []

    async def test_is_paused(self, world: World, start: Start) -> None:
        """A webhook to which Blooio sends nothing is said to be so."""
        webhook = await world.blooio.create_webhook(world.site.webhook)
        await world.blooio._http.patch(f"/webhooks/{webhook.webhook_id}", json={"deprecate": True})
        assert await start.until("webhook_paused", BLOOIO_WEBHOOK_SECRET="whsec_ours") == [
            f"webhook_paused url={world.site.webhook} (Blooio sends nothing to it: see its dashboard)"
        ]

    @pytest.mark.parametrize(
        ("secret", "line"),
        [
            pytest.param(
                "",
                "webhook_not_registered url={} (Blooio's API v2 registers none any more: create it in its dashboard or "
                "with API v4, set BLOOIO_WEBHOOK_SECRET to its signing_secret and restart; `python -m bot doctor` says "
                "how)",
                id="no secret",
            ),
            pytest.param(
                "whsec_ours",
                "webhook_not_seen url={} (`python -m bot doctor` says more)",
                id="a secret, so perhaps made by hand",
            ),
        ],
    )
    async def test_registration_is_closed(self, world: World, start: Start, secret: str, line: str) -> None:
        """Where API v2 registers none (410), one line names the way by hand."""
        await world.gateway.becomes(webhooks="closed")
        lines = await start.until("(", BLOOIO_WEBHOOK_SECRET=secret)
        assert lines == [line.format(world.site.webhook)]

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            pytest.param(
                409,
                "webhook_not_registered url={} (Blooio has no room for another: remove one in its dashboard, restart)",
                id="no room",
            ),
            pytest.param(
                403, "webhook_not_registered url={} reason=not_allowed (run `python -m bot doctor`)", id="not allowed"
            ),
        ],
    )
    async def test_refused(self, world: World, start: Start, status: int, line: str) -> None:
        """What only a person can mend is said once, and not tried again."""
        await world.sandbox.order(vendor="blooio", where="POST /webhooks", kind="status", status=status)
        assert await start.until("webhook_not_registered") == [line.format(world.site.webhook)]

    async def test_blooio_is_away(self, world: World, start: Start, impatient: None) -> None:
        """While Blooio is away the start goes on, and the webhook is registered as soon as it is back."""
        await world.sandbox.order(vendor="blooio", where="* /webhooks", kind="status", status=500, times=2)
        lines = await start.until("webhook_registered ")
        assert lines == [
            "webhook_not_registered reason=blooio_trouble (trying again in 0 s)",
            "webhook_not_registered reason=blooio_trouble (trying again in 0 s)",
            f"webhook_registered url={world.site.webhook}",
        ]

    async def test_the_start_waits_for_nothing(self, world: World) -> None:
        """Neither a silent Blooio nor one that is being asked holds up the start or the stop."""
        await world.sandbox.order(vendor="blooio", where="GET /webhooks", kind="latency", seconds=30)
        settings = read_settings(world.environment(BLOOIO_REGISTER_WEBHOOK="true"))
        async with asyncio.timeout(15):
            async with registering(settings, world.database_url, world.blooio):
                await world.sandbox.until(lambda: world.sandbox.under_way(vendor="blooio", name="GET /webhooks"))

    async def test_the_database_is_away(self, world: World, start: Start, impatient: None) -> None:
        """Without a database nothing could be kept, so nothing is registered, and it is tried again."""
        lines = await start.until("DatabaseAway", DATABASE_URL=NO_DATABASE)
        assert lines[0] == "webhook_not_registered reason=DatabaseAway (trying again in 0 s)"
        assert await world.asked("*/webhooks*") == 0

    async def test_the_database_goes_away_meanwhile(self, world: World, start: Start, impatient: None) -> None:
        """A secret that the database did not take is kept as soon as it does: Blooio will not show it again."""
        await world.ask(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'away'; END $$;"
            "CREATE TRIGGER refusing BEFORE INSERT ON webhooks EXECUTE FUNCTION refuse();"
        )
        settings = read_settings(world.environment(BLOOIO_REGISTER_WEBHOOK="true"))
        async with registering(settings, world.database_url, world.blooio):
            await start.logged("webhook_not_registered reason=RaiseException")
            await world.ask("DROP TRIGGER refusing ON webhooks")
            await start.logged("webhook_registered ")
        [(_, _, secret)] = await world.kept()
        assert await world.signs_with(secret)
        assert await world.asked("POST /webhooks") == 1

    async def test_not_asked_to(self, world: World) -> None:
        """Without the setting nothing is even begun."""
        async with registering(read_settings(world.environment()), world.database_url, world.blooio):
            assert "registration" not in {task.get_name() for task in asyncio.all_tasks()}

    async def test_the_whole_bot(self, world: World) -> None:
        """A bot that starts with nothing but its address believes what Blooio then tells it."""
        with bind("127.0.0.1", 0) as bound:
            world.site.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            settings = read_settings(world.environment(BLOOIO_REGISTER_WEBHOOK="true"))
            async with running(settings, bound=bound):
                await soon(world.kept)
                await world.sandbox.phone("+15556000001").replies("Hi")
                await soon(lambda: world.ask("SELECT key FROM events"))
        assert [url for url, _, _ in await world.kept()] == [world.site.webhook]


class TestSecrets:
    """What the endpoint believes."""

    async def test_configured_and_kept(self, world: World) -> None:
        """Both configured secrets and the kept one are believed; the one of another address is not."""
        await world.ask(
            "INSERT INTO webhooks (url, webhook_id, secret) VALUES ('https://other', 'wh_2', 'whsec_other')"
        )
        await world.keeps("wh_1", "whsec_kept")
        environment = world.environment(BLOOIO_WEBHOOK_SECRET="whsec_current,whsec_next")
        async with open_pool(world.database_url) as pool:
            secrets = WebhookSecrets(read_settings(environment), pool)
            assert await secrets.current() == ("whsec_current", "whsec_next", "whsec_kept")
            nowhere = WebhookSecrets(read_settings(environment | {"PUBLIC_URL": ""}), pool)
            assert await nowhere.current() == ("whsec_current", "whsec_next")

    async def test_the_table_is_not_asked_each_time(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A secret is read once in a while, and not for every event; a new one is believed before long."""
        async with open_pool(world.database_url) as pool:
            secrets = WebhookSecrets(read_settings(world.environment()), pool)
            assert await secrets.current() == ()
            await world.keeps("wh_1", "whsec_kept")
            assert await secrets.current() == ()
            monkeypatch.setattr(registration, "_SECRETS_FOR_SECONDS", 0.0)
            assert await secrets.current() == ("whsec_kept",)

    async def test_the_database_is_away(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """While the database is away the last known secret is believed."""
        monkeypatch.setattr(registration, "_SECRETS_FOR_SECONDS", 0.0)
        await world.keeps("wh_1", "whsec_kept")
        async with open_pool(world.database_url) as pool:
            secrets = WebhookSecrets(read_settings(world.environment()), pool)
            assert await secrets.current() == ("whsec_kept",)
            await world.ask("ALTER TABLE webhooks RENAME TO webhooks_away")
            assert await secrets.current() == ("whsec_kept",)
        assert await secrets.current() == ("whsec_kept",)
