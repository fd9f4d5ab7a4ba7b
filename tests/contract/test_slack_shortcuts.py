"""Shortcuts, global ones and those of messages: what the app is sent, and what a Bolt app that is not ours does."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.manifest import InvalidManifest, parse
from sandbox.slack.seed import ANA
from sandbox.terminal import type_and_watch
from tests.contract.slack_fixtures import APP, TRANSPORTS, Heard, plain_http, quiet, use
from tests.contract.slack_forms import entry, modal, section
from tests.contract.test_slack_sockets import receive
from tests.contract.test_slack_web_api import SUPPORT


def shortcut(name, kind, callback_id=None):
    callback_id = callback_id or name.lower().replace(" ", "_")
    return {"name": name, "type": kind, "callback_id": callback_id, "description": f"{name}, for a test"}


def manifest(*shortcuts):
    """Write a manifest of nothing but a name and shortcuts."""
    return {"display_information": {"name": "Texting"}, "features": {"shortcuts": list(shortcuts)}}


DECLARED = manifest(
    shortcut("New text", "global"),
    shortcut("Forget it", "global"),
    shortcut("Text this to…", "message", "text_this"),
    shortcut("Forget this", "message"),
)
OFFERING = replace(APP, shortcuts=parse(DECLARED).shortcuts, bot_events=frozenset())


@pytest.fixture
async def sandbox():
    """Start a sandbox whose app has shortcuts."""
    async with Sandbox.start(OFFERING) as started:
        yield started


@pytest.fixture
def ben(sandbox):
    return sandbox.person("ben")


# The manifest


def test_the_manifest_declares_shortcuts():
    """Each has a name, a type, a `callback_id` and a description."""
    first = OFFERING.shortcuts[0]
    assert (first.name, first.kind, first.callback_id) == ("New text", "global", "new_text")
    assert first.description == "New text, for a test"
    assert [one.kind for one in OFFERING.shortcuts] == ["global", "global", "message", "message"]


FIVE_OF_EACH = [shortcut(f"{kind} {number}", kind) for kind in ("global", "message") for number in range(5)]


def test_five_of_each_type_are_taken():
    """Ten in all."""
    assert len(parse(manifest(*FIVE_OF_EACH)).shortcuts) == 10


@pytest.mark.parametrize(
    ("shortcuts", "pointer"),
    [
        pytest.param([shortcut("x", "global")] * 6, "", id="six global ones"),
        pytest.param([shortcut("x", "message")] * 6, "", id="six for messages"),
        pytest.param([shortcut("x" * 25, "global")], "/0/name", id="a long name"),
        pytest.param([shortcut("x", "channel")], "/0/type", id="another type"),
        pytest.param([shortcut("x", "global", "x" * 256)], "/0/callback_id", id="a long callback_id"),
        pytest.param([shortcut("x", "global") | {"description": "x" * 151}], "/0/description", id="a long description"),
        pytest.param([{"name": "x", "type": "global", "callback_id": "x"}], "/0", id="no description"),
        pytest.param([], "", id="a list of none"),
    ],
)
def test_what_slack_refuses_is_refused(shortcuts, pointer):
    """The error points at what is wrong."""
    with pytest.raises(InvalidManifest) as caught:
        parse(manifest(*shortcuts))
    assert [error["pointer"] for error in caught.value.errors] == [f"/features/shortcuts{pointer}"]


# What the app is sent

WHO = {
    "user": {"id": ANA.id, "username": "ana", "name": "ana", "team_id": "T0ACMEHQ001"},
    "team": {"id": "T0ACMEHQ001", "domain": "acme"},
    "enterprise": None,
    "is_enterprise_install": False,
    "api_app_id": "A0TEXTING01",
    "token": "sandbox",
}


async def test_a_global_shortcut_tells_who_and_not_where(app, ana):
    """Neither a conversation nor a response_url is in the payload, wherever she was."""
    shown = await ana.uses_shortcut("New text", where="#support")
    assert (shown.text, shown.error, shown.message) == ("", None, None)
    [payload] = app.payloads
    assert payload.pop("trigger_id")
    assert float(payload.pop("action_ts")) > 0
    assert payload == WHO | {"type": "shortcut", "callback_id": "new_text"}


async def test_a_message_shortcut_tells_the_whole_message(app, client, ana, ben):
    """The conversation, where to answer, and the message as the Web API has it, with thread, blocks and files."""
    parent = await ben.posts("#support", "What did Jane write?")
    message = await ben.uploads("#support", "note.txt", b"hello", text="*This*", thread_ts=parent.ts)
    assert (await ana.uses_message_shortcut(message, "Text this to…")).error is None
    [payload] = app.payloads
    replies = await client.conversations_replies(channel=SUPPORT, ts=parent.ts)
    assert payload.pop("message") == replies["messages"][1]
    assert replies["messages"][1].keys() >= {"thread_ts", "blocks", "files"}
    assert payload.pop("trigger_id")
    assert payload.pop("action_ts") > payload["message_ts"]
    assert payload.pop("response_url").startswith(f"{app.sandbox.url}/slack/response/app-actions/T0ACMEHQ001/")
    assert payload == WHO | {
        "type": "message_action",
        "callback_id": "text_this",
        "message_ts": message.ts,
        "channel": {"id": SUPPORT, "name": "support"},
    }


@pytest.mark.parametrize(("where", "name"), [("#vip", "privategroup"), ("@ben", "directmessage")])
async def test_the_bot_need_not_be_a_member(app, client, ana, where, name):
    """It reads the message in the payload alone, and can answer by response_url only."""
    message = await ana.posts(where, "hello")
    await ana.uses_message_shortcut(message, "Text this to…")
    [payload] = app.payloads
    assert (payload["channel"]["name"], payload["message"]["text"]) == (name, "hello")
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.chat_postMessage(channel=payload["channel"]["id"], text="x")
    assert (await use(payload["response_url"], {"text": "Sent", "response_type": "in_channel"})).text == "ok"
    assert [one.text for one in await ana.sees(where)] == ["hello", "Sent"]


async def test_a_response_url_leaves_the_message_alone(app, client, ana, ben):
    """What it posts is new and for her only; even the app's own message is neither replaced nor deleted."""
    await client.chat_postMessage(channel=SUPPORT, text="A card")
    [message] = await ana.sees("#support")
    await ana.uses_message_shortcut(message, "text_this")
    url = app.payloads[0]["response_url"]
    assert (await use(url, {"delete_original": True})).text == "cant_delete_message"
    await use(url, {"replace_original": True, "text": "Done"})
    assert [(one.text, one.ephemeral) for one in await ana.sees("#support")] == [("A card", False), ("Done", True)]
    assert [one.text for one in await ben.sees("#support")] == ["A card"]


