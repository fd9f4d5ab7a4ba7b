"""`python -m bot`, from the settings it is given to the exit status it leaves."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bot.doctor.webhook import check_inbox
from bot.settings import read_settings
from bot.slack.client import open_slack
from sandbox.driver import Sandbox
from tests.acceptance.processes import BotProcess, bot_process
from tests.acceptance.stage import SUPPORT

ROOT = Path(__file__).parents[2]
NO_DATABASE = "postgresql://nobody@127.0.0.1:9/texting"


@dataclass(frozen=True)
class Ended:
    """How a run of the command line went."""

    status: int
    said: str  # on standard output
    complained: str  # on standard error


async def run(folder: Path, *arguments: str, **environment: str) -> Ended:
    """Run `python -m bot` with this environment and no other, to its end."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "PORT": "0"} | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox.start() as started:
        yield started


async def test_settings_missing(tmp_path: Path) -> None:
    """Without settings it ends with 2 and one message that names all that is missing."""
    ended = await run(tmp_path)
    assert (ended.status, ended.said) == (2, "")
    assert ended.complained == (
        "These settings need attention:\n"
        "  SLACK_APP_TOKEN is missing: set it (xapp-…) for Socket Mode, "
        "or SLACK_SIGNING_SECRET to receive requests over HTTP\n"
        "  SLACK_BOT_TOKEN is missing\n"
        "  BLOOIO_API_KEY is missing\n"
        "Set them in the environment or in .env (see .env.example).\n"
    )


async def test_settings_malformed(tmp_path: Path) -> None:
    """Settings that cannot be meant are all named at once, each with what it should be; `.env` is read too."""
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xapp-1\nDEFAULT_REGION=Texas\nBLOOIO_API_KEY=from the file\n")
    ended = await run(
        tmp_path,
        SLACK_APP_TOKEN="xoxb-1",
        SLACK_API_URL="http://slack.example/api/",
        BLOOIO_BASE_URL="blooio",
        DATABASE_URL="mysql://localhost/texting",
        PORT="70000",
    )
    assert ended.status == 2
    assert ended.complained.splitlines()[1:-1] == [
        "  SLACK_APP_TOKEN should start with xapp-",
        "  SLACK_BOT_TOKEN should start with xoxb-",
        "  SLACK_API_URL should use https (plain http is only for this machine's own addresses)",
        "  BLOOIO_BASE_URL should be a web address, such as https://example.com",
        "  DATABASE_URL should start with postgresql://",
        "  PORT should be a number from 0 to 65535",
        "  DEFAULT_REGION should be a country's two letters, such as US or DE",
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxb-somebody-elses"},
            "Slack refused SLACK_BOT_TOKEN (invalid_auth). Copy the Bot User OAuth Token (xoxb-…) from "
            "https://api.slack.com/apps → your app → OAuth & Permissions, and install the app if it is not installed.",
            id="Slack's bot token",
        ),
        pytest.param(
            {"SLACK_APP_TOKEN": "xapp-somebody-elses"},
            "Slack refused SLACK_APP_TOKEN (invalid_auth). Create an app-level token (xapp-…) with the scope "
            "connections:write at https://api.slack.com/apps → your app → Basic Information, "
            "and switch Socket Mode on.",
            id="Slack's app token",
        ),
        pytest.param(
            {"BLOOIO_API_KEY": "somebody-elses"},
            "Blooio refused BLOOIO_API_KEY (disconnected). Copy an API key from Blooio's dashboard.",
            id="Blooio's key",
        ),
    ],
)
async def test_wrong_token(
    sandbox: Sandbox, database_url: str, tmp_path: Path, wrong: dict[str, str], words: str
) -> None:
    """A token that is refused ends it with 1, and the last words say where to get a good one."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url} | wrong
    started, checked = await asyncio.gather(run(tmp_path, **environment), run(tmp_path, "doctor", **environment))
    assert (started.status, started.complained.splitlines()[-1]) == (1, words)
    assert checked.status == 1
    assert [line[0] for line in checked.said.splitlines() if words in line] == ["✗"]


async def test_port_in_use(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A port that somebody has ends it with 1, and the words say what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = sandbox.environment() | {"DATABASE_URL": database_url, "PORT": port}
        ended = await run(tmp_path, **environment)
    assert ended.status == 1
    assert ended.complained.splitlines()[-1] == (
        f"127.0.0.1:{port} cannot be used (Address already in use). Set PORT to a free port."
    )


async def test_database_away(sandbox: Sandbox, tmp_path: Path) -> None:
    """A database that is not there ends it with 1, and the words say which setting to look at."""
    ended = await run(tmp_path, **sandbox.environment() | {"DATABASE_URL": NO_DATABASE})
    assert ended.status == 1
    last = ended.complained.splitlines()[-1]
    assert last.startswith("The database did not answer (connection failed")
    assert last.endswith("Check DATABASE_URL.")


async def test_database_goes_away_in_the_middle_of_a_start(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """It ends with 1 and one line as well, and no traceback that could quote anything."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as ours:
        await ours.execute("SELECT pg_advisory_lock(7285001)")  # as a migration under way
        running = asyncio.create_task(run(tmp_path, **environment))
        await until(lambda: _ends_who_waits(ours))
        ended = await running
    assert ended.status == 1
    assert ended.complained == (
        "The database did not answer (terminating connection due to administrator command). Check DATABASE_URL.\n"
    )


