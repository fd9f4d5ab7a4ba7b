"""Who is who in the local Slack: admins, guests, and people of another workspace who share a channel with this one."""

from dataclasses import replace

import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.manifest import SCOPE_OF_EVENT
from sandbox.slack.seed import ANA, BEN, EVE, GLOBEX, GUS, TEAM
from tests.contract.slack_fixtures import APP, answering, client_of
from tests.contract.slack_forms import actions, button
from tests.contract.test_slack_events import Listening
from tests.contract.test_slack_web_api import SUPPORT

SHARED = "C0GLOBEX001"
STANDINGS = ("is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted", "is_stranger")


async def standing(client, user):
    """The standings that users.info says a person has, and the workspace."""
    found = (await client.users_info(user=user))["user"]
    return [name for name in STANDINGS if found[name]], found["team_id"]


@pytest.mark.parametrize(
    ("person", "standings", "team"),
    [
        pytest.param(ANA, ["is_admin"], TEAM, id="an admin"),
        pytest.param(BEN, [], TEAM, id="a member"),
        pytest.param(GUS, ["is_restricted"], TEAM, id="a guest"),
        pytest.param(EVE, [], GLOBEX, id="somebody of another workspace, whom the app has met"),
    ],
)
async def test_people_are_told_with_their_standing(client, person, standings, team):
    """users.info and users.list agree on what somebody may be trusted with."""
    assert await standing(client, person.id) == (standings, team.id)
    [listed] = [one for one in (await client.users_list())["members"] if one["id"] == person.id]
    assert listed == (await client.users_info(user=person.id))["user"]
    assert listed["profile"]["team"] == team.id


async def test_a_stranger_is_who_shares_no_channel_with_the_app(sandbox, client):
    """Somebody of another workspace becomes a stranger when the app leaves the shared channel; the team stays."""
    await sandbox.changes_members("#globex", "bot", remove=True)
    assert await standing(client, EVE.id) == (["is_stranger"], GLOBEX.id)


async def test_standings_can_be_changed(sandbox, client):
    """An owner is an admin too; a guest sees no channel but her own."""
    await sandbox.changes_person("ben", is_owner=True)
    assert await standing(client, BEN.id) == (["is_admin", "is_owner"], TEAM.id)
    await sandbox.changes_person("ben", is_owner=False, is_guest=True)
    assert await standing(client, BEN.id) == (["is_restricted"], TEAM.id)
    await sandbox.creates_channel("orders", members=["ana"])
    with pytest.raises(Refused, match="Ben Baker sees no conversation #orders"):
        await sandbox.person("ben").sees("#orders")
    with pytest.raises(Refused, match="nothing about a person is called is_tall"):
        await sandbox.changes_person("ben", is_tall=True)


async def test_a_shared_channel_says_so(client):
    """conversations.info names the other workspaces; no other channel is shared."""
    shared = (await client.conversations_info(channel=SHARED))["channel"]
    assert (shared["is_shared"], shared["is_ext_shared"], shared["is_private"]) == (True, True, False)
    assert shared["connected_team_ids"] == [GLOBEX.id]
    assert (await client.conversations_info(channel=SUPPORT))["channel"]["is_ext_shared"] is False


async def test_a_channel_becomes_shared_by_who_joins_it(sandbox, client):
    """Somebody of another workspace in it makes a channel or a direct message a shared one, and so it stays."""
    await sandbox.changes_members("#support", "eve")
    made = await sandbox.creates_channel("orders", members=["ana", "eve", "bot"])
    direct = (await client.conversations_open(users=EVE.id))["channel"]["id"]
    for channel in (SUPPORT, made, direct):
        assert (await client.conversations_info(channel=channel))["channel"]["is_ext_shared"] is True
    await sandbox.changes_members("#support", "eve", remove=True)
    assert (await client.conversations_info(channel=SUPPORT))["channel"]["connected_team_ids"] == [GLOBEX.id]


