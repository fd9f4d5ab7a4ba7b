"""The buttons of the address book: on a card, in a list, below a question, and in a form that is done."""

import asyncio
import logging
import re
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import contact_forms, contacts, whisper
from bot.blocks.contact_forms import Outcome, read_here
from bot.blocks.contacts import CHOOSE, Button, read_place
from bot.blocks.mrkdwn import Payload, escape
from bot.desk import Asker, Desk, Form, Step, Work
from bot.errands import Errands
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.errors import NotAccepted, NotFound, TextingError
from bot.texting.service import Texting
from handlers.clicks import Click, asker_of, read_click

logger = logging.getLogger(__name__)

#: After so long whoever clicked is told that it goes on.
_SAID_AFTER_SECONDS = 1.0

_NO_FORM = "The form could not be opened. Press the button again."
_NO_PAGE = "This button leads nowhere any more. Type /contact list again."
_GONE = "They are not in the address book any more."
_NOT_CHECKED = "Blooio could not be asked what they can receive. Try again in a minute."
_NOBODY = "Blooio does not take this for somebody it can text. Check the number."


async def show(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack) -> None:
    """*Show*: somebody's card, below the list."""
    await ack()
    click = read_click(body)
    try:
        contact = await desk.find(click.value)
        payload = await desk.card(contact, asker_of(click)) if contact else whisper.refusal(_GONE)
    except TextingError as error:
        payload = whisper.refusal(contacts.not_looked_up(error))
    await _answer(slack, click, payload)


async def check(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack, texting: Texting) -> None:
    """*Check now*: ask Blooio what somebody can receive; the card says it."""
    await ack()
    click = read_click(body)
    try:
        contact = await desk.find(click.value)
        if contact is None:
            await _answer(slack, click, whisper.refusal(_GONE))
            return
        await texting.look_ahead(click.team_id, contact.address)
        await _answer(slack, click, await desk.card(contact, asker_of(click)), instead=True)
    except TextingError as error:
        logger.warning("number_not_checked code=%s", error.code)
        refused = isinstance(error, NotAccepted | NotFound)
        await _answer(slack, click, whisper.refusal(_NOBODY if refused else _NOT_CHECKED))


async def turn(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack) -> None:
    """*Older*, *Newer*: another page of the list in its place."""
    await ack()
    click = read_click(body)
    try:
        page = await desk.page(*read_place(click.value))
    except ValueError:
        await _answer(slack, click, whisper.refusal(_NO_PAGE))
    except TextingError as error:
        await _answer(slack, click, whisper.refusal(contacts.not_looked_up(error)))
    else:
        await _answer(slack, click, page, instead=True)


async def edit(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack) -> None:
    """*Edit*: the form about somebody; in a form that is done, in its place."""
    await ack()
    click = read_click(body)
    here = read_here(body["view"]) if click.view_id else click.conversation_id
    try:
        contact = await desk.find(click.value)
    except TextingError as error:
        await _refuse(slack, click, here, contacts.not_looked_up(error))
        return
    if contact is None:
        await _refuse(slack, click, here, _GONE)
        return
    form = desk.form_to_edit(contact, Asker(click.team_id, click.user_id, here))
    if click.view_id:
        await _show_in_form(slack, click, form.view)
    else:
        await _open(slack, click, form)


async def _refuse(slack: Slack, click: Click, here: str, words: str) -> None:
    if click.view_id:
        refused = contact_forms.outcome(Outcome("Edit contact", f"⚠️ {escape(words)}"), here)
        await _show_in_form(slack, click, refused)
    else:
        await _answer(slack, click, whisper.refusal(words))


async def _show_in_form(slack: Slack, click: Click, view: Payload) -> None:
    try:
        await slack.update_view(click.view_id, view, made_from=None)
    except SlackError as error:  # closed, or its button can be pressed again
        logger.warning("form_not_changed error=%s", error)


async def add(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack) -> None:
    """*Add contact*, *Open the form*: the form for somebody new, with what was typed."""
    await ack()
    click = read_click(body)
    try:
        draft = await desk.draft(click.value, click.user_id)
    except TextingError as error:
        await _answer(slack, click, whisper.refusal(error.words))
        return
    await _open(slack, click, desk.form_to_add(draft, asker_of(click)))


async def choose(ack: AsyncAck, body: dict[str, Any], *, desk: Desk, slack: Slack, errands: Errands) -> None:
    """One of several people: go on with what was typed, in place of the question."""
    await ack()
    click = read_click(body)
    draft_id, _, number = click.value.partition(":")
    try:
        draft = await desk.draft(draft_id, click.user_id)
        step = await desk.chosen(draft, int(number) if number.isdecimal() else -1, asker_of(click))
    except TextingError as error:
        await _answer(slack, click, whisper.refusal(contacts.not_looked_up(error)))
        return
    await _take(step, click, slack, errands)


async def _take(step: Step, click: Click, slack: Slack, errands: Errands) -> None:
    """Show what a step comes to in place of the message that was clicked on."""
    if isinstance(step, Form):
        if await _open(slack, click, step):
            await _respond(slack, click, {"delete_original": True})
    elif isinstance(step, Work):
        task = errands.run(step.do(), "contact")
        done, _ = await asyncio.wait({task}, timeout=_SAID_AFTER_SECONDS)
        if not done:
            await _answer(slack, click, step.meanwhile, instead=True)
        await _answer(slack, click, await task, instead=True)
    else:
        await _answer(slack, click, step, instead=True)


async def _open(slack: Slack, click: Click, form: Form) -> bool:
    try:
        await slack.open_view(click.trigger_id, form.view)
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await _answer(slack, click, whisper.refusal(_NO_FORM))
        return False
    return True


async def _answer(slack: Slack, click: Click, payload: Payload, *, instead: bool = False) -> None:
    """Tell whoever clicked, and nobody else; *instead* of the message that they clicked on, or below it."""
    await _respond(slack, click, {**payload, "replace_original": instead})


async def _respond(slack: Slack, click: Click, payload: Payload) -> None:
    try:
        await slack.respond(click.response_url, payload)
    except SlackError as error:
        logger.warning("not_told error=%s", error)


def register(app: AsyncApp, *, desk: Desk, slack: Slack, errands: Errands, texting: Texting) -> None:
    listeners = {
        Button.SHOW: partial(show, desk=desk, slack=slack),
        Button.EDIT: partial(edit, desk=desk, slack=slack),
        Button.CHECK: partial(check, desk=desk, slack=slack, texting=texting),
        Button.ADD: partial(add, desk=desk, slack=slack),
        Button.OPEN_FORM: partial(add, desk=desk, slack=slack),
        Button.NEWER: partial(turn, desk=desk, slack=slack),
        Button.OLDER: partial(turn, desk=desk, slack=slack),
    }
    actions = {kind.action_id: listener for kind, listener in listeners.items()}
    actions[CHOOSE] = partial(choose, desk=desk, slack=slack, errands=errands)
    for action_id, listener in actions.items():
        constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": action_id}
        app.action(constraint)(listener)
