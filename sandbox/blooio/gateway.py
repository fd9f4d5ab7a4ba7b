"""The HTTP side of the local Blooio: keys, paths and bodies in; JSON out, by way of the ordered faults."""

import json
from typing import Any

from aiohttp import web

from sandbox.blooio.calls import Call, RouteTable, decode
from sandbox.blooio.errors import ApiError
from sandbox.blooio.records import Records
from sandbox.exchanges import Exchanges

BASE = "/blooio/v2/api"
KEY_PREFIX = "bl_sandbox"
REAL_PREFIXES = ("bl_live", "api_")


class Gateway:
    """Answers everything under `BASE`."""

    def __init__(self, exchanges: Exchanges, records: Records, routes: RouteTable) -> None:
        self._exchanges = exchanges
        self._records = records
        self._routes = routes

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", BASE + "/{path:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. The path is decoded from the wire's bytes: how "+" was written is part of the test."""
        segments = decode(
            request.raw_path.removeprefix(BASE),
            plus_is_space=self._records.settings.strict_paths,
        )
        body = _parse(await request.read())

        async def effect() -> tuple[int, dict[str, str], Any]:
            try:
                key = _check_key(request.headers.get("Authorization", ""))
                endpoint, names = self._routes.find(request.method, segments)
                answer = await endpoint(Call(names, request.query, request.headers, body, key))
            except ApiError as error:
                return error.status, {}, error.body
            return answer.status, {}, answer.payload

        name = f"{request.method} /{'/'.join(segments)}"
        return await self._exchanges.answer(request, vendor="blooio", name=name, body=body, effect=effect)


def _parse(raw: bytes) -> Any:
    """JSON if it is; otherwise text, which endpoints refuse and the record keeps."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


def _check_key(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "bearer" and key.startswith(KEY_PREFIX):
        return key
    if key.startswith(REAL_PREFIXES):
        raise ApiError(401, f"This is a sandbox: keep real API keys out of it and use one that begins {KEY_PREFIX}")
    raise ApiError(401, "Invalid or missing API key")
