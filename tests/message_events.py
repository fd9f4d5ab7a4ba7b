"""
Message events of Slack's, and what must become of each: the one table that two tests read.

`tests/unit/test_reply.py` decides about them without anything running; `tests/acceptance/test_thread_safety.py` sends
them to the running bot and looks at the phone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]

#: People and apps of the local Slack.
ANA, BEN, GUEST, EXTERNAL = "U0ANAALVARE", "U0BENBAKER1", "U0GUSGUEST1", "U0EVEGLOBEX"
BOT_USER, BOT, APP = "U0TEXTING01", "B0TEXTING01", "A0TEXTING01"
OTHER_BOT_USER, OTHER_BOT, OTHER_APP = "U0DEPLOYER1", "B0DEPLOYER1", "A0DEPLOYER1"
TEAM, OTHER_TEAM = "T0ACMEHQ001", "T0GLOBEX001"

#: What may become of an event.
TEXTED, NOTE, ASKED, REFUSED, GONE, NOTHING = "texted", "note", "asked", "refused", "gone", "nothing"


@dataclass(frozen=True)
class Where:
    """A thread of ours, and the moment at which something happens in it."""

    home: str = "C0TALK00001"
    card: str = "1700000000.000100"
    ts: str = "1700001000.000100"
    host: str = "acme.slack.com"  # of the workspace


@dataclass(frozen=True)
class Case:
    """One event, and what must become of it."""

    name: str
    make: Callable[[Where], Event]
    what: str
    body: str | None = None  # of what goes out, or would
    why: str | None = None  # the reason that is stored
    mode: str = "texted"
    done: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)


def typed(at: Where, text: Any = "See you at five", **changes: Any) -> Event:
    """What Slack sends when Ana types in the thread. A key whose value is `...` is left out."""
    event = {
        "type": "message",
        "user": ANA,
        "text": text,
        "ts": at.ts,
        "client_msg_id": "5a4db0c5-0000-4000-8000-000000000001",
        "team": TEAM,
        "blocks": [{"type": "rich_text", "block_id": "x", "elements": []}],
        "thread_ts": at.card,
        "parent_user_id": BOT_USER,
        "channel": at.home,
        "event_ts": at.ts,
        "channel_type": "channel",
    } | changes
    return {name: value for name, value in event.items() if value is not ...}


def edited(at: Where, text: Any = "See you at six", before: Any = "See you at five", **changes: Any) -> Event:
    """What Slack sends when Ana edits what she typed."""
    message = typed(at, text, edited={"user": ANA, "ts": _after(at.ts)}, channel=..., event_ts=..., channel_type=...)
    message = {name: value for name, value in (message | changes).items() if value is not ...}
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message,
        "previous_message": typed(at, before, channel=..., event_ts=..., channel_type=...),
        "channel": at.home,
        "hidden": True,
        "ts": _after(at.ts),
        "event_ts": _after(at.ts),
        "channel_type": "channel",
    }


def deleted(at: Where, **changes: Any) -> Event:
    """What Slack sends when somebody deletes what Ana typed."""
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "deleted_ts": at.ts,
        "previous_message": typed(at, channel=..., event_ts=..., channel_type=...),
        "channel": at.home,
        "hidden": True,
        "ts": _after(at.ts),
        "event_ts": _after(at.ts),
        "channel_type": "channel",
    } | changes
    return {name: value for name, value in event.items() if value is not ...}


def _after(ts: str) -> str:
    seconds, _, rest = ts.partition(".")
    return f"{int(seconds) + 1}.{rest}"


def _unfurled(at: Where) -> Event:
    event = edited(at, "See you at six", before="See you at six", attachments=[{"from_url": "https://a.example"}])
    event["previous_message"]["edited"] = event["message"]["edited"]
    return event


def a_file(**changes: Any) -> Event:
    return {
        "id": "F0PLAN00001",
        "name": "plan.pdf",
        "mimetype": "application/pdf",
        "size": 1000,
        "mode": "hosted",
        "url_private": "https://files.slack.com/x",
        **changes,
    }


def bot_profile(**changes: Any) -> Event:
    return {"id": OTHER_BOT, "app_id": OTHER_APP, "name": "Deployer", "team_id": TEAM, "deleted": False, **changes}


def says(name: str, text: str, what: str, body: str | None = None, why: str | None = None, **case: Any) -> Case:
    """Ana types *text*."""
    return Case(name, lambda at: typed(at, text.replace("HOST", at.host)), what, body, why, **case)


def comes(name: str, what: str, body: str | None = None, *, why: str | None = None, **changes: Any) -> Case:
    """Ana's message, but for some of its keys."""
    return Case(name, lambda at: typed(at, **changes), what, body, why)


def nothing(name: str, **changes: Any) -> Case:
    return comes(name, NOTHING, **changes)


