"""The elements of Block Kit: their limits, and where each may stand. Source: docs.slack.dev/reference/block-kit."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.shapes import (
    Check,
    Problem,
    anything,
    by_type,
    exactly_one,
    flag,
    integer,
    listing,
    one_of,
    plain,
    shape,
    string,
    text_object,
)

IDENTIFIER = string(255)
WEB_ADDRESS = string(3000)
DATE = string(10, pattern=r"\d{4}-\d\d-\d\d")
TIME = string(5, pattern=r"([01]\d|2[0-3]):[0-5]\d")
TEN_DIGITS = integer(1_000_000_000, 9_999_999_999)

CONFIRM = shape(
    {"title": plain(100), "text": text_object(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
PLAIN_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75)})
RICH_OPTION = shape({"text": text_object(75), "value": string(150)}, {"description": text_object(75)})
LINKED_OPTION = shape({"text": plain(75)}, {"value": string(150), "description": plain(75), "url": WEB_ADDRESS})
OPTION_GROUP = shape({"label": plain(75), "options": listing(PLAIN_OPTION, most=100)})
OFFER = {"options": listing(PLAIN_OPTION, most=100), "option_groups": listing(OPTION_GROUP, most=100)}

COMMON: dict[str, Check] = {"action_id": IDENTIFIER, "confirm": CONFIRM, "focus_on_load": flag}
MENU: dict[str, Check] = COMMON | {"placeholder": plain(150)}
MULTI: dict[str, Check] = MENU | {"max_selected_items": integer(1, 100)}
TYPED: dict[str, Check] = {
    "action_id": IDENTIFIER,
    "focus_on_load": flag,
    "placeholder": plain(150),
    "dispatch_action_config": anything,
}
ONE = string(255)
SEVERAL = listing(ONE, most=100)


def offered(value: dict[str, Any], pointer: str) -> Iterator[Problem]:
    """What is chosen from the start must be among the options, word for word."""
    there = [*value.get("options", [])]
    for group in value.get("option_groups") or []:
        there += group.get("options", []) if isinstance(group, dict) else []
    chosen = [("initial_option", value.get("initial_option"))]
    chosen += [("initial_options", one) for one in value.get("initial_options") or []]
    for key, one in chosen:
        if one is not None and not any(_same(one, option) for option in there):
            yield Problem("must be one of the provided options", f"{pointer}/{key}")


def _same(one: Any, other: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return bool(one.get("value") == other.get("value") and _words(one) == _words(other))


def _words(option: dict[str, Any]) -> Any:
    text = option.get("text")
    return text.get("text") if isinstance(text, dict) else None


CONVERSATION_FILTER = shape(
    optional={
        "include": listing(one_of("im", "mpim", "private", "public"), most=4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    }
)
CONVERSATIONS: dict[str, Check] = {
    "default_to_current_conversation": flag,
    "response_url_enabled": flag,
    "filter": CONVERSATION_FILTER,
}

ELEMENTS: dict[str, Check] = {
    "button": shape(
        {"text": plain(75)},
        {
            "action_id": IDENTIFIER,
            "confirm": CONFIRM,
            "value": string(2000),
            "url": WEB_ADDRESS,
            "accessibility_label": string(75),
            "style": one_of("primary", "danger"),
        },
    ),
    "workflow_button": shape(
        {"text": plain(75), "workflow": anything},
        {"action_id": IDENTIFIER, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
    ),
    "icon_button": shape(
        {"icon": string(255), "text": plain(75)},
        {
            "action_id": IDENTIFIER,
            "value": string(2000),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": SEVERAL,
        },
    ),
    "feedback_buttons": shape({"positive_button": anything, "negative_button": anything}, {"action_id": IDENTIFIER}),
    "overflow": shape({"options": listing(LINKED_OPTION, most=5)}, {"action_id": IDENTIFIER, "confirm": CONFIRM}),
    "static_select": shape(
        None,
        MENU | OFFER | {"initial_option": PLAIN_OPTION},
        rules=(exactly_one("options", "option_groups"), offered),
    ),
    "multi_static_select": shape(
        None,
        MULTI | OFFER | {"initial_options": listing(PLAIN_OPTION, most=100)},
        rules=(exactly_one("options", "option_groups"), offered),
    ),
    "external_select": shape(None, MENU | {"min_query_length": integer(0, 3000), "initial_option": PLAIN_OPTION}),
    "multi_external_select": shape(
        None,
        MULTI | {"min_query_length": integer(0, 3000), "initial_options": listing(PLAIN_OPTION, most=100)},
    ),
    "users_select": shape(None, MENU | {"initial_user": ONE}),
    "multi_users_select": shape(None, MULTI | {"initial_users": SEVERAL}),
    "conversations_select": shape(None, MENU | CONVERSATIONS | {"initial_conversation": ONE}),
    "multi_conversations_select": shape(None, MULTI | CONVERSATIONS | {"initial_conversations": SEVERAL}),
    "channels_select": shape(None, MENU | {"initial_channel": ONE, "response_url_enabled": flag}),
    "multi_channels_select": shape(None, MULTI | {"initial_channels": SEVERAL}),
    "checkboxes": shape(
        {"options": listing(RICH_OPTION, most=10)},
        COMMON | {"initial_options": listing(RICH_OPTION, most=10)},
        rules=(offered,),
    ),
    "radio_buttons": shape(
        {"options": listing(RICH_OPTION, most=10)}, COMMON | {"initial_option": RICH_OPTION}, rules=(offered,)
    ),
    "datepicker": shape(None, MENU | {"initial_date": DATE}),
    "timepicker": shape(None, MENU | {"initial_time": TIME, "timezone": string(255)}),
    "datetimepicker": shape(None, COMMON | {"initial_date_time": TEN_DIGITS}),
    "plain_text_input": shape(
        None,
        TYPED
        | {
            "initial_value": string(3000, least=0),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
    ),
    "number_input": shape(
        {"is_decimal_allowed": flag},
        TYPED | {"initial_value": string(255), "min_value": string(255), "max_value": string(255)},
    ),
    "email_text_input": shape(None, TYPED | {"initial_value": string(3000)}),
    "url_text_input": shape(None, TYPED | {"initial_value": string(3000)}),
    "rich_text_input": shape({"action_id": IDENTIFIER}, TYPED | {"initial_value": anything}),
    "file_input": shape(
        None,
        {"action_id": IDENTIFIER, "filetypes": listing(string(255), most=100), "max_files": integer(1, 10)},
    ),
    "image": shape(
        {"alt_text": string(2000)},
        {"image_url": WEB_ADDRESS, "slack_file": anything},
        rules=(exactly_one("image_url", "slack_file"),),
    ),
}

ANYWHERE = frozenset({"message", "modal", "home"})
IN_VIEWS = frozenset({"modal", "home"})

SELECTS = ("static", "external", "users", "conversations", "channels")

#: Block to the elements that may stand in it, each with the surfaces where they may.
PLACES: dict[str, dict[str, frozenset[str]]] = {
    "section": {
        **dict.fromkeys(("button", "overflow", "checkboxes", "radio_buttons"), ANYWHERE),
        **dict.fromkeys(("datepicker", "timepicker", "image"), ANYWHERE),
        **{f"{kind}_select": ANYWHERE for kind in SELECTS},
        **{f"multi_{kind}_select": ANYWHERE for kind in SELECTS},
        "workflow_button": frozenset({"message"}),
    },
    "actions": {
        **dict.fromkeys(("button", "overflow", "checkboxes", "radio_buttons"), ANYWHERE),
        **dict.fromkeys(("datepicker", "timepicker"), ANYWHERE),
        **{f"{kind}_select": ANYWHERE for kind in SELECTS},
        "datetimepicker": frozenset({"message", "modal"}),
        "workflow_button": frozenset({"message"}),
    },
    "input": {
        **dict.fromkeys(("plain_text_input", "checkboxes", "radio_buttons"), ANYWHERE),
        **dict.fromkeys(("datepicker", "timepicker"), ANYWHERE),
        **{f"{kind}_select": ANYWHERE for kind in SELECTS},
        **{f"multi_{kind}_select": ANYWHERE for kind in SELECTS},
        "datetimepicker": frozenset({"message", "modal"}),
        "rich_text_input": IN_VIEWS,
        **dict.fromkeys(("number_input", "email_text_input", "url_text_input"), frozenset({"modal"})),
        "file_input": frozenset({"modal"}),
    },
    "context": {"image": ANYWHERE},
    "context_actions": dict.fromkeys(("feedback_buttons", "icon_button"), frozenset({"message"})),
}


def element_in(block: str, surface: str) -> Check:
    """Demand an element that may stand in this block on this surface."""
    return by_type({kind: ELEMENTS[kind] for kind, surfaces in PLACES[block].items() if surface in surfaces})


def context_part(surface: str) -> Check:
    """Demand what a context block takes: an image, or text."""
    texts = {kind: text_object(3000, kind) for kind in ("plain_text", "mrkdwn")}
    images = {kind: ELEMENTS[kind] for kind in PLACES["context"] if surface in PLACES["context"][kind]}
    return by_type(texts | images)
