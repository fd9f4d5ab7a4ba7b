"""The app asks Slack for what it needs and for nothing else: each scope has a call of ours, each call its scope."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.slack.manifest import SCOPE_OF_EVENT
from sandbox.slack.methods import METHODS

ROOT = Path(__file__).parents[2]

#: What a method needs that depends on the kind of conversation, or on an argument. Source: each method's page under
#: docs.slack.dev/reference/methods. What needs one scope has it in the sandbox's table.
_KINDS = ("channels", "groups", "im", "mpim")
_MORE = {
    "conversations.info": {f"{kind}:read" for kind in _KINDS},
    "conversations.members": {f"{kind}:read" for kind in _KINDS},
    "conversations.history": {f"{kind}:history" for kind in _KINDS},
    "conversations.replies": {f"{kind}:history" for kind in _KINDS},
    "conversations.open": {"im:write"},  # with one person; mpim:write is for several
    "chat.postMessage": {"chat:write.customize"},  # with a name and a picture
}

#: Calls that need the bot's token and no scope; and one that takes the app's own token, which the manifest cannot ask.
_FREE = {"auth.test", "views.open", "views.update", "apps.connections.open"}


def _methods() -> Iterator[str]:
    """Yield the Web API's methods that the code calls, as slack_sdk spells them."""
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and (called := _method(node.attr)) is not None:
                yield called


def _method(attribute: str) -> str | None:
    """`chat_postMessage` is `chat.postMessage`, `usergroups_users_list` is `usergroups.users.list`."""
    return next((name for name in METHODS if name.replace(".", "_") == attribute), None)


@pytest.fixture(scope="module")
def manifest() -> dict:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


@pytest.fixture(scope="module")
def needed(manifest: dict) -> set[str]:
    """The scopes of our calls, of our events and of our commands."""
    scopes = {"commands"} if manifest["features"]["slash_commands"] else set()
    for name in _methods():
        scopes |= _MORE.get(name, set()) | {scope for scope in [METHODS[name].scope] if scope is not None}
    return scopes | {scope for name in _events(manifest) if (scope := SCOPE_OF_EVENT[name]) is not None}


def _events(manifest: dict) -> list[str]:
    events: list[str] = manifest["settings"]["event_subscriptions"]["bot_events"]
    return events


def test_every_scope_is_needed_and_every_need_has_its_scope(manifest: dict, needed: set[str]) -> None:
    """A bot that is broken into can do in Slack what it does anyway."""
    asked = manifest["oauth_config"]["scopes"]["bot"]
    assert len(asked) == len(set(asked))
    assert set(asked) == needed
    assert set(manifest["oauth_config"]["scopes"]) == {"bot"}  # nothing in the name of a person


def test_the_calls_are_those_that_the_code_names() -> None:
    """The method that a call is logged and paced by is the one that is called; none has another way."""
    named = set()
    for path in (ROOT / "bot").rglob("*.py"):
        named |= set(re.findall(r"\"((?:\w+\.)+\w+)\",\s*(?:self\.)?_?client\.", path.read_text()))
    called = set(_methods())
    assert called
    assert named <= called
    assert {name for name in called if METHODS[name].scope is None and name not in _MORE} <= _FREE
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]:
        assert ".api_call(" not in path.read_text()


def test_a_method_that_is_not_in_the_table_would_be_missed_by_nobody() -> None:
    """Whatever the code calls on Slack's client is a method that the sandbox knows: another one would have no scope."""
    known = {name.replace(".", "_") for name in METHODS}
    families = {name.partition(".")[0] for name in METHODS}
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute | ast.Name):
                of = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
                if of in {"_client", "client"} and node.attr.partition("_")[0] in families:
                    assert node.attr in known, f"{path.name}: {node.attr}"


def test_every_event_is_heard(manifest: dict) -> None:
    """What is subscribed to is listened to; nothing is told to us that nobody asked for."""
    source = "\n".join(path.read_text() for path in (ROOT / "handlers").rglob("*.py"))
    for event in _events(manifest):
        assert f'"{event.partition(".")[0]}"' in source
