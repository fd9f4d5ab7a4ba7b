"""The command line: `python -m sandbox` serves, `python -m sandbox type` types a command into one that is running."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from sandbox.companion import Companion, port_for
from sandbox.server import HOST, World, serve
from sandbox.slack.manifest import InvalidManifest
from sandbox.terminal import type_and_watch

DEFAULT_PORT = 8400
SETTLED = 4.0  # seconds: longer than a text usually takes from one status to the next

SERVE_HELP = """\
A Slack and a Blooio on this machine, for a bot that texts people. No account is needed and nothing leaves the machine.

Open the address it prints to see both. To type a command from another terminal:

  python -m sandbox type '/text +15551234567 hello'
"""
COMMAND_HELP = """\
After `--` comes a command to run beside the sandbox, for instance `-- python -m bot`. It gets the environment it needs
to find the sandbox and to be found on PORT, or on a free port, where the local Blooio delivers its webhooks; and it is
ended with it. Without one, the sandbox prints that environment.
"""
TYPE_HELP = """\
Type a slash command into a running sandbox, as one of its people. Prints what that person alone sees, then the
messages that follow, each again whenever it changes, until nothing has changed for a few seconds.
"""


def main(arguments: list[str]) -> int:
    """Run the command line and return the exit code."""
    if arguments[:1] == ["type"]:
        given = _type_parser().parse_args(arguments[1:])
        return asyncio.run(type_and_watch(given.url, given.person, given.where, given.command, settled=given.settled))
    ours, command = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        ours, command = arguments[:cut], arguments[cut + 1 :]
    given = _serve_parser().parse_args(ours)
    try:
        world = World(given.manifest, request_url=given.request_url, latency=given.latency)
    except OSError as error:
        print(f"The manifest {given.manifest} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    except InvalidManifest as invalid:
        print(f"Slack would refuse the manifest {given.manifest}:", file=sys.stderr)
        for reason in invalid.errors:
            print(f"  {reason['pointer']}: {reason['message']}", file=sys.stderr)
        return 2
    return asyncio.run(_serve(world, given.port, command))


async def _serve(world: World, port: int, command: list[str]) -> int:
    """Serve until somebody ends it. Returns the exit code of *command* if that ended by itself, or 0."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        server = await serve(world, port)
    except OSError as error:
        print(f"Port {port} cannot be used: {error.strerror}. Choose another with --port.", file=sys.stderr)
        return 1
    print(f"The sandbox is at {server.url}", flush=True)
    try:
        if not command:
            print("A bot finds it with:\n")
            print(*(f"{name}={value}" for name, value in world.environment().items()), sep="\n", flush=True)
            await stop.wait()
            return 0
        return await _serve_beside(command, world, stop)
    finally:
        await server.close()


async def _serve_beside(command: list[str], world: World, stop: asyncio.Event) -> int:
    settings = world.environment() | world.settings_beside(port_for(os.environ))
    beside = Companion(command, settings, changed=world.basics.changes.bump)
    try:
        await beside.start()
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}.", file=sys.stderr)
        return 127  # as a shell says it
    world.companion = beside
    await stop.wait()
    return await beside.end()


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        usage="%(prog)s [options] [-- COMMAND …]\n       %(prog)s type COMMAND [options]",
        description=SERVE_HELP,
        epilog=COMMAND_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}; 0 takes a free one")
    parser.add_argument(
        "--manifest", type=Path, default=Path("manifest.yml"), help="the Slack app, default manifest.yml"
    )
    parser.add_argument(
        "--request-url",
        metavar="URL",
        help="deliver Slack's requests to this URL, signed; without it the app is in Socket Mode",
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="how long each API call takes, default 0"
    )
    return parser


def _type_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox type", description=TYPE_HELP)
    parser.add_argument("command", metavar="COMMAND", help="in quotes: '/text +15551234567 hello'")
    parser.add_argument("--as", dest="person", default="ana", metavar="PERSON", help="ana (default), ben or gus")
    parser.add_argument(
        "--in", dest="where", default="#support", metavar="CONVERSATION", help="'#support' (default), '@ben', '@bot'"
    )
    parser.add_argument(
        "--url", default=f"http://{HOST}:{DEFAULT_PORT}", help=f"the sandbox, default http://{HOST}:{DEFAULT_PORT}"
    )
    parser.add_argument(
        "--for",
        dest="settled",
        type=float,
        default=SETTLED,
        metavar="SECONDS",
        help=f"stop watching when nothing has changed for so long, default {SETTLED:g}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
