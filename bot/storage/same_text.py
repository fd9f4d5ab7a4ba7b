"""
One text of a person's, heard of twice: by a webhook and in Blooio's list.

Nobody says whether both know a text by the same id. So a text is also the same if it came the other way, in the same
moment, with the same words. Somebody may well write "ok" twice in a moment; what gives that away is an id that appears
in the list beside the other.

In the caller's transaction, which holds the person's row: what is told and what is read meet here one after the other.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.texting.model import Received

#: How far apart the list and a webhook may time one text.
_SAME_MOMENT = timedelta(seconds=2)

_TOLD, _READ = "told", "read"


def source_of(received: Received) -> str:
    return _TOLD if received.told else _READ


async def known_as(cursor: Any, received: Received, *, person_id: int, thread_id: int) -> str | None:
    """Return the `message_id` under which a text is stored, however we heard of it; None if it is news."""
    return await _by_id(cursor, received) or await _by_words(cursor, received, person_id, thread_id)


async def _by_id(cursor: Any, received: Received) -> str | None:
    await cursor.execute(
        """
        SELECT message_id, other_id, source FROM inbound WHERE %s IN (message_id, other_id)
         ORDER BY message_id = %s DESC LIMIT 1
        """,
        (received.message_id, received.message_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if row["message_id"] == received.message_id:
        if row["source"] != source_of(received) and row["other_id"] != received.message_id:
            await _both_say(cursor, row["message_id"], row["other_id"])
        return str(row["message_id"])
    if row["message_id"] in received.listed:  # both stand in the list: these are two texts after all
        await cursor.execute("UPDATE inbound SET other_id = NULL WHERE message_id = %s", (row["message_id"],))
        return None
    return str(row["message_id"])


async def _both_say(cursor: Any, message_id: str, mistaken: str | None) -> None:
    """A webhook and the list know a text by one id: what was taken for it is another one, and is applied again."""
    await cursor.execute("UPDATE inbound SET other_id = message_id WHERE message_id = %s", (message_id,))
    if mistaken is not None:
        await cursor.execute(
            "UPDATE events SET applied_at = NULL WHERE name = 'message.received' AND message_id = %s", (mistaken,)
        )


async def _by_words(cursor: Any, received: Received, person_id: int, thread_id: int) -> str | None:
    """Find the same words, heard of the other way in the same moment and under one id so far; note the second id."""
    if received.at is None:
        return None
    await cursor.execute(
        """
        UPDATE inbound SET other_id = %s
         WHERE id = (SELECT i.id FROM inbound i JOIN threads t ON t.id = i.thread_id
                      WHERE t.person_id = %s AND i.written_at BETWEEN %s AND %s AND i.source = %s
                        AND i.other_id IS NULL AND i.body = %s AND i.message_id <> ALL(%s)
                        AND (SELECT count(*) FROM inbound_files f WHERE f.inbound_id = i.id) = %s
                      ORDER BY i.thread_id <> %s, abs(extract(epoch FROM i.written_at - %s)), i.id LIMIT 1)
        RETURNING message_id
        """,
        (
            received.message_id,
            person_id,
            received.at - _SAME_MOMENT,
            received.at + _SAME_MOMENT,
            _READ if received.told else _TOLD,
            received.text.replace("\0", ""),
            list(received.listed),
            len(received.attachments),
            thread_id,
            received.at,
        ),
    )
    row = await cursor.fetchone()
    return str(row["message_id"]) if row else None


async def unknown(cursor: Any, listed: Sequence[str]) -> set[str]:
    """Return which of the texts in Blooio's list are not stored, or taken for another that stands there too."""
    await cursor.execute(
        """
        SELECT one.id FROM unnest(%s::text[]) one (id)
         WHERE NOT EXISTS (SELECT 1 FROM inbound i WHERE i.message_id = one.id)
           AND NOT EXISTS (SELECT 1 FROM inbound i WHERE i.other_id = one.id AND i.message_id <> ALL(%s))
        """,
        (list(listed), list(listed)),
    )
    return {row["id"] for row in await cursor.fetchall()}
