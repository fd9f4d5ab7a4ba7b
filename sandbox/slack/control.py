"""Control routes of the local Slack: what a person does in its windows, and what a workspace's owner does."""

import base64
from typing import Any

from aiohttp import web

from sandbox.answered import answered
from sandbox.guard import refusal
from sandbox.slack.avatars import avatar
from sandbox.slack.commands import Shown
from sandbox.slack.files import respond
from sandbox.slack.menus import visible
from sandbox.slack.methods.reactions import check_reaction
from sandbox.slack.modal_control import ModalControl, offered
from sandbox.slack.model import Conversation, File, Kind, Message, Person
from sandbox.slack.reading import Reader
from sandbox.slack.richtext import rich_text
from sandbox.slack.service import Slack
from sandbox.slack.sockets import REASONS
from sandbox.slack.state import conversation_state, message_state
from sandbox.slack.text import Typing, compose

JSON = dict[str, Any]


class SlackControl:
    """The routes under `/_sandbox/slack/`. People and conversations are named as people name them."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._workspace = slack.workspace

    def add_routes(self, app: web.Application) -> None:
        for name in [
            "type",
            "post",
            "upload",
            "edit",
            "delete",
            "react",
            "click",
            "suggest",
            "shortcut",
            "message_shortcut",
            "visit",
            "conversations",
            "members",
            "archive",
            "transport",
            "disconnect",
            "limits",
        ]:
            app.router.add_post(f"/_sandbox/slack/{name}", answered(getattr(self, name)))
        app.router.add_get("/_sandbox/slack/conversation", answered(self.conversation))
        ModalControl(self._slack, self._person).add_routes(app)
        app.router.add_get("/_sandbox/avatar/{user}.svg", self._avatar)
        app.router.add_get("/_sandbox/slack/files/{file}", self._file)

    # What a person does

    async def type(self, arguments: JSON) -> JSON:
        """Type a slash command. Answers with what she alone sees, once it was acknowledged or has failed."""
        person, conversation = self._person(arguments), self._writable(arguments)
        text = _text(arguments)
        if not text.startswith("/"):
            raise ValueError("a command starts with a slash; use post for a message")
        if arguments.get("thread_ts"):
            raise ValueError("Slack does not offer commands inside threads")
        typing = Typing(links=arguments.get("links", True), phones=arguments.get("tel", False))
        shown = await self._slack.commands.type(person, conversation, text, typing)
        return self._shown(shown, conversation, person)

    async def post(self, arguments: JSON) -> JSON:
        """Post a message, or with `thread_ts` a reply; `broadcast` shows the reply in the channel too."""
        person, conversation = self._person(arguments), self._writable(arguments)
        text = self._composed(arguments, person)
        message = self._workspace.post(
            conversation,
            person.id,
            text=text,
            blocks=rich_text(text),
            thread_ts=arguments.get("thread_ts"),
            broadcast=bool(arguments.get("broadcast")),
        )
        return self._seen(message, conversation, person)

    async def upload(self, arguments: JSON) -> JSON:
        """Post the file `name` with its `content` in base64, and perhaps a `text`; with `thread_ts` as a reply."""
        person, conversation = self._person(arguments), self._writable(arguments)
        text = self._composed(arguments, person) if arguments.get("text") else ""
        content = base64.b64decode(str(arguments.get("content", "")), validate=True)
        file = self._slack.files.upload_of_person(person.id, str(arguments.get("name", "")), content)
        message = self._workspace.post(
            conversation,
            person.id,
            text=text,
            blocks=rich_text(text) if text else [],
            thread_ts=arguments.get("thread_ts"),
            subtype="file_share",
            files=[file],
        )
        return self._seen(message, conversation, person)

    async def edit(self, arguments: JSON) -> JSON:
        person = self._person(arguments)
        conversation, message = self._own_message(arguments, person)
        text = self._composed(arguments, person)
        self._workspace.edit(message, text=text, blocks=rich_text(text))
        return self._seen(message, conversation, person)

    async def delete(self, arguments: JSON) -> JSON:
        """Delete a message: a person's own, or one of the app's, as a workspace's owner may."""
        person, conversation = self._person(arguments), self._visible(arguments)
        message = self._message(arguments, conversation, person)
        if not message.by_app and message.user_id != person.id:
            raise ValueError("people delete their own messages and the app's")
        self._workspace.delete(message)
        return {}

    async def react(self, arguments: JSON) -> JSON:
        """Add the reaction `name` to a message, or with `remove` take it back."""
        person, conversation = self._person(arguments), self._visible(arguments)
        message = self._message(arguments, conversation, person)
        name = check_reaction(str(arguments.get("name", "")).strip(":"))
        change = self._workspace.unreact if arguments.get("remove") else self._workspace.react
        change(message, person.id, name)
        return self._seen(message, conversation, person)

    async def click(self, arguments: JSON) -> JSON:
        """Press a button or choose in a menu, named by its text or `action_id` in `what`; `value` is the choice."""
        person, conversation = self._person(arguments), self._visible(arguments)
        message = self._message(arguments, conversation, person)
        shown = await self._slack.clicks.click(
            person, conversation, message, str(arguments.get("what", "")), choice=arguments.get("value")
        )
        return self._shown(shown, conversation, person)

    async def suggest(self, arguments: JSON) -> JSON:
        """Type `typed` into the external menu `what` of a message."""
        person, conversation = self._person(arguments), self._visible(arguments)
        message = self._message(arguments, conversation, person)
        what, typed = str(arguments.get("what", "")), str(arguments.get("typed", ""))
        return offered(await self._slack.clicks.suggest(person, conversation, message, what, typed))

    async def shortcut(self, arguments: JSON) -> JSON:
        """Use the global shortcut `what`, its name or `callback_id`; `in` is the conversation she looks at, if any."""
        person = self._person(arguments)
        here = self._visible(arguments) if arguments.get("in") else None
        return _acked(await self._slack.shortcuts.use(person, str(arguments.get("what", "")), here=here))

    async def message_shortcut(self, arguments: JSON) -> JSON:
        """Use the shortcut `what`, its name or `callback_id`, on a message."""
        person, conversation = self._person(arguments), self._visible(arguments)
        message = self._message(arguments, conversation, person)
        what = str(arguments.get("what", ""))
        return _acked(await self._slack.shortcuts.use_on(person, conversation, message, what))

    async def visit(self, arguments: JSON) -> JSON:
        """Open the direct message with the app, on its `home` or its `messages` tab."""
        self._workspace.visit_app(self._person(arguments).id, arguments.get("tab", "messages"))
        return {}

    async def conversation(self, arguments: JSON) -> JSON:
        """Tell a conversation's id by the name that the person `as` has for it."""
        person, conversation = self._person(arguments), self._visible(arguments)
        return conversation_state(conversation, self._workspace, person)

    # What a workspace's owner does

    async def conversations(self, arguments: JSON) -> JSON:
        """Create a channel `name` with `members`, `private` or not."""
        members = [self._named(str(one)).id for one in arguments.get("members", [])]
        name = str(arguments.get("name", "")).removeprefix("#")
        if not name:
            raise ValueError("name the channel")
        made = self._workspace.create_channel(name, members=members, private=bool(arguments.get("private")))
        return conversation_state(made, self._workspace, None)

    async def members(self, arguments: JSON) -> JSON:
        """Add the person `who` (or the bot, as `@bot`) to a channel, or with `remove` take them out."""
        conversation = self._channel(arguments)
        who = self._named(str(arguments.get("who", "")))
        if arguments.get("remove"):
            self._workspace.leave(conversation, who.id)
        else:
            inviter = self._person(arguments).id if arguments.get("as") else None
            self._workspace.join(conversation, who.id, inviter_id=inviter)
        return conversation_state(conversation, self._workspace, None)

    async def archive(self, arguments: JSON) -> JSON:
        conversation = self._channel(arguments)
        self._workspace.archive(conversation, archived=bool(arguments.get("archived", True)))
        return conversation_state(conversation, self._workspace, None)

    async def transport(self, arguments: JSON) -> JSON:
        """Deliver to `request_url`, or without one over Socket Mode."""
        await self._slack.use_transport(arguments.get("request_url"))
        return self._slack.transport_state()

    async def disconnect(self, arguments: JSON) -> JSON:
        """
        Send every socket a `disconnect` with this `reason`; `cut` breaks the connections instead.

        `strict` and `life` (seconds) are settings of the sockets: see `Sockets`.
        """
        sockets = self._slack.sockets
        if "strict" in arguments:
            sockets.strict = bool(arguments["strict"])
        if "life" in arguments:
            sockets.life = arguments["life"]
        if arguments.get("cut"):
            await sockets.cut()
        elif reason := arguments.get("reason"):
            if reason not in REASONS:
                raise ValueError(f"reason is one of {', '.join(sorted(REASONS))}")
            await sockets.disconnect(reason)
        return self._slack.transport_state()

    async def limits(self, arguments: JSON) -> JSON:
        """Put limits in force: `tiers`, `posting_rate` with `posting_burst`, and `ack_limit` in seconds."""
        self._slack.limits.order(
            tiers=bool(arguments.get("tiers")),
            posting_rate=arguments.get("posting_rate"),
            posting_burst=int(arguments.get("posting_burst", 5)),
        )
        if "ack_limit" in arguments:
            self._slack.deliveries.ack_limit = float(arguments["ack_limit"])
        return {}

    # Finding

    def _named(self, name: str) -> Person:
        name = name.removeprefix("@")
        if name == "bot":
            return self._workspace.people[self._workspace.app.bot_user_id]
        person = self._workspace.people.get(name) or self._workspace.person_called(name)
        if person is None:
            raise ValueError(f"there is nobody called {name}")
        return person

    def _person(self, arguments: JSON) -> Person:
        person = self._named(str(arguments.get("as", "")))
        if person.is_bot:
            raise ValueError(f"{person.name} is not a person")
        return person

    def _visible(self, arguments: JSON) -> Conversation:
        """Find the conversation `in`: `#support`, `@ben`, `@bot` or an id, if the person `as` can open it."""
        person, name = self._person(arguments), str(arguments.get("in", ""))
        found = self._workspace.conversations.get(name)
        if found is None and name.startswith("@"):
            found, _ = self._workspace.open_direct([person.id, self._named(name).id])
        found = found or self._workspace.channel_called(name.removeprefix("#"))
        if found is None or not visible(found, person):
            raise ValueError(f"{person.name} sees no conversation {name}")
        return found

    def _writable(self, arguments: JSON) -> Conversation:
        found, person = self._visible(arguments), self._person(arguments)
        if person.id not in found.members:
            raise ValueError(f"{person.name} is not a member of {arguments.get('in')}")
        if found.is_archived:
            raise ValueError(f"{arguments.get('in')} is archived")
        manifest = self._slack.manifest
        with_app = found.kind is Kind.IM and self._workspace.app.bot_user_id in found.members
        if with_app and (not manifest.messages_tab or manifest.messages_read_only):
            raise ValueError("the manifest closes the messages tab to people")
        return found

    def _channel(self, arguments: JSON) -> Conversation:
        name = str(arguments.get("in", ""))
        found = self._workspace.conversations.get(name) or self._workspace.channel_called(name.removeprefix("#"))
        if found is None or not found.is_channel:
            raise ValueError(f"there is no channel {name}")
        return found

    def _message(self, arguments: JSON, conversation: Conversation, person: Person) -> Message:
        ts = str(arguments.get("ts", ""))
        found = conversation.find(ts) or conversation.ephemerals.get(ts)
        if found is None or found.ephemeral_to not in {None, person.id}:
            raise ValueError(f"{person.name} sees no message {ts}")
        return found

    def _own_message(self, arguments: JSON, person: Person) -> tuple[Conversation, Message]:
        conversation = self._visible(arguments)
        message = self._message(arguments, conversation, person)
        if message.user_id != person.id:
            raise ValueError("people change their own messages only")
        return conversation, message

    # Answering

    def _composed(self, arguments: JSON, person: Person) -> str:
        typing = Typing(links=arguments.get("links", True), phones=arguments.get("tel", False))
        return compose(_text(arguments), self._workspace, person.id, typing)

    def _seen(self, message: Message, conversation: Conversation, person: Person) -> JSON:
        return {"message": message_state(message, conversation, Reader(self._workspace, person))}

    def _shown(self, shown: Shown, conversation: Conversation, person: Person) -> JSON:
        seen = self._seen(shown.message, conversation, person) if shown.message else {"message": None}
        return seen | {"error": shown.error}

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Serve a file's bytes: an image to be shown, all else to be saved. With `as` only what that person sees."""
        file = self._workspace.files.get(request.match_info["file"])
        viewer = self._workspace.people.get(request.query.get("as", ""))
        if file is None or file.is_deleted:
            return refusal("there is no such file", status=404)
        if viewer is not None and not self._sees(viewer, file):
            return refusal(f"{viewer.name} does not see this file", status=403)
        content_type = file.mimetype if file.is_image else "application/octet-stream"
        return respond(file, content_type, is_download=not file.is_image)

    def _sees(self, person: Person, file: File) -> bool:
        places = (self._workspace.conversations[message.conversation_id] for message in self._workspace.shares(file))
        return file.user_id == person.id or any(visible(place, person) for place in places)

    async def _avatar(self, request: web.Request) -> web.StreamResponse:
        person = self._workspace.people.get(request.match_info["user"])
        name = person.name if person else self._workspace.team.name
        return web.Response(text=avatar(name), content_type="image/svg+xml")


def _acked(shown: Shown) -> JSON:
    return {"error": shown.error}


def _text(arguments: JSON) -> str:
    text = str(arguments.get("text", ""))
    if not text.strip():
        raise ValueError("there is no text")
    return text
