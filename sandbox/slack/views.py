"""
Views: the modals open in front of people, each person's in a stack, and the Home published to each.

Source: docs.slack.dev/surfaces/modals and docs.slack.dev/reference/views.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.slack.blocks import check, normalise, with_text_defaults
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.fields import VALUE_KEY, elements, initial, stateful
from sandbox.slack.ids import new_id, new_secret
from sandbox.slack.shapes import Check, Problem, anything, by_type, flag, plain, shape, string

JSON = dict[str, Any]

DEEPEST = 3  # views in one stack: the root and two pushed
LARGEST = 250 * 1024  # bytes of JSON
LONGEST_METADATA = 3000

COMMON: dict[str, Check] = {
    "private_metadata": string(LONGEST_METADATA, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
OUTLINES = {
    "modal": shape(
        {"title": plain(24), "blocks": anything},
        COMMON
        | {
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
    ),
    "home": shape({"blocks": anything}, COMMON),
}


@dataclass
class View:
    """One view in front of one person: what the app described, and what she has done with it so far."""

    id: str
    user_id: str
    content: JSON  # as `read_view` returns it
    hash: str
    root_id: str
    previous_id: str | None = None
    here: str | None = None  # the conversation she looked at when it was opened
    state: dict[tuple[str, str], JSON] = field(default_factory=dict)  # by `block_id` and `action_id`
    errors: dict[str, str] = field(default_factory=dict)  # the words under a field, by `block_id`
    trouble: str = ""  # the words over the buttons
    submitting: bool = False

    @property
    def blocks(self) -> list[JSON]:
        blocks: list[JSON] = self.content["blocks"]
        return blocks

    def replace(self, content: JSON) -> None:
        """
        Show *content* instead. What she entered stays where `block_id`, `action_id` and the type are the same.

        `initial_*` does not count there again.
        """
        before, self.state = self.state, {}
        for block_id, element in stateful(content["blocks"]):
            place = (block_id, element["action_id"])
            kept = before.get(place)
            same = kept is not None and kept["type"] == element["type"]
            self.state[place] = kept if kept is not None and same else initial(element, here=self.here)
        self.content = content
        self.errors, self.trouble = {}, ""


def read_view(given: Any, surface: str) -> JSON:
    """
    Check a view that an app describes for a `modal` or a `home`, and write it as Slack keeps it. Raises SlackError.

    It may have travelled as JSON in a form.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise invalid_arguments("view must be valid JSON [json-pointer:/view]") from None
    if len(json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode()) > LARGEST:
        raise SlackError("view_too_large")
    problems = list(by_type({surface: OUTLINES[surface]})(given, "/view")) or _in_blocks(given, surface)
    if problems:
        raise invalid_arguments(*map(str, problems))
    outline = {key: given.get(key) or "" for key in COMMON}
    outline |= {key: bool(given.get(key)) for key in ("clear_on_close", "notify_on_close")}
    outline |= {key: with_text_defaults(given.get(key)) for key in ("title", "close", "submit")}
    return {"type": surface, "blocks": normalise(given["blocks"])} | outline


def _in_blocks(given: JSON, surface: str) -> list[Problem]:
    found = [Problem(one.message, f"/view{one.pointer}") for one in check(given["blocks"], surface)]
    if found:
        return found
    focused = [one for _, one in elements(given["blocks"]) if one.get("focus_on_load")]
    if len(focused) > 1:
        found.append(Problem("only one element may have focus_on_load", "/view/blocks"))
    if surface == "modal" and not given.get("submit") and any(one["type"] == "input" for one in given["blocks"]):
        found.append(Problem("missing required field: submit", "/view"))
    return found


