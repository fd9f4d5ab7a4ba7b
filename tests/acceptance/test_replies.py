"""What is typed in a thread: what goes out, what is asked about, what stays here, and what is said of edits."""

import asyncio
from datetime import timedelta

import pytest

from sandbox.blooio.trouble import ordered
from sandbox.slack.driver import Message, Person
from tests.acceptance.stage import buttons, over_one_transport
from tests.acceptance.talking import Conversation, Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


NOTE, ASKED, REFUSED = "memo", "double_vertical_bar", "no_entry_sign"
DELIVERED, FAILED = "white_check_mark", "warning"


async def wants(talk: Talk, home: str, replies: str) -> None:
    """Say how a channel wants replies."""
    async with talk.stage.app.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO channels (conversation_id, replies) VALUES (%s, %s)"
            " ON CONFLICT (conversation_id) DO UPDATE SET replies = excluded.replies",
            (home, replies),
        )


async def is_done(talk: Talk, home: str) -> None:
    """Call the threads of a channel done."""
    async with talk.stage.app.pool.connection() as connection:
        await connection.execute("UPDATE threads SET done_at = now() WHERE conversation_id = %s", (home,))


async def later(talk: Talk, home: str) -> None:
    """Let what was texted from a channel be a minute old."""
    async with talk.stage.app.pool.connection() as connection:
        await connection.execute(
            "UPDATE deliveries d SET requested_at = requested_at - %s FROM threads t"
            " WHERE t.id = d.thread_id AND t.conversation_id = %s",
            (timedelta(minutes=1), home),
        )


async def told(thread: Conversation, person: Person | None = None) -> list[Message]:
    """What only one person (Ana) sees in the thread."""
    who = person or thread.ana
    return [one for one in await who.sees_thread(thread.home, thread.card.ts) if one.ephemeral]


async def is_told(thread: Conversation, words: str, person: Person | None = None) -> Message:
    """Wait until the last thing that one person (Ana) alone sees in the thread begins like this."""

    async def heard() -> Message | None:
        said = await told(thread, person)
        return said[-1] if said and said[-1].text.startswith(words) else None

    try:
        heard_it = await thread.talk.sandbox.until(heard)
    except TimeoutError:
        raise AssertionError(f"expected {words!r}, told {[one.text for one in await told(thread, person)]}") from None
    assert heard_it is not None
    return heard_it


async def remarked(thread: Conversation, words: str, *, ends: str = "") -> Message:
    """Wait for a message of the bot's in the thread that begins like this, and ends like that."""

    async def there() -> Message | None:
        seen = [one for one in await thread.sees() if not one.ephemeral]
        return next((one for one in seen if one.text.startswith(words) and one.text.endswith(ends)), None)

    found = await thread.talk.sandbox.until(there)
    assert found is not None
    return found


