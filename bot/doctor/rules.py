"""What `python -m bot doctor` finds out about who may text: whether Slack knows whom the settings name."""

import asyncio
from collections.abc import AsyncIterator

from bot.access.permission import Home, Rules, Why, stands_in_the_way
from bot.doctor.finding import Finding, Mark
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.slack.members import Member

_PERSON = "Copy the id from their profile in Slack: ⋮, Copy member ID."
_REMOVE = "Take them out of the list."

#: What is in the way of somebody on a list, and what to do about it.
_WRONG = {
    Why.GONE: f"has an account that is switched off. {_REMOVE}",
    Why.BOT: f"is an app, and apps never text. {_REMOVE}",
    Why.GUEST: "is a guest. Set ALLOW_GUESTS=true, or take them out of the list.",
    Why.EXTERNAL: "comes from another workspace. Set ALLOW_EXTERNAL=true, or take them out of the list.",
}


async def check_rules(slack: Slack, rules: Rules) -> list[tuple[str, Finding]]:
    """Say of each setting about who may text, by its name, what is wrong with it; nothing of those that are not set."""
    lists = {
        "TEXT_CHANNELS": _channels(slack, rules.channels),
        "TEXT_USERS": _people(slack, rules.users, rules),
        "TEXT_GROUPS": _groups(slack, rules.groups),
        "TEXT_ADMINS": _people(slack, rules.admins, rules),
    }
    return [(name, finding) for name, findings in lists.items() async for finding in findings]


async def _people(slack: Slack, user_ids: frozenset[str], rules: Rules) -> AsyncIterator[Finding]:
    home = Home(slack.identity.get("team_id"), slack.identity.get("enterprise_id"))
    known: list[str] = []
    answers = await asyncio.gather(
        *(slack.people.members.get(user_id, seconds=0) for user_id in sorted(user_ids)), return_exceptions=True
    )
    for user_id, member in zip(sorted(user_ids), answers, strict=True):
        if isinstance(member, SlackError):
            yield _unsaid(user_id, member)
        elif isinstance(member, BaseException):
            raise member
        elif member == Member(user_id, member.profile, is_stranger=True) and not member.profile.name:
            yield Finding(Mark.WRONG, f"Slack shows us nobody with the id {user_id}. {_PERSON}")
        elif (why := stands_in_the_way(member, rules, home, in_group=True)) is not None:
            yield Finding(Mark.WRONG, f"{member.profile.name} ({user_id}) {_WRONG[why]}")
        else:
            known.append(member.profile.name or user_id)
    if known:
        yield Finding(Mark.WELL, ", ".join(sorted(known)))


async def _groups(slack: Slack, group_ids: frozenset[str]) -> AsyncIterator[Finding]:
    for group_id in sorted(group_ids):
        try:
            members = await slack.people.groups.get(group_id, seconds=0)
        except SlackError as error:
            yield _unsaid(group_id, error)
            continue
        if members:
            yield Finding(Mark.WELL, f"{group_id} has {len(members)} member{'' if len(members) == 1 else 's'}")
        else:
            yield Finding(
                Mark.WRONG,
                f"Nobody is in a user group with the id {group_id}: it has no members, is disabled, or does not exist. "
                "Its id stands in Slack under People → User groups → ⋮, Copy group ID.",
            )


async def _channels(slack: Slack, conversation_ids: frozenset[str]) -> AsyncIterator[Finding]:
    known: list[str] = []
    for conversation_id in sorted(conversation_ids):
        try:
            place = await slack.places.get(conversation_id)
        except SlackError as error:
            yield _unsaid(conversation_id, error)
            continue
        if place.archived:
            yield Finding(Mark.WRONG, f"{conversation_id} is archived. Take it out of the list.")
        elif not place.usable:
            yield Finding(
                Mark.WRONG,
                f"Slack shows us no conversation with the id {conversation_id}. If it is private, type "
                f"/invite @{slack.identity.get('user') or 'texting'} there; otherwise copy the id from the channel's "
                "details in Slack, at the bottom.",
            )
        else:
            known.append(f"#{place.name}" if place.name else conversation_id)
    if known:
        yield Finding(Mark.WELL, ", ".join(sorted(known)))


def _unsaid(what: str, error: SlackError) -> Finding:
    if isinstance(error, SlackRefused):
        return Finding(
            Mark.WRONG,
            f"Slack does not tell us about {what} ({error.code}). Give the app the scopes of manifest.yml and install "
            "it again.",
        )
    return Finding(Mark.WRONG, f"Slack did not answer about {what} ({error}). Run `python -m bot doctor` again.")
