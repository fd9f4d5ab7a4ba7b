"""What the team puts on a person's text stands on the phone, and what she puts on a text stands in the thread."""

from typing import Any

import pytest

from sandbox.blooio.driver import Phone
from sandbox.slack.driver import Message, Person
from tests.acceptance.stage import over_one_transport, receipt_line
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What is stored of the reactions on the text that a message shows: (its ts,).
STORED = "FROM tapbacks b JOIN inbound i ON i.id = b.inbound_id WHERE i.posted_ts = %s"

#: What of a thread Slack does not show as it is: (the card's ts,).
UNDRAWN = """
    SELECT (SELECT count(*) FROM deliveries WHERE thread_id = t.id AND (drawn_revision < revision OR status = 'queued'))
         + (SELECT count(*) FROM inbound WHERE thread_id = t.id AND drawn_revision < revision)
         + (t.drawn_revision < t.revision)::int
      FROM threads t WHERE t.card_ts = %s
"""


async def writes(jane: Conversation, *words: str) -> list[Message]:
    """The person writes, and Slack shows it; what stood in the thread before is left out."""
    before = len(await jane.sees())
    for word in words:
        await jane.phone.replies(word)

    async def shown() -> list[Message] | None:
        seen = (await jane.sees())[before:]
        return seen if sorted(one.text for one in seen) == sorted(words) else None

    by_word = {one.text: one for one in await jane.talk.sandbox.until(shown) or []}
    return [by_word[word] for word in words]


async def shows(phone: Phone, words: str) -> list[str]:
    """What of ours the phone shows on a text that its owner wrote."""
    [text] = [text for text in await phone.texts() if (text.text, text.direction) == (words, "inbound")]
    return [one["reaction"] for one in text.reactions if one["sender"] is None]


async def comes_to_show(jane: Conversation, words: str, *reactions: str) -> None:
    """Wait until the phone shows exactly this on a text, and nothing is left to do about it."""

    async def shown() -> bool:
        return await shows(jane.phone, words) == list(reactions) and await is_quiet(jane.talk)

    try:
        await jane.talk.sandbox.until(shown)
    except TimeoutError:
        raise AssertionError(f"expected {reactions}, saw {await shows(jane.phone, words)}") from None


async def is_quiet(talk: Talk) -> bool:
    """Whether no reaction is on its way to a phone."""
    return await ask(talk, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'show_tapback'") == 0


async def ask(talk: Talk, query: Any, *values: object) -> Any:
    async with talk.stage.app.pool.connection() as connection:
        row = await (await connection.execute(query, values)).fetchone()
        return row[0] if row else None


async def choose(jane: Conversation, *, replies: str = "texted") -> None:
    """Let the channel want replies like this, and hear of no new texts."""
    query = "INSERT INTO channels (conversation_id, replies, quiet_minutes) VALUES (%s, %s, 0)"
    query += " ON CONFLICT (conversation_id) DO UPDATE SET replies = excluded.replies, quiet_minutes = 0 RETURNING 1"
    await ask(jane.talk, query, jane.home, replies)


async def reacts(jane: Conversation, *taps: tuple[Person, Message, str], remove: bool = False) -> None:
    """People react, and the bot has answered each event when this returns."""
    sandbox = jane.talk.sandbox
    await sandbox.holds_events()
    for person, message, name in taps:
        await person.reacts(message, name, remove=remove)
    assert await sandbox.releases_events() >= len(taps)  # the bot's own posts are events too


async def calls(jane: Conversation) -> list[str]:
    """The reactions that Blooio was asked for, for this person."""
    path = f"POST /chats/{jane.phone.address}/messages/*/reactions"
    return [one["body"]["reaction"] for one in await jane.talk.sandbox.exchanges(vendor="blooio", name=path)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("heart", "love", id="a heart"),
        pytest.param("+1::skin-tone-3", "like", id="a thumb in a tone"),
        pytest.param("bangbang", "emphasize", id="exclamation marks"),
        pytest.param("tada", "🎉", id="an emoji"),
        pytest.param("pray::skin-tone-5", "🙏🏾", id="an emoji in a tone"),
    ],
)
async def test_put_and_taken_off(talk: Talk, name: str, shown: str) -> None:
    """What somebody puts on her text she sees on it, until they take it off."""
    jane = await talk.begins()
    [text] = await writes(jane, "On my way!")
    await jane.ben.reacts(text, name)
    await comes_to_show(jane, "On my way!", shown)
    await jane.ben.reacts(text, name, remove=True)
    await comes_to_show(jane, "On my way!")
    assert await calls(jane) == [f"+{shown}", f"-{shown}"]
    query = "SELECT array_agg(user_name || ' ' || action || ' ' || reason ORDER BY a.id) FROM audit a"
    query += " JOIN threads t ON t.id = a.thread_id WHERE t.card_ts = %s AND action LIKE '%%react'"
    assert await ask(talk, query, jane.card.ts) == [f"Ben Baker react {shown}", f"Ben Baker unreact {shown}"]


