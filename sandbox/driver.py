"""
Drive the sandbox from tests and scripts: be its people in Slack and on the phone, and make trouble.

    async with Sandbox.start(manifest="manifest.yml") as sandbox:
        ana = sandbox.person("ana")
        shown = await ana.types("#support", "/text +15551234567 hello")
        await sandbox.until(ana.sees_dm)
"""

import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self, TypeVar, overload

import httpx

from sandbox.blooio.driver import Phone
from sandbox.server import World, serve
from sandbox.slack.driver import File, Message, Person, ask, read_message
from sandbox.slack.manifest import Manifest

T = TypeVar("T")

LONG_POLL = 0.5  # seconds of one wait for news: a check may also ask what the sandbox does not see change
REQUEST_TIMEOUT = 30.0


class Sandbox:
    """A sandbox, started here or found running. Use it as an async context manager."""

    def __init__(self, url: str = "", *, world: World | None = None) -> None:
        self.url = url
        self._world = world  # to start; None: one is running at *url*
        self._stack = AsyncExitStack()
        self._people: dict[str, Person] = {}
        self._environment: dict[str, str] = {}
        self._http: httpx.AsyncClient

    @classmethod
    def start(
        cls,
        manifest: str | Path | Manifest = "manifest.yml",
        *,
        request_url: str | None = None,
        latency: float = 0.0,
    ) -> Self:
        """
        Make a sandbox of one's own, in this process, on a free port.

        With *request_url* the app is in HTTP mode, without one in Socket Mode. *latency*: seconds each API call takes.
        """
        return cls(world=World(manifest, request_url=request_url, latency=latency))

    @classmethod
    def at(cls, url: str) -> Self:
        """Use a sandbox that is running, for instance one started with `python -m sandbox`."""
        return cls(url.rstrip("/"))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._world is not None:
                server = await serve(self._world)
                stack.push_async_callback(server.close)
                self.url = server.url
            client = httpx.AsyncClient(
                base_url=self.url,
                timeout=REQUEST_TIMEOUT,
                limits=httpx.Limits(max_connections=None),  # as many people as a test likes may act at once
                trust_env=False,  # environment proxies would carry loopback traffic away
                verify=False,  # noqa: S501 (plain http; loading the certificates takes longer than all the rest)
            )
            self._http = await stack.enter_async_context(client)
            for one in (await self._ask("GET", "/_sandbox/state"))["slack"]["people"]:
                person = Person(self._http, user_id=one["id"], handle=one["handle"], name=one["name"])
                self._people[person.handle] = person
            await self._learn_environment()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def environment(self) -> dict[str, str]:
        """Return the settings a bot needs to find this sandbox, for its present transport."""
        return dict(self._environment)

    def person(self, handle: str) -> Person:
        """Return `ana`, who is an admin, `ben`, `gus`, who is a guest, or `eve`, who is of another workspace."""
        return self._people[handle]

    def phone(self, address: str) -> Phone:
        """Return the phone behind a number or an e-mail address."""
        return Phone(self._http, self.url, address)

    @overload
    async def until(self, check: Callable[[], Awaitable[T]], timeout: float = 20.0) -> T: ...

    @overload
    async def until(self, check: Callable[[], T], timeout: float = 20.0) -> T: ...

    async def until(self, check: Callable[[], Any], timeout: float = 20.0) -> Any:
        """
        Wait until *check* returns something true, and return that. It is asked after every change, and now and then.

        Raises TimeoutError after *timeout* seconds of real time, saying what was last seen.
        """
        deadline = time.monotonic() + timeout
        revision = (await self._ask("GET", "/_sandbox/changes"))["revision"]
        while True:
            seen = check()
            seen = await seen if inspect.isawaitable(seen) else seen
            if seen:
                return seen
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {timeout} s; last seen: {seen!r}")
            query = {"since": revision, "wait": min(left, LONG_POLL)}
            revision = (await self._ask("GET", "/_sandbox/changes", params=query))["revision"]

    async def order(self, *, vendor: str, where: str, kind: str, **details: Any) -> str:
        """Order trouble, as `sandbox.faults.Fault` describes it; return its id."""
        fault = {"vendor": vendor, "where": where, "kind": kind} | details
        return str((await self._ask("POST", "/_sandbox/faults", json=fault))["id"])

    async def calm(self) -> None:
        """Take back all ordered trouble; calls that it holds up go on."""
        await self._ask("DELETE", "/_sandbox/faults")

    async def calm_down(self) -> None:
        """Take back all trouble: faults, mischief, limits; and start the bot again, if the sandbox runs it."""
        await self._ask("DELETE", "/_sandbox/trouble")

    async def limits(self, **limits: Any) -> None:
        """
        Put Slack's limits in force, in place of those before.

        `tiers=True`; `posting_rate=1.0` (messages a second) with `posting_burst`; `ack_limit` (seconds, usually 3).
        """
        await self._ask("POST", "/_sandbox/slack/limits", json=limits)

    async def exchanges(
        self, *, vendor: str | None = None, name: str = "*", since: int = 0, failed: bool = False
    ) -> list[dict[str, Any]]:
        """
        List the API calls whose name fits a pattern, oldest first; `deliver:*` are deliveries to the bot.

        *failed*: only those that were not answered with a 2xx.
        """
        query = {"name": name, "since": str(since)} | ({"vendor": vendor} if vendor else {})
        query |= {"failed": "1"} if failed else {}
        found: list[dict[str, Any]] = (await self._ask("GET", "/_sandbox/exchanges", params=query))["exchanges"]
        return found

    async def under_way(self, *, vendor: str | None = None, name: str = "*") -> list[dict[str, Any]]:
        """List the API calls that wait for their answers; `held` says whether a fault holds one, and where."""
        query = {"name": name} | ({"vendor": vendor} if vendor else {})
        found: list[dict[str, Any]] = (await self._ask("GET", "/_sandbox/under_way", params=query))["under_way"]
        return found

    async def advance(self, seconds: float) -> None:
        """Skip time, for both vendors."""
        await self._ask("POST", "/_sandbox/clock", json={"advance": seconds})

    async def set_transport(self, *, request_url: str | None) -> dict[str, Any]:
        """Deliver to a URL from now on, or with None over Socket Mode; say how it stands."""
        answer = await self._ask("POST", "/_sandbox/slack/transport", json={"request_url": request_url})
        await self._learn_environment()
        return answer

    async def transport(self) -> dict[str, Any]:
        """Say how the app is connected: mode, and number of sockets or whether the URL is verified."""
        found: dict[str, Any] = (await self._ask("GET", "/_sandbox/state", params={"only": "slack"}))["slack"][
            "transport"
        ]
        return found

    async def connected(self, sockets: int = 1, timeout: float = 20.0) -> None:
        """Wait until the app has exactly so many sockets open: before that, Slack has nobody to deliver to."""

        async def all_are_open() -> bool:
            return bool((await self.transport())["connections"] == sockets)

        await self.until(all_are_open, timeout)

    async def disconnect(self, reason: str | None = None, **settings: Any) -> None:
        """Tell every socket to go, or with `cut=True` break it; `strict` and `life` are settings of the sockets."""
        await self._ask("POST", "/_sandbox/slack/disconnect", json={"reason": reason} | settings)

    async def creates_channel(self, name: str, *, members: list[str], private: bool = False) -> str:
        """Create a channel; *members* by handle, the bot as `bot`. Returns its id."""
        given = {"name": name, "members": members, "private": private}
        return str((await self._ask("POST", "/_sandbox/slack/conversations", json=given))["id"])

    async def changes_members(self, where: str, who: str, *, remove: bool = False, by: str | None = None) -> None:
        """Add somebody (or `bot`) to a channel, or take them out; *by* is who invited them."""
        given = {"in": where, "who": who, "remove": remove} | ({"as": by} if by else {})
        await self._ask("POST", "/_sandbox/slack/members", json=given)

    async def archives(self, where: str, *, archived: bool = True) -> None:
        """Archive a channel, or open it again; a line in it says so."""
        await self._ask("POST", "/_sandbox/slack/archive", json={"in": where, "archived": archived})

    async def changes_channel(
        self, where: str, *, topic: str | None = None, purpose: str | None = None, name: str | None = None
    ) -> None:
        """Give a channel another topic, purpose or name; a line in it says so for each."""
        given = {"in": where, "topic": topic, "purpose": purpose, "name": name}
        await self._ask("POST", "/_sandbox/slack/channel", json=given)

    async def changes_person(self, handle: str, **standing: bool) -> None:
        """Make somebody `is_admin`, `is_owner` or `is_guest`, or with False no longer; the app is not told."""
        await self._ask("POST", "/_sandbox/slack/people", json={"who": handle} | standing)

    async def changes_group(
        self, group_id: str, *, members: list[str] | None = None, disabled: bool | None = None
    ) -> None:
        """Give a user group, such as `S0SUPPORT01`, other members by handle, or disable it; the app is not told."""
        given = {"group": group_id, "members": members, "disabled": disabled}
        await self._ask("POST", "/_sandbox/slack/group", json=given)

    async def another_app_posts(
        self, where: str, text: str, *, thread_ts: str | None = None, classic: bool = False
    ) -> Message:
        """Post as another app of the workspace; *classic*: a `bot_message` without a user, as old integrations do."""
        given = {"in": where, "text": text, "thread_ts": thread_ts, "classic": classic}
        return read_message((await self._ask("POST", "/_sandbox/slack/another", json=given))["message"])

    async def hides_file(self, file: File) -> None:
        """Hide a file, as a free plan hides what is older than it shows; the app is not told."""
        await self._ask("POST", "/_sandbox/slack/hide_file", json={"file": file.id})

    async def unfurls(self, message: Message, *, url: str | None = None, title: str = "A page") -> Message:
        """Add to a message what Slack found behind its first link, or behind *url*; the app hears of a change."""
        given = {"in": message.conversation_id, "ts": message.ts, "url": url, "title": title}
        return read_message((await self._ask("POST", "/_sandbox/slack/unfurl", json=given))["message"])

    async def repeats_events(self, times: int | None = 1, *, at_once: bool = False) -> None:
        """
        Deliver each of the next *times* events twice; None: each from now on, 0: none any more.

        The second has the same event_id in a new envelope, and says that it is a retry: it goes out once the first was
        answered, or *at_once* with it. To double the very same envelope, order the fault "double".
        """
        await self._ask("POST", "/_sandbox/slack/repeat", json={"times": times, "at_once": at_once})

    async def holds_events(self) -> None:
        """Keep the events that are raised from now on, until `releases_events`."""
        await self._ask("POST", "/_sandbox/slack/hold")

    async def releases_events(self, order: str | list[int] = "raised", *, seed: int = 0) -> int:
        """
        Deliver what was held, one after the other; return how many deliveries that were, once they were answered.

        *order*: "raised", "reversed", "shuffled" (by a *seed*), or places: [1, 0, 0] is the second event, the first,
        and the first once more.
        """
        given = {"order": order, "seed": seed}
        return int((await self._ask("POST", "/_sandbox/slack/release", json=given))["delivered"])

    async def tells_of_replies(self, how: str = "documented") -> None:
        """
        Tell the app of each reply in a thread with a `message_replied` as well; "off" ends it.

        "seen": without its subtype, as some are in the wild.
        """
        await self._ask("POST", "/_sandbox/slack/replied", json={"as": how})

    async def _learn_environment(self) -> None:
        self._environment = (await self._ask("GET", "/_sandbox/environment"))["environment"]

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return await ask(self._http, method, path, **request)
