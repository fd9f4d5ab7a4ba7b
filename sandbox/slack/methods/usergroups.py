"""Methods about user groups. Source: docs.slack.dev/reference/methods, the usergroups family."""

from sandbox.slack import seed
from sandbox.slack.call import JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.model import UserGroup


async def list_all(call: Call) -> JSON:
    """The groups, disabled ones only with `include_disabled`; members and their number only when asked for."""
    found = [one for one in call.workspace.groups.values() if call.flag("include_disabled") or not one.is_disabled]
    return {"usergroups": [_written(call, one) for one in found]}


async def list_users(call: Call) -> JSON:
    """The members of one group. That a disabled one counts as none without `include_disabled` is not documented."""
    group = call.workspace.groups.get(call.required("usergroup"))
    if group is None or (group.is_disabled and not call.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.members)}


def _written(call: Call, group: UserGroup) -> JSON:
    written: JSON = {
        "id": group.id,
        "team_id": call.workspace.team.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": seed.CREATED,
        "date_update": seed.CREATED,
        "date_delete": seed.CREATED if group.is_disabled else 0,
        "auto_type": None,
        "created_by": seed.ANA.id,
        "updated_by": seed.ANA.id,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    if call.flag("include_users"):
        written["users"] = list(group.members)
    if call.flag("include_count"):
        written["user_count"] = len(group.members)
    return written
