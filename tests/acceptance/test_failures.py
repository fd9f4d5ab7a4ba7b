"""A text that failed or waits, and what people can do about it with the buttons below it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import psycopg
import pytest
import pytest_asyncio

from bot import breaker, jobs
from bot.drawing import painter
from bot.hearing import follower
from bot.texting import routing, service
from bot.texting.errors import BlooioTrouble, Unconfirmed
from tests.acceptance.failing import Case, new_case
from tests.acceptance.stage import Stage, buttons, is_card, over_one_transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

DELIVERED = "🔵 iMessage · Delivered"
FAILED = "⚠️ Not sent. Blooio does not allow this text. An admin can find out why."
BY_BEN = f"{FAILED} · Sent again by Ben Baker"
BY_ANA = f"{FAILED} · Sent again by Ana Alvarez"
WAITING = "⏸️ Waiting for their reply. It goes out when they write."
MOVED_ON = "⚠️ This text was sent again already, or it arrived after all. Nothing more was sent. Look at its thread."


@pytest_asyncio.fixture(loop_scope="module")
async def case(shared_stage: Stage) -> AsyncIterator[Case]:
    yield await new_case(shared_stage)
    await shared_stage.sandbox.calm()


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """All waits are the bot's own, only shorter: between attempts, for a status, for a reply, before an edit."""
    with pytest.MonkeyPatch.context() as patch:
        for error in (BlooioTrouble, Unconfirmed):
            patch.setattr(error, "first_wait", timedelta(milliseconds=1))
            patch.setattr(error, "max_attempts", 8)
        patch.setattr(breaker, "TRIPS", 1_000_000)  # so much trouble at once is no outage here
        patch.setattr(routing, "LOOK_AFTER", timedelta(seconds=0.2))
        patch.setattr(routing, "ASK_AFTER", timedelta(seconds=0.1))
        patch.setattr(service, "FIRST_CHECK", timedelta(seconds=0.1))
        patch.setattr(painter, "SETTLE", timedelta(seconds=0.05))
        patch.setattr(follower, "_LOOK_SECONDS", 0.1)
        patch.setattr(jobs, "_POLL_SECONDS", 0.05)
        yield


async def buttons_stay(case: Case) -> None:
    """From here on Slack shows texts as they were: what somebody clicks may be of the past."""
    await case.stage.sandbox.order(vendor="slack", where="chat.update", kind="status", status=503, times=None)


