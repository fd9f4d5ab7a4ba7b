"""The trouble drawer, the wire and the tour in a browser."""

import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sandbox.companion import Companion, port_for
from sandbox.driver import Sandbox
from sandbox.server import World, serve
from tests.acceptance.stage import SUPPORT
from tests.browser.chromium import expect
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import axe, is_open_to_all, schemes  # noqa: F401 - axe is a fixture

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "C0SUPPORT01"
STARTING = 30.0  # seconds that a process of the bot's may take


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beside(shared_database_url: str, tmp_path_factory: Any) -> AsyncIterator[Sandbox]:
    """A sandbox that runs the bot as its companion, as `make sandbox` does."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("TRUNCATE people CASCADE")
    world = World(Path("manifest.yml"))
    server = await serve(world)
    settings = world.environment() | world.settings_beside(port_for({})) | {"DATABASE_URL": shared_database_url}
    world.companion = Companion([sys.executable, "-m", "bot"], settings, changed=world.basics.changes.bump)
    try:
        await world.companion.start()
        async with Sandbox.at(server.url) as sandbox:
            await sandbox.connected(timeout=STARTING)
            yield sandbox
    finally:
        await world.companion.end()
        await server.close()


@pytest.fixture
def url(beside: Sandbox) -> str:
    return beside.url


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _all_is_well(beside: Sandbox) -> AsyncIterator[None]:
    """A story that fails leaves no trouble to the next."""
    yield
    await beside.calm_down()


def trouble(page: Any) -> Any:
    return page.get_by_role("region", name="Trouble")


def wire(page: Any) -> Any:
    return page.get_by_role("region", name="Wire")


async def begins(page: Any, name: str) -> Any:
    """Open one of the two panels; return it."""
    await page.get_by_role("navigation", name="Sandbox").get_by_role("button", name=re.compile(f"^{name}")).click()
    panel = page.get_by_role("region", name=name)
    await expect(panel).to_be_visible()
    return panel


async def test_blooio_is_down_and_the_text_goes_out_when_it_is_back(beside: Sandbox, visit: Visit) -> None:
    """The switch says what is wrong now; a text waits, and arrives after everything was taken back."""
    page = await visit("ana", HOME)
    drawer = await begins(page, "Trouble")
    await drawer.get_by_role("switch", name="Blooio: Down (503)").click()
    await expect(drawer.get_by_role("status")).to_have_text("Now: Blooio: Down (503)")
    await expect(page.get_by_role("button", name=re.compile("Trouble"))).to_contain_text("1")
    phone = beside.phone("+15550100901")
    await phone.becomes(delivered_after=0.1)
    await beside.person("ana").types(SUPPORT, f"/text {phone.address} While it is down")

    async def refused() -> Any:
        found = await beside.exchanges(vendor="blooio", name="POST /chats/*/messages")
        return [one for one in found if one["status"] == 503]

    await beside.until(refused)
    assert await phone.received() == []
    await drawer.get_by_role("button", name="Take everything back").click()
    await expect(drawer.get_by_role("status")).to_have_text("Nothing is wrong now.")
    await expect(drawer.get_by_role("switch", name="Blooio: Down (503)")).not_to_be_checked()
    assert [one.text for one in await phone.received(1, timeout=30)] == ["While it is down"]


@pytest.mark.parametrize(
    "name",
    [
        "Blooio: Slow",
        "Blooio: Too many requests (429)",
        "Blooio: A web page instead (502)",
        "Webhooks: Late",
        "Webhooks: Doubled",
        "Webhooks: Out of order",
        "Webhooks: Lost",
        "Slack: Slow",
        "Slack: Rate-limited",
    ],
)
async def test_each_switch_is_turned_on_and_off(beside: Sandbox, visit: Visit, name: str) -> None:
    """It stands on a page that is opened afterwards, and leaves nothing behind."""
    page = await visit("ana", HOME)
    await (await begins(page, "Trouble")).get_by_role("switch", name=name).click()
    await expect(trouble(page).get_by_role("status")).to_have_text(f"Now: {name}")
    other = await visit("ben", HOME)
    await begins(other, "Trouble")
    box = trouble(other).get_by_role("switch", name=name)
    await expect(box).to_be_checked()
    await box.click()
    await expect(trouble(page).get_by_role("status")).to_have_text("Nothing is wrong now.")
    await expect(trouble(page).get_by_role("switch", name=name)).not_to_be_checked()


async def test_trouble_for_one_time(beside: Sandbox, visit: Visit) -> None:
    """The button orders it once; it is over by itself, and the text arrives."""
    page = await visit("ana", HOME)
    drawer = await begins(page, "Trouble")
    await drawer.get_by_role("button", name="Once: Blooio, A web page instead (502)").click()
    await expect(drawer.get_by_role("status")).to_have_text("Now: 1 more, once")
    phone = beside.phone("+15550100902")
    await beside.person("ana").types(SUPPORT, f"/text {phone.address} Once")
    await expect(drawer.get_by_role("status")).to_have_text("Nothing is wrong now.")
    assert [one.text for one in await phone.received(1, timeout=30)] == ["Once"]


async def test_the_connection_to_slack_breaks_and_is_made_again(beside: Sandbox, visit: Visit) -> None:
    """The bot is back by itself, and answers."""
    page = await visit("ana", HOME)
    drawer = await begins(page, "Trouble")
    await drawer.get_by_role("button", name="Break it: Slack, Disconnected").click()
    await beside.connected(timeout=STARTING)
    await expect(page.locator("#problem")).to_be_hidden(timeout=STARTING * 1000)


async def test_the_bot_is_stopped_and_started_again(beside: Sandbox, visit: Visit) -> None:
    """While it is away the page says so; a text from a phone waits, and is in Slack once it is back."""
    page = await visit("ana", HOME)
    drawer = await begins(page, "Trouble")
    stopped = drawer.get_by_role("switch", name="The bot: Stopped")
    await stopped.click()
    await expect(page.locator("#problem")).to_contain_text("The bot is not connected", timeout=STARTING * 1000)
    await expect(drawer.get_by_role("status")).to_have_text("Now: The bot: Stopped", timeout=STARTING * 1000)
    await stopped.click()
    await expect(page.locator("#problem")).to_be_hidden(timeout=STARTING * 1000)
    await expect(stopped).not_to_be_checked()
    phone = beside.phone("+15550100903")
    shown = await beside.person("ana").types(SUPPORT, f"/text {phone.address} Back again")
    assert shown.text.startswith("Texting ")
    assert [one.text for one in await phone.received(1, timeout=30)] == ["Back again"]


async def test_the_drawer_is_left_with_escape(visit: Visit) -> None:
    """The focus goes in, and back to the button."""
    page = await visit("ana", HOME)
    drawer = await begins(page, "Trouble")
    await expect(drawer.get_by_role("button", name="Close trouble")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(page.get_by_role("button", name=re.compile("^Trouble"))).to_be_focused()


async def test_the_wire_shows_a_text_being_sent(beside: Sandbox, visit: Visit) -> None:
    """Each call appears as it happens; its curl command holds no secret; a webhook's signature was checked."""
    page = await visit("ana", HOME)
    panel = await begins(page, "Wire")
    phone = beside.phone("+15550100904")
    await beside.person("ana").types(SUPPORT, f"/text {phone.address} It's on the <b>wire</b>")
    sending = panel.get_by_role("button", name="POST /chats/+15550100904/messages")
    await sending.click()
    details = panel.get_by_role("region", name="Details")
    await expect(details).to_contain_text('"text": "It\'s on the <b>wire</b>"')
    await details.get_by_role("button", name="Copy as curl").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    words = shlex.split(copied.replace("\\\n", ""))
    assert words[:4] == ["curl", "-X", "POST", f"{beside.url}/blooio/v2/api/chats/%2B15550100904/messages"]
    assert "Authorization: Bearer $BLOOIO_API_KEY" in words
    assert "It's on the <b>wire</b>" in words[words.index("--data") + 1]
    assert "bl_sandbox_0" not in copied
    await phone.received(1, timeout=30)
    told = panel.get_by_role("button", name="Blooio → bot message.delivered")
    await told.last.click()
    await expect(details).to_contain_text("Signature checked: valid")
    await details.get_by_text("Headers").click()
    await expect(details).to_contain_text('"x-blooio-signature": "••••"')


