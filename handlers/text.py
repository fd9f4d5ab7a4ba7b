"""`/text <person> <message>`: store the text, then say that it is on its way."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks.answer import help_text, problem
from bot.blocks.mrkdwn import Payload
from bot.blocks.opt_outs import with_remedy
from bot.composing import Composer, Opening
from bot.reading.addresses import pretty
from bot.reading.command import CommandProblem, Compose, Help, Named, Report, Settings, TextCommand, parse_text_command
from bot.reading.slack_text import plain_text
from bot.report.service import Reports
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.channels import Channels
from bot.storage.drafts import Drafts
from bot.texting.book import Book
from bot.texting.errors import TextingError
from bot.texting.model import Author, Request
from bot.texting.service import Texting
from handlers.channel_settings import settings
from handlers.countdown import countdown
from handlers.names import whom
from handlers.places import names_in, obstacle, on_its_way
from handlers.report import report

logger = logging.getLogger(__name__)

_NO_MESSAGE = "There is no message yet. Write it after {person}."


async def text(
    ack: AsyncAck,
    command: dict[str, Any],
    *,
    texting: Texting,
    slack: Slack,
    reports: Reports,
    book: Book,
    drafts: Drafts,
    composing: Composer,
    channels: Channels,
    region: str,
) -> None:
    """
    `/text +15551234567 hello`: queue a text and answer with where to follow it.

    The acknowledgement says that the text is safely stored, so it comes last; nothing follows it that could fail.
    """
    typed = str(command.get("text") or "")
    left = countdown()
    names = await names_in(slack, typed)
    given_back = f"{command['command']} {plain_text(typed, names=names)}"
    meant: TextCommand | Compose | Help | Report | Settings | Payload
    wanted: Compose | Help | Report | Settings | Payload
    try:
        read = parse_text_command(typed, region=region, names=names)
        if isinstance(read, Named):
            meant = await whom(read, command, given_back, names=names, book=book, drafts=drafts)
        else:
            meant = read
        if isinstance(meant, TextCommand):
            wanted = await _send(meant, command, given_back, texting=texting, slack=slack, left=left)
        else:
            wanted = meant
    except (CommandProblem, TextingError) as refused:
        wanted = problem(refused.words, given_back)
        if isinstance(refused, TextingError):
            wanted = with_remedy(wanted, refused)
    match wanted:
        case Help():
            await ack(**help_text())
        case Report():
            await report(ack, command, wanted, reports=reports)
        case Settings():
            await settings(ack, command, channels=channels, slack=slack)
        case Compose():
            await _compose(ack, command, wanted, given_back, composing=composing, slack=slack)
        case _:
            await ack(**wanted)


async def _send(
    wanted: TextCommand,
    command: dict[str, Any],
    given_back: str,
    *,
    texting: Texting,
    slack: Slack,
    left: Callable[[], timedelta],
) -> Payload:
    """Store a text; return what its author is told. Raises TextingError."""
    conversation_id = str(command["channel_id"])
    request = Request(
        key=_key(command),
        team_id=str(command["team_id"]),
        conversation_id=conversation_id,
        author=Author(str(command["user_id"]), str(command.get("user_name") or "Somebody")),
        address=wanted.address,
        body=wanted.body,
    )
    no_place = await obstacle(texting, slack, request, left)
    if no_place is not None:
        return problem(no_place, given_back)
    requested = await texting.request(request, within=left())
    return on_its_way(slack, requested, asked_in=conversation_id)


async def _compose(
    ack: AsyncAck, command: dict[str, Any], wanted: Compose, given_back: str, *, composing: Composer, slack: Slack
) -> None:
    """Open the form; where Slack does not, say what can be typed instead."""
    await ack()
    opening = Opening(
        trigger_id=str(command.get("trigger_id") or ""),
        team_id=str(command["team_id"]),
        user_id=str(command["user_id"]),
        here=str(command["channel_id"]),
        address=wanted.address,
    )
    if await composing.open(opening):
        return
    instead = help_text()
    if wanted.address is not None:
        instead = problem(_NO_MESSAGE.format(person=pretty(wanted.address)), given_back)
    try:
        await slack.respond(str(command.get("response_url") or ""), instead)
    except SlackError as error:
        logger.warning("not_told error=%s", error)


def _key(command: Mapping[str, Any]) -> str:
    """Make the key of one request: the same envelope delivered twice is one text."""
    everything = json.dumps(command, sort_keys=True).encode()
    return f"{command['team_id']}:{command.get('trigger_id')}:{hashlib.sha256(everything).hexdigest()[:16]}"


def register(
    app: AsyncApp,
    *,
    texting: Texting,
    slack: Slack,
    reports: Reports,
    book: Book,
    drafts: Drafts,
    composing: Composer,
    channels: Channels,
    region: str,
) -> None:
    app.command("/text")(
        partial(
            text,
            texting=texting,
            slack=slack,
            reports=reports,
            book=book,
            drafts=drafts,
            composing=composing,
            channels=channels,
            region=region,
        )
    )
