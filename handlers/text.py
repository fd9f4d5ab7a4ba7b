"""`/text <person> <message>`: store the text, then say that it is on its way."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks.answer import accepted, help_text, problem
from bot.reading.command import CommandProblem, Help, Report, parse_text_command
from bot.reading.slack_text import mentioned_users, plain_text
from bot.report.service import Reports
from bot.slack import Place, Slack, SlackError
from bot.texting.errors import TextingError
from bot.texting.model import Author, Request
from bot.texting.service import Texting
from handlers.countdown import ASKING_SECONDS, countdown
from handlers.report import report

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


async def text(
    ack: AsyncAck, command: dict[str, Any], *, texting: Texting, slack: Slack, reports: Reports, region: str
) -> None:
    """
    `/text +15551234567 hello`: queue a text and answer with where to follow it.

    The acknowledgement says that the text is safely stored, so it comes last; nothing follows it that could fail.
    """
    typed, conversation_id = str(command.get("text") or ""), str(command["channel_id"])
    left = countdown()
    names = await _names(slack, typed)
    given_back = f"{command['command']} {plain_text(typed, names=names)}"
    try:
        parsed = parse_text_command(typed, region=region, names=names)
        if isinstance(parsed, Help):
            await ack(**help_text())
            return
        if isinstance(parsed, Report):
            await report(ack, command, parsed, reports=reports)
            return
        request = Request(
            key=_key(command),
            team_id=str(command["team_id"]),
            conversation_id=conversation_id,
            author=Author(str(command["user_id"]), str(command.get("user_name") or "Somebody")),
            address=parsed.address,
            body=parsed.body,
        )
        obstacle = await _obstacle(texting, slack, request, left)
        if obstacle is not None:
            await ack(**problem(obstacle, given_back))
            return
        requested = await texting.request(request, within=left())
    except (CommandProblem, TextingError) as refused:
        await ack(**problem(refused.words, given_back))
        return
    thread = requested.thread
    link = slack.permalink(thread.conversation_id, thread.card_ts) if thread.card_ts else None
    await ack(**accepted(requested, asked_in=conversation_id, thread_url=link))


def _key(command: Mapping[str, Any]) -> str:
    """Make the key of one request: the same envelope delivered twice is one text."""
    everything = json.dumps(command, sort_keys=True).encode()
    return f"{command['team_id']}:{command.get('trigger_id')}:{hashlib.sha256(everything).hexdigest()[:16]}"


async def _names(slack: Slack, typed: str) -> Mapping[str, str]:
    """Look up the names of the people mentioned without one."""
    users = mentioned_users(typed)
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            profiles = await asyncio.gather(*(slack.profile(user, fallback="") for user in users))
    except TimeoutError:
        logger.warning("names_not_asked")
        return {}
    return {user: profile.name for user, profile in zip(users, profiles, strict=True)}


async def _obstacle(texting: Texting, slack: Slack, request: Request, left: Callable[[], timedelta]) -> str | None:
    """Say why no thread can live here, unless the person has one elsewhere already."""
    place = await _place(slack, request.conversation_id)
    if place.usable or await texting.has_thread(request.team_id, request.address, within=left()):
        return None
    if place.archived:
        return _ARCHIVED
    if request.conversation_id.startswith("D"):
        return _NO_PLACE_IN_DM
    return _NO_PLACE.format(bot=slack.identity.get("user") or "texting")


async def _place(slack: Slack, conversation_id: str) -> Place:
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return await slack.place(conversation_id)
    except (SlackError, TimeoutError):
        logger.warning("place_not_asked")
        return Place(usable=True)  # posting will tell; a thread without a place moves to the author's messages


def register(app: AsyncApp, *, texting: Texting, slack: Slack, reports: Reports, region: str) -> None:
    app.command("/text")(partial(text, texting=texting, slack=slack, reports=reports, region=region))
