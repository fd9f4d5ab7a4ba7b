"""Two-way stories: the bot with Blooio's webhooks, people in Slack who type in threads, and phones that answer."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sandbox.blooio.driver import Gateway, Phone, Text
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person
from tests.acceptance.stage import Stage, bot_beside, is_card

SECRET = "whsec_talk"
INBOX = "C0GENERAL01"

_numbers = itertools.count(5_550_700_001)
_channels = itertools.count(1)


@dataclass
class Conversation:
    """A person's thread in a channel of its own, and their phone."""

    talk: "Talk"
    home: str  # the channel's id
    phone: Phone
    card: Message

    @property
    def ana(self) -> Person:
        return self.talk.stage.ana

    @property
    def ben(self) -> Person:
        return self.talk.stage.ben

    async def types(self, words: str, *, by: Person | None = None, broadcast: bool = False) -> Message:
        """Type something in the thread."""
        return await (by or self.ana).posts(self.home, words, thread_ts=self.card.ts, broadcast=broadcast)

    async def sees(self) -> list[Message]:
        """What Ana sees in the thread, oldest first."""
        return await self.ana.sees_thread(self.home, self.card.ts)

    async def shows(self, *words: str) -> list[Message]:
        """Wait until the thread's messages begin like this, in this order; return them."""

        async def shown() -> list[Message] | None:
            seen = await self.sees()
            begin = len(seen) == len(words) and all(
                one.text.startswith(word) for one, word in zip(seen, words, strict=True)
            )
            return seen if begin else None

        try:
            return await self.talk.sandbox.until(shown)
        except TimeoutError:
            raise AssertionError(f"expected {list(words)}, saw {[one.text for one in await self.sees()]}") from None

    async def marks(self, message: Message) -> set[str]:
        """The reactions on one message of the thread."""
        seen = {one.ts: one for one in await self.sees()}
        return set(seen[message.ts].raw["reactions"]) if message.ts in seen else set()

    async def is_marked(self, message: Message, *names: str) -> None:
        """Wait until exactly these reactions stand on a message of the thread."""

        async def marked() -> bool:
            return await self.marks(message) == set(names)

        try:
            await self.talk.sandbox.until(marked)
        except TimeoutError:
            raise AssertionError(f"expected {set(names)}, saw {await self.marks(message)}") from None

    async def received(self, *words: str) -> list[Text]:
        """Wait until the phone has exactly these texts."""
        got = await self.phone.received(at_least=len(words))
        assert [one.text for one in got] == list(words)
        return got


@dataclass
class Talk:
    """A stage on which people answer."""

    stage: Stage
    gateway: Gateway
    database_url: str
    phones: list[Phone] = field(default_factory=list)

    @property
    def sandbox(self) -> Sandbox:
        return self.stage.sandbox

    async def meets(self, **profile: object) -> Phone:
        """A phone of nobody's yet, which gets iMessages at once."""
        phone = self.sandbox.phone(f"+1{next(_numbers)}")
        await phone.becomes(**{"imessage": True, "sent_after": 0, "delivered_after": 0, "read_after": None, **profile})
        self.phones.append(phone)
        return phone

    async def channel(self, *members: str) -> str:
        """A new channel of Ana's, Ben's and the bot's."""
        name = f"talk-{next(_channels)}"
        return await self.sandbox.creates_channel(name, members=["ana", "ben", "bot", *members])

    async def begins(self, words: str = "Hello", *, home: str | None = None, **profile: object) -> Conversation:
        """Ana texts somebody new; their thread stands when this returns, and the phone has it if it gets any."""
        phone, home = await self.meets(**profile), home or await self.channel()
        shown = await self.stage.ana.types(home, f"/text {phone.address} {words}")
        assert shown.text.startswith("Texting "), shown
        conversation = await self.conversation(phone, home)
        if not profile.keys() & {"unreachable", "fails_with", "stuck"}:
            await phone.received(at_least=1)
        return conversation

    async def conversation(self, phone: Phone, home: str) -> Conversation:
        """Wait for the card of somebody in a channel, and their first message under it."""
        digits = phone.address

        async def carded() -> Message | None:
            pretty = f"+1 {digits[2:5]}-{digits[5:8]}-{digits[8:]}"
            for one in await self.stage.ana.sees(home):
                if is_card(one) and pretty in one.text.splitlines()[0] and one.reply_count:
                    return one
            return None

        card = await self.sandbox.until(carded)
        assert card is not None
        return Conversation(self, home, phone, card)


@asynccontextmanager
async def talking(
    sandbox: Sandbox,
    database_url: str,
    *,
    transport: str,
    webhooks: bool = True,
    public: bool = False,
    **settings: str,
) -> AsyncIterator[Talk]:
    """Run the bot beside *sandbox*, with webhooks from the local Blooio or without, with a PUBLIC_URL or without."""
    settings = {"INBOX_CHANNEL": INBOX} | settings | ({"BLOOIO_WEBHOOK_SECRET": SECRET} if webhooks else {})
    async with bot_beside(sandbox, database_url, transport=transport, public=public, **settings) as app:
        gateway = Gateway(sandbox._http, sandbox.url)
        if webhooks:
            await gateway.subscribes(f"{app.url}/blooio/webhooks", secret=SECRET)
        yield Talk(Stage(sandbox, app, transport), gateway, database_url)
