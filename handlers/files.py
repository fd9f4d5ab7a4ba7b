"""*Try again* below a text whose files could not be fetched or shared."""

import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import whisper
from bot.blocks.files import TRY_AGAIN
from bot.slack.client import Slack
from bot.storage.files import InboundFiles
from bot.texting.errors import TextingError
from handlers.clicks import read_click, tell

_WITHIN = timedelta(seconds=5)
_NOT_STORED = "That could not be saved, so nothing was done. Try again in a minute."


async def try_again(ack: AsyncAck, body: dict[str, Any], *, files: InboundFiles, slack: Slack) -> None:
    """Fetch once more what this may help; the line below the text says what comes of it. Twice is as good as once."""
    await ack()
    click = read_click(body)
    try:
        await files.again(UUID(click.value), seen_in=click.conversation_id, within=_WITHIN)
    except ValueError:  # a forged click
        return
    except TextingError:
        await tell(slack, click, whisper.refusal(_NOT_STORED))


def register(app: AsyncApp, *, files: InboundFiles, slack: Slack) -> None:
    constraint: dict[str, str | re.Pattern[str]] = {"type": "block_actions", "action_id": TRY_AGAIN}
    app.action(constraint)(partial(try_again, files=files, slack=slack))
