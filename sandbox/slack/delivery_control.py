"""Control routes for the way to the app: its transport, its sockets, Slack's limits, and events in disorder."""

import random
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.answered import answered
from sandbox.slack.events import Replied
from sandbox.slack.service import Slack
from sandbox.slack.sockets import REASONS

JSON = dict[str, Any]


class DeliveryControl:
    """The routes that decide how, when and how often the app hears of things."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    def add_routes(self, app: web.Application) -> None:
        for name in ("transport", "disconnect", "limits", "replied", "repeat", "hold", "release"):
            app.router.add_post(f"/_sandbox/slack/{name}", answered(getattr(self, name)))

    async def transport(self, arguments: JSON) -> JSON:
        """Deliver to `request_url`, or without one over Socket Mode."""
        await self._slack.use_transport(arguments.get("request_url"))
        return self._slack.transport_state()

    async def disconnect(self, arguments: JSON) -> JSON:
        """
        Send every socket a `disconnect` with this `reason`; `cut` breaks the connections instead.

        `strict` and `life` (seconds) are settings of the sockets: see `Sockets`.
        """
        sockets = self._slack.sockets
        if "strict" in arguments:
            sockets.strict = bool(arguments["strict"])
        if "life" in arguments:
            sockets.life = arguments["life"]
        if arguments.get("cut"):
            await sockets.cut()
        elif reason := arguments.get("reason"):
            if reason not in REASONS:
                raise ValueError(f"reason is one of {', '.join(sorted(REASONS))}")
            await sockets.disconnect(reason)
        return self._slack.transport_state()

    async def replied(self, arguments: JSON) -> JSON:
        """Tell the app of each reply with a `message_replied` too: `as` it is `documented`, `seen` or `off`."""
        self._slack.events.replied = Replied(str(arguments.get("as", "")))
        return {}

    async def repeat(self, arguments: JSON) -> JSON:
        """Deliver each of the next `times` events twice (null: each from now on), `at_once` or one after the other."""
        times = arguments.get("times", 1)
        self._slack.deliveries.repeat(None if times is None else int(times), at_once=bool(arguments.get("at_once")))
        return {}

    async def hold(self, _arguments: JSON) -> JSON:
        """Keep the events that are raised from now on."""
        self._slack.deliveries.hold()
        return {}

    async def release(self, arguments: JSON) -> JSON:
        """
        Deliver what was held, and answer when each has been delivered once.

        In the `order` "raised", "reversed" or "shuffled" (by a `seed`), or as a list of places: [1, 0, 0] is the second
        event, the first, and the first once more.
        """
        order = _order(arguments.get("order", "raised"), int(arguments.get("seed", 0)))
        return {"delivered": await self._slack.deliveries.release(order)}

    async def limits(self, arguments: JSON) -> JSON:
        """Put limits in force: `tiers`, `posting_rate` with `posting_burst`, and `ack_limit` in seconds."""
        self._slack.limits.order(
            tiers=bool(arguments.get("tiers")),
            posting_rate=arguments.get("posting_rate"),
            posting_burst=int(arguments.get("posting_burst", 5)),
        )
        if "ack_limit" in arguments:
            self._slack.deliveries.ack_limit = float(arguments["ack_limit"])
        self._slack.basics.changes.bump()
        return {}


def _order(order: Any, seed: int) -> Callable[[list[JSON]], list[int]]:
    """Read in which order events are to be delivered."""

    def places(events: list[JSON]) -> list[int]:
        raised = list(range(len(events)))
        if isinstance(order, list):
            if not all(isinstance(place, int) and 0 <= place < len(raised) for place in order):
                raise ValueError(f"there are {len(raised)} events, the first is 0")
            return order
        match order:
            case "raised":
                return raised
            case "reversed":
                return raised[::-1]
            case "shuffled":
                random.Random(seed).shuffle(raised)
                return raised
        raise ValueError("order is raised, reversed, shuffled or a list of places")

    return places
