"""What people type after /text, and what the bot makes of it."""

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reading import addresses, command
from bot.reading.addresses import pretty
from bot.reading.command import (
    MAX_BODY,
    CommandProblem,
    Compose,
    Help,
    Named,
    Report,
    Settings,
    TextCommand,
    parse_text_command,
    read_body,
)
from bot.reading.names import next_names

JANE = "+15551234567"
BERLIN = "+4930123456"

UNDERSTOOD = [
    # Numbers
    pytest.param("+15551234567 hello", JANE, "hello", id="a number and a word"),
    pytest.param("+1 (555) 123-4567 hello", JANE, "hello", id="spaces in the number"),
    pytest.param("555 123 4567 hello", JANE, "hello", id="spaces, and no country"),
    pytest.param("(555) 123-4567 hello", JANE, "hello", id="an area in brackets"),
    pytest.param("555.123.4567 hello", JANE, "hello", id="dots in the number"),
    pytest.param("555 - 123 - 4567 hello", JANE, "hello", id="dashes between spaces"),
    pytest.param("+ 1 555 123 4567 hello", JANE, "hello", id="a space after the plus"),
    pytest.param("1 555 123 4567 hello", JANE, "hello", id="a trunk prefix"),
    pytest.param("011 44 20 7946 0958 hello", "+442079460958", "hello", id="an international prefix"),
    pytest.param("\u202a+1 555\u2011123\u20114567\u202c hello", JANE, "hello", id="a number from a contact card"),
    pytest.param("+1\xa0555\xa0123\xa04567\xa0hello", JANE, "hello", id="no-break spaces"),
    pytest.param("\ufeff\u2060 +15551234567 hello", JANE, "hello", id="invisible characters in front"),
    pytest.param("+39 312 345 6789 ciao", "+393123456789", "ciao", id="an Italian mobile as Italians write it"),
    pytest.param("+49 170 1234567 hallo", "+491701234567", "hallo", id="a German mobile as Germans write it"),
    # Links
    pytest.param("<tel:+15551234567|+1 555-123-4567> hello", JANE, "hello", id="a number that Slack linked"),
    pytest.param("<tel:+15551234567|555 123 4567> 2 tickets", JANE, "2 tickets", id="a linked number, then digits"),
    pytest.param("<tel:+15551234567|Jane>, hello", JANE, "hello", id="a linked name"),
    pytest.param("<tel:+15551234567> hello", JANE, "hello", id="a link without a label"),
    pytest.param('"<tel:+15551234567|+1 555-123-4567>" hello', JANE, "hello", id="a linked number in quotes"),
    pytest.param("tel:+15551234567 hello", JANE, "hello", id="a tel URI"),
    # Email
    pytest.param("Jane@X.example hello", "jane@x.example", "hello", id="an email address"),
    pytest.param("<mailto:jane@x.example|jane@x.example> hello", "jane@x.example", "hello", id="a linked email"),
    pytest.param("mailto:jane@x.example hello", "jane@x.example", "hello", id="a mailto URI"),
    pytest.param("jane@x.example: hello", "jane@x.example", "hello", id="an email address and a colon"),
    pytest.param("jane@x.example x2 please", "jane@x.example", "x2 please", id="an email has no extension"),
    pytest.param("&lt;jane@x.example&gt; hello", "jane@x.example", "hello", id="an email address in brackets"),
    # What may stand between the person and the message
    pytest.param("+15551234567: hello", JANE, "hello", id="a colon"),
    pytest.param("+15551234567:hello", JANE, "hello", id="a colon without a space"),
    pytest.param("+15551234567:2 tickets", JANE, "2 tickets", id="a colon before a digit"),
    pytest.param("+15551234567, hello", JANE, "hello", id="a comma"),
    pytest.param("+15551234567 : hello", JANE, "hello", id="a colon on its own"),
    pytest.param("+15551234567\nhello\nthere", JANE, "hello\nthere", id="a line break"),
    pytest.param("+49 30 123456 \n10 Uhr", BERLIN, "10 Uhr", id="a line break ends a number of any length"),
    pytest.param("+15551234567 :wave: hello", JANE, "👋 hello", id="the colon of an emoji is the message's"),
    pytest.param("+15551234567:wave: hello", JANE, "👋 hello", id="even without a space"),
    pytest.param("+15551234567 :) hello", JANE, ":) hello", id="so is the colon of a smile"),
    pytest.param("+15551234567 - hello", JANE, "- hello", id="so is a dash"),
    # Quotes
    pytest.param('"+1 555 123 4567" 10 am', JANE, "10 am", id="quotes"),
    pytest.param("“+49 30 123456” 10 Uhr", BERLIN, "10 Uhr", id="curly quotes"),
    pytest.param("„+49 30 123456“ 10 Uhr", BERLIN, "10 Uhr", id="German quotes"),
    pytest.param("'+49 30 123456': 10 Uhr", BERLIN, "10 Uhr", id="single quotes and a colon"),
    pytest.param('"+15551234567" x2 please', JANE, "x2 please", id="quotes say it is no extension"),
    pytest.param('"jane@x.example" hello', "jane@x.example", "hello", id="an email address in quotes"),
    # Messages that start with digits
    pytest.param("555-123-4567 2 tickets left", JANE, "2 tickets left", id="a number of fixed length"),
    pytest.param("+15551234567 10:30 works?", JANE, "10:30 works?", id="a time"),
    pytest.param("+49 30 123456 10:30 passt", BERLIN, "10:30 passt", id="a time after a number of any length"),
    pytest.param("+4930123456 10 Uhr passt", BERLIN, "10 Uhr passt", id="a whole number without spaces"),
    pytest.param("+49 30 123456: 10 Uhr passt", BERLIN, "10 Uhr passt", id="a colon after a number of any length"),
    pytest.param("+15551234567 2 tickets, 3 hats", JANE, "2 tickets, 3 hats", id="a comma later on"),
    pytest.param("+15551234567: +15557654321 is mine", JANE, "+15557654321 is mine", id="a number after a colon"),
    pytest.param("+15551234567: x2 please", JANE, "x2 please", id="x2 after a colon"),
    pytest.param("+15551234567 <tel:911|911> in danger", JANE, "911 in danger", id="911 in the message"),
    # The message
    pytest.param("+15551234567 help", JANE, "help", id="the word help"),
    pytest.param("+15551234567 &amp;amp; *b* <@U1>", JANE, "&amp; *b* @Ana", id="Slack's markup is read"),
    pytest.param("+15551234567 " + "x" * MAX_BODY, JANE, "x" * MAX_BODY, id="as long as it may be"),
    pytest.param("+15551234567 " + "&amp;" * MAX_BODY, JANE, "&" * MAX_BODY, id="long only in Slack's markup"),
]