class TestAsking:
    """What looks as if it was not meant for the person is asked about, privately, and once."""

    async def test_a_teammate_is_mentioned(self, talk: Talk) -> None:
        """Nothing goes out before the author says so; then it does, once, and a line stands where the question was."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("@ben can you take this?")
        await jane.is_marked(typed, ASKED)
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: it mentions a teammate.")
        assert "@Ben Baker can you take this?" in question.text
        assert buttons(question) == [f"Text it to {pretty(jane)}", "Keep as note"]
        await jane.received("Hi Jane")
        await jane.ana.clicks(question, "reply_text")
        await is_told(jane, f"Texting {pretty(jane)}: “@Ben Baker can you take this?”")
        await jane.received("Hi Jane", "@Ben Baker can you take this?")
        await jane.is_marked(typed, DELIVERED)
        assert len(await told(jane)) == 1

    async def test_it_is_kept_as_a_note(self, talk: Talk) -> None:
        """The mark says so, the person gets nothing, and a second answer changes nothing."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("fyi she paid already")
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: it looks like a note.")
        await jane.ana.clicks(question, "Keep as note")
        await is_told(jane, "Kept as a note. It was not texted.")
        await jane.is_marked(typed, NOTE)
        await jane.types("Anything else?")
        await jane.received("Hi Jane", "Anything else?")

    async def test_a_colleague_was_faster(self, talk: Talk) -> None:
        """Who types seconds after a colleague texted is asked, unless the person has written since."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("Hello Jane", by=jane.ben)
        await jane.is_marked(typed, ASKED)
        await is_told(
            jane, f"⏸️ This was not texted to {pretty(jane)} yet: @Ana Alvarez texted them just now.", jane.ben
        )
        await jane.phone.replies("Hm?")
        await remarked(jane, "Hm?")
        await jane.types("How can we help?", by=jane.ben)
        await jane.received("Hi Jane", "How can we help?")

    async def test_the_thread_is_done(self, talk: Talk) -> None:
        """A reply in a thread that is done asks to open it again."""
        jane = await talk.begins("Hi Jane")
        await is_done(talk, jane.home)
        await jane.types("One more thing")
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: this thread is done.")
        await jane.ana.clicks(question, "Reopen and text it")
        await jane.received("Hi Jane", "One more thing")
        await jane.types("And another")
        await jane.received("Hi Jane", "One more thing", "And another")

    @over_one_transport
    async def test_only_the_author_answers(self, talk: Talk) -> None:
        """Somebody else's click is refused, and the question stays."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("@ben can you?")
        question = await is_told(jane, "⏸️")
        await forge(talk, jane, f"{typed.ts}:", "reply_text", jane.ben)
        await is_told(jane, "⚠️ This question is Ana Alvarez's to answer. Nothing was done.", jane.ben)
        await jane.received("Hi Jane")
        await jane.ana.clicks(question, "reply_text")
        await jane.received("Hi Jane", "@Ben Baker can you?")
        await forge(talk, jane, f"{typed.ts}:", "reply_text", jane.ana)
        await forge(talk, jane, "1.2:", "reply_text", jane.ana)
        await forge(talk, jane, "nonsense", "reply_text", jane.ana)
        await jane.types("Bye")
        await jane.received("Hi Jane", "@Ben Baker can you?", "Bye")

    async def test_a_question_about_a_deleted_reply(self, talk: Talk) -> None:
        """What is gone is not texted any more, whatever is pressed."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("@ben can you?")
        question = await is_told(jane, "⏸️")
        await jane.ana.deletes(jane.home, typed.ts)
        await until_fate(talk, typed, "gone")
        await jane.ana.clicks(question, "reply_text")
        await is_told(jane, "⚠️ You deleted this reply, so nothing was texted.")
        await jane.received("Hi Jane")

    async def test_what_is_asked_about_is_edited(self, talk: Talk) -> None:
        """The question is asked anew about the new words; the old one has had its day."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("@ben can you?")
        old = await is_told(jane, "⏸️")
        await jane.ana.edits(typed, "See you soon")
        new = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: you edited it.")
        await jane.ana.clicks(old, "reply_text")
        await jane.received("Hi Jane")
        await jane.ana.clicks(new, "reply_text")
        await jane.received("Hi Jane", "See you soon")

    async def test_a_text_that_is_too_long(self, talk: Talk) -> None:
        """It is refused in words, and can be shortened."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("x" * 2100)
        await jane.is_marked(typed, REFUSED)
        await is_told(jane, "⚠️ The message has 2,100 characters, 100 too many. A text can have 2,000. Shorten it")
        await jane.ana.edits(typed, "Short")
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: you edited it.")
        await jane.ana.clicks(question, "reply_text")
        await jane.received("Hi Jane", "Short")
        await jane.is_marked(typed, DELIVERED)


class TestModes:
    """How a channel wants its replies."""

    async def test_only_what_names_the_bot(self, talk: Talk) -> None:
        """All else is nothing to us; the shortcut texts it after all."""
        jane = await talk.begins("Hi Jane")
        await wants(talk, jane.home, "asked_for")
        first = await jane.types("who takes this one?")
        note = await jane.types("!not me")
        named = await jane.types("@texting On our way")
        await jane.is_marked(named, DELIVERED)
        await jane.received("Hi Jane", "On our way")
        assert (await jane.marks(first), await jane.marks(note), await told(jane)) == (set(), set(), [])
        await jane.ana.uses_message_shortcut(first, "Text this reply")
        question = await is_told(jane, f"Text this to {pretty(jane)}?")
        await jane.ana.clicks(question, "reply_text")
        await jane.received("Hi Jane", "On our way", "who takes this one?")
        await jane.is_marked(first, DELIVERED)

    async def test_alerts_only(self, talk: Talk) -> None:
        """Nothing goes out; who names the bot is told how to text."""
        jane = await talk.begins("Hi Jane")
        await wants(talk, jane.home, "never")
        plain = await jane.types("Hello?")
        named = await jane.types("@texting Hello?")
        await jane.is_marked(named, REFUSED)
        await is_told(jane, "⚠️ This channel only shows alerts: what is typed here is not texted. Use /text")
        assert await jane.marks(plain) == set()
        await jane.ana.uses_message_shortcut(plain, "Text this reply")
        await is_told(jane, "⚠️ This channel only shows alerts now, so nothing was texted.")
        await jane.received("Hi Jane")


class TestShortcut:
    """*Text this reply* is the way back."""

    async def test_a_note_is_texted_after_all(self, talk: Talk) -> None:
        """Without its exclamation mark, and by its author only."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("!Your order is ready")
        await jane.is_marked(typed, NOTE)
        await jane.ben.uses_message_shortcut(typed, "Text this reply")
        await is_told(jane, "⚠️ Only Ana Alvarez can text this reply.", jane.ben)
        await jane.ana.uses_message_shortcut(typed, "Text this reply")
        question = await is_told(jane, f"Text this to {pretty(jane)}?")
        await jane.is_marked(typed, ASKED)
        await jane.ana.clicks(question, "reply_text")
        await jane.received("Hi Jane", "Your order is ready")
        await jane.ana.uses_message_shortcut(typed, "Text this reply")
        await is_told(jane, "⚠️ This reply was texted already.")

    async def test_not_a_reply(self, talk: Talk) -> None:
        """On any other message it says what to use instead."""
        jane = await talk.begins("Hi Jane")
        root = await jane.ana.posts(jane.home, "not in a thread")
        await jane.ana.uses_message_shortcut(root, "Text this reply")

        async def said() -> bool:
            words = "⚠️ This is not a reply in a person's thread."
            return any(one.ephemeral and one.text.startswith(words) for one in await jane.ana.sees_all(jane.home))

        await talk.sandbox.until(said)


