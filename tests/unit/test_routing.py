"""The decisions about a text, as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from uuid import UUID

import pytest

from bot.texting.errors import (
    MOST_ATTEMPTS,
    AwaitingReply,
    BlooioTrouble,
    Disconnected,
    LineOffline,
    NotAccepted,
    ReplyOnly,
    TextingError,
    Throttled,
    Unconfirmed,
)
from bot.texting.model import Address, Author, Capabilities, Channel, Delivery, DeliveryStatus, StatusReport
from bot.texting.routing import (
    CHECK_LASTS,
    KEY_LASTS,
    LONGEST_WAIT,
    advance,
    choose_channel,
    is_fresh,
    last_word,
    next_attempt,
    next_check,
    next_look,
    next_try,
    too_late_to_repeat,
)

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
PHONE, EMAIL = Address("+15551234567"), Address("pat@example.test")
QUEUED = Delivery(
    id=UUID(int=1), key=UUID(int=1), thread_id=1, body="Hi", author=Author("U1", "Ana"), status=DeliveryStatus.QUEUED,
    expected_channel=Channel.IMESSAGE, actual_channel=None, message_id=None, attempts=1, attempted_at=NOW,
    retry_at=None, requested_at=NOW, accepted_at=None, sent_at=None, delivered_at=None, read_at=None, failed_at=None,
    error_code=None, error_words=None,
)  # fmt: skip
ACCEPTED = replace(QUEUED, message_id="msg_1", accepted_at=NOW)
SENT = replace(ACCEPTED, status=DeliveryStatus.SENT, sent_at=NOW)
FAILED = replace(ACCEPTED, status=DeliveryStatus.FAILED, failed_at=NOW, error_code="not_sent", error_words="No.")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("address", "imessage", "sms", "channel"),
    [
        pytest.param(PHONE, True, True, Channel.IMESSAGE, id="both: iMessage is better"),
        pytest.param(PHONE, True, None, Channel.IMESSAGE, id="iMessage, and nobody says about SMS"),
        pytest.param(PHONE, False, True, Channel.SMS, id="no iMessage"),
        pytest.param(PHONE, False, None, Channel.SMS, id="no iMessage, and nobody says about SMS"),
        pytest.param(PHONE, False, False, None, id="neither: Blooio will say"),
        pytest.param(PHONE, None, True, None, id="unknown is not no"),
        pytest.param(EMAIL, True, None, Channel.IMESSAGE, id="an email address with iMessage"),
        pytest.param(EMAIL, False, None, None, id="an email address without it cannot get an SMS"),
    ],
)
def test_the_best_channel_they_have_is_expected(
    address: Address, imessage: bool | None, sms: bool | None, channel: Channel | None
) -> None:
    """IMessage if they have it, otherwise SMS, and nothing where nothing is known."""
    assert choose_channel(address, Capabilities(imessage, sms, NOW)) is channel


def test_without_a_check_nothing_is_expected() -> None:
    """A stranger may have anything."""
    assert choose_channel(PHONE, None) is None


@pytest.mark.parametrize(
    ("capabilities", "fresh"),
    [
        pytest.param(None, False, id="never checked"),
        pytest.param(Capabilities(True, True, NOW), True, id="just now"),
        pytest.param(Capabilities(None, True, NOW), False, id="just now, and it told nothing"),
        pytest.param(Capabilities(True, True, NOW - CHECK_LASTS), False, id="too long ago"),
    ],
)
def test_a_check_is_trusted_for_hours(capabilities: Capabilities | None, *, fresh: bool) -> None:
    """People change phones, but not by the hour."""
    assert is_fresh(capabilities, NOW) is fresh


@pytest.mark.parametrize(
    ("error", "attempts", "wait"),
    [
        pytest.param(BlooioTrouble(), 1, seconds(1), id="trouble: soon"),
        pytest.param(BlooioTrouble(), 4, seconds(8), id="trouble again: ever later"),
        pytest.param(BlooioTrouble(), MOST_ATTEMPTS, None, id="trouble for too long"),
        pytest.param(Unconfirmed(), 1, seconds(1), id="no answer: the same key finds out"),
        pytest.param(Throttled(retry_after=seconds(40)), 1, seconds(40), id="as long as Blooio asks"),
        pytest.param(Throttled(retry_after=seconds(1)), 5, seconds(16), id="or longer"),
        pytest.param(Throttled(), 11, LONGEST_WAIT, id="but not for ever"),
        pytest.param(LineOffline(), 1, seconds(20), id="the line is offline: slowly"),
        pytest.param(LineOffline(), 3, None, id="the line stays offline"),
        pytest.param(NotAccepted(), 1, None, id="a refusal is final"),
        pytest.param(ReplyOnly(), 1, None, id="a rule is final"),
        pytest.param(AwaitingReply(retry_after=seconds(5)), 1, None, id="only their reply helps"),
        pytest.param(Disconnected(), 1, None, id="only an admin helps"),
    ],
)
def test_trying_again_is_for_what_can_succeed(error: TextingError, attempts: int, wait: timedelta | None) -> None:
    """The error says whether; the wait doubles, and Blooio's own wish counts if it is longer."""
    failed_so_before = replace(QUEUED, attempts=attempts, error_code=error.code if attempts > 1 else None)
    for again in (
        next_attempt(error, failed_so_before, NOW),
        next_try(error, attempts, NOW),
    ):  # a text, and what is none
        if wait is None or again is None:
            assert again is wait
        else:
            assert wait <= again - NOW < 1.25 * wait


