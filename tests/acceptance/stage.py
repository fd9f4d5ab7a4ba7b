"""The running bot against the sandbox, over real sockets, and what stories look at again and again."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.app import App, running
from bot.ingress.server import bind
from bot.settings import read_settings
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person
from tests.log_scan import SCAN

SUPPORT = "#support"

#: For what does not depend on how Slack reaches us: both transports go through one dispatcher (test_transports.py).
over_one_transport = pytest.mark.parametrize("shared_transport", ["socket"], indirect=True)

#: What the second line of every card says.
_STATE = re.compile(r"(?:^| · )(?:open · |done)")


@dataclass(frozen=True)
class Stage:
    """A sandbox with the bot beside it, and what acceptance stories look at again and again."""

    sandbox: Sandbox
    app: App
    transport: str

    @property
    def ana(self) -> Person:
        return self.sandbox.person("ana")

    @property
    def ben(self) -> Person:
        return self.sandbox.person("ben")

    async def cards(self, where: str = SUPPORT) -> list[Message]:
        """The cards in a conversation, oldest first."""
        return [message for message in await self.ana.sees(where) if is_card(message)]

    async def receipts(self, where: str = SUPPORT) -> list[str]:
        """The receipt lines in every thread of a conversation."""
        return [receipt_line(text) for text in await self.texts(where)]

    async def texts(self, where: str = SUPPORT) -> list[Message]:
        """The messages that show texts, in every thread of a conversation."""
        found: list[Message] = []
        for card in await self.cards(where):
            found += await self.ana.sees_thread(where, card.ts)
        return found

    async def settles(self, *receipts: str, where: str = SUPPORT, timeout: float = 15) -> list[Message]:
        """Wait until the receipt lines of a conversation begin like this, in this order; return their messages."""

        async def settled() -> list[Message] | None:
            lines = await self.receipts(where)
            begin = len(lines) == len(receipts) and all(map(str.startswith, lines, receipts))
            return await self.texts(where) if begin else None

        try:
            return await self.sandbox.until(settled, timeout=timeout)
        except TimeoutError:
            raise AssertionError(f"expected {list(receipts)}, saw {await self.receipts(where)}") from None


def is_card(message: Message) -> bool:
    """Whether a message is a card of ours: a first line with a person, a second with the state."""
    state = message.text.splitlines()[1:2]
    return message.author == "Texting" and not message.ephemeral and bool(state) and bool(_STATE.search(state[0]))


def receipt_line(message: Message) -> str:
    """The line below a text's words, which says what became of it."""
    return next(line for line in reversed(message.text.splitlines()) if not line.startswith("["))


def buttons(message: Message) -> list[str]:
    """What the buttons of a message read."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [element["text"]["text"] for row in rows for element in row]


@asynccontextmanager
async def bot_beside(
    sandbox: Sandbox, database_url: str, *, transport: str, public: bool = False, **settings: str
) -> AsyncIterator[App]:
    """Run the bot in this process, connected to *sandbox* over "socket" or "http"; *public*: it has a PUBLIC_URL."""
    environment: dict[str, Any] = sandbox.environment() | {"DATABASE_URL": database_url} | settings
    SCAN.hide(environment)
    if transport == "http":
        environment.pop("SLACK_APP_TOKEN", None)
    with bind("127.0.0.1", 0) as bound:
        if public:
            environment["PUBLIC_URL"] = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with running(read_settings(environment), bound=bound) as app:
            if transport == "http":
                await sandbox.set_transport(request_url=f"{app.url}/slack/events")
            yield app
