"""What Blooio told us of one text, in every order in which it can arrive."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from uuid import UUID

import pytest

from bot.blocks.receipt import receipt
from bot.blooio import webhook
from bot.blooio.webhook import Event
from bot.hearing.news import told_by
from bot.texting.model import Author, Channel, Delivery, DeliveryStatus
from bot.texting.routing import catch_up

REQUESTED = datetime(2026, 1, 2, 12, tzinfo=UTC)
ACCEPTED = Delivery(
    id=UUID(int=1), key=UUID(int=1), thread_id=1, body="Hi", author=Author("U1", "Ana"),
    status=DeliveryStatus.QUEUED, expected_channel=Channel.IMESSAGE, actual_channel=None, message_id="msg_1",
    attempts=1, attempted_at=REQUESTED, retry_at=None, requested_at=REQUESTED, accepted_at=REQUESTED, sent_at=None,
    delivered_at=None, read_at=None, failed_at=None, error_code=None, error_words=None,
)  # fmt: skip
JANE, LINE = "+15551234567", "+15550109999"


def at(second: int) -> datetime:
    return REQUESTED + timedelta(seconds=second)


def event(name: str, second: int, **details: object) -> Event:
    """One event as Blooio's flat body has it."""
    body = {
        "event": f"message.{name}",
        "message_id": "msg_1",
        "external_id": JANE,
        "internal_id": LINE,
        "timestamp": int(at(second).timestamp() * 1000),
    }
    return webhook.parse(json.dumps(body | details).encode())


QUEUED = event("queued", 1, protocol="pending")
SENT = event("sent", 2, protocol="imessage")
SENT_AS_SMS = event("sent", 2, protocol="sms")
DELIVERED = event("delivered", 3, protocol="sms")
READ = event("read", 4, protocol=None)
FAILED = event("failed", 5, protocol="sms", error_code="carrier_rejected")
LOVED = event("reaction", 6, reaction="love", action="add", sender=JANE)
LIKED = event("reaction", 7, reaction="like", action="add", sender=JANE)
UNLOVED = event("reaction", 8, reaction="love", action="remove", sender=JANE)


def arrivals(events: tuple[Event, ...]) -> Iterator[tuple[Event, ...]]:
    """Every order of the events, with every subset of them arriving twice."""
    for size in range(len(events) + 1):
        for doubled in combinations(events, size):
            yield from orders({one: 1 + (one in doubled) for one in events})


def orders(left: dict[Event, int]) -> Iterator[tuple[Event, ...]]:
    """Every different order of a bag of events."""
    if not left:
        yield ()
    for one, times in left.items():
        rest = {other: number for other, number in left.items() if other is not one}
        for order in orders(rest | {one: times - 1} if times > 1 else rest):
            yield (one, *order)


@pytest.mark.parametrize(
    ("events", "number", "status", "channel", "times"),
    [
        pytest.param(
            (QUEUED, SENT, DELIVERED, READ), 6384, DeliveryStatus.READ, Channel.SMS, (2, 3, 4), id="every step"
        ),
        pytest.param((SENT_AS_SMS, FAILED), 14, DeliveryStatus.FAILED, Channel.SMS, (2, None, None), id="a failure"),
        pytest.param(
            (SENT, FAILED, DELIVERED), 222, DeliveryStatus.DELIVERED, Channel.SMS, (2, 3, None), id="it failed, or not"
        ),
        pytest.param((FAILED, READ), 14, DeliveryStatus.READ, Channel.SMS, (4, 4, 4), id="steps are missing"),
        pytest.param(
            (READ, LOVED, LIKED, UNLOVED), 6384, DeliveryStatus.READ, None, (4, 4, 4), id="reactions put and taken back"
        ),
    ],
)
def test_every_order_and_every_repeat_end_the_same(
    events: tuple[Event, ...],
    number: int,
    status: DeliveryStatus,
    channel: Channel | None,
    times: tuple[int | None, ...],
) -> None:
    """However a text's events arrive, and each is applied as it does, one row and one receipt are the end."""
    rows, receipts, seen = set(), set(), 0
    for arriving in arrivals(events):
        seen += 1
        stored: dict[str, Event] = {}  # a repeat of the same news is no news
        delivery = ACCEPTED
        for one in arriving:
            stored.setdefault(one.key, one)
            delivery = catch_up(delivery, told_by(stored.values()), at(9)).delivery
        rows.add(delivery)
        receipts.add(json.dumps(receipt(delivery)))

    assert seen == number
    ((end,), (_,)) = rows, receipts
    assert (end.status, end.actual_channel) == (status, channel)
    assert (end.sent_at, end.delivered_at, end.read_at) == tuple(None if s is None else at(s) for s in times)
    assert end.reactions == (("like",) if LIKED in events else ())


def test_what_is_told_takes_nothing_back_that_was_asked() -> None:
    """A status that was asked for stays, when older news arrives after it."""
    asked = replace(ACCEPTED, status=DeliveryStatus.DELIVERED, sent_at=at(2), delivered_at=at(3))
    moved = catch_up(asked, told_by([QUEUED, SENT]), at(9)).delivery
    assert (moved.status, moved.delivered_at, moved.told_at) == (DeliveryStatus.DELIVERED, at(3), at(9))


SAM = "+15557654321"


@pytest.mark.parametrize(
    ("told", "stand"),
    [
        pytest.param(((JANE, "love", "add"), (JANE, "like", "add")), ("like",), id="another takes its place"),
        pytest.param(
            ((JANE, "love", "add"), (JANE, "love", "remove"), (JANE, "like", "add")),
            ("like",),
            id="and Blooio says that the first is gone",
        ),
        pytest.param(((JANE, "love", "add"), (JANE, "love", "add")), ("love",), id="the same twice"),
        pytest.param(
            ((JANE, "love", "add"), (JANE, "like", "remove")), ("love",), id="what was not there is taken back"
        ),
        pytest.param(((JANE, "love", "add"), (JANE, "love", "remove")), (), id="taken back"),
        pytest.param(
            ((JANE, "love", "add"), (JANE, "like", "add"), (JANE, "like", "remove")), (), id="none comes back by itself"
        ),
        pytest.param(((JANE, "love", "remove"),), (), id="only that it was taken back"),
        pytest.param(
            ((JANE, "love", "add"), (SAM, "love", "add"), (JANE, "love", "remove")),
            ("love",),
            id="two people, the same",
        ),
        pytest.param(
            ((JANE, "love", "add"), (SAM, "🔥", "add"), (JANE, "like", "add")), ("🔥", "like"), id="two people"
        ),
    ],
)
def test_one_reaction_of_each_person_stands(told: tuple[tuple[str, str, str], ...], stand: tuple[str, ...]) -> None:
    """Their phones show the last one, whatever Blooio says of what it took the place of, and in whatever order."""
    events = tuple(
        event("reaction", 6 + at_, reaction=reaction, action=action, sender=sender)
        for at_, (sender, reaction, action) in enumerate(told)
    )
    assert {told_by(arriving).reactions for arriving in arrivals(events)} == {stand}


def test_our_own_reaction_is_not_the_persons() -> None:
    """Blooio tells of reactions from both sides."""
    ours = event("reaction", 6, reaction="love", action="add", sender=LINE, direction="outbound")
    assert told_by([ours, LIKED]).reactions == ("like",)
