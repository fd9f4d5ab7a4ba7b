"""Control routes for what nobody's own window has: a workspace's channels and people, and what other apps do."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.answered import answered
from sandbox.slack.finding import Finding
from sandbox.slack.markup import links
from sandbox.slack.model import Conversation, Face, Message
from sandbox.slack.reading import Reader
from sandbox.slack.service import Slack
from sandbox.slack.state import conversation_state, message_state, person_state

JSON = dict[str, Any]

#: What can be changed about a person.
STANDINGS = {"is_admin", "is_owner", "is_guest"}


class OwnerControl:
    """What an owner decides of channels, people and groups, what another app posts, and what Slack finds."""

    def __init__(self, slack: Slack, finding: Finding) -> None:
        self._workspace = slack.workspace
        self._finding = finding

    def add_routes(self, app: web.Application) -> None:
        for name in (
            "conversations",
            "members",
            "archive",
            "channel",
            "people",
            "group",
            "another",
            "hide_file",
            "unfurl",
        ):
            app.router.add_post(f"/_sandbox/slack/{name}", answered(getattr(self, name)))

    async def conversations(self, arguments: JSON) -> JSON:
        """Create a channel `name` with `members`, `private` or not."""
        members = [self._finding.named(str(one)).id for one in arguments.get("members", [])]
        name = str(arguments.get("name", "")).removeprefix("#")
        if not name:
            raise ValueError("name the channel")
        made = self._workspace.create_channel(name, members=members, private=bool(arguments.get("private")))
        return conversation_state(made, self._workspace, None)

    async def members(self, arguments: JSON) -> JSON:
        """Add the person `who` (or the bot, as `@bot`) to a channel, or with `remove` take them out."""
        conversation = self._finding.channel(arguments)
        who = self._finding.named(str(arguments.get("who", "")))
        if arguments.get("remove"):
            self._workspace.leave(conversation, who.id)
        else:
            inviter = self._finding.person(arguments).id if arguments.get("as") else None
            self._workspace.join(conversation, who.id, inviter_id=inviter)
        return conversation_state(conversation, self._workspace, None)

    async def archive(self, arguments: JSON) -> JSON:
        """Archive a channel, or with `archived` false open it again; `as` is who does it, else its creator."""
        conversation = self._finding.channel(arguments)
        archived = bool(arguments.get("archived", True))
        self._workspace.archive(conversation, archived=archived, user_id=self._who(arguments, conversation))
        return conversation_state(conversation, self._workspace, None)

    async def channel(self, arguments: JSON) -> JSON:
        """Give a channel another `topic`, `purpose` or `name`; `as` is who does it, else its creator."""
        conversation = self._finding.channel(arguments)
        who = self._who(arguments, conversation)
        self._workspace.describe(conversation, who, topic=arguments.get("topic"), purpose=arguments.get("purpose"))
        if arguments.get("name"):
            self._workspace.rename(conversation, who, str(arguments["name"]).removeprefix("#"))
        return conversation_state(conversation, self._workspace, None)

    async def group(self, arguments: JSON) -> JSON:
        """Give the user group `group` other `members`, or with `disabled` disable it; what is not given stays."""
        group = self._workspace.groups.get(str(arguments.get("group", "")))
        if group is None:
            raise ValueError(f"there is no user group {arguments.get('group')}")
        if arguments.get("members") is not None:
            members = tuple(self._finding.named(str(one)).id for one in arguments["members"])
            group = replace(group, members=members)
        if arguments.get("disabled") is not None:
            group = replace(group, is_disabled=bool(arguments["disabled"]))
        self._workspace.groups[group.id] = group
        self._workspace.changes.bump()
        return {"members": [self._workspace.people[one].handle for one in group.members]}

    async def another(self, arguments: JSON) -> JSON:
        """Post as another app; `classic`: without a user, as old integrations do."""
        app, conversation = self._workspace.apps[1], self._finding.channel(arguments)
        message = self._workspace.post(
            conversation,
            app.bot_user_id,
            text=str(arguments.get("text", "")),
            thread_ts=arguments.get("thread_ts"),
            another=app,
            face=Face(username=app.name) if arguments.get("classic") else None,
        )
        return self._seen(message, conversation)

    async def hide_file(self, arguments: JSON) -> JSON:
        """Hide the `file`, as a free plan hides what is older than it shows; nobody is told."""
        file = self._workspace.files.get(str(arguments.get("file", "")))
        if file is None or file.is_deleted:
            raise ValueError("there is no such file")
        file.is_hidden = True
        self._workspace.touch(*self._workspace.shares(file))
        self._workspace.changes.bump()
        return {}

    async def unfurl(self, arguments: JSON) -> JSON:
        """Add to a message what Slack found behind its links: its first link, or `url`, with a `title`."""
        conversation = self._finding.channel(arguments)
        message = conversation.find(str(arguments.get("ts", "")))
        if message is None:
            raise ValueError(f"there is no message {arguments.get('ts')}")
        url = str(arguments.get("url") or next((url for _, url in links(message)), ""))
        if not url:
            raise ValueError("there is no link in the message")
        title = str(arguments.get("title") or url)
        found = {"from_url": url, "original_url": url, "fallback": title, "title": title, "title_link": url, "id": 1}
        self._workspace.unfurl(message, [found])
        return self._seen(message, conversation)

    def _who(self, arguments: JSON, conversation: Conversation) -> str:
        return self._finding.person(arguments).id if arguments.get("as") else conversation.creator_id

    def _seen(self, message: Message, conversation: Conversation) -> JSON:
        """Show a message as the channel's creator sees it."""
        viewer = self._workspace.people.get(conversation.creator_id) or next(iter(self._workspace.people.values()))
        reader = Reader(self._workspace, viewer)
        return {"message": message_state(message, conversation, reader)}

    async def people(self, arguments: JSON) -> JSON:
        """Make the person `who` an admin, an owner or a guest, or no longer: what is not given stays."""
        person = self._finding.named(str(arguments.get("who", "")))
        changes: JSON = {key: bool(value) for key, value in arguments.items() if key != "who"}
        if unknown := changes.keys() - STANDINGS:
            raise ValueError(f"nothing about a person is called {', '.join(sorted(unknown))}")
        self._workspace.people[person.id] = changed = replace(person, **changes)
        self._workspace.changes.bump()
        return person_state(changed, self._workspace)