async def test_people_of_elsewhere_see_the_shared_channel_alone(sandbox):
    """A public channel of this workspace is not there for them."""
    eve = sandbox.person("eve")
    await sandbox.person("ana").posts("#globex", "Hello Globex")
    assert [one.text for one in await eve.sees("#globex")] == ["Hello Globex"]
    with pytest.raises(Refused, match="Eve Evans sees no conversation #support"):
        await eve.posts("#support", "Hello?")


@pytest.fixture
async def curious():
    """Start a sandbox whose app hears of messages, mentions, joins and reactions."""
    scopes = (*APP.scopes, "app_mentions:read", "reactions:read", "files:read")
    async with Sandbox.start(replace(APP, scopes=scopes, bot_events=frozenset(SCOPE_OF_EVENT))) as started:
        yield started


async def test_a_message_from_elsewhere_names_its_workspace(curious):
    """Message and mention carry the author's team in three places, and the outer body that the channel is shared."""
    async with answering(curious) as requests:
        await curious.person("eve").posts("#globex", "Hi @texting")
        await curious.until(lambda: len(requests) == 2)
        bodies = [request.json for request in requests]
        assert {body["event"]["type"] for body in bodies} == {"message", "app_mention"}
        for body in bodies:
            event = body["event"]
            assert (event["user"], event["team"], event["user_team"]) == (EVE.id, GLOBEX.id, GLOBEX.id)
            assert event["user_profile"]["team"] == GLOBEX.id
            assert (body["is_ext_shared_channel"], body["authorizations"][0]["team_id"]) == (True, TEAM.id)
        async with client_of(curious) as client:
            [stored] = (await client.conversations_history(channel=SHARED))["messages"]
        assert stored["user_team"] == GLOBEX.id


async def test_a_message_of_ones_own_has_no_other_team(curious):
    """In a shared channel only the outer body differs for people of this workspace."""
    async with answering(curious) as requests:
        await curious.person("ben").posts("#globex", "Hi")
        [request] = await curious.until(lambda: requests)
    assert (request.json["is_ext_shared_channel"], request.json["event"]["team"]) == (True, TEAM.id)
    assert "user_team" not in request.json["event"]


async def test_joins_and_reactions_from_elsewhere_are_told_as_shared(curious):
    """A reaction names the person alone; a join the person's team too."""
    message = await curious.person("ana").posts("#globex", "Hi")
    async with answering(curious) as requests:
        listening = Listening(curious, requests)
        await curious.person("eve").reacts(message, "eyes")
        [event] = await listening.events()
        assert (event["user"], "user_team" in event) == (EVE.id, False)
        await curious.changes_members("#globex", "eve", remove=True)
        await listening.events()
        await curious.changes_members("#globex", "eve", by="ana")
        [joined] = [event for event in await listening.events(2) if event["type"] == "member_joined_channel"]
        assert joined["team"] == GLOBEX.id


async def test_commands_and_clicks_name_the_workspace_of_who_acts(app):
    """`team_id` of a command and both teams of an interaction are the person's, as the Slack Connect channel's are."""
    eve = app.sandbox.person("eve")
    await eve.types("#globex", "/text hello")
    assert (app.payloads[-1]["team_id"], app.payloads[-1]["team_domain"]) == (GLOBEX.id, "globex")
    await app.client.chat_postMessage(channel=SHARED, text="Press", blocks=[actions(button())])
    [message] = [one for one in await eve.sees("#globex") if one.text == "[Go]"]
    await eve.clicks(message, "Go")
    payload = app.payloads[-1]
    assert (payload["user"]["team_id"], payload["team"]) == (GLOBEX.id, {"id": GLOBEX.id, "domain": "globex"})
    await app.sandbox.person("ana").clicks(message, "Go")
    assert (app.payloads[-1]["user"]["team_id"], app.payloads[-1]["team"]["id"]) == (TEAM.id, TEAM.id)
