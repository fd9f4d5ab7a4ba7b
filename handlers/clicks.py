"""Who clicked and where, and how they alone are told what came of it."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from bot.blocks.mrkdwn import Payload
from bot.desk import Asker
from bot.reading.request import Unreadable
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.model import Author
from handlers.countdown import ASKING_SECONDS

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed a button, below a message or in a form."""

    value: str  # of the button, or what somebody made of it
    team_id: str
    user_id: str
    user_name: str
    conversation_id: str
    thread_ts: str | None
    trigger_id: str
    response_url: str = field(repr=False)  # whoever has it can answer in our name
    view_id: str = ""  # of the form in which it was, if it was in one


def read_click(body: dict[str, Any], *, value: str | None = None) -> Click:
    """Read a click; *value* is what somebody chose, if it was in a menu."""
    container, user, view = body.get("container") or {}, body["user"], body.get("view") or {}
    return Click(
        value=str(body["actions"][0].get("value") or "") if value is None else value,
        team_id=team_of(body),
        user_id=str(user["id"]),
        user_name=name_of(user),
        conversation_id=str(container.get("channel_id") or (body.get("channel") or {}).get("id") or ""),
        thread_ts=container.get("thread_ts"),
        trigger_id=str(body.get("trigger_id") or ""),
        response_url=str(body.get("response_url") or ""),
        view_id=str(view.get("id") or ""),
    )


def asker_of(click: Click) -> Asker:
    """Say who asks, and where; of a click in a form Slack does not say where, only the form does."""
    return Asker(click.team_id, click.user_id, "" if click.view_id else click.conversation_id)


def view_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the form in which somebody clicked. Raises Unreadable: what they clicked stands in forms only."""
    view = body.get("view")
    if not isinstance(view, dict):
        raise Unreadable("no form")
    return view


async def author_of(slack: Slack, user_id: str, user_name: str) -> Author:
    """Name the person who sends a text again, as the others in the thread know them."""
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            profile = await slack.people.profile(user_id, fallback=user_name)
    except TimeoutError:
        return Author(user_id, user_name)
    return Author(user_id, profile.name)


async def tell(slack: Slack, click: Click, payload: Payload) -> None:
    """Tell only the person who clicked, in the thread; or, if Slack will not, wherever it puts our answer to them."""
    try:
        await slack.whisper(click.conversation_id, click.user_id, payload, thread_ts=click.thread_ts)
    except SlackError as refused:
        logger.info("not_whispered error=%s", refused)
        await respond(slack, {"response_url": click.response_url}, payload)


async def respond(slack: Slack, body: dict[str, Any], payload: Payload) -> None:
    """Tell only the person who did something, where Slack puts our answers to it."""
    try:
        await slack.respond(str(body.get("response_url") or ""), {**payload, "replace_original": False})
    except SlackError as error:
        logger.warning("not_told error=%s", error)


async def tell_directly(slack: Slack, user_id: str, payload: Payload) -> None:
    """Tell somebody in their messages with us, where it stays: they may not look there now."""
    try:
        await slack.post(await slack.places.direct(user_id), payload, key="told")
    except SlackError as error:
        logger.warning("not_told error=%s", error)


def team_of(body: dict[str, Any]) -> str:
    return str((body.get("team") or {}).get("id") or body["user"].get("team_id") or "")


def name_of(user: dict[str, Any]) -> str:
    return str(user.get("username") or user.get("name") or "Somebody")
