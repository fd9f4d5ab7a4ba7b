"""Slack's own client works against every method of the local Slack, in the forms it uses on the wire."""

import math
import re
import time

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack.methods import METHODS
from sandbox.slack.seed import ANA, ANOTHER, BEN, BOT_ID, BOT_TOKEN, BOT_USER_ID, GUS
from tests.contract.slack_fixtures import plain_http

GENERAL, SUPPORT, RANDOM, VIP, DESK, OLD = (
    "C0GENERAL01",
    "C0SUPPORT01",
    "C0RANDOM001",
    "C0VIPROOM01",
    "C0DESKROOM1",
    "C0OLDNEWS01",
)


async def refusal(calling):
    with pytest.raises(SlackApiError) as caught:
        await calling
    return caught.value.response["error"]


async def until_limited(call, *, per_minute):
    """Make calls until one is refused for being too many: as many as a minute may have, and those gained meanwhile."""
    began, taken = time.monotonic(), 0
    while (error := await _excess(call())) is None:
        taken += 1
    gained = math.ceil((time.monotonic() - began) * per_minute / 60)
    assert per_minute <= taken <= per_minute + gained
    assert (error.response.status_code, error.response["error"]) == (429, "ratelimited")
    return int(error.response.headers["Retry-After"])


async def _excess(calling):
    """The error if a call was one too many; whatever else came of it is None."""
    try:
        await calling
    except SlackApiError as error:
        return error if error.response.status_code == 429 else None
    return None


async def test_auth_test_says_who_the_bot_is_and_what_it_may(client):
    """Bolt learns the bot's ids from the answer and its scopes from the header."""
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team"]) == (BOT_USER_ID, BOT_ID, "Acme")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_message_is_posted_read_changed_and_deleted(client):
    """The life of one message through chat.* and conversations.history."""
    posted = await client.chat_postMessage(channel=SUPPORT, text="one & two <three>")
    ts = posted["ts"]
    assert re.fullmatch(r"\d{10}\.\d{6}", ts)
    assert posted["message"]["bot_id"] == BOT_ID
    updated = await client.chat_update(channel=SUPPORT, ts=ts, text="four")
    assert (updated["ts"], updated["text"]) == (ts, "four")
    history = await client.conversations_history(channel=SUPPORT)
    assert [message["text"] for message in history["messages"]] == ["four"]
    await client.chat_delete(channel=SUPPORT, ts=ts)
    assert (await client.conversations_history(channel=SUPPORT))["messages"] == []


async def test_a_thread_reads_parent_first(client):
    """Replies come oldest first after the parent, from any message of the thread, and not in history."""
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    replies = [
        (await client.chat_postMessage(channel=SUPPORT, text=text, thread_ts=parent))["ts"] for text in ("a", "b")
    ]
    for ts in (parent, replies[1]):
        thread = (await client.conversations_replies(channel=SUPPORT, ts=ts))["messages"]
        assert [message["text"] for message in thread] == ["parent", "a", "b"]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"]) == (2, replies[1])
    assert thread[1]["parent_user_id"] == BOT_USER_ID
    history = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert [message["text"] for message in history] == ["parent"]


async def test_a_broadcast_reply_is_in_the_channel_too(client):
    """reply_broadcast shows a reply in the history as well."""
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    await client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent, reply_broadcast=True)
    history = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert [(one["text"], one.get("subtype")) for one in history] == [("reply", "thread_broadcast"), ("parent", None)]


async def test_history_is_cut_into_pages(client):
    """Pages go from new to old by limit and cursor, and can be bounded by time."""
    ts = [(await client.chat_postMessage(channel=SUPPORT, text=str(number)))["ts"] for number in range(5)]
    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_history(channel=SUPPORT, limit=2)
    ]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    between = await client.conversations_history(channel=SUPPORT, oldest=ts[1], latest=ts[3])
    assert [message["text"] for message in between["messages"]] == ["2"]
    both_ends = await client.conversations_history(channel=SUPPORT, oldest=ts[1], latest=ts[3], inclusive=True)
    assert [message["text"] for message in both_ends["messages"]] == ["3", "2", "1"]


