"""What people did, and what must be true of it in the end, whatever happened in between."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import psycopg

from sandbox.blooio.driver import Text
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person, Shown
from tests.acceptance.stage import SUPPORT, is_card
from tests.proofs.scene import Scene

#: Seconds to skip until what was refused or lost comes again: Slack tries after 1 and 5 minutes, Blooio sooner.
_PAUSES = (0, 61, 61, 121, 301, 0)

#: Slack tells of an event once, and up to three times again.
_LAST_ATTEMPT = "3"

_SHOWN = {"imessage": "🔵 iMessage", "rcs": "🟣 RCS", "sms": "🟢 SMS"}
_STEPS = {"sent": "Sent", "delivered": "Delivered", "read": "Read", "failed": "⚠️ Not delivered"}
_OFFLINE = "⚠️ Not sent. Our number is offline. Try again when it is back."
_MARKS = {"sent": "outbox_tray", "delivered": "white_check_mark", "read": "eyes"}
_CIRCLES = {"imessage": "large_blue_circle", "rcs": "large_purple_circle", "sms": "large_green_circle"}


@dataclass
class Pal:
    """Somebody with a phone, who writes with one person in Slack (of two, the second would be asked first)."""

    address: str
    author: Person
    where: str = SUPPORT
    typed: list[str] = field(default_factory=list)  # with `/text`, in order
    accepted: set[str] = field(default_factory=set)  # those of them that were acknowledged
    replied: list[str] = field(default_factory=list)  # what was typed in the thread
    untold: list[str] = field(default_factory=list)  # what was typed there too, and Slack gave up telling the bot of
    explained: list[str] = field(default_factory=list)  # typed, and said not to be sent: our number is offline
    wrote: list[str] = field(default_factory=list)  # what came from the phone
    home: tuple[str, str] | None = None  # where the thread is: conversation and card

    @property
    def pretty(self) -> str:
        return f"+1 {self.address[2:5]}-{self.address[5:8]}-{self.address[8:]}"


class GivenUp:
    """The words of messages that Slack told the bot of as often as it does; the last time, too, in vain."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.given_up: set[str] = set()
        self._sandbox = sandbox
        self._read_up_to = 0

    async def look(self) -> None:
        """Read what was recorded since the last look."""
        failed = await self._sandbox.exchanges(name="deliver:events_api", since=self._read_up_to, failed=True)
        for one in failed:
            self._read_up_to = max(self._read_up_to, one["id"])
            if one["headers"]["attempt"] == _LAST_ATTEMPT:
                self.given_up.add(str(one["body"]["event"].get("text")))


