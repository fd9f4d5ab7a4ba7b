"""manifest.yml, the Slack app as data, agrees with Slack's schema and with the code."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from slack_bolt.async_app import AsyncApp

import handlers

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests/samples/slack/manifest.schema.2.0.0.json"  # as Slack publishes it


@pytest.fixture(scope="module")
def manifest() -> dict:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


def test_slack_takes_the_manifest(manifest: dict) -> None:
    """It validates against Slack's own schema."""
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


def test_every_command_has_a_listener_and_every_listener_a_command(manifest: dict) -> None:
    """What people can type is what the bot answers."""
    heard: list[str] = []

    class Recorder(AsyncApp):
        def command(self, command, *args, **kwargs):  # type: ignore[no-untyped-def]
            heard.append(command)
            return super().command(command, *args, **kwargs)

    app = Recorder(token="xoxb-x", signing_secret="x")
    handlers.register(app, texting=None, slack=None, drawings=None, reports=None, region="US")  # type: ignore[arg-type]
    assert heard == [command["command"] for command in manifest["features"]["slash_commands"]]
