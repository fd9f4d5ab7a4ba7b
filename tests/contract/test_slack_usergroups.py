"""User groups: who is in them, for an app that lets a group do something."""

from dataclasses import replace

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from sandbox.slack.seed import ANA, BEN, GUS
from tests.contract.slack_fixtures import APP, client_of
from tests.contract.test_slack_web_api import refusal

GROUP = "S0SUPPORT01"


@pytest.fixture
async def sandbox():
    async with Sandbox.start(replace(APP, scopes=(*APP.scopes, "usergroups:read"))) as started:
        yield started


async def test_a_groups_members_are_told(sandbox, client):
    """The seeded group has Ana and Ben, until somebody changes it."""
    assert (await client.usergroups_users_list(usergroup=GROUP))["users"] == [ANA.id, BEN.id]
    await sandbox.changes_group(GROUP, members=["gus"])
    assert (await client.usergroups_users_list(usergroup=GROUP))["users"] == [GUS.id]
    assert await refusal(client.usergroups_users_list(usergroup="S0NOWHERE01")) == "no_such_subteam"
    assert await refusal(client.api_call("usergroups.users.list")) == "invalid_arguments"


async def test_groups_are_listed(client):
    """usergroups.list has handle and name, and members only when asked for."""
    [group] = (await client.usergroups_list())["usergroups"]
    assert (group["id"], group["handle"], group["name"], group["date_delete"]) == (
        GROUP,
        "support-team",
        "Support team",
        0,
    )
    assert group.keys().isdisjoint({"users", "user_count"})
    [group] = (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert (group["users"], group["user_count"]) == ([ANA.id, BEN.id], 2)


async def test_a_disabled_group_is_told_only_to_who_asks(sandbox, client):
    """Neither method has it without include_disabled, and nobody can mention it."""
    await sandbox.changes_group(GROUP, disabled=True)
    assert (await client.usergroups_list())["usergroups"] == []
    assert await refusal(client.usergroups_users_list(usergroup=GROUP)) == "no_such_subteam"
    [group] = (await client.usergroups_list(include_disabled=True))["usergroups"]
    assert group["date_delete"] > 0
    users = await client.usergroups_users_list(usergroup=GROUP, include_disabled=True)
    assert users["users"] == [ANA.id, BEN.id]
    assert (await sandbox.person("ana").posts("#support", "@support-team")).mentions == []
    await sandbox.changes_group(GROUP, disabled=False)
    assert (await sandbox.person("ana").posts("#support", "@support-team")).mentions == ["@support-team"]


@pytest.mark.parametrize("method", ["usergroups.list", "usergroups.users.list"])
async def test_groups_need_their_scope(method):
    """Without usergroups:read both methods are refused by its name."""
    async with Sandbox.start(APP) as sandbox, client_of(sandbox) as client:
        with pytest.raises(SlackApiError) as caught:
            await client.api_call(method, params={"usergroup": GROUP})
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "usergroups:read")


async def test_an_unknown_group_cannot_be_changed(sandbox):
    """A mistake is told in words."""
    with pytest.raises(Refused, match="there is no user group S0NOWHERE01"):
        await sandbox.changes_group("S0NOWHERE01", members=[])
    with pytest.raises(Refused, match="there is nobody called zoe"):
        await sandbox.changes_group(GROUP, members=["zoe"])
