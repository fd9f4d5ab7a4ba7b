"""Reactions in Slack: a check mark on a card, or what a person sees on their phone."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.access.permission import Permission
from bot.reading.request import Unreadable
from bot.reading.tapback import tapback_of
from bot.slack.client import Slack
from bot.storage.tapbacks import Tap, Tapbacks, TappedText
from bot.storage.threads import Cards
from bot.texting.errors import NotPermitted, NotRead
from bot.texting.model import Channel
from handlers import cards
from handlers.clicks import author_of
from handlers.countdown import countdown
from handlers.events import acknowledged, before_ack

_LOOKS, _LOOK_AGAIN = 10, 0.1  # how often to look for a text that is being posted, and seconds in between


#: Slack's seconds with what follows the point: up to the year 2286.
_TS = re.compile(r"\d{1,10}\.\d{1,9}", re.ASCII)


async def reacted(
    event: dict[str, Any], *, added: bool, ownership: Cards, tapbacks: Tapbacks, slack: Slack, permission: Permission
) -> None:
    """Store what a reaction asks for; most ask for nothing. What raises comes again."""
    item, user_id = event.get("item") or {}, event.get("user")
    if item.get("type") != "message" or user_id in (None, slack.identity.get("user_id")):
        return
    if not isinstance(user_id, str) or not isinstance(event.get("reaction"), str):
        raise Unreadable
    if not _TS.fullmatch(str(event.get("event_ts") or "0.0")):
        raise Unreadable
    if not await cards.reacted(event, added=added, cards=ownership, slack=slack, permission=permission):
        await tapped(event, added=added, tapbacks=tapbacks, slack=slack, permission=permission)


async def tapped(
    event: dict[str, Any], *, added: bool, tapbacks: Tapbacks, slack: Slack, permission: Permission
) -> None:
    """
    Put a reaction on a person's text on their phone, or take it off there.

    A reaction is no command: where it means nothing, nothing is said. Raises TextingError.
    """
    left, name, user_id = countdown(), str(event.get("reaction") or ""), str(event["user"])
    home, ts = str(event["item"].get("channel") or ""), str(event["item"].get("ts") or "")
    reaction = tapback_of(name)
    if reaction is None:
        return
    ours = event.get("item_user") in (None, slack.identity.get("user_id"))
    text = await _posted(home, ts, tapbacks, left) if ours else await tapbacks.text_at(home, ts, within=left())
    if (
        text is None
        or text.inbound.channel is not Channel.IMESSAGE
        or (added and not await _may(user_id, text, permission))
    ):
        return
    author = await author_of(slack, user_id, "Somebody")
    tap = Tap(author=author, name=name, reaction=reaction, added=added, said_at=_said_at(event))
    await tapbacks.store(text, tap, within=left())


async def _posted(home: str, ts: str, tapbacks: Tapbacks, left: Callable[[], timedelta]) -> TappedText | None:
    """
    Find the text that a message of ours shows.

    Somebody may be quicker than Slack's answer to our post: for a second, the answer is waited for. Raises NotRead.
    """
    for _ in range(_LOOKS):
        posting = await tapbacks.is_posting(home, within=left())  # asked first: in between it may have been posted
        text = await tapbacks.text_at(home, ts, within=left())
        if text is not None or not posting:
            return text
        await asyncio.sleep(_LOOK_AGAIN)
    raise NotRead  # Slack will tell of it again, in a minute


async def _may(user_id: str, text: TappedText, permission: Permission) -> bool:
    """Say whether somebody may put a reaction there: where what they type would be texted without a question."""
    if text.person.opted_out_since is not None or text.thread.done_at is not None or text.replies != "texted":
        return False
    try:
        await permission.check(user_id=user_id, conversation_id=text.posted_in)
    except NotPermitted:
        return False
    return True


def _said_at(event: dict[str, Any]) -> Decimal:
    return Decimal(str(event.get("event_ts") or 0))


def register(app: AsyncApp, *, ownership: Cards, tapbacks: Tapbacks, slack: Slack, permission: Permission) -> None:
    for added, name in ((True, "reaction_added"), (False, "reaction_removed")):
        handle = partial(
            reacted, added=added, ownership=ownership, tapbacks=tapbacks, slack=slack, permission=permission
        )
        app.event(name, middleware=[partial(before_ack, handle=handle)])(acknowledged)
