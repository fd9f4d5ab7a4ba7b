"""*Add as contact* on a message: the form for somebody new, with the number that stands in the message."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import whisper
from bot.blocks.contact_forms import Typed, add_form
from bot.reading.addresses import pretty
from bot.reading.contact_command import LONGEST_NAME
from bot.reading.shared import address_in
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.people import People, PointedAt
from bot.texting.errors import TextingError
from handlers.clicks import respond, team_of
from handlers.compose import NO_FORM

logger = logging.getLogger(__name__)

#: `callback_id` of the shortcut, as the manifest has it.
ADD_CONTACT = "add_contact"

#: The form has to be opened within three seconds of the click.
_WITHIN = timedelta(seconds=1)

_NOTHING = "There is no phone number or email address in this message. Write it here."


async def add_contact(ack: AsyncAck, body: dict[str, Any], *, people: People, slack: Slack, region: str) -> None:
    """On what a person texted it is about them, unless the address book has them and their text names another."""
    await ack()
    message, home = body.get("message") or {}, str(body["channel"]["id"])
    address, name = address_in(message, region=region), ""
    at = await _pointed_at(people, home, message, team_of(body))
    if at is not None and (address is None or (at.theirs and not at.in_book)):
        address = at.person.address
    if at is not None and address == at.person.address:
        name = (at.person.name or "")[:LONGEST_NAME]
    typed = Typed(home, name=name, address=pretty(address) if address else "")
    try:
        await slack.open_view(str(body["trigger_id"]), add_form(typed, notice=None if address else _NOTHING))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await respond(slack, body, whisper.refusal(NO_FORM))


async def _pointed_at(people: People, home: str, message: Mapping[str, Any], team_id: str) -> PointedAt | None:
    """Say in whose thread the message stands. Never fails."""
    ts = str(message.get("ts") or "")
    thread_ts = str(message.get("thread_ts") or ts)
    try:
        return await people.pointed_at(home, ts, thread_ts, team_id=team_id, within=_WITHIN)
    except TextingError as error:
        logger.warning("person_not_looked_up code=%s", error.code)
        return None


def register(app: AsyncApp, *, people: People, slack: Slack, region: str) -> None:
    app.shortcut(ADD_CONTACT)(partial(add_contact, people=people, slack=slack, region=region))
