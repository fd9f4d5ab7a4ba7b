"""The form to write a text in: opened from everywhere, filled while it is written, and sent."""

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import whisper
from bot.blocks.card import CARD_TEXT
from bot.blocks.composer import (
    CHOOSE_LINE,
    CHOOSE_TO,
    COMPOSE_FORM,
    HOME,
    MOST_OFFERED,
    read_writing,
    suggested,
)
from bot.blocks.contact_forms import read_here
from bot.blocks.contacts import Button
from bot.blocks.forms import MESSAGE, wrong_fields
from bot.composing import Composer, Opening
from bot.reading.addresses import AddressProblem, read_address
from bot.reading.form import FormProblem, parse_text_form
from bot.reading.shared import words_of
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.book import Book
from bot.texting.errors import TextingError
from bot.texting.model import Address, Request, Requested
from bot.texting.service import Texting
from handlers.clicks import author_of, name_of, read_click, respond, team_of, tell, tell_directly, view_of
from handlers.countdown import countdown
from handlers.places import names_in, obstacle, on_its_way

logger = logging.getLogger(__name__)

NO_FORM = "The form could not be opened. Try again."

#: `callback_id` of the shortcuts, as the manifest has them.
NEW_TEXT, TEXT_THIS = "compose", "text_this"

#: Suggestions have to be there while somebody types; Slack waits three seconds and shows nothing then.
_FOUND_WITHIN = 1.5


async def shortcut(ack: AsyncAck, body: dict[str, Any], *, composing: Composer, slack: Slack) -> None:
    """*New text*, from anywhere: Slack does not say where."""
    await ack()
    opening = Opening(str(body["trigger_id"]), team_of(body), str(body["user"]["id"]))
    if not await composing.open(opening):
        await tell_directly(slack, opening.user_id, whisper.refusal(NO_FORM))


async def text_this(ack: AsyncAck, body: dict[str, Any], *, composing: Composer, slack: Slack) -> None:
    """*Text this to…*: the form with a message's words in it."""
    await ack()
    message = body.get("message") or {}
    ours = message.get("bot_id") is not None and message.get("bot_id") == slack.identity.get("bot_id")
    names = await names_in(slack, str(message.get("text") or ""))
    opening = Opening(
        str(body["trigger_id"]),
        team_of(body),
        str(body["user"]["id"]),
        here=str(body["channel"]["id"]),
        message=words_of(message, ours=ours, names=names),
    )
    if not await composing.open(opening):
        await respond(slack, body, whisper.refusal(NO_FORM))


async def button(ack: AsyncAck, body: dict[str, Any], *, composing: Composer, slack: Slack, region: str) -> None:
    """*Text* on somebody's card: the form with them in it."""
    await ack()
    click = read_click(body)
    here = read_here(body["view"]) if click.view_id else click.conversation_id
    address = _read(click.value, region)
    opening = Opening(click.trigger_id, click.team_id, click.user_id, here or None, address, view_id=click.view_id)
    if not await composing.open(opening):
        await tell(slack, replace(click, conversation_id=here), whisper.refusal(NO_FORM))


async def choose(ack: AsyncAck, body: dict[str, Any], *, composing: Composer) -> None:
    """Somebody chose in the form."""
    view = view_of(body)
    await ack()
    action_ts = str(body["actions"][0].get("action_ts") or "")
    await composing.choose(view, team_id=team_of(body), user_id=str(body["user"]["id"]), action_ts=action_ts)


async def suggest(ack: Callable[..., Awaitable[Any]], body: dict[str, Any], *, book: Book, region: str) -> None:
    """Offer people while somebody types: from our copy of the address book, and the number that they typed."""
    typed = str(body.get("value") or "")
    contacts = []
    try:
        async with asyncio.timeout(_FOUND_WITHIN):
            contacts = await book.search(typed, limit=MOST_OFFERED)
    except (TextingError, TimeoutError):
        logger.warning("nobody_suggested")
    await ack(options=suggested(contacts, _read(typed, region)))


