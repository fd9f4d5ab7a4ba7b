"""Drive the local Blooio from tests and demos: people with phones, and the gateway between them and us."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx


@dataclass(frozen=True)
class Text:
    """One text on one phone, in either direction. Times are epoch seconds on the sandbox's clock."""

    message_id: str
    direction: str  # "outbound" is from us to the phone
    text: str | None
    protocol: str | None
    status: str
    at: float  # when it was accepted or came in
    from_number: str  # our line
    metadata: dict[str, Any] | None = None
    key: str | None = None  # the Idempotency-Key it was sent with
    error: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    reactions: list[dict[str, Any]] = field(default_factory=list)
    reached_at: float | None = None
    read_at: float | None = None


class Phone:
    """The phone behind *address*. Raises AssertionError with the sandbox's words when it refuses."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, address: str) -> None:
        self.address = address
        self._http = http
        self._url = f"{base_url.rstrip('/')}/_sandbox/phones"

    async def received(self, at_least: int = 0, timeout: float = 5.0) -> list[Text]:
        """
        The texts on the phone's screen, in the order in which they got there.

        Waits until there are *at_least* so many, or *timeout* seconds of real time.
        """
        query = {"received": at_least, "timeout": timeout}
        state = await self._ask("GET", params=query, timeout=timeout + 10)
        reached = [_text(text) for text in state["texts"] if text["direction"] == "outbound" and text["reached_at"]]
        return sorted(reached, key=lambda text: text.reached_at or 0.0)

    async def texts(self) -> list[Text]:
        """Both directions, in the order of writing, whether or not they arrived."""
        return [_text(text) for text in (await self._ask("GET"))["texts"]]

    async def replies(self, text: str | None, *, attachments: list[str] | None = None) -> str:
        """Write to our line; returns the message id."""
        body = {"text": text, "attachments": attachments or []}
        return str((await self._ask("POST", "/texts", json=body))["message_id"])

    async def reacts(self, reaction: str, *, message_id: str | None = None, action: str = "add") -> None:
        """Put a tapback or emoji on a text; on our last one unless *message_id* names it."""
        body = {"reaction": reaction, "message_id": message_id, "action": action}
        await self._ask("POST", "/reactions", json=body)

    async def reads(self) -> None:
        """Look at everything that has arrived."""
        await self._ask("POST", "/read")

    async def becomes(self, **profile: Any) -> None:
        """Change what the phone is like: `imessage=False`, `unreachable=True`, `fails_with="code"`, and so on."""
        await self._ask("PATCH", json=profile)

    async def _ask(self, method: str, path: str = "", **request: Any) -> dict[str, Any]:
        return await _ask(self._http, method, f"{self._url}/{quote(self.address, safe='')}{path}", **request)


class Gateway:
    """Blooio itself, as its dashboard and its bad days have it. Raises AssertionError as `Phone` does."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._url = f"{base_url.rstrip('/')}/_sandbox/blooio"

    async def subscribes(self, url: str, *, secret: str | None = None, **options: Any) -> dict[str, Any]:
        """
        Deliver webhooks to *url*, which replaces an earlier subscription of the same URL.

        *options*: `format` ("flat", "2026-09-01", "2026-10-01"), `attachments` ("objects", "strings"), `type`. Returns
        the webhook with its `signing_secret`.
        """
        return await self._post("/webhooks", {"url": url, "secret": secret, **options})

    async def misbehaves(self, kind: str, *, event: str = "*", times: int | None = 1, seconds: float = 0.0) -> None:
        """Let webhooks go wrong, as `mischief.Kind` lists; *times* None is until `behaves`."""
        await self._post("/mischief", {"kind": kind, "event": event, "times": times, "seconds": seconds})

    async def behaves(self) -> None:
        """Take back all ordered misbehaviour."""
        await _ask(self._http, "DELETE", self._url + "/mischief")

    async def becomes(self, **settings: Any) -> None:
        """Change settings: `webhooks="closed"`, `strict_paths=True`, `lines=[{"number": …, "plan_kind": …}]`."""
        await self._post("/settings", settings)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await _ask(self._http, "POST", self._url + path, json=body)


async def _ask(http: httpx.AsyncClient, method: str, url: str, **request: Any) -> dict[str, Any]:
    response = await http.request(method, url, **request)
    answer: dict[str, Any] = response.json()
    if response.is_error:
        raise AssertionError(answer["error"])
    return answer


def _text(state: dict[str, Any]) -> Text:
    return Text(
        message_id=state["id"],
        direction=state["direction"],
        text=state["text"],
        protocol=state["protocol"],
        status=state["status"],
        at=state["at"],
        from_number=state["line"],
        metadata=state["metadata"],
        key=state["key"],
        error=state["error"],
        attachments=state["attachments"],
        reactions=state["reactions"],
        reached_at=state["reached_at"],
        read_at=state["read_at"],
    )
