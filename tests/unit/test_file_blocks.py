"""How the files of a text look below its words."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bot.blocks.files import names
from bot.blocks.inbound import inbound
from bot.texting.model import FileStatus, Inbound, InboundFile, OutboundFile

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def a_file(name: str | None = "photo.jpg", **changes: object) -> InboundFile:
    return InboundFile(
        **{"id": UUID(int=1), "url": "https://x.example/IMG_1.HEIC", "name": name, "media_type": None} | changes
    )


def drawn(*files: InboundFile, body: str = "Look") -> dict:
    return inbound(Inbound(UUID(int=7), "msg_1", 1, body, None, NOW, NOW, files=files))


def lines(payload: dict) -> str:
    [context] = [block for block in payload["blocks"] if block["type"] == "context"]
    [element] = context["elements"]
    assert element["type"] == "plain_text"
    return str(element["text"])


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (a_file(), "📎 photo.jpg · fetching …"),
        (a_file(None), "📎 IMG_1.heic · fetching …"),
        (a_file(status=FileStatus.SHARED), "📎 photo.jpg"),
        (
            a_file(status=FileStatus.REFUSED, problem="could not be fetched: it is larger than 25 MB."),
            "📎 photo.jpg could not be fetched: it is larger than 25 MB.",
        ),
        (a_file("<!channel> *x*"), "📎 _!channel_ _x_ · fetching …"),
    ],
)
def test_a_line_for_each_file(file: InboundFile, line: str) -> None:
    """What is there, what is on its way, and what is not coming: never as markup."""
    assert lines(drawn(file)) == line


def test_a_button_where_trying_again_may_help() -> None:
    """And only there."""
    problem = "could not be shared: this workspace's storage is full."
    full = a_file(status=FileStatus.REFUSED, problem=problem, again=True)
    [actions] = [block for block in drawn(full)["blocks"] if block["type"] == "actions"]
    assert [(one["text"]["text"], one["value"]) for one in actions["elements"]] == [("Try again", str(UUID(int=7)))]
    assert not [block for block in drawn(a_file())["blocks"] if block["type"] == "actions"]


def test_files_without_words() -> None:
    """The lines are all there is, and a notification names the files."""
    payload = drawn(a_file(), body="")
    assert [block["type"] for block in payload["blocks"]] == ["context"]
    assert payload["text"] == "📎 photo.jpg"


def test_a_long_list_is_cut() -> None:
    """A thread is no place for it."""
    assert lines(drawn(*[a_file()] * 14)).splitlines()[-2:] == ["📎 photo.jpg · fetching …", "and 4 more"]
    many = [OutboundFile("F1", "a.jpg", "image/jpeg", 1)] * 12
    assert names(many).endswith("📎 a.jpg  and 2 more")
