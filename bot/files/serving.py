"""
`GET` and `HEAD /files/<token>/<name>`: a file on its way from Slack to whoever texts it, with nothing kept.

Everything that is wrong with an address gets the same answer. What is behind a good one is asked of Slack each time: a
file that was deleted, or is shared with nobody any more, is not given out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bot.files import links
from bot.files.outgoing import GONE, LARGEST, is_there
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.slack.files import Download

logger = logging.getLogger(__name__)

#: The route. What follows the path of `links` is one token and one name.
ROUTE = links.PATH + "/{token}/{name}"

#: Files under way at once, and how long one may wait for its turn and take, in seconds.
_AT_ONCE = 16
_TURN, _WHOLE = 20.0, 300.0

_HTML = "text/html"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Accept-Ranges": "none",
}

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ServedFiles:
    """The endpoint."""

    def __init__(self, *, slack: Slack, key: bytes, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._slack = slack
        self._key = key
        self._now = now
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        token, name = request.path_params["token"], request.path_params["name"]
        link = links.read_path(token, name, key=self._key, now=self._now())
        if link is None:
            await _empty(404)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_TURN):
                await self._turns.acquire()
        except TimeoutError:
            logger.warning("file_not_served delivery=%s code=too_many", link.delivery_id)
            await _empty(503)(scope, receive, send)
            return
        try:
            status = await self._answer(link, request, send)
        finally:
            self._turns.release()
        if status is not None:
            logger.warning("file_not_served delivery=%s status=%d", link.delivery_id, status)
            await _empty(status)(scope, receive, send)

    async def _answer(self, link: links.Link, request: Request, send: Send) -> int | None:
        """Give the file out; return the status of another answer if that cannot be begun."""
        try:
            file = await self._slack.files.get(link.file_id)
            if not is_there(file):
                return 404
            if request.method == "HEAD":
                await _begin(send, file, length=int(file.get("size") or 0))
                await send({"type": "http.response.body"})
                return None
            async with self._slack.files.download(file) as download:
                if not _is_it(file, download):
                    return 502
                await self._stream(file, download, request, send)
        except SlackRefused as refused:
            return 404 if refused.code in GONE else 502
        except SlackError:
            return 502
        return None

    async def _stream(self, file: dict[str, Any], download: Download, request: Request, send: Send) -> None:
        """
        Pass a file on, as fast as it is taken, for as long as somebody takes it.

        What breaks off in the middle is broken off, too: then it is shorter than was said, and not taken for whole.
        """
        await _begin(send, file, length=download.length)
        pouring = asyncio.ensure_future(_pour(download.pieces(), send))
        gone = asyncio.ensure_future(_until_gone(request))
        try:
            async with asyncio.timeout(_WHOLE):
                await asyncio.wait({pouring, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pouring.done():
                pouring.result()
                await send({"type": "http.response.body"})
        except (SlackError, TimeoutError) as error:
            logger.warning("file_broken_off error=%s", type(error).__name__)
        finally:
            for task in (pouring, gone):
                task.cancel()
            await asyncio.gather(pouring, gone, return_exceptions=True)


async def _pour(pieces: AsyncIterator[bytes], send: Send) -> None:
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _until_gone(request: Request) -> None:
    """Wait until nobody reads the answer any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, file: dict[str, Any], *, length: int | None) -> None:
    headers = _HEADERS | {
        "Content-Type": str(file.get("mimetype") or "application/octet-stream"),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(str(file.get('name') or 'file'), safe='')}",
    }
    if length is not None:
        headers["Content-Length"] = str(length)
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})


def _is_it(file: dict[str, Any], download: Download) -> bool:
    """
    Say whether what Slack gives out is the file.

    Without the right token or scope it is a page to sign in, with status 200: it has another type, or another length.
    """
    if (download.length or 0) > LARGEST:
        return False
    if not download.content_type.startswith(_HTML):
        return True
    return file.get("mimetype") == _HTML and download.length == file.get("size")


def _empty(status: int) -> Response:
    return Response(status_code=status, headers=_HEADERS)
