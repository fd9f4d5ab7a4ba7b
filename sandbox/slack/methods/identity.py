"""Who the app is, and where it may connect."""

from sandbox.slack.call import JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.wire import avatar_url, bot_json


async def auth_test(call: Call) -> JSON:
    workspace = call.workspace
    return {
        "url": f"{workspace.url}/",
        "team": workspace.team.name,
        "user": workspace.people[call.bot].handle,
        "team_id": workspace.team.id,
        "user_id": call.bot,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


async def open_connection(call: Call) -> JSON:
    if not call.sockets.enabled:
        # Slack does not document the word for this; an SDK that meets it tries again, as it does here.
        raise SlackError("internal_error", response_metadata={"messages": ["[ERROR] Socket Mode is not turned on"]})
    return {"url": f"ws://{call.reached}/slack/link?ticket={call.sockets.ticket()}&app_id={call.workspace.app.id}"}


async def bot_info(call: Call) -> JSON:
    wanted = call.given("bot") or call.workspace.app.bot_id
    for app in call.workspace.apps:
        if app.bot_id == wanted:
            return {"bot": bot_json(app)}
    raise SlackError("bot_not_found")


async def team_info(call: Call) -> JSON:
    team = call.workspace.team
    if call.given("team") not in {"", team.id}:
        raise SlackError("team_not_found")
    icon = {"image_default": True, "image_68": avatar_url(call.workspace, team.id)}
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": icon}}
