"""The field in which people give an app files."""

import httpx
import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.manifest import parse
from tests.contract.slack_forms import entry, modal

FILES = [("one.txt", b"hello"), ("two.csv", b"a,b")]

READING = parse(
    {
        "display_information": {"name": "Texting"},
        "features": {
            "bot_user": {"display_name": "texting"},
            "slash_commands": [{"command": "/text", "description": "x"}],
        },
        "oauth_config": {"scopes": {"bot": ["commands", "files:read"]}},
        "settings": {"interactivity": {"is_enabled": True}},
    }
)


@pytest.fixture
async def sandbox():
    async with Sandbox.start(READING) as started:
        yield started


async def test_the_app_gets_files_and_may_read_them(sandbox, app, ana):
    """They stand in `state.values` as files do, none of them in a message; with its token the app downloads them."""
    await app.shows(modal(entry("file_input")))
    await ana.attaches("a", FILES)
    assert (await ana.modal())["a"].value == ["one.txt", "two.csv"]
    assert (await ana.submits()).outcome == "closed"
    given = app.payloads[-1]["view"]["state"]["values"]["b"]["a"]
    assert given["type"] == "file_input"
    assert [(one["name"], one["size"], one["user"]) for one in given["files"]] == [
        ("one.txt", 5, ana.user_id),
        ("two.csv", 3, ana.user_id),
    ]
    headers = {"Authorization": f"Bearer {sandbox.environment()['SLACK_BOT_TOKEN']}"}
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        assert (await http.get(given["files"][0]["url_private"], headers=headers)).content == b"hello"
    assert await ana.sees("#support") == []


async def test_a_file_is_asked_for(app, ana):
    """An empty field is refused before anything is sent; an optional one is an empty list."""
    await app.shows(modal(entry("file_input"), entry("file_input", block="more", optional=True)))
    assert (await ana.submits()).outcome == "invalid"
    await ana.attaches("a", FILES[:1], block_id="b")
    assert (await ana.submits()).outcome == "closed"
    assert app.payloads[-1]["view"]["state"]["values"]["more"]["a"] == {"type": "file_input", "files": []}


async def test_what_a_field_does_not_take(app, ana):
    """No other type, no more than it wants, and nobody else's file."""
    await app.shows(modal(entry("file_input", filetypes=["csv"], max_files=1)))
    with pytest.raises(Refused, match=r"one\.txt is none of csv"):
        await ana.attaches("a", FILES[:1])
    with pytest.raises(Refused, match="no more than 1 can be chosen"):
        await ana.attaches("a", [FILES[1], FILES[1]])
    with pytest.raises(Refused, match="people give their own files"):
        await ana.fills("a", ["F0NOBODYS"])
