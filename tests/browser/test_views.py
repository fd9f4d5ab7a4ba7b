"""Everything that an app can show, in a browser: forms, the Home, and the elements of messages."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox.driver import Sandbox
from sandbox.slack.manifest import parse
from tests.browser.chromium import AXE, expect
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import is_open_to_all
from tests.contract.slack_fixtures import client_of
from tests.contract.slack_forms import (
    App,
    actions,
    answering_with,
    app_of,
    button,
    entry,
    errors,
    modal,
    options,
    plain,
    section,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUPPORT = "C0SUPPORT01"

MANIFEST = parse(
    {
        "display_information": {"name": "Texting"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "bot_user": {"display_name": "texting"},
            "slash_commands": [{"command": "/text", "description": "Text someone"}],
        },
        "oauth_config": {"scopes": {"bot": ["commands", "chat:write", "files:read"]}},
        "settings": {"interactivity": {"is_enabled": True}},
    }
)

CONFIRM = {"title": plain("Sure?"), "text": plain("It goes out at once."), "confirm": plain("Yes"), "deny": plain("No")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app() -> AsyncIterator[App]:
    """An app whose every answer the test decides, in a sandbox of its own."""
    async with (
        Sandbox.start(MANIFEST) as sandbox,
        client_of(sandbox) as client,
        app_of(sandbox, client) as app,
    ):
        yield app


@pytest.fixture
def url(app: App) -> str:
    return app.sandbox.url


async def test_every_field_of_a_form(app: App, visit: Visit) -> None:
    """What is entered with mouse and keyboard is what the app gets."""
    page = await visit("ana", SUPPORT)
    await app.shows(
        modal(
            entry(block="line", label="Line"),
            entry(block="long", label="Long", multiline=True),
            entry("number_input", block="number", label="Number", is_decimal_allowed=False),
            entry("static_select", block="one", label="One of", options=options("One", "Two")),
            entry("multi_static_select", block="some", label="Some of", options=options("One", "Two")),
            entry("users_select", block="who", label="Who"),
            entry("conversations_select", block="where", label="Where"),
            entry("radio_buttons", block="radio", label="Either", options=options("One", "Two")),
            entry("checkboxes", block="boxes", label="Any", options=options("One", "Two")),
            entry("datepicker", block="day", label="Day"),
            entry("timepicker", block="time", label="Time"),
        )
    )
    form = page.get_by_role("dialog")
    await form.get_by_label("Line").fill("hello")
    await form.get_by_label("Long").fill("one\ntwo")
    await form.get_by_label("Number").fill("7")
    await form.get_by_label("One of").select_option("Two")
    await form.get_by_role("group", name="Some of").get_by_text("Two").click()
    await form.get_by_label("Who").select_option("Ben Baker")
    await form.get_by_label("Where").select_option("#support")
    await form.get_by_role("radiogroup", name="Either").get_by_text("One").click()
    await form.get_by_role("group", name="Any").get_by_text("One").click()
    await form.get_by_role("group", name="Any").get_by_text("Two").click()
    await form.get_by_label("Day").fill("2026-11-22")
    await form.get_by_label("Time").fill("09:30")
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    assert held(app) == {
        "line": "hello",
        "long": "one\ntwo",
        "number": "7",
        "one": "two",
        "some": ["two"],
        "who": "U0BENBAKER1",
        "where": SUPPORT,
        "radio": "one",
        "boxes": ["one", "two"],
        "day": "2026-11-22",
        "time": "09:30",
    }


async def test_files_are_given_in_a_form(app: App, visit: Visit) -> None:
    """Chosen ones can be taken back; the app gets the others as files."""
    page = await visit("ana", SUPPORT)
    await app.shows(modal(entry("file_input", block="files", label="Files")))
    form = page.get_by_role("dialog")
    given = [{"name": name, "mimeType": "text/plain", "buffer": b"hello"} for name in ("one.txt", "two.txt")]
    await form.locator("input[type=file]").set_input_files(given)
    await form.get_by_role("button", name="Remove one.txt").click()
    await expect(form.get_by_role("button", name=re.compile("Remove"))).to_have_count(1)
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_be_hidden()
    [file] = app.payloads[-1]["view"]["state"]["values"]["files"]["a"]["files"]
    assert (file["name"], file["size"]) == ("two.txt", 5)


async def test_a_form_says_what_is_wrong_and_that_it_is_busy(app: App, visit: Visit) -> None:
    """The app's words stand under their field, which gets the focus; meanwhile the button cannot be pressed twice."""
    page = await visit("ana", SUPPORT)
    await app.shows(modal(entry(block="name", label="Name"), entry(block="age", label="Age")))
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("Jane")
    await form.get_by_label("Age").fill("x")
    app.held.clear()
    app.answers.append(answering_with(errors(age="Not a number.")))
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("button", name="Send")).to_be_disabled()
    app.held.set()
    await expect(form.get_by_label("Age")).to_have_accessible_description(re.compile("Not a number."))
    await expect(form.get_by_label("Age")).to_be_focused()
    await expect(form.get_by_label("Name")).to_have_value("Jane")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()


