"""How a Web API method says no."""

from typing import Any


class SlackError(Exception):
    """An answer with `ok: false`. *code* is Slack's word for it; *extra* are further keys of the answer."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


def invalid_arguments(*messages: str) -> SlackError:
    """Refuse arguments, with a message for each reason as Slack words them."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})
