"""`/webhooks`: subscriptions, their secrets, and the log of what was delivered to them."""

import json
from typing import Any
from urllib.parse import urlsplit

from sandbox.blooio.account_api import ORGANIZATION
from sandbox.blooio.calls import Answer, Call, Routes
from sandbox.blooio.deliveries import Deliveries
from sandbox.blooio.errors import ApiError
from sandbox.blooio.model import EVENTS_OF_TYPE, Delivery, Webhook
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.rendering import ms, ms_or_none, pagination
from sandbox.changes import Changes

MAX_WEBHOOKS = 64
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class WebhooksApi:
    """The endpoints of webhooks."""

    def __init__(self, records: Records, changes: Changes, deliveries: Deliveries) -> None:
        self._records = records
        self._changes = changes
        self._deliveries = deliveries

    @property
    def routes(self) -> Routes:
        return {
            "GET /webhooks": self.webhooks,
            "POST /webhooks": self.create,
            "GET /webhooks/{webhook}": self.get,
            "PATCH /webhooks/{webhook}": self.change,
            "DELETE /webhooks/{webhook}": self.delete,
            "POST /webhooks/{webhook}/secret/rotate": self.rotate_secret,
            "GET /webhooks/{webhook}/logs": self.logs,
            "POST /webhooks/{webhook}/logs/{log}/replay": self.replay,
        }

    async def webhooks(self, call: Call) -> Answer:  # noqa: ARG002 - every endpoint takes its call
        return Answer(200, {"webhooks": [webhook_json(webhook) for webhook in self._records.webhooks.values()]})

    async def create(self, call: Call) -> Answer:
        """Subscribe, or say that the URL is known. Only the first answer ever shows the secret."""
        url = read_url(call.fields.get("webhook_url"))
        type_, valid_until = _read_type(call.fields), _read_valid_until(call.fields)
        for known in self._records.webhooks.values():
            if known.url == url:
                return Answer(200, {**_names(known), "message": "Webhook already exists for this URL"})
        if self._records.settings.webhooks == "closed":
            raise ApiError(410, "Webhook registration through v2 is closed; use POST /v4/webhooks")
        if len(self._records.webhooks) >= MAX_WEBHOOKS:
            raise ApiError(409, f"An organization can have {MAX_WEBHOOKS} webhooks")
        webhook = Webhook(new_id("wh"), url, type_, new_id("whsec"), self._records.clock.now(), valid_until)
        self._records.webhooks[webhook.webhook_id] = webhook
        self._changes.bump()
        return Answer(
            201,
            {
                **_names(webhook),
                "webhook_type": webhook.type,
                "created_at": ms(webhook.created_at),
                "signing_secret": webhook.secret,
            },
        )

    async def get(self, call: Call) -> Answer:
        return Answer(200, webhook_json(self._webhook(call)))

    async def change(self, call: Call) -> Answer:
        """Change the type, the end, or `deprecate`, which pauses deliveries and keeps the logs."""
        webhook = self._webhook(call)
        type_ = _read_type(call.fields) if "webhook_type" in call.fields else webhook.type
        valid_until = _read_valid_until(call.fields) if "valid_until" in call.fields else webhook.valid_until
        deprecate = call.fields.get("deprecate", webhook.deprecated_at is not None)
        if not isinstance(deprecate, bool):
            raise ApiError(400, "deprecate must be true or false")
        webhook.type, webhook.valid_until = type_, valid_until
        if deprecate != (webhook.deprecated_at is not None):
            webhook.deprecated_at = self._records.clock.now() if deprecate else None
        self._changes.bump()
        return Answer(200, webhook_json(webhook))

    async def delete(self, call: Call) -> Answer:
        del self._records.webhooks[self._webhook(call).webhook_id]
        self._changes.bump()
        return Answer(200, {"success": True, "message": "Webhook deleted"})

    async def rotate_secret(self, call: Call) -> Answer:
        """Replace the secret. The old one dies at once."""
        webhook = self._webhook(call)
        webhook.secret = new_id("whsec")
        webhook.rotations += 1
        return Answer(
            200,
            {
                "webhook_id": webhook.webhook_id,
                "signing_secret": webhook.secret,
                "rotated_at": ms(self._records.clock.now()),
                "rotated_by": "sandbox",
                "rotation_count": webhook.rotations,
            },
        )

    async def logs(self, call: Call) -> Answer:
        limit, offset = call.page
        sort = call.choice("sort", "desc", "asc")
        exactly, least, most = (call.whole(name, -1) for name in ("status", "min_status", "max_status"))
        found = [
            log
            for log in self._webhook(call).logs
            if (exactly < 0 or log.answer.status == exactly)
            and (least < 0 or (log.answer.status or 0) >= least)
            and (most < 0 or (log.answer.status or 0) <= most)
        ]
        if sort == "desc":
            found.reverse()
        page = found[offset : offset + limit]
        more = {"returned": len(page), "has_more": offset + len(page) < len(found)}
        logs = [log_json(self._webhook(call), log) for log in page]
        return Answer(200, {"logs": logs, "pagination": {**pagination(limit, offset, len(found)), **more}})

    async def replay(self, call: Call) -> Answer:
        """Deliver a logged event again. A 200 also when that failed: `success` tells."""
        webhook = self._webhook(call)
        original = next((log for log in webhook.logs if log.log_id == call.names["log"]), None)
        if original is None:
            raise ApiError(404, "Webhook log not found")
        replayed = await self._deliveries.replay(webhook, original)
        answer = replayed.answer
        return Answer(
            200,
            {
                "success": replayed.succeeded,
                "replay_event_id": replayed.log_id,
                "original_event_id": original.log_id,
                "webhook_id": webhook.webhook_id,
                "webhook_url": webhook.url,
                "response_status": answer.status,
                "duration_ms": replayed.duration_ms,
                "response_data": {
                    "body": answer.text,
                    "headers": answer.headers,
                    "size": len(answer.text),
                    "contentType": answer.content_type,
                    "duration": replayed.duration_ms,
                    "error": answer.problem,
                    "errorType": answer.problem,
                },
            },
        )

    def _webhook(self, call: Call) -> Webhook:
        webhook = self._records.webhooks.get(call.names["webhook"])
        if webhook is None:
            raise ApiError(404, "Webhook not found")
        return webhook


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    return {
        **_names(webhook),
        "webhook_type": webhook.type,
        "api_key_name": "Sandbox",
        "integration_name": None,
        "created_at": ms(webhook.created_at),
        "deprecated_at": ms_or_none(webhook.deprecated_at),
        "valid_until": webhook.valid_until,
        "last_triggered": ms_or_none(webhook.last_triggered),
        "failure_count": webhook.failure_count,
        "is_active": webhook.deprecated_at is None,
    }


