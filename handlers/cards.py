"""What people do about a person on their card: claim them, hand them over, call them done; or delete the card."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access.permission import Permission, Why
from bot.access.sight import sees
from bot.blocks import contacts, ownership, whisper
from bot.blocks.card import CARD_MORE, CLAIM, DONE, REOPEN, More
from bot.blocks.contact_forms import Typed, add_form
from bot.blocks.mrkdwn import Payload
from bot.blocks.ownership import HAND_OFF_FORM, TO, hand_off_form, read_hand_off
from bot.desk import Desk
from bot.reading.addresses import pretty
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.storage.drawings import Drawings
from bot.storage.threads import LEADS_NOWHERE, Card, Cards, Change
from bot.texting.errors import NotPermitted, NotRead, NotStored, PerhapsStored, TextingError
from bot.texting.model import Author
from handlers.clicks import Click, asker_of, author_of, name_of, read_click, team_of, tell
from handlers.countdown import countdown

logger = logging.getLogger(__name__)

#: Slack's names of ✅ and ✔️, which on a card say that it is done.
CHECK_MARKS = frozenset({"white_check_mark", "heavy_check_mark"})

#: A form has to be opened within three seconds of the click.
_BEFORE_A_FORM = timedelta(seconds=1.5)

_LONGEST_ID = 18  # digits

_NO_FORM = "The form could not be opened. Try again."
_GONE = "They are not in the address book any more."
_NOT_SAVED = "We could not save that, so nothing was changed. Try again in a minute."
_PERHAPS_SAVED = "We cannot tell whether that was saved. Look at the card before you try again."
_NOT_READ = "We could not look this up, so nothing was changed. Try again in a minute."
_NOBODY = "Choose a teammate."
_NOT_THEM = "They may not text customers here. Choose somebody else."
_CANNOT = {
    Why.BOT: "That is an app. Choose a teammate.",
    Why.GONE: "Their account is switched off. Choose somebody else.",
    Why.UNKNOWN: "Slack did not say in time who they are. Try again in a minute.",
}

#: What a button does: it is given the card, who clicked and the time that is left.
Do = Callable[[Card, Author, timedelta], Awaitable[Change]]


async def claim(ack: AsyncAck, body: dict[str, Any], *, cards: Cards, slack: Slack) -> None:
    """*Claim*: look after somebody whom nobody looks after."""
    await _claim(ack, read_click(body), cards=cards, slack=slack, instead_of=None)


async def _claim(ack: AsyncAck, click: Click, *, cards: Cards, slack: Slack, instead_of: str | None) -> None:
    async def do(card: Card, author: Author, within: timedelta) -> Change:
        return await cards.claim(card, author, instead_of=instead_of, within=within)

    def already(card: Card) -> Payload:
        return ownership.looks_after(card.person, card.thread, click.user_id)

    await _change(ack, click, do, already, cards=cards, slack=slack)


async def done(ack: AsyncAck, body: dict[str, Any], *, cards: Cards, slack: Slack) -> None:
    """*Done*: nobody waits here any more."""

    async def do(card: Card, author: Author, within: timedelta) -> Change:
        return await cards.close(card, author, within=within)

    def already(card: Card) -> Payload:
        return ownership.done_already(card.person, card.thread)

    await _change(ack, read_click(body), do, already, cards=cards, slack=slack)


async def reopen(ack: AsyncAck, body: dict[str, Any], *, cards: Cards, slack: Slack) -> None:
    """*Reopen*: it was not done after all."""

    async def do(card: Card, author: Author, within: timedelta) -> Change:
        return await cards.reopen(card, author, within=within)

    def already(card: Card) -> Payload:
        return ownership.open_already(card.person)

    await _change(ack, read_click(body), do, already, cards=cards, slack=slack)


async def _change(
    ack: AsyncAck, click: Click, do: Do, already: Callable[[Card], Payload], *, cards: Cards, slack: Slack
) -> None:
    """Store what a click asks for, then acknowledge it; whoever was too late is told, and nobody else."""
    left, answer = countdown(), None
    try:
        card = await _find(cards, slack, click, left())
        change = await do(card, await author_of(slack, click.user_id, click.user_name), left())
        if not change.made:
            answer = already(change.card)
    except TextingError as error:
        answer = whisper.refusal(_words(error))
    await ack()
    if answer is not None:
        await tell(slack, click, answer)


async def more(ack: AsyncAck, body: dict[str, Any], *, cards: Cards, slack: Slack, desk: Desk) -> None:
    """The menu *⋯*: what is done now and then."""
    chosen = str((body["actions"][0].get("selected_option") or {}).get("value") or "")
    word, _, about = chosen.partition(":")
    thread_id, _, owner_id = about.partition(":")
    click = read_click(body, value=thread_id)
    if word == More.CLAIM.word:
        await _claim(ack, click, cards=cards, slack=slack, instead_of=owner_id or None)
        return
    await ack()
    try:
        card = await _find(cards, slack, click, _BEFORE_A_FORM)
        if word == More.HAND_OFF.word:
            await slack.open_view(click.trigger_id, hand_off_form(card.person, card.thread))
        elif word == More.ADD.word:
            typed = Typed(click.conversation_id, address=pretty(card.person.address))
            await slack.open_view(click.trigger_id, add_form(typed))
        else:
            await tell(slack, click, await _contact_card(card, click, desk))
    except TextingError as error:
        await tell(slack, click, whisper.refusal(_words(error)))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await tell(slack, click, whisper.refusal(_NO_FORM))


async def _contact_card(card: Card, click: Click, desk: Desk) -> Payload:
    try:
        contact = await desk.find(card.person.address)
        return await desk.card(contact, asker_of(click)) if contact else whisper.refusal(_GONE)
    except TextingError as error:
        return whisper.refusal(contacts.not_looked_up(error))


async def hand_off(
    ack: AsyncAck,
    body: dict[str, Any],
    view: dict[str, Any],
    *,
    cards: Cards,
    slack: Slack,
    permission: Permission,
) -> None:
    """Let somebody else look after a person, then close the form; or say in it what is in the way."""
    left, user = countdown(), body["user"]
    try:
        wanted = read_hand_off(view)
        card = await cards.find(wanted.thread_id, team_id=team_of(body), within=left())
        await _demand_sight(slack, card, str(user["id"]))
        if wanted.to is None:
            wrong = _NOBODY
        elif (why := await permission.why_not(wanted.to)) is not None:
            wrong = _CANNOT.get(why, _NOT_THEM)
        else:
            wrong = None
            to = await author_of(slack, wanted.to, "Somebody")
            author = await author_of(slack, str(user["id"]), name_of(user))
            change = await cards.hand_off(card, author, to, instead_of=wanted.owner_id, within=left())
            if not change.made:
                wrong = ownership.not_handed_off(change.card.person, change.card.thread, to.user_id)
    except TextingError as error:
        wrong = _words(error)
    if wrong is not None:
        await ack(response_action="errors", errors={TO: wrong})
        return
    await ack()


async def reacted(event: Mapping[str, Any], *, added: bool, cards: Cards, slack: Slack, permission: Permission) -> bool:
    """
    ✅ on a card: it is done; taken off again, it is open. Return whether the message is a card.

    Stored when this returns. Raises TextingError, and SlackError where Slack has to be asked: the event comes again.
    """
    left, item, user_id = countdown(), event.get("item") or {}, str(event.get("user") or "")
    if item.get("type") != "message":
        return False
    home, ts = str(item.get("channel") or ""), str(item.get("ts") or "")
    card = await cards.headed_by(home, ts, within=left())
    if card is None:
        return False
    if event.get("reaction") not in CHECK_MARKS or user_id == slack.identity.get("user_id"):
        return True
    try:
        await permission.check(user_id=user_id, conversation_id=None)
    except NotPermitted as refused:
        await _tell_in(slack, home, user_id, whisper.refusal(refused.words))
        return True
    author = await author_of(slack, user_id, "Somebody")
    at = datetime.fromtimestamp(float(event.get("event_ts") or 0), UTC)
    if added:
        await cards.close(card, author, check_mark_at=at, within=left())
    elif not await _still_marked(slack, home, ts):
        await cards.reopen(card, author, check_mark_at=at, within=left())
    return True


async def _still_marked(slack: Slack, conversation_id: str, ts: str) -> bool:
    """Say whether a colleague's ✅ is on the card yet. If Slack will not let us look, there is none."""
    try:
        return bool(CHECK_MARKS & await slack.reactions_on(conversation_id, ts))
    except SlackRefused as refused:
        logger.warning("reactions_not_read error=%s", refused.code)
        return False


