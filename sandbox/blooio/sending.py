"""`POST /chats/{chat}/messages`: what is accepted, what is refused, and what a repeated key gets."""

import asyncio
import json
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from sandbox.blooio import opting_out
from sandbox.blooio.attachments import Attachment
from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.deliveries import Deliveries
from sandbox.blooio.errors import ApiError
from sandbox.blooio.fetching import Fetching, Refused, check_company
from sandbox.blooio.model import Line, Message, Status
from sandbox.blooio.records import Records, new_id, read_address
from sandbox.blooio.timeline import Timeline
from sandbox.changes import Changes

MAX_METADATA_BYTES = 1024
MAX_TEXT = 20_000  # characters: the only bound any document gives, for Markdown
BUBBLE_EFFECTS = {"slam", "loud", "gentle", "invisible-ink"}
SCREEN_EFFECTS = {"echo", "spotlight", "balloons", "confetti", "love", "lasers", "fireworks", "celebration"}
EFFECTS = BUBBLE_EFFECTS | SCREEN_EFFECTS | {"none"}
LINK = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """One message that a request asks for."""

    text: str | None
    attachments: list[Attachment]

    @property
    def has_link(self) -> bool:
        return bool(self.attachments) or LINK.search(self.text or "") is not None


@dataclass(frozen=True)
class Kept:
    """The answer that a key has had."""

    request: str  # chat and body, to tell a retry from a mistake
    payload: dict[str, Any]


class Sending:
    """Accepts texts."""

    def __init__(
        self, records: Records, changes: Changes, timeline: Timeline, deliveries: Deliveries, fetching: Fetching
    ) -> None:
        self._records = records
        self._changes = changes
        self._timeline = timeline
        self._deliveries = deliveries
        self._fetching = fetching
        self._answers: dict[str, Kept] = {}  # by idempotency key
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # as well

    @property
    def routes(self) -> Routes:
        return {"POST /chats/{chat}/messages": self.send}

    async def send(self, call: Call) -> Answer:
        """Accept a text, or several. The same key again waits for its first answer, should that take time."""
        key = call.headers.get("Idempotency-Key")
        async with nullcontext() if key is None else self._turns.setdefault(key, asyncio.Lock()):
            answer, messages = await self._accepted(call, key)
        for message in messages:
            if message.status is Status.QUEUED:
                await self._start(message)
        return answer

    async def _accepted(self, call: Call, key: str | None) -> tuple[Answer, list[Message]]:
        """The answer, and the texts that are new with it."""
        request = json.dumps([call.names["chat"], call.body], sort_keys=True)
        if key is not None and (kept := self._answers.get(key)) is not None:
            if kept.request != request and self._records.settings.on_key_reuse == "conflict":
                raise ApiError(409, "This Idempotency-Key was used with a different request")
            return Answer(200, kept.payload), []

        address = self._read_recipient(call.names["chat"])
        drafts = read_drafts(call.fields)
        metadata = _read_metadata(call.fields)
        _check_effect(call.fields)
        self._check_reply_target(address, call.fields.get("reply_to"))
        line = self._choose_line(address, call.fields.get("from_number"))
        self._check_conversation(address, line, drafts)
        if self._records.settings.on_bad_attachment == "refuse":
            await self._check_attachments(drafts)

        messages = [self._accept(address, line, draft, key=key, metadata=metadata) for draft in drafts]
        payload = _answer(call.fields, messages)
        if key is not None:
            self._answers[key] = Kept(request, payload)
        return Answer(202, payload), messages

    async def _start(self, message: Message) -> None:
        if self._deliveries.mischief.take_before_answer():
            await self._timeline.send_now(message)
            await self._deliveries.caught_up(message.address)
        self._timeline.begin(message)

    def _accept(
        self, address: str, line: Line, draft: Draft, *, key: str | None, metadata: dict[str, Any] | None
    ) -> Message:
        now = self._records.clock.now()
        message = Message(
            message_id=new_id("msg"),
            outbound=True,
            address=address,
            line=line.number,
            text=draft.text,
            attachments=draft.attachments,
            at=now,
            status=Status.QUEUED,
            key=key,
            metadata=metadata,
        )
        phone = self._records.phone(address)
        phone.typing = False
        if phone.pending_first:
            message.protocol = "pending"
        if phone.refuses:
            message.status, message.error_code = Status.FAILED, "refused"
            message.error_message = "The message was refused."
        line.last_active = now
        self._records.add(message)
        self._changes.bump()
        return message

    def _read_recipient(self, chat: str) -> str:
        """An address, or a group that there is. Several addresses would found a group, which the sandbox does not."""
        if chat in self._records.groups:
            return chat
        if chat.startswith("grp_"):
            raise ApiError(404, "Group not found")
        if "," in chat:
            for one in chat.split(","):
                read_address(one)
            raise ApiError(404, "No group chat is linked to these recipients")
        return read_address(chat)

    def _choose_line(self, address: str, from_number: Any) -> Line:
        if from_number is None:
            line = self._records.line_for(address)
        else:
            line = self._records.line(from_number) if isinstance(from_number, str) else None
            if line is None:
                raise ApiError(403, "from_number is not assigned to this API key")
        if line is None or not line.is_active:
            raise ApiError(503, "No active number available to send from")
        return line

    def _check_conversation(self, address: str, line: Line, drafts: list[Draft]) -> None:
        """Refuse what the state of the conversation does not allow, or not yet."""
        if opting_out.is_refused(self._records, address, texts=len(drafts)):
            raise ApiError(403, "The recipient has opted out")
        if line.plan_kind == "inbound" and not self._records.wrote(address):
            raise ApiError(
                403,
                "This number can only reply to people who have messaged it first",
                "inbound_only_no_prior_inbound",
                allocation_id="alloc_sandbox",
                external_id=address,
            )
        if address not in self._records.chats and not drafts[0].text:
            raise ApiError(
                400, "The first message of a conversation must have text", "attachment_first_message_not_allowed"
            )
        if (
            self._records.settings.links_need_reply
            and any(draft.has_link for draft in drafts)
            and not self._records.wrote(address)
        ):
            raise ApiError(
                403, "Links and media are not allowed before the first reply", "conversation_content_restricted"
            )

    async def _check_attachments(self, drafts: list[Draft]) -> None:
        """Fetch them while the caller waits. No document has a code for what cannot be fetched."""
        for draft in drafts:
            try:
                await self._fetching.fetch(draft.text, draft.attachments)
            except Refused as refused:
                code = refused.code if refused.code == "invalid_content" else None
                raise ApiError(400, f"The attachment could not be fetched: {refused}", code) from None

    def _check_reply_target(self, address: str, reply_to: Any) -> None:
        if reply_to is None:
            return
        if not isinstance(reply_to, dict) or not {"message_id", "guid"} & reply_to.keys():
            raise ApiError(400, "reply_to needs message_id or guid", "reply_target_invalid")
        if "message_id" not in reply_to:
            return  # a guid that nobody knows is accepted by the real one as well
        parent = self._records.messages.get(reply_to["message_id"])
        if parent is None:
            raise ApiError(404, "The message to reply to was not found", "reply_target_not_found")
        if parent.address != address:
            raise ApiError(400, "The message to reply to is in another chat", "reply_target_chat_mismatch")


