"""What a person sees of a view: for the page and for tests."""

from typing import Any

from sandbox.slack.fields import elements, options, reads, value_in
from sandbox.slack.interactions import view_json
from sandbox.slack.menus import called, choices
from sandbox.slack.model import Person
from sandbox.slack.reading import Reader
from sandbox.slack.views import View, values
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


def modal_state(workspace: Workspace, viewer: Person, reader: Reader) -> JSON | None:
    """Write the topmost modal in front of a person, with how many lie one upon another; None without any."""
    stack = workspace.views.stack(viewer.id)
    return view_state(stack[-1], workspace, viewer, reader) | {"depth": len(stack)} if stack else None


def home_state(workspace: Workspace, viewer: Person, reader: Reader) -> JSON | None:
    """Write what the app has published on a person's Home tab; None if that is nothing."""
    home = workspace.views.home(viewer.id)
    return view_state(home, workspace, viewer, reader) if home else None


def view_state(view: View, workspace: Workspace, viewer: Person, reader: Reader) -> JSON:
    """Write a view both raw and as it is read."""
    content = view.content
    return {
        "id": view.id,
        "title": reads(content["title"]),
        "submit": reads(content["submit"]) or None,
        "close": reads(content["close"]) or "Cancel",
        "text": "\n".join(reader.blocks([block for block in view.blocks if block["type"] != "input"])),
        "fields": [
            _field(view, block, element, workspace, viewer)
            for block, element in elements(view.blocks)
            if (block["block_id"], element["action_id"]) in view.state
        ],
        "trouble": view.trouble,
        "submitting": view.submitting,
        "view": view_json(view, workspace, state=values(view)),
    }


def label_of(block: JSON, element: JSON) -> str:
    """Return what a person calls an element: its label, the text beside it, or what stands in it."""
    return reads(block.get("label") or element.get("text") or block.get("text") or element.get("placeholder"))


def _field(view: View, block: JSON, element: JSON, workspace: Workspace, viewer: Person) -> JSON:
    state = view.state[block["block_id"], element["action_id"]]
    return {
        "label": label_of(block, element),
        "type": element["type"],
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "is_input": block["type"] == "input",
        "optional": block.get("optional", False),
        "hint": reads(block.get("hint")),
        "placeholder": reads(element.get("placeholder")),
        "options": [reads(option.get("text")) for option in options(element)],
        "choices": choices(element, viewer, workspace),
        "value": _shown(element["type"], value_in(state), workspace, viewer),
        "error": view.errors.get(block["block_id"], ""),
    }


def _shown(kind: str, value: Any, workspace: Workspace, viewer: Person) -> Any:
    """Return what stands in a field: names for ids, texts for options; "" where there is nothing."""
    if value is None:
        return ""
    if isinstance(value, list):
        return [_shown(kind, one, workspace, viewer) for one in value]
    if isinstance(value, dict):
        return _named(kind, value)
    if "users_select" in kind:
        return workspace.people[value].name if value in workspace.people else value
    if "conversations_select" in kind or "channels_select" in kind:
        found = workspace.conversations.get(value)
        return called(found, workspace, viewer) if found else value
    return value


def _named(kind: str, value: JSON) -> str:
    """Return what is read of rich text, a file or an option."""
    if kind == "rich_text_input":
        return _plain(value)
    return str(value["name"]) if kind == "file_input" else reads(value["text"])


def _plain(rich_text: JSON) -> str:
    """Flatten rich text to its words."""
    if "text" in rich_text:
        return str(rich_text["text"])
    return "".join(_plain(one) for one in rich_text.get("elements", []))
