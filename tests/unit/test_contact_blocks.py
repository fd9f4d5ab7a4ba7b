"""How the address book is drawn: what people read, and that Slack takes it whatever is in it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bot.blocks import contact_forms, contacts
from bot.blocks.contact_forms import Outcome, Typed
from bot.blocks.contacts import Button
from bot.texting.errors import (
    AllowanceUsedUp,
    BlooioTrouble,
    Disconnected,
    LineOffline,
    NotAccepted,
    NotAllowed,
    NotFound,
    NotRead,
    TextingError,
    Throttled,
    Unavailable,
)
from bot.texting.model import Address, Author, Capabilities, Channel, Contact, Delivery, DeliveryStatus, History, Person
from sandbox.slack.blocks import MOST_SUMMED, check, summed_length
from sandbox.slack.views import read_view

NOW = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
JANE = Contact(Address("+15551234567"), "Jane Doe", ("vip", "west coast"))
DRAFT = UUID(int=7)

WORST = Contact(
    Address(f"{'&' * 64}@{'x' * 60}.{'y' * 60}.example"), "&" * 255, tuple(f"{'&' * 47}{n:03}" for n in range(100))
)
PEOPLE = {
    "the longest": WORST,
    "emoji": Contact(JANE.address, "👩‍👩‍👧‍👦" * 36, ("🌸" * 50,)),
    "right to left": Contact(JANE.address, "محمد العلي", ("عميل",)),
    "only spaces": Contact(JANE.address, "  \n ", ("x",)),
    "longer than ours": Contact(JANE.address, "x" * 2900, ("y" * 3000,)),
    "nothing": Contact(JANE.address, None),
}


def history(
    *, imessage: bool | None = True, sms: bool | None = True, texts: int = 1, body: str = "Hi\nJane"
) -> History:
    person = Person(1, "T1", JANE.address, "Jane Doe", Capabilities(imessage, sms, NOW))
    delivery = Delivery(
        id=DRAFT,
        key=DRAFT,
        thread_id=1,
        body=body,
        author=Author("U1", "Ana"),
        status=DeliveryStatus.DELIVERED,
        expected_channel=Channel.IMESSAGE,
        actual_channel=Channel.IMESSAGE,
        message_id="msg_1",
        attempts=1,
        attempted_at=NOW,
        retry_at=None,
        requested_at=NOW,
        accepted_at=NOW,
        sent_at=NOW,
        delivered_at=NOW,
        read_at=None,
        failed_at=None,
        error_code=None,
        error_words=None,
    )
    return History(person, None, (delivery,) * texts)


def test_a_card() -> None:
    """Who they are, what reaches them and since when that is known, the last texts, and what can be done."""
    day = "<!date^1767366240^{date_short_pretty}, {time}|Jan 2, 15:04 UTC>"
    delivered = "🔵 iMessage · Delivered <!date^1767366240^{time}|15:04 UTC>"
    address = "+15551234567"
    confirm = {
        "title": "Opt them out?",
        "text": "Nothing is texted to Jane Doe until they write START, or an admin allows it.",
        "confirm": "Opt out",
        "deny": "Cancel",
    }
    confirm = {part: {"type": "plain_text", "text": words} for part, words in confirm.items()}
    assert contacts.card("Saved: *Jane Doe*.", JANE, history(), thread_url="https://x.example/p1") == {
        "text": "Saved: *Jane Doe*.",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "Saved: *Jane Doe*."}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Jane Doe* · +1 555-123-4567"}},
            _context(f"🔵 iMessage · checked {day} · <https://x.example/p1|Open the thread>"),
            _context("🏷️ vip, west coast"),
            _context(f"{day} · <@U1>: Hi Jane\n{delivered}"),
            {
                "type": "actions",
                "elements": [
                    _button("Text", "contact_text", address),
                    _button("Edit", "contact_edit", address),
                    _button("Check now", "contact_check", address),
                    _button("Opt out…", "contact_opt_out", address) | {"confirm": confirm},
                ],
            },
        ],
    }


def test_texts_where_whoever_looks_is_not() -> None:
    """Who wrote, when, and what became of it; not the words."""
    seen = history(texts=2)
    [text, _] = seen.texts
    card = str(contacts.card("", JANE, replace(seen, unseen=frozenset({text.id})), thread_url=None))
    assert card.count("<@U1>: 🔒 in a conversation that you are not in\\n🔵 iMessage · Delivered") == 2
    assert "Hi Jane" not in card


def test_somebody_who_opted_out() -> None:
    """It stands where what they can receive does, and an admin can do something about it; the bot has no mention."""
    before = history()
    [text] = before.texts
    confirmation = replace(text, author=Author("", "Texting"), automatic=True)
    out = History(replace(before.person, opted_out_since=NOW), None, (confirmation,))
    blocks = contacts.card_blocks(JANE, out, thread_url="https://x.example/p1")
    since = "🚫 Opted out since <!date^1767366240^{date_short_pretty}|2 Jan 2026>"
    assert blocks[1] == _context(f"{since} · <https://x.example/p1|Open the thread>")
    assert "· Texting: Hi Jane" in blocks[3]["elements"][0]["text"]
    assert [one["text"]["text"] for one in blocks[-1]["elements"]] == ["Allow texts again…", "Edit", "Check now"]
    row = contacts.page([replace(JANE, opted_out_since=NOW)], typed="", offset=0)["blocks"][1]
    assert row["text"]["text"].startswith(f"*Jane Doe* · +1 555-123-4567 · {since}\n")


def _context(text: str) -> dict:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _button(text: str, action_id: str, value: str) -> dict:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id, "value": value}


@pytest.mark.parametrize(
    ("address", "imessage", "sms", "words"),
    [
        (JANE.address, True, True, "🔵 iMessage · checked"),
        (JANE.address, False, True, "🟢 SMS · checked"),
        (JANE.address, False, None, "No iMessage · checked"),
        (JANE.address, False, False, "Neither iMessage nor SMS · checked"),
        (JANE.address, None, None, "Blooio does not know what they can receive · checked"),
        (Address("jane@x.example"), False, None, "No iMessage, and an email address gets nothing else · checked"),
    ],
)
def test_what_they_can_receive(address: Address, imessage: bool | None, sms: bool | None, words: str) -> None:
    """Unknown is not no."""
    blocks = contacts.card_blocks(replace(JANE, address=address), history(imessage=imessage, sms=sms), thread_url=None)
    assert blocks[1]["elements"][0]["text"].startswith(words)


def test_nothing_was_checked_yet() -> None:
    """Nor was anybody texted."""
    blocks = contacts.card_blocks(JANE, None, thread_url=None)
    assert blocks[1] == _context("Not checked yet what they can receive")


@pytest.mark.parametrize("contact", PEOPLE.values(), ids=PEOPLE)
def test_slack_takes_everybody(contact: Contact) -> None:
    """Every message and every form about them keeps Block Kit's limits, whatever they are called."""
    texts = history(texts=3, body="&" * 2000)
    for payload in (
        contacts.card("Saved", contact, texts, thread_url="https://x.example/p1"),
        contacts.card(contacts.added(contact, new=False, untagged=True), contact, texts, thread_url=None),
        contacts.card(contacts.renamed(contact, contact), contact, None, thread_url=None),
        contacts.page([contact] * 11, typed="&" * 255, offset=10),
        contacts.which_of([contact] * 6, doing="Untag", draft_id=DRAFT, typed="/contact show " + "&" * 255),
        contacts.nobody_called("&" * 255, [contact] * 3, doing="Untag", draft_id=DRAFT, typed="/contact show x"),
        contacts.not_in_book(contact.address, draft_id=DRAFT, typed="/contact show x"),
        contacts.no_form("/contact edit x", Button.EDIT, contact.address),
        contacts.saving(contacts.called(contact)),
    ):
        assert check(payload["blocks"]) == []
        assert summed_length(payload["blocks"]) <= MOST_SUMMED
    card = contacts.card_blocks(contact, texts, thread_url=None, in_form=True)
    read_view(contact_forms.outcome(Outcome("Already there", "Saved", tuple(card)), "C1"), "modal")
    shown = contact_forms.shown_of(contact)
    if len(contact.name or "") <= 1000:  # Slack takes no form about a longer name, and somebody is told
        typed = contact_forms.written_of(shown, "C1")
        notice = contacts.renamed_meanwhile(contact, contact.name)
        read_view(contact_forms.edit_form(shown, typed, notice=notice), "modal")


