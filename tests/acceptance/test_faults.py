"""
Whatever Blooio does wrong: a text is sent once or not at all, and its receipt ends true.

Each trouble on its own is in `test_catalogue`; here are those that meet something else.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from bot.blooio import client
from bot.texting import service
from bot.texting.errors import BlooioTrouble, LineOffline, Throttled, Unconfirmed
from sandbox.blooio.trouble import SEND, TROUBLE
from sandbox.driver import Sandbox
from sandbox.faults import Fault, Kind
from tests.acceptance.stage import Stage, bot_beside
from tests.acceptance.trouble import Scene

CHECK = "GET /contacts/*/capabilities"
STATUS = "GET /chats/*/messages/msg_*/status"

DELIVERED = "🔵 iMessage · Delivered"


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport="socket") as app:
        yield Scene(Stage(sandbox, app, "socket"))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between attempts are the bot's own, only shorter."""
    for error in (BlooioTrouble, LineOffline, Throttled, Unconfirmed):
        monkeypatch.setattr(error, "first_wait", timedelta(milliseconds=1))


async def each(scene: Scene, faults: dict[str, Fault]) -> dict[str, tuple[str, int, int]]:
    """Text one person per fault, all at once; return how each text ended."""
    addresses = {name: await scene.meets() for name in faults}
    for name, fault in faults.items():
        await scene.order(fault, addresses[name])
    await asyncio.gather(*map(scene.texts, addresses.values()))
    ends = await asyncio.gather(*map(scene.ends, addresses.values()))
    return dict(zip(faults, ends, strict=True))


def begins_like(ends: dict[str, tuple[str, int, int]], expected: dict[str, tuple[str, int, int]]) -> None:
    """Compare ends; of the receipts only as much as is expected."""
    seen = {name: (line[: len(expected[name][0])], tries, reached) for name, (line, tries, reached) in ends.items()}
    assert seen == expected


async def test_a_throttle_is_waited_out(scene: Scene, soon: None) -> None:
    """The next attempt comes after `Retry-After`, and not long after."""
    someone = await scene.meets()
    await scene.order(TROUBLE["throttled"], someone, retry_after=2)
    await scene.texts(someone)

    assert (await scene.ends(someone))[1:] == (2, 1)
    first, second = await scene.attempts(someone)
    assert 2.0 <= second["at"] - first["at"] < 8


async def test_a_text_refused_within_a_2xx_is_not_called_sent(scene: Scene) -> None:
    """`status: failed` in the answer to a send is the end of the text."""
    someone = await scene.meets(refuses=True)
    await scene.texts(someone)

    receipt, attempts, reached = await scene.ends(someone)
    assert receipt.startswith("⚠️ Not sent.")
    assert (attempts, reached) == (1, 0)


async def test_plain_text_where_json_was_promised_is_no_answer(scene: Scene, soon: None) -> None:
    """A 200 that cannot be read says nothing of the text, so the same key is tried again."""
    someone = await scene.meets()
    await scene.order(Fault("blooio", SEND, Kind.TEXT), someone)
    await scene.texts(someone)

    begins_like({"text": await scene.ends(someone)}, {"text": (DELIVERED, 2, 1)})


async def test_a_used_key_leads_to_the_text_it_sent(scene: Scene, soon: None) -> None:
    """After a lost answer, "this key was used" is looked up: the text is adopted and followed, not sent again."""
    someone = await scene.meets()
    await scene.order(TROUBLE["answer_lost"], someone)
    await scene.order(TROUBLE["conflict"], someone, times=None)
    await scene.texts(someone)

    begins_like({"adopted": await scene.ends(someone)}, {"adopted": (DELIVERED, 2, 1)})


async def test_a_repeated_key_comes_with_the_same_request(scene: Scene, soon: None) -> None:
    """What has been learnt since the first attempt does not change a letter of the second."""
    someone = await scene.meets()
    await scene.order(Fault("blooio", CHECK, Kind.STATUS, status=500), someone)
    await scene.order(TROUBLE["answer_lost"], someone)
    await scene.texts(someone)

    begins_like({"same": await scene.ends(someone)}, {"same": (DELIVERED, 2, 1)})


async def test_a_failing_check_holds_up_no_text(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with the capabilities, the text goes at once, and the real channel shows afterwards."""
    monkeypatch.setattr(service, "CHECK_TIMEOUT", timedelta(seconds=0.3))  # in place of five
    faults = {kind: Fault("blooio", CHECK, kind, seconds=60, times=None) for kind in Kind if kind is not Kind.DOUBLE}
    ends = await each(scene, faults)

    begins_like(ends, dict.fromkeys(faults, (DELIVERED, 1, 1)))


async def test_the_status_catches_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong twice with asking for the status, the receipt ends true; nothing is sent again."""
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(0.5))
    faults = {kind: Fault("blooio", STATUS, kind, seconds=2, times=2) for kind in Kind if kind is not Kind.DOUBLE}
    faults |= {
        f"{status}": Fault("blooio", STATUS, Kind.STATUS, status=status, times=2, retry_after=1)
        for status in (404, 429, 503)
    }
    ends = await each(scene, faults)

    begins_like(ends, dict.fromkeys(faults, (DELIVERED, 1, 1)))