async def test_metadata_is_given_back_whole_only_when_asked_for(client):
    """History and replies show the event_type, and the payload with include_all_metadata."""
    metadata = {"event_type": "text_card", "event_payload": {"id": 7}}
    ts = (await client.chat_postMessage(channel=SUPPORT, text="card", metadata=metadata))["ts"]
    [brief] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert brief["metadata"] == {"event_type": "text_card"}
    await client.chat_update(channel=SUPPORT, ts=ts, text="still")
    [whole] = (await client.conversations_replies(channel=SUPPORT, ts=ts, include_all_metadata=True))["messages"]
    assert whole["metadata"] == metadata
    await client.chat_update(channel=SUPPORT, ts=ts, text="gone", metadata={})
    [without] = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert "metadata" not in without


async def test_an_ephemeral_message_is_for_one_person(sandbox, client):
    """PostEphemeral is seen by its person alone and is in no history."""
    answer = await client.chat_postEphemeral(channel=SUPPORT, user=ANA.id, text="psst")
    [seen] = await sandbox.person("ana").sees("#support")
    assert (seen.ts, seen.text, seen.ephemeral) == (answer["message_ts"], "psst", True)
    assert await sandbox.person("ben").sees("#support") == []
    assert (await client.conversations_history(channel=SUPPORT))["messages"] == []
    assert await refusal(client.chat_update(channel=SUPPORT, ts=seen.ts, text="x")) == "message_not_found"
    outsider = client.chat_postEphemeral(channel=DESK, user=GUS.id, text="psst")
    assert await refusal(outsider) == "user_not_in_channel"


async def test_a_permalink_leads_to_the_sandbox(client):
    """A permalink has Slack's form and this machine's address."""
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent))["ts"]
    link = (await client.chat_getPermalink(channel=SUPPORT, message_ts=reply))["permalink"]
    assert link.startswith("http://127.0.0.1:")
    assert link.endswith(f"/archives/{SUPPORT}/p{reply.replace('.', '')}?thread_ts={parent}&cid={SUPPORT}")


async def test_conversations_say_what_they_are(client):
    """conversations.info tells public, private and direct apart, and who is in them."""
    public = (await client.conversations_info(channel=SUPPORT, include_num_members=True))["channel"]
    assert (public["name"], public["is_private"], public["is_member"], public["num_members"]) == (
        "support",
        False,
        True,
        4,
    )
    private = (await client.conversations_info(channel=DESK))["channel"]
    assert (private["is_private"], private["is_channel"]) == (True, True)
    direct = (await client.conversations_info(channel="D0ANABOT001"))["channel"]
    assert (direct["is_im"], direct["user"]) == (True, ANA.id)
    members = (await client.conversations_members(channel=SUPPORT))["members"]
    assert members == [ANA.id, BEN.id, GUS.id, BOT_USER_ID]


async def test_conversations_are_listed_by_kind(client):
    """conversations.list has public channels unless asked for more, and never a private one without the bot."""
    public = (await client.conversations_list())["channels"]
    assert [one["name"] for one in public] == ["general", "support", "random", "globex", "old"]
    unarchived = await client.conversations_list(exclude_archived=True, types="public_channel,private_channel")
    assert [one["name"] for one in unarchived["channels"]] == ["general", "support", "random", "desk", "globex"]
    mine = await client.users_conversations(types="public_channel,private_channel,im", exclude_archived=True)
    assert [one.get("name") for one in mine["channels"]] == [
        *("general", "support", "desk", "globex"),
        *(None, None, None),  # direct messages have no name
    ]


async def test_pages_of_conversations_end_with_an_empty_cursor(client):
    """Slack's client walks pages until next_cursor is empty."""
    names = [one["name"] async for page in await client.conversations_list(limit=3) for one in page["channels"]]
    assert names == ["general", "support", "random", "globex", "old"]
    assert await refusal(client.conversations_list(cursor="nonsense")) == "invalid_cursor"


