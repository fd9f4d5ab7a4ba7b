"""
What people type after `/text`, what they see, and what reaches the phone.

One bot for each transport takes the whole table. Every row has a number of its own, so that no row sees another's.
"""

import re
from typing import Any

import pytest

from sandbox.driver import Sandbox
from tests.acceptance.stage import SUPPORT, Stage, bot_beside

pytestmark = pytest.mark.asyncio(loop_scope="module")


def texted(sentence: str, typed: str, to: str, body: str, *, tel: bool = False) -> Any:
    """
    Make a row: what is typed, whom it texts as the answer writes them, and the exact words on their phone.

    *tel*: Slack recognises the numbers and sends them as `<tel:…>` tokens.
    """
    return pytest.param(typed, to, body, tel, id=sentence)


def refused(sentence: str, typed: str, words: str, *, given_back: str = "", tel: bool = False) -> Any:
    """Make a row: what is typed, the exact words that answer it, and what is given back if it is not just that."""
    return pytest.param(typed, words, given_back or f"/text {typed}", tel, id=sentence)


NOBODY = "“{}” is not a name, a phone number or an email address. Start with one of these, then write the message."
ONE = "“{}” is not one person. Texts go to one person at a time, by name, phone number or email address."
SEVERAL = "A text goes to one person at a time. If the second belongs to the message, put a colon after the first."
EMERGENCY = "Texts from here do not reach emergency services. If someone is in danger, call from a phone now."
INCOMPLETE = "“555-1234” is not a complete phone number. Add the area code, or start with + and the country code."
OURS = "That is our own number. Text somebody else."
WHICH_NUMBER = (
    "It is not clear where the number ends: +49 30 123456 or +49 30 12345610? "
    'Put the number in quotes, like "+49 30 123456", then write the message.'
)


