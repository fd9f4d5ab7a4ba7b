"""People who click in the wrong order, twice, and on what is not theirs; news that comes before what it is about."""

import asyncio
import copy
import json
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.message_events import Where, deleted, edited, typed
from tests.proofs.input_wire import MARKER, PEOPLE, TEAM, Corpus, Wire

#: Steps of one story at most, and how many people all stories are about.
STEPS = 30
_PHONES = 40

_NEWS = ("queued", "sent", "delivered", "read", "failed", "reaction", "received")

_PERSON = st.sampled_from(PEOPLE[:5])
_PHONE = st.integers(0, _PHONES - 1).map(lambda number: f"+1555{6_100_000 + number}")
_WORDS = st.one_of(
    st.sampled_from(
        ("Hi", "!note", "STOP", "START", "<@U0BENBAKER1> see", "report", "settings", "help", "Jane hello", "")
    ),
    st.text(max_size=60),
)
_NUMBER = st.integers(0, 10_000)


async def run(
    seed: int, stories: int, wire: Wire, corpus: Corpus, complaints: Callable[[], list[str]]
) -> tuple[int, list[str]]:
    """Let Hypothesis tell so many stories; return how many steps they had, and what failed, made small."""
    loop = asyncio.get_running_loop()

    class Told(Story):
        pass

    Told.wire, Told.corpus, Told.complaints, Told.loop = wire, corpus, staticmethod(complaints), loop
    how = settings(
        max_examples=stories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    Told.steps = [0]
    try:
        await asyncio.to_thread(run_state_machine_as_test, hypothesis.seed(seed)(Told), settings=how)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
        notes = "\n".join(getattr(error, "__notes__", []))
        return Told.steps[0], [f"a story: {type(error).__name__} {error}\n{notes}"]
    return Told.steps[0], []


class Story(RuleBasedStateMachine):
    """One story: whatever anybody does, the bot answers, and has nothing to complain about."""

    wire: ClassVar[Wire]
    corpus: ClassVar[Corpus]
    complaints: ClassVar[Callable[[], list[str]]]
    loop: ClassVar[asyncio.AbstractEventLoop]
    steps: ClassVar[list[int]] = [0]

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []  # requests of this story, to be repeated
        self.typed: list[Where] = []
        self.complained = len(self.complaints())

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.steps[0] += 1
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def slack(self, body: dict[str, Any]) -> None:
        self.sent.append(body)
        self.wait(self.wire.slack(body))

    @rule(who=_PERSON, phone=_PHONE, words=_WORDS, command=st.sampled_from(("/text", "/contact")), number=_NUMBER)
    def types_a_command(self, who: str, phone: str, words: str, command: str, number: int) -> None:
        body = copy.deepcopy(self.corpus.commands()[0])
        text = f"{phone} {words}" if number % 3 else words
        self.slack(body | {"command": command, "text": text, "user_id": who, "trigger_id": f"9.{number}"})

    @rule(which=_NUMBER, who=st.none() | _PERSON, value=st.none() | _NUMBER)
    def clicks(self, which: int, who: str | None, value: int | None) -> None:
        """Somebody presses a button that stood somewhere once, theirs or not, perhaps with another's value."""
        found = self.corpus.of("block_actions")
        body = copy.deepcopy(found[which % len(found)])
        if who is not None:
            body["user"] = {**body["user"], "id": who}
        if value is not None:
            body["actions"][0]["value"] = self.corpus.values[value % len(self.corpus.values)]
        self.slack(body)

    @rule(which=_NUMBER, words=st.none() | _WORDS, closes=st.booleans())
    def submits(self, which: int, words: str | None, *, closes: bool) -> None:
        """Somebody submits or closes a form that is long gone."""
        found = self.corpus.of("view_closed" if closes else "view_submission")
        body = copy.deepcopy(found[which % len(found)])
        for block in body["view"]["state"]["values"].values():
            for state in block.values():
                if words is not None and "value" in state:
                    state["value"] = words
        self.slack(body)

    @rule(which=_NUMBER)
    def again(self, which: int) -> None:
        """The same once more."""
        if self.sent:
            self.slack(self.sent[which % len(self.sent)])

    @rule(thread=_NUMBER, number=_NUMBER, words=_WORDS, who=_PERSON)
    def types_in_a_thread(self, thread: int, number: int, words: str, who: str) -> None:
        home, card = self.corpus.threads[thread % len(self.corpus.threads)]
        at = Where(home, card, f"{1_700_200_000 + number}.000100")
        self.typed.append(at)
        self._tells(typed(at, words, user=who))

    @rule(which=_NUMBER, number=_NUMBER, words=_WORDS, kind=st.sampled_from((edited, deleted)), known=st.booleans())
    def changes(self, which: int, number: int, words: str, kind: Any, *, known: bool) -> None:
        """An edit or a deletion, of what was typed or will be."""
        home, card = self.corpus.threads[number % len(self.corpus.threads)]
        at = Where(home, card, f"{1_700_200_000 + number}.000100")
        if known and self.typed:
            at = self.typed[which % len(self.typed)]
        self._tells(kind(at, words) if kind is edited else kind(at))

    @rule(
        thread=_NUMBER,
        who=_PERSON,
        name=st.sampled_from(("heart", "white_check_mark", "+1", "zzz")),
        added=st.booleans(),
    )
    def reacts(self, thread: int, who: str, name: str, *, added: bool) -> None:
        home, card = self.corpus.threads[thread % len(self.corpus.threads)]
        item = {"type": "message", "channel": home, "ts": card}
        kind = "reaction_added" if added else "reaction_removed"
        self._tells({"type": kind, "user": who, "reaction": name, "item": item, "event_ts": "1700300000.000100"})

    def _tells(self, event: dict[str, Any]) -> None:
        body = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A0TEXTING01", "event": event}
        self.slack(body | {"event_id": f"Ev{len(self.sent)}", "event_time": 1})

    @rule(which=_NUMBER, step=st.sampled_from(_NEWS), known=st.booleans(), phone=_PHONE, words=_WORDS)
    def blooio_tells(self, which: int, step: str, phone: str, words: str, *, known: bool) -> None:
        """News of a text, in any order, before it is sent or after it was read; or of one that is nobody's."""
        ids = self.corpus.message_ids
        told = {
            "event": f"message.{step}",
            "message_id": ids[which % len(ids)] if known else f"msg_story_{which}",
            "external_id": phone,
            "internal_id": "+15550109999",
            "protocol": "imessage",
            "timestamp": 1_795_000_000_000 + which,
            "sender": phone,
            "direction": "inbound",
            "text": f"{MARKER} {words}",
            "reaction": "love",
            "action": "add" if which % 2 else "remove",
            "error_code": "carrier_rejected",
        }
        self.wait(self.wire.blooio(json.dumps(told).encode()))

    @invariant()
    def nothing_is_wrong(self) -> None:
        found, self.wire.flaws[:] = list(self.wire.flaws), []
        assert not found, found[0]
        complaints = self.complaints()
        new, self.complained = complaints[self.complained :], len(complaints)
        assert not new, "\n".join(new[:3])
