"""
The form to write a text in, while it is open: what it says as soon as somebody has chosen who gets it.

Nothing slow stands before the form: what our database knows is in it when it opens, what Blooio knows comes after.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.access.sight import sees
from bot.blocks import composer
from bot.blocks.composer import CHECKING, REPLY_ONLY, UNKNOWN, OurLine, Writing, new_text, read_writing
from bot.blocks.mrkdwn import Payload, escape
from bot.slack.client import Slack
from bot.slack.errors import SlackError, SlackRefused
from bot.storage.writers import Writers
from bot.texting.book import Book
from bot.texting.errors import NotAccepted, NotFound, OwnNumber, TextingError
from bot.texting.model import Address, Author, Known, Thread
from bot.texting.service import Texting
from bot.typing_sign import TypingSign

logger = logging.getLogger(__name__)

#: What is asked of our own database before the form opens, within three seconds of the click; and in the open form.
_BEFORE_A_FORM = timedelta(seconds=0.5)
_IN_A_FORM = timedelta(seconds=3)

#: The forms of which is remembered which choice was the last.
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody wants the form."""

    trigger_id: str
    team_id: str
    user_id: str
    here: str | None = None  # the conversation they are in; None: Slack does not say
    address: Address | None = None  # who gets it, if they said so
    message: str = ""
    view_id: str = ""  # the form in which they said so


