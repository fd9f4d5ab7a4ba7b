"""
A real PostgreSQL for every test that wants one: the server at DATABASE_URL, or an embedded one.

And, for every test whether it wants it or not: nothing personal in what the bot logs.
"""

import asyncio
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from bot.storage.database import migrate
from bot.storage.embedded import start_embedded
from tests.log_scan import SCAN

_numbers = itertools.count(1)
_QUICK = {"contract", "integration", "unit"}  # the folders whose modules take seconds
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30  # bytes that must be free there: each of four servers keeps a few hundred megabytes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is quick to the end, so that nobody waits there for one long story."""
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] in _QUICK)


@pytest.fixture(scope="module", autouse=True)
def _no_long_collections() -> None:
    """
    Leave the tests, and what is kept of those before, out of every garbage collection: the bot does so with its start.

    Six thousand of them took a third of a second each time, and seconds where others want the processor: as long as
    Slack waits for an answer.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_personal_is_logged() -> Iterator[None]:
    """Fail the test in which a number, an address, a word of a text or a secret reached the log."""
    yield
    leaks = SCAN.leaks()
    if leaks:
        pytest.fail("in the log:\n" + "\n".join(leaks), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _nothing_personal_is_logged_at_the_end() -> Iterator[None]:
    """The same, for what was logged when the last test of this process was over."""
    yield
    assert SCAN.leaks() == []


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server on which databases can be made."""
    configured = os.environ.get("DATABASE_URL")
    if configured:
        yield configured
        return
    # Not below pytest's own folder: as root the server runs as another user, and a second pytest shuts that folder.
    with tempfile.TemporaryDirectory(prefix="texting", dir=_in_memory()) as folder:
        server = start_embedded(Path(folder))
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # no test cuts the power
                connection.execute("ALTER SYSTEM SET max_wal_size = '256MB'")  # of memory, it may be
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


def _in_memory() -> Path | None:
    """
    A folder whose files are kept in memory, if there is one with room; None: the usual one, on a disk.

    A database for each test is what a disk is slow at: making one takes a third of a second there beside others, and
    20 ms in memory; and whoever else wants the disk waits as well.
    """
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM else None


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """The name of a database with the whole schema, to be copied."""
    name = f"texting_test_{os.getpid()}"
    with _database(postgres_url, name) as url:
        asyncio.run(migrate(url))
        yield name


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    with _database(postgres_url, f"{template}_{next(_numbers)}", template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The URL of a database without any schema."""
    with _database(postgres_url, f"{template}_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def database_urls(postgres_url: str, template: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases of this test's own, one with each call; returns its URL."""
    with ExitStack() as databases:
        yield lambda: databases.enter_context(_database(postgres_url, f"{template}_{next(_numbers)}", template))


@pytest.fixture
def bare_database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The URL of a database of this test's own without the schema."""
    with _database(postgres_url, f"{template}_{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The URL of an empty database that a module's tests share."""
    with _database(postgres_url, f"{template}_{next(_numbers)}", template) as url:
        yield url


@contextmanager
def _database(server_url: str, name: str, template: str = "template1") -> Iterator[str]:
    """Make a database, and drop it with whatever is still connected."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        parts = urlsplit(server_url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
