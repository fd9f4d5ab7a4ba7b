"""What is asked and said about replies typed in a thread."""

from bot.blocks import files
from bot.blocks.card import label
from bot.blocks.forms import MESSAGE, field, plain
from bot.blocks.mrkdwn import Payload, context, escape, section, shortened, verbatim
from bot.reading.command import MAX_BODY
from bot.reading.reply import Decision, Doubt
from bot.texting.model import REPLY_DELETED, REPLY_EDITED, Person, Remark, Reply

#: `action_id` of the buttons below a question and below a remark; `callback_id` of the form behind the latter.
TEXT_IT, KEEP = "reply_text", "reply_keep"
CORRECT, CORRECTION_FORM = "reply_correct", "reply_correction"

#: `kind` of the remarks below which a correction is offered.
CORRECTABLE = frozenset({REPLY_EDITED, REPLY_DELETED})

_BUTTON, _EXCERPT = 75, 60  # characters

#: Why it is asked, as it continues "it was not texted yet:".
_WHY = {
    Doubt.MENTION: "it mentions a teammate",
    Doubt.CHANNEL: "it links a channel",
    Doubt.LINK: "it leads into this Slack workspace",
    Doubt.NOTE: "it looks like a note",
    Doubt.COLLEAGUE: "<@{colleague}> texted them just now",
    Doubt.WRITING: "<@{writer}> is writing to them right now",
    Doubt.DONE: "this thread is done",
    Doubt.FILES: "its files cannot go with it",
    Doubt.EDITED: "you edited it",
}


def question(reply: Reply, decision: Decision, person: Person) -> Payload:
    """
    Ask whoever typed a reply whether it is to be texted, with the words that a phone would show.

    The buttons say which reply, and which of its edits, and nothing else: what comes back is the client's.
    """
    who = escape(label(person))
    who_else = {"colleague": escape(decision.answered_by or ""), "writer": escape(decision.writing_by or "")}
    why = [_WHY[doubt].format(**who_else) for doubt in decision.doubts if doubt in _WHY]
    said = f"⏸️ This was not texted to *{who}* yet: {_listed(why)}." if why else f"Text this to *{who}*?"
    blocks = [section(said)]
    if decision.words:
        blocks.append(context(escape(decision.words)))
    if reply.body:
        blocks.append(verbatim(reply.body))
    blocks += files.names_block(reply.files)
    value = f"{reply.ts}:{reply.changed_ts or ''}"
    buttons = [_button(_yes(decision, person), TEXT_IT, value), _button("Keep as note", KEEP, value)]
    return {"text": said, "blocks": [*blocks, {"type": "actions", "elements": buttons}]}


def read_question(value: str) -> tuple[str, str | None]:
    """Read which reply a button is about, by its `ts`, and which of its edits."""
    ts, _, changed_ts = value.partition(":")
    return ts, changed_ts or None


def texting(reply: Reply, person: Person) -> Payload:
    """Say that a reply is on its way."""
    words = f"“{shortened(reply.body, _EXCERPT)}”" if reply.body else files.names(reply.files)
    return _only(f"Texting *{escape(label(person))}*: {escape(words)}")


def kept() -> Payload:
    """Say that a reply stays here."""
    return _only("Kept as a note. It was not texted.")


def correction_offered(remark: Remark, person: Person) -> Payload:
    """Say that somebody edited or deleted a reply after it was texted, and offer to send a correction."""
    about, who = remark.payload, f"*{escape(label(person))}*"
    author, url = escape(str(about["author"])), about.get("url")
    if remark.kind == REPLY_EDITED:
        which = f"<{url}|a reply>" if url else "a reply"
        has = f"{who} still has the original." if about["arrived"] else f"{who} gets the original."
        said = f"✏️ {author} edited {which} after it was texted. {has}"
    else:
        has = f"{who} still has it." if about["arrived"] else f"{who} gets it all the same."
        said = f"🗑️ A reply of {author}'s was deleted after it was texted. {has}"
    button = _button("Send a correction", CORRECT, f"{about['conversation_id']}:{about['ts']}")
    return {"text": said, "blocks": [{**section(said), "accessory": button}]}


def correction(reply: Reply, person: Person, *, here: str) -> Payload:
    """Let somebody write a correction: with what an edited reply says now, or what a deleted one said."""
    words = (reply.body if reply.now_body is None else reply.now_body)[:MAX_BODY]
    message = {
        "type": "plain_text_input",
        "action_id": MESSAGE,
        "multiline": True,
        "max_length": MAX_BODY,
        "focus_on_load": True,
    }
    if words:
        message["initial_value"] = words
    return {
        "type": "modal",
        "callback_id": CORRECTION_FORM,
        "private_metadata": f"{here}:{reply.ts}",
        "title": plain("Send a correction"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [
            context(f"*{escape(label(person))}* gets this as another text."),
            field(MESSAGE, "Message", message),
        ],
    }


def read_about(value: str) -> tuple[str, str]:
    """Read which reply a remark or a form is about: its conversation, and its `ts`."""
    conversation_id, _, ts = value.partition(":")
    return conversation_id, ts


def _yes(decision: Decision, person: Person) -> str:
    words = "Text the words only" if Doubt.FILES in decision.doubts else ""
    if Doubt.DONE in decision.doubts:
        return f"Reopen and {(words or 'Text it').replace('Text', 'text', 1)}"
    return words or f"Text it to {label(person)}"


def _listed(reasons: list[str]) -> str:
    *others, last = reasons
    return f"{', '.join(others)} and {last}" if others else last


def _button(text: str, action_id: str, value: str) -> Payload:
    return {"type": "button", "text": plain(shortened(text, _BUTTON)), "action_id": action_id, "value": value}


def _only(text: str) -> Payload:
    return {"text": text, "blocks": [section(text)]}
