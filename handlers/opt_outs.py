"""*Opt out…* on somebody's card, and *Allow texts again…*, which only an admin may."""

import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access.permission import Permission
from bot.blocks import contact_forms, contacts, opt_outs, whisper
from bot.blocks.card import label
from bot.blocks.contact_forms import Outcome, read_here
from bot.blocks.contacts import Button
from bot.blocks.mrkdwn import Payload, escape
from bot.blocks.opt_outs import ALLOW_FORM, NOTE, allow_form, read_allowing
from bot.desk import Desk
from bot.reading.addresses import is_spelled_out, pretty
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.audit import REFUSAL, Audit, Entry
from bot.storage.opt_outs import OptOuts
from bot.texting.errors import NotRead, NotStored, PerhapsStored, TextingError
from bot.texting.model import Address, Contact, Person
from bot.texting.service import Texting
from handlers.clicks import Click, asker_of, author_of, name_of, read_click, team_of, tell
from handlers.countdown import countdown

logger = logging.getLogger(__name__)

#: A form has to be opened within three seconds of the click.
_BEFORE_A_FORM = timedelta(seconds=1)

_TITLE = "Contact"
_NO_FORM = "The form could not be opened. Press the button again."
_NOT_SAVED = "We could not save that, so nothing was changed. Try again in a minute."
_PERHAPS_SAVED = "We could not confirm that this was saved. Look at their card before you try again."
_NOBODY = "This button is about nobody whom we know. Nothing was changed."
_NOT_READ = "We could not look them up, so nothing was changed. Try again in a minute."

#: What the record says of somebody who wanted to allow texts and may not.
NOT_ADMIN = "not_admin"


async def opt_out(ack: AsyncAck, body: dict[str, Any], *, consent: OptOuts, desk: Desk, slack: Slack) -> None:
    """*Opt out…*: somebody said to a colleague that they want no texts. They are asked before the click gets here."""
    click, left = _read(body), countdown()
    address = Address(click.value)
    if not is_spelled_out(address):
        await ack()
        await _refuse(slack, click, _NOBODY)
        return
    try:
        news = await consent.opt_out(
            click.team_id,
            address,
            by=await author_of(slack, click.user_id, click.user_name),
            now=datetime.now(UTC),
            within=left(),
        )
    except TextingError as error:
        await ack()
        await _refuse(slack, click, _words(error))
        return
    await ack()
    contact = await _contact(desk, address)
    who = contacts.called(contact) if contact else pretty(address)
    await _show(slack, click, desk, contact, opt_outs.opted_out(who, news=news))


async def ask(
    ack: AsyncAck, body: dict[str, Any], *, texting: Texting, permission: Permission, audit: Audit, slack: Slack
) -> None:
    """*Allow texts again…*: the form, for an admin."""
    await ack()
    click = _read(body)
    try:
        person = await _opted_out(texting, click.team_id, Address(click.value))
    except TextingError as error:
        await _refuse(slack, click, _words(error))
        return
    if person is None:
        await _refuse(slack, click, opt_outs.ALREADY_ALLOWED)
        return
    if not await permission.is_admin(click.user_id):
        await _refuse(slack, click, opt_outs.only_admins(permission.whom_to_ask()))
        entry = Entry(
            user_id=click.user_id,
            user_name=click.user_name,
            action=REFUSAL,
            reason=NOT_ADMIN,
            person_id=person.id,
            conversation_id=click.conversation_id or None,
        )
        await audit.record(entry)
        return
    form = allow_form(person, click.conversation_id)
    try:
        if click.view_id:
            await slack.update_view(click.view_id, form, made_from=None)
        else:
            await slack.open_view(click.trigger_id, form)
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await _refuse(slack, click, _NO_FORM)


