"""What is asked and said about replies typed in a thread, and the marks on them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bot.blocks.marks import emoji_name, marks_of
from bot.blocks.receipt import receipt
from bot.blocks.remark import remark
from bot.blocks.replies import correction, kept, question, read_question, texting
from bot.reading.reply import Decision, Doubt
from bot.texting.model import (
    REPLY_DELETED,
    REPLY_EDITED,
    Author,
    Channel,
    Delivery,
    DeliveryStatus,
    Fate,
    OutboundFile,
    Remark,
    Reply,
)
from tests.unit.test_blocks import AT, JANE, QUEUED

ANA = Author("U1", "Ana & Co")
REPLY = Reply("C1", "1.2", 1, ANA, "See you <b>", Fate.ASKED)
WHO, BY = "*Jane &lt;3 Doe*", "Ana &amp; Co"
TYPED = replace(QUEUED, typed=True, author=ANA, body="See you <b>")
FILE = OutboundFile("F1", "plan.pdf", "application/pdf", 1)


def asked(*doubts: Doubt, words: str = "", answered_by: str | None = None, writing_by: str | None = None) -> Decision:
    return Decision(Fate.ASKED, REPLY.body, doubts, words=words, answered_by=answered_by, writing_by=writing_by)


def labels(payload: dict[str, Any]) -> list[str]:
    return [element["text"]["text"] for element in payload["blocks"][-1]["elements"]]


def test_a_question_gives_the_words() -> None:
    """Why it is asked, the words as a phone shows them, and two buttons that say which reply they are about."""
    payload = question(replace(REPLY, changed_ts="3.4"), asked(Doubt.MENTION), JANE)
    said = f"⏸️ This was not texted to {WHO} yet: it mentions a teammate."
    assert payload["text"] == said
    assert payload["blocks"][:-1] == [
        {"type": "section", "text": {"type": "mrkdwn", "text": said}},
        {"type": "section", "text": {"type": "plain_text", "text": "See you <b>", "emoji": False}},
    ]
    assert labels(payload) == ["Text it to Jane <3 Doe", "Keep as note"]
    assert {element["value"] for element in payload["blocks"][-1]["elements"]} == {"1.2:3.4"}


@pytest.mark.parametrize(
    ("decision", "why", "yes"),
    [
        pytest.param(asked(Doubt.CHANNEL), "it links a channel", "Text it to Jane <3 Doe", id="a channel"),
        pytest.param(asked(Doubt.LINK), "it leads into this Slack workspace", "Text it to Jane <3 Doe", id="a link"),
        pytest.param(asked(Doubt.NOTE), "it looks like a note", "Text it to Jane <3 Doe", id="like a note"),
        pytest.param(
            asked(Doubt.COLLEAGUE, answered_by="U2"),
            "<@U2> texted them just now",
            "Text it to Jane <3 Doe",
            id="a colleague",
        ),
        pytest.param(
            asked(Doubt.WRITING, writing_by="U2"),
            "<@U2> is writing to them right now",
            "Text it to Jane <3 Doe",
            id="a colleague who is writing",
        ),
        pytest.param(asked(Doubt.DONE), "this thread is done", "Reopen and text it", id="done"),
        pytest.param(asked(Doubt.FILES), "its files cannot go with it", "Text the words only", id="files"),
        pytest.param(
            asked(Doubt.NOTE, Doubt.DONE, Doubt.FILES),
            "it looks like a note, this thread is done and its files cannot go with it",
            "Reopen and text the words only",
            id="several",
        ),
        pytest.param(asked(Doubt.EDITED), "you edited it", "Text it to Jane <3 Doe", id="edited"),
    ],
)
def test_a_question_says_why(decision: Decision, why: str, yes: str) -> None:
    """Each doubt in words, and the button says what it does."""
    payload = question(REPLY, decision, JANE)
    assert payload["text"] == f"⏸️ This was not texted to {WHO} yet: {why}."
    assert labels(payload) == [yes, "Keep as note"]


def test_a_question_that_somebody_wanted() -> None:
    """It only asks; what is in the files' way stands below, and files that go are named."""
    payload = question(replace(REPLY, files=(FILE,)), asked(Doubt.CHOSEN, words="No <address>."), JANE)
    assert payload["text"] == f"Text this to {WHO}?"
    assert payload["blocks"][1]["elements"][0]["text"] == "No &lt;address&gt;."
    assert "plan.pdf" in str(payload["blocks"])


def test_the_longest_reply_fits_a_question() -> None:
    """A section takes 3000 characters, a button 75, and people have long names."""
    payload = question(replace(REPLY, body="x" * 2000), asked(Doubt.NOTE), replace(JANE, name="x" * 200))
    assert all(len(label) <= 75 for label in labels(payload))


@pytest.mark.parametrize(
    ("value", "read"),
    [("1.2:3.4", ("1.2", "3.4")), ("1.2:", ("1.2", None)), ("1.2", ("1.2", None)), ("", ("", None))],
)
def test_which_reply_a_button_is_about(value: str, read: tuple[str, str | None]) -> None:
    """Whatever a client sends is read."""
    assert read_question(value) == read


def test_one_line_stands_where_the_question_was() -> None:
    """What became of it, in short."""
    assert texting(replace(REPLY, body="x " * 60), JANE)["text"].startswith(f"Texting {WHO}: “x x")
    assert texting(replace(REPLY, body="", files=(FILE,)), JANE)["text"] == f"Texting {WHO}: 📎 plan.pdf"
    assert kept()["text"] == "Kept as a note. It was not texted."


