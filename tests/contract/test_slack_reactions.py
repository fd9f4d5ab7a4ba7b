"""Reactions: people's and the app's own, as marks on a message, as events, and as methods with their limits."""

from dataclasses import replace

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.seed import ANA, BEN, BOT_USER_ID
from tests.contract.slack_fixtures import APP, Heard, client_of, over_http, over_sockets, quiet
from tests.contract.test_slack_web_api import OLD, RANDOM, SUPPORT, refusal, until_limited

WITH_REACTIONS = replace(
    APP,
    scopes=(*APP.scopes, "reactions:read", "reactions:write"),
    bot_events=APP.bot_events | {"reaction_added", "reaction_removed"},
)


@pytest.fixture
async def sandbox():
    async with Sandbox.start(WITH_REACTIONS) as started:
        yield started


def watching(client, signing_secret, *, listening):
    """Make an app that hears of reactions."""
    app, heard = AsyncApp(client=client, signing_secret=signing_secret, logger=quiet()), Heard()

    @app.event("reaction_added")
    @app.event("reaction_removed")
    async def reaction(event):
        heard.append(event)

    @app.event("message")
    async def message():
        pass

    return app, heard


async def marks(sandbox, where="#support"):
    [message] = await sandbox.person("ana").sees(where)
    return message.reactions


async def test_marks_are_seen_with_who_put_them(sandbox, client):
    """A mark has a name and the handles of those who put it, the bot's among them; the last one takes it away."""
    message = await sandbox.person("ana").posts("#support", "hello")
    await sandbox.person("ben").reacts(message, "eyes")
    await client.reactions_add(channel=SUPPORT, timestamp=message.ts, name="eyes")
    await client.reactions_add(channel=SUPPORT, timestamp=message.ts, name="white_check_mark")
    assert await marks(sandbox) == {"eyes": ["ben", "texting"], "white_check_mark": ["texting"]}
    await client.reactions_remove(channel=SUPPORT, timestamp=message.ts, name="white_check_mark")
    await sandbox.person("ben").reacts(message, "eyes", remove=True)
    assert await marks(sandbox) == {"eyes": ["texting"]}


async def test_a_reply_has_marks_too(sandbox, client):
    """A reply in a thread is marked by its own ts."""
    parent = await sandbox.person("ana").posts("#support", "parent")
    reply = await sandbox.person("ben").posts("#support", "reply", thread_ts=parent.ts)
    await client.reactions_add(channel=SUPPORT, timestamp=reply.ts, name="eyes")
    [seen] = await sandbox.person("ana").sees_thread("#support", parent.ts)
    assert (seen.reactions, await marks(sandbox)) == ({"eyes": ["texting"]}, {})
    thread = (await client.conversations_replies(channel=SUPPORT, ts=parent.ts))["messages"]
    assert thread[1]["reactions"] == [{"name": "eyes", "users": [BOT_USER_ID], "count": 1}]


@pytest.mark.parametrize("transport", [over_sockets, over_http])
async def test_an_app_hears_of_peoples_reactions_and_bolt_drops_its_own(sandbox, client, transport):
    """Slack tells the app of its own reactions as well; they reach no listener."""
    async with transport(sandbox, making=watching) as heard:
        message = await sandbox.person("ana").posts("#support", "hello")
        await client.reactions_add(channel=SUPPORT, timestamp=message.ts, name="eyes")
        await sandbox.person("ben").reacts(message, "+1::skin-tone-2")

        async def told():
            found = [one["body"]["event"] for one in await sandbox.exchanges(name="deliver:events_api")]
            return [event for event in found if event["type"] == "reaction_added" and event["user"] == BOT_USER_ID]

        await sandbox.until(told)
        [event] = await sandbox.until(lambda: list(heard))
    assert (event["user"], event["reaction"], event["item_user"]) == (BEN.id, "+1::skin-tone-2", ANA.id)


async def test_a_post_under_another_name_is_nobodys_item(sandbox, client):
    """The reaction to a `bot_message`, which has no user, has no `item_user`."""
    await client.chat_postMessage(channel=SUPPORT, text="On my way", username="Jane Doe")
    async with over_sockets(sandbox, making=watching) as heard:
        [message] = await sandbox.person("ana").sees("#support")
        await sandbox.person("ana").reacts(message, "heart")
        [event] = await sandbox.until(lambda: list(heard))
    assert (event["item"]["ts"], "item_user" in event) == (message.ts, False)


