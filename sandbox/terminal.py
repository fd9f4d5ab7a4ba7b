"""`python -m sandbox type`: type a command into a running sandbox from a terminal, and watch what comes of it."""

import sys

import httpx

from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person, Refused


async def type_and_watch(url: str, handle: str, where: str, command: str, *, settled: float) -> int:
    """
    Type *command* as one person, print what she sees, and return the exit code.

    *settled*: how many seconds without anything new are the end.
    """
    try:
        async with Sandbox.at(url) as sandbox:
            person = sandbox.person(handle)
            before = await person.sees_all(where)
            print(f"{where}  {person.name}: {command}")
            shown = await person.types(where, command)
            for line in shown.text.splitlines():
                print(f"  only {person.name} sees: {line}")
            if shown.error:
                return 1
            await _watch(sandbox, person, where, before, settled=settled)
    except httpx.ConnectError:
        print(f"There is no sandbox at {url}. Start one with: python -m sandbox", file=sys.stderr)
        return 1
    except KeyError:
        print(f"There is nobody called {handle}: try ana, ben or gus.", file=sys.stderr)
        return 2
    except Refused as refused:
        print(f"Slack would not let {handle} do this: {refused}.", file=sys.stderr)
        return 1
    return 0


async def _watch(sandbox: Sandbox, person: Person, where: str, before: list[Message], *, settled: float) -> None:
    """Print each message that is new or has changed, until nothing does."""
    known = {message.ts: message.text for message in before}

    async def news() -> list[Message]:
        seen = await person.sees_all(where)
        return [one for one in seen if not one.ephemeral and known.get(one.ts) != one.text]

    while True:
        try:
            fresh = await sandbox.until(news, timeout=settled)
        except TimeoutError:
            return
        for message in fresh:
            indent = "    " if message.thread_ts else "  "
            again = " (now)" if message.ts in known else ""
            first, *rest = message.text.splitlines() or [""]
            print(f"{indent}{message.author}{again}: {first}", *(f"{indent}  {line}" for line in rest), sep="\n")
            known[message.ts] = message.text
