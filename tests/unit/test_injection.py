"""Hostile texts and names, as Slack would read what we post: they are words and nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bot.blocks.announcement import News, announcement
from bot.blocks.card import card, label
from bot.blocks.inbound import SHOW_ALL, face_name, inbound, whole
from bot.blocks.mrkdwn import Payload
from bot.texting.model import Address, Channel, FileStatus, Inbound, InboundFile, Person, Thread
from sandbox.slack.content import read_content
from sandbox.slack.markup import links, mentions
from sandbox.slack.model import Message
from sandbox.slack.views import read_view
from tests.hostile import TEXTS

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
ADDRESS = Address("+15551234567")
HOSTILE = [pytest.param(words, id=name) for name, words in TEXTS.items()]


class Nobody:
    """A directory of nobody: whoever is mentioned all the same counts by their id."""

    people: dict[str, Any] = {}  # noqa: RUF012 (nothing is put in)
    groups: dict[str, Any] = {}  # noqa: RUF012
    conversations: dict[str, Any] = {}  # noqa: RUF012


def text(body: str, **details: Any) -> Inbound:
    return Inbound(UUID(int=1), "msg_1", 1, body, Channel.SMS, NOW, NOW, **details)


def person(name: str | None) -> Person:
    return Person(1, "T1", ADDRESS, name, None)


def as_slack_reads(payload: Payload) -> Message:
    """What Slack makes of a payload. Raises SlackError for what it would refuse."""
    content = read_content(payload)
    return Message("C1", "1.1", "UBOT", text=content.text, blocks=content.blocks)


def strings(value: Any) -> Iterator[dict[str, Any]]:
    """Every text object in blocks."""
    if isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        if value.get("type") in {"mrkdwn", "plain_text", "markdown"}:
            yield value
        for one in value.values():
            yield from strings(one)


def shown(payload: Payload) -> str:
    """What stands in the blocks."""
    return "\n".join(one["text"] for one in strings(payload["blocks"]))


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_texts(words: str) -> None:
    """Nobody is mentioned, nothing can be clicked, nothing is formatted, and Slack takes it."""
    drawn = inbound(text(words))
    message = as_slack_reads(drawn)
    assert mentions(message, Nobody()) == []
    assert links(message) == []
    assert all(one["type"] == "plain_text" for one in strings(drawn["blocks"]))
    assert all(one["emoji"] is False for one in strings(drawn["blocks"]) if one["text"] in words)
    assert not {"<", ">"} & set(drawn["text"])
    assert (drawn["mrkdwn"], drawn["parse"], drawn["link_names"]) == (False, "none", False)
    assert 0 < len(drawn["text"]) <= 2_000
    assert shown(drawn).count("\n") <= 110
    drawn["text"].encode()
    json.dumps(drawn, ensure_ascii=False).encode()


@pytest.mark.parametrize("words", HOSTILE)
def test_what_they_quote_how_they_react_and_what_they_send(words: str) -> None:
    """What else comes with a text is as harmless."""
    file = InboundFile(UUID(int=2), "https://files.example/x", words, None, FileStatus.REFUSED, "is too large.")
    message = as_slack_reads(inbound(text("Yes", quoted=words, reactions=(words,), files=(file,))))
    assert mentions(message, Nobody()) == []
    assert links(message) == []


@pytest.mark.parametrize("words", HOSTILE)
def test_all_of_a_long_text(words: str) -> None:
    """Slack takes the form that shows it all, which is as harmless."""
    view = whole(text(words or "x"))
    read_view(view, "modal")
    assert all(one["type"] == "plain_text" for one in strings(view["blocks"]))
    assert len(json.dumps(view)) < 250_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Whoever is called like that has a card, is announced, and stands over their texts, by a name and nothing else."""
    who = person(name)
    thread = Thread(1, "+15550109999", "C1", None, None, None)
    for drawn in (card(who, thread, owner_name="Ana"), announcement([News(who, 1, None, done=False, url=None)])):
        message = as_slack_reads(drawn)
        assert mentions(message, Nobody()) == []
        assert links(message) == []
    face = face_name(who)
    assert 0 < len(face) <= 80
    assert "\n" not in face
    assert face.endswith(" (text)") or face == "+1 555-123-4567"
    assert label(who).strip()


@pytest.mark.parametrize("name", ["Ana", "Texting", "Slackbot", "Ana Alvarez (text)", "A" * 300, "\u202eanA"])
def test_nobody_passes_for_a_colleague(name: str) -> None:
    """Over what somebody texted it says that they text, whatever they call themselves."""
    assert face_name(person(name)).endswith(" (text)")
    assert len(face_name(person(name))) <= 80


def test_nobody_without_a_name() -> None:
    """Whom we do not know stands there by their number, which is no colleague's name."""
    assert face_name(person(None)) == "+1 555-123-4567"


def test_a_text_as_it_is_drawn() -> None:
    """Their words alone; above them what they answer to, if they quoted it."""
    drawn = inbound(text("Yes <3", quoted="Shall I\nkeep *it*?"))
    assert drawn == {
        "text": "Yes &lt;3",
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "blocks": [
            {
                "type": "context",
                "elements": [{"type": "plain_text", "text": "↪ “Shall I keep *it*?”", "emoji": False}],
            },
            {"type": "section", "text": {"type": "plain_text", "text": "Yes <3", "emoji": False}},
        ],
    }


@pytest.mark.parametrize(
    ("body", "more"),
    [
        pytest.param("x" * 6_000, None, id="it just fits"),
        pytest.param("x" * 6_001, "… 1 more character", id="by one"),
        pytest.param("x" * 20_000, "… 14,000 more characters", id="a long one"),
        pytest.param("\n".join("ab" for _ in range(1_000)), "… 2,699 more characters", id="many lines"),
        pytest.param("a" + "\n" * 50_000 + "b", None, id="what is not shown is not more"),
    ],
)
def test_the_beginning_of_a_long_text(body: str, more: str | None) -> None:
    """It says how much more there is, and a button shows it."""
    last = inbound(text(body))["blocks"][-1]
    if more is None:
        assert "accessory" not in last
    else:
        assert last["text"]["text"] == more
        assert last["accessory"]["action_id"] == SHOW_ALL
        assert last["accessory"]["value"] == str(UUID(int=1))


def test_all_of_a_text_is_all_of_it() -> None:
    """Nothing is lost between the pieces."""
    body = " ".join(str(number) for number in range(4_000))
    assert "".join(one["text"]["text"] for one in whole(text(body))["blocks"]) == body


def test_a_text_that_is_too_long_for_a_form() -> None:
    """It says how much of it is not there."""
    last = whole(text("é" * 100_000))["blocks"][-1]["elements"][0]["text"]
    assert last.endswith(" more characters, which are too many to show here")


def test_a_text_without_words() -> None:
    """Something stands there all the same, unless there are files."""
    assert shown(inbound(text("\u200b"))) == "(a text without words)"
    file = InboundFile(UUID(int=2), "https://files.example/x", "cat.jpg", None, FileStatus.SHARED)
    assert "without words" not in shown(inbound(text("", files=(file,))))
