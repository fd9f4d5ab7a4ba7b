"""The decisions about a text, as functions of what is known: which channel, whether to try again, when to look."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.jitter import jittered
from bot.texting.errors import (
    MOST_ATTEMPTS,
    AwaitingReply,
    BlooioTrouble,
    FileGone,
    LimitReached,
    NotAccepted,
    NotAllowed,
    NotSent,
    TextingError,
    Unconfirmed,
)
from bot.texting.model import (
    Address,
    Capabilities,
    Channel,
    Delivery,
    DeliveryStatus,
    OutboundFile,
    StatusReport,
    Told,
)

#: How long a check of what a person can receive is trusted. People change phones, but not by the hour.
CHECK_LASTS = timedelta(hours=12)

#: Blooio does not say how long it remembers an Idempotency-Key; the longest anybody reads into its documents is a
#: day. A text whose outcome is unknown for nearly that long is for a person to decide.
KEY_LASTS = timedelta(hours=23)

#: Between two attempts, jitter aside. It also says how soon after an outage a text goes out at the latest.
LONGEST_WAIT = timedelta(minutes=1)

#: A text nobody can say more about: an iMessage to a phone that stays switched off.
WATCHED_FOR = timedelta(days=3)
#: SMS may never say `delivered`: after this long, `sent` is its last word.
SMS_WATCHED_FOR = timedelta(minutes=30)

#: Bounds of the wait between two questions about one text; and of one that Blooio tells us of by itself.
ASK_AFTER, ASK_EVERY = timedelta(seconds=1), timedelta(minutes=30)
LOOK_AFTER = timedelta(seconds=15)
REPAIR_AFTER, REPAIR_EVERY = timedelta(minutes=5), timedelta(hours=6)

#: A text that waits for a reply: whoever has not written in two weeks will not be waited for.
HELD_WATCHED_FOR = timedelta(days=14)

_RANK = {
    DeliveryStatus.QUEUED: 0,
    DeliveryStatus.SENT: 1,
    DeliveryStatus.DELIVERED: 2,
    DeliveryStatus.READ: 3,
}


def choose_channel(address: Address, capabilities: Capabilities | None) -> Channel | None:
    """
    Say which channel a text will take, or None when nothing is known.

    iMessage if they have it, otherwise SMS; Blooio makes the real choice and reports it. An email address can only
    be reached over iMessage. Source: Blooio's guide "Contact flows".
    """
    if capabilities is None:
        return None
    if capabilities.imessage:
        return Channel.IMESSAGE
    if capabilities.imessage is None or capabilities.sms is False or "@" in address:
        return None
    return Channel.SMS


def is_fresh(capabilities: Capabilities | None, now: datetime) -> bool:
    """Say whether the last check is recent enough to send on, and told something."""
    return (
        capabilities is not None and capabilities.imessage is not None and now - capabilities.checked_at < CHECK_LASTS
    )


def next_attempt(error: TextingError, delivery: Delivery, now: datetime) -> datetime | None:
    """
    Say when to send *delivery* again after *error*, or None to give up. Its attempts include the failed one.

    An error that it did not fail with the last time is given another chance, however many attempts there were.
    """
    enough = error.max_attempts if delivery.error_code in {None, error.code} else MOST_ATTEMPTS
    if not error.retryable or delivery.attempts >= enough:
        return None
    again: datetime = now + jittered(max(_wait(error, delivery.attempts), error.retry_after or timedelta()))
    if delivery.attempted_at is not None and again - delivery.attempted_at > KEY_LASTS:
        return None
    return again


def next_try(error: TextingError, attempt: int, now: datetime) -> datetime | None:
    """Say when to do again what failed with *error* and may be repeated, or None to give up; *attempt* is from 1."""
    if not error.retryable or attempt >= error.max_attempts:
        return None
    return now + jittered(max(_wait(error, attempt), error.retry_after or timedelta()))


def _wait(error: TextingError, attempt: int) -> timedelta:
    wait: timedelta = min(error.first_wait * 2 ** (attempt - 1), LONGEST_WAIT)
    return wait


def last_word(error: TextingError, delivery: Delivery) -> TextingError:
    """
    Say with what a delivery ends that is given up on *error*.

    An attempt that Blooio may have taken leaves the outcome open, and a person told "try again" would text twice. Only
    a refusal of the text itself settles it: had Blooio taken an earlier attempt, the same key would have found it.
    """
    settled = isinstance(error, NotAccepted | NotAllowed | AwaitingReply | LimitReached | NotSent)
    perhaps_taken = isinstance(error, BlooioTrouble) or delivery.error_code in {Unconfirmed.code, BlooioTrouble.code}
    return Unconfirmed(provider_code=error.provider_code) if perhaps_taken and not settled else error


def can_be_replaced(delivery: Delivery) -> bool:
    """Say whether a text may be sent once more in place of *delivery*: it has failed, and nobody did so yet."""
    return delivery.status is DeliveryStatus.FAILED and delivery.again_by is None


def files_again(delivery: Delivery) -> tuple[OutboundFile, ...]:
    """Return the files that go along when *delivery* is edited and sent: none, if one of them is gone."""
    return () if delivery.error_code == FileGone.code else delivery.files


def too_late_to_repeat(delivery: Delivery, now: datetime) -> bool:
    """Say whether an earlier attempt with an unknown outcome is too old for its key to protect a repetition."""
    return delivery.attempts > 1 and delivery.attempted_at is not None and now - delivery.attempted_at > KEY_LASTS


def next_check(delivery: Delivery, now: datetime) -> datetime | None:
    """
    Say when to ask Blooio for the status again, or None when nothing more can be learnt by asking.

    A fresh text is asked after every second, an old one ever more rarely: the wait is half the text's age. One that
    Blooio told us of by itself is asked after only in case the rest was lost. `read` is never reported to those who
    ask, so `delivered` is the end of it.
    """
    if delivery.accepted_at is None or delivery.status not in {DeliveryStatus.QUEUED, DeliveryStatus.SENT}:
        return None
    age = now - delivery.accepted_at
    sms_sent = delivery.status is DeliveryStatus.SENT and delivery.channel is not Channel.IMESSAGE
    if age > (SMS_WATCHED_FOR if sms_sent else WATCHED_FOR):
        return None
    shortest, longest = (REPAIR_AFTER, REPAIR_EVERY) if delivery.told_at else (ASK_AFTER, ASK_EVERY)
    return now + min(max(age / 2, shortest), longest)


def next_look(delivery: Delivery, now: datetime) -> datetime | None:
    """Say when to look again whether the person wrote whose reply a text waits for, or None to leave it to them."""
    if delivery.held_since is None or now - delivery.held_since > HELD_WATCHED_FOR:
        return None
    return now + min(max((now - delivery.held_since) / 2, LOOK_AFTER), ASK_EVERY)


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery after a report, and whether a person would see the difference."""

    delivery: Delivery
    visibly: bool


