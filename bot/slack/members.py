"""Who somebody in Slack is: how they look to others, and what they are in the workspace."""

from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.slack.answers import object_in, text_in


@dataclass(frozen=True, slots=True)
class Profile:
    """How a person in Slack looks to others."""

    name: str  # '' if Slack knows none
    picture_url: str | None
    zone: tzinfo = UTC  # where they are
    emoji: str | None = None  # in place of a picture, with its colons


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in Slack. Source: Slack, "user object"."""

    user_id: str
    profile: Profile
    team_id: str | None = None  # their own workspace; None if Slack does not say
    enterprise_id: str | None = None  # the organization that their workspace belongs to
    is_admin: bool = False  # an admin or an owner of the workspace
    is_guest: bool = False  # of one channel or of several
    is_stranger: bool = False  # of another workspace, and in no conversation with us
    is_bot: bool = False
    is_gone: bool = False  # their account is switched off


def read_member(user: dict[str, Any]) -> Member:
    """Read a user as `users.info` and `users.list` write one."""
    shown, elsewhere = object_in(user, "profile"), object_in(user, "enterprise_user")
    name = text_in(shown, "display_name") or text_in(shown, "real_name") or text_in(user, "real_name")
    return Member(
        user_id=str(user.get("id") or ""),
        profile=Profile(name, text_in(shown, "image_72") or text_in(shown, "image_48") or None, _zone(user)),
        team_id=text_in(user, "team_id") or None,
        enterprise_id=text_in(elsewhere, "enterprise_id") or None,
        is_admin=any(user.get(key) for key in ("is_admin", "is_owner", "is_primary_owner")),
        is_guest=any(user.get(key) for key in ("is_restricted", "is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
        is_bot=bool(user.get("is_bot")) or user.get("id") == "USLACKBOT",  # Slack says false of Slackbot
        is_gone=bool(user.get("deleted")),
    )


def _zone(user: dict[str, Any]) -> tzinfo:
    """Read where a user of Slack's is; `tz_offset` (seconds) has to do for a zone that nobody here knows."""
    try:
        return ZoneInfo(user["tz"])
    except (KeyError, ValueError, TypeError, OSError):
        offset = user.get("tz_offset")
        known = isinstance(offset, int) and abs(offset) < timedelta(days=1).total_seconds()
        return timezone(timedelta(seconds=offset)) if known and offset is not None else UTC
