"""*Show all* below the beginning of a long text of a person's."""

import logging
import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import whisper
from bot.blocks.inbound import SHOW_ALL, whole
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.storage.conversations import Conversations
from bot.texting.errors import TextingError
from handlers.clicks import read_click, tell

logger = logging.getLogger(__name__)

#: A form has to be opened within three seconds of the click.
_WITHIN = timedelta(seconds=1.5)

_NOT_SHOWN = "The text could not be opened. Press the button again."


async def show_all(ack: AsyncAck, body: dict[str, Any], *, conversations: Conversations, slack: Slack) -> None:
    """Open a long text where there is room for it."""
    await ack()
    click = read_click(body)
    try:
        text = await conversations.shown_in(
            click.conversation_id, UUID(click.value), team_id=click.team_id, within=_WITHIN
        )
        if text is not None:
            await slack.open_view(click.trigger_id, whole(text))
    except ValueError:  # a forged click
        return
    except (TextingError, SlackError) as error:
        logger.warning("text_not_shown error=%s", type(error).__name__)
        await tell(slack, click, whisper.refusal(_NOT_SHOWN))


def register(app: AsyncApp, *, conversations: Conversations, slack: Slack) -> None:
    constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": SHOW_ALL}
    app.action(constraint)(partial(show_all, conversations=conversations, slack=slack))
