"""
What a text costs when 1,000 to 1,000,000 were stored before it: `python -m bench.cost`.

Each history is made with SQL in a database of its own; then the bot runs on one after the other, in rounds, so that
whatever else the machine does meets all of them.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import psycopg
import uvloop

from bench.texts import Figures, bench, one_by_one, steady
from bot.storage.embedded import embedded_postgres

SIZES = (1_000, 10_000, 100_000, 1_000_000)

#: Texts with one person; a quarter as many answers.
_EACH = 20

#: People with threads, texts that were read and are shown so, answers, and the record of who texted.
_HISTORY = (
    """
    INSERT INTO people (team_id, address, imessage, sms, checked_at, created_at)
    SELECT 'T1', '+1555' || 4000000 + n, true, true, now(), now() - interval '90 days'
      FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO threads (person_id, line, conversation_id, card_ts, owner_id, owner_name, drawn_revision, created_at)
    SELECT id, '+15550109999', 'C' || id %% 50, id || '.000000', 'U1', 'ana', 1, now() - interval '90 days' FROM people
    """,
    """
    INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name, status, expected_channel,
                            message_id, attempts, attempted_at, requested_at, accepted_at, sent_at, delivered_at,
                            read_at, posted_in, posted_ts, drawn_revision)
    SELECT gen_random_uuid(), 'history:' || t.id || ':' || n, t.id, 'Hi, your order is on its way', 'U1', 'ana', 'read',
           'imessage', 'msg_' || t.id || '_' || n, 1, at, at, at, at, at, at, t.conversation_id, t.id || '.' || n, 1
      FROM generate_series(1, %(each)s) n, threads t, LATERAL (SELECT now() - interval '90 days' * random()) a (at)
    """,
    """
    INSERT INTO inbound (id, message_id, thread_id, body, channel, source, written_at, received_at, posted_in,
                         posted_ts, drawn_revision)
    SELECT gen_random_uuid(), 'in_' || t.id || '_' || n, t.id, 'On my way', 'imessage', 'told', at, at,
           t.conversation_id, t.id || '.9' || n, 1
      FROM generate_series(1, %(each)s / 4) n, threads t, LATERAL (SELECT now() - interval '90 days' * random()) a (at)
    """,
    """
    INSERT INTO audit (at, user_id, user_name, action, thread_id, delivery_id)
    SELECT requested_at, author_id, author_name, 'send', thread_id, id FROM deliveries
    """,
)


async def make_history(folder: Path, texts: int) -> None:
    """Fill the bot's database in *folder*, which the bot has made."""
    async with (
        embedded_postgres(folder) as url,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        await connection.execute("SET session_replication_role = replica")  # its triggers would tell of each row
        for statement in _HISTORY:
            await connection.execute(statement, {"people": texts // _EACH, "each": _EACH})
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")


async def measure_costs(
    latency: float, sizes: Sequence[int] = SIZES, *, rounds: int = 3, one_by_one_texts: int = 30, seconds: float = 5
) -> dict[int, Figures]:
    """Return the figures of a text for each number of texts stored before it."""
    with tempfile.TemporaryDirectory(prefix="cost") as temporary:
        folders = {size: Path(temporary) / str(size) for size in sizes}
        for size, folder in folders.items():
            async with bench(latency, folder=folder):
                pass  # it makes its schema
            await make_history(folder, size)
        costs: dict[int, Figures] = {size: defaultdict(list) for size in sizes}
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else sizes[::-1]:
                people = [f"+1555{4_000_001 + n * (size // _EACH) // 50}" for n in range(50)]  # from all of the history
                async with bench(latency, folder=folders[size]) as b:
                    await one_by_one(b, people[-5:], defaultdict(list), "warm")
                    await one_by_one(b, people[:one_by_one_texts], costs[size], "known person")
                    await steady(b, people, seconds, costs[size])
        return costs


def median(costs: dict[int, Figures], figure: str) -> dict[int, float]:
    return {size: statistics.median(figures[figure]) for size, figures in costs.items()}


async def main(options: argparse.Namespace) -> None:
    costs = await measure_costs(options.latency, options.sizes)
    for figure in ("cpu with database", "message, known person", "reply, known person"):
        found = median(costs, figure)
        print(f"{figure:24}", " · ".join(f"{size:,}: {seconds * 1000:.2f} ms" for size, seconds in found.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what a text costs beside a history.")
    parser.add_argument("--latency", type=float, default=0.0, help="of each vendor, in seconds (0)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="texts stored before")
    uvloop.run(main(parser.parse_args()))
