"""What the contract tests of the local Slack share."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox
from tests.contract.slack_fixtures import APP, TRANSPORTS, Heard, client_of


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Start a sandbox with an app of the tests' own."""
    async with Sandbox.start(APP) as started:
        yield started


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncWebClient]:
    """Open Slack's own client with the bot's token."""
    async with client_of(sandbox) as opened:
        yield opened


@pytest.fixture(params=TRANSPORTS)
async def heard(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Heard]:
    """Connect the app of ten lines, over each transport in turn; the value is what it hears."""
    async with TRANSPORTS[request.param](sandbox) as listening:
        yield listening
