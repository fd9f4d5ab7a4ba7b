"""One call of the Web API: who calls, with which arguments, and what the app may see."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.files import Files
from sandbox.slack.limits import Limits
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import Conversation, Kind, Message, Person
from sandbox.slack.sockets import Sockets
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
T = TypeVar("T")

#: The scopes of one family, such as `channels:history`, by the kind of conversation.
FAMILY = {Kind.PUBLIC: "channels", Kind.PRIVATE: "groups", Kind.IM: "im", Kind.MPIM: "mpim"}


@dataclass(frozen=True)
class Method:
    """One Web API method: what it demands and what does it."""

    run: "Callable[[Call], Awaitable[JSON]]"
    tier: int
    scope: str | None = None  # without which it is refused before anything is looked at
    app_token: bool = False  # takes the app-level token, not the bot's


@dataclass(frozen=True)
class Call:
    """The arguments of one call, from wherever they travelled, and the workspace it acts on."""

    arguments: JSON
    workspace: Workspace
    manifest: Manifest
    limits: Limits
    sockets: Sockets
    files: Files
    reached: str  # the host and port by which the app came, through whatever stands between

    @property
    def bot(self) -> str:
        return self.workspace.app.bot_user_id

    # Arguments

    def given(self, name: str) -> str:
        """Return an argument as text; empty if it was not given."""
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        if value := self.given(name):
            return value
        raise invalid_arguments(f"missing required field: {name}")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Read a boolean, which travels as 1/0 in a query and as itself in JSON."""
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, *, default: int, most: int) -> int:
        value = self.given(name)
        if not value:
            return default
        if not value.isdigit() or not 0 < int(value) <= most:
            raise SlackError("invalid_limit" if name == "limit" else "invalid_arguments")
        return int(value)

    def listed(self, name: str) -> list[str]:
        """Read a list, which travels comma-joined in a query and as itself in JSON."""
        value = self.arguments.get(name)
        if isinstance(value, list):
            return [str(one) for one in value]
        return [one.strip() for one in self.given(name).split(",") if one.strip()]

    # Permissions

    def demand(self, scope: str) -> None:
        """Raise `missing_scope` unless the bot token has *scope*."""
        if scope not in self.manifest.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(self.manifest.scopes))

    def demand_for(self, conversation: Conversation, family: str) -> None:
        """Demand the scope that `read` or `history` needs for this kind of conversation."""
        self.demand(f"{FAMILY[conversation.kind]}:{family}")

    # Finding

    def person(self, name: str = "user", *, error: str = "user_not_found") -> Person:
        person = self.workspace.people.get(self.required(name))
        if person is None:
            raise SlackError(error)
        return person

    def conversation(self, name: str = "channel") -> Conversation:
        """Find a conversation the bot can see: public, or one it is in."""
        found = self.workspace.conversations.get(self.required(name))
        if found is None or (found.kind is not Kind.PUBLIC and self.bot not in found.members):
            raise SlackError("channel_not_found")
        return found

    def joined_conversation(self, name: str = "channel") -> Conversation:
        """Find a conversation whose messages the bot can read: one it is in."""
        found = self.conversation(name)
        if self.bot not in found.members:
            raise SlackError("not_in_channel")
        return found

    def message(self, conversation: Conversation, name: str = "ts") -> Message:
        message = conversation.find(self.required(name))
        if message is None or message.subtype == "tombstone":
            raise SlackError("message_not_found")
        return message

    # Pages

    def page(self, items: list[T], *, default: int, most: int) -> tuple[list[T], str]:
        """Cut one page out of *items* by `limit` and `cursor`; return it with the next cursor, empty at the end."""
        limit = self.number("limit", default=default, most=most)
        start = _offset(self.given("cursor"))
        page = items[start : start + limit]
        return page, _cursor(start + limit) if start + limit < len(items) else ""


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"next:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, offset = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except ValueError:
        raise SlackError("invalid_cursor") from None
    if word != "next" or not offset.isdigit():
        raise SlackError("invalid_cursor")
    return int(offset)


async def read_arguments(request: web.Request) -> JSON:
    """
    Merge the query, a form body and a JSON body: slack_sdk uses all three. Raises SlackError on broken JSON.

    Source: docs.slack.dev/apis/web-api.
    """
    arguments: JSON = dict(request.query)
    body = await request.read()
    if not body:
        return arguments
    if request.content_type == "application/json":
        try:
            given = json.loads(body)
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(given, dict):
            raise SlackError("json_not_object")
        return arguments | given
    if request.content_type == "application/x-www-form-urlencoded":
        return arguments | dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return arguments | dict(await request.post())
