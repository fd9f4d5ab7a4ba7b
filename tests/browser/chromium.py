"""Where the browser of these tests comes from, and what they do without one."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

try:
    from playwright.async_api import async_playwright, expect
except ImportError:  # it is a development dependency: a bare installation has none
    async_playwright = expect = None

#: Debian's name for it first. `CHROMIUM` in the environment names another one.
NAMES = ("chromium", "chromium-browser", "google-chrome")

#: No sandbox of its own, because CI is root in a container; and nothing that would ask the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


def executable() -> str | None:
    """Return the path of a Chromium on this machine."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def why_not() -> str | None:
    """Say what is missing, and how to have it; None if nothing is."""
    if async_playwright is None:
        return "Playwright is not installed: run `make install`"
    return None if executable() else "there is no Chromium: install Debian's `chromium`, or set CHROMIUM to another"


def why_no_axe() -> str | None:
    """Say how to have axe-core; None if it is there, or nothing else is either."""
    return None if AXE.exists() or why_not() else "axe-core is not installed: run `npm ci` in tests/browser"


if expect is not None:
    expect.set_options(timeout=20_000)  # milliseconds: a limit for what hangs; other tests run beside these


@asynccontextmanager
async def opened() -> AsyncIterator[Any]:
    """Open the browser; the value is Playwright's `Browser`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
