"""Who may text, and from where. Slack says who somebody is; whoever may not is told why, and whom to ask."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from bot.background import beside, comes
from bot.settings import Settings
from bot.slack.asked import Asked
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.slack.members import Member
from bot.storage.audit import REFUSAL, Audit, Entry
from bot.texting.errors import NotPermitted

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: What Slack said counts for so long. If Slack does not answer, its last answer counts longer.
FRESH_SECONDS = 300.0
LAST_SECONDS = 3600.0

#: Whoever did something lately is asked about again before that, so that they need not wait for it.
ROUND_SECONDS = 60.0
_AGAIN_AFTER_SECONDS = FRESH_SECONDS - 2 * ROUND_SECONDS
_LATELY_SECONDS = LAST_SECONDS
_MOST_A_ROUND = 50

#: How long somebody waits for what Slack says of them: if it has said so before, and if it never has.
_KNOWN_WAIT_SECONDS = 0.5
_UNKNOWN_WAIT_SECONDS = 1.0

#: How long the start waits for Slack to say who is in the workspace.
_START_SECONDS = 1.0

#: So many admins and channels are named: nobody reads more.
_MOST_NAMED = 3

_NOBODY_NAMED = "whoever looks after texting here"
_SLACK_ADMIN = "an admin of this Slack workspace"


class Why(StrEnum):
    """Why somebody may not."""

    GONE = "deactivated"
    BOT = "bot"
    EXTERNAL = "external"
    GUEST = "guest"
    UNLISTED = "unlisted"  # others may
    ELSEWHERE = "elsewhere"  # they may, but not there
    UNKNOWN = "unknown"  # Slack does not say who they are


#: What people are told; `whom` is to be asked, `where` is where it works.
WORDS = {
    Why.GONE: "This account is switched off in Slack, so nothing was done.",
    Why.BOT: "Only people can text, so nothing was done.",
    Why.EXTERNAL: (
        "People from other workspaces cannot text customers or see the address book here. Ask {whom} if you need to."
    ),
    Why.GUEST: "Guests cannot text customers or see the address book here. Ask {whom} if you need to.",
    Why.UNLISTED: "Only some people here may text customers and see the address book. Ask {whom} to let you in.",
    Why.ELSEWHERE: "Texts cannot be sent from this conversation{where}. Ask {whom} if that should change.",
    Why.UNKNOWN: "Slack did not say in time who you are, so nothing was done. Try again in a minute.",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may text, as the settings have it. What is empty restricts nobody."""

    channels: frozenset[str] = frozenset()  # conversations' ids
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()  # empty: those of the Slack workspace
    allow_guests: bool = False
    allow_external: bool = False

    @property
    def listed(self) -> bool:
        return bool(self.users or self.groups)


def read_rules(settings: Settings) -> Rules:
    return Rules(
        channels=settings.text_channels,
        users=settings.text_users,
        groups=settings.text_groups,
        admins=settings.text_admins,
        allow_guests=settings.allow_guests,
        allow_external=settings.allow_external,
    )


@dataclass(frozen=True, slots=True)
class Home:
    """Our workspace; None: not known yet."""

    team_id: str | None
    enterprise_id: str | None = None


def is_external(member: Member, home: Home, *, team_id: str | None = None) -> bool:
    """Say whether somebody comes from another workspace. *team_id* is where Slack says that they act from."""
    if member.is_stranger:
        return True
    if home.enterprise_id and member.enterprise_id == home.enterprise_id:
        return False
    return bool(home.team_id) and any(team != home.team_id for team in (member.team_id, team_id) if team)


def is_admin(member: Member, rules: Rules, home: Home) -> bool:
    """Say whether somebody may what an admin may."""
    if rules.admins:
        return member.user_id in rules.admins
    return member.is_admin and not is_external(member, home)


def stands_in_the_way(
    member: Member, rules: Rules, home: Home, *, team_id: str | None = None, in_group: bool = False
) -> Why | None:
    """Say why somebody may not text, wherever they are."""
    if member.is_gone:
        return Why.GONE
    if member.is_bot:
        return Why.BOT
    if not rules.allow_external and is_external(member, home, team_id=team_id):
        return Why.EXTERNAL
    if not rules.allow_guests and member.is_guest:
        return Why.GUEST
    if rules.listed and not (in_group or member.user_id in rules.users or is_admin(member, rules, home)):
        return Why.UNLISTED
    return None


