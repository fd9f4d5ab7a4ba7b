"""`python -m sandbox type`: type a command into a running sandbox from a terminal, and watch what comes of it."""

import sys

import httpx

from sandbox.driver import Sandbox
from sandbox.slack.driver import Message, Person, Refused
from sandbox.slack.modal_driver import Modal


async def type_and_watch(url: str, handle: str, where: str, command: str, *, settled: float) -> int:
    """
    Type *command* as one person, print what she sees, and return the exit code.

    *settled*: how many seconds without anything new are the end.
    """
    try:
        async with Sandbox.at(url) as sandbox:
            person = sandbox.person(handle)
            before, modal = await person.sees_all(where), await person.modal()
            print(f"{where}  {person.name}: {command}")
            shown = await person.types(where, command)
            for line in shown.text.splitlines():
                print(f"  only {person.name} sees: {line}")
            if shown.error:
                return 1
            await _watch(sandbox, person, where, before, modal, settled=settled)
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


async def _watch(
    sandbox: Sandbox, person: Person, where: str, before: list[Message], modal: Modal | None, *, settled: float
) -> None:
    """Print each message that is new or has changed, and each modal that opens, until nothing does."""
    known = {message.ts: message.text for message in before}
    forms = {modal.raw["id"]} if modal else set()

    async def news() -> list[Message | Modal]:
        seen, modal = await person.sees_all(where), await person.modal()
        fresh = [one for one in seen if not one.ephemeral and known.get(one.ts) != one.text]
        return [*fresh, *([modal] if modal and modal.raw["id"] not in forms else [])]

    while True:
        try:
            fresh = await sandbox.until(news, timeout=settled)
        except TimeoutError:
            return
        for message in fresh:
            if isinstance(message, Modal):
                forms.add(message.raw["id"])
                print(f"  A form opened: {message.title}. Open the page to fill it in.")
                continue
            indent = "    " if message.thread_ts else "  "
            again = " (now)" if message.ts in known else ""
            first, *rest = message.text.splitlines() or [""]
            print(f"{indent}{message.author}{again}: {first}", *(f"{indent}  {line}" for line in rest), sep="\n")
            known[message.ts] = message.text
