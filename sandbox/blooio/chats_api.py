"""`/chats`: conversations, their messages, and the small signs between people: read, typing, reactions."""

from bisect import bisect_left, bisect_right
from typing import Any

from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import Channel, Message, Phone, Status
from sandbox.blooio.reacting import ACTIONS, Reacting, is_reaction
from sandbox.blooio.records import Records, read_address
from sandbox.blooio.rendering import (
    chat_json,
    message_detail_json,
    message_json,
    ms,
    pagination,
    status_json,
)
from sandbox.blooio.timeline import Timeline
from sandbox.changes import Changes


class ChatsApi:
    """The endpoints of conversations, sending apart."""

    def __init__(self, records: Records, changes: Changes, timeline: Timeline, reacting: Reacting) -> None:
        self._records = records
        self._changes = changes
        self._timeline = timeline
        self._reacting = reacting

    @property
    def routes(self) -> Routes:
        return {
            "GET /chats": self.chats,
            "GET /chats/{chat}": self.get,
            "GET /chats/{chat}/messages": self.messages,
            "GET /chats/{chat}/messages/{message}": self.message,
            "GET /chats/{chat}/messages/{message}/status": self.status,
            "DELETE /chats/{chat}/messages/{message}": self.cancel,
            "POST /chats/{chat}/messages/{message}/reactions": self.react,
            "POST /chats/{chat}/read": self.mark_read,
            "POST /chats/{chat}/typing": self.start_typing,
            "DELETE /chats/{chat}/typing": self.stop_typing,
            "POST /chats/{chat}/contact-card": self.share_contact_card,
        }

    async def chats(self, call: Call) -> Answer:
        limit, offset = call.page
        sort = call.choice("sort", "recent", "oldest")
        wanted = call.query.get("q", "").casefold()
        chats = self._records.chats  # which the latest text brings to the end
        in_order = reversed(chats) if sort == "recent" else iter(chats)
        found = [address for address in in_order if self._matches(address, wanted)]
        page = [chat_json(self._records, address) for address in found[offset : offset + limit]]
        return Answer(200, {"chats": page, "pagination": pagination(limit, offset, len(found))})

    async def get(self, call: Call) -> Answer:
        address, messages = self._chat(call)
        return Answer(200, {**chat_json(self._records, address), "first_message_time": ms(messages[0].at)})

    async def messages(self, call: Call) -> Answer:
        """List one chat. Neither `since` nor `until` counts itself."""
        limit, offset = call.page
        sort = call.choice("sort", "desc", "asc")
        direction = call.choice("direction", "", "inbound", "outbound")
        since, until = call.whole("since", -1), call.whole("until", 2**63)
        address, messages = self._chat(call)
        begin = bisect_right(messages, since, key=_time)
        end = bisect_left(messages, until, key=_time)
        found = [message for message in messages[begin:end] if not direction or message.direction == direction]
        if sort == "desc":
            found.reverse()
        page = [message_json(self._records, message) for message in found[offset : offset + limit]]
        return Answer(200, {"chat_id": address, "messages": page, "pagination": pagination(limit, offset, len(found))})

    async def message(self, call: Call) -> Answer:
        return Answer(200, message_detail_json(self._records, self._message(call)))

    async def status(self, call: Call) -> Answer:
        return Answer(200, status_json(self._message(call)))

    async def cancel(self, call: Call) -> Answer:
        """Only one document knows this call, so it is there only when asked for."""
        if not self._records.settings.cancelling:
            raise ApiError(404, "No such endpoint: DELETE a message")
        message = self._message(call)
        if message.status is not Status.QUEUED:
            raise ApiError(409, f"Message cannot be cancelled: it is {message.status}")
        self._timeline.cancel(message)
        return Answer(200, {"message_id": message.message_id, "status": message.status})

    async def react(self, call: Call) -> Answer:
        action, reaction = _read_reaction(call.fields.get("reaction"))
        message = self._reaction_target(call)
        self._check_reachable()
        if self._records.phone(message.address).channel is not Channel.IMESSAGE:
            raise ApiError(400, "Reactions are supported in iMessage chats only")
        self._reacting.ours(message, reaction, action)
        return Answer(200, {"success": True, "message_id": message.message_id, "reaction": reaction, "action": action})

    async def mark_read(self, call: Call) -> Answer:
        """Show the person that their texts were read; over SMS there is nothing to show."""
        address, messages = self._chat(call)
        now = self._records.clock.now()
        for message in messages:
            if not message.outbound and message.read_at is None and message.protocol != Channel.SMS:
                message.read_at = now
        self._changes.bump()
        return Answer(200, {"chat_id": address, "status": "read", "marked_at": ms(now)})

    async def start_typing(self, call: Call) -> Answer:
        phone = self._typing(call, shown=True)
        return Answer(200, {**_typing_json(phone), "typing": True, "started_at": ms(self._records.clock.now())})

    async def stop_typing(self, call: Call) -> Answer:
        phone = self._typing(call, shown=False)
        return Answer(200, {**_typing_json(phone), "typing": False, "stopped_at": ms(self._records.clock.now())})

    async def share_contact_card(self, call: Call) -> Answer:
        address = read_address(call.names["chat"])
        return Answer(
            200, {"success": True, "chat_id": address, "message": "The card goes with the next outgoing message"}
        )

    def _matches(self, address: str, wanted: str) -> bool:
        if not wanted:
            return True
        known = self._records.groups.get(address) or self._records.contact(address)
        return wanted in address.casefold() or wanted in ((known and known.name) or "").casefold()

    def _chat(self, call: Call) -> tuple[str, list[Message]]:
        address = self._party(call)
        if address not in self._records.chats:
            raise ApiError(404, "Chat not found")
        return address, self._records.chats[address]

    def _party(self, call: Call) -> str:
        """The address, or the group, that a path names."""
        chat = call.names["chat"]
        if chat.startswith("grp_") and chat not in self._records.groups:
            raise ApiError(404, "Chat not found")
        return chat if chat in self._records.groups else read_address(chat)

    def _message(self, call: Call) -> Message:
        address, _ = self._chat(call)
        message = self._records.messages.get(call.names["message"])
        if message is None or message.address != address:
            raise ApiError(404, "Message not found")
        return message

    def _reaction_target(self, call: Call) -> Message:
        """A message by its id, or counted from the end: -1 is the last, of one direction if the body names it."""
        if not call.names["message"].startswith("-"):
            return self._message(call)
        _, messages = self._chat(call)
        direction = call.fields.get("direction")
        candidates = [message for message in messages if direction in {None, message.direction}]
        try:
            return candidates[int(call.names["message"])]
        except (ValueError, IndexError):
            raise ApiError(404, "Message not found") from None

    def _check_reachable(self) -> None:
        if not any(line.is_active for line in self._records.lines):
            raise ApiError(503, "No active number available")

    def _typing(self, call: Call, *, shown: bool) -> Phone:
        address = self._party(call)
        self._check_reachable()
        phone = self._records.phone(address)
        phone.typing = shown and phone.channel is Channel.IMESSAGE  # nothing else can show it
        self._changes.bump()
        return phone


def _time(message: Message) -> int:
    return ms(message.at)


def _typing_json(phone: Phone) -> dict[str, Any]:
    over_rcs = phone.channel is Channel.RCS
    return {"chat_id": phone.address, **({"warning": "Typing is not visible over RCS"} if over_rcs else {})}


def _read_reaction(value: Any) -> tuple[str, str]:
    """`+love` as an action and a reaction, or a 400."""
    if not isinstance(value, str) or value[:1] not in ACTIONS:
        raise ApiError(400, 'reaction must begin with "+" or "-"')
    if not is_reaction(value[1:]):
        raise ApiError(400, "reaction must be one of the classic six or an emoji")
    return ACTIONS[value[0]], value[1:]
