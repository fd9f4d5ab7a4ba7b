"""The form to write a text in: who gets it, what they get to read, and what will happen as far as that is known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.forms import MESSAGE, TO, field, plain, remembered
from bot.blocks.mrkdwn import Payload, context, escape, isolated, shortened
from bot.reading.addresses import pretty
from bot.reading.command import MAX_BODY
from bot.texting.errors import OptedOut
from bot.texting.model import Address, Author, Capabilities, Contact, Person

#: `callback_id` of the form; what its other inputs are called, as blocks; and what is heard of at once, as actions.
COMPOSE_FORM = "compose_form"
LINE, HOME = "line", "home"
CHOOSE_TO, CHOOSE_LINE = "compose_to", "compose_line"


#: The value of the line that leaves the choice to us: an option's value must not be empty.
ANY_LINE = "any"

#: Slack's bounds of an option. An email address can be longer: it is not offered.
_OPTION, _VALUE = 75, 150

#: What is shown of colleagues who write to the same person: so many names, and so much of a text.
_MOST_NAMED, _EXCERPT = 3, 100

#: People in a menu that opens while somebody types. Slack takes 100; nobody reads as many.
MOST_OFFERED = 30

CHECKING = "Checking what they can get …"
UNKNOWN = "Can't be checked now. It goes on the best channel all the same."
REFUSED = "Blooio does not take this for somebody it can text. Check the number."
REPLY_ONLY = "Our number can only reply: they have to text us first."
_CUT = f"The message was longer than a text can be: these are its first {MAX_BODY:,} characters."


@dataclass(frozen=True, slots=True)
class Writing:
    """What stands in the form."""

    here: str | None  # the conversation it was opened from; None: Slack does not say
    home: str | None = None  # where the thread is to live
    chosen: dict[str, Any] | None = None  # who gets it: the option of the menu
    message: str = ""
    cut: bool = False  # the message was longer
    line: str | None = None  # the number of ours that they chose
    outlook: str = ""  # what will happen, mrkdwn
    meanwhile: str = ""  # who else is writing to them, mrkdwn
    thread_in: str | None = None  # the conversation of the thread that the person has already


@dataclass(frozen=True, slots=True)
class OurLine:
    """One of our numbers, as the form offers it."""

    phone: str
    reply_only: bool


def new_text(writing: Writing, lines: Sequence[OurLine], *, new: bool = False) -> Payload:
    """
    Draw the form. What people wrote survives when it is drawn again: its inputs are called the same.

    The cursor is put where something is missing, if the form is *new*: later it is where they write.
    """
    blocks = [_to(writing, focused=new and writing.chosen is None)]
    if writing.outlook:
        blocks.append(context(writing.outlook))
    if writing.meanwhile:
        blocks.append(context(writing.meanwhile))
    if writing.thread_in is not None:
        blocks.append(context(f"Their thread is in {_place(writing.thread_in)}."))
    blocks.append(_message(writing, focused=new and writing.chosen is not None))
    if writing.cut:
        blocks.append(context(_CUT))
    if len(lines) > 1:
        blocks.append(_line(writing, lines))
    if writing.thread_in is None:
        blocks.append(_home(writing))
    return {
        "type": "modal",
        "callback_id": COMPOSE_FORM,
        "notify_on_close": True,
        "private_metadata": json.dumps({"here": writing.here, "home": writing.home, "cut": writing.cut}),
        "title": plain("New text"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def cut(message: str) -> tuple[str, bool]:
    """Return as much of *message* as the form takes, and whether that is not all of it."""
    shown = message
    while len(shown.encode("utf-16-le", errors="replace")) > 2 * MAX_BODY:  # as a browser counts
        shown = shown[: MAX_BODY if len(shown) > MAX_BODY else -1]
    return shown, len(shown) < len(message)


def read_writing(view: Mapping[str, Any]) -> Writing:
    """Read what stands in the form, as Slack gives it back. All of it is the client's. Raises Unreadable."""
    values, kept = view["state"]["values"], remembered(view)
    chosen = _value(values, TO, "selected_option")
    line = _value(values, LINE, "selected_option")
    home = _value(values, HOME, "selected_conversation")
    return Writing(
        here=kept.get("here") or None,
        home=home or str(kept.get("home") or "") or None,
        chosen=chosen,
        message=str(_value(values, MESSAGE, "value") or ""),
        cut=bool(kept.get("cut")),
        line=str(line["value"]) if line and line["value"] != ANY_LINE else None,
    )


