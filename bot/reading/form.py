"""Read what was written into a form: who is meant, and what they get to read."""

from bot.reading.addresses import AddressProblem, read_address
from bot.reading.command import MAX_BODY, WORDS, TextCommand
from bot.reading.slack_text import plain_text

_NOBODY = "There is nobody to text yet. Write a number or an email address here."
_NO_MESSAGE = "There is no message yet. Write it here."


class FormProblem(Exception):
    """What was written cannot be sent; *to* and *message* say, each of its field, what is wrong: plain text."""

    def __init__(self, *, to: str | None, message: str | None) -> None:
        super().__init__()  # the words hold personal data, and an exception may end in a log
        self.to = to
        self.message = message


def parse_text_form(to: str, message: str, *, region: str, with_files: bool = False) -> TextCommand:
    """
    Read the two fields of a form, as they were typed: Slack marks nothing up there, but writes emoji as shortcodes.

    *region* says how to read a number without a country code; *with_files* a text needs no words. Raises FormProblem,
    which names all that is wrong.
    """
    address, to_problem = None, None
    try:
        address = read_address(to, region=region)
    except AddressProblem as problem:
        to_problem = problem.words if to.strip() else _NOBODY
    body = plain_text(marked_up(message))
    message_problem = None if body or with_files else _NO_MESSAGE
    if len(body) > MAX_BODY:
        message_problem = WORDS["too_long"].format(length=len(body), excess=len(body) - MAX_BODY, limit=MAX_BODY)
    if address is None or message_problem is not None:
        raise FormProblem(to=to_problem, message=message_problem)
    return TextCommand(address, body)


def marked_up(typed: str) -> str:
    """Write *typed* as Slack would send it in a message."""
    return typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
