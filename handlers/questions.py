"""What people answer who were asked about a reply, and what they do about one that was typed long ago."""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access.sight import sees
from bot.blocks import replies, whisper
from bot.blocks.forms import MESSAGE, entered
from bot.blocks.mrkdwn import Payload
from bot.blocks.opt_outs import with_remedy
from bot.reading.form import FormProblem, parse_text_form
from bot.reading.reply import Doubt, asked, is_note, read_typed, without_mark
from bot.slack.errors import SlackError
from bot.texting.errors import NotAllowed, NotRead, NotStored, OptedOut, TextingError
from bot.texting.model import Fate, Reply, Request, Situation
from bot.texting.ports import Place
from bot.texting.service import Texting
from handlers.clicks import Click, author_of, name_of, read_click, respond, tell
from handlers.countdown import countdown
from handlers.replies import Means, read

logger = logging.getLogger(__name__)

#: `callback_id` of the shortcut, as the manifest has it.
TEXT_REPLY = "text_reply"

#: A form has to be opened within three seconds of the click.
_BEFORE_A_FORM = timedelta(seconds=1.5)

_NOT_YOURS = "This question is {author}'s to answer. Nothing was done."
_NO_QUESTION = "This reply cannot be found any more. Nothing was sent."
_EDITED = "You edited this reply since. Answer the question about what it says now."
_DELETED = "You deleted this reply, so nothing was texted."
_TEXTED = "This reply was texted already. Nothing more was sent."
_KEPT = "This reply was kept as a note already. Use “Text this reply” in its menu ⋮ to text it after all."
_REFUSED = "This reply could not be texted. Use “Text this reply” in its menu ⋮ to try again."
_SETTLED = {Fate.TEXTED: _TEXTED, Fate.NOTE: _KEPT, Fate.GONE: _DELETED, Fate.REFUSED: _REFUSED, Fate.ASKED: _EDITED}

_NO_REPLY = "This is not a reply in a person's thread. Use “Text this to…” to send its words to somebody."
_NOT_OWN = "Only {author} can text this reply. Use “Text this to…” to send its words yourself."
_HAS_FAILED = "This reply was texted already. If it failed, the message below it has buttons to try again."
_ALERTS_ONLY = "This channel only shows alerts now, so nothing was texted. Use /text to text somebody."
_NO_FORM = "The form could not be opened. Press Send a correction again."
_NOT_READ = "We could not look this reply up, so nothing was sent. Try again in a minute."


async def answer(ack: AsyncAck, body: dict[str, Any], *, means: Means, fate: Fate) -> None:
    """*Text it* or *Keep as note*: once, by whoever typed it; the answer stands in place of the question."""
    click, left = read_click(body), countdown()
    try:
        said = await _settle(click, fate, means, left)
    except OptedOut as error:
        said = with_remedy(whisper.refusal(error.words), error)
    except TextingError as error:
        await ack()
        await tell(means.slack, click, whisper.refusal(_words(error)))  # the question stays
        return
    await ack()
    try:
        await means.slack.respond(click.response_url, {**said, "replace_original": True})
    except SlackError as error:
        logger.info("not_answered error=%s", error)
        await tell(means.slack, click, said)


async def _settle(click: Click, fate: Fate, means: Means, left: Callable[[], timedelta]) -> Payload:
    """Store an answer; return what is said to it. Raises TextingError for what leaves the question open."""
    ts, changed_ts = replies.read_question(click.value)
    found = await means.threads.find(click.conversation_id, ts, within=left())
    if found is None:
        return whisper.refusal(_NO_QUESTION)
    reply, place = found
    if reply.author.user_id != click.user_id:
        raise NotAllowed(words=_NOT_YOURS.format(author=reply.author.name))
    if fate is Fate.TEXTED and place.replies == "never":
        raise NotAllowed(words=_ALERTS_ONLY)
    if reply.fate is Fate.ASKED and reply.changed_ts == changed_ts:
        if await means.threads.settle(replace(reply, fate=fate), place, within=left()):
            return replies.texting(reply, place.person) if fate is Fate.TEXTED else replies.kept()
        found = await means.threads.find(click.conversation_id, ts, within=left())
    return whisper.refusal(_SETTLED[found[0].fate if found else Fate.GONE])


async def text_reply(ack: AsyncAck, body: dict[str, Any], *, means: Means) -> None:
    """*Text this reply*: ask about a reply that was not texted, whatever it was taken for."""
    await ack()
    left, user_id = countdown(), str(body["user"]["id"])
    message = {**(body.get("message") or {}), "channel": str((body.get("channel") or {}).get("id") or "")}
    try:
        said = await _ask_again(message, user_id, means, left)
    except TextingError as error:
        said = whisper.refusal(_words(error))
    try:
        await means.slack.whisper(message["channel"], user_id, said, thread_ts=message.get("thread_ts"))
    except SlackError as refused:
        logger.info("not_whispered error=%s", refused)
        await respond(means.slack, body, said)


