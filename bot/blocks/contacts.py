"""The address book as people see it in Slack: a person's card, lists, questions and what became of a change."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from bot.blocks import files
from bot.blocks.answer import given_back
from bot.blocks.mrkdwn import Payload, context, day_of, escape, isolated, section, shortened
from bot.blocks.receipt import status_line
from bot.reading.addresses import excerpt, pretty
from bot.texting import errors
from bot.texting.errors import TextingError
from bot.texting.model import Address, Capabilities, Contact, History

#: People on one page of a list, and at most to choose from.
PER_PAGE = 10
MOST_TO_CHOOSE = 5

#: Texts on a card.
LAST_TEXTS = 3

#: No list is so long.
_LAST = 1_000_000

#: `action_id` of the buttons of a question; the number makes each of its own.
CHOOSE = "contact_choose"

#: What is shown of a name, a tag and all tags. A row of a list has to be short: ten of them are one message.
_NAME, _TAG, _TAGS = 255, 50, 1200
_ROW_NAME, _ROW_TAG, _ROW_TAGS = 80, 20, 70
_EXCERPT = 100
_BUTTON, _CONFIRM = 75, 300

#: In place of the words of a text that stands where whoever looks is not.
_UNSEEN = "🔒 in a conversation that you are not in"


class Button(Enum):
    """What can be done about somebody: what people read, and the `action_id` that is heard when they click."""

    TEXT = "Text", "contact_text"  # with their address, as all up to Allow texts again
    EDIT = "Edit", "contact_edit"
    SHOW = "Show", "contact_show"
    CHECK = "Check now", "contact_check"
    OPT_OUT = "Opt out…", "contact_opt_out"
    ALLOW = "Allow texts again…", "contact_allow"
    ADD = "Add contact", "contact_add"  # with the id of a draft, as the next
    OPEN_FORM = "Open the form", "contact_open_form"
    NEWER = "← Newer", "contact_newer"  # with what was looked for, and where in it, as the next
    OLDER = "Older →", "contact_older"
    PREVIOUS = "← Previous", "contact_newer"  # of people found by words: these are not sorted by time
    NEXT = "Next →", "contact_older"

    @property
    def action_id(self) -> str:
        return self.value[1]


def help_text() -> Payload:
    """Explain `/contact`."""
    return only(
        "*The address book*\n"
        "`/contact add +1 555 123 4567 Jane Doe #vip` adds somebody; `/contact add` opens a form.\n"
        "`/contact edit Jane` opens a form for the name and the tags; `/contact edit +1 555 123 4567 Jane Roe` renames "
        "at once.\n"
        "`/contact find jan` looks through names, numbers and tags; `/contact list` shows everybody.\n"
        "`/contact show Jane` shows what they can receive and the last texts.\n"
        '`/contact tag Jane vip "west coast"` and `/contact untag Jane vip`\n'
        "People are named by a name, a phone number or an email address. Put a name in quotes when it has several "
        "words. The book is the one in Blooio, and everybody here shares it."
    )


def card(said: str, contact: Contact, history: History | None, *, thread_url: str | None) -> Payload:
    """Say *said* (mrkdwn), if anything, and draw somebody's card."""
    blocks = [section(said)] if said else []
    fallback = said or escape(called(contact))
    return {"text": fallback, "blocks": [*blocks, *card_blocks(contact, history, thread_url=thread_url)]}


def card_blocks(
    contact: Contact, history: History | None, *, thread_url: str | None, in_form: bool = False
) -> list[Payload]:
    """Draw somebody: name, address and tags, what reaches them, the last texts, and what can be done."""
    capabilities = history.person.capabilities if history else None
    out_since = history.person.opted_out_since if history else None
    state = [opted_out(out_since) if out_since else _reach(contact.address, capabilities)]
    if thread_url:
        state.append(f"<{thread_url}|Open the thread>")
    blocks = [section(title(contact)), context(" · ".join(state))]
    if contact.tags:
        blocks.append(context(f"🏷️ {tags(contact.tags)}"))
    for text in history.texts[:LAST_TEXTS] if history else ():
        author = f"<@{text.author.user_id}>" if text.author.user_id else escape(text.author.name)
        said = escape(shortened(text.body, _EXCERPT) or files.names(text.files))
        words = f"{_when(text.requested_at)} · {author}: {_UNSEEN if history and text.id in history.unseen else said}"
        blocks.append(context(f"{words}\n{status_line(text)}"))
    offered = [Button.ALLOW if out_since else Button.TEXT, Button.EDIT]
    if not in_form:
        offered.append(Button.CHECK)
    elements = [button(kind, contact.address) for kind in offered]
    if not out_since:
        elements.append(_opt_out(contact))
    blocks.append({"type": "actions", "elements": elements})
    return blocks


def title(contact: Contact) -> str:
    """Name somebody in mrkdwn: `*Jane Doe* · +1 555-123-4567`."""
    return _title(contact, _NAME)


