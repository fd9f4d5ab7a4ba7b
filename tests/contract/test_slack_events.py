"""Events: which happenings the app hears of, in what form, and over HTTP with what headers."""

import json
import time
from dataclasses import replace

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from sandbox.driver import Sandbox
from sandbox.slack.manifest import SCOPE_OF_EVENT
from sandbox.slack.seed import ANA, BEN, BOT_USER_ID
from tests.contract.slack_fixtures import APP, answering, client_of, serving
from tests.contract.test_slack_web_api import GENERAL, SUPPORT


@pytest.fixture
async def curious():
    """Start a sandbox whose app has subscribed to everything that is imitated."""
    manifest = replace(
        APP,
        scopes=(*APP.scopes, "app_mentions:read", "reactions:read", "reactions:write"),
        bot_events=frozenset(SCOPE_OF_EVENT),
    )
    async with Sandbox.start(manifest) as started:
        yield started


class Listening:
    """The events that reach a URL."""

    def __init__(self, sandbox, requests):
        self._sandbox = sandbox
        self.requests = requests

    async def events(self, count=1):
        """Wait for so many, return them in the order in which they happened, and forget them."""
        await self._sandbox.until(lambda: len(self.requests) >= count)
        found = [request.json["event"] for request in self.requests]
        assert len(found) == count
        self.requests.clear()
        return sorted(found, key=lambda event: event["event_ts"])


@pytest.fixture
async def listening(curious):
    async with answering(curious) as requests:
        yield Listening(curious, requests)


async def test_the_outer_body_is_that_of_slack(curious, listening):
    """The body names team, app and bot, and identifies the event."""
    await curious.person("ana").posts("#support", "hello")
    await curious.until(lambda: listening.requests)
    body = listening.requests[0].json
    assert (body["type"], body["team_id"], body["api_app_id"]) == ("event_callback", "T0ACMEHQ001", "A0TEXTING01")
    assert body["event_id"].startswith("Ev")
    assert isinstance(body["event_time"], int)
    assert body["authorizations"][0]["user_id"] == BOT_USER_ID


async def test_a_persons_message_has_the_marks_of_her_client(curious, listening):
    """Typed messages have a client_msg_id and one rich_text block."""
    await curious.person("ana").posts("#support", "hi @ben :wave: see https://x.example")
    [event] = await listening.events()
    assert (event["user"], event["channel"], event["channel_type"]) == (ANA.id, SUPPORT, "channel")
    assert event["text"] == f"hi <@{BEN.id}> :wave: see <https://x.example>"
    assert event["client_msg_id"]
    assert "bot_id" not in event
    [block] = event["blocks"]
    leaves = block["elements"][0]["elements"]
    assert [leaf["type"] for leaf in leaves] == ["text", "user", "text", "emoji", "text", "link"]


async def test_a_reply_names_its_thread(curious, listening):
    """A reply has the parent's ts and author; a broadcast one brings the parent along."""
    ana = curious.person("ana")
    parent = await ana.posts("#support", "parent")
    reply = await curious.person("ben").posts("#support", "reply", thread_ts=parent.ts)
    await ana.posts("#support", "to all", thread_ts=parent.ts, broadcast=True)
    _, event, broadcast = await listening.events(3)
    assert (event["thread_ts"], event["parent_user_id"], event["ts"]) == (parent.ts, ANA.id, reply.ts)
    assert (broadcast["subtype"], broadcast["root"]["ts"]) == ("thread_broadcast", parent.ts)


async def test_edits_and_deletions_show_what_was_before(curious, listening):
    """message_changed and message_deleted carry the message as it was."""
    ana = curious.person("ana")
    message = await ana.posts("#support", "one")
    await ana.edits(message, "two")
    await ana.deletes("#support", message.ts)
    _, changed, deleted = await listening.events(3)
    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed",
        "two",
        "one",
    )
    assert changed["message"]["edited"]["user"] == ANA.id
    assert changed["ts"] != message.ts
    assert (deleted["subtype"], deleted["deleted_ts"], deleted["previous_message"]["text"]) == (
        "message_deleted",
        message.ts,
        "two",
    )


async def test_a_deleted_parent_changes_into_a_tombstone(curious, listening):
    """A parent with replies is not deleted but changed."""
    ana = curious.person("ana")
    parent = await ana.posts("#support", "parent")
    await ana.posts("#support", "reply", thread_ts=parent.ts)
    await ana.deletes("#support", parent.ts)
    *_, event = await listening.events(3)
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")


async def test_a_mention_is_two_events(curious, listening):
    """Who mentions the bot in a channel is heard as a message and as a mention; in a direct message once."""
    ana = curious.person("ana")
    await ana.posts("#support", "hey @texting")
    first, second = await listening.events(2)
    assert {first["type"], second["type"]} == {"message", "app_mention"}
    assert first["ts"] == second["ts"]
    await ana.posts("@bot", "hey @texting")
    [event] = await listening.events()
    assert (event["type"], event["channel_type"]) == ("message", "im")


async def test_who_joins_is_told_twice(curious, listening):
    """A join is an event and a message of its own; the bot's own join too."""
    async with client_of(curious) as client:
        await client.conversations_join(channel="C0RANDOM001")
    joined, line = sorted(await listening.events(2), key=lambda event: event["type"])
    assert (joined["type"], joined["user"], joined["channel_type"]) == ("member_joined_channel", BOT_USER_ID, "C")
    assert (line["subtype"], line["user"]) == ("channel_join", BOT_USER_ID)
    await curious.changes_members("#desk", "gus", by="ana")
    joined, line = sorted(await listening.events(2), key=lambda event: event["type"])
    assert (joined["channel_type"], joined["inviter"], line["subtype"]) == ("G", ANA.id, "group_join")