def test_what_failed_together_does_not_come_back_together() -> None:
    """A hundred texts that met the same trouble at the same moment are tried again at different ones."""
    again = {next_attempt(BlooioTrouble(), replace(QUEUED, attempts=7), NOW) for _ in range(100)}
    assert len(again) > 20


def test_an_outage_of_ten_minutes_is_outlived() -> None:
    """Trouble is tried for half an hour, and never more than a minute (and a quarter) apart."""
    tried, now = [], NOW
    for attempts in range(1, 100):
        trouble = replace(
            QUEUED, attempts=attempts, attempted_at=NOW, error_code=Unconfirmed.code if attempts > 1 else None
        )
        again = next_attempt(Unconfirmed(), trouble, now)
        if again is None:
            break
        tried.append(again - now)
        now = again
    assert timedelta(minutes=30) <= now - NOW < timedelta(minutes=38)
    assert max(tried) < timedelta(seconds=75)


def test_new_trouble_after_other_trouble_is_given_a_chance() -> None:
    """A line that is offline as an outage ends is asked once more, but not for ever in turns with anything else."""
    long_away = replace(QUEUED, attempts=9, error_code=BlooioTrouble.code)
    assert next_attempt(LineOffline(), long_away, NOW) is not None
    assert next_attempt(LineOffline(), replace(long_away, error_code=LineOffline.code), NOW) is None
    assert next_attempt(LineOffline(), replace(long_away, attempts=MOST_ATTEMPTS), NOW) is None


def test_a_key_is_not_used_for_longer_than_it_is_remembered() -> None:
    """After nearly a day, repeating could be a second text."""
    old = replace(QUEUED, attempted_at=NOW - KEY_LASTS - seconds(1))
    assert next_attempt(BlooioTrouble(), old, NOW) is None
    assert too_late_to_repeat(replace(old, attempts=2), NOW)
    assert not too_late_to_repeat(old, NOW)  # the first attempt, however late, repeats nothing