class TestTryAgain:
    async def test_the_same_text_goes_out_once_more(self, case: Case) -> None:
        """Under the name of whoever clicked, with a key of its own; the failed one says so and has no more buttons."""
        await case.fails("forbidden")
        await case.clicks("Try again", by=case.stage.ben)

        again = await case.ends(BY_BEN, DELIVERED)
        assert again.author == "Ben Baker"
        assert [buttons(text) for text in await case.texts()] == [[], []]
        await case.on_the_phone("Hi Jane")
        assert len(await case.keys()) == 2
        assert await case.told(case.stage.ben) == []

    async def test_what_fails_again_can_be_tried_again(self, case: Case) -> None:
        """Each text has its own buttons."""
        await case.fails("forbidden", times=2)
        await case.clicks("Try again")
        await case.ends(BY_ANA, FAILED)
        await case.clicks("Try again")
        await case.ends(BY_ANA, BY_ANA, DELIVERED)
        await case.on_the_phone("Hi Jane")

    async def test_many_clicks_at_once_are_one_text(self, case: Case) -> None:
        """Two people, each of them twice: one is faster, and the other is told; nobody else is."""
        failed = await case.fails("forbidden")
        people = (case.stage.ana, case.stage.ben)
        clicks = [person.clicks(failed, "Try again") for person in people * 2]
        assert [one.error for one in await asyncio.gather(*clicks)] == [None] * 4

        again = await case.ends(FAILED, DELIVERED)
        slower, faster = sorted(people, key=lambda person: person.name == again.author)
        await case.is_told(MOVED_ON, slower)
        assert await case.told(faster) == []
        await case.on_the_phone("Hi Jane")

    @over_one_transport
    async def test_a_click_that_slack_thinks_was_lost(self, case: Case) -> None:
        """The acknowledgement does not arrive, the person clicks again: one text, and no reproach."""
        failed = await case.fails("forbidden")
        await buttons_stay(case)
        await case.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="drop_after")
        assert (await case.clicks("Try again", on=failed)).error == "operation_timeout"
        assert (await case.clicks("Try again", on=failed)).error is None
        await case.ends(FAILED, "🔵 iMessage")
        await case.on_the_phone("Hi Jane")
        assert await case.told() == []

    @over_one_transport
    async def test_a_text_that_arrived_after_all_is_not_sent_again(self, case: Case) -> None:
        """Somebody clicks before they see that it was delivered."""
        failed = await case.fails("trial_exhausted")
        await buttons_stay(case)
        await case.arrives_after_all()
        await case.clicks("Try again", on=failed)
        await case.is_told(MOVED_ON)
        await case.clicks("Edit and send", on=failed)
        assert await case.stage.ana.modal() is None
        assert len(await case.texts()) == 1
        await case.on_the_phone()

    @over_one_transport
    async def test_a_database_that_is_away_is_told_in_time(self, case: Case) -> None:
        """Slack's three seconds do not pass, only the person who clicked hears of it, and the next click works."""
        failed = await case.fails("forbidden")
        async with await psycopg.AsyncConnection.connect(case.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE")
            assert (await case.clicks("Try again", by=case.stage.ben, on=failed)).error is None
            words = "⚠️ We could not save this text, so it was not sent. Try again in a minute."
            await case.is_told(words, case.stage.ben)
        assert await case.told() == []
        await case.clicks("Try again", by=case.stage.ben, on=failed)
        await case.ends(BY_BEN, DELIVERED)
        await case.on_the_phone("Hi Jane")

    @over_one_transport
    async def test_whoever_cannot_be_whispered_to_is_told_all_the_same(self, case: Case) -> None:
        """If Slack shows nobody's message in the thread, the answer to the click itself does."""
        failed = await case.fails("forbidden")
        await buttons_stay(case)
        await case.arrives_after_all()
        body = {"ok": False, "error": "user_not_in_channel"}
        await case.stage.sandbox.order(vendor="slack", where="chat.postEphemeral", kind="status", status=200, body=body)
        await case.clicks("Try again", on=failed)

        async def said() -> list[str]:
            return [one.text for one in await case.stage.ana.sees(case.home) if one.ephemeral and "⚠️" in one.text]

        assert await case.stage.sandbox.until(said) == [MOVED_ON]


@over_one_transport
class TestForgedButtons:
    """What a button says comes from the client, so it is only ever an id to look up."""

    async def clicked(self, case: Case, value: str) -> list[str]:
        """What somebody hears who clicks *Try again* and *Don't send* on a message with this in its buttons."""
        elements = [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": name},
                "action_id": name,
                "value": value,
            }
            for name in ("text_again", "text_dont_send")
        ]
        payload = {"text": "forged", "blocks": [{"type": "actions", "elements": elements}]}
        _, ts = await case.stage.app.slack.post(case.home, payload, key=value)
        [forged] = [one for one in await case.stage.ana.sees(case.home) if one.ts == ts]
        for name in ("text_again", "text_dont_send"):
            assert (await case.clicks(name, on=forged)).error is None

        async def told() -> list[str]:
            said = [one.text for one in await case.stage.ana.sees(case.home) if one.ephemeral and "⚠️" in one.text]
            return said if len(said) == 2 else []

        return await case.stage.sandbox.until(told)

    @pytest.mark.parametrize("value", ["x", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE deliveries; --"])
    async def test_an_id_that_is_none(self, case: Case, value: str) -> None:
        """There is a kind word, and nothing happens."""
        words = "⚠️ This button's text cannot be found any more. Nothing was sent. Type /text to write a new one."
        assert await self.clicked(case, value) == [words] * 2

    async def test_another_workspaces_text(self, case: Case) -> None:
        """It is as if there were no such text."""
        await case.fails("forbidden")
        [(delivery_id,)] = await case.ask("SELECT d.id")
        async with case.stage.app.pool.connection() as connection:
            await connection.execute("UPDATE people SET team_id = 'T_OTHER' WHERE address = %s", (case.number,))
        assert "cannot be found" in (await self.clicked(case, str(delivery_id)))[0]
        assert len(await case.keys()) == 1


class TestEditAndSend:
    async def test_other_words(self, case: Case) -> None:
        """The form holds the text as it was; what is sent goes to the same thread, and the failed one says who did."""
        await case.fails("format_unsupported", words="Hi *Jane* & co")
        ben = case.stage.ben
        form = await case.opens_form(by=ben)
        assert (form.title, form.submit) == ("Edit and send", "Send")
        assert form.values == {"To": case.shown, "Message": "Hi *Jane* & co"}

        await ben.fills("Message", "Hi Jane & <co> :wave:")
        assert (await ben.submits()).outcome == "closed"

        failed = "⚠️ Not sent. Only plain text can go here. Take the formatting out. · Sent again by Ben Baker"
        again = await case.ends(failed, DELIVERED)
        assert again.author == "Ben Baker"
        await case.on_the_phone("Hi Jane & <co> 👋")
        assert await case.told(ben) == []

    async def test_another_number(self, case: Case) -> None:
        """It goes to that person's own thread; who sent it is told where that is."""
        await case.fails("bad_request")
        await case.opens_form()
        other = await new_case(case.stage)
        await case.stage.ana.fills("To", other.shown)
        assert (await case.stage.ana.submits()).outcome == "closed"

        await other.on_the_phone("Hi Jane")
        await case.is_told(f"Texting {other.shown}. They have a thread of their own in #case-{case.number[-4:]}.")
        await case.ends("⚠️ Not sent. Blooio did not accept this number or message. Check the number. · Sent again by")
        await case.on_the_phone()
        cards = [one.text.splitlines()[0] for one in await case.stage.ana.sees(case.home) if is_card(one)]
        assert cards == [case.shown, other.shown]

    async def test_what_is_wrong_is_said_under_its_field(self, case: Case) -> None:
        """Nothing that was written is lost, and what is mended can be sent."""
        ana = case.stage.ana
        await case.fails("bad_request")
        await case.opens_form()
        await ana.fills("To", "+1 555")
        await ana.fills("Message", "Hi again")
        refused = await ana.submits()
        assert refused.outcome == "errors"
        assert refused.modal is not None
        assert refused.modal["To"].error.startswith("“+1 555” is not a complete phone number.")
        assert refused.modal.values == {"To": "+1 555", "Message": "Hi again"}

        await ana.fills("To", case.number)
        assert (await ana.submits()).outcome == "closed"
        await case.ends("⚠️ Not sent.", DELIVERED)
        await case.on_the_phone("Hi again")

    @over_one_transport
    async def test_our_own_number(self, case: Case) -> None:
        """It is said under the number."""
        await case.fails("bad_request")
        await case.opens_form()
        await case.stage.ana.fills("To", case.stage.app.texting.lines[0])
        refused = await case.stage.ana.submits()
        assert refused.modal is not None
        assert refused.modal["To"].error == "That is our own number. Text somebody else."
        await case.stage.ana.closes()

    @over_one_transport
    async def test_a_form_that_is_submitted_twice_is_one_text(self, case: Case) -> None:
        """The submission arrives twice; or its answer is lost, and the person presses Send again."""
        ana = case.stage.ana
        await case.fails("bad_request")
        await case.opens_form()
        await ana.fills("Message", "Hi once")
        await case.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="drop_after")
        assert (await ana.submits()).outcome == "failed"
        await case.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="double")
        assert (await ana.submits()).outcome == "closed"
        await case.ends("⚠️ Not sent.", DELIVERED)
        await case.on_the_phone("Hi once")

    async def test_somebody_was_faster(self, case: Case) -> None:
        """While Ana writes, Ben sends it again: her form says so, keeps her words, and sends nothing."""
        ana = case.stage.ana
        await case.fails("trial_exhausted")
        await case.opens_form()
        await ana.fills("Message", "Hi from Ana")
        await case.clicks("Try again", by=case.stage.ben)
        await case.ends("⚠️ Not sent.", DELIVERED)

        refused = await ana.submits()
        assert refused.modal is not None
        assert refused.modal["Message"].error == MOVED_ON.removeprefix("⚠️ ")
        assert refused.modal["Message"].value == "Hi from Ana"
        await ana.closes()
        await case.on_the_phone("Hi Jane")

    @over_one_transport
    async def test_a_form_that_does_not_open(self, case: Case) -> None:
        """The click came too late for Slack: the person is told, and the next one opens it."""
        await case.fails("bad_request")
        body = {"ok": False, "error": "expired_trigger_id"}
        await case.stage.sandbox.order(vendor="slack", where="views.open", kind="status", status=200, body=body)
        await case.clicks("Edit and send")
        await case.is_told("⚠️ The form could not be opened. Press Edit and send again.")
        assert await case.stage.ana.modal() is None
        await case.clicks("Edit and send")
        assert await case.stage.sandbox.until(case.stage.ana.modal)
        await case.stage.ana.closes()


