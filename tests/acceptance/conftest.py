"""A stage for every story: once over a socket, once over HTTP."""

from collections.abc import AsyncIterator

import pytest

from sandbox.driver import Sandbox
from tests.acceptance.stage import Stage, bot_beside


@pytest.fixture(params=["socket", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def stage(transport: str, database_url: str) -> AsyncIterator[Stage]:
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport=transport) as app:
        yield Stage(sandbox, app, transport)
