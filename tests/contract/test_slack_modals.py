"""People in front of modals: submitting, closing and clicking, and what the app's acknowledgement does."""

import asyncio

import pytest

from sandbox.slack.driver import Refused
from sandbox.slack.seed import ANA, APP_ID, BEN, TEAM
from tests.contract.slack_fixtures import use
from tests.contract.slack_forms import (
    ONE,
    TWO,
    actions,
    answering_with,
    button,
    entry,
    errors,
    modal,
    options,
    plain,
    section,
)
from tests.contract.test_slack_web_api import SUPPORT

TROUBLE = "We had some trouble connecting. Try again?"


async def test_a_submission_tells_who_and_the_whole_view(app, ana):
    """Common keys, a trigger id that is good, and the view with its state; buttons have none."""
    menu = {"type": "users_select", "action_id": "who", "initial_user": BEN.id}
    view = await app.shows(modal(entry(initial_value="hi"), actions(button(), menu), private_metadata="m"))
    await ana.submits()
    payload = app.payloads[-1]
    assert payload["type"] == "view_submission"
    assert payload["user"] == {"id": ANA.id, "username": "ana", "name": "ana", "team_id": TEAM.id}
    assert (payload["team"], payload["api_app_id"]) == ({"id": TEAM.id, "domain": "acme"}, APP_ID)
    assert payload["response_urls"] == []
    assert payload["view"].pop("state") == {
        "values": {
            "b": {"a": {"type": "plain_text_input", "value": "hi"}},
            "row": {"who": {"type": "users_select", "selected_user": BEN.id}},
        }
    }
    assert payload["view"] == {key: value for key, value in view.items() if key != "state"}
    await app.client.views_open(trigger_id=payload["trigger_id"], view=modal())


async def test_a_menu_of_conversations_may_come_with_a_response_url(app, ana):
    """Only where the app asked for it and something is chosen; what it says there is read there."""
    await app.shows(
        modal(
            entry("conversations_select", block="one", response_url_enabled=True),
            entry("channels_select", block="two", response_url_enabled=True, optional=True),
            entry("conversations_select", block="three", action="c"),
        )
    )
    await ana.fills("a", "#support")
    await ana.fills("c", "#support")
    await ana.submits()
    [told] = app.payloads[-1]["response_urls"]
    url = told.pop("response_url")
    assert told == {"block_id": "one", "action_id": "a", "channel_id": SUPPORT}
    await use(url, {"response_type": "in_channel", "text": "Sent"})
    assert [one.text for one in await app.sandbox.person("ben").sees("#support")] == ["Sent"]


SECOND = modal(title=plain("Second"))

#: How the app acknowledges, what became of the submit, the titles that are left (topmost first) and the depth.
ACKNOWLEDGED = [
    ("nothing", {}, "closed", "Below"),
    ("an empty object", {"json": {}}, "closed", "Below"),
    ("update", {"response_action": "update", "view": SECOND}, "updated", "Second"),
    ("push", {"response_action": "push", "view": SECOND}, "pushed", "Second"),
    ("clear", {"response_action": "clear"}, "cleared", None),
]


@pytest.mark.parametrize(("answer", "outcome", "title"), [pytest.param(*row[1:], id=row[0]) for row in ACKNOWLEDGED])
async def test_the_acknowledgement_decides_what_is_seen(app, ana, answer, outcome, title):
    """Empty shows the view below; update, push and clear do as they say."""
    await app.shows(modal(actions(button()), title=plain("Below")))
    await app.pushes(modal(title=plain("Above")))
    app.answers.append(answering_with(answer))
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.reason) == (outcome, None)
    assert (submitted.modal.title if submitted.modal else None) == title
    if outcome == "pushed":
        assert submitted.modal.depth == 3
        assert (await ana.closes()).title == "Above"
    if outcome == "updated":
        assert (await ana.closes()).title == "Below"


async def test_errors_are_read_under_their_fields(app, ana):
    """They stay until the field is changed or the view is submitted again."""
    await app.shows(modal(entry(label="Words", initial_value="bad"), entry(block="c", action="d", initial_value="x")))
    app.answers.append(answering_with(errors(b="Not that")))
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal.errors, submitted.modal.trouble) == ("errors", {"Words": "Not that"}, "")
    await ana.fills("Words", "good")
    assert (await ana.modal()).errors == {}
    assert (await ana.submits()).outcome == "closed"


