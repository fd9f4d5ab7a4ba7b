"""What somebody typed in a thread, and whether it is meant for the person."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reading.reply import (
    Doubt,
    Setting,
    Us,
    asked,
    decide,
    is_addressed,
    read_deletion,
    read_edit,
    read_typed,
    was_note,
    without_mark,
    words_of_reply,
)
from bot.reading.slack_text import NO_NAMES
from bot.texting.model import Fate
from tests.message_events import (
    BEN,
    BOT,
    BOT_USER,
    CASES,
    EXTERNAL,
    GONE,
    GUEST,
    NOTE,
    NOTHING,
    Case,
    Event,
    Where,
    edited,
    typed,
)

AT = Where()
US = Us(BOT_USER, BOT, AT.host)
REFUSED = dict.fromkeys((GUEST, EXTERNAL), ("not_permitted", "You may not."))


def what_becomes_of(event: Event, *, mode: str = "texted", done: bool = False) -> tuple[str, str, str | None]:
    """The fate of an event, the words of it, and the reason that is stored."""
    read = read_typed(event, US)
    edit = read_edit(event, US) if read is None else None
    deletion = read_deletion(event, US)
    if deletion is not None:
        assert read is None
        assert edit is None
        return (
            (GONE, "", None) if (deletion.conversation_id, deletion.thread_ts) == (AT.home, AT.card) else NOTHING_AT_ALL
        )
    one = read or edit
    if one is None or (one.conversation_id, one.thread_ts) != (AT.home, AT.card) or not is_addressed(one, mode, US):
        return NOTHING_AT_ALL
    setting = Setting(mode=mode, done=done, file_problem="No address.", refusal=REFUSED.get(one.user_id))
    decision = decide(one, US, setting)
    if edit is not None:
        decision = asked(decision, Doubt.EDITED)
        if was_note(edit, US):
            return NOTE, decision.body, None
    return decision.fate or NOTHING, decision.body, decision.reason


NOTHING_AT_ALL = (NOTHING, "", None)


def test_the_table_is_long_enough() -> None:
    """Sixty events at least, no two of one name."""
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_becomes_of_an_event(case: Case) -> None:
    """Each event has the fate that the table says, with its words and the reason."""
    what, body, why = what_becomes_of(case.make(AT), mode=case.mode, done=case.done)
    assert what == case.what
    if case.body is not None:
        assert body == case.body
    if case.why is not None:
        assert why == case.why


@pytest.mark.parametrize("key", sorted(typed(AT)))
@pytest.mark.parametrize("value", [None, 7, "", [], {}, True], ids=repr)
def test_no_key_of_a_message_can_trip_us(key: str, value: object) -> None:
    """Whatever a key holds, or if it is missing: reading never raises."""
    for event in (
        typed(AT, **{key: value}),
        typed(AT, **{key: ...}),
        edited(AT, **{key: value}),
        edited(AT, **{key: ...}),
    ):
        what_becomes_of(event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([AT.ts, AT.card, AT.home, BOT]),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(
            st.sampled_from([*typed(AT), "message", "previous_message", "subtype", "edited"]), some, max_size=5
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*edited(AT), "user", "text", "thread_ts", "bot_id", "files"]), JSON))
def test_nothing_that_slack_sends_can_trip_us(event: Event) -> None:
    """Any JSON at all has a fate."""
    what_becomes_of(event)


@given(st.text(max_size=40))
def test_whatever_begins_with_an_exclamation_mark_is_a_note(words: str) -> None:
    """No words behind it make it anything else."""
    assert what_becomes_of(typed(AT, f"!{words}"))[0] == NOTE


@given(st.text(max_size=40))
def test_whatever_mentions_somebody_is_not_texted_unasked(words: str) -> None:
    """No words around it hide a mention."""
    fate, _, _ = what_becomes_of(typed(AT, f"{words.replace('<', '')} <@{BEN}> {words.replace('<', '')}"))
    assert fate in {Fate.ASKED, Fate.NOTE, Fate.REFUSED}


def test_an_edit_that_was_settled_is_never_texted() -> None:
    """What would go out is asked about; all else stays what it is."""
    read = read_edit(edited(AT), US)
    assert read is not None
    assert asked(decide(read, US, Setting()), Doubt.EDITED).fate is Fate.ASKED
    assert asked(decide(read, US, Setting(refusal=("x", "No."))), Doubt.EDITED).fate is Fate.REFUSED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("!Your order is ready", "Your order is ready", id="a note"),
        pytest.param(" !!! Sale", "Sale", id="several marks"),
        pytest.param(f"<@{BOT_USER}> !Hi", "Hi", id="behind our name"),
        pytest.param("Hi", "Hi", id="no note"),
    ],
)
def test_a_note_without_its_mark(text: str, words: str) -> None:
    """It can be texted after all."""
    read = read_typed(typed(AT, text), US)
    assert read is not None
    assert words_of_reply(without_mark(read, US), US, NO_NAMES) == words


def test_several_doubts_are_all_said() -> None:
    """The question names each of them."""
    read = read_typed(typed(AT, f"fyi <@{BEN}>"), US)
    assert read is not None
    decision = decide(read, US, Setting(done=True, answered_by="Ben"))
    assert decision.doubts == (Doubt.MENTION, Doubt.NOTE, Doubt.COLLEAGUE, Doubt.DONE)
