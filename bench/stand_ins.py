"""
A Slack and a Blooio that only answer, each after a fixed time, and note when they were asked.

They are as light as they can be, so that what is measured is the bot. `GET /record` returns the notes since the last
time: `[what, key, seconds]`, on the clock of this machine (`time.monotonic`).
"""

import argparse
import asyncio
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import uvloop
from aiohttp import web

_ts = itertools.count(1_760_000_000_000_100, 100)


class StandIns:
    """Both vendors in one server."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._notes: list[tuple[str, str, float]] = []
        self._noted = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**22)
        app.router.add_get("/record", self.record)
        app.router.add_route("*", "/slack/api/{method}", self.slack)
        app.router.add_route("*", "/blooio/{rest:.*}", self.blooio)
        return app

    def note(self, what: str, key: str) -> None:
        self._notes.append((what, key, time.monotonic()))
        self._noted.set()

    async def until(self, enough: Callable[[set[str]], bool], *, timeout: float) -> None:
        """Wait until the kinds of notes so far are *enough*. Raises TimeoutError after *timeout* seconds."""
        async with asyncio.timeout(timeout):
            while not enough({what for what, _, _ in self._notes}):
                self._noted.clear()
                await self._noted.wait()

    async def record(self, _: web.Request) -> web.Response:
        notes, self._notes = self._notes, []
        return web.json_response(notes)

    async def slack(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body: dict[str, Any]
        if request.content_type == "application/json":
            body = json.loads(await request.read() or "{}")
        else:  # Slack takes both, and its client for JavaScript sends forms
            body = dict(await request.post())
        if method == "chat.postMessage":
            # Every text of the benchmark ends in a key: "… #17". Cards have none.
            self.note("reply" if body.get("thread_ts") else "card", str(body.get("text")).split("\n")[0].split("#")[-1])
        await asyncio.sleep(self._latency)
        return web.json_response({"ok": True} | _slack_answer(method, body))

    async def blooio(self, request: web.Request) -> web.Response:
        path = request.match_info["rest"]
        if request.method == "POST" and path.endswith("/messages"):
            body = await request.json()
            self.note("message", body["text"].split("#")[-1])
            await asyncio.sleep(self._latency)
            return web.json_response({"message_id": f"msg_{next(_ts)}", "status": "queued"}, status=202)
        await asyncio.sleep(self._latency)
        if "/contacts/" in path and not path.endswith("/capabilities"):
            return web.json_response({"error": "Contact not found", "code": "not_found"}, status=404)
        return web.json_response(_blooio_answer(path))


def _slack_answer(method: str, body: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "auth.test":
            identity = {"team": "Acme", "user": "texting", "team_id": "T1", "user_id": "UBOT", "bot_id": "B1"}
            return identity | {"url": "https://acme.slack.com/"}
        case "users.info":
            return {"user": {"id": "U1", "profile": {"display_name": "Ana", "image_72": "https://a.example/72.png"}}}
        case "conversations.info":
            return {"channel": {"id": "C1", "is_member": True}}
        case "chat.postMessage" | "chat.update":
            number = next(_ts)
            ts = body.get("ts") or f"{number // 1_000_000}.{number % 1_000_000:06d}"
            return {"channel": body.get("channel"), "ts": ts, "message": {"ts": ts}}
        case _:
            return {"messages": []}


def _blooio_answer(path: str) -> dict[str, Any]:
    now = int(time.time() * 1000)
    line = {"phone_number": "+15550109999", "is_active": True, "last_active": None, "plan_kind": "dedicated"}
    if path.endswith("/capabilities"):
        return {"type": "phone", "capabilities": {"imessage": True, "sms": True}, "last_checked": now}
    if path.endswith("/status"):
        return {"status": "delivered", "protocol": "imessage", "time_sent": now, "time_delivered": now, "error": None}
    if path.endswith("/me/numbers"):
        return {"numbers": [line]}
    return {"valid": True, "devices": [line]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    options = parser.parse_args()
    web.run_app(
        StandIns(options.latency).app(),
        host="127.0.0.1",
        port=options.port,
        print=None,
        access_log=None,
        loop=uvloop.new_event_loop(),
    )
