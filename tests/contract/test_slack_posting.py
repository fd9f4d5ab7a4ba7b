"""What happens to a message: its limits, its threads, its edits, and who may do what with it."""

from dataclasses import replace

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from tests.contract.slack_fixtures import APP, client_of
from tests.contract.test_slack_web_api import GENERAL, SUPPORT, refusal, until_limited


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_message_needs_something_to_show(client):
    """Neither text nor blocks: no_text. Markdown is a way of its own, and excludes the others."""
    nothing = {"channel": SUPPORT, "text": " "}
    assert await refusal(client.api_call("chat.postMessage", json=nothing)) == "no_text"
    markdown = {"channel": SUPPORT, "markdown_text": "# Hello"}
    assert (await client.api_call("chat.postMessage", json=markdown))["message"]["blocks"][0]["text"] == "# Hello"
    both = client.api_call("chat.postMessage", json=markdown | {"text": "x"})
    assert await refusal(both) == "markdown_text_conflict"


async def test_a_long_text_is_cut_and_a_long_update_is_refused(client):
    """Posting cuts text at 40,000 characters; updating takes no more than 4,000."""
    posted = await client.chat_postMessage(channel=SUPPORT, text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    assert await refusal(client.chat_update(channel=SUPPORT, ts=posted["ts"], text="x" * 4_001)) == "msg_too_long"


async def test_blocks_that_break_a_rule_are_refused_with_the_place(client):
    """invalid_blocks says what is wrong and points at it."""
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=SUPPORT, text="x", blocks=[section("x" * 3_001)])
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_blocks_that_are_too_much_together_are_refused(client):
    """Each block may be legal and their sum too long."""
    blocks = [section("x" * 2_700) for _ in range(5)]
    assert await refusal(client.chat_postMessage(channel=SUPPORT, text="x", blocks=blocks)) == "msg_blocks_too_long"
    assert await refusal(client.chat_postMessage(channel=SUPPORT, blocks="{", text="x")) == "invalid_blocks_format"


async def test_blocks_come_back_as_slack_keeps_them(client):
    """The answer has the ids and defaults that Slack fills in."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    posted = await client.chat_postMessage(
        channel=SUPPORT, text="x", blocks=[section("hello"), {"type": "actions", "elements": [button]}]
    )
    words, actions = posted["message"]["blocks"]
    assert words["block_id"]
    assert words["text"]["verbatim"] is False
    assert actions["elements"][0]["action_id"]
    assert actions["elements"][0]["text"]["emoji"] is True


async def test_text_without_blocks_removes_the_blocks_and_marks_the_edit(sandbox, client):
    """An update with blocks is not marked as edited; one with text alone takes the blocks away and is."""
    ana = sandbox.person("ana")
    ts = (await client.chat_postMessage(channel=SUPPORT, text="one", blocks=[section("one")]))["ts"]
    await client.chat_update(channel=SUPPORT, ts=ts, text="two", blocks=[section("*two*")])
    [seen] = await ana.sees("#support")
    assert (seen.text, seen.edited) == ("two", False)
    await client.chat_update(channel=SUPPORT, ts=ts, text="three")
    [seen] = await ana.sees("#support")
    assert (seen.text, seen.edited, seen.blocks) == ("three", True, [])


async def test_only_its_own_messages_can_be_changed_by_the_bot(sandbox, client):
    """A person's message can be neither updated nor deleted."""
    hers = await sandbox.person("ana").posts("#support", "mine")
    assert await refusal(client.chat_update(channel=SUPPORT, ts=hers.ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=SUPPORT, ts=hers.ts)) == "cant_delete_message"
    assert await refusal(client.chat_update(channel=SUPPORT, ts="1.000001", text="x")) == "message_not_found"


async def test_a_reply_to_a_message_that_is_gone_lands_in_the_channel(client):
    """A dead thread_ts is no error: the message is posted at the channel's root."""
    ts = (await client.chat_postMessage(channel=SUPPORT, text="short-lived"))["ts"]
    await client.chat_delete(channel=SUPPORT, ts=ts)
    posted = await client.chat_postMessage(channel=SUPPORT, text="lost", thread_ts=ts)
    assert "thread_ts" not in posted["message"]
    history = (await client.conversations_history(channel=SUPPORT))["messages"]
    assert [one["text"] for one in history] == ["lost"]


async def test_a_reply_to_a_reply_is_refused(client):
    """A thread is named by its parent's ts, not by a reply's."""
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent))["ts"]
    deeper = client.chat_postMessage(channel=SUPPORT, text="deeper", thread_ts=reply)
    assert await refusal(deeper) == "cannot_reply_to_message"


async def test_a_deleted_parent_leaves_a_tombstone_until_its_last_reply(client):
    """A parent with replies is replaced by a line; that goes with the last reply."""
    parent = (await client.chat_postMessage(channel=SUPPORT, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=SUPPORT, text="reply", thread_ts=parent))["ts"]
    await client.chat_delete(channel=SUPPORT, ts=parent)
    thread = (await client.conversations_replies(channel=SUPPORT, ts=parent))["messages"]
    assert [one.get("subtype") for one in thread] == ["tombstone", None]
    await client.chat_delete(channel=SUPPORT, ts=reply)
    assert (await client.conversations_history(channel=SUPPORT))["messages"] == []