@pytest.mark.parametrize(
    ("error", "before", "code"),
    [
        pytest.param(ReplyOnly(), None, "reply_only", id="refused at once"),
        pytest.param(ReplyOnly(), "unconfirmed", "reply_only", id="refused later: the earlier one was not taken"),
        pytest.param(BlooioTrouble(), None, "unconfirmed", id="trouble to the end: it may have been taken"),
        pytest.param(Disconnected(), None, "disconnected", id="never let in"),
        pytest.param(Disconnected(), "unconfirmed", "unconfirmed", id="not let in any more"),
        pytest.param(Throttled(), "blooio_trouble", "unconfirmed", id="throttled after trouble"),
        pytest.param(Throttled(), "throttled", "throttled", id="throttled from beginning to end"),
    ],
)
def test_nobody_is_told_to_try_again_what_may_have_been_sent(
    error: TextingError, before: str | None, code: str
) -> None:
    """A person's second try has a new key: it would be a second text."""
    assert last_word(error, replace(QUEUED, error_code=before)).code == code


@pytest.mark.parametrize(
    ("delivery", "age", "wait"),
    [
        pytest.param(QUEUED, 0, None, id="not at Blooio yet"),
        pytest.param(ACCEPTED, 0, 1, id="just accepted"),
        pytest.param(ACCEPTED, 60, 30, id="a minute old"),
        pytest.param(ACCEPTED, 7200, 1800, id="hours old"),
        pytest.param(ACCEPTED, 4 * 86_400, None, id="days old"),
        pytest.param(SENT, 3600, 1800, id="an iMessage on its way"),
        pytest.param(replace(SENT, actual_channel=Channel.SMS), 60, 30, id="an SMS just sent"),
        pytest.param(replace(SENT, actual_channel=Channel.SMS), 3600, None, id="an SMS that will say no more"),
        pytest.param(replace(SENT, status=DeliveryStatus.DELIVERED), 1, None, id="nothing is better than delivered"),
        pytest.param(replace(ACCEPTED, told_at=NOW), 1, 300, id="Blooio tells us of this one"),
        pytest.param(replace(SENT, told_at=NOW), 7200, 3600, id="Blooio told us, and then no more"),
        pytest.param(replace(SENT, told_at=NOW), 86_400, 21_600, id="a day after it told us last"),
        pytest.param(FAILED, 1, None, id="failed"),
    ],
)
def test_asking_starts_soon_and_slows_down(delivery: Delivery, age: float, wait: float | None) -> None:
    """The wait is half the text's age, and asking ends when it can tell nothing more."""
    now = NOW + seconds(age)
    assert next_check(delivery, now) == (None if wait is None else now + seconds(wait))


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        pytest.param(0, 15, id="it begins to wait"),
        pytest.param(600, 300, id="ten minutes"),
        pytest.param(86_400, 1800, id="a day"),
        pytest.param(15 * 86_400, None, id="two weeks without an answer"),
    ],
)
def test_a_reply_is_looked_for_ever_more_rarely(age: float, wait: float | None) -> None:
    """Without webhooks nobody else says that the person wrote."""
    now = NOW + seconds(age)
    held = replace(QUEUED, held_since=NOW)
    assert next_look(held, now) == (None if wait is None else now + seconds(wait))
    assert next_look(QUEUED, now) is None


REPORTS = [
    StatusReport(DeliveryStatus.QUEUED, None),
    StatusReport(DeliveryStatus.SENT, Channel.SMS, sent_at=NOW + seconds(1)),
    StatusReport(DeliveryStatus.DELIVERED, Channel.SMS, sent_at=NOW + seconds(1), delivered_at=NOW + seconds(2)),
    StatusReport(DeliveryStatus.READ, None, read_at=NOW + seconds(3)),
]


def test_reports_in_any_order_and_number_end_the_same() -> None:
    """Every order of a text's reports, any two of them doubled, leads to one end."""
    ends = set()
    for doubled in product((1, 2), repeat=len(REPORTS)):
        if sum(doubled) > len(REPORTS) + 2:
            continue
        several = [report for report, times in zip(REPORTS, doubled, strict=True) for _ in range(times)]
        for order in {tuple(map(several.index, order)) for order in permutations(several)}:
            delivery = ACCEPTED
            for which in order:
                delivery = advance(delivery, several[which], NOW + seconds(9)).delivery
            ends.add(delivery)
    (end,) = ends
    assert (end.status, end.actual_channel) == (DeliveryStatus.READ, Channel.SMS)
    assert (end.sent_at, end.delivered_at, end.read_at) == (NOW + seconds(1), NOW + seconds(2), NOW + seconds(3))


