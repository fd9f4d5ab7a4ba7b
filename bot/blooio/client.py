"""Blooio over HTTP: `wire` says what to ask and what an answer means, this carries the bytes."""

import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote, unquote
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bot.blooio import wire
from bot.blooio.problems import problem
from bot.breaker import Breaker
from bot.texting.errors import (
    AlreadyExists,
    BlooioTrouble,
    LineOffline,
    NotAccepted,
    TextingError,
    Throttled,
    Unconfirmed,
)
from bot.texting.model import (
    Accepted,
    Account,
    Address,
    Attachment,
    Capabilities,
    Chat,
    Contact,
    Line,
    Message,
    Page,
    StatusReport,
)

TIMEOUT = httpx.Timeout(connect=5, read=30, write=30, pool=5)  # seconds
MAX_CONNECTIONS = 100
MAX_PAGES = 100  # of a list read to its end: a server that never says "last page" must not hold us for ever

#: The request surely did not reach Blooio.
_NEVER_LEFT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
)

#: Refusals that are not about one person or one text.
_AWAY = (BlooioTrouble, LineOffline, Throttled)

_Answer = tuple[int, httpx.Headers, bytes]


class BlooioClient:
    """
    Carry `wire` requests over HTTP; decide nothing.

    Every method may raise any of `texting.errors`. When no answer arrives, a send is Unconfirmed unless it surely
    never left; anything else can be repeated without harm and is BlooioTrouble.

    What is asked for many texts by itself goes through a breaker. While Blooio is away it waits; people never do.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._sends = Breaker("blooio_sends")
        self._statuses = Breaker("blooio_statuses")

    async def capabilities(self, address: Address) -> Capabilities:
        """Say what *address* can receive."""
        answer = await self._answer(wire.capabilities(address))
        return wire.parse_capabilities(*answer, now=datetime.now(UTC))

    async def send_message(
        self,
        address: Address,
        text: str,
        *,
        idempotency_key: str,
        from_number: str | None = None,
        metadata: Mapping[str, str] | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> Accepted:
        """Ask Blooio to queue *text*; see `wire.send_message`. AlreadyExists: look it up, do not send it again."""
        request = wire.send_message(
            address,
            text,
            idempotency_key=idempotency_key,
            from_number=from_number,
            metadata=metadata,
            attachments=attachments,
        )
        return wire.parse_accepted(*await self._in_turn(self._sends, request, lost=Unconfirmed))

    async def message_status(self, address: Address, message_id: str) -> StatusReport:
        """Say what became of a text."""
        return wire.parse_status(*await self._in_turn(self._statuses, wire.message_status(address, message_id)))

    async def list_messages(
        self,
        address: Address,
        *,
        direction: Literal["inbound", "outbound"],
        since: datetime,
        offset: int = 0,
    ) -> Page[Message]:
        """Return a page of the texts after *since*, oldest first. A chat nobody wrote in yet is NotFound."""
        limit = wire.LARGEST_PAGE
        request = wire.list_messages(address, direction=direction, since=since, limit=limit, offset=offset)
        return wire.parse_messages(*await self._answer(request), limit=limit, offset=offset)

    async def react(self, address: Address, message_id: str, reaction: str, *, added: bool) -> None:
        """Put a reaction of ours on a text, or take it off; see `wire.react`. Repeating it changes nothing."""
        wire.parse_done(*await self._answer(wire.react(address, message_id, reaction, added=added)))

    async def typing(self, address: Address, *, begins: bool) -> None:
        """Show that we are typing, or no longer."""
        wire.parse_done(*await self._answer(wire.typing(address, begins=begins)))

    async def mark_read(self, address: Address) -> None:
        """Let somebody know that everything they wrote was read."""
        wire.parse_done(*await self._answer(wire.mark_read(address)))

    async def list_chats(self, *, offset: int = 0) -> Page[Chat]:
        """Return a page of all chats, the one with the latest text first. They move while they are read."""
        request = wire.list_chats(offset=offset)
        return wire.parse_chats(*await self._answer(request), limit=wire.CHATS_PAGE, offset=offset)

    async def create_contact(self, address: Address, name: str | None = None) -> tuple[Contact, bool]:
        """Return the contact and whether it is new. One that exists keeps its own name."""
        try:
            answer = await self._answer(wire.create_contact(address, name))
            return wire.parse_contact(*answer), True
        except AlreadyExists:
            return await self.get_contact(address), False

    async def get_contact(self, address: Address) -> Contact:
        return wire.parse_contact(*await self._answer(wire.get_contact(address)))

    async def update_contact(self, address: Address, *, name: str | None) -> Contact:
        """Rename a contact; None clears the name."""
        return wire.parse_contact(*await self._answer(wire.update_contact(address, name=name)))

    async def list_contacts(
        self,
        *,
        query: str | None = None,
        sort: str = "recent",
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Contact]:
        """Return one page of the address book; see `wire.list_contacts`."""
        request = wire.list_contacts(query=query, sort=sort, limit=limit, offset=offset)
        return wire.parse_contacts(*await self._answer(request), limit=limit, offset=offset)

    async def iterate_contacts(self, *, query: str | None = None) -> AsyncIterator[Contact]:
        """Yield every contact once, by name, though the list may shift while it is read."""
        seen: set[Address] = set()
        offset: int | None = 0
        for _ in range(MAX_PAGES):
            if offset is None:
                return
            page = await self.list_contacts(query=query, sort="name_asc", limit=wire.LARGEST_PAGE, offset=offset)
            for contact in page.items:
                if contact.address not in seen:
                    seen.add(contact.address)
                    yield contact
            offset = page.next_offset

    async def add_tags(self, address: Address, *tags: str) -> None:
        wire.parse_done(*await self._answer(wire.add_tags(address, *tags)))

    async def remove_tag(self, address: Address, tag: str) -> None:
        wire.parse_done(*await self._answer(wire.remove_tag(address, tag)))

    async def me(self) -> Account:
        """Say whose key this is: the cheapest proof that Blooio answers and knows us."""
        return wire.parse_me(*await self._answer(wire.me()))

    async def lines(self) -> tuple[Line, ...]:
        """Return our own numbers."""
        return wire.parse_lines(*await self._answer(wire.lines()))

    async def list_webhooks(self) -> tuple[wire.Webhook, ...]:
        return wire.parse_webhooks(*await self._answer(wire.list_webhooks()))

    async def create_webhook(self, url: str) -> wire.Webhook:
        """
        Return the webhook at *url*, with its secret if it is new.

        Unavailable: API v2 registers no new one any more. AlreadyExists: there are as many as there can be.
        """
        return wire.parse_webhook(*await self._answer(wire.create_webhook(url)), url=url)

    async def rotate_webhook_secret(self, webhook_id: str) -> str:
        """Return the new secret; the old one is dead. When no answer comes, it may be dead too."""
        return wire.parse_webhook_secret(*await self._answer(wire.rotate_webhook_secret(webhook_id)))

    async def _in_turn(
        self, breaker: Breaker, request: wire.Request, *, lost: type[TextingError] = BlooioTrouble
    ) -> _Answer:
        """Return the answer to *request*, which is asked when its turn has come."""
        await breaker.turn()
        try:
            status, headers, content = await self._answer(request, lost=lost)
        except TextingError:
            breaker.failed()
            raise
        if status >= HTTPStatus.BAD_REQUEST and isinstance(problem(status, headers, content), _AWAY):
            breaker.failed()
        else:
            breaker.succeeded()
        return status, headers, content

    async def _answer(self, request: wire.Request, *, lost: type[TextingError] = BlooioTrouble) -> _Answer:
        """Return the answer to *request*. Raises *lost* when it left and no answer came back."""
        try:
            response = await self._http.request(
                request.method,
                request.path,
                json=request.json,
                params=request.params,
                headers=request.headers,
            )
        except httpx.InvalidURL:
            raise NotAccepted from None  # no address is as long as that
        except (httpx.RequestError, aiohttp.ClientError) as error:
            # httpx-aiohttp 0.2 cannot be taken at its word: a connection that Blooio cuts after taking the text arrives
            # as `httpx.ConnectTimeout`, just as one that could not be opened. The error behind it tells them apart.
            cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
            trouble = BlooioTrouble() if isinstance(cause, _NEVER_LEFT) else lost()
            trouble.add_note(type(cause).__name__)
            raise trouble from None  # what aiohttp says names the address, and with it the person's phone
        return response.status_code, response.headers, response.content


@asynccontextmanager
async def blooio_http(
    base_url: str,
    api_key: str,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """
    Open the HTTP client that `BlooioClient` wants: one connection pool, closed at the end.

    A *transport* takes the place of the network, for tests. A proxy named by the environment is used, but never for
    an address of this machine. The logger "httpx" writes every address, and so every phone, at INFO: keep it at
    WARNING.
    """
    async with httpx.AsyncClient(
        transport=transport or _pooled(base_url),
        base_url=base_url,
        headers={
            "Authorization": f"Bearer {api_key}",  # httpx shows this header as [secure]
            "User-Agent": "blooio-slack",
        },
        timeout=TIMEOUT,
    ) as http:
        yield http


def _pooled(base_url: str) -> AiohttpTransport:
    """Return httpx's transport over one pooled aiohttp session. Closing it closes the session."""
    ssl_context = httpx.create_ssl_context()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=ssl_context),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(base_url),
        middlewares=(_keep_encoding,),
    )
    return AiohttpTransport(client=session, verify=ssl_context)


async def _keep_encoding(
    request: aiohttp.ClientRequest,
    handler: aiohttp.ClientHandlerType,
) -> aiohttp.ClientResponse:
    """Encode the path as it was: on the way in, yarl decodes what it deems safe, such as "%40" and "%2C"."""
    path = "/".join(quote(unquote(segment), safe="") for segment in request.url.raw_path.split("/"))
    request.url = request.url.with_path(path, encoded=True, keep_query=True)
    return await handler(request)


def _proxy(base_url: str) -> str | None:
    """
    Return the environment's proxy for *base_url*.

    Not aiohttp's own `trust_env`: it also reads ~/.netrc for every request, and refuses the request if it finds an
    entry, as we already send a key.
    """
    url = httpx.URL(base_url)
    if _is_loopback(url.host) or proxy_bypass(url.host):
        return None
    return getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
