"""Control routes of the local Slack: what a person does in its windows."""

import base64
from typing import Any

from aiohttp import web

from sandbox.answered import answered
from sandbox.guard import refusal
from sandbox.slack.avatars import avatar
from sandbox.slack.commands import Shown
from sandbox.slack.delivery_control import DeliveryControl
from sandbox.slack.files import give
from sandbox.slack.filler import Content, Filler
from sandbox.slack.finding import Finding
from sandbox.slack.menus import visible
from sandbox.slack.methods.reactions import check_reaction
from sandbox.slack.modal_control import ModalControl, offered
from sandbox.slack.model import Conversation, File, Message, Person
from sandbox.slack.owner_control import OwnerControl
from sandbox.slack.reading import Reader
from sandbox.slack.richtext import rich_text
from sandbox.slack.service import Slack
from sandbox.slack.state import conversation_state, file_state, message_state
from sandbox.slack.text import Typing, compose

JSON = dict[str, Any]


class SlackControl:
    """The routes under `/_sandbox/slack/`. People and conversations are named as people name them."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._finding = Finding(slack)

    def add_routes(self, app: web.Application) -> None:
        for name in [
            "type",
            "post",
            "upload",
            "keep",
            "share",
            "delete_file",
            "edit",
            "delete",
            "react",
            "click",
            "suggest",
            "shortcut",
            "message_shortcut",
            "visit",
        ]:
            app.router.add_post(f"/_sandbox/slack/{name}", answered(getattr(self, name)))
        app.router.add_get("/_sandbox/slack/conversation", answered(self.conversation))
        ModalControl(self._slack, self._finding.person).add_routes(app)
        OwnerControl(self._slack, self._finding).add_routes(app)
        DeliveryControl(self._slack).add_routes(app)
        app.router.add_get("/_sandbox/avatar/{user}.svg", self._avatar)
        app.router.add_get("/_sandbox/slack/files/{file}", self._file)

    # What a person does

    async def type(self, arguments: JSON) -> JSON:
        """Type a slash command. Answers with what she alone sees, once it was acknowledged or has failed."""
        person, conversation = self._finding.person(arguments), self._finding.writable(arguments)
        text = _text(arguments)
        if not text.startswith("/"):
            raise ValueError("a command starts with a slash; use post for a message")
        if arguments.get("thread_ts"):
            raise ValueError("Slack does not offer commands inside threads")
        typing = Typing(links=arguments.get("links", True), phones=arguments.get("tel", False))
        shown = await self._slack.commands.type(person, conversation, text, typing)
        return self._shown(shown, conversation, person)

    async def post(self, arguments: JSON) -> JSON:
        """
        Post a message, or with `thread_ts` a reply; `broadcast` shows the reply in the channel too.

        With `me` it is a `/me`: what she does, said of herself.
        """
        person, conversation = self._finding.person(arguments), self._finding.writable(arguments)
        text = self._composed(arguments, person)
        message = self._workspace.post(
            conversation,
            person.id,
            text=text,
            blocks=[] if arguments.get("me") else rich_text(text),
            thread_ts=arguments.get("thread_ts"),
            broadcast=bool(arguments.get("broadcast")),
            subtype="me_message" if arguments.get("me") else None,
        )
        return self._seen(message, conversation, person)

    async def upload(self, arguments: JSON) -> JSON:
        """
        Post `files` in one message, and perhaps a `text`; with `thread_ts` as a reply.

        Each has a `name` and a `content` in base64, or a `size` with a `beginning` in hex: the rest is made up.
        """
        person, conversation = self._finding.person(arguments), self._finding.writable(arguments)
        text = self._composed(arguments, person) if arguments.get("text") else ""
        given = arguments.get("files") or [{}]
        files = [
            self._slack.files.upload_of_person(person.id, str(one.get("name", "")), _content(one)) for one in given
        ]
        return self._shared(arguments, person, conversation, text, files)

    async def keep(self, arguments: JSON) -> JSON:
        """Keep one file, with `name` and `content` as in `upload`, for a form; it is in no message."""
        person = self._finding.person(arguments)
        file = self._slack.files.upload_of_person(person.id, str(arguments.get("name", "")), _content(arguments))
        return {"file": file_state(file)}

    async def share(self, arguments: JSON) -> JSON:
        """Post the file `name` that is kept elsewhere, at `url`, as people do with Google Drive's."""
        person, conversation = self._finding.person(arguments), self._finding.writable(arguments)
        text = self._composed(arguments, person) if arguments.get("text") else ""
        name, url = (str(arguments.get(key, "")) for key in ("name", "url"))
        file = self._slack.files.link_of_person(person.id, name, url)
        return self._shared(arguments, person, conversation, text, [file])

    async def delete_file(self, arguments: JSON) -> JSON:
        """Delete the `file` of her own, by its id."""
        person, file = self._finding.person(arguments), self._workspace.files.get(str(arguments.get("file", "")))
        if file is None or file.is_deleted or file.user_id != person.id:
            raise ValueError("people delete their own files")
        self._workspace.delete_file(file)
        return {}

    async def edit(self, arguments: JSON) -> JSON:
        person = self._finding.person(arguments)
        conversation, message = self._finding.own_message(arguments, person)
        text = self._composed(arguments, person)
        self._workspace.edit(message, text=text, blocks=rich_text(text))
        return self._seen(message, conversation, person)

    async def delete(self, arguments: JSON) -> JSON:
        """Delete a message: a person's own, one of the app's, as an owner may, or one that only she sees."""
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        message = self._finding.message(arguments, conversation, person)
        if not message.by_app and message.user_id != person.id and message.ephemeral_to is None:
            raise ValueError("people delete their own messages and the app's")
        self._workspace.delete(message)
        return {}

    async def react(self, arguments: JSON) -> JSON:
        """Add the reaction `name` to a message, or with `remove` take it back."""
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        message = self._finding.message(arguments, conversation, person)
        name = check_reaction(str(arguments.get("name", "")).strip(":"))
        change = self._workspace.unreact if arguments.get("remove") else self._workspace.react
        change(message, person.id, name)
        return self._seen(message, conversation, person)

    async def click(self, arguments: JSON) -> JSON:
        """
        Press a button or choose in a menu, named by its text or `action_id` in `what`; `value` is the choice.

        With `block_id` it is the one in that block.
        """
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        message = self._finding.message(arguments, conversation, person)
        shown = await self._slack.clicks.click(
            person,
            conversation,
            message,
            str(arguments.get("what", "")),
            choice=arguments.get("value"),
            block_id=arguments.get("block_id"),
        )
        return self._shown(shown, conversation, person)

    async def suggest(self, arguments: JSON) -> JSON:
        """Type `typed` into the external menu `what` of a message."""
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        message = self._finding.message(arguments, conversation, person)
        what, typed = str(arguments.get("what", "")), str(arguments.get("typed", ""))
        block_id = arguments.get("block_id")
        return offered(await self._slack.clicks.suggest(person, conversation, message, what, typed, block_id=block_id))

    async def shortcut(self, arguments: JSON) -> JSON:
        """Use the global shortcut `what`, its name or `callback_id`; `in` is the conversation she looks at, if any."""
        person = self._finding.person(arguments)
        here = self._finding.visible(arguments) if arguments.get("in") else None
        return _acked(await self._slack.shortcuts.use(person, str(arguments.get("what", "")), here=here))

    async def message_shortcut(self, arguments: JSON) -> JSON:
        """Use the shortcut `what`, its name or `callback_id`, on a message."""
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        message = self._finding.message(arguments, conversation, person)
        what = str(arguments.get("what", ""))
        return _acked(await self._slack.shortcuts.use_on(person, conversation, message, what))

    async def visit(self, arguments: JSON) -> JSON:
        """Open the direct message with the app, on its `home` or its `messages` tab."""
        self._workspace.visit_app(self._finding.person(arguments).id, arguments.get("tab", "messages"))
        return {}

    async def conversation(self, arguments: JSON) -> JSON:
        """Tell a conversation's id by the name that the person `as` has for it."""
        person, conversation = self._finding.person(arguments), self._finding.visible(arguments)
        return conversation_state(conversation, self._workspace, person)

    # Answering

    def _composed(self, arguments: JSON, person: Person) -> str:
        typing = Typing(links=arguments.get("links", True), phones=arguments.get("tel", False))
        return compose(_text(arguments), self._workspace, person.id, typing)

    def _shared(
        self, arguments: JSON, person: Person, conversation: Conversation, text: str, files: list[File]
    ) -> JSON:
        message = self._workspace.post(
            conversation,
            person.id,
            text=text,
            blocks=rich_text(text) if text else [],
            thread_ts=arguments.get("thread_ts"),
            broadcast=bool(arguments.get("broadcast")),
            subtype="file_share",
            files=files,
        )
        return self._seen(message, conversation, person)

    def _seen(self, message: Message, conversation: Conversation, person: Person) -> JSON:
        return {"message": message_state(message, conversation, Reader(self._workspace, person))}

    def _shown(self, shown: Shown, conversation: Conversation, person: Person) -> JSON:
        seen = self._seen(shown.message, conversation, person) if shown.message else {"message": None}
        return seen | {"error": shown.error}

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Serve a file's bytes: an image to be shown, all else to be saved. With `as` only what that person sees."""
        file = self._workspace.files.get(request.match_info["file"])
        viewer = self._workspace.people.get(request.query.get("as", ""))
        if file is None or file.is_deleted or file.is_hidden:
            return refusal("there is no such file", status=404)
        if viewer is not None and not self._sees(viewer, file):
            return refusal(f"{viewer.name} does not see this file", status=403)
        if file.external_url:
            raise web.HTTPFound(file.external_url)
        content_type = file.mimetype if file.is_image else "application/octet-stream"
        return await give(request, file, content_type, is_download=not file.is_image)

    def _sees(self, person: Person, file: File) -> bool:
        places = (self._workspace.conversations[message.conversation_id] for message in self._workspace.shares(file))
        return file.user_id == person.id or any(visible(place, person) for place in places)

    async def _avatar(self, request: web.Request) -> web.StreamResponse:
        person = self._workspace.people.get(request.match_info["user"])
        name = person.name if person else self._workspace.team.name
        return web.Response(text=avatar(name), content_type="image/svg+xml")


def _acked(shown: Shown) -> JSON:
    return {"error": shown.error}


def _content(given: JSON) -> Content:
    """Read the bytes of a file: all of them, or how many are to be made up."""
    if "size" in given:
        return Filler(int(given["size"]), bytes.fromhex(str(given.get("beginning", ""))))
    return base64.b64decode(str(given.get("content", "")), validate=True)


def _text(arguments: JSON) -> str:
    text = str(arguments.get("text", ""))
    if not text.strip():
        raise ValueError("there is no text")
    return text