class Ledger:
    """Types, replies and answers on a scene, and keeps count. All words are unique, and say what they are."""

    def __init__(self, scene: Scene, *, first: int = 5_557_000_001) -> None:
        self.scene = scene
        self.pals: list[Pal] = []
        self.shown: dict[str, Shown] = {}  # what the author of each text was shown
        self._slack = GivenUp(scene.sandbox)
        self._addresses = itertools.count(first)
        self._numbers = itertools.count(1)

    async def meets(self, author: str = "ana", *, where: str = SUPPORT, **profile: object) -> Pal:
        """Somebody whom nobody has texted yet."""
        pal = Pal(f"+1{next(self._addresses)}", self.scene.sandbox.person(author), where)
        usual = {"imessage": True, "sent_after": 0.1, "delivered_after": 0.3, "read_after": None}
        await self.scene.sandbox.phone(pal.address).becomes(**(usual | profile))
        self.pals.append(pal)
        return pal

    async def texts(self, pal: Pal) -> bool:
        """Type `/text`; return whether it was acknowledged as accepted."""
        body = f"text {next(self._numbers)}"
        pal.typed.append(body)
        self.shown[body] = shown = await pal.author.types(pal.where, f"/text {pal.address} {body}")
        if shown.error is None and shown.text.startswith("Texting "):
            pal.accepted.add(body)
        return body in pal.accepted

    async def replies(self, pal: Pal) -> bool:
        """Type in the thread; return whether there is one yet."""
        home = await self.home_of(pal)
        if home is None:
            return False
        body = f"reply {next(self._numbers)}"
        pal.replied.append(body)
        await pal.author.posts(home[0], body, thread_ts=home[1])
        return True

    async def answers(self, pal: Pal) -> None:
        """Write from the phone."""
        body = f"answer {next(self._numbers)}"
        pal.wrote.append(body)
        await self.scene.sandbox.phone(pal.address).replies(body)

    async def home_of(self, pal: Pal) -> tuple[str, str] | None:
        """Where the thread is; None: not posted yet, or the database does not say."""
        if pal.home is None:
            query = """
                SELECT t.conversation_id, t.card_ts FROM threads t JOIN people p ON p.id = t.person_id
                WHERE p.address = %s AND t.card_ts IS NOT NULL
            """
            try:
                async with await psycopg.AsyncConnection.connect(self.scene.database_url, connect_timeout=2) as asked:
                    pal.home = await (await asked.execute(query, [pal.address])).fetchone()
            except psycopg.OperationalError:
                return None
        return pal.home

    async def settles(self, timeout: float = 120) -> None:
        """
        Wait until everything has arrived and nothing is left to do.

        Time is skipped for Slack and Blooio where something has yet to come again. Raises AssertionError with what is
        missing and what is left.
        """
        deadline = time.monotonic() + timeout
        for pause in itertools.chain(_PAUSES, itertools.repeat(61)):
            await self.scene.sandbox.advance(pause)
            calm = 0
            while calm < 2:  # twice, as what arrives in between is not under way anywhere yet
                left = await self.scene.left()
                calm = 0 if left else calm + 1
                if time.monotonic() > deadline:
                    missing = await self.missing()
                    raise AssertionError(f"left to do: {left}; has not arrived: {missing[:10]} ({len(missing)})")
                await asyncio.sleep(0.2)
            if not await self.missing():
                return

    async def missing(self) -> list[str]:
        """
        What was accepted, replied or answered, and is not where it belongs yet.

        What has not arrived because Slack gave up telling of it is set aside: nobody accepted it. So is a text whose
        thread explains why it was not sent.
        """
        await self.hears_slack()
        found = await self._each(self._missing_of)
        return [one for some in found for one in some]

    async def hears_slack(self) -> None:
        """Note what Slack gives up. Call it now and then in a long run: the sandbox's record is not endless."""
        await self._slack.look()

    async def _missing_of(self, pal: Pal) -> list[str]:
        received = {text.text for text in await self.scene.sandbox.phone(pal.address).received()}
        wanted = [body for body in pal.typed if body in pal.accepted] + pal.replied
        missing = [body for body in wanted if body not in received]
        untold = [body for body in missing if body in self._slack.given_up]
        pal.untold += untold
        pal.replied = [body for body in pal.replied if body not in untold]
        missing = [body for body in missing if body not in untold]
        if missing:
            explained = await self._explained(pal, missing)
            pal.explained += explained
            pal.accepted -= set(explained)
            missing = [body for body in missing if body not in explained]
        if pal.wrote:
            seen = {message.text for message in await self._thread(pal)}
            missing += [body for body in pal.wrote if body not in seen]
        return missing

    async def _explained(self, pal: Pal, missing: Sequence[str]) -> list[str]:
        """Return what the thread says was not sent as our number is offline: 503, three times in a minute."""
        lines = [one.text.splitlines()[:2] for one in await self._thread(pal)]
        return [body for body in missing if body in pal.accepted and [body, _OFFLINE] in lines]

    async def wrong(self) -> list[str]:
        """Everything that is not as promised, in words; empty: all is true. Call it once all has settled."""
        roots = {where: await self.pals[0].author.sees(where) for where in {pal.where for pal in self.pals}}
        found = await self._each(lambda pal: self._wrong_with(pal, roots[pal.where]))
        wrong = [f"{pal.address}: {one}" for pal, some in zip(self.pals, found, strict=True) for one in some]
        for where, root in roots.items():
            beside = [one for one in root if not one.ephemeral and not is_card(one)]
            wrong += [f"beside the cards in {where}: {one.text!r}" for one in beside]
        left = await self.scene.left()
        return [*wrong, *([f"left to do: {left}"] if left else [])]

    async def _wrong_with(self, pal: Pal, root: Sequence[Message]) -> list[str]:
        texts = {text.message_id: text for text in await self.scene.sandbox.phone(pal.address).received()}
        received = [text.text or "" for text in texts.values()]
        wrong = _wrong_count(received, surely=[*pal.accepted, *pal.replied], perhaps=[*pal.typed, *pal.untold])
        commands = [body for body in received if body.startswith("text ")]
        in_order = [body for body in pal.typed if body in commands]
        if commands != in_order:
            wrong.append(f"out of order on the phone: {commands}")
        cards = [one for one in root if is_card(one) and pal.pretty in one.text]
        if len(cards) != bool(received or pal.wrote):
            wrong.append(f"{len(cards)} cards")
        shown = await self._thread(pal)
        for text in texts.values():
            wrong += _wrong_shown(text, shown)
        theirs = [one.text for one in shown if one.text.startswith("answer ")]
        wrong += _wrong_count(theirs, surely=pal.wrote)
        return wrong

    async def _thread(self, pal: Pal) -> list[Message]:
        home = await self.home_of(pal)
        return await pal.author.sees_thread(*home) if home else []

    async def _each(self, look: Callable[[Pal], Awaitable[list[str]]]) -> list[list[str]]:
        places = asyncio.Semaphore(8)

        async def in_place(pal: Pal) -> list[str]:
            async with places:
                return await look(pal)

        return await asyncio.gather(*map(in_place, self.pals))


def _wrong_count(found: list[str], *, surely: Iterable[str], perhaps: Iterable[str] = ()) -> list[str]:
    """Say what is missing, twice there or unknown among *found*."""
    counted, sure = Counter(found), set(surely)
    wrong = [f"missing: {body}" for body in sorted(sure - counted.keys())]
    wrong += [f"{times} times there: {body}" for body, times in counted.items() if times > 1]
    return wrong + [f"nobody wrote: {body}" for body in sorted(counted.keys() - sure - set(perhaps))]


def _wrong_shown(text: Text, shown: list[Message]) -> list[str]:
    """Say how the thread shows one text otherwise than it went: once, with its channel and its last step."""
    places = [one for one in shown if one.text.splitlines()[:1] == [text.text]]
    if len(places) != 1:
        return [f"{len(places)} times in the thread: {text.text}"]
    (place,) = places
    if (text.text or "").startswith("reply "):
        marks, true = set(place.reactions), {_MARKS.get(text.status, text.status), *_unexpected(text)}
        return [] if marks == true else [f"marks of {text.text}: {marks} for {true}"]
    line = place.text.splitlines()[1] if "\n" in place.text else ""
    true_line = line.startswith(_SHOWN.get(text.protocol or "", "?")) and _STEPS[text.status] in line
    true_line = true_line and ("(expected " in line) == bool(_unexpected(text))
    return [] if true_line else [f"receipt of {text.text}: {line!r} for {text.protocol}, {text.status}"]


def _unexpected(text: Text) -> list[str]:
    """Return the sign of the channel that a text took, if that is not the one it was sent for."""
    expected = (text.metadata or {}).get("expected_protocol")
    return [_CIRCLES[text.protocol]] if text.protocol and expected not in {None, text.protocol} else []
