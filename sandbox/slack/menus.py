"""What the menus of people and conversations offer to a person: those she sees, as far as the app's filter goes."""

from typing import Any

from sandbox.slack.model import Conversation, Kind, Person
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

#: Kind of conversation to its word in the `filter` of a menu of conversations.
FILTERED = {Kind.PUBLIC: "public", Kind.PRIVATE: "private", Kind.IM: "im", Kind.MPIM: "mpim"}


def visible(conversation: Conversation, viewer: Person) -> bool:
    """Say whether a person can open a conversation. Guests and people of elsewhere see only those they are in."""
    public = conversation.kind is Kind.PUBLIC
    return viewer.id in conversation.members or (public and not viewer.sees_only_their_own)


def offers(element: JSON, conversation: Conversation, person: Person, workspace: Workspace) -> bool:
    """Say whether a menu of conversations or channels offers one to a person."""
    if not visible(conversation, person):
        return False
    if element["type"].removeprefix("multi_") == "channels_select":
        return conversation.kind is Kind.PUBLIC
    wanted = element.get("filter", {})
    with_bot = any(workspace.people[one].is_bot for one in conversation.members)
    if conversation.kind is Kind.IM and with_bot and wanted.get("exclude_bot_users"):
        return False
    return FILTERED[conversation.kind] in wanted.get("include", FILTERED.values())


def choices(element: JSON, person: Person, workspace: Workspace) -> list[JSON]:
    """List what such a menu offers, by id and name; nothing for any other element."""
    kind = element["type"].removeprefix("multi_")
    if kind == "users_select":
        return [{"value": one.id, "text": one.name} for one in workspace.people.values()]
    if kind not in {"conversations_select", "channels_select"}:
        return []
    return [
        {"value": one.id, "text": called(one, workspace, person)}
        for one in workspace.conversations.values()
        if offers(element, one, person, workspace)
    ]


def called(conversation: Conversation, workspace: Workspace, person: Person) -> str:
    """Return a conversation's name for a person: of a direct message, the name of the other."""
    if conversation.is_channel:
        return f"#{conversation.name}"
    return ", ".join(workspace.people[one].name for one in conversation.members if one != person.id)