UNDERSTOOD_ELSEWHERE = [
    pytest.param("DE", "030 123456 hallo", BERLIN, id="Germany"),
    pytest.param("DE", "030/123456 hallo", BERLIN, id="Germany, with a slash"),
    pytest.param("DE", "0049 30 123456 hallo", BERLIN, id="Germany, from abroad"),
    pytest.param("GB", "07700 900123 hallo", "+447700900123", id="Britain"),
    pytest.param("FR", "06 12 34 56 78 hallo", "+33612345678", id="France"),
    pytest.param("IN", "98765 43210 hallo", "+919876543210", id="India"),
    pytest.param("AT", "05574 12345 hallo", "+43557412345", id="Austria"),
    pytest.param("SE", "070-123 45 67 hallo", "+46701234567", id="Sweden"),
]

REFUSED = [
    pytest.param("+15551234567 " + "x" * (MAX_BODY + 1), "too_long", id="a character too many"),
    # Not one person outside
    pytest.param("<https://x.example|x.example> hello", "unknown_person", id="a link"),
    pytest.param("10:30 hello", "unknown_person", id="a time"),
    pytest.param(":wave: hello", "unknown_person", id="an emoji"),
    pytest.param("!note hello", "unknown_person", id="a note"),
    pytest.param('"" hello', "unknown_person", id="nobody in quotes"),
    pytest.param(", hello", "unknown_person", id="a comma"),
    pytest.param('"+1 555 123 4567 hello', "unclosed_quote", id="a quote that is not closed"),
    pytest.param("<@U1|ben> hello", "teammate", id="a teammate"),
    pytest.param("<@U2> hello", "teammate", id="a teammate without a name"),
    pytest.param("<#C1|general> hello", "slack_channel", id="a channel"),
    pytest.param("<#C1|> hello", "slack_channel", id="a private channel"),
    pytest.param("#vips hello", "group", id="a tag with its sign"),
    pytest.param("<!here> hello", "group", id="everybody here"),
    pytest.param("<!subteam^S1|@support> hello", "group", id="a user group"),
    pytest.param("@vips hello", "group", id="a tag"),
    pytest.param("+15551234567, +15557654321 hello", "several_people", id="two numbers"),
    pytest.param("+15551234567,+15557654321 hello", "several_people", id="two numbers without a space"),
    pytest.param("+15551234567 +15557654321 hello", "several_people", id="two numbers without a comma"),
    pytest.param("+15551234567 555-765-4321 hello", "several_people", id="the second without its country"),
    pytest.param("+15551234567 and 555 765 4321 hello", "several_people", id="two numbers with and"),
    pytest.param("+15551234567 &amp; 555 765 4321 hello", "several_people", id="two numbers with an ampersand"),
    pytest.param("+15551234567/+15557654321 hello", "several_people", id="two numbers with a slash"),
    pytest.param("+15551234567\n+15557654321\nhello", "several_people", id="two numbers in two lines"),
    pytest.param("<tel:+15551234567> <tel:+15557654321> hi", "several_people", id="two linked numbers"),
    pytest.param('"+15551234567" "+15557654321" hello', "several_people", id="two numbers in quotes"),
    pytest.param('"+15551234567, +15557654321" hello', "several_people", id="two numbers in the same quotes"),
    pytest.param("a@x.example, b@x.example hello", "several_people", id="two email addresses"),
    pytest.param("+15551234567, b@x.example hello", "several_people", id="a number and an email address"),
    # A report
    pytest.param("report 90d", "report", id="a report of 90 days"),
    pytest.param("report 7d 30d", "report", id="a report of two periods"),
    pytest.param("report csv csv", "report", id="a report twice in a file"),
    pytest.param("report hello", "report", id="a report and a message"),
    pytest.param("report +15551234567 hello", "report", id="a report and a number"),
    # Which digits are the number's
    pytest.param("+49 30 123456 10 Uhr passt", "ambiguous_number", id="the message's digits fit the number"),
    pytest.param("<tel:+4930123456|+49 30 123456> 10 Uhr", "ambiguous_number", id="Slack's link does not settle it"),
    pytest.param("+49 30 123456 10, 11 oder 12 Uhr", "ambiguous_number", id="nor does a comma later on"),
    pytest.param("+49 30 123456 0 hallo", "ambiguous_number", id="the digit may be a switchboard's"),
    pytest.param("+49 170 123 4567 hallo", "ambiguous_number", id="a part of the number is long enough"),
    pytest.param("+49170123 4567 hallo", "ambiguous_number", id="the first word is long enough, but not whole"),
    pytest.param("555-123-456 2 tickets", "unclear_number", id="the message completes a number that lacks a digit"),
    pytest.param("555-1234 100 tickets", "unclear_number", id="the message completes a number without its area"),
    pytest.param("5551234 100 tickets", "unclear_number", id="the same in digits only"),
    pytest.param("+1 555 123 456 7 tickets", "unclear_number", id="the same with spaces"),
    # Not a phone
    pytest.param("555-1234 hello", "impossible_number", id="no area code"),
    pytest.param("+1 555 123\n4567 hello", "impossible_number", id="a number does not go on in the next line"),
    pytest.param("+1 555 123 456 hello", "impossible_number", id="a digit missing"),
    pytest.param("555-1234 12345 is the code", "impossible_number", id="no area code, then too many digits"),
    pytest.param("+15551234567890 hello", "number_too_long", id="too many digits"),
    pytest.param("155512345678 100 tickets", "number_too_long", id="too many digits, then more"),
    pytest.param("+999 1234567 hello", "unknown_country", id="a country that is none"),
    pytest.param("911 help me", "emergency_number", id="911"),
    pytest.param("911: help me", "emergency_number", id="911 and a colon"),
    pytest.param("911 555 1234 is on fire", "emergency_number", id="911 and digits that would make a number"),
    pytest.param("+1911 help me", "emergency_number", id="911 with a country code"),
    pytest.param("<tel:112|112> help me", "emergency_number", id="112 linked"),
    pytest.param("12345 hello", "short_code", id="a short code"),
    pytest.param("+1 555-123-4567 x12 hello", "extension", id="an extension"),
    pytest.param("+1 555-123-4567x12 hello", "extension", id="an extension without a space"),
    pytest.param("+1 555-123-4567, ext. 12 hello", "extension", id="an extension after a comma"),
    pytest.param("1-800-FLOWERS hello", "letters_in_number", id="letters"),
    pytest.param("+1 800-FLOWERS hello", "letters_in_number", id="letters after a space"),
    pytest.param("+15551234567! hello", "not_an_address", id="a number with more than a number in it"),
    pytest.param("jane@ hello", "not_an_email", id="half an email address"),
]


