"""
A local Blooio: version 2 of its HTTP API, the lines that send, and the phones that receive.

It answers from Blooio's documents and knows nothing of the bot. `Blooio` is all that the sandbox's server needs;
`driver.Phone` is a person to test with, `trouble` what can go wrong, `seed` who is there from the start.
"""

from typing import Any

from aiohttp import web

from sandbox.blooio.account_api import AccountApi
from sandbox.blooio.background import Background
from sandbox.blooio.calls import RouteTable
from sandbox.blooio.chats_api import ChatsApi
from sandbox.blooio.contacts_api import ContactsApi
from sandbox.blooio.control import Control
from sandbox.blooio.deliveries import Deliveries
from sandbox.blooio.events import Events
from sandbox.blooio.fetching import Fetching
from sandbox.blooio.files import Files
from sandbox.blooio.gateway import Gateway
from sandbox.blooio.groups_api import GroupsApi
from sandbox.blooio.inbound import Inbound
from sandbox.blooio.mischief import Mischief
from sandbox.blooio.model import Webhook
from sandbox.blooio.reacting import Reacting
from sandbox.blooio.records import Records, new_id
from sandbox.blooio.seed import seed
from sandbox.blooio.sending import Sending
from sandbox.blooio.state import state_json
from sandbox.blooio.timeline import Timeline
from sandbox.blooio.webhook_control import WebhookControl, subscribe
from sandbox.blooio.webhooks_api import WebhooksApi
from sandbox.world import Basics

__all__ = ["Blooio"]


class Blooio:
    """The local Blooio, built and seeded; `close` it to end what goes on in the background."""

    def __init__(self, basics: Basics) -> None:
        changes = basics.changes
        self._background = Background()
        self._records = Records(basics.clock)
        seed(self._records)
        self._deliveries = Deliveries(self._records, changes, self._background, basics.exchanges)
        events = Events(self._records, self._deliveries.publish)
        self._fetching = Fetching(self._records, changes, basics.exchanges)
        timeline = Timeline(changes, self._records, self._background, self._fetching, events.tell)
        reacting = Reacting(self._records, changes, events)
        self._gateway = Gateway(
            basics.exchanges,
            self._records,
            RouteTable(
                AccountApi(self._records).routes,
                ContactsApi(self._records, changes).routes,
                GroupsApi(self._records).routes,
                ChatsApi(self._records, changes, timeline, reacting).routes,
                Sending(self._records, changes, timeline, self._deliveries, self._fetching).routes,
                WebhooksApi(self._records, changes, self._deliveries).routes,
            ),
        )
        inbound = Inbound(self._records, changes, timeline, events, reacting)
        self._control = Control(self._records, changes, timeline, inbound)
        self._files = Files(self._records, basics.exchanges)
        self._webhook_control = WebhookControl(self._records, changes, self._deliveries)

    def add_routes(self, app: web.Application) -> None:
        """Mount the API under `/blooio/v2/api/`, files under `/blooio/files/`, and control under `/_sandbox/`."""
        self._gateway.add_routes(app)
        self._control.add_routes(app)
        self._webhook_control.add_routes(app)
        self._files.add_routes(app)

    @property
    def mischief(self) -> Mischief:
        """What is ordered to go wrong with webhooks."""
        return self._deliveries.mischief

    @property
    def webhooks(self) -> int:
        """How many webhooks are subscribed."""
        return len(self._records.webhooks)

    def subscribe(self, url: str) -> str:
        """Deliver webhooks to *url* from now on; return their secret."""
        webhook = Webhook(new_id("wh"), url, "all", new_id("whsec"), self._records.clock.now())
        return subscribe(self._records, webhook).secret

    def state(self) -> dict[str, Any]:
        """What the page and the driver see, as JSON values."""
        return state_json(self._records)

    async def close(self) -> None:
        await self._background.close()
        await self._deliveries.close()
        await self._fetching.close()
