"""The ways people write where to text someone."""

import phonenumbers
import pytest

from bot.reading.addresses import (
    WORDS,
    AddressProblem,
    excerpt,
    is_assigned,
    is_spaced_as_usual,
    looks_like_number,
    pretty,
    read_address,
)

JANE = "+15551234567"
BERLIN = "+4930123456"

READ = [
    pytest.param("+15551234567", "US", JANE, id="as we keep it"),
    pytest.param("+1 (555) 123-4567", "US", JANE, id="with brackets"),
    pytest.param("(+1) 555 123 4567", "US", JANE, id="the country in brackets"),
    pytest.param("+ 1 555 123 4567", "US", JANE, id="a space after the plus"),
    pytest.param("555-123-4567", "US", JANE, id="without the country"),
    pytest.param("(555) 123-4567", "US", JANE, id="the area in brackets"),
    pytest.param("555.123.4567", "US", JANE, id="with dots"),
    pytest.param("5551234567", "US", JANE, id="digits only"),
    pytest.param("1 555 123 4567", "US", JANE, id="with the trunk prefix of America"),
    pytest.param("  +15551234567\n", "US", JANE, id="blank space around"),
    pytest.param("<tel:+15551234567|+1 555-123-4567>", "US", JANE, id="linked by Slack"),
    pytest.param("<tel:+15551234567|555-123-4567>", "DE", JANE, id="the link's target outranks its label"),
    pytest.param("<tel:+15551234567>", "US", JANE, id="linked without a label"),
    pytest.param("tel:+1-555-123-4567", "US", JANE, id="a tel URI"),
    pytest.param("TEL:%2B15551234567", "US", JANE, id="a percent-encoded tel URI"),
    pytest.param("+1\xa0555\xa0123\xa04567", "US", JANE, id="no-break spaces"),
    pytest.param("+1 555–123—4567", "US", JANE, id="en and em dashes"),
    pytest.param("+1 555\u2011123\u22124567", "US", JANE, id="a no-break hyphen and a minus"),
    pytest.param("\u202a+1 555-123-4567\u202c", "US", JANE, id="direction marks from a contact card"),
    pytest.param("+1\u2060555\u200b123\ufeff4567", "US", JANE, id="invisible characters inside"),
    pytest.param("＋１５５５１２３４５６７", "US", JANE, id="full-width characters"),
    pytest.param("٠٣٠١٢٣٤٥٦", "DE", BERLIN, id="Arabic digits"),
    pytest.param("+४९ ३० १२३४५६", "DE", BERLIN, id="Devanagari digits"),
    pytest.param("030 123456", "DE", BERLIN, id="with the trunk prefix of Germany"),
    pytest.param("030/123456", "DE", BERLIN, id="a slash after the area"),
    pytest.param("+49 (0)30 123456", "US", BERLIN, id="a trunk prefix that is not dialled"),
    pytest.param("0049 30 123456", "DE", BERLIN, id="00 where it means plus"),
    pytest.param("011 49 30 123456", "US", BERLIN, id="011 where it means plus"),
    pytest.param("170 1234567", "DE", "+491701234567", id="a German mobile without its zero is long enough"),
    pytest.param("71 123 456", "LB", "+96171123456", id="a short mobile without its zero has no area to miss"),
    pytest.param("98765 43210", "IN", "+919876543210", id="an Indian mobile"),
    pytest.param("+39 06 12345678", "US", "+390612345678", id="Italy keeps its zero"),
    pytest.param("202955", "FO", "+298202955", id="small islands have short numbers"),
    pytest.param("+80012345678", "US", "+80012345678", id="a number of no country"),
    pytest.param("jane@x.example", "US", "jane@x.example", id="an email address"),
    pytest.param("Jane.Doe+ID@Mail.X.Example", "US", "jane.doe+id@mail.x.example", id="in lower case"),
    pytest.param("<mailto:jane@x.example|jane@x.example>", "US", "jane@x.example", id="an email link"),
    pytest.param("mailto:jane@x.example?subject=Hi", "US", "jane@x.example", id="a mailto URI with a subject"),
    pytest.param("&lt;jane@x.example&gt;", "US", "jane@x.example", id="as mail programs copy it"),
    pytest.param("a&amp;b@x.example", "US", "a&b@x.example", id="an escaped ampersand in it"),
    pytest.param("jane@xn--bcher-kva.example", "US", "jane@xn--bcher-kva.example", id="an encoded domain"),
]