@pytest.mark.parametrize("on_message", [False, True])
async def test_a_trigger_id_opens_one_view_in_three_seconds(app, client, ana, on_message):
    """As a click's does: a second use and a late one are refused."""
    message = await ana.posts("#support", "hello")

    async def trigger():
        used = ana.uses_message_shortcut(message, "text_this") if on_message else ana.uses_shortcut("new_text")
        assert (await used).error is None
        return app.payloads[-1]["trigger_id"]

    once = await trigger()
    await client.views_open(trigger_id=once, view=modal())
    assert (await ana.modal()).title == "A form"
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=once, view=modal())
    late = await trigger()
    await app.sandbox.advance(3.1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=late, view=modal())


@pytest.mark.parametrize(("where", "chosen"), [("#support", "#support"), (None, "")])
async def test_a_view_may_begin_with_where_she_was(app, client, ana, where, chosen):
    """`default_to_current_conversation`, although the payload does not tell it."""
    await ana.uses_shortcut("New text", where=where)
    menu = entry("conversations_select", default_to_current_conversation=True)
    await client.views_open(trigger_id=app.payloads[0]["trigger_id"], view=modal(menu))
    assert (await ana.modal())["a"].value == chosen


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param({"status": 404}, "dispatch_failed", id="an error"),
        pytest.param({"text": "Done"}, None, id="words, which nobody reads"),
    ],
)
async def test_an_answer_shows_nothing_in_the_conversation(app, ana, ben, answer, error):
    """She is told of a failure and nobody else, and of words in an acknowledgement nobody is."""
    message = await ana.posts("#support", "hello")
    app.answers += [answer, answer]
    assert (await ana.uses_shortcut("New text")).error == error
    shown = await ana.uses_message_shortcut(message, "text_this")
    assert (shown.text, shown.error) == ("", error)
    for person in (ana, ben):
        assert [one.text for one in await person.sees("#support")] == ["hello"]


