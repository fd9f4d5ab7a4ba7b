"""The workspace in a browser: what a newcomer does in the first minutes, over and over."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox.slack.driver import Message
from tests.acceptance.talking import Talk
from tests.browser.chromium import expect
from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUPPORT = "C0SUPPORT01"

#: The smallest picture there is.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060"
    "000000050001a5f645400000000049454e44ae426082"
)


def channel(page):
    return page.get_by_role("list", name="Messages")


def thread(page):
    return page.get_by_role("list", name="Thread")


def message(page, words):
    return channel(page).locator(".message", has_text=words)


@asynccontextmanager
async def before_it_is_drawn(page: Any) -> AsyncIterator[None]:
    """Load the page again, and hold its first answer back until the block is left."""
    held = asyncio.Event()

    async def waits(route: Any) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/_sandbox/page*", waits)
    await page.reload()
    try:
        yield
    finally:
        held.set()  # or the page would never close


async def menu_of(page, words, choice):
    """Point at a message, open its menu, and choose."""
    await message(page, words).hover()
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name=choice).click()


async def test_a_first_text_is_delivered(talk: Talk, visit: Visit) -> None:
    """A newcomer types a command that is offered to them; its thread opens and says that the text was delivered."""
    home, phone = await talk.channel(), await talk.meets()
    page = await visit("ana", home)
    box = page.get_by_role("combobox", name="Message or slash command")
    await box.press_sequentially("/te")
    await expect(page.get_by_role("option", name="/text")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("/text ")
    await box.press_sequentially(f"{phone.address} Hello from the page")
    await box.press("Enter")
    await expect(thread(page)).to_contain_text("Hello from the page")
    await expect(thread(page)).to_contain_text("Delivered")
    await expect(box).to_have_value("")
    assert [one.text for one in await phone.received(1)] == ["Hello from the page"]


async def test_what_is_sent_before_the_channel_comes_goes_there(talk: Talk, visit: Visit) -> None:
    """Who is quicker than the page need not press Enter again."""
    home = await talk.channel()
    page = await visit("ana", home)
    box = page.get_by_role("combobox", name="Message or slash command")
    async with before_it_is_drawn(page):
        await box.fill("Good morning")
        await box.press("Enter")
        await box.press("Enter")
    await expect(channel(page).locator(".message")).to_have_count(1)
    await expect(message(page, "Good morning")).to_be_visible()
    await expect(box).to_have_value("")


async def test_a_reply_is_texted_and_answered(talk: Talk, visit: Visit) -> None:
    """What is typed in the thread reaches the phone and is marked; the answer appears without reloading."""
    jane = await talk.begins("Hi Jane")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    box = page.get_by_role("combobox", name="Reply")
    await box.fill("See you at the desk")
    await box.press("Enter")
    marks = thread(page).locator(".message", has_text="See you at the desk").locator(".reaction")
    await expect(marks).to_have_text(["✅1"])  # alone: the one before it has been taken off
    await jane.received("Hi Jane", "See you at the desk")
    await jane.phone.replies("On my way!")
    await expect(thread(page).locator(".message").last).to_contain_text("On my way!")
    await expect(page.locator("#announcer")).to_contain_text("On my way!")
    await expect(message(page, "Hi Jane").or_(channel(page).locator(".replies"))).to_contain_text("3 replies")


async def test_a_reply_can_go_to_the_channel_too(talk: Talk, visit: Visit) -> None:
    """The box beside the composer shows a reply in the channel, where it leads back to its thread."""
    jane = await talk.begins("Hi Jane")
    page = await visit("ben", f"{jane.home}/{jane.card.ts}")
    await page.get_by_role("checkbox", name=re.compile("Also send to")).check()
    await page.get_by_role("combobox", name="Reply").fill("She comes at eight")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("checkbox", name=re.compile("Also send to"))).not_to_be_checked()
    await expect(message(page, "She comes at eight")).to_contain_text("replied to a thread")


async def test_only_one_person_sees_what_is_for_her(talk: Talk, visit: Visit) -> None:
    """Becoming somebody else takes what was only visible to Ana away, and brings it back with her."""
    home = await talk.channel()
    await talk.stage.ana.types(home, "/text")
    await talk.stage.ana.closes(everything=True)
    await talk.stage.ana.types(home, "/text nobody-called-this hello")
    page = await visit("ana", home)
    await expect(channel(page)).to_contain_text("Only visible to you")
    await page.get_by_text("Ben Baker").first.click()
    await expect(page.get_by_role("radio", name=re.compile("Ben Baker"))).to_be_checked()
    await expect(channel(page)).not_to_contain_text("Only visible to you")
    await page.get_by_text("Ana Alvarez").first.click()
    await expect(channel(page)).to_contain_text("Only visible to you")


async def test_a_reaction_is_left_and_taken_back(talk: Talk, visit: Visit) -> None:
    """One is found by its name in the picker; a click on it takes it back."""
    home = await talk.channel()
    said = await talk.stage.ben.posts(home, "Lunch?")
    page = await visit("ana", home)
    await message(page, "Lunch?").hover()
    await page.get_by_role("button", name="Find another reaction").click()
    await page.get_by_role("combobox", name="Search all emoji").fill("pizza")
    await expect(page.get_by_role("option").first).to_have_attribute("title", ":pizza:")
    await page.keyboard.press("Enter")
    mark = message(page, "Lunch?").locator(".reaction")
    await expect(mark).to_have_attribute("aria-pressed", "true")
    assert await reactions(talk, home, said) == {"pizza": ["ana"]}
    await mark.click()
    await expect(mark).to_have_count(0)
    assert await reactions(talk, home, said) == {}


async def test_files_go_with_a_message(talk: Talk, visit: Visit) -> None:
    """Two files and a text make one message; the picture is shown, the other can be saved."""
    home = await talk.channel()
    page = await visit("ana", home)
    await page.locator("#composer input[type=file]").set_input_files(
        [
            {"name": "board.png", "mimeType": "image/png", "buffer": PICTURE},
            {"name": "list.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"},
        ]
    )
    await expect(page.get_by_role("list", name="Files to send")).to_contain_text("list.csv")
    await page.get_by_role("combobox", name="Message or slash command").fill("From the whiteboard")
    await page.keyboard.press("Enter")
    posted = message(page, "From the whiteboard")
    await expect(posted.get_by_role("img", name="board.png")).to_be_visible()
    async with page.expect_download() as saving:
        await posted.get_by_role("link", name=re.compile("list.csv")).click()
    assert (await (await saving.value).path()).read_bytes() == b"a,b\n1,2\n"
    [seen] = await talk.stage.ben.sees(home)
    assert [one.name for one in seen.files] == ["board.png", "list.csv"]


async def test_a_file_that_is_too_large_is_named(talk: Talk, visit: Visit) -> None:
    """The composer says which file was left out, how large it is, and how much there may be."""
    page = await visit("ana", await talk.channel())
    await page.evaluate(
        """() => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(21 * 1024 * 1024)], "film.mov"));
            given.items.add(new File(["hello"], "note.txt"));
            const drop = new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true });
            document.getElementById("channel").dispatchEvent(drop);
        }"""
    )
    alert = page.locator("#composer").get_by_role("alert")
    await expect(alert).to_have_text("film.mov (21 MB) is too much: the sandbox takes 20 MB in one message.")
    await expect(page.get_by_role("list", name="Files to send").get_by_role("listitem")).to_have_text(
        re.compile("note.txt")
    )


async def test_a_message_is_changed_and_deleted(talk: Talk, visit: Visit) -> None:
    """One's own is edited in its place, as it was typed; deleting asks first."""
    home = await talk.channel()
    page = await visit("ana", home)
    await talk.stage.ana.posts(home, "Hello @ben :wave:")
    await menu_of(page, "Hello", "Edit message")
    editing = page.get_by_role("textbox", name="Edit message")
    await expect(editing).to_have_value("Hello @ben 👋")
    await editing.fill("Good morning @ben")
    await editing.press("Enter")
    await expect(message(page, "Good morning @Ben Baker")).to_contain_text("(edited)")
    await menu_of(page, "Good morning", "Delete message…")
    await page.get_by_role("button", name="Cancel").click()
    await expect(message(page, "Good morning")).to_be_visible()
    await menu_of(page, "Good morning", "Delete message…")
    await page.get_by_role("button", name="Delete").click()
    await expect(message(page, "Good morning")).to_have_count(0)


