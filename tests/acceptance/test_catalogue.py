"""Every way in which Blooio is known to fail a text: what its line reads, what can be done, and who is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from bot import breaker
from bot.blocks.notice import CAUSES, INBOX_CLOSED
from bot.blooio import client
from bot.texting.errors import BlooioTrouble, LineOffline, Throttled, Unconfirmed
from sandbox.blooio.trouble import SEND, TROUBLE
from sandbox.driver import Sandbox
from sandbox.faults import Fault
from tests.acceptance.failing import all_told
from tests.acceptance.stage import SUPPORT, Stage, bot_beside, buttons, receipt_line
from tests.acceptance.trouble import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: In place of 36, which take half an hour.
ATTEMPTS = 8

OF_TEXTS = set(CAUSES) - {INBOX_CLOSED}

LATER = ["Try again", "Edit and send"]
OTHER_NUMBER = ["Check number", "Edit and send"]
OTHER_WORDS = ["Edit and send"]
UNKNOWN = ["Check again", "Send again"]

CHECK_NUMBER = "⚠️ Not sent. Blooio did not accept this number or message. Check the number."
CANNOT_QUOTE = "⚠️ Not sent. That message cannot be quoted. Send this as a text of its own."
PLAIN_TEXT = "⚠️ Not sent. Only plain text can go here. Take the formatting out."
PAUSED = "⚠️ Not sent. Blooio has paused new texts from our number. Try again later."
UNCONFIRMED = "⚠️ Not confirmed. Blooio did not say whether this was sent. Check again before you send it again."
WAITING = "⏸️ Waiting for their reply. It goes out when they write."
DELIVERED = "🔵 iMessage · Delivered"


@dataclass(frozen=True)
class End:
    """How a text ends."""

    line: str  # how its receipt begins
    buttons: list[str]
    attempts: int = 1
    told: bool = True  # its author got a direct message
    cause: str | None = None  # what the admins heard of, by `TextingError.code`
    reached: int = 0  # how often the phone got it


#: What goes wrong once is outlived by a second attempt with the same key.
OUTLIVED = End(DELIVERED, [], attempts=2, told=False, reached=1)

#: By the name of the trouble.
CATALOGUE = {
    # Nothing is known, or nothing was said.
    "answer_too_late": OUTLIVED,
    "answer_lost": OUTLIVED,
    "connection_cut": OUTLIVED,
    "html_page": OUTLIVED,
    "broken_json": OUTLIVED,
    # The request.
    "bad_request": End(CHECK_NUMBER, OTHER_NUMBER),
    "unprocessable": End(CHECK_NUMBER, OTHER_NUMBER),
    "attachment_first": End("⚠️ Not sent. A file cannot go first. Send some words, then the file.", OTHER_WORDS),
    "reply_expired": End(CANNOT_QUOTE, OTHER_WORDS),
    "reply_not_found": End(CANNOT_QUOTE, OTHER_WORDS),
    "format_unsupported": End(PLAIN_TEXT, OTHER_WORDS),
    "invalid_content": End(PLAIN_TEXT, OTHER_WORDS),
    "not_found": End("⚠️ Not sent. Blooio does not know this person. Check the number.", OTHER_NUMBER),
    "conflict": OUTLIVED,
    # The account.
    "key_revoked": End(
        "⚠️ Not sent. Texting is disconnected: Blooio refused our key. Try again when an admin has renewed it.",
        LATER,
        cause="disconnected",
    ),
    "trial_exhausted": End(
        "⚠️ Not sent. The trial's texts are used up. Try again when an admin has chosen a plan.",
        LATER,
        cause="allowance_used_up",
    ),
    "forbidden": End(
        "⚠️ Not sent. Blooio does not allow this text. An admin can find out why.", ["Try again"], cause="not_allowed"
    ),
    "reply_only": End("⚠️ Not sent. Our number can only reply. Ask them to text us first.", LATER),
    "content_restricted": End(
        "⚠️ Not sent. Links and files have to wait until they reply. Send plain text first.",
        ["Edit and send", "Try again"],
    ),
    "new_conversations_paused": End(PAUSED, LATER, cause="new_texts_paused"),
    "line_reply_only": End(PAUSED, LATER, cause="new_texts_paused"),
    "account_review": End(PAUSED, LATER, cause="new_texts_paused"),
    # Too much.
    "throttled": OUTLIVED,
    "new_contacts_limit": End(
        "⚠️ Not sent. The limit for new people is reached (50 of 50). "
        "You can still text everyone you have texted before.",
        LATER,
        cause="limit_reached",
    ),
    "new_conversations_limit": End(
        "⚠️ Not sent. Today's limit for new people is reached (15 of 15). "
        "You can still text everyone you have texted before.",
        LATER,
        cause="limit_reached",
    ),
    "awaiting_reply": End(WAITING, ["Try now", "Don't send"], told=False),
    "streak_limit": End(WAITING, ["Try now", "Don't send"], told=False),
    "inactive_paused": End(WAITING, ["Try now", "Don't send"], told=False),
    # Blooio itself.
    "server_error": OUTLIVED,
    "not_implemented": End(
        "⚠️ Not sent. Blooio does not offer this. An admin has to look into it.", ["Try again"], cause="unavailable"
    ),
    "line_unreachable": OUTLIVED,
    "no_active_number": OUTLIVED,
    "gateway_timeout": OUTLIVED,
}

#: Of those, what never ends.
LASTING = {
    "answer_lost": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS, reached=1),
    "connection_cut": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "html_page": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "broken_json": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "conflict": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "throttled": End("⚠️ Not sent. Blooio was too busy for too long. Try again later.", LATER, attempts=ATTEMPTS),
    "server_error": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "line_unreachable": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
    "no_active_number": End(
        "⚠️ Not sent. Our number is offline. Try again when it is back.", LATER, attempts=3, cause="line_offline"
    ),
    "gateway_timeout": End(UNCONFIRMED, UNKNOWN, attempts=ATTEMPTS),
}

#: What becomes of a text after Blooio accepted it is the phone's.
PHONES = {
    "refuses": End("⚠️ Not sent. Blooio did not say why.", [*LATER, "Check number"]),
    "fails_with": End(
        "⚠️ Not delivered. Blooio says: The message could not be delivered (recipient_unreachable).",
        [*LATER, "Check number"],
    ),
}

#: In the table of troubles, and no way to fail a text.
NO_SEND = {"registration_closed", "capabilities_unavailable", "slow"}

ENDS = (
    CATALOGUE
    | {f"{name}, for ever": end for name, end in LASTING.items()}
    | {f"the phone: {name}": end for name, end in PHONES.items()}
)


@dataclass(frozen=True)
class Seen:
    """How all those texts ended."""

    ends: dict[str, End]
    admins: list[str]  # what stands in the admins' channel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(shared_database_url: str) -> AsyncIterator[Seen]:
    """Text one person per trouble, all in one moment."""
    with pytest.MonkeyPatch.context() as patch:
        for error in (BlooioTrouble, LineOffline, Throttled, Unconfirmed):
            patch.setattr(error, "first_wait", timedelta(milliseconds=1))  # the waits between attempts
            patch.setattr(error, "max_attempts", min(error.max_attempts, ATTEMPTS))
        patch.setattr(breaker, "TRIPS", 1_000_000)  # so much trouble at once is no outage here
        patch.setattr(client, "TIMEOUT", httpx.Timeout(1.0))  # in place of 30 seconds
        async with Sandbox.start() as sandbox:
            admins = await sandbox.creates_channel("admins", members=["ana", "bot"])
            settings = {"transport": "socket", "ADMIN_CHANNEL": admins}
            async with bot_beside(sandbox, shared_database_url, **settings) as app:
                yield await everything(Scene(Stage(sandbox, app, "socket")), admins)


async def everything(scene: Scene, admins: str) -> Seen:
    people = {name: await scene.meets() for name in ENDS}
    for name in CATALOGUE:
        await scene.order(TROUBLE[name], people[name])
    for name in LASTING:
        lasting = Fault(**vars(TROUBLE[name]) | {"times": None, "retry_after": None})
        await scene.order(lasting, people[f"{name}, for ever"])
    await scene.sandbox.phone(people["the phone: refuses"]).becomes(refuses=True)
    await scene.sandbox.phone(people["the phone: fails_with"]).becomes(fails_with="recipient_unreachable")
    for address in people.values():
        await scene.texts(address)
    for address in people.values():
        await scene.receipt(address)
    await all_told(scene.stage.app.pool.conninfo, texts=sum(end.told for end in ENDS.values()))
    heard = [message.text for message in await scene.stage.ana.sees(admins) if message.author == "Texting"]
    return Seen({name: await end(scene, address, name) for name, address in people.items()}, heard)


async def end(scene: Scene, address: str, name: str) -> End:
    """How a person's text ended, with as much of its line as is expected, and the cause that is."""
    who = scene.shown(address)
    [card] = [card for card in await scene.stage.cards() if card.text.startswith(who)]
    [message] = await scene.stage.ana.sees_thread(SUPPORT, card.ts)
    told = [one for one in await scene.stage.ana.sees_dm() if who in one.text]
    assert len(told) <= 1
    return End(
        receipt_line(message)[: len(ENDS[name].line)],
        buttons(message),
        attempts=len(await scene.attempts(address)),
        told=bool(told),
        cause=ENDS[name].cause,
        reached=await scene.reached(address),
    )


