"""The bot needs nothing of our sandbox: a stand-in of a hundred lines that speaks the documents will do."""

import time
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bench.stand_ins import StandIns
from tests.acceptance.processes import BotProcess

SECRET = "0123456789abcdef0123456789abcdef"
WORDS = "zebra umbrella"  # nothing else says this


@pytest.fixture
async def stand_ins():
    """Slack and Blooio as `bench/` has them: the port, and the notes of what they were asked."""
    vendors = StandIns(latency=0)
    runner = web.AppRunner(vendors.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1], vendors
    await runner.cleanup()


async def test_a_text_goes_out_between_any_two_vendors_and_no_log_tells(
    stand_ins, database_url: str, tmp_path: Path
) -> None:
    """Signed command in, message and thread reply out; no line logged has the number, the words or a secret."""
    port, vendors = stand_ins
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-stand-in",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": f"http://127.0.0.1:{port}/slack/api/",
        "BLOOIO_API_KEY": "stand-in-key",
        "BLOOIO_BASE_URL": f"http://127.0.0.1:{port}/blooio/v2/api",
        "DATABASE_URL": database_url,
    }
    bot = BotProcess(environment, tmp_path)
    await bot.start()
    try:
        form = {"command": "/text", "text": f"+15551234567 {WORDS} #1", "team_id": "T1", "channel_id": "C1"}
        body = urlencode(form | {"user_id": "U1", "user_name": "ana", "trigger_id": "1.2.3"})
        now = str(int(time.time()))
        headers = {
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=now, body=body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{bot.url}/slack/events", content=body, headers=headers)
            assert answer.json()["text"] == "Texting *+1 555-123-4567*."
            await vendors.until(lambda kinds: {"card", "message", "reply"} <= kinds, timeout=10)
            assert (await http.get(f"{bot.url}/readyz")).json()["ready"]
    finally:
        assert await bot.stop() == 0
    logged = "\n".join(bot.lines)
    assert "started" in logged
    assert not [secret for secret in ("1234567", WORDS, "xoxb", "stand-in-key", SECRET) if secret in logged]
