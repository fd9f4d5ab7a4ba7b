"""
What people attach: taken from their phones, and served at URLs of its own, as badly as ordered.

Nobody documents how Blooio serves them, only that anybody can fetch them and that their URLs may expire. So a URL here
needs no key, cannot be guessed, and can go wrong in every way that a fetch has to survive.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.blooio.attachments import BLOCK, File, Manners
from sandbox.blooio.control import mistakes_told
from sandbox.blooio.records import FILES, Records, new_id, read_address
from sandbox.exchanges import SECRET_HEADERS, Exchanges

MOST_BYTES = 20 * 1024 * 1024  # of a file that is kept; one that is made up has no limit
PIECES = 10  # a second, when a file trickles
FEW = 4096  # bytes: of a page, and of what follows a length that is too small
HTML_PAGE = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}

_SWITCH = {"true": True, "false": False}.__getitem__
#: Each of `Manners`, and what makes a value of its words.
READERS: dict[str, Callable[[str], Any]] = {
    "status": int,
    "html": _SWITCH,
    "redirect": str,
    "content_type": str,
    "content_length": int,
    "chunked": _SWITCH,
    "endless": _SWITCH,
    "rate": int,
    "lifetime": float,
    "times": int,
}


class Files:
    """Takes files in and gives them out."""

    def __init__(self, records: Records, exchanges: Exchanges) -> None:
        self._records = records
        self._exchanges = exchanges

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/_sandbox/phones/{address}/files", mistakes_told(self.offer))
        app.router.add_get("/_sandbox/blooio/attachments/{message}/{place}", self.show)
        app.router.add_get(FILES + "/{file}/{name}", self.give)
        app.on_response_prepare.append(_without_type)

    async def offer(self, request: web.Request) -> web.Response:
        """
        Take a file's bytes and answer with the `url` where everybody finds it, to be attached to a text.

        The query says the rest: `name`, `type`, `size` (without a body: so many bytes are made up), `announced` (the
        size that Blooio tells, if not the true one), and any of `Manners`.
        """
        read_address(request.match_info["address"])
        told = dict(request.query)
        name, media_type = told.pop("name", "file"), told.pop("type", "application/octet-stream")
        size, announced = _whole(told, "size"), _whole(told, "announced")
        manners = _read_manners(told)
        content = await _read_content(request)
        if content and size is not None:
            raise ValueError("a file has either content or a size to be made up")
        if manners.endless and not (content or size):
            raise ValueError("there is no end to a file only if there is something in it")
        file = File(
            file_id=new_id("file"),
            name=name,
            media_type=media_type,
            size=len(content) if size is None else size,
            offered_at=self._records.clock.now(),
            content=content if size is None else None,
            announced=announced,
            manners=manners,
        )
        self._records.files[file.file_id] = file
        url = f"http://{request.host}{FILES}/{file.file_id}/{quote(name, safe='')}"
        return web.json_response({"url": url, "name": name, "media_type": media_type, "size": file.size})

    async def show(self, request: web.Request) -> web.Response:
        """Give the page an attachment that was kept, as something that no browser runs."""
        message = self._records.messages.get(request.match_info["message"])
        place = request.match_info["place"]
        attachments = [] if message is None else message.attachments
        kept = attachments[int(place)] if place.isdecimal() and int(place) < len(attachments) else None
        if kept is None or kept.content is None:
            raise web.HTTPNotFound
        media_type = kept.media_type if kept.media_type in PICTURES else "application/octet-stream"
        return web.Response(body=kept.content, content_type=media_type, headers=HARMLESS)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Serve a file. What was asked and how much of it was given is recorded as `file:` and its name."""
        file = self._records.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        at = self._records.clock.now()
        file.asked += 1
        manners = file.manners
        if manners.times is not None and file.asked > manners.times:
            manners = Manners()
        giving = _Giving(request, file, manners, is_gone=_is_gone(file, manners, at))
        try:
            return await giving.response()
        finally:
            self._exchanges.record(
                vendor="blooio",
                name=f"file:{file.name}",
                at=at,
                method=request.method,
                raw_path=request.raw_path,
                headers={k.lower(): v for k, v in request.headers.items() if k.lower() not in SECRET_HEADERS},
                body={"has_key": "Authorization" in request.headers},  # a key has no business here
                status=giving.status,
                response={"bytes": giving.given},
                fault=None,
            )