@pytest.mark.parametrize(("typed", "address", "body"), UNDERSTOOD)
def test_understood(typed, address, body):
    """The person and the message are told apart."""
    assert parse_text_command(typed, region="US", names={"U1": "Ana"}) == TextCommand(address, body)


@pytest.mark.parametrize(("region", "typed", "address"), UNDERSTOOD_ELSEWHERE)
def test_understood_elsewhere(region, typed, address):
    """A number without a country code is read as in the team's region."""
    assert parse_text_command(typed, region=region) == TextCommand(address, "hallo")


@pytest.mark.parametrize("typed", ["help", "HELP", " Help ", "?"])
def test_help(typed):
    """Who asks gets help."""
    assert parse_text_command(typed, region="US") == Help()


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("  \n", None, id="blanks"),
        pytest.param("\u2060", None, id="what nobody sees"),
        pytest.param("+15551234567", JANE, id="a number"),
        pytest.param("+15551234567: \n ", JANE, id="a number and a colon"),
        pytest.param("+15551234567 \x00", JANE, id="a number and what nobody sees"),
        pytest.param('"jane@x.example"', "jane@x.example", id="an email address"),
    ],
)
def test_the_form(typed, address):
    """Who says nothing yet writes it into the form."""
    assert parse_text_command(typed, region="US") == Compose(address)


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        pytest.param("jane hello", [("jane", "hello"), ("jane hello", "")], id="a name"),
        pytest.param('"Jane Doe" hello', [("Jane Doe", "hello")], id="a name in quotes"),
        pytest.param("Jane Doe: hello", [("Jane", "Doe: hello"), ("Jane Doe", "hello")], id="a name and a colon"),
        pytest.param('"help" hello', [("help", "hello")], id="somebody called Help"),
        pytest.param('"report" 30d', [("report", "30d")], id="somebody called Report"),
        pytest.param("reports 30d", [("reports", "30d"), ("reports 30d", "")], id="a name that begins like report"),
        pytest.param("jane", [("jane", "")], id="nothing but a name"),
        pytest.param("Zoë &amp; hello", [("Zoë", "&amp; hello"), ("Zoë &", "hello"), ("Zoë & hello", "")], id="markup"),
        pytest.param("王小明 您好", [("王小明", "您好"), ("王小明 您好", "")], id="another script"),
    ],
)
def test_a_name(typed, readings):
    """The address book decides which reading is somebody; the message is still in Slack's markup."""
    named = parse_text_command(typed, region="US")
    assert isinstance(named, Named)
    assert [(reading.name, reading.rest) for reading in named.readings] == readings


