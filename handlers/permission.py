"""
The door: whoever types a command, clicks, submits or looks for somebody is let through, or told why not.

It stands before every listener, so a new one is guarded without a word about it. Events come through: nobody waits for
an answer to them, so whoever acts on one asks `Permission` itself.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.access.permission import Permission, Why
from bot.blocks import contacts, files, whisper
from bot.blocks.answer import problem
from bot.blocks.card import CARD_MORE, CLAIM, DONE, REOPEN
from bot.blocks.composer import COMPOSE_FORM, HOME, read_writing
from bot.blocks.contact_forms import read_here
from bot.blocks.forms import MESSAGE
from bot.blocks.inbound import SHOW_ALL
from bot.blocks.mrkdwn import Payload
from bot.blocks.receipt import Button as Receipt
from bot.errands import Errands
from bot.reading.request import Unreadable, kind_of
from bot.reading.slack_text import plain_text
from bot.slack.client import Slack
from bot.slack.errors import SlackError
from bot.texting.errors import NotPermitted
from handlers.add_contact import ADD_CONTACT
from handlers.clicks import respond, team_of, tell_directly
from handlers.countdown import begin
from handlers.places import look_at, names_in

logger = logging.getLogger(__name__)

#: What nobody is asked about, and why.
OPEN = {
    "event_callback": "whoever acts on an event asks by themselves: there is nothing to answer",
    "view_closed": "somebody closed a form",
}

#: What sends nothing: who somebody is matters for it, and not where they are.
SENDS_NOTHING = {
    "/contact",
    ADD_CONTACT,
    contacts.CHOOSE,
    CLAIM,
    DONE,
    REOPEN,
    CARD_MORE,
    files.TRY_AGAIN,
    SHOW_ALL,
    *(one.action_id for one in (Receipt.CHECK_NUMBER, Receipt.CHECK_AGAIN, Receipt.DONT_SEND)),
    *(one.action_id for one in contacts.Button if one is not contacts.Button.TEXT),
}

#: The same, of what follows `/text`: a whole line, or its first word.
_LINES, _WORDS = {"?", "help", "settings"}, {"report"}


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody wants something."""

    kind: str
    name: str  # of the command, the button, the form or the shortcut
    user_id: str
    team_id: str  # where they act from
    sends_from: str | None  # the conversation; None: Slack does not say, or it does not matter
    here: str  # the conversation that they look at; '' if Slack does not say
    thread_ts: str | None = None
    response_url: str = field(default="", repr=False)  # whoever has it can answer in our name


def read_asking(body: dict[str, Any]) -> Asking | None:
    """Read who wants what; None of what is open, and of what no person does."""
    kind = kind_of(body)
    if kind == "command":
        here = str(body["channel_id"])
        name, user_id, team_id = str(body["command"]), str(body["user_id"]), str(body["team_id"])
        thread_ts = None
    elif kind in OPEN or not body.get("user"):
        return None
    else:
        view, container = body.get("view") or {}, body.get("container") or {}
        here = str((body.get("channel") or {}).get("id") or container.get("channel_id") or _opened_from(view))
        name, user_id, team_id = _name(body), str(body["user"]["id"]), team_of(body)
        thread_ts = container.get("thread_ts") or (body.get("message") or {}).get("thread_ts")
    return Asking(
        kind=kind,
        name=name,
        user_id=user_id,
        team_id=team_id,
        sends_from=_sends_from(kind, name, here, body),
        here=here,
        thread_ts=thread_ts,
        response_url=str(body.get("response_url") or ""),
    )


async def guard(
    body: dict[str, Any],
    next_: Callable[[], Awaitable[BoltResponse]],
    *,
    permission: Permission,
    slack: Slack,
    errands: Errands,
) -> BoltResponse | None:
    """Let a request through if whoever makes it may; otherwise answer it, and only them."""
    begin()
    asking = read_asking(body)
    if asking is None:
        await next_()
        return None
    check = permission.check(user_id=asking.user_id, conversation_id=asking.sends_from, team_id=asking.team_id or None)
    try:
        if asking.name == "/text" and not slack.people.knows(asking.user_id):
            await asyncio.gather(check, look_at(slack, asking.here))  # it is asked about next
        else:
            await check
    except NotPermitted as refused:
        return await _answer(refused, asking, body, slack=slack, errands=errands)
    _let_in(body, slack.identity.get("team_id"))
    await next_()
    return None


