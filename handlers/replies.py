"""What people type in a thread: it is stored, and texted if it is meant to be, before Slack is told that we have it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.reading.reply import fate_of, read_typed
from bot.slack import Slack
from bot.texting.model import Reply
from bot.texting.threads import Threads
from handlers.clicks import author_of
from handlers.countdown import countdown
from handlers.places import names_in


async def typed(event: dict[str, Any], *, threads: Threads, slack: Slack) -> None:
    """Store a message typed in a thread of ours, and its text. Raises TextingError: then Slack sends it again."""
    left = countdown()
    message = read_typed(event)
    if message is None:
        return
    place = await threads.place(message.conversation_id, message.thread_ts, within=left())
    if place is None:
        return
    fate, body = fate_of(message, names=await names_in(slack, message.text))
    reply = Reply(
        conversation_id=message.conversation_id,
        ts=message.ts,
        thread_id=place.thread.id,
        author=await author_of(slack, message.user_id, "Somebody"),
        body=body,
        fate=fate,
    )
    await threads.reply(reply, place, within=left())


async def before_ack(
    event: dict[str, Any],
    next_: Callable[[], Awaitable[BoltResponse]],
    *,
    handle: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """
    Handle an event before it is acknowledged.

    Bolt acknowledges an event before its listener runs, but after the listener's own middleware. What raises here is
    not acknowledged, so Slack sends it again.
    """
    await handle(event)
    await next_()


async def acknowledged() -> None:
    """Nothing is left to do."""


def register(app: AsyncApp, *, threads: Threads, slack: Slack) -> None:
    middleware = partial(before_ack, handle=partial(typed, threads=threads, slack=slack))
    for subtype in (None, "file_share", "thread_broadcast"):
        app.event({"type": "message", "subtype": subtype}, middleware=[middleware])(acknowledged)
