"""
The files of one text from a person, step by step into their thread: fetched, handed to Slack, shared.

Each step leaves a row behind, so whoever goes on after a crash knows what is done. Only one step cannot be repeated:
sharing. Its outcome, when no answer tells it, is looked up.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.files.fetching import Fetcher, NotFetched
from bot.files.outgoing import is_shared
from bot.slack.client import Slack
from bot.slack.errors import TOKEN_ERRORS, SlackBusy, SlackError, SlackRefused, SlackTrouble
from bot.storage.files import InboundFiles, KeptFile, KeptText
from bot.texting.service import Postponed

logger = logging.getLogger(__name__)

#: Attempts to fetch one file, and the waits between them: a link may expire, so they are made soon.
_ATTEMPTS = 5
_FIRST_WAIT, _WAIT_FACTOR = timedelta(seconds=3), 4.0

#: How long Slack, or the thread, is waited for before somebody has to say "try again".
_WAITED_FOR = timedelta(hours=24)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=0.5), timedelta(minutes=5)

#: A sharing without an answer shows within this time, or it never took place.
_SHARING_LANDS = timedelta(seconds=2)
_SHARING_SHOWS = timedelta(minutes=2)

#: Slack's `error` for an upload that was not shared, and for one that it has thrown away.
_NOT_THERE = "file_not_found"

#: Files of one text that are fetched. More than a person sends, and less than would fill a thread.
_MOST = 20

#: What Slack refuses, and why, by `error`. Source: Slack, "files.getUploadURLExternal", "files.completeUploadExternal".
_REFUSALS = {
    "storage_limit_reached": "this workspace's storage is full",
    "file_upload_size_restricted": "it is larger than this workspace allows",
    "file_type_not_allowed": "this workspace does not allow files of this kind",
    "file_uploads_disabled": "this workspace does not allow uploads",
    "posting_denied_to_channel": "the bot may not post here",
    "not_in_channel": "the bot is not in this channel any more",
    "is_archived": "this channel is archived",
    "missing_scope": "the bot may not upload files; an admin has to install it again",
}


class IncomingFiles:
    """Brings files into threads."""

    def __init__(
        self,
        *,
        memory: InboundFiles,
        fetcher: Fetcher,
        slack: Slack,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._memory = memory
        self._fetcher = fetcher
        self._slack = slack
        self._now = now

    async def bring(self, inbound_id: UUID) -> None:
        """
        Do what is left to do for the files of one text. Safe to repeat at any point, one at a time.

        Raises Postponed when it should be called again later.
        """
        text = await self._memory.load(inbound_id)
        if text is None:
            return
        waits = [await self._bring(text, file) for file in text.waiting if file.file_id is None]
        text = await self._memory.load(inbound_id)
        if text is None:
            return
        if uploaded := [file for file in text.waiting if file.file_id is not None]:
            waits.append(await self._share(text, uploaded))
        if left := [wait for wait in waits if wait is not None]:
            raise Postponed(self._now() + min(left))

    async def _bring(self, text: KeptText, file: KeptFile) -> timedelta | None:
        """Fetch one file and hand it to Slack; return how long to wait if that is for another attempt."""
        if file.position >= _MOST:
            await self._refuse([file], "fetched", f"one text brings {_MOST} files at most", "too_many", again=False)
            return None
        try:
            async with self._fetcher.fetch(file.url, file.name) as fetched:
                file_id = await self._slack.files.send(fetched.content, length=fetched.size, filename=fetched.name)
        except NotFetched as error:
            if error.again and file.attempts + 1 < _ATTEMPTS:
                logger.info("file_not_fetched file=%s code=%s attempt=%d", file.id, error.code, file.attempts + 1)
                await self._memory.failed(file)
                return _FIRST_WAIT * _WAIT_FACTOR**file.attempts
            await self._refuse([file], "fetched", error.words, error.code, again=error.again)
            return None
        except SlackError as error:
            return await self._after(error, text, [file])
        await self._memory.uploaded(file, file_id, name=fetched.name, media_type=fetched.media_type, size=fetched.size)
        return None

    async def _share(self, text: KeptText, files: Sequence[KeptFile]) -> timedelta | None:
        """Post files below their text, in one message; return how long to wait if that is not possible yet."""
        try:
            files = await self._still_to_share(files)
            if not files:
                return None
            if not text.is_posted or text.card_ts is None:  # they come after the text that they came with
                return await self._wait(text, files, "its thread could not be reached")
            if await self._slack.card_exists(text.conversation_id, text.card_ts):
                return await self._post(text, files, text.card_ts)
        except SlackError as error:
            return await self._after(error, text, files)
        await self._refuse(files, "shared", "this thread was deleted", "thread_gone", again=True)
        return None

    async def _post(self, text: KeptText, files: Sequence[KeptFile], thread_ts: str) -> timedelta | None:
        """Have Slack share files; return how long to wait if it has not, or if nobody knows."""
        await self._memory.begin_sharing(files)
        titles = {file.file_id or "": file.name or "" for file in files}
        try:
            await self._slack.files.share_all(titles, text.conversation_id, thread_ts=thread_ts)
        except SlackTrouble as error:
            return await self._after(error, text, files)
        except SlackError as error:  # nothing happened, so there is nothing to look for
            await self._memory.not_shared(files)
            if str(error) == _NOT_THERE:  # Slack throws away what is not shared for long
                return await self._fetch_again(files)
            return await self._after(error, text, files)
        await self._memory.shared(files)
        return None

    async def _still_to_share(self, files: Sequence[KeptFile]) -> list[KeptFile]:
        """
        Return those of *files* that are not shared, having looked for those of which nobody knows.

        Raises SlackError, which is SlackBusy while one may yet show up.
        """
        left = []
        for file in files:
            if file.sharing_since is None:
                left.append(file)
                continue
            age = self._now() - file.sharing_since
            if age < _SHARING_LANDS:
                raise SlackBusy(_SHARING_LANDS - age)
            try:
                found = await self._slack.files.get(file.file_id or "")
            except SlackRefused as refused:
                if refused.code != _NOT_THERE:
                    raise
                left.append(file)  # the sharing never reached Slack
                continue
            if is_shared(found):
                await self._memory.shared([file])
            elif age < _SHARING_SHOWS:
                raise SlackBusy(_SHARING_LANDS)
            else:
                await self._fetch_again([file])
        return left

    async def _fetch_again(self, files: Sequence[KeptFile]) -> timedelta | None:
        """Begin anew with files that Slack had and has no more; return how long to wait before that."""
        waits = []
        for file in files:
            if file.attempts + 1 >= _ATTEMPTS:
                await self._refuse([file], "shared", "Slack lost it", "lost", again=True)
                continue
            logger.warning("file_lost file=%s attempt=%d", file.id, file.attempts + 1)
            await self._memory.lost([file])
            waits.append(_FIRST_WAIT * _WAIT_FACTOR**file.attempts)
        return min(waits, default=None)

    async def _after(self, error: SlackError, text: KeptText, files: Sequence[KeptFile]) -> timedelta | None:
        """Say how long to wait after Slack did not do what it was asked for, or give up and say so in the thread."""
        if isinstance(error, SlackBusy):
            return error.retry_after
        if isinstance(error, SlackRefused) and error.code not in TOKEN_ERRORS:
            words = _REFUSALS.get(error.code, f"Slack says {error.code}")
            await self._refuse(files, "shared", words, error.code, again=True)
            return None
        logger.warning("file_postponed text=%s error=%s", text.id, error)
        return await self._wait(text, files, "Slack could not be reached")

    async def _wait(self, text: KeptText, files: Sequence[KeptFile], words: str) -> timedelta | None:
        """Wait ever longer, and in the end no more."""
        age = self._now() - text.received_at
        if age > _WAITED_FOR:
            await self._refuse(files, "shared", words, "waited_too_long", again=True)
            return None
        return min(max(age / 4, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _refuse(self, files: Sequence[KeptFile], step: str, words: str, code: str, *, again: bool) -> None:
        for file in files:
            logger.info("file_refused file=%s code=%s", file.id, code)
        await self._memory.refused(files, f"could not be {step}: {words}.", again=again)
