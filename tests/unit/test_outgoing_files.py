"""What can go out with a text, and what is said about the rest before anything is sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.files.outgoing import LARGEST, OutgoingFiles, is_there, read_files
from bot.texting.errors import FilesNeedAddress
from bot.texting.model import Author, Delivery, DeliveryStatus, OutboundFile

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
PHOTO: dict[str, Any] = {
    "id": "F1",
    "name": "photo.jpg",
    "mimetype": "image/jpeg",
    "size": 1000,
    "mode": "hosted",
    "file_access": "visible",
}
DELIVERY = Delivery(
    id=UUID(int=7),
    key=UUID(int=7),
    thread_id=1,
    body="Hi",
    author=Author("U1", "Ana"),
    status=DeliveryStatus.QUEUED,
    expected_channel=None,
    actual_channel=None,
    message_id=None,
    attempts=1,
    attempted_at=NOW,
    retry_at=None,
    requested_at=NOW - timedelta(days=3),  # it waited for their reply
    accepted_at=None,
    sent_at=None,
    delivered_at=None,
    read_at=None,
    failed_at=None,
    error_code=None,
    error_words=None,
    files=(OutboundFile("F1", "photo one.jpg", "image/jpeg", 1000), OutboundFile("F2", "b.pdf", "application/pdf", 2)),
)


def outgoing(public_url: str | None = "https://bot.example/") -> OutgoingFiles:
    slack: Any = None  # it is not asked for any of this
    return OutgoingFiles(public_url=public_url, key=bytes(32), slack=slack)


@pytest.mark.parametrize(
    ("files", "words", "first", "obstacle"),
    [
        pytest.param([], "", False, None, id="no files"),
        pytest.param([PHOTO], "Hi", False, None, id="a photo with words"),
        pytest.param([PHOTO], "", False, None, id="a photo alone"),
        pytest.param([PHOTO], "Hi", True, None, id="a first text with a photo"),
        pytest.param(
            [PHOTO], " ", True, "A first text cannot be a file. Write some words with it.", id="a photo as first text"
        ),
        pytest.param([PHOTO] * 10, "Hi", False, None, id="ten files"),
        pytest.param(
            [PHOTO] * 11, "Hi", False, "One text takes 10 files at most. Send the others with another one.", id="eleven"
        ),
        pytest.param([PHOTO | {"size": LARGEST}], "Hi", False, None, id="as large as can be"),
        pytest.param(
            [PHOTO, PHOTO | {"size": LARGEST + 1, "name": "film.mov"}],
            "Hi",
            False,
            "film.mov is larger than 16 MB, which is the most that can be texted.",
            id="too large",
        ),
        pytest.param([PHOTO | {"size": 0}], "Hi", False, "photo.jpg is empty.", id="empty"),
        pytest.param(
            [PHOTO | {"name": "Setup.EXE", "mimetype": "application/octet-stream"}],
            "Hi",
            False,
            "Setup.exe is a program, and programs are not texted.",
            id="a program",
        ),
        pytest.param(
            [PHOTO | {"name": "song.mp3", "mimetype": "audio/mpeg"}],
            "Hi",
            False,
            "An audio file becomes a voice memo, and a voice memo takes no words. Send them one after the other.",
            id="audio with words",
        ),
        pytest.param([PHOTO | {"name": "song.mp3", "mimetype": "audio/mpeg"}], "", False, None, id="audio alone"),
        pytest.param(
            [PHOTO, PHOTO | {"name": "song.mp3", "mimetype": "audio/mpeg"}], "Hi", False, None, id="audio in company"
        ),
        pytest.param(
            [PHOTO | {"mode": "external", "is_external": True, "name": "Plan"}],
            "Hi",
            False,
            "Plan is kept outside of Slack. Paste its link instead.",
            id="elsewhere",
        ),
        pytest.param([{"id": "F1", "mode": "tombstone"}], "Hi", False, "This file was deleted.", id="deleted"),
        pytest.param(
            [{"id": "F1", "mode": "hidden_by_limit"}],
            "Hi",
            False,
            "Slack hides this file: this workspace's plan shows newer files only.",
            id="hidden",
        ),
        pytest.param(
            [{"id": "F1", "file_access": "check_file_info"}],
            "Hi",
            False,
            "Slack did not say what this file is. Try again in a minute.",
            id="not known",
        ),
        pytest.param(
            [PHOTO | {"file_access": "access_denied"}],
            "Hi",
            False,
            "Slack does not give photo.jpg to the bot. Upload it here yourself.",
            id="not for us",
        ),
        pytest.param(
            [{"id": "F1", "file_access": "file_not_found"}], "Hi", False, "This file was deleted.", id="not found"
        ),
        pytest.param(
            [PHOTO | {"mode": "quip", "name": "", "title": "Our plan"}],
            "Hi",
            False,
            "Our plan is made in Slack and cannot be texted as it is. Download it and upload what you get.",
            id="a canvas",
        ),
        pytest.param([PHOTO | {"mode": "snippet", "name": "a.py"}], "Hi", False, None, id="a snippet"),
    ],
)
def test_what_is_in_the_way(files: list[dict], words: str, first: bool, obstacle: str | None) -> None:
    """It is said in words that name the file and what to do."""
    assert outgoing().obstacle(files, words=words, first=first) == obstacle


def test_without_a_public_address_no_file_goes() -> None:
    """And what goes without files needs none."""
    files = outgoing(None)
    words = "Files need the bot's public address. An admin can set PUBLIC_URL."
    assert files.obstacle([PHOTO], words="Hi", first=False) == words
    assert files.obstacle([], words="Hi", first=False) is None
    assert files.addresses(replace(DELIVERY, files=())) == ()
    with pytest.raises(FilesNeedAddress):
        files.addresses(DELIVERY)


def test_every_attempt_says_the_same() -> None:
    """With one key goes one request, to the letter; under another key the addresses are good for as long again."""
    first = outgoing().addresses(DELIVERY)
    assert outgoing().addresses(replace(DELIVERY, attempts=7, error_code="unconfirmed")) == first
    assert [file.name for file in first] == ["photo one.jpg", "b.pdf"]
    assert all(file.url.startswith("https://bot.example/files/") for file in first)
    assert first[0].url.endswith("/photo_one.jpg")
    later = outgoing().addresses(replace(DELIVERY, key=UUID(int=8), attempted_at=NOW + timedelta(days=2)))
    assert later[0].url != first[0].url


def test_files_are_read_as_slack_tells_of_them() -> None:
    """Whatever is missing is not made up."""
    assert read_files([PHOTO, {"id": "F2"}]) == (
        OutboundFile("F1", "photo.jpg", "image/jpeg", 1000),
        OutboundFile("F2", "this file", "", 0),
    )


def test_a_file_that_is_shared_with_nobody_is_not_there() -> None:
    """Whoever deleted their message does not want it to go."""
    assert is_there(PHOTO | {"channels": ["C1"]})
    assert is_there(PHOTO | {"shares": {"private": {"G1": [{}]}}})
    assert not is_there(PHOTO | {"channels": [], "groups": [], "ims": [], "shares": {}})
    assert not is_there({"id": "F1", "mode": "tombstone", "channels": ["C1"]})
