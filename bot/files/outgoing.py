"""
Files that go out with a text: what cannot go is said before anything is sent, what goes gets an address of ours.

Blooio fetches a file by its address, and those of Slack are private. So it gets one under our public address, which
streams from Slack (`bot.files.serving`).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.files import kinds
from bot.files.links import Link, path_of
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.texting.errors import FileGone, FilesNeedAddress
from bot.texting.model import Attachment, Delivery, OutboundFile

logger = logging.getLogger(__name__)

#: Of one file. Source: Blooio's plugin for agents, "Attachments".
LARGEST = 16 * 1024 * 1024  # bytes
MOST = 10

#: How long an address is good for, counted from the first attempt: longer than an attempt may be repeated.
LASTS = timedelta(hours=24)

NO_ADDRESS = FilesNeedAddress.words
TOO_MANY = f"One text takes {MOST} files at most. Send the others with another one."
FIRST = "A first text cannot be a file. Write some words with it."
VOICE_MEMO = "An audio file becomes a voice memo, and a voice memo takes no words. Send them one after the other."

#: The `mode` of files that are kept in Slack as they were uploaded. Source: Slack, "File object".
_WHOLE = {"hosted", "snippet", "email"}

#: Slack keeps to itself what such a file is until it is asked.
_ASK = "check_file_info"

#: What people are told of the others, by `mode` or by `file_access`. The last one is for any other mode: a canvas, a
#: list, a post.
_UNREADABLE = {
    "tombstone": "{name} was deleted.",
    "file_not_found": "{name} was deleted.",
    "hidden_by_limit": "Slack hides {name}: this workspace's plan shows newer files only.",
    "external": "{name} is kept outside of Slack. Paste its link instead.",
    "access_denied": "Slack does not give {name} to the bot. Upload it here yourself.",
    _ASK: "Slack did not say what {name} is. Try again in a minute.",
    "": "{name} is made in Slack and cannot be texted as it is. Download it and upload what you get.",
}

_NAMELESS = "this file"

#: `error` values of a file that is not there, or not for us. Source: Slack, "files.info".
GONE = {"file_not_found", "file_deleted", "access_denied", "not_visible", "no_permission"}


def read_files(event_files: Sequence[Mapping[str, Any]]) -> tuple[OutboundFile, ...]:
    """Read the files of a message, as Slack tells of them. Whether they can go, `OutgoingFiles.obstacle` says."""
    return tuple(
        OutboundFile(
            file_id=str(file.get("id") or ""),
            name=_name(file),
            media_type=str(file.get("mimetype") or ""),
            size=_size(file),
        )
        for file in event_files
    )


class OutgoingFiles:
    """Says what cannot go, and gives the rest an address."""

    def __init__(self, *, public_url: str | None, key: bytes, slack: Slack) -> None:
        self._public_url = public_url.rstrip("/") if public_url else None
        self._key = key
        self._slack = slack

    async def known(self, event_files: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Ask Slack about the files of a message that it only names, such as another workspace's."""
        return [await self._asked(file) if file.get("file_access") == _ASK else file for file in event_files]

    async def _asked(self, file: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return await self._slack.files.get(str(file.get("id") or ""))
        except SlackRefused as refused:
            logger.info("file_not_known error=%s", refused.code)
            return {**file, "file_access": "access_denied"} if refused.code in GONE else file
        except SlackError as error:
            logger.warning("file_not_known error=%s", error)
            return file

    def obstacle(self, event_files: Sequence[Mapping[str, Any]], *, words: str, first: bool) -> str | None:
        """
        Say why files cannot go with these *words* ("": none), in words for whoever attached them; None if they can.

        *first*: it would be the first text to the person.
        """
        if not event_files:
            return None
        if self._public_url is None:
            return NO_ADDRESS
        for file in event_files:
            if problem := _unreadable(file):
                return problem
        return obstacle_of(read_files(event_files), words=words, first=first)

    def addresses(self, delivery: Delivery) -> tuple[Attachment, ...]:
        """
        Return where Blooio finds a text's files: for every attempt with the same key the same, to the letter.

        Raises FilesNeedAddress: a text never goes without its files.
        """
        if not delivery.files:
            return ()
        if self._public_url is None:
            raise FilesNeedAddress
        expires = int(((delivery.attempted_at or delivery.requested_at) + LASTS).timestamp())
        return tuple(
            Attachment(
                url=self._public_url + path_of(Link(file.file_id, delivery.id, expires), file.name, key=self._key),
                name=file.name,
            )
            for file in delivery.files
        )

    async def check(self, delivery: Delivery) -> None:
        """Raise FileGone if Slack says that a file of a text is not there. If Slack does not say, it may be."""
        for file in delivery.files:
            try:
                found = await self._slack.files.get(file.file_id)
            except SlackRefused as refused:
                if refused.code in GONE:
                    raise FileGone from refused
                logger.warning("file_not_checked delivery=%s error=%s", delivery.id, refused.code)
            except SlackError as error:
                logger.warning("file_not_checked delivery=%s error=%s", delivery.id, error)
            else:
                if not is_there(found):
                    raise FileGone


def obstacle_of(files: Sequence[OutboundFile], *, words: str, first: bool) -> str | None:
    """Say why files that Slack gives out cannot go together with *words*; None if they can."""
    if len(files) > MOST:
        return TOO_MANY
    if problem := next(filter(None, map(_unfit, files)), None):
        return problem
    if first and not words.strip():
        return FIRST
    if words.strip() and len(files) == 1 and kinds.is_audio(files[0].media_type, files[0].name):
        return VOICE_MEMO
    return None


def _unfit(file: OutboundFile) -> str | None:
    if file.size > LARGEST:
        return f"{file.name} is larger than {LARGEST // 2**20} MB, which is the most that can be texted."
    if file.size <= 0:
        return f"{file.name} is empty."
    return f"{file.name} is a program, and programs are not texted." if kinds.is_program(file.name) else None


def is_shared(file: Mapping[str, Any]) -> bool:
    """Say whether a file, as Slack tells of it, is shared anywhere."""
    return any(file.get(place) for place in ("channels", "groups", "ims", "shares"))


def is_there(file: Mapping[str, Any]) -> bool:
    """Say whether a file, as Slack tells of it, can be read and is shared still."""
    return _unreadable(file) is None and is_shared(file)


def _unreadable(file: Mapping[str, Any]) -> str | None:
    """Say why Slack does not give a file out; None if it does."""
    access, mode = str(file.get("file_access") or "visible"), str(file.get("mode") or "hosted")
    if access != "visible":
        mode = access
    elif file.get("is_external"):
        mode = "external"
    if mode in _WHOLE:
        return None
    name = _name(file)
    words = _UNREADABLE.get(mode, _UNREADABLE[""]).format(name=name)
    return words if name != _NAMELESS else words[0].upper() + words[1:]


def _name(file: Mapping[str, Any]) -> str:
    """Return what a file is called; some have no more than a title, and a deleted one has neither."""
    written = str(file.get("name") or file.get("title") or "")
    return kinds.clean_name(written, None) if written else _NAMELESS


def _size(file: Mapping[str, Any]) -> int:
    size = file.get("size")
    return size if isinstance(size, int) else 0
