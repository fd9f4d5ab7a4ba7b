"""What Slack acts on in a message: whom it mentions, what can be clicked, and what is only shown."""

import pytest

from sandbox.slack.seed import ANA, BEN
from tests.contract.test_slack_web_api import SUPPORT

GROUP = "S0SUPPORT01"

#: Everything that would mention, link or format if it were markup.
HOSTILE = (
    f"<!channel> <!here> <@{BEN.id}> <!subteam^{GROUP}> <https://evil.example|the order> *bold* https://evil.example"
)


def mrkdwn(text, **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text} | more}


def plain(text, **more):
    return {"type": "section", "text": {"type": "plain_text", "text": text} | more}


def rich(*leaves):
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


async def seen(sandbox, client, **message):
    """Post a message and return it as Ana sees it."""
    await client.chat_postMessage(channel=SUPPORT, **message)
    return (await sandbox.person("ana").sees("#support"))[-1]


EVERYBODY = ["@channel", "@here", "@ben", "@support-team"]
BOTH_LINKS = [("the order", "https://evil.example"), ("https://evil.example", "https://evil.example")]


@pytest.mark.parametrize(
    ("message", "mentions", "links"),
    [
        pytest.param({"text": HOSTILE}, EVERYBODY, BOTH_LINKS, id="a text"),
        pytest.param({"text": escaped(HOSTILE)}, [], BOTH_LINKS[1:] * 2, id="an escaped text"),
        pytest.param({"text": HOSTILE, "mrkdwn": False}, EVERYBODY, BOTH_LINKS, id="without formatting"),
        pytest.param({"text": "x", "blocks": [mrkdwn(HOSTILE)]}, EVERYBODY, BOTH_LINKS, id="mrkdwn in blocks"),
        pytest.param(
            {"text": "x", "blocks": [mrkdwn(HOSTILE, verbatim=True)]}, EVERYBODY, BOTH_LINKS[:1], id="verbatim"
        ),
        pytest.param(
            {"text": "x", "blocks": [mrkdwn(escaped(HOSTILE), verbatim=True)]}, [], [], id="escaped and verbatim"
        ),
        pytest.param({"text": "x", "blocks": [plain(HOSTILE)]}, [], [], id="plain text"),
        pytest.param({"text": HOSTILE, "blocks": [plain("x")]}, EVERYBODY, [], id="the text behind blocks"),
        pytest.param(
            {"text": "x", "blocks": [rich({"type": "text", "text": HOSTILE})]}, [], [], id="text of rich text"
        ),
        pytest.param(
            {
                "text": "x",
                "blocks": [
                    rich(
                        {"type": "broadcast", "range": "channel"},
                        {"type": "user", "user_id": BEN.id},
                        {"type": "usergroup", "usergroup_id": GROUP},
                        {"type": "link", "url": "https://evil.example", "text": "the order"},
                    )
                ],
            },
            ["@channel", "@ben", "@support-team"],
            BOTH_LINKS[:1],
            id="leaves of rich text",
        ),
        pytest.param(
            {"text": "x", "blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": HOSTILE}]}]},
            EVERYBODY,
            BOTH_LINKS,
            id="a context",
        ),
        pytest.param(
            {"text": "x", "blocks": [plain("x") | {"fields": [{"type": "mrkdwn", "text": "<!everyone> <!group>"}]}]},
            ["@everyone", "@channel"],
            [],
            id="a field, and an old word for all",
        ),
        pytest.param(
            {"text": "x", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": HOSTILE}}]},
            [],
            [],
            id="a header",
        ),
        pytest.param(
            {
                "text": "x",
                "blocks": [{"type": "markdown", "text": f"**hi** <@{BEN.id}> [the order](https://evil.example)"}],
            },
            ["@ben"],
            BOTH_LINKS[:1],
            id="Markdown",
        ),
        pytest.param(
            {
                "text": "x",
                "attachments": [{"text": "<!here>", "fields": [{"value": "<https://evil.example|the order>"}]}],
            },
            ["@here"],
            BOTH_LINKS[:1],
            id="attachments",
        ),
        pytest.param({"text": "<@U0NOBODY001>"}, ["@U0NOBODY001"], [], id="somebody unknown"),
    ],
)
async def test_slack_acts_on_markup_alone(sandbox, client, message, mentions, links):
    """Tokens mention and link wherever there is markup, and nowhere else."""
    found = await seen(sandbox, client, **message)
    assert (found.mentions, found.links) == (mentions, links)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        pytest.param("go to Evil.ru/a?b=1, now", [("Evil.ru/a?b=1", "http://Evil.ru/a?b=1")], id="a bare domain"),
        pytest.param("a@evil.example", [("a@evil.example", "mailto:a@evil.example")], id="an address"),
        pytest.param("<mailto:a@evil.example|help>", [("help", "mailto:a@evil.example")], id="a labelled address"),
        pytest.param("<tel:+15551234567|call>", [("call", "tel:+15551234567")], id="a number"),
        pytest.param("<https://evil.example?a=1&amp;b=2>", [("https://evil.example?a=1&b=2",) * 2], id="entities"),
        pytest.param("`https://evil.example` and ```evil.com```", [], id="code"),
        pytest.param("see <#C0SUPPORT01|support> e.g. 3.5", [], id="a channel and a number"),
    ],
)
async def test_what_looks_like_an_address_can_be_clicked(sandbox, client, text, links):
    """Slack makes links of addresses in markup by itself, but not within code."""
    assert (await seen(sandbox, client, text=text)).links == links


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(plain(HOSTILE, emoji=False), id="a section"),
        pytest.param({"type": "context", "elements": [{"type": "plain_text", "text": HOSTILE}]}, id="a context"),
        pytest.param(rich({"type": "text", "text": HOSTILE}), id="rich text"),
    ],
)
async def test_plain_text_is_read_as_it_was_written(sandbox, client, block):
    """Tokens and marks are words there as all others."""
    assert (await seen(sandbox, client, text="x", blocks=[block])).text == HOSTILE


