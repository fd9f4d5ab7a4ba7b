"""
Shortcuts: global ones, and those of messages. Source: docs.slack.dev/interactivity/implementing-shortcuts.

The app acknowledges without words: nothing is shown but a failure.
"""

from typing import Any

from sandbox.slack.commands import Shown
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.interactions import interaction
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import Conversation, Message, Person
from sandbox.slack.response_urls import ResponseURLs
from sandbox.slack.wire import message_json, name_for_app
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


class Shortcuts:
    """Use shortcuts on people's behalf, by name or `callback_id`. Raises ValueError for what Slack would not offer."""

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

    async def use(self, person: Person, what: str, *, here: Conversation | None = None) -> Shown:
        """
        Use a global shortcut.

        *here*: the conversation she looks at. The app is not told, yet a menu in what it opens may begin with it.
        """
        payload = self._payload("shortcut", self._callback_id("global", what), person, here)
        return await self._tell(payload)

    async def use_on(self, person: Person, conversation: Conversation, message: Message, what: str) -> Shown:
        """Use a shortcut on a message that she sees. The bot need not be a member of the conversation."""
        callback_id = self._callback_id("message", what)
        if not takes_shortcuts(message):
            raise ValueError("Slack offers no shortcuts on this message")
        payload = self._payload("message_action", callback_id, person, conversation) | {
            "message_ts": message.ts,
            # It adds messages. That it might replace the message, as after a click, is documented nowhere.
            "response_url": self._response_urls.make("app-actions", conversation, person.id),
            "channel": {"id": conversation.id, "name": name_for_app(conversation)},
            "message": message_json(message, self._workspace, all_metadata=True),
        }
        return await self._tell(payload)

    def _callback_id(self, kind: str, what: str) -> str:
        if not self._manifest.interactivity:
            raise ValueError("interactivity is off in the manifest")
        found = [one for one in self._manifest.shortcuts if one.kind == kind]
        for one in found:
            if what in {one.callback_id, one.name}:
                return one.callback_id
        raise ValueError(f"the manifest has no {kind} shortcut called {what}")

    def _payload(self, kind: str, callback_id: str, person: Person, here: Conversation | None) -> JSON:
        workspace = self._workspace
        return interaction(kind, person, workspace) | {
            "callback_id": callback_id,
            "trigger_id": workspace.triggers.make(person.id, conversation_id=here.id if here else None),
            "action_ts": workspace.timestamps.next(),
        }

    async def _tell(self, payload: JSON) -> Shown:
        answer = await self._deliveries.ask("interactive", payload, accepts_response=False)
        return Shown(error=str(answer.failure) if answer.failure else None)


def takes_shortcuts(message: Message) -> bool:
    """Say whether a message has a menu of shortcuts: an ephemeral one has none, nor what is left of a deleted one."""
    return message.ephemeral_to is None and message.subtype != "tombstone"
