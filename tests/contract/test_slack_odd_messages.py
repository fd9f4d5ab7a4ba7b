"""Messages that nobody means as a reply: other apps' posts, `/me`, lines of housekeeping, unfurls, grown threads."""

import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.seed import ANA, ANOTHER, BEN, TEAM
from tests.contract.slack_fixtures import APP, answering
from tests.contract.test_slack_events import Listening
from tests.contract.test_slack_web_api import SUPPORT


@pytest.fixture
async def listening(sandbox):
    async with answering(sandbox) as requests:
        yield Listening(sandbox, requests)


async def test_another_apps_post_has_a_user_and_a_bot(sandbox, listening, client):
    """A modern app's message looks like a person's, but for its bot_id, its app_id and its bot's profile."""
    parent = await sandbox.person("ana").posts("#support", "parent")
    posted = await sandbox.another_app_posts("#support", "Build 7 is *live*", thread_ts=parent.ts)
    _, event = await listening.events(2)
    assert (event["ts"], event["thread_ts"], event["text"]) == (posted.ts, parent.ts, "Build 7 is *live*")
    assert (event["user"], event["bot_id"], event["app_id"]) == (ANOTHER.bot_user_id, ANOTHER.bot_id, ANOTHER.id)
    assert (event["bot_profile"]["name"], event["bot_profile"]["team_id"]) == ("Deployer", TEAM.id)
    assert "subtype" not in event
    assert "client_msg_id" not in event
    assert (posted.author, posted.text, posted.raw["by_app"]) == ("Deployer", "Build 7 is live", False)
    assert (await client.users_info(user=event["user"]))["user"]["is_bot"] is True


async def test_a_classic_bots_post_has_no_user(sandbox, listening):
    """An old integration's message is a bot_message with a name, and neither a user nor an app."""
    posted = await sandbox.another_app_posts("#support", "Build 7", classic=True)
    [event] = await listening.events()
    assert (event["subtype"], event["bot_id"], event["username"]) == ("bot_message", ANOTHER.bot_id, "Deployer")
    assert event.keys().isdisjoint({"user", "app_id", "bot_profile", "client_msg_id"})
    assert posted.author == "Deployer"


async def test_another_apps_message_is_not_the_apps_own(sandbox, client):
    """It can be neither updated nor deleted by the app."""
    ts = (await sandbox.another_app_posts("#support", "Build 7")).ts
    for calling in (
        client.chat_update(channel=SUPPORT, ts=ts, text="x"),
        client.chat_delete(channel=SUPPORT, ts=ts),
    ):
        with pytest.raises(Exception, match="cant_"):
            await calling


async def test_what_is_said_as_me_is_a_me_message(sandbox, listening):
    """`/me` is a message without blocks and without the mark of a client."""
    parent = await sandbox.person("ana").posts("#support", "parent")
    said = await sandbox.person("ben").says_as_me("#support", "is on it, @ana", thread_ts=parent.ts)
    _, event = await listening.events(2)
    assert (event["subtype"], event["user"], event["text"]) == ("me_message", BEN.id, f"is on it, <@{ANA.id}>")
    assert event.keys().isdisjoint({"blocks", "client_msg_id"})
    assert (said.author, said.text, said.thread_ts) == ("Ben Baker", "is on it, @Ana Alvarez", parent.ts)


@pytest.mark.parametrize(
    ("where", "kind"),
    [pytest.param("#support", "channel", id="a public channel"), pytest.param("#desk", "group", id="a private one")],
)
async def test_housekeeping_is_told_line_by_line(sandbox, listening, where, kind):
    """Joins, leaves, topics, descriptions, names and archiving are messages with subtypes of their own."""
    await sandbox.changes_members(where, "gus", remove=True)
    await sandbox.changes_members(where, "gus", by="ana")
    await sandbox.changes_channel(where, topic="On call: Ben", purpose="Help people")
    await sandbox.changes_channel(where, name="help")
    await sandbox.archives("#help")
    await sandbox.archives("#help", archived=False)
    gone = 1 if kind == "channel" else 0  # Gus was not in the private one, and so he does not leave it
    events = await listening.events(6 + gone)
    words = [*["leave"] * gone, "join", "topic", "purpose", "name", "archive", "unarchive"]
    assert [event["subtype"] for event in events] == [f"{kind}_{word}" for word in words]
    said = {event["subtype"].partition("_")[2]: event for event in events}
    assert (said["topic"]["topic"], said["purpose"]["purpose"]) == ("On call: Ben", "Help people")
    assert (said["name"]["old_name"], said["name"]["name"]) == (where.removeprefix("#"), "help")
    assert said["topic"]["text"] == f"<@{ANA.id}> set the channel topic: On call: Ben"
    assert ANA.id in said["archive"]["members"]
    assert all(event.keys().isdisjoint({"blocks", "client_msg_id"}) for event in events)