FIVE = "See you at five"

CASES = [
    # What people mean for the person.
    says("a reply", FIVE, TEXTED, FIVE),
    says(
        "markup is put into plain words",
        "5 &lt; 6 &amp; :wave: <https://a.example|a>",
        TEXTED,
        "5 < 6 & 👋 a (https://a.example)",
    ),
    says("lines and blanks around", "  Hi\nJane  ", TEXTED, "Hi\nJane"),
    says("an exclamation mark further on", "Great! See you", TEXTED, "Great! See you"),
    says("an upside-down exclamation mark", "¡Hola!", TEXTED, "¡Hola!"),
    says(
        "a phone number and a mail address",
        "<tel:+4930123456|+49 30 123456> <mailto:a@b.example|a@b.example>",
        TEXTED,
        "+49 30 123456 a@b.example",
    ),
    says(
        "a link to another workspace",
        "Join us: <https://users.slack.com/archives/C1>",
        TEXTED,
        "Join us: https://users.slack.com/archives/C1",
    ),
    says("some words in brackets", "Five (or six)", TEXTED, "Five (or six)"),
    says("a word that begins like a note", "Noted, thanks", TEXTED, "Noted, thanks"),
    says("a word with cc in it", "ccc is fine", TEXTED, "ccc is fine"),
    says("note without a colon", "Note that we open at nine", TEXTED, "Note that we open at nine"),
    comes("a broadcast of our thread", TEXTED, FIVE, subtype="thread_broadcast", root={"ts": "1700000000.000100"}),
    comes("without the mark of a client", TEXTED, FIVE, client_msg_id=...),
    comes("without blocks and team", TEXTED, FIVE, blocks=..., team=...),
    comes("with a subtype that is null", TEXTED, FIVE, subtype=None),
    comes("by an app of Slack's own, in somebody's hands", TEXTED, FIVE, app_id="A0OTHER", client_msg_id="x"),
    comes("with a link that Slack has unfurled already", TEXTED, FIVE, attachments=[{"from_url": "https://a.example"}]),
    comes("by Ben", TEXTED, FIVE, user=BEN),
    # Notes.
    says("a note", "!she is a VIP", NOTE, "!she is a VIP"),
    says("a note behind blanks", " \n\t !she is a VIP", NOTE),
    says("a note in bold", "*!she is a VIP*", NOTE),
    says("a note with a wide mark", "！至急", NOTE),
    says("a note behind what does not show", "\u200b!quiet", NOTE),
    says("an exclamation mark alone", "!", NOTE),
    says("a note with a mention", f"!<@{BEN}> she is yours", NOTE),
    says("a note that names the bot", f"<@{BOT_USER}> !not for her", NOTE),
    Case("a note with a file", lambda at: typed(at, "!the plan", subtype="file_share", files=[a_file()]), NOTE),
    # What is asked about.
    says("a mention of a teammate", f"<@{BEN}> can you?", ASKED, why="mention"),
    says("a mention with a label", f"can you, <@{BEN}|ben>?", ASKED, why="mention"),
    says("a mention of the bot further on", f"ask <@{BOT_USER}>", ASKED, why="mention"),
    says("a user group", "<!subteam^S0SUPPORT01|@support-team> please", ASKED, why="mention"),
    says("here", "<!here> anyone?", ASKED, "@here anyone?", "mention"),
    says("channel", "<!channel>", ASKED, why="mention"),
    says("everyone", "hey <!everyone>", ASKED, why="mention"),
    says("here, where Slack made nothing of it", "hey @here", ASKED, why="mention"),
    says("a name at the start, where Slack made nothing of it", "@ben can you?", ASKED, why="mention"),
    says("a link to a channel", "see <#C0SUPPORT01|support>", ASKED, "see #support", "channel"),
    says("a link to a channel that must not be named", "see <#C0VIPROOM01|>", ASKED, why="channel"),
    says("a link into this workspace", "<https://HOST/archives/C1/p1700000000000100>", ASKED, why="link"),
    says("a bare link into Slack's own app", "slack://channel?id=C1", ASKED, why="link"),
    comes("another message shared", ASKED, why="link", attachments=[{"is_share": True, "text": "internal"}]),
    says("note with a colon", "Note: she paid", ASKED, why="note_like"),
    says("fyi", "FYI she paid", ASKED, why="note_like"),
    says("fyi in bold", "*fyi* she paid", ASKED, why="note_like"),
    says("internal", "internal - she paid", ASKED, why="note_like"),
    says("cc", "cc the manager", ASKED, why="note_like"),
    says("todo", "TODO call her", ASKED, why="note_like"),
    says("nb", "NB she is a VIP", ASKED, why="note_like"),
    says("heads up", "Heads-up: she is angry", ASKED, why="note_like"),
    says("ps", "PS: be nice", ASKED, why="note_like"),
    says("all in brackets", "(she is a VIP)", ASKED, why="note_like"),
    says("all in square brackets", "[she is a VIP]\n", ASKED, why="note_like"),
    says("two slashes", "// be nice", ASKED, why="note_like"),
    says("two dashes", "-- be nice", ASKED, why="note_like"),
    says("a quotation", "&gt; On my way\nlet's offer a refund", ASKED, why="note_like"),
    says("a command", "/remind me at five", ASKED, why="note_like"),
    says("a block of code", "```SELECT 1```", ASKED, why="note_like"),
    says("a thread that is done", FIVE, ASKED, FIVE, "done", done=True),
    says("a mention in a thread that is done", f"<@{BEN}>?", ASKED, why="mention,done", done=True),
    # Files.
    Case(
        "a file with words that cannot go",
        lambda at: typed(at, subtype="file_share", files=[a_file()]),
        ASKED,
        FIVE,
        "files",
    ),
    Case(
        "a file alone that cannot go",
        lambda at: typed(at, "", subtype="file_share", files=[a_file()]),
        REFUSED,
        why="files",
    ),
    Case("files that are none", lambda at: typed(at, files=[]), TEXTED, FIVE),
    Case("files that are no list", lambda at: typed(at, files="x"), TEXTED, FIVE),
    # What is refused.
    says("too long", "x" * 2001, REFUSED, why="too_long"),
    says("as long as a text can be", "y" * 2000, TEXTED, "y" * 2000),
    comes("by a guest", REFUSED, why="not_permitted", user=GUEST),
    comes(
        "by somebody of another workspace",
        REFUSED,
        why="not_permitted",
        user=EXTERNAL,
        team=OTHER_TEAM,
        user_team=OTHER_TEAM,
        source_team=OTHER_TEAM,
    ),
    comes("a guest's note", NOTE, user=GUEST, text="!hi"),
    # By naming the bot.
    says("naming the bot", f"<@{BOT_USER}> On our way", TEXTED, "On our way"),
    says("naming the bot with a comma", f" <@{BOT_USER}|texting>, on our way", TEXTED, "on our way"),
    says("naming the bot alone", f"<@{BOT_USER}>", REFUSED, why="empty"),
    says(
        "naming the bot, where that is needed",
        f"<@{BOT_USER}> on our way now",
        TEXTED,
        "on our way now",
        mode="asked_for",
    ),
    says(
        "naming the bot and a teammate, where that is needed",
        f"<@{BOT_USER}> <@{BEN}>",
        ASKED,
        why="mention",
        mode="asked_for",
    ),
    says("a note that names the bot, where that is needed", f"<@{BOT_USER}> !no", NOTE, mode="asked_for"),
    says("not naming the bot, where that is needed", FIVE, NOTHING, mode="asked_for"),
    says("naming the bot too late, where that is needed", f"hey <@{BOT_USER}> hi", NOTHING, mode="asked_for"),
    says("a note, where nothing is texted anyway", "!no", NOTHING, mode="asked_for"),
    says("where there are only alerts", FIVE, NOTHING, mode="never"),
    says("naming the bot where there are only alerts", f"<@{BOT_USER}> hi", REFUSED, why="alerts_only", mode="never"),
    # No words.
    says("nothing", "", NOTHING),
    says("blanks", " \n ", NOTHING),
    comes("no text", NOTHING, text=...),
    comes("a text that is null", NOTHING, text=None),
    comes("a text that is a list", NOTHING, text=["x"]),
    # Not in a thread of ours.
    nothing("at the root", thread_ts=..., parent_user_id=...),
    Case("the parent of a thread", lambda at: typed(at, thread_ts=at.ts), NOTHING),
    nothing("another thread", thread_ts="1600000000.000100"),
    nothing("a broadcast of another thread", subtype="thread_broadcast", thread_ts="1600000000.000100"),
    nothing("the same thread in another channel", channel="C0RANDOM001"),
    nothing("a direct message", channel="D0ANABOT001", channel_type="im", thread_ts=...),
    nothing("a thread in a direct message", channel="D0ANABOT001", channel_type="im"),
    nothing("a group message", channel="G0GROUP0001", channel_type="mpim"),
    # No person.
    nothing(
        "a modern bot",
        user=OTHER_BOT_USER,
        bot_id=OTHER_BOT,
        app_id=OTHER_APP,
        bot_profile=bot_profile(),
        client_msg_id=...,
    ),
    nothing("a bot by its profile alone", bot_profile=bot_profile(), client_msg_id=...),
    nothing("an app that posts as a person", app_id=OTHER_APP, client_msg_id=...),
    nothing("a classic bot", subtype="bot_message", bot_id=OTHER_BOT, username="Deployer", user=..., client_msg_id=...),
    nothing("our own post", user=BOT_USER, bot_id=BOT, app_id=APP, client_msg_id=...),
    nothing(
        "our own post under a person's name",
        subtype="bot_message",
        bot_id=BOT,
        app_id=APP,
        username="Ana Alvarez",
        user=...,
    ),
    nothing("our own user", user=BOT_USER),
    nothing("another workspace's bot", user="W0BOT", bot_id="B0FOREIGN", team=OTHER_TEAM),
    nothing("Slackbot", user="USLACKBOT"),
    nothing("nobody", user=...),
    nothing("a user that is an object", user={"id": ANA}),
    nothing("an ephemeral one", is_ephemeral=True),
    nothing("a hidden one", hidden=True),
    # Housekeeping.
    *(
        nothing(f"the subtype {subtype}", subtype=subtype)
        for subtype in (
            "channel_join",
            "channel_leave",
            "channel_topic",
            "channel_purpose",
            "channel_name",
            "channel_archive",
            "channel_unarchive",
            "group_join",
            "group_leave",
            "group_topic",
            "me_message",
            "message_replied",
            "reply_broadcast",
            "pinned_item",
            "reminder_add",
            "bot_add",
            "file_comment",
            "file_mention",
            "tombstone",
            "ekm_access_denied",
            "assistant_app_thread",
            "huddle_thread",
            "channel_posting_permissions",
            "joiner_notification",
            "something_new",
        )
    ),
    Case(
        "a message_replied without its subtype",
        lambda at: {
            "type": "message",
            "hidden": True,
            "channel": at.home,
            "ts": at.ts,
            "event_ts": at.ts,
            "thread_ts": at.card,
            "message": {"type": "message", "user": ANA, "text": "card", "ts": at.card, "thread_ts": at.card},
        },
        NOTHING,
    ),
    # Edits, unfurls, deletions. None of them texts anything.
    Case("an edit of what we never heard of", edited, ASKED, "See you at six", "edited"),
    Case("an edit that makes a note of it", lambda at: edited(at, "!see you at six"), NOTE),
    Case("an edit that unmakes a note", lambda at: edited(at, "she is a VIP", before="!she is a VIP"), NOTE),
    Case("an edit that mentions a teammate", lambda at: edited(at, f"<@{BEN}>?"), ASKED, why="mention"),
    Case("an edit by an app", lambda at: edited(at, bot_id=OTHER_BOT), NOTHING),
    Case("an edit by somebody else than the author", lambda at: edited(at, edited={"user": BEN, "ts": at.ts}), NOTHING),
    Case(
        "an edit of a guest's",
        lambda at: edited(at, user=GUEST, edited={"user": GUEST, "ts": at.ts}),
        REFUSED,
        why="not_permitted",
    ),
    Case("an edit where only the bot's name counts", edited, NOTHING, mode="asked_for"),
    Case("an edit in another thread", lambda at: edited(at, thread_ts="1600000000.000100"), NOTHING),
    Case(
        "an unfurl",
        lambda at: edited(at, "See you at five", edited=..., attachments=[{"from_url": "https://a.example"}]),
        NOTHING,
    ),
    Case("an unfurl of what was edited before", _unfurled, NOTHING),
    Case("a change without a message", lambda at: {**edited(at), "message": None}, NOTHING),
    Case(
        "a change of nothing", lambda at: {"type": "message", "subtype": "message_changed", "channel": at.home}, NOTHING
    ),
    Case(
        "a draft of our own",
        lambda at: edited(at, user=BOT_USER, bot_id=BOT, app_id=APP, edited={"user": BOT_USER, "ts": at.ts}),
        NOTHING,
    ),
    Case("a deletion of what we never heard of", deleted, GONE),
    Case(
        "a deletion of another app's",
        lambda at: deleted(at, previous_message={**typed(at), "bot_id": OTHER_BOT}),
        NOTHING,
    ),
    Case(
        "a deletion in another thread",
        lambda at: deleted(at, previous_message=typed(at, thread_ts="1600000000.000100")),
        NOTHING,
    ),
    Case("a deletion without what was deleted", lambda at: deleted(at, previous_message=...), NOTHING),
    Case(
        "a tombstone",
        lambda at: {
            **edited(at),
            "message": {
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "ts": at.ts,
                "thread_ts": at.card,
                "text": "This message was deleted.",
                "hidden": True,
            },
        },
        GONE,
    ),
    # Things that Slack should never send.
    nothing("no channel", channel=...),
    nothing("a channel that is an object", channel={"id": "C1"}),
    nothing("no ts", ts=...),
    nothing("a ts that is a number", ts=1700001000.0001),
    nothing("a ts that is none", ts="now"),
    nothing("a thread_ts that is a number", thread_ts=1700000000.0001),
    nothing("a subtype that is a number", subtype=7),
    Case("only a type", lambda _: {"type": "message"}, NOTHING),
]