@pytest.mark.parametrize(
    ("delivery", "status", "ends"),
    [
        pytest.param(ACCEPTED, DeliveryStatus.FAILED, DeliveryStatus.FAILED, id="a failure"),
        pytest.param(SENT, DeliveryStatus.QUEUED, DeliveryStatus.SENT, id="never back"),
        pytest.param(SENT, None, DeliveryStatus.SENT, id="a word nobody knows changes nothing"),
        pytest.param(FAILED, DeliveryStatus.SENT, DeliveryStatus.FAILED, id="sent is no proof against a failure"),
        pytest.param(FAILED, DeliveryStatus.DELIVERED, DeliveryStatus.DELIVERED, id="arrived after all"),
        pytest.param(
            replace(SENT, status=DeliveryStatus.DELIVERED),
            DeliveryStatus.FAILED,
            DeliveryStatus.DELIVERED,
            id="it cannot fail any more",
        ),
        pytest.param(ACCEPTED, DeliveryStatus.CANCELLED, DeliveryStatus.CANCELLED, id="cancelled"),
    ],
)
def test_status_moves_forward_only(delivery: Delivery, status: DeliveryStatus | None, ends: DeliveryStatus) -> None:
    """What a device confirmed outranks what anybody says later."""
    assert advance(delivery, StatusReport(status, None, error_words="No."), NOW).delivery.status is ends


@pytest.mark.parametrize("first", [0, 1], ids=["the answer came late", "the answer came first"])
def test_a_text_that_waits_was_not_sent_yet(first: int) -> None:
    """Whoever asks while it is queued is told when Blooio took it; that is not when it was sent."""
    asked = StatusReport(DeliveryStatus.QUEUED, None, sent_at=NOW - seconds(9))
    told = StatusReport(DeliveryStatus.DELIVERED, Channel.SMS, delivered_at=NOW + seconds(2))
    delivery = ACCEPTED
    for report in (asked, told)[:: 1 if first else -1]:
        delivery = advance(delivery, report, NOW + seconds(9)).delivery
    assert (delivery.sent_at, delivery.delivered_at) == (NOW + seconds(2), NOW + seconds(2))


def test_a_failure_has_its_reason_and_a_recovery_loses_it() -> None:
    """The receipt never shows words of another fate."""
    report = StatusReport(DeliveryStatus.FAILED, None, error_code="not_sent", error_words="No.")
    failed = advance(SENT, report, NOW).delivery
    assert (failed.error_code, failed.error_words, failed.failed_at) == ("not_sent", "No.", NOW)
    arrived = advance(failed, StatusReport(DeliveryStatus.DELIVERED, None), NOW).delivery
    assert (arrived.error_code, arrived.error_words, arrived.failed_at) == (None, None, None)


@pytest.mark.parametrize(
    ("report", "visibly"),
    [
        pytest.param(StatusReport(DeliveryStatus.SENT, None), True, id="the next step"),
        pytest.param(StatusReport(DeliveryStatus.QUEUED, Channel.SMS), True, id="another channel"),
        pytest.param(StatusReport(DeliveryStatus.QUEUED, Channel.IMESSAGE), False, id="the channel as expected"),
        pytest.param(StatusReport(DeliveryStatus.QUEUED, None), False, id="nothing new"),
    ],
)
def test_only_what_can_be_seen_is_drawn_again(report: StatusReport, *, visibly: bool) -> None:
    """Slack's edits are scarce."""
    assert advance(ACCEPTED, report, NOW).visibly is visibly
