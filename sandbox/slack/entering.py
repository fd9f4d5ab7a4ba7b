"""What a person enters, made into the value that an element keeps. A client lets her enter nothing else."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from sandbox.slack.dates import zone
from sandbox.slack.fields import LISTS, VALUE_KEY, options, reads
from sandbox.slack.file_objects import whole_file_json
from sandbox.slack.menus import offers
from sandbox.slack.model import Conversation, Person
from sandbox.slack.richtext import rich_text
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]

MOST_FILES = 10  # of one `file_input` that does not say

DATE = re.compile(r"\d{4}-\d\d-\d\d")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Entering:
    """Enters values on people's behalf: options by what they read, people and places by their names."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def value(self, person: Person, element: JSON, choice: Any, *, offered: list[JSON] | None = None) -> Any:
        """
        Return what *element* holds once *person* has entered *choice*; None and "" clear it.

        *offered* are an external menu's options. Raises ValueError for what cannot be entered.
        """
        kind = element["type"]
        key = VALUE_KEY[kind]
        if key in LISTS:
            chosen = choice if isinstance(choice, list) else [choice]
            made = [self._one(person, element, one, offered) for one in chosen if one not in (None, "")]
            most = element.get("max_files", MOST_FILES) if key == "files" else element.get("max_selected_items")
            if most is not None and len(made) > most:
                raise ValueError(f"no more than {most} can be chosen")
            return made
        return None if choice in (None, "") else self._one(person, element, choice, offered)

    def _one(self, person: Person, element: JSON, choice: Any, offered: list[JSON] | None) -> Any:
        kind = element["type"].removeprefix("multi_")
        if kind == "external_select":
            return option_among(offered or [], choice)
        if VALUE_KEY[kind] in {"selected_option", "selected_options"}:
            return option_among(options(element), choice)
        enter = ENTER.get(kind)
        if enter is None:
            raise ValueError(f"a {kind} cannot be filled in here")
        return enter(self, person, element, choice)

    def text(self, _person: Person, element: JSON, choice: Any) -> str:
        text = str(choice)
        if "\n" in text and not element.get("multiline"):
            raise ValueError("the field has one line only")
        return text

    def person(self, _person: Person, _element: JSON, choice: Any) -> str:
        name = str(choice).removeprefix("@")
        found = self._workspace.people.get(name) or self._workspace.person_called(name)
        if found is None:
            raise ValueError(f"there is nobody called {name}")
        return found.id

    def conversation(self, person: Person, element: JSON, choice: Any) -> str:
        """Find a conversation the person sees and the menu's filter lets through: `#support`, `@ben` or an id."""
        found = self._conversation(person, str(choice))
        if found is None or not offers(element, found, person, self._workspace):
            raise ValueError(f"the menu does not offer {choice}")
        return found.id

    def _conversation(self, person: Person, name: str) -> Conversation | None:
        if name.startswith("@"):
            other = self._workspace.person_called(name.removeprefix("@"))
            return self._workspace.direct(person.id, other.id) if other else None
        named = self._workspace.channel_called(name.removeprefix("#"))
        return named or self._workspace.conversations.get(name)

    def date(self, _person: Person, _element: JSON, choice: Any) -> str:
        return _matching(DATE, choice, "YYYY-MM-DD", dt.date.fromisoformat)

    def time(self, _person: Person, _element: JSON, choice: Any) -> str:
        return _matching(TIME, choice, "HH:MM", dt.time.fromisoformat)

    def moment(self, person: Person, _element: JSON, choice: Any) -> int:
        """Take epoch seconds, or `YYYY-MM-DDTHH:MM` in the person's own time."""
        if str(choice).isdigit():
            return int(choice)
        try:
            local = dt.datetime.fromisoformat(str(choice))
        except ValueError:
            raise ValueError(f"{choice} is not a date and a time") from None
        return int(local.replace(tzinfo=zone(person.tz)).timestamp())

    def file(self, person: Person, element: JSON, choice: Any) -> JSON:
        """Give the app a file that the person has uploaded, by its id; it is written as `files.info` has it."""
        found = self._workspace.files.get(str(choice))
        if found is None or found.is_deleted or found.user_id != person.id:
            raise ValueError("people give their own files")
        wanted = element.get("filetypes", [])
        ending = found.name.rpartition(".")[2].lower()
        if wanted and ending not in wanted and found.filetype not in wanted:
            raise ValueError(f"{found.name} is none of {', '.join(wanted)}")
        found.is_given = True
        return whole_file_json(found, self._workspace)

    def rich_text(self, _person: Person, _element: JSON, choice: Any) -> JSON:
        return {"type": "rich_text", "elements": rich_text(str(choice))[0]["elements"]}


#: Element type to how one value is entered. Options are apart.
ENTER: dict[str, Callable[[Entering, Person, JSON, Any], Any]] = {
    **dict.fromkeys(("plain_text_input", "email_text_input", "url_text_input", "number_input"), Entering.text),
    "users_select": Entering.person,
    "conversations_select": Entering.conversation,
    "channels_select": Entering.conversation,
    "datepicker": Entering.date,
    "timepicker": Entering.time,
    "datetimepicker": Entering.moment,
    "rich_text_input": Entering.rich_text,
    "file_input": Entering.file,
}


def option_among(offered: list[JSON], choice: Any) -> JSON:
    """Find an option by its value or by what it reads."""
    for option in offered:
        if choice in {option.get("value"), reads(option.get("text"))}:
            return option
    raise ValueError(f"there is no option {choice}")


def _matching(pattern: re.Pattern[str], choice: Any, form: str, parse: Callable[[str], Any]) -> str:
    text = str(choice)
    try:
        if pattern.fullmatch(text) and parse(text):
            return text
    except ValueError:
        pass
    raise ValueError(f"{text} is not {form}")