async def test_the_bot_joins_a_public_channel(client):
    """Joining is told to everybody, and a second time is a warning."""
    assert await refusal(client.chat_postMessage(channel=RANDOM, text="hello")) == "not_in_channel"
    assert (await client.conversations_join(channel=RANDOM))["channel"]["is_member"] is True
    assert (await client.conversations_join(channel=RANDOM))["warning"] == "already_in_channel"
    await client.chat_postMessage(channel="#random", text="hello")
    history = (await client.conversations_history(channel=RANDOM))["messages"]
    assert [one.get("subtype") for one in history] == [None, "channel_join"]
    assert await refusal(client.conversations_join(channel=OLD)) == "is_archived"
    assert await refusal(client.conversations_join(channel=DESK)) == "method_not_supported_for_channel_type"
    assert await refusal(client.conversations_join(channel=VIP)) == "channel_not_found"


async def test_a_direct_message_is_opened_by_person(client):
    """conversations.open and chat.postMessage with a person's id lead to the same direct message."""
    opened = await client.conversations_open(users=ANA.id, return_im=True)
    assert (opened["channel"]["id"], opened["channel"]["user"], opened["already_open"]) == ("D0ANABOT001", ANA.id, True)
    posted = await client.chat_postMessage(channel=ANA.id, text="hello")
    assert posted["channel"] == "D0ANABOT001"
    assert await refusal(client.conversations_open(users="U0NOBODY001")) == "user_not_found"
    assert await refusal(client.chat_update(channel=ANA.id, ts=posted["ts"], text="x")) == "channel_not_found"


async def test_people_are_told_with_their_time_zone_and_standing(client):
    """users.info has what a bot decides by: bot or not, guest or not, and where the person is."""
    ana = (await client.users_info(user=ANA.id))["user"]
    assert (ana["real_name"], ana["tz"], ana["is_bot"], ana["is_restricted"]) == (
        "Ana Alvarez",
        "America/New_York",
        False,
        False,
    )
    assert "email" not in ana["profile"]
    assert (await client.users_info(user=GUS.id))["user"]["is_restricted"] is True
    assert (await client.users_info(user=BOT_USER_ID))["user"]["profile"]["bot_id"] == BOT_ID
    assert await refusal(client.users_info(user="U0NOBODY001")) == "user_not_found"
    members = [one async for page in await client.users_list(limit=2) for one in page["members"]]
    assert [(one["name"], one["is_bot"]) for one in members] == [
        *((handle, False) for handle in ("ana", "ben", "gus", "eve")),
        ("texting", True),
        ("deployer", True),
        ("slackbot", False),
    ]


async def test_a_bot_is_told(client):
    """bots.info knows the app's own bot, by default too, and that of the other app."""
    assert (await client.bots_info(bot=BOT_ID))["bot"]["user_id"] == BOT_USER_ID
    assert (await client.bots_info())["bot"]["id"] == BOT_ID
    assert (await client.bots_info(bot=ANOTHER.bot_id))["bot"]["name"] == "Deployer"
    assert await refusal(client.bots_info(bot="B0NOBODY001")) == "bot_not_found"


