"""Slash commands: what the app is sent, and what its acknowledgement shows to whom."""

import json
import re
from urllib.parse import urlsplit

import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.manifest import parse
from sandbox.slack.seed import ANA, BEN
from tests.contract.slack_fixtures import answering, use


async def sent(sandbox, where, command, **options):
    """Type a command and return the payload the app got."""
    async with answering(sandbox) as requests:
        await sandbox.person("ana").types(where, command, **options)
    return requests[-1].form


async def test_the_payload_has_every_field(sandbox):
    """A command tells who, where and what, and where to answer."""
    payload = await sent(sandbox, "#support", "/text +15551234567 hello")
    response_url, trigger_id = payload.pop("response_url"), payload.pop("trigger_id")
    assert payload == {
        "token": "sandbox",
        "team_id": "T0ACMEHQ001",
        "team_domain": "acme",
        "channel_id": "C0SUPPORT01",
        "channel_name": "support",
        "user_id": ANA.id,
        "user_name": "ana",
        "command": "/text",
        "text": "+15551234567 hello",
        "api_app_id": "A0TEXTING01",
        "is_enterprise_install": "false",
    }
    assert urlsplit(response_url).path.startswith("/slack/response/commands/T0ACMEHQ001/")
    assert re.fullmatch(r"\d+\.\d+\.[0-9a-f]{32}", trigger_id)


@pytest.mark.parametrize(
    ("where", "name"),
    [("#support", "support"), ("#vip", "privategroup"), ("@ben", "directmessage"), ("@bot", "directmessage")],
)
async def test_a_command_comes_from_wherever_the_person_is(sandbox, where, name):
    """Commands work where the bot is not, and only public channels tell their name."""
    assert (await sent(sandbox, where, "/text hello"))["channel_name"] == name


async def test_what_is_typed_is_escaped(sandbox):
    """People, channels and links are tokens; a number is one when it is ordered."""
    payload = await sent(sandbox, "#support", "/text @ben #support a@x.example R&D")
    assert payload["text"] == f"<@{BEN.id}|ben> <#C0SUPPORT01|support> <mailto:a@x.example|a@x.example> R&amp;D"
    assert (await sent(sandbox, "#support", "/text +15551234567 hi", tel=True))["text"] == (
        "<tel:+15551234567|+15551234567> hi"
    )
    assert (await sent(sandbox, "#support", "/text a@x.example", links=False))["text"] == "a@x.example"
    assert (await sent(sandbox, "#support", "/text"))["text"] == ""


async def test_without_should_escape_names_stay_names():
    """An app that did not ask for escaping gets what was typed."""
    command = {"command": "/plain", "description": "x"}
    manifest = parse({"display_information": {"name": "x"}, "features": {"slash_commands": [command]}})
    async with Sandbox.start(manifest) as sandbox:
        assert (await sent(sandbox, "#support", "/plain @ben <b>"))["text"] == "@ben &lt;b&gt;"


async def test_an_unknown_command_is_told_to_its_person(sandbox):
    """What no app has registered is not delivered."""
    shown = await sandbox.person("ana").types("#support", "/foo bar")
    assert (shown.text, shown.error) == ("/foo is not a valid command", "invalid_command")
    assert await sandbox.person("ben").sees("#support") == []
    assert await sandbox.exchanges(name="deliver:*") == []


@pytest.mark.parametrize(
    ("where", "words"),
    [
        pytest.param("#old", "archived", id="an archived channel"),
        pytest.param("#nowhere", "sees no conversation", id="nowhere"),
    ],
)
async def test_where_there_is_no_composer_nothing_is_typed(sandbox, where, words):
    """Slack's windows offer no composer there."""
    with pytest.raises(Refused, match=words):
        await sandbox.person("ana").types(where, "/text hello")


async def test_a_guest_types_only_where_she_was_added(sandbox):
    """A guest neither sees nor writes in a channel she is not in."""
    with pytest.raises(Refused, match="sees no conversation"):
        await sandbox.person("gus").types("#random", "/text hello")


#: How the app acknowledges, what Ana sees of it, and what Ben sees.
ACKNOWLEDGED = [
    ("empty", {}, [], []),
    ("plain text", {"text": "done"}, ["done"], []),
    ("ephemeral by default", {"json": {"text": "*done*"}}, ["done"], []),
    (
        "in the channel",
        {"json": {"response_type": "in_channel", "text": "done"}},
        ["/text hello", "done"],
        ["/text hello", "done"],
    ),
    ("the command alone", {"json": {"response_type": "in_channel"}}, ["/text hello"], ["/text hello"]),
    (
        "blocks",
        {"json": {"blocks": [{"type": "section", "text": {"type": "plain_text", "text": "done"}}]}},
        ["done"],
        [],
    ),
    (
        "blocks that Slack cannot draw",
        {"json": {"blocks": [{"type": "fireworks"}]}},
        ['/text failed with the error "invalid_blocks"'],
        [],
    ),
    ("another status", {"status": 201}, ['/text failed with the error "dispatch_failed"'], []),
    ("an error", {"status": 500, "text": "oh"}, ['/text failed with the error "dispatch_failed"'], []),
]


@pytest.mark.parametrize(("answer", "anas", "bens"), [pytest.param(*rest, id=name) for name, *rest in ACKNOWLEDGED])
async def test_an_acknowledgement_shows_what_it_holds(sandbox, answer, anas, bens):
    """The body of the acknowledgement decides who sees what."""
    if "json" in answer:
        answer = {"text": json.dumps(answer["json"]), "content_type": "application/json"}
    async with answering(sandbox, **answer):
        await sandbox.person("ana").types("#support", "/text hello")
    assert [one.text for one in await sandbox.person("ana").sees("#support")] == anas
    assert [one.text for one in await sandbox.person("ben").sees("#support")] == bens


async def test_a_response_url_adds_messages_five_times(sandbox):
    """The URL of a command posts more, five times, and never replaces."""
    payload = await sent(sandbox, "#vip", "/text hello")
    for number in range(5):
        answer = await use(payload["response_url"], {"text": str(number), "replace_original": True})
        assert (answer.status_code, answer.text) == (200, "ok")
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert [one.text for one in await sandbox.person("ana").sees("#vip")] == ["0", "1", "2", "3", "4"]
    assert await sandbox.person("ben").sees("#vip") == []
    sixth = await use(payload["response_url"], {"text": "5"})
    assert (sixth.status_code, sixth.text) == (404, "used_url")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        pytest.param({}, 400, "no_text", id="nothing to show"),
        pytest.param([], 400, "invalid_payload", id="not an object"),
        pytest.param({"blocks": [{"type": "x"}]}, 400, "invalid_blocks", id="blocks that Slack cannot draw"),
        pytest.param({"delete_original": True}, 404, "cant_delete_message", id="nothing to delete"),
    ],
)
async def test_a_bad_use_of_a_response_url_is_told_in_plain_words(sandbox, body, status, words):
    """Failures are plain text with an error status."""
    payload = await sent(sandbox, "#support", "/text hello")
    answer = await use(payload["response_url"], body)
    assert (answer.status_code, answer.text) == (status, words)


async def test_a_response_url_lasts_thirty_minutes(sandbox):
    """After half an hour the URL is no more."""
    payload = await sent(sandbox, "#support", "/text hello")
    await sandbox.advance(30 * 60 - 5)
    assert (await use(payload["response_url"], {"text": "just"})).text == "ok"
    await sandbox.advance(10)
    answer = await use(payload["response_url"], {"text": "late"})
    assert (answer.status_code, answer.text) == (404, "expired_url")
