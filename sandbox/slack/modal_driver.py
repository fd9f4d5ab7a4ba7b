"""Modals as tests and scripts see them: values made of what the control routes tell."""

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """Something in a view that keeps a value."""

    label: str  # over it; of a menu beside a text, that text
    value: Any  # as it is read: a text, "" if there is nothing; a list of texts where several can be chosen
    error: str  # the words under it
    type: str
    block_id: str
    action_id: str
    optional: bool
    hint: str
    placeholder: str
    options: list[str]  # what a menu offers, as it is read; of an external one nothing


@dataclass(frozen=True)
class Modal:
    """A view as one person sees it."""

    title: str
    text: str  # what there is to read beside the inputs, a line for each line on the screen
    fields: list[Field]
    submit: str | None  # the label of the submit button, if there is one
    close: str
    trouble: str  # Slack's words over the buttons when a submit failed
    submitting: bool  # a submit is under way
    depth: int  # how many views lie one upon another; this is the topmost
    raw: JSON = field(repr=False)  # all that the sandbox tells of it; `raw["view"]` is the view as the app gets it

    def __getitem__(self, what: str) -> Field:
        """Find a field by its label or `action_id`."""
        for one in self.fields:
            if what in {one.label, one.action_id}:
                return one
        raise KeyError(what)

    @property
    def values(self) -> dict[str, Any]:
        """What stands in each field, by its label."""
        return {one.label: one.value for one in self.fields}

    @property
    def errors(self) -> dict[str, str]:
        """The words under fields, by label; only where there are any."""
        return {one.label: one.error for one in self.fields if one.error}


@dataclass(frozen=True)
class Submitted:
    """
    What became of a submit.

    *outcome* is "invalid" (nothing was sent: look at the modal's errors), "closed", "errors", "updated", "pushed",
    "cleared" or "failed".
    """

    outcome: str
    modal: Modal | None  # what she sees afterwards
    reason: str | None  # of a failure, what a person does not read


@dataclass(frozen=True)
class Suggested:
    """What an external menu shows. When the app fails it shows nothing, as if nothing had been found."""

    options: list[str]  # as they are read, those in groups too
    groups: dict[str, list[str]]  # by the group's label; empty without groups
    error: str | None  # why there is nothing, which a person does not read
    raw: JSON = field(repr=False)


def read_modal(seen: JSON | None) -> Modal | None:
    if seen is None:
        return None
    return Modal(
        title=seen["title"],
        text=seen["text"],
        fields=[Field(**{name: one[name] for name in Field.__dataclass_fields__}) for one in seen["fields"]],
        submit=seen["submit"],
        close=seen["close"],
        trouble=seen["trouble"],
        submitting=seen["submitting"],
        depth=seen.get("depth", 1),
        raw=seen,
    )