@pytest.mark.parametrize(
    ("typed", "second"),
    [
        pytest.param("Jane, Ben hello", "Ben", id="a comma"),
        pytest.param("Jane, ben: hello", "ben", id="a comma, and the second marked"),
        pytest.param("Jane and Ben hello", "Ben", id="and"),
        pytest.param("Jane &amp; Ben hello", "Ben", id="an ampersand"),
        pytest.param('"Jane" and "Ben Baker" hello', "Ben Baker", id="quotes"),
        pytest.param('"Jane", "Ben": hello', "Ben", id="quotes and commas"),
        pytest.param("Jane, will you come?", None, id="a word in small letters"),
        pytest.param("Jane: Ben says hello", None, id="a colon"),
        pytest.param('"Jane": Ben and I are here', None, id="quotes and a colon"),
        pytest.param("Jane Ben says hello", None, id="nothing between them"),
    ],
)
def test_a_second_name(typed, second):
    """What follows a comma or an "and" may be another person's name: then nobody is texted."""
    named = parse_text_command(typed, region="US")
    first = next(one for one in reversed(named.readings) if one.name == "Jane")
    assert [other.name for other in next_names(first)][:1] == ([second] if second else [])


def test_a_body_is_as_long_as_a_text_can_be():
    """It is known only with the name how long the message is."""
    assert read_body("&amp;" * MAX_BODY) == "&" * MAX_BODY
    with pytest.raises(CommandProblem, match="too_long"):
        read_body("x" * (MAX_BODY + 1))