async def test_reactions_are_told(curious, listening):
    """Reactions come with what they are on; the bot's own are told as well."""
    message = await curious.person("ana").posts("#support", "hello")
    await listening.events()
    ben = curious.person("ben")
    await ben.reacts(message, "thumbsup")
    await ben.reacts(message, "thumbsup", remove=True)
    added, removed = await listening.events(2)
    assert (added["type"], added["reaction"], added["user"], added["item_user"]) == (
        "reaction_added",
        "thumbsup",
        BEN.id,
        ANA.id,
    )
    assert added["item"] == {"type": "message", "channel": SUPPORT, "ts": message.ts}
    assert removed["type"] == "reaction_removed"
    async with client_of(curious) as client:
        await client.reactions_add(channel=SUPPORT, timestamp=message.ts, name="white_check_mark")
        found = await client.reactions_get(channel=SUPPORT, timestamp=message.ts)
        assert found["message"]["reactions"] == [{"name": "white_check_mark", "users": [BOT_USER_ID], "count": 1}]
        await client.reactions_remove(channel=SUPPORT, timestamp=message.ts, name="white_check_mark")
    await listening.events(2)


async def test_a_visit_to_the_app_is_told_each_time(curious, listening):
    """app_home_opened comes with the direct message and the tab."""
    await curious.person("ana").visits_app()
    [event] = await listening.events()
    assert (event["type"], event["channel"], event["tab"]) == ("app_home_opened", "D0ANABOT001", "messages")


async def test_the_app_hears_only_where_it_is(curious, listening):
    """Nothing is told of channels without the bot, nor of two people's direct messages."""
    ana = curious.person("ana")
    for where in ("#random", "#vip", "@ben"):
        await ana.posts(where, "hello")
    await ana.posts("#desk", "the one")
    [event] = await listening.events()
    assert (event["text"], event["channel_type"]) == ("the one", "group")


async def test_only_subscribed_events_are_delivered(sandbox):
    """An app that subscribed to messages hears of nothing else."""
    async with answering(sandbox) as requests:
        message = await sandbox.person("ana").posts("#support", "hey @texting")
        await sandbox.person("ben").reacts(message, "thumbsup")
        await sandbox.person("ana").visits_app()
        await sandbox.until(lambda: requests)
    assert [request.json["event"]["type"] for request in requests] == ["message"]


async def test_every_request_is_signed_over_its_raw_bytes(sandbox):
    """Slack's own verifier accepts challenge, command and event, and no other body."""
    verifier = SignatureVerifier(sandbox.environment()["SLACK_SIGNING_SECRET"])
    async with answering(sandbox) as requests:
        await sandbox.person("ana").types("#support", "/text café ☎ & more")
        await sandbox.person("ana").posts("#support", "café ☎")
        await sandbox.until(lambda: len(requests) == 2)
    for request in requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert verifier.is_valid_request(request.body, headers)
        assert not verifier.is_valid_request(request.body + b" ", headers)
        assert abs(int(headers["x-slack-request-timestamp"]) - time.time()) < 5
        assert "x-slack-retry-num" not in headers


@pytest.mark.parametrize(
    ("answer", "reason"),
    [pytest.param({"status": 500}, "http_error", id="an error"), pytest.param({"status": 404}, "http_error", id="404")],
)
async def test_a_retry_says_which_and_why(sandbox, answer, reason):
    """Retries come at once, after a minute and after five, numbered."""
    async with answering(sandbox, **answer) as requests:
        await sandbox.person("ana").posts("#support", "hello")
        await sandbox.until(lambda: len(requests) == 2)
        await sandbox.advance(60)
        await sandbox.until(lambda: len(requests) == 3)
        await sandbox.advance(300)
        await sandbox.until(lambda: len(requests) == 4)
        await sandbox.advance(3600)
    retries = requests[1:]
    assert [one.headers["x-slack-retry-num"] for one in retries] == ["1", "2", "3"]
    assert {one.headers["x-slack-retry-reason"] for one in retries} == {reason}
    assert len({json.loads(one.body)["event_id"] for one in requests}) == 1


@pytest.mark.parametrize(
    ("redirects", "tried"),
    [
        pytest.param(2, [("", 200)], id="two"),
        pytest.param(3, [("", 0), ("too_many_redirects", 200)], id="three"),
    ],
)
async def test_two_redirects_are_followed(sandbox, redirects, tried):
    """A URL may send Slack on twice, and no further."""
    left = redirects

    async def send_on(request):
        nonlocal left
        if b"url_verification" in await request.read():
            return web.Response(text=(await request.json())["challenge"])
        left -= 1
        return web.Response() if left < 0 else web.Response(status=307, headers={"Location": request.path})

    async with serving(send_on) as url:
        await sandbox.set_transport(request_url=url)
        await sandbox.person("ana").posts("#support", "hello")

        async def tries():
            found = await sandbox.exchanges(name="deliver:events_api")
            return [(one["headers"]["reason"], one["status"]) for one in found] == tried

        await sandbox.until(tries)


async def test_an_app_can_ask_for_no_retry(sandbox):
    """x-slack-no-retry ends the matter."""
    async with answering(sandbox, status=500, headers={"x-slack-no-retry": "1"}) as requests:
        await sandbox.person("ana").posts("#support", "hello")
        await sandbox.until(lambda: requests)
        await sandbox.advance(3600)
        await sandbox.person("ana").posts("#general", "another")
        await sandbox.until(lambda: len(requests) == 2)
    assert [request.json["event"]["channel"] for request in requests] == [SUPPORT, GENERAL]
