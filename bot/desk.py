"""
The desk of the address book: what people in Slack ask for is looked up or done, and they are shown what came of it.

Whatever changes the book is handed back as work still to do: Blooio may take longer than Slack waits.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from bot.access.sight import sees
from bot.blocks import asking, contact_forms, contacts
from bot.blocks.answer import problem
from bot.blocks.contact_forms import Outcome, Typed
from bot.blocks.contacts import MOST_TO_CHOOSE, PER_PAGE, Button
from bot.blocks.mrkdwn import Payload
from bot.reading.addresses import pretty
from bot.reading.contact_command import (
    AddContact,
    ContactCommand,
    ContactHelp,
    EditContact,
    FindContacts,
    ShowContact,
    TagContact,
    is_address,
    read_name,
    read_tags,
    write_tag_list,
)
from bot.reading.names import NameReading
from bot.reading.slack_text import plain_text
from bot.slack.client import Slack
from bot.storage.drafts import Draft, Drafts
from bot.storage.people import People
from bot.texting.book import Book, Change
from bot.texting.calling import meant_by
from bot.texting.errors import NotRead, TextingError
from bot.texting.model import Address, Contact, History

logger = logging.getLogger(__name__)

#: `kind` of the drafts: a question of whom somebody means, and somebody who may be added.
QUESTION, NOBODY = "contact_question", "contact_nobody"

#: People who are called nearly so.
_SIMILAR = 3

_HISTORY_WITHIN = timedelta(seconds=1)
_TOO_OLD = "This is too old to go on with. Nothing was done. Type the command again."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where."""

    team_id: str
    user_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one contact."""

    verb: str  # show, edit, tag or untag
    name: str = ""  # with edit: "" asks for the form
    tags: tuple[str, ...] = ()
    sure: bool = True  # it was clear where the name of who ends


@dataclass(frozen=True, slots=True)
class Form:
    """A form to open, and what offers it once more if it does not."""

    view: Payload
    again: Button
    value: Callable[[], Awaitable[str]]  # of that button


@dataclass(frozen=True, slots=True)
class Work:
    """A change still to be made. It always comes to something that can be shown."""

    do: Callable[[], Coroutine[Any, Any, Payload]]
    meanwhile: Payload


#: What an asker gets: an answer, a form, or an answer after some work.
Step = Payload | Form | Work


class Desk:
    """Does what people ask of the address book."""

    def __init__(self, *, book: Book, drafts: Drafts, people: People, slack: Slack) -> None:
        self._book = book
        self._drafts = drafts
        self._people = people
        self._slack = slack

    async def begin(self, command: ContactCommand, asker: Asker, typed: str) -> Step:
        """Do what a command asks for. *typed* is given back with what comes in its way. Raises TextingError."""
        if isinstance(command, ContactHelp):
            return contacts.help_text()
        if isinstance(command, FindContacts):
            return await self.page(command.typed, 0)
        if isinstance(command, AddContact):
            if command.address is not None:
                return self._add(command, command.address, asker, typed)
            written = Typed(asker.conversation_id, command.name, tags=write_tag_list(command.tags))
            return self._form_to_add(written, asker)
        return await self._with_somebody(command, asker, typed)

    async def _with_somebody(self, command: EditContact | ShowContact | TagContact, asker: Asker, typed: str) -> Step:
        if is_address(command.who):
            contact = await self._book.get(Address(command.who))
            if contact is None:
                wish = _wish(command, None)
                tags = write_tag_list(wish.tags) if wish.verb == "tag" else ""
                draft_id = await self._keep_nobody(asker, name=wish.name, address=command.who, tags=tags)
                return contacts.not_in_book(Address(command.who), draft_id=draft_id, typed=typed)
            return await self.grant(contact, _wish(command, None), asker, typed)
        meant = await meant_by(self._book, _readings(command))
        wishes = [(one.contact, _wish(command, one.reading)) for one in meant]
        if len(wishes) == 1:
            return await self.grant(*wishes[0], asker, typed)
        return await self._ask(command, wishes, asker, typed)

    async def _ask(
        self,
        command: EditContact | ShowContact | TagContact,
        wishes: Sequence[tuple[Contact, Wish]],
        asker: Asker,
        typed: str,
    ) -> Payload:
        """Ask which of several people is meant, or who else if nobody is; what is wanted of each is kept."""
        similar: list[tuple[Contact, Wish]] = []
        if not wishes:
            found = await self._book.search(command.who, limit=_SIMILAR)
            similar = [(contact, _wish(command, None)) for contact in found]
        people = [
            {"address": contact.address, "verb": wish.verb, "name": wish.name, "tags": wish.tags}
            for contact, wish in (wishes or similar)[:MOST_TO_CHOOSE]
        ]
        nobody = _readings(command)[-1].name if isinstance(command, EditContact) else command.who
        payload = {"people": people, "typed": typed, "nobody": {"name": nobody}}
        draft_id = await self._drafts.keep(asker.user_id, asker.conversation_id, QUESTION, payload)
        doing = _wish(command, None).verb.capitalize()
        if wishes:
            return contacts.which_of([contact for contact, _ in wishes], doing=doing, draft_id=draft_id, typed=typed)
        close = [contact for contact, _ in similar]
        return contacts.nobody_called(nobody, close, doing=doing, draft_id=draft_id, typed=typed)

    async def chosen(self, draft: Draft, number: int, asker: Asker) -> Step:
        """Go on with the person of a question who was meant. Raises TextingError."""
        people = draft.payload["people"] if draft.kind == QUESTION else ()
        if not 0 <= number < len(people):  # the number is the client's
            raise NotRead(words=_TOO_OLD)
        one, typed = people[number], str(draft.payload["typed"])
        contact = await self._book.get(Address(one["address"]))
        if contact is None:
            draft_id = await self._keep_nobody(asker, address=one["address"])
            return contacts.not_in_book(Address(one["address"]), draft_id=draft_id, typed=typed)
        return await self.grant(contact, Wish(one["verb"], one["name"], tuple(one["tags"])), asker, typed)

    async def grant(self, contact: Contact, wish: Wish, asker: Asker, typed: str) -> Step:
        """Do what is wanted of one contact."""
        if wish.verb == "show":
            return await self.card(contact, asker)
        if wish.verb == "edit":
            # `edit Jane Doe`: is Jane to be called Doe? The form asks.
            if not wish.name or not (wish.sure or " " in wish.name):
                return self.form_to_edit(contact, asker, name=wish.name)
            return self._rename(contact, wish.name, asker, typed)
        return self._tag(contact, wish, asker, typed)

    async def card(self, contact: Contact, asker: Asker, said: str = "") -> Payload:
        """Draw somebody's card as *asker* may see it. Without the database it shows less."""
        history, url = await self._history(contact, asker)
        return contacts.card(said, contact, history, thread_url=url)

    async def _history(self, contact: Contact, asker: Asker) -> tuple[History | None, str | None]:
        try:
            history = await self._people.history(
                asker.team_id, contact.address, texts=contacts.LAST_TEXTS, within=_HISTORY_WITHIN
            )
        except TextingError as error:
            logger.warning("history_not_read code=%s", error.code)
            return None, None
        if history is not None:
            history = replace(history, unseen=await self._unseen(history, asker))
        thread = history.thread if history else None
        if thread is None or thread.card_ts is None:
            return history, None
        return history, self._slack.permalink(thread.conversation_id, thread.card_ts)

    async def _unseen(self, history: History, asker: Asker) -> frozenset[UUID]:
        """Return which texts stand where *asker* is not: the address book is everybody's, and their words are not."""
        others = [text for text in history.texts if text.author.user_id != asker.user_id]
        homes = {history.homes.get(text.thread_id, "") for text in others}
        seen = {home for home in homes if await self._sees(asker, home)}
        return frozenset(text.id for text in others if history.homes.get(text.thread_id, "") not in seen)

    async def _sees(self, asker: Asker, conversation_id: str) -> bool:
        try:
            return await sees(self._slack, asker.user_id, conversation_id, here=asker.conversation_id)
        except NotRead:
            return False

    async def page(self, typed: str, offset: int) -> Payload:
        """Show a page of a list. Raises NotRead."""
        found = await self._book.search(typed, limit=PER_PAGE + 1, offset=offset)
        return contacts.page(found, typed=typed, offset=offset)

    async def find(self, address: str) -> Contact | None:
        """Look up whom a button is about. Raises TextingError."""
        return await self._book.get(Address(address))

    async def draft(self, value: str, user_id: str) -> Draft:
        """Look up what a button goes on with. Raises NotRead: also for what is not kept any more, or not theirs."""
        try:
            draft = await self._drafts.find(UUID(value), user_id)
        except ValueError as error:
            raise NotRead(words=_TOO_OLD) from error
        if draft is None:
            raise NotRead(words=_TOO_OLD)
        return draft

    def form_to_add(self, draft: Draft, asker: Asker) -> Form:
        """Open the form for somebody who was typed, and whom nobody knows."""
        nobody = draft.payload.get("nobody") or {}
        typed = Typed(draft.conversation_id, *(str(nobody.get(key) or "") for key in ("name", "address", "tags")))
        return self._form_to_add(replace(typed, draft=str(draft.id)), asker)

    def _form_to_add(self, typed: Typed, asker: Asker) -> Form:
        async def kept() -> str:
            return str(await self._keep_nobody(asker, name=typed.name, address=typed.address, tags=typed.tags))

        return Form(contact_forms.add_form(typed), Button.OPEN_FORM, kept)

    def form_to_edit(self, contact: Contact, asker: Asker, *, name: str = "") -> Form:
        async def address() -> str:
            return contact.address

        shown = contact_forms.shown_of(contact)
        typed = contact_forms.written_of(shown, asker.conversation_id)
        return Form(contact_forms.edit_form(shown, replace(typed, name=name) if name else typed), Button.EDIT, address)

    async def _keep_nobody(self, asker: Asker, *, name: str = "", address: str = "", tags: str = "") -> UUID:
        nobody = {"name": name, "address": pretty(Address(address)) if address else "", "tags": tags}
        return await self._drafts.keep(asker.user_id, asker.conversation_id, NOBODY, {"nobody": nobody})

    def _add(self, command: AddContact, address: Address, asker: Asker, typed: str) -> Work:
        async def add() -> Payload:
            added = await self._book.add(address, command.name or None, command.tags)
            said = contacts.added(added.contact, new=added.new, untagged=added.untagged)
            return await self.card(added.contact, asker, said)

        return _work(add, command.name or pretty(address), typed)

    def _rename(self, contact: Contact, name: str, asker: Asker, typed: str) -> Work:
        async def rename() -> Payload:
            now = await self._book.rename(contact.address, name)
            return await self.card(now, asker, contacts.renamed(contact, now))

        return _work(rename, contacts.called(contact), typed)

    def _tag(self, contact: Contact, wish: Wish, asker: Asker, typed: str) -> Work:
        async def tag() -> Payload:
            change = self._book.untag if wish.verb == "untag" else self._book.tag
            now = await change(contact.address, *wish.tags)
            return await self.card(now, asker, contacts.changed(now))

        return _work(tag, contacts.called(contact), typed)

    async def add_by_form(
        self,
        address: Address,
        name: str | None,
        tags: Sequence[str],
        asker: Asker,
        *,
        draft: str = "",
    ) -> Outcome:
        """Add somebody. A *draft* of a text to them, of *asker*'s, can go now. Raises TextingError."""
        added = await self._book.add(address, name, tags)
        said = contacts.added(added.contact, new=added.new, untagged=added.untagged)
        outcome = await self._outcome("Saved" if added.new else "Already there", said, added.contact, asker)
        if not draft:
            return outcome
        return replace(outcome, blocks=(*await self._offer_text(draft, asker.user_id, added.contact), *outcome.blocks))

    async def _offer_text(self, draft: str, user_id: str, contact: Contact) -> list[Payload]:
        """Offer to send what somebody wanted to text to a person who is in the book only now."""
        try:
            kept = await self.draft(draft, user_id)
            body = str(kept.payload.get("body") or "")
            if not body:
                return []
            people = [{"address": contact.address, "name": contact.name, "body": body}]
            draft_id = await self._drafts.keep(user_id, kept.conversation_id, asking.TEXT, {"people": people})
        except TextingError as error:
            logger.warning("text_not_offered code=%s", error.code)
            return []
        return asking.now_send(contact, body, draft_id=draft_id)

    async def change_by_form(self, change: Change, asker: Asker) -> Outcome:
        """Change somebody. Raises ChangedMeanwhile and TextingError."""
        contact = await self._book.change(change)
        return await self._outcome("Saved", contacts.changed(contact), contact, asker)

    async def _outcome(self, title: str, said: str, contact: Contact, asker: Asker) -> Outcome:
        history, url = await self._history(contact, asker)
        blocks = contacts.card_blocks(contact, history, thread_url=url, in_form=True)
        return Outcome(title, said, tuple(blocks))


def _work(do: Callable[[], Awaitable[Payload]], who: str, typed: str) -> Work:
    """Make work of a change: what comes in its way is shown with the words given back."""

    async def done() -> Payload:
        try:
            return await do()
        except TextingError as error:
            logger.warning("contact_not_saved code=%s", error.code)
            return problem(contacts.not_saved(error), typed)

    return Work(done, contacts.saving(who))


def _readings(command: EditContact | ShowContact | TagContact) -> tuple[NameReading, ...]:
    if isinstance(command, ShowContact):  # all that was typed is their name
        return (NameReading(command.who, "", sure=True, mark='"'),)
    return command.readings


def _wish(command: EditContact | ShowContact | TagContact, reading: NameReading | None) -> Wish:
    """Say what is wanted; *reading* is where the name of who was found to end, None if that was never in doubt."""
    rest = reading.rest if reading is not None else None
    match command:
        case ShowContact():
            return Wish("show")
        case EditContact():
            sure = reading is None or reading.sure or len(command.readings) == 1
            return Wish("edit", command.name if rest is None else read_name(rest), sure=sure)
        case TagContact():
            tags = command.tags if rest is None else read_tags(plain_text(rest))
            return Wish("untag" if command.remove else "tag", tags=tags)
