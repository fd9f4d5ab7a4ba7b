"""Everything the local Blooio knows, indexed the way its endpoints ask."""

import itertools
import secrets
from typing import Any

from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import EMAIL, PHONE, Contact, Line, Message, Phone, Settings, Webhook
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
        self.chats: dict[str, list[Message]] = {}  # by address, oldest first
        self.screens: dict[str, list[Message]] = {}  # by address: our texts that reached the phone, as they did
        self.webhooks: dict[str, Webhook] = {}
        self._turns = itertools.count()

    def phone(self, address: str) -> Phone:
        """The phone at *address*; a stranger becomes one on first use."""
        if address not in self.phones:
            self.phones[address] = stranger(address)
        return self.phones[address]

    def contact(self, address: str) -> Contact | None:
        contact = self.contacts.get(address)
        return None if contact is None or contact.deleted_at is not None else contact

    def add(self, message: Message) -> None:
        """Put a text at the end of its chat."""
        self.messages[message.message_id] = message
        self.chats.setdefault(message.address, []).append(message)

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