class TestCheckNumber:
    async def test_what_they_can_get_now(self, case: Case) -> None:
        """Blooio is asked afresh, only the person who clicked hears it, and the card shows it."""
        await case.fails("bad_request")
        await case.clicks("Check number", by=case.stage.ben)
        await case.is_told(f"{case.shown} can get iMessage.", case.stage.ben)
        await case.phone.becomes(imessage=False)
        await case.clicks("Check number", by=case.stage.ben)
        await case.is_told(f"{case.shown} can get SMS only.", case.stage.ben)
        assert await case.told() == []

        async def card_says_so() -> bool:
            return any("🟢 SMS · open" in card.text for card in await case.stage.ana.sees(case.home) if is_card(card))

        await case.stage.sandbox.until(card_says_so)

    @over_one_transport
    async def test_a_number_that_gets_nothing(self, case: Case) -> None:
        """The number may be wrong."""
        await case.fails("bad_request")
        await case.phone.becomes(imessage=False, sms=False)
        await case.clicks("Check number")
        await case.is_told(f"Blooio says that {case.shown} can get neither iMessage nor SMS. Check the number.")

    @over_one_transport
    async def test_blooio_cannot_be_asked(self, case: Case) -> None:
        """Nothing is made up."""
        await case.fails("bad_request")
        await case.stage.sandbox.order(
            vendor="blooio", where=f"GET /contacts/{case.number}/capabilities", kind="status", status=500
        )
        await case.clicks("Check number")
        await case.is_told(f"Blooio could not be asked about {case.shown}. Try again in a minute.")

    @over_one_transport
    async def test_an_error_that_nobody_expected(self, case: Case) -> None:
        """Whoever clicked hears that it was ours; the reason is in the log, under a reference."""
        await case.fails("bad_request")
        async with case.stage.app.pool.connection() as connection:
            await connection.execute(
                "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$"
            )
            await connection.execute(
                "CREATE TRIGGER break BEFORE UPDATE OF checked_at ON people FOR EACH ROW"
                f" WHEN (NEW.address = '{case.number}') EXECUTE FUNCTION break()"
            )
        assert (await case.clicks("Check number")).error is None

        async def said() -> list[str]:
            return [one.text for one in await case.stage.ana.sees(case.home) if one.ephemeral and "⚠️" in one.text]

        [words] = await case.stage.sandbox.until(said)
        assert words.startswith("⚠️ Something went wrong on our side. Try again. Your admin can find the reason under ")


