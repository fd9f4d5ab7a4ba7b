"""Describing a phone with JSON, checked field by field."""

from typing import Any

from sandbox.blooio.model import Phone

_SWITCH, _SECONDS, _NOTHING = (bool,), (int, float), (type(None),)

#: What can be said of a phone, and the types that it may have.
PROFILE: dict[str, tuple[type, ...]] = {
    "name": (str, *_NOTHING),
    "imessage": _SWITCH,
    "rcs": _SWITCH,
    "sms": _SWITCH,
    "sent_after": _SECONDS,
    "delivered_after": _SECONDS,
    "receipts": _SWITCH,
    "read_after": (*_SECONDS, *_NOTHING),
    "sms_delivers": _SWITCH,
    "unreachable": _SWITCH,
    "stuck": _SWITCH,
    "refuses": _SWITCH,
    "fails_with": (str, *_NOTHING),
    "pending_first": _SWITCH,
    "claims": (dict,),
    "typing": _SWITCH,
}


def describe(phone: Phone, changes: dict[str, Any]) -> None:
    """Change *phone* as told; raises ValueError, and changes nothing, when a field or its value is wrong."""
    for name, value in changes.items():
        allowed = PROFILE.get(name)
        if allowed is None:
            raise ValueError(f"a phone has no {name!r}; it has {', '.join(PROFILE)}")
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ValueError(f"{name} cannot be {value!r}")
    for name, value in changes.items():
        setattr(phone, name, value)
