"""
People in front of views: what they enter, press, submit and close, and what the app is told of it.

Source: docs.slack.dev/reference/interaction-payloads and docs.slack.dev/surfaces/modals.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.slack.commands import Shown
from sandbox.slack.complaints import complaints
from sandbox.slack.deliveries import Answer, Deliveries
from sandbox.slack.entering import Entering
from sandbox.slack.errors import SlackError
from sandbox.slack.fields import STATELESS, action, elements, entered, options, reads
from sandbox.slack.interactions import in_view, interaction, view_json
from sandbox.slack.manifest import Manifest
from sandbox.slack.modal_state import label_of
from sandbox.slack.model import Person
from sandbox.slack.response_urls import ResponseURLs
from sandbox.slack.suggestions import Offer, Suggestions
from sandbox.slack.views import View, input_blocks, read_view, value_of, values
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

TROUBLE = "We had some trouble connecting. Try again?"  # Slack's words over the buttons
TYPED = {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"}
WITH_RESPONSE_URL = {"conversations_select": "selected_conversation", "channels_select": "selected_channel"}


@dataclass(frozen=True)
class Outcome:
    """
    What became of a submit.

    *what* is `invalid` (the client sent nothing, as fields are missing or wrong), `closed`, `errors`, `updated`,
    `pushed`, `cleared` or `failed`. *reason* tells, of a failure, what a person does not read.
    """

    what: str
    reason: str | None = None


class Rejected(Exception):
    """An acknowledgement that Slack can do nothing with."""


class Modals:
    """Act in views on people's behalf. Every method raises ValueError for what a client would not let them do."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        deliveries: Deliveries,
        response_urls: ResponseURLs,
        suggestions: Suggestions,
    ) -> None:
        self._workspace = workspace
        self._views = workspace.views
        self._manifest = manifest
        self._deliveries = deliveries
        self._response_urls = response_urls
        self._suggestions = suggestions
        self._entering = Entering(workspace)

    def topmost(self, person: Person) -> View:
        view = self._views.top(person.id)
        if view is None:
            raise ValueError(f"{person.name} has no modal open")
        return view

    def home(self, person: Person) -> View:
        view = self._views.home(person.id)
        if view is None:
            raise ValueError(f"nothing was published for {person.name}")
        return view

    async def fill(self, person: Person, view: View, what: str, value: Any, *, block_id: str | None = None) -> Shown:
        """
        Enter *value* into the input whose label reads *what*, or that has it as `action_id`.

        With *block_id* only that block is looked at: an `action_id` stands for one element of one block.
        With `dispatch_action` a choice is told to the app, and so is typing with `on_character_entered`.
        """
        block, element = _named(view, what, _inputs(view), block_id)
        await self._enter(person, view, block["block_id"], element, value)
        dispatches = block.get("dispatch_action") and (
            element["type"] not in TYPED or "on_character_entered" in _triggers(element)
        )
        return await self._tell(person, view, block["block_id"], element) if dispatches else Shown()

    async def click(self, person: Person, view: View, what: str, choice: Any, *, block_id: str | None = None) -> Shown:
        """
        Use the element of *view* that reads *what* or has it as `action_id`; *choice* is what is entered in it.

        An option may be named by its text instead of its menu. In a text input with `dispatch_action`, Enter is
        pressed.
        """
        block, element, choice = _clicked(view, what, choice, block_id)
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise ValueError(f"{what} is an input, which tells the app nothing before the submit")
        block_id = str(block["block_id"])
        if element["type"] == "button":
            return await self._tell(person, view, block_id, element)
        if element["type"] == "overflow":
            chosen = self._entering.value(person, element, choice)
            return await self._tell(person, view, block_id, element, chosen)
        if choice is not None or element["type"] not in TYPED:
            await self._enter(person, view, block_id, element, choice)
        return await self._tell(person, view, block_id, element)

    async def suggest(self, person: Person, view: View, what: str, typed: str, *, block_id: str | None = None) -> Offer:
        """Type into an external menu."""
        block, element = _named(view, what, elements(view.blocks), block_id)
        return await self._suggestions.ask(person, in_view(view, self._workspace), block["block_id"], element, typed)

    async def submit(self, person: Person) -> Outcome:
        """Press the submit button of the topmost view, and wait for what comes of it."""
        self._demand_interactivity()
        view = self.topmost(person)
        if not view.content["submit"]:
            raise ValueError("the modal has no submit button")
        if view.submitting:
            raise ValueError("the submit button is disabled while a submit is under way")
        view.errors = complaints(view.blocks, lambda block_id, element: value_of(view, block_id, element))
        view.trouble = ""
        view.submitting = not view.errors
        self._views.seen()
        if view.errors:
            return Outcome("invalid")
        try:
            answer = await self._deliveries.ask("interactive", self._submission(person, view))
        finally:
            view.submitting = False
            self._views.seen()
        if not self._views.holds(view):
            return Outcome("closed")  # by the person or the app meanwhile
        try:
            return Outcome(self._acknowledged(view, answer))
        except (Rejected, SlackError) as problem:
            view.trouble = TROUBLE
            return Outcome("failed", _reason(problem))

    async def close(self, person: Person, *, everything: bool = False) -> None:
        """
        Press the close button of the topmost view, or with *everything* the cross, which clears the whole stack.

        `clear_on_close` makes the button clear it too. The app is told of the view that was closed, or of the root
        when all were, if that view has `notify_on_close`.
        """
        view = self.topmost(person)
        cleared = everything or view.content["clear_on_close"]
        told = self._views.stack(person.id)[0] if cleared else view
        if cleared:
            self._views.clear(person.id)
        else:
            self._views.close(view)
        if told.content["notify_on_close"] and self._manifest.interactivity:
            payload = interaction("view_closed", person, self._workspace)
            payload |= {"view": view_json(told, self._workspace), "is_cleared": cleared}
            await self._deliveries.ask("interactive", payload, accepts_response=False)

    def _demand_interactivity(self) -> None:
        if not self._manifest.interactivity:
            raise ValueError("interactivity is off in the manifest")

    async def _enter(self, person: Person, view: View, block_id: str, element: JSON, choice: Any) -> None:
        place = in_view(view, self._workspace)
        offered = await self._suggestions.choose_from(person, place, block_id, element, choice)
        value = self._entering.value(person, element, choice, offered=offered)
        view.state[block_id, element["action_id"]] = entered(element, value)
        view.errors.pop(block_id, None)
        self._views.seen()

    async def _tell(self, person: Person, view: View, block_id: str, element: JSON, chosen: Any = None) -> Shown:
        """Send `block_actions`. It is acknowledged without words: nothing is shown but a failure."""
        self._demand_interactivity()
        if element["type"] not in STATELESS:
            chosen = value_of(view, block_id, element)
        done = action(block_id, element, chosen, action_ts=self._workspace.timestamps.next())
        payload = interaction("block_actions", person, self._workspace) | in_view(view, self._workspace)
        payload |= {"trigger_id": self._workspace.triggers.make(person.id, view_id=view.id), "actions": [done]}
        answer = await self._deliveries.ask("interactive", payload)
        return Shown(error=str(answer.failure) if answer.failure else None)

    def _submission(self, person: Person, view: View) -> JSON:
        workspace = self._workspace
        return interaction("view_submission", person, workspace) | {
            "trigger_id": workspace.triggers.make(person.id, view_id=view.id),
            "view": view_json(view, workspace, state=values(view)),
            "response_urls": [self._response_url(person, *one) for one in _answerable(view)],
        }

    def _response_url(self, person: Person, block_id: str, action_id: str, channel_id: str) -> JSON:
        conversation = self._workspace.conversations[channel_id]
        return {
            "block_id": block_id,
            "action_id": action_id,
            "channel_id": channel_id,
            "response_url": self._response_urls.make("app", conversation, person.id),
        }

    def _acknowledged(self, view: View, answer: Answer) -> str:
        """Do what the acknowledgement asks, and say what that was. Raises Rejected or SlackError."""
        if answer.failure or answer.status != 200:  # noqa: PLR2004 (Slack takes no other 2xx)
            raise Rejected(str(answer.failure or "dispatch_failed"))
        body = answer.payload
        if body in (None, "", {}):
            self._views.close(view)
            return "closed"
        if not isinstance(body, dict):
            raise Rejected("the acknowledgement is neither empty nor an object")
        match body.get("response_action"):
            case "errors":
                self._show_errors(view, body.get("errors"))
                return "errors"
            case "update":
                self._views.update(view, read_view(body.get("view"), "modal"))
                return "updated"
            case "push":
                self._views.push(view.user_id, read_view(body.get("view"), "modal"))
                return "pushed"
            case "clear":
                self._views.clear(view.user_id)
                return "cleared"
        raise Rejected("the acknowledgement is neither empty nor one of Slack's response_actions")

    def _show_errors(self, view: View, errors: Any) -> None:
        if not isinstance(errors, dict) or not errors:
            raise Rejected("errors must be an object of block ids and messages")
        if strangers := [block_id for block_id in errors if block_id not in input_blocks(view)]:
            raise Rejected(f"no input block of the view is called {', '.join(strangers)}")
        if not all(isinstance(words, str) and words for words in errors.values()):
            raise Rejected("every error must be a text")
        view.errors = errors


