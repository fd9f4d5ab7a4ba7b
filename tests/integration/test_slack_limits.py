"""What is remembered of Slack's limits, against the local Slack."""

import asyncio

import pytest

from bot.slack import calls
from bot.slack.client import open_slack
from bot.slack.errors import SlackBusy
from sandbox.driver import Sandbox


async def test_what_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that was refused once is gone soon, and so is what was remembered of it."""
    monkeypatch.setattr(calls, "_PACED_FOR", 0.0)
    async with Sandbox.start() as sandbox:
        environment = sandbox.environment()
        async with open_slack(environment["SLACK_BOT_TOKEN"], environment["SLACK_API_URL"]) as (slack, _):
            await sandbox.order(
                vendor="slack",
                where="views.update",
                kind="status",
                status=429,
                retry_after=1,
                body={"ok": False, "error": "ratelimited"},
                times=None,
            )
            for number in range(5):
                with pytest.raises(SlackBusy):
                    await slack.update_view(f"V{number}", {}, made_from=None)
            assert len(slack.calls._not_before) == len(slack.calls._paced_until) == 5

            await asyncio.sleep(1.05)  # as long as Slack said
            with pytest.raises(SlackBusy):
                await slack.update_view("V9", {}, made_from=None)
            assert list(slack.calls._not_before) == list(slack.calls._paced_until) == [("views.update", "V9")]
            assert not slack.calls._turns
