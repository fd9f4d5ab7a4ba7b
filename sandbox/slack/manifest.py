"""The app's manifest: refused where Slack would refuse it, and read into what the sandbox needs of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

from sandbox.slack.manifest_rules import MANIFEST

MOST_SHORTCUTS = 5  # of each type

#: The scope without which an event is not delivered. Events that are not here are not imitated.
SCOPE_OF_EVENT = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "app_mention": "app_mentions:read",
    "member_joined_channel": "channels:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "file_shared": "files:read",
    "file_deleted": "files:read",
    "app_home_opened": None,
}


class InvalidManifest(Exception):
    """Slack would refuse this manifest. `errors` has a message and a JSON pointer for each reason."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{error['message']} [{error['pointer']}]" for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class SlashCommand:
    command: str  # with its slash
    description: str
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    name: str
    kind: str  # "global" or "message"
    callback_id: str
    description: str


@dataclass(frozen=True)
class Manifest:
    """The app as its manifest describes it."""

    name: str
    bot_name: str
    commands: dict[str, SlashCommand] = field(default_factory=dict)
    shortcuts: tuple[Shortcut, ...] = ()
    scopes: tuple[str, ...] = ()  # of the bot token, in the manifest's order
    bot_events: frozenset[str] = frozenset()
    interactivity: bool = False
    messages_tab: bool = False
    messages_read_only: bool = False
    home_tab: bool = False


def load(path: str | Path) -> Manifest:
    """Read a manifest from a YAML or JSON file. Raises InvalidManifest."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))  # JSON is YAML too
    except yaml.YAMLError as error:
        raise InvalidManifest([{"message": f"not readable as YAML: {error}", "pointer": "/"}]) from error
    return parse(data)


def parse(data: Any) -> Manifest:
    """Check a manifest and read it. Raises InvalidManifest."""
    if errors := _errors(data):
        raise InvalidManifest(errors)
    features, settings = data.get("features", {}), data.get("settings", {})
    home = features.get("app_home", {})
    name = data["display_information"]["name"]
    return Manifest(
        name=name,
        bot_name=features.get("bot_user", {}).get("display_name", name.lower()),
        commands={
            one["command"]: SlashCommand(
                one["command"], one["description"], one.get("usage_hint", ""), one.get("should_escape", False)
            )
            for one in features.get("slash_commands", [])
        },
        shortcuts=tuple(
            Shortcut(one["name"], one["type"], one["callback_id"], one["description"])
            for one in features.get("shortcuts", [])
        ),
        scopes=tuple(data.get("oauth_config", {}).get("scopes", {}).get("bot", [])),
        bot_events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", [])),
        interactivity=settings.get("interactivity", {}).get("is_enabled", False),
        messages_tab=home.get("messages_tab_enabled", False),
        messages_read_only=home.get("messages_tab_read_only_enabled", False),
        home_tab=home.get("home_tab_enabled", False),
    )


def _errors(data: Any) -> list[dict[str, str]]:
    errors = [
        {"message": error.message, "pointer": "/" + "/".join(str(step) for step in error.absolute_path)}
        for error in Draft7Validator(MANIFEST).iter_errors(data)
    ]
    return errors or list(_errors_beyond_the_schema(data))


def _errors_beyond_the_schema(data: dict[str, Any]) -> Iterator[dict[str, str]]:
    shortcuts = [one["type"] for one in data.get("features", {}).get("shortcuts", [])]
    for kind in ("global", "message"):
        if shortcuts.count(kind) > MOST_SHORTCUTS:
            yield {"message": f"more than {MOST_SHORTCUTS} {kind} shortcuts", "pointer": "/features/shortcuts"}
    subscriptions = data.get("settings", {}).get("event_subscriptions", {})
    for index, one in enumerate(subscriptions.get("metadata_subscriptions", [])):
        if one["app_id"] == one["event_type"] == "*":
            pointer = f"/settings/event_subscriptions/metadata_subscriptions/{index}"
            yield {"message": "app_id and event_type must not both be *", "pointer": pointer}