def called(contact: Contact) -> str:
    """Name somebody in plain text, by their name or their number."""
    return isolated(shortened(contact.name or "", _NAME)) or pretty(contact.address)


def bold(contact: Contact) -> str:
    return f"*{escape(called(contact))}*"


def opted_out(since: datetime) -> str:
    """Mark somebody who wants no texts, mrkdwn."""
    return f"🚫 Opted out since {day_of(since)}"


def tags(named: Iterable[str]) -> str:
    """Write tags in mrkdwn, as many as there is room for: `vip, west coast and 3 more`."""
    return _some(named, each=_TAG, together=_TAGS)


def page(found: Sequence[Contact], *, typed: str, offset: int) -> Payload:
    """Show a page of a list: *found* has one more than the page if there are more."""
    if not found:
        return only(_nobody_there(typed, offset), *(() if offset else _to_add_or_list(typed)))
    said = (
        f"People for “{escape(excerpt(typed))}”" if typed else "Everybody in the address book, the latest texts first"
    )
    blocks = [section(f"*{said}*")]
    for contact in found[:PER_PAGE]:
        row = _title(contact, _ROW_NAME)
        if contact.opted_out_since:
            row += f" · {opted_out(contact.opted_out_since)}"
        if contact.tags:
            row += f"\n🏷️ {_some(contact.tags, each=_ROW_TAG, together=_ROW_TAGS)}"
        blocks.append({**section(row), "accessory": button(Button.SHOW, contact.address)})
    newer, older = (Button.PREVIOUS, Button.NEXT) if typed else (Button.NEWER, Button.OLDER)
    turns = []
    if offset:
        turns.append((newer, _place(typed, max(0, offset - PER_PAGE))))
    if len(found) > PER_PAGE:
        turns.append((older, _place(typed, offset + PER_PAGE)))
    if turns:
        blocks += [context(f"{offset + 1} to {offset + min(len(found), PER_PAGE)}"), actions(*turns)]
    return {"text": said, "blocks": blocks}


def read_place(value: str) -> tuple[str, int]:
    """Read which page a button shows. Raises ValueError for what is none of ours: it is the client's."""
    try:
        place = json.loads(value)
        return str(place["typed"]), min(max(0, int(place["offset"])), _LAST)
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError from error


def which_of(people: Sequence[Contact], *, doing: str, draft_id: UUID, typed: str) -> Payload:
    """Ask which of several people is meant. *doing* names what is done to them: `Edit`."""
    said = "Several people may be meant. Nothing was done yet: who is it?"
    more = [context("There are more. Write more of the name, or a number.")] if len(people) > MOST_TO_CHOOSE else []
    blocks = [section(said), *_choices(people, doing, draft_id), *more, *given_back(typed)]
    return {"text": said, "blocks": blocks}


def nobody_called(name: str, similar: Sequence[Contact], *, doing: str, draft_id: UUID, typed: str) -> Payload:
    """Say that the address book knows nobody of that name; offer those who come close, and to add somebody."""
    said = f"⚠️ Nobody here is called “{escape(isolated(excerpt(name)))}”."
    close = [context("Did you mean one of these?"), *_choices(similar, doing, draft_id)] if similar else []
    add = actions((Button.ADD, str(draft_id)))
    return {"text": said, "blocks": [section(said), *close, *given_back(typed), add]}


def not_in_book(address: Address, *, draft_id: UUID, typed: str) -> Payload:
    said = f"⚠️ {escape(pretty(address))} is not in the address book."
    return {"text": said, "blocks": [section(said), *given_back(typed), actions((Button.ADD, str(draft_id)))]}


def no_form(typed: str, offered: Button, value: str) -> Payload:
    """Say that the form did not open, and offer to try it again: a click has three seconds of its own."""
    said = "⚠️ The form could not be opened in time."
    return {"text": said, "blocks": [section(said), *given_back(typed), actions((offered, value))]}


def saving(who: str) -> Payload:
    """Say that Blooio takes its time. *who* is plain text."""
    return only(f"⏳ Saving *{escape(who)}* … Blooio takes its time.")


def added(contact: Contact, *, new: bool, untagged: bool) -> str:
    """Say in mrkdwn that somebody is in the book."""
    said = f"{bold(contact)} is in the address book {'now' if new else 'already'}."
    return f"{said} The tags could not be saved: try again with Edit." if untagged else said


def changed(contact: Contact) -> str:
    return f"Saved: {bold(contact)}."


def renamed(before: Contact, contact: Contact) -> str:
    return f"{bold(before)} is called {bold(contact)} now."


def renamed_meanwhile(now: Contact, wanted: str | None) -> str:
    """Say that somebody else was faster, and what saving once more would do; mrkdwn."""
    name = f"the name is *{escape(isolated(now.name))}* now" if now.name else "there is no name now"
    then = f"give them the name *{escape(isolated(wanted))}*" if wanted else "take the name off"
    return f"⚠️ Somebody else changed this contact meanwhile: {name}. Nothing was saved. Press Save again to {then}."


