"""
The bot speaking first: what it posts, edits and marks in Slack, a method each. All of them raise SlackError.

`calls` is how Slack is called at all, `people`, `places` and `files` are what it knows and keeps.
"""

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.answers import object_in, objects_in
from bot.slack.calls import Calls
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackRefused, SlackTrouble
from bot.slack.files import Files
from bot.slack.members import Profile
from bot.slack.people import People
from bot.slack.places import Places

logger = logging.getLogger(__name__)

#: Slack's clock may differ from ours by this much when a lost post is looked for.
_CLOCKS_DIFFER = timedelta(minutes=10)

#: A post of a process that died may still be on its way to Slack; after this long it has arrived or never will.
_POST_LANDS = timedelta(seconds=2)

#: For how long the kernel tries to send what the other side does not acknowledge: less than it takes another process
#: to lead instead of us (see `bot.leading`).
_UNACKNOWLEDGED_MS = 10_000

#: Few messages are edited at once, so one edit must not hold the others up. It can be made again without harm.
_UPDATE_SECONDS = 10.0


class Slack:
    """The workspace, as the bot sees and changes it."""

    def __init__(self, client: AsyncWebClient) -> None:
        calls = Calls(client)
        self.calls, self._call, self._client = calls, calls.call, client
        self.people = People(calls)
        self.places = Places(calls)
        self.files = Files(calls)
        self.identity: dict[str, Any] = {}

    async def identify(self) -> dict[str, Any]:
        """Ask who we are and in which workspace; remember it."""
        answer = await self._call("auth.test", self._client.auth_test)
        identity = {name: value for name, value in answer.items() if isinstance(value, str)}
        if not identity.get("team_id") or not identity.get("user_id"):
            raise SlackTrouble("auth.test without team_id")
        self.identity = identity
        return self.identity

    def check_pace(self, conversation_id: str) -> None:
        """Raise SlackBusy if a post to this conversation has to wait."""
        self.calls.check(("chat.postMessage", conversation_id))

    async def post(
        self,
        conversation_id: str,
        payload: dict[str, Any],
        *,
        thread_ts: str | None = None,
        author: Profile | None = None,
        key: str,
    ) -> tuple[str, str]:
        """
        Post a message; return its conversation (a person's id becomes the DM's) and `ts`.

        *key* goes into the message's metadata: by it `find` recognises a post whose answer was lost.
        """
        arguments: dict[str, Any] = {
            "metadata": {"event_type": "texting_post", "event_payload": {"key": key}},
            "unfurl_links": False,
            "unfurl_media": False,
            **payload,
        }
        if thread_ts is not None:
            arguments["thread_ts"] = thread_ts
        if author is not None:
            arguments["username"] = author.name
            if author.picture_url:
                arguments["icon_url"] = author.picture_url
            elif author.emoji:
                arguments["icon_emoji"] = author.emoji
        answer = await self._call(
            "chat.postMessage",
            self._client.chat_postMessage,
            gate=conversation_id,
            channel=conversation_id,
            **arguments,
        )
        if not answer.get("ts"):
            raise SlackTrouble("chat.postMessage without ts")
        return str(answer.get("channel") or conversation_id), str(answer["ts"])

    async def update(self, conversation_id: str, ts: str, payload: dict[str, Any]) -> None:
        """Edit one of our messages. *payload* has both `text` and `blocks`: leaving one out removes it."""
        await self._call(
            "chat.update",
            self._client.chat_update,
            within=_UPDATE_SECONDS,
            channel=conversation_id,
            ts=ts,
            **payload,
        )

    async def react(self, conversation_id: str, ts: str, name: str) -> None:
        """Put a reaction of ours on a message. One that is there already is as good; a message may be gone."""
        await self._mark("reactions.add", self._client.reactions_add, conversation_id, ts, name)

    async def unreact(self, conversation_id: str, ts: str, name: str) -> None:
        """Take a reaction of ours off a message."""
        await self._mark("reactions.remove", self._client.reactions_remove, conversation_id, ts, name)

    async def reactions_on(self, conversation_id: str, ts: str) -> set[str]:
        """Return the names of the reactions on a message, whoever put them there."""
        answer = await self._call(
            "reactions.get", self._client.reactions_get, channel=conversation_id, timestamp=ts, full=True
        )
        found = objects_in(object_in(answer, "message"), "reactions")
        return {str(one.get("name")) for one in found if one.get("count")}

    async def _mark(
        self, name: str, method: Callable[..., Awaitable[AsyncSlackResponse]], home: str, ts: str, emoji: str
    ) -> None:
        try:
            await self._call(name, method, channel=home, timestamp=ts, name=emoji)
        except SlackRefused as refused:
            if refused.code in TOKEN_ERRORS:
                raise
            if refused.code not in {"already_reacted", "no_reaction", "message_not_found"}:
                logger.warning("mark_refused error=%s", refused.code)

    async def whisper(
        self, conversation_id: str, user_id: str, payload: dict[str, Any], *, thread_ts: str | None = None
    ) -> None:
        """Show somebody a message that nobody else sees, and that is gone when they reload."""
        arguments: dict[str, Any] = payload if thread_ts is None else {**payload, "thread_ts": thread_ts}
        await self._call(
            "chat.postEphemeral",
            self._client.chat_postEphemeral,
            gate=conversation_id,
            channel=conversation_id,
            user=user_id,
            **arguments,
        )

    async def open_view(self, trigger_id: str, view: dict[str, Any]) -> dict[str, Any]:
        """Open a form in front of whoever clicked within the last three seconds; return it as Slack has it."""
        return _view(await self._call("views.open", self._client.views_open, trigger_id=trigger_id, view=view))

    async def update_view(self, view_id: str, view: dict[str, Any], *, made_from: str | None) -> dict[str, Any]:
        """
        Show something else in an open form; return it as Slack has it. What was written stays in fields that stay.

        *made_from* is the `hash` of the form that this one was made from: Slack refuses (`hash_conflict`) if it was
        changed since. None does not ask.
        """
        arguments: dict[str, Any] = {} if made_from is None else {"hash": made_from}
        updated = await self._call(
            "views.update", self._client.views_update, gate=view_id, view_id=view_id, view=view, **arguments
        )
        return _view(updated)

    async def find_lost(
        self, conversation_id: str, key: str, *, thread_ts: str | None = None, since: datetime
    ) -> str | None:
        """
        Look for a post that was begun at *since* and whose answer was lost; return its `ts`.

        If Slack will not let us look, it counts as not posted. Raises SlackBusy while it may still be on its way.
        """
        age = datetime.now(UTC) - since
        if age < _POST_LANDS:
            raise SlackBusy(_POST_LANDS - age)
        try:
            oldest = (since - _CLOCKS_DIFFER).timestamp()
            return await self.find(conversation_id, key, thread_ts=thread_ts, since=oldest)
        except SlackRefused as refused:
            logger.warning("lost_post_not_looked_for error=%s", refused.code)
            return None

    async def find(self, conversation_id: str, key: str, *, thread_ts: str | None, since: float) -> str | None:
        """Look for a post of ours by its key, no older than *since* (epoch seconds); return its `ts`."""
        oldest = f"{since:.6f}"
        if thread_ts is None:
            answer = await self._call(
                "conversations.history",
                self._client.conversations_history,
                channel=conversation_id,
                oldest=oldest,
                limit=200,
                include_all_metadata=True,
            )
        else:
            answer = await self._call(
                "conversations.replies",
                self._client.conversations_replies,
                channel=conversation_id,
                ts=thread_ts,
                oldest=oldest,
                limit=200,
                include_all_metadata=True,
            )
        for message in objects_in(answer, "messages"):
            payload = object_in(object_in(message, "metadata"), "event_payload")
            if payload.get("key") == key and message.get("ts"):
                return str(message["ts"])
        return None

    async def card_exists(self, conversation_id: str, ts: str) -> bool:
        """
        Say whether a thread's first message still stands.

        Posting with the `thread_ts` of a deleted message would put every text at the channel's root.
        """
        try:
            answer = await self._call(
                "conversations.replies", self._client.conversations_replies, channel=conversation_id, ts=ts, limit=1
            )
        except SlackRefused as refused:
            return refused.code not in {"thread_not_found", "message_not_found"}
        return all(message.get("subtype") != "tombstone" for message in objects_in(answer, "messages"))

    async def respond(self, response_url: str, payload: dict[str, Any]) -> None:
        """Tell who typed a command something more, where they typed it, and nobody else: up to 30 minutes later."""
        await self.calls.deliver(response_url, json={"response_type": "ephemeral", **payload})

    def permalink(self, conversation_id: str, ts: str, *, thread_ts: str | None = None) -> str | None:
        """Return a message's address, as Slack's own "Copy link" spells it; None until we know our workspace."""
        url = str(self.identity.get("url") or "").rstrip("/")
        if not url:
            return None
        place = f"?thread_ts={thread_ts}&cid={conversation_id}" if thread_ts else ""
        return f"{url}/archives/{conversation_id}/p{ts.replace('.', '')}{place}"


def _view(answer: dict[str, Any]) -> dict[str, Any]:
    return object_in(answer, "view")


def mortal_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """
    Make a socket on which nothing arrives long after it was sent, not even once the network is back.

    By then another process may lead, and has seen for itself what of ours Slack shows.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    if (option := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:  # not on every system
        made.setsockopt(socket.IPPROTO_TCP, option, _UNACKNOWLEDGED_MS)
    return made


@asynccontextmanager
async def open_slack(token: str, base_url: str) -> AsyncIterator[tuple[Slack, AsyncWebClient]]:
    """
    Open the pooled session that every call to Slack shares, the client and our view of it.

    The client's own retries are off: they would post a message again whose answer was lost.
    """
    connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=60, socket_factory=mortal_socket)
    timeout = aiohttp.ClientTimeout(total=30, connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        client = AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])
        yield Slack(client), client
