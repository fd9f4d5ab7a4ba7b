"""Methods that post, change and delete messages. Source: docs.slack.dev/reference/methods, the chat family."""

from sandbox.slack.call import JSON, Call
from sandbox.slack.content import LONGEST_UPDATE, read_content, read_face
from sandbox.slack.errors import SlackError
from sandbox.slack.model import SLACKBOT_ID, Conversation, Face, Kind, Message
from sandbox.slack.wire import message_json


async def post_message(call: Call) -> JSON:
    conversation = _place(call)
    thread_ts = _thread(call, conversation)
    face = _face(call)
    content = read_content(call.arguments)
    call.limits.post(conversation.id)
    message = call.workspace.post(
        conversation,
        call.bot,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        thread_ts=thread_ts,
        broadcast=call.flag("reply_broadcast"),
        by_app=True,
        face=face,
        metadata=content.metadata or None,
        formatted=call.flag("mrkdwn", default=True),
    )
    return {"channel": conversation.id, "ts": message.ts, "message": _echo(call, message)}


async def post_ephemeral(call: Call) -> JSON:
    conversation = _place(call)
    person = call.person()
    if person.id not in conversation.members:
        raise SlackError("user_not_in_channel")
    thread_ts = _thread(call, conversation)
    face = _face(call)
    content = read_content(call.arguments)
    message = call.workspace.post(
        conversation,
        call.bot,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        thread_ts=thread_ts,
        by_app=True,
        face=face,
        ephemeral_to=person.id,
    )
    return {"message_ts": message.ts}


async def update(call: Call) -> JSON:
    """Replace a message of the app's own. Text without blocks removes the blocks, and is marked "(edited)"."""
    conversation = call.conversation()
    message = call.message(conversation)
    if not message.by_app:
        raise SlackError("cant_update_message")
    if conversation.is_archived:
        raise SlackError("is_inactive")
    if len(call.given("text")) > LONGEST_UPDATE:
        raise SlackError("msg_too_long")
    content = read_content(call.arguments)
    call.workspace.edit(
        message,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=content.metadata,
        marked=not content.blocks,
    )
    return {"channel": conversation.id, "ts": message.ts, "text": message.text, "message": _echo(call, message)}


async def delete(call: Call) -> JSON:
    conversation = call.conversation()
    message = call.message(conversation)
    if not message.by_app:
        raise SlackError("cant_delete_message")
    call.workspace.delete(message)
    return {"channel": conversation.id, "ts": message.ts}


async def get_permalink(call: Call) -> JSON:
    conversation = call.joined_conversation()
    message = call.message(conversation, "message_ts")
    link = f"{call.workspace.url}/archives/{conversation.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={conversation.id}"
    return {"channel": conversation.id, "permalink": link}


def _place(call: Call) -> Conversation:
    """Find where the bot may post: by id, `#name`, or a person's id, which stands for the DM with them."""
    wanted = call.required("channel")
    if wanted in call.workspace.people:
        if wanted in {call.bot, SLACKBOT_ID}:
            raise SlackError("channel_not_found")
        conversation, _ = call.workspace.open_direct([wanted, call.bot])
    else:
        named = call.workspace.channel_called(wanted.removeprefix("#"))
        conversation = call.workspace.conversations.get(wanted) or named or call.conversation()
    if call.bot not in conversation.members:
        if conversation.kind is not Kind.PUBLIC:
            raise SlackError("channel_not_found")
        if "chat:write.public" not in call.manifest.scopes:
            raise SlackError("not_in_channel")
    if conversation.is_archived:
        raise SlackError("is_archived")
    if conversation.kind is Kind.IM and not call.manifest.messages_tab:
        raise SlackError("messages_tab_disabled")
    return conversation


def _thread(call: Call, conversation: Conversation) -> str | None:
    thread_ts = call.given("thread_ts")
    if thread_ts in conversation.parent_of:
        raise SlackError("cannot_reply_to_message")  # it is a reply itself
    return thread_ts or None


def _face(call: Call) -> Face | None:
    face = read_face(call.arguments)
    if face is not None:
        call.demand("chat:write.customize")
    return face


def _echo(call: Call, message: Message) -> JSON:
    return message_json(message, call.workspace, all_metadata=True)