async def test_the_link_of_a_message_leads_to_it(talk: Talk, visit: Visit) -> None:
    """A copied link opens the page at an old message, which shines."""
    home = await talk.channel()
    for number in range(130):
        await talk.stage.ben.posts(home, f"Message {number}.")
    [first, *_] = await talk.stage.ben.sees(home)
    page = await visit("ana", home)
    await expect(message(page, "Message 129.")).to_be_in_viewport()
    await expect(message(page, "Message 0.")).to_have_count(0)
    await menu_of(page, "Message 129.", "Copy link")
    await expect(page.get_by_role("status").filter(has_text="Link copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{talk.sandbox.url}/archives/{home}/p")
    await page.goto(f"{talk.sandbox.url}/archives/{home}/p{first.ts.replace('.', '')}")
    await expect(message(page, "Message 0.")).to_be_in_viewport()
    await expect(message(page, "Message 0.")).to_have_class(re.compile("shining"))


async def test_what_is_unread_stands_out_for_each(talk: Talk, visit: Visit) -> None:
    """A channel with news is bold, one with a mention has a number; reading takes both away, for that person only."""
    calm, loud = await talk.channel(), await talk.channel()
    page = await visit("ana", SUPPORT)
    calm_link, loud_link = (page.locator(f'.sidebar a[href="#{one}"]') for one in (calm, loud))
    await talk.stage.ben.posts(calm, "Nothing special")
    await talk.stage.ben.posts(loud, "@ana look at this")
    await expect(calm_link).to_have_class(re.compile("unread"))
    await expect(calm_link.locator(".badge")).to_have_count(0)
    await expect(loud_link.locator(".badge")).to_have_text("1 unread")
    await loud_link.click()
    await expect(message(page, "look at this")).to_be_visible()
    await expect(loud_link).not_to_have_class(re.compile("unread"))
    await talk.stage.ana.posts(calm, "Indeed")
    await page.reload()
    await expect(calm_link).to_have_class(re.compile("unread"))
    await expect(loud_link).not_to_have_class(re.compile("unread"))
    await page.get_by_text("Gus Guest").first.click()
    await expect(page.get_by_role("radio", name=re.compile("Gus Guest"))).to_be_checked()
    await expect(calm_link).to_have_count(0)


async def test_a_form_with_suggestions_and_errors(talk: Talk, visit: Visit) -> None:
    """The composer of the bot: a person is found while one types, what is missing is said, and the text arrives."""
    home, phone = await talk.channel(), await talk.meets(name="Tilda Typeahead")
    await talk.stage.ana.types(home, f"/contact add {phone.address} Tilda Typeahead")
    page = await visit("ana", home)
    await page.get_by_role("combobox", name="Message or slash command").fill("/text ")
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog")
    await expect(form).to_be_visible()
    to = form.get_by_role("combobox", name="To")
    await expect(to).to_be_focused()
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("alert").filter(has_text=re.compile("\\w")).first).to_be_visible()
    await to.fill("Tilda")
    await form.get_by_role("option", name=re.compile("Tilda Typeahead")).click()
    await expect(form.get_by_role("button", name=re.compile("Remove Tilda Typeahead"))).to_be_visible()
    await form.get_by_role("textbox", name="Message").fill("Your table is ready")
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    assert [one.text for one in await phone.received(1)] == ["Your table is ready"]


