"""`/me`: whose key this is, and the lines it may send from."""

from datetime import UTC, datetime
from typing import Any

from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.model import Line
from sandbox.blooio.records import Records
from sandbox.blooio.rendering import ms, ms_or_none

ORGANIZATION = "org_sandbox"


class AccountApi:
    """The endpoints of one account."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._since = records.clock.now()

    @property
    def routes(self) -> Routes:
        return {"GET /me": self.me, "GET /me/numbers": self.numbers}

    async def me(self, call: Call) -> Answer:
        messages = self._records.messages.values()
        outbound = [message.at for message in messages if message.outbound]
        return Answer(
            200,
            {
                "auth_type": "api_key",
                "valid": True,
                "user_id": None,
                "api_key": call.api_key,  # as the real one does: whoever logs this answer logs the key
                "organization_id": ORGANIZATION,
                "organization": {
                    "organization_id": ORGANIZATION,
                    "name": "Sandbox",
                    "country_code": "US",
                    "created_at": ms(self._since),
                },
                "metadata": {},
                "integration_details": None,
                "devices": [
                    {**_line_json(line), "last_active": ms_or_none(line.last_active)} for line in self._records.lines
                ],
                "usage": {
                    "inbound_messages": len(messages) - len(outbound),
                    "outbound_messages": len(outbound),
                    "last_message_sent": ms(max(outbound)) if outbound else None,
                },
            },
        )

    async def numbers(self, call: Call) -> Answer:  # noqa: ARG002 - every endpoint takes its call
        return Answer(
            200,
            {"numbers": [{**_line_json(line), "last_active": _iso(line.last_active)} for line in self._records.lines]},
        )


def _line_json(line: Line) -> dict[str, Any]:
    return {"phone_number": line.number, "is_active": line.is_active, "plan_kind": line.plan_kind}


def _iso(seconds: float | None) -> str | None:
    """The one place where Blooio's v2 speaks ISO 8601."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