@over_one_transport
async def test_the_right_one_of_several(talk: Talk) -> None:
    """It stands on the very text it was put on, whatever came after."""
    jane = await talk.begins()
    texts = await writes(jane, "One", "Two", "Three")
    await jane.ana.reacts(texts[1], "heart")
    await comes_to_show(jane, "Two", "love")
    await jane.ana.reacts(texts[0], "joy")
    await comes_to_show(jane, "One", "laugh")
    assert [await shows(jane.phone, words) for words in ("One", "Two", "Three")] == [["laugh"], ["love"], []]


async def test_two_people(talk: Talk) -> None:
    """The last reaction counts, whoever put it there; when it is taken off, the one before it does."""
    jane = await talk.begins()
    [text] = await writes(jane, "Thank you")
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "Thank you", "love")
    await jane.ben.reacts(text, "+1")
    await comes_to_show(jane, "Thank you", "like")
    await jane.ben.reacts(text, "tada")
    await comes_to_show(jane, "Thank you", "🎉")
    await jane.ben.reacts(text, "+1", remove=True)
    await jane.ben.reacts(text, "tada", remove=True)
    await comes_to_show(jane, "Thank you", "love")
    await jane.ben.reacts(text, "heart")
    await jane.ana.reacts(text, "heart", remove=True)
    await comes_to_show(jane, "Thank you", "love")
    await jane.ben.reacts(text, "heart", remove=True)
    await comes_to_show(jane, "Thank you")


@over_one_transport
async def test_what_stays_here(talk: Talk) -> None:
    """What colleagues mark for each other, and what is on texts of ours, on notes and on the card, is on no phone."""
    jane = await talk.begins("Hello")
    await writes(jane, "On my way!")
    typed, note = await jane.types("See you"), await jane.types("!be nice")
    await jane.received("Hello", "See you")
    await jane.is_marked(typed, "white_check_mark")
    ours, theirs = (await jane.sees())[:2]
    assert (ours.text.splitlines()[0], theirs.text) == ("Hello", "On my way!")
    kept = [(jane.ben, theirs, name) for name in ("eyes", "white_check_mark", "memo", "raised_hand", "face_palm")]
    others = [(jane.ben, message, "heart") for message in (ours, typed, note, jane.card)]
    await reacts(jane, *kept, *others)
    await reacts(jane, (jane.ana, theirs, "heart"))
    await comes_to_show(jane, "On my way!", "love")
    assert await calls(jane) == ["+love"]


@pytest.mark.parametrize("channel", ["sms", "rcs"])
@over_one_transport
async def test_nothing_without_imessage(talk: Talk, channel: str) -> None:
    """Where a phone could show nothing, nothing is sent and nothing is said."""
    rcs = {"rcs": True} if channel == "rcs" else {}
    sam = await talk.begins(imessage=False, **rcs)
    [text] = await writes(sam, "Hi")
    await reacts(sam, (sam.ana, text, "heart"))
    await reacts(sam, (sam.ana, text, "heart"), remove=True)
    assert await ask(talk, f"SELECT count(*) {STORED}", text.ts) == 0
    assert await calls(sam) == []
    assert [one for one in await sam.sees() if one.ephemeral] == []


@over_one_transport
async def test_whoever_may_not_text_shows_nothing(talk: Talk) -> None:
    """A guest's reaction is nobody's business but ours; a colleague's on the same text is shown."""
    gus = talk.sandbox.person("gus")
    jane = await talk.begins(home=await talk.channel("gus"))
    [text] = await writes(jane, "On my way!")
    await reacts(jane, (gus, text, "heart"))
    await reacts(jane, (jane.ana, text, "+1"))
    await comes_to_show(jane, "On my way!", "like")
    assert await calls(jane) == ["+like"]
    assert [one for one in await gus.sees_thread(jane.home, jane.card.ts) if one.ephemeral] == []


