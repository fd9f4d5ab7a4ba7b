"""Modals of a Bolt app that is not ours, in the patterns of Slack's own samples, over both transports."""

import asyncio

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp

from tests.contract.slack_fixtures import TRANSPORTS, Heard, quiet
from tests.contract.slack_forms import actions, button, entry, modal, options, plain, section
from tests.contract.test_slack_sockets import receive

PEOPLE = {"jane": "Jane Doe", "sam": "Sam Smith"}


def form(**parts):
    """Write the form with which most of these begin."""
    who = entry("external_select", action="who", block="who", label="Customer", min_query_length=1)
    words = entry(action="words", block="words", label="Message", multiline=True)
    return modal(who, words, actions(button("more", "More")), callback_id="form", **parts)


def forms(client, signing_secret, *, listening=True) -> tuple[AsyncApp, Heard]:
    """Make an app that opens a form, offers people in it, and pushes another; `ANSWERS` says how it acknowledges."""
    app = AsyncApp(client=client, signing_secret=signing_secret, logger=quiet())
    heard = Heard()

    @app.command("/text")
    async def command(ack, body, client):
        await ack()
        if body["text"] != "slowly":
            await client.views_open(trigger_id=body["trigger_id"], view=form(notify_on_close=True))
            return
        loading = modal(section("Loading…"), submit=None, title=plain("Wait"))
        opened = (await client.views_open(trigger_id=body["trigger_id"], view=loading))["view"]
        await client.views_update(view_id=opened["id"], hash=opened["hash"], view=form())

    @app.options("who")
    async def who(ack, payload):
        found = {key: name for key, name in PEOPLE.items() if payload["value"].lower() in name.lower()}
        await ack(options=[{"text": plain(name), "value": key} for key, name in found.items()])

    @app.action("more")
    async def more(ack, body, client):
        await ack()
        pushed = modal(entry("radio_buttons", action="how", options=options("Now", "Later")), callback_id="second")
        await client.views_push(trigger_id=body["trigger_id"], view=pushed | {"title": plain("More")})

    @app.view("form")
    async def submitted(ack, view, body):
        heard.append({"what": "form", **body})
        words = view["state"]["values"]["words"]["words"]["value"]
        if words == "late":
            await asyncio.sleep(0.3)
        await ack(**ANSWERS.get(words, {}))

    @app.view("second")
    async def second(ack):
        await ack()

    @app.view("third")
    async def third(ack):
        await ack(response_action="clear")

    @app.view_closed("form")
    async def closed(ack, body):
        heard.append({"what": "closed", **body})
        await ack()

    return app, heard


#: The words of the form, and with what Bolt is told to acknowledge them.
ANSWERS = {
    "wrong": {"response_action": "errors", "errors": {"words": "Say something else"}},
    "again": {
        "response_action": "update",
        "view": modal(section("Sent"), submit=None, close=plain("Done"), title=plain("Done")),
    },
    "next": {"response_action": "push", "view": modal(title=plain("Next"), callback_id="third")},
    "text": {"text": "saved"},
}


@pytest.fixture(params=TRANSPORTS)
async def heard(request, sandbox):
    """Connect the app of forms, over each transport in turn."""
    async with TRANSPORTS[request.param](sandbox, making=forms) as listening:
        yield listening


@pytest.fixture
async def opened(sandbox, heard, ana):
    """Open the form, and fill it in but for its words."""
    await ana.types("#support", "/text")
    found = await sandbox.until(ana.modal)
    await ana.fills("Customer", "Jane Doe")
    return found


async def titled(ana, title):
    seen = await ana.modal()
    return seen if seen and seen.title == title else None


async def test_a_command_opens_a_form_that_is_filled_in_and_sent(opened, heard, ana):
    """What was chosen among suggestions and typed arrives, and the modal closes."""
    assert (opened.title, [one.label for one in opened.fields]) == ("A form", ["Customer", "Message"])
    await ana.fills("Message", "Hi Jane\nhow are you?")
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal) == ("closed", None)
    [body] = heard.of("what", "form")
    values = body["view"]["state"]["values"]
    assert values["who"]["who"]["selected_option"]["value"] == "jane"
    assert values["words"]["words"]["value"] == "Hi Jane\nhow are you?"


