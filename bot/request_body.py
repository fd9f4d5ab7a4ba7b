"""The bytes of a request, within bounds."""

import asyncio

from starlette.requests import Request

#: Slack's requests and Blooio's webhooks are a few kilobytes.
MAX_BODY = 1_000_000

#: Both vendors give up long before.
MAX_SECONDS = 10.0


class TooLarge(Exception):
    """The body is larger than anything we are sent in earnest."""


class TooSlow(Exception):
    """The body did not arrive in time."""


async def read_body(request: Request) -> bytes:
    """Read the body as it came. Raises TooLarge, TooSlow and starlette's ClientDisconnect."""
    announced = request.headers.get("content-length", "")
    if (
        announced.isascii()
        and announced.isdigit()
        and (len(announced) > len(str(MAX_BODY)) or int(announced) > MAX_BODY)
    ):
        raise TooLarge
    parts, size = [], 0
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise TooLarge
                parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    return b"".join(parts)
