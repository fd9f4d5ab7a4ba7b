"""Rows into the domain's values. Column lists stand beside the function that reads them."""

from typing import Any

from bot.texting.model import Address, Author, Capabilities, Channel, Delivery, DeliveryStatus, Person, Thread

Row = dict[str, Any]

PERSON = "p.id AS person_id, p.team_id, p.address, p.name, p.imessage, p.sms, p.checked_at"
THREAD = "t.id AS thread_id, t.line, t.conversation_id, t.card_ts, t.channel, t.owner_id, t.owner_name"
#: `of_thread`, because a row of a thread without texts would lose its own `thread_id` to an empty one.
DELIVERY = """d.id, d.thread_id AS of_thread, d.body, d.author_id, d.author_name, d.status, d.expected_channel,
    d.actual_channel, d.message_id, d.attempts, d.attempted_at, d.retry_at, d.requested_at, d.accepted_at, d.sent_at,
    d.delivered_at, d.read_at, d.failed_at, d.error_code, d.error_words, coalesce(d.send_key, d.id) AS send_key,
    d.held_since, d.told_at, d.reactions, d.again_by"""

#: A thread gets another home, where its next card is posted: (conversation, owner's id, owner's name, thread).
MOVE_THREAD = """
    UPDATE threads
       SET conversation_id = %s, card_ts = NULL, card_posting_at = NULL, card_gone = false, owner_id = %s,
           owner_name = %s
     WHERE id = %s
"""


def person(row: Row) -> Person:
    checked_at = row["checked_at"]
    return Person(
        id=row["person_id"],
        team_id=row["team_id"],
        address=Address(row["address"]),
        name=row["name"],
        capabilities=Capabilities(row["imessage"], row["sms"], checked_at) if checked_at else None,
    )


def thread(row: Row) -> Thread:
    return Thread(
        id=row["thread_id"],
        line=row["line"],
        conversation_id=row["conversation_id"],
        card_ts=row["card_ts"],
        channel=_channel(row["channel"]),
        owner=Author(row["owner_id"], row["owner_name"]),
    )


def delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        key=row["send_key"],
        thread_id=row["of_thread"],
        body=row["body"],
        author=Author(row["author_id"], row["author_name"]),
        status=DeliveryStatus(row["status"]),
        expected_channel=_channel(row["expected_channel"]),
        actual_channel=_channel(row["actual_channel"]),
        message_id=row["message_id"],
        attempts=row["attempts"],
        attempted_at=row["attempted_at"],
        retry_at=row["retry_at"],
        requested_at=row["requested_at"],
        accepted_at=row["accepted_at"],
        sent_at=row["sent_at"],
        delivered_at=row["delivered_at"],
        read_at=row["read_at"],
        failed_at=row["failed_at"],
        error_code=row["error_code"],
        error_words=row["error_words"],
        held_since=row["held_since"],
        told_at=row["told_at"],
        reactions=tuple(row["reactions"]),
        again_by=row["again_by"],
    )


def _channel(name: str | None) -> Channel | None:
    return Channel(name) if name else None
