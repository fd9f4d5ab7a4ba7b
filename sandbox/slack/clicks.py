"""Buttons pressed and menus chosen from: `block_actions`. Source: docs.slack.dev/reference/interaction-payloads."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.commands import Shown
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.ids import new_trigger_id
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import Block, Conversation, Message, Person
from sandbox.slack.response_urls import ResponseURLs
from sandbox.slack.text import shortcodes_to_emoji, unescape
from sandbox.slack.wire import message_json, name_for_app
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

#: Element type to the key under which a payload has what was chosen. Buttons have `value`, and no state.
VALUE_KEY = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
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
}
STATELESS = {"button", "overflow"}

#: What of an element's own description comes back with the action.
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


class Clicks:
    """Click on people's behalf."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        deliveries: Deliveries,
        response_urls: ResponseURLs,
    ) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._deliveries = deliveries
        self._response_urls = response_urls
        self._chosen: dict[tuple[str, str], JSON] = {}  # (message, person) to `state.values` as she left them

    async def click(
        self, person: Person, conversation: Conversation, message: Message, what: str, *, choice: Any = None
    ) -> Shown:
        """
        Use the element of *message* that reads *what* or has it as `action_id`; *choice* is what is chosen in it.

        An option may be named by its text instead of its menu. Nothing is shown but a failure. Raises ValueError for
        what is not there.
        """
        if not self._manifest.interactivity:
            raise ValueError("interactivity is off in the manifest")
        block_id, element, choice = self._find(message, what, choice)
        action = self._action(block_id, element, choice)
        if element["type"] not in STATELESS:
            key = VALUE_KEY[element["type"]]
            kept = self._chosen.setdefault((message.ts, person.id), {})
            kept.setdefault(block_id, {})[element["action_id"]] = {"type": element["type"], key: action[key]}
        answer = await self._deliveries.ask("interactive", self._payload(person, conversation, message, action))
        return Shown(error=str(answer.failure) if answer.failure else None)

    def _find(self, message: Message, what: str, choice: Any) -> tuple[str, JSON, Any]:
        for block_id, element in interactive(message.blocks):
            if what == element.get("action_id") or what == _reads(element.get("text")):
                return block_id, element, choice
            if any(what == _reads(option.get("text")) for option in options(element)):
                return block_id, element, what
        raise ValueError(f"nothing to click reads {what}")

    def _action(self, block_id: str, element: JSON, choice: Any) -> JSON:
        kind = element["type"]
        action: JSON = {
            "type": kind,
            "action_id": element["action_id"],
            "block_id": block_id,
            "action_ts": self._workspace.timestamps.next(),
        }
        if kind == "button":
            return action | {key: element[key] for key in ("text", "value", "url", "style") if key in element}
        key = VALUE_KEY[kind]
        if key == "selected_option":
            action[key] = None if choice is None else _option(element, choice)
        elif key == "selected_options":
            chosen = choice if isinstance(choice, list) else [choice]
            action[key] = [_option(element, one) for one in chosen if one is not None]
        else:
            action[key] = choice
        return action | {name: element[name] for name in ECHOED if name in element}

    def _payload(self, person: Person, conversation: Conversation, message: Message, action: JSON) -> JSON:
        workspace = self._workspace
        ephemeral = message.ephemeral_to is not None
        container: JSON = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": conversation.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        response_url = self._response_urls.make("actions", conversation, person.id, original=message)
        payload: JSON = {
            "type": "block_actions",
            "user": {
                "id": person.id,
                "username": person.handle,
                "name": person.handle,
                "team_id": workspace.team.id,
            },
            "api_app_id": workspace.app.id,
            "token": "sandbox",
            "container": container,
            "trigger_id": new_trigger_id(workspace.clock.now()),
            "team": {"id": workspace.team.id, "domain": workspace.team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": conversation.id, "name": name_for_app(conversation)},
            "state": {"values": self._state(message, person)},
            "response_url": response_url,
            "actions": [action],
        }
        if not ephemeral:
            payload["message"] = message_json(message, workspace, all_metadata=True)
        return payload

    def _state(self, message: Message, person: Person) -> JSON:
        """Every element that holds a choice, clicked or not."""
        chosen = self._chosen.get((message.ts, person.id), {})
        values: JSON = {}
        for block_id, element in interactive(message.blocks):
            if element["type"] not in STATELESS:
                key = VALUE_KEY[element["type"]]
                unset = {"type": element["type"], key: element.get(key.replace("selected", "initial"))}
                value = chosen.get(block_id, {}).get(element["action_id"], unset)
                values.setdefault(block_id, {})[element["action_id"]] = value
        return values


def interactive(blocks: list[Block]) -> Iterator[tuple[str, JSON]]:
    """Yield each element that can be used, with the id of its block."""
    for block in blocks:
        elements = [block.get("accessory"), block.get("element"), *block.get("elements", [])]
        for element in elements:
            if element and (element.get("type") in VALUE_KEY or element.get("type") == "button"):
                yield block["block_id"], element


def options(element: JSON) -> list[JSON]:
    grouped = [option for group in element.get("option_groups", []) for option in group.get("options", [])]
    return [*element.get("options", []), *grouped]


def _option(element: JSON, choice: Any) -> JSON:
    """Find an option by its value or by what it reads."""
    for option in options(element):
        if choice in {option.get("value"), _reads(option.get("text"))}:
            return option
    raise ValueError(f"there is no option {choice}")


def _reads(text: JSON | None) -> str:
    return shortcodes_to_emoji(unescape(text.get("text", ""))) if text else ""
