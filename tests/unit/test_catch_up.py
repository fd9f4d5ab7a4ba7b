"""How often Blooio's list is read, and what it says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.blooio import wire
from bot.hearing.catch_up import LIVELY, QUIET, REPAIRING, _Trouble, pause
from bot.texting.model import Chat, Page

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)


def parsed(*chats: dict[str, Any], total: int | None = None) -> Page[Chat]:
    body = {"chats": list(chats), "pagination": {"limit": 100, "offset": 0, "total": total or len(chats)}}
    return wire.parse_chats(200, {}, json.dumps(body).encode(), limit=100, offset=0)


def test_the_list_is_asked_for_with_the_latest_first() -> None:
    """One page at a time."""
    request = wire.list_chats(offset=100)
    assert (request.method, request.path) == ("GET", "/chats")
    assert request.params == {"sort": "recent", "limit": 100, "offset": 100}


@pytest.mark.parametrize(
    ("row", "chat"),
    [
        pytest.param(
            {"id": "+15551234567", "last_message_time": MS + 1000, "last_inbound_time": MS, "inbound_count": 3},
            Chat("+15551234567", "+15551234567", AT + timedelta(seconds=1), AT, 3),
            id="somebody who wrote",
        ),
        pytest.param(
            {"id": "Jane@Example.com", "is_group": False, "last_message_time": MS, "last_inbound_time": None},
            Chat("Jane@Example.com", "jane@example.com", AT, None, None),
            id="somebody who never wrote",
        ),
        pytest.param(
            {"id": "+15551234567", "last_message_time": MS},
            Chat("+15551234567", "+15551234567", AT, AT, None),
            id="a list that does not say who wrote last",
        ),
        pytest.param(
            {"id": "+15551234567", "last_message_time": None, "last_inbound_time": MS},
            Chat("+15551234567", "+15551234567", AT, AT, None),
            id="a list that does not say when the last text was",
        ),
        pytest.param({"id": "+15551234567"}, Chat("+15551234567", "+15551234567", None, None, None), id="no times"),
        pytest.param(
            {"id": "grp_a1", "is_group": True, "last_inbound_time": MS},
            Chat("grp_a1", None, AT, AT, None),
            id="a group",
        ),
        pytest.param({"id": "grp_a1"}, Chat("grp_a1", None, None, None, None), id="a group by its id"),
        pytest.param(
            {"id": "+15551234567,+15557654321"},
            Chat("+15551234567,+15557654321", None, None, None, None),
            id="several people",
        ),
    ],
)
def test_a_chat(row: dict[str, Any], chat: Chat) -> None:
    """Whatever Blooio leaves out, a text is rather looked for in vain than missed."""
    assert parsed(row).items == (chat,)


def test_what_cannot_be_read_still_counts() -> None:
    """The next page begins after it."""
    page = parsed({"name": "?"}, {"id": "+15551234567"}, total=5)
    assert (len(page.items), page.next_offset) == (1, 2)


@pytest.mark.parametrize(
    ("told", "quiet", "seconds"),
    [
        pytest.param(False, 0, LIVELY, id="something is new"),
        pytest.param(False, 30, LIVELY, id="half a minute ago"),
        pytest.param(False, 100, 10, id="a while ago"),
        pytest.param(False, 3_600, QUIET, id="long ago"),
        pytest.param(False, float("inf"), QUIET, id="never"),
        pytest.param(True, 0, REPAIRING, id="webhooks tell"),
    ],
)
def test_the_pause(told: bool, quiet: float, seconds: float) -> None:
    """Often while people write to each other, and never for ever."""
    assert pause(told=told, quiet=quiet) == seconds


def test_the_pause_after_trouble() -> None:
    """Ever longer, to a bound, and no shorter than Blooio asks for."""
    assert [_Trouble("x").pause(failures) for failures in (1, 2, 3, 4, 5, 50)] == [5, 10, 20, 40, 60, 60]
    assert _Trouble("x", timedelta(seconds=90)).pause(1) == 90
