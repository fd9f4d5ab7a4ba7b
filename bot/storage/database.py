"""The database: where it is, its pool, and its migrations."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.storage.embedded import embedded_postgres
from bot.texting.errors import NotStored, PerhapsStored

logger = logging.getLogger(__name__)

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

#: Large enough that jobs wait for Slack and Blooio rather than for a connection, small beside PostgreSQL's 100.
POOL_SIZE = 16

_CONNECT_SECONDS = 10

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = 7_285_001  # advisory lock: one process migrates at a time


#: What is raised when the database does not answer a query of ours, a job's included, or not in time.
DATABASE_AWAY = (psycopg.Error, PoolTimeout, ConnectorException, TimeoutError)


class DatabaseAway(Exception):
    """The database cannot be reached, or does not know us; the message says why and what to do."""


@asynccontextmanager
async def database_url(configured: str | None, data_dir: Path) -> AsyncIterator[str]:
    """Yield the URL of the configured PostgreSQL, or of an embedded one that lives in *data_dir*."""
    if configured:
        yield configured
        return
    async with embedded_postgres(data_dir) as url:
        yield url


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[Pool]:
    """
    Open a pool of autocommitting connections; a transaction is always spelled `connection.transaction()`.

    Autocommit is set on each connection and not in the pool's arguments: procrastinate's listener takes those
    arguments and adds its own.
    """
    async with AsyncConnectionPool(
        url,
        min_size=2,
        max_size=POOL_SIZE,
        open=False,
        timeout=10,
        configure=_autocommit,
        check=_check_if_suspicious,
    ) as pool:
        await pool.wait(timeout=30)
        yield pool


async def _autocommit(connection: Connection) -> None:
    await connection.set_autocommit(True)


async def _check_if_suspicious(connection: Connection) -> None:
    """
    Ask a connection whether it lives, if its socket has something to say; raises when it does not.

    An idle connection is silent, and asking each one costs a round trip for every query.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


@asynccontextmanager
async def in_time(seconds: float, error: Exception) -> AsyncIterator[None]:
    """Raise *error* if the database does not answer within that time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except DATABASE_AWAY as away:
        raise error from away


@asynccontextmanager
async def storing(pool: Pool, within: timedelta) -> AsyncIterator[Connection]:
    """Open a transaction that stores something somebody waits for. Raises NotStored, or PerhapsStored, in time."""
    committing = False
    try:
        async with asyncio.timeout(within.total_seconds()), pool.connection() as connection, connection.transaction():
            yield connection
            committing = True
    except DATABASE_AWAY as error:
        logger.warning("not_stored error=%s committing=%s", type(error).__name__, committing)
        raise (PerhapsStored if committing else NotStored) from error


async def connect(url: str) -> AsyncConnection[Any]:
    """Open one autocommitting connection. Raises DatabaseAway."""
    try:
        return await AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except OperationalError as error:
        reason = str(error).partition("\n")[0]
        raise DatabaseAway(f"The database did not answer ({reason}). Check DATABASE_URL.") from error


async def migrate(url: str) -> list[str]:
    """
    Bring the schema up to date; return the names applied. Safe to run twice and from two processes at once.

    Procrastinate's own schema is part of it: a new database gets its current schema, an old one its missing steps.
    """
    applied_now: list[str] = []
    async with await connect(url) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATING,))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor = await connection.execute("SELECT name FROM schema_migrations")
        applied = {name for (name,) in await cursor.fetchall()}
        for step in _steps(fresh=not applied):
            if step.name in applied:
                continue
            async with connection.transaction():
                await connection.execute(step.sql)  # files of ours and of procrastinate's
                for name in (step.name, *step.covers):
                    await connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", (name,))
            applied_now.append(step.name)
    return applied_now


class _Step(NamedTuple):
    name: str
    sql: str
    covers: tuple[str, ...] = ()  # steps that need not run after this one


def _steps(*, fresh: bool) -> list[_Step]:
    """List the steps in the order to apply."""
    folder = Path(SchemaManager.get_migrations_path())
    jobs = [_Step(f"procrastinate/{path.name}", path.read_text()) for path in sorted(folder.glob("*.sql"))]
    if fresh:
        covers = tuple(step.name for step in jobs)
        jobs = [_Step("procrastinate/schema.sql", SchemaManager.get_schema(), covers)]
    ours = [_Step(path.name, path.read_text()) for path in sorted(_MIGRATIONS.glob("*.sql"))]
    return [*jobs, *ours]