@pytest.mark.parametrize(
    ("typed", "report"),
    [
        pytest.param("report", Report(7, csv=False), id="a week is usual"),
        pytest.param("report 7d", Report(7, csv=False), id="a week"),
        pytest.param("report 30d", Report(30, csv=False), id="a month"),
        pytest.param("report csv", Report(7, csv=True), id="a week in a file"),
        pytest.param("report 30d csv", Report(30, csv=True), id="a month in a file"),
        pytest.param("report csv 30d", Report(30, csv=True), id="the other way round"),
        pytest.param("  REPORT \u3000 30D  CSV ", Report(30, csv=True), id="capitals and blanks"),
    ],
)
def test_report(typed, report):
    """Who asks for a report gets the period and the form they ask for."""
    assert parse_text_command(typed, region="US") == report


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("settings", Settings(), id="the word"),
        pytest.param(" Settings ", Settings(), id="with a capital"),
        pytest.param("+15551234567 settings", TextCommand(JANE, "settings"), id="in a message"),
    ],
)
def test_settings(typed, meant):
    """The word alone asks for the settings of the channel."""
    assert parse_text_command(typed, region="US") == meant


@pytest.mark.parametrize(("typed", "code"), REFUSED)
def test_refused(typed, code):
    """Whatever could go to the wrong person, or to nobody, is refused for its own reason."""
    with pytest.raises(CommandProblem) as refused:
        parse_text_command(typed, region="US")
    assert refused.value.code == code


