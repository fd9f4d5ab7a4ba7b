"""
Why a text cannot go, or cannot go yet.

    TextingError
    ├── Unconfirmed            the outcome is unknown: no answer, or one that cannot be read
    ├── NotTaken               it was unknown, and Blooio turned out not to have the text
    ├── BlooioTrouble          500, 502, 504, 408, 425
    ├── Throttled              429 without a quota
    ├── LineOffline            503
    ├── NotAccepted            400, 422
    │   ├── TextFirst          a file cannot open a conversation
    │   ├── CannotQuote        an inline reply is not possible
    │   └── PlainTextOnly
    ├── NotAllowed             403 without a code
    │   ├── ReplyOnly          they have to write first
    │   ├── NoLinksYet         links and files wait for their first reply
    │   └── NewTextsPaused
    ├── AwaitingReply          too many unanswered texts; released when they write
    ├── LimitReached           new people: the plan's cap
    ├── NotFound               404
    ├── AlreadyExists          409
    ├── Disconnected           401
    ├── AllowanceUsedUp        402
    ├── Unavailable            410, 501
    ├── NotSent                refused or failed after Blooio had accepted it
    │   └── FileNotFetched     Blooio could not fetch a file that goes with it
    ├── FileGone               a file that goes with it is not there any more
    ├── FilesNeedAddress       its files cannot be fetched without PUBLIC_URL
    ├── OwnNumber              to one of our own numbers
    ├── OptedOut               they want no texts
    ├── NotPermitted           whoever asks may not text here
    ├── UnknownText            there is no such text
    ├── SentAgain              somebody was faster
    ├── NotWaiting             it does not wait for a reply any more
    ├── NotRead                the database did not answer a question
    └── NotStored              the database did not take it
        └── PerhapsStored      or may have

Each says three things: will trying again help (`retryable`, `max_attempts`, `first_wait`, `retry_after`), is it
for an admin to mend (`admin`), and what a person is told (`words`). An adapter says what happened and never what to
do about it; `routing.next_attempt` reads the first, the receipt shows the last.
"""

from datetime import timedelta
from typing import ClassVar

from bot.reading.addresses import pretty
from bot.texting.model import Person

#: What may heal by itself is tried for about half an hour: soon at first, then once a minute (see `routing`). Blooio
#: may be away for ten minutes without anybody having to do anything about it.
MOST_ATTEMPTS = 36


