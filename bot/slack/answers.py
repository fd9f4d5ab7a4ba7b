"""What Slack answers, read with care: a part that is missing, or is something else, reads as an empty one."""

from collections.abc import Mapping
from typing import Any


def object_in(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def list_in(of: Mapping[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    return value if isinstance(value, list) else []


def objects_in(of: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in list_in(of, name) if isinstance(one, dict)]


def text_in(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""