class Views:
    """Every view there is. A modal is gone once it was closed; a Home stays."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._stacks: dict[str, list[View]] = {}  # by person, the root first
        self._homes: dict[str, View] = {}  # by person

    def stack(self, user_id: str) -> list[View]:
        """Return the modals in front of a person, the topmost last."""
        return self._stacks.setdefault(user_id, [])

    def top(self, user_id: str) -> View | None:
        stack = self.stack(user_id)
        return stack[-1] if stack else None

    def home(self, user_id: str) -> View | None:
        return self._homes.get(user_id)

    def holds(self, view: View) -> bool:
        return any(view is one for one in self._all())

    def with_id(self, view_id: str) -> View:
        """Find a view that is there. Raises SlackError."""
        return self._found(next((one for one in self._all() if one.id == view_id), None))

    def with_external_id(self, external_id: str) -> View:
        """Find a view that is there. Raises SlackError."""
        return self._found(next((one for one in self._all() if one.content["external_id"] == external_id), None))

    def open(self, user_id: str, content: JSON, *, here: str | None = None) -> View:
        """
        Show a person a modal. It takes the place of those she had open: a client shows one stack.

        What Slack does when one is open is not documented. Their `external_id` is still in use then. Raises SlackError.
        """
        self._demand_new_external_id(content)
        self._stacks[user_id] = []
        return self._add(user_id, content, here=here)

    def push(self, user_id: str, content: JSON) -> View:
        """Put a modal over the topmost one. Raises SlackError."""
        top = self._found(self.top(user_id))
        self._demand_new_external_id(content)
        if len(self.stack(user_id)) >= DEEPEST:
            raise SlackError("push_limit_reached")
        return self._add(user_id, content, here=top.here, over=top)

    def _add(self, user_id: str, content: JSON, *, here: str | None, over: View | None = None) -> View:
        view_id = new_id("V")
        view = View(view_id, user_id, {}, "", over.root_id if over else view_id, over.id if over else None, here)
        self.stack(user_id).append(view)
        self._show(view, content)
        return view

    def update(self, view: View, content: JSON, *, hash_: str = "") -> None:
        """Show other content in a view; *hash_* is that of the content it was made from. Raises SlackError."""
        if hash_ and hash_ != view.hash:
            raise SlackError("hash_conflict")
        self._demand_new_external_id(content, replaced=view)
        self._show(view, content)

    def publish(self, user_id: str, content: JSON, *, hash_: str = "") -> View:
        """Show a person a Home, anew or instead of the one before. Raises SlackError."""
        view = self._homes.get(user_id)
        if view is None:
            if hash_:
                raise SlackError("hash_conflict")
            self._demand_new_external_id(content)
            view_id = new_id("V")
            view = self._homes[user_id] = View(view_id, user_id, {}, "", view_id)
            self._show(view, content)
        else:
            self.update(view, content, hash_=hash_)
        return view

    def close(self, view: View) -> None:
        """Take one modal away, and show the one below."""
        self._stacks[view.user_id] = [one for one in self.stack(view.user_id) if one is not view]
        self._changes.bump()

    def clear(self, user_id: str) -> None:
        """Take a person's whole stack away."""
        self._stacks[user_id] = []
        self._changes.bump()

    def seen(self) -> None:
        """Say that a person did something in a view."""
        self._changes.bump()

    def _show(self, view: View, content: JSON) -> None:
        view.replace(content)
        view.hash = f"{int(self._clock.now())}.{new_secret(8)}"
        self._changes.bump()

    def _all(self) -> list[View]:
        return [*(one for stack in self._stacks.values() for one in stack), *self._homes.values()]

    def _found(self, view: View | None) -> View:
        if view is None:
            raise SlackError("not_found")
        return view

    def _demand_new_external_id(self, content: JSON, *, replaced: View | None = None) -> None:
        """An `external_id` stands for one view of the workspace; *replaced* may keep its own."""
        external_id = content["external_id"]
        others = [one for one in self._all() if one is not replaced]
        if external_id and any(one.content["external_id"] == external_id for one in others):
            raise SlackError("duplicate_external_id")


def input_blocks(view: View) -> set[str]:
    """Return the ids of a view's input blocks."""
    return {block["block_id"] for block in view.blocks if block["type"] == "input"}


def values(view: View) -> JSON:
    """Write `state.values`: each element that keeps a value, touched or not."""
    written: JSON = {}
    for (block_id, action_id), state in view.state.items():
        written.setdefault(block_id, {})[action_id] = state
    return written


def value_of(view: View, block_id: str, element: JSON) -> Any:
    """Return what one element of a view holds."""
    return view.state[block_id, element["action_id"]][VALUE_KEY[element["type"]]]
