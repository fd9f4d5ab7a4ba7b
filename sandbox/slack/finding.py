"""Finding who and what a control route is about, by the names that people use for them."""

from typing import Any

from sandbox.slack.menus import visible
from sandbox.slack.model import Conversation, Kind, Message, Person
from sandbox.slack.service import Slack

JSON = dict[str, Any]


class Finding:
    """Reads a route's arguments: `as`, `in`, `ts`. Raises ValueError for what is not there or not to be seen."""

    def __init__(self, slack: Slack) -> None:
        self._manifest = slack.manifest
        self._workspace = slack.workspace

    def named(self, name: str) -> Person:
        """Find anybody by handle, name or id; the app's bot user is called `bot`."""
        name = name.removeprefix("@")
        if name == "bot":
            return self._workspace.people[self._workspace.app.bot_user_id]
        person = self._workspace.people.get(name) or self._workspace.person_called(name)
        if person is None:
            raise ValueError(f"there is nobody called {name}")
        return person

    def person(self, arguments: JSON) -> Person:
        """Find the human `as`."""
        person = self.named(str(arguments.get("as", "")))
        if person.is_bot:
            raise ValueError(f"{person.name} is not a person")
        return person

    def visible(self, arguments: JSON) -> Conversation:
        """Find the conversation `in`: `#support`, `@ben`, `@bot` or an id, if the person `as` can open it."""
        person, name = self.person(arguments), str(arguments.get("in", ""))
        found = self._workspace.conversations.get(name)
        if found is None and name.startswith("@"):
            found, _ = self._workspace.open_direct([person.id, self.named(name).id])
        found = found or self._workspace.channel_called(name.removeprefix("#"))
        if found is None or not visible(found, person):
            raise ValueError(f"{person.name} sees no conversation {name}")
        return found

    def writable(self, arguments: JSON) -> Conversation:
        """Find the conversation `in`, if the person `as` can write there."""
        found, person = self.visible(arguments), self.person(arguments)
        if person.id not in found.members:
            raise ValueError(f"{person.name} is not a member of {arguments.get('in')}")
        if found.is_archived:
            raise ValueError(f"{arguments.get('in')} is archived")
        with_app = found.kind is Kind.IM and self._workspace.app.bot_user_id in found.members
        if with_app and (not self._manifest.messages_tab or self._manifest.messages_read_only):
            raise ValueError("the manifest closes the messages tab to people")
        return found

    def channel(self, arguments: JSON) -> Conversation:
        """Find the channel `in`, whoever sees it."""
        name = str(arguments.get("in", ""))
        found = self._workspace.conversations.get(name) or self._workspace.channel_called(name.removeprefix("#"))
        if found is None or not found.is_channel:
            raise ValueError(f"there is no channel {name}")
        return found

    def message(self, arguments: JSON, conversation: Conversation, person: Person) -> Message:
        """Find the message `ts`, if the person sees it."""
        ts = str(arguments.get("ts", ""))
        found = conversation.find(ts) or conversation.ephemerals.get(ts)
        if found is None or found.ephemeral_to not in {None, person.id}:
            raise ValueError(f"{person.name} sees no message {ts}")
        return found

    def own_message(self, arguments: JSON, person: Person) -> tuple[Conversation, Message]:
        conversation = self.visible(arguments)
        message = self.message(arguments, conversation, person)
        if message.user_id != person.id:
            raise ValueError("people change their own messages only")
        return conversation, message