@pytest.mark.parametrize("replies", ["asked_for", "never"])
@over_one_transport
async def test_channels_in_which_replies_are_not_texted(talk: Talk, replies: str) -> None:
    """Where a typed reply does not go out by itself, a reaction does not either; what was put before can go."""
    jane = await talk.begins()
    [text] = await writes(jane, "On my way!")
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "On my way!", "love")
    await choose(jane, replies=replies)
    await reacts(jane, (jane.ben, text, "+1"))
    await reacts(jane, (jane.ana, text, "heart"), remove=True)
    await comes_to_show(jane, "On my way!")
    assert await calls(jane) == ["+love", "-love"]


@over_one_transport
async def test_a_thread_that_is_done(talk: Talk) -> None:
    """Nothing goes out from a thread that is done: a reaction cannot ask whether it is to be opened again."""
    jane = await talk.begins()
    [text] = await writes(jane, "Thank you!")
    await reacts(jane, (jane.ana, jane.card, "white_check_mark"))
    await reacts(jane, (jane.ana, text, "heart"))
    await reacts(jane, (jane.ana, jane.card, "white_check_mark"), remove=True)
    await reacts(jane, (jane.ben, text, "+1"))
    await comes_to_show(jane, "Thank you!", "like")
    assert await calls(jane) == ["+like"]


@over_one_transport
async def test_nothing_reaches_who_opted_out(talk: Talk) -> None:
    """Whoever wrote STOP sees no reaction of ours, neither put nor taken off."""
    jane = await talk.begins()
    [text] = await writes(jane, "Hello")
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "Hello", "love")
    await jane.phone.replies("STOP")

    async def opted_out() -> bool:
        query = "SELECT opted_out_since IS NOT NULL FROM people WHERE address = %s"
        return bool(await ask(talk, query, jane.phone.address))

    await talk.sandbox.until(opted_out)
    await reacts(jane, (jane.ben, text, "+1"))
    await reacts(jane, (jane.ana, text, "heart"), remove=True)
    await comes_to_show(jane, "Hello", "love")
    assert await calls(jane) == ["+love"]


#: Ana's heart on, off and on again; Ben's thumb on.
STEPS = (("ana", "heart", False), ("ana", "heart", True), ("ana", "heart", False), ("ben", "+1", False))


@pytest.mark.parametrize(
    ("steps", "order", "shown"),
    [
        pytest.param(STEPS[:2], [1, 0], [], id="taken off before it was put there"),
        pytest.param(STEPS[:2], [0, 1, 0, 0], [], id="a late repeat of what was taken off"),
        pytest.param(STEPS[:3], [2, 1, 0], ["love"], id="on, off and on, backwards"),
        pytest.param(STEPS[:3], [1, 2, 0, 1], ["love"], id="on, off and on, with a late repeat"),
        pytest.param(STEPS, [3, 2, 1, 0], ["like"], id="the last is first to arrive"),
        pytest.param(STEPS, [3, 0, 3, 1, 2, 0], ["like"], id="two people, with repeats"),
        pytest.param((STEPS[0], STEPS[3], ("ben", "+1", True)), [2, 1, 0, 1], ["love"], id="the one before it"),
    ],
)
async def test_disorder(talk: Talk, steps: Any, order: list[int], shown: list[str]) -> None:
    """However often and in whatever order Slack tells of reactions, those that stand are shown."""
    jane = await talk.begins()
    await choose(jane)
    [text] = await writes(jane, "Hello")

    async def is_drawn() -> bool:
        return await ask(talk, UNDRAWN, jane.card.ts) == 0

    await talk.sandbox.until(is_drawn)  # the bot's own posts and edits would be among the events
    await talk.sandbox.holds_events()
    for handle, name, remove in steps:
        await talk.sandbox.person(handle).reacts(text, name, remove=remove)
    assert await talk.sandbox.releases_events(order) == len(order)
    await comes_to_show(jane, "Hello", *shown)