async def test_the_wire_is_filtered_paused_and_cleared(beside: Sandbox, visit: Visit) -> None:
    """By vendor and by words; while it is paused nothing is added; what was cleared does not come back."""
    page = await visit("ana", HOME)
    panel = await begins(page, "Wire")
    rows = panel.get_by_role("list", name="Exchanges").get_by_role("button")
    ana = beside.person("ana")
    await ana.types(SUPPORT, "/text help")
    await expect(rows.filter(has_text="slash_commands /text").last).to_be_visible()
    await panel.get_by_role("combobox", name="Whose").select_option("blooio")
    await expect(rows.filter(has_text="Slack").locator("visible=true")).to_have_count(0)
    await panel.get_by_role("combobox", name="Whose").select_option("")
    await panel.get_by_role("searchbox").fill("slash_commands HELP")
    await expect(rows.locator("visible=true").first).to_contain_text("slash_commands /text")
    await expect(rows.filter(has_text="chat.postMessage").locator("visible=true")).to_have_count(0)
    await panel.get_by_role("searchbox").fill("")
    await panel.get_by_role("button", name="Clear").click()
    await expect(rows).to_have_count(0)
    await panel.get_by_role("button", name="Pause").click()
    await ana.types(SUPPORT, "/text help")
    await expect(page.get_by_role("list", name="Messages")).to_be_visible()
    assert await rows.count() == 0
    await panel.get_by_role("button", name="Pause").click()
    await expect(rows.filter(has_text="slash_commands /text")).to_have_count(1)


