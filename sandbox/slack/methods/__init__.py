"""Every Web API method the sandbox has; what is not in this table answers `unknown_method`."""

from sandbox.slack.call import Method
from sandbox.slack.methods import chat, conversations, files, identity, reactions, reading, usergroups, users, views

#: Source of the tiers: each method's page under docs.slack.dev/reference/methods.
METHODS: dict[str, Method] = {
    "auth.test": Method(identity.auth_test, tier=5),
    "apps.connections.open": Method(identity.open_connection, tier=3, app_token=True),
    "bots.info": Method(identity.bot_info, tier=3, scope="users:read"),
    "team.info": Method(identity.team_info, tier=3, scope="team:read"),
    "chat.postMessage": Method(chat.post_message, tier=5, scope="chat:write"),
    "chat.postEphemeral": Method(chat.post_ephemeral, tier=4, scope="chat:write"),
    "chat.update": Method(chat.update, tier=3, scope="chat:write"),
    "chat.delete": Method(chat.delete, tier=3, scope="chat:write"),
    "chat.getPermalink": Method(chat.get_permalink, tier=5),
    "conversations.info": Method(conversations.info, tier=3),
    "conversations.list": Method(conversations.list_all, tier=2),
    "conversations.members": Method(conversations.members, tier=4),
    "conversations.join": Method(conversations.join, tier=3, scope="channels:join"),
    "conversations.open": Method(conversations.open_direct, tier=3),
    "conversations.history": Method(reading.history, tier=3),
    "conversations.replies": Method(reading.replies, tier=3),
    "users.info": Method(users.info, tier=4, scope="users:read"),
    "users.list": Method(users.list_all, tier=2, scope="users:read"),
    "users.conversations": Method(users.conversations, tier=3),
    "users.lookupByEmail": Method(users.lookup_by_email, tier=3, scope="users:read.email"),
    "usergroups.list": Method(usergroups.list_all, tier=2, scope="usergroups:read"),
    "usergroups.users.list": Method(usergroups.list_users, tier=2, scope="usergroups:read"),
    "files.getUploadURLExternal": Method(files.get_upload_url, tier=4, scope="files:write"),
    "files.completeUploadExternal": Method(files.complete_upload, tier=4, scope="files:write"),
    "files.info": Method(files.info, tier=4, scope="files:read"),
    "files.delete": Method(files.delete, tier=3, scope="files:write"),
    "reactions.add": Method(reactions.add, tier=3, scope="reactions:write"),
    "reactions.remove": Method(reactions.remove, tier=2, scope="reactions:write"),
    "reactions.get": Method(reactions.get, tier=3, scope="reactions:read"),
    "views.open": Method(views.open_modal, tier=4),
    "views.push": Method(views.push, tier=4),
    "views.update": Method(views.update, tier=4),
    "views.publish": Method(views.publish, tier=4),
}
