"""What is drawn for Slack, out of anything that the database can hold: Slack has to take it, whatever it says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.blocks import (
    announcement,
    answer,
    asking,
    card,
    channel_settings,
    composer,
    contact_forms,
    contacts,
    forms,
    inbound,
    notice,
    opt_outs,
    ownership,
    receipt,
    remark,
    replies,
    whisper,
)
from bot.blooio import reading
from bot.reading.command import MAX_BODY
from bot.reading.reply import Decision, Doubt
from bot.reading.slack_text import plain_text
from bot.texting import errors
from bot.texting.model import (
    REPLY_DELETED,
    REPLY_EDITED,
    Address,
    Author,
    Capabilities,
    Channel,
    Choices,
    Contact,
    Delivery,
    DeliveryStatus,
    Fate,
    FileStatus,
    History,
    Inbound,
    InboundFile,
    OutboundFile,
    Person,
    Remark,
    Reply,
    Requested,
    Thread,
)
from sandbox.slack.content import read_content
from sandbox.slack.errors import SlackError
from sandbox.slack.views import read_view
from tests.proofs.input_mutation import Lots, word
from tests.proofs.input_readers import Reader

_ERRORS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.TextingError)]


class Refused(Exception):
    """Slack would not take it. The words say what it is, and why."""


@dataclass
class Drawn:
    """Values of the domain by lot, as the database can hold them."""

    lots: Lots

    def text(self, longest: int = 30_000) -> str:
        """Return words of anybody's: what comes from Blooio and from Slack is cleaned before it is stored."""
        return reading.text(word(self.lots))[:longest]

    def maybe(self, value: Any) -> Any:
        return value if self.lots.chance(0.6) else None

    def at(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.lots.random.randint(-(10**9), 10**9))

    def address(self) -> Address:
        read = reading.address(
            self.lots.one((self.text(), f"+{self.text()}", f"{self.text()}@b.example", "+15551234567"))
        )
        return read or Address("+15551234567")

    def author(self) -> Author:
        return Author(self.lots.one(("U0ANAALVARE", "", "W1")), self.text())

    def capabilities(self) -> Capabilities:
        known = (True, False, None)
        return Capabilities(self.lots.one(known), self.lots.one(known), self.at())

    def person(self) -> Person:
        capabilities, since = self.maybe(self.capabilities()), self.maybe(self.at())
        return Person(2**62, "T0ACMEHQ001", self.address(), self.maybe(self.text()), capabilities, since)

    def channel(self) -> Channel:
        return Channel(self.lots.one(list(Channel)))

    def thread(self) -> Thread:
        return Thread(
            id=2**63 - 1,
            line=self.lots.one(("", "+15550109999")),
            conversation_id=self.lots.one(("C1", "D1", "U1", "")),
            card_ts=self.maybe("1.1"),
            channel=self.maybe(self.channel()),
            owner=self.maybe(self.author()),
            done_at=self.maybe(self.at()),
            done_by=self.maybe(self.text()),
            waiting_since=self.maybe(self.at()),
        )

    def outbound_files(self) -> tuple[OutboundFile, ...]:
        return tuple(OutboundFile("F1", self.text(), self.text(200), 9) for _ in range(self.lots.random.randrange(3)))

    def reactions(self) -> tuple[str, ...]:
        return tuple(reading.word(self.text()) or "love" for _ in range(self.lots.random.randrange(3)))

    def delivery(self) -> Delivery:
        error = self.lots.one(_ERRORS)
        return Delivery(
            id=UUID(int=1),
            key=UUID(int=1),
            thread_id=1,
            body=plain_text(self.text())[:MAX_BODY] or "x",
            author=self.author(),
            status=self.lots.one(list(DeliveryStatus)),
            expected_channel=self.maybe(self.channel()),
            actual_channel=self.maybe(self.channel()),
            message_id=self.maybe(self.text(400)),
            attempts=self.lots.random.randrange(3),
            attempted_at=self.maybe(self.at()),
            retry_at=self.maybe(self.at()),
            requested_at=self.at(),
            accepted_at=self.maybe(self.at()),
            sent_at=self.maybe(self.at()),
            delivered_at=self.maybe(self.at()),
            read_at=self.maybe(self.at()),
            failed_at=self.maybe(self.at()),
            error_code=self.maybe(error.code),
            error_words=self.maybe(f"Blooio says: {self.text(200)}"),
            held_since=self.maybe(self.at()),
            reactions=self.reactions(),
            again_by=self.maybe(self.text()),
            typed=self.lots.chance(0.5),
            automatic=self.lots.chance(0.2),
            files=self.outbound_files(),
        )

    def requested(self) -> Requested:
        return Requested(self.delivery(), self.thread(), self.person())

    def contact(self) -> Contact:
        tags = tuple(
            self.text() or "vip" for _ in range(self.lots.random.randrange(120) if self.lots.chance(0.2) else 2)
        )
        return Contact(self.address(), self.maybe(self.text(1_000)), tags, self.maybe(self.at()), self.maybe(self.at()))

    def contacts(self, most: int) -> list[Contact]:
        return [self.contact() for _ in range(self.lots.random.randint(1, most))]

    def inbound(self) -> Inbound:
        files = tuple(
            InboundFile(
                UUID(int=2),
                "x",
                self.maybe(self.text()),
                None,
                self.lots.one(list(FileStatus)),
                self.text(200),
                again=True,
            )
            for _ in range(self.lots.random.randrange(12))
        )
        body, quoted = self.text(), self.maybe(self.text())
        return Inbound(UUID(int=1), "m", 1, body, None, self.at(), self.at(), files, quoted, self.reactions())

    def reply(self) -> Reply:
        now = self.maybe(self.text())
        body = plain_text(self.text())[:MAX_BODY] or "x"
        return Reply("C1", "1.1", 1, self.author(), body, Fate.ASKED, None, None, self.outbound_files(), "1.2", now)

    def decision(self) -> Decision:
        doubts = tuple(one for one in Doubt if self.lots.chance(0.3))
        return Decision(Fate.ASKED, "x", doubts, words=self.text(), answered_by="U1", writing_by="U2")

    def remark(self) -> Remark:
        kind = self.lots.one((REPLY_EDITED, REPLY_DELETED, "opted_out", "opted_out_by", "opted_in", "allowed"))
        said = {
            "author": self.text(),
            "url": self.maybe("https://a.example/x"),
            "arrived": True,
            "conversation_id": "C1",
        }
        said |= {
            "ts": "1.1",
            "word": self.text(40),
            "by": self.text(),
            "asked_by": self.text(100),
            "note": self.text(500),
        }
        return Remark(UUID(int=3), 1, kind, said, self.at())

    def history(self) -> History:
        return History(self.person(), self.maybe(self.thread()), tuple(self.delivery() for _ in range(3)))

    def news(self) -> announcement.News:
        return announcement.News(
            self.person(), 3, self.maybe(self.text()), done=False, url=self.maybe("https://a.example")
        )

    def writing(self) -> composer.Writing:
        message, cut = composer.cut(self.text())
        return composer.Writing(
            here="C1",
            home=self.maybe("C1"),
            chosen=composer.option(self.address(), self.maybe(self.text())),
            message=message,
            cut=cut,
            line=self.maybe("+15550109999"),
            outlook=composer.outlook(self.address(), self.maybe(self.capabilities())),
            meanwhile=composer.also_writing([self.author() for _ in range(self.lots.random.randrange(5))]),
            thread_in=self.maybe("C1"),
        )

    def typed(self) -> contact_forms.Typed:
        return contact_forms.Typed("C1", self.text(255), self.text(255), self.text(2_500), "d")


