"""A local Slack: Web API, Socket Mode and HTTP mode, commands, events, clicks, and a workspace of people to act as."""

from sandbox.slack.service import Slack

__all__ = ["Slack"]
