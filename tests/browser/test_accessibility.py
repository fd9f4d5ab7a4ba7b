"""What keeps people out, as axe-core finds it: on each screen of the workspace, light and dark, wide and narrow."""

import pytest

from tests.acceptance.talking import Talk
from tests.browser.chromium import AXE, expect
from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERIOUS = {"serious", "critical"}

schemes = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, which npm brings."""
    return AXE.read_text()


async def is_open_to_all(page, axe: str) -> None:
    """Assert that axe-core finds nothing serious on the page as it stands."""
    await page.evaluate(axe)  # not a script element: the page's own policy would forbid that
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    wrong = [one for one in found["violations"] if one["impact"] in SERIOUS]
    told = [f"{one['id']}: {node['html'][:120]} {node['failureSummary']}" for one in wrong for node in one["nodes"][:3]]
    assert not told, "\n".join(told)


@schemes
async def test_a_channel(talk: Talk, visit: Visit, axe: str, dark: bool) -> None:
    """Messages of every kind, with the row of tools and the menu of one."""
    home = await full_channel(talk)
    page = await visit("ana", home, dark=dark)
    await expect(page.get_by_role("list", name="Messages")).to_contain_text("On the board")
    await is_open_to_all(page, axe)
    await page.locator(".message", has_text="On the board").hover()
    await page.get_by_role("button", name="More actions").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await is_open_to_all(page, axe)
    await page.keyboard.press("Escape")
    await page.locator("#composer").get_by_role("button", name="Emoji").click()
    await expect(page.get_by_role("dialog", name="Choose an emoji")).to_be_visible()
    await is_open_to_all(page, axe)


@schemes
async def test_a_thread(talk: Talk, visit: Visit, axe: str, dark: bool) -> None:
    """A conversation with a customer, wide and narrow."""
    jane = await talk.begins("Hi Jane")
    await jane.phone.replies("On my way!")
    await jane.shows("Hi Jane", "On my way!")
    for narrow in (False, True):
        page = await visit("ana", f"{jane.home}/{jane.card.ts}", dark=dark, narrow=narrow)
        await expect(page.get_by_role("list", name="Thread")).to_contain_text("On my way!")
        await is_open_to_all(page, axe)


@schemes
async def test_the_workspace_on_a_narrow_screen(talk: Talk, visit: Visit, axe: str, dark: bool) -> None:
    """The pane with people and conversations."""
    page = await visit("ana", narrow=True, dark=dark)
    await page.get_by_role("button", name="Workspace").tap()
    await expect(page.get_by_role("radio", name="Ben Baker")).to_be_visible()
    await is_open_to_all(page, axe)


@schemes
async def test_a_form(talk: Talk, visit: Visit, axe: str, dark: bool) -> None:
    """The bot's own composer, as it opens and with errors."""
    home = await talk.channel()
    page = await visit("ben", home, dark=dark)
    await talk.stage.ben.types(home, "/text")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await is_open_to_all(page, axe)
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(page.locator(".wrong:not(:empty)").first).to_be_visible()
    await is_open_to_all(page, axe)
    await talk.stage.ben.closes(everything=True)


async def full_channel(talk: Talk) -> str:
    """A channel with messages of every kind."""
    ana, ben, home = talk.stage.ana, talk.stage.ben, await talk.channel()
    await talk.begins("Hi Jane", home=home)
    said = await ben.posts(home, "@ana *look* at `this` _soon_: https://acme.example :wave:\n> a quote\n```code```")
    await ana.reacts(said, "eyes")
    await ben.posts(home, "A reply", thread_ts=said.ts, broadcast=True)
    gone = await ben.posts(home, "Gone")
    await ben.posts(home, "What?", thread_ts=gone.ts)
    await ben.deletes(home, gone.ts)
    await ben.says_as_me(home, "is out for lunch")
    await talk.sandbox.another_app_posts(home, "Deployed")
    await talk.sandbox.changes_members(home, "gus", by="ana")
    await ana.types(home, "/text nobody-is-called-this hello")
    await ben.uploads(home, "list.csv", b"a,b", text="On the board")
    return home
