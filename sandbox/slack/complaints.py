"""
What a client says under a field before it sends anything.

Only the words for a required field are Slack's own, as far as they are known; the others are ours.
Source: docs.slack.dev/reference/block-kit/block-elements.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.slack.fields import elements

JSON = dict[str, Any]

REQUIRED = "Please complete this required field."
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
URL = re.compile(r"https?://[^\s]+")


def complaints(blocks: list[JSON], value_of: Callable[[str, JSON], Any]) -> dict[str, str]:
    """Return the words under each input block, by `block_id`. *value_of* tells what an element of a block holds."""
    found = {}
    for block, element in elements(blocks):
        if block["type"] == "input":
            words = _complaint(block, element, value_of(block["block_id"], element))
            if words:
                found[block["block_id"]] = words
    return found


def _complaint(block: JSON, element: JSON, value: Any) -> str:
    if value in (None, "", []) or (isinstance(value, str) and not value.strip()):
        return "" if block.get("optional") else REQUIRED
    check = CHECKS.get(element["type"])
    return check(element, value) if check else ""


def _text(element: JSON, value: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"Please use at least {least} characters."
    return f"Please use at most {most} characters." if len(value) > most else ""


def _email(_element: JSON, value: str) -> str:
    return "" if EMAIL.fullmatch(value) else "Please enter a valid email address."


def _url(_element: JSON, value: str) -> str:
    return "" if URL.fullmatch(value) else "Please enter a valid URL."


def _number(element: JSON, value: str) -> str:
    number = _decimal(value)
    if number is None:
        return "Please enter a valid number."
    if number % 1 and not element.get("is_decimal_allowed"):
        return "Please enter a whole number."
    least, most = _decimal(element.get("min_value")), _decimal(element.get("max_value"))
    if least is not None and number < least:
        return f"Please enter a number of at least {element['min_value']}."
    return f"Please enter a number of at most {element['max_value']}." if most is not None and number > most else ""


def _decimal(text: Any) -> Decimal | None:
    try:
        number = Decimal(str(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


CHECKS: dict[str, Callable[[JSON, Any], str]] = {
    "plain_text_input": _text,
    "email_text_input": _email,
    "url_text_input": _url,
    "number_input": _number,
}
