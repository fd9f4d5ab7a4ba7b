"""`/contact add | edit | find | list | show | tag | untag`: the address book, and only who asks is answered."""

import asyncio
import logging
import secrets
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import contacts
from bot.blocks.answer import problem
from bot.blocks.mrkdwn import Payload
from bot.desk import Asker, Desk, Form, Work
from bot.errands import ACKNOWLEDGED_SECONDS, Errands
from bot.reading.command import CommandProblem
from bot.reading.contact_command import parse_contact_command
from bot.reading.slack_text import plain_text
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.errors import TextingError
from bot.texting.service import Texting
from handlers import contact_clicks, contact_forms
from handlers.countdown import countdown
from handlers.places import names_in

logger = logging.getLogger(__name__)

#: Whoever typed waits so long for Blooio before they are told that it goes on.
_WAIT_SECONDS = 2.0

#: So much of Slack's three seconds is left for the acknowledgement to get there.
_SPARE_SECONDS = 0.3


async def contact(
    ack: AsyncAck, command: dict[str, Any], *, desk: Desk, slack: Slack, errands: Errands, region: str
) -> None:
    """Do what was typed, or begin to; what takes Blooio too long is told later, where the command was typed."""
    left = countdown()
    text = str(command.get("text") or "")
    typed = f"{command['command']} {plain_text(text, names=await names_in(slack, text))}".strip()
    asker = Asker(str(command["team_id"]), str(command["user_id"]), str(command["channel_id"]))
    try:
        step = await desk.begin(parse_contact_command(text, region=region), asker, typed)
        if isinstance(step, Form):
            await ack(**await _opened(slack, str(command.get("trigger_id") or ""), step, typed, left().total_seconds()))
            return
    except CommandProblem as refused:
        await ack(**problem(refused.words, typed))
        return
    except TextingError as refused:
        await ack(**problem(contacts.not_looked_up(refused), typed))
        return
    if isinstance(step, Work):
        seconds = min(_WAIT_SECONDS, left().total_seconds() - _SPARE_SECONDS)
        await _work(ack, step, str(command.get("response_url") or ""), slack=slack, errands=errands, seconds=seconds)
        return
    await ack(**step)


async def _opened(slack: Slack, trigger_id: str, form: Form, typed: str, seconds: float) -> Payload:
    """Open a form, and return what there is to say: nothing if it opened. Raises TextingError."""
    try:
        async with asyncio.timeout(max(0.1, seconds - _SPARE_SECONDS)):
            await slack.open_view(trigger_id, form.view)
    except (SlackError, TimeoutError) as error:
        logger.warning("form_not_opened error=%s", str(error) or "timeout")
        return contacts.no_form(typed, form.again, await form.value())
    return {}


async def _work(
    ack: AsyncAck, work: Work, response_url: str, *, slack: Slack, errands: Errands, seconds: float
) -> None:
    """Acknowledge with what the work comes to, or soon that it goes on."""
    task = errands.run(work.do(), "contact")
    done, _ = await asyncio.wait({task}, timeout=max(0.1, seconds))
    if done:
        await ack(**task.result())
        return
    await ack(**work.meanwhile)
    errands.run(_tell_later(task, response_url, slack), "contact answer")


async def _tell_later(task: asyncio.Task[Payload], response_url: str, slack: Slack) -> None:
    """Tell what work came to that had been said to go on; whoever asked is waiting, so something is always said."""
    try:
        payload = await task
    except Exception:
        reference = secrets.token_hex(4)
        logger.exception("contact_failed reference=%s", reference)
        payload = contacts.went_wrong(reference)
    await asyncio.sleep(ACKNOWLEDGED_SECONDS)
    try:
        await slack.respond(response_url, payload)
    except SlackError as error:
        logger.warning("not_told error=%s", error)


def register(app: AsyncApp, *, desk: Desk, slack: Slack, texting: Texting, errands: Errands, region: str) -> None:
    app.command("/contact")(partial(contact, desk=desk, slack=slack, errands=errands, region=region))
    contact_clicks.register(app, desk=desk, slack=slack, errands=errands, texting=texting)
    contact_forms.register(app, desk=desk, slack=slack, errands=errands, region=region)
