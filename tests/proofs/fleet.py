"""Replicas of the bot as on machines of their own: each reaches PostgreSQL, Slack and Blooio through its own doors."""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from sandbox.driver import Sandbox
from tests.acceptance.processes import BotProcess
from tests.proofs.proxy import Proxy, place_of, proxy
from tests.proofs.scene import Scene, scene, server_of, through

LEADING, WORKER = 7_285_003, 7_285_002  # the advisory locks of bot/leading.py and bot/storage/presence.py

_NETWORK = 0x40000000  # CLONE_NEWNET
_HOLDERS = """
    SELECT a.application_name, l.objid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Cut(StrEnum):
    """What a replica can lose."""

    DATABASE = "the database, refused"
    DATABASE_SILENTLY = "the database, silently"
    DATABASE_LATE = "the database, silently, and then all arrives late"
    SLACK = "Slack, silently"
    VENDORS = "Slack and Blooio, silently"
    EVERYTHING = "everything, silently"
    CABLE = "everything: its cable is pulled, and put in again"


@dataclass
class Namespace:
    """A network of one machine's own, joined to ours by a cable. Made with `ip`, which takes root."""

    name: str
    here: str  # our end's address
    there: str  # and its own
    cable: str  # our end

    def plug(self, *, in_: bool) -> None:
        """Put the cable in or pull it: at our end, so that there every packet just vanishes."""
        _ip("link", "set", self.cable, "up" if in_ else "down")

    def listener(self) -> socket.socket:
        """A socket of ours that listens on the loopback of that machine."""

        def listen() -> socket.socket:
            with Path(f"/run/netns/{self.name}").open() as place:
                if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), _NETWORK):
                    raise OSError(ctypes.get_errno(), "setns")
            return socket.create_server(("127.0.0.1", 0))

        with ThreadPoolExecutor(1) as apart:  # a thread is moved there, and ends
            return apart.submit(listen).result()