async def test_the_tour_is_skipped_and_does_not_come_back(visit: Visit) -> None:
    """It keeps nobody from typing; Escape ends it; only its own button brings it back."""
    page = await visit("ana", HOME)
    await page.goto(page.url.replace("?as=ana", "?as=ana&tour"))
    tour = page.locator(".tour")
    await expect(tour).to_contain_text("Type this and press Enter")
    await tour.get_by_role("button", name="Type it for me").click()
    box = page.get_by_role("combobox", name="Message or slash command")
    await expect(box).to_have_value("/text +1 555 123 4567 Hi Jane, your order is ready")
    await box.fill("Nothing yet")
    await page.keyboard.press("Escape")
    await expect(tour).to_have_count(0)
    assert await page.evaluate("localStorage.getItem('tour-seen')") == "yes"
    await page.evaluate("Object.defineProperty(navigator, 'webdriver', { value: false })")
    await page.goto(page.url.replace("&tour", ""))
    await expect(box).to_be_visible()
    await expect(tour).to_have_count(0)
    await page.get_by_role("button", name="Tour").click()
    for words in ("Look at the phone", "Answer from the phone", "Reply in the thread", "Break something"):
        await tour.get_by_role("button", name="Next").click()
        await expect(tour).to_contain_text(words)
        await expect(page.locator(".pointed-at")).to_have_count(1)
    await tour.get_by_role("button", name="Done").click()
    await expect(tour).to_have_count(0)
    await expect(page.get_by_role("button", name="Tour")).to_be_focused()


async def test_the_tour_comes_once_to_somebody_new(browser: Any, url: str) -> None:
    """A person's browser, which no program drives, shows it on the first visit and not on the second."""
    context = await browser.new_context()
    try:
        await context.add_init_script("Object.defineProperty(navigator, 'webdriver', { value: false })")
        page = await context.new_page()
        await page.goto(url)
        await page.locator(".tour").get_by_role("button", name="Skip").click()
        await page.reload()
        await expect(page.get_by_role("heading", name="#support")).to_be_visible()
        await expect(page.locator(".tour")).to_have_count(0)
    finally:
        await context.close()


@schemes
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_nobody_is_kept_out(
    beside: Sandbox,
    visit: Visit,
    axe: str,  # noqa: F811 - the fixture
    dark: bool,
    narrow: bool,
) -> None:
    """The phones with what opens from them, the drawer, the wire and the tour, as axe-core sees them."""
    phone = beside.phone("+15551234567")
    await beside.person("ana").types(SUPPORT, f"/text {phone.address} Hi Jane")
    await phone.received(1, timeout=30)
    await phone.reacts("love")
    await phone.replies("Here", files=[("list.csv", b"a,b", "text/csv")])
    await phone.becomes(typing=True)
    page = await visit("ana", HOME, dark=dark, narrow=narrow)
    await expect(page.get_by_role("heading", name="#support")).to_be_visible()
    if narrow:
        await page.get_by_role("button", name="Phones").click()
    await page.locator("#phones").get_by_role("button", name=re.compile("Jane Doe")).click()
    await is_open_to_all(page, axe)
    opened = ("Settings of this phone", "React", "New phone")
    for name in opened:
        await page.locator(".texts li", has_text="Hi Jane").last.hover()
        await page.locator("#phones-pane").get_by_role("button", name=name).last.click()
        await is_open_to_all(page, axe)
        await page.keyboard.press("Escape")
    drawer = await begins(page, "Trouble")
    await drawer.get_by_role("switch", name="Slack: Rate-limited").click()
    await expect(drawer.get_by_role("status")).to_contain_text("Rate-limited")
    await is_open_to_all(page, axe)
    await drawer.get_by_role("button", name="Take everything back").click()
    await page.keyboard.press("Escape")
    panel = await begins(page, "Wire")
    await panel.get_by_role("list", name="Exchanges").get_by_role("button").last.click()
    await is_open_to_all(page, axe)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Tour").click()
    await is_open_to_all(page, axe)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
