"""Where a person's thread can live, asked while somebody waits for an answer."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.access.sight import sees
from bot.blocks.answer import accepted
from bot.blocks.mrkdwn import Payload
from bot.reading.slack_text import mentioned_users
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.slack.places import Place
from bot.texting.model import Request, Requested
from bot.texting.service import Texting
from handlers.countdown import ASKING_SECONDS

logger = logging.getLogger(__name__)

_NO_PLACE = (
    "I am not in this channel, so there is nowhere to show the answer. "
    "Type /invite @{bot} here, then send your text again."
)
_NO_PLACE_IN_DM = (
    "A text needs a place for its thread, and I cannot join a direct message. "
    "Send it from a channel, or from your messages with me."
)
_ARCHIVED = "This channel is archived, so there is nowhere to show the answer. Send your text from another channel."

_HERE = _NO_PLACE, _NO_PLACE_IN_DM, _ARCHIVED

#: The same, said under the field of a form where the place was chosen.
_NOT_THERE = "I am not in that channel. Type /invite @{bot} there, then press Send again; or choose another one."
_NOT_IN_DM = "I cannot join a direct message between people. Choose a channel, or your messages with me."
_NOT_YOURS = "You are not in that channel. Choose another one."
_ARCHIVED_THERE = "That channel is archived. Choose another one."
_THERE = _NOT_THERE, _NOT_IN_DM, _ARCHIVED_THERE


async def obstacle(
    texting: Texting, slack: Slack, request: Request, left: Callable[[], timedelta], *, chosen: bool = False
) -> str | None:
    """
    Say why no thread can live where it should, unless the person has one elsewhere already.

    *chosen*: in a form, and not just by where somebody typed a command. What a form says is the client's word, so
    whoever submits it has to be there. Raises NotRead if Slack does not say so, and NotStored.
    """
    place = await look_at(slack, request.conversation_id)
    if chosen and place.usable and not await sees(slack, request.author.user_id, request.conversation_id):
        return _NOT_YOURS
    if place.usable or await texting.has_thread(request.team_id, request.address, line=request.line, within=left()):
        return None
    return _why_not(slack, request.conversation_id, place, _THERE if chosen else _HERE)


def _why_not(slack: Slack, conversation_id: str, place: Place, words: tuple[str, str, str]) -> str:
    outside, direct, archived = words
    if place.archived:
        return archived
    if conversation_id.startswith("D"):
        return direct
    return outside.format(bot=slack.identity.get("user") or "texting")


async def look_at(slack: Slack, conversation_id: str) -> Place:
    """Ask whether a thread can live in a conversation, for as long as somebody who waits can wait."""
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return await slack.places.get(conversation_id)
    except (SlackError, TimeoutError):
        logger.warning("place_not_asked")
        return Place(usable=True)  # posting will tell; a thread without a place moves to the author's messages


def on_its_way(slack: Slack, requested: Requested, *, asked_in: str) -> Payload:
    """Say that a text is on its way, and link its thread if it stands."""
    thread = requested.thread
    link = slack.permalink(thread.conversation_id, thread.card_ts) if thread.card_ts else None
    return accepted(requested, asked_in=asked_in, thread_url=link)


async def names_in(slack: Slack, text: str) -> Mapping[str, str]:
    """Look up the names of the people whom *text* mentions without one."""
    users = mentioned_users(text)
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            profiles = await asyncio.gather(*(slack.people.profile(user, fallback="") for user in users))
    except TimeoutError:
        logger.warning("names_not_asked")
        return {}
    return {user: profile.name for user, profile in zip(users, profiles, strict=True)}