@pytest.mark.parametrize("name", ENDS)
async def test_a_text_in_trouble_ends(seen: Seen, name: str) -> None:
    """Its line is true, its buttons help, its author is told once if it failed, and nobody gets it twice."""
    assert seen.ends[name] == ENDS[name]


@pytest.mark.parametrize("cause", sorted(OF_TEXTS))
async def test_the_admins_hear_of_a_cause_once(seen: Seen, cause: str) -> None:
    """Once, though several texts failed for it in one moment."""
    title = CAUSES[cause].title
    assert [text.startswith(f"🛠️ {title}") for text in seen.admins].count(True) == 1


async def test_the_admins_hear_of_nothing_else(seen: Seen) -> None:
    """What a person can mend is no admin's business."""
    assert len(seen.admins) == len(OF_TEXTS)
    assert {end.cause for end in ENDS.values() if end.cause} == OF_TEXTS


async def test_the_catalogue_is_complete() -> None:
    """Every trouble that a send is known to meet is here."""
    assert set(CATALOGUE) == set(TROUBLE) - NO_SEND
    assert all(fault.where in {SEND, "*"} for name, fault in TROUBLE.items() if name in CATALOGUE)
    assert set(LASTING) | {"answer_too_late"} == {name for name, end in CATALOGUE.items() if end is OUTLIVED}
