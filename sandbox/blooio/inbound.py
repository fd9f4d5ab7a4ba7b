"""What people do on their phones: they write to us, read, and react."""

from typing import Any

from sandbox.blooio.events import Events
from sandbox.blooio.model import Message, Phone, Reaction, Status
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.timeline import Timeline
from sandbox.changes import Changes


class Inbound:
    """Stores what a person does, and lets webhooks know. Raises ValueError for what cannot be done."""

    def __init__(self, records: Records, changes: Changes, timeline: Timeline, events: Events) -> None:
        self._records = records
        self._changes = changes
        self._timeline = timeline
        self._events = events

    def text(self, phone: Phone, text: Any, *, attachments: list[dict[str, Any]], line: Any = None) -> Message:
        """Write to *line*, or to the line that wrote last."""
        if text is not None and not isinstance(text, str):
            raise ValueError("text must be a string")
        if not text and not attachments:
            raise ValueError("a text needs text or attachments")
        if phone.channel is None:
            raise ValueError(f"{phone.address} has no channel to write over")
        now = self._records.clock.now()
        message = Message(
            message_id=new_id("msg"),
            outbound=False,
            address=phone.address,
            line=self._line(phone, line),
            text=text,
            attachments=attachments,
            at=now,
            status=Status.RECEIVED,
            protocol=phone.channel,
            sent_at=now,
            delivered_at=now,
        )
        self._records.add(message)
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
        if not isinstance(reaction, str) or not reaction:
            raise ValueError("reaction must be a word like love, or an emoji")
        if action not in {"add", "remove"}:
            raise ValueError("action must be add or remove")
        chat = self._records.chats.get(phone.address, [])
        candidates = [m for m in chat if (m.outbound if message_id is None else m.message_id == message_id)]
        if not candidates:
            raise ValueError("there is no such text to react to")
        message = candidates[-1]
        now = self._records.clock.now()
        message.reactions.append(Reaction(reaction, phone.address, now, is_added=action == "add"))
        self._changes.bump()
        self._events.tell_reaction(message, reaction, action, now)
        return message

    def _line(self, phone: Phone, number: Any) -> str:
        line = self._records.line_for(phone.address) if number is None else self._records.line(number)
        if line is None:
            raise ValueError("there is no such line to write to" if number else "there is no active line")
        return line.number