_LINK = "https://acme.slack.com/archives/C1/p1"
_ID = UUID(int=7)
_LINES = [composer.OurLine("+15550109999", reply_only=False), composer.OurLine("+15550109998", reply_only=True)]

MESSAGES: dict[str, Callable[[Drawn], Any]] = {
    "card": lambda d: card.card(d.person(), d.thread(), owner_name=d.maybe(d.text())),
    "receipt": lambda d: receipt.receipt(d.delivery()),
    "inbound": lambda d: inbound.inbound(d.inbound()),
    "announcement": lambda d: announcement.announcement([d.news() for _ in range(d.lots.random.randint(1, 20))]),
    "failed text": lambda d: notice.failed_text(d.requested(), url=d.maybe(_LINK)),
    "handed off": lambda d: notice.handed_off(d.person(), d.thread(), by_name=d.text(), url=_LINK),
    "accepted": lambda d: answer.accepted(d.requested(), asked_in="C1", thread_url=_LINK),
    "problem": lambda d: answer.problem(errors.NotAccepted.words, d.text(40_000)),
    "which person": lambda d: asking.which_of([(one, d.text()) for one in d.contacts(7)], draft_id=_ID, typed=d.text()),
    "nobody": lambda d: asking.nobody_called(d.text(), draft_id=_ID, typed=d.text()),
    "settled": lambda d: asking.settled(d.address(), d.maybe(d.text())),
    "contact": lambda d: contacts.card(
        f"Saved {contacts.bold(d.contact())}", d.contact(), d.history(), thread_url=_LINK
    ),
    "contacts": lambda d: contacts.page(d.contacts(40), typed=d.text(255), offset=0),
    "which contact": lambda d: contacts.which_of(d.contacts(7), doing="edit", draft_id=_ID, typed=d.text()),
    "no contact": lambda d: contacts.nobody_called(d.text(), d.contacts(3), doing="tag", draft_id=_ID, typed=d.text()),
    "looks after": lambda d: ownership.looks_after(d.person(), d.thread(), "U1"),
    "question": lambda d: replies.question(d.reply(), d.decision(), d.person()),
    "texting": lambda d: replies.texting(d.reply(), d.person()),
    "remark": lambda d: remark.remark(d.remark(), d.person()),
    "can get": lambda d: whisper.can_get(d.person(), d.capabilities()),
    "elsewhere": lambda d: whisper.elsewhere(d.requested(), thread_url=_LINK),
    "opted out": lambda d: opt_outs.with_remedy(whisper.refusal(d.text(200)), errors.OptedOut(d.person())),
}