async def close(ack: AsyncAck, body: dict[str, Any], *, composing: Composer) -> None:
    """Somebody closed the form without sending."""
    await ack()
    await composing.end(team_id=team_of(body), user_id=str(body["user"]["id"]))


async def submit(
    ack: AsyncAck,
    body: dict[str, Any],
    view: dict[str, Any],
    *,
    composing: Composer,
    texting: Texting,
    slack: Slack,
    region: str,
) -> None:
    """Store the text, then close the form; or say in it what is wrong."""
    left, user = countdown(), body["user"]
    writing = read_writing(view)
    asked = HOME in view["state"]["values"]
    try:
        chosen = str(writing.chosen["value"]) if writing.chosen else ""
        parsed = parse_text_form(chosen, writing.message, region=region)
        request = Request(
            key=_key(view, parsed.address, parsed.body, writing.line),
            team_id=team_of(body),
            conversation_id=writing.home or str(user["id"]),
            author=await author_of(slack, str(user["id"]), name_of(user)),
            address=parsed.address,
            body=parsed.body,
            line=writing.line,
        )
        problem = await obstacle(texting, slack, request, left, chosen=True)
        if problem is not None:
            await ack(response_action="errors", errors={HOME if asked else MESSAGE: problem})
            return
        crossing = await composing.crossing(request.team_id, request.address, request.author)
        if crossing is not None:
            await ack(response_action="errors", errors={MESSAGE: crossing})
            return
        requested = await texting.request(request, within=left())
    except (FormProblem, TextingError) as wrong:
        await ack(response_action="errors", errors=wrong_fields(wrong))
        return
    await ack()
    await composing.end(team_id=request.team_id, user_id=request.author.user_id)
    await _tell_where(slack, requested, writing.here, asked=asked)


async def _tell_where(slack: Slack, requested: Requested, here: str | None, *, asked: bool) -> None:
    """Tell who sent a text where to follow it, unless its thread begins before their eyes or where they wanted it."""
    thread, user_id = requested.thread, requested.delivery.author.user_id
    if thread.card_ts is None and (thread.conversation_id == here or (here is None and asked)):
        return
    payload = on_its_way(slack, requested, asked_in=here or "")
    if here is None:
        await tell_directly(slack, user_id, payload)
        return
    try:
        await slack.whisper(here, user_id, payload)
    except SlackError as refused:
        logger.info("not_whispered error=%s", refused)
        await tell_directly(slack, user_id, payload)


def _read(typed: str, region: str) -> Address | None:
    try:
        return read_address(typed, region=region)
    except AddressProblem:
        return None


def _key(view: dict[str, Any], address: str, body: str, line: str | None) -> str:
    """Make the key of one submission: the same words in the same form are one text, however often they come."""
    content = hashlib.sha256(f"{address}\n{line or ''}\n{body}".encode()).hexdigest()[:32]
    return f"compose:{view['id']}:{content}"


def register(app: AsyncApp, *, composing: Composer, texting: Texting, slack: Slack, book: Book, region: str) -> None:
    app.shortcut(NEW_TEXT)(partial(shortcut, composing=composing, slack=slack))
    app.shortcut(TEXT_THIS)(partial(text_this, composing=composing, slack=slack))
    for name in (CARD_TEXT, Button.TEXT.action_id):
        constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": name}
        app.action(constraint)(partial(button, composing=composing, slack=slack, region=region))
    for name in (CHOOSE_TO, CHOOSE_LINE):
        constraint = {"type": "block_actions", "action_id": name}
        app.action(constraint)(partial(choose, composing=composing))
    app.options(CHOOSE_TO)(partial(suggest, book=book, region=region))
    app.view(COMPOSE_FORM)(partial(submit, composing=composing, texting=texting, slack=slack, region=region))
    app.view_closed(COMPOSE_FORM)(partial(close, composing=composing))
