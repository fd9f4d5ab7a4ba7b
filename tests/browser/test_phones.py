"""The phones in a browser: what customers do, with what the bot makes of it in Slack."""

import re
from typing import Any

import pytest

from tests.acceptance.talking import Conversation, Talk
from tests.browser.chromium import expect
from tests.browser.conftest import Visit
from tests.browser.test_workspace import PICTURE, before_it_is_drawn, thread

pytestmark = pytest.mark.asyncio(loop_scope="module")


def pretty(address: str) -> str:
    """A number as the phones write it."""
    return f"{address[:2]} {address[2:5]} {address[5:8]} {address[8:]}"


async def phone_of(page: Any, jane: Conversation) -> Any:
    """Open somebody's phone; return its place on the page."""
    await page.locator("#phones").get_by_role("button", name=re.compile(re.escape(pretty(jane.phone.address)))).click()
    return page.get_by_role("article", name=f"Phone of {pretty(jane.phone.address)}")


def bubble(phone: Any, words: str) -> Any:
    return phone.locator(".texts li", has_text=words)


async def test_a_text_opens_the_phone_and_its_answer_is_in_the_thread(talk: Talk, visit: Visit) -> None:
    """The phone that was last active is the one that is open; what is typed there stands in the thread."""
    jane = await talk.begins("Hi Jane")
    await jane.received("Hi Jane")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    phone = page.get_by_role("article", name=f"Phone of {pretty(jane.phone.address)}")
    await expect(bubble(phone, "Hi Jane")).to_contain_text(re.compile(r"iMessage .*Delivered \d"))
    box = phone.get_by_role("textbox", name="Write back")
    await box.fill("Thank you!\nSee you")
    await box.press("Enter")
    await expect(bubble(phone, "Thank you!")).to_be_visible()
    await expect(box).to_have_value("")
    await expect(thread(page)).to_contain_text("Thank you!")


async def test_what_markup_is_texted_stays_text(talk: Talk, visit: Visit) -> None:
    """Neither side's text becomes an element."""
    jane = await talk.begins("<b>Hi</b> Jane")
    page = await visit("ana", jane.home)
    phone = await phone_of(page, jane)
    await phone.get_by_role("textbox", name="Write back").fill("<img src=x onerror=alert(1)>")
    await page.keyboard.press("Enter")
    await expect(bubble(phone, "<img src=x")).to_be_visible()
    await expect(bubble(phone, "<b>Hi</b>")).to_be_visible()
    assert await phone.locator(".bubble b, .bubble img").count() == 0


async def test_a_tapback_is_put_on_and_taken_off(talk: Talk, visit: Visit) -> None:
    """It stands on the bubble and in the line under the text."""
    jane = await talk.begins("Ready at eight")
    await jane.received("Ready at eight")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    phone = await phone_of(page, jane)
    for stands in (True, False):
        await bubble(phone, "Ready").hover()
        await phone.get_by_role("button", name="React").click()
        love = page.get_by_role("button", name="Love")
        await expect(love).to_be_focused()
        await expect(love).to_have_attribute("aria-pressed", "false" if stands else "true")
        await love.click()
        await expect(phone.get_by_role("img", name="Love by you")).to_have_count(int(stands))
        line = thread(page).locator(".message", has_text="Ready at eight")
        await (expect(line).to_contain_text("❤️") if stands else expect(line).not_to_contain_text("❤️"))


async def test_one_click_writes_stop_and_start(talk: Talk, visit: Visit) -> None:
    """STOP and START are sent as they are, and obeyed in the thread."""
    jane = await talk.begins("Hi")
    await jane.received("Hi")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    phone = await phone_of(page, jane)
    await phone.get_by_role("button", name="STOP").click()
    await expect(thread(page)).to_contain_text("opted out: they wrote STOP")
    await phone.get_by_role("button", name="START").click()
    await expect(thread(page)).to_contain_text("wants texts again: they wrote START")
    assert [one.text for one in await jane.phone.texts() if one.direction == "inbound"] == ["STOP", "START"]


async def test_files_are_sent_from_a_phone(talk: Talk, visit: Visit) -> None:
    """A picture is shown on the phone, another file by its name; both are in the thread."""
    jane = await talk.begins("Send me a picture")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    phone = await phone_of(page, jane)
    files = [
        {"name": "shoe.png", "mimeType": "image/png", "buffer": PICTURE},
        {"name": "order.csv", "mimeType": "text/csv", "buffer": b"a,b"},
    ]
    await phone.locator("input[type=file]").set_input_files(files)
    await phone.get_by_role("textbox", name="Write back").fill("This one")
    await phone.get_by_role("button", name="Send from this phone").click()
    await expect(phone.get_by_role("img", name="shoe.png")).to_be_visible()
    await expect(bubble(phone, "order.csv")).to_be_visible()
    await expect(thread(page)).to_contain_text("This one")