def option(address: Address, name: str | None) -> dict[str, Any] | None:
    """Offer somebody: `Jane Doe · +1 555-123-4567`; None if their address is longer than Slack takes."""
    if len(address) > _VALUE:
        return None
    number = pretty(address)
    if name and name.strip():
        room = max(_OPTION - len(f" · {number}") - len("\u2068\u2069"), _OPTION // 3)
        text = f"{isolated(shortened(name, room))} · {number}"
    else:
        text = number
    return {"text": plain(shortened(text, _OPTION)), "value": address}


def suggested(contacts: Sequence[Contact], typed: Address | None) -> list[dict[str, Any]]:
    """Offer contacts, and first of all the complete number or email address that was *typed* and is none of theirs."""
    offered = [_marked(option(contact.address, contact.name), contact) for contact in contacts]
    if typed is not None and len(typed) <= _VALUE and all(contact.address != typed for contact in contacts):
        offered.insert(0, {"text": plain(shortened(f"Text {pretty(typed)}", _OPTION)), "value": typed})
    return [one for one in offered if one is not None]


def _marked(offered: dict[str, Any] | None, contact: Contact) -> dict[str, Any] | None:
    """Mark who wants no texts: choosing them says more."""
    if offered is None or contact.opted_out_since is None:
        return offered
    return {**offered, "text": plain(shortened(f"🚫 {offered['text']['text']}", _OPTION))}


def refused(person: Person) -> str:
    """Say that a text to somebody would not go, mrkdwn."""
    return f"🚫 {escape(OptedOut(person).words)}"


def outlook(address: Address, capabilities: Capabilities | None) -> str:
    """Say what a text to somebody will be, as far as Blooio knows."""
    if capabilities is None or capabilities.imessage is None:
        return UNKNOWN
    if capabilities.imessage:
        return "🔵 iMessage available"
    if "@" in address:
        return "Blooio says that this address has no iMessage. An email address gets nothing else: use a number."
    if capabilities.sms is False:
        return "Blooio says that this number can get neither iMessage nor SMS."
    return "🟢 Will go as SMS"


def also_writing(others: Sequence[Author]) -> str:
    """Say who else is writing to somebody right now, mrkdwn; "" if nobody is."""
    if not others:
        return ""
    *names, last = [f"*{escape(one.name)}*" for one in others[:_MOST_NAMED]]
    who = f"{', '.join(names)} and {last} are" if names else f"{last} is"
    return f"✍️ {who} writing to them right now."


def crossed(author: Author, body: str | None) -> str:
    """
    Say that a colleague texted them while this was written: plain text, under the message.

    None in place of the words: they stand where whoever reads this is not.
    """
    what = f"texted them: “{shortened(body, _EXCERPT)}”." if body else "sent them a file."
    if body is None:
        what = "texted them, too."
    return f"Meanwhile {author.name} {what} Press Send again to send yours too."


def _to(writing: Writing, *, focused: bool) -> Payload:
    menu: dict[str, Any] = {
        "type": "external_select",
        "action_id": CHOOSE_TO,
        "min_query_length": 1,
        "placeholder": plain("A name, a phone number or an email address"),
    }
    if writing.chosen is not None:
        menu["initial_option"] = writing.chosen
    if focused:
        menu["focus_on_load"] = True
    return {**field(TO, "To", menu), "dispatch_action": True}


def _message(writing: Writing, *, focused: bool) -> Payload:
    words: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": MESSAGE,
        "multiline": True,
        "max_length": MAX_BODY,
    }
    if writing.message:
        words["initial_value"] = writing.message
    if focused:
        words["focus_on_load"] = True
    return field(MESSAGE, "Message", words)


def _line(writing: Writing, lines: Sequence[OurLine]) -> Payload:
    options = [{"text": plain("The number that fits best"), "value": ANY_LINE}]
    for line in lines:
        name = pretty(Address(line.phone))
        options.append({"text": plain(f"{name} (replies only)" if line.reply_only else name), "value": line.phone})
    initial = next((one for one in options if one["value"] == writing.line), options[0])
    menu = {"type": "static_select", "action_id": CHOOSE_LINE, "options": options[:100], "initial_option": initial}
    return {**field(LINE, "Send from", menu), "dispatch_action": True}


def _home(writing: Writing) -> Payload:
    menu = {"type": "conversations_select", "action_id": HOME}
    if writing.home is not None:
        menu["initial_conversation"] = writing.home
    return field(HOME, "Where the thread lives", menu)


def _place(conversation_id: str) -> str:
    return f"<#{conversation_id}>" if conversation_id.startswith(("C", "G")) else "your messages with me"


def _value(values: Mapping[str, Any], block_id: str, key: str) -> Any:
    """Return what stands in the only input of a block; None if there is no such block."""
    return next((state.get(key) for state in (values.get(block_id) or {}).values()), None)
