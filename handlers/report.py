"""`/text report`: say at once that it is on its way, and make it afterwards."""

from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.blocks.answer import drawing
from bot.reading.command import Report
from bot.report.service import Asked, Reports


async def report(ack: AsyncAck, command: dict[str, Any], wanted: Report, *, reports: Reports) -> None:
    """`/text report 30d csv`: begin the report. Counting and drawing takes longer than Slack waits."""
    await ack(**drawing(wanted))
    reports.make(
        Asked(
            user_id=str(command["user_id"]),
            conversation_id=str(command["channel_id"]),
            response_url=str(command.get("response_url") or ""),
            days=wanted.days,
            csv=wanted.csv,
        )
    )
