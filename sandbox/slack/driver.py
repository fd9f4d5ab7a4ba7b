"""A person in the local Slack, for tests and scripts: what she types, clicks and sees."""

from dataclasses import dataclass, field
from typing import Any

import httpx

JSON = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One message as one person sees it. Two are equal when they show the same."""

    conversation_id: str
    ts: str
    author: str  # the name over it
    text: str  # everything there is to read, a line for each line on the screen
    thread_ts: str | None
    reply_count: int
    ephemeral: bool  # only she sees it
    edited: bool
    blocks: list[JSON] = field(repr=False)
    raw: JSON = field(repr=False)  # all that the sandbox tells of it


@dataclass(frozen=True)
class Shown:
    """The answer to a command or a click: what she alone sees, and Slack's word for a failure."""

    text: str  # as it is read; empty if nothing was shown
    error: str | None  # "operation_timeout", "dispatch_failed", "invalid_command"…
    raw: JSON | None = field(repr=False)

    @property
    def message(self) -> Message | None:
        """The ephemeral message itself, for instance to click on."""
        return _message(self.raw) if self.raw else None


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
        return _message(answer["message"])

    async def edits(self, message: Message, text: str) -> Message:
        return _message((await self._do("edit", message.conversation_id, ts=message.ts, text=text))["message"])

    async def deletes(self, where: str, ts: str) -> None:
        await self._do("delete", where, ts=ts)

    async def clicks(self, message: Message, what: str, value: Any = None) -> Shown:
        """Press a button or choose in a menu, by its text or `action_id`; *value* is the choice. Waits for the ack."""
        return _shown(await self._do("click", message.conversation_id, ts=message.ts, what=what, value=value))

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
        query["in"] = conversation["id"]
        if thread is not None:
            query["thread"] = thread
        answer = await ask(self._http, "GET", "/_sandbox/state", params=query)
        return [_message(one) for one in answer["slack"]["messages"]]

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


def _message(seen: JSON) -> Message:
    return Message(
        conversation_id=seen["conversation_id"],
        ts=seen["ts"],
        author=seen["author"],
        text=seen["read"],
        thread_ts=seen["thread_ts"],
        reply_count=seen["reply_count"],
        ephemeral=seen["ephemeral"],
        edited=seen["edited"],
        blocks=seen["blocks"],
        raw=seen,
    )