def test_a_page() -> None:
    """The buttons say what was looked for and where they lead."""
    page = contacts.page([JANE] * 11, typed="jan", offset=10)
    assert page["text"] == "People for “jan”"
    assert page["blocks"][1] == {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*Jane Doe* · +1 555-123-4567\n🏷️ vip, west coast"},
        "accessory": _button("Show", "contact_show", "+15551234567"),
    }
    [previous, following] = page["blocks"][-1]["elements"]
    assert (previous["text"]["text"], following["text"]["text"]) == ("← Previous", "Next →")
    assert [contacts.read_place(one["value"]) for one in (previous, following)] == [("jan", 0), ("jan", 20)]
    assert page["blocks"][-2] == _context("11 to 20")


def test_the_list_is_sorted_by_time() -> None:
    """Its buttons say so, and its last page has none to go on."""
    page = contacts.page([JANE] * 3, typed="", offset=20)
    assert page["text"] == "Everybody in the address book, the latest texts first"
    assert [one["text"]["text"] for one in page["blocks"][-1]["elements"]] == ["← Newer"]
    assert contacts.page([JANE], typed="", offset=0)["blocks"][-1]["type"] == "section"


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"typed": "x"}', '{"typed": "x", "offset": null}', "nonsense"])
def test_a_page_that_is_none_of_ours(value: str) -> None:
    """What comes back from a button is the client's."""
    with pytest.raises(ValueError, match=r".*"):
        contacts.read_place(value)


