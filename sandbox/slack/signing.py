"""Slack's request signature, version v0. Source: docs.slack.dev/authentication/verifying-requests-from-slack."""

import hashlib
import hmac


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the `X-Slack-Signature` of these raw bytes at *timestamp* (epoch seconds)."""
    base = b"v0:%d:" % timestamp + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