async def test_each_event_twice_at_once(talk: Talk) -> None:
    """Two deliveries of one event at the same moment are one reaction."""
    jane = await talk.begins()
    [text] = await writes(jane, "Hello")
    await talk.sandbox.repeats_events(at_once=True)
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "Hello", "love")
    assert await calls(jane) == ["+love"]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"kind": "status", "status": 502}, id="the line is briefly away"),
        pytest.param({"kind": "status", "status": 429, "retry_after": 1}, id="too many at once"),
        pytest.param({"kind": "drop_before"}, id="the connection is cut"),
        pytest.param({"kind": "drop_after"}, id="the answer is lost"),
        pytest.param({"kind": "html"}, id="a page in place of an answer"),
    ],
)
@over_one_transport
async def test_blooio_heals(talk: Talk, trouble: dict[str, Any]) -> None:
    """What Blooio could not take is brought to the phone when it can, also if it was changed meanwhile."""
    jane = await talk.begins()
    first, second = await writes(jane, "One", "Two")
    where = f"POST /chats/{jane.phone.address}/messages/*/reactions"
    await talk.sandbox.order(vendor="blooio", where=where, times=2, **trouble)
    await jane.ana.reacts(first, "heart")

    async def tried() -> bool:
        return len(await calls(jane)) >= 1

    await talk.sandbox.until(tried)
    await jane.ana.reacts(first, "tada")
    await jane.ana.reacts(first, "tada", remove=True)
    await jane.ana.reacts(second, "+1")
    await comes_to_show(jane, "One", "love")
    await comes_to_show(jane, "Two", "like")
    assert [one for one in await jane.sees() if one.ephemeral] == []


@over_one_transport
async def test_an_answer_that_was_lost(talk: Talk) -> None:
    """What may be on the phone, for all that we know, is taken off as well."""
    jane = await talk.begins()
    [text] = await writes(jane, "Thanks")
    where = f"POST /chats/{jane.phone.address}/messages/*/reactions"
    await talk.sandbox.order(vendor="blooio", where=where, kind="drop_after")
    await jane.ana.reacts(text, "heart")

    async def arrived() -> bool:
        return await shows(jane.phone, "Thanks") == ["love"]

    await talk.sandbox.until(arrived)
    await reacts(jane, (jane.ana, text, "heart"), remove=True)
    await comes_to_show(jane, "Thanks")
    assert await calls(jane) == ["+love", "-love"]


@over_one_transport
async def test_a_message_that_we_do_not_know_yet(talk: Talk) -> None:
    """Somebody is quicker than Slack's answer to our post: Slack is asked to tell of it again."""
    jane = await talk.begins()
    await choose(jane)
    await talk.sandbox.order(vendor="slack", where="chat.postMessage", kind="slow_answer", seconds=600)
    [text] = await writes(jane, "Hi")
    await jane.ana.reacts(text, "heart")

    async def refused() -> bool:
        told = await talk.sandbox.exchanges(name="deliver:events_api")
        return any(one["body"]["event"].get("reaction") and one["status"] != 200 for one in told[-5:])

    await talk.sandbox.until(refused)
    await talk.sandbox.calm()

    async def shown() -> bool:
        await talk.sandbox.advance(61)
        return await shows(jane.phone, "Hi") == ["love"]

    await talk.sandbox.until(shown)


@pytest.mark.parametrize("status", [400, 403, 404, 401])
@over_one_transport
async def test_what_blooio_refuses(talk: Talk, status: int) -> None:
    """Whoever reacted is told, once; what was there before stays, and the next reaction is tried again."""
    jane = await talk.begins()
    [text] = await writes(jane, "Hello")
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "Hello", "love")
    where = f"POST /chats/{jane.phone.address}/messages/*/reactions"
    await talk.sandbox.order(vendor="blooio", where=where, kind="status", status=status)
    await jane.ben.reacts(text, "tada")
    said = "⚠️ Your reaction could not be shown to +1 {}-{}-{}. Reply with a text instead."
    digits = jane.phone.address.removeprefix("+1")
    words = said.format(digits[:3], digits[3:6], digits[6:])

    async def told() -> list[str]:
        seen = await jane.ben.sees_thread(jane.home, jane.card.ts)
        return [one.text for one in seen if one.ephemeral]

    assert await talk.sandbox.until(told) == [words]
    await comes_to_show(jane, "Hello", "love")
    assert [one for one in await jane.sees() if one.ephemeral] == []  # Ana has nothing to do with it
    await jane.ana.reacts(text, "+1")
    await comes_to_show(jane, "Hello", "like")
    assert await told() == [words]