def advance(delivery: Delivery, report: StatusReport, now: datetime) -> Moved:
    """
    Move *delivery* on by what Blooio says of it; reports may repeat, be reordered and skip steps.

    Status only moves forward. A skipped step takes the time of the one that proves it, until its own is told.
    `failed` and `cancelled` are final, but for `delivered` and `read`: those are stronger evidence. The last settled
    channel wins.
    """
    moved = replace(
        delivery,
        actual_channel=report.channel or delivery.actual_channel,
        sent_at=_sent_at(report) or delivery.sent_at,
        delivered_at=report.delivered_at or delivery.delivered_at,
        read_at=report.read_at or delivery.read_at,
    )
    status = report.status
    settled = delivery.status in {DeliveryStatus.FAILED, DeliveryStatus.CANCELLED}
    if status in _RANK:
        proof = _RANK[status] >= _RANK[DeliveryStatus.DELIVERED]
        if (settled and proof) or (not settled and _RANK[status] > _RANK[delivery.status]):
            moved = replace(moved, status=status, error_code=None, error_words=None, failed_at=None)
        moved = _with_times(moved, now)
    elif status is not None and not settled and _RANK[delivery.status] < _RANK[DeliveryStatus.DELIVERED]:
        failure = report.error_words if status is DeliveryStatus.FAILED else None
        failed_at = report.failed_at or now
        moved = replace(moved, status=status, failed_at=failed_at, error_code=report.error_code, error_words=failure)
    return Moved(moved, visibly=_seen(moved) != _seen(delivery))


def catch_up(delivery: Delivery, told: Told, now: datetime) -> Moved:
    """
    Move *delivery* on by all that Blooio told us of it, whatever the order in which it arrived.

    The steps are taken in the order in which they happen, each time all of them: so the last of them to arrive leaves
    the same behind as if they had come in order.
    """
    reactions = delivery.reactions if told.reactions is None else told.reactions
    moved = replace(delivery, reactions=reactions, told_at=now)
    for report in sorted(told.reports, key=_happens):
        moved = advance(moved, report, now).delivery
    return Moved(moved, visibly=_seen(moved) != _seen(delivery))


def _sent_at(report: StatusReport) -> datetime | None:
    """Return when a report says that the text was sent: before it was, Blooio's `time_sent` is when it was taken."""
    return None if report.status is DeliveryStatus.QUEUED else report.sent_at


def _happens(report: StatusReport) -> int:
    """Return the place of a report among the steps of a text."""
    return len(_RANK) if report.status is None else _RANK.get(report.status, len(_RANK))


def _with_times(delivery: Delivery, now: datetime) -> Delivery:
    """Fill the times of the steps that the status implies."""
    rank = _RANK.get(delivery.status, 0)
    read_at = delivery.read_at or (now if rank >= _RANK[DeliveryStatus.READ] else None)
    delivered_at = delivery.delivered_at or (read_at or now if rank >= _RANK[DeliveryStatus.DELIVERED] else None)
    sent_at = delivery.sent_at or (delivered_at or now if rank >= _RANK[DeliveryStatus.SENT] else None)
    return replace(delivery, sent_at=sent_at, delivered_at=delivered_at, read_at=read_at)


def _seen(delivery: Delivery) -> tuple[object, ...]:
    """What of a delivery the receipt shows."""
    times = {
        DeliveryStatus.SENT: (delivery.sent_at,),
        DeliveryStatus.DELIVERED: (delivery.delivered_at,),
        DeliveryStatus.READ: (delivery.delivered_at, delivery.read_at),
    }
    return (
        delivery.status,
        delivery.channel,
        delivery.actual_channel not in {None, delivery.expected_channel},
        times.get(delivery.status),
        delivery.error_words,
        delivery.reactions,
    )
