"""The comparison itself, small; and what must not creep back into the way of a text: statements."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import httpx
import psutil
import psycopg
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bench import speed, texts
from bench.plot import draw
from bench.stand_ins import StandIns
from bot.app import running
from bot.ingress.server import bind
from bot.settings import read_settings

#: What a text to somebody known asks of the database from the command to the receipt, edited once; without BEGIN and
#: COMMIT, and without the looks that are taken every second or so, whether there are texts or not.
MOST_STATEMENTS = 13
TEXTS = 8
LOOKS = (
    "procrastinate_fetch_job",
    "procrastinate_update_heartbeat",
    "abort_requested = true",
    "check_at <= now()",
    "min(check_at)",
    "FROM events",
    "FROM notices",
    "FROM channels",
    "read_up_to",
    "pg_advisory",
    "pg_locks",
    "draw_after LIMIT",
    "edit_after LIMIT",
    "mark_after LIMIT",
    "LISTEN",
    "SELECT true",
    "FROM contacts",
    "set_config",
    "SELECT %s + %s",
)
DONE = "SELECT count(*) FROM deliveries WHERE status = 'delivered' AND drawn_revision = revision"


async def test_the_bench_measures_any_bot_alike(tmp_path: Path) -> None:
    """Ours and a peer are started, measured, compared and drawn, from the same few texts."""
    results: speed.Results = {}
    for program in (texts.OURS, speed.SHARED):
        async with texts.bench(0.01, program, tmp_path) as bench:
            results[program] = await texts.measure(bench, texts.Scale(2, 10, 0.4), pause=0)
            bot, database = bench.processes()
            assert (len(bot) > 0, len(database) > 0) == (True, program is texts.OURS)

    for figures in results.values():
        assert {row.figure for row in speed.ROWS} <= set(figures)
        assert figures["burst accepted, of all"] == [1.0]
        assert len(figures["message, known person"]) == 2
        assert figures["steady texts/s"][0] > 0
    judged = speed.judge(results, {1_000: 0.004, 1_000_000: 0.0045})
    assert [row[0] for row in judged][-1] == "CPU a text beside 1,000,000 texts"
    assert judged[-1][2:] == ["1.12", "✓"]
    assert draw({one.name: dict.fromkeys(results[one], 1.0) for one in results}, {1: 1.0}).startswith(b"\x89PNG")


async def test_a_text_that_is_lost_is_noticed() -> None:
    """A stand-in that never hears of a text: the bench says that it is missing, and does not count it."""
    vendors = StandIns(latency=0)
    runner = web.AppRunner(vendors.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        bench = texts.Bench(http, url, url, psutil.Process(), Path(), 0.0)
        vendors.note("message", "1")
        vendors.note("reply", "1")
        vendors.note("message", "2")
        done, _ = await bench.until_done(["1", "2"], patience=0.1)
    await runner.cleanup()

    assert done == 1


async def test_a_text_asks_little_of_the_database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To somebody known, from the command to the edited receipt, a text costs no more statements than it must."""
    asked: Counter[str] = Counter()
    execute = psycopg.AsyncCursor.execute

    async def counted(self, query, *args, **kwargs):  # the real one, counted
        asked[str(query)] += 1
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    vendors = StandIns(latency=0)
    runner = web.AppRunner(vendors.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": texts.SECRET, "SLACK_API_URL": f"{url}/slack/api/",
        "BLOOIO_API_KEY": "bench", "BLOOIO_BASE_URL": f"{url}/blooio/v2/api", "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
    }  # fmt: skip
    bound = bind("127.0.0.1", 0)
    async with running(read_settings(environment), bound=bound) as bot, httpx.AsyncClient(trust_env=False) as http:
        for first in (True, False):
            asked.clear()
            for number in range(TEXTS):
                await _text(http, bot.url, f"+1555123456{number}", first=first)
            await _until_shown(database_url, TEXTS if first else 2 * TEXTS)
    await runner.cleanup()

    of_texts = {query: count for query, count in asked.items() if not any(look in query for look in LOOKS)}
    assert 8 <= sum(of_texts.values()) / TEXTS <= MOST_STATEMENTS, of_texts


async def _text(http: httpx.AsyncClient, url: str, phone: str, *, first: bool) -> None:
    form = {
        "command": "/text", "text": f"{phone} Hi #{phone}-{first}", "team_id": "T1", "channel_id": "C1",
        "user_id": "U1", "user_name": "ana", "trigger_id": f"{phone}.{first}",
    }  # fmt: skip
    body, now = urlencode(form), str(int(time.time()))
    headers = {
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": SignatureVerifier(texts.SECRET).generate_signature(timestamp=now, body=body) or "",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = await http.post(f"{url}/slack/events", content=body, headers=headers)
    assert "Texting" in answer.text


async def _until_shown(database_url: str, count: int) -> None:
    """Wait until so many texts are delivered, and Slack says so."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        async with asyncio.timeout(40):
            while connection.execute(DONE).fetchone() != (count,):  # noqa: ASYNC110  (another process draws)
                await asyncio.sleep(0.05)
