"""Control routes of the page's trouble drawer: what is wrong now, everything back, and the bot stopped and started."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from sandbox.answered import answered
from sandbox.blooio import Blooio
from sandbox.companion import Companion
from sandbox.guard import refusal
from sandbox.slack import Slack
from sandbox.world import Basics

JSON = dict[str, Any]

ALONE = (
    "The sandbox did not start the bot, so it can neither stop it nor start it again. "
    "`make sandbox` starts both: there it can."
)


class Composition(Protocol):
    """What these routes need of the whole; the server's `World` is one."""

    basics: Basics
    slack: Slack
    blooio: Blooio
    companion: Companion | None


class TroubleControl:
    """The routes under `/_sandbox/trouble` and `/_sandbox/bot`."""

    def __init__(self, world: Composition) -> None:
        self._world = world

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/_sandbox/trouble", answered(self.trouble))
        app.router.add_delete("/_sandbox/trouble", answered(self.nothing))
        app.router.add_get("/_sandbox/bot", self._of_the_bot(self.bot))
        app.router.add_post("/_sandbox/bot/stop", self._of_the_bot(self.stop))
        app.router.add_post("/_sandbox/bot/start", self._of_the_bot(self.start))

    async def trouble(self, _arguments: JSON) -> JSON:
        """What is wrong now: see `trouble_state`."""
        return trouble_state(self._world)

    async def nothing(self, _arguments: JSON) -> JSON:
        """Take all ordered trouble back, let go what it holds up, and start the bot if it was stopped."""
        world = self._world
        world.basics.faults.cancel()
        world.basics.exchanges.let_go()
        world.blooio.mischief.cancel()
        world.slack.limits.order(tiers=False, posting_rate=None, posting_burst=5)
        if world.companion is not None:
            await _started(world.companion)
        world.basics.changes.bump()
        return trouble_state(world)

    async def bot(self, companion: Companion) -> JSON:
        """How the bot is: `{"state": "running", "code": null}`; the `code` is that of an end of its own."""
        return bot_state(companion)

    async def stop(self, companion: Companion) -> JSON:
        """Ask the bot to end, as a deployment does; answer once it has."""
        await companion.stop()
        return bot_state(companion)

    async def start(self, companion: Companion) -> JSON:
        """Start the bot again; answer once its process runs."""
        await _started(companion)
        return bot_state(companion)

    def _of_the_bot(
        self, handler: Callable[[Companion], Awaitable[JSON]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(_request: web.Request) -> web.StreamResponse:
            if self._world.companion is None:
                return refusal(ALONE, status=404)
            try:
                return web.json_response(await handler(self._world.companion))
            except ValueError as mistake:
                return refusal(str(mistake))

        return serve


def trouble_state(world: Composition) -> JSON:
    """All orders in force, Slack's limit on posting, whether webhooks are subscribed, and the bot (null: not ours)."""
    limits = world.slack.limits
    return {
        "faults": [asdict(one) for one in world.basics.faults.orders],
        "mischief": [asdict(one) for one in world.blooio.mischief.orders],
        "limits": {"tiers": limits.tiers, "posting_rate": limits.posting_rate},
        "webhooks": world.blooio.webhooks,
        "bot": None if world.companion is None else bot_state(world.companion),
    }


def bot_state(companion: Companion) -> JSON:
    return {"state": companion.state, "code": companion.code}


async def _started(companion: Companion) -> None:
    """Start a companion. Raises ValueError if there is no such program."""
    try:
        await companion.start()
    except OSError as error:
        raise ValueError(f"the bot cannot be started: {error.strerror}") from None
