"""The elements that people use: which keep a value, under which key, and what is in them from the start."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.model import Block
from sandbox.slack.text import shortcodes_to_emoji, unescape

JSON = dict[str, Any]

#: Element type to the key under which a payload has what was entered. Buttons have `value`, and no state.
VALUE_KEY = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
}
STATELESS = {"button", "overflow"}
EXTERNAL = {"external_select", "multi_external_select"}

#: Keys whose value is a list, which is empty when nothing was chosen; all others are null then.
LISTS = {"selected_options", "selected_users", "selected_conversations", "selected_channels", "files"}

#: What of an element's own description comes back with an action.
ECHOED = (
    "placeholder",
    "initial_option",
    "initial_options",
    "initial_user",
    "initial_conversation",
    "initial_channel",
    "initial_date",
    "initial_time",
    "initial_date_time",
)


def interactive(blocks: list[Block]) -> Iterator[tuple[str, JSON]]:
    """Yield each element that can be used, with the id of its block."""
    for block, element in elements(blocks):
        yield block["block_id"], element


def stateful(blocks: list[Block]) -> Iterator[tuple[str, JSON]]:
    """Yield each element that keeps a value, with the id of its block."""
    return ((block_id, one) for block_id, one in interactive(blocks) if one["type"] not in STATELESS)


def elements(blocks: list[Block]) -> Iterator[tuple[Block, JSON]]:
    """Yield each element that can be used, with its block."""
    for block in blocks:
        for element in (block.get("accessory"), block.get("element"), *block.get("elements", [])):
            if element and (element.get("type") in VALUE_KEY or element.get("type") == "button"):
                yield block, element


def initial(element: JSON, *, here: str | None = None) -> JSON:
    """
    Write the state of an element that nobody has touched.

    *here*: the conversation a person looked at, for `default_to_current_conversation`.
    """
    key = VALUE_KEY[element["type"]]
    value = element.get("initial_value" if "value" in key else key.replace("selected", "initial"))
    if value is None and element.get("default_to_current_conversation"):
        value = [here] if here and key in LISTS else here
    return entered(element, value)


def entered(element: JSON, value: Any) -> JSON:
    """Write the state of an element that holds *value*, as `state.values` has it."""
    key = VALUE_KEY[element["type"]]
    if value in (None, ""):
        value = [] if key in LISTS else None
    written = {"type": element["type"], key: value}
    return written | ({"timezone": element["timezone"]} if element.get("timezone") else {})


def value_in(state: JSON) -> Any:
    """Return what an element holds, from its state."""
    return state[VALUE_KEY[state["type"]]]


def action(block_id: str, element: JSON, value: Any, *, action_ts: str) -> JSON:
    """Write one item of `actions`. *value*: what was chosen; of a button there is none."""
    written: JSON = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": action_ts,
    }
    if element["type"] == "button":
        return written | {key: element[key] for key in ("text", "value", "url", "style") if key in element}
    return written | entered(element, value) | {name: element[name] for name in ECHOED if name in element}


def options(element: JSON) -> list[JSON]:
    grouped = [option for group in element.get("option_groups", []) for option in group.get("options", [])]
    return [*element.get("options", []), *grouped]


def reads(text: JSON | None) -> str:
    """Return what a person reads of plain text."""
    return shortcodes_to_emoji(unescape(text.get("text", ""))) if text else ""
