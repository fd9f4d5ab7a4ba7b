"""What people type in a thread: it is stored, and texted if it is meant to be, before Slack is told that we have it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from slack_bolt.async_app import AsyncApp

from bot.access.permission import Permission
from bot.blocks import replies, whisper
from bot.blocks.mrkdwn import Payload
from bot.blocks.opt_outs import with_remedy
from bot.errands import Errands
from bot.files.outgoing import OutgoingFiles, read_files
from bot.reading.reply import (
    Decision,
    Deletion,
    Doubt,
    Setting,
    Typed,
    Us,
    asked,
    decide,
    is_addressed,
    is_note,
    read_deletion,
    read_edit,
    read_typed,
    was_note,
    words_of_reply,
)
from bot.slack.client import Slack
from bot.slack.errors import SlackBusy, SlackError
from bot.storage.drawings import Drawings
from bot.texting.errors import FilesNeedAddress, NotPermitted
from bot.texting.model import Author, Fate, Reply, Situation
from bot.texting.ports import Place, Taken
from bot.texting.threads import Threads
from handlers import cards
from handlers.clicks import author_of
from handlers.countdown import ASKING_SECONDS, countdown
from handlers.events import acknowledged, before_ack
from handlers.places import names_in

logger = logging.getLogger(__name__)

#: What only one person sees is not worth a longer wait for Slack.
_LONGEST_WAIT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes to handle a reply."""

    threads: Threads
    slack: Slack
    permission: Permission
    errands: Errands
    files: OutgoingFiles | None  # None: files cannot go

    @property
    def us(self) -> Us:
        identity = self.slack.identity
        return Us(
            user_id=str(identity.get("user_id") or ""),
            bot_id=str(identity.get("bot_id") or ""),
            host=urlsplit(str(identity.get("url") or "")).netloc,
        )

    def tell(self, typed: Typed, payload: Payload) -> None:
        """Tell only whoever typed something, in the thread, once Slack has been answered."""
        self.errands.run(self._whisper(typed, payload), "whisper")

    async def _whisper(self, typed: Typed, payload: Payload) -> None:
        home, user_id, thread_ts = typed.conversation_id, typed.user_id, typed.thread_ts
        try:
            try:
                await self.slack.whisper(home, user_id, payload, thread_ts=thread_ts)
            except SlackBusy as busy:
                await asyncio.sleep(min(busy.retry_after.total_seconds(), _LONGEST_WAIT))
                await self.slack.whisper(home, user_id, payload, thread_ts=thread_ts)
        except SlackError as error:  # the mark on the reply says it too
            logger.warning("not_told error=%s", error)


@dataclass(slots=True)
class Reading:
    """Something typed in a person's thread, with what it takes to decide about it."""

    typed: Typed
    place: Place
    us: Us
    author: Author
    names: Mapping[str, str]
    files: Sequence[Mapping[str, Any]]
    outgoing: OutgoingFiles | None
    refusal: tuple[str, str] | None
    decision: Decision = field(default_factory=lambda: Decision(None))  # the last one

    def decide(self, situation: Situation, *, mode: str | None = None) -> Decision:
        setting = Setting(
            mode=mode or self.place.replies,
            names=self.names,
            done=situation.done,
            answered_by=situation.answered_by,
            writing_by=situation.writing_by,
            file_problem=self._obstacle(first=situation.first),
            refusal=self.refusal,
        )
        return decide(self.typed, self.us, setting)

    def reply(self, decision: Decision) -> Reply:
        """Return what is to be stored. Files that cannot go are not: nothing sends them then."""
        self.decision = decision
        can_go = bool(self.files) and Doubt.FILES not in decision.doubts
        return Reply(
            conversation_id=self.typed.conversation_id,
            ts=self.typed.ts,
            thread_id=self.place.thread.id,
            author=self.author,
            body=decision.body,
            fate=decision.fate or Fate.NOTE,
            reason=decision.reason,
            files=read_files(self.files) if can_go else (),
            changed_ts=self.typed.changed_ts,
        )

    def _obstacle(self, *, first: bool) -> str | None:
        if not self.files:
            return None
        if self.outgoing is None:
            return FilesNeedAddress.words
        return self.outgoing.obstacle(self.files, words=words_of_reply(self.typed, self.us, self.names), first=first)


async def read(typed: Typed, place: Place, means: Means, *, guarded: bool = False) -> Reading:
    """Ask Slack what has to be known about something typed. *guarded*: whether its author may text is no question."""
    us = means.us
    silent = guarded or is_note(typed, us)
    author, names, files, refusal = await asyncio.gather(
        author_of(means.slack, typed.user_id, "Somebody"),
        names_in(means.slack, typed.text),
        _known(typed.files, means.files),
        _no_refusal() if silent else _refusal(typed, means.permission),
    )
    return Reading(typed, place, us, author, names, files, means.files, refusal)


async def _no_refusal() -> None:
    """Nobody is in the way."""


