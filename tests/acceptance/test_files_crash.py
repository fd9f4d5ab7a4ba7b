"""`kill -9` between the steps of a file from a phone into its thread: it is there in the end, once."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.blooio.driver import Gateway
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.processes import BotProcess, bot_process, connect
from tests.acceptance.stage import SUPPORT, is_card
from tests.acceptance.talking import SECRET

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
JANE = "+15550810001"

#: Where the bot is killed: the call that is under way then, and what keeps it there.
MOMENTS = [
    pytest.param("files.getUploadURLExternal", {"kind": "latency", "seconds": 3}, id="fetched"),
    pytest.param("upload_url", {"kind": "latency", "seconds": 3}, id="being uploaded"),
    pytest.param("upload_url", {"kind": "slow_answer", "seconds": 8}, id="uploaded, and nobody knows"),
    pytest.param("files.completeUploadExternal", {"kind": "latency", "seconds": 3}, id="being shared"),
    pytest.param("files.completeUploadExternal", {"kind": "slow_answer", "seconds": 8}, id="shared, and nobody knows"),
]


@pytest.mark.parametrize("transport", ["socket"])  # a file comes from Blooio, not by way of Slack
@pytest.mark.parametrize(("call", "trouble"), MOMENTS)
async def test_killed_on_the_way(
    database_url: str, tmp_path: Path, transport: str, call: str, trouble: dict[str, Any]
) -> None:
    """Started again, it goes on where it was: no file is lost, and none is there twice."""
    told = {"BLOOIO_WEBHOOK_SECRET": SECRET, "INBOX_CHANNEL": "C0GENERAL01"}
    async with (
        Sandbox.start() as sandbox,
        bot_process(sandbox, database_url, tmp_path, transport=transport, **told) as bot,
    ):
        await _start(sandbox, bot, transport)
        await Gateway(sandbox._http, sandbox.url).subscribes(f"{bot.url}/blooio/webhooks", secret=SECRET)
        card = await _begin(sandbox)
        await sandbox.order(vendor="slack", where=call, **trouble)
        await sandbox.phone(JANE).replies("Look", files=[("photo.png", PNG, "image/png")])
        await sandbox.until(lambda: _under_way(sandbox, call))
        await bot.kill()
        await bot.start()
        await sandbox.until(lambda: _is_shown(sandbox, card), timeout=30)
        await sandbox.until(lambda: _is_done(sandbox))  # what the dead one had begun may land yet
        assert await _files(sandbox, card) == ["photo.png"]


async def _start(sandbox: Sandbox, bot: BotProcess, transport: str) -> None:
    await bot.start()
    await connect(sandbox, bot.url, transport)


async def _begin(sandbox: Sandbox) -> Message:
    """Ana texts Jane; their thread stands when this returns."""
    await sandbox.phone(JANE).becomes(imessage=True, sent_after=0, delivered_after=0)

    async def typed() -> bool:  # until the bot is connected
        return (await sandbox.person("ana").types(SUPPORT, f"/text {JANE} Hello")).error is None

    await sandbox.until(typed)

    async def carded() -> Message | None:
        return next(
            (one for one in await sandbox.person("ana").sees(SUPPORT) if is_card(one) and one.reply_count), None
        )

    card = await sandbox.until(carded)
    assert card is not None
    return card


async def _under_way(sandbox: Sandbox, call: str) -> bool:
    return bool(await sandbox.under_way(vendor="slack", name=call))


async def _is_done(sandbox: Sandbox) -> bool:
    return not await sandbox.under_way(vendor="slack", name="*")


async def _is_shown(sandbox: Sandbox, card: Message) -> bool:
    seen = await sandbox.person("ana").sees_thread(SUPPORT, card.ts)
    return "Look\n📎 photo.png" in [one.text for one in seen] and any(one.files for one in seen)


async def _files(sandbox: Sandbox, card: Message) -> list[str]:
    seen = await sandbox.person("ana").sees_thread(SUPPORT, card.ts)
    return [file.name for one in seen for file in one.files]
