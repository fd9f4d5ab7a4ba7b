"""
The bot speaking first: posts and edits in Slack, with every failure sorted into what can be done about it.

    SlackError
    ├── SlackBusy      rate-limited; says for how long
    ├── SlackTrouble   no answer, or none that can be read: it may have happened
    └── SlackRefused   Slack's own `error`; trying the same again will not help
"""

import asyncio
import logging
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import IO, Any
from weakref import WeakValueDictionary

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from bot.asked import Asked
from bot.breaker import Breaker
from bot.jitter import jittered
from bot.members import Member, Profile, read_member
from bot.reading.request import storable

logger = logging.getLogger(__name__)

#: What an `error` of Slack's looks like: it is logged. Anything else is none that we can read.
_ERROR = re.compile(r"[\w.:-]{1,100}", re.ASCII)

#: `error` values that a later attempt can outlive. Source: Slack, "Web API", general errors.
_TRANSIENT = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}

#: `error` values that mean our token is of no more use.
TOKEN_ERRORS = {
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_authed",
    "org_login_required",
}

#: Seconds between two calls of a method that was refused lately, and for how long it counts as lately.
#: Source: Slack, "Rate limits": one message per second per channel, short bursts tolerated.
_PACE = 1.0
_PACED_FOR = 30.0

#: What is asked by itself, for each thread there is something to draw in. While Slack is away this waits.
_DRAWING = {
    "chat.postMessage",
    "chat.update",
    "reactions.add",
    "reactions.remove",
    "conversations.history",
    "conversations.replies",
}

#: Slack's clock may differ from ours by this much when a lost post is looked for.
_CLOCKS_DIFFER = timedelta(minutes=10)

#: A post of a process that died may still be on its way to Slack; after this long it has arrived or never will.
_POST_LANDS = timedelta(seconds=2)

#: For how long the kernel tries to send what the other side does not acknowledge: less than it takes another process
#: to lead instead of us (see `bot.leading`).
_UNACKNOWLEDGED_MS = 10_000

#: Few messages are edited at once, so one edit must not hold the others up. It can be made again without harm.
_UPDATE_SECONDS = 10.0

#: A file may be large. What does not get on is noticed by nobody else, so the whole of it has a bound.
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=5)
_DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
_PIECE = 64 * 1024  # bytes

#: Where files of Slack's are, and how often we follow it there.
_SLACKS = ".slack.com"
_REDIRECTS = 4
_REDIRECTING = {301, 302, 303, 307, 308}

#: Who asks about somebody waits with all who do, so one call must not hold them up: the next one may be answered.
_ASKED_SECONDS = 5.0

#: Slack tells of its members by the page; of a large workspace those who joined first are enough to begin with.
_PAGE_OF_MEMBERS = 200
_PAGES_MET = 5

#: Who is in a conversation, by the page; in one that is larger than all these, nobody else counts as in it.
_PAGE_OF_INSIDERS = 999
_PAGES_OF_INSIDERS = 10

#: What a call raises that is not answered, or not with what can be read. AttributeError is what slack_sdk raises for an
#: answer that is text where JSON was promised, RecursionError is JSON nested beyond all reason.
_NO_ANSWER = (
    *(SlackClientError, aiohttp.ClientError, TimeoutError, OSError),
    *(AttributeError, RecursionError, ValueError),
)

#: `error` values of people whom our workspace does not show us, and of groups that nobody is in.
_NOT_OURS = {"user_not_found", "user_not_visible"}
_NO_GROUP = {"no_such_subteam", "subteam_not_found"}

#: `error` values of conversations that we are not in: what we do not see, nobody is shown by us.
_NOT_IN = {"channel_not_found", "not_in_channel"}

_KNOWN_FOR = timedelta(hours=1).total_seconds()
_ASK_AGAIN_AFTER = timedelta(minutes=1).total_seconds()


#: However long a wait Slack asks for, or what stands before it: it is asked again after this long, which is no load.
_LONGEST_WAIT = timedelta(minutes=1).total_seconds()

#: What did not succeed is tried again after this long at the latest.
_LONGEST_PAUSE = timedelta(minutes=1)