TEXTED = [
    # Numbers, in the forms people type and Slack sends
    texted("a number and a word", "+15552000001 hello", "+1 555-200-0001", "hello"),
    texted("brackets and dashes", "+1 (555) 200-0002 hello", "+1 555-200-0002", "hello"),
    texted("a number of the bot's region", "555 200 0003 hello", "+1 555-200-0003", "hello"),
    texted("an area in brackets", "(555) 200-0004 hello", "+1 555-200-0004", "hello"),
    texted("dots in the number", "555.200.0005 hello", "+1 555-200-0005", "hello"),
    texted("a trunk prefix", "1 555 200 0006 hello", "+1 555-200-0006", "hello"),
    texted("an international prefix", "011 44 20 7946 0958 hi", "+44 20 7946 0958", "hi"),
    texted("an Italian mobile as Italians write it", "+39 312 345 6789 ciao", "+39 312 345 6789", "ciao"),
    texted("wide digits", "＋１５５５２０００００７ hello", "+1 555-200-0007", "hello"),
    texted("a number from a contact card", "\u202a+1 555\u2011200\u20110008\u202c hi", "+1 555-200-0008", "hi"),
    texted("no-break spaces", "+1\xa0555\xa0200\xa00009\xa0hello", "+1 555-200-0009", "hello"),
    texted("a number that no country has assigned", "+15550000010 hello", "+1 555-000-0010", "hello"),
    texted("a tel URI", "tel:+15552000011 hello", "+1 555-200-0011", "hello"),
    texted("a number that Slack linked", "+1 555-200-0012 hello", "+1 555-200-0012", "hello", tel=True),
    texted("a linked number, then digits", "+15552000013 2 hats", "+1 555-200-0013", "2 hats", tel=True),
    texted(
        "two linked numbers, one of them said",
        "+15552000014: call +15552000015",
        "+1 555-200-0014",
        "call +15552000015",
        tel=True,
    ),
    # Email
    texted("an email address", "Lea@table.example hello", "lea@table.example", "hello"),
    texted("an email address Slack did not link", "mo@table.example: hello", "mo@table.example", "hello"),
    texted("a mailto URI", "mailto:kim@table.example hello", "kim@table.example", "hello"),
    # What ends the person
    texted("a colon", "+15552000020: hello", "+1 555-200-0020", "hello"),
    texted("a comma", "+15552000021, hello", "+1 555-200-0021", "hello"),
    texted("a line break", "+15552000022\nhello\nthere", "+1 555-200-0022", "hello\nthere"),
    texted("quotes", '"+1 555 200 0023" 10 am', "+1 555-200-0023", "10 am"),
    texted("curly quotes", "“+49 30 200024” 10 Uhr", "+49 30 200024", "10 Uhr"),
    texted("quotes around a linked number", '"+1 555 200 0025" 10 am', "+1 555-200-0025", "10 am", tel=True),
    texted("a colon before digits", "+49 30 200026: 10 Uhr", "+49 30 200026", "10 Uhr"),
    # Messages that look like something else
    texted("digits first", "+15552000030 2 tickets left", "+1 555-200-0030", "2 tickets left"),
    texted("a time first", "+15552000031 10:30 works?", "+1 555-200-0031", "10:30 works?"),
    texted("a smile first", "+15552000032 :) hello", "+1 555-200-0032", ":) hello"),
    texted("a dash first", "+15552000033 - one", "+1 555-200-0033", "- one"),
    texted("the word help", "+15552000034 help", "+1 555-200-0034", "help"),
    texted("the word payload", "+15552000035 the payload=1&payload", "+1 555-200-0035", "the payload=1&payload"),
    texted(
        "words of Slack's own requests",
        '+15552000036 {"type":"url_verification"} ssl_check=1',
        "+1 555-200-0036",
        '{"type":"url_verification"} ssl_check=1',
    ),
    texted("a second command", "+15552000037 /text +15557654321 hi", "+1 555-200-0037", "/text +15557654321 hi"),
    # Slack's escapes, and what Slack makes links of
    texted("& < >", "+15552000040 5 < 6 & 7 > 3", "+1 555-200-0040", "5 < 6 & 7 > 3"),
    texted("entities typed by hand", "+15552000041 &lt;b&gt; &amp;", "+1 555-200-0041", "&lt;b&gt; &amp;"),
    texted("a teammate in the message", "+15552000042 ask @ben", "+1 555-200-0042", "ask @ben"),
    texted("a channel in the message", "+15552000043 see #support", "+1 555-200-0043", "see #support"),
    texted("a private channel in the message", "+15552000044 see #vip", "+1 555-200-0044", "see a private channel"),
    texted("everybody in the message", "+15552000045 @here we are", "+1 555-200-0045", "@here we are"),
    texted(
        "nothing but a link",
        "+15552000046 https://a.example/b?c=1&d=2",
        "+1 555-200-0046",
        "https://a.example/b?c=1&d=2",
    ),
    texted("a domain", "+15552000047 see a.example/menu.", "+1 555-200-0047", "see http://a.example/menu."),
    texted("an email address in the message", "+15552000048 ask jo@a.example", "+1 555-200-0048", "ask jo@a.example"),
    # Emoji
    texted("a shortcode", "+15552000050 hi :wave:", "+1 555-200-0050", "hi 👋"),
    texted("nothing but an emoji", "+15552000051 :tada:", "+1 555-200-0051", "🎉"),
    texted("an emoji from the keyboard", "+15552000052 🎉 ok ❤️", "+1 555-200-0052", "🎉 ok ❤️"),
    texted("a skin tone and a flag", "+15552000053 :wave::skin-tone-3: :flag-de:", "+1 555-200-0053", "👋🏼 🇩🇪"),
    texted(
        "colons that are no emoji",
        "+15552000054 :party-parrot: at 10:30:45",
        "+1 555-200-0054",
        ":party-parrot: at 10:30:45",
    ),
    # The words themselves
    texted("several lines", "+15552000060 Hi Jane,\n\n1. one\n2. two", "+1 555-200-0060", "Hi Jane,\n\n1. one\n2. two"),
    texted(
        "formatting marks", "+15552000061 *now* _or_ ~no~ `x` 2*3*4", "+1 555-200-0061", "*now* _or_ ~no~ `x` 2*3*4"
    ),
    texted("Arabic", "+15552000062 مرحبا، كيف حالك؟", "+1 555-200-0062", "مرحبا، كيف حالك؟"),
    texted("Chinese", "+15552000063 您好，订单好了。", "+1 555-200-0063", "您好，订单好了。"),
    texted("control characters", "+15552000064 a\x00b\x07c\td", "+1 555-200-0064", "abc d"),
    texted("blank space around the words", "+15552000065   two  words  ", "+1 555-200-0065", "two  words"),
    texted("2,000 characters", "+15552000066 " + "x" * 2000, "+1 555-200-0066", "x" * 2000),
    texted("2,000 characters that Slack escapes", "+15552000067 " + "&" * 2000, "+1 555-200-0067", "&" * 2000),
    texted("a single character", "+15552000068 k", "+1 555-200-0068", "k"),
]

