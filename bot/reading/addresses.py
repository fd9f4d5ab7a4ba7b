"""
Read where a person is texted, in the many ways people write it, and write it the one way we keep it.

Numbers are refused for being impossible, never for being unassigned: `+15551234567` has a possible length, though no
phone has it, and the list of what is assigned is always older than the newest phone.
"""

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_emergency_number,
    is_possible_number_with_reason,
    is_valid_number,
    is_valid_short_number_for_region,
    national_significant_number,
    number_type,
    parse,
    region_code_for_country_code,
)

from bot.reading.slack_text import unescape
from bot.texting.model import Address

#: Why something cannot be texted, and what the person is told. Plain text: escape it before it meets Slack's markup.
WORDS = MappingProxyType(
    {
        "impossible_number": (
            "“{typed}” is not a complete phone number. Add the area code, or start with + and the country code."
        ),
        "number_too_long": "“{typed}” has too many digits for a phone number. Check it and try again.",
        "unknown_country": "No country has the code that “{typed}” starts with. Check the digits after the +.",
        "letters_in_number": "“{typed}” has letters in it. Write the number in digits only.",
        "extension": "Texts cannot reach an extension. Use the direct number, without “{extension}”.",
        "short_code": "“{typed}” is a short code, and texts only go to people. Use a full phone number.",
        "emergency_number": (
            "Texts from here do not reach emergency services. If someone is in danger, call from a phone now."
        ),
        "several_people": "“{typed}” is more than one person. Text one person at a time.",
        "not_an_email": "“{typed}” is not a complete email address. Check it and try again.",
        "not_an_address": "“{typed}” is not a phone number or an email address.",
    }
)

#: Emergency services, wherever the phone is: GSM networks put these through (3GPP TS 22.101, 10.1).
_EMERGENCY_EVERYWHERE = frozenset({"112", "911", "000", "110", "118", "119", "999"})
#: Numbers whose reading is remembered: a team texts the same people again and again.
_REMEMBERED = 4096

_LONGEST_E164 = 15  # digits, with the country code

#: The shape of an address as we keep one, which is all that is asked of one that comes back from a button.
_SPELLED_OUT = re.compile(r"\+\d{1,20}|[^\s@]+@[^\s@]+", re.ASCII)
_LONGEST_EMAIL = 254
_LONGEST_LOCAL_PART = 64
_SHORT_CODE = range(5, 7)  # digits. Shorter ones are known by region; longer ones are numbers with some missing
_LONGEST_SHOWN = 40  # characters of what they typed that a sentence can carry
_FEWEST_DIGITS = 3  # of anything that is worth being called a number
_LONGEST_LOCAL = 8  # digits of a number as dialled within one city
_WHOLE_NUMBER = 7  # digits from which a part of "A, B" is a number of its own

_NARROW = {"＋": "+", "−": "-", "／": "/", "．": ".", "＠": "@", "（": "(", "）": ")"}
_SLACK_LINK = re.compile(r"<([^<>|]+)(?:\|[^<>]*)?>")
_URI = re.compile(r"(?:tel|mailto):([^?]+).*", re.IGNORECASE | re.DOTALL)
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
)
_NUMBER = re.compile(r"\(?\+?[\d\s().\-/]+")
_EXTENSION = re.compile(
    r"(?<=[\d)])\s*(?P<extension>(?:;\s*ext|extension|extn?|x|#|[,;]+)[\s.:=]*\d+)\D*", re.IGNORECASE
)
_BETWEEN_PEOPLE = re.compile(r"[,;&/\n]|(?<=\s)and(?=\s)|(?<=\S)\s*(?=\+)", re.IGNORECASE)


class AddressProblem(Exception):
    """Nobody can be texted there."""

    def __init__(self, code: str, typed: str, *, extension: str = "") -> None:
        """*code* is a key of `WORDS`. *typed* is personal data: it is in `words`, and not in the log's message."""
        super().__init__(code)
        self.code = code
        self.words = WORDS[code].format(typed=excerpt(typed), extension=extension)


@lru_cache(_REMEMBERED)
def read_address(typed: str, *, region: str) -> Address:
    """
    The address that *typed* writes: a phone number or an email address, as Slack sends it or as it was pasted.

    *region* (`US`) says how to read a number without a country code. Raises AddressProblem.
    """
    text = tidy(typed)
    link = _SLACK_LINK.fullmatch(text)
    uri = _URI.fullmatch(link[1] if link else text)
    text = unescape(unquote(uri[1]).strip() if uri else text)
    if "@" in text:
        return _read_email(text)
    if _several_numbers(text):
        raise AddressProblem("several_people", text)
    if (found := _EXTENSION.search(text)) and found.end() == len(text):
        raise AddressProblem("extension", text, extension=found["extension"])
    if not _NUMBER.fullmatch(text):
        lettered = looks_like_number(text) and any(char.isalpha() for char in text)
        raise AddressProblem("letters_in_number" if lettered else "not_an_address", text)
    return _read_number(text, region)


@lru_cache(_REMEMBERED)
def is_spelled_out(value: str) -> bool:
    """Say whether *value* has the shape of an address as we keep one: E.164, or an email address."""
    return bool(_SPELLED_OUT.fullmatch(value)) and value.isprintable() and len(value) <= _LONGEST_EMAIL


