"""A stage for every story: once over a socket, once over HTTP."""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from sandbox.driver import Sandbox
from tests.acceptance.stage import Stage, bot_beside
from tests.acceptance.talking import Talk, talking


@pytest.fixture(params=["socket", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def stage(transport: str, database_url: str) -> AsyncIterator[Stage]:
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport=transport) as app:
        yield Stage(sandbox, app, transport)


@pytest.fixture(scope="module", params=["socket", "http"])
def shared_transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(shared_transport: str, shared_database_url: str) -> AsyncIterator[Stage]:
    """A stage that a module's stories share: each has people and places of its own, and leaves the bot in peace."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people CASCADE")  # what was on it over the other transport
    async with (
        Sandbox.start() as sandbox,
        bot_beside(sandbox, shared_database_url, transport=shared_transport) as app,
    ):
        yield Stage(sandbox, app, shared_transport)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(shared_transport: str, shared_database_url: str) -> AsyncIterator[Talk]:
    """A stage on which people answer, that a module's stories share: each has people and a channel of its own."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people, channels CASCADE")
    async with Sandbox.start() as sandbox, talking(sandbox, shared_database_url, transport=shared_transport) as talk:
        yield talk
