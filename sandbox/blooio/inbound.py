"""What people do on their phones: they write to us, read, and react."""

from typing import Any

from sandbox.blooio import opting_out
from sandbox.blooio.attachments import Attachment
from sandbox.blooio.events import Events
from sandbox.blooio.model import Channel, Message, Phone, Status
from sandbox.blooio.reacting import Reacting, in_words, is_reaction
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.timeline import Timeline
from sandbox.changes import Changes

#: Seconds between two texts of a person's, at least: enough to stay apart as milliseconds.
_BETWEEN = 0.002


class Inbound:
    """Stores what a person does, and lets webhooks know. Raises ValueError for what cannot be done."""

    def __init__(
        self, records: Records, changes: Changes, timeline: Timeline, events: Events, reacting: Reacting
    ) -> None:
        self._records = records
        self._changes = changes
        self._timeline = timeline
        self._events = events
        self._reacting = reacting

    def text(
        self, phone: Phone, text: Any, *, attachments: list[Attachment], line: Any = None, group: Any = None
    ) -> Message:
        """Write to *line*, or to the line that wrote last; or to a group that the person is in."""
        if text is not None and not isinstance(text, str):
            raise ValueError("text must be a string")
        if not text and not attachments:
            raise ValueError("a text needs text or attachments")
        if phone.channel is None:
            raise ValueError(f"{phone.address} has no channel to write over")
        address = phone.address if group is None else self._group_of(phone, group)
        now = self._now(address)
        message = Message(
            message_id=new_id("msg"),
            outbound=False,
            address=address,
            line=self._line(address, line),
            text=text,
            attachments=attachments,
            at=now,
            status=Status.RECEIVED,
            protocol=phone.channel,
            sent_at=now,
            delivered_at=now,
            sender=None if group is None else phone.address,
        )
        self._records.add(message)
        if group is None:
            opting_out.note(self._records, address, text)
        self._changes.bump()
        self._events.tell("message.received", message, now)
        return message

    def read(self, phone: Phone) -> None:
        """Read everything that has reached the phone."""
        now = self._records.clock.now()
        for message in self._records.chats.get(phone.address, ()):
            if message.outbound:
                self._timeline.read(phone, message, now)

    def react(self, phone: Phone, reaction: Any, *, message_id: Any = None, action: Any = "add") -> Message:
        """React to a text of the chat, or to our last one."""
        message = self._reacted_to(phone, reaction, message_id, action)
        if phone.channel is not Channel.IMESSAGE:
            raise ValueError(f"{phone.address} has no iMessage, and can react in words only")
        self._reacting.theirs(message, phone.address, reaction, action)
        return message

    def react_in_words(self, phone: Phone, reaction: Any, *, message_id: Any = None, action: Any = "add") -> Message:
        """React with a text of its own, as phones without iMessage do."""
        message = self._reacted_to(phone, reaction, message_id, action)
        return self.text(phone, in_words(reaction, action, message.text), attachments=[])

    def _reacted_to(self, phone: Phone, reaction: Any, message_id: Any, action: Any) -> Message:
        if not isinstance(reaction, str) or not is_reaction(reaction):
            raise ValueError("reaction must be a word like love, or an emoji")
        if action not in {"add", "remove"}:
            raise ValueError("action must be add or remove")
        if message_id is None:
            found = self._records.tallies[phone.address].last_outbound if phone.address in self._records.chats else None
        else:
            found = self._records.messages.get(message_id)
        if found is None or not self._sees(phone, found):
            raise ValueError("there is no such text to react to")
        return found

    def _sees(self, phone: Phone, message: Message) -> bool:
        group = self._records.groups.get(message.address)
        return message.address == phone.address if group is None else phone.address in group.members

    def _group_of(self, phone: Phone, group_id: Any) -> str:
        group = self._records.groups.get(group_id)
        if group is None or phone.address not in group.members:
            raise ValueError(f"{phone.address} is in no group {group_id!r}")
        return group.group_id

    def _now(self, address: str) -> float:
        """Nobody writes two texts in a moment: which of them came first can be seen in milliseconds."""
        tally = self._records.tallies.get(address)
        last = None if tally is None else tally.last_inbound
        now = self._records.clock.now()
        return now if last is None else max(now, last.at + _BETWEEN)

    def _line(self, address: str, number: Any) -> str:
        line = self._records.line_for(address) if number is None else self._records.line(number)
        if line is None:
            raise ValueError("there is no such line to write to" if number else "there is no active line")
        return line.number