async def test_forms_lie_upon_another(app: App, visit: Visit) -> None:
    """What is pushed shows a way back to what was entered before."""
    page = await visit("ana", SUPPORT)
    await app.shows(modal(entry(block="name", label="Name"), actions(button())))
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("Jane")
    await form.get_by_role("button", name="Go").click()
    await app.sandbox.until(lambda: app.payloads[-1]["type"] == "block_actions")
    trigger = app.payloads[-1]["trigger_id"]
    await app.client.views_push(trigger_id=trigger, view=modal(section("Further"), title=plain("Second")))
    await expect(form.get_by_role("heading")).to_have_text("Second")
    await form.get_by_role("button", name="Back").click()
    await expect(form.get_by_label("Name")).to_have_value("Jane")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()


async def test_the_elements_of_a_message(app: App, visit: Visit) -> None:
    """Buttons, menus and boxes in a message tell the app, those with a question only after it."""
    told = len(app.payloads)
    row = actions(
        button("send", "Send now") | {"confirm": CONFIRM, "style": "danger"},
        {"type": "static_select", "action_id": "menu", "placeholder": plain("Pick"), "options": options("One", "Two")},
        {"type": "users_select", "action_id": "who", "placeholder": plain("Somebody")},
        {"type": "overflow", "action_id": "more", "options": options("Copy", "Move")},
        {"type": "checkboxes", "action_id": "boxes", "options": options("Left", "Right")},
        {"type": "datepicker", "action_id": "day"},
    )
    search = {"type": "external_select", "action_id": "find", "placeholder": plain("Find"), "min_query_length": 1}
    await app.client.chat_postMessage(channel=SUPPORT, text="Use me", blocks=[section("Use me", accessory=search), row])
    page = await visit("ana", SUPPORT)
    message = page.get_by_role("list", name="Messages").locator(".message", has_text="Use me")
    await message.get_by_role("button", name="Send now").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="No").click()
    await message.get_by_role("button", name="Send now").click()
    await expect(page.get_by_role("alertdialog")).to_contain_text("It goes out at once.")
    await page.get_by_role("alertdialog").get_by_role("button", name="Yes").click()
    await message.get_by_role("combobox", name="Pick").select_option("Two")
    await message.get_by_role("combobox", name="Somebody").select_option("Ben Baker")
    await message.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Move").click()
    await message.get_by_text("Right").click()
    await message.locator("input[type=date]").fill("2026-11-22")
    await app.sandbox.until(lambda: len(app.payloads) >= told + 6)
    app.answers.append(answering_with({"json": {"options": options("Jane Doe", "Sam Green")}}))
    await message.get_by_role("combobox", name="Find").press_sequentially("j")
    app.answers.append(
        answering_with({"json": {"options": options("Jane Doe", "Sam Green")}})
    )  # a choice is looked up once more
    await message.get_by_role("option", name="Jane Doe").click()
    await expect(message.get_by_role("button", name="Remove Jane Doe")).to_be_visible()
    await app.sandbox.until(lambda: app.payloads[-1]["type"] == "block_actions" and done(app.payloads[-1])[0] == "find")
    pressed = [done(one) for one in app.payloads[told:] if one["type"] == "block_actions"]
    assert pressed == [
        ("send", None),
        ("menu", "two"),
        ("who", "U0BENBAKER1"),
        ("more", "move"),
        ("boxes", ["right"]),
        ("day", "2026-11-22"),
        ("find", "jane doe"),
    ]