class Composer:
    """Opens the form, and says in it what will happen."""

    def __init__(
        self, *, texting: Texting, slack: Slack, book: Book, writers: Writers, typing: TypingSign | None = None
    ) -> None:
        self._texting = texting
        self._slack = slack
        self._book = book
        self._writers = writers
        self._typing = typing
        self._last: dict[str, str] = {}  # form to the `action_ts` of the last choice in it, oldest form first

    async def open(self, opening: Opening) -> bool:
        """
        Open the form; return whether it did: Slack may be too slow, or an address too long for it.

        What takes long is said in it afterwards. Where another form stands already, it takes its place: Slack does not
        say what a second one would do.
        """
        message, cut = composer.cut(opening.message)
        writing = Writing(here=opening.here, home=opening.here, message=message, cut=cut)
        asking = False
        if opening.address is not None:
            writing = replace(writing, chosen=await self._option(opening.address))
            if writing.chosen is None:
                return False
            writing, asking = await self._foresee(writing, opening.team_id, opening.user_id, _BEFORE_A_FORM)
        try:
            form = self._draw(writing, new=True)
            if opening.view_id:
                view = await self._slack.update_view(opening.view_id, form, made_from=None)
            else:
                view = await self._slack.open_view(opening.trigger_id, form)
        except SlackError as error:
            logger.warning("form_not_opened error=%s", error)
            return False
        if asking and view.get("id"):
            await self._check(writing, opening.team_id, str(view["id"]), str(view.get("hash") or ""), lambda: True)
        return True

    async def choose(self, view: dict[str, Any], *, team_id: str, user_id: str, action_ts: str) -> None:
        """Somebody chose who gets it, or from which number: say what will happen."""
        view_id = str(view["id"])
        self._remember(view_id, action_ts)
        writing = read_writing(view)
        writing, asking = await self._foresee(writing, team_id, user_id, _IN_A_FORM)

        def is_last() -> bool:
            return self._last.get(view_id, action_ts) == action_ts

        shown = await self._show(writing, view_id, str(view.get("hash") or ""), is_last, insist=True)
        if asking:
            await self._check(writing, team_id, view_id, shown, is_last)

    async def _foresee(self, writing: Writing, team_id: str, user_id: str, within: timedelta) -> tuple[Writing, bool]:
        """Fill in what we know already; return also whether Blooio has to be asked for the rest."""
        address = _address(writing)
        if address is None:
            return replace(writing, outlook="", meanwhile="", thread_in=None), False
        known, others = await asyncio.gather(
            self._known(team_id, address, writing.line, within), self.begin(team_id, address, user_id)
        )
        thread_in = _visible(known.thread, user_id)
        writing = replace(writing, thread_in=thread_in, meanwhile=composer.also_writing(others))
        if known.opted_out is not None:
            return replace(writing, outlook=composer.refused(known.opted_out)), False
        if problem := self._refusal(address, writing.line, known):
            return replace(writing, outlook=problem), False
        if self._texting.knows(known):
            return replace(writing, outlook=composer.outlook(address, known.capabilities)), False
        return replace(writing, outlook=CHECKING), True

    async def _known(self, team_id: str, address: Address, line: str | None, within: timedelta) -> Known:
        try:
            return await self._texting.look_up(team_id, address, line=line, within=within)
        except TextingError as error:
            logger.warning("person_not_looked_up code=%s", error.code)
            return Known(None, None)

    async def begin(self, team_id: str, address: Address, user_id: str) -> list[Author]:
        """Let others know that somebody writes to a person; return who else does. Never fails, never takes long."""
        try:
            async with asyncio.timeout(_BEFORE_A_FORM.total_seconds()):
                name = (await self._slack.people.profile(user_id, fallback="Somebody")).name
                await self._writers.begins(team_id, address, Author(user_id, name))
                return await self._writers.writing_to(team_id, address, besides=user_id)
        except (TextingError, TimeoutError):
            logger.warning("writers_not_known")
            return []
        finally:
            if self._typing is not None:
                self._typing.begin(team_id, address, user_id)

    async def end(self, *, team_id: str, user_id: str) -> None:
        """Somebody has sent what they wrote, or closed the form. Never fails."""
        addresses: list[Address] = []
        try:
            addresses = await self._writers.ends(team_id, user_id)
        except TextingError:
            logger.warning("writer_not_forgotten")  # it expires
        if self._typing is not None:
            self._typing.end(team_id, user_id, addresses)

    async def crossing(self, team_id: str, address: Address, author: Author) -> str | None:
        """Say, once, that a colleague texted the person while *author* was writing: plain text. Never fails."""
        try:
            crossing = await self._writers.crossed(team_id, address, author)
        except TextingError:
            logger.warning("crossing_not_known")
            return None
        if crossing is None:
            return None
        try:
            seen = await sees(self._slack, author.user_id, crossing.conversation_id)
        except TextingError:
            seen = False
        return composer.crossed(crossing.author, crossing.body if seen else None)

    def _refusal(self, address: Address, line: str | None, known: Known) -> str | None:
        """Say why no text of ours can begin there, if that needs no asking."""
        try:
            self._texting.check_address(address)
        except OwnNumber as error:
            return escape(error.words)
        line = (known.thread.line if known.thread else None) or line
        return REPLY_ONLY if self._texting.can_only_reply(line) and not known.wrote_first else None

    async def _check(
        self, writing: Writing, team_id: str, view_id: str, made_from: str | None, is_last: Callable[[], bool]
    ) -> None:
        """Ask Blooio what they can get, say it, and remember it, so that their text goes at once."""
        address = _address(writing)
        assert address is not None  # noqa: S101  (only then is there something to ask)
        try:
            outlook = composer.outlook(address, await self._texting.look_ahead(team_id, address))
        except (NotAccepted, NotFound):
            outlook = composer.REFUSED
        except TextingError as error:
            logger.warning("not_looked_ahead code=%s", error.code)
            outlook = UNKNOWN
        if made_from is not None and is_last():
            await self._show(replace(writing, outlook=outlook), view_id, made_from, is_last, insist=False)

    async def _show(
        self, writing: Writing, view_id: str, made_from: str, is_last: Callable[[], bool], *, insist: bool
    ) -> str | None:
        """
        Draw an open form anew; return its hash, "" if it is not known, None if there is nothing more to draw.

        A form that was changed meanwhile was changed for another choice, and if that is the later one, it stays.
        *insist* is for the first drawing after a choice: the choice may have been made before an earlier drawing came.
        """
        try:
            shown = await self._slack.update_view(view_id, self._draw(writing), made_from=made_from or None)
        except SlackRefused as refused:
            if refused.code == "hash_conflict" and insist and is_last():
                return await self._show(writing, view_id, "", is_last, insist=False)
            logger.info("form_not_shown error=%s", refused)  # closed, sent, or newer than this
            return None
        except SlackError as error:
            logger.warning("form_not_shown error=%s", error)
            return ""
        return str(shown.get("hash") or "")

    def _draw(self, writing: Writing, *, new: bool = False) -> Payload:
        phones = [phone for phone in self._texting.lines if phone]
        lines = [OurLine(phone, self._texting.can_only_reply(phone)) for phone in phones]
        return new_text(writing, lines, new=new)

    async def _option(self, address: Address) -> dict[str, Any] | None:
        name = None
        try:
            async with asyncio.timeout(_BEFORE_A_FORM.total_seconds()):
                contact = await self._book.kept(address)
                name = contact.name if contact else None
        except (TextingError, TimeoutError):
            logger.warning("name_not_looked_up")
        return composer.option(address, name)

    def _remember(self, view_id: str, action_ts: str) -> None:
        self._last[view_id] = max(action_ts, self._last.pop(view_id, ""))
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]


def _address(writing: Writing) -> Address | None:
    """Who was chosen. Slack's client only knows addresses that we offered; a forged one is read at the submit."""
    return Address(str(writing.chosen["value"])) if writing.chosen else None


def _visible(thread: Thread | None, user_id: str) -> str | None:
    """Return where a person's thread is; None if it has to move: it is in a colleague's messages, or nowhere yet."""
    if thread is None:
        return None
    direct = thread.conversation_id.startswith(("D", "U", "W"))
    if not thread.conversation_id or (direct and (thread.owner is None or thread.owner.user_id != user_id)):
        return None
    return thread.conversation_id
