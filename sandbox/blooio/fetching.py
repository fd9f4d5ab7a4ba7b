"""
Fetching what a text of ours has attached, as Blooio does before it sends: from its own side, by the URL alone.

The sandbox reaches this machine only. What is at an https URL of elsewhere it takes on trust, and says so. How the real
one treats redirects, HEAD and refusals is not documented; here a redirect is a refusal, and the rest are settings.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from sandbox.blooio.attachments import KEPT, Attachment
from sandbox.blooio.records import Records
from sandbox.blooio.webhooks_api import LOOPBACK
from sandbox.changes import Changes
from sandbox.exchanges import Exchanges

MOST_BYTES = 16 * 1024 * 1024  # of each attachment
WITHIN = 30  # seconds of real time for each
BEGINNING = 64  # bytes
ELSEWHERE = "not fetched: it is not on this machine"
HEADERS = {"User-Agent": "Blooio-Sandbox/1.0", "Accept": "*/*", "Accept-Encoding": "identity"}


class Refused(Exception):
    """An attachment cannot be sent. The words are for whoever looks at the phone, the code for webhooks."""

    def __init__(self, words: str, code: str = "attachment_fetch_failed") -> None:
        super().__init__(words)
        self.code = code


class Fetching:
    """Fetches attachments."""

    def __init__(self, records: Records, changes: Changes, exchanges: Exchanges) -> None:
        self._records = records
        self._changes = changes
        self._exchanges = exchanges
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, text: str | None, attachments: list[Attachment]) -> None:
        """Fetch what goes with *text*, one after another and once. Raises Refused if it cannot be sent."""
        for attachment in attachments:
            if not attachment.settled:
                try:
                    await self._fetch(attachment)
                except Refused as refused:
                    attachment.problem = str(refused)
                    raise
                finally:
                    attachment.settled = True
                    self._changes.bump()
        check_company(text, attachments)

    async def _fetch(self, attachment: Attachment) -> None:
        url = urlsplit(attachment.url)
        if url.hostname not in LOOPBACK:
            if url.scheme != "https":
                raise Refused("only https URLs are fetched")
            attachment.problem = ELSEWHERE
            return
        try:
            async with asyncio.timeout(WITHIN):
                if self._records.settings.fetch_head_first:
                    async with self._ask("HEAD", attachment):
                        pass
                async with self._ask("GET", attachment) as response:
                    await _read(response, attachment)
        except TimeoutError:
            raise Refused(f"it did not come within {WITHIN} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Refused(f"the connection failed: {type(error).__name__}") from error

    @asynccontextmanager
    async def _ask(self, method: str, attachment: Attachment) -> AsyncIterator[aiohttp.ClientResponse]:
        """Begin one request, whose answer is not a refusal yet; record it when it has ended, however it did."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), headers=HEADERS)
        at, status, problem = self._records.clock.now(), 0, None
        try:
            async with self._session.request(method, attachment.url, allow_redirects=False) as response:
                status = response.status
                _check(response)
                yield response
        except BaseException as error:
            problem = str(error) or type(error).__name__
            raise
        finally:
            self._record(method, attachment, at, status, problem)

    def _record(self, method: str, attachment: Attachment, at: float, status: int, problem: str | None) -> None:
        url = urlsplit(attachment.url)
        response: dict[str, Any] = {
            "size": attachment.size,
            "media_type": attachment.media_type,
            "sha256": attachment.sha256,
            "problem": problem,
        }
        self._exchanges.record(
            vendor="blooio",
            name=f"fetch:{url.netloc}{unquote(url.path)}",
            at=at,
            method=method,
            raw_path=attachment.url,
            headers={name.lower(): value for name, value in HEADERS.items()},
            body=None,
            status=status,
            response=response,
            fault=None,
        )


def check_company(text: str | None, attachments: list[Attachment]) -> None:
    """Raise Refused for a lone audio file, which becomes a voice memo, with a text beside it."""
    if text and len(attachments) == 1 and attachments[0].is_audio:
        raise Refused("a voice memo cannot share a message with text", "invalid_content")


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:  # noqa: PLR2004 - a part, or nothing, is no file
        raise Refused(f"its URL answered {response.status}")
    if (response.content_length or 0) > MOST_BYTES:
        raise Refused(f"it is larger than {MOST_BYTES} bytes")


async def _read(response: aiohttp.ClientResponse, attachment: Attachment) -> None:
    """Read a file as it comes, and keep of it what is worth keeping."""
    digest, beginning, kept, size = hashlib.sha256(), b"", bytearray(), 0
    async for block in response.content.iter_any():
        size += len(block)
        if size > MOST_BYTES:
            raise Refused(f"it is larger than {MOST_BYTES} bytes")
        digest.update(block)
        if len(beginning) < BEGINNING:
            beginning += block[: BEGINNING - len(beginning)]
        if size <= KEPT:
            kept += block
    if not size:
        raise Refused("it is empty")
    attachment.media_type = response.content_type if "Content-Type" in response.headers else None
    attachment.size, attachment.sha256, attachment.beginning = size, digest.hexdigest(), beginning
    attachment.content = bytes(kept) if size <= KEPT else None
