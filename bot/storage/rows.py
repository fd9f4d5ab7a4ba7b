"""Rows into the domain's values. Column lists stand beside the function that reads them."""

from typing import Any
from uuid import UUID

from bot.texting.model import (
    Address,
    Author,
    Capabilities,
    Channel,
    Delivery,
    DeliveryStatus,
    Fate,
    FileStatus,
    Inbound,
    InboundFile,
    OutboundFile,
    Person,
    Reply,
    Thread,
)

Row = dict[str, Any]

PERSON = "p.id AS person_id, p.team_id, p.address, p.name, p.imessage, p.sms, p.checked_at, p.opted_out_since"
THREAD = """t.id AS thread_id, t.line, t.conversation_id, t.card_ts, t.channel, t.owner_id, t.owner_name, t.done_at,
    t.done_by, t.waiting_since"""
#: `of_thread`, because a row of a thread without texts would lose its own `thread_id` to an empty one.
DELIVERY = """d.id, d.thread_id AS of_thread, d.body, d.author_id, d.author_name, d.status, d.expected_channel,
    d.actual_channel, d.message_id, d.attempts, d.attempted_at, d.retry_at, d.requested_at, d.accepted_at, d.sent_at,
    d.delivered_at, d.read_at, d.failed_at, d.error_code, d.error_words, coalesce(d.send_key, d.id) AS send_key,
    d.held_since, d.told_at, d.reactions, d.again_by, d.typed, d.automatic, d.files"""
#: Named apart, because a row may be read beside a text of ours.
INBOUND = """i.id AS inbound_id, i.thread_id AS inbound_thread, i.message_id AS inbound_message, i.body AS inbound_body,
    i.channel AS inbound_channel, i.written_at, i.received_at, i.reactions AS inbound_reactions,
    (SELECT q.body FROM deliveries q WHERE q.message_id = i.reply_to AND q.thread_id = i.thread_id LIMIT 1) AS quoted,
    (SELECT jsonb_agg(jsonb_build_object('id', f.id, 'url', f.url, 'name', f.name, 'media_type', f.media_type,
                                         'status', f.status, 'problem', f.problem, 'again', f.again)
                      ORDER BY f.position)
       FROM inbound_files f WHERE f.inbound_id = i.id) AS inbound_files"""
REPLY = """y.conversation_id AS reply_in, y.ts AS reply_ts, y.thread_id AS reply_thread, y.author_id AS reply_author_id,
    y.author_name AS reply_author_name, y.body AS reply_body, y.files AS reply_files, y.fate, y.reason,
    y.delivery_id AS reply_delivery, y.changed_ts, y.now_body"""

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
        opted_out_since=row["opted_out_since"],
    )


def thread(row: Row) -> Thread:
    return Thread(
        id=row["thread_id"],
        line=row["line"],
        conversation_id=row["conversation_id"],
        card_ts=row["card_ts"],
        channel=_channel(row["channel"]),
        owner=Author(row["owner_id"], row["owner_name"]) if row["owner_id"] is not None else None,
        done_at=row["done_at"],
        done_by=row["done_by"],
        waiting_since=row["waiting_since"],
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
        typed=row["typed"],
        automatic=row["automatic"],
        files=outbound_files(row["files"]),
    )


def outbound_files(files: list[Row]) -> tuple[OutboundFile, ...]:
    return tuple(OutboundFile(**file) for file in files)


def inbound(row: Row) -> Inbound:
    return Inbound(
        id=row["inbound_id"],
        message_id=row["inbound_message"],
        thread_id=row["inbound_thread"],
        body=row["inbound_body"],
        channel=_channel(row["inbound_channel"]),
        written_at=row["written_at"],
        received_at=row["received_at"],
        files=tuple(_inbound_file(file) for file in row["inbound_files"] or ()),
        quoted=row["quoted"],
        reactions=tuple(row["inbound_reactions"]),
    )


def _inbound_file(file: Row) -> InboundFile:
    return InboundFile(
        id=UUID(file["id"]),
        url=file["url"],
        name=file["name"],
        media_type=file["media_type"],
        status=FileStatus(file["status"]),
        problem=file["problem"],
        again=file["again"],
    )


def reply(row: Row) -> Reply:
    return Reply(
        conversation_id=row["reply_in"],
        ts=row["reply_ts"],
        thread_id=row["reply_thread"],
        author=Author(row["reply_author_id"], row["reply_author_name"]),
        body=row["reply_body"],
        fate=Fate(row["fate"]),
        reason=row["reason"],
        delivery_id=row["reply_delivery"],
        files=outbound_files(row["reply_files"]),
        changed_ts=row["changed_ts"],
        now_body=row["now_body"],
    )


def _channel(name: str | None) -> Channel | None:
    return Channel(name) if name else None
