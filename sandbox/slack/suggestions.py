"""What external menus offer: `block_suggestion`. Source: docs.slack.dev/reference/block-kit/block-elements."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.blocks import with_text_defaults
from sandbox.slack.deliveries import Answer, Deliveries
from sandbox.slack.elements import PLAIN_OPTION
from sandbox.slack.fields import EXTERNAL, options
from sandbox.slack.interactions import interaction
from sandbox.slack.model import Person
from sandbox.slack.shapes import Check, listing, plain, shape
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

SHORTEST_QUERY = 3  # characters, where `min_query_length` says nothing
MOST_REMEMBERED = 1_000  # menus whose last offer is kept

GROUP = shape({"label": plain(75), "options": listing(PLAIN_OPTION, most=100, least=0)})
OFFER: dict[str, Check] = {
    "options": listing(PLAIN_OPTION, most=100, least=0),
    "option_groups": listing(GROUP, most=100, least=0),
}


@dataclass(frozen=True)
class Offer:
    """What a menu shows. Trouble looks to a person as if nothing had been found."""

    options: list[JSON] = field(default_factory=list)
    option_groups: list[JSON] = field(default_factory=list)
    error: str | None = None  # why there is nothing: Slack's word, or what is wrong with the answer

    @property
    def all(self) -> list[JSON]:
        return options({"options": self.options, "option_groups": self.option_groups})


class Suggestions:
    """Ask the app what an external menu offers, and remember what each menu showed last."""

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self._workspace = workspace
        self._deliveries = deliveries
        self._shown: dict[tuple[str, ...], Offer] = {}

    async def ask(self, person: Person, place: JSON, block_id: str, element: JSON, typed: str) -> Offer:
        """
        Return what the menu shows once *typed* stands in it. *place* is as `interactions` writes it.

        Before enough was typed the app is not asked. Raises ValueError for another element.
        """
        if element["type"] not in EXTERNAL:
            raise ValueError(f"a {element['type']} does not ask the app what to offer")
        if len(typed) < element.get("min_query_length", SHORTEST_QUERY):
            return Offer()
        where = {"action_id": element["action_id"], "block_id": block_id, "value": typed}
        payload = interaction("block_suggestion", person, self._workspace) | place | where
        offer = read_offer(await self._deliveries.ask("interactive", payload))
        key = _key(person, place, block_id, element)
        self._shown.pop(key, None)
        self._shown[key] = offer
        if len(self._shown) > MOST_REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return offer

    async def choose_from(
        self, person: Person, place: JSON, block_id: str, element: JSON, choice: Any
    ) -> list[JSON] | None:
        """
        Return the options of an external menu for somebody who wants *choice*; None for another element.

        Where the menu does not show it yet, she types it.
        """
        if element["type"] not in EXTERNAL:
            return None
        shown = self._shown.get(_key(person, place, block_id, element), Offer()).all
        found = list(shown)
        for one in choice if isinstance(choice, list) else [choice]:
            if one not in (None, "") and not any(_is(one, option) for option in found):
                found += (await self.ask(person, place, block_id, element, str(one))).all
        return found


def read_offer(answer: Answer) -> Offer:
    """Read an acknowledgement. What is wrong in it is told in `error`."""
    if answer.failure or answer.status != 200:  # noqa: PLR2004 (Slack takes no other 2xx)
        return Offer(error=str(answer.failure or "dispatch_failed"))
    body = answer.payload
    key = next((key for key in OFFER if isinstance(body, dict) and key in body), None)
    if key is None:
        return Offer(error="the acknowledgement has neither options nor option_groups")
    if problems := [str(problem) for problem in OFFER[key](body[key], f"/{key}")]:
        return Offer(error="; ".join(problems))
    kept = with_text_defaults(body[key])
    return Offer(options=kept) if key == "options" else Offer(option_groups=kept)


def _key(person: Person, place: JSON, block_id: str, element: JSON) -> tuple[str, ...]:
    container = place["container"]
    return (person.id, container.get("view_id") or container["message_ts"], block_id, element["action_id"])


def _is(choice: Any, option: JSON) -> bool:
    return choice in {option.get("value"), option["text"]["text"]}
