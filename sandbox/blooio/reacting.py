"""
Tapbacks and emoji on texts, ours and theirs.

A person has one reaction on a text at most, of whichever kind: another takes its place, as on their phone. So have we,
whoever of us reacted.
"""

from sandbox.blooio.events import Events
from sandbox.blooio.model import Message, Reaction
from sandbox.blooio.records import Records
from sandbox.changes import Changes

#: The classic six: what a phone without iMessage writes in place of each, and of taking it back.
TAPBACKS = {
    "love": ("Loved", "a heart"),
    "like": ("Liked", "a like"),
    "dislike": ("Disliked", "a dislike"),
    "laugh": ("Laughed at", "a laugh"),
    "emphasize": ("Emphasized", "an exclamation"),
    "question": ("Questioned", "a question mark"),
}
ACTIONS = {"+": "add", "-": "remove"}


class Reacting:
    """Puts reactions on texts and takes them back."""

    def __init__(self, records: Records, changes: Changes, events: Events) -> None:
        self._records = records
        self._changes = changes
        self._events = events

    def ours(self, message: Message, reaction: str, action: str) -> None:
        """React for our line. Whether webhooks hear of it is a setting, as nobody says."""
        echo = self._records.settings.reaction_echo
        for kind, what in self._change(message, None, reaction, action):
            if echo != "off":
                sender = message.line if echo == "line" else None
                self._events.tell_reaction(message, what, kind, self._records.clock.now(), sender, outbound=True)

    def theirs(self, message: Message, sender: str, reaction: str, action: str) -> None:
        """React for a person. What takes another's place may be told as two events, which is a setting as well."""
        for kind, what in self._change(message, sender, reaction, action):
            self._events.tell_reaction(message, what, kind, self._records.clock.now(), sender, outbound=False)

    def _change(self, message: Message, sender: str | None, reaction: str, action: str) -> list[tuple[str, str]]:
        """Change what stands on *message*; return what there is to tell. Nothing is added or taken back twice."""
        now = self._records.clock.now()
        standing = next((one for one in message.reactions if one.is_added and one.sender == sender), None)
        is_same = standing is not None and standing.reaction == reaction
        if is_same == (action == "add"):
            return []
        told = []
        if standing is not None:
            standing.is_added, standing.at = False, now
            if action == "add" and self._records.settings.replaced_reactions == "told":
                told.append(("remove", standing.reaction))
        if action == "add":
            message.reactions.append(Reaction(reaction, sender, now))
        self._changes.bump()
        return [*told, (action, reaction)]


def is_reaction(reaction: str) -> bool:
    """Whether it is one of the classic six, or looks like an emoji."""
    return reaction in TAPBACKS or not (reaction.isascii() or any(one.isascii() and one.isalpha() for one in reaction))


def in_words(reaction: str, action: str, text: str | None) -> str:
    """What a phone without iMessage sends in place of a reaction: a text of its own."""
    what = "an image" if text is None else f"“{text}”"
    if reaction not in TAPBACKS:
        return f"Reacted {reaction} to {what}" if action == "add" else f"Removed {reaction} from {what}"
    verb, sign = TAPBACKS[reaction]
    return f"{verb} {what}" if action == "add" else f"Removed {sign} from {what}"
