"""Which reactions in Slack a phone shows, and as what."""

from dataclasses import replace

import pytest

from bot.blocks.marks import marks_of
from bot.reading import tapback
from bot.reading.slack_text import emoji_called
from bot.reading.tapback import tapback_of
from bot.texting.model import DeliveryStatus, Fate, Reply
from tests.unit.test_news import ACCEPTED


@pytest.mark.parametrize(
    ("reaction", "shown"),
    [
        pytest.param("heart", "love", id="a red heart"),
        pytest.param("+1", "like", id="a thumb up"),
        pytest.param("thumbsup", "like", id="a thumb up by its other name"),
        pytest.param("-1", "dislike", id="a thumb down"),
        pytest.param("thumbsdown", "dislike", id="a thumb down by its other name"),
        pytest.param("joy", "laugh", id="tears of joy"),
        pytest.param("laughing", "laugh", id="laughing"),
        pytest.param("satisfied", "laugh", id="laughing by its other name"),
        pytest.param("rolling_on_the_floor_laughing", "laugh", id="on the floor"),
        pytest.param("bangbang", "emphasize", id="two exclamation marks"),
        pytest.param("exclamation", "emphasize", id="an exclamation mark"),
        pytest.param("heavy_exclamation_mark", "emphasize", id="an exclamation mark by its other name"),
        pytest.param("question", "question", id="a question mark"),
        pytest.param("grey_question", "question", id="a grey question mark"),
        pytest.param("+1::skin-tone-2", "like", id="a classic one has no tone"),
        pytest.param("-1::skin-tone-6", "dislike", id="nor has the other thumb"),
        pytest.param("blue_heart", "💙", id="another heart is an emoji"),
        pytest.param("tada", "🎉", id="an emoji"),
        pytest.param("pray", "🙏", id="an emoji that has tones, without"),
        pytest.param("pray::skin-tone-3", "🙏🏼", id="an emoji in its tone"),
        pytest.param("tada::skin-tone-3", "🎉", id="a tone on what has none"),
        pytest.param("pray::skin-tone-9", "🙏", id="a tone that there is not"),
        pytest.param("flag-de", "🇩🇪", id="a flag"),
        pytest.param("keycap_ten", "🔟", id="a key"),
        pytest.param("party-parrot", None, id="a workspace's own"),
        pytest.param("", None, id="nothing"),
        pytest.param("::skin-tone-2", None, id="a tone of nothing"),
        pytest.param("eyes", None, id="somebody looks at it"),
        pytest.param("white_check_mark", None, id="it is done"),
        pytest.param("heavy_check_mark", None, id="it is done, the other way"),
        pytest.param("memo", None, id="a note"),
        pytest.param("pencil", None, id="a note by its other name"),
        pytest.param("hand::skin-tone-4", None, id="mine, in a tone"),
        pytest.param("raised_hand", None, id="mine by its other name"),
        pytest.param("face_palm::skin-tone-2", None, id="about them, not to them"),
    ],
)
def test_a_reaction_on_a_phone(reaction: str, shown: str | None) -> None:
    """Six have words of their own, others are the emoji, and what is internal or without a character is nothing."""
    assert tapback_of(reaction) == shown


def test_the_bots_own_marks_stay_here() -> None:
    """Whatever the bot puts on a reply says something to the team, also when a person puts it somewhere else."""
    deliveries = [replace(ACCEPTED, status=status) for status in DeliveryStatus]
    replies = [Reply("C1", "1.1", 1, ACCEPTED.author, "Hi", fate) for fate in Fate]
    names = set().union(
        *(marks_of(replies[0], delivery) for delivery in deliveries), *(marks_of(reply, None) for reply in replies)
    )
    assert len(names) >= 8
    assert {name: tapback_of(name) for name in names} == dict.fromkeys(names)


def test_every_name_in_the_lists_is_slacks() -> None:
    """A misspelt name would let through what it is to keep."""
    listed = [name for names in (*tapback._INTERNAL.values(), *tapback._CLASSIC.values()) for name in names]
    assert [name for name in listed if emoji_called(name) is None] == []
    assert len(set(listed)) == len(listed)


def test_a_repeated_name_is_no_choice_between_two() -> None:
    """Nothing is both kept and one of the classic six."""
    assert tapback._KEPT.isdisjoint(tapback._WORDS)
