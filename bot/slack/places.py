"""The conversations of the workspace: which of them a thread can live in."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.slack.answers import object_in
from bot.slack.calls import Calls
from bot.slack.errors import TOKEN_ERRORS, SlackRefused

logger = logging.getLogger(__name__)

_KNOWN_FOR = timedelta(hours=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation in Slack and whether a thread can live there."""

    usable: bool
    archived: bool = False
    name: str | None = None  # of a channel that everybody may know
    direct: bool = False  # a conversation of two people or a few, and no channel


class Places:
    """Conversations, as Slack told of them. Asking raises SlackError."""

    def __init__(self, calls: Calls) -> None:
        self._call, self._client = calls.call, calls.client
        self._places: dict[str, tuple[float, Place]] = {}
        self._directs: dict[str, str] = {}  # people's ids to those of our direct messages with them

    async def get(self, conversation_id: str) -> Place:
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
        channel = object_in(answer, "channel")
        archived = bool(channel.get("is_archived"))
        inside = channel.get("is_member", True) or channel.get("is_im") or not channel.get("is_private")
        public = not any(channel.get(key) for key in ("is_private", "is_im", "is_mpim"))
        name = str(channel.get("name") or "") or None if public else None
        direct = any(channel.get(key) for key in ("is_im", "is_mpim"))
        place = Place(usable=bool(inside) and not archived, archived=archived, name=name, direct=direct)
        if place.usable:  # what is in the way is usually removed at once, so a "no" is not remembered
            self._places[conversation_id] = (time.monotonic() + _KNOWN_FOR, place)
        return place

    def known(self, conversation_ids: Iterable[str]) -> list[Place]:
        """Return what is known of conversations, without asking."""
        return [self._places[one][1] for one in sorted(conversation_ids) if one in self._places]

    def forget(self, conversation_id: str) -> None:
        """What was known of a conversation turned out wrong."""
        self._places.pop(conversation_id, None)

    async def join(self, conversation_id: str) -> None:
        """Join a public channel."""
        await self._call("conversations.join", self._client.conversations_join, channel=conversation_id)

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
            self._directs[user_id] = str(object_in(answer, "channel").get("id") or user_id)
        return self._directs[user_id]
