"""Slack's Web API over HTTP: `/slack/api/<method>`. Source: docs.slack.dev/apis/web-api."""

import re
import sys
from typing import Any

from aiohttp import web

from sandbox.exchanges import Exchanges
from sandbox.slack import seed
from sandbox.slack.call import JSON, Call, Method, read_arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.files import Files
from sandbox.slack.ids import new_secret
from sandbox.slack.limits import Limits, RateLimited
from sandbox.slack.manifest import Manifest
from sandbox.slack.methods import METHODS
from sandbox.slack.sockets import Sockets
from sandbox.slack.workspace import Workspace

#: How a token of a real workspace begins; ours begin otherwise.
REAL_TOKEN = re.compile(r"xox[a-z]-\d|xapp-\d|xoxe")

Answer = tuple[int, dict[str, str], Any]


class WebAPI:
    """Check the token, the scope and the limits of each call, then let the method do its work."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        limits: Limits,
        sockets: Sockets,
        exchanges: Exchanges,
        *,
        files: Files,
    ) -> None:
        self._files = files
        self._workspace = workspace
        self._manifest = manifest
        self._limits = limits
        self._sockets = sockets
        self._exchanges = exchanges

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            arguments, problem = await read_arguments(request), None
        except SlackError as error:
            arguments, problem = {}, error
        token = _token(request, arguments)

        async def effect() -> Answer:
            try:
                if problem is not None:
                    raise problem
                return (
                    200,
                    self._headers(name),
                    {"ok": True} | await self._run(name, token, arguments, reached=request.host),
                )
            except RateLimited as limited:
                headers = {"Retry-After": str(limited.retry_after)}
                return 429, headers, {"ok": False, "error": limited.code}
            except SlackError as error:
                return 200, self._headers(name), {"ok": False, "error": error.code} | error.extra

        shown = {key: value for key, value in arguments.items() if key != "token"}
        return await self._exchanges.answer(request, vendor="slack", name=name, body=shown, effect=effect)

    async def _run(self, name: str, token: str, arguments: JSON, *, reached: str) -> JSON:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        check_token(token, method)
        call = Call(
            arguments,
            self._workspace,
            self._manifest,
            self._limits,
            self._sockets,
            files=self._files,
            reached=reached,
        )
        if method.scope:
            call.demand(method.scope)
        self._limits.call(name, method.tier)
        return await method.run(call)

    def _headers(self, name: str) -> dict[str, str]:
        method = METHODS.get(name)
        return {
            "x-accepted-oauth-scopes": (method.scope or "") if method else "",
            "x-oauth-scopes": ",".join(self._manifest.scopes),  # Bolt learns its scopes from this one
            "x-slack-req-id": new_secret(32),
        }


def _token(request: web.Request, arguments: JSON) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(arguments.get("token") or "")


def check_token(token: str, method: Method) -> None:
    """Let the sandbox's own tokens pass, each where it belongs. Raises SlackError."""
    if not token:
        raise SlackError("not_authed")
    if REAL_TOKEN.match(token):
        print("A token of a real workspace was sent to the sandbox and refused. Check the settings.", file=sys.stderr)
        raise SlackError("invalid_auth")
    if token not in {seed.BOT_TOKEN, seed.APP_TOKEN}:
        raise SlackError("invalid_auth")
    if (token == seed.APP_TOKEN) is not method.app_token:
        raise SlackError("not_allowed_token_type")
