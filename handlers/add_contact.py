"""*Add as contact* on a message: the form for somebody new, with the number that stands in the message."""

import logging
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import whisper
from bot.blocks.contact_forms import Typed, add_form
from bot.reading.addresses import pretty
from bot.reading.shared import address_in
from bot.slack import Slack, SlackError
from handlers.clicks import respond
from handlers.compose import NO_FORM

logger = logging.getLogger(__name__)

#: `callback_id` of the shortcut, as the manifest has it.
ADD_CONTACT = "add_contact"

_NOTHING = "There is no phone number or email address in this message. Write it here."


async def add_contact(ack: AsyncAck, body: dict[str, Any], *, slack: Slack, region: str) -> None:
    await ack()
    address = address_in(body.get("message") or {}, region=region)
    typed = Typed(str(body["channel"]["id"]), address=pretty(address) if address else "")
    try:
        await slack.open_view(str(body["trigger_id"]), add_form(typed, notice=None if address else _NOTHING))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await respond(slack, body, whisper.refusal(NO_FORM))


def register(app: AsyncApp, *, slack: Slack, region: str) -> None:
    app.shortcut(ADD_CONTACT)(partial(add_contact, slack=slack, region=region))
