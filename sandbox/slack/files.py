"""
Files on their way to Slack and back: the URL that takes an upload, the processing after it, and the private URLs.

They are kept in memory, and so none may be larger than 25 MB. Real Slack takes 1 GB, and so does the sandbox of a
person's file whose bytes are made as they are read.
Source: docs.slack.dev/messaging/working-with-files.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from mimetypes import MimeTypes
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.web_request import FileField

from sandbox.exchanges import RawText
from sandbox.faults import Kind as Trouble
from sandbox.slack import seed
from sandbox.slack.errors import SlackError
from sandbox.slack.filler import Content, Filler, chunks, first
from sandbox.slack.ids import new_id, new_secret
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import IMAGES, File
from sandbox.slack.workspace import Workspace
from sandbox.world import Basics

MOST_BYTES = 25 * 1024 * 1024
MOST_MADE_BYTES = 1024 * 1024 * 1024  # of a file whose bytes are made as they are read
MOST_SNIPPET_BYTES = 1024 * 1024
LOOKED_AT = 64 * 1024  # bytes from which a text is known
LIFETIME = 60 * 60.0  # seconds of an upload that is not completed; Slack does not document how long it is kept

#: What a browser, or an app without the right token or scope, gets in the place of a file, with status 200.
SIGN_IN = """<!DOCTYPE html>
<html><head><title>Slack</title></head><body><h1>Sign in to Acme</h1><p>This file is private.</p></body></html>
"""

#: How the images begin, which are known by their bytes whatever their name says.
BEGINNINGS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}

#: Slack's short name of a type, where it is not the extension.
FILETYPES = {"image/jpeg": "jpg", "text/plain": "text", "application/octet-stream": "binary"}

TYPES = MimeTypes()  # without the files of this machine, so that it is the same everywhere

Answer = tuple[int, dict[str, str], Any]


@dataclass
class Upload:
    """A file that has been announced. `content` is there once it was sent, all of it."""

    file_id: str
    secret: str
    name: str
    length: int
    alt_text: str
    is_snippet: bool
    expires: float
    content: bytes | None = None
    is_used: bool = False  # its URL takes nothing any more


class Files:
    """Take files in, process them, and give them out again."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        basics: Basics,
        in_background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._basics = basics
        self._in_background = in_background
        self._uploads: dict[str, Upload] = {}  # by the file's id, the oldest first

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/slack/upload/v1/{secret}", self._receive)
        app.router.add_get("/slack/files-pri/{place}/{name}", self._give)
        app.router.add_get("/slack/files-pri/{place}/download/{name}", self._give)
        app.router.add_get("/files/{user}/{file}/{name}", _permalink)

    # Uploads

    def announce(self, name: str, length: int, *, alt_text: str, is_snippet: bool) -> tuple[str, str]:
        """Expect *length* bytes; return the id of the file to be and the URL to send them to."""
        self._forget_expired()
        expires = self._basics.clock.now() + LIFETIME
        upload = Upload(new_id("F"), new_secret(64), name, length, alt_text, is_snippet, expires)
        self._uploads[upload.file_id] = upload
        return upload.file_id, f"{self._workspace.url}/slack/upload/v1/{upload.secret}"

    def require(self, file_ids: Iterable[str]) -> None:
        """Raise `file_not_found` unless each of these has been sent whole, and is not completed or expired."""
        self._forget_expired()
        for file_id in file_ids:
            upload = self._uploads.get(file_id)
            if upload is None or upload.content is None:
                raise SlackError("file_not_found")

    def complete(self, titles: dict[str, str], *, user_id: str) -> list[File]:
        """Make files of uploads, by id. Their types are not known before `process`."""
        self.require(titles)
        uploads = [self._uploads.pop(file_id) for file_id in titles]
        return [
            self._keep(
                File(
                    upload.file_id,
                    upload.name,
                    titles[upload.file_id] or upload.name,
                    user_id,
                    created=int(self._basics.clock.now()),
                    content=upload.content or b"",
                    alt_text=upload.alt_text,
                    is_snippet=upload.is_snippet,
                )
            )
            for upload in uploads
        ]

    def process(self, files: list[File], share: Callable[[list[File]], None]) -> None:
        """
        Look into *files* and then *share* them, right after the call under way has been answered.

        A `latency` ordered for `process:files` delays it, and any other fault makes it fail: nothing is shared then.
        """
        self._in_background(self._process(files, share))

    async def _process(self, files: list[File], share: Callable[[list[File]], None]) -> None:
        for fault in self._basics.faults.take("slack", "process:files"):
            if fault.kind is not Trouble.LATENCY:
                return
            await self._basics.clock.sleep(fault.seconds)
        left = [file for file in files if self._workspace.files[file.id] is file]  # and not deleted meanwhile
        for file in left:
            look_into(file)
        if left:
            share(left)
        self._basics.changes.bump()

    def upload_of_person(self, user_id: str, name: str, content: Content) -> File:
        """Keep a file that somebody uploads in Slack's own windows. Raises ValueError."""
        if not name or not content:
            raise ValueError("a file has a name and is not empty")
        most = MOST_MADE_BYTES if isinstance(content, Filler) else MOST_BYTES
        if len(content) > most:
            raise ValueError(f"the sandbox takes files of {most} bytes at most")
        file = File(new_id("F"), name, name, user_id, created=int(self._basics.clock.now()), content=content)
        look_into(file)
        return self._keep(file)

    def link_of_person(self, user_id: str, name: str, url: str) -> File:
        """Keep a file that somebody shares from elsewhere, such as Google Drive. Raises ValueError."""
        if not name or not url.startswith("https://"):
            raise ValueError("a file from elsewhere has a name and an https address")
        file = File(new_id("F"), name, name, user_id, created=int(self._basics.clock.now()), external_url=url)
        file.mimetype, file.filetype = ("application/vnd.google-apps.document", "gdoc")
        return self._keep(file)

    def _keep(self, file: File) -> File:
        self._workspace.files[file.id] = file
        return file

    def _forget_expired(self) -> None:
        now = self._basics.clock.now()
        while self._uploads and next(iter(self._uploads.values())).expires < now:
            del self._uploads[next(iter(self._uploads))]

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of one upload, which come without a token."""
        content = await _sent(request)

        async def effect() -> Answer:
            return self._fill(request.match_info["secret"], content)

        body = {"bytes": len(content)}
        return await self._basics.exchanges.answer(request, vendor="slack", name="upload_url", body=body, effect=effect)

    def _fill(self, secret: str, content: bytes) -> Answer:
        self._forget_expired()
        upload = next((one for one in self._uploads.values() if one.secret == secret), None)
        # Slack documents that a failed upload does not answer 200, and no more about it than that.
        if upload is None or upload.is_used:
            return 404, {}, RawText("Not Found")
        upload.is_used = True
        if len(content) != upload.length:
            return 400, {}, RawText(f"expected {upload.length} bytes, got {len(content)}")
        upload.content = content
        return 200, {}, RawText(f"OK - {len(content)}")

    # Downloads

    async def _give(self, request: web.Request) -> web.StreamResponse:
        """Serve `url_private` and `url_private_download`: the bytes, or a page to sign in."""
        given: list[File] = []

        async def effect() -> Answer:
            file = self._allowed(request)
            if file is None:
                return 200, {"Content-Type": "text/html; charset=utf-8"}, RawText(SIGN_IN)
            if file.is_deleted or file.is_hidden:
                return 404, {"Content-Type": "text/html; charset=utf-8"}, RawText("<h1>File deleted</h1>")
            given.append(file)
            return 200, {}, {"bytes": len(file.content)}

        exchanges = self._basics.exchanges
        answer = await exchanges.answer(request, vendor="slack", name="url_private", body={}, effect=effect)
        if not given:
            return answer
        file = given[0]
        is_download = "/download/" in request.path or not file.is_image
        content_type = file.mimetype or "application/octet-stream"
        return await give(request, file, content_type, is_download=is_download)

    def _allowed(self, request: web.Request) -> File | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_bot = scheme.lower() == "bearer" and token.strip() == seed.BOT_TOKEN
        team_id, _, file_id = request.match_info["place"].partition("-")
        if not is_bot or "files:read" not in self._manifest.scopes:
            return None
        file = self._workspace.file_for_app(file_id)
        return file if file and not file.external_url and team_id == self._workspace.team_of(file.user_id).id else None


def look_into(file: File) -> None:
    """Find out what a file is: an image by its bytes, everything else by its name, and what is left by its bytes."""
    file.mimetype = _mimetype(file)
    extension = PurePath(file.name).suffix.lower().removeprefix(".")
    file.filetype = FILETYPES.get(file.mimetype) or extension or file.mimetype.rpartition("/")[2]


def _mimetype(file: File) -> str:
    for beginning, image in BEGINNINGS.items():
        if first(file.content, len(beginning)) == beginning:
            return image
    by_name, packed = TYPES.guess_type("file" + PurePath(file.name).suffix, strict=False)
    if by_name and not packed and by_name not in IMAGES:
        return by_name
    return "text/plain" if file.is_snippet or _is_text(first(file.content, LOOKED_AT)) else "application/octet-stream"


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in getincrementaldecoder("utf-8")().decode(content)  # the end may be half a character
    except UnicodeDecodeError:
        return False


async def give(request: web.Request, file: File, content_type: str, *, is_download: bool) -> web.StreamResponse:
    """Answer with a file's bytes, a chunk at a time, which no browser is to run or take for something else."""
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    if is_download:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    response = web.StreamResponse(headers=headers)
    response.content_type, response.content_length = content_type, len(file.content)
    await response.prepare(request)
    if request.method != "HEAD":
        for chunk in chunks(file.content):
            await response.write(chunk)
    await response.write_eof()
    return response


async def _permalink(request: web.Request) -> web.StreamResponse:
    """Lead from a file's permalink to the file, as the page has it."""
    raise web.HTTPFound(f"/_sandbox/slack/files/{request.match_info['file']}")


async def _sent(request: web.Request) -> bytes:
    """Read a body that is either a form with the file in it, or the file itself."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, FileField):
            return value.file.read()
        return value.encode() if isinstance(value, str) else bytes(value)
    return b""
