"""Drive the local Blooio from tests and demos: people with phones, and the gateway between them and us."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

GivenFile = tuple[str, bytes, str]  # name, content, media type


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
    reactions: list[dict[str, Any]] = field(default_factory=list)  # those that stand; `sender` None is us
    reached_at: float | None = None
    read_at: float | None = None  # by whom it was sent to: an inbound one, when we let its writer know
    voice_memo: bool = False
    sender: str | None = None  # who wrote it to a group


class Phone:
    """The phone behind *address*. Raises AssertionError with the sandbox's words when it refuses."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, address: str) -> None:
        self.address = address
        self._http = http
        self._url = f"{base_url.rstrip('/')}/_sandbox/phones"

    async def received(self, at_least: int = 0, timeout: float = 15.0) -> list[Text]:
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

    async def replies(
        self,
        text: str | None,
        *,
        attachments: list[str] | None = None,
        files: Iterable[GivenFile] = (),
        group: str | None = None,
    ) -> str:
        """
        Write to our line; returns the message id.

        *attachments* are URLs, whatever is behind them; *files* are (name, content, media type), which the sandbox
        serves; *group* is the id of a group that the person is in, in place of our line.
        """
        urls = [await self.offers(name, content, media_type) for name, content, media_type in files]
        body = {"text": text, "attachments": [*(attachments or []), *urls], "group": group}
        return str((await self._ask("POST", "/texts", json=body))["message_id"])

    async def offers(
        self, name: str, content: bytes = b"", media_type: str = "application/octet-stream", **served: Any
    ) -> str:
        """
        Have the sandbox serve a file; returns its URL, to be attached to a text.

        *served*: `size` (instead of content: so many bytes, made up while they are served), `announced` (the size that
        Blooio tells), and how badly it goes, as `attachments.Manners` lists it: `rate=10`, `endless=True`, …
        """
        query = {"name": name, "type": media_type} | {
            key: str(value).lower() if isinstance(value, bool) else value for key, value in served.items()
        }
        return str((await self._ask("POST", "/files", params=query, content=content))["url"])

    async def reacts(self, reaction: str, *, message_id: str | None = None, action: str = "add") -> None:
        """Put a tapback or emoji on a text, in place of one's last; on our last text unless *message_id* names it."""
        body = {"reaction": reaction, "message_id": message_id, "action": action}
        await self._ask("POST", "/reactions", json=body)

    async def reacts_over_sms(self, reaction: str, *, message_id: str | None = None, action: str = "add") -> str:
        """React as a phone without iMessage does, with a text like `Loved “Hello”`; returns that text's id."""
        body = {"reaction": reaction, "message_id": message_id, "action": action, "in_words": True}
        return str((await self._ask("POST", "/reactions", json=body))["message_id"])

    async def reads(self) -> None:
        """Look at everything that has arrived."""
        await self._ask("POST", "/read")

    async def sees_typing(self) -> bool:
        """Whether the phone shows that we are typing."""
        return bool((await self._ask("GET"))["typing"])

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

    async def misbehaves(self, kind: str, *, event: str = "*", times: int | None = 1, seconds: float = 0.0) -> str:
        """Let webhooks go wrong as `mischief.Kind` lists, until `behaves` if *times* is None; return the order's id."""
        order = {"kind": kind, "event": event, "times": times, "seconds": seconds}
        return str((await self._post("/mischief", order))["id"])

    async def behaves(self) -> None:
        """Take back all ordered misbehaviour."""
        await _ask(self._http, "DELETE", self._url + "/mischief")

    async def group(self, members: Iterable[str], name: str | None = None) -> str:
        """Have people found a group with our line; returns its id, which `Phone.replies` takes."""
        return str((await self._post("/groups", {"members": list(members), "name": name}))["group_id"])

    async def group_texts(self, group_id: str) -> list[Text]:
        """List a group's texts of both directions, in the order of writing."""
        return [_text(text) for text in (await _ask(self._http, "GET", f"{self._url}/groups/{group_id}"))["texts"]]

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
        voice_memo=state["voice_memo"],
        sender=state["sender"],
    )