async def _tell_in(slack: Slack, conversation_id: str, user_id: str, payload: Payload) -> None:
    try:
        await slack.whisper(conversation_id, user_id, payload)
    except SlackError as error:
        logger.warning("not_told error=%s", error)


async def message_gone(event: Mapping[str, Any], *, drawings: Drawings) -> None:
    """
    Remember a deleted card, so that the person's next text gets a new one instead of an orphan's place.

    Of a card with replies Slack leaves a tombstone. All other message events are none of a card's.
    """
    changed = event.get("message")
    match event.get("subtype"):
        case "message_deleted":
            ts = event.get("deleted_ts")
        case "message_changed" if isinstance(changed, Mapping) and changed.get("subtype") == "tombstone":
            ts = changed.get("ts")
        case _:
            return
    if ts and event.get("channel"):
        await drawings.card_gone(str(event["channel"]), str(ts))


async def _find(cards: Cards, slack: Slack, click: Click, within: timedelta) -> Card:
    """Find the thread that a button says it is about. Raises NotRead, also if whoever clicked cannot see it."""
    number = int(click.value) if click.value.isdecimal() and len(click.value) <= _LONGEST_ID else 0
    card = await cards.find(number, team_id=click.team_id, within=within)
    await _demand_sight(slack, card, click.user_id, here=click.conversation_id)
    return card


async def _demand_sight(slack: Slack, card: Card, user_id: str, *, here: str = "") -> None:
    """Raise NotRead unless somebody sees a thread: its number is the client's word, and the next one's is easy."""
    if not await sees(slack, user_id, card.thread.conversation_id, here=here):
        raise NotRead(words=LEADS_NOWHERE)


def _words(error: TextingError) -> str:
    """Say what is wrong: the usual words are about a text."""
    match error:
        case PerhapsStored():
            return _PERHAPS_SAVED
        case NotStored():
            return _NOT_SAVED
        case NotRead() if error.words == NotRead.words:
            return _NOT_READ
    return error.words


def register(app: AsyncApp, *, cards: Cards, slack: Slack, desk: Desk, permission: Permission) -> None:
    for action_id, listener in {CLAIM: claim, DONE: done, REOPEN: reopen}.items():
        app.action(_clicked(action_id))(partial(listener, cards=cards, slack=slack))
    app.action(_clicked(CARD_MORE))(partial(more, cards=cards, slack=slack, desk=desk))
    app.view(HAND_OFF_FORM)(partial(hand_off, cards=cards, slack=slack, permission=permission))


def _clicked(action_id: str) -> dict[str, str | re.Pattern[str]]:
    return {"type": "block_actions", "action_id": action_id}
