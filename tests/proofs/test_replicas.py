"""The quick version of `tests.proofs.replicas`: one of two is cut off silently; and an older schema with rows in it."""

from pathlib import Path

import psycopg
import pytest

from bot.storage import database
from sandbox.driver import Sandbox
from tests.proofs.fleet import Cut, fleet
from tests.proofs.ledger import Ledger
from tests.proofs.replicas import lose

#: What the release before two-way and its address book wrote, a row in every table.
_ROWS = """
    INSERT INTO people (team_id, address) VALUES ('T1', '+1555{n}');
    INSERT INTO threads (person_id, line, conversation_id, owner_id, owner_name)
    SELECT max(id), '', 'C1', 'U1', 'Ana' FROM people;
    INSERT INTO deliveries (id, request_key, thread_id, body, author_id, author_name)
    SELECT gen_random_uuid(), 'T1:{n}', max(id), 'Hi', 'U1', 'Ana' FROM threads;
    UPDATE deliveries SET status = 'failed', revision = revision + 1, accepted_at = now() WHERE status = 'queued';
    INSERT INTO events (key, name, body) VALUES ('message.sent:{n}', 'message.sent', '');
    INSERT INTO notices (key, cause) VALUES ('admin:{n}', 'disconnected');
    INSERT INTO webhooks (url, webhook_id, secret) VALUES ('https://bot.example/{n}', 'wh_{n}', 'none');
    INSERT INTO contacts (address, name, folded, search) VALUES ('+1555{n}', 'Jane', 'jane', 'jane');
    INSERT INTO drafts (id, user_id, conversation_id, kind, payload)
    VALUES (gen_random_uuid(), 'U1', 'C1', 'text', '{{}}');
"""
_TABLES = ("people", "threads", "deliveries", "events", "webhooks", "contacts", "drafts")


async def test_one_of_two_is_cut_off_silently(database_url: str, tmp_path: Path) -> None:
    """What people were told is accepted arrives once, and shows as it is, whoever leads meanwhile and afterwards."""
    async with (
        Sandbox.start() as sandbox,
        fleet(database_url, tmp_path, replicas=2, sandbox=sandbox) as ships,
    ):
        await ships.scene.start()
        ledger = Ledger(ships.scene)
        loss = await lose(ships, ledger, Cut.DATABASE_LATE, seconds=7, people=4)
        assert loss.wrong == []
        assert loss.complaints == []
        assert any(command.accepted for command in loss.commands)

        ledger.pals[0].wrote.append("answer 0")  # a check that cannot fail shows nothing
        assert len(await ledger.wrong()) == 1


async def test_an_older_schema_with_rows_in_it(bare_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the release before are there afterwards, and its processes, which still run, write as they did."""
    steps = database._steps
    with monkeypatch.context() as before:
        before.setattr(database, "_steps", lambda *, fresh: [one for one in steps(fresh=fresh) if one.name < "0005"])
        assert await database.migrate(bare_database_url) != []
    async with await psycopg.AsyncConnection.connect(bare_database_url, autocommit=True) as connection:
        await connection.execute(_ROWS.format(n=1_000_001).encode())
        await database.migrate(bare_database_url)
        await connection.execute(_ROWS.format(n=1_000_002).encode())
        for table in _TABLES:
            counted = await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone()  # type: ignore[arg-type]
            assert (table, counted) == (table, (2,))
        read = await (await connection.execute("SELECT count(*) FROM read_up_to WHERE began_at <= now()")).fetchone()
        assert read == (1,)  # answers of which a process of that release was told are read in Blooio's list