REFUSED = [
    pytest.param("555-1234", "US", "impossible_number", id="no area code"),
    pytest.param("+1555123", "US", "impossible_number", id="digits missing"),
    pytest.param("+1", "US", "impossible_number", id="only a country code"),
    pytest.param("0", "US", "impossible_number", id="only a zero"),
    pytest.param("12345678", "DE", "impossible_number", id="could be a phone in any town"),
    pytest.param("12.10.2024", "DE", "impossible_number", id="a date"),
    pytest.param("+155512345678", "US", "number_too_long", id="a digit too many"),
    pytest.param("0049 30 123456", "US", "number_too_long", id="00 where it does not mean plus"),
    pytest.param("+49 30 123456789012", "DE", "number_too_long", id="longer than any network takes"),
    pytest.param("1" * 300, "US", "number_too_long", id="absurdly long"),
    pytest.param("+999 1234567", "US", "unknown_country", id="a country code of no country"),
    pytest.param("+0 555 1234567", "US", "unknown_country", id="a country code that starts with zero"),
    pytest.param("911", "US", "emergency_number", id="911"),
    pytest.param("9-1-1", "US", "emergency_number", id="911 with dashes"),
    pytest.param("+1911", "US", "emergency_number", id="911 with a country code"),
    pytest.param("0111911", "US", "emergency_number", id="911 dialled from abroad"),
    pytest.param("112", "US", "emergency_number", id="112 anywhere"),
    pytest.param("+112", "DE", "emergency_number", id="112 with a plus"),
    pytest.param("+49112", "US", "emergency_number", id="112 with a country code"),
    pytest.param("+999", "US", "emergency_number", id="999 with a plus"),
    pytest.param("999", "US", "emergency_number", id="999 anywhere"),
    pytest.param("15", "FR", "emergency_number", id="an emergency number of the region"),
    pytest.param("+33 15", "US", "emergency_number", id="an emergency number of another country"),
    pytest.param("12345", "US", "short_code", id="a short code by its length"),
    pytest.param("262966", "US", "short_code", id="a short code with six digits"),
    pytest.param("411", "US", "short_code", id="a service number"),
    pytest.param("22922", "DE", "short_code", id="a short code where numbers can be as short"),
    pytest.param("+1 555 123 4567 x123", "US", "extension", id="x"),
    pytest.param("555-123-4567x123", "US", "extension", id="x without a space"),
    pytest.param("555-123-4567 ext. 123", "US", "extension", id="ext"),
    pytest.param("555-123-4567 Extension: 123", "US", "extension", id="extension"),
    pytest.param("555-123-4567 #123", "US", "extension", id="a hash"),
    pytest.param("+15551234567,,123", "US", "extension", id="dialling pauses"),
    pytest.param("<tel:+15551234567;ext=123|call>", "US", "extension", id="in a tel URI"),
    pytest.param("1-800-FLOWERS", "US", "letters_in_number", id="a word to dial"),
    pytest.param("+1 800 FLOWERS", "US", "letters_in_number", id="a word after a plus"),
    pytest.param("+15551234567, +15557654321", "US", "several_people", id="two numbers"),
    pytest.param("555-123-4567 and 555-765-4321", "US", "several_people", id="two numbers with and"),
    pytest.param("+15551234567+15557654321", "US", "several_people", id="two numbers without a space"),
    pytest.param("a@x.example, b@x.example", "US", "several_people", id="two email addresses"),
    pytest.param("jane@", "US", "not_an_email", id="no domain"),
    pytest.param("jane@localhost", "US", "not_an_email", id="a domain without a dot"),
    pytest.param("@x.example", "US", "not_an_email", id="no name"),
    pytest.param("ja ne@x.example", "US", "not_an_email", id="a space inside"),
    pytest.param("jane..doe@x.example", "US", "not_an_email", id="two dots in a row"),
    pytest.param("j@-x.example", "US", "not_an_email", id="a domain that starts with a dash"),
    pytest.param("j" * 65 + "@x.example", "US", "not_an_email", id="a name over 64 characters"),
    pytest.param("j@" + "x." * 130 + "example", "US", "not_an_email", id="over 254 characters"),
    pytest.param("jane", "US", "not_an_address", id="a name"),
    pytest.param("", "US", "not_an_address", id="nothing"),
    pytest.param("(-)", "US", "not_an_address", id="punctuation"),
    pytest.param("*31#", "US", "not_an_address", id="a code for the phone"),
    pytest.param("555²1234567", "US", "not_an_address", id="a raised digit is no digit"),
]


