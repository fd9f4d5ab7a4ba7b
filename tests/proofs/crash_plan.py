"""What will go wrong when bots and databases crash, and what people do meanwhile: drawn by lot before it begins."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.proofs.postgres import Outage

#: Seconds between one trouble and the next; for how long a killed bot stays dead; and the database away, where that
#: can be chosen.
_PAUSE = (1.0, 4.5)
_DEAD = (0.0, 1.5)
_AWAY = {Outage.FAST: (0.0, 3.0), Outage.IMMEDIATE: (0.0, 3.0), Outage.REFUSED: (1.0, 8.0), Outage.SILENT: (2.0, 12.0)}

#: One text of so many is somebody's first, and only those who were met lately are written to.
_FIRST_OF = 8
_LATELY = 40

#: Replies and answers for each text.
_REPLIES = _ANSWERS = 0.5

#: The calls to Slack that draw.
_DRAWING = ("chat.postMessage", "chat.update", "reactions.add", "reactions.remove")


class Kill(StrEnum):
    """When a bot is killed."""

    ANY_TIME = "at any moment"
    ACKNOWLEDGED = "right after an acknowledgement"
    SENDING = "while a text is sent"
    DRAWING = "while a thread is drawn"


#: Before its effect, or after it and before its answer.
_HELD = ("latency", "slow_answer")

#: Dealt one by one and shuffled when they are used up, so that a short run has some of each as well.
_MOMENTS = (
    *[(Kill.ANY_TIME, _HELD[0])] * 6,
    (Kill.ACKNOWLEDGED, _HELD[0]),
    *[(moment, held) for moment in (Kill.SENDING, Kill.DRAWING) for held in _HELD],
)

#: How often it is both bots: nobody knows which of them acknowledged a text, or waits for an answer.
_BOTH = {Kill.ANY_TIME: 0.1, Kill.ACKNOWLEDGED: 1.0, Kill.SENDING: 0.5, Kill.DRAWING: 0.5}


@dataclass(frozen=True)
class Act:
    """Something that somebody does, so many seconds after a round has begun."""

    what: str  # text, reply or answer
    pal: int
    after: float


@dataclass(frozen=True)
class Round:
    """A few seconds in which people act and something goes wrong."""

    trouble: Kill | Outage
    pause: float  # seconds until it does
    bot: int  # which is killed
    both: bool
    dead: tuple[float, float]  # for how many seconds each is
    away: float  # the database
    held: tuple[str, str]  # how a call is held, and which of those that draw
    acts: tuple[Act, ...]


class Plan:
    """Everything that happens, drawn from one seed: the rounds among kills, and then those without."""

    def __init__(
        self,
        lots: random.Random,
        *,
        texts: int,
        kills: int,
        outages: int,
        ways: Sequence[Outage] = tuple(Outage),
        pace: float = 1.0,
    ) -> None:
        """
        Draw it.

        *outages* is how often the database goes away in each of *ways*: the first time among the kills, then without.
        *pace* is how long everything takes.
        """
        self._lots = lots
        self._pace = pace
        self._met = 0
        drawn: list[tuple[Kill | Outage, bool, str]] = []
        deck: list[tuple[Kill, str]] = []
        while kills > 0:
            deck = deck or lots.sample(_MOMENTS, len(_MOMENTS))
            moment, held = deck.pop()
            both = kills > 1 and lots.random() < _BOTH[moment]
            drawn.append((moment, both, held))
            kills -= 1 + both
        drawn += [(way, False, "") for way in ways] * bool(outages)
        lots.shuffle(drawn)
        quiet: list[tuple[Kill | Outage, bool, str]] = [(way, False, "") for way in ways for _ in range(outages - 1)]
        lots.shuffle(quiet)
        count = len(drawn) + len(quiet)
        shares = [texts * (number + 1) // count - texts * number // count for number in range(count)]
        rounds = [self._round(*one, share) for one, share in zip([*drawn, *quiet], shares, strict=True)]
        self.among_kills, self.without = rounds[: len(drawn)], rounds[len(drawn) :]

    def _round(self, trouble: Kill | Outage, both: bool, held: str, texts: int) -> Round:
        lots, pause = self._lots, self._seconds(_PAUSE)
        away = self._seconds(_AWAY[trouble]) if isinstance(trouble, Outage) and trouble in _AWAY else 0.0
        return Round(
            trouble=trouble,
            pause=pause,
            bot=lots.randrange(2),
            both=both,
            dead=(self._seconds(_DEAD), self._seconds(_DEAD)),
            away=away,
            held=(held, lots.choice(_DRAWING)),
            acts=self._acts(texts, pause + away + self._pace),
        )

    def _seconds(self, bounds: tuple[float, float]) -> float:
        return self._lots.uniform(*bounds) * self._pace

    def _acts(self, texts: int, seconds: float) -> tuple[Act, ...]:
        lots, acts = self._lots, list[Act]()
        for what, count in (("text", texts), ("reply", texts * _REPLIES), ("answer", texts * _ANSWERS)):
            times = int(count) + (lots.random() < count % 1)
            acts += [Act(what, self._whom(what), lots.uniform(0, seconds)) for _ in range(times)]
        return tuple(acts)

    def _whom(self, what: str) -> int:
        if not self._met or (what == "text" and self._lots.randrange(_FIRST_OF) == 0):
            self._met += 1
            return self._met - 1
        return self._lots.randrange(max(0, self._met - _LATELY), self._met)
