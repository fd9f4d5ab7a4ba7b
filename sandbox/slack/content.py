"""What an app hands Slack to show: text, blocks, attachments and metadata, checked and normalised."""

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.blocks import MOST_SUMMED, check, normalise, summed_length
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Block, Face

LONGEST_TEXT = 40_000  # what is longer is cut off
LONGEST_UPDATE = 4_000
MOST_ATTACHMENTS = 100
LONGEST_METADATA = 16_000  # characters of JSON; Slack documents the error and not the number


@dataclass(frozen=True)
class Content:
    """The checked content of one message. `metadata` is None when the app did not speak of it."""

    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.blocks or self.attachments)


def read_content(given: dict[str, Any]) -> Content:
    """Check what an app wants shown. Raises SlackError with the word the Web API has for it."""
    blocks = parse_list(given.get("blocks"), error="invalid_blocks_format")
    if markdown := given.get("markdown_text"):
        if blocks or given.get("text"):
            raise SlackError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
    attachments = parse_list(given.get("attachments"), error="invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    if problems := check(blocks):
        worded = [str(problem) for problem in problems]
        raise SlackError(
            "invalid_blocks",
            errors=worded,
            response_metadata={"messages": [f"[ERROR] {text}" for text in worded]},
        )
    if summed_length(blocks) > MOST_SUMMED:
        raise SlackError("msg_blocks_too_long")
    text = given.get("text")
    content = Content(
        text=str(text if text is not None else "")[:LONGEST_TEXT],
        blocks=normalise(blocks),
        attachments=attachments,
        metadata=_metadata(given.get("metadata")),
    )
    if content.is_empty:
        raise SlackError("no_text")
    return content


def read_face(given: dict[str, Any]) -> Face | None:
    """Read the name and picture an app chose for one message."""
    username, icon_url, icon_emoji = (given.get(key) or None for key in ("username", "icon_url", "icon_emoji"))
    return Face(username, icon_url, icon_emoji) if username or icon_url or icon_emoji else None


def parse_list(value: Any, *, error: str) -> list[Any]:
    """Read a list that may have travelled as JSON in a form."""
    if value in (None, ""):
        return []
    value = _from_json(value, error=error)
    if not isinstance(value, list):
        raise SlackError(error)
    return value


def _metadata(value: Any) -> dict[str, Any] | None:
    if value in (None, ""):
        return None
    value = _from_json(value, error="invalid_metadata_format")
    if value == {}:
        return {}
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("event_type"), str)
        or not isinstance(value.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(value)) > LONGEST_METADATA:
        raise SlackError("metadata_too_large")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}


def _from_json(value: Any, *, error: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None