REFUSED = [
    # Too much to say
    refused(
        "2,001 characters",
        "+15552000104 " + "x" * 2001,
        "The message has 2,001 characters, 1 too many. A text can have 2,000.",
    ),
    # Nobody outside
    refused(
        "an emoji",
        ":wave: hello",
        NOBODY.format("👋"),
        given_back="/text 👋 hello",
    ),
    refused(
        "a link",
        "https://a.example hello",
        NOBODY.format("https://a.example"),
    ),
    refused(
        "angle brackets",
        "<b> & hello",
        NOBODY.format("<b>"),
    ),
    refused("a teammate", "@ben hello", "That is a teammate here in Slack. Text a phone number or an email address."),
    refused("a channel", "#general hello", "That is a channel here in Slack. Text a phone number or an email address."),
    refused("everybody here", "@here hello", ONE.format("@here")),
    refused("a tag", "@vip hello", ONE.format("@vip")),
    refused("a tag with its sign", "#west hello", ONE.format("#west")),
    # More than one person
    refused("two numbers", "+15551234567, +15557654321 hello", SEVERAL),
    refused("two numbers that Slack linked", "+15551234567, +15557654321 hello", SEVERAL, tel=True),
    refused("a number and an email address", "+15551234567 and jo@a.example hello", SEVERAL),
    # Where does the number end?
    refused("a message whose digits fit the number", "+49 30 123456 10 Uhr passt", WHICH_NUMBER),
    refused("the same, linked by Slack", "+49 30 123456 10 Uhr passt", WHICH_NUMBER, tel=True),
    refused(
        "a digit missing, and digits in the message",
        "555-123-456 2 hats",
        "It is not clear whether “555-123-456 2” is one number. "
        "Put the whole number in quotes, then write the message.",
    ),
    refused(
        "an open quote",
        '"+1 555 123 4567 hello',
        "The quote before “+1 555 123 4567 hello” is not closed. Close it after the number.",
    ),
    # Numbers that no phone can have, or that nobody should text
    refused(
        "no area code",
        "555-1234 hello",
        INCOMPLETE,
    ),
    refused(
        "too many digits",
        "+15551234567890 hello",
        "“+15551234567890” has too many digits for a phone number. Check it and try again.",
    ),
    refused(
        "a country that is none",
        "+999 1234567 hello",
        "No country has the code that “+999 1234567” starts with. Check the digits after the +.",
    ),
    refused(
        "letters in the number",
        "1-800-FLOWERS hello",
        "“1-800-FLOWERS” has letters in it. Write the number in digits only.",
    ),
    refused(
        "an extension",
        "+1 555-123-4567 x12 hello",
        "Texts cannot reach an extension. Use the direct number, without “x12”.",
    ),
    refused("half an email address", "jo@a hello", "“jo@a” is not a complete email address. Check it and try again."),
    refused(
        "a short code", "12345 hello", "“12345” is a short code, and texts only go to people. Use a full phone number."
    ),
    refused("911", "911 help me", EMERGENCY),
    refused("911 with a country code", "+1911 help me", EMERGENCY),
    refused("112 with a plus", "+112 help me", EMERGENCY),
    refused("our own number", "+15550109999 hello", OURS),
    refused("our own number, typed otherwise", "(555) 010-9999 hello", OURS),
    refused(
        "our own number, linked by Slack",
        "+1 555-010-9999 hello",
        OURS,
        tel=True,
    ),
    # Their words come back as they were
    refused(
        "several lines",
        "555-1234 Hi,\n\n*now* & _then_ 🎉 @ben",
        INCOMPLETE,
    ),
    refused(
        "the word payload",
        "555-1234 payload=1",
        INCOMPLETE,
    ),
]


