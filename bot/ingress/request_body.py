"""The bytes of a request, within bounds."""

import asyncio

from starlette.requests import ClientDisconnect, Request

#: Slack's requests and Blooio's webhooks are a few kilobytes.
MAX_BODY = 1_000_000

#: Both vendors give up long before.
MAX_SECONDS = 10.0


class BodyRefused(Exception):
    """The body cannot be had, or is not wanted; *status* is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read_body(request: Request) -> bytes:
    """Read the body as it came. Raises BodyRefused: 413 too large, 408 too slow, 400 broken off."""
    announced = request.headers.get("content-length", "")
    if len(announced) > len(str(MAX_BODY)) or (
        announced.isascii() and announced.isdigit() and int(announced) > MAX_BODY
    ):
        raise BodyRefused(413)
    parts, size = [], 0
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise BodyRefused(413)
                parts.append(part)
    except TimeoutError:
        raise BodyRefused(408) from None
    except ClientDisconnect:
        raise BodyRefused(400) from None  # nobody reads it
    return b"".join(parts)