def _inputs(view: View) -> list[tuple[JSON, JSON]]:
    return [(block, element) for block, element in elements(view.blocks) if block["type"] == "input"]


def _named(view: View, what: str, among: Iterable[tuple[JSON, JSON]], block_id: str | None) -> tuple[JSON, JSON]:
    """Find an element by its `action_id`, or else by its label."""
    found = [(block, element) for block, element in among if block_id in {None, block["block_id"]}]
    for block, element in found:
        if what == element["action_id"]:
            return block, element
    for block, element in found:
        if what == label_of(block, element):
            return block, element
    raise ValueError(f"nothing to fill in {reads(view.content['title'])!r} is called {what}")


def _clicked(view: View, what: str, choice: Any, block_id: str | None) -> tuple[JSON, JSON, Any]:
    for block, element in elements(view.blocks):
        if block_id not in {None, block["block_id"]}:
            continue
        if what in {element["action_id"], label_of(block, element)}:
            return block, element, choice
        if any(what == reads(option.get("text")) for option in options(element)):
            return block, element, what
    raise ValueError(f"nothing to click reads {what}")


def _triggers(element: JSON) -> list[str]:
    triggers: list[str] = element.get("dispatch_action_config", {}).get("trigger_actions_on", [])
    return triggers


def _answerable(view: View) -> list[tuple[str, str, str]]:
    """List block, action and conversation of each input that asked for a `response_url` and holds a choice."""
    found = []
    for block, element in _inputs(view):
        if element["type"] in WITH_RESPONSE_URL and element.get("response_url_enabled"):
            chosen = value_of(view, block["block_id"], element)
            if chosen:
                found.append((block["block_id"], element["action_id"], chosen))
    return found


def _reason(problem: Exception) -> str:
    extra = problem.extra if isinstance(problem, SlackError) else {}
    return " ".join([str(problem), *extra.get("response_metadata", {}).get("messages", [])])