class TextingError(Exception):
    """The text could not be sent."""

    code: ClassVar[str] = "texting_failed"  # stable: stored, counted, switched on
    words: str = "It could not be sent."
    admin: ClassVar[bool] = False
    retryable: ClassVar[bool] = False
    max_attempts: ClassVar[int] = 1
    first_wait: ClassVar[timedelta] = timedelta(seconds=1)  # doubled by each further attempt

    def __init__(
        self,
        *,
        words: str | None = None,
        provider_code: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        # Blooio's own `code` is kept for the record; its `message` is not: it can echo personal data, and an
        # exception may end in a log.
        super().__init__(self.code, provider_code)
        if words is not None:
            self.words = words
        self.provider_code = provider_code
        self.retry_after = retry_after


class Unconfirmed(TextingError):
    """No answer, or none that can be read: it may have been sent. Only the same key may be tried again."""

    code = "unconfirmed"
    words = "Blooio did not say whether this was sent. Check again before you send it again."
    retryable = True
    max_attempts = MOST_ATTEMPTS


class NotTaken(TextingError):
    """Nobody knew whether it was sent; then Blooio was asked and does not have it."""

    code = "not_taken"
    words = "Blooio does not have this text. You can send it again."


class BlooioTrouble(TextingError):
    """Blooio or the line is briefly in trouble."""

    code = "blooio_trouble"
    words = "Blooio was in trouble for too long. Try again later."
    retryable = True
    max_attempts = MOST_ATTEMPTS


class Throttled(TextingError):
    """Too many requests at once."""

    code = "throttled"
    words = "Blooio was too busy for too long. Try again later."
    retryable = True
    max_attempts = MOST_ATTEMPTS


class LineOffline(TextingError):
    """No number of ours is online."""

    code = "line_offline"
    words = "Our number is offline. Try again when it is back."
    admin = True
    retryable = True
    max_attempts = 3
    first_wait = timedelta(seconds=20)


class NotAccepted(TextingError):
    """The number or the message is not acceptable to Blooio."""

    code = "not_accepted"
    words = "Blooio did not accept this number or message. Check the number."


class TextFirst(NotAccepted):
    """The first message of a conversation must have text."""

    code = "text_first"
    words = "A file cannot go first. Send some words, then the file."


class CannotQuote(NotAccepted):
    """An inline reply is not possible to this message."""

    code = "cannot_quote"
    words = "That message cannot be quoted. Send this as a text of its own."


class PlainTextOnly(NotAccepted):
    """The formatting was refused."""

    code = "plain_text_only"
    words = "Only plain text can go here. Take the formatting out."


class NotAllowed(TextingError):
    """This account, line or plan may not do this."""

    code = "not_allowed"
    words = "Blooio does not allow this text. An admin can find out why."
    admin = True


class ReplyOnly(NotAllowed):
    """Our number may only answer people who texted it first."""

    code = "reply_only"
    words = "Our number can only reply. Ask them to text us first."
    admin = False


class NoLinksYet(NotAllowed):
    """Links and files wait for the person's first written reply."""

    code = "no_links_yet"
    words = "Links and files have to wait until they reply. Send plain text first."
    admin = False


class NewTextsPaused(NotAllowed):
    """Blooio protects the line from new conversations."""

    code = "new_texts_paused"
    words = "Blooio has paused new texts from our number. Try again later."


class AwaitingReply(TextingError):
    """Too many texts without an answer."""

    code = "awaiting_reply"
    words = "They have to reply before another text can go. Try again when they have."


class LimitReached(TextingError):
    """The plan's cap on new people is reached."""

    code = "limit_reached"
    words = "The limit for new people is reached. You can still text everyone you have texted before."
    admin = True


class NotFound(TextingError):
    """Blooio does not know this chat, message or contact."""

    code = "not_found"
    words = "Blooio does not know this person. Check the number."


class AlreadyExists(TextingError):
    """It is there already (a contact), or this key was used before (a send)."""

    code = "already_exists"
    words = "It is there already."


class Disconnected(TextingError):
    """The API key is missing, wrong or revoked."""

    code = "disconnected"
    words = "Texting is disconnected: Blooio refused our key. Try again when an admin has renewed it."
    admin = True


class AllowanceUsedUp(TextingError):
    """The trial's messages are used up."""

    code = "allowance_used_up"
    words = "The trial's texts are used up. Try again when an admin has chosen a plan."
    admin = True


class Unavailable(TextingError):
    """Blooio does not offer this here (any more)."""

    code = "unavailable"
    words = "Blooio does not offer this. An admin has to look into it."
    admin = True


class NotSent(TextingError):
    """Blooio took the text and then could not send it."""

    code = "not_sent"
    words = "Blooio did not say why."


class FileNotFetched(NotSent):
    """Blooio could not fetch a file that goes with the text, so it was not sent."""

    code = "file_not_fetched"
    words = "Blooio could not fetch the file, so nothing was sent. Try again."


class FileGone(TextingError):
    """A file that goes with the text was deleted, or is shared with nobody any more."""

    code = "file_gone"
    words = "A file that goes with it was deleted, so nothing was sent. You can send the words alone."


class FilesNeedAddress(TextingError):
    """Blooio fetches files from our public address, and we have none."""

    code = "files_need_address"
    words = "Files need the bot's public address. An admin can set PUBLIC_URL."


class OwnNumber(TextingError):
    """The recipient is one of our own numbers."""

    code = "own_number"
    words = "That is our own number. Text somebody else."


class OptedOut(TextingError):
    """The person wrote STOP. Nothing is texted to them until they write START, or an admin allows it."""

    code = "opted_out"
    words = "They opted out of texts. They can write START to get them again, or an admin can allow it."

    def __init__(self, person: Person | None = None) -> None:
        words = None
        if person is not None and person.opted_out_since is not None:
            who, at = person.name or pretty(person.address), person.opted_out_since
            words = (
                f"{who} opted out of texts on {at.day} {at:%b %Y}, so nothing is texted to them. "
                "They can write START to get texts again, or an admin can allow it."
            )
        super().__init__(words=words)
        self.person = person


class NotPermitted(TextingError):
    """Whoever asks may not text, or not from there. `words` say why and whom to ask; `why` is for the record."""

    code = "not_permitted"
    words = "You may not text from here."

    def __init__(self, *, words: str | None = None, why: str = "") -> None:
        super().__init__(words=words)
        self.why = why  # guest, external, bot, deactivated, unlisted, elsewhere or unknown

    @property
    def reason(self) -> str:
        """What the record of a refusal says."""
        return f"{self.code}:{self.why}" if self.why else self.code


class UnknownText(TextingError):
    """There is no such text, or it is another workspace's."""

    code = "unknown_text"
    words = "This button's text cannot be found any more. Nothing was sent. Type /text to write a new one."


class SentAgain(TextingError):
    """The failed text was sent again already, or did not fail after all."""

    code = "sent_again"
    words = "This text was sent again already, or it arrived after all. Nothing more was sent. Look at its thread."


class NotWaiting(TextingError):
    """The text does not wait for the person's reply any more."""

    code = "not_waiting"
    words = "This text does not wait any more. Look at the line below it."


class NotRead(TextingError):
    """The database did not answer a question."""

    code = "not_read"
    words = "We could not look this text up, so nothing was done. Try again in a minute."


class NotStored(TextingError):
    """The database did not take the text."""

    code = "not_stored"
    words = "We could not save this text, so it was not sent. Try again in a minute."


class PerhapsStored(NotStored):
    """The database did not say whether it took the text."""

    code = "perhaps_stored"
    words = "We could not confirm that this text was saved. Look for it in the person's thread before you try again."
