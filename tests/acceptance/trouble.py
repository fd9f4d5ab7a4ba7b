"""A stage with people who have iPhones, and trouble to order for one of them at a time."""

import itertools
from typing import Any

from sandbox.blooio.trouble import SEND
from sandbox.driver import Sandbox
from sandbox.faults import Fault
from tests.acceptance.stage import SUPPORT, Stage, receipt_line


class Scene:
    """A stage with people whose iPhones get texts at once, and trouble for one of them at a time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sandbox: Sandbox = stage.sandbox
        self._numbers = itertools.count(5_550_300_001)

    async def meets(self, **profile: Any) -> str:
        address = f"+1{next(self._numbers)}"
        await self.sandbox.phone(address).becomes(
            **{"imessage": True, "sent_after": 0.1, "delivered_after": 0.2} | profile
        )
        return address

    async def order(self, fault: Fault, address: str, **changes: Any) -> None:
        """Order *fault* for what concerns one person only."""
        where = SEND if fault.where == "*" else fault.where
        given = {"status": fault.status, "retry_after": fault.retry_after, "body": fault.body, "times": fault.times}
        given |= {"seconds": fault.seconds} | changes
        await self.sandbox.order(vendor="blooio", where=where.replace("*", address, 1), kind=fault.kind, **given)

    async def texts(self, address: str, body: str = "Hello") -> None:
        shown = await self.stage.ana.types(SUPPORT, f"/text {address} {body}")
        assert shown.text.startswith("Texting "), shown

    async def attempts(self, address: str) -> list[dict[str, Any]]:
        """The requests to send to somebody. All of them carry one key."""
        attempts = await self.sandbox.exchanges(vendor="blooio", name=f"POST /chats/{address}/messages")
        assert len({attempt["headers"]["idempotency-key"] for attempt in attempts}) == 1
        assert len({str(attempt["body"]) for attempt in attempts}) == 1
        return attempts

    def shown(self, address: str) -> str:
        """A number as the bot writes it."""
        digits = address.removeprefix("+1")
        return f"+1 {digits[:3]}-{digits[3:6]}-{digits[6:]}"

    async def receipt(self, address: str) -> str:
        """The line that a person's one text ends with, as soon as it has come to its end."""
        who = self.shown(address)

        async def ended() -> str:
            cards = [card for card in await self.stage.cards() if card.text.startswith(who)]
            if not cards:
                return ""
            [card] = cards
            shown = await self.stage.ana.sees_thread(SUPPORT, card.ts)
            lines = [receipt_line(message) for message in shown]
            ended = len(lines) == 1 and any(word in lines[0] for word in ("Delivered", "⚠️", "⏸️"))
            return lines[0] if ended else ""

        return await self.sandbox.until(ended, timeout=25)

    async def reached(self, address: str) -> int:
        """How often a person got the text."""
        return len(await self.sandbox.phone(address).received())

    async def ends(self, address: str) -> tuple[str, int, int]:
        """A text's receipt, how often it was attempted, and how often it arrived."""
        receipt = await self.receipt(address)
        return receipt, len(await self.attempts(address)), await self.reached(address)
