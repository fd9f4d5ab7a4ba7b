"""Files in Slack: given to it, shown in a conversation, and read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO, Any

import aiohttp
from yarl import URL

from bot.slack.answers import object_in
from bot.slack.calls import Calls, check_status
from bot.slack.errors import SlackRefused, SlackTrouble

#: A file may be large. What does not get on is noticed by nobody else, so the whole of it has a bound.
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=5)
_DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
_PIECE = 64 * 1024  # bytes

#: Where files of Slack's are, and how often we follow it there.
_SLACKS = ".slack.com"
_REDIRECTS = 4
_REDIRECTING = {301, 302, 303, 307, 308}


class Download:
    """A file that is being read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.content_type = response.headers.get("Content-Type", "").lower()
        self.length = response.content_length  # bytes; None: Slack does not say

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield it piece by piece. Raises SlackTrouble when it breaks off."""
        try:
            async for piece in self._response.content.iter_chunked(_PIECE):
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackTrouble(type(error).__name__) from error


class Files:
    """The files of the workspace. Each method raises SlackError."""

    def __init__(self, calls: Calls) -> None:
        self._call, self._calls, self._client = calls.call, calls, calls.client

    async def send(
        self, content: bytes | IO[bytes], *, filename: str, length: int | None = None, alt_text: str = ""
    ) -> str:
        """
        Give Slack a file; return its id. Nobody sees it before `share`, so it can be sent again.

        One that is on the disk is read as it is sent, and has a *length* in bytes.

        Not slack_sdk's `files_upload_v2`: that does both in one, and raises errors of other kinds.
        """
        answer = await self._call(
            "files.getUploadURLExternal",
            self._client.files_getUploadURLExternal,
            filename=filename,
            length=len(content) if isinstance(content, bytes) else length,
            alt_txt=alt_text or None,
        )
        if not answer.get("upload_url") or not answer.get("file_id"):
            raise SlackTrouble("files.getUploadURLExternal without upload_url")
        await self._calls.deliver(
            str(answer["upload_url"]),
            data=content,
            headers={"Content-Type": "application/octet-stream"},
            timeout=_UPLOAD_TIMEOUT,
        )
        return str(answer["file_id"])

    async def share(self, file_id: str, conversation_id: str, *, title: str, comment: str) -> None:
        """Post a file in a conversation with *comment* (mrkdwn) above it."""
        await self.share_all({file_id: title}, conversation_id, comment=comment)

    async def share_all(
        self, titles: Mapping[str, str], conversation_id: str, *, thread_ts: str | None = None, comment: str = ""
    ) -> None:
        """Post files, of which *titles* has the ids, in one message. Slack takes no person's id for a conversation."""
        await self._call(
            "files.completeUploadExternal",
            self._client.files_completeUploadExternal,
            files=[{"id": file_id, "title": title} for file_id, title in titles.items()],
            channel_id=conversation_id,
            thread_ts=thread_ts,
            initial_comment=comment or None,
        )

    async def get(self, file_id: str) -> dict[str, Any]:
        """Return a file as Slack tells of it now, with where it is shared."""
        answer = await self._call("files.info", self._client.files_info, file=file_id)
        return object_in(answer, "file")

    @asynccontextmanager
    async def download(self, file: Mapping[str, Any]) -> AsyncIterator[Download]:
        """
        Open the bytes of a file, as `get` returns it. Raises SlackError.

        Only Slack gets our token, wherever the file's address or a redirect may lead.
        """
        url = URL(str(file.get("url_private_download") or file.get("url_private") or ""))
        session = self._calls.session
        headers = {"Authorization": f"Bearer {self._client.token}", "Accept-Encoding": "identity"}
        try:
            for _ in range(_REDIRECTS):
                if not self._is_slacks(url):
                    raise SlackRefused("not_slacks")
                async with session.get(
                    url, headers=headers, allow_redirects=False, timeout=_DOWNLOAD_TIMEOUT
                ) as response:
                    if response.status in _REDIRECTING and "Location" in response.headers:
                        url = url.join(URL(response.headers["Location"]))
                        continue
                    check_status(response)
                    yield Download(response)
                    return
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SlackTrouble(type(error).__name__) from None  # what it says may name the file
        raise SlackRefused("too_many_redirects")

    def _is_slacks(self, url: URL) -> bool:
        """Say whether an address is Slack's own: over https, or where its API is."""
        api, host = URL(self._client.base_url), url.host or ""
        if (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port):
            return True
        return url.scheme == "https" and url.explicit_port is None and (host == "slack.com" or host.endswith(_SLACKS))
