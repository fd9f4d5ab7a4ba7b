"""Buttons pressed and menus chosen from: `block_actions`. Source: docs.slack.dev/reference/interaction-payloads."""

from typing import Any

from sandbox.slack.commands import Shown
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.entering import Entering
from sandbox.slack.fields import STATELESS, action, entered, initial, interactive, options, reads, stateful
from sandbox.slack.interactions import in_message, interaction
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import Conversation, Message, Person
from sandbox.slack.response_urls import ResponseURLs
from sandbox.slack.suggestions import Offer, Suggestions
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


class Clicks:
    """Click on people's behalf."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        deliveries: Deliveries,
        response_urls: ResponseURLs,
        suggestions: Suggestions,
    ) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._deliveries = deliveries
        self._response_urls = response_urls
        self._suggestions = suggestions
        self._entering = Entering(workspace)
        self._chosen: dict[tuple[str, str], JSON] = {}  # (message, person) to `state.values` as she left them

    async def click(
        self,
        person: Person,
        conversation: Conversation,
        message: Message,
        what: str,
        *,
        choice: Any = None,
        block_id: str | None = None,
    ) -> Shown:
        """
        Use the element of *message* that reads *what* or has it as `action_id`; *choice* is what is chosen in it.

        With *block_id* only what is in that block.

        An option may be named by its text instead of its menu. Nothing is shown but a failure. Raises ValueError for
        what is not there.
        """
        if not self._manifest.interactivity:
            raise ValueError("interactivity is off in the manifest")
        block_id, element, choice = self._find(message, what, choice, block_id)
        value = None
        if element["type"] != "button":
            place = in_message(message, conversation, self._workspace)
            offered = await self._suggestions.choose_from(person, place, block_id, element, choice)
            value = self._entering.value(person, element, choice, offered=offered)
        if element["type"] not in STATELESS:
            kept = self._chosen.setdefault((message.ts, person.id), {})
            kept.setdefault(block_id, {})[element["action_id"]] = entered(element, value)
        done = action(block_id, element, value, action_ts=self._workspace.timestamps.next())
        answer = await self._deliveries.ask("interactive", self._payload(person, conversation, message, done))
        return Shown(error=str(answer.failure) if answer.failure else None)

    async def suggest(
        self,
        person: Person,
        conversation: Conversation,
        message: Message,
        what: str,
        typed: str,
        *,
        block_id: str | None = None,
    ) -> Offer:
        """Type into an external menu of *message*. Raises ValueError for what is not there."""
        block_id, element, _ = self._find(message, what, None, block_id)
        place = in_message(message, conversation, self._workspace)
        return await self._suggestions.ask(person, place, block_id, element, typed)

    def _find(self, message: Message, what: str, choice: Any, within: str | None) -> tuple[str, JSON, Any]:
        for block_id, element in interactive(message.blocks):
            if within not in {None, block_id}:
                continue
            if what == element.get("action_id") or what == reads(element.get("text")):
                return block_id, element, choice
            if any(what == reads(option.get("text")) for option in options(element)):
                return block_id, element, what
        raise ValueError(f"nothing to click reads {what}")

    def _payload(self, person: Person, conversation: Conversation, message: Message, done: JSON) -> JSON:
        workspace = self._workspace
        return (
            interaction("block_actions", person, workspace)
            | in_message(message, conversation, workspace)
            | {
                "trigger_id": workspace.triggers.make(person.id, conversation_id=conversation.id),
                "state": {"values": self._state(message, person)},
                "response_url": self._response_urls.make("actions", conversation, person.id, original=message),
                "actions": [done],
            }
        )

    def _state(self, message: Message, person: Person) -> JSON:
        """Every element that holds a choice, clicked or not."""
        chosen = self._chosen.get((message.ts, person.id), {})
        values: JSON = {}
        for block_id, element in stateful(message.blocks):
            value = chosen.get(block_id, {}).get(element["action_id"], initial(element))
            values.setdefault(block_id, {})[element["action_id"]] = value
        return values