async def test_a_message_may_have_another_name(sandbox, client):
    """With chat:write.customize a post has its own author; it is a bot_message without a user."""
    posted = await client.chat_postMessage(channel=SUPPORT, text="On my way!", username="Jane Doe")
    assert (posted["message"]["subtype"], posted["message"]["username"]) == ("bot_message", "Jane Doe")
    assert "user" not in posted["message"]
    [seen] = await sandbox.person("ana").sees("#support")
    assert (seen.author, seen.text) == ("Jane Doe", "On my way!")


async def refused(manifest, **message):
    """Post with an app of this manifest and return Slack's word for the refusal."""
    async with Sandbox.start(manifest) as sandbox, client_of(sandbox) as client:
        return await refusal(client.chat_postMessage(text="hello", **message))


def without(scope):
    return replace(APP, scopes=tuple(one for one in APP.scopes if one != scope))


async def test_another_name_needs_its_scope():
    """Without chat:write.customize a name is refused, not ignored."""
    assert await refused(without("chat:write.customize"), channel=SUPPORT, username="Jane") == "missing_scope"


async def test_a_closed_messages_tab_takes_no_messages():
    """When the manifest closes the messages tab, neither the bot nor a person can write there."""
    assert await refused(replace(APP, messages_tab=False), channel="U0ANAALVARE") == "messages_tab_disabled"
    async with Sandbox.start(replace(APP, messages_read_only=True)) as sandbox:
        with pytest.raises(Refused, match="closes the messages tab"):
            await sandbox.person("ana").posts("@bot", "hello")


async def test_public_channels_need_no_membership_with_their_scope():
    """With chat:write.public the bot posts where it is not, if the channel is public."""
    manifest = replace(APP, scopes=(*APP.scopes, "chat:write.public"))
    async with Sandbox.start(manifest) as sandbox, client_of(sandbox) as client:
        await client.chat_postMessage(channel="C0RANDOM001", text="hello")
        assert [one.text for one in await sandbox.person("ana").sees("#random")] == ["hello"]
        assert await refusal(client.chat_postMessage(channel="C0VIPROOM01", text="hello")) == "channel_not_found"


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"event_type": "x"}, id="no payload"),
        pytest.param({"event_payload": {}}, id="no type"),
        pytest.param({"event_type": 1, "event_payload": {}}, id="a type that is no text"),
    ],
)
async def test_metadata_has_a_type_and_a_payload(client, metadata):
    """Metadata of any other form is refused."""
    posting = client.chat_postMessage(channel=SUPPORT, text="x", metadata=metadata)
    assert await refusal(posting) == "invalid_metadata_format"


async def test_posting_too_fast_is_limited_by_conversation(sandbox, client):
    """After a burst, 429 says how long to wait; other conversations are not affected."""
    await sandbox.limits(posting_rate=0.1, posting_burst=2)
    for text in ("one", "two"):
        await client.chat_postMessage(channel=SUPPORT, text=text)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=SUPPORT, text="three")
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 10
    await client.chat_postMessage(channel=GENERAL, text="elsewhere")
    await sandbox.advance(10)
    await client.chat_postMessage(channel=SUPPORT, text="three")


async def test_a_method_has_the_limit_of_its_tier(sandbox, client):
    """With tiers in force, conversations.list takes 20 calls a minute."""
    await sandbox.limits(tiers=True)
    assert 1 <= await until_limited(client.conversations_list, per_minute=20) <= 3


async def test_a_fault_strikes_before_or_after_the_effect(sandbox, client):
    """An answer can be lost although the message was posted: the SDK's retry then posts it twice."""
    await sandbox.order(vendor="slack", where="chat.postMessage", kind="drop_after")
    await client.chat_postMessage(channel=SUPPORT, text="twice")
    assert [one.text for one in await sandbox.person("ana").sees("#support")] == ["twice", "twice"]
    await sandbox.order(vendor="slack", where="chat.*", kind="status", status=429, retry_after=30, times=None)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=SUPPORT, text="never")
    assert caught.value.response.headers["Retry-After"] == "30"
    await sandbox.calm()
    await client.chat_postMessage(channel=SUPPORT, text="again")


@pytest.mark.parametrize("kind", ["html", "text", "broken_json"])
async def test_an_answer_may_be_no_json(sandbox, client, kind):
    """Proxies and outages answer with other things; slack_sdk raises one thing or another."""
    await sandbox.order(vendor="slack", where="auth.test", kind=kind)
    with pytest.raises((SlackApiError, AttributeError)):
        await client.auth_test()
    [exchange] = await sandbox.exchanges(name="auth.test")
    assert exchange["fault"] == kind