class TestAfterwards:
    """What was texted stays texted."""

    async def test_an_edit_is_remarked_once(self, talk: Talk) -> None:
        """The thread says that the person has the original; a correction is a text of whoever sends it."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, DELIVERED)
        await jane.ana.edits(typed, "See you at six")
        remark = await remarked(jane, f"✏️ Ana Alvarez edited a reply after it was texted. {pretty(jane)} still has")
        await jane.ana.edits(typed, "See you at seven")
        await until_now(talk, typed, "See you at seven")
        await jane.ben.clicks(remark, "Send a correction")
        form = await talk.sandbox.until(jane.ben.modal)
        assert form.values == {"Message": "See you at seven"}
        await jane.ben.submits()
        await jane.received("Hi Jane", "See you at five", "See you at seven")
        assert len([one for one in await jane.sees() if one.text.startswith("✏️")]) == 1

    async def test_a_deletion_is_remarked_once(self, talk: Talk) -> None:
        """The form begins with the words that the person has."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, DELIVERED)
        await jane.ana.deletes(jane.home, typed.ts)
        remark = await remarked(
            jane, f"🗑️ A reply of Ana Alvarez's was deleted after it was texted. {pretty(jane)} still"
        )
        await jane.ana.clicks(remark, "Send a correction")
        form = await talk.sandbox.until(jane.ana.modal)
        assert form.values == {"Message": "See you at five"}
        await jane.ana.closes()
        await jane.received("Hi Jane", "See you at five")

    async def test_a_note_stays_a_note(self, talk: Talk) -> None:
        """Whatever becomes of its words."""
        jane = await talk.begins("Hi Jane")
        note = await jane.types("!she is a VIP")
        await jane.is_marked(note, NOTE)
        await jane.ana.edits(note, "she is a VIP")
        await jane.types("Anything else?")
        await jane.received("Hi Jane", "Anything else?")
        assert await jane.marks(note) == {NOTE}

    async def test_a_failed_reply(self, talk: Talk) -> None:
        """A line below says so in short, *Try again* sends it again, and its mark says what became of it then."""
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await talk.sandbox.order(**trouble("forbidden", jane))
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, FAILED)
        receipt = await remarked(jane, "Ana Alvarez: “See you at five”\n⚠️ Not sent.")
        await later(talk, jane.home)
        await jane.ben.clicks(receipt, "Try again")
        await jane.received("Hi Jane", "See you at five")
        await jane.is_marked(typed, DELIVERED)
        below = await remarked(jane, "Ana Alvarez: “See you at five”\n⚠️ Not sent.", ends="Sent again by Ben Baker")
        assert [one.ts for one in await jane.sees() if one.author == "Texting"] == [below.ts]

    async def test_a_failed_reply_is_edited_and_sent(self, talk: Talk) -> None:
        """Other words are a message of their own; the reply that failed keeps its mark."""
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await talk.sandbox.order(**trouble("bad_request", jane))
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, FAILED)
        receipt = await remarked(jane, "Ana Alvarez: “See you at five”\n⚠️ Not sent.")
        await jane.ana.clicks(receipt, "Edit and send")
        await talk.sandbox.until(jane.ana.modal)
        await jane.ana.fills("message", "See you at six")
        await jane.ana.submits()
        await jane.received("Hi Jane", "See you at six")
        assert await jane.marks(typed) == {FAILED}

    async def test_a_reply_that_waits_is_not_sent(self, talk: Talk) -> None:
        """While Blooio wants their reply first it can be held back."""
        jane = await talk.begins("Hi Jane")
        await jane.received("Hi Jane")
        await talk.sandbox.order(**trouble("awaiting_reply", jane))
        typed = await jane.types("Are you there?")
        receipt = await remarked(jane, "Ana Alvarez: “Are you there?”\n⏸️ Waiting for their reply.")
        await jane.ana.clicks(receipt, "Don't send")
        await jane.is_marked(typed, REFUSED)
        await remarked(jane, "Ana Alvarez: “Are you there?”\n🚫 Cancelled")

    async def test_what_a_person_puts_on_it(self, talk: Talk) -> None:
        """A tapback is a mark on the reply as well."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, DELIVERED)
        await jane.phone.reacts("love")
        await jane.is_marked(typed, DELIVERED, "heart")

    async def test_another_channel_than_expected(self, talk: Talk) -> None:
        """The mark says which one it really took."""
        jane = await talk.begins("Hi Jane", imessage=False, claims={"imessage": True}, sms_delivers=True)
        typed = await jane.types("See you at five")
        await jane.is_marked(typed, DELIVERED, "large_green_circle")


class TestAnyOrder:
    """Slack tells of a message twice, late, or after what came of it."""

    async def test_twice(self, talk: Talk) -> None:
        """The same event again is the same reply."""
        jane = await talk.begins("Hi Jane")
        await talk.sandbox.repeats_events(4, at_once=True)
        await jane.types("one")
        await jane.types("@ben two")
        await jane.types("!three")
        await is_told(jane, "⏸️")
        await jane.types("four")
        await jane.received("Hi Jane", "one", "four")
        assert len(await told(jane)) == 1

    async def test_an_edit_comes_first(self, talk: Talk) -> None:
        """What was edited before we heard of it is asked about, with its new words."""
        jane = await talk.begins("Hi Jane")
        await talk.sandbox.holds_events()
        typed = await jane.types("See you at five")
        await jane.ana.edits(typed, "See you at six")
        await talk.sandbox.releases_events("reversed")
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: you edited it.")
        await jane.received("Hi Jane")
        await jane.ana.clicks(question, "reply_text")
        await jane.received("Hi Jane", "See you at six")

    async def test_a_deletion_comes_first(self, talk: Talk) -> None:
        """What was deleted before we heard of it never goes out."""
        jane = await talk.begins("Hi Jane")
        await talk.sandbox.holds_events()
        typed = await jane.types("See you at five")
        await jane.ana.deletes(jane.home, typed.ts)
        await talk.sandbox.releases_events("reversed")
        await jane.types("Anything else?")
        await jane.received("Hi Jane", "Anything else?")
        assert not [one for one in await jane.sees() if one.text.startswith("🗑️")]

    @over_one_transport
    async def test_what_is_not_stored_comes_again(self, talk: Talk) -> None:
        """While the database does not take it Slack is not told that we have it, and sends it again."""
        jane = await talk.begins("Hi Jane")
        async with talk.stage.app.pool.connection() as connection, connection.transaction():
            await connection.execute("LOCK TABLE replies IN ACCESS EXCLUSIVE MODE")
            await jane.types("See you at five")

            async def postponed() -> bool:
                answers = await talk.sandbox.exchanges(name="deliver:events_api")
                return any(one["status"] == 0 or one["status"] >= 500 for one in answers)

            await talk.sandbox.until(postponed)
        await talk.sandbox.advance(60)
        await jane.received("Hi Jane", "See you at five")


async def test_guests_are_refused(talk: Talk) -> None:
    """A guest's reply is marked, they alone are told why, and their notes are notes."""
    phone, home = await talk.meets(), await talk.channel("gus")
    await talk.stage.ana.types(home, f"/text {phone.address} Hi Jane")
    jane = await talk.conversation(phone, home)
    gus = talk.sandbox.person("gus")
    typed = await jane.types("Hello from Gus", by=gus)
    await jane.is_marked(typed, REFUSED)
    await is_told(jane, "⚠️ Guests cannot text customers or see the address book here.", gus)
    note = await jane.types("!a note of Gus's", by=gus)
    await jane.is_marked(note, NOTE)
    await jane.types("Bye")
    await jane.received("Hi Jane", "Bye")


