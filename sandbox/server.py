"""The sandbox as one web application on this machine's loopback: both vendors, the page, and the control routes."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.blooio import Blooio
from sandbox.companion import Companion
from sandbox.control import Control
from sandbox.guard import guard
from sandbox.slack import Slack
from sandbox.slack.control import SlackControl
from sandbox.slack.manifest import Manifest, load
from sandbox.trouble_control import TroubleControl
from sandbox.world import Basics

HOST = "127.0.0.1"
BLOOIO_API_KEY = "bl_sandbox_0123456789acme"  # for show, as Slack's tokens in `slack.seed`
WEBHOOKS = "/blooio/webhooks"  # where the bot takes what Blooio tells
INBOX = "C0SUPPORT01"  # #support, the channel that a newcomer sees: texts from strangers go there
PAGE = Path(__file__).parent / "page"
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
MOST_BYTES = 40 * 1024 * 1024  # of one request: attachments travel through here


class World:
    """What both vendors share, and the two of them."""

    def __init__(
        self, manifest: Manifest | str | Path, *, request_url: str | None = None, latency: float = 0.0
    ) -> None:
        """*latency*: seconds that every call of either vendor's API takes. Raises InvalidManifest."""
        self.basics = Basics()
        self.basics.exchanges.latency = latency
        self.slack = Slack(
            self.basics, manifest if isinstance(manifest, Manifest) else load(manifest), request_url=request_url
        )
        self.blooio = Blooio(self.basics)
        self.companion: Companion | None = None  # the bot, if the sandbox runs it
        self.url = ""

    def started(self, url: str) -> None:
        """Tell both vendors the address they were given."""
        self.url = url
        self.slack.started(url)

    def environment(self) -> dict[str, str]:
        """Return the settings with which a bot finds both vendors here."""
        return self.slack.environment() | {
            "BLOOIO_API_KEY": BLOOIO_API_KEY,
            "BLOOIO_BASE_URL": f"{self.url}/blooio/v2/api",
        }

    def settings_beside(self, port: int) -> dict[str, str]:
        """
        Return what a bot of this sandbox's own needs besides, to be reached on *port*.

        Its webhook is subscribed with that, as nobody else will do it.
        """
        url = f"http://{HOST}:{port}"
        return {
            "HOST": HOST,
            "PORT": str(port),
            "PUBLIC_URL": url,
            "BLOOIO_WEBHOOK_SECRET": self.blooio.subscribe(url + WEBHOOKS),
            "INBOX_CHANNEL": INBOX,
        }

    async def close(self) -> None:
        self.basics.exchanges.let_go()
        await self.slack.close()
        await self.blooio.close()


def build(world: World) -> web.Application:
    """Mount everything. Nothing is served yet."""
    app = web.Application(middlewares=[guard, _as_a_page], client_max_size=MOST_BYTES)
    world.slack.add_routes(app)
    world.blooio.add_routes(app)
    Control(world).add_routes(app)
    SlackControl(world.slack).add_routes(app)
    TroubleControl(world).add_routes(app)
    app.router.add_get("/", _index)
    app.router.add_get("/archives/{conversation}/{message}", _permalink)
    app.router.add_static("/page/", PAGE)
    return app


@web.middleware
async def _as_a_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the page load from here only, be framed by nobody, and be as new as its files."""
    response = await handler(request)
    if request.path == "/" or request.path.startswith("/page/"):
        response.headers.update(PAGE_HEADERS)
    return response


async def _index(_request: web.Request) -> web.StreamResponse:
    index = PAGE / "index.html"
    if index.exists():
        return web.FileResponse(index)
    return web.Response(text="The sandbox is running. Its page is not part of this version.")


async def _permalink(request: web.Request) -> web.StreamResponse:
    """Lead from a permalink, which looks like Slack's, to the message on the page."""
    place = request.match_info
    raise web.HTTPFound(f"/#{place['conversation']}/{place['message']}")


@dataclass
class Server:
    """A running sandbox."""

    url: str
    world: World
    _runner: web.AppRunner

    async def close(self) -> None:
        await self.world.close()
        await self._runner.cleanup()


async def serve(world: World, port: int = 0, *, host: str = HOST) -> Server:
    """Listen on *port*, or with 0 on a free one. Raises ValueError for a host other machines can reach."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"the sandbox serves this machine only, not {host}")
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
    except OSError:
        await runner.cleanup()
        await world.close()
        raise
    bound = runner.addresses[0][1]
    url = f"http://{host}:{bound}"
    world.started(url)
    return Server(url, world, runner)
