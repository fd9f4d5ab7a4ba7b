"""Serving control routes: arguments in, JSON out, and a mistake told in words."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.guard import refusal
from sandbox.slack.errors import SlackError

JSON = dict[str, Any]


def answered(handler: Callable[[JSON], Awaitable[JSON]]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """
    Serve a handler of arguments, from query and JSON body, as a control route.

    What it raises of ValueError and SlackError is the asker's mistake: 400, with the words.
    """

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(await _arguments(request)))
        except (ValueError, SlackError) as mistake:
            return refusal(str(mistake))

    return serve


async def _arguments(request: web.Request) -> JSON:
    arguments: JSON = dict(request.query)
    if request.can_read_body:
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise ValueError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise ValueError("the body is not a JSON object")
        arguments |= body
    return arguments