async def test_names_and_emoji_are_completed(talk: Talk, visit: Visit) -> None:
    """After an @ people are offered, after a colon emoji; what is pasted goes along, and a draft stays where it was."""
    home = await talk.channel()
    page = await visit("ana", home)
    box = page.get_by_role("combobox", name="Message or slash command")
    await box.press_sequentially("Ask @be")
    await expect(page.get_by_role("option", name="Ben Baker")).to_be_visible()
    await box.press("Tab")
    await expect(box).to_have_value("Ask @ben ")
    await box.press_sequentially("please :pray")
    await box.press("Enter")
    await expect(box).to_have_value("Ask @ben please 🙏 ")
    await page.evaluate(
        """() => {
            const pasted = new DataTransfer();
            pasted.items.add(new File(["hello"], "pasted.txt"));
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: pasted, bubbles: true }));
        }"""
    )
    await page.locator(f'.sidebar a[href="#{SUPPORT}"]').click()
    await expect(box).to_have_value("")
    await page.go_back()
    await expect(box).to_have_value("Ask @ben please 🙏 ")
    await expect(page.get_by_role("list", name="Files to send")).to_contain_text("pasted.txt")
    await box.press("Enter")
    await expect(message(page, "Ask @Ben Baker please 🙏")).to_contain_text("pasted.txt")
    [seen] = await talk.stage.ben.sees(home)
    assert (seen.mentions, [one.name for one in seen.files]) == (["@ben"], ["pasted.txt"])