def pretty(address: Address) -> str:
    """*address* as people like to read it: `+1 555-123-4567`. An email address is as it is."""
    if "@" in address:
        return address
    try:
        return format_number(parse(address, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return address  # short codes cannot be texted, but they do text us


@lru_cache(_REMEMBERED)
def is_assigned(phone: Address) -> bool:
    """Whether *phone* fits its country's numbering plan, as far as we know it."""
    return bool(is_valid_number(parse(phone, None)))


def is_spaced_as_usual(typed: str, phone: Address) -> bool:
    """Whether *typed* groups the digits of *phone* just as its country does, with or without the country code."""
    number = parse(phone, None)
    usual = (format_number(number, form) for form in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL))
    return _groups(typed) in map(_groups, usual)


def looks_like_number(text: str) -> bool:
    """Whether someone who wrote *text* meant a phone number, right or wrong."""
    start = tidy(text).lstrip("(")
    digits = count_digits(start)
    return digits >= (1 if start.startswith("+") else _FEWEST_DIGITS) and start[:1] in "+0123456789"


def tidy(typed: str) -> str:
    """*typed* in plain digits, dashes and spaces, without the invisible characters that come with copy and paste."""
    return "".join(map(_tidied, typed)).strip()


def count_digits(text: str) -> int:
    """How many digits *text* has, in any script."""
    return sum(char.isdecimal() for char in text)


def excerpt(typed: str) -> str:
    """As much of *typed* as a sentence can carry."""
    line = " ".join(typed.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1].rstrip() + "…"


def _groups(typed: str) -> list[str]:
    return re.findall(r"\d+", tidy(typed))


def _tidied(char: str) -> str:
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Pd":
            return "-"
        case "Zs":
            return " "
        case "Cf" | "Cs":
            return ""
        case "Cc":
            return char if char.isspace() else ""
    return _NARROW.get(char, char)


def _read_email(text: str) -> Address:
    email = text.strip("<>").lower()  # `<jane@x.example>`, as mail programs copy it
    if len(email) <= _LONGEST_EMAIL and email.index("@") <= _LONGEST_LOCAL_PART and _EMAIL.fullmatch(email):
        return Address(email)
    several = sum("@" in part for part in re.split(r"[\s,;&]+", email)) > 1
    raise AddressProblem("several_people" if several else "not_an_email", text)


def _several_numbers(text: str) -> bool:
    return sum(count_digits(part) >= _WHOLE_NUMBER for part in _BETWEEN_PEOPLE.split(text)) > 1


def _read_number(text: str, region: str) -> Address:
    """*text* is digits and what people put between them."""
    digits = "".join(char for char in text if char.isdecimal())
    if not digits:
        raise AddressProblem("not_an_address", text)
    try:
        number = parse(f"+{digits}" if "+" in text else digits, region)
    except NumberParseException as problem:
        raise AddressProblem(_unreadable(problem, digits), text) from None
    if _is_emergency(number, digits, region):
        raise AddressProblem("emergency_number", text)
    if "+" not in text and _is_short_code(number, digits, region):
        raise AddressProblem("short_code", text)
    length = is_possible_number_with_reason(number)
    phone = Address(format_number(number, PhoneNumberFormat.E164))
    if length == ValidationResult.TOO_LONG or len(phone) - len("+") > _LONGEST_E164:
        raise AddressProblem("number_too_long", text)
    local = "+" not in text and _may_be_local(number, digits, region)
    if local or length != ValidationResult.IS_POSSIBLE:
        raise AddressProblem("impossible_number", text)
    return phone


def _unreadable(problem: NumberParseException, digits: str) -> str:
    if digits in _EMERGENCY_EVERYWHERE:
        return "emergency_number"
    return {
        NumberParseException.INVALID_COUNTRY_CODE: "unknown_country",
        NumberParseException.TOO_LONG: "number_too_long",
    }.get(problem.error_type, "impossible_number")


def _is_emergency(number: PhoneNumber, digits: str, region: str) -> bool:
    """Whether it is one as dialled here, or with any country code put in front (`+1911`)."""
    national = national_significant_number(number)
    there = region_code_for_country_code(number.country_code or 0)
    return (
        not _EMERGENCY_EVERYWHERE.isdisjoint({digits, national})
        or is_emergency_number(digits, region)
        or is_emergency_number(national, there)
    )


def _is_short_code(number: PhoneNumber, digits: str, region: str) -> bool:
    """Whether it is one in *region*, going by its plan, or else by its length."""
    if national_significant_number(number) != digits:
        return False  # a trunk or country code was typed: it is meant as a full number
    if is_valid_number(number):
        return False  # small countries have numbers as short as this
    return is_valid_short_number_for_region(number, region) or len(digits) in _SHORT_CODE


def _may_be_local(number: PhoneNumber, digits: str, region: str) -> bool:
    """
    Whether the area code may be missing.

    Where every number is as long as any other, a missing area code shows in the length. Where they vary, as in
    Germany, `123456` could be a phone in each town, and only the trunk prefix (`030 123456`) shows that it is complete.
    """
    plan = PhoneMetadata.metadata_for_region(region)
    return (
        plan is not None
        and plan.general_desc is not None
        and plan.national_prefix is not None
        and len(plan.general_desc.possible_length) > 1
        and national_significant_number(number) == digits
        and len(digits) <= _LONGEST_LOCAL
        and number_type(number) != PhoneNumberType.MOBILE  # those have no area
    )
