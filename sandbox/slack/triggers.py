"""Trigger ids: what an interaction gives the app to open a view with. Source: docs.slack.dev/interactivity."""

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.slack.errors import SlackError
from sandbox.slack.ids import new_trigger_id

LIFETIME = 3.0  # seconds
MOST_REMEMBERED = 10_000  # after these an old one is not expired but unknown


@dataclass
class Trigger:
    """One trigger id: who acted, and where."""

    user_id: str
    expires: float
    conversation_id: str | None = None  # where she was
    view_id: str | None = None  # the view she acted in
    exchanged: bool = False


class Triggers:
    """Make trigger ids, and exchange each once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[str, Trigger] = {}  # by id, the oldest first

    def make(self, user_id: str, *, conversation_id: str | None = None, view_id: str | None = None) -> str:
        """Return a new trigger id for what a person just did."""
        now = self._clock.now()
        trigger_id = new_trigger_id(now)
        self._made[trigger_id] = Trigger(user_id, now + LIFETIME, conversation_id, view_id)
        if len(self._made) > MOST_REMEMBERED:
            del self._made[next(iter(self._made))]
        return trigger_id

    def find(self, trigger_id: str) -> Trigger:
        """Return what a trigger id stands for, if it can still be exchanged. Raises SlackError."""
        trigger = self._made.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self._clock.now() > trigger.expires:
            raise SlackError("expired_trigger_id")
        return trigger
