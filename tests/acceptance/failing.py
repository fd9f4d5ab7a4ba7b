"""People whom texts do not reach, and what colleagues see and do about it in Slack."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import psycopg

from bot.texting.model import DeliveryStatus, StatusReport
from sandbox.blooio.driver import Phone
from sandbox.blooio.trouble import TROUBLE
from sandbox.faults import Fault
from sandbox.slack.driver import Message, Person, Shown
from sandbox.slack.modal_driver import Modal
from tests.acceptance.stage import Stage, buttons, is_card, receipt_line

_numbers = itertools.count(5_550_400_001)


@dataclass(frozen=True)
class Case:
    """Somebody to text who is in no other case, and a channel of Ana's, Ben's and the bot's for it."""

    stage: Stage
    number: str
    phone: Phone
    home: str  # the channel's id

    @property
    def shown(self) -> str:
        """The number as the bot writes it."""
        return shown(self.number)

    async def order(self, name: str, **changes: Any) -> str:
        """Order trouble from the table for texts to this person."""
        fault = Fault(**vars(TROUBLE[name]) | changes)
        return await self.stage.sandbox.order(
            vendor="blooio",
            where=f"POST /chats/{self.number}/messages",
            kind=fault.kind,
            times=fault.times,
            status=fault.status,
            seconds=fault.seconds,
            retry_after=fault.retry_after,
            body=fault.body,
        )

    async def text(self, words: str = "Hi Jane", *, by: Person | None = None) -> None:
        shown = await (by or self.stage.ana).types(self.home, f"/text {self.number} {words}")
        assert shown.text.startswith("Texting "), shown

    async def fails(self, name: str = "forbidden", *, words: str = "Hi Jane", **changes: Any) -> Message:
        """Let a text of Ana's fail; return its message with the buttons."""
        await self.order(name, **changes)
        await self.text(words)
        return await self.ends("⚠️")

    async def thread(self, *, as_seen_by: Person | None = None) -> list[Message]:
        """What stands in the person's thread, oldest first; with what only *as_seen_by* sees."""
        person = as_seen_by or self.stage.ana
        cards = [one for one in await person.sees(self.home) if is_card(one) and one.text.startswith(self.shown)]
        return [message for card in cards for message in await person.sees_thread(self.home, card.ts)]

    async def texts(self) -> list[Message]:
        """The messages that show texts of ours, with a line below their words; what they wrote has none."""
        return [one for one in await self.thread() if not one.ephemeral and len(one.blocks) > 1]

    async def ends(self, *lines: str, timeout: float = 10) -> Message:
        """Wait until the texts' lines begin like this, in this order; return the last one's message."""

        async def ended() -> list[Message]:
            texts = await self.texts()
            seen = [receipt_line(text) for text in texts]
            return texts if len(seen) == len(lines) and all(map(str.startswith, seen, lines)) else []

        try:
            return (await self.stage.sandbox.until(ended, timeout=timeout))[-1]
        except TimeoutError:
            raise AssertionError(f"expected {lines}, saw {[text.text for text in await self.texts()]}") from None

    async def has_buttons(self, *names: str) -> Message:
        """Wait until the last text has these buttons; return its message."""

        async def found() -> Message | None:
            texts = await self.texts()
            return texts[-1] if texts and buttons(texts[-1]) == list(names) else None

        try:
            return await self.stage.sandbox.until(found)
        except TimeoutError:
            raise AssertionError(f"expected {names}, saw {[text.text for text in await self.texts()]}") from None

    async def clicks(self, what: str, *, by: Person | None = None, on: Message | None = None) -> Shown:
        """Press a button of the last text, or *on* another's."""
        return await (by or self.stage.ana).clicks(on or (await self.texts())[-1], what)

    async def opens_form(self, *, by: Person | None = None) -> Modal:
        """Press *Edit and send* of the last text, and wait for the form."""
        assert (await self.clicks("Edit and send", by=by)).error is None
        form = await self.stage.sandbox.until((by or self.stage.ana).modal)
        assert form is not None
        return form

    async def told(self, person: Person | None = None) -> list[str]:
        """What only somebody (Ana) was told in the thread."""
        return [one.text for one in await self.thread(as_seen_by=person or self.stage.ana) if one.ephemeral]

    async def is_told(self, words: str, person: Person | None = None) -> None:
        """Wait until the last thing that somebody (Ana) alone was told in the thread begins like this."""

        async def heard() -> bool:
            said = await self.told(person)
            return bool(said) and said[-1].startswith(words)

        try:
            await self.stage.sandbox.until(heard)
        except TimeoutError:
            raise AssertionError(f"expected {words!r}, told {await self.told(person)}") from None

    async def on_the_phone(self, *words: str) -> None:
        """Check which texts the phone has, in the order in which they came."""
        received = [text.text for text in await self.phone.received(len(words))]
        assert received == list(words)

    async def keys(self) -> list[str]:
        """The Idempotency-Keys of the attempts to text the person, in the order in which they were first used."""
        attempts = await self.stage.sandbox.exchanges(vendor="blooio", name=f"POST /chats/{self.number}/messages")
        return list(dict.fromkeys(one["headers"]["idempotency-key"] for one in attempts))

    async def arrives_after_all(self) -> None:
        """Let Blooio say that this person's texts were delivered."""
        report = StatusReport(DeliveryStatus.DELIVERED, None)
        for (delivery_id,) in await self.ask("SELECT d.id"):
            await self.stage.app.texting._memory.record(delivery_id, report, now=await self.now())

    async def now(self) -> Any:
        async with self.stage.app.pool.connection() as connection:
            [(now,)] = await (await connection.execute("SELECT now()")).fetchall()
            return now

    async def ask(self, select: str) -> list[Any]:
        """Ask the database about this person's texts (d), oldest first."""
        async with self.stage.app.pool.connection() as connection:
            cursor = await connection.execute(
                f"{select} FROM deliveries d JOIN threads t ON t.id = d.thread_id JOIN people p ON p.id = t.person_id"
                " WHERE p.address = %s ORDER BY d.requested_at",
                (self.number,),
            )
            return await cursor.fetchall()


async def new_case(stage: Stage, *, members: tuple[str, ...] = ("ana", "ben", "bot")) -> Case:
    number = f"+1{next(_numbers)}"
    phone = stage.sandbox.phone(number)
    await phone.becomes(imessage=True, sent_after=0, delivered_after=0.1)
    home = await stage.sandbox.creates_channel(f"case-{number[-4:]}", members=list(members))
    return Case(stage, number, phone, home)


def shown(number: str) -> str:
    """A number as the bot writes it."""
    return f"+1 {number[2:5]}-{number[5:8]}-{number[8:]}"


async def all_told(database_url: str, texts: int = 1) -> None:
    """Wait until so many texts have failed and nobody has to be told of anything any more."""
    deadline = asyncio.get_running_loop().time() + 15
    query = "SELECT count(*) FILTER (WHERE posted_at IS NULL), count(delivery_id) FROM notices"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        while (seen := await (await connection.execute(query)).fetchone()) != (0, texts):
            assert asyncio.get_running_loop().time() < deadline, seen
            await asyncio.sleep(0.05)