def test_names_are_harmless() -> None:
    """No name mentions a channel; one that is written from right to left ends where it ends."""
    assert contacts.title(Contact(JANE.address, "<!channel>")) == "*&lt;!channel&gt;* · +1 555-123-4567"
    assert contacts.title(Contact(JANE.address, "محمد")) == "*\u2068محمد\u2069* · +1 555-123-4567"
    assert contacts.title(Contact(JANE.address, "Jane\n Doe")) == "*Jane Doe* · +1 555-123-4567"
    assert contacts.title(Contact(JANE.address, None)) == "*+1 555-123-4567*"


def test_as_many_tags_as_there_is_room_for() -> None:
    """The rest are counted."""
    assert contacts.tags(("vip",)) == "vip"
    assert contacts.tags("x" * 50 for _ in range(100)).endswith(f"{'x' * 50} and 76 more")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAccepted(), "Blooio did not accept this. Check the number, the name and the tags."),
        (NotFound(), "Blooio does not have this contact any more. Add it with /contact add."),
        (BlooioTrouble(), "Blooio did not answer, so this may not be saved. Try again: nothing is done twice."),
        (Throttled(), "Blooio did not answer, so this may not be saved. Try again: nothing is done twice."),
        (LineOffline(), "Blooio did not answer, so this may not be saved. Try again: nothing is done twice."),
        (Disconnected(), Disconnected.words),
        (AllowanceUsedUp(), AllowanceUsedUp.words),
        (NotRead(words="Not read."), "Not read."),
        (NotAllowed(), "Blooio did not save this. Try again, or ask your admin."),
        (Unavailable(), "Blooio did not save this. Try again, or ask your admin."),
    ],
)
def test_why_it_was_not_saved(error: TextingError, words: str) -> None:
    """What is wrong, and what to do about it."""
    assert contacts.not_saved(error) == words


def test_a_form_remembers_what_it_showed() -> None:
    """By that is told what somebody else changed meanwhile."""
    shown = contact_forms.shown_of(JANE)
    form = contact_forms.edit_form(shown, contact_forms.written_of(shown, "C1"))
    state = {"values": {name: {name: {"value": value}} for name, value in (("name", "Jane"), ("tags", None))}}
    view = form | {"state": state}
    assert contact_forms.read_shown(view) == shown
    assert contact_forms.read_typed(view) == Typed("C1", "Jane", "", "")
    assert json.loads(form["private_metadata"])["tags"] == ["vip", "west coast"]


def test_too_many_tags_for_a_form() -> None:
    """They are left alone: the form has no field for them."""
    shown = contact_forms.shown_of(WORST)
    assert shown.tags is None
    form = contact_forms.edit_form(shown, contact_forms.written_of(shown, "C1"))
    assert [block["block_id"] for block in form["blocks"] if block["type"] == "input"] == ["name"]
