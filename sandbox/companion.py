"""A command that runs beside the sandbox, with the environment it needs, and ends with it."""

import asyncio
import os
import sys
from collections.abc import Mapping

GRACE = 10.0  # seconds between asking it to end and ending it

#: Proxies would carry loopback traffic away; slack_sdk obeys these and ignores NO_PROXY.
PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


class Companion:
    """The process of one command."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name
        self._ended_by_us = False

    async def watch(self) -> None:
        """Wait for its end; say so if it ends by itself."""
        code = await self._process.wait()
        if not self._ended_by_us:
            print(
                f"{self._name} has ended with exit code {code}. The sandbox goes on; Ctrl-C ends it.", file=sys.stderr
            )

    async def end(self) -> int:
        """End it if it still runs. Return the exit code it ended with by itself, or 0."""
        if self._process.returncode is not None:
            return self._process.returncode
        self._ended_by_us = True
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), timeout=GRACE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        return 0


async def start(command: list[str], environment: Mapping[str, str]) -> Companion:
    """Start *command*. Raises OSError if there is no such program."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment_of(os.environ, environment),
        start_new_session=True,  # Ctrl-C reaches the sandbox alone, which then ends the command in its own time
    )
    return Companion(process, command[0])


def environment_of(inherited: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Put *settings* in place of whatever the shell knows of Slack and Blooio: a real token must not come along."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("SLACK_", "BLOOIO_")) and name.lower() not in PROXIES
    }
    return kept | dict(settings)