async def test_what_is_written_is_drawn_and_never_run(app: App, visit: Visit) -> None:
    """Marks, mentions, dates and lists look like Slack's; what looks like code or a script stays a text."""
    leaves = [
        {"type": "text", "text": "bold", "style": {"bold": True}},
        {"type": "usergroup", "usergroup_id": "S0SUPPORT01"},
    ]
    listed = {
        "type": "rich_text_list",
        "style": "bullet",
        "elements": [{"type": "rich_text_section", "elements": leaves}],
    }
    evil = "&lt;img src=x onerror=alert(1)&gt; <javascript:alert(1)|Press me> *strong* :wave: <@U0BENBAKER1>"
    date = "<!date^1700000000^{date_num} at {time}|then>"
    post = app.client.chat_postMessage
    await post(channel=SUPPORT, text="Rich", blocks=[{"type": "rich_text", "elements": [listed]}])
    await post(channel=SUPPORT, text=evil)
    await post(channel=SUPPORT, text="literal *stars* and <https://acme.example/a|a link>", mrkdwn=False)
    await post(channel=SUPPORT, text="Kept until " + date)
    page = await visit("ben", SUPPORT)
    messages = page.get_by_role("list", name="Messages")
    await expect(messages.get_by_role("listitem").filter(has_text="@support-team").locator("strong").last).to_have_text(
        "bold"
    )
    written = messages.locator(".message", has_text="Press me")
    await expect(written).to_contain_text("<img src=x onerror=alert(1)> Press me strong 👋 @Ben Baker")
    await expect(written.locator(".content a, .content img")).to_have_count(0)
    await expect(written.locator(".mention.loud")).to_have_text("@Ben Baker")
    literal = messages.locator(".message", has_text="literal *stars* and a link")
    await expect(literal.get_by_role("link", name="a link")).to_have_attribute("href", "https://acme.example/a")
    await expect(messages).to_contain_text("Kept until 2023-11-14 at 11:13 PM")  # in Berlin


async def test_what_did_not_change_is_not_drawn_again(app: App, visit: Visit) -> None:
    """In a long channel the newest messages come first and older ones as one scrolls; news touches nothing else."""
    ben = app.sandbox.person("ben")
    home = await app.sandbox.creates_channel("long", members=["ana", "ben"])
    for number in range(250):
        await ben.posts(home, f"Message {number}.")
    page = await visit("ana", home)
    messages = page.locator("#messages .message")
    await expect(messages).to_have_count(100)
    await messages.first.scroll_into_view_if_needed()
    await expect(messages).to_have_count(200)
    await expect(page.get_by_text("Message 150.")).to_be_in_viewport()  # and what one was looking at stays in sight
    await messages.first.scroll_into_view_if_needed()
    await expect(messages).to_have_count(250)
    await page.evaluate(
        """() => {
            window.touched = 0;
            const told = (changes) => (window.touched += changes.length);
            const list = document.querySelector("#messages ol");
            new MutationObserver(told).observe(list, { childList: true, subtree: true });
        }"""
    )
    said = await ben.posts(home, "One more.")
    await expect(messages).to_have_count(251)
    await ben.reacts(said, "eyes")
    await expect(messages.last.locator(".reaction")).to_have_count(1)
    assert await page.evaluate("window.touched") <= 3  # the new one, and what replaced it


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_home(app: App, visit: Visit, dark: bool) -> None:
    """What the app publishes is on its Home tab, and can be used there."""
    blocks = [{"type": "header", "text": plain("Your day")}, section("Three open"), actions(button("all", "Show all"))]
    await app.client.views_publish(user_id="U0ANAALVARE", view={"type": "home", "blocks": blocks})
    page = await visit("ana", "D0ANABOT001", dark=dark)
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_text("Your day")).to_be_visible()
    await page.get_by_role("button", name="Show all").click()
    await app.sandbox.until(lambda: app.payloads[-1].get("actions"))
    assert done(app.payloads[-1]) == ("all", None)
    if AXE.exists():
        await is_open_to_all(page, AXE.read_text())


def held(app: App) -> dict[str, Any]:
    """What the last form held, by block: values and ids."""
    values = app.payloads[-1]["view"]["state"]["values"]
    return {block: plainly(state) for block, [state] in ((one, list(found.values())) for one, found in values.items())}


def done(payload: dict[str, Any]) -> tuple[str, Any]:
    """What was used, and what was chosen in it."""
    [action] = payload["actions"]
    return action["action_id"], None if action["type"] == "button" else plainly(action)


def plainly(state: dict[str, Any]) -> Any:
    [value] = [state[key] for key in state if key.startswith("selected_") or key == "value"]
    if isinstance(value, list):
        return [one["value"] if isinstance(one, dict) else one for one in value]
    return value["value"] if isinstance(value, dict) else value
