"""What channels are told of and choose, and what is said about who looks after whom."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.blocks.announcement import News, announcement
from bot.blocks.channel_settings import QUIET, REPLIES, read_settings, saved, settings_form
from bot.blocks.composer import also_writing, crossed
from bot.blocks.notice import handed_off
from bot.blocks.ownership import TO, hand_off_form, looks_after, not_handed_off, read_hand_off
from bot.texting.model import Address, Author, Choices, Person, Thread

AT = datetime(2026, 1, 2, 14, 2, tzinfo=UTC)
ANA, BEN = Author("U1", "Ana"), Author("U2", "Ben <b>")
THREAD = Thread(7, "+15550109999", "C1", "1.2", None, ANA)
JANE = Person(1, "T1", Address("+15551234567"), "Jane <3 Doe", None)
WROTE = News(JANE, 1, None, done=False, url="https://x/p1")


def words(payload: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = payload["blocks"][0]["elements"][0]["elements"]
    return found


def test_an_announcement_is_elements_and_no_markup() -> None:
    """A name cannot format, mention or link anything; its link leads to the text."""
    assert announcement([WROTE]) == {
        "text": "💬 Jane &lt;3 Doe wrote",
        "blocks": [
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "text", "text": "💬 "},
                            {"type": "link", "text": "Jane <3 Doe", "url": "https://x/p1", "style": {"bold": True}},
                            {"type": "text", "text": " wrote"},
                        ],
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("news", "line"),
    [
        pytest.param([replace(WROTE, texts=3)], "💬 Jane <3 Doe wrote 3 texts", id="several texts"),
        pytest.param([replace(WROTE, answered_by="Ben")], "💬 Jane <3 Doe wrote, Ben answered", id="answered"),
        pytest.param(
            [replace(WROTE, texts=2, answered_by="Ben", done=True)],
            "💬 Jane <3 Doe wrote 2 texts, done by Ben",
            id="done without an answer",
        ),
        pytest.param(
            [WROTE, replace(WROTE, person=replace(JANE, name=None), url=None)],
            "💬 Jane <3 Doe wrote · +1 555-123-4567 wrote",
            id="two, one of them without a name",
        ),
        pytest.param(
            [replace(WROTE, person=replace(JANE, name="J"))] * 17,
            "💬 " + " · ".join(["J wrote"] * 15) + " · and 2 more",
            id="very many",
        ),
    ],
)
def test_an_announcement_is_one_line(news: list[News], line: str) -> None:
    """Who wrote, how much, and what came of it."""
    assert "".join(word["text"] for word in words(announcement(news))) == line


def state(form: dict[str, Any], **chosen: str) -> dict[str, Any]:
    """What Slack gives back of a form in which these were chosen."""
    values = {name: {name: {"selected_option": {"value": value}}} for name, value in chosen.items()}
    return {"private_metadata": form["private_metadata"], "state": {"values": values}}


@pytest.mark.parametrize("choices", [Choices(), Choices("asked_for", 0), Choices("never", 1440)], ids=str)
def test_settings_survive_the_form(choices: Choices) -> None:
    """What is so is chosen in it, and comes back as it was."""
    form = settings_form("C1", choices)
    menus = {block["block_id"]: block["element"] for block in form["blocks"] if block["type"] == "input"}
    chosen = {name: menu["initial_option"]["value"] for name, menu in menus.items()}
    assert read_settings(state(form, **chosen)) == ("C1", choices)
    for menu in menus.values():
        for option in menu["options"]:
            assert len(option["text"]["text"]) <= 75


@pytest.mark.parametrize("chosen", [{REPLIES: "loudly", QUIET: "60"}, {REPLIES: "texted", QUIET: "1"}], ids=str)
def test_settings_that_were_not_offered_are_none(chosen: dict[str, str]) -> None:
    """What comes back is the client's."""
    with pytest.raises(ValueError, match=r"^not offered$"):
        read_settings(state(settings_form("C1", Choices()), **chosen))


def test_what_was_saved_is_said_in_whole_sentences() -> None:
    """Also that nothing changed."""
    assert saved(Choices("never", 0), news=True)["text"] == (
        "⚙️ Saved. Replies in threads here stay here: this channel only shows what comes in. "
        "New texts in old threads are not announced."
    )
    assert saved(Choices(), news=False)["text"].startswith("⚙️ Nothing changed. Replies in threads here are texted; ")


