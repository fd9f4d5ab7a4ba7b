"""External menus: what the app is asked while somebody types, and what the menu shows."""

import pytest

from sandbox.slack.driver import Refused
from tests.contract.slack_forms import actions, answering_with, entry, modal, options, plain
from tests.contract.test_slack_web_api import SUPPORT


def external(**parts):
    return entry("external_select", **parts)


async def offering(app, ana, answer, typed="jane"):
    await app.shows(modal(external()))
    app.answers.append(answering_with({"json": answer} if isinstance(answer, dict) else {"text": answer}))
    return await ana.suggestions("a", typed)


async def test_an_external_menu_asks_the_app(app, ana):
    """The payload has what was typed, where and in which view, and no trigger id."""
    shown = await offering(app, ana, {"options": options("Jane", "Janet")})
    assert (shown.options, shown.groups, shown.error) == (["Jane", "Janet"], {}, None)
    payload = app.payloads[-1]
    assert payload["type"] == "block_suggestion"
    assert (payload["action_id"], payload["block_id"], payload["value"]) == ("a", "b", "jane")
    assert payload["container"] == {"type": "view", "view_id": payload["view"]["id"]}
    assert not {"trigger_id", "message", "channel"} & payload.keys()
    await ana.fills("a", "Janet")
    await ana.submits()
    chosen = app.payloads[-1]["view"]["state"]["values"]["b"]["a"]["selected_option"]
    assert chosen == {"text": plain("Janet") | {"emoji": True}, "value": "janet"}


async def test_options_come_in_groups(app, ana):
    """Groups have labels, and what is in them can be chosen."""
    groups = [{"label": plain("People"), "options": options("Jane")}, {"label": plain("Places"), "options": []}]
    shown = await offering(app, ana, {"option_groups": groups})
    assert (shown.options, shown.groups) == (["Jane"], {"People": ["Jane"], "Places": []})
    await ana.fills("a", "Jane")
    assert (await ana.modal())["a"].value == "Jane"


async def test_a_menu_waits_for_three_characters_or_as_many_as_it_says(app, ana):
    """Before `min_query_length` the app is not asked; 0 asks when the menu opens."""
    await app.shows(modal(external(action="three"), external(action="none", block="c", min_query_length=0)))
    before = len(app.payloads)
    assert (await ana.suggestions("three", "ja")).options == []
    assert len(app.payloads) == before
    app.answers.append(answering_with({"json": {"options": options("Jane")}}))
    assert (await ana.suggestions("none", "")).options == ["Jane"]
    assert app.payloads[-1]["value"] == ""


#: What is no offer, and why.
NO_OFFER = [
    ("an empty list", {"options": []}, None),
    ("101 options", {"options": options("x") * 101}, "no more than 100 items"),
    ("101 groups", {"option_groups": [{"label": plain(), "options": options("x")}] * 101}, "no more than 100 items"),
    ("an option in mrkdwn", {"options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "x"}]}, "unsupported type"),
    ("a long value", {"options": [{"text": plain(), "value": "x" * 151}]}, "less than 151"),
    ("something else", {"ok": True}, "neither options nor option_groups"),
    ("nothing", "", "neither options nor option_groups"),
]


@pytest.mark.parametrize(("answer", "error"), [pytest.param(*row[1:], id=row[0]) for row in NO_OFFER])
async def test_a_menu_shows_nothing_where_the_app_offers_nothing(app, ana, answer, error):
    """A person reads "no results" whatever went wrong; the sandbox tells why."""
    shown = await offering(app, ana, answer)
    assert shown.options == []
    assert (shown.error is None) if error is None else (error in shown.error)


async def test_a_late_offer_is_no_offer(app, ana):
    """Options that come after the limit are not shown."""
    await app.shows(modal(external()))
    await app.sandbox.limits(ack_limit=0.05)
    app.held.clear()
    shown = await ana.suggestions("a", "jane")
    app.held.set()
    assert (shown.options, shown.error) == ([], "operation_timeout")


async def test_filling_an_external_menu_types_what_is_wanted(app, ana):
    """What the menu does not show yet is typed, and asked for once."""
    await app.shows(modal(entry("multi_external_select", min_query_length=1)))
    app.answers.append(answering_with({"json": {"options": options("Jane", "Sam")}}))
    before = len(app.payloads)
    await ana.fills("a", ["Jane", "Sam"])
    assert [one["value"] for one in app.payloads[before:]] == ["Jane"]
    assert (await ana.modal())["a"].value == ["Jane", "Sam"]
    with pytest.raises(Refused, match="no option Nobody"):
        await ana.fills("a", "Nobody")


async def test_an_external_menu_in_a_message_asks_too(app, client, ana):
    """Container, channel and message in place of the view."""
    menu = {"type": "external_select", "action_id": "who"}
    await client.chat_postMessage(channel=SUPPORT, text="x", blocks=[actions(menu)])
    [message] = await ana.sees("#support")
    app.answers.append(answering_with({"json": {"options": options("Jane")}}))
    assert (await ana.suggestions("who", "jane", message=message)).options == ["Jane"]
    payload = app.payloads[-1]
    assert (payload["container"]["message_ts"], payload["channel"]["id"]) == (message.ts, SUPPORT)
    await ana.clicks(message, "who", "Jane")
    assert app.payloads[-1]["actions"][0]["selected_option"]["value"] == "jane"
    assert app.payloads[-1]["state"]["values"]["row"]["who"]["selected_option"]["value"] == "jane"


async def test_another_element_asks_nobody(app, ana):
    """Only external menus have suggestions."""
    await app.shows(modal(entry()))
    with pytest.raises(Refused, match="does not ask"):
        await ana.suggestions("a", "jane")
