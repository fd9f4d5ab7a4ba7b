"""`/_sandbox/blooio/webhooks` and `…/mischief`: the dashboard's side of webhooks, and what goes wrong with them."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.blooio.control import json_object, mistakes_told
from sandbox.blooio.deliveries import Deliveries
from sandbox.blooio.mischief import Kind, Order
from sandbox.blooio.model import EVENTS_OF_TYPE, AttachmentForm, Format, Webhook
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.webhooks_api import read_url, webhook_json
from sandbox.changes import Changes


class WebhookControl:
    """The control routes of webhooks."""

    def __init__(self, records: Records, changes: Changes, deliveries: Deliveries) -> None:
        self._records = records
        self._changes = changes
        self._deliveries = deliveries

    def add_routes(self, app: web.Application) -> None:
        for method, path, handler in (
            ("POST", "/_sandbox/blooio/webhooks", self.subscribe),
            ("POST", "/_sandbox/blooio/mischief", self.order),
            ("DELETE", "/_sandbox/blooio/mischief", self.cancel),
        ):
            app.router.add_route(method, path, mistakes_told(handler))

    async def subscribe(self, request: web.Request) -> web.Response:
        """
        Subscribe as the dashboard or v4 would, whether or not v2 still registers webhooks.

        `{"url": …, "secret": …, "format": …, "attachments": …, "type": "all"}`: all but the URL may be left out. The
        words are those of `Format` and `AttachmentForm`. The same URL again replaces its subscription.
        """
        fields = await json_object(request)
        url = read_url(fields.get("url"))
        webhook = Webhook(
            webhook_id=new_id("wh"),
            url=url,
            type=_one_of(fields, "type", "all", *EVENTS_OF_TYPE),
            secret=str(fields.get("secret") or new_id("whsec")),
            created_at=self._records.clock.now(),
            format=Format(_one_of(fields, "format", *Format)),
            attachments=AttachmentForm(_one_of(fields, "attachments", *AttachmentForm)),
        )
        subscribe(self._records, webhook)
        self._changes.bump()
        return web.json_response({**webhook_json(webhook), "signing_secret": webhook.secret, "format": webhook.format})

    async def order(self, request: web.Request) -> web.Response:
        """`{"kind": …, "event": "message.*", "times": 1, "seconds": 60}`: see `mischief.Kind`."""
        fields = await json_object(request)
        if fields.get("kind") not in set(Kind):
            raise ValueError(f"kind must be one of {', '.join(Kind)}")
        times, seconds = fields.get("times", 1), fields.get("seconds", 0)
        if not (times is None or (isinstance(times, int) and times > 0)):
            raise ValueError("times must be a whole number, or null for always")
        if not isinstance(seconds, (int, float)) or seconds < 0:
            raise ValueError("seconds must be a number")
        order = self._deliveries.mischief.order(
            Order(Kind(fields["kind"]), str(fields.get("event", "*")), times, seconds)
        )
        self._changes.bump()
        return web.json_response(asdict(order))

    async def cancel(self, request: web.Request) -> web.Response:
        """Take one order back by its `id`, or all of them."""
        self._deliveries.mischief.cancel(request.query.get("id"))
        self._changes.bump()
        return web.json_response({})


def subscribe(records: Records, webhook: Webhook) -> Webhook:
    """Deliver to *webhook* from now on, in place of an earlier one with its URL."""
    for known in [other.webhook_id for other in records.webhooks.values() if other.url == webhook.url]:
        del records.webhooks[known]
    records.webhooks[webhook.webhook_id] = webhook
    return webhook


def _one_of(fields: dict[str, Any], name: str, *choices: str) -> str:
    """One of *choices*, the first when it is absent."""
    value = fields.get(name, choices[0])
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(dict.fromkeys(choices))}")
    return str(value)