def log_json(webhook: Webhook, log: Delivery) -> dict[str, Any]:
    return {
        "event_id": log.log_id,
        "scope": "api",
        "attempted_time": ms(log.attempted_at),
        "response_received_at": ms_or_none(log.answered_at),
        "webhook_url": webhook.url,
        "event_body": log.body,
        "response_status": log.answer.status,
        "response_json": _json_or_none(log.answer.text),
        "metadata": {
            "duration_ms": log.duration_ms,
            "event_name": log.event,
            "is_replay": log.original_log_id is not None,
            "message_id": log.message_id,
            "organization_id": ORGANIZATION,
            "original_event_id": log.original_log_id,
        },
    }


def read_url(value: Any) -> str:
    """An https URL, or a 400. Plain http reaches this machine only, where a bot is tried out."""
    url = urlsplit(value) if isinstance(value, str) else urlsplit("")
    if url.hostname and (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)):
        return url.geturl()
    raise ApiError(400, "webhook_url must be an https URL")


def _read_type(fields: dict[str, Any]) -> str:
    type_ = fields.get("webhook_type", "message")
    if type_ not in EVENTS_OF_TYPE:
        raise ApiError(400, f"webhook_type must be one of: {', '.join(EVENTS_OF_TYPE)}")
    return str(type_)


def _read_valid_until(fields: dict[str, Any]) -> int:
    valid_until = fields.get("valid_until", -1)
    if not isinstance(valid_until, int) or isinstance(valid_until, bool):
        raise ApiError(400, "valid_until must be milliseconds since the epoch, or -1")
    return valid_until


def _names(webhook: Webhook) -> dict[str, Any]:
    return {"webhook_id": webhook.webhook_id, "webhook_url": webhook.url, "scope": "api_key"}


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
