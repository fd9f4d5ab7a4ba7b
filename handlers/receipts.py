"""The buttons below a text that failed or waits, and the form behind one of them."""

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access.sight import sees
from bot.blocks import whisper
from bot.blocks.composer import also_writing
from bot.blocks.forms import EDIT_FORM, MESSAGE, TO, edit_and_send, entered, wrong_fields
from bot.blocks.opt_outs import with_remedy
from bot.blocks.receipt import Button
from bot.composing import Composer
from bot.files.outgoing import obstacle_of
from bot.reading.command import TextCommand
from bot.reading.form import FormProblem, parse_text_form
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.audit import Audit, Entry
from bot.texting.errors import NotRead, SentAgain, TextingError, UnknownText
from bot.texting.model import Request, Requested
from bot.texting.routing import can_be_replaced, files_again
from bot.texting.service import Texting
from handlers.clicks import Click, author_of, name_of, read_click, team_of, tell
from handlers.countdown import countdown

logger = logging.getLogger(__name__)

#: For what is done after the acknowledgement. A form has to be opened within three seconds of the click.
_AFTERWARDS = timedelta(seconds=5)
_BEFORE_A_FORM = timedelta(seconds=1.5)

_NO_FORM = "The form could not be opened. Press Edit and send again."


async def try_again(ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack) -> None:
    """*Try again*: store the same text once more in place of the failed one, then acknowledge."""
    click, left = read_click(body), countdown()

    async def store() -> None:
        failed = await _find(texting, slack, click, left())
        author = await author_of(slack, click.user_id, click.user_name)
        await texting.again(failed, author=author, conversation_id=click.conversation_id, within=left())

    await _acknowledge_stored(ack, slack, click, store())


async def try_now(ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack, audit: Audit) -> None:
    """*Try now*: send a text that waits for the person's reply without waiting any longer."""
    click, left = read_click(body), countdown()

    async def store() -> None:
        held = await _find(texting, slack, click, left())
        await texting.try_now(held, within=left())
        await _record(audit, click, "try_now", held)

    await _acknowledge_stored(ack, slack, click, store())


async def dont_send(ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack, audit: Audit) -> None:
    """*Don't send*: cancel a text that waits for the person's reply."""
    click, left = read_click(body), countdown()

    async def store() -> None:
        held = await _find(texting, slack, click, left())
        await texting.dont_send(held, within=left())
        await _record(audit, click, "cancel", held)

    await _acknowledge_stored(ack, slack, click, store())


async def check_again(ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack) -> None:
    """*Check again*: look whether Blooio has the text. If it does, the receipt moves on by itself."""
    await ack()
    click = read_click(body)
    try:
        taken = await texting.check_again(await _find(texting, slack, click, _AFTERWARDS))
    except TextingError as error:
        await tell(slack, click, whisper.refusal(_not_asked(error)))
        return
    if not taken:
        await tell(slack, click, whisper.not_taken())


async def check_number(ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack) -> None:
    """*Check number*: ask what the person can receive now, and say so."""
    await ack()
    click = read_click(body)
    try:
        person = (await _find(texting, slack, click, _AFTERWARDS)).person
    except TextingError as error:
        await tell(slack, click, whisper.refusal(error.words))
        return
    try:
        answer = whisper.can_get(person, await texting.check_number(person))
    except TextingError as error:
        logger.warning("number_not_checked code=%s", error.code)
        answer = whisper.not_checked(person, error)
    await tell(slack, click, answer)


async def open_form(
    ack: AsyncAck, body: dict[str, Any], *, texting: Texting, slack: Slack, composing: Composer
) -> None:
    """*Edit and send*: open the form with the failed text in it."""
    await ack()
    click = read_click(body)
    try:
        failed = await _find(texting, slack, click, _BEFORE_A_FORM)
        if not can_be_replaced(failed.delivery):
            raise SentAgain
        person = failed.person
        others = await composing.begin(person.team_id, person.address, click.user_id)
        await slack.open_view(click.trigger_id, edit_and_send(failed, meanwhile=also_writing(others)))
    except TextingError as error:
        await tell(slack, click, whisper.refusal(error.words))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await tell(slack, click, whisper.refusal(_NO_FORM))


async def close_form(ack: AsyncAck, body: dict[str, Any], *, composing: Composer) -> None:
    """Somebody closed the form without sending."""
    await ack()
    await composing.end(team_id=team_of(body), user_id=str(body["user"]["id"]))


async def submit_form(
    ack: AsyncAck,
    body: dict[str, Any],
    view: dict[str, Any],
    *,
    texting: Texting,
    slack: Slack,
    composing: Composer,
    region: str,
) -> None:
    """Store what was edited in place of the failed text, then close the form; or say in it what is wrong."""
    left, user = countdown(), body["user"]
    typed_to, typed_message = entered(view, TO), entered(view, MESSAGE)
    try:
        failed = await _text(texting, str(view.get("private_metadata") or ""), team_of(body), left())
        await _demand_sight(slack, failed, str(user["id"]))
        parsed = await _read(typed_to, typed_message, failed, texting=texting, region=region, within=left())
        request = Request(
            key=_key(view, parsed.address, parsed.body),
            team_id=failed.person.team_id,
            conversation_id=failed.thread.conversation_id,
            author=await author_of(slack, str(user["id"]), name_of(user)),
            address=parsed.address,
            body=parsed.body,
            instead_of=failed.delivery.id,
            files=files_again(failed.delivery),
        )
        requested = await texting.request(request, within=left())
    except (FormProblem, TextingError) as wrong:
        await ack(response_action="errors", errors=wrong_fields(wrong))
        return
    await ack()
    await composing.end(team_id=request.team_id, user_id=request.author.user_id)
    if requested.thread.id != failed.thread.id:
        await _tell_where(slack, failed, requested)


