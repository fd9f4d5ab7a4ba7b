"""What people do in Slack, one module a surface; `register` is the index."""

from slack_bolt.async_app import AsyncApp

from bot.report.service import Reports
from bot.slack import Slack
from bot.storage.drawings import Drawings
from bot.texting.service import Texting
from handlers import cards, errors, receipts, text


def register(
    app: AsyncApp, *, texting: Texting, slack: Slack, drawings: Drawings, reports: Reports, region: str
) -> None:
    """Give *app* its listeners. Services are bound here: Bolt's own context would hand listeners a copy of them."""
    text.register(app, texting=texting, slack=slack, reports=reports, region=region)
    cards.register(app, drawings=drawings)
    receipts.register(app, texting=texting, slack=slack, region=region)
    errors.register(app, slack=slack)
