"""Everything the local Blooio knows, indexed the way its endpoints ask."""

import itertools
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from sandbox.blooio.attachments import KEPT, Attachment, File
from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import EMAIL, PHONE, Contact, Group, Line, Message, Phone, Settings, Tally, Webhook
from sandbox.clock import Clock


def new_id(prefix: str) -> str:
    """Unlike any handed out before, also by an earlier run: a bot's database outlives a sandbox."""
    return f"{prefix}_{secrets.token_hex(8)}"


def read_address(value: Any) -> str:
    """
    A phone number or an e-mail in Blooio's form, or a 400.

    The real one says that it normalises and not how, so only E.164 passes here and a lenient caller is found out.
    """
    text = value if isinstance(value, str) else ""
    if EMAIL.fullmatch(text):
        return text.lower()
    if PHONE.fullmatch(text):
        return text
    raise ApiError(400, f"Invalid identifier: {text!r} is neither an E.164 phone number nor an email address")


FILES = "/blooio/files"  # where people's files are served, with id and name after it


def stranger(address: str) -> Phone:
    """
    The phone behind an address nobody described.

    An e-mail and a number with an even last digit have iMessage; an odd last digit has SMS only.
    """
    return Phone(address, imessage="@" in address or int(address[-1]) % 2 == 0, sms="@" not in address)


class Records:
    """Lines, phones, contacts and texts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.settings = Settings()
        self.lines: list[Line] = []
        self.phones: dict[str, Phone] = {}
        self.contacts: dict[str, Contact] = {}  # by identifier, the deleted ones included
        self.messages: dict[str, Message] = {}
        self.groups: dict[str, Group] = {}  # by id
        self.chats: dict[str, list[Message]] = {}  # by address or group, oldest first; the chat with the latest last
        self.tallies: dict[str, Tally] = {}  # of each chat
        self.screens: dict[str, list[Message]] = {}  # by address: our texts that reached the phone, as they did
        self.stopped: dict[str, float] = {}  # by address: since when they have opted out
        self.webhooks: dict[str, Webhook] = {}
        self.files: dict[str, File] = {}  # what people attach, by id
        self._turns = itertools.count()

    def phone(self, address: str) -> Phone:
        """The phone at *address*, or of a group; a stranger becomes one on first use."""
        if address in self.groups:
            return self.groups[address].phone
        if address not in self.phones:
            self.phones[address] = stranger(address)
        return self.phones[address]

    def contact(self, address: str) -> Contact | None:
        contact = self.contacts.get(address)
        return None if contact is None or contact.deleted_at is not None else contact

    def add(self, message: Message) -> None:
        """Put a text at the end of its chat, and its chat at the end of all."""
        self.messages[message.message_id] = message
        chat = self.chats.pop(message.address, [])
        chat.append(message)
        self.chats[message.address] = chat
        self.tallies.setdefault(message.address, Tally()).count(message)

    def wrote(self, address: str) -> bool:
        """Whether the other party has ever written."""
        return address in self.tallies and self.tallies[address].inbound > 0

    def known(self, attachment: Attachment) -> Attachment:
        """An attachment with what Blooio knows of it, if it is a file that a phone offers here."""
        path = urlsplit(attachment.url).path
        file = self.files.get(path.removeprefix(FILES + "/").partition("/")[0]) if path.startswith(FILES) else None
        if file is None:
            return attachment
        return replace(
            attachment,
            name=file.name,
            media_type=file.media_type,
            size=file.size if file.announced is None else file.announced,
            content=file.content if file.size <= KEPT else None,
        )

    def line(self, number: str) -> Line | None:
        return next((line for line in self.lines if line.number == number), None)

    def line_for(self, address: str) -> Line | None:
        """The line a text to *address* leaves from: the chat's own while it is active, else the next of the pool."""
        for message in reversed(self.chats.get(address, ())):
            line = self.line(message.line)
            if line is not None and line.is_active:
                return line
        active = [line for line in self.lines if line.is_active]
        return active[next(self._turns) % len(active)] if active else None
