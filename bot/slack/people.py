"""Who is who in the workspace: its members, their groups, and who is in which conversation; asked, and remembered."""

import logging
import time
from dataclasses import replace
from datetime import timedelta

from bot.slack.answers import list_in, object_in, objects_in
from bot.slack.asked import Asked
from bot.slack.calls import Calls, in_time
from bot.slack.errors import SlackError, SlackRefused
from bot.slack.members import Member, Profile, read_member

logger = logging.getLogger(__name__)

#: Who asks about somebody waits with all who do, so one call must not hold them up: the next one may be answered.
_ASKED_SECONDS = 5.0

#: Slack tells of its members by the page; of a large workspace those who joined first are enough to begin with.
_PAGE_OF_MEMBERS = 200
_PAGES_MET = 5

#: Who is in a conversation, by the page; in one that is larger than all these, nobody else counts as in it.
_PAGE_OF_INSIDERS = 999
_PAGES_OF_INSIDERS = 10

#: `error` values of people whom our workspace does not show us, and of groups that nobody is in.
_NOT_OURS = {"user_not_found", "user_not_visible"}
_NO_GROUP = {"no_such_subteam", "subteam_not_found"}

#: `error` values of conversations that we are not in: what we do not see, nobody is shown by us.
_NOT_IN = {"channel_not_found", "not_in_channel"}

_KNOWN_FOR = timedelta(hours=1).total_seconds()
_ASK_AGAIN_AFTER = timedelta(minutes=1).total_seconds()


class People:
    """Answers about people, each with its age. Asking raises SlackError."""

    def __init__(self, calls: Calls) -> None:
        self._call, self._client = calls.call, calls.client
        self.members: Asked[Member] = Asked(self._member)  # by user id
        self.groups: Asked[frozenset[str]] = Asked(self._group)  # a user group's user ids
        self.insiders: Asked[frozenset[str]] = Asked(self._insiders)  # a conversation's user ids
        self._nameless_until: dict[str, float] = {}  # people whom Slack was asked about lately, and did not tell of

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

    async def meet(self) -> int:
        """Learn who is in the workspace before anybody does anything; return how many. Raises SlackError."""
        met, cursor = 0, ""
        for _ in range(_PAGES_MET):
            answer = await self._call("users.list", self._client.users_list, limit=_PAGE_OF_MEMBERS, cursor=cursor)
            for user in objects_in(answer, "members"):
                member = read_member(user)
                self.members.put(member.user_id, member)
                met += 1
            cursor = str(object_in(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                break
        return met

    async def _member(self, user_id: str) -> Member:
        try:
            async with in_time("users.info", _ASKED_SECONDS):
                answer = await self._call("users.info", self._client.users_info, user=user_id)
        except SlackRefused as refused:
            if refused.code not in _NOT_OURS:
                raise
            return Member(user_id, Profile("", None), is_stranger=True)
        return replace(read_member(object_in(answer, "user")), user_id=user_id)

    async def _group(self, group_id: str) -> frozenset[str]:
        try:
            async with in_time("usergroups.users.list", _ASKED_SECONDS):
                answer = await self._call(
                    "usergroups.users.list", self._client.usergroups_users_list, usergroup=group_id
                )
        except SlackRefused as refused:
            if refused.code not in _NO_GROUP:
                raise
            logger.warning("group_unknown group=%s error=%s (see TEXT_GROUPS)", group_id, refused.code)
            return frozenset()
        return frozenset(map(str, list_in(answer, "users")))

    async def _insiders(self, conversation_id: str) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        for _ in range(_PAGES_OF_INSIDERS):
            try:
                async with in_time("conversations.members", _ASKED_SECONDS):
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
            found |= set(map(str, list_in(answer, "members")))
            cursor = str(object_in(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(found)
