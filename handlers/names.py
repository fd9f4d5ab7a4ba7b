"""`/text Jane hello`: who is meant; if that is not one person, the question and its buttons."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import asking, contact_forms, whisper
from bot.blocks.mrkdwn import Payload, section
from bot.blocks.opt_outs import with_remedy
from bot.composing import Composer, Opening
from bot.reading.command import CommandProblem, Compose, Named, TextCommand, read_body, several_people
from bot.reading.names import NameReading
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.drafts import Draft, Drafts
from bot.texting.book import Book
from bot.texting.calling import meant_by, misspelt, names_another
from bot.texting.errors import NotStored, TextingError, UnknownText
from bot.texting.model import Address, Request
from bot.texting.service import Texting
from handlers.clicks import Click, author_of, read_click, respond, tell
from handlers.compose import NO_FORM
from handlers.countdown import countdown
from handlers.places import obstacle, on_its_way

logger = logging.getLogger(__name__)

_EMPTY = (
    "The address book has no names yet. If we were just started, it is still being read: try again in a minute. "
    "A phone number or an email address always works."
)
#: `block_id` of what is said in a form.
_SAID = "said"

_GONE = "These buttons are too old, or somebody else's. Nothing was sent. Type /text to write a new text."


async def whom(
    named: Named, command: Mapping[str, Any], typed: str, *, names: Mapping[str, str], book: Book, drafts: Drafts
) -> TextCommand | Compose | Payload:
    """
    Say what a command is that names somebody: a text to them, the form with them, or what they are asked.

    *typed* is given back with the question. Raises CommandProblem and TextingError.
    """
    meant = await meant_by(book, named.readings)
    for reading in {one.reading for one in meant}:
        if await names_another(book, reading):
            raise several_people()
    people = [(one.contact, read_body(one.reading.rest, names=names)) for one in meant]
    longer = misspelt(meant[0], named.readings) if len(meant) == 1 else None
    if longer is not None:
        people = [(meant[0].contact, read_body(longer.rest, names=names))]
    elif len(people) == 1:
        [(contact, body)] = people
        return TextCommand(contact.address, body) if body else Compose(contact.address)
    if not people and not await book.search("", limit=1):
        raise CommandProblem("no_names", _EMPTY)
    reading = likeliest(named.readings)
    payload = {
        "nobody": {"name": reading.name},
        "body": read_body(reading.rest, names=names),
        "people": [{"address": contact.address, "name": contact.name, "body": body} for contact, body in people],
    }
    draft_id = await drafts.keep(str(command["user_id"]), str(command["channel_id"]), asking.TEXT, payload)
    if people:
        return asking.which_of(people, draft_id=draft_id, typed=typed)
    return asking.nobody_called(reading.name, draft_id=draft_id, typed=typed)


def likeliest(readings: tuple[NameReading, ...]) -> NameReading:
    """Guess where the name of somebody ends whom nobody knows: with the words in capitals that it begins with."""
    if readings[-1].mark in {":", '"'}:
        return readings[-1]
    written_large = [one for one in readings if one.rest and all(not word[0].islower() for word in one.name.split())]
    cased = readings[0].name[0].isupper()
    return written_large[-1] if cased and written_large else readings[0]


async def choose(
    ack: AsyncAck,
    body: dict[str, Any],
    *,
    texting: Texting,
    slack: Slack,
    drafts: Drafts,
    composing: Composer,
) -> None:
    """*Text Jane Doe*: send the kept message to one of those who may be meant, once whatever is pressed."""
    click, left = _read(body), countdown()
    try:
        draft, number = await _find(click, drafts)
        person = draft.payload["people"][number]
        request = Request(
            key=f"draft:{draft.id}",
            team_id=click.team_id,
            conversation_id=draft.conversation_id,
            author=await author_of(slack, click.user_id, click.user_name),
            address=Address(person["address"]),
            body=person["body"],
        )
        if not request.body:
            await ack()
            if not await _compose(composing, click, request):
                await _refuse(slack, click, body, whisper.refusal(NO_FORM))
            return
        answered = await _send(request, draft, number, texting=texting, slack=slack, drafts=drafts, left=left)
    except TextingError as error:
        await ack()
        await _refuse(slack, click, body, with_remedy(whisper.refusal(error.words), error))
        return
    await ack()
    await _settle(slack, click, answered)


async def _send(
    request: Request,
    draft: Draft,
    number: int,
    *,
    texting: Texting,
    slack: Slack,
    drafts: Drafts,
    left: Callable[[], timedelta],
) -> Payload:
    """Send a draft to one of its people; another button pressed before has settled who. Raises TextingError."""
    problem = await obstacle(texting, slack, request, left)
    if problem is not None:
        raise NotStored(words=problem)
    chosen = await drafts.choose(draft.id, request.author.user_id, number)
    if chosen is None:
        raise UnknownText(words=_GONE)
    if chosen != number:
        other = draft.payload["people"][chosen]
        return asking.settled(Address(other["address"]), other["name"])
    return on_its_way(slack, await texting.request(request, within=left()), asked_in=draft.conversation_id)


async def _find(click: Click, drafts: Drafts) -> tuple[Draft, int]:
    """Find the draft that a button says it is about, and which person in it. Raises TextingError."""
    written, _, number = click.value.partition(":")
    try:
        draft = await drafts.find(UUID(written), click.user_id)
        index = int(number)
    except ValueError as error:
        raise UnknownText(words=_GONE) from error
    if draft is None or draft.kind != asking.TEXT or not 0 <= index < len(draft.payload["people"]):
        raise UnknownText(words=_GONE)
    return draft, index


async def _compose(composing: Composer, click: Click, request: Request) -> bool:
    """There is no message yet: it is written in the form. Return whether that opened."""
    opening = Opening(
        click.trigger_id,
        click.team_id,
        click.user_id,
        request.conversation_id,
        request.address,
        view_id=click.view_id,
    )
    return await composing.open(opening)


async def _settle(slack: Slack, click: Click, payload: Payload) -> None:
    """Answer in place of the question, or of the form in which it stood."""
    try:
        if click.view_id:
            await _show(slack, click, payload["text"])
        else:
            await slack.respond(click.response_url, {**payload, "replace_original": True})
    except SlackError as error:
        logger.info("not_answered error=%s", error)
        await tell(slack, click, payload)


async def _refuse(slack: Slack, click: Click, body: dict[str, Any], payload: Payload) -> None:
    """Say what came in the way, and leave the buttons: nothing was sent."""
    if not click.view_id:
        await respond(slack, body, payload)
        return
    before = [block for block in body["view"]["blocks"] if block["block_id"] != _SAID]
    try:
        await _show(slack, click, payload["text"], *before)
    except SlackError as error:
        logger.info("not_answered error=%s", error)
        await tell(slack, click, payload)


async def _show(slack: Slack, click: Click, said: str, *more: Payload) -> None:
    blocks = ({**section(said), "block_id": _SAID}, *more)
    view = contact_forms.without_inputs("New text", click.conversation_id, list(blocks), close="Done")
    await slack.update_view(click.view_id, view, made_from=None)


def _read(body: dict[str, Any]) -> Click:
    """Read a click; one in a form was where that was opened from."""
    click = read_click(body)
    return replace(click, conversation_id=contact_forms.read_here(body["view"])) if click.view_id else click


def register(app: AsyncApp, *, texting: Texting, slack: Slack, drafts: Drafts, composing: Composer) -> None:
    constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": asking.CHOOSE}
    app.action(constraint)(partial(choose, texting=texting, slack=slack, drafts=drafts, composing=composing))
