"""A person in the local Slack, for tests and scripts: what she types, clicks and sees."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.slack.filler import Content, Filler
from sandbox.slack.modal_driver import Modal, Submitted, Suggested, read_modal

JSON = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file as people see it on a message. `Person.downloads` gets its bytes."""

    id: str
    name: str
    title: str  # "This file was deleted." of one that is gone
    mimetype: str
    size: int  # bytes
    alt_text: str
    raw: JSON = field(repr=False)  # all that the sandbox tells of it


@dataclass(frozen=True)
class Message:
    """One message as one person sees it. Two are equal when they show the same."""

    conversation_id: str
    ts: str
    author: str  # the name over it
    text: str  # everything there is to read, a line for each line on the screen; at the end the titles of the files
    thread_ts: str | None
    reply_count: int
    ephemeral: bool  # only she sees it
    edited: bool
    files: list[File]
    mentions: list[str]  # whom Slack would notify: "@ben", "@channel", "@support-team"; also by the text behind blocks
    links: list[tuple[str, str]]  # label and URL of what can be clicked in its words
    reactions: dict[str, list[str]]  # the marks under it: handles by name, oldest first; the bot's is that of its user
    blocks: list[JSON] = field(repr=False)
    raw: JSON = field(repr=False)  # all that the sandbox tells of it


@dataclass(frozen=True)
class Shown:
    """The answer to a command, a click or a shortcut: what she alone sees, and Slack's word for a failure."""

    text: str  # as it is read; empty if nothing was shown
    error: str | None  # "operation_timeout", "dispatch_failed", "invalid_command"…
    raw: JSON | None = field(repr=False)

    @property
    def message(self) -> Message | None:
        """The ephemeral message itself, for instance to click on."""
        return read_message(self.raw) if self.raw else None


class Refused(AssertionError):
    """Slack's windows would not have let the person do this. The words say why."""


