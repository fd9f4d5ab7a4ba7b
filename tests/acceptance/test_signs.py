"""What people see besides texts, if that is wanted: that somebody writes to them, and that what they wrote was read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.blooio.client import BlooioClient, blooio_http
from bot.storage.writers import Writers
from bot.texting.model import Address
from bot.typing_sign import TypingSign
from sandbox.blooio.driver import Text
from sandbox.driver import Sandbox
from sandbox.slack.driver import Message
from tests.acceptance.processes import bot_process
from tests.acceptance.talking import Conversation, Talk, talking

#: Let nobody look after a thread, by its card's ts.
NOBODYS = """
    UPDATE threads SET owner_id = NULL, owner_name = NULL, revision = revision + 1 WHERE card_ts = %s RETURNING id
"""


@asynccontextmanager
async def talks(transport: str, database_url: str, **settings: str) -> AsyncIterator[Talk]:
    async with Sandbox.start() as sandbox, talking(sandbox, database_url, transport=transport, **settings) as talk:
        yield talk


async def card(jane: Conversation) -> Message:
    [found] = [one for one in await jane.ana.sees(jane.home) if one.ts == jane.card.ts]
    return found


async def typing(jane: Conversation) -> list[str]:
    """What Blooio was told of our typing to her, in order."""
    exchanges = await jane.talk.sandbox.exchanges(vendor="blooio", name=f"* /chats/{jane.phone.address}/typing")
    return [one["name"].split()[0] for one in exchanges]


async def told_of_typing(jane: Conversation, *calls: str) -> None:
    """Wait until Blooio was told exactly this."""

    async def told() -> bool:
        return await typing(jane) == list(calls)

    await jane.talk.sandbox.until(told)


async def sees(jane: Conversation, *, typing: bool) -> None:
    async def so() -> bool:
        return await jane.phone.sees_typing() is typing

    await jane.talk.sandbox.until(so)


async def opens(jane: Conversation) -> None:
    """Ana presses *Reply* on the card."""
    assert (await jane.ana.clicks(await card(jane), "Reply")).error is None

    async def opened() -> bool:
        return await jane.ana.modal() is not None

    await jane.talk.sandbox.until(opened)


async def test_typing_until_it_is_sent(transport: str, database_url: str) -> None:
    """She sees it from the moment the form is open until the text is sent."""
    async with talks(transport, database_url, TYPING="true") as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await opens(jane)
        await sees(jane, typing=True)
        await jane.ana.fills("Message", "Your order is ready")
        assert (await jane.ana.submits()).outcome == "closed"
        await sees(jane, typing=False)
        await jane.received("Hi Jane", "Your order is ready")
        await told_of_typing(jane, "POST", "DELETE")


async def test_typing_until_it_is_closed(transport: str, database_url: str) -> None:
    """Somebody else is chosen, and then the form is closed: each sees it for as long as it is about them."""
    async with talks(transport, database_url, TYPING="true") as talk:
        jane, rita = await talk.begins("Hi Jane"), await talk.begins("Hi Rita")
        await jane.received("Hi Jane")
        await rita.received("Hi Rita")
        await jane.ana.uses_shortcut("New text", where=jane.home)

        async def opened() -> bool:
            return await jane.ana.modal() is not None

        await talk.sandbox.until(opened)
        await jane.ana.fills("To", jane.phone.address)
        await sees(jane, typing=True)
        await jane.ana.fills("To", rita.phone.address)
        await sees(rita, typing=True)
        await sees(jane, typing=False)
        await jane.ana.closes()
        await sees(rita, typing=False)
        assert [await typing(one) for one in (jane, rita)] == [["POST", "DELETE"]] * 2


async def test_two_who_write_to_one(database_url: str) -> None:
    """She sees it until the last of them has stopped."""
    async with talks("socket", database_url, TYPING="true") as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await opens(jane)
        await sees(jane, typing=True)
        await jane.ben.clicks(await card(jane), "Reply")

        async def both() -> bool:
            return await jane.ben.modal() is not None

        await talk.sandbox.until(both)
        await jane.ana.closes()

        async def one_left() -> bool:
            return await ask(talk, "SELECT count(*) FROM writers") == 1

        await talk.sandbox.until(one_left)
        assert await typing(jane) == ["POST"]
        await jane.ben.closes()
        await sees(jane, typing=False)


async def test_whom_nobody_types_to(database_url: str) -> None:
    """Not those without iMessage, not those who opted out, and nobody whom there was never a text with."""
    async with talks("socket", database_url, TYPING="true") as talk:
        sam, jane = await talk.begins("Hi Sam", imessage=False), await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await jane.phone.replies("STOP")

        async def opted_out() -> bool:
            return bool(await ask(talk, "SELECT count(*) FROM people WHERE opted_out_since IS NOT NULL"))

        await talk.sandbox.until(opted_out)
        stranger, rita = await talk.meets(), await talk.begins("Hi Rita")
        await rita.received("Hi Rita")
        await sam.ana.uses_shortcut("New text", where=sam.home)

        async def opened() -> bool:
            return await sam.ana.modal() is not None

        await talk.sandbox.until(opened)
        for phone in (sam.phone, jane.phone, stranger, rita.phone):
            await sam.ana.fills("To", phone.address)
        await sees(rita, typing=True)
        await sam.ana.closes()
        await sees(rita, typing=False)
        everything = await talk.sandbox.exchanges(vendor="blooio", name="* /chats/*/typing")
        assert {one["name"].split("/")[2] for one in everything} == {rita.phone.address}


async def test_typing_is_off(transport: str, database_url: str) -> None:
    """Phones show nothing of it unless the setting is on."""
    async with talks(transport, database_url) as talk:
        jane = await talk.begins("Hi Jane")
        await opens(jane)
        await jane.ana.fills("Message", "Your order is ready")
        assert (await jane.ana.submits()).outcome == "closed"
        await jane.received("Hi Jane", "Your order is ready")
        assert await typing(jane) == []


async def test_typing_ends_with_the_bot(database_url: str) -> None:
    """Whoever stops the bot while somebody writes leaves no phone that shows it."""
    async with Sandbox.start() as sandbox:
        async with talking(sandbox, database_url, transport="socket", TYPING="true") as talk:
            jane = await talk.begins("Hi Jane")
            await jane.received("Hi Jane")
            await opens(jane)
            await sees(jane, typing=True)
        assert not await jane.phone.sees_typing()


async def test_typing_ends_after_a_kill(database_url: str, tmp_path: Path) -> None:
    """What a killed process left behind is ended by the next."""
    async with Sandbox.start() as sandbox, bot_process(sandbox, database_url, tmp_path, TYPING="true") as bot:
        await bot.start()
        phone, ana = sandbox.phone("+15550950001"), sandbox.person("ana")
        await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
        await ana.types("#support", f"/text {phone.address} Hello")
        await phone.received(at_least=1)

        await ana.uses_shortcut("New text", where="#support")
        await sandbox.until(ana.modal)

        async def types() -> bool:
            await ana.fills("To", phone.address)
            return await phone.sees_typing()

        await sandbox.until(types)
        await bot.kill()
        assert await phone.sees_typing()
        await bot.start()

        async def ended() -> bool:
            return not await phone.sees_typing()

        await sandbox.until(ended)


async def test_typing_does_not_last(database_url: str) -> None:
    """A form that stays open says nothing any more after a while, and an end that fails is asked for again."""
    async with talks("socket", database_url) as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        environment, address = talk.sandbox.environment(), Address(jane.phone.address)
        path = f"DELETE /chats/{address}/typing"
        await talk.sandbox.order(vendor="blooio", where=path, kind="status", status=503, times=2)
        team_id = await ask(talk, "SELECT team_id FROM people WHERE address = %s", address)
        app = talk.stage.app
        async with blooio_http(environment["BLOOIO_BASE_URL"], environment["BLOOIO_API_KEY"]) as http:
            sign = TypingSign(
                texting=app.texting,
                gateway=BlooioClient(http),
                writers=Writers(app.pool),
                lasts=timedelta(seconds=0.3),
            )
            async with sign.open():
                sign.begin(team_id, address, "U1")
                await sees(jane, typing=True)
                await sees(jane, typing=False)
        assert await typing(jane) == ["POST", "DELETE", "DELETE", "DELETE"]


async def ask(talk: Talk, query: Any, *values: object) -> Any:
    async with talk.stage.app.pool.connection() as connection:
        row = await (await connection.execute(query, values)).fetchone()
        return row[0] if row else None


async def hers(jane: Conversation) -> list[Text]:
    return [text for text in await jane.phone.texts() if text.direction == "inbound"]


async def are_read(jane: Conversation, *, read: int) -> None:
    """Wait until she knows of so many of her texts that they were read, and nothing is left to do about that."""

    async def known() -> bool:
        jobs = await ask(jane.talk, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'mark_read'")
        return jobs == 0 and sum(text.read_at is not None for text in await hers(jane)) == read

    try:
        await jane.talk.sandbox.until(known)
    except TimeoutError:
        raise AssertionError(f"expected {read} read, saw {await hers(jane)}") from None


async def marks(jane: Conversation) -> int:
    path = f"POST /chats/{jane.phone.address}/read"
    return len(await jane.talk.sandbox.exchanges(vendor="blooio", name=path))


@pytest.mark.parametrize("act", ["a reply", "a text", "a reaction", "claim", "done", "a check mark"])
async def test_whoever_acts_has_read(transport: str, database_url: str, act: str) -> None:
    """Whatever somebody does about her tells her that they read what she wrote; what comes later is not read yet."""
    async with talks(transport, database_url, MARK_READ="true") as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await jane.phone.replies("One")
        await jane.phone.replies("Two")

        async def shown() -> list[Message] | None:
            seen = await jane.sees()
            return seen[1:] if len(seen) == 3 else None

        texts = await talk.sandbox.until(shown) or []
        assert await marks(jane) == 0
        match act:
            case "a reply":
                await jane.types("On it")
            case "a text":
                await jane.ana.types(jane.home, f"/text {jane.phone.address} On it")
            case "a reaction":
                await jane.ben.reacts(texts[0], "heart")
            case "claim":
                await ask(talk, NOBODYS, jane.card.ts)

                async def claimable() -> bool:
                    return "[Claim]" in (await card(jane)).text

                await talk.sandbox.until(claimable)
                await jane.ben.clicks(await card(jane), "Claim")
            case "done":
                await jane.ana.clicks(await card(jane), "Done")
            case "a check mark":
                await jane.ben.reacts(jane.card, "white_check_mark")
        await are_read(jane, read=2)
        assert await marks(jane) == 1
        await jane.phone.replies("Three")
        await are_read(jane, read=2)


async def test_read_once_for_each_time_they_write(database_url: str) -> None:
    """Two replies to one text mark it once; what Blooio could not do is done later; over SMS there is nothing."""
    async with talks("socket", database_url, MARK_READ="true") as talk:
        jane, sam = await talk.begins("Hi Jane"), await talk.begins("Hi Sam", imessage=False)
        for one, words in ((jane, "Hi Jane"), (sam, "Hi Sam")):
            await one.received(words)
            await one.phone.replies("Hello")
            await one.shows(words, "Hello")
        where = f"POST /chats/{jane.phone.address}/read"
        await talk.sandbox.order(vendor="blooio", where=where, kind="status", status=502, times=1)
        await sam.types("On it")
        await jane.types("On it")
        await are_read(jane, read=1)
        await jane.types("Done")
        await jane.received("Hi Jane", "On it", "Done")
        await sam.received("Hi Sam", "On it")
        await are_read(jane, read=1)
        assert (await marks(jane), await marks(sam)) == (2, 0)  # one of hers was refused


async def test_reading_is_off(transport: str, database_url: str) -> None:
    """Nobody learns what was read unless the setting is on."""
    async with talks(transport, database_url) as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await jane.phone.replies("Hello")
        await jane.shows("Hi Jane", "Hello")
        await jane.types("On it")
        await jane.received("Hi Jane", "On it")
        assert (await marks(jane), [text.read_at for text in await hers(jane)]) == (0, [None])


async def test_an_automatic_answer_reads_nothing(database_url: str) -> None:
    """An automatic answer is no sign that anybody has read."""
    async with talks("socket", database_url, MARK_READ="true") as talk:
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await jane.phone.replies("HELP")
        assert len(await jane.phone.received(at_least=2)) == 2
        await are_read(jane, read=0)
        assert await marks(jane) == 0