async def test_an_envelope_expects_no_payload(sandbox, client, ana):
    """Over a socket, both types say that an acknowledgement carries nothing."""
    message = await ana.posts("#support", "hello")
    connection = await client.apps_connections_open(app_token=sandbox.environment()["SLACK_APP_TOKEN"])
    async with aiohttp.ClientSession() as http, http.ws_connect(connection["url"], autoping=False) as socket:
        await receive(socket)
        for using in (ana.uses_shortcut("New text"), ana.uses_message_shortcut(message, "text_this")):
            acting = asyncio.create_task(using)
            envelope = await receive(socket)
            assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            assert (await acting).error is None


# What Slack does not offer


async def test_only_what_the_manifest_declares_is_there(app, ana):
    """Nothing under another name, and neither type in the place of the other."""
    message = await ana.posts("#support", "hello")
    for what in ("Old text", "Text this to…"):
        with pytest.raises(Refused, match=f"no global shortcut called {what}"):
            await ana.uses_shortcut(what)
    for what in ("Old text", "New text"):
        with pytest.raises(Refused, match=f"no message shortcut called {what}"):
            await ana.uses_message_shortcut(message, what)
    assert app.payloads == []


async def test_an_ephemeral_message_has_no_shortcuts(app, client, ana):
    """Slack does not offer them there."""
    await client.chat_postEphemeral(channel=SUPPORT, user=ana.user_id, text="for Ana")
    [message] = await ana.sees("#support")
    with pytest.raises(Refused, match="no shortcuts on this message"):
        await ana.uses_message_shortcut(message, "text_this")
    assert message.raw["takes_shortcuts"] is False
    assert app.payloads == []


async def test_what_is_left_of_a_deleted_message_has_no_shortcuts(app, ana):
    """The tombstone over a thread is no message."""
    parent = await ana.posts("#support", "parent")
    await ana.posts("#support", "reply", thread_ts=parent.ts)
    assert parent.raw["takes_shortcuts"] is True
    await ana.deletes("#support", parent.ts)
    with pytest.raises(Refused, match="no shortcuts on this message"):
        await ana.uses_message_shortcut(parent, "text_this")
    assert app.payloads == []


async def test_only_who_sees_a_message_has_its_shortcuts(app, ana, ben):
    """A message that somebody else alone sees, and a conversation that she cannot open."""
    message = await ana.posts("@ben", "between us")
    with pytest.raises(Refused, match="sees no conversation"):
        await app.sandbox.person("gus").uses_message_shortcut(message, "text_this")
    with pytest.raises(Refused, match="sees no conversation"):
        await app.sandbox.person("gus").uses_shortcut("New text", where="#vip")
    assert (await ben.uses_message_shortcut(message, "text_this")).error is None
    assert [one["user"]["name"] for one in app.payloads] == ["ben"]


async def test_without_interactivity_there_are_none():
    """They are declared, and Slack has nowhere to send them."""
    async with Sandbox.start(replace(OFFERING, interactivity=False)) as sandbox:
        ana = sandbox.person("ana")
        message = await ana.posts("#support", "hello")
        with pytest.raises(Refused, match="interactivity is off"):
            await ana.uses_shortcut("New text")
        with pytest.raises(Refused, match="interactivity is off"):
            await ana.uses_message_shortcut(message, "text_this")
        assert (await app_on_the_page(sandbox))["shortcuts"] == []


async def test_the_page_is_told_what_there_is_to_offer(sandbox):
    """The shortcuts with their types, and the commands with their hints."""
    offered = await app_on_the_page(sandbox)
    assert [(one["name"], one["kind"]) for one in offered["shortcuts"]] == [
        ("New text", "global"),
        ("Forget it", "global"),
        ("Text this to…", "message"),
        ("Forget this", "message"),
    ]
    [command] = offered["commands"]
    assert (command["command"], command["description"], command["usage_hint"]) == ("/text", "Text someone", "")