async def test_with_the_keyboard_alone(talk: Talk, visit: Visit) -> None:
    """From the composer to a message, its reactions and its thread, and back with Escape."""
    home = await talk.channel()
    said = await talk.stage.ben.posts(home, "One")
    await talk.stage.ben.posts(home, "Two")
    page = await visit("ana", home)
    await expect(message(page, "Two")).to_be_visible()
    await page.get_by_role("combobox", name="Message or slash command").focus()
    await reach(page, "Two", back=True)
    await page.keyboard.press("ArrowUp")
    await expect(message(page, "One")).to_be_focused()
    await page.keyboard.press("Tab")  # the time, which is a link
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="React with :white_check_mark:")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(message(page, "One").locator(".reaction")).to_contain_text("✅")
    assert await reactions(talk, home, said) == {"white_check_mark": ["ana"]}
    await expect(page.get_by_role("button", name="React with :white_check_mark:")).to_be_focused()
    for _ in range(4):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Reply in thread")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("combobox", name="Reply")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="Thread")).to_be_hidden()
    await expect(message(page, "One")).to_be_focused()


async def test_one_pane_at_a_time_on_a_narrow_screen(talk: Talk, visit: Visit) -> None:
    """Tabs lead from the workspace to the messages and the phones; a thread opens in the place of its channel."""
    jane = await talk.begins("Hi Jane")
    page = await visit("ana", jane.home, narrow=True)
    workspace = page.get_by_role("navigation", name="Workspace")
    await expect(channel(page)).to_be_visible()
    await expect(workspace).to_be_hidden()
    await channel(page).locator(".message").last.tap(position={"x": 200, "y": 12})
    await expect(page.get_by_role("button", name="More actions")).to_be_visible()
    await channel(page).locator(".replies").tap()
    await expect(thread(page)).to_contain_text("Hi Jane")
    await expect(channel(page)).to_be_hidden()
    await page.get_by_role("button", name="Close the thread").tap()
    await expect(channel(page)).to_be_visible()
    await page.get_by_role("button", name="Phones").tap()
    await expect(page.get_by_role("heading", name="Phones")).to_be_visible()
    await page.get_by_role("button", name="Workspace").tap()
    await workspace.get_by_role("link", name="general").tap()
    await expect(page.get_by_role("heading", name="#general")).to_be_visible()
    await page.set_viewport_size({"width": 360, "height": 700})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def reactions(talk: Talk, home: str, said: Message) -> dict[str, list[str]]:
    [found] = [one for one in await talk.stage.ana.sees(home) if one.ts == said.ts]
    return found.reactions


async def reach(page, words, *, back=False, most=12):
    """Press Tab until a message has the focus."""
    for _ in range(most):
        await page.keyboard.press("Shift+Tab" if back else "Tab")
        if await message(page, words).evaluate("(node) => node === document.activeElement"):
            return
    raise AssertionError(f"{most} tabs do not lead to {words}")