class Permission:
    """The rules, applied to people as Slack knows them."""

    def __init__(self, *, slack: Slack, rules: Rules, audit: Audit) -> None:
        self._slack = slack
        self._rules = rules
        self._audit = audit
        self._active: dict[str, float] = {}  # when somebody last did something, by their id
        self._met = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Permission"]:
        """Keep what we know of people fresh until the block is left."""
        async with beside(self._keep_fresh(), "permission"):
            if not await comes(self._met, _START_SECONDS):
                logger.info("members_not_met_yet")
            yield self

    async def check(self, *, user_id: str, conversation_id: str | None, team_id: str | None = None) -> None:
        """
        Raise NotPermitted if somebody may not text, and put that on record.

        *conversation_id* is where they text from, if that matters; *team_id* is the workspace they act from, as Slack
        says. Slack is asked only about people it has not told us of lately, and never for longer than a second.
        """
        self._active[user_id] = time.monotonic()
        member, in_group = await self._look_up(user_id)
        why = self._why_not(member, in_group=in_group, team_id=team_id)
        if why is None and conversation_id and self._rules.channels and conversation_id not in self._rules.channels:
            why = Why.ELSEWHERE
        if why is None:
            return
        refused = NotPermitted(words=self._words(why), why=why)
        logger.info("not_permitted user=%s why=%s conversation=%s", user_id, why, conversation_id)
        name = member.profile.name if member else ""
        await self._audit.record(
            Entry(
                user_id=user_id,
                user_name=name or "Somebody",
                action=REFUSAL,
                reason=refused.reason,
                conversation_id=conversation_id,
            )
        )
        raise refused

    async def why_not(self, user_id: str) -> Why | None:
        """Say why somebody may not text, wherever they are; None if they may. Nothing is put on record."""
        member, in_group = await self._look_up(user_id)
        return self._why_not(member, in_group=in_group)

    async def is_admin(self, user_id: str) -> bool:
        """Say whether somebody may what an admin may; of whom Slack does not tell is none."""
        if self._rules.admins:
            return user_id in self._rules.admins
        self._active[user_id] = time.monotonic()
        member = await self._member(user_id)
        return member is not None and is_admin(member, self._rules, self._home)

    def whom_to_ask(self) -> str:
        """Name those who can change it, as they follow "Ask": plain text."""
        if not self._rules.admins:
            return _SLACK_ADMIN
        known = (self._slack.people.members.known(user_id, seconds=math.inf) for user_id in sorted(self._rules.admins))
        names = sorted(member.profile.name for member in known if member is not None and member.profile.name)
        return _either(names) or _NOBODY_NAMED

    @property
    def _home(self) -> Home:
        identity: Mapping[str, Any] = self._slack.identity
        return Home(identity.get("team_id") or None, identity.get("enterprise_id") or None)

    async def _look_up(self, user_id: str) -> tuple[Member | None, bool | None]:
        """Ask who somebody is, and whether a group that may text has them; None: Slack does not say."""
        if not self._rules.groups or user_id in self._rules.users | self._rules.admins:
            return await self._member(user_id), False
        return await asyncio.gather(self._member(user_id), self._in_group(user_id))

    async def _member(self, user_id: str) -> Member | None:
        return await self._said(self._slack.people.members, user_id)

    async def _in_group(self, user_id: str) -> bool | None:
        groups = await asyncio.gather(*map(self._group, self._rules.groups))
        if any(user_id in group for group in groups if group is not None):
            return True
        return None if None in groups else False

    async def _group(self, group_id: str) -> frozenset[str] | None:
        return await self._said(self._slack.people.groups, group_id)

    def _why_not(self, member: Member | None, *, in_group: bool | None, team_id: str | None = None) -> Why | None:
        if member is None or self._home.team_id is None:  # nobody can tell who is of another workspace than ours
            return Why.UNKNOWN
        why = stands_in_the_way(member, self._rules, self._home, team_id=team_id, in_group=bool(in_group))
        return Why.UNKNOWN if why is Why.UNLISTED and in_group is None else why

    async def _said(self, asked: Asked[T], key: str) -> T | None:
        """Return what Slack says; what it said before, if it does not answer in time; or None."""
        fresh = asked.known(key, seconds=FRESH_SECONDS)
        if fresh is not None:
            return fresh
        last = asked.known(key, seconds=LAST_SECONDS)
        try:
            async with asyncio.timeout(_UNKNOWN_WAIT_SECONDS if last is None else _KNOWN_WAIT_SECONDS):
                return await asked.get(key, seconds=FRESH_SECONDS)
        except (SlackError, TimeoutError) as error:
            logger.warning("not_told_by_slack id=%s error=%s", key, str(error) or "timeout")
            return last

    def _words(self, why: Why) -> str:
        names = _either([f"#{place.name}" for place in self._slack.places.known(self._rules.channels) if place.name])
        where = f", but from {names}" if names else ""
        return WORDS[why].format(whom=self.whom_to_ask(), where=where)

    async def _keep_fresh(self) -> None:
        """Meet everybody, then ask again about those who do something, before what Slack said is too old."""
        try:
            logger.info("members_met count=%d", await self._slack.people.meet())
        except SlackError as error:
            logger.warning("members_not_met error=%s", error)
        self._met.set()
        while True:
            await self._ask_around()
            await asyncio.sleep(ROUND_SECONDS)

    async def _ask_around(self) -> None:
        now = time.monotonic()
        self._active = {user: at for user, at in self._active.items() if now - at < _LATELY_SECONDS}
        people = sorted(self._rules.admins) + sorted(self._active, key=self._active.__getitem__, reverse=True)
        try:
            for group in self._rules.groups:
                await self._slack.people.groups.get(group, seconds=_AGAIN_AFTER_SECONDS)
            for user_id in people[:_MOST_A_ROUND]:
                await self._slack.people.members.get(user_id, seconds=_AGAIN_AFTER_SECONDS)
            for channel in self._rules.channels:
                await self._slack.places.get(channel)
        except SlackError as error:
            logger.info("not_kept_fresh error=%s", error)  # they are asked about when they do something


def _either(names: list[str]) -> str:
    *others, last = names[:_MOST_NAMED] or [""]
    return f"{', '.join(others)} or {last}" if others else last