async def app_on_the_page(sandbox):
    async with plain_http(sandbox.url) as http:
        return (await http.get("/_sandbox/state")).json()["slack"]["app"]


# A Bolt app


def texting(client, signing_secret, *, listening=True) -> tuple[AsyncApp, Heard]:
    """Make an app with a shortcut of each type that opens a form, and with one of each that it does not acknowledge."""
    app = AsyncApp(client=client, signing_secret=signing_secret, logger=quiet())
    heard = Heard()

    @app.global_shortcut("new_text")
    @app.command("/text")
    async def new_text(ack, payload, client):
        await ack()
        if payload.get("text") != "nothing":
            await client.views_open(trigger_id=payload["trigger_id"], view=modal(entry(label="Message")))

    @app.message_shortcut("text_this")
    async def text_this(ack, shortcut, client, respond):
        await ack()
        view = modal(section(shortcut["message"]["text"]), private_metadata=shortcut["channel"]["id"])
        await client.views_open(trigger_id=shortcut["trigger_id"], view=view)
        await respond(text="A form is open")

    @app.shortcut("forget_it")
    async def forget_it(shortcut):
        heard.append(shortcut)

    @app.shortcut("forget_this")
    async def forget_this(shortcut):
        heard.append(shortcut)

    return app, heard


@pytest.fixture(params=TRANSPORTS)
async def heard(request, sandbox):
    """Connect the app of shortcuts, over each transport in turn; the value is what it did not acknowledge."""
    async with TRANSPORTS[request.param](sandbox, making=texting) as listening:
        yield listening


async def test_a_global_shortcut_opens_a_form(sandbox, heard, ana, ben):
    """In front of her who used it."""
    shown = await ana.uses_shortcut("New text")
    assert (shown.text, shown.error) == ("", None)
    opened = await sandbox.until(ana.modal)
    assert (opened.title, list(opened.values)) == ("A form", ["Message"])
    assert await ben.modal() is None


async def test_a_message_shortcut_opens_a_form_and_answers(sandbox, heard, ana, ben):
    """Where the bot is no member: the form knows the message, and the response_url answers her alone."""
    message = await ben.posts("@ana", "Tell Jane I am late")
    assert (await ana.uses_message_shortcut(message, "Text this to…")).error is None
    opened = await sandbox.until(ana.modal)
    assert (opened.text, opened.raw["view"]["private_metadata"]) == ("Tell Jane I am late", message.conversation_id)
    told = await sandbox.until(lambda: ephemerals(ana, "@ben"))
    assert [one.text for one in told] == ["A form is open"]
    assert await ephemerals(ben, "@ana") == []


async def ephemerals(person, where):
    return [one for one in await person.sees(where) if one.ephemeral]


async def test_a_shortcut_that_is_not_acknowledged_is_not_retried(sandbox, heard, ana):
    """She is told that it timed out, and the app hears of it once, however long one waits."""
    message = await ana.posts("#support", "hello")
    await sandbox.limits(ack_limit=0.1)
    errors = [
        (await ana.uses_shortcut("Forget it")).error,
        (await ana.uses_message_shortcut(message, "Forget this")).error,
    ]
    assert errors == ["operation_timeout", "operation_timeout"]
    await sandbox.advance(3600)
    await asyncio.sleep(0.05)
    assert [one["callback_id"] for one in heard] == ["forget_it", "forget_this"]
    assert len(await sandbox.exchanges(name="deliver:interactive")) == 2


async def test_the_command_line_tells_of_a_form(sandbox, heard, ana, capsys):
    """A form that a command opens is told in one line, once, and one that was open before is not."""
    await ana.uses_shortcut("New text")
    await sandbox.until(ana.modal)
    for command, told in (("/text", 1), ("/text nothing", 0)):
        await type_and_watch(sandbox.url, "ana", "#support", command, settled=0.2)
        assert capsys.readouterr().out.count("  A form opened: A form. Open the page to fill it in.\n") == told
