"""Control routes of the sandbox as a whole: what is to be seen, trouble, time, and the record of calls."""

import fnmatch
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from sandbox.answered import answered
from sandbox.blooio import Blooio
from sandbox.companion import Companion
from sandbox.faults import Fault, Kind
from sandbox.slack import Slack
from sandbox.slack.following import older_state, page_state
from sandbox.slack.state import state
from sandbox.slack.text import emoji_state
from sandbox.trouble_control import trouble_state
from sandbox.world import Basics

JSON = dict[str, Any]
LONGEST_WAIT = 60.0  # seconds of one long poll


class Composition(Protocol):
    """What these routes need of the whole; the server's `World` is one."""

    basics: Basics
    slack: Slack
    blooio: Blooio
    companion: Companion | None

    def environment(self) -> dict[str, str]: ...


class Control:
    """The routes under `/_sandbox/` that belong to neither vendor."""

    def __init__(self, world: Composition) -> None:
        self._world = world

    def add_routes(self, app: web.Application) -> None:
        for method, path, handler in (
            ("GET", "/_sandbox/environment", self.environment),
            ("GET", "/_sandbox/changes", self.changes),
            ("GET", "/_sandbox/state", self.state),
            ("GET", "/_sandbox/page", self.page),
            ("GET", "/_sandbox/older", self.older),
            ("GET", "/_sandbox/emoji", self.emoji),
            ("POST", "/_sandbox/faults", self.order),
            ("GET", "/_sandbox/faults", self.ordered),
            ("DELETE", "/_sandbox/faults", self.calm),
            ("POST", "/_sandbox/clock", self.advance),
            ("GET", "/_sandbox/exchanges", self.exchanges),
            ("GET", "/_sandbox/under_way", self.under_way),
        ):
            app.router.add_route(method, path, answered(handler))

    async def environment(self, _arguments: JSON) -> JSON:
        """The settings with which a bot finds this sandbox."""
        return {"environment": self._world.environment()}

    async def changes(self, arguments: JSON) -> JSON:
        """The revision, once it is greater than `since`, or after `wait` seconds."""
        return {"revision": await self._wait(arguments)}

    async def state(self, arguments: JSON) -> JSON:
        """
        Everything to be seen, with the messages as the person `as` sees them; waits as `changes` does.

        With `only=slack` nothing of Blooio's.
        """
        revision = await self._wait(arguments)
        slack = self._world.slack
        workspace = slack.workspace
        viewer = workspace.people.get(arguments.get("as", ""))
        if arguments.get("as") and viewer is None:
            raise ValueError(f"there is nobody with the id {arguments['as']}")
        seen = state(
            workspace,
            slack.manifest,
            viewer=viewer,
            conversation=workspace.conversations.get(arguments.get("in", "")),
            thread_ts=arguments.get("thread"),
        )
        seen |= {"transport": slack.transport_state()}
        if arguments.get("only") == "slack":  # or whoever looks at one thread would pay for every text on every phone
            return {"revision": revision, "slack": seen}
        return {"revision": revision, "slack": seen, "blooio": self._world.blooio.state()}

    async def page(self, arguments: JSON) -> JSON:
        """What the page shows the person `as`, who looks at `in`: see `page_state`. Waits as `changes` does."""
        revision = await self._wait(arguments)
        slack = self._world.slack
        seen = page_state(
            slack.workspace,
            slack.manifest,
            viewer=slack.workspace.people.get(arguments.get("as", "")),
            conversation=slack.workspace.conversations.get(arguments.get("in", "")),
            since=int(arguments.get("since", 0)),
            at=arguments.get("at", ""),
            oldest=arguments.get("oldest", ""),
        )
        return {
            "revision": revision,
            "slack": seen | {"transport": slack.transport_state()},
            "blooio": self._world.blooio.state(),
            "trouble": trouble_state(self._world),
        }

    async def older(self, arguments: JSON) -> JSON:
        """The messages of `in` before the message `before`, as the person `as` sees them."""
        workspace = self._world.slack.workspace
        viewer = workspace.people.get(arguments.get("as", ""))
        conversation = workspace.conversations.get(arguments.get("in", ""))
        if viewer is None or conversation is None:
            raise ValueError("say who looks at what: `as` and `in` are ids")
        return older_state(workspace, viewer=viewer, conversation=conversation, before=arguments.get("before", ""))

    async def emoji(self, _arguments: JSON) -> JSON:
        """Every emoji that has a shortcode."""
        return {"emoji": emoji_state()}

    async def order(self, arguments: JSON) -> JSON:
        """Order trouble: the fields of `Fault`."""
        try:
            fault = Fault(**(arguments | {"kind": Kind(arguments.get("kind", ""))}))
        except TypeError as error:
            raise ValueError(str(error)) from None
        if fault.vendor not in {"slack", "blooio"}:
            raise ValueError("vendor is slack or blooio")
        if fault.kind is Kind.DOUBLE and not fault.where.startswith("deliver:"):
            raise ValueError("only deliveries can be doubled")
        ordered = asdict(self._world.basics.faults.order(fault))
        self._world.basics.changes.bump()
        return ordered

    async def ordered(self, _arguments: JSON) -> JSON:
        """The orders in force."""
        return {"faults": [asdict(one) for one in self._world.basics.faults.orders]}

    async def calm(self, arguments: JSON) -> JSON:
        """Take one order back by its `id`, or all of them, and then let the calls go on that were held up."""
        self._world.basics.faults.cancel(arguments.get("id"))
        if "id" not in arguments:
            self._world.basics.exchanges.let_go()
        self._world.basics.changes.bump()
        return {}

    async def advance(self, arguments: JSON) -> JSON:
        """Skip `advance` seconds."""
        self._world.basics.clock.advance(float(arguments.get("advance", 0)))
        self._world.basics.changes.bump()
        return {"now": self._world.basics.clock.now()}

    async def exchanges(self, arguments: JSON) -> JSON:
        """
        The calls and deliveries of a `vendor`, whose `name` fits a pattern, with an id above `since`.

        With `latest`, no more than so many of them: the last. With `failed=1` those that were not answered with a 2xx.
        """
        vendor, name = arguments.get("vendor"), arguments.get("name", "*")
        since, latest = int(arguments.get("since", 0)), int(arguments.get("latest", 0))
        found = [
            vars(one)  # not `asdict`, which would copy every body
            for one in self._world.basics.exchanges.kept
            if one.id > since
            and vendor in {None, one.vendor}
            and not (arguments.get("failed") and one.status // 100 == 2)  # noqa: PLR2004 (any 2xx)
            and fnmatch.fnmatchcase(one.name, name)
        ]
        return {"exchanges": found[-latest:]}

    async def under_way(self, arguments: JSON) -> JSON:
        """The calls of a `vendor`, whose `name` fits a pattern, that wait for their answers."""
        vendor, name = arguments.get("vendor"), arguments.get("name", "*")
        waiting = self._world.basics.exchanges.under_way
        return {
            "under_way": [
                vars(one) for one in waiting if vendor in {None, one.vendor} and fnmatch.fnmatchcase(one.name, name)
            ]
        }

    async def _wait(self, arguments: JSON) -> int:
        since = int(arguments.get("since", 0))
        wait = min(float(arguments.get("wait", 0)), LONGEST_WAIT)
        return await self._world.basics.changes.wait(since, wait)
