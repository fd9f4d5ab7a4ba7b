"""Views through Slack's own client: what is opened, changed and refused, and whom it is in front of."""

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.driver import Sandbox
from sandbox.slack.manifest import parse
from sandbox.slack.seed import ANA, APP_ID, BOT_ID, TEAM
from tests.contract.slack_fixtures import client_of, plain_http
from tests.contract.slack_forms import actions, app_of, button, entry, modal, plain, section
from tests.contract.test_slack_web_api import SUPPORT, refusal


async def test_an_opened_view_is_told_whole_and_seen(app, ana):
    """The answer has every key of a view, with the ids and flags that the app left out."""
    block = {"type": "input", "label": plain("Words"), "element": {"type": "plain_text_input"}}
    view = await app.shows(modal(block, section("Hello"), callback_id="form", private_metadata="m"))
    assert view["blocks"][0].pop("block_id")
    assert view["blocks"][0]["element"].pop("action_id")
    assert view.pop("id") == view.pop("root_view_id")
    assert view.pop("hash")
    assert view == {
        "team_id": TEAM.id,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM.id,
        "bot_id": BOT_ID,
        "type": "modal",
        "title": plain("A form") | {"emoji": True},
        "submit": plain("Send") | {"emoji": True},
        "close": None,
        "blocks": [
            {
                "type": "input",
                "label": plain("Words") | {"emoji": True},
                "element": {"type": "plain_text_input"},
                "optional": False,
                "dispatch_action": False,
            },
            {"type": "section", "block_id": "told", "text": plain("Hello") | {"emoji": True}},
        ],
        "callback_id": "form",
        "external_id": "",
        "private_metadata": "m",
        "clear_on_close": False,
        "notify_on_close": False,
        "previous_view_id": None,
        "state": {"values": {}},
    }
    seen = await ana.modal()
    assert (seen.title, seen.text, seen.submit, seen.close) == ("A form", "Hello", "Send", "Cancel")
    assert seen.values == {"Words": ""}
    assert await app.sandbox.person("ben").modal() is None


