"""Read what was written into the forms of the address book."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.reading.addresses import AddressProblem, read_address
from bot.reading.command import CommandProblem
from bot.reading.contact_command import read_name, read_tag_list
from bot.reading.form import marked_up
from bot.reading.slack_text import plain_text
from bot.texting.model import Address

_NOBODY = "There is no number yet. Write a phone number or an email address here."


class ContactFormProblem(Exception):
    """What was written cannot be saved; *of* says, by field, what is wrong with it: plain text."""

    def __init__(self, of: dict[str, str]) -> None:
        super().__init__()  # the words hold personal data, and an exception may end in a log
        self.of = of


@dataclass(frozen=True, slots=True)
class NewContact:
    """Somebody to add, as written into a form."""

    address: Address
    name: str | None
    tags: tuple[str, ...]


def parse_add_form(name: str, address: str, tags: str, *, region: str) -> NewContact:
    """
    Read the form for a new contact. Slack marks nothing up there, but writes emoji as shortcodes.

    *region* says how to read a number without a country code. Raises ContactFormProblem with all that is wrong, by
    `name`, `address` and `tags`.
    """
    wrong: dict[str, str] = {}
    with _noting(wrong, "name"):
        whole_name = read_name(marked_up(name)) or None
    with _noting(wrong, "tags"):
        whole_tags = _tags(tags)
    with _noting(wrong, "address"):
        whole_address = read_address(address, region=region)
    if not address.strip():
        wrong["address"] = _NOBODY
    if wrong:
        raise ContactFormProblem(wrong)
    return NewContact(whole_address, whole_name, whole_tags)


def parse_edit_form(
    name: str, tags: str, *, name_before: str | None, tags_before: Collection[str]
) -> tuple[str | None, tuple[str, ...]]:
    """
    Read the form about a contact: name and tags. What was there before may be longer than ours.

    Raises ContactFormProblem as `parse_add_form` does.
    """
    wrong: dict[str, str] = {}
    whole_name = name_before
    if name != (name_before or ""):
        with _noting(wrong, "name"):
            whole_name = read_name(marked_up(name)) or None
    with _noting(wrong, "tags"):
        whole_tags = _tags(tags, known=tags_before)
    if wrong:
        raise ContactFormProblem(wrong)
    return whole_name, whole_tags


def _tags(typed: str, *, known: Collection[str] = ()) -> tuple[str, ...]:
    return read_tag_list(plain_text(marked_up(typed)), known=known)


@contextmanager
def _noting(wrong: dict[str, str], field: str) -> Iterator[None]:
    """Note what is wrong with a field, and go on with the next."""
    try:
        yield
    except (CommandProblem, AddressProblem) as problem:
        wrong[field] = problem.words
