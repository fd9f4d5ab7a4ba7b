"""
What somebody typed in a thread, and whether it is meant for the person: pure.

Nothing is texted by accident. What is no message of a person's own is nothing at all; of what a person typed, whatever
looks as if it was not meant for a phone is asked about first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bot.reading.command import MAX_BODY, WORDS
from bot.reading.slack_text import NO_NAMES, plain_text
from bot.texting.model import Fate

#: The `subtype` values of what people type. Source: Slack, "message event".
_TYPED = (None, "file_share", "thread_broadcast")

#: Slack's own assistant, which writes as a user does.
_SLACKBOT = "USLACKBOT"

_TS = re.compile(r"\d{1,12}\.\d{1,9}")

#: What does not show at the start of a message: blanks, formatting, characters without a width.
_LEAD = r"[\s*_~`\u200b-\u200f\u2060\ufeff]*"

#: An exclamation mark at the start: a note. A Japanese keyboard has a wide one.
_NOTE = re.compile(_LEAD + r"[!\uff01]")

#: What begins like this is often meant for colleagues: a label, a word, a comment, a command, a quotation.
_LIKE_A_NOTE = re.compile(
    _LEAD
    + r"""(?:
    (?: notes? | memo | ps | p\.s\. | draft | private | confidential ) \s* [:\u2013\u2014-]
    | (?: fyi | cc | nb | n\.b\. | psa | wip | tl;?dr | to-?do | internal(?:ly)? | heads[\ -]?up
        | note\ to\ (?:self|team) | do\ not\ send | don['\u2019]?t\ send | off\ the\ record
        | (?:for\ (?:the\ )?)?team\ only ) (?! \w )
    | // | -- | \u2014 | /[a-z] | >
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_BRACKETS = re.compile(_LEAD + r"(?:\(.*\)|\[.*\]|\{.*\}|\uff08.*\uff09|\u3010.*\u3011)[\s*_~`]*", re.DOTALL)

#: A teammate, or many; also as it looks where Slack made nothing of it.
_MENTION = re.compile(
    r"<@[^<>]*>|<!(?:subteam|here|channel|everyone)\b[^<>]*>|(?<!\S)@(?:here|channel|everyone)\b|\A\s*@\w"
)
_CHANNEL = re.compile(r"<#[^<>]*>")
_LINK = re.compile(r"<([a-z][a-z0-9+.-]*:[^<>|]*)[^<>]*>|(\b[a-z][a-z0-9+.-]*://[^\s<>]+)", re.IGNORECASE)

_NOTHING_TO_TEXT = "There is nothing to text behind my name. Write your message there."
_ALERTS_ONLY = "This channel only shows alerts: what is typed here is not texted. Use /text to text somebody."
_TOO_LONG = "Shorten it, or send it in parts."


class Doubt(StrEnum):
    """Why somebody is asked whether a reply is to be texted."""

    MENTION = "mention"  # of a teammate, or of many
    CHANNEL = "channel"  # a link to one
    LINK = "link"  # into this workspace, or a message of it that cannot go along
    NOTE = "note_like"
    COLLEAGUE = "colleague"  # texted the same person just now
    WRITING = "writing"  # a colleague, to the same person
    DONE = "done"  # the thread
    FILES = "files"  # cannot go
    EDITED = "edited"  # before it went out, or before we heard of it
    CHOSEN = "chosen"  # they want to text what was not


class Refusal(StrEnum):
    """Why a reply cannot be texted; all others are codes of a `TextingError`."""

    TOO_LONG = "too_long"
    ALERTS_ONLY = "alerts_only"
    EMPTY = "empty"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are in Slack."""

    user_id: str = ""
    bot_id: str = ""
    host: str = ""  # of our workspace's address


@dataclass(frozen=True, slots=True)
class Typed:
    """Something that a person typed in a thread, as it is now."""

    conversation_id: str
    thread_ts: str
    ts: str
    user_id: str
    team_id: str  # the person's own; "" if Slack does not say
    text: str  # as Slack sent it
    files: tuple[Mapping[str, Any], ...] = ()  # Slack's file objects
    shares: bool = False  # it has another message of Slack's in it
    changed_ts: str | None = None  # of its last edit
    before: str | None = None  # what it said before that


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something in a thread was deleted."""

    conversation_id: str
    thread_ts: str
    ts: str
    user_id: str  # who had typed it
    changed_ts: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What else decides: how the channel wants replies, and what the thread is like at this moment."""

    mode: str = "texted"  # asked_for: by the button or by naming the bot; never
    names: Mapping[str, str] = field(default_factory=lambda: NO_NAMES)
    done: bool = False
    answered_by: str | None = None  # the id of a colleague, just now
    writing_by: str | None = None  # the id of a colleague who writes to the person in a form
    file_problem: str | None = None  # why the files cannot go, in words
    refusal: tuple[str, str] | None = None  # why this reply may not be texted: a code, and words


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a reply."""

    fate: Fate | None  # None: it is nothing to us
    body: str = ""  # as a phone would show it
    doubts: tuple[Doubt, ...] = ()  # why it is asked about
    refusal: str = ""  # code
    words: str = ""  # what its author is told: of a refusal, or about the files
    answered_by: str | None = None
    writing_by: str | None = None

    @property
    def reason(self) -> str | None:
        """What is stored of it."""
        return self.refusal or ",".join(self.doubts) or None


_IGNORED = Decision(None)


def read_typed(event: Mapping[str, Any], us: Us) -> Typed | None:
    """Return what a message event says that somebody typed in a thread; None for all else. Never raises."""
    if event.get("subtype") not in _TYPED or event.get("hidden"):
        return None
    return _typed(event, _string(event.get("channel")), us)


def read_edit(event: Mapping[str, Any], us: Us) -> Typed | None:
    """
    Return what somebody's edit made of a reply; None for all else.

    Slack changes messages by itself, too: it unfurls links and puts words in order. Then nobody edited them.
    """
    message, before = _mapping(event.get("message")), _mapping(event.get("previous_message"))
    if event.get("subtype") != "message_changed" or message.get("subtype") not in _TYPED:
        return None
    edited, typed = _mapping(message.get("edited")), _typed(message, _string(event.get("channel")), us)
    if typed is None or edited.get("user") != typed.user_id or not _is_ts(edited.get("ts")):
        return None
    was = before.get("text")
    if was == message.get("text") or edited == before.get("edited"):
        return None
    return replace(typed, changed_ts=str(edited["ts"]), before=was if isinstance(was, str) else None)


def read_deletion(event: Mapping[str, Any], us: Us) -> Deletion | None:
    """Return which reply was deleted, or has become a tombstone; None for all else."""
    message, before = _mapping(event.get("message")), _mapping(event.get("previous_message"))
    match event.get("subtype"):
        case "message_deleted":
            ts = event.get("deleted_ts")
        case "message_changed" if message.get("subtype") == "tombstone":
            ts, before = message.get("ts"), {**message, **before}
        case _:
            return None
    thread_ts, user_id, conversation_id = before.get("thread_ts"), before.get("user"), _string(event.get("channel"))
    if not (_is_ts(ts) and _is_ts(thread_ts) and conversation_id and isinstance(user_id, str)) or ts == thread_ts:
        return None
    if _is_automatic(before, us):
        return None
    changed_ts = event.get("event_ts") if _is_ts(event.get("event_ts")) else event.get("ts")
    return Deletion(conversation_id, str(thread_ts), str(ts), user_id, str(changed_ts) if _is_ts(changed_ts) else "9")


def is_addressed(typed: Typed, mode: str, us: Us) -> bool:
    """Say whether a reply is any of our business in a channel that wants them like this."""
    return mode == "texted" or _named(typed.text, us) is not None


def is_note(typed: Typed, us: Us) -> bool:
    """Say whether somebody typed a note, and not what goes to a phone."""
    text = _named(typed.text, us)
    return _NOTE.match(typed.text if text is None else text) is not None


def was_note(edit: Typed, us: Us) -> bool:
    """Say whether something was a note before it was edited."""
    return edit.before is not None and is_note(replace(edit, text=edit.before), us)


def decide(typed: Typed, us: Us, setting: Setting) -> Decision:
    """Say what becomes of something that was typed in a person's thread."""
    rest = _named(typed.text, us)
    if setting.mode != "texted" and rest is None:
        return _IGNORED
    text = typed.text if rest is None else rest
    body = plain_text(text, names=setting.names)
    if _NOTE.match(text):
        return Decision(Fate.NOTE, body)
    if not body and not typed.files and rest is None:
        return _IGNORED
    refused = _refusal(body, typed, setting)
    if refused is not None:
        code, words = refused
        return Decision(Fate.REFUSED, body, refusal=code, words=words)
    problem = setting.file_problem if typed.files else None
    found = {
        Doubt.MENTION: _MENTION.search(text),
        Doubt.CHANNEL: _CHANNEL.search(text),
        Doubt.LINK: typed.shares or any(_is_ours(link[1] or link[2], us) for link in _LINK.finditer(text)),
        Doubt.NOTE: _LIKE_A_NOTE.match(body) or _IN_BRACKETS.fullmatch(body) or "```" in text,
        Doubt.COLLEAGUE: setting.answered_by is not None,
        Doubt.WRITING: setting.writing_by is not None and setting.answered_by is None,
        Doubt.DONE: setting.done,
        Doubt.FILES: problem is not None,
    }
    doubts = tuple(doubt for doubt, there in found.items() if there)
    fate = Fate.ASKED if doubts else Fate.TEXTED
    return Decision(
        fate, body, doubts, words=problem or "", answered_by=setting.answered_by, writing_by=setting.writing_by
    )


def _refusal(body: str, typed: Typed, setting: Setting) -> tuple[str, str] | None:
    """Say why a reply cannot be texted, whatever its author answers: a code, and words."""
    if not body and not typed.files:
        return Refusal.EMPTY, _NOTHING_TO_TEXT
    if setting.mode == "never":
        return Refusal.ALERTS_ONLY, _ALERTS_ONLY
    if setting.refusal is not None:
        return setting.refusal
    if len(body) > MAX_BODY:
        words = WORDS["too_long"].format(length=len(body), excess=len(body) - MAX_BODY, limit=MAX_BODY)
        return Refusal.TOO_LONG, f"{words} {_TOO_LONG}"
    if typed.files and setting.file_problem is not None and not body:
        return Refusal.FILES, setting.file_problem
    return None


def asked(decision: Decision, why: Doubt) -> Decision:
    """Return *decision*, but let its author be asked: what was edited or chosen never goes out by itself."""
    if decision.fate is not Fate.TEXTED:
        return decision
    return replace(decision, fate=Fate.ASKED, doubts=(why,))


def without_mark(typed: Typed, us: Us) -> Typed:
    """Return a note as it would be texted: without what makes it one."""
    text = _named(typed.text, us)
    text = typed.text if text is None else text
    note = _NOTE.match(text)
    while note is not None:
        text = text[note.end() :]
        note = _NOTE.match(text)
    return replace(typed, text=text)


def words_of_reply(typed: Typed, us: Us, names: Mapping[str, str]) -> str:
    """Return what a phone would show of a reply."""
    text = _named(typed.text, us)
    return plain_text(typed.text if text is None else text, names=names)


def _named(text: str, us: Us) -> str | None:
    """Return what follows our name, if *text* begins with it; else None."""
    if not us.user_id:
        return None
    name = re.match(rf"\s*<@{re.escape(us.user_id)}(?:\|[^<>]*)?>[\s:,]*", text)
    return text[name.end() :] if name else None


def _is_ours(url: str, us: Us) -> bool:
    """Say whether a link leads into our workspace, where nobody else gets in."""
    try:
        parts = urlsplit(url)
        host = (parts.netloc or "").lower()
    except ValueError:
        return False
    inside = {us.host.lower(), "app.slack.com", "files.slack.com"} - {""}
    return parts.scheme.lower() == "slack" or host in inside


def _typed(message: Mapping[str, Any], conversation_id: str, us: Us) -> Typed | None:
    """Read a message that a person wrote in a thread; None if it is anything else."""
    thread_ts, ts, user_id = message.get("thread_ts"), message.get("ts"), message.get("user")
    if not (_is_ts(thread_ts) and _is_ts(ts) and isinstance(user_id, str) and user_id and conversation_id):
        return None
    if thread_ts == ts or _is_automatic(message, us):
        return None
    files = message.get("files")
    attachments = message.get("attachments")
    return Typed(
        conversation_id=conversation_id,
        thread_ts=str(thread_ts),
        ts=str(ts),
        user_id=user_id,
        team_id=_string(message.get("user_team")) or _string(message.get("team")),
        text=_string(message.get("text")),
        files=tuple(file for file in files if isinstance(file, Mapping)) if isinstance(files, list) else (),
        shares=isinstance(attachments, list)
        and any(_mapping(one).get("is_share") or _mapping(one).get("is_msg_unfurl") for one in attachments),
    )


def _is_automatic(message: Mapping[str, Any], us: Us) -> bool:
    """Say whether no person wrote a message with their own hands: another app did, or we, or Slack."""
    if message.get("bot_id") or message.get("bot_profile") or message.get("is_ephemeral"):
        return True
    if message.get("app_id") and not message.get("client_msg_id"):
        return True
    return message.get("user") in (_SLACKBOT, us.user_id or None)


def _is_ts(value: object) -> bool:
    return isinstance(value, str) and _TS.fullmatch(value) is not None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