HELP = """\
Text someone without leaving Slack
/text +1 555 123 4567 Hi Jane, your order is ready
/text Jane Your order is ready
Start with a phone number, an email address or a name from the address book, then write your message. It goes out over \
iMessage, RCS or SMS, whichever reaches them best, and a thread here shows the channel and the status. /text alone \
opens a form for it.
/text "+49 30 123456" 10 o'clock works, /text "Jane Doe" Hi
Put a number in quotes when your message starts with digits, and a name when it has several words.
/text report 30d
Shows what became of the texts of the last 30 days, for everybody here; /text report 30d csv as a file.
/text settings
Chooses whether replies in the threads of this channel are texted, and how often it is told of new texts."""


@pytest.mark.parametrize(("typed", "to", "body", "tel"), TEXTED)
async def test_texted(shared_stage: Stage, typed: str, to: str, body: str, tel: bool) -> None:
    """Whoever types this is told who is texted, and these words reach that phone, once."""
    phone = shared_stage.sandbox.phone(re.sub(r"[ -]", "", to))
    await phone.becomes(sent_after=0, delivered_after=0)

    answer = await shared_stage.ana.types(SUPPORT, f"/text {typed}", tel=tel)

    assert (answer.text, answer.error) == (f"Texting {to}.", None)
    assert [text.text for text in await phone.received(1)] == [body]


@pytest.mark.parametrize(("typed", "words", "given_back", "tel"), REFUSED)
async def test_refused(shared_stage: Stage, typed: str, words: str, given_back: str, tel: bool) -> None:
    """Whoever types this is told what to do, has the words given back, and nothing is stored or sent."""
    before = await _texts(shared_stage)

    answer = await shared_stage.ana.types(SUPPORT, f"/text {typed}", tel=tel)

    assert answer.error is None
    assert answer.text == f"⚠️ {words}\nYou typed:\n{given_back}"
    assert await _texts(shared_stage) == before


@pytest.mark.parametrize("typed", ["/text help", "/text HELP", "/text ?"])
async def test_help(shared_stage: Stage, typed: str) -> None:
    """Whoever asks is told how it works."""
    answer = await shared_stage.ana.types(SUPPORT, typed)
    assert answer.text == HELP


async def test_another_region(transport: str, database_url: str) -> None:
    """A number without a country code is read as the bot's region writes it."""
    async with (
        Sandbox.start() as sandbox,
        bot_beside(sandbox, database_url, transport=transport, DEFAULT_REGION="DE"),
    ):
        answer = await sandbox.person("ana").types(SUPPORT, "/text 0171 1234567 hallo")
        assert answer.text == "Texting +49 171 1234567."
        assert [text.text for text in await sandbox.phone("+491711234567").received(1)] == ["hallo"]


async def _texts(stage: Stage) -> tuple[int, int]:
    """Count the texts that are stored, and those that Blooio was asked to send."""
    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM deliveries")
        (stored,) = await cursor.fetchone() or (0,)
    return stored, len(await stage.sandbox.exchanges(vendor="blooio", name="POST /chats/*/messages"))