class TestFiles:
    """A file that cannot go (here the bot has no public address) is never left behind in silence."""

    async def test_with_words(self, talk: Talk) -> None:
        """The words alone go if their author says so, and not before."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.ana.uploads(jane.home, "plan.pdf", b"plan", text="The plan", thread_ts=jane.card.ts)
        await jane.is_marked(typed, ASKED)
        question = await is_told(jane, f"⏸️ This was not texted to {pretty(jane)} yet: its files cannot go with it.")
        assert buttons(question) == ["Text the words only", "Keep as note"]
        await jane.received("Hi Jane")
        await jane.ana.clicks(question, "Text the words only")
        [_, text] = await jane.received("Hi Jane", "The plan")
        assert text.attachments == []

    async def test_without_words(self, talk: Talk) -> None:
        """There is nothing to ask."""
        jane = await talk.begins("Hi Jane")
        typed = await jane.ana.uploads(jane.home, "plan.pdf", b"plan", thread_ts=jane.card.ts)
        await jane.is_marked(typed, REFUSED)
        await is_told(jane, "⚠️ Files need the bot's public address.")
        await jane.types("Bye")
        await jane.received("Hi Jane", "Bye")


async def test_who_opted_out_gets_nothing(talk: Talk) -> None:
    """A reply to them is refused, and so is one that was asked about before; notes are notes."""
    jane = await talk.begins("Hi Jane")
    asked = await jane.types("@ben can you?")
    question = await is_told(jane, "⏸️")
    await jane.phone.replies("STOP")

    async def opted_out() -> bool:
        query = "SELECT 1 FROM people WHERE address = %s AND opted_out_since IS NOT NULL"
        async with talk.stage.app.pool.connection() as connection:
            return await (await connection.execute(query, (jane.phone.address,))).fetchone() is not None

    await talk.sandbox.until(opted_out)
    typed = await jane.types("Sorry!")
    await jane.is_marked(typed, REFUSED)
    await is_told(jane, f"⚠️ {pretty(jane)} opted out of texts on")
    await jane.ana.clicks(question, "reply_text")
    await jane.is_marked(asked, REFUSED)
    note = await jane.types("!do not text her")
    await jane.is_marked(note, NOTE)
    assert not {"Sorry!", "@Ben Baker can you?"} & {text.text for text in await jane.phone.received()}


async def test_a_broadcast_of_the_thread_is_a_reply(talk: Talk) -> None:
    """Shown in the channel as well, it is texted as any other; a message at the channel's root is not."""
    jane = await talk.begins("Hi Jane")
    await jane.types("We open at nine", broadcast=True)
    await jane.received("Hi Jane", "We open at nine")
    await jane.ana.posts(jane.home, "who is on call?")
    other = await jane.ana.posts(jane.home, "another thread")
    await jane.ana.posts(jane.home, "in another thread", thread_ts=other.ts, broadcast=True)
    await jane.types("Bye")
    await jane.received("Hi Jane", "We open at nine", "Bye")


