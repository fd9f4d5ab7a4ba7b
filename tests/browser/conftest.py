"""A browser in front of the sandbox's page, with the bot beside it. A module's stories share both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sandbox.driver import Sandbox
from tests.acceptance.talking import Talk, talking
from tests.browser.chromium import opened, why_no_axe, why_not

WIDE = {"width": 1400, "height": 900}
NARROW = {"width": 390, "height": 844}

#: Opens the page: `await visit("ana", channel_id, narrow=True, dark=True)`.
Visit = Callable[..., Awaitable[Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without what they need, one test stands for all that are left out, so that the summary says it in one line."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for group, why in (
        (ours, why_not()),
        ([item for item in ours if item.path.stem == "test_accessibility"], why_no_axe()),
    ):
        if group and why:
            group[0].add_marker(pytest.mark.skip(f"left out {len(group)} browser tests, because {why}"))
            items[:] = [item for item in items if item not in group[1:]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Any]:
    """Chromium, without a window."""
    async with opened() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(shared_database_url: str) -> AsyncIterator[Talk]:
    """The sandbox with the bot beside it, told of answers by webhooks."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people CASCADE")
    async with Sandbox.start() as sandbox, talking(sandbox, shared_database_url, transport="socket") as talk:
        yield talk


@pytest.fixture
def url(talk: Talk) -> str:
    """Where the page is. A module with a sandbox of its own has a fixture of this name."""
    return talk.sandbox.url


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Any, url: str) -> AsyncIterator[Visit]:
    """
    Open the page as somebody, each time with an empty memory.

    The test fails if anything on the page raised an error, or broke the content policy.
    """
    wrong: list[str] = []

    def told(message: Any) -> None:
        # The browser itself notes each answer that is no success; what the page makes of it is for the story to say.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    async with AsyncExitStack() as stack:

        async def visit(
            handle: str = "ana", where: str = "", *, narrow: bool = False, dark: bool = False, **options: Any
        ) -> Any:
            context = await browser.new_context(
                viewport=NARROW if narrow else WIDE,
                color_scheme="dark" if dark else "light",
                has_touch=narrow,
                reduced_motion="reduce",
                **options,
            )
            stack.push_async_callback(context.close)
            await context.grant_permissions(["clipboard-read", "clipboard-write"])
            page = await context.new_page()
            page.set_default_timeout(20_000)
            page.on("console", told)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(f"{url}/?as={handle}#{where}")
            return page

        yield visit
        assert wrong == []