class SlackError(Exception):
    """A call to Slack did not succeed."""


class SlackBusy(SlackError):
    """Slack asks us to wait; nothing happened."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"retry after {retry_after.total_seconds():.0f} s")
        self.retry_after = retry_after


class SlackTrouble(SlackError):
    """The outcome is unknown: the call may have had its effect."""


class SlackRefused(SlackError):
    """Slack says no; `code` is its `error`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation in Slack and whether a thread can live there."""

    usable: bool
    archived: bool = False
    name: str | None = None  # of a channel that everybody may know
    direct: bool = False  # a conversation of two people or a few, and no channel


class Download:
    """A file that is being read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.content_type = response.headers.get("Content-Type", "").lower()
        self.length = response.content_length  # bytes; None: Slack does not say

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield it piece by piece. Raises SlackTrouble when it breaks off."""
        try:
            async for piece in self._response.content.iter_chunked(_PIECE):
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackTrouble(type(error).__name__) from error


class Slack:
    """The calls we make, one method each."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._not_before: dict[tuple[str, str], float] = {}  # by method and gate
        self._paced_until: dict[tuple[str, str], float] = {}
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._breakers = {method: Breaker(f"slack_{method}") for method in _DRAWING}
        self.members: Asked[Member] = Asked(self._member)  # by user id; asking raises SlackError
        self.groups: Asked[frozenset[str]] = Asked(self._group)  # a user group's user ids; asking raises SlackError
        self.insiders: Asked[frozenset[str]] = Asked(self._insiders)  # a conversation's user ids; the same
        self._nameless_until: dict[str, float] = {}  # people whom Slack was asked about lately, and did not tell of
        self._places: dict[str, tuple[float, Place]] = {}
        self._directs: dict[str, str] = {}  # people's ids to those of our direct messages with them
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
        self._check(("chat.postMessage", conversation_id))

    def _check(self, limit: tuple[str, str]) -> None:
        wait = self._not_before.get(limit, 0.0) - time.monotonic()
        if wait > 0:
            raise SlackBusy(timedelta(seconds=wait))

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
        found = _objects(_object(answer, "message"), "reactions")
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

    async def direct(self, user_id: str) -> str:
        """
        Return the id of our direct messages with somebody, remembered for good.

        If Slack refuses to tell it is the person's own id: that can be posted to as well, but not looked into.
        """
        if user_id not in self._directs:
            try:
                answer = await self._call("conversations.open", self._client.conversations_open, users=user_id)
            except SlackRefused as refused:
                if refused.code in TOKEN_ERRORS:
                    raise
                logger.warning("direct_messages_not_opened error=%s", refused.code)
                return user_id
            self._directs[user_id] = str(_object(answer, "channel").get("id") or user_id)
        return self._directs[user_id]

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
        for message in _objects(answer, "messages"):
            payload = _object(_object(message, "metadata"), "event_payload")
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
        return all(message.get("subtype") != "tombstone" for message in _objects(answer, "messages"))

    async def join(self, conversation_id: str) -> None:
        """Join a public channel."""
        await self._call("conversations.join", self._client.conversations_join, channel=conversation_id)

    async def place(self, conversation_id: str) -> Place:
        """Say whether a thread can live in a conversation: we are in it, or may join it. Remembered for a while."""
        kept = self._places.get(conversation_id)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            answer = await self._call("conversations.info", self._client.conversations_info, channel=conversation_id)
        except SlackRefused as refused:
            if refused.code != "channel_not_found":  # we are not allowed to ask: posting will tell
                logger.warning("place_unknown error=%s", refused.code)
                return Place(usable=True)
            return Place(usable=False)
        channel = _object(answer, "channel")
        archived = bool(channel.get("is_archived"))
        inside = channel.get("is_member", True) or channel.get("is_im") or not channel.get("is_private")
        public = not any(channel.get(key) for key in ("is_private", "is_im", "is_mpim"))
        name = str(channel.get("name") or "") or None if public else None
        direct = any(channel.get(key) for key in ("is_im", "is_mpim"))
        place = Place(usable=bool(inside) and not archived, archived=archived, name=name, direct=direct)
        if place.usable:  # what is in the way is usually removed at once, so a "no" is not remembered
            self._places[conversation_id] = (time.monotonic() + _KNOWN_FOR, place)
        return place

    def known_places(self, conversation_ids: Iterable[str]) -> list[Place]:
        """Return what is known of conversations, without asking."""
        return [self._places[one][1] for one in sorted(conversation_ids) if one in self._places]

    def forget_place(self, conversation_id: str) -> None:
        """What was known of a conversation turned out wrong."""
        self._places.pop(conversation_id, None)

    async def profile(self, user_id: str, *, fallback: str) -> Profile:
        """Return a person's name and picture, remembered for an hour. Never fails: *fallback* is the name then."""
        member = self.members.known(user_id, seconds=_KNOWN_FOR)
        if member is None and self._nameless_until.get(user_id, 0.0) < time.monotonic():
            try:
                member = await self.members.get(user_id, seconds=_KNOWN_FOR)
            except SlackError as error:
                logger.warning("profile_unknown error=%s", error)
                self._nameless_until[user_id] = time.monotonic() + _ASK_AGAIN_AFTER
        if member is None:
            return Profile(fallback, None)
        return member.profile if member.profile.name else replace(member.profile, name=fallback)

    def knows(self, user_id: str) -> bool:
        """Say whether Slack has told us who somebody is."""
        return self.members.known(user_id, seconds=_KNOWN_FOR) is not None

    async def meet_members(self) -> int:
        """Learn who is in the workspace before anybody does anything; return how many. Raises SlackError."""
        met, cursor = 0, ""
        for _ in range(_PAGES_MET):
            answer = await self._call("users.list", self._client.users_list, limit=_PAGE_OF_MEMBERS, cursor=cursor)
            for user in _objects(answer, "members"):
                member = read_member(user)
                self.members.put(member.user_id, member)
                met += 1
            cursor = str(_object(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                break
        return met

    async def _member(self, user_id: str) -> Member:
        try:
            async with _in_time("users.info", _ASKED_SECONDS):
                answer = await self._call("users.info", self._client.users_info, user=user_id)
        except SlackRefused as refused:
            if refused.code not in _NOT_OURS:
                raise
            return Member(user_id, Profile("", None), is_stranger=True)
        return replace(read_member(_object(answer, "user")), user_id=user_id)

    async def _group(self, group_id: str) -> frozenset[str]:
        try:
            async with _in_time("usergroups.users.list", _ASKED_SECONDS):
                answer = await self._call(
                    "usergroups.users.list", self._client.usergroups_users_list, usergroup=group_id
                )
        except SlackRefused as refused:
            if refused.code not in _NO_GROUP:
                raise
            logger.warning("group_unknown group=%s error=%s (see TEXT_GROUPS)", group_id, refused.code)
            return frozenset()
        return frozenset(map(str, _list(answer, "users")))

    async def _insiders(self, conversation_id: str) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        for _ in range(_PAGES_OF_INSIDERS):
            try:
                async with _in_time("conversations.members", _ASKED_SECONDS):
                    answer = await self._call(
                        "conversations.members",
                        self._client.conversations_members,
                        channel=conversation_id,
                        limit=_PAGE_OF_INSIDERS,
                        cursor=cursor,
                    )
            except SlackRefused as refused:
                if refused.code not in _NOT_IN:
                    raise
                return frozenset()
            found |= set(map(str, _list(answer, "members")))
            cursor = str(_object(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(found)

    async def send_file(
        self, content: bytes | IO[bytes], *, filename: str, length: int | None = None, alt_text: str = ""
    ) -> str:
        """
        Give Slack a file; return its id. Nobody sees it before `share_files`, so it can be sent again.

        One that is on the disk is read as it is sent, and has a *length* in bytes.

        Not slack_sdk's `files_upload_v2`: that does both in one, and raises errors of other kinds.
        """
        answer = await self._call(
            "files.getUploadURLExternal",
            self._client.files_getUploadURLExternal,
            filename=filename,
            length=len(content) if isinstance(content, bytes) else length,
            alt_txt=alt_text or None,
        )
        if not answer.get("upload_url") or not answer.get("file_id"):
            raise SlackTrouble("files.getUploadURLExternal without upload_url")
        await self._deliver(
            str(answer["upload_url"]),
            data=content,
            headers={"Content-Type": "application/octet-stream"},
            timeout=_UPLOAD_TIMEOUT,
        )
        return str(answer["file_id"])

    async def share_file(self, file_id: str, conversation_id: str, *, title: str, comment: str) -> None:
        """Post a file in a conversation with *comment* (mrkdwn) above it."""
        await self.share_files({file_id: title}, conversation_id, comment=comment)

    async def share_files(
        self, titles: Mapping[str, str], conversation_id: str, *, thread_ts: str | None = None, comment: str = ""
    ) -> None:
        """Post files, of which *titles* has the ids, in one message. Slack takes no person's id for a conversation."""
        await self._call(
            "files.completeUploadExternal",
            self._client.files_completeUploadExternal,
            files=[{"id": file_id, "title": title} for file_id, title in titles.items()],
            channel_id=conversation_id,
            thread_ts=thread_ts,
            initial_comment=comment or None,
        )

    async def file(self, file_id: str) -> dict[str, Any]:
        """Return a file as Slack tells of it now, with where it is shared."""
        answer = await self._call("files.info", self._client.files_info, file=file_id)
        return _object(answer, "file")

    @asynccontextmanager
    async def download(self, file: Mapping[str, Any]) -> AsyncIterator[Download]:
        """
        Open the bytes of a file, as `file` returns it. Raises SlackError.

        Only Slack gets our token, wherever the file's address or a redirect may lead.
        """
        url = URL(str(file.get("url_private_download") or file.get("url_private") or ""))
        session = self._session
        headers = {"Authorization": f"Bearer {self._client.token}", "Accept-Encoding": "identity"}
        try:
            for _ in range(_REDIRECTS):
                if not self._is_slacks(url):
                    raise SlackRefused("not_slacks")
                async with session.get(
                    url, headers=headers, allow_redirects=False, timeout=_DOWNLOAD_TIMEOUT
                ) as response:
                    if response.status in _REDIRECTING and "Location" in response.headers:
                        url = url.join(URL(response.headers["Location"]))
                        continue
                    _check_status(response)
                    yield Download(response)
                    return
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SlackTrouble(type(error).__name__) from None  # what it says may name the file
        raise SlackRefused("too_many_redirects")

    def _is_slacks(self, url: URL) -> bool:
        """Say whether an address is Slack's own: over https, or where its API is."""
        api, host = URL(self._client.base_url), url.host or ""
        if (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port):
            return True
        return url.scheme == "https" and url.explicit_port is None and (host == "slack.com" or host.endswith(_SLACKS))

    async def respond(self, response_url: str, payload: dict[str, Any]) -> None:
        """Tell who typed a command something more, where they typed it, and nobody else: up to 30 minutes later."""
        await self._deliver(response_url, json={"response_type": "ephemeral", **payload})

    async def _deliver(self, url: str, **request: Any) -> None:
        """POST to an address that Slack gave us for this and that needs no token."""
        try:
            async with self._session.post(url, allow_redirects=False, **request) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SlackTrouble(type(error).__name__) from error
        _check_status(response)

    @property
    def _session(self) -> aiohttp.ClientSession:
        session = self._client.session
        assert session is not None  # noqa: S101  (`open_slack` gave it one)
        return session

    def permalink(self, conversation_id: str, ts: str, *, thread_ts: str | None = None) -> str | None:
        """Return a message's address, as Slack's own "Copy link" spells it; None until we know our workspace."""
        url = str(self.identity.get("url") or "").rstrip("/")
        if not url:
            return None
        place = f"?thread_ts={thread_ts}&cid={conversation_id}" if thread_ts else ""
        return f"{url}/archives/{conversation_id}/p{ts.replace('.', '')}{place}"

    async def _call(
        self,
        name: str,
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        /,
        *,
        gate: str = "",
        within: float | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """
        Call one method, *within* so many seconds. What draws waits for its turn before that, if Slack is or was away.

        After a 429 the same method (and *gate*) is left alone for as long as Slack said. For a while after that its
        calls go one at a time and a second apart, which is what Slack allows in the long run: those that waited
        together would only be refused together.
        """
        limit = (name, gate)
        if self._paced_until.get(limit, 0.0) < time.monotonic():
            return await self._ask(limit, method, arguments, within)
        async with self._turns.setdefault(limit, asyncio.Lock()):
            answer = await self._ask(limit, method, arguments, within)
            self._not_before[limit] = time.monotonic() + _PACE
            return answer

    async def _ask(
        self,
        limit: tuple[str, str],
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        arguments: dict[str, Any],
        within: float | None,
    ) -> dict[str, Any]:
        self._check(limit)
        breaker = self._breakers.get(limit[0])
        if breaker is None:
            return await self._answer(limit, method, arguments, within)
        await breaker.turn()
        try:
            answer = await self._answer(limit, method, arguments, within)
        except SlackTrouble:
            breaker.failed()
            raise
        except SlackError:
            breaker.succeeded()  # it answers
            raise
        breaker.succeeded()
        return answer

    async def _answer(
        self,
        limit: tuple[str, str],
        method: Callable[..., Awaitable[AsyncSlackResponse]],
        arguments: dict[str, Any],
        within: float | None,
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(within):
                response = await method(**arguments)
            return storable(response.data) if isinstance(response.data, dict) else {}
        except SlackApiError as error:
            raise self._sorted(limit, error) from error
        except _NO_ANSWER as error:
            raise SlackTrouble(type(error).__name__) from error

    def _sorted(self, limit: tuple[str, str], error: SlackApiError) -> SlackError:
        response = error.response
        status = getattr(response, "status_code", None)
        data = getattr(response, "data", None)
        said = data.get("error") if isinstance(data, dict) else None
        code = said if isinstance(said, str) and _ERROR.fullmatch(said) else None
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in {"ratelimited", "rate_limited"}:
            headers = getattr(response, "headers", None) or {}
            seconds = _seconds(headers.get("Retry-After") or headers.get("retry-after"))
            self._leave_alone(limit, seconds)
            return SlackBusy(timedelta(seconds=seconds))
        if code is None or code in _TRANSIENT:
            return SlackTrouble(str(code or status))
        if code in TOKEN_ERRORS:
            logger.error("slack_token_refused error=%s (renew SLACK_BOT_TOKEN)", code)
        return SlackRefused(code)

    def _leave_alone(self, limit: tuple[str, str], seconds: float) -> None:
        """Call a method no more for so long, and forget of which that is over: there are as many as forms opened."""
        now = time.monotonic()
        for moments in (self._not_before, self._paced_until):
            for over in [one for one, moment in moments.items() if moment < now]:
                del moments[over]
        self._not_before[limit] = now + seconds
        self._paced_until[limit] = now + seconds + _PACED_FOR


def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise SlackBusy(timedelta(seconds=_seconds(response.headers.get("Retry-After"))))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SlackTrouble(str(response.status))
    if response.status != HTTPStatus.OK:
        raise SlackRefused(f"http_{response.status}")


@asynccontextmanager
async def _in_time(name: str, seconds: float) -> AsyncIterator[None]:
    """Raise SlackTrouble if a call takes too long."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SlackTrouble(f"{name} took too long") from error


def _view(answer: dict[str, Any]) -> dict[str, Any]:
    return _object(answer, "view")


def _object(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _list(of: Mapping[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    return value if isinstance(value, list) else []


def _objects(of: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in _list(of, name) if isinstance(one, dict)]


def pause_after(error: SlackError, failures: int) -> timedelta:
    """Say how long to leave alone what did not succeed, ever longer; *failures* are those in a row before."""
    if isinstance(error, SlackRefused) and error.code in TOKEN_ERRORS:
        return _LONGEST_PAUSE
    return jittered(min(timedelta(seconds=2 ** min(failures, 10)), _LONGEST_PAUSE))


def _seconds(header: str | None) -> float:
    try:
        return min(max(1.0, float(header or 1)), _LONGEST_WAIT)
    except ValueError:
        return 30.0


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
