"""`/text settings`: how a channel wants its threads."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access.sight import sees
from bot.blocks.channel_settings import REPLIES, SETTINGS_FORM, read_settings, saved, settings_form
from bot.blocks.mrkdwn import Payload
from bot.blocks.whisper import refusal
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.channels import Channels
from bot.texting.errors import NotRead, NotStored, PerhapsStored, TextingError
from handlers.clicks import author_of, name_of, respond, tell_directly
from handlers.countdown import countdown
from handlers.places import look_at

logger = logging.getLogger(__name__)

_NO_CHANNEL = "Settings are for channels. Type /text settings in the channel that you want to change."
_NOT_IN = "I am not in this channel yet. Type /invite @{bot} here, then /text settings again."
_NOT_READ = "We could not look up the settings. Try again in a minute."
_NO_FORM = "The form could not be opened. Type /text settings again."
_NOT_YOURS = "You are not in this channel, so nothing was changed."
_NOT_SAVED = "We could not save that. Press Save again in a minute."

#: A form has to be opened within three seconds of the command.
_BEFORE_A_FORM = timedelta(seconds=1)


async def settings(ack: AsyncAck, command: dict[str, Any], *, channels: Channels, slack: Slack) -> None:
    """Open the form; where there is nothing to choose, say so kindly."""
    home = str(command["channel_id"])
    if home.startswith("D"):
        await ack(**_said(_NO_CHANNEL))
        return
    place = await look_at(slack, home)
    if place.direct or not place.usable:
        bot = slack.identity.get("user") or "texting"
        await ack(**_said(_NO_CHANNEL if place.direct or place.archived else _NOT_IN.format(bot=bot)))
        return
    try:
        choices = await channels.choices(home, within=_BEFORE_A_FORM)
    except TextingError:
        await ack(**refusal(_NOT_READ))
        return
    await ack()
    try:
        await slack.open_view(str(command.get("trigger_id") or ""), settings_form(home, choices))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await respond(slack, command, refusal(_NO_FORM))


async def save(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], *, channels: Channels, slack: Slack) -> None:
    """Store what was chosen, then close the form; or say in it that it could not be stored."""
    left, user = countdown(), body["user"]
    home, choices = read_settings(view)
    try:
        if not await sees(slack, str(user["id"]), home):  # which channel it is about, is the client's word
            await ack(response_action="errors", errors={REPLIES: _NOT_YOURS})
            return
        author = await author_of(slack, str(user["id"]), name_of(user))
        news = await channels.choose(home, choices, author, within=left())
    except (NotStored, PerhapsStored):
        await ack(response_action="errors", errors={REPLIES: _NOT_SAVED})
        return
    except NotRead as unsaid:
        await ack(response_action="errors", errors={REPLIES: unsaid.words})
        return
    await ack()
    try:
        await slack.whisper(home, author.user_id, saved(choices, news=news))
    except SlackError as error:
        logger.info("not_whispered error=%s", error)
        await tell_directly(slack, author.user_id, saved(choices, news=news))


def _said(words: str) -> Payload:
    return {"text": words}


def register(app: AsyncApp, *, channels: Channels, slack: Slack) -> None:
    app.view(SETTINGS_FORM)(partial(save, channels=channels, slack=slack))
