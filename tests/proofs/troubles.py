"""What the sandbox knows to do wrong, each as one trouble that can be ordered, alone or together with another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.blooio.mischief import Kind as Mischief
from sandbox.faults import Kind
from tests.proofs.scene import Scene

#: Begins it; returns the id of its order, if the sandbox counts how often it strikes.
Begin = Callable[[Scene], Awaitable[str | None]]

#: Where Slack fails: what draws a text, and everything the bot calls.
DRAWING = ("chat.*", "chat.postMessage", "chat.update", "[!d]*")

#: Where Blooio fails: a text on its way, and everything.
SENDING = ("POST /chats/*/messages", "POST /chats/*/messages", "*")

#: How often it goes wrong at most, before it goes well again.
MOST_TIMES = 2


@dataclass(frozen=True)
class Trouble:
    """One way to go wrong."""

    name: str
    begin: Begin
    socket_only: bool = False


def _call(vendor: str, name: str, kind: Kind, places: tuple[str, ...], **details: Any) -> Trouble:
    """Let a few calls of one method, or of any, go wrong."""

    async def begin(stage: Scene) -> str:
        where = stage.lots.choice(places)
        return await stage.sandbox.order(vendor=vendor, where=where, kind=kind, times=MOST_TIMES, **details)

    return Trouble(f"{vendor.capitalize()}: {name}", begin)


def _slack(name: str, kind: Kind, **details: Any) -> Trouble:
    return _call("slack", name, kind, DRAWING, **details)


def _blooio(name: str, kind: Kind, **details: Any) -> Trouble:
    return _call("blooio", name, kind, SENDING, **details)


def _delivery(name: str, kind: Kind, what: str = "events_api", **details: Any) -> Trouble:
    """Let what Slack tells the bot go wrong."""
    return _call("slack", name, kind, (f"deliver:{what}",), **details)


def _webhook(name: str, kind: Mischief, event: str = "*", seconds: float = 0.0) -> Trouble:
    """Let what Blooio tells the bot go wrong."""

    async def begin(stage: Scene) -> str:
        return await stage.gateway.misbehaves(kind, event=event, times=MOST_TIMES, seconds=seconds)

    return Trouble(f"Webhooks: {name}", begin)


def _sockets(name: str, **how: Any) -> Trouble:
    async def begin(stage: Scene) -> None:
        await stage.sandbox.disconnect(**how)

    return Trouble(f"Sockets: {name}", begin, socket_only=True)


def _other(name: str, begin: Begin) -> Trouble:
    return Trouble(name, begin)


async def _repeats(stage: Scene) -> None:
    await stage.sandbox.repeats_events(None, at_once=True)


async def _repeats_later(stage: Scene) -> None:
    await stage.sandbox.repeats_events(None)


async def _holds(stage: Scene) -> None:
    await stage.sandbox.holds_events()


async def _tiers(stage: Scene) -> None:
    await stage.sandbox.limits(tiers=True)


async def _posting(stage: Scene) -> None:
    await stage.sandbox.limits(posting_rate=1.0, posting_burst=1)


async def _shut(stage: Scene) -> None:
    await stage.door.cut()


_BUSY = {"ok": False, "error": "ratelimited"}
_THROTTLE = {"error": "ApiError", "message": "Too many requests", "status": 429}


def _status(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": "ApiError", "message": message, "status": status}}


#: All that passes. What is a refusal for good is in the table of `tests/acceptance/test_catalogue.py`.
TROUBLES = (
    _slack("slow", Kind.LATENCY, seconds=1),
    _slack("answers late", Kind.SLOW_ANSWER, seconds=40),
    _slack("500", Kind.STATUS, status=500),
    _slack("503", Kind.STATUS, status=503),
    _slack("internal_error", Kind.STATUS, status=200, body={"ok": False, "error": "internal_error"}),
    _slack("a page", Kind.HTML),
    _slack("words", Kind.TEXT),
    _slack("half a document", Kind.BROKEN_JSON),
    _slack("cut before", Kind.DROP_BEFORE),
    _slack("cut after", Kind.DROP_AFTER),
    _slack("429, Retry-After", Kind.STATUS, status=429, retry_after=2, body=_BUSY),
    _slack("429", Kind.STATUS, status=429, body=_BUSY),
    _other("Slack: its methods' limits", _tiers),
    _other("Slack: a message a second", _posting),
    _delivery("events come late", Kind.LATENCY, seconds=1.5),
    _delivery("events come twice in one envelope", Kind.DOUBLE),
    _delivery("commands come twice", Kind.DOUBLE, "slash_commands"),
    _delivery("commands come late", Kind.LATENCY, "slash_commands", seconds=1),
    _delivery("commands are lost", Kind.DROP_BEFORE, "slash_commands"),
    _delivery("answers to commands are lost", Kind.DROP_AFTER, "slash_commands"),
    _delivery("events are lost", Kind.DROP_BEFORE),
    _delivery("answers to events are lost", Kind.DROP_AFTER),
    _other("Slack: events come again at once", _repeats),
    _other("Slack: events come again later", _repeats_later),
    _other("Slack: events in another order", _holds),
    _sockets("warned", reason="warning"),
    _sockets("refreshed", reason="refresh_requested"),
    _sockets("cut", cut=True),
    _blooio("slow", Kind.LATENCY, seconds=2),
    _blooio("answers late", Kind.SLOW_ANSWER, seconds=40),
    _blooio("500", Kind.STATUS, **_status(500, "Internal error")),
    _blooio("502", Kind.STATUS, **_status(502, "The number could not be reached")),
    _blooio("503", Kind.STATUS, **_status(503, "No active number available to send from")),
    _blooio("504", Kind.STATUS, **_status(504, "Upstream timeout")),
    _blooio("a page", Kind.HTML, status=503),
    _blooio("words", Kind.TEXT),
    _blooio("half a document", Kind.BROKEN_JSON, status=202),
    _blooio("cut before", Kind.DROP_BEFORE),
    _blooio("cut after", Kind.DROP_AFTER),
    _blooio("429, Retry-After", Kind.STATUS, status=429, retry_after=2, body=_THROTTLE),
    _blooio("429", Kind.STATUS, status=429, body=_THROTTLE),
    _webhook("twice", Mischief.DUPLICATE),
    _webhook("in another order", Mischief.REORDER),
    _webhook("lost", Mischief.DROP),
    _webhook("late", Mischief.LATE, seconds=30),
    _webhook("signed too long ago", Mischief.STALE),
    _webhook("signed with another secret", Mischief.WRONG_SECRET),
    _webhook("signed without a time", Mischief.BODY_ONLY),
    _webhook("replayed", Mischief.REPLAY),
    _webhook("before the answer", Mischief.BEFORE_ANSWER),
    # Over HTTP Slack would find it shut as well, and nobody could do anything for another fault to strike.
    Trouble("Webhooks: they find the door shut", _shut, socket_only=True),
)


async def _orders(stage: Scene) -> list[dict[str, Any]]:
    """List the orders in force, the mischief last."""
    trouble = await stage.sandbox._ask("GET", "/_sandbox/trouble")
    return [*trouble["faults"], *trouble["mischief"]]


async def waiting(stage: Scene, orders: set[str]) -> set[str]:
    """Return those of *orders* that have not struck yet."""
    return {str(one["id"]) for one in await _orders(stage) if one["times"] == MOST_TIMES} & orders


async def calm(stage: Scene) -> None:
    """Take everything back."""
    await stage.sandbox.repeats_events(0)
    await stage.sandbox.releases_events("shuffled", seed=stage.lots.randrange(1000))
    await stage.sandbox.calm_down()
    await stage.door.mend()