async def test_reacting_has_its_errors(sandbox, client):
    """Each reaction that cannot be put or taken back has Slack's word for it."""
    ts = (await sandbox.person("ana").posts("#support", "hello")).ts
    here = {"channel": SUPPORT, "timestamp": ts}
    await client.reactions_add(**here, name="eyes")
    for expected, calling in {
        "already_reacted": client.reactions_add(**here, name="eyes"),
        "invalid_name": client.reactions_add(**here, name="no_such_emoji"),
        "message_not_found": client.reactions_add(channel=SUPPORT, timestamp="1.000001", name="eyes"),
        "bad_timestamp": client.reactions_add(channel=SUPPORT, timestamp="soon", name="eyes"),
        "not_in_channel": client.reactions_add(channel=RANDOM, timestamp=ts, name="eyes"),
        "channel_not_found": client.reactions_add(channel="C0NOWHERE01", timestamp=ts, name="eyes"),
        "no_item_specified": client.api_call("reactions.add", params={"name": "eyes"}),
        "no_reaction": client.reactions_remove(**here, name="heart"),
    }.items():
        assert await refusal(calling) == expected
    await sandbox.archives("#support")
    assert await refusal(client.reactions_add(**here, name="heart")) == "is_archived"
    assert await refusal(client.reactions_add(channel=OLD, timestamp=ts, name="eyes")) == "message_not_found"


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("reactions.add", "reactions:write"),
        ("reactions.remove", "reactions:write"),
        ("reactions.get", "reactions:read"),
    ],
)
async def test_reactions_need_their_scopes(method, scope):
    """Without the scope the method is refused by its name."""
    async with Sandbox.start(APP) as sandbox, client_of(sandbox) as client:
        with pytest.raises(SlackApiError) as caught:
            await client.api_call(method, params={"channel": SUPPORT, "timestamp": "1.000001", "name": "eyes"})
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", scope)


async def test_events_need_their_scope():
    """Without reactions:read the app that subscribed to reactions does not hear of them."""
    scopes = tuple(one for one in WITH_REACTIONS.scopes if one != "reactions:read")
    async with Sandbox.start(replace(WITH_REACTIONS, scopes=scopes)) as sandbox, over_sockets(sandbox, making=watching):
        message = await sandbox.person("ana").posts("#support", "hello")
        await sandbox.person("ben").reacts(message, "eyes")
        last = await sandbox.person("ana").posts("#support", "the last")

        async def told():
            found = [one["body"]["event"] for one in await sandbox.exchanges(name="deliver:events_api")]
            return found if last.ts in {event.get("ts") for event in found} else None

        assert {event["type"] for event in await sandbox.until(told)} == {"message"}


@pytest.mark.parametrize(("name", "calls"), [("add", 50), ("remove", 20)])
async def test_reacting_has_the_limits_of_its_tiers(sandbox, client, name, calls):
    """With tiers in force, adding takes 50 calls a minute and removing 20, each for itself."""
    ts = (await sandbox.person("ana").posts("#support", "hello")).ts
    await sandbox.limits(tiers=True)
    react = {"add": client.reactions_add, "remove": client.reactions_remove}
    assert await until_limited(lambda: react[name](channel=SUPPORT, timestamp=ts, name="x"), per_minute=calls) >= 1
    other = {"add": "remove", "remove": "add"}[name]
    assert await refusal(react[other](channel=SUPPORT, timestamp=ts, name="nothing_known")) == "invalid_name"


async def test_a_message_is_deleted_with_its_marks(sandbox, client):
    """Neither a message nor the tombstone of a thread keeps marks, and none can be put on what is gone."""
    lone = (await client.chat_postMessage(channel=SUPPORT, text="lone"))["ts"]
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    await client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent)
    for ts in (lone, parent):
        await client.reactions_add(channel=SUPPORT, timestamp=ts, name="eyes")
        await client.chat_delete(channel=SUPPORT, ts=ts)
        for change in (client.reactions_add, client.reactions_remove):
            assert await refusal(change(channel=SUPPORT, timestamp=ts, name="eyes")) == "message_not_found"
    assert await marks(sandbox) == {}


async def test_people_react_with_what_slack_knows(sandbox):
    """A name that is no emoji, and a second time the same, are what Slack's windows would not take."""
    message = await sandbox.person("ana").posts("#support", "hello")
    with pytest.raises(Refused, match="invalid_name"):
        await sandbox.person("ben").reacts(message, "no_such_emoji")
    await sandbox.person("ben").reacts(message, ":eyes:")
    with pytest.raises(Refused, match="already_reacted"):
        await sandbox.person("ben").reacts(message, "eyes")