class TestUnconfirmed:
    UNKNOWN = ("Check again", "Send again")
    NOT_CONFIRMED = "⚠️ Not confirmed. Blooio did not say whether this was sent."

    async def test_blooio_has_it(self, case: Case) -> None:
        """Then it is followed as any other, and its line moves on by itself."""
        await case.fails("answer_lost", times=None)
        await case.has_buttons(*self.UNKNOWN)
        await case.clicks("Check again")
        await case.ends(DELIVERED)
        await case.has_buttons()
        await case.on_the_phone("Hi Jane")
        assert await case.told() == []

    async def test_blooio_does_not_have_it(self, case: Case) -> None:
        """Then it can be sent again without a warning."""
        failed = await case.fails("connection_cut", times=8)
        await case.has_buttons(*self.UNKNOWN)
        await asyncio.gather(*(case.clicks("Check again", on=failed) for _ in range(2)))

        async def told() -> list[str]:
            said = await case.told()
            return said if len(said) == 2 else []

        said = "Blooio does not have this text. You can send it again."
        assert await case.stage.sandbox.until(told) == [said] * 2
        await case.ends("⚠️ Not sent. Blooio does not have this text. You can send it again.")
        await case.has_buttons("Try again", "Edit and send")
        await case.clicks("Try again")
        await case.ends("⚠️ Not sent.", DELIVERED)
        await case.on_the_phone("Hi Jane")

    @over_one_transport
    async def test_another_text_with_the_same_words_is_not_it(self, case: Case) -> None:
        """The first "Hi Jane" arrived; of the second Blooio knows nothing."""
        await case.text()
        await case.ends(DELIVERED)
        await case.order("connection_cut", times=8)
        await case.text()
        await case.ends(DELIVERED, self.NOT_CONFIRMED)
        await case.clicks("Check again")
        await case.ends(DELIVERED, "⚠️ Not sent. Blooio does not have this text.")

    @over_one_transport
    async def test_blooio_does_not_say(self, case: Case) -> None:
        """The person is told so, and nothing changes."""
        await case.fails("connection_cut", times=None)
        await case.stage.sandbox.order(
            vendor="blooio", where=f"GET /chats/{case.number}/messages", kind="status", status=500
        )
        await case.clicks("Check again")
        await case.is_told("⚠️ Blooio could not be asked whether it has this text. Try again in a minute.")
        await case.has_buttons(*self.UNKNOWN)

    @over_one_transport
    async def test_sending_it_again_is_asked_first(self, case: Case) -> None:
        """Slack warns that it may arrive twice; then it is a new text."""
        failed = await case.fails("answer_lost", times=8)
        [actions] = [block for block in failed.blocks if block["type"] == "actions"]
        assert actions["elements"][1]["confirm"]["title"]["text"] == "Send it again?"
        await case.clicks("Send again")
        await case.ends(self.NOT_CONFIRMED, DELIVERED)
        await case.on_the_phone("Hi Jane", "Hi Jane")
        assert await case.told() == []

    @over_one_transport
    async def test_what_was_sent_again_is_not_looked_for(self, case: Case) -> None:
        """Or its line would change under a colleague's hands."""
        failed = await case.fails("answer_lost", times=8)
        await buttons_stay(case)
        await case.clicks("Send again", by=case.stage.ben)
        await case.ends(self.NOT_CONFIRMED, "🔵 iMessage")
        await case.clicks("Check again", on=failed)
        await case.is_told(MOVED_ON)