def test_every_reason_is_met():
    """There are words for each reason above and for no other."""
    assert {param.values[1] for param in REFUSED} == {*command.WORDS, *addresses.WORDS}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param(
            "+15551234567 " + "x" * 3145,
            "The message has 3,145 characters, 1,145 too many. A text can have 2,000.",
            id="how many characters are too many",
        ),
        pytest.param(
            "&amp;jane hello",
            "“&jane” is not a name, a phone number or an email address. "
            "Start with one of these, then write the message.",
            id="what was taken for the person",
        ),
        pytest.param(
            "+49 30 123456 10 Uhr passt",
            "It is not clear where the number ends: +49 30 123456 or +49 30 12345610? "
            'Put the number in quotes, like "+49 30 123456", then write the message.',
            id="the readings, and how to write it",
        ),
        pytest.param(
            "+49 170 123 4567 hallo",
            "It is not clear where the number ends: +49 170123 or +49 170 1234567? "
            'Put the number in quotes, like "+49 170 1234567", then write the message.',
            id="the likelier reading as the example",
        ),
        pytest.param(
            "555-1234 hello",
            "“555-1234” is not a complete phone number. Add the area code, or start with + and the country code.",
            id="the number alone",
        ),
        pytest.param(
            "+1 555-123-4567 x12 hello",
            "Texts cannot reach an extension. Use the direct number, without “x12”.",
            id="the extension alone",
        ),
    ],
)
def test_words(typed, words):
    """The words say exactly what is wrong and what to do."""
    with pytest.raises(CommandProblem) as refused:
        parse_text_command(typed, region="US")
    assert refused.value.words == words


def test_the_advice_works():
    """Who follows the advice about an ambiguous number is understood."""
    with pytest.raises(CommandProblem) as refused:
        parse_text_command("+49 30 123456 10 Uhr passt", region="US")
    quoted = re.search('".*"', refused.value.words)
    assert parse_text_command(f"{quoted[0]} 10 Uhr passt", region="US") == TextCommand(BERLIN, "10 Uhr passt")


def test_problem_is_safe_to_log():
    """What was typed is personal, so the exception's own message leaves it out."""
    with pytest.raises(CommandProblem) as refused:
        parse_text_command("555-1234 hello", region="US")
    assert str(refused.value) == "impossible_number"


def test_mobiles_of_the_world():
    """A mobile number of any country can be typed as we show it, without quotes."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number:
            phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert parse_text_command(f"{pretty(phone)} hello", region="US") == TextCommand(phone, "hello")


NUMBER_PIECES = "+1 +49 +39 30 312 0 555 123 4567 123456 - . 10 2 1 011 hi ( )".split()  # noqa: SIM905  it reads better
PIECES = (  # noqa: SIM905  it reads better
    "+1 +49 30 0 555 123 4567 123456 (555) 555-123-4567 +15551234567 +4930123456 10 2 x12 911 1 011 hi "
    '" “ ” , ; : - + / ( ) < > | @ # ! . & &amp; a@b.example <tel:+15551234567|Jane> <tel: <mailto:a@b.example> '
    "<@U1> :wave: \u202a \x00 \u3000"
).split(" ")


@settings(deadline=None)  # a slow machine is no failure
@given(
    st.text()
    | st.lists(st.sampled_from(PIECES), max_size=9).flatmap(lambda x: st.sampled_from(["".join(x), " ".join(x)]))
)
def test_nothing_surprises_it(typed):
    """Any string is understood, or refused in words; whom it texts is always an address."""
    try:
        read = parse_text_command(typed, region="US")
    except CommandProblem:
        return
    assert (
        isinstance(read, Help | Report | Named)
        or read == Compose(None)
        or re.fullmatch(r"\+[1-9]\d{5,14}|[^@\sA-Z]+@[^@\sA-Z]+", read.address)
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from(NUMBER_PIECES), max_size=8), st.sampled_from(["US", "DE"]))
def test_no_digit_is_made_up(words, region):
    """The digits of a number are those in front of the message, in their order; only the region's code is added."""
    typed = " ".join(words)
    try:
        read = parse_text_command(typed, region=region)
    except CommandProblem:
        return
    if isinstance(read, TextCommand):
        in_front = typed.removesuffix(read.body)
        digits = iter({"US": "1", "DE": "49"}[region] + re.sub(r"\D", "", in_front))
        assert in_front != typed
        assert all(digit in digits for digit in read.address.removeprefix("+"))