async def test_a_trigger_id_opens_one_view_within_three_seconds(app, client):
    """A second use, a late one and an invented id are three errors; a view that is refused uses nothing up."""
    trigger = await app.trigger()
    assert (
        await refusal(client.views_open(trigger_id=trigger, view=modal(title=plain("x" * 25)))) == "invalid_arguments"
    )
    await client.views_open(trigger_id=trigger, view=modal())
    assert await refusal(client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    late = await app.trigger()
    await app.sandbox.advance(3.1)
    assert await refusal(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"
    assert await refusal(client.views_open(trigger_id="1.2.abc", view=modal())) == "invalid_trigger_id"


#: What is wrong, and what the message says of it.
WRONG = [
    ("a long title", modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
    (
        "a long submit",
        modal(submit=plain("x" * 25)),
        "must be less than 25 characters [json-pointer:/view/submit/text]",
    ),
    ("a long close", modal(close=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/close/text]"),
    ("a title in mrkdwn", modal(title={"type": "mrkdwn", "text": "x"}), "[json-pointer:/view/title/type]"),
    ("no title", modal(title=None), "missing required field: title [json-pointer:/view]"),
    ("no blocks", modal() | {"blocks": None}, "missing required field: blocks [json-pointer:/view]"),
    ("an input without submit", modal(entry(), submit=None), "missing required field: submit [json-pointer:/view]"),
    (
        "101 blocks",
        modal(*[{"type": "divider"}] * 101),
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
    (
        "long private_metadata",
        modal(private_metadata="x" * 3001),
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    (
        "a long callback_id",
        modal(callback_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/callback_id]",
    ),
    (
        "a long external_id",
        modal(external_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/external_id]",
    ),
    (
        "a message's block",
        modal({"type": "markdown", "text": "x"}),
        "unsupported type: markdown [json-pointer:/view/blocks/0/type]",
    ),
    (
        "one block_id twice",
        modal(entry(), entry()),
        "block_id already exists: b [json-pointer:/view/blocks/1/block_id]",
    ),
    (
        "focus twice",
        modal(entry(focus_on_load=True), entry(block="c", focus_on_load=True)),
        "only one element may have focus_on_load [json-pointer:/view/blocks]",
    ),
    ("a Home", {"type": "home", "blocks": []}, "unsupported type: home [json-pointer:/view/type]"),
    ("what was never a key", modal(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
    ("a response's key", modal(hash="1.a"), "invalid additional property: hash [json-pointer:/view]"),
    ("broken JSON", "{", "view must be valid JSON [json-pointer:/view]"),
    ("a list", "[]", "unsupported type: None [json-pointer:/view/type]"),
]


@pytest.mark.parametrize(("view", "words"), [pytest.param(*row[1:], id=row[0]) for row in WRONG])
async def test_a_view_that_is_wrong_is_refused_with_the_place(app, client, view, words):
    """`invalid_arguments`, with a message for each problem and a JSON pointer into the view."""
    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=await app.trigger(), view=view)
    answer = caught.value.response
    assert answer["error"] == "invalid_arguments"
    assert [one for one in answer["response_metadata"]["messages"] if one.startswith("[ERROR] ") and words in one]


async def test_what_is_just_allowed_passes(app):
    """The limits of a view are allowed themselves."""
    long = {"private_metadata": "x" * 3000, "callback_id": "x" * 255, "external_id": "x" * 255}
    view = modal(*[{"type": "divider"}] * 100, title=plain("x" * 24), submit=plain("x" * 24), **long)
    assert len((await app.shows(view))["blocks"]) == 100


async def test_a_view_of_more_than_250_kilobytes_is_too_large(app, client):
    """The size counts as JSON, however it is made up."""
    view = modal(*[{"type": "section", "text": plain("x" * 3000)}] * 86)
    assert await refusal(client.views_open(trigger_id=await app.trigger(), view=view)) == "view_too_large"


async def test_arguments_that_are_missing_are_named(app, client):
    """Without a trigger id, a view or the id of a view, the message says which."""
    for calling in (
        client.api_call("views.open", json={"view": modal()}),
        client.api_call("views.open", json={"trigger_id": await app.trigger()}),
        client.api_call("views.update", json={"view": modal()}),
    ):
        assert await refusal(calling) == "invalid_arguments"


async def test_an_external_id_stands_for_one_view_that_is_there(app, client, ana):
    """A second view with it is refused; its own view may keep it, and when that is closed it is free."""
    view = modal(external_id="mine")
    shown = await app.shows(view)
    ben = await app.trigger("ben")
    assert await refusal(client.views_open(trigger_id=ben, view=view)) == "duplicate_external_id"
    updated = await client.views_update(external_id="mine", view=view | {"title": plain("Anew")})
    assert (updated["view"]["id"], updated["view"]["external_id"]) == (shown["id"], "mine")
    other = await app.shows(modal(), "ben")
    assert await refusal(client.views_update(view_id=other["id"], view=view)) == "duplicate_external_id"
    await ana.closes()
    assert await refusal(client.views_update(external_id="mine", view=view)) == "not_found"
    await app.shows(view, "ben")


async def test_an_update_demands_the_hash_it_is_given(app, client, ana):
    """A stale hash is refused, the newest passes, and each update makes a new one."""
    first = await app.shows(modal())
    second = (await client.views_update(view_id=first["id"], hash=first["hash"], view=modal(title=plain("2"))))["view"]
    stale = client.views_update(view_id=first["id"], hash=first["hash"], view=modal())
    assert await refusal(stale) == "hash_conflict"
    await client.views_update(view_id=first["id"], hash=second["hash"], view=modal(title=plain("3")))
    assert (await ana.modal()).title == "3"


async def test_three_views_lie_one_upon_another_at_most(app, client, ana):
    """A push tells its root and the view below; the third push is refused, and closing goes down the stack."""
    root = await app.shows(modal(actions(button())))
    second = await app.pushes(modal(actions(button()), title=plain("Two")))
    third = await app.pushes(modal(actions(button()), title=plain("Three")))
    assert [one["root_view_id"] for one in (second, third)] == [root["id"], root["id"]]
    assert [one["previous_view_id"] for one in (second, third)] == [root["id"], second["id"]]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await app.pushes(modal())
    assert ((await ana.modal()).title, (await ana.modal()).depth) == ("Three", 3)
    assert (await ana.closes()).title == "Two"
    assert (await ana.closes()).title == "A form"
    assert await ana.closes() is None


async def test_a_view_that_is_covered_is_updated_all_the_same(app, client, ana):
    """The root changes under a pushed view, and is seen when that is closed."""
    root = await app.shows(modal(actions(button())))
    await app.pushes(modal())
    await client.views_update(view_id=root["id"], view=modal(title=plain("Changed")))
    assert (await ana.closes()).title == "Changed"


async def test_a_push_needs_a_trigger_from_inside_a_modal_that_is_there(app, client, ana):
    """A command's trigger id, and that of a view closed meanwhile, find nothing to push upon."""
    await app.shows(modal(actions(button())))
    assert await refusal(client.views_push(trigger_id=await app.trigger(), view=modal())) == "not_found"
    await ana.clicks_in_modal("Go")
    await ana.closes()
    assert await refusal(client.views_push(trigger_id=app.payloads[-1]["trigger_id"], view=modal())) == "not_found"


async def test_a_view_opened_over_another_takes_its_place(app, ana):
    """A client shows one stack: what was open is gone, though its external id was in use until then."""
    first = await app.shows(modal(external_id="mine"))
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await app.shows(modal(external_id="mine"))
    await app.shows(modal(title=plain("Second")))
    assert ((await ana.modal()).title, (await ana.modal()).depth) == ("Second", 1)
    assert await refusal(app.client.views_update(view_id=first["id"], view=modal())) == "not_found"
    assert await ana.closes() is None


async def test_a_click_in_a_message_opens_a_view(app, client, ana):
    """The trigger id of a button in a message is as good as a command's."""
    await client.chat_postMessage(channel=SUPPORT, text="x", blocks=[actions(button())])
    [message] = await ana.sees("#support")
    await ana.clicks(message, "Go")
    await client.views_open(trigger_id=app.payloads[-1]["trigger_id"], view=modal())
    assert (await ana.modal()).title == "A form"


HOME = parse(
    {
        "display_information": {"name": "Texting"},
        "features": {"app_home": {"home_tab_enabled": True}, "bot_user": {"display_name": "texting"}},
        "oauth_config": {"scopes": {"bot": ["chat:write"]}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_home_opened"]},
            "interactivity": {"is_enabled": True},
        },
    }
)


async def test_a_home_is_published_for_one_person():
    """It can be used at once, is replaced under its id, and demands its hash; Ben's is another."""
    async with Sandbox.start(HOME) as sandbox, client_of(sandbox) as client, app_of(sandbox, client) as app:
        ana = sandbox.person("ana")
        view = {"type": "home", "blocks": [section("Welcome"), actions(button())], "callback_id": "home"}
        assert await refusal(client.views_publish(user_id=ANA.id, view=view, hash="1.a")) == "hash_conflict"
        first = (await client.views_publish(user_id=ANA.id, view=view))["view"]
        assert ((await ana.home()).text, await sandbox.person("ben").home()) == ("Welcome\n[Go]", None)
        await ana.clicks_at_home("Go")
        [payload] = app.payloads
        assert payload["container"] == {"type": "view", "view_id": first["id"]}
        assert (payload["view"]["type"], payload["view"]["callback_id"]) == ("home", "home")
        changed = view | {"blocks": [section("Hello")]}
        again = (await client.views_publish(user_id=ANA.id, view=changed, hash=first["hash"]))["view"]
        assert again["id"] == first["id"]
        assert (await ana.home()).text == "Hello"
        stale = client.views_publish(user_id=ANA.id, view=view, hash=first["hash"])
        assert await refusal(stale) == "hash_conflict"
        assert (
            await refusal(client.views_publish(user_id=ANA.id, view=view | {"title": plain()})) == "invalid_arguments"
        )
        assert await refusal(client.views_publish(user_id="U0NOBODY", view=view)) == "user_not_found"


async def test_a_visit_of_the_home_tab_tells_what_was_published():
    """`app_home_opened` has the view on the Home tab, once there is one, and on no other tab."""
    async with Sandbox.start(HOME) as sandbox, client_of(sandbox) as client:
        ana = sandbox.person("ana")
        await ana.visits_app("home")
        view = (await client.views_publish(user_id=ANA.id, view={"type": "home", "blocks": []}))["view"]
        await ana.visits_app("messages")
        await ana.visits_app("home")

        async def told():
            bodies = [one["body"] for one in await sandbox.exchanges(name="deliver:events_api")]
            events = {body["event_id"]: body["event"] for body in bodies}
            return list(events.values()) if len(events) == 3 else None

        assert [event.get("view") for event in await sandbox.until(told)] == [None, None, view]


async def test_without_a_home_tab_nothing_is_published(client):
    """The manifest's home tab is off: `not_enabled`."""
    view = {"type": "home", "blocks": []}
    assert await refusal(client.views_publish(user_id=ANA.id, view=view)) == "not_enabled"


async def test_the_page_shows_the_home_that_a_person_has(sandbox):
    """The page draws what is published to its reader, and no tab where the manifest has none."""
    async with Sandbox.start(HOME) as with_home, client_of(with_home) as client:
        assert await home_on_the_page(with_home) == (True, None)
        await client.views_publish(user_id=ANA.id, view={"type": "home", "blocks": [section("Welcome")]})
        has_home, home = await home_on_the_page(with_home)
        assert (has_home, home["text"]) == (True, "Welcome")
        assert (await home_on_the_page(with_home, "ben"))[1] is None
    assert await home_on_the_page(sandbox) == (False, None)


async def home_on_the_page(sandbox, handle="ana"):
    async with plain_http(sandbox.url) as http:
        query = {"as": sandbox.person(handle).user_id}
        seen = (await http.get("/_sandbox/state", params=query)).json()["slack"]
    return seen["app"]["has_home"], seen["home"]