@pytest.mark.parametrize(
    ("kind", "arrived", "said"),
    [
        (REPLY_EDITED, True, f"✏️ {BY} edited <https://x|a reply> after it was texted. {WHO} still has the original."),
        (REPLY_EDITED, False, f"✏️ {BY} edited <https://x|a reply> after it was texted. {WHO} gets the original."),
        (REPLY_DELETED, True, f"🗑️ A reply of {BY}'s was deleted after it was texted. {WHO} still has it."),
        (REPLY_DELETED, False, f"🗑️ A reply of {BY}'s was deleted after it was texted. {WHO} gets it all the same."),
    ],
)
def test_a_remark_offers_a_correction(kind: str, arrived: bool, said: str) -> None:
    """It says what the person has, and not what they should not have read."""
    about = {"conversation_id": "C1", "ts": "1.2", "author": ANA.name, "arrived": arrived, "url": "https://x"}
    payload = remark(Remark(UUID(int=1), 1, kind, about, AT), JANE)
    assert payload["text"] == said
    [block] = payload["blocks"]
    assert (block["accessory"]["text"]["text"], block["accessory"]["value"]) == ("Send a correction", "C1:1.2")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(REPLY, "See you <b>", id="deleted"),
        pytest.param(replace(REPLY, now_body="See you at six"), "See you at six", id="edited"),
        pytest.param(replace(REPLY, now_body="x" * 3000), "x" * 2000, id="edited and too long"),
        pytest.param(replace(REPLY, now_body=""), None, id="edited to nothing"),
    ],
)
def test_a_correction_begins_with_words(reply: Reply, words: str | None) -> None:
    """Those of the edit, or those that are gone."""
    form = correction(reply, JANE, here="C1")
    assert form["blocks"][-1]["element"].get("initial_value") == words
    assert form["private_metadata"] == "C1:1.2"


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({"status": DeliveryStatus.QUEUED}, {"hourglass_flowing_sand"}),
        ({"status": DeliveryStatus.SENT}, {"outbox_tray"}),
        ({"status": DeliveryStatus.DELIVERED}, {"white_check_mark"}),
        ({"status": DeliveryStatus.READ}, {"eyes"}),
        ({"status": DeliveryStatus.FAILED}, {"warning"}),
        ({"status": DeliveryStatus.CANCELLED}, {"no_entry_sign"}),
        ({"actual_channel": Channel.IMESSAGE}, {"hourglass_flowing_sand"}),
        ({"actual_channel": Channel.SMS}, {"hourglass_flowing_sand", "large_green_circle"}),
        ({"actual_channel": Channel.RCS}, {"hourglass_flowing_sand", "large_purple_circle"}),
        (
            {"actual_channel": Channel.IMESSAGE, "expected_channel": Channel.SMS},
            {"hourglass_flowing_sand", "large_blue_circle"},
        ),
        ({"actual_channel": Channel.SMS, "expected_channel": None}, {"hourglass_flowing_sand"}),
        ({"reactions": ("love", "🎉", "no emoji")}, {"hourglass_flowing_sand", "heart", "tada"}),
    ],
)
def test_the_marks_of_a_texted_reply(changes: dict[str, Any], marks: set[str]) -> None:
    """Where it stands, the channel if it is another than expected, and what the person put on it."""
    assert marks_of(replace(REPLY, fate=Fate.TEXTED), replace(TYPED, **changes)) == marks


@pytest.mark.parametrize(
    ("fate", "marks"),
    [
        (Fate.NOTE, {"memo"}),
        (Fate.ASKED, {"double_vertical_bar"}),
        (Fate.REFUSED, {"no_entry_sign"}),
        (Fate.GONE, set()),
    ],
)
def test_the_marks_of_what_was_not_texted(fate: Fate, marks: set[str]) -> None:
    """One at most."""
    assert marks_of(replace(REPLY, fate=fate), None) == marks


@pytest.mark.parametrize(
    ("reaction", "name"),
    [
        ("love", "heart"),
        ("like", "+1"),
        ("dislike", "-1"),
        ("laugh", "joy"),
        ("emphasize", "bangbang"),
        ("question", "question"),
        ("❤️", "heart"),
        ("❤", "heart"),
        ("👍🏽", "+1::skin-tone-4"),
        ("🇩🇪", "de"),
        ("no emoji", ""),
        ("", ""),
    ],
)
def test_what_slack_calls_a_tapback(reaction: str, name: str) -> None:
    """The six classic ones and every emoji that Slack knows, with or without what makes it look like one."""
    assert emoji_name(reaction) == name


def test_the_receipt_of_a_typed_text_is_short() -> None:
    """Its words stand above it already: an excerpt says which one it is."""
    failed = replace(TYPED, body="x " * 60, status=DeliveryStatus.FAILED, error_code="not_sent", error_words="No.")
    payload = receipt(failed)
    first, _, second = payload["text"].partition("\n")
    assert first.startswith("Ana &amp; Co: “x x")
    assert len(first) < 90
    assert second == "⚠️ *Not sent.* No."
    assert [block["type"] for block in payload["blocks"]] == ["context", "actions"]


def test_the_receipt_of_a_typed_file() -> None:
    """Without words its name says which one it is."""
    delivery: Delivery = replace(TYPED, body="", files=(FILE,))
    assert receipt(delivery)["text"].startswith("Ana &amp; Co: 📎 plan.pdf\n")