async def _read(
    to: str, message: str, failed: Requested, *, texting: Texting, region: str, within: timedelta
) -> TextCommand:
    """Read what was edited; its files go along. Raises FormProblem and NotRead."""
    files = files_again(failed.delivery)
    parsed = parse_text_form(to, message, region=region, with_files=bool(files))
    first = False
    if files and parsed.address != failed.person.address:
        first = not await texting.has_thread(failed.person.team_id, parsed.address, within=within)
    if problem := obstacle_of(files, words=parsed.body, first=first):
        raise FormProblem(to=None, message=problem)
    return parsed


async def _acknowledge_stored(ack: AsyncAck, slack: Slack, click: Click, storing: Awaitable[None]) -> None:
    """Acknowledge a click when what it asks for is stored; what came in the way is told to nobody else."""
    problem = None
    try:
        await storing
    except TextingError as error:
        problem = error
    await ack()
    if problem is not None:
        await tell(slack, click, with_remedy(whisper.refusal(problem.words), problem))


async def _record(audit: Audit, click: Click, action: str, held: Requested) -> None:
    """Put on record who decided what becomes of a text that waited."""
    entry = Entry(
        user_id=click.user_id,
        user_name=click.user_name,
        action=action,
        person_id=held.person.id,
        thread_id=held.thread.id,
        delivery_id=held.delivery.id,
        conversation_id=held.thread.conversation_id,
    )
    await audit.record(entry)


async def _tell_where(slack: Slack, failed: Requested, requested: Requested) -> None:
    """Tell who edited a text so that it went to somebody else, in the thread where they did, where to follow it."""
    thread, old = requested.thread, failed.thread
    link = slack.permalink(thread.conversation_id, thread.card_ts) if thread.card_ts else None
    payload = whisper.elsewhere(requested, thread_url=link)
    try:
        await slack.whisper(old.conversation_id, requested.delivery.author.user_id, payload, thread_ts=old.card_ts)
    except SlackError as error:
        logger.warning("not_told error=%s", error)


async def _find(texting: Texting, slack: Slack, click: Click, within: timedelta) -> Requested:
    """Find the text that a button is about. Raises TextingError: UnknownText also if whoever clicked cannot see it."""
    found = await _text(texting, click.value, click.team_id, within)
    await _demand_sight(slack, found, click.user_id, here=click.conversation_id)
    return found


async def _demand_sight(slack: Slack, found: Requested, user_id: str, *, here: str = "") -> None:
    """Raise UnknownText unless somebody sees a text: which one it is, is the client's word."""
    if found.delivery.author.user_id == user_id:
        return
    if not await sees(slack, user_id, found.thread.conversation_id, here=here):
        raise UnknownText


async def _text(texting: Texting, written: str, team_id: str, within: timedelta) -> Requested:
    """Find the text that a button or a form says it is about. Raises TextingError."""
    try:
        delivery_id = UUID(written)
    except ValueError as error:
        raise UnknownText from error
    return await texting.find(delivery_id, team_id=team_id, within=within)


def _not_asked(error: TextingError) -> str:
    """Say why nothing is known: what is wrong with the click in its own words, all else is Blooio's."""
    if isinstance(error, SentAgain | UnknownText | NotRead):
        return error.words
    return "Blooio could not be asked whether it has this text. Try again in a minute."


def _key(view: dict[str, Any], address: str, body: str) -> str:
    """Make the key of one submission: the same words in the same form are one text, however often they come."""
    content = hashlib.sha256(f"{address}\n{body}".encode()).hexdigest()[:32]
    return f"edit:{view['id']}:{content}"


def register(app: AsyncApp, *, texting: Texting, slack: Slack, composing: Composer, audit: Audit, region: str) -> None:
    listeners: dict[Button, Callable[..., Awaitable[None]]] = {
        Button.TRY_AGAIN: try_again,
        Button.EDIT_AND_SEND: partial(open_form, composing=composing),
        Button.CHECK_NUMBER: check_number,
        Button.CHECK_AGAIN: check_again,
        Button.TRY_NOW: partial(try_now, audit=audit),
        Button.DONT_SEND: partial(dont_send, audit=audit),
    }
    for button, listener in listeners.items():
        constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": button.action_id}
        app.action(constraint)(partial(listener, texting=texting, slack=slack))
    app.view(EDIT_FORM)(partial(submit_form, texting=texting, slack=slack, composing=composing, region=region))
    app.view_closed(EDIT_FORM)(partial(close_form, composing=composing))
