"""Methods about conversations: which there are, who is in them, and getting into them."""

from sandbox.slack.call import FAMILY, JSON, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Kind
from sandbox.slack.wire import conversation_json

MOST_IN_GROUP = 8  # people in a group message, besides the bot


def kinds(call: Call) -> list[Kind]:
    """Read the `types` argument."""
    try:
        return [Kind(one) for one in call.listed("types")] or [Kind.PUBLIC]
    except ValueError:
        raise SlackError("invalid_types") from None


async def info(call: Call) -> JSON:
    conversation = call.conversation()
    call.demand_for(conversation, "read")
    written = conversation_json(conversation, call.workspace)
    if call.flag("include_num_members"):
        written["num_members"] = len(conversation.members)
    return {"channel": written}


async def list_all(call: Call) -> JSON:
    """Public conversations, and of the other kinds those the bot is in."""
    wanted = kinds(call)
    for kind in wanted:
        call.demand(f"{FAMILY[kind]}:read")
    found = [
        one
        for one in call.workspace.conversations.values()
        if one.kind in wanted
        and (one.kind is Kind.PUBLIC or call.bot in one.members)
        and not (one.is_archived and call.flag("exclude_archived"))
    ]
    page, cursor = call.page(found, default=100, most=999)
    return {
        "channels": [
            conversation_json(one, call.workspace) | ({"num_members": len(one.members)} if one.is_channel else {})
            for one in page
        ],
        "response_metadata": {"next_cursor": cursor},
    }


async def members(call: Call) -> JSON:
    conversation = call.conversation()
    call.demand_for(conversation, "read")
    page, cursor = call.page(conversation.members, default=100, most=999)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


async def join(call: Call) -> JSON:
    conversation = call.conversation()
    if conversation.kind is not Kind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    if conversation.is_archived:
        raise SlackError("is_archived")
    if call.bot in conversation.members:
        return {
            "channel": conversation_json(conversation, call.workspace),
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    call.workspace.join(conversation, call.bot)
    return {"channel": conversation_json(conversation, call.workspace)}


async def open_direct(call: Call) -> JSON:
    if call.given("channel"):
        conversation, already_open = call.conversation(), True
        if conversation.is_channel:
            raise SlackError("method_not_supported_for_channel_type")
    else:
        people = list(dict.fromkeys(one for one in call.listed("users") if one != call.bot))
        if not call.listed("users"):
            raise SlackError("users_list_not_supplied")
        if not people:
            raise SlackError("not_enough_users")
        if len(people) > MOST_IN_GROUP:
            raise SlackError("too_many_users")
        call.demand("im:write" if len(people) == 1 else "mpim:write")
        if any(one not in call.workspace.people for one in people):
            raise SlackError("user_not_found")
        if any(call.workspace.people[one].is_bot for one in people):
            raise SlackError("invalid_user_combination")
        conversation, already_open = call.workspace.open_direct([*people, call.bot])
    written = conversation_json(conversation, call.workspace) if call.flag("return_im") else {"id": conversation.id}
    return {"channel": written} | ({"no_op": True, "already_open": True} if already_open else {})
