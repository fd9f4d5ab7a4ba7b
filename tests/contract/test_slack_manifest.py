"""Manifests: the project's own is read, and what Slack would refuse is refused."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from sandbox.slack.manifest import InvalidManifest, load, parse

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@pytest.fixture
def data():
    return deepcopy(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))


def test_the_projects_manifest_is_read():
    """The command, the scopes and the events of manifest.yml are what the sandbox goes by."""
    manifest = load(MANIFEST)
    assert manifest.commands["/text"].should_escape
    assert "chat:write" in manifest.scopes
    assert "message.channels" in manifest.bot_events
    assert manifest.interactivity


def change(path, value):
    """Make a change to a manifest: put *value* at a dotted *path*."""

    def apply(data):
        *steps, last = path.split(".")
        for step in steps:
            data = data[int(step)] if step.isdigit() else data.setdefault(step, {})
        data[int(last) if last.isdigit() else last] = value

    return apply


COMMAND = "features.slash_commands.0"
SHORTCUT = {"name": "x", "type": "global", "callback_id": "x", "description": "x"}


@pytest.mark.parametrize(
    ("apply", "pointer"),
    [
        pytest.param(change("colour", "red"), "/", id="a key nobody knows"),
        pytest.param(change("display_information.name", ""), "/display_information/name", id="no name"),
        pytest.param(change("display_information.name", "x" * 36), "/display_information/name", id="a long name"),
        pytest.param(
            change("display_information.long_description", "short"),
            "/display_information/long_description",
            id="a long description that is short",
        ),
        pytest.param(
            change("display_information.background_color", "blue"),
            "/display_information/background_color",
            id="a colour by name",
        ),
        pytest.param(
            change("features.bot_user.display_name", "Text Bot"),
            "/features/bot_user/display_name",
            id="a bot's name with a space",
        ),
        pytest.param(change(f"{COMMAND}.command", "text"), "/features/slash_commands/0/command", id="no slash"),
        pytest.param(
            change(f"{COMMAND}.command", "/" + "x" * 32), "/features/slash_commands/0/command", id="a long command"
        ),
        pytest.param(
            change(f"{COMMAND}.usage_hint", ""), "/features/slash_commands/0/usage_hint", id="an empty usage hint"
        ),
        pytest.param(change(f"{COMMAND}.url", "ftp://x"), "/features/slash_commands/0/url", id="a url of another kind"),
        pytest.param(change("features.slash_commands", []), "/features/slash_commands", id="a list of no commands"),
        pytest.param(change("features.shortcuts", [SHORTCUT] * 6), "/features/shortcuts", id="six global shortcuts"),
        pytest.param(
            change("features.unfurl_domains", ["https://x.example"]),
            "/features/unfurl_domains/0",
            id="a domain with a scheme",
        ),
        pytest.param(change("settings.interactivity", {}), "/settings/interactivity", id="interactivity not said"),
        pytest.param(
            change("settings.event_subscriptions.metadata_subscriptions", [{"app_id": "*", "event_type": "*"}]),
            "/settings/event_subscriptions/metadata_subscriptions/0",
            id="all metadata of all apps",
        ),
    ],
)
def test_what_slack_refuses_is_refused(data, apply, pointer):
    """The error points at what is wrong."""
    apply(data)
    with pytest.raises(InvalidManifest) as caught:
        parse(data)
    assert [error["pointer"] for error in caught.value.errors] == [pointer]


@pytest.mark.parametrize("text", ["- a list", "a: {", ""])
def test_a_file_that_is_no_manifest_is_refused(tmp_path, text):
    """Whatever the file holds, the answer is InvalidManifest."""
    path = tmp_path / "manifest.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidManifest):
        load(path)
