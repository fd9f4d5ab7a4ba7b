"""What the contract tests of the local Slack share."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox
from sandbox.slack.driver import Person
from tests.contract.slack_fixtures import APP, TRANSPORTS, Heard, client_of
from tests.contract.slack_forms import App, app_of


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


@pytest.fixture
def ana(sandbox: Sandbox) -> Person:
    """Be Ana, who uses what the app shows."""
    return sandbox.person("ana")


@pytest.fixture
async def app(sandbox: Sandbox, client: AsyncWebClient) -> AsyncIterator[App]:
    """Serve an app whose every answer the test decides."""
    async with app_of(sandbox, client) as listening:
        yield listening


@pytest.fixture(params=TRANSPORTS)
async def heard(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Heard]:
    """Connect the app of ten lines, over each transport in turn; the value is what it hears."""
    async with TRANSPORTS[request.param](sandbox) as listening:
        yield listening