async def test_an_update_takes_the_errors_away(app, client, ana):
    """The words under fields and over the buttons were about the view before."""
    view = await app.shows(modal(entry(initial_value="x")))
    for answer in (errors(b="Not that"), {"status": 500}):
        app.answers.append(answering_with(answer))
        await ana.submits()
        await client.views_update(view_id=view["id"], view=modal(entry()))
        seen = await ana.modal()
        assert (seen.errors, seen.trouble, seen["a"].value) == ({}, "", "x")


async def test_trouble_is_forgotten_with_the_next_try(app, ana):
    """The words go away although the next submit does not get as far as the app."""
    await app.shows(modal(entry(initial_value="x")))
    app.answers.append({"status": 500})
    assert (await ana.submits()).modal.trouble == TROUBLE
    await ana.fills("a", "")
    again = await ana.submits()
    assert (again.outcome, again.modal.trouble) == ("invalid", "")


#: What no client can do anything with, and why.
BROKEN = [
    ("a text", {"text": "saved"}, "neither empty nor an object"),
    ("an object", {"json": {"ok": True}}, "neither empty nor one of"),
    ("a word that is no action", {"response_action": "close"}, "neither empty nor one of"),
    ("no errors", errors(), "errors must be"),
    ("errors of no block", errors(nowhere="x"), "no input block of the view is called nowhere"),
    ("errors of a block that is no input", errors(told="x"), "no input block of the view is called told"),
    ("an error that is no text", errors(b={"x": 1}), "must be a text"),
    ("an update without a view", {"response_action": "update"}, "invalid_arguments"),
    ("a view that is wrong", {"response_action": "push", "view": modal(title=plain("x" * 25))}, "/view/title/text"),
    ("a status that is no 200", {"status": 201}, "dispatch_failed"),
    ("a failure", {"status": 500}, "dispatch_failed"),
]


