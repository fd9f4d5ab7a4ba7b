"""Who is writing to whom just now, and who has just written. Each method is one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from bot.storage.database import Pool, in_time
from bot.texting.errors import NotRead, NotStored
from bot.texting.model import Address, Author

#: Somebody who has had a form open for so long does not write any more: Slack does not always say that one was closed.
STILL_WRITING = timedelta(minutes=3)

#: A colleague's text is news to whoever began to write before it, or not long after.
_JUST_NOW = timedelta(seconds=10)

#: Whoever wrote when we were last there: longer ago, nobody sees anything of it any more.
_LATELY = timedelta(hours=1)

#: Nobody has a form open for so long, and then sends it.
_KEPT_FOR = timedelta(days=1)

#: What is said of others must not keep whoever writes waiting.
_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Crossing:
    """A colleague's text that went out while somebody was writing."""

    delivery_id: UUID
    author: Author
    body: str
    conversation_id: str  # where it stands


class Writers:
    """People in Slack who write texts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begins(self, team_id: str, address: str, author: Author) -> None:
        """Somebody writes to a person now, and to nobody else. Raises NotStored."""
        async with in_time(_SECONDS, NotStored()), self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "DELETE FROM writers WHERE team_id = %s AND user_id = %s AND address <> %s",
                (team_id, author.user_id, address),
            )
            await connection.execute(
                """
                INSERT INTO writers (team_id, address, user_id, user_name) VALUES (%s, %s, %s, %s)
                ON CONFLICT (team_id, address, user_id) DO UPDATE
                   SET user_name = excluded.user_name,
                       since = CASE WHEN writers.since > now() - %s THEN writers.since ELSE now() END
                """,
                (team_id, address, author.user_id, author.name, STILL_WRITING),
            )

    async def ends(self, team_id: str, user_id: str) -> list[Address]:
        """Somebody has stopped writing; return to whom. Raises NotStored."""
        async with in_time(_SECONDS, NotStored()), self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM writers WHERE team_id = %s AND user_id = %s RETURNING address", (team_id, user_id)
            )
            return [Address(address) for (address,) in await cursor.fetchall()]

    async def left(self) -> list[tuple[str, Address]]:
        """List to whom somebody was writing not long ago, in which workspace. Raises NotRead."""
        async with in_time(_SECONDS, NotRead()), self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT team_id, address FROM writers WHERE since > now() - %s", (_LATELY,)
            )
            return [(team_id, Address(address)) for team_id, address in await cursor.fetchall()]

    async def writing_to(self, team_id: str, address: str, *, besides: str) -> list[Author]:
        """List who else is writing to a person, whoever began first first. Raises NotRead."""
        async with in_time(_SECONDS, NotRead()), self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT user_id, user_name FROM writers
                 WHERE team_id = %s AND address = %s AND user_id <> %s AND since > now() - %s
                 ORDER BY since
                """,
                (team_id, address, besides, STILL_WRITING),
            )
            return [Author(*row) for row in await cursor.fetchall()]

    async def crossed(self, team_id: str, address: str, author: Author) -> Crossing | None:
        """
        Return the last text that a colleague sent to a person while *author* was writing to them.

        Each is returned once: they are told of it, and may then send theirs all the same. Raises NotRead.
        """
        async with in_time(_SECONDS, NotRead()), self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                """
                SELECT d.id, d.author_id, d.author_name, d.body, t.conversation_id
                  FROM people p
                  JOIN threads t ON t.person_id = p.id
                  JOIN deliveries d ON d.thread_id = t.id
                  LEFT JOIN writers w ON w.team_id = p.team_id AND w.address = p.address AND w.user_id = %s
                 WHERE p.team_id = %s AND p.address = %s AND d.author_id <> %s AND NOT d.automatic
                   AND d.requested_at > least(greatest(coalesce(w.since, now()), now() - interval '1 hour'),
                                              now() - %s)
                   AND d.requested_at > coalesce((SELECT a.requested_at FROM deliveries a WHERE a.id = w.asked_of),
                                                 '-infinity')
                 ORDER BY d.requested_at DESC LIMIT 1
                """,
                (author.user_id, team_id, address, author.user_id, _JUST_NOW),
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            delivery_id, user_id, name, body, conversation_id = row
            await connection.execute(
                """
                INSERT INTO writers (team_id, address, user_id, user_name, asked_of) VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (team_id, address, user_id) DO UPDATE SET asked_of = excluded.asked_of
                """,
                (team_id, address, author.user_id, author.name, delivery_id),
            )
            return Crossing(delivery_id, Author(user_id, name), body, conversation_id)

    async def forget_old(self) -> int:
        """Forget who wrote so long ago that it keeps nobody from anything; return how many that were."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                DELETE FROM writers w
                 WHERE w.since < now() - %s
                   AND NOT EXISTS (SELECT 1 FROM deliveries d
                                    WHERE d.id = w.asked_of AND d.requested_at > now() - %s)
                """,
                (_KEPT_FOR, _KEPT_FOR),
            )
            return cursor.rowcount
