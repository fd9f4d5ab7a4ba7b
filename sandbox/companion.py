"""A command that runs beside the sandbox, with the environment it needs: it can be stopped, and ends with it."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum

HOST = "127.0.0.1"
GRACE = 10.0  # seconds between asking it to end and ending it

#: Proxies would carry loopback traffic away; slack_sdk obeys these and ignores NO_PROXY.
PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


class State(StrEnum):
    """How a companion is."""

    RUNNING = "running"
    STOPPING = "stopping"  # it has been asked to end
    STOPPED = "stopped"  # as it was asked to
    ENDED = "ended"  # by itself


class Companion:
    """One command, which runs as one process at a time. `changed` is called whenever its state is another."""

    def __init__(
        self, command: list[str], settings: Mapping[str, str], *, changed: Callable[[], object] = lambda: None
    ) -> None:
        self._command = command
        self._settings = settings
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # starting and stopping come one after the other
        self.state = State.STOPPED
        self.code: int | None = None  # with which it ended by itself

    async def start(self) -> None:
        """Start it unless it runs. Raises OSError if there is no such program."""
        async with self._turn:
            if self.state is State.RUNNING:
                return
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=environment_of(os.environ, self._settings),
                start_new_session=True,  # Ctrl-C reaches the sandbox alone, which ends the command in its own time
            )
            self.code = None
            self._become(State.RUNNING)
            self._watching = asyncio.create_task(self._watch(self._process))

    async def stop(self) -> None:
        """Ask it to end, and wait until it has; after `GRACE` seconds it is not asked any more."""
        async with self._turn:
            if self._process is None or self._process.returncode is not None:
                return
            self._become(State.STOPPING)
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), timeout=GRACE)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
            self._become(State.STOPPED)

    async def end(self) -> int:
        """Stop it for good. Return the exit code it ended with by itself, or 0."""
        await self.stop()
        if self._watching is not None:
            await self._watching
        return self.code or 0

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Wait for its end; say so if it ends by itself."""
        code = await process.wait()
        if self.state is not State.RUNNING:
            return
        self.code = code
        self._become(State.ENDED)
        print(
            f"{self._command[0]} has ended with exit code {code}. The sandbox goes on; Ctrl-C ends it.", file=sys.stderr
        )

    def _become(self, state: State) -> None:
        self.state = state
        self._changed()


def environment_of(inherited: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Put *settings* in place of whatever the shell knows of Slack and Blooio: a real token must not come along."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("SLACK_", "BLOOIO_")) and name.lower() not in PROXIES
    }
    return kept | dict(settings)


def port_for(inherited: Mapping[str, str]) -> int:
    """Return the port on which the command is to listen: PORT of the environment, or a free one."""
    wanted = inherited.get("PORT", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port
