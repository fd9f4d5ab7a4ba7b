"""Messages that somebody gets unasked, once: authors of failed texts, admins, whoever a person was handed to."""

from dataclasses import dataclass
from types import MappingProxyType

from bot.blocks import files
from bot.blocks.card import label
from bot.blocks.mrkdwn import Payload, context, escape, moment_of, section, verbatim
from bot.blocks.receipt import headline
from bot.texting import errors
from bot.texting.model import Person, Requested, Thread

_EXCERPT = 100  # characters: enough to know which text it was


@dataclass(frozen=True, slots=True)
class Cause:
    """What only an admin can mend: what happened, what it means for the team, and what to do."""

    title: str
    meaning: str
    remedy: str


_AGAIN = "Then the texts that failed can be sent with *Try again* below each."

#: The cause that is no text's: people wrote, and there is nowhere to show it.
INBOX_CLOSED = "inbox_closed"

#: By `TextingError.code`: all errors that are an admin's.
CAUSES = MappingProxyType(
    {
        INBOX_CLOSED: Cause(
            "The inbox takes no posts.",
            "People wrote whom nobody looks after yet, and their texts stand nowhere in Slack. They are kept, and "
            "appear as soon as the inbox takes them.",
            "Unarchive the channel that INBOX_CHANNEL names and invite the bot, or set INBOX_CHANNEL to the id of "
            "another channel and restart the bot.",
        ),
        errors.Disconnected.code: Cause(
            "Texting is disconnected.",
            "Blooio refuses our API key, so no text goes out.",
            "Create a new key in Blooio, set BLOOIO_API_KEY to it and restart the bot.",
        ),
        errors.AllowanceUsedUp.code: Cause(
            "The Blooio trial is used up.",
            "No text goes out until there is a plan.",
            "Choose a plan in Blooio.",
        ),
        errors.LineOffline.code: Cause(
            "Our number is offline.",
            "Blooio has no active number to send from, so texts do not go out.",
            "Look at our numbers in Blooio and bring one back online, or ask Blooio's support.",
        ),
        errors.LimitReached.code: Cause(
            "The limit for new people is reached.",
            "Texts to people whom we never texted before do not go out. All others do.",
            "Wait until Blooio lifts the limit again, or choose a larger plan there.",
        ),
        errors.NewTextsPaused.code: Cause(
            "Blooio has paused new texts from our number.",
            "It protects the number, or reviews the account. Texts that begin a conversation do not go out.",
            "Look in Blooio for the reason, or ask its support how long it lasts.",
        ),
        errors.NotAllowed.code: Cause(
            "Blooio does not allow a text.",
            "It gave no reason. The plan may leave something out, the key may not belong to our number, or another "
            "integration may manage that number.",
            "Look at the plan, the key and our numbers in Blooio, or ask its support.",
        ),
        errors.Unavailable.code: Cause(
            "Blooio does not offer what we ask for.",
            "It answers that this part of its API is gone or not for us, so texts do not go out.",
            "Look whether BLOOIO_BASE_URL is right and whether there is a newer version of this bot.",
        ),
    }
)


def failed_text(failed: Requested, *, url: str | None) -> Payload:
    """Tell its author that a text failed, why, and where something can be done about it."""
    who, why = escape(label(failed.person)), escape(failed.delivery.error_words or "")
    said = f"⚠️ Your text to *{who}* was {headline(failed.delivery)}. {why}".rstrip()
    excerpt = _excerpt(failed.delivery.body) or files.names(failed.delivery.files)
    blocks = [section(said), verbatim(excerpt)]
    if url is not None:
        blocks.append(context(f"<{url}|Open it in its thread>"))
    return {"text": said, "blocks": blocks}


def admin_needed(cause: Cause, *, texts: int) -> Payload:
    """Tell the admins what only they can mend. *texts* have failed for it in the last 24 hours."""
    said = f"🛠️ *{cause.title}* {cause.meaning}\n{cause.remedy}"
    blocks = [section(f"{said} {_AGAIN}" if texts else said)]
    if texts:
        count = "1 text has" if texts == 1 else f"{texts:,} texts have"
        blocks.append(context(f"{count} failed for this in the last 24 hours. This is said once an hour at most."))
    return {"text": said, "blocks": blocks}


def handed_off(person: Person, thread: Thread, *, by_name: str, url: str | None) -> Payload:
    """Tell somebody that they look after a person now, and how long that person waits."""
    said = f"🤝 *{escape(by_name)}* handed *{escape(label(person))}* over to you."
    more = []
    if thread.waiting_since is not None:
        more.append(f"They have been waiting since {moment_of(thread.waiting_since)}")
    if url is not None:
        more.append(f"<{url}|Open the thread>")
    return {"text": said, "blocks": [section(said), *([context(" · ".join(more))] if more else [])]}


def _excerpt(body: str) -> str:
    """Return the first words of *body* on one line."""
    line = " ".join(body.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT].rsplit(' ', 1)[0]} …"