async def _ask_again(message: dict[str, Any], user_id: str, means: Means, left: Callable[[], timedelta]) -> Payload:
    """Store that a reply is asked about, and return the question. Raises TextingError."""
    typed = read_typed(message, means.us)
    place = await means.threads.place(typed.conversation_id, typed.thread_ts, within=left()) if typed else None
    if typed is None or place is None:
        return whisper.refusal(_NO_REPLY)
    if typed.user_id != user_id:
        author = await author_of(means.slack, typed.user_id, "its author")
        return whisper.refusal(_NOT_OWN.format(author=author.name))
    if place.replies == "never":
        return whisper.refusal(_ALERTS_ONLY)
    edited = message.get("edited")
    changed_ts = str(edited["ts"]) if isinstance(edited, dict) and edited.get("ts") else None
    words = without_mark(typed, means.us) if is_note(typed, means.us) else typed
    reading = await read(replace(words, changed_ts=changed_ts), place, means, guarded=True)

    def what(situation: Situation, stored: Reply | None) -> Reply | None:
        if stored is not None and stored.fate in {Fate.TEXTED, Fate.GONE}:
            return None
        reply = reading.reply(asked(reading.decide(situation, mode="texted"), Doubt.CHOSEN))
        known = stored.changed_ts if stored else None
        return replace(reply, changed_ts=max(known or "", changed_ts or "") or None)

    taken = await means.threads.take(
        place, what, conversation_id=typed.conversation_id, ts=typed.ts, author_id=user_id, within=left()
    )
    if taken.reply is None or not taken.news:
        return whisper.refusal(_DELETED if taken.reply and taken.reply.fate is Fate.GONE else _HAS_FAILED)
    if taken.reply.fate is Fate.ASKED:
        return replies.question(taken.reply, reading.decision, place.person)
    return whisper.refusal(reading.decision.words or _NO_REPLY)


async def open_correction(ack: AsyncAck, body: dict[str, Any], *, means: Means) -> None:
    """*Send a correction*: the form with what an edited reply says now, or what a deleted one said."""
    await ack()
    click = read_click(body)
    conversation_id, ts = replies.read_about(click.value)
    try:
        found = await means.threads.find(conversation_id, ts, within=_BEFORE_A_FORM)
        if found is None:
            raise NotAllowed(words=_NO_QUESTION)
        reply, place = found
        await _demand_sight(means, place, click.user_id, here=click.conversation_id)
        if place.person.opted_out_since is not None:
            raise OptedOut(place.person)
        await means.slack.open_view(click.trigger_id, replies.correction(reply, place.person, here=conversation_id))
    except TextingError as error:
        await tell(means.slack, click, with_remedy(whisper.refusal(_words(error)), error))
    except SlackError as error:
        logger.warning("form_not_opened error=%s", error)
        await tell(means.slack, click, whisper.refusal(_NO_FORM))


async def send_correction(
    ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], *, means: Means, texting: Texting, region: str
) -> None:
    """Store the correction as a text of whoever wrote it, then close the form; or say in it what is wrong."""
    left, user = countdown(), body["user"]
    conversation_id, ts = replies.read_about(str(view.get("private_metadata") or ""))
    typed = entered(view, MESSAGE)
    try:
        found = await means.threads.find(conversation_id, ts, within=left())
        if found is None:
            raise NotAllowed(words=_NO_QUESTION)
        await _demand_sight(means, found[1], str(user["id"]))
        await texting.request(
            Request(
                key=f"correction:{view['id']}:{hashlib.sha256(typed.encode()).hexdigest()[:32]}",
                team_id=found[1].person.team_id,
                conversation_id=found[1].thread.conversation_id,
                author=await author_of(means.slack, str(user["id"]), name_of(user)),
                address=found[1].person.address,
                body=parse_text_form(found[1].person.address, typed, region=region).body,
                line=found[1].thread.line,
            ),
            within=left(),
        )
    except FormProblem as wrong:
        await ack(response_action="errors", errors={MESSAGE: wrong.message or wrong.to or ""})
        return
    except TextingError as error:
        await ack(response_action="errors", errors={MESSAGE: _words(error)})
        return
    await ack()


async def _demand_sight(means: Means, place: Place, user_id: str, *, here: str = "") -> None:
    """Raise NotAllowed unless somebody sees a thread: which reply a button or a form is about, is the client's word."""
    if not await sees(means.slack, user_id, place.thread.conversation_id, here=here):
        raise NotAllowed(words=_NO_QUESTION)


def _words(error: TextingError) -> str:
    """Say what is wrong: nothing could be read, or nothing stored."""
    if isinstance(error, NotRead) and not isinstance(error, NotStored) and error.words == NotRead.words:
        return _NOT_READ
    return error.words


def register(app: AsyncApp, *, means: Means, texting: Texting, region: str) -> None:
    for action_id, fate in ((replies.TEXT_IT, Fate.TEXTED), (replies.KEEP, Fate.NOTE)):
        app.action(_clicked(action_id))(partial(answer, means=means, fate=fate))
    app.action(_clicked(replies.CORRECT))(partial(open_correction, means=means))
    app.view(replies.CORRECTION_FORM)(partial(send_correction, means=means, texting=texting, region=region))
    app.shortcut(TEXT_REPLY)(partial(text_reply, means=means))


def _clicked(action_id: str) -> dict[str, str | re.Pattern[str]]:
    return {"type": "block_actions", "action_id": action_id}