def read_attachments(value: Any) -> list[Attachment]:
    """URL strings and {url, name} objects, or a 400."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ApiError(400, "attachments must be an array")
    attachments = []
    for item in value:
        given = item if isinstance(item, dict) else {"url": item}
        url, name = given.get("url"), given.get("name")
        if not isinstance(url, str) or not _is_link(url):
            raise ApiError(400, "Every attachment must be a URL or an object with one")
        if not (name is None or isinstance(name, str)):
            raise ApiError(400, "The name of an attachment must be a string")
        attachments.append(Attachment(url, name))
    return attachments


def read_drafts(fields: dict[str, Any]) -> list[Draft]:
    """The messages a body asks for, or a 400."""
    if fields.get("parts") is not None:
        return _read_parts(fields["parts"])
    text = fields.get("text")
    attachments = read_attachments(fields.get("attachments"))
    texts = text if isinstance(text, list) else [] if text is None else [text]
    if not all(isinstance(one, str) for one in texts):
        raise ApiError(400, "text must be a string or an array of strings")
    if any(len(one) > MAX_TEXT for one in texts):
        raise ApiError(400, f"text is longer than {MAX_TEXT} characters")
    if isinstance(text, list) and not (texts and all(texts)):
        raise ApiError(400, "text must not be empty")
    if not any(texts) and not attachments:
        raise ApiError(400, "Message must have text, attachments or parts")
    first = _with_company(Draft(texts[0] or None if texts else None, attachments))
    return [first, *(Draft(one, []) for one in texts[1:])]


def _read_parts(parts: Any) -> list[Draft]:
    """One bubble out of all parts; with link previews, one message for each."""
    if not isinstance(parts, list) or not parts:
        raise ApiError(400, "parts must be a non-empty array")
    for part in parts:
        if not isinstance(part, dict) or ("text" in part) == ("url" in part):
            raise ApiError(400, "Every part has either text or url")
    if any("link_preview" in part for part in parts):
        if not all(LINK.fullmatch(part.get("text", "")) for part in parts):
            raise ApiError(400, "With link previews, every part must be a single URL as text")
        return [Draft(part["text"], []) for part in parts]
    text = "".join(part["text"] for part in parts if "text" in part)
    return [_with_company(Draft(text or None, read_attachments([part for part in parts if "url" in part])))]


def _is_link(url: str) -> bool:
    try:
        return LINK.fullmatch(url) is not None and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _with_company(draft: Draft) -> Draft:
    try:
        check_company(draft.text, draft.attachments)
    except Refused as refused:
        raise ApiError(400, str(refused), refused.code) from None
    return draft


def _answer(fields: dict[str, Any], messages: list[Message]) -> dict[str, Any]:
    status = "failed" if messages[0].status is Status.FAILED else "queued"
    ids = [message.message_id for message in messages]
    if fields.get("parts") is not None and len(ids) > 1:
        return {"message_ids": ids, "status": status, "count": len(ids)}
    if isinstance(fields.get("text"), list):
        return {"message_ids": ids, "status": status}
    return {"message_id": ids[0], "status": status}


def _read_metadata(fields: dict[str, Any]) -> dict[str, Any] | None:
    metadata = fields.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise ApiError(400, "metadata must be an object")
    if len(json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise ApiError(400, "metadata is larger than 1 KB")
    return metadata


def _check_effect(fields: dict[str, Any]) -> None:
    effect = fields.get("effect")
    if effect is not None and (not isinstance(effect, str) or effect.lower().replace(" ", "-") not in EFFECTS):
        raise ApiError(400, "Unknown effect")
