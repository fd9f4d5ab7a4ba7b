"""Slack's text both ways: what is typed becomes what an app receives, what an app writes becomes what is read."""

import pytest

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.slack.reading import Reader
from sandbox.slack.seed import ANA, BEN, BOT_USER_ID, GUS
from sandbox.slack.text import Typing, compose, escape, read, unescape
from sandbox.slack.workspace import Workspace

NOON = 1_795_003_200.0  # 2026-11-18 12:00 UTC, in New York 7 in the morning


@pytest.fixture
def acme():
    return Workspace(Clock(), Changes(), app_name="Texting", bot_name="texting")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        pytest.param("Tom & <Jerry>", "Tom &amp; &lt;Jerry&gt;", id="entities"),
        pytest.param("ask @ben", f"ask <@{BEN.id}|ben>", id="a person"),
        pytest.param("ask @nobody", "ask @nobody", id="nobody by that name"),
        pytest.param("see #support", "see <#C0SUPPORT01|support>", id="a public channel"),
        pytest.param("see #vip", "see <#C0VIPROOM01|>", id="a private channel keeps its name"),
        pytest.param("@here!", "<!here>!", id="everybody here"),
        pytest.param("a@x.example", "<mailto:a@x.example|a@x.example>", id="an e-mail address"),
        pytest.param("https://x.example/a?b=1&c=2.", "<https://x.example/a?b=1&amp;c=2>.", id="a link and a full stop"),
        pytest.param("go to acme.com", "go to <http://acme.com|acme.com>", id="a bare domain"),
        pytest.param("+15551234567 hi", "+15551234567 hi", id="a number is left alone"),
        pytest.param("well 👋", "well :wave:", id="emoji become shortcodes"),
        pytest.param("Acme® since 1999", "Acme® since 1999", id="signs that are no emoji in running text"),
    ],
)
def test_a_command_with_escaping_has_tokens(acme, typed, sent):
    """With should_escape, what Slack recognises arrives as a token."""
    assert compose(typed, acme, ANA.id, Typing(labels=True)) == sent


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        pytest.param("+15551234567 hi", "<tel:+15551234567|+15551234567> hi", id="plain"),
        pytest.param("+1 (555) 123-4567 hi", "<tel:+15551234567|+1 (555) 123-4567> hi", id="as people write it"),
        pytest.param("555-1234", "555-1234", id="not clearly international"),
    ],
)
def test_numbers_are_tokens_when_ordered(acme, typed, sent):
    """Real clients recognise numbers now and then; the label keeps what was typed."""
    assert compose(typed, acme, ANA.id, Typing(phones=True)) == sent


def test_without_escaping_only_entities_are_escaped(acme):
    """Without should_escape, names stay names and addresses stay addresses."""
    typed = "@ben #support a@x.example https://x.example <b>"
    assert compose(typed, acme, ANA.id, Typing(tokens=False)) == typed.replace("<b>", "&lt;b&gt;")


def test_a_message_names_people_without_a_label(acme):
    """In a message a mention is the id alone."""
    assert compose("@ben", acme, ANA.id, Typing()) == f"<@{BEN.id}>"


def test_a_guest_links_only_channels_she_is_in(acme):
    """A channel that the author does not see stays a word."""
    assert compose("#random #support", acme, GUS.id, Typing()) == "#random <#C0SUPPORT01|support>"


@pytest.mark.parametrize("text", ["", "&amp;", "a < b && c > d", "&lt;@U1&gt;"])
def test_escaping_can_be_undone(text):
    """Whatever is escaped reads as it was."""
    assert unescape(escape(text)) == text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        pytest.param(f"hi <@{ANA.id}>", "hi @Ana Alvarez", id="a person"),
        pytest.param("<@U0NOBODY001|jo>", "@jo", id="somebody unknown, by the label"),
        pytest.param("<#C0SUPPORT01>", "#support", id="a channel"),
        pytest.param("<https://x.example|the order>", "the order", id="a labelled link"),
        pytest.param("<https://x.example/a&amp;b>", "https://x.example/a&b", id="a bare link"),
        pytest.param("<mailto:a@x.example>", "a@x.example", id="an address"),
        pytest.param("<!here> &amp; <!channel>", "@here & @channel", id="everybody"),
        pytest.param("*bold* _it_ ~gone~ `code`", "bold it gone code", id="marks are not read"),
        pytest.param(f"*<@{ANA.id}>*", "@Ana Alvarez", id="marks around a token"),
        pytest.param("2*3*4 and snake_case_word", "2*3*4 and snake_case_word", id="no marks inside words"),
        pytest.param(":large_blue_circle: at 12:30:45", "🔵 at 12:30:45", id="emoji"),
        pytest.param("&lt;not a token&gt;", "<not a token>", id="entities are undone once"),
    ],
)
def test_a_person_reads_names_and_words(acme, written, seen):
    """Tokens, marks and entities are drawn as a screen shows them."""
    assert read(written, acme, now=NOON, tz="UTC") == seen


@pytest.mark.parametrize(
    ("form", "tz", "seen"),
    [
        ("{date_num} {time}", "UTC", "2026-11-18 12:00 PM"),
        ("{time}", "America/New_York", "7:00 AM"),
        ("{date_short_pretty} at {time}", "Europe/Berlin", "Today at 1:00 PM"),
        ("{date}", "UTC", "November 18th, 2026"),
        ("{date_long}", "UTC", "Wednesday, November 18th, 2026"),
        ("{unheard_of}", "UTC", "{unheard_of}"),
    ],
)
def test_a_date_is_read_in_ones_own_zone(acme, form, tz, seen):
    """The date macro is filled in for the reader; its fallback is for those who cannot."""
    assert read(f"<!date^{int(NOON)}^{form}|later>", acme, now=NOON, tz=tz) == seen


def test_a_date_that_is_none_falls_back(acme):
    """A broken macro reads as its fallback."""
    assert read("<!date^soon^{date}|one day>", acme, now=NOON, tz="UTC") == "one day"


def test_blocks_are_read_line_by_line(acme):
    """A card of blocks flattens into the lines on the screen, buttons in brackets."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Jane & Co :wave:"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*iMessage* · open"},
            "accessory": {"type": "overflow", "options": []},
        },
        {"type": "divider"},
        {
            "type": "section",
            "fields": [{"type": "plain_text", "text": "*one*"}, {"type": "mrkdwn", "text": f"<@{BOT_USER_ID}>"}],
        },
        {
            "type": "context",
            "elements": [{"type": "image", "alt_text": "picture"}, {"type": "mrkdwn", "text": "Delivered"}],
        },
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Reply"}},
                {"type": "static_select", "placeholder": {"type": "plain_text", "text": "Choose"}},
            ],
        },
    ]
    assert list(Reader(acme, ANA).blocks(blocks)) == [
        "Jane & Co 👋",
        "iMessage · open [⋯]",
        "*one*",
        "@Texting",
        "[picture] Delivered",
        "[Reply] [Choose]",
    ]
