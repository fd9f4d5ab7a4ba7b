"""
The database: where it is, its pool, and its migrations.

A connection can die without a word: a machine loses its power, a firewall forgets. Then neither end learns of it by
itself, the server keeps locks for somebody who is gone, and we wait for an answer that never comes. So both ends are
told how long to believe in the other.
"""

import asyncio
import logging
import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.storage.embedded import embedded_postgres
from bot.texting.errors import NotStored, PerhapsStored

logger = logging.getLogger(__name__)

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

#: Large enough that jobs wait for Slack and Blooio rather than for a connection, small beside PostgreSQL's 100.
POOL_SIZE = 16

_CONNECT_SECONDS = 10

#: How long the kernel believes in a silent peer, ours as well as the server's. What DATABASE_URL says itself counts.
_OUR_SOCKETS = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds without an acknowledgement of what was sent
}
_ITS_SOCKETS = {
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "3s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    "client_connection_check_interval": "2s",  # while it works for us: whoever gave up has closed the connection
}

#: How long the server keeps what one connection holds once it hears nothing of us: the rows of a transaction, and
#: the locks of a connection that asks something every few seconds. The rows first: whoever is next needs them.
IDLE_SECONDS = 15
HELD_SECONDS = 20
_IN_THE_POOL = _ITS_SOCKETS | {"idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s"}
_HOLDING = _IN_THE_POOL | {"idle_session_timeout": f"{HELD_SECONDS}s"}

#: How long an answer is waited for by those who set themselves no limit. No query of ours takes nearly as long.
_ANSWER_SECONDS = 40.0

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = 7_285_001  # advisory lock: one process migrates at a time


#: How long a migration waits for a table, and until it tries again.
_LOCK_SECONDS, _LOCK_AGAIN_SECONDS = 0.5, 1.0

#: What is raised when the database does not answer a query of ours, a job's included, or not in time.
DATABASE_AWAY = (psycopg.Error, PoolTimeout, ConnectorException, TimeoutError)


class DatabaseAway(Exception):
    """The database cannot be reached, or does not know us; the message says why and what to do."""

    @classmethod
    def of(cls, error: BaseException) -> "DatabaseAway":
        """Say so of an error of psycopg's, or of procrastinate's with one inside."""
        reason = str(error.__cause__ if isinstance(error, ConnectorException) else error).partition("\n")[0]
        return cls(f"The database did not answer ({reason}). Check DATABASE_URL.")


class _Impatient(AsyncConnection[tuple[Any, ...]]):
    """
    A connection that is given up as soon as whoever asks is not there any more, or when the server is silent.

    psycopg would first ask the server to cancel, and wait up to ten seconds for that. Where the server does not answer
    at all, Slack's three seconds would be long over. It notices by itself that nobody listens any more.
    """

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for what psycopg does on this connection. Raises OperationalError if the server is silent."""
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await wait_async(gen, self.pgconn.socket, interval=interval)
        except TimeoutError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                return []  # type: ignore[return-value]  # nobody asked: it listens, and heard nothing
            self.pgconn.finish()
            raise OperationalError("The server did not answer.") from error
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class Overtaken(Exception):
    """Another process has begun since what we were about to begin: we led for a while without knowing better."""


@asynccontextmanager
async def database_url(configured: str | None, data_dir: Path) -> AsyncIterator[str]:
    """Yield the URL of the configured PostgreSQL, or of an embedded one that lives in *data_dir*."""
    if configured:
        yield configured
        return
    async with embedded_postgres(data_dir) as url:
        yield url


class _Stoppable(AsyncConnectionPool[Connection]):
    """
    A pool in which whoever waits for a connection can be stopped at any moment.

    psycopg's waits in Python 3.11's `asyncio.wait_for`, which forgets that it was cancelled when a connection comes at
    the same moment (python/cpython#86296). Work that goes round for good would never end then, and whoever waits for
    its end, such as a leader that has lost its place, would wait for good.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        connection = await super().getconn(timeout)
        if task and task.cancelling() > before:
            await self.putconn(connection)
            raise asyncio.CancelledError
        return connection


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[Pool]:
    """
    Open a pool of autocommitting connections; a transaction is always spelled `connection.transaction()`.

    Autocommit is set on each connection and not in the pool's arguments: procrastinate's listener takes those
    arguments and adds its own.
    """
    impatient: type[Connection] = _Impatient
    async with _Stoppable(
        _lively(url),
        connection_class=impatient,
        min_size=2,
        max_size=POOL_SIZE,
        open=False,
        timeout=10,
        configure=set_up,
        check=_check_if_suspicious,
    ) as pool:
        await pool.wait(timeout=30)
        yield pool


async def set_up(connection: Connection) -> None:
    """Make a connection one of the pool's, or one that was opened as they are."""
    await connection.set_autocommit(True)
    await _limit(connection, _IN_THE_POOL)


async def _limit(connection: AsyncConnection[Any], limits: Mapping[str, str]) -> None:
    """Tell the server how long to believe in us. One that knows less of it does without."""
    try:
        await connection.execute(
            "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) wanted (name, value)"
            " JOIN pg_settings USING (name)",
            (list(limits), list(limits.values())),
        )
    except psycopg.DatabaseError as error:
        if connection.closed:
            raise
        logger.warning("limits_not_set error=%s", type(error).__name__)


def _lively(url: str) -> str:
    """Return the address with what our end of a connection is told."""
    said = conninfo_to_dict(url)
    return make_conninfo(url, **{name: value for name, value in _OUR_SOCKETS.items() if name not in said})


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


async def hold(url: str) -> AsyncConnection[Any]:
    """
    Open one autocommitting connection to hold a lock by: whoever is silent on it for HELD_SECONDS loses it.

    Raises psycopg.Error and TimeoutError.
    """
    connection = await _Impatient.connect(_lively(url), autocommit=True)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await _limit(connection, _HOLDING)
    except BaseException:
        await connection.close()
        raise
    return connection


async def connect(url: str) -> AsyncConnection[Any]:
    """Open one autocommitting connection. Raises DatabaseAway."""
    try:
        connection = await AsyncConnection.connect(_lively(url), autocommit=True)
        await _limit(connection, _ITS_SOCKETS)
    except OperationalError as error:
        raise DatabaseAway.of(error) from error
    return connection


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
            await _apply(connection, step)
            applied_now.append(step.name)
    return applied_now


async def _apply(connection: AsyncConnection[Any], step: "_Step") -> None:
    """
    Apply one step, while other processes may be at work on the old schema.

    A table that it has to change may be in use, and whoever comes to it then waits behind us. So we wait for a moment
    only, less than it takes the server to see who waits for whom in a circle, and try again.
    """
    while True:
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                await connection.execute(step.sql)  # files of ours and of procrastinate's
                for name in (step.name, *step.covers):
                    await connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", (name,))
        except psycopg.errors.LockNotAvailable:
            logger.warning("migration_waits step=%s (its tables are in use)", step.name)
            await asyncio.sleep(_LOCK_AGAIN_SECONDS)
        else:
            return


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
