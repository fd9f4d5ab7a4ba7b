"""Methods about people."""

from sandbox.slack.call import FAMILY, JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.conversations import kinds
from sandbox.slack.model import Person
from sandbox.slack.wire import conversation_json, person_json


async def info(call: Call) -> JSON:
    return {"user": _written(call, call.person())}


async def list_all(call: Call) -> JSON:
    page, cursor = call.page(list(call.workspace.people.values()), default=1000, most=1000)
    return {
        "members": [_written(call, person) for person in page],
        "cache_ts": int(call.workspace.clock.now()),
        "response_metadata": {"next_cursor": cursor},
    }


async def conversations(call: Call) -> JSON:
    """The conversations a person is in; of somebody else's, those the bot is in too."""
    wanted = kinds(call)
    for kind in wanted:
        call.demand(f"{FAMILY[kind]}:read")
    person = call.person() if call.given("user") else call.workspace.people[call.bot]
    found = [
        one
        for one in call.workspace.conversations.values()
        if one.kind in wanted
        and {person.id, call.bot} <= set(one.members)
        and not (one.is_archived and call.flag("exclude_archived"))
    ]
    page, cursor = call.page(found, default=100, most=999)
    return {
        "channels": [conversation_json(one, call.workspace) for one in page],
        "response_metadata": {"next_cursor": cursor},
    }


async def lookup_by_email(call: Call) -> JSON:
    email = call.required("email").lower()
    for person in call.workspace.people.values():
        if person.email == email:
            return {"user": _written(call, person)}
    raise SlackError("users_not_found")


def _written(call: Call, person: Person) -> JSON:
    return person_json(person, call.workspace, email="users:read.email" in call.manifest.scopes)