class TestWaiting:
    async def test_it_goes_out_when_they_write(self, case: Case) -> None:
        """Found by looking: once, under a new key, in order with the others that waited."""
        await case.order("awaiting_reply", times=None)
        for words in ("one", "two"):
            await case.text(words)
        await case.ends(WAITING, WAITING)
        await case.has_buttons("Try now", "Don't send")
        refused = await case.keys()
        await case.stage.sandbox.calm()
        await case.phone.replies("Yes?")

        await case.ends(DELIVERED, DELIVERED)
        await case.on_the_phone("one", "two")
        assert len(refused) == 2
        assert len(set(await case.keys()) - set(refused)) == 2
        assert await case.told() == []

    async def test_try_now(self, case: Case) -> None:
        """Whoever knows better need not wait; if Blooio does not think so, it waits on."""
        await case.order("streak_limit", times=2)
        await case.text()
        await case.ends(WAITING)
        await case.clicks("Try now", by=case.stage.ben)

        async def was_tried_twice() -> bool:
            return len(await case.keys()) == 2

        await case.stage.sandbox.until(was_tried_twice)
        await case.ends(WAITING)
        await case.has_buttons("Try now", "Don't send")
        await case.clicks("Try now")
        await case.ends(DELIVERED)
        await case.on_the_phone("Hi Jane")
        assert len(await case.keys()) == 3

    async def test_dont_send(self, case: Case) -> None:
        """It is cancelled for good, also when they write; the others go out."""
        await case.order("awaiting_reply", times=2)
        await case.text("not this")
        await case.text("but this")
        await case.ends(WAITING, WAITING)
        first, _ = await case.texts()
        await case.clicks("Don't send", on=first)
        await case.ends("🚫 Cancelled", WAITING)
        assert buttons((await case.texts())[0]) == []
        await case.phone.replies("Yes?")
        await case.ends("🚫 Cancelled", DELIVERED)
        await case.on_the_phone("but this")

    @over_one_transport
    async def test_what_does_not_wait_any_more(self, case: Case) -> None:
        """Whoever clicks too late is told so, and nothing happens."""
        await case.order("awaiting_reply")
        await case.text()
        waiting = await case.ends(WAITING)
        await buttons_stay(case)
        await case.clicks("Try now", by=case.stage.ben)
        await case.on_the_phone("Hi Jane")
        for name in ("Don't send", "Try now"):
            await case.clicks(name, on=waiting)
            await case.is_told("⚠️ This text does not wait any more. Look at the line below it.")
        await case.on_the_phone("Hi Jane")
        assert len(await case.keys()) == 2
