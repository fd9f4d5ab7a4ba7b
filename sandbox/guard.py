"""Keeps web pages of elsewhere away from the sandbox, although it listens where a browser can reach it."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

OUR_NAMES = {"127.0.0.1", "localhost", "::1"}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request that came by another name (DNS rebinding) or from another site's page (CSRF)."""
    if urlsplit(f"//{request.host}").hostname not in OUR_NAMES:
        return refusal("ask for the sandbox by the name localhost", status=403)
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return refusal("the sandbox answers its own page only", status=403)
    return await handler(request)


def refusal(words: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": words}, status=status)