async def allow(
    ack: AsyncAck,
    body: dict[str, Any],
    view: dict[str, Any],
    *,
    consent: OptOuts,
    texting: Texting,
    permission: Permission,
    slack: Slack,
) -> None:
    """Store what an admin wrote and let texts through again; or say in the form what is wrong."""
    left, user, team_id = countdown(), body["user"], team_of(body)
    allowing = read_allowing(view)
    wrong = opt_outs.wrong_fields(allowing)
    if not wrong and not await permission.is_admin(str(user["id"])):
        wrong = {NOTE: opt_outs.only_admins(permission.whom_to_ask())}
    if wrong:
        await ack(response_action="errors", errors=wrong)
        return
    try:
        person = await _opted_out(texting, team_id, allowing.address)
        made = person is not None and await consent.allow(
            team_id,
            allowing.address,
            by=await author_of(slack, str(user["id"]), name_of(user)),
            asked_by=allowing.asked_by,
            note=allowing.note,
            now=datetime.now(UTC),
            within=left(),
        )
    except TextingError as error:
        await ack(response_action="errors", errors={NOTE: _words(error)})
        return
    if person is None or not made:
        await ack(response_action="errors", errors={NOTE: opt_outs.ALREADY_ALLOWED})
        return
    await ack(response_action="update", view=opt_outs.allowed(view, label(person)))


async def _opted_out(texting: Texting, team_id: str, address: Address) -> Person | None:
    """Return who it is, if they want no texts. Raises NotRead."""
    return (await texting.look_up(team_id, address, within=_BEFORE_A_FORM)).opted_out


async def _contact(desk: Desk, address: Address) -> Contact | None:
    try:
        return await desk.find(address)
    except TextingError as error:
        logger.warning("contact_not_looked_up code=%s", error.code)
        return None


async def _show(slack: Slack, click: Click, desk: Desk, contact: Contact | None, said: str) -> None:
    """Draw somebody's card as it is now, in place of the one that was clicked on."""
    card = await desk.card(contact, asker_of(click), said) if contact else contacts.only(said)
    if click.view_id:
        await _show_in_form(slack, click, Outcome(_TITLE, said, tuple(card["blocks"][1:])))
        return
    try:
        await slack.respond(click.response_url, {**card, "replace_original": True})
    except SlackError as error:
        logger.info("not_answered error=%s", error)
        await tell(slack, click, contacts.only(said))


async def _refuse(slack: Slack, click: Click, words: str) -> None:
    if click.view_id:
        await _show_in_form(slack, click, Outcome(_TITLE, f"⚠️ {escape(words)}"))
    else:
        await tell(slack, click, whisper.refusal(words))


async def _show_in_form(slack: Slack, click: Click, outcome: Outcome) -> None:
    view: Payload = contact_forms.outcome(outcome, click.conversation_id)
    try:
        await slack.update_view(click.view_id, view, made_from=None)
    except SlackError as error:  # closed, or its button can be pressed again
        logger.warning("form_not_changed error=%s", error)


def _read(body: dict[str, Any]) -> Click:
    """Read a click; one in a form was where that was opened from."""
    click = read_click(body)
    return replace(click, conversation_id=read_here(body["view"])) if click.view_id else click


def _words(error: TextingError) -> str:
    """Say why nothing came of it: what errors say by themselves is about a text."""
    if isinstance(error, PerhapsStored):
        return _PERHAPS_SAVED
    if isinstance(error, NotStored):
        return _NOT_SAVED
    return _NOT_READ if isinstance(error, NotRead) else error.words


def register(
    app: AsyncApp,
    *,
    consent: OptOuts,
    texting: Texting,
    permission: Permission,
    audit: Audit,
    desk: Desk,
    slack: Slack,
) -> None:
    listeners = {
        Button.OPT_OUT: partial(opt_out, consent=consent, desk=desk, slack=slack),
        Button.ALLOW: partial(ask, texting=texting, permission=permission, audit=audit, slack=slack),
    }
    for kind, listener in listeners.items():
        constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": kind.action_id}
        app.action(constraint)(listener)
    app.view(ALLOW_FORM)(partial(allow, consent=consent, texting=texting, permission=permission, slack=slack))