async def test_the_app_token_opens_a_socket_and_nothing_else(sandbox, client):
    """apps.connections.open takes the app-level token alone, and no other method takes it."""
    app_token = sandbox.environment()["SLACK_APP_TOKEN"]
    opened = await client.apps_connections_open(app_token=app_token)
    assert opened["url"].startswith("ws://127.0.0.1:")
    assert await refusal(client.apps_connections_open(app_token=BOT_TOKEN)) == "not_allowed_token_type"
    assert await refusal(client.auth_test(token=app_token)) == "not_allowed_token_type"
    await sandbox.set_transport(request_url="http://127.0.0.1:9/")
    assert await refusal(client.apps_connections_open(app_token=app_token)) == "internal_error"


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param("", "not_authed", id="no token"),
        pytest.param("xoxb-sandbox-other", "invalid_auth", id="another sandbox's token"),
        pytest.param("xoxb-123456789012-abc", "invalid_auth", id="a token that looks real"),
    ],
)
async def test_a_token_that_is_not_ours_is_refused(sandbox, token, error):
    """Whatever is not the sandbox's own token is refused, the token of a real workspace above all."""
    async with plain_http(sandbox.environment()["SLACK_API_URL"]) as http:
        answer = await http.post("auth.test", headers={"Authorization": f"Bearer {token}"} if token else {})
    assert answer.json() == {"ok": False, "error": error}
    [exchange] = await sandbox.exchanges(name="auth.test")
    assert "authorization" not in exchange["headers"]


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("form", ["params", "data", "json"])
async def test_arguments_travel_in_a_query_a_form_or_json(sandbox, verb, form):
    """Every method takes GET and POST, and its arguments and token from wherever they are."""
    arguments = {"channel": SUPPORT, "token": BOT_TOKEN, "team_id": "T0ACMEHQ001", "unheard_of": "1"}
    async with plain_http(sandbox.environment()["SLACK_API_URL"]) as http:
        answer = (await http.request(verb, "conversations.info", **{form: arguments})).json()
    assert (answer["ok"], answer["channel"]["name"]) == (True, "support")
    [exchange] = await sandbox.exchanges(name="conversations.info")
    assert "token" not in exchange["body"]


@pytest.mark.parametrize(
    ("body", "error"),
    [pytest.param("{", "invalid_json", id="not JSON"), pytest.param("[]", "json_not_object", id="not an object")],
)
async def test_a_broken_body_is_refused(client, sandbox, body, error):
    """A JSON body that cannot be read has an error of its own."""
    headers = {"Authorization": f"Bearer {BOT_TOKEN}", "Content-Type": "application/json"}
    async with plain_http(sandbox.environment()["SLACK_API_URL"]) as http:
        answer = await http.post("chat.postMessage", content=body, headers=headers)
    assert answer.json()["error"] == error


@pytest.mark.parametrize("method", ["dialog.open", "files.list", "nonsense"])
async def test_what_is_not_imitated_says_so(client, method):
    """A method the sandbox does not have is unknown, never a silent success."""
    assert method not in METHODS
    assert await refusal(client.api_call(method)) == "unknown_method"


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        pytest.param("users.lookupByEmail", "users:read.email", id="an address book"),
        pytest.param("team.info", "team:read", id="the team"),
        pytest.param("reactions.add", "reactions:write", id="reacting"),
    ],
)
async def test_a_scope_the_manifest_lacks_is_missing(client, method, scope):
    """A missing scope is named, with those that are there."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method)
    answer = caught.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert "chat:write" in answer["provided"].split(",")


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        pytest.param(VIP, "channel_not_found", id="a private channel without the bot"),
        pytest.param("#vip", "channel_not_found", id="and by its name"),
        pytest.param(RANDOM, "not_in_channel", id="a public channel without the bot"),
        pytest.param(OLD, "is_archived", id="an archived channel"),
        pytest.param("D0ANABEN001", "channel_not_found", id="two people's direct message"),
        pytest.param("C0NOWHERE01", "channel_not_found", id="nowhere"),
    ],
)
async def test_the_bot_posts_only_where_it_may(client, channel, error):
    """Each place where a bot cannot post has Slack's word for it."""
    assert await refusal(client.chat_postMessage(channel=channel, text="hello")) == error


async def test_the_bot_reads_only_where_it_is(client):
    """History needs membership; a private channel without the bot does not exist for it."""
    assert await refusal(client.conversations_history(channel=RANDOM)) == "not_in_channel"
    assert await refusal(client.conversations_info(channel=VIP)) == "channel_not_found"
    assert await refusal(client.conversations_replies(channel=SUPPORT, ts="1.000001")) == "thread_not_found"
