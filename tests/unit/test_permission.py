"""Who may text, rule by rule, and the door before everything that people do in Slack."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from datetime import timedelta
from inspect import signature
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

import handlers
from bot.access import permission as permission_module
from bot.access.permission import (
    Home,
    Permission,
    Rules,
    Why,
    is_admin,
    is_external,
    stands_in_the_way,
)
from bot.errands import Errands
from bot.ingress.dispatch import Dispatcher
from bot.slack.client import Slack, open_slack
from bot.slack.members import Member, Profile, read_member
from bot.storage.audit import Audit
from bot.texting.errors import NotPermitted
from handlers.countdown import begin, countdown
from handlers.permission import OPEN, read_asking

HOME = Home("T1", "E1")


def member(user_id: str = "U1", **standing: Any) -> Member:
    return Member(user_id, Profile("Ana", None), **({"team_id": "T1"} | standing))


@pytest.mark.parametrize(
    ("who", "rules", "why"),
    [
        pytest.param(member(), Rules(), None, id="a member, no rules"),
        pytest.param(member(team_id=None), Rules(), None, id="Slack does not say whose they are"),
        pytest.param(member(is_guest=True), Rules(), Why.GUEST, id="a guest"),
        pytest.param(member(is_guest=True), Rules(allow_guests=True), None, id="a guest, allowed"),
        pytest.param(member(is_guest=True), Rules(users=frozenset({"U1"})), Why.GUEST, id="a guest on the list"),
        pytest.param(member(is_guest=True), Rules(admins=frozenset({"U1"})), Why.GUEST, id="a guest as an admin"),
        pytest.param(
            member(is_guest=True),
            Rules(allow_guests=True, users=frozenset({"U2"})),
            Why.UNLISTED,
            id="guests allowed, this one not listed",
        ),
        pytest.param(member(team_id="T2"), Rules(), Why.EXTERNAL, id="of another workspace"),
        pytest.param(member(team_id="T2"), Rules(allow_guests=True), Why.EXTERNAL, id="guests are no externals"),
        pytest.param(member(team_id="T2"), Rules(allow_external=True), None, id="of another workspace, allowed"),
        pytest.param(
            member(team_id="T2", is_guest=True), Rules(allow_external=True), Why.GUEST, id="a guest over there"
        ),
        pytest.param(
            member(team_id="T2", is_admin=True),
            Rules(allow_external=True, users=frozenset({"U2"})),
            Why.UNLISTED,
            id="another workspace's admin is none here",
        ),
        pytest.param(member(is_stranger=True), Rules(), Why.EXTERNAL, id="a stranger"),
        pytest.param(member(team_id="T3", enterprise_id="E1"), Rules(), None, id="of our organization"),
        pytest.param(member(team_id="T3", enterprise_id="E2"), Rules(), Why.EXTERNAL, id="of another organization"),
        pytest.param(member(is_gone=True), Rules(users=frozenset({"U1"})), Why.GONE, id="switched off"),
        pytest.param(member(is_gone=True, is_admin=True), Rules(), Why.GONE, id="an admin, switched off"),
        pytest.param(member(is_bot=True), Rules(users=frozenset({"U1"})), Why.BOT, id="a bot, even listed"),
        pytest.param(member(), Rules(users=frozenset({"U1"})), None, id="listed"),
        pytest.param(member(), Rules(users=frozenset({"U2"})), Why.UNLISTED, id="not listed"),
        pytest.param(member(), Rules(groups=frozenset({"S1"})), Why.UNLISTED, id="in no group"),
        pytest.param(member(is_admin=True), Rules(users=frozenset({"U2"})), None, id="a Slack admin, not listed"),
        pytest.param(
            member(is_admin=True),
            Rules(users=frozenset({"U2"}), admins=frozenset({"U3"})),
            Why.UNLISTED,
            id="a Slack admin, where admins are named",
        ),
        pytest.param(
            member(), Rules(users=frozenset({"U2"}), admins=frozenset({"U1"})), None, id="a named admin, not listed"
        ),
        pytest.param(member(), Rules(channels=frozenset({"C1"})), None, id="channels concern where, not who"),
    ],
)
def test_who_may_text(who: Member, rules: Rules, why: Why | None) -> None:
    """What stands in the way of somebody, wherever they are."""
    assert stands_in_the_way(who, rules, HOME) == why


@pytest.mark.parametrize(
    ("who", "rules", "admin"),
    [
        pytest.param(member(is_admin=True), Rules(), True, id="Slack's own"),
        pytest.param(member(), Rules(), False, id="a member"),
        pytest.param(member(is_admin=True), Rules(admins=frozenset({"U2"})), False, id="Slack's own, others are named"),
        pytest.param(member(), Rules(admins=frozenset({"U1"})), True, id="named"),
        pytest.param(member(is_admin=True, team_id="T2"), Rules(), False, id="of another workspace"),
    ],
)
def test_who_is_an_admin(who: Member, rules: Rules, *, admin: bool) -> None:
    """Those who are named; if nobody is, those of the Slack workspace."""
    assert is_admin(who, rules, HOME) is admin


def test_where_somebody_acts_from_counts() -> None:
    """A member of ours who acts from another workspace is not here; before we know ours, nobody is elsewhere."""
    assert is_external(member(), HOME, team_id="T2")
    assert not is_external(member(), HOME, team_id="T1")
    assert not is_external(member(team_id="T2"), Home(None))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, {}, id="nothing said: a member"),
        pytest.param({"is_owner": True}, {"is_admin": True}, id="an owner is an admin"),
        pytest.param({"is_primary_owner": True}, {"is_admin": True}, id="so is who founded it"),
        pytest.param({"is_restricted": True}, {"is_guest": True}, id="a guest of several channels"),
        pytest.param({"is_ultra_restricted": True}, {"is_guest": True}, id="a guest of one"),
        pytest.param({"deleted": True}, {"is_gone": True}, id="switched off"),
        pytest.param({"id": "USLACKBOT", "is_bot": False}, {"is_bot": True, "user_id": "USLACKBOT"}, id="Slackbot"),
        pytest.param({"enterprise_user": {"enterprise_id": "E1"}}, {"enterprise_id": "E1"}, id="an organization's"),
    ],
)
def test_what_slack_says_of_somebody(said: dict[str, Any], expected: dict[str, Any]) -> None:
    """A user as Slack writes one, with what a document leaves out."""
    read = read_member({"id": "U1", "team_id": "T1", "profile": {"display_name": "Ana"}} | said)
    assert read == member(**{"user_id": "U1"} | expected)


GUEST = {
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1"},
    "trigger_id": "1.2",
    "response_url": "http://[::1]:9",
}
COMMAND = {"user_id": "U1", "team_id": "T1", "channel_id": "C1"}
FORM = {
    "id": "V1",
    "type": "modal",
    "blocks": [{"type": "input", "block_id": "to"}, {"type": "input", "block_id": "message"}],
    "state": {"values": {}},
    "private_metadata": '{"here": "C1"}',
}


@pytest.mark.parametrize(
    ("body", "sends_from", "here"),
    [
        pytest.param({"command": "/text", "text": "Jane Hi"} | COMMAND, "C1", "C1", id="a text"),
        pytest.param({"command": "/text", "text": ""} | COMMAND, "C1", "C1", id="the form"),
        pytest.param({"command": "/text", "text": " Help "} | COMMAND, None, "C1", id="help"),
        pytest.param({"command": "/text", "text": "report 30d"} | COMMAND, None, "C1", id="the report"),
        pytest.param({"command": "/text", "text": '"report" Hi'} | COMMAND, "C1", "C1", id="somebody called Report"),
        pytest.param({"command": "/text", "text": "Helper Hi"} | COMMAND, "C1", "C1", id="somebody called Helper"),
        pytest.param({"command": "/contact", "text": "list"} | COMMAND, None, "C1", id="the address book"),
        pytest.param(
            GUEST | {"type": "block_actions", "actions": [{"action_id": "x"}], "channel": {"id": "C1"}},
            "C1",
            "C1",
            id="a button in a message",
        ),
        pytest.param(
            GUEST | {"type": "block_actions", "actions": [{"action_id": "contact_edit"}], "channel": {"id": "C1"}},
            None,
            "C1",
            id="a button of the address book",
        ),
        pytest.param(
            GUEST | {"type": "block_actions", "actions": [{"action_id": "contact_text"}], "channel": {"id": "C1"}},
            "C1",
            "C1",
            id="Text in the address book",
        ),
        pytest.param(
            GUEST | {"type": "block_actions", "actions": [{"action_id": "text_dont_send"}], "channel": {"id": "C1"}},
            None,
            "C1",
            id="Don't send",
        ),
        pytest.param(
            GUEST | {"type": "block_actions", "actions": [{"action_id": "x"}], "view": FORM},
            None,
            "C1",
            id="a menu in a form",
        ),
        pytest.param(
            GUEST | {"type": "view_submission", "view": FORM | {"callback_id": "compose_form"}},
            "U1",
            "C1",
            id="the form to text, nowhere chosen",
        ),
        pytest.param(
            GUEST
            | {
                "type": "view_submission",
                "view": FORM | {"callback_id": "compose_form", "private_metadata": '{"here": "C1", "home": "C2"}'},
            },
            "C2",
            "C1",
            id="the form to text",
        ),
        pytest.param(
            GUEST | {"type": "view_submission", "view": FORM | {"callback_id": "x", "private_metadata": "no JSON"}},
            None,
            "",
            id="another form",
        ),
        pytest.param(GUEST | {"type": "shortcut", "callback_id": "x"}, None, "", id="a shortcut from anywhere"),
        pytest.param(
            GUEST | {"type": "message_action", "callback_id": "x", "channel": {"id": "C1"}},
            "C1",
            "C1",
            id="a message's shortcut",
        ),
        pytest.param(
            GUEST | {"type": "message_action", "callback_id": "add_contact", "channel": {"id": "C1"}},
            None,
            "C1",
            id="a message's shortcut to the address book",
        ),
        pytest.param(GUEST | {"type": "block_suggestion", "action_id": "x", "view": FORM}, None, "C1", id="looking"),
    ],
)
def test_where_a_text_would_be_sent_from(body: dict[str, Any], sends_from: str | None, here: str) -> None:
    """The rule about channels concerns what sends; whoever is refused is told where they look."""
    asking = read_asking(body)
    assert asking is not None
    assert (asking.user_id, asking.team_id) == ("U1", "T1")
    assert (asking.sends_from, asking.here) == (sends_from, here)


class Door(AsyncApp):
    """Bolt, which writes down what it is told to listen to, and which listener ran."""

    def __init__(self) -> None:
        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id="T1", bot_user_id="B", bot_token="xoxb-x")

        super().__init__(authorize=authorize, request_verification_enabled=False, signing_secret="x")
        self.bodies: dict[str, dict[str, Any]] = {}
        self.events: list[Any] = []
        self.ran: list[str] = []

    def command(self, command, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.bodies[command] = {"command": command, "text": "Jane Hi", "trigger_id": "1.2"} | COMMAND
        return self._noting(command, super().command(command, *args, **kwargs))

    def shortcut(self, constraints, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.bodies[f"message_action {constraints}"] = GUEST | {
            "type": "message_action",
            "callback_id": constraints,
            "channel": {"id": "C1"},
            "message": {},
        }
        self.bodies[f"shortcut {constraints}"] = GUEST | {"type": "shortcut", "callback_id": constraints}
        return self._noting(constraints, super().shortcut(constraints, *args, **kwargs))

    def action(self, constraints, *args, **kwargs):  # type: ignore[no-untyped-def]
        name = constraints["action_id"]
        actions = {"type": "block_actions", "actions": [{"action_id": name, "value": "1", "type": "button"}]}
        container = {"type": "message", "channel_id": "C1"}
        self.bodies[f"{name} in a message"] = GUEST | actions | {"channel": {"id": "C1"}, "container": container}
        self.bodies[f"{name} in a form"] = GUEST | actions | {"view": FORM, "container": {"type": "view"}}
        return self._noting(name, super().action(constraints, *args, **kwargs))

    def view(self, constraints, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.bodies[constraints] = GUEST | {"type": "view_submission", "view": FORM | {"callback_id": constraints}}
        return self._noting(constraints, super().view(constraints, *args, **kwargs))

    def options(self, constraints, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.bodies[f"options {constraints}"] = GUEST | {
            "type": "block_suggestion",
            "action_id": constraints,
            "block_id": "to",
            "value": "J",
            "view": FORM,
        }
        return self._noting(constraints, super().options(constraints, *args, **kwargs))

    def event(self, event, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.events.append(event)
        return super().event(event, *args, **kwargs)

    def _noting(self, name, register):  # type: ignore[no-untyped-def]
        async def note(ack: Any, body: dict[str, Any]) -> None:
            self.ran.append(name)
            await ack(**({"options": []} if body.get("type") == "block_suggestion" else {}))

        return lambda _: register(note)


#: What is heard without asking at the door, and who asks instead.
EVENTS = {
    "message": "handlers.replies asks before a reply is texted",
    "reaction_added": "handlers.cards asks before a card is done",
    "reaction_removed": "handlers.cards asks before a card is open again",
}


@asynccontextmanager
async def behind_the_door(*people: Member, rules: Rules | None = None) -> AsyncIterator[tuple[Door, Permission]]:
    """Every listener of ours, with a Slack and a database that never answer, and people whom we know."""
    door = Door()
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _), Errands().open() as errands:
        permission = _permission(slack, *people, rules=rules)
        services: dict[str, Any] = dict.fromkeys(list(signature(handlers.register).parameters)[1:])
        services |= {"slack": slack, "errands": errands, "permission": permission, "region": "US"}
        handlers.register(door, **services)
        yield door, permission


def _permission(slack: Slack, *people: Member, rules: Rules | None = None) -> Permission:
    slack.identity = {"team_id": "T1"}
    for one in people:
        slack.people.members.put(one.user_id, one)
    pool: Any = AsyncConnectionPool("postgresql://127.0.0.1:9/none", open=False)
    return Permission(slack=slack, rules=rules or Rules(), audit=Audit(pool))


async def test_every_listener_is_behind_the_door() -> None:
    """Whatever a guest types, clicks, submits or looks for: no listener runs, and they alone are told why."""
    async with behind_the_door(member(is_guest=True)) as (door, _):
        dispatch = Dispatcher(door)
        answers = {name: await dispatch(json.loads(json.dumps(body))) for name, body in door.bodies.items()}

    assert len(answers) > 40
    assert door.ran == []
    assert {answer.status for answer in answers.values()} == {200}
    for name, answer in answers.items():
        body = door.bodies[name]
        said = json.loads(answer.body) if answer.body else {}
        if "command" in body:
            assert said["text"].startswith("⚠️ Guests cannot text customers")
            assert f"{name} Jane Hi" in answer.body
        elif body["type"] == "block_suggestion":
            assert said == {"options": []}
        elif body["type"] == "view_submission":
            assert said["response_action"] == "errors"
            assert said["errors"]["message"].startswith("Guests cannot text customers")
        else:
            assert said == {}  # told below what they clicked, as nobody but them sees it


async def test_every_listener_is_behind_an_open_door() -> None:
    """The same requests reach their listeners when a member makes them: the test above refuses what is heard."""
    async with behind_the_door(member()) as (door, _):
        dispatch = Dispatcher(door)
        for body in door.bodies.values():
            await dispatch(json.loads(json.dumps(body)))

    names = {
        name.removeprefix("options ").removeprefix("message_action ").removeprefix("shortcut ") for name in door.bodies
    }
    assert set(door.ran) == {name.removesuffix(" in a message").removesuffix(" in a form") for name in names}


async def test_every_event_is_open_for_a_reason() -> None:
    """Nobody waits for an answer to an event: whoever acts on one asks by themselves, and is listed here."""
    async with behind_the_door() as (door, _):
        heard = {one if isinstance(one, str) else f"{one['type']}/{one['subtype'] or ''}" for one in door.events}

    assert heard == set(EVENTS)
    assert set(OPEN) == {"event_callback", "view_closed"}


async def test_whom_to_ask_is_named() -> None:
    """Named admins by their names, three at most; by their role before Slack has said them, or if none are named."""
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        people = [Member(f"U{n}", Profile(name, None)) for n, name in enumerate(["Ana", "Ben", "Cleo", "Dan"])]
        assert _permission(slack).whom_to_ask() == "an admin of this Slack workspace"
        some = Rules(admins=frozenset({"U0", "U1"}))
        assert _permission(slack, rules=some).whom_to_ask() == "whoever looks after texting here"
        assert _permission(slack, *people, rules=some).whom_to_ask() == "Ana or Ben"
        assert _permission(slack, rules=Rules(admins=frozenset({"U1"}))).whom_to_ask() == "Ben"
        every = Rules(admins=frozenset({"U0", "U1", "U2", "U3"}))
        assert _permission(slack, rules=every).whom_to_ask() == "Ana, Ben or Cleo"


@pytest.mark.parametrize("allowed", [False, True])
async def test_nobody_is_let_in_before_our_workspace_is_known(allowed: bool) -> None:
    """Who is of another one could not be told, nor whose the people would be whom they text."""
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        permission = _permission(slack, member(team_id="T2"), rules=Rules(allow_external=allowed))
        slack.identity = {}
        with pytest.raises(NotPermitted) as refused:
            await permission.check(user_id="U1", conversation_id=None, team_id="T2")
    assert refused.value.why == Why.UNKNOWN


async def test_somebody_unknown_is_refused_while_slack_is_away() -> None:
    """They may be a guest: nobody is let in who was never seen, and they are told to try again."""
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        with pytest.raises(NotPermitted, match="not_permitted") as refused:
            await _permission(slack).check(user_id="U1", conversation_id="C1")
    assert refused.value.reason == "not_permitted:unknown"
    assert refused.value.words.endswith("Try again in a minute.")


@pytest.mark.parametrize(
    ("fresh", "last", "why"),
    [
        pytest.param(300, 3600, None, id="said just now"),
        pytest.param(-1, 3600, None, id="said some time ago"),
        pytest.param(-1, -1, "unknown", id="said too long ago"),
    ],
)
async def test_what_slack_said_last_counts_for_a_while(
    fresh: int, last: int, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Slack is away, somebody it has told us of lately goes on."""
    monkeypatch.setattr(permission_module, "FRESH_SECONDS", fresh)
    monkeypatch.setattr(permission_module, "LAST_SECONDS", last)
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        permission = _permission(slack, member())
        if why is None:
            await permission.check(user_id="U1", conversation_id="C1")
            return
        with pytest.raises(NotPermitted) as refused:
            await permission.check(user_id="U1", conversation_id="C1")
    assert refused.value.why == why


