"""
The `slack_file` of image blocks and elements: which files an app may show in its messages.

Source: docs.slack.dev/reference/block-kit/composition-objects/slack-file-object.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.errors import SlackError
from sandbox.slack.model import Block, File
from sandbox.slack.shapes import Problem

ID_IN_URL = re.compile(r"[-/](F[A-Z0-9]+)/")  # in `url_private` and in `permalink`


def check_pictures(blocks: list[Block], find: Callable[[str], File | None]) -> None:
    """
    Raise `invalid_blocks` unless each picture is an image that has been processed, and that *find* lets the app see.

    A file that was completed a moment ago may not be processed yet, and is refused until it is.
    """
    problems = [str(problem) for problem in _problems(blocks, find)]
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": messages})


def _problems(blocks: list[Block], find: Callable[[str], File | None]) -> Iterator[Problem]:
    for given, pointer in _pictures(blocks, "/blocks"):
        file = find(_file_id(given))
        if file is None or not file.is_image:
            yield Problem("invalid slack file", pointer)


def _file_id(given: Any) -> str:
    """Read the file's id, which is given itself or within a URL; empty if neither is there, or both are."""
    if not isinstance(given, dict) or ("id" in given) is ("url" in given):
        return ""
    if "id" in given:
        return str(given["id"])
    found = ID_IN_URL.search(str(given["url"]))
    return found[1] if found else ""


def _pictures(value: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    """Yield each `slack_file` in *value* with its JSON pointer."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "slack_file":
                yield part, f"{pointer}/slack_file"
            else:
                yield from _pictures(part, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _pictures(part, f"{pointer}/{index}")