async def test_database_goes_away_while_lines_are_learnt(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """It starts all the same, and learns them later."""
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as ours,
        await psycopg.AsyncConnection.connect(database_url) as holding,
        bot_process(sandbox, database_url, tmp_path) as bot,
    ):
        await holding.execute("LOCK TABLE threads")
        starting = asyncio.create_task(bot.start())
        await until(lambda: _ends_who_waits(ours))
        await holding.rollback()
        await starting
        assert any(line.endswith("not_learnt error=AdminShutdown") for line in bot.lines)


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until *check* is true of the database, which announces nothing."""
    async with asyncio.timeout(30):
        while not await check():  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.05)


async def _ends_who_waits(connection: psycopg.AsyncConnection[Any]) -> bool:
    """End the connection of whoever waits for a lock; return whether somebody did."""
    cursor = await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(await cursor.fetchall())


async def test_migrate(sandbox: Sandbox, bare_database_url: str, tmp_path: Path) -> None:
    """`migrate` lists what it applied, and can be run again, also twice at once."""
    environment = sandbox.environment() | {"DATABASE_URL": bare_database_url}
    ended = await asyncio.gather(*(run(tmp_path, "migrate", **environment) for _ in range(2)))
    assert [one.status for one in ended] == [0, 0]
    first, second = sorted((one.said for one in ended), key=len, reverse=True)
    assert first.splitlines()[0] == "procrastinate/schema.sql"
    assert "0001_people_threads_deliveries.sql" in first
    assert second == "The schema is up to date.\n"


async def test_doctor(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """`doctor` prints a line for each service, and ends with 0 when all are well."""
    ended = await run(tmp_path, "doctor", **sandbox.environment() | {"DATABASE_URL": database_url})
    assert ended.status == 0
    lines = ended.said.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "✓ Slack",
        "✓ Blooio",
        "✓ Database",
        "✓ Socket Mode",
        "- Inbox",
        "- Webhooks",
    ]
    assert lines[:2] == ["✓ Slack: Acme as @texting", "✓ Blooio: 1 active number"]


async def test_doctor_finds_services_away(sandbox: Sandbox, tmp_path: Path) -> None:
    """`doctor` tells a service that does not answer from a token that is refused."""
    await sandbox.order(vendor="blooio", where="*", kind="status", status=503, times=None)
    ended = await run(tmp_path, "doctor", **sandbox.environment() | {"DATABASE_URL": NO_DATABASE})
    assert ended.status == 1
    assert [line.partition(":")[0] for line in ended.said.splitlines()] == [
        "✓ Slack",
        "✗ Blooio",
        "✗ Database",
        "✓ Socket Mode",
        "- Inbox",
        "- Webhooks",
    ]


async def test_doctor_checks_who_may_text(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """Each id in the settings is looked up; of one that does not work it is said why, and what to do."""
    rules = {
        "TEXT_CHANNELS": "C0SUPPORT01, C0DESKROOM1, C0VIPROOM01, C0OLDNEWS01",
        "TEXT_USERS": "U0BENBAKER1, U0GUSGUEST1, U0EVEGLOBEX, U0DEPLOYER1, U0NOBODY001",
        "TEXT_GROUPS": "S0SUPPORT01, S0NOBODY001",
        "TEXT_ADMINS": "U0ANAALVARE",
    }
    ended = await run(tmp_path, "doctor", **sandbox.environment() | {"DATABASE_URL": database_url} | rules)
    assert ended.status == 1
    assert [line for line in ended.said.splitlines() if "TEXT_" in line.partition(":")[0]] == [
        "✗ TEXT_CHANNELS: C0OLDNEWS01 is archived. Take it out of the list.",
        (
            "✗ TEXT_CHANNELS: Slack shows us no conversation with the id C0VIPROOM01. If it is private, type "
            "/invite @texting there; otherwise copy the id from the channel's details in Slack, at the bottom."
        ),
        "✓ TEXT_CHANNELS: #support, C0DESKROOM1",
        "✗ TEXT_USERS: Deployer (U0DEPLOYER1) is an app, and apps never text. Take them out of the list.",
        (
            "✗ TEXT_USERS: Eve Evans (U0EVEGLOBEX) comes from another workspace. Set ALLOW_EXTERNAL=true, or take them "
            "out of the list."
        ),
        "✗ TEXT_USERS: Gus Guest (U0GUSGUEST1) is a guest. Set ALLOW_GUESTS=true, or take them out of the list.",
        (
            "✗ TEXT_USERS: Slack shows us nobody with the id U0NOBODY001. Copy the id from their profile in Slack: ⋮, "
            "Copy member ID."
        ),
        "✓ TEXT_USERS: Ben Baker",
        (
            "✗ TEXT_GROUPS: Nobody is in a user group with the id S0NOBODY001: it has no members, is disabled, or does "
            "not exist. Its id stands in Slack under People → User groups → ⋮, Copy group ID."
        ),
        "✓ TEXT_GROUPS: S0SUPPORT01 has 2 members",
        "✓ TEXT_ADMINS: Ana Alvarez",
    ]


@pytest.mark.parametrize(
    ("places", "mark", "words"),
    [
        pytest.param({}, "-", "nobody in Slack sees it. Set INBOX_CHANNEL", id="none"),
        pytest.param({"INBOX_CHANNEL": "C0GENERAL01"}, "✓", "INBOX_CHANNEL is C0GENERAL01: texts from", id="a channel"),
        pytest.param(
            {"ADMIN_CHANNEL": "C0GENERAL01"}, "✓", "ADMIN_CHANNEL is C0GENERAL01: texts from", id="the admins'"
        ),
        pytest.param({"INBOX_CHANNEL": "C0OLDNEWS01"}, "✗", "which is archived. Unarchive it", id="archived"),
        pytest.param(
            {"INBOX_CHANNEL": "C0VIPROOM01"}, "✗", "private and the bot is not in it. Invite it", id="private"
        ),
        pytest.param({"INBOX_CHANNEL": "#general"}, "✗", "'#general', which is no channel's id", id="a name"),
    ],
)
async def test_doctor_checks_the_inbox(sandbox: Sandbox, places: dict[str, str], mark: str, words: str) -> None:
    """It says whether people who write first are seen, and what to do if they are not."""
    settings = read_settings(sandbox.environment() | places)
    async with open_slack(settings.slack_bot_token, settings.slack_api_url) as (slack, _):
        found = await check_inbox(settings, slack)
    assert found.mark == mark
    assert words in found.words


async def test_audit(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """`audit` prints the trail as CSV, from a moment on; a cell is no formula."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO audit (at, user_id, user_name, action, reason, conversation_id) VALUES"
            " ('2026-01-02 03:04:05+00', 'U1', 'Ana', 'claim', NULL, 'C1'),"
            " (now() - interval '3 hours', 'U2', '=Gus', 'refusal', 'not_permitted:guest', NULL)"
        )
    ended = await run(tmp_path, "audit", "--since", "9999d", **environment)
    assert (ended.status, ended.complained) == (0, "")
    head, first, second = ended.said.splitlines()
    assert head == "at,user_id,user_name,action,reason,person_id,thread_id,delivery_id,conversation_id"
    assert first == "2026-01-02T03:04:05.000Z,U1,Ana,claim,,,,,C1"
    assert second.partition("Z,")[2] == "U2,'=Gus,refusal,not_permitted:guest,,,,"

    late, never = await asyncio.gather(
        run(tmp_path, "audit", "--since", "2h", **environment), run(tmp_path, "audit", "--since", "soon", **environment)
    )
    assert (late.status, late.said.splitlines()) == (0, [head])
    assert never.status == 2
    assert "argument --since: write it as 7d or 12h" in never.complained