def pretty(thread: Conversation) -> str:
    digits = thread.phone.address
    return f"+1 {digits[2:5]}-{digits[5:8]}-{digits[8:]}"


def trouble(name: str, thread: Conversation) -> dict[str, object]:
    """One fault of Blooio's for one person."""
    fault = ordered(name)
    where = fault.where.replace("*", thread.phone.address, 1)
    given = {"status": fault.status, "retry_after": fault.retry_after, "body": fault.body, "times": 1}
    return {"vendor": "blooio", "where": where, "kind": fault.kind, **given}


async def until_fate(talk: Talk, message: Message, fate: str) -> None:
    await _until(talk, "SELECT fate FROM replies WHERE ts = %s", message.ts, fate)


async def until_now(talk: Talk, message: Message, words: str) -> None:
    await _until(talk, "SELECT now_body FROM replies WHERE ts = %s", message.ts, words)


async def _until(talk: Talk, query: str, ts: str, wanted: str) -> None:
    async with asyncio.timeout(30), talk.stage.app.pool.connection() as connection:
        while await (await connection.execute(query, (ts,))).fetchone() != (wanted,):  # noqa: ASYNC110  (a row)
            await asyncio.sleep(0.02)


async def forge(talk: Talk, thread: Conversation, value: str, action_id: str, person: Person) -> None:
    """Click a button that says more than one of the bot's would."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": action_id, "value": value}
    payload = {"text": "forged", "blocks": [{"type": "actions", "elements": [button]}]}
    _, ts = await talk.stage.app.slack.post(thread.home, payload, thread_ts=thread.card.ts, key="forged")
    [forged] = [one for one in await thread.sees() if one.ts == ts]
    assert (await person.clicks(forged, "Go")).error is None
