"""Where the webhook is, and whether it delivers."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.blooio.client import BlooioClient, blooio_http
from bot.blooio.wire import Webhook
from bot.hearing.registration import delivers, find_or_register, webhook_url

HOOK = "https://bot.example.com/blooio/webhooks"


@pytest.mark.parametrize(
    ("public_url", "url"),
    [
        pytest.param("https://bot.example.com", HOOK, id="as it is"),
        pytest.param("https://bot.example.com/", HOOK, id="a slash at the end"),
        pytest.param("HTTPS://Bot.Example.Com", HOOK, id="capitals, which mean nothing in a host"),
        pytest.param("https://example.com/Bot/", "https://example.com/Bot/blooio/webhooks", id="below a path"),
        pytest.param("http://127.0.0.1:3000", "http://127.0.0.1:3000/blooio/webhooks", id="a port"),
    ],
)
def test_the_webhooks_address(public_url, url):
    """It is below PUBLIC_URL, spelled in one way, so that it is found in Blooio's list."""
    assert webhook_url(public_url) == url


@pytest.mark.parametrize(
    ("active", "hours", "expected"),
    [
        pytest.param(True, None, True, id="for good"),
        pytest.param(True, 1, True, id="until later"),
        pytest.param(True, -1, False, id="over"),
        pytest.param(False, None, False, id="paused"),
    ],
)
def test_what_delivers(active, hours, expected):
    """One that is paused, or whose time is over, is told nothing."""
    until = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    assert delivers(Webhook("wh_1", HOOK, active=active, valid_until=until)) is expected


async def test_which_webhook_of_several():
    """Of several at one address, the one that delivers is meant; one at another address never is."""
    rows = [
        {"webhook_id": "wh_1", "webhook_url": HOOK, "is_active": False},
        {"webhook_id": "wh_2", "webhook_url": HOOK},
        {"webhook_id": "wh_3", "webhook_url": HOOK, "is_active": False},
        {"webhook_id": "wh_4", "webhook_url": "https://bot.example.com/another"},
    ]
    blooio = httpx.MockTransport(lambda request: httpx.Response(200, json={"webhooks": rows}))
    async with blooio_http("https://backend.blooio.com/v2/api", "bl_live_secret", transport=blooio) as http:
        assert await find_or_register(BlooioClient(http), HOOK) == Webhook("wh_2", HOOK)