class _Giving:
    """One request for one file being answered."""

    def __init__(self, request: web.Request, file: File, manners: Manners, *, is_gone: bool) -> None:
        self.status = 410 if is_gone else manners.status or (502 if manners.html else 200)
        self.given = 0  # bytes
        self._request = request
        self._file = file
        self._manners = manners

    async def response(self) -> web.StreamResponse:
        manners = self._manners
        if manners.redirect is not None:
            self.status = 302
            return web.Response(status=302, headers={"Location": manners.redirect})
        if manners.html:
            return web.Response(status=self.status, text=HTML_PAGE, content_type="text/html", headers=HARMLESS)
        if self.status != 200:  # noqa: PLR2004 - anything but a file
            return web.Response(status=self.status, text="Not here", headers=HARMLESS)
        return await self._whole()

    async def _whole(self) -> web.StreamResponse:
        manners, file = self._manners, self._file
        content_type = file.media_type if manners.content_type is None else manners.content_type
        response = web.StreamResponse(headers=HARMLESS | {"Content-Type": content_type})
        if not (manners.chunked or manners.endless):
            response.content_length = file.size if manners.content_length is None else manners.content_length
        if response.content_length not in {None, file.size}:
            response.force_close()  # it would be read as the beginning of the next answer, or waited for
        await response.prepare(self._request)
        if self._request.method != "HEAD":
            with contextlib.suppress(ConnectionResetError):  # somebody has seen enough
                await self._pour(response)
        return response

    async def _pour(self, response: web.StreamResponse) -> None:
        promised = response.content_length
        for block in self._pieces():
            await response.write(block)
            self.given += len(block)
            if promised is not None and self.given > promised and self._request.transport is not None:
                self._request.transport.write(block[-(self.given - promised) :][:FEW])
                return
            if self._manners.rate is not None:
                await asyncio.sleep(1 / PIECES)

    def _pieces(self) -> Iterator[bytes]:
        piece = BLOCK if self._manners.rate is None else max(1, self._manners.rate // PIECES)
        while True:
            for block in self._file.blocks():
                yield from (block[start : start + piece] for start in range(0, len(block), piece))
            if not self._manners.endless:
                return


def _is_gone(file: File, manners: Manners, now: float) -> bool:
    return manners.lifetime is not None and now >= file.offered_at + manners.lifetime


async def _without_type(_request: web.Request, response: web.StreamResponse) -> None:
    """Leave an empty Content-Type out: without one, the server would add its own."""
    if response.headers.get("Content-Type") == "":
        del response.headers["Content-Type"]


async def _read_content(request: web.Request) -> bytes:
    content = bytearray()
    async for block in request.content.iter_chunked(BLOCK):
        content += block
        if len(content) > MOST_BYTES:
            raise ValueError(f"the sandbox keeps files of {MOST_BYTES} bytes at most; give a size and no content")
    return bytes(content)


def _read_manners(told: dict[str, str]) -> Manners:
    read: dict[str, Any] = {}
    for name, value in told.items():
        if name not in READERS:
            raise ValueError(f"a file has no {name!r}; it has name, type, size, announced, {', '.join(READERS)}")
        try:
            read[name] = READERS[name](value)
        except (ValueError, KeyError):
            raise ValueError(f"{name} cannot be {value!r}") from None
    return Manners(**read)


def _whole(told: dict[str, str], name: str) -> int | None:
    value = told.pop(name, None)
    if value is None:
        return None
    if not value.isdecimal():
        raise ValueError(f"{name} must be a number of bytes")
    return int(value)