@over_one_transport
async def test_what_cannot_be_taken_back(talk: Talk) -> None:
    """Whoever took it off is told that it may still be there."""
    jane = await talk.begins()
    [text] = await writes(jane, "Hello")
    await jane.ana.reacts(text, "heart")
    await comes_to_show(jane, "Hello", "love")
    where = f"POST /chats/{jane.phone.address}/messages/*/reactions"
    await talk.sandbox.order(vendor="blooio", where=where, kind="status", status=404)
    await jane.ana.reacts(text, "heart", remove=True)

    async def told() -> list[str]:
        return [one.text for one in await jane.sees() if one.ephemeral]

    [words] = await talk.sandbox.until(told)
    assert words.startswith("⚠️ Your reaction could not be taken back. +1 555-")
    assert words.endswith(" may still see it.")


@over_one_transport
async def test_an_iphone_no_more(talk: Talk) -> None:
    """Somebody who has changed phones gets no reaction, and nobody hears of it."""
    jane = await talk.begins()
    [text] = await writes(jane, "Hello")
    await jane.phone.becomes(imessage=False)
    await jane.ana.reacts(text, "heart")

    async def asked() -> bool:
        return bool(await calls(jane)) and await is_quiet(talk)

    await talk.sandbox.until(asked)
    assert await ask(talk, f"SELECT count(*) {STORED} AND (stands OR untold IS NOT NULL)", text.ts) == 0
    assert (await shows(jane.phone, "Hello"), [one for one in await jane.sees() if one.ephemeral]) == ([], [])


@pytest.mark.parametrize("replaced", ["silent", "told"])
@over_one_transport
async def test_their_reaction_to_ours(talk: Talk, replaced: str) -> None:
    """The receipt shows what stands on her phone: one at a time, whether or not Blooio says what gave way."""
    await talk.gateway.becomes(replaced_reactions=replaced)
    jane = await talk.begins("Hello")

    async def ends_with(sign: str) -> None:
        async def shown() -> bool:
            line = receipt_line((await jane.sees())[0])
            return line.endswith(f" · {sign}") if sign else not any(one in line for one in ("❤️", "👍", "🔥"))

        await talk.sandbox.until(shown)

    await jane.received("Hello")
    await jane.phone.reacts("love")
    await ends_with("❤️")
    await jane.phone.reacts("like")
    await ends_with("👍")
    await jane.phone.reacts("🔥")
    await ends_with("🔥")
    assert "👍" not in receipt_line((await jane.sees())[0])
    await jane.phone.reacts("🔥", action="remove")
    await ends_with("")


@over_one_transport
async def test_their_reaction_to_their_own(talk: Talk) -> None:
    """What she puts on a text of hers stands below it, and goes when she takes it off."""
    jane = await talk.begins("Hello")
    one, _ = await writes(jane, "One", "Two")
    text = next(text for text in await jane.phone.texts() if text.text == "One")
    await jane.phone.reacts("love", message_id=text.message_id)
    await jane.shows("Hello", "One\n❤️", "Two")
    await jane.phone.reacts("like", message_id=text.message_id)
    await jane.shows("Hello", "One\n👍", "Two")
    await jane.phone.reacts("like", message_id=text.message_id, action="remove")

    async def bare() -> bool:
        seen = {one.ts: one.text for one in await jane.sees()}
        return seen[one.ts] == "One"

    await talk.sandbox.until(bare)


@pytest.mark.parametrize("echo", ["null", "line"])
@over_one_transport
async def test_our_own_reaction_is_not_taken_for_theirs(talk: Talk, echo: str) -> None:
    """Blooio may tell us of our own reaction: nothing of it shows as hers."""
    await talk.gateway.becomes(reaction_echo=echo)
    try:
        jane = await talk.begins("Hello")
        [text] = await writes(jane, "Hi")
        await jane.ana.reacts(text, "heart")
        await comes_to_show(jane, "Hi", "love")
        theirs = next(text for text in await jane.phone.texts() if text.text == "Hi")

        async def heard() -> bool:
            query = "SELECT count(*) FROM events WHERE message_id = %s AND name = %s AND applied_at IS NOT NULL"
            return await ask(talk, query, theirs.message_id, "message.reaction") == 1

        await talk.sandbox.until(heard)
        await jane.phone.reacts("🎉", message_id=theirs.message_id)
        await jane.shows("Hello", "Hi\n🎉")
    finally:
        await talk.gateway.becomes(reaction_echo="off")
