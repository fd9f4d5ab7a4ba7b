"""Slash commands, from what a person types to what she alone sees. Source: docs.slack.dev/interactivity."""

from dataclasses import dataclass
from typing import Any

from sandbox.slack.content import read_content
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.errors import SlackError
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import Conversation, Message, Person
from sandbox.slack.response_urls import ResponseURLs, say_failure, show
from sandbox.slack.text import Typing, compose, escape
from sandbox.slack.wire import name_for_app
from sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """What a command led to: the message that answers it, if any, and Slack's word for a failure."""

    message: Message | None = None
    error: str | None = None


class Commands:
    """Type commands on people's behalf."""

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

    async def type(self, person: Person, conversation: Conversation, typed: str, typing: Typing) -> Shown:
        """Send what *person* typed into the composer of *conversation*; it starts with a slash."""
        name, _, arguments = typed.partition(" ")
        command = self._manifest.commands.get(name)
        if command is None:
            return self._failed(person, conversation, f"{name} is not a valid command", "invalid_command")
        typing = Typing(tokens=command.should_escape, labels=True, links=typing.links, phones=typing.phones)
        text = compose(arguments.strip(), self._workspace, person.id, typing)
        answer = await self._deliveries.ask("slash_commands", self._payload(person, conversation, name, text))
        if answer.failure or answer.status != 200:  # noqa: PLR2004 (Slack takes no other 2xx for a command)
            error = str(answer.failure or "dispatch_failed")
            return self._failed(person, conversation, f'{name} failed with the error "{error}"', error)
        return self._acknowledged(person, conversation, typed, answer.payload)

    def _payload(self, person: Person, conversation: Conversation, name: str, text: str) -> dict[str, Any]:
        workspace = self._workspace
        team = workspace.team_of(person.id)
        response_url = self._response_urls.make("commands", conversation, person.id)
        return {
            "token": "sandbox",
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": conversation.id,
            "channel_name": name_for_app(conversation),
            "user_id": person.id,
            "user_name": person.handle,
            "command": name,
            "text": text,
            "api_app_id": workspace.app.id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": workspace.triggers.make(person.id, conversation_id=conversation.id),
        }

    def _acknowledged(self, person: Person, conversation: Conversation, typed: str, body: Any) -> Shown:
        given = body if isinstance(body, dict) else {"text": body or ""}
        if given.get("response_type") == "in_channel":
            self._workspace.post(conversation, person.id, text=escape(typed), quiet=True)
        if not any(given.get(key) for key in ("text", "blocks", "attachments")):
            return Shown()
        try:
            content = read_content(given)
        except SlackError as error:
            # Slack does not document what a person sees of an acknowledgement it cannot draw. She is told here.
            words = f'{typed.partition(" ")[0]} failed with the error "{error.code}"'
            return self._failed(person, conversation, words, error.code)
        return Shown(show(self._workspace, conversation, person.id, content, given))

    def _failed(self, person: Person, conversation: Conversation, words: str, error: str) -> Shown:
        return Shown(say_failure(self._workspace, conversation, person.id, words), error)