async def test_groups_and_lists_add_up() -> None:
    """Whoever is on the list or in any of the groups may; if Slack does not say who is in one, it is not for sure."""
    rules = Rules(users=frozenset({"U1"}), groups=frozenset({"S1", "S2"}))
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        permission = _permission(slack, *(member(f"U{n}") for n in range(4)), rules=rules)
        slack.people.groups.put("S1", frozenset({"U2"}))
        await permission.check(user_id="U1", conversation_id=None)
        await permission.check(user_id="U2", conversation_id=None)
        with pytest.raises(NotPermitted) as unsure:
            await permission.check(user_id="U3", conversation_id=None)
        slack.people.groups.put("S2", frozenset({"U0"}))
        with pytest.raises(NotPermitted) as refused:
            await permission.check(user_id="U3", conversation_id=None)
        await permission.check(user_id="U0", conversation_id=None)
    assert (unsure.value.why, refused.value.why) == (Why.UNKNOWN, Why.UNLISTED)


async def test_channels_are_named_to_whoever_is_elsewhere() -> None:
    """A text goes from the channels of the rule only; what sends nothing goes from anywhere."""
    rules = Rules(channels=frozenset({"C1"}))
    async with open_slack("xoxb-x", "http://127.0.0.1:9/") as (slack, _):
        permission = _permission(slack, member(), rules=rules)
        await permission.check(user_id="U1", conversation_id="C1")
        await permission.check(user_id="U1", conversation_id=None)
        with pytest.raises(NotPermitted) as refused:
            await permission.check(user_id="U1", conversation_id="C2")
    assert refused.value.words == (
        "Texts cannot be sent from this conversation. Ask an admin of this Slack workspace if that should change."
    )


def test_time_runs_from_when_the_request_came_in() -> None:
    """What it takes to look at who asks is part of the time in which they are answered."""
    request, limit = copy_context(), timedelta(seconds=9)
    request.run(begin)
    came_in = time.monotonic()
    while time.monotonic() < came_in + 0.02:
        pass

    assert request.run(countdown, limit)() <= limit - timedelta(seconds=0.02)
    assert countdown(limit)() > limit - timedelta(seconds=0.02)
