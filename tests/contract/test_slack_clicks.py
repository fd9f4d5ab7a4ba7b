"""Buttons and menus: what the app is sent, and what it may do with the response_url."""

import pytest

from sandbox.slack.driver import Refused
from sandbox.slack.seed import ANA, BEN
from tests.contract.slack_fixtures import answering, use
from tests.contract.test_slack_web_api import SUPPORT

OPTIONS = [
    {"text": {"type": "plain_text", "text": text}, "value": value} for text, value in (("One", "1"), ("Two", "2"))
]
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go :wave:"}, "value": "v"}
MENU = {"type": "static_select", "action_id": "pick", "options": OPTIONS}
MORE = {"type": "overflow", "action_id": "more", "options": OPTIONS}
BOXES = {"type": "checkboxes", "action_id": "boxes", "options": OPTIONS}
WHO = {"type": "users_select", "action_id": "who", "initial_user": BEN.id}
DAY = {"type": "datepicker", "action_id": "day"}


def card(*elements):
    return [{"type": "actions", "block_id": "b", "elements": list(elements)}]


async def clicked(sandbox, message, what, value=None):
    """Let Ana click and return the payload the app got."""
    async with answering(sandbox) as requests:
        await sandbox.person("ana").clicks(message, what, value)
    return requests[-1].payload


@pytest.fixture
def shows(sandbox, client):
    """Post a message with elements and return it as Ana sees it."""

    async def posting(*elements, **arguments):
        await client.chat_postMessage(channel=SUPPORT, text="x", blocks=card(*elements), **arguments)
        return [one for one in await sandbox.person("ana").sees_all("#support") if one.blocks][-1]

    return posting


async def test_the_payload_tells_who_clicked_what_where(sandbox, shows):
    """A button in a thread: person, container, message and action."""
    parent = await sandbox.person("ben").posts("#support", "parent")
    message = await shows(BUTTON, thread_ts=parent.ts)
    payload = await clicked(sandbox, message, "Go 👋")
    assert payload["user"] == {"id": ANA.id, "username": "ana", "name": "ana", "team_id": "T0ACMEHQ001"}
    assert payload["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": SUPPORT,
        "is_ephemeral": False,
        "thread_ts": parent.ts,
    }
    assert payload["channel"] == {"id": SUPPORT, "name": "support"}
    assert payload["message"]["ts"] == message.ts
    [action] = payload["actions"]
    assert action.pop("action_ts")
    assert action == {
        "type": "button",
        "action_id": "go",
        "block_id": "b",
        "text": {"type": "plain_text", "text": "Go :wave:", "emoji": True},
        "value": "v",
    }
    assert payload["trigger_id"]
    assert payload["response_url"].startswith(sandbox.url)


@pytest.mark.parametrize(
    ("element", "choice", "expected"),
    [
        pytest.param(MENU, ("pick", "Two"), ("selected_option", "2"), id="a menu, by the option's text"),
        pytest.param(MENU, ("pick", "2"), ("selected_option", "2"), id="a menu, by the option's value"),
        pytest.param(MENU, ("Two", None), ("selected_option", "2"), id="an option on its own"),
        pytest.param(MORE, ("more", "One"), ("selected_option", "1"), id="an overflow menu"),
        pytest.param(BOXES, ("boxes", ["One", "Two"]), ("selected_options", ["1", "2"]), id="checkboxes"),
        pytest.param(WHO, ("who", ANA.id), ("selected_user", ANA.id), id="a person"),
        pytest.param(DAY, ("day", "2026-11-22"), ("selected_date", "2026-11-22"), id="a day"),
    ],
)
async def test_a_choice_has_the_key_of_its_element(sandbox, shows, element, choice, expected):
    """Each element has its own key for what was chosen."""
    [action] = (await clicked(sandbox, await shows(element), *choice))["actions"]
    key, chosen = expected
    found = action[key]
    if key == "selected_option":
        found = found["value"]
    elif key == "selected_options":
        found = [one["value"] for one in found]
    assert found == chosen


async def test_the_state_holds_every_choice_and_keeps_it(sandbox, shows):
    """Clicking a button tells what was chosen elsewhere in the message before."""
    message = await shows(BUTTON, MENU, WHO)
    await clicked(sandbox, message, "pick", "Two")
    payload = await clicked(sandbox, message, "go")
    values = payload["state"]["values"]["b"]
    assert values["pick"]["selected_option"]["value"] == "2"
    assert values["who"]["selected_user"] == BEN.id
    assert "go" not in values


async def test_an_ephemeral_message_is_not_in_its_payload(sandbox, client):
    """Of an ephemeral message the app gets the container alone, and replaces it by response_url."""
    ana = sandbox.person("ana")
    await client.chat_postEphemeral(channel=SUPPORT, user=ana.user_id, text="x", blocks=card(BUTTON))
    [message] = await ana.sees("#support")
    payload = await clicked(sandbox, message, "go")
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    await use(payload["response_url"], {"replace_original": "true", "response_type": "in_channel", "text": "done"})
    [replaced] = await ana.sees("#support")
    assert (replaced.ts, replaced.text, replaced.ephemeral) == (message.ts, "done", True)
    await use(payload["response_url"], {"delete_original": True})
    assert await ana.sees("#support") == []


async def test_a_response_url_replaces_adds_or_deletes(sandbox, shows):
    """Without replace_original a new message is added, for the person alone unless it says in_channel."""
    ana, ben = sandbox.person("ana"), sandbox.person("ben")
    payload = await clicked(sandbox, await shows(BUTTON), "go")
    url = payload["response_url"]
    await use(url, {"text": "for Ana"})
    await use(url, {"text": "for all", "response_type": "in_channel"})
    assert [one.text for one in await ana.sees("#support")] == ["[Go 👋]", "for Ana", "for all"]
    assert [one.text for one in await ben.sees("#support")] == ["[Go 👋]", "for all"]
    await use(url, {"text": "replaced", "replace_original": True})
    assert [one.text for one in await ben.sees("#support")] == ["replaced", "for all"]
    await use(url, {"delete_original": True})
    assert [one.text for one in await ben.sees("#support")] == ["for all"]


async def test_an_original_that_is_gone_does_not_come_back(sandbox, client, shows):
    """What was deleted meanwhile cannot be deleted again, and its replacement is a new message."""
    message = await shows(BUTTON)
    payload = await clicked(sandbox, message, "go")
    await client.chat_delete(channel=SUPPORT, ts=message.ts)
    assert (await use(payload["response_url"], {"delete_original": True})).text == "cant_delete_message"
    await use(payload["response_url"], {"replace_original": True, "text": "anew"})
    [seen] = await sandbox.person("ana").sees("#support")
    assert (seen.text, seen.ephemeral) == ("anew", True)


async def test_a_failed_click_is_told(sandbox, shows):
    """An app that does not acknowledge leaves a warning sign beside the button."""
    message = await shows(BUTTON)
    async with answering(sandbox, status=404):
        shown = await sandbox.person("ana").clicks(message, "go")
    assert (shown.text, shown.error) == ("", "dispatch_failed")


async def test_only_what_is_there_can_be_clicked(sandbox, shows):
    """A button that is not there, and a message that somebody else alone sees."""
    message = await shows(BUTTON)
    with pytest.raises(Refused, match="nothing to click"):
        await sandbox.person("ana").clicks(message, "Stop")
    hers = (await sandbox.person("ana").types("#support", "/foo")).message
    with pytest.raises(Refused, match="sees no message"):
        await sandbox.person("ben").clicks(hers, "go")
