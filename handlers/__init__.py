"""What people do in Slack, one module a surface; `register` is the index."""

from slack_bolt.async_app import AsyncApp

from bot.access.permission import Permission
from bot.composing import Composer
from bot.desk import Desk
from bot.errands import Errands
from bot.files.outgoing import OutgoingFiles
from bot.report.service import Reports
from bot.slack.client import Slack
from bot.storage.audit import Audit
from bot.storage.channels import Channels
from bot.storage.conversations import Conversations
from bot.storage.drafts import Drafts
from bot.storage.drawings import Drawings
from bot.storage.files import InboundFiles
from bot.storage.opt_outs import OptOuts
from bot.storage.people import People
from bot.storage.tapbacks import Tapbacks
from bot.storage.threads import Cards
from bot.storage.writers import Writers
from bot.texting.book import Book
from bot.texting.service import Texting
from bot.texting.threads import Threads
from bot.typing_sign import TypingSign
from handlers import (
    add_contact,
    cards,
    channel_settings,
    compose,
    contacts,
    errors,
    inbound,
    names,
    questions,
    reactions,
    receipts,
    replies,
    text,
)
from handlers import files as fetching
from handlers import opt_outs as opting_out
from handlers import permission as door


def register(
    app: AsyncApp,
    *,
    texting: Texting,
    threads: Threads,
    slack: Slack,
    drawings: Drawings,
    files: InboundFiles,
    outgoing: OutgoingFiles,
    ownership: Cards,
    channels: Channels,
    writers: Writers,
    tapbacks: Tapbacks,
    typing_sign: TypingSign | None,
    reports: Reports,
    book: Book,
    drafts: Drafts,
    desk: Desk,
    people: People,
    conversations: Conversations,
    errands: Errands,
    permission: Permission,
    audit: Audit,
    opt_outs: OptOuts,
    region: str,
) -> None:
    """Give *app* its listeners. Services are bound here: Bolt's own context would hand listeners a copy of them."""
    door.register(app, permission=permission, slack=slack, errands=errands)
    composing = Composer(texting=texting, slack=slack, book=book, writers=writers, typing=typing_sign)
    text.register(
        app,
        texting=texting,
        slack=slack,
        reports=reports,
        book=book,
        drafts=drafts,
        composing=composing,
        channels=channels,
        region=region,
    )
    channel_settings.register(app, channels=channels, slack=slack)
    names.register(app, texting=texting, slack=slack, drafts=drafts, composing=composing)
    compose.register(app, composing=composing, texting=texting, slack=slack, book=book, region=region)
    add_contact.register(app, people=people, slack=slack, region=region)
    inbound.register(app, conversations=conversations, slack=slack)
    contacts.register(app, desk=desk, slack=slack, texting=texting, errands=errands, region=region)
    typing = replies.Means(threads=threads, slack=slack, permission=permission, errands=errands, files=outgoing)
    replies.register(app, means=typing, drawings=drawings)
    questions.register(app, means=typing, texting=texting, region=region)
    cards.register(app, cards=ownership, slack=slack, desk=desk, permission=permission)
    reactions.register(app, ownership=ownership, tapbacks=tapbacks, slack=slack, permission=permission)
    receipts.register(app, texting=texting, slack=slack, composing=composing, audit=audit, region=region)
    opting_out.register(
        app, consent=opt_outs, texting=texting, permission=permission, audit=audit, desk=desk, slack=slack
    )
    fetching.register(app, files=files, slack=slack)
    errors.register(app, slack=slack)