def namespaces_work() -> bool:
    """Whether this machine lets us make networks."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    with namespaces(1) as made:
        return bool(made)


@contextmanager
def namespaces(count: int) -> Iterator[list[Namespace]]:
    """So many machines' networks; none at all where that is not allowed."""
    made: list[Namespace] = []
    try:
        for number in range(1, count + 1):
            name, subnet = f"tx{os.getpid()}n{number}", f"10.77.{os.getpid() % 60 * 4 + number}"
            cable, end = f"{name}h", f"{name}t"
            made.append(Namespace(name, f"{subnet}.1", f"{subnet}.2", cable))
            _ip("netns", "add", name)
            _ip("link", "add", cable, "type", "veth", "peer", "name", end)
            _ip("link", "set", end, "netns", name)
            _ip("addr", "add", f"{subnet}.1/24", "dev", cable)
            _ip("link", "set", cable, "up")
            for line in (("addr", "add", f"{subnet}.2/24", "dev", end), ("link", "set", end, "up")):
                _ip("-n", name, *line)
            _ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError:
        for namespace in made:
            subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False)
        made = []
    try:
        yield made
    finally:
        for namespace in made:
            _ip("netns", "del", namespace.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def serve_addresses(handle: Any, addresses: list[str]) -> str:
    """Let the embedded server listen on *addresses* too, which takes a restart; return its URL, as it was."""
    url = str(handle.get_uri())
    hba = Path(handle.pgdata) / "pg_hba.conf"
    hba.write_text(hba.read_text() + "\nhost all all 10.77.0.0/16 trust\n")
    place = server_of(url)
    assert isinstance(place, Path)
    subprocess.run(
        [
            *(handle.bin_path / "pg_ctl", "-w", "-m", "fast", "-D", handle.pgdata, "-l", handle.log),
            *("-o", f"-h {','.join(addresses)} -k {place.parent}", "restart"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        user=handle.system_user,
    )
    handle.ensure_postgres_running()
    return url


@dataclass(eq=False)
class Replica:
    """One bot and its doors."""

    name: str
    bot: BotProcess
    slack: Proxy
    blooio: Proxy
    database: Proxy | None  # None: by cable
    namespace: Namespace | None = None

    def doors(self, cut: Cut) -> list[Proxy]:
        """List the doors that are shut when the replica loses this."""
        match cut:
            case Cut.DATABASE | Cut.DATABASE_SILENTLY | Cut.DATABASE_LATE:
                doors = [self.database]
            case Cut.SLACK:
                doors = [self.slack]
            case Cut.VENDORS:
                doors = [self.slack, self.blooio]
            case _:
                doors = [self.slack, self.blooio, self.database]
        return [door for door in doors if door is not None]

    async def loses(self, cut: Cut) -> None:
        if cut is Cut.CABLE:
            assert self.namespace is not None
            self.namespace.plug(in_=False)
        for door in self.doors(cut):
            await door.cut(silently=cut is not Cut.DATABASE)

    async def has_again(self, cut: Cut) -> None:
        if cut is Cut.CABLE:
            assert self.namespace is not None
            self.namespace.plug(in_=True)
        for door in self.doors(cut):
            await door.mend(resumes=cut is Cut.DATABASE_LATE)


@dataclass
class Fleet:
    """A scene whose bots have doors of their own."""

    scene: Scene
    replicas: list[Replica] = field(default_factory=list)

    async def holders(self) -> dict[str, set[int]]:
        """What each replica holds, as the database sees it: LEADING, and the numbers of its workers."""
        held: dict[str, set[int]] = {}
        async with await psycopg.AsyncConnection.connect(self.scene.database_url) as connection:
            for name, number in await (await connection.execute(_HOLDERS)).fetchall():
                held.setdefault(name, set()).add(number)
        return held

    async def leader(self) -> Replica | None:
        """Who leads, as the database sees it."""
        async with await psycopg.AsyncConnection.connect(self.scene.database_url) as connection:
            row = await (await connection.execute(f"{_HOLDERS} AND l.objid = {LEADING}")).fetchone()
        return next((one for one in self.replicas if row is not None and one.name == row[0]), None)


@asynccontextmanager
async def fleet(
    database_url: str,
    folder: Path,
    *,
    replicas: int = 3,
    seed: int = 1,
    machines: list[Namespace] | None = None,
    sandbox: Sandbox | None = None,
    **settings: str,
) -> AsyncIterator[Fleet]:
    """So many replicas over Socket Mode, not started yet; in networks of their own, if there are *machines*."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(
            scene(database_url, folder, bots=replicas, seed=seed, sandbox=sandbox, **settings)
        )
        found = Fleet(stage)
        vendors = place_of(stage.sandbox.url)
        for number, bot in enumerate(stage.bots):
            machine = machines[number] if machines else None
            slack, blooio = [
                await stack.enter_async_context(proxy(lambda: [vendors], machine and machine.listener()))
                for _ in range(2)
            ]
            database: Proxy | None = None
            if machine is None:
                database = await stack.enter_async_context(proxy(lambda: [server_of(database_url)]))
                url = through(database_url, database.port)
            else:
                url = f"postgresql://postgres@{machine.here}/{database_url_name(database_url)}"
                bot._within = ("ip", "netns", "exec", machine.name)
            name = f"replica-{number + 1}"
            bot._environment = bot._environment | {  # which they share until now
                "HOST": machine.there if machine else "127.0.0.1",
                "DATABASE_URL": url,
                "PGAPPNAME": name,
                "SLACK_API_URL": _by_port(bot._environment["SLACK_API_URL"], slack.port),
                "BLOOIO_BASE_URL": _by_port(bot._environment["BLOOIO_BASE_URL"], blooio.port),
            }
            found.replicas.append(Replica(name, bot, slack, blooio, database, machine))
        yield found


def database_url_name(url: str) -> str:
    """Return the database's name in a URL."""
    return urlsplit(url).path.lstrip("/")


def _by_port(url: str, port: int) -> str:
    return urlunsplit(urlsplit(url)._replace(netloc=f"127.0.0.1:{port}"))