async def test_audit_of_a_new_database(sandbox: Sandbox, bare_database_url: str, tmp_path: Path) -> None:
    """Before the first start there is nothing to print, and it is said what to do."""
    ended = await run(tmp_path, "audit", **sandbox.environment() | {"DATABASE_URL": bare_database_url})
    assert (ended.status, ended.said) == (1, "")
    assert ended.complained == "This database has no trail yet. Run `python -m bot migrate` first.\n"


async def test_stopped(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """SIGTERM ends it with 0, after it has finished what it had begun."""
    phone, ana = sandbox.phone("+15556000002"), sandbox.person("ana")
    await sandbox.order(vendor="blooio", where="POST /chats/*/messages", kind="latency", seconds=0.5)
    async with bot_process(sandbox, database_url, tmp_path) as bot:
        await bot.start()
        assert (await ana.types(SUPPORT, "/text +15556000002 Hi Jane")).text == "Texting +1 555-600-0002."
        await sandbox.until(lambda: _asked(sandbox, "GET /contacts/*/capabilities"))
        assert await bot.stop() == 0
    assert [text.text for text in await phone.texts()] == ["Hi Jane"]


async def test_without_a_database_url(sandbox: Sandbox) -> None:
    """Without DATABASE_URL a database is made in DATA_DIR, and found again by the next start."""
    environment = sandbox.environment() | {"DATABASE_URL": ""}
    with tempfile.TemporaryDirectory(prefix="texting") as name:  # the database's user has to get into it
        folder = Path(name)
        bot = BotProcess(environment | {"DATA_DIR": "data"}, folder)
        try:
            for words in ("one", "two"):
                await bot.start()
                await sandbox.person("ana").types(SUPPORT, f"/text +15556000004 {words}")
                await sandbox.until(lambda said=words: _shown(sandbox, said))
                assert await bot.stop() == 0
        finally:
            await bot.kill()
        assert (folder / "data" / "postgres").is_dir()
    assert len(await _threads(sandbox)) == 1


async def test_web_and_worker(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """Two processes on one database share the work: one receives, the other sends and draws."""
    environment = sandbox.environment() | {"DATABASE_URL": database_url}
    web = BotProcess(environment, tmp_path, command="web")
    worker = BotProcess(environment, tmp_path, command="worker")
    try:
        await web.start()
        await sandbox.person("ana").types(SUPPORT, "/text +15556000006 Hi Jane")
        assert await sandbox.exchanges(vendor="blooio", name="POST /chats/*/messages") == []
        await worker.start()
        await sandbox.until(lambda: _shown(sandbox, "Hi Jane"))
        assert [await web.stop(), await worker.stop()] == [0, 0]
    finally:
        await web.kill()
        await worker.kill()


async def test_services_away(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """It starts while Slack and Blooio are away, says so, and is ready by itself as soon as they are back."""
    for vendor in ("slack", "blooio"):
        await sandbox.order(vendor=vendor, where="*", kind="status", status=503, times=None)
    async with bot_process(sandbox, database_url, tmp_path) as bot, httpx.AsyncClient(trust_env=False) as http:
        await bot.start()
        response = await http.get(f"{bot.url}/readyz")
        assert response.status_code == 503
        assert [name for name, said in response.json().items() if said == "ok"] == ["database"]
        assert (await http.get(f"{bot.url}/healthz")).status_code == 200

        await sandbox.calm()

        async with asyncio.timeout(20):
            while (await http.get(f"{bot.url}/readyz")).status_code != 200:  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.2)
        await sandbox.connected()
        await sandbox.person("ana").types(SUPPORT, "/text +15556000008 Hi Jane")
        await sandbox.until(lambda: _shown(sandbox, "Hi Jane"))


async def _asked(sandbox: Sandbox, name: str) -> bool:
    return bool(await sandbox.exchanges(vendor="blooio", name=name))


async def _threads(sandbox: Sandbox) -> list[str]:
    """The timestamps of the messages in #support that have replies."""
    return [one.ts for one in await sandbox.person("ana").sees(SUPPORT) if one.reply_count]


async def _shown(sandbox: Sandbox, words: str) -> bool:
    """Whether a thread in #support shows a text with these words."""
    ana = sandbox.person("ana")
    threads = [await ana.sees_thread(SUPPORT, ts) for ts in await _threads(sandbox)]
    return any(text.text.startswith(f"{words}\n") for thread in threads for text in thread)