async def test_everything_is_read_at_once(talk: Talk, visit: Visit) -> None:
    """The list counts what is not read; reading tells Slack."""
    jane = await talk.begins("Please read this")
    await jane.received("Please read this")
    page = await visit("ana", f"{jane.home}/{jane.card.ts}")
    phone = await phone_of(page, jane)
    row = page.locator("#phones [aria-current]")
    await expect(row).to_contain_text("1 unread")
    await phone.get_by_role("button", name="Read everything").click()
    await expect(bubble(phone, "Please read")).to_contain_text(re.compile(r"Read \d"))
    await expect(row).not_to_contain_text("unread")
    await expect(thread(page)).to_contain_text(re.compile(r"Read \d"))
    await expect(phone.get_by_role("button", name="Read everything")).to_be_disabled()


async def test_a_new_phone_writes_first(talk: Talk, visit: Visit) -> None:
    """A number as people write it, and a name; what is no number is refused in words."""
    page = await visit("ana", "C0GENERAL01")
    await page.get_by_role("button", name="New phone").click()
    number = page.get_by_role("textbox", name="Number or email")
    await expect(number).to_be_focused()
    await number.fill("Kim")
    await number.press("Enter")
    await expect(page.get_by_role("dialog", name="New phone").get_by_role("alert")).to_contain_text("That is no number")
    await number.fill("+1 (555) 070-9902")
    await page.get_by_role("textbox", name="Name (optional)").fill("Kim Park")
    await page.get_by_role("button", name="Add phone").click()
    phone = page.get_by_role("article", name="Phone of Kim Park")
    await expect(phone).to_contain_text("+1 555 070 9902 · iMessage")
    await phone.get_by_role("button", name="Yes, please").click()
    await expect(page.get_by_role("list", name="Messages")).to_contain_text("+1 555-070-9902")


async def test_what_is_open_keeps_the_focus_when_the_channel_comes(visit: Visit) -> None:
    """Who is quicker than the page types where they are, not in the channel's box."""
    page = await visit("ana", "C0GENERAL01")
    async with before_it_is_drawn(page):
        await page.get_by_role("button", name="New phone").click()
        number = page.get_by_role("textbox", name="Number or email")
        await expect(number).to_be_focused()
    await expect(page.get_by_role("heading", name="general")).to_be_visible()
    await page.keyboard.type("+1555")
    await expect(number).to_have_value("+1555")


async def test_a_phone_is_changed_by_its_switches(talk: Talk, visit: Visit) -> None:
    """Without iMessage the next text is an SMS; an unreachable phone gets its texts once it is back."""
    jane = await talk.begins("First")
    page = await visit("ana", jane.home)
    phone = await phone_of(page, jane)
    await phone.get_by_role("button", name="Settings of this phone").click()
    settings = page.get_by_role("dialog", name="Settings of this phone")
    await settings.get_by_role("switch", name="iMessage").click()
    await expect(phone).to_contain_text("SMS")
    await settings.get_by_role("switch", name="Unreachable").click()
    await settings.get_by_role("switch", name="Read receipts").click()
    await settings.get_by_role("switch", name="Slow").click()
    await expect(phone).to_contain_text("SMS · unreachable · slow · no read receipts")
    await settings.get_by_role("switch", name="Slow").click()
    await jane.types("Second")
    await expect(bubble(phone, "A text is on its way…")).to_be_visible()
    await settings.get_by_role("switch", name="Unreachable").click()
    await expect(bubble(phone, "Second").locator(".bubble.sms")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(phone.get_by_role("button", name="Settings of this phone")).to_be_focused()


async def test_a_phone_that_was_chosen_stays_open(talk: Talk, visit: Visit) -> None:
    """Until somebody chooses, the last active one is open; what was being typed is there when one comes back."""
    jane = await talk.begins("Hi Jane")
    await jane.received("Hi Jane")
    page = await visit("ana", jane.home)
    phone = await phone_of(page, jane)
    box = phone.get_by_role("textbox", name="Write back")
    await box.fill("I am just")
    sam = await talk.begins("Hi Sam", home=jane.home)
    await sam.received("Hi Sam")
    await expect(page.locator("#phones li").first).to_contain_text("Hi Sam")
    await expect(phone).to_be_visible()
    await phone_of(page, sam)
    await expect(phone).to_have_count(0)
    await phone_of(page, jane)
    await expect(box).to_have_value("I am just")


async def test_typing_is_shown(talk: Talk, visit: Visit) -> None:
    """The dots come and go."""
    jane = await talk.begins("Hi")
    page = await visit("ana", jane.home)
    phone = await phone_of(page, jane)
    await jane.phone.becomes(typing=True)
    await expect(phone.get_by_role("status")).to_have_text("Acme is typing")
    await jane.phone.becomes(typing=False)
    await expect(phone.get_by_role("status")).to_have_text("")