@pytest.mark.parametrize(("answer", "reason"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
async def test_an_acknowledgement_that_is_wrong_keeps_the_modal(app, ana, answer, reason):
    """The person reads Slack's words for trouble, keeps what she entered, and may try again."""
    await app.shows(modal(entry(initial_value="x"), section("told")))
    await ana.fills("a", "kept")
    app.answers.append(answering_with(answer))
    submitted = await ana.submits()
    assert submitted.outcome == "failed"
    assert reason in submitted.reason
    assert (submitted.modal.trouble, submitted.modal["a"].value) == (TROUBLE, "kept")
    assert (await ana.submits()).outcome == "closed"


async def test_a_fourth_view_cannot_be_pushed_by_an_acknowledgement(app, ana):
    """The stack is as deep as it gets: trouble."""
    await app.shows(modal(actions(button())))
    await app.pushes(modal(actions(button())))
    await app.pushes(modal(actions(button())))
    app.answers.append(answering_with({"response_action": "push", "view": SECOND}))
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.reason) == ("failed", "push_limit_reached")


async def test_a_late_acknowledgement_is_trouble(app, ana):
    """An app that does not answer in time keeps the modal open."""
    await app.shows(modal())
    await app.sandbox.limits(ack_limit=0.05)
    app.held.clear()
    submitted = await ana.submits()
    app.held.set()
    assert (submitted.outcome, submitted.reason) == ("failed", "operation_timeout")
    assert submitted.modal.trouble == TROUBLE


async def test_a_submit_under_way_disables_the_button(app, ana):
    """Of two submits at once one is delivered, and the other finds the button disabled."""
    await app.shows(modal())
    before = len(app.payloads)
    app.held.clear()
    first = asyncio.create_task(ana.submits())
    await app.sandbox.until(lambda: len(app.payloads) > before)
    assert (await ana.modal()).submitting is True
    with pytest.raises(Refused, match="under way"):
        await ana.submits()
    app.held.set()
    assert (await first).outcome == "closed"
    assert len(app.payloads) == before + 1


async def test_a_view_without_submit_is_not_submitted(app, ana):
    """There is no button to press."""
    await app.shows(modal(submit=None))
    with pytest.raises(Refused, match="no submit button"):
        await ana.submits()


async def test_what_was_closed_meanwhile_stays_closed(app, ana):
    """An acknowledgement that comes after the person closed the modal opens nothing."""
    await app.shows(modal())
    before = len(app.payloads)
    app.held.clear()
    app.answers.append(answering_with({"response_action": "push", "view": SECOND}))
    submitting = asyncio.create_task(ana.submits())
    await app.sandbox.until(lambda: len(app.payloads) > before)
    await ana.closes()
    app.held.set()
    assert (await submitting).outcome == "closed"
    assert await ana.modal() is None


async def test_a_close_is_told_where_the_app_asked(app, ana):
    """`view_closed` has the view without what was entered, and no trigger id; by default there is none."""
    await app.shows(modal(entry()))
    before = len(app.payloads)
    await ana.closes()
    assert len(app.payloads) == before
    view = await app.shows(modal(entry(), notify_on_close=True))
    await ana.fills("a", "x")
    await ana.closes()
    payload = app.payloads[-1]
    assert (payload["type"], payload["is_cleared"]) == ("view_closed", False)
    assert payload["view"] == view
    assert not {"trigger_id", "response_url", "container"} & payload.keys()


@pytest.mark.parametrize("by", ["the cross", "clear_on_close"])
async def test_clearing_the_stack_tells_of_the_root(app, ana, by):
    """The cross, or a close button with `clear_on_close`, takes every view away at once."""
    root = await app.shows(modal(actions(button()), notify_on_close=True))
    await app.pushes(modal(notify_on_close=True, clear_on_close=by == "clear_on_close"))
    before = len(app.payloads)
    assert await ana.closes(everything=by == "the cross") is None
    [payload] = app.payloads[before:]
    assert (payload["is_cleared"], payload["view"]["id"]) == (True, root["id"])


async def test_what_the_app_closes_it_is_not_told_of(app, ana):
    """Neither a submit nor `clear` sends `view_closed`."""
    for answer in ({}, {"response_action": "clear"}):
        await app.shows(modal(notify_on_close=True))
        app.answers.append(answering_with(answer))
        await ana.submits()
        assert app.payloads[-1]["type"] == "view_submission"


async def test_there_is_nothing_to_close_or_submit_without_a_modal(ana):
    """Each says so."""
    for doing in (ana.closes, ana.submits):
        with pytest.raises(Refused, match="no modal open"):
            await doing()


async def test_a_click_in_a_view_tells_of_the_view(app, ana):
    """Container and view with state and a trigger id; no message, no channel, no response_url."""
    view = await app.shows(modal(entry(initial_value="hi"), actions(button("go", "Go :wave:"))))
    assert (await ana.clicks_in_modal("Go 👋")).error is None
    payload = app.payloads[-1]
    assert payload["container"] == {"type": "view", "view_id": view["id"]}
    assert payload["view"]["state"]["values"]["b"]["a"]["value"] == "hi"
    assert payload["view"]["hash"] == view["hash"]
    assert payload["trigger_id"]
    assert not {"message", "channel", "response_url", "state"} & payload.keys()
    [action] = payload["actions"]
    assert (action["type"], action["action_id"], action["block_id"]) == ("button", "go", "row")


async def test_a_menu_that_is_no_input_tells_at_once_and_keeps_the_choice(app, ana):
    """By its action or by an option alone; overflow keeps nothing."""
    menu = {"type": "static_select", "action_id": "pick", "options": options("One", "Two")}
    more = {"type": "overflow", "action_id": "more", "options": options("Three")}
    await app.shows(modal(actions(menu, more)))
    await ana.clicks_in_modal("pick", "One")
    assert app.payloads[-1]["actions"][0]["selected_option"] == ONE
    await ana.clicks_in_modal("Two")
    await ana.clicks_in_modal("Three")
    payload = app.payloads[-1]
    assert payload["actions"][0]["selected_option"]["value"] == "three"
    assert payload["view"]["state"]["values"] == {"row": {"pick": {"type": "static_select", "selected_option": TWO}}}


async def test_an_input_tells_only_with_dispatch_action(app, ana):
    """A choice at once, a text on Enter or, if the app asks for it, as it is typed."""
    typed = {"trigger_actions_on": ["on_character_entered"]}
    await app.shows(
        modal(
            entry(action="silent", block="1"),
            entry(action="text", block="2", dispatch_action=True),
            entry(action="each", block="3", dispatch_action=True, dispatch_action_config=typed),
            entry("users_select", action="who", block="4", dispatch_action=True),
        )
    )
    with pytest.raises(Refused, match="tells the app nothing"):
        await ana.clicks_in_modal("silent", "x")
    before = len(app.payloads)
    await ana.fills("text", "typed")
    assert len(app.payloads) == before
    await ana.clicks_in_modal("text")
    await ana.fills("each", "letters")
    await ana.fills("who", "ben")
    told = [payload["actions"][0] for payload in app.payloads[before:]]
    assert [one.get("value") or one.get("selected_user") for one in told] == ["typed", "letters", BEN.id]


async def test_a_click_that_fails_is_told(app, ana):
    """Slack's word for a click in a modal that nobody acknowledged."""
    await app.shows(modal(actions(button())))
    app.answers.append({"status": 500})
    assert (await ana.clicks_in_modal("Go")).error == "dispatch_failed"
    with pytest.raises(Refused, match="nothing to click"):
        await ana.clicks_in_modal("Stop")
