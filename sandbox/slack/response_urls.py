"""The `response_url` of commands and clicks: five uses in thirty minutes. Source: docs.slack.dev/interactivity."""

import itertools
from dataclasses import dataclass
from typing import Any

from sandbox.slack.content import Content, read_content
from sandbox.slack.errors import SlackError
from sandbox.slack.ids import new_secret
from sandbox.slack.model import SLACKBOT_ID, Conversation, Face, Message
from sandbox.slack.workspace import Workspace

MOST_USES = 5
LIFETIME = 30 * 60.0  # seconds


@dataclass
class ResponseURL:
    """One URL: whom it answers, where, and about which message if it came of a click."""

    conversation: Conversation
    user_id: str
    expires: float
    original: Message | None = None
    uses: int = 0


class Refused(Exception):
    """A use that Slack answers with this status and these plain words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class ResponseURLs:
    """Make response URLs and serve their uses."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._urls: dict[str, ResponseURL] = {}  # by path, the oldest first
        self._numbers = itertools.count(1)

    def make(self, kind: str, conversation: Conversation, user_id: str, *, original: Message | None = None) -> str:
        """Return a new URL. *kind*: `commands` or `actions`."""
        self._forget_expired()
        path = f"{kind}/{self._workspace.team.id}/{next(self._numbers)}/{new_secret()}"
        expires = self._workspace.clock.now() + LIFETIME
        self._urls[path] = ResponseURL(conversation, user_id, expires, original)
        return f"{self._workspace.url}/slack/response/{path}"

    def _forget_expired(self) -> None:
        now = self._workspace.clock.now()
        while self._urls and next(iter(self._urls.values())).expires < now:  # they expire in the order they were made
            del self._urls[next(iter(self._urls))]

    def use(self, path: str, body: Any) -> None:
        """Do what the app asks. Raises Refused."""
        url = self._urls.get(path)
        if url is None or self._workspace.clock.now() > url.expires:
            raise Refused(404, "expired_url")
        if url.uses >= MOST_USES:
            raise Refused(404, "used_url")
        if not isinstance(body, dict):
            raise Refused(400, "invalid_payload")
        url.uses += 1
        # A person's message is never touched, and one that is gone does not come back.
        original = url.original if url.original is not None and url.original.by_app else None
        if original is not None and not url.conversation.holds(original):
            original = None
        if _flag(body, "delete_original"):
            if original is None:
                raise Refused(404, "cant_delete_message")
            self._workspace.delete(original)
            return
        try:
            content = read_content(body)
        except SlackError as error:
            raise Refused(400, error.code) from error
        if _flag(body, "replace_original") and original is not None:
            # An ephemeral original stays ephemeral, whatever `response_type` says.
            self._workspace.edit(
                original,
                text=content.text,
                blocks=content.blocks,
                attachments=content.attachments,
                marked=False,
            )
            return
        show(self._workspace, url.conversation, url.user_id, content, body)


def show(
    workspace: Workspace, conversation: Conversation, user_id: str, content: Content, body: dict[str, Any]
) -> Message:
    """Show an app's answer to one person, or to everybody with `response_type: in_channel`."""
    public = body.get("response_type") == "in_channel"
    return workspace.post(
        conversation,
        workspace.app.bot_user_id,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        thread_ts=body.get("thread_ts") if public else None,
        by_app=True,
        # What answers a command or a click in public is a `bot_message`, as a webhook's post is.
        face=Face(username=workspace.app.name) if public else None,
        metadata=content.metadata if public else None,
        ephemeral_to=None if public else user_id,
    )


def say_failure(workspace: Workspace, conversation: Conversation, user_id: str, words: str) -> Message:
    """Show one person what went wrong, as Slackbot does."""
    return workspace.post(conversation, SLACKBOT_ID, text=words, ephemeral_to=user_id)


def _flag(body: dict[str, Any], name: str) -> bool:
    return body.get(name) in (True, "true")