async def test_suggestions_come_as_bolt_acknowledges_them(opened, ana):
    """Options over either transport; nobody found is an empty list."""
    assert (await ana.suggestions("Customer", "s")).options == ["Sam Smith"]
    nobody = await ana.suggestions("Customer", "xyz")
    assert (nobody.options, nobody.error) == ([], None)


async def test_errors_stay_under_the_field_until_it_is_right(opened, ana):
    """`response_action: errors`, then the same form sent again."""
    await ana.fills("Message", "wrong")
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal.errors) == ("errors", {"Message": "Say something else"})
    assert submitted.modal["Customer"].value == "Jane Doe"
    await ana.fills("Message", "right")
    assert (await ana.submits()).outcome == "closed"


async def test_an_acknowledged_update_takes_the_forms_place(opened, ana):
    """`response_action: update`: the same view under another face."""
    await ana.fills("Message", "again")
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal.text, submitted.modal.close) == ("updated", "Sent", "Done")
    assert submitted.modal.raw["id"] == opened.raw["id"]


async def test_an_acknowledged_push_is_cleared_with_all_below(opened, ana):
    """`response_action: push`, and in the next view `clear`."""
    await ana.fills("Message", "next")
    assert ((await ana.submits()).outcome, (await ana.modal()).depth) == ("pushed", 2)
    assert (await ana.submits()).outcome == "cleared"
    assert await ana.modal() is None


async def test_a_button_pushes_a_view_and_its_submit_shows_the_form_again(sandbox, opened, ana):
    """views.push with the trigger id of a click in the modal; what was entered below is still there."""
    await ana.clicks_in_modal("More")
    await sandbox.until(lambda: titled(ana, "More"))
    await ana.fills("how", "Later")
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal.title) == ("closed", "A form")
    assert submitted.modal["Customer"].value == "Jane Doe"


async def test_a_loading_view_becomes_the_form(sandbox, heard, ana):
    """The trigger id is used at once, and the view updated with its hash when the form is ready."""
    await ana.types("#support", "/text slowly")
    seen = await sandbox.until(lambda: titled(ana, "A form"))
    assert [one.label for one in seen.fields] == ["Customer", "Message"]


async def test_a_closed_form_is_told(sandbox, opened, heard, ana):
    """`view_closed` arrives where `notify_on_close` asked for it."""
    await ana.closes()
    [body] = await sandbox.until(lambda: heard.of("what", "closed"))
    assert body["is_cleared"] is False


@pytest.mark.parametrize("words", ["text", "late"])
async def test_bolt_can_leave_a_modal_in_trouble(sandbox, opened, ana, words):
    """An acknowledgement with a text, and one that is late: the modal stays open with Slack's words."""
    await sandbox.limits(ack_limit=0.1)
    await ana.fills("Message", words)
    submitted = await ana.submits()
    assert (submitted.outcome, submitted.modal.trouble) == ("failed", "We had some trouble connecting. Try again?")
    assert submitted.modal["Message"].value == words


async def test_a_socket_says_where_an_answer_may_come(sandbox, client, ana):
    """Suggestions and submissions accept a payload with the acknowledgement, and a close does not."""
    connection = await client.apps_connections_open(app_token=sandbox.environment()["SLACK_APP_TOKEN"])
    async with aiohttp.ClientSession() as http, http.ws_connect(connection["url"], autoping=False) as socket:
        await receive(socket)

        async def envelope_of(doing, **answer):
            """Let Ana do something, acknowledge it, and return the envelope it came in."""
            acting = asyncio.create_task(doing)
            envelope = await receive(socket)
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": answer})
            await acting
            return envelope

        typed = await envelope_of(ana.types("#support", "/text"))
        await client.views_open(trigger_id=typed["payload"]["trigger_id"], view=form(notify_on_close=True))
        await ana.fills("Message", "x")
        envelopes = [
            await envelope_of(ana.fills("Customer", "Jane"), options=options("Jane")),
            await envelope_of(ana.clicks_in_modal("More")),
            await envelope_of(ana.submits(), response_action="errors", errors={"words": "No"}),
            await envelope_of(ana.closes()),
        ]
    told = {one["payload"]["type"]: (one["type"], one["accepts_response_payload"]) for one in envelopes}
    assert told == {
        "block_suggestion": ("interactive", True),
        "block_actions": ("interactive", True),
        "view_submission": ("interactive", True),
        "view_closed": ("interactive", False),
    }
