"""What happens to cards in Slack: somebody deletes one."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.storage.drawings import Drawings


async def message_deleted(event: dict[str, Any], *, drawings: Drawings) -> None:
    """Remember a deleted card, so that the person's next text gets a new one instead of an orphan's place."""
    await drawings.card_gone(str(event["channel"]), str(event["deleted_ts"]))


async def message_changed(event: dict[str, Any], *, drawings: Drawings) -> None:
    """Remember a deleted card that has replies: Slack leaves a tombstone in its place."""
    message = event["message"]
    if message.get("subtype") == "tombstone":
        await drawings.card_gone(str(event["channel"]), str(message["ts"]))


async def other_event() -> None:
    """Acknowledge what we do not act on: an event nobody listens to is sent again and again."""


def register(app: AsyncApp, *, drawings: Drawings) -> None:
    app.event({"type": "message", "subtype": "message_deleted"})(partial(message_deleted, drawings=drawings))
    app.event({"type": "message", "subtype": "message_changed"})(partial(message_changed, drawings=drawings))
    app.event("message")(other_event)
