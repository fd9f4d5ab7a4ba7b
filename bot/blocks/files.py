"""The files of a text, below its words: what is there, what is on its way, and what is not coming and why."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import Payload, shortened
from bot.files.kinds import name_of
from bot.texting.model import FileStatus, Inbound, InboundFile, OutboundFile

TRY_AGAIN = "file_again"

#: A thread is no place for a long list.
_SHOWN = 10
_NAME = 200  # characters, so that all of them together fit


def file_blocks(text: Inbound) -> list[Payload]:
    """Draw the files that came with a text: a line for each, and a button where trying again may help."""
    if not text.files:
        return []
    lines = [_line(file) for file in text.files[:_SHOWN]]
    if len(text.files) > _SHOWN:
        lines.append(f"and {len(text.files) - _SHOWN} more")
    blocks: list[Payload] = [{"type": "context", "elements": [_verbatim("\n".join(lines))]}]
    if any(file.again for file in text.files):
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Try again"},
            "action_id": TRY_AGAIN,
            "value": str(text.id),
        }
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def names(files: Sequence[InboundFile | OutboundFile]) -> str:
    """Name files in one line; "" for none. It is not mrkdwn yet."""
    shown = [f"📎 {_name(file)}" for file in files[:_SHOWN]]
    return "  ".join([*shown, f"and {len(files) - _SHOWN} more"] if len(files) > _SHOWN else shown)


def names_block(files: Sequence[OutboundFile]) -> list[Payload]:
    """Name the files that go out with a text, if there are any."""
    return [{"type": "context", "elements": [_verbatim(names(files))]}] if files else []


def _line(file: InboundFile) -> str:
    match file.status:
        case FileStatus.WAITING:
            return f"📎 {_name(file)} · fetching …"
        case FileStatus.REFUSED:
            return f"📎 {_name(file)} {file.problem or 'could not be fetched.'}"
    return f"📎 {_name(file)}"


def _name(file: InboundFile | OutboundFile) -> str:
    name = file.name if isinstance(file, OutboundFile) else name_of(file.url, file.name)
    return shortened(name, _NAME)


def _verbatim(text: str) -> Payload:
    """Nothing of what people call their files is markup."""
    return {"type": "plain_text", "text": text, "emoji": False}
