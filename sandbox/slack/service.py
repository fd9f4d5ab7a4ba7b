"""The local Slack: one workspace with one app, its Web API, and its deliveries to the app."""

import json
from typing import Any

from aiohttp import web

from sandbox.exchanges import RawText
from sandbox.slack import seed
from sandbox.slack.clicks import Clicks
from sandbox.slack.commands import Commands
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.errors import SlackError
from sandbox.slack.events import Events
from sandbox.slack.files import Files
from sandbox.slack.happenings import Happening
from sandbox.slack.limits import Limits
from sandbox.slack.manifest import Manifest
from sandbox.slack.modals import Modals
from sandbox.slack.request_url import RequestURL
from sandbox.slack.response_urls import Refused, ResponseURLs
from sandbox.slack.shortcuts import Shortcuts
from sandbox.slack.sockets import Sockets
from sandbox.slack.suggestions import Suggestions
from sandbox.slack.webapi import WebAPI
from sandbox.slack.workspace import Workspace
from sandbox.world import Basics

VERIFY_EVERY = 0.25  # seconds between challenges to a URL that is not up yet
VERIFY_FOR = 120  # challenges before it is left alone


class Slack:
    """Everything of Slack that the sandbox imitates. Call `started` before anything else, once there is an address."""

    def __init__(self, basics: Basics, manifest: Manifest, *, request_url: str | None = None) -> None:
        self.basics = basics
        self.manifest = manifest
        self.workspace = Workspace(basics.clock, basics.changes, app_name=manifest.name, bot_name=manifest.bot_name)
        self.limits = Limits(basics.clock)
        self.sockets = Sockets(basics.clock, basics.changes, self.workspace.app.id)
        self._request_url = RequestURL(request_url) if request_url else None
        self.sockets.enabled = self._request_url is None
        transport = self._request_url or self.sockets
        self.deliveries = Deliveries(basics.clock, basics.faults, basics.exchanges, transport)
        self.response_urls = ResponseURLs(self.workspace)
        self.commands = Commands(self.workspace, manifest, self.deliveries, self.response_urls)
        self.shortcuts = Shortcuts(self.workspace, manifest, self.deliveries, self.response_urls)
        suggestions = Suggestions(self.workspace, self.deliveries)
        self.clicks = Clicks(self.workspace, manifest, self.deliveries, self.response_urls, suggestions)
        self.modals = Modals(self.workspace, manifest, self.deliveries, self.response_urls, suggestions)
        self.files = Files(self.workspace, manifest, basics, self.deliveries.in_background)
        self.web_api = WebAPI(self.workspace, manifest, self.limits, self.sockets, basics.exchanges, files=self.files)
        self.events = Events(self.workspace, manifest)
        self.workspace.listeners.append(self._announce)

    def started(self, url: str) -> None:
        """Tell Slack its own address; a request URL it was given is challenged from now on."""
        self.workspace.url = url
        if self._request_url is not None:
            self.deliveries.in_background(self._verify(self._request_url))

    def environment(self) -> dict[str, str]:
        """Return the settings with which an app finds this Slack."""
        settings = {
            "SLACK_BOT_TOKEN": seed.BOT_TOKEN,
            "SLACK_SIGNING_SECRET": seed.SIGNING_SECRET,
            "SLACK_API_URL": f"{self.workspace.url}/slack/api/",
        }
        return settings | ({} if self._request_url else {"SLACK_APP_TOKEN": seed.APP_TOKEN})

    async def use_transport(self, request_url: str | None) -> None:
        """Switch to a request URL, or with None to Socket Mode. Sockets are told that theirs was switched off."""
        await self.deliveries.transport.leave()
        self._request_url = RequestURL(request_url) if request_url else None
        self.deliveries.transport = self._request_url or self.sockets
        self.sockets.enabled = self._request_url is None
        if self._request_url is not None and not await self._request_url.verify(ack_limit=self.deliveries.ack_limit):
            self.deliveries.in_background(self._verify(self._request_url))
        self.basics.changes.bump()

    def transport_state(self) -> dict[str, Any]:
        if self._request_url is None:
            return {"mode": "socket", "connections": self.sockets.connections}
        return {
            "mode": "http",
            "url": self._request_url.url,
            "verified": self._request_url.verified,
            "problem": self._request_url.problem,
        }

    def add_routes(self, app: web.Application) -> None:
        """Mount what the app itself talks to. The control routes are apart, in `control`."""
        app.router.add_route("*", "/slack/api/{method}", self.web_api.serve)
        app.router.add_get("/slack/link", self.sockets.connect)
        app.router.add_post("/slack/response/{path:.+}", self._respond)
        self.files.add_routes(app)

    async def close(self) -> None:
        await self.deliveries.close()
        await self.sockets.cut()
        if self._request_url is not None:
            await self._request_url.leave()

    def _announce(self, happening: Happening) -> None:
        for body in self.events.bodies(happening):
            self.deliveries.announce(body)

    async def _verify(self, url: RequestURL) -> None:
        for _ in range(VERIFY_FOR):
            if self._request_url is not url or await url.verify(ack_limit=self.deliveries.ack_limit):
                break
            await self.basics.clock.sleep(VERIFY_EVERY)
        self.basics.changes.bump()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """Serve one use of a `response_url`."""
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None

        async def effect() -> tuple[int, dict[str, str], Any]:
            try:
                self.response_urls.use(request.match_info["path"], body)
            except Refused as refused:
                return refused.status, {}, RawText(refused.words)
            except SlackError as error:  # a picture in the blocks that the app may not show
                return 400, {}, RawText(error.code)
            return 200, {}, RawText("ok")

        return await self.basics.exchanges.answer(
            request, vendor="slack", name="response_url", body=body, effect=effect
        )