@pytest.mark.parametrize(("typed", "region", "address"), READ)
def test_read_address(typed, region, address):
    """However it is written, the same person has the same address."""
    assert read_address(typed, region=region) == address


@pytest.mark.parametrize(("typed", "region", "code"), REFUSED)
def test_refused(typed, region, code):
    """What cannot be texted is refused for its own reason."""
    with pytest.raises(AddressProblem) as refused:
        read_address(typed, region=region)
    assert refused.value.code == code


def test_every_reason_is_met():
    """There are words for each reason above and for no other."""
    assert {param.values[2] for param in REFUSED} == set(WORDS)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param(
            "555-1234",
            "“555-1234” is not a complete phone number. Add the area code, or start with + and the country code.",
            id="what is wrong and what to do",
        ),
        pytest.param(
            "555-123-4567 ext. 12",
            "Texts cannot reach an extension. Use the direct number, without “ext. 12”.",
            id="which part has to go",
        ),
        pytest.param("{}@", "“{}@” is not a complete email address. Check it and try again.", id="braces are letters"),
    ],
)
def test_words(typed, words):
    """The words quote what was typed and say what to do."""
    with pytest.raises(AddressProblem) as refused:
        read_address(typed, region="US")
    assert refused.value.words == words


def test_problem_is_safe_to_log():
    """What was typed is personal, so the exception's own message leaves it out."""
    with pytest.raises(AddressProblem) as refused:
        read_address("555-1234", region="US")
    assert str(refused.value) == "impossible_number"


def test_long_words_are_cut():
    """A sentence quotes no more than it can carry."""
    assert excerpt("a  b\n" + "c" * 100) == "a b " + "c" * 35 + "…"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        pytest.param(JANE, "+1 555-123-4567", id="a number nobody has yet"),
        pytest.param("+442079460958", "+44 20 7946 0958", id="as its country groups it"),
        pytest.param("jane@x.example", "jane@x.example", id="an email address as it is"),
        pytest.param("262966", "262966", id="a short code that texted us"),
    ],
)
def test_pretty(address, shown):
    """An address is shown the way people write it."""
    assert pretty(address) == shown


def test_what_we_show_can_be_typed():
    """A mobile number of any country can be typed the way we show it."""
    examples = (
        phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        for region in phonenumbers.SUPPORTED_REGIONS
    )
    phones = {phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in examples if number}
    assert len(phones) > 200
    assert {read_address(pretty(phone), region="US") for phone in phones} == phones


def test_is_assigned():
    """An example number is possible, a real one is also in its country's plan."""
    assert [is_assigned(JANE), is_assigned(BERLIN)] == [False, True]


@pytest.mark.parametrize(
    ("typed", "usual"),
    [
        pytest.param("+49 170 1234567", True, id="international"),
        pytest.param("0170 1234567", True, id="national"),
        pytest.param("+49 170 123 4567", False, id="otherwise"),
    ],
)
def test_is_spaced_as_usual(typed, usual):
    """Spacing counts as usual if it is the country's own."""
    assert is_spaced_as_usual(typed, "+491701234567") is usual


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("+1", True, id="a plus and a digit"),
        pytest.param("(555", True, id="brackets and digits"),
        pytest.param("1-800-FLOWERS", True, id="digits and letters"),
        pytest.param("2nd", False, id="an ordinal"),
        pytest.param("jane2000", False, id="a name with digits"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_looks_like_number(text, meant):
    """What starts like a number was meant as one."""
    assert looks_like_number(text) is meant