@pytest.mark.parametrize(("emoji", "read"), [(True, "well 👋"), (False, "well :wave:")])
async def test_plain_text_has_emoji_if_it_wants_them(sandbox, client, emoji, read):
    """Without `emoji` a shortcode stays the word it is."""
    assert (await seen(sandbox, client, text="x", blocks=[plain("well :wave:", emoji=emoji)])).text == read


async def test_a_text_without_formatting_keeps_its_marks(sandbox, client):
    """`mrkdwn: false` leaves bold and the like unread; tokens and emoji are read all the same."""
    text = f"*bold* `code` <@{ANA.id}> :wave:"
    assert (await seen(sandbox, client, text=text, mrkdwn=False)).text == "*bold* `code` @Ana Alvarez 👋"
    message = await seen(sandbox, client, text=text)
    assert message.text == "bold code @Ana Alvarez 👋"
    await client.chat_postMessage(channel=SUPPORT, text="*once*", mrkdwn=False)
    [*_, last] = await sandbox.person("ana").sees("#support")
    await client.chat_update(channel=SUPPORT, ts=last.ts, text="*twice*")
    assert (await sandbox.person("ana").sees("#support"))[-1].text == "twice"


async def test_a_broadcast_reply_is_seen_in_the_channel(sandbox, client):
    """reply_broadcast shows a reply of the app's in both places."""
    parent = await sandbox.person("ana").posts("#support", "parent")
    posted = await client.chat_postMessage(
        channel=SUPPORT, text="<!here> look", thread_ts=parent.ts, reply_broadcast=True
    )
    in_channel = (await sandbox.person("ben").sees("#support"))[-1]
    assert (in_channel.ts, in_channel.text, in_channel.mentions) == (posted["ts"], "@here look", ["@here"])
    assert await sandbox.person("ben").sees_thread("#support", parent.ts) == [in_channel]


async def test_people_mention_groups_and_each_other(sandbox):
    """What a person types is a mention if there is somebody of that name; a group is one too."""
    message = await sandbox.person("ana").posts("#support", "@ben @support-team @nobody see https://acme.example")
    assert message.mentions == ["@ben", "@support-team"]
    assert message.links == [("https://acme.example", "https://acme.example")]
    assert message.text == "@Ben Baker @support-team @nobody see https://acme.example"
    assert message.raw["text"] == f"<@{BEN.id}> <!subteam^{GROUP}> @nobody see <https://acme.example>"
    [leaf] = [one for one in message.blocks[0]["elements"][0]["elements"] if one["type"] == "usergroup"]
    assert leaf["usergroup_id"] == GROUP