def not_saved(error: TextingError) -> str:
    """Say why a change of the book did not come about, in plain text."""
    if isinstance(error, errors.NotAccepted):
        return "Blooio did not accept this. Check the number, the name and the tags."
    if isinstance(error, errors.NotFound):
        return "Blooio does not have this contact any more. Add it with /contact add."
    if isinstance(error, errors.NotRead | errors.NotStored | errors.Disconnected | errors.AllowanceUsedUp):
        return error.words
    if error.retryable:
        return "Blooio did not answer, so this may not be saved. Try again: nothing is done twice."
    return "Blooio did not save this. Try again, or ask your admin."


def not_looked_up(error: TextingError) -> str:
    """Say why nobody knows whether somebody is in the book, in plain text."""
    if error.retryable:
        return "Blooio did not say whether they are in the address book. Try again in a minute."
    return not_saved(error)


def went_wrong(reference: str) -> Payload:
    """Say that we failed, where nothing better is known."""
    return only(f"⚠️ Something went wrong on our side. Try again. Your admin can find the reason under {reference}.")


def only(text: str, *more: Payload) -> Payload:
    return {"text": text, "blocks": [section(text), *more]}


def actions(*buttons: tuple[Button, str]) -> Payload:
    return {"type": "actions", "elements": [button(kind, value) for kind, value in buttons]}


def button(kind: Button, value: str) -> dict[str, Any]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": kind.value[0]},
        "action_id": kind.action_id,
        "value": value,
    }


def _opt_out(contact: Contact) -> dict[str, Any]:
    said = f"Nothing is texted to {called(contact)} until they write START, or an admin allows it."
    confirm = {"title": "Opt them out?", "text": shortened(said, _CONFIRM), "confirm": "Opt out", "deny": "Cancel"}
    asked = {part: {"type": "plain_text", "text": words} for part, words in confirm.items()}
    return {**button(Button.OPT_OUT, contact.address), "confirm": asked}


def _choices(people: Sequence[Contact], doing: str, draft_id: UUID) -> list[Payload]:
    """Offer people, each with a button that says which draft it goes on with, and with which person in it."""
    rows = []
    for number, contact in enumerate(people[:MOST_TO_CHOOSE]):
        choose = {
            "type": "button",
            "text": {"type": "plain_text", "text": shortened(f"{doing} {called(contact)}", _BUTTON)},
            "action_id": CHOOSE,
            "value": f"{draft_id}:{number}",
        }
        rows.append({**section(_title(contact, _ROW_NAME)), "accessory": choose})
    return rows


def _title(contact: Contact, longest: int) -> str:
    number = escape(pretty(contact.address))
    name = isolated(shortened(contact.name or "", longest))
    return f"*{escape(name)}* · {number}" if name else f"*{number}*"


def _some(named: Iterable[str], *, each: int, together: int) -> str:
    """Write the first of many, as far as there is room."""
    written = [escape(isolated(shortened(tag, each))) for tag in named]
    shown = written[:1]
    for tag in written[1:]:
        if sum(map(len, shown)) + len(tag) > together:
            break
        shown.append(tag)
    more = len(written) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _reach(address: Address, capabilities: Capabilities | None) -> str:
    """Say what somebody can receive, and when that was checked."""
    if capabilities is None:
        return "Not checked yet what they can receive"
    return f"{_channels(address, capabilities)} · checked {_when(capabilities.checked_at)}"


def _channels(address: Address, capabilities: Capabilities) -> str:
    imessage, sms = capabilities.imessage, capabilities.sms
    if imessage:
        return "🔵 iMessage"
    if imessage is None:
        return "Blooio does not know what they can receive"
    if "@" in address:
        return "No iMessage, and an email address gets nothing else"
    if sms is False:
        return "Neither iMessage nor SMS"
    return "🟢 SMS" if sms else "No iMessage"


def _when(moment: datetime) -> str:
    """Show a day and a time in the zone of whoever looks; *moment* is aware."""
    fallback = f"{moment:%b} {moment.day}, {moment:%H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback}>"


def _nobody_there(typed: str, offset: int) -> str:
    if offset:
        return "There is nobody further down the list. Type the command again to see it from the top."
    if typed:
        return f"Nobody was found for “{escape(excerpt(typed))}”."
    return "The address book has no names yet. If we were just started, it is still being read."


def _to_add_or_list(typed: str) -> tuple[Payload, ...]:
    hint = "`/contact add +1 555 123 4567 Jane Doe` adds somebody."
    return (context(f"Try fewer letters, or `/contact list`. {hint}" if typed else hint),)


def _place(typed: str, offset: int) -> str:
    return json.dumps({"typed": typed, "offset": offset}, ensure_ascii=False)
