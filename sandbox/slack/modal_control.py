"""Control routes for views: what a person does in front of a modal, and in the app's Home."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.answered import answered
from sandbox.slack.fields import reads
from sandbox.slack.modal_state import home_state, modal_state
from sandbox.slack.model import Person
from sandbox.slack.reading import Reader
from sandbox.slack.service import Slack
from sandbox.slack.suggestions import Offer
from sandbox.slack.views import View

JSON = dict[str, Any]


class ModalControl:
    """The routes under `/_sandbox/slack/modal`. With `home` they are about the person's Home in place of her modal."""

    def __init__(self, slack: Slack, person: Callable[[JSON], Person]) -> None:
        self._modals = slack.modals
        self._workspace = slack.workspace
        self._person = person  # finds the person `as`

    def add_routes(self, app: web.Application) -> None:
        for name in ("fill", "click", "suggest", "submit", "close"):
            app.router.add_post(f"/_sandbox/slack/modal/{name}", answered(getattr(self, name)))
        app.router.add_get("/_sandbox/slack/modal", answered(self.modal))

    async def modal(self, arguments: JSON) -> JSON:
        """The topmost view as the person sees it, null without one."""
        person = self._person(arguments)
        if not arguments.get("home"):
            return self._seen(person)
        return {"modal": home_state(self._workspace, person, Reader(self._workspace, person))}

    async def fill(self, arguments: JSON) -> JSON:
        """Enter `value` into the input `what`: its label or `action_id`."""
        person = self._person(arguments)
        view, what, block_id = self._where(arguments)
        shown = await self._modals.fill(person, view, what, arguments.get("value"), block_id=block_id)
        return self._seen(person) | {"error": shown.error}

    async def click(self, arguments: JSON) -> JSON:
        """Press the button `what`, or choose or enter `value` in what tells the app at once."""
        person = self._person(arguments)
        view, what, block_id = self._where(arguments)
        shown = await self._modals.click(person, view, what, arguments.get("value"), block_id=block_id)
        return self._seen(person) | {"error": shown.error}

    async def suggest(self, arguments: JSON) -> JSON:
        """Type `typed` into the external menu `what`."""
        person, typed = self._person(arguments), str(arguments.get("typed", ""))
        view, what, block_id = self._where(arguments)
        return offered(await self._modals.suggest(person, view, what, typed, block_id=block_id))

    async def submit(self, arguments: JSON) -> JSON:
        """Press the submit button. Answers with what became of it, once it was acknowledged or has failed."""
        person = self._person(arguments)
        outcome = await self._modals.submit(person)
        return self._seen(person) | {"outcome": outcome.what, "reason": outcome.reason}

    async def close(self, arguments: JSON) -> JSON:
        """Press the close button, or with `everything` the cross."""
        person = self._person(arguments)
        await self._modals.close(person, everything=bool(arguments.get("everything")))
        return self._seen(person)

    def _where(self, arguments: JSON) -> tuple[View, str, str | None]:
        """Tell the view, and in it `what`; with `block_id` only what is in that block."""
        person = self._person(arguments)
        view = self._modals.home(person) if arguments.get("home") else self._modals.topmost(person)
        return view, str(arguments.get("what", "")), arguments.get("block_id")

    def _seen(self, person: Person) -> JSON:
        return {"modal": modal_state(self._workspace, person, Reader(self._workspace, person))}


def offered(offer: Offer) -> JSON:
    """Write what a menu shows: texts, in their groups if it has any."""
    return {
        "options": [reads(option["text"]) for option in offer.all],
        "groups": {
            reads(group["label"]): [reads(option["text"]) for option in group["options"]]
            for group in offer.option_groups
        },
        "error": offer.error,
        "raw": {"options": offer.options, "option_groups": offer.option_groups},
    }