class Person:
    """
    Somebody of Acme. Conversations are named `#support`, `@ben` (the direct message with Ben), `@bot`, or by id.

    Every method raises Refused where Slack would not offer it.
    """

    def __init__(self, http: httpx.AsyncClient, *, user_id: str, handle: str, name: str) -> None:
        self.user_id = user_id
        self.handle = handle
        self.name = name
        self._http = http

    async def types(self, where: str, command: str, *, tel: bool = False, links: bool = True) -> Shown:
        """
        Type a slash command and wait until it is acknowledged or has failed.

        *tel*: Slack recognises phone numbers and sends them as `<tel:…>` tokens, which real clients do now and then.
        """
        return _shown(await self._do("type", where, text=command, tel=tel, links=links))

    async def posts(
        self, where: str, text: str, *, thread_ts: str | None = None, broadcast: bool = False, tel: bool = False
    ) -> Message:
        """Post a message, or a reply in a thread; *broadcast* shows the reply in the channel too."""
        answer = await self._do("post", where, text=text, thread_ts=thread_ts, broadcast=broadcast, tel=tel)
        return read_message(answer["message"])

    async def says_as_me(self, where: str, text: str, *, thread_ts: str | None = None) -> Message:
        """Say with `/me` what she does: a message of the subtype `me_message`."""
        answer = await self._do("post", where, text=text, thread_ts=thread_ts, me=True)
        return read_message(answer["message"])

    async def uploads(
        self,
        where: str,
        name: str = "",
        content: Content = b"",
        *,
        files: Iterable[tuple[str, Content]] | None = None,
        text: str = "",
        thread_ts: str | None = None,
    ) -> Message:
        """
        Post a file, or several as (name, content), in one message, with a text or without one.

        With a `Filler` as its content a file may be large at no cost: the sandbox makes its bytes as they are read.
        """
        written = [{"name": one} | _written(what) for one, what in files or [(name, content)]]
        answer = await self._do("upload", where, files=written, text=text, thread_ts=thread_ts)
        return read_message(answer["message"])

    async def shares_external_file(
        self, where: str, name: str, url: str, *, text: str = "", thread_ts: str | None = None
    ) -> Message:
        """Post a file that is kept elsewhere, such as one of Google Drive at `https://docs.google.com/…`."""
        answer = await self._do("share", where, name=name, url=url, text=text, thread_ts=thread_ts)
        return read_message(answer["message"])

    async def deletes_file(self, file: File) -> None:
        """Delete a file of her own; the messages that it was in keep a tombstone of it."""
        given = {"as": self.user_id, "file": file.id}
        await ask(self._http, "POST", "/_sandbox/slack/delete_file", json=given)

    async def downloads(self, file: File) -> bytes:
        """Return the bytes of a file that she sees."""
        response = await self._http.get(file.raw["path"], params={"as": self.user_id})
        if response.is_error:
            raise Refused(response.json()["error"])
        return response.content

    async def edits(self, message: Message, text: str) -> Message:
        return read_message((await self._do("edit", message.conversation_id, ts=message.ts, text=text))["message"])

    async def deletes(self, where: str, ts: str) -> None:
        await self._do("delete", where, ts=ts)

    async def clicks(self, message: Message, what: str, value: Any = None) -> Shown:
        """Press a button or choose in a menu, by its text or `action_id`; *value* is the choice. Waits for the ack."""
        return _shown(await self._do("click", message.conversation_id, ts=message.ts, what=what, value=value))

    async def uses_shortcut(self, what: str, *, where: str | None = None) -> Shown:
        """
        Use a global shortcut, by its name or `callback_id`, and wait for the ack; `modal` is what the app then opens.

        *where*: the conversation she looks at. The app is not told.
        """
        given = {"as": self.user_id, "in": where, "what": what}
        return _acked(await ask(self._http, "POST", "/_sandbox/slack/shortcut", json=given))

    async def uses_message_shortcut(self, message: Message, what: str) -> Shown:
        """Use a shortcut on a message, by its name or `callback_id`, and wait for the ack."""
        return _acked(await self._do("message_shortcut", message.conversation_id, ts=message.ts, what=what))

    async def modal(self) -> Modal | None:
        """Look at the topmost modal in front of her; None if there is none."""
        return read_modal((await self._look_at_modal())["modal"])

    async def home(self) -> Modal | None:
        """Look at what the app has published on its Home tab; None if that is nothing."""
        return read_modal((await self._look_at_modal(home="1"))["modal"])

    async def fills(self, what: str, value: Any, *, block_id: str | None = None) -> Shown:
        """
        Enter *value* into an input of the topmost modal, by its label or `action_id`, if need be in one block.

        Options are named by what they read, people by handle, conversations as everywhere; several in a list; None
        clears. In an external menu what is not shown yet is typed. Only with `dispatch_action` is the app told; then
        this waits for the ack.
        """
        return _acked(await self._do_in_modal("fill", what=what, value=value, block_id=block_id))

    async def attaches(self, what: str, files: Iterable[tuple[str, Content]], *, block_id: str | None = None) -> Shown:
        """Choose files, as (name, content), in a `file_input` of the topmost modal, in place of those before."""
        kept = []
        for name, content in files:
            given = {"as": self.user_id, "name": name} | _written(content)
            kept.append((await ask(self._http, "POST", "/_sandbox/slack/keep", json=given))["file"]["id"])
        return await self.fills(what, kept, block_id=block_id)

    async def clicks_in_modal(self, what: str, value: Any = None, *, block_id: str | None = None) -> Shown:
        """
        Press a button of the topmost modal, or choose *value* in a menu that is no input. Waits for the ack.

        In an input with `dispatch_action`: enters *value*, if it is given, and in a text input presses Enter.
        """
        return _acked(await self._do_in_modal("click", what=what, value=value, block_id=block_id))

    async def clicks_at_home(self, what: str, value: Any = None) -> Shown:
        """Press a button or choose in a menu on the app's Home tab. Waits for the ack."""
        return _acked(await self._do_in_modal("click", what=what, value=value, home=True))

    async def suggestions(self, what: str, typed: str, *, message: Message | None = None) -> Suggested:
        """Type into an external menu of the topmost modal, or of *message*, and read what it shows."""
        if message is None:
            answer = await self._do_in_modal("suggest", what=what, typed=typed)
        else:
            answer = await self._do("suggest", message.conversation_id, ts=message.ts, what=what, typed=typed)
        return Suggested(**answer)

    async def submits(self) -> Submitted:
        """Press the submit button of the topmost modal, and wait for what becomes of it."""
        answer = await self._do_in_modal("submit")
        return Submitted(answer["outcome"], read_modal(answer["modal"]), answer["reason"])

    async def closes(self, *, everything: bool = False) -> Modal | None:
        """Press the close button of the topmost modal, or with *everything* the cross; return the one below."""
        return read_modal((await self._do_in_modal("close", everything=everything))["modal"])

    async def reacts(self, message: Message, name: str, *, remove: bool = False) -> None:
        await self._do("react", message.conversation_id, ts=message.ts, name=name, remove=remove)

    async def visits_app(self, tab: str = "messages") -> None:
        await ask(self._http, "POST", "/_sandbox/slack/visit", json={"as": self.user_id, "tab": tab})

    async def sees(self, where: str) -> list[Message]:
        """Read a conversation's own messages, oldest first: no thread replies, but what only she sees."""
        found = await self.sees_all(where)
        return [one for one in found if one.thread_ts in {None, one.ts} or one.raw["subtype"] == "thread_broadcast"]

    async def sees_thread(self, where: str, ts: str) -> list[Message]:
        """Read a thread's replies, oldest first, without the parent."""
        return [one for one in await self._messages(where, thread=ts) if one.ts != ts]

    async def sees_dm(self) -> list[Message]:
        """Read her direct message with the bot."""
        return await self.sees("@bot")

    async def sees_all(self, where: str) -> list[Message]:
        """Read a conversation's messages and the replies in its threads, in the order they were posted."""
        return await self._messages(where)

    async def _messages(self, where: str, *, thread: str | None = None) -> list[Message]:
        query = {"as": self.user_id, "in": where}
        conversation = await ask(self._http, "GET", "/_sandbox/slack/conversation", params=query)
        query |= {"in": conversation["id"], "only": "slack"}
        if thread is not None:
            query["thread"] = thread
        answer = await ask(self._http, "GET", "/_sandbox/state", params=query)
        return [read_message(one) for one in answer["slack"]["messages"]]

    async def _look_at_modal(self, **query: str) -> JSON:
        return await ask(self._http, "GET", "/_sandbox/slack/modal", params={"as": self.user_id} | query)

    async def _do_in_modal(self, route: str, **arguments: Any) -> JSON:
        given = {"as": self.user_id} | arguments
        return await ask(self._http, "POST", f"/_sandbox/slack/modal/{route}", json=given)

    async def _do(self, route: str, where: str, **arguments: Any) -> JSON:
        given = {"as": self.user_id, "in": where} | arguments
        return await ask(self._http, "POST", f"/_sandbox/slack/{route}", json=given)


