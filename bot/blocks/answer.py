"""What the person who typed a command sees at once, and only they."""

from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, context, escape, section
from bot.reading.command import Report
from bot.texting.model import Requested

#: A message's blocks may hold about 13,200 characters in all.
_SHOWN_WORDS = 10_000


def accepted(requested: Requested, *, asked_in: str, thread_url: str | None) -> Payload:
    """Say that the text is on its way, and where it can be followed."""
    who = f"*{escape(label(requested.person))}*"
    home = requested.thread.conversation_id
    link = f" <{thread_url}|Open the thread>" if thread_url else ""
    if home == asked_in:
        return _only(f"Texting {who}.{link}")
    where = f"<#{home}>" if home.startswith("C") else "another conversation"
    return _only(f"Texting {who}. Their thread is in {where}.{link}")


def drawing(report: Report) -> Payload:
    """Say that the report is on its way."""
    return _only(f"{'Writing' if report.csv else 'Drawing'} the report for the last {report.days} days …")


def problem(words: str, typed: str) -> Payload:
    """Say what is wrong and what to do, and give *typed* back so that nothing has to be typed again."""
    words = f"⚠️ {words}"
    if not typed.strip():
        return {"text": escape(words), "blocks": [section(escape(words))]}
    return {"text": escape(words), "blocks": [section(escape(words)), *given_back(typed)]}


def given_back(typed: str) -> list[Payload]:
    """Give back what somebody typed, to be copied and mended."""
    shown = typed if len(typed) <= _SHOWN_WORDS else typed[:_SHOWN_WORDS] + "…"
    words = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}
    return [context("You typed:"), {"type": "rich_text", "elements": [words]}]


def help_text() -> Payload:
    """Explain `/text`."""
    return _only(
        "*Text someone without leaving Slack*\n"
        "`/text +1 555 123 4567 Hi Jane, your order is ready`\n"
        "`/text Jane Your order is ready`\n"
        "Start with a phone number, an email address or a name from the address book, then write your message. It goes "
        "out over iMessage, RCS or SMS, whichever reaches them best, and a thread here shows the channel and the "
        "status. `/text` alone opens a form for it.\n"
        '`/text "+49 30 123456" 10 o\'clock works`, `/text "Jane Doe" Hi`\n'
        "Put a number in quotes when your message starts with digits, and a name when it has several words.\n"
        "`/text report 30d`\n"
        "Shows what became of the texts of the last 30 days, for everybody here; `/text report 30d csv` as a file.\n"
        "`/text settings`\n"
        "Chooses whether replies in the threads of this channel are texted, and how often it is told of new texts."
    )


def _only(text: str) -> Payload:
    return {"text": text, "blocks": [section(text)]}