async def _answer(
    refused: NotPermitted, asking: Asking, body: dict[str, Any], *, slack: Slack, errands: Errands
) -> BoltResponse:
    """Answer in the way of what was done: beside the words that were typed, in the form, or below what was clicked."""
    if asking.kind == "command":
        text = str(body.get("text") or "")
        typed = f"{asking.name} {plain_text(text, names=await names_in(slack, text))}".strip()
        return _response(problem(refused.words, typed))
    if asking.kind == "block_suggestion":
        return _response({"options": []})
    if asking.kind == "view_submission" and (block_id := _input(body["view"], refused)):
        return _response({"response_action": "errors", "errors": {block_id: refused.words}})
    errands.run(_tell(slack, asking, whisper.refusal(refused.words)), "refusal")
    return BoltResponse(status=200, body="")


async def _tell(slack: Slack, asking: Asking, payload: Payload) -> None:
    """Tell only them, where they look; or, if Slack will not, wherever it puts our answers to them."""
    try:
        if asking.here:
            await slack.whisper(asking.here, asking.user_id, payload, thread_ts=asking.thread_ts)
            return
    except SlackError as error:
        logger.info("not_whispered error=%s", error)
    if asking.response_url:
        await respond(slack, {"response_url": asking.response_url}, payload)
    else:
        await tell_directly(slack, asking.user_id, payload)


def _response(payload: Payload) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(payload), headers={"content-type": "application/json"})


def _name(body: Mapping[str, Any]) -> str:
    """Say what was clicked, submitted or chosen, by the name that its listener has."""
    for said in ((body.get("actions") or [{}])[0].get("action_id"), body.get("action_id"), body.get("callback_id")):
        if said:
            return str(said)
    return str((body.get("view") or {}).get("callback_id") or "")


def _sends_from(kind: str, name: str, here: str, body: Mapping[str, Any]) -> str | None:
    """Say from which conversation a text would be sent."""
    if name in SENDS_NOTHING or kind in {"block_suggestion", "shortcut"}:
        return None
    if kind == "command":
        line = str(body.get("text") or "").casefold().strip()
        return None if line in _LINES or line.partition(" ")[0] in _WORDS else here
    if body.get("view"):  # where it was opened from was looked at then; the home of a thread is chosen in the form
        if kind != "view_submission" or name != COMPOSE_FORM:
            return None
        return read_writing(body["view"]).home or str(body["user"]["id"])
    return here or None


def _opened_from(view: Mapping[str, Any]) -> str:
    """Read where a form was opened from, if it remembers."""
    try:
        return read_here(view)
    except Unreadable:
        return ""


def _input(view: Mapping[str, Any], refused: NotPermitted) -> str | None:
    """
    Choose the field of a form under which a refusal is read: where its reason is, or the last.

    The form to text may be drawn anew meanwhile. Its message stays; the field below it comes and goes.
    """
    inputs = [str(block["block_id"]) for block in view.get("blocks") or [] if block.get("type") == "input"]
    if refused.why == Why.ELSEWHERE and HOME in inputs:
        return HOME
    if MESSAGE in inputs:
        return MESSAGE
    return inputs[-1] if inputs else None


def _let_in(body: dict[str, Any], team_id: str | None) -> None:
    """Whoever may text does it for our workspace, wherever they come from: the people they text are ours."""
    if not team_id:
        return
    if "team_id" in body:
        body["team_id"] = team_id
    if body.get("team"):
        body["team"]["id"] = team_id
    if body.get("user"):
        body["user"]["team_id"] = team_id


def register(app: AsyncApp, *, permission: Permission, slack: Slack, errands: Errands) -> None:
    app.use(partial(guard, permission=permission, slack=slack, errands=errands))