async def ask(http: httpx.AsyncClient, method: str, path: str, **request: Any) -> JSON:
    response = await http.request(method, path, **request)
    answer: JSON = response.json()
    if response.is_error:
        raise Refused(answer["error"])
    return answer


def _shown(answer: JSON) -> Shown:
    seen = answer["message"]
    return Shown(text=seen["read"] if seen else "", error=answer["error"], raw=seen)


def _acked(answer: JSON) -> Shown:
    return Shown(text="", error=answer["error"], raw=None)


def read_message(seen: JSON) -> Message:
    """Read one message of what the control routes answer."""
    files = [_file(one) for one in seen["files"]]
    return Message(
        conversation_id=seen["conversation_id"],
        ts=seen["ts"],
        author=seen["author"],
        text="\n".join(line for line in (seen["read"], *(file.title for file in files)) if line),
        thread_ts=seen["thread_ts"],
        reply_count=seen["reply_count"],
        ephemeral=seen["ephemeral"],
        edited=seen["edited"],
        files=files,
        mentions=seen["mentions"],
        links=[(label, url) for label, url in seen["links"]],
        reactions=seen["reacted"],
        blocks=seen["blocks"],
        raw=seen,
    )


def _written(content: Content) -> JSON:
    """Write a file's content for the sandbox."""
    return content.to_json() if isinstance(content, Filler) else {"content": base64.b64encode(content).decode()}


def _file(seen: JSON) -> File:
    return File(seen["id"], seen["name"], seen["title"], seen["mimetype"], seen["size"], seen["alt_text"], raw=seen)
