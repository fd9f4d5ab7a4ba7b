"""How each channel wants its threads. Each method is one transaction."""

from datetime import timedelta

from bot.storage.audit import Entry, record
from bot.storage.database import Pool, in_time, storing
from bot.texting.errors import NotRead
from bot.texting.model import Author, Choices


class Channels:
    """Channels in Slack."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def choices(self, conversation_id: str, *, within: timedelta) -> Choices:
        """Return what a channel has chosen, or what is so unless it chooses. Raises NotRead."""
        async with in_time(within.total_seconds(), NotRead()), self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT replies, quiet_minutes FROM channels WHERE conversation_id = %s", (conversation_id,)
            )
            row = await cursor.fetchone()
        return Choices(*row) if row else Choices()

    async def choose(self, conversation_id: str, choices: Choices, author: Author, *, within: timedelta) -> bool:
        """
        Store what somebody chose for a channel; return whether it is news. Raises NotStored and PerhapsStored.

        Its cards are drawn again where that changes them. Another pause between announcements counts from now on.
        """
        async with storing(self._pool, within) as connection:
            # Threads first, as everywhere: whoever writes or answers has theirs when they come to the channel.
            await connection.execute(
                """
                UPDATE threads SET revision = revision + 1
                 WHERE conversation_id = %s AND card_ts IS NOT NULL
                   AND (%s = 'never') <> EXISTS
                       (SELECT FROM channels WHERE conversation_id = %s AND replies = 'never')
                """,
                (conversation_id, choices.replies, conversation_id),
            )
            cursor = await connection.execute(
                """
                INSERT INTO channels AS c (conversation_id, replies, quiet_minutes, announced_from)
                VALUES (%s, %s, %s, now())
                ON CONFLICT (conversation_id) DO UPDATE
                   SET replies = excluded.replies, quiet_minutes = excluded.quiet_minutes,
                       announced_from = CASE WHEN c.quiet_minutes = excluded.quiet_minutes THEN c.announced_from
                                             ELSE now() END,
                       announced_at = CASE WHEN c.quiet_minutes = excluded.quiet_minutes THEN c.announced_at END,
                       announced_ts = CASE WHEN c.quiet_minutes = excluded.quiet_minutes THEN c.announced_ts END,
                       announcing_at = CASE WHEN c.quiet_minutes = excluded.quiet_minutes THEN c.announcing_at END
                 WHERE (c.replies, c.quiet_minutes) <> (excluded.replies, excluded.quiet_minutes)
                RETURNING conversation_id
                """,
                (conversation_id, choices.replies, choices.quiet_minutes),
            )
            if await cursor.fetchone() is None:
                return False
            await record(
                connection,
                Entry(
                    user_id=author.user_id,
                    user_name=author.name,
                    action="settings",
                    reason=f"replies={choices.replies} quiet_minutes={choices.quiet_minutes}",
                    conversation_id=conversation_id,
                ),
            )
            return True