async def test_a_channel_is_what_its_lines_say(sandbox, client):
    """Topic, purpose and name are the channel's from then on; a name that is taken is refused."""
    await sandbox.changes_channel("#support", topic="On call: Ben", purpose="Help people", name="help")
    found = (await client.conversations_info(channel=SUPPORT))["channel"]
    assert (found["topic"]["value"], found["purpose"]["value"], found["name"]) == (
        "On call: Ben",
        "Help people",
        "help",
    )
    with pytest.raises(Refused, match="name_taken"):
        await sandbox.changes_channel("#help", name="general")


async def test_an_unfurl_changes_a_message_that_nobody_edited(sandbox, listening):
    """The change has the same text, more attachments and no mark of an edit."""
    message = await sandbox.person("ana").posts("#support", "see https://acme.example/order/7")
    seen = await sandbox.unfurls(message, title="Order 7")
    _, event = await listening.events(2)
    now, before = event["message"], event["previous_message"]
    assert (event["subtype"], event["hidden"]) == ("message_changed", True)
    assert now["text"] == before["text"] == "see <https://acme.example/order/7>"
    assert "edited" not in now
    [attachment] = now["attachments"]
    assert (attachment["from_url"], attachment["title"]) == ("https://acme.example/order/7", "Order 7")
    assert "attachments" not in before
    assert (seen.edited, seen.text.splitlines()) == (False, ["see https://acme.example/order/7", "Order 7"])


async def test_without_a_link_nothing_unfurls(sandbox):
    """Slack looks behind links only."""
    message = await sandbox.person("ana").posts("#support", "no link")
    with pytest.raises(Refused, match="no link in the message"):
        await sandbox.unfurls(message)


async def test_a_grown_thread_is_told_only_where_it_is_asked_for(sandbox, listening):
    """By default a reply is one event; ordered, the parent comes too, as Slack's page has it or without the subtype."""
    ana = sandbox.person("ana")
    parent = await ana.posts("#support", "parent")
    await ana.posts("#support", "one", thread_ts=parent.ts)
    await listening.events(2)
    await sandbox.tells_of_replies()
    reply = await sandbox.person("ben").posts("#support", "two", thread_ts=parent.ts)
    told, grown = await listening.events(2)
    assert (told["ts"], grown["subtype"], grown["hidden"]) == (reply.ts, "message_replied", True)
    assert (grown["message"]["ts"], grown["message"]["text"], grown["thread_ts"]) == (parent.ts, "parent", parent.ts)
    assert [one["user"] for one in grown["message"]["replies"]] == [ANA.id, BEN.id]
    await sandbox.tells_of_replies("seen")
    await ana.posts("#support", "three", thread_ts=parent.ts)
    _, bare = await listening.events(2)
    assert bare.keys().isdisjoint({"subtype", "text", "user"})
    assert bare["message"]["reply_count"] == 3
    await sandbox.tells_of_replies("off")
    await ana.posts("#support", "four", thread_ts=parent.ts)
    await ana.posts("#support", "after")
    assert [event.get("text") for event in await listening.events(2)] == ["four", "after"]
    with pytest.raises(Refused, match="is not a valid Replied"):
        await sandbox.tells_of_replies("loudly")


async def test_without_orders_none_of_it_happens():
    """A reply and a post with a link are one event each, as in a quiet workspace."""
    async with Sandbox.start(APP) as sandbox, answering(sandbox) as requests:
        listening = Listening(sandbox, requests)
        parent = await sandbox.person("ana").posts("#support", "see https://acme.example")
        await sandbox.person("ben").posts("#support", "reply", thread_ts=parent.ts)
        assert [event.get("subtype") for event in await listening.events(2)] == [None, None]