VIEWS: dict[str, Callable[[Drawn], Any]] = {
    "whole text": lambda d: inbound.whole(d.inbound()),
    "edit and send": lambda d: forms.edit_and_send(d.requested(), meanwhile=composer.also_writing([d.author()])),
    "new text": lambda d: composer.new_text(d.writing(), _LINES, new=True),
    "new contact": lambda d: contact_forms.add_form(d.typed()),
    "edit contact": lambda d: contact_forms.edit_form(
        shown := contact_forms.shown_of(d.contact()), contact_forms.written_of(shown, "C1")
    ),
    "contact saved": lambda d: contact_forms.outcome(
        contact_forms.Outcome(
            "Contact",
            contacts.bold(d.contact()),
            tuple(contacts.card_blocks(d.contact(), d.history(), thread_url=_LINK, in_form=True)),
        ),
        "C1",
    ),
    "hand off": lambda d: ownership.hand_off_form(d.person(), d.thread()),
    "correction": lambda d: replies.correction(d.reply(), d.person(), here="C1"),
    "allow": lambda d: opt_outs.allow_form(Person(1, "T1", d.address(), d.text(), None, opted_out_since=d.at()), "C1"),
    "channel settings": lambda d: channel_settings.settings_form("C1", Choices("texted", 60)),
}


def _drawn(lots: Lots) -> list[Any]:
    return [lots.one((*MESSAGES, *VIEWS)), lots.random.getrandbits(48)]


def _draw(given: Any) -> None:
    """Draw one thing, and let Slack look at it."""
    name, number = given
    drawing = Drawn(Lots(name, number))
    if name not in MESSAGES and name not in VIEWS:
        return
    payload = (MESSAGES.get(name) or VIEWS[name])(drawing)
    try:
        if name in MESSAGES:
            read_content(payload)
        else:
            read_view(payload, "modal")
    except SlackError as error:
        raise Refused(f"{name}: {error.args} {vars(error)}") from error
    options = composer.suggested(drawing.contacts(3), drawing.maybe(drawing.address()))
    if any(len(one["text"]["text"]) > 75 or len(one["value"]) > 150 or not one["value"] for one in options):
        raise Refused("suggestions")


READER = Reader("what is drawn", _drawn, _draw, weight=14)
