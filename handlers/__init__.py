"""What people do in Slack, one module a surface; `register` is the index."""

from slack_bolt.async_app import AsyncApp

from bot.composing import Composer
from bot.desk import Desk
from bot.errands import Errands
from bot.report.service import Reports
from bot.slack import Slack
from bot.storage.drafts import Drafts
from bot.storage.drawings import Drawings
from bot.texting.book import Book
from bot.texting.service import Texting
from bot.texting.threads import Threads
from handlers import add_contact, cards, compose, contacts, errors, names, receipts, replies, text


def register(
    app: AsyncApp,
    *,
    texting: Texting,
    threads: Threads,
    slack: Slack,
    drawings: Drawings,
    reports: Reports,
    book: Book,
    drafts: Drafts,
    desk: Desk,
    errands: Errands,
    region: str,
) -> None:
    """Give *app* its listeners. Services are bound here: Bolt's own context would hand listeners a copy of them."""
    composing = Composer(texting=texting, slack=slack, book=book)
    text.register(
        app,
        texting=texting,
        slack=slack,
        reports=reports,
        book=book,
        drafts=drafts,
        composing=composing,
        region=region,
    )
    names.register(app, texting=texting, slack=slack, drafts=drafts, composing=composing)
    compose.register(app, composing=composing, texting=texting, slack=slack, book=book, region=region)
    add_contact.register(app, slack=slack, region=region)
    contacts.register(app, desk=desk, slack=slack, texting=texting, errands=errands, region=region)
    replies.register(app, threads=threads, slack=slack)
    cards.register(app, drawings=drawings)
    receipts.register(app, texting=texting, slack=slack, region=region)
    errors.register(app, slack=slack)
