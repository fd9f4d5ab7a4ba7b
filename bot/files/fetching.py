"""
Fetching what a person sent, from where Blooio says: by https from public addresses, within bounds, onto the disk.

Nothing of it is trusted: not the URL (`destinations`), not the name server's answers, not the headers, and not that it
ever ends.
"""

import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.files import kinds
from bot.files.destinations import NotAllowed, Origin, destination, is_public

logger = logging.getLogger(__name__)

#: Seconds: to connect, between two pieces, and for the whole.
_CONNECT, _STALL, _WHOLE = 5.0, 15.0, 120.0

#: Bytes read at once, and looked at to tell what it is.
_PIECE = 64 * 1024
_BEGINNING = 4096

_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "blooio-slack"}

#: Answers that another request will not change: the address was good for a while, and is not any more.
_EXPIRED = {
    HTTPStatus.BAD_REQUEST,  # a storage service's word for it
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}


class NotFetched(Exception):
    """A file cannot be had. *words* continue "could not be fetched: "; *again*: another attempt may succeed."""

    def __init__(self, words: str, code: str, *, again: bool = False) -> None:
        super().__init__(code)
        self.words = words
        self.code = code
        self.again = again


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on the disk, which is gone when nobody has it open any more."""

    content: IO[bytes]
    name: str
    media_type: str
    size: int  # bytes


class Fetcher:
    """Fetches one file at a time for each caller."""

    def __init__(
        self, session: aiohttp.ClientSession, *, own: Origin | None, max_bytes: int, seconds: float = _WHOLE
    ) -> None:
        self._session = session
        self._own = own
        self._max_bytes = max_bytes
        self._seconds = seconds

    @asynccontextmanager
    async def fetch(self, url: str, name: str | None) -> AsyncIterator[Fetched]:
        """Fetch a file; it is on the disk for as long as the block lasts. Raises NotFetched."""
        try:
            target = destination(url, own=self._own)
        except NotAllowed as refused:
            raise _elsewhere(str(refused)) from refused
        with tempfile.TemporaryFile() as content:
            yield await self._into(content, target, kinds.name_of(url, name))

    async def _into(self, content: IO[bytes], url: URL, name: str) -> Fetched:
        """Stream what is at *url* onto the disk. Raises NotFetched."""
        try:
            async with asyncio.timeout(self._seconds), self._session.get(url, allow_redirects=False) as response:
                kind = self._check(response, name)
                size = await self._pour(response, content)
        except NotAllowed as refused:
            raise _elsewhere(str(refused)) from refused
        except TimeoutError as error:
            raise NotFetched("it took too long", "too_slow", again=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # What these say names the address, which lets anybody fetch the file: only their kind goes into the log.
            code = type(error).__name__
            raise NotFetched("it could not be reached", code, again=True) from None
        await asyncio.to_thread(content.seek, 0)
        return Fetched(content, kinds.clean_name(name, kind), kind, size)

    def _check(self, response: aiohttp.ClientResponse, name: str) -> str:
        """Return the type of a file by what is said before it comes. Raises NotFetched."""
        status = response.status
        if status in _EXPIRED:
            raise NotFetched("its link has expired", f"http_{status}")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise _elsewhere("redirect")
        if status != HTTPStatus.OK:
            raise NotFetched("it could not be reached", f"http_{status}", again=True)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NotFetched("it came in a form that cannot be read", "encoded")  # we asked for it as it is
        kind = kinds.kind_of(response.headers.get("Content-Type", ""), name)
        if kind is None:
            raise _unwanted("type")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        return kind

    async def _pour(self, response: aiohttp.ClientResponse, content: IO[bytes]) -> int:
        """Write what comes onto the disk; return how much it is. Raises NotFetched."""
        size, beginning = 0, b""
        async for piece in response.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > self._max_bytes:
                raise self._too_large()
            if len(beginning) < _BEGINNING:
                beginning += piece[: _BEGINNING - len(beginning)]
            await asyncio.to_thread(content.write, piece)
        if size == 0:
            raise NotFetched("it is empty", "empty")
        if kinds.looks_harmful(beginning):
            raise _unwanted("content")
        return size

    def _too_large(self) -> NotFetched:
        return NotFetched(f"it is larger than {self._max_bytes // 2**20} MB", "too_large")


class PublicResolver(AbstractResolver):
    """
    Asks for the addresses of a host once, and gives none out unless all of them are public.

    The connection goes to one of the very addresses that were looked at: a name that resolves to something else a
    moment later changes nothing.
    """

    def __init__(self, asked: AbstractResolver, *, own: Origin | None) -> None:
        self._asked = asked
        self._own = own

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host*. Raises NotAllowed, and OSError if there are none."""
        found = await self._asked.resolve(host, port, family)
        if self._own is not None and (host, port) == (self._own.host, self._own.port):
            return found
        if not all(is_public(one["host"]) for one in found):
            raise NotAllowed("resolves_not_public")
        return found

    async def close(self) -> None:
        await self._asked.close()


@asynccontextmanager
async def open_fetcher(
    *, own: Origin | None, max_bytes: int, resolver: AbstractResolver | None = None, seconds: float = _WHOLE
) -> AsyncIterator[Fetcher]:
    """
    Open the session that files are fetched with: no proxies, no cookies, no redirects, no connection used twice.

    *resolver* takes the place of the system's; *seconds* is what one file may take.
    """
    connector = aiohttp.TCPConnector(
        resolver=PublicResolver(resolver or aiohttp.ThreadedResolver(), own=own),
        use_dns_cache=False,
        force_close=True,
        family=socket.AF_UNSPEC,
    )
    timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT, sock_connect=_CONNECT, sock_read=_STALL)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Fetcher(session, own=own, max_bytes=max_bytes, seconds=seconds)


def _elsewhere(code: str) -> NotFetched:
    return NotFetched("its link leads where files are not fetched from", code)


def _unwanted(code: str) -> NotFetched:
    return NotFetched("files of this kind are not taken", code)