@pytest.mark.parametrize(
    ("thread", "said"),
    [
        pytest.param(THREAD, "You look after *Jane &lt;3 Doe* already.", id="they themselves"),
        pytest.param(
            replace(THREAD, owner=BEN), "*Ben &lt;b&gt;* looks after *Jane &lt;3 Doe* already.", id="a colleague"
        ),
        pytest.param(
            replace(THREAD, done_at=AT, done_by="Ben"),
            "*Jane &lt;3 Doe* is done, *Ben* said so. Press Reopen first.",
            id="it is done",
        ),
        pytest.param(
            replace(THREAD, owner=None),
            "Nobody looks after *Jane &lt;3 Doe* any more. Press Claim again.",
            id="nobody",
        ),
    ],
)
def test_why_nothing_came_of_a_claim(thread: Thread, said: str) -> None:
    """Who has them, or what to do first."""
    assert looks_after(JANE, thread, "U1")["text"] == said


def test_the_form_to_hand_over_remembers_who_had_them() -> None:
    """So that nobody takes a person from whom they did not see."""
    for thread, owner_id in ((THREAD, "U1"), (replace(THREAD, owner=None), None)):
        form = hand_off_form(JANE, thread)
        view = {**form, "state": {"values": {TO: {TO: {"selected_user": "U2"}}}}}
        read = read_hand_off(view)
        assert (read.thread_id, read.owner_id, read.to) == (7, owner_id, "U2")
        view["state"]["values"][TO][TO]["selected_user"] = None
        assert read_hand_off(view).to is None


@pytest.mark.parametrize(
    ("thread", "said"),
    [
        pytest.param(replace(THREAD, owner=BEN), "Ben <b> looks after Jane <3 Doe already.", id="it was so"),
        pytest.param(THREAD, "Meanwhile Ana took over. Close this and look again.", id="somebody was faster"),
        pytest.param(
            replace(THREAD, done_at=AT), "Jane <3 Doe is done by now. Reopen them first.", id="it was done meanwhile"
        ),
        pytest.param(
            replace(THREAD, owner=None),
            "Nobody looks after Jane <3 Doe any more. Close this and look again.",
            id="gone",
        ),
    ],
)
def test_why_nobody_was_handed_over(thread: Thread, said: str) -> None:
    """Under the field, in plain text."""
    assert not_handed_off(JANE, thread, "U2") == said


def test_whoever_gets_a_person_hears_how_long_they_wait() -> None:
    """And where."""
    waiting = handed_off(JANE, replace(THREAD, waiting_since=AT), by_name="Ben <b>", url="https://x/p1")
    assert waiting["text"] == "🤝 *Ben &lt;b&gt;* handed *Jane &lt;3 Doe* over to you."
    assert waiting["blocks"][1]["elements"][0]["text"] == (
        "They have been waiting since <!date^1767362520^{date_short_pretty} at {time}|2 Jan 2026 14:02 UTC>"
        " · <https://x/p1|Open the thread>"
    )
    assert len(handed_off(JANE, THREAD, by_name="Ben", url=None)["blocks"]) == 1


@pytest.mark.parametrize(
    ("others", "said"),
    [
        pytest.param([], "", id="nobody"),
        pytest.param([BEN], "✍️ *Ben &lt;b&gt;* is writing to them right now.", id="one"),
        pytest.param([ANA, BEN], "✍️ *Ana* and *Ben &lt;b&gt;* are writing to them right now.", id="two"),
        pytest.param([ANA] * 5, "✍️ *Ana*, *Ana* and *Ana* are writing to them right now.", id="many: three are enough"),
    ],
)
def test_who_else_is_writing(others: list[Author], said: str) -> None:
    """By name."""
    assert also_writing(others) == said


def test_a_colleagues_text_is_quoted_under_the_message() -> None:
    """In plain text, as far as it helps to know which it was."""
    assert crossed(ANA, "I <b> have it") == (
        "Meanwhile Ana texted them: “I <b> have it”. Press Send again to send yours too."
    )
    assert crossed(ANA, "") == "Meanwhile Ana sent them a file. Press Send again to send yours too."
    assert crossed(ANA, None) == "Meanwhile Ana texted them, too. Press Send again to send yours too."
    assert len(crossed(ANA, "x" * 2000)) < 200
