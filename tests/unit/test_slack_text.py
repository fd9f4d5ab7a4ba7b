"""What Slack sends, and what a phone shows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reading.slack_text import mentioned_users, plain_text

NAMES = {"U2": "Ben Ode", "W3": "Zoë"}

SHOWN = [
    pytest.param("Hi Jane", "Hi Jane", id="plain words stay as they are"),
    # People, teams and conversations
    pytest.param("ask <@U1|ana>", "ask @ana", id="a mention shows the name Slack gives"),
    pytest.param("ask <@U2>", "ask @Ben Ode", id="a mention without a name shows the display name"),
    pytest.param("ask <@U2|>", "ask @Ben Ode", id="an empty name is no name"),
    pytest.param("ask <@W3>", "ask @Zoë", id="an enterprise user is a user"),
    pytest.param("ask <@U404>", "ask a colleague", id="someone we cannot name is a colleague"),
    pytest.param("ask <@U1|@ana>", "ask @ana", id="a name has one at sign"),
    pytest.param("see <#C1|general>", "see #general", id="a channel shows its name"),
    pytest.param("see <#C1|>", "see a private channel", id="a private channel keeps its name to itself"),
    pytest.param("see <#C1>", "see a channel", id="a channel without a name is a channel"),
    pytest.param("<!here> lunch", "@here lunch", id="here"),
    pytest.param("<!channel|channel> lunch", "@channel lunch", id="channel, labelled"),
    pytest.param("<!everyone> lunch", "@everyone lunch", id="everyone"),
    pytest.param("<!subteam^S1|@support>", "@support", id="a user group shows its handle"),
    pytest.param("<!subteam^S1|support>", "@support", id="a user group without its at sign gets one"),
    pytest.param("ask <!subteam^S1>", "ask our team", id="a user group without a handle is our team"),
    pytest.param("at <!date^1392734382^{time}|6:39 AM>", "at 6:39 AM", id="a date shows its fallback"),
    pytest.param(
        "at <!date^1392734382^{time}^https://x.example|6:39 AM>", "at 6:39 AM", id="a linked date shows its fallback"
    ),
    pytest.param("<!soon^1|in a bit>", "in a bit", id="a special thing we do not know shows its label"),
    pytest.param("see <!soon^1> you", "see  you", id="a special thing without a label leaves nothing"),
    # Links
    pytest.param("<mailto:a@b.example|a@b.example>", "a@b.example", id="an email address once"),
    pytest.param("<mailto:a@b.example|write us>", "write us (a@b.example)", id="an email link with words shows both"),
    pytest.param("<tel:+15551234567|+1 555-123-4567>", "+1 555-123-4567", id="a number as it was typed"),
    pytest.param("<tel:+15551234567>", "+15551234567", id="a number without a label"),
    pytest.param("<tel:+15551234567|call us>", "call us (+15551234567)", id="a number behind words shows both"),
    pytest.param("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2", id="a URL with its ampersands"),
    pytest.param("<http://x.example|x.example>", "http://x.example", id="a typed domain becomes tappable"),
    pytest.param("<https://x.example/|X.example>", "https://x.example/", id="a domain in capitals is the same label"),
    pytest.param("<https://x.example|click here>", "click here (https://x.example)", id="a label keeps its URL"),
    pytest.param("<https://x.example|say :wave:>", "say 👋 (https://x.example)", id="a label may hold emoji"),
    pytest.param("<https://x.example|a &lt; b>", "a < b (https://x.example)", id="a label is unescaped"),
    pytest.param("<https://x.example|>", "https://x.example", id="an empty label is no label"),
    pytest.param("<https://x.example/:wave:/>", "https://x.example/:wave:/", id="no emoji in a linked URL"),
    pytest.param("https://x.example/:wave: :wave:", "https://x.example/:wave: 👋", id="no emoji in a bare URL"),
    # Brackets and entities
    pytest.param("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2", id="entities are decoded"),
    pytest.param("write &amp;lt;b&amp;gt;", "write &lt;b&gt;", id="entities are decoded once"),
    pytest.param("&lt;@U2&gt;", "<@U2>", id="typed brackets are no token"),
    pytest.param("&quot;hi&quot; &copy;", "&quot;hi&quot; &copy;", id="Slack has only three entities"),
    pytest.param("a <https://x.example", "a <https://x.example", id="an unclosed token is kept"),
    pytest.param("<> and <3", "<> and <3", id="brackets around nothing are kept"),
    pytest.param("<b>", "<b>", id="brackets around anything else are kept"),
    pytest.param("<|x>", "<|x>", id="a token without a target is kept"),
    # Emoji
    pytest.param("hi :wave:", "hi 👋", id="a shortcode"),
    pytest.param("hi:wave::tada:", "hi👋🎉", id="shortcodes without spaces"),
    pytest.param(":+1::skin-tone-3:", "👍🏼", id="a skin tone"),
    pytest.param(":tada::skin-tone-3:", "🎉", id="no skin tone on what has no skin"),
    pytest.param(":handshake::skin-tone-2-6:", "🫱🏻‍🫲🏿", id="two skin tones"),
    pytest.param(":flag-de: :de:", "🇩🇪 🇩🇪", id="a flag by both its names"),
    pytest.param(":thumbsup: :man-woman-boy:", "👍 👨‍👩‍👦", id="an alias and a family"),
    pytest.param(":heart:", "❤️", id="a heart is red, not text"),
    pytest.param(":100: %", "💯 %", id="a number that is an emoji"),
    pytest.param("at 10:100:45", "at 10:100:45", id="the same number inside a time"),
    pytest.param(":party-parrot:", ":party-parrot:", id="custom emoji stay words"),
    pytest.param(":party-parrot:wave:", ":party-parrot👋", id="the colon of no emoji may open one"),
    pytest.param("10:30:45 :: a:b : :", "10:30:45 :: a:b : :", id="times and colons stay"),
    # Lines, spaces and what cannot be shown
    pytest.param(" a\n\n b  c ", "a\n\n b  c", id="inner breaks and spaces stay, outer ones go"),
    pytest.param("a\r\nb\rc\u2028d", "a\nb\nc\nd", id="every line break is the same"),
    pytest.param("a\x00b\x07c\td\x7f", "abc d", id="control characters go and a tab is a space"),
    pytest.param("a\ud800b", "ab", id="half a character goes"),
    pytest.param("👩\u200d🚀", "👩\u200d🚀", id="a joined emoji stays joined"),
    pytest.param("*bold* _it_ ~no~ `x`", "*bold* _it_ ~no~ `x`", id="formatting stays as typed"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("sent", "shown"), SHOWN)
def test_plain_text(sent, shown):
    """A phone shows what the author saw in Slack, without Slack's markup."""
    assert plain_text(sent, names=NAMES) == shown


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("<@U2> and <@W3|> and <@U2>", {"U2", "W3"}, id="those without a name, once each"),
        pytest.param("<@U1|ana> <#C1|x> <!here>", set(), id="not those with a name, nor anything else"),
        pytest.param("&lt;@U2&gt;", set(), id="not what only looks like one"),
    ],
)
def test_mentioned_users(text, ids):
    """Only people whose names we lack have to be looked up."""
    assert mentioned_users(text) == ids


@settings(deadline=None)  # a slow machine is no failure
@given(st.text(alphabet=st.sampled_from("<>|@#!&;:^aU1 lt/\n\t\x00é👋")))
def test_any_markup_can_be_shown(text):
    """However broken the markup is, something is shown, and it can be sent."""
    shown = plain_text(text)
    assert shown == shown.strip()
    assert "\x00" not in shown
    shown.encode()