async def _refusal(typed: Typed, permission: Permission) -> tuple[str, str] | None:
    """Say why somebody may not text, if they may not."""
    try:
        await permission.check(
            user_id=typed.user_id, conversation_id=typed.conversation_id, team_id=typed.team_id or None
        )
    except NotPermitted as refused:
        return refused.code, refused.words
    return None


async def _known(files: Sequence[Mapping[str, Any]], outgoing: OutgoingFiles | None) -> Sequence[Mapping[str, Any]]:
    if not files or outgoing is None:
        return files
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return await outgoing.known(files)
    except TimeoutError:
        logger.warning("files_not_asked")
        return files


async def heard(event: dict[str, Any], *, means: Means, drawings: Drawings) -> None:
    """Store what a message event says: a reply, an edit, a deletion. Raises TextingError: then Slack sends it again."""
    us = means.us
    if (typed := read_typed(event, us)) is not None:
        await _take(typed, means)
    elif (edit := read_edit(event, us)) is not None:
        await _edit(edit, means)
    elif (deletion := read_deletion(event, us)) is not None:
        await _delete(deletion, means)
    else:
        await cards.message_gone(event, drawings=drawings)


async def _take(typed: Typed, means: Means) -> None:
    """Somebody typed in a thread, perhaps in one of ours."""
    left = countdown()
    place = await means.threads.place(typed.conversation_id, typed.thread_ts, within=left())
    if place is None or not is_addressed(typed, place.replies, means.us):
        return
    reading = await read(typed, place, means)

    def what(situation: Situation, stored: Reply | None) -> Reply | None:
        if stored is not None:
            return None  # Slack tells of one message more than once
        decision = reading.decide(situation)
        return reading.reply(decision) if decision.fate is not None else None

    taken = await means.threads.take(
        place,
        what,
        conversation_id=typed.conversation_id,
        ts=typed.ts,
        author_id=typed.user_id,
        within=left(),
    )
    say(taken, reading, means)


async def _edit(edit: Typed, means: Means) -> None:
    """Somebody edited what they had typed: nothing of that is texted by itself."""
    left = countdown()
    place = await means.threads.place(edit.conversation_id, edit.thread_ts, within=left())
    if place is None:
        return
    reading = await read(edit, place, means, guarded=not is_addressed(edit, place.replies, means.us))

    def what(situation: Situation, stored: Reply | None) -> Reply | None:
        if stored is not None and not _can_change(stored, edit):
            return None
        decision = asked(reading.decide(situation), Doubt.EDITED)
        if decision.fate is None and stored is None:
            return None
        if stored is None and was_note(edit, reading.us):
            decision = Decision(Fate.NOTE, decision.body)
        return reading.reply(decision)  # what is not for the person any more stays here as a note

    taken = await means.threads.take(
        place,
        what,
        conversation_id=edit.conversation_id,
        ts=edit.ts,
        author_id=edit.user_id,
        within=left(),
    )
    if taken.reply is not None and taken.reply.fate is Fate.TEXTED:
        await means.threads.edited(
            taken.reply,
            place,
            body=words_of_reply(edit, reading.us, reading.names),
            changed_ts=edit.changed_ts or "",
            url=means.slack.permalink(edit.conversation_id, edit.ts, thread_ts=edit.thread_ts),
            within=left(),
        )
    else:
        say(taken, reading, means)


def _can_change(stored: Reply, edit: Typed) -> bool:
    """Say whether an edit changes what is stored: a note stays one, and news may come in any order."""
    if stored.fate not in {Fate.ASKED, Fate.REFUSED}:
        return False
    return (stored.changed_ts or "") < (edit.changed_ts or "")


async def _delete(deletion: Deletion, means: Means) -> None:
    """Somebody deleted what was typed in a thread."""
    left = countdown()
    place = await means.threads.place(deletion.conversation_id, deletion.thread_ts, within=left())
    if place is None:
        return
    reply = Reply(
        conversation_id=deletion.conversation_id,
        ts=deletion.ts,
        thread_id=place.thread.id,
        author=Author(deletion.user_id, "Somebody"),
        body="",
        fate=Fate.GONE,
        changed_ts=deletion.changed_ts,
    )
    await means.threads.deleted(reply, place, url=None, within=left())


def say(taken: Taken, reading: Reading, means: Means) -> None:
    """Ask or refuse whoever typed something, and nobody else; all else their own message shows."""
    if not taken.news or taken.reply is None:
        return
    if taken.reply.fate is Fate.ASKED:
        means.tell(reading.typed, replies.question(taken.reply, reading.decision, reading.place.person))
    elif taken.reply.fate is Fate.REFUSED:
        if taken.refused is not None:
            means.tell(reading.typed, with_remedy(whisper.refusal(taken.refused.words), taken.refused))
        else:
            means.tell(reading.typed, whisper.refusal(reading.decision.words))


def register(app: AsyncApp, *, means: Means, drawings: Drawings) -> None:
    """Listen to every message event: what nobody listens to is sent again and again."""
    handle = partial(heard, means=means, drawings=drawings)
    app.event("message", middleware=[partial(before_ack, handle=handle)])(acknowledged)
