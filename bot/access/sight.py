"""
Who sees what: what stands in a conversation is for those who are in it.

Slack says where somebody clicks, and lets nobody click where they are not. What a button or a form carries along is the
client's: whose text, whose card, which channel. So whoever is not where that stands is asked about before they read or
change it.
"""

import asyncio
import logging
import math

from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.errors import NotRead

logger = logging.getLogger(__name__)

#: What Slack said of who is in a conversation counts for so long; if it does not answer, its last answer counts longer.
FRESH_SECONDS = 300.0
LAST_SECONDS = 3600.0

#: Somebody waits for the answer.
_SECONDS = 1.0

_NOT_SAID = "Slack did not say in time whether you may see this, so nothing was done. Try again in a minute."


async def sees(slack: Slack, user_id: str, conversation_id: str, *, here: str = "") -> bool:
    """
    Say whether somebody can see what stands in a conversation.

    *here* is the conversation where Slack says that they are: nobody is asked then. Raises NotRead if Slack does not
    say in time, and has not lately.
    """
    if not conversation_id:
        return False
    if conversation_id in {here, user_id}:  # a person's id stands for our direct messages with them
        return True
    try:
        async with asyncio.timeout(_SECONDS):
            if await _is_for_everybody(slack, user_id, conversation_id):
                return True
            return user_id in await slack.people.insiders.get(conversation_id, seconds=FRESH_SECONDS)
    except (SlackError, TimeoutError) as error:
        last = slack.people.insiders.known(conversation_id, seconds=LAST_SECONDS)
        logger.warning("insiders_not_told conversation=%s error=%s", conversation_id, str(error) or "timeout")
        if last is None:
            raise NotRead(words=_NOT_SAID) from error
        return user_id in last


async def _is_for_everybody(slack: Slack, user_id: str, conversation_id: str) -> bool:
    """Say whether it is a public channel, which every member of our workspace may read; a guest may not."""
    if conversation_id.startswith("D") or (await slack.places.get(conversation_id)).name is None:
        return False
    member = slack.people.members.known(user_id, seconds=math.inf)
    if member is None or member.is_guest or member.is_stranger:
        return False
    return member.team_id in {None, slack.identity.get("team_id")}
