"""manifest.yml, the Slack app as data, agrees with Slack's schema and with the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from slack_bolt.async_app import AsyncApp

import handlers

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests/samples/slack/manifest.schema.2.0.0.json"  # as Slack publishes it


class Recorder(AsyncApp):
    """Bolt, which writes down what it is told to listen to."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-x", signing_secret="x")
        self.heard: dict[str, list[Any]] = {"command": [], "shortcut": []}

    def command(self, command, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.heard["command"].append(command)
        return super().command(command, *args, **kwargs)

    def shortcut(self, constraints, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.heard["shortcut"].append(constraints)
        return super().shortcut(constraints, *args, **kwargs)


@pytest.fixture(scope="module")
def manifest() -> dict:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


@pytest.fixture(scope="module")
def heard() -> dict[str, list[Any]]:
    app = Recorder()
    nothing: Any = None
    handlers.register(
        app,
        texting=nothing,
        threads=nothing,
        slack=nothing,
        drawings=nothing,
        files=nothing,
        outgoing=nothing,
        ownership=nothing,
        channels=nothing,
        writers=nothing,
        tapbacks=nothing,
        typing_sign=nothing,
        reports=nothing,
        book=nothing,
        drafts=nothing,
        desk=nothing,
        people=nothing,
        conversations=nothing,
        errands=nothing,
        permission=nothing,
        audit=nothing,
        opt_outs=nothing,
        region="US",
    )
    return app.heard


def test_slack_takes_the_manifest(manifest: dict) -> None:
    """It validates against Slack's own schema."""
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


def test_every_command_has_a_listener_and_every_listener_a_command(manifest: dict, heard: dict) -> None:
    """What people can type is what the bot answers."""
    assert heard["command"] == [command["command"] for command in manifest["features"]["slash_commands"]]


def test_every_shortcut_has_a_listener_and_every_listener_a_shortcut(manifest: dict, heard: dict) -> None:
    """What people can choose is what the bot answers; Slack shows five of each kind, and 24 characters of a name."""
    shortcuts = manifest["features"]["shortcuts"]
    assert sorted(heard["shortcut"]) == sorted(shortcut["callback_id"] for shortcut in shortcuts)
    kinds = [shortcut["type"] for shortcut in shortcuts]
    assert max(kinds.count("global"), kinds.count("message")) <= 5
    assert all(len(shortcut["name"]) <= 24 for shortcut in shortcuts)


def test_what_people_click_in_forms_reaches_us(manifest: dict) -> None:
    """Without interactivity Slack would send neither clicks nor forms nor what somebody looks for."""
    assert manifest["settings"]["interactivity"]["is_enabled"]
