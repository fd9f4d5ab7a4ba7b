"""Who may text, and from where: whoever may not is told so, alone, and it is on record."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.access import permission
from bot.storage.audit import trail as read_trail
from sandbox.driver import Sandbox
from sandbox.faults import Kind
from sandbox.slack.driver import Person, Shown
from sandbox.slack.modal_driver import Modal
from tests.acceptance.people import Story, new_story, pretty
from tests.acceptance.stage import Stage, bot_beside, buttons, is_card

GUEST = "⚠️ Guests cannot text customers or see the address book here. Ask {whom} if you need to."
EXTERNAL = (
    "⚠️ People from other workspaces cannot text customers or see the address book here. Ask {whom} if you need to."
)
UNLISTED = "⚠️ Only some people here may text customers and see the address book. Ask {whom} to let you in."
ELSEWHERE = "⚠️ Texts cannot be sent from this conversation, but from #support. Ask {whom} if that should change."
UNKNOWN = "⚠️ Slack did not say in time who you are, so nothing was done. Try again in a minute."
ADMIN = "an admin of this Slack workspace"

ANA, BEN, GUS, EVE = "U0ANAALVARE", "U0BENBAKER1", "U0GUSGUEST1", "U0EVEGLOBEX"
SUPPORT_TEAM, SUPPORT = "S0SUPPORT01", "C0SUPPORT01"


def settings(**given: str) -> pytest.MarkDecorator:
    """The story's bot has these settings."""
    return pytest.mark.parametrize("story", [pytest.param(given, id=" ".join(given))], indirect=True)


@pytest.fixture
async def story(request: pytest.FixtureRequest, transport: str, database_url: str) -> AsyncIterator[Story]:
    """A channel of Ana's, Ben's and Gus's, with a bot whose settings are the default, if the test says no others."""
    given: dict[str, Any] = getattr(request, "param", {})
    async with Sandbox.start() as sandbox, bot_beside(sandbox, database_url, transport=transport, **given) as app:
        story = await new_story(Stage(sandbox, app, transport))
        await sandbox.changes_members(story.home, "gus")
        yield story


@pytest.fixture
def asks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack is asked about everybody each time, as it is after five minutes."""
    monkeypatch.setattr(permission, "FRESH_SECONDS", 0.0)


async def trail(story: Story) -> list[tuple[str, str, str, str | None]]:
    """What is on record of refusals, in its order: who, what, why and where."""
    async with story.stage.app.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT user_id, action, reason, conversation_id FROM audit WHERE action = 'refusal' ORDER BY id"
        )
        return await cursor.fetchall()


async def is_refused(story: Story, shown: Shown, said: str, typed: str) -> None:
    """Whoever typed alone is told why, with their words; nothing was texted, and nobody else sees anything."""
    assert shown.text.startswith(said.format(whom=ADMIN)), shown.text
    if typed != "/text":
        assert typed in shown.text
    assert await story.stored() == 0
    assert not [one for one in await story.ana.sees(story.home) if one.author == "Texting"]


async def sees_form(story: Story, person: Person, title: str = "New text") -> Modal:
    """Wait until a form stands in front of somebody."""

    async def shown() -> Modal | None:
        modal = await person.modal()
        return modal if modal and modal.title == title else None

    modal = await story.stage.sandbox.until(shown)
    assert modal is not None
    return modal


async def failed(story: Story, *, status: int = 403) -> Any:
    """Ana's text that failed; its message with the buttons, as everybody in the channel sees it."""
    phone = await story.phone()
    await story.stage.sandbox.order(
        vendor="blooio", where=f"POST /chats/{phone.address}/messages", kind=Kind.STATUS, status=status, times=1
    )
    await story.types(f"{phone.address} Hello")

    async def shown() -> Any:
        cards = [one for one in await story.ana.sees(story.home) if is_card(one) and pretty(phone) in one.text]
        for card in cards:
            for message in await story.ana.sees_thread(story.home, card.ts):
                if buttons(message):
                    return message
        return None

    return await story.stage.sandbox.until(shown)


class TestGuests:
    async def test_whatever_a_guest_types_they_alone_are_told(self, story: Story) -> None:
        """A text, the form, the report and the address book: refused with the words given back, and on record once."""
        gus, phone = story.stage.sandbox.person("gus"), await story.knows("Mia Lopez")
        for typed in (
            f"/text {phone.address} Hello",
            "/text Mia Hello",
            "/text",
            "/text report",
            "/contact list",
            "/contact show Mia",
            "/contact add +15550001111 Max",
        ):
            await is_refused(story, await gus.types(story.home, typed), GUEST, typed)

        assert await gus.modal() is None
        assert await phone.received() == []
        rows = await trail(story)
        assert {(who, why) for who, _, why, _ in rows} == {(GUS, "not_permitted:guest")}
        assert len(rows) <= 2  # one, or a minute has begun meanwhile

    async def test_a_guest_opens_no_form(self, story: Story) -> None:
        """Shortcuts say so where they are, or in their messages with the bot."""
        gus, told = story.stage.sandbox.person("gus"), GUEST.format(whom=ADMIN)
        message = await story.ana.posts(story.home, "Call me: +1 555 000 1111")

        for shortcut in ("Text this to…", "Add as contact"):
            await gus.uses_message_shortcut(message, shortcut)
            assert await story.is_told(told, gus) == told
        await gus.uses_shortcut("New text")

        async def said() -> bool:
            return told in [one.text for one in await gus.sees_dm()]

        await story.stage.sandbox.until(said)
        assert await gus.modal() is None

    async def test_a_guest_presses_a_colleagues_button(self, story: Story) -> None:
        """Nothing comes of it, and only they are told; the colleague presses it afterwards."""
        gus, message = story.stage.sandbox.person("gus"), await failed(story)
        for button in buttons(message):
            await gus.clicks(message, button)

        async def told() -> list[str]:
            thread = await gus.sees_thread(story.home, message.raw["thread_ts"])
            return [one.text for one in thread if one.ephemeral]

        async def each_time() -> bool:
            return await told() == [GUEST.format(whom=ADMIN)] * len(buttons(message))

        await story.stage.sandbox.until(each_time)
        assert await story.stored() == 1
        assert await gus.modal() is None
        assert not [one for one in await story.ana.sees_thread(story.home, message.raw["thread_ts"]) if one.ephemeral]
        await story.ana.clicks(message, "Try again")
        assert await story.stored() == 2

    @settings(ALLOW_GUESTS="true")
    async def test_guests_can_be_let_in(self, story: Story) -> None:
        """With ALLOW_GUESTS a guest texts as everybody does."""
        phone = await story.phone()
        shown = await story.types(f"{phone.address} Hello", by=story.stage.sandbox.person("gus"))

        assert shown.text.startswith("Texting ")
        assert [text.text for text in await phone.received(1)] == ["Hello"]
        assert await trail(story) == []


class TestOtherWorkspaces:
    async def test_somebody_of_another_workspace_is_refused(self, story: Story) -> None:
        """In a channel shared with them: no command, no shortcut and no button does anything for them."""
        eve, told = story.stage.sandbox.person("eve"), EXTERNAL.format(whom=ADMIN)
        shared = Story(story.stage, "C0GLOBEX001")
        message = await failed(shared)
        for typed in ("/text +15550001111 Hello", "/contact list"):
            shown = await eve.types(shared.home, typed)
            assert shown.text.startswith(told), shown.text
            assert typed in shown.text
        await eve.uses_message_shortcut(await story.ana.posts(shared.home, "Call me"), "Text this to…")
        assert await shared.is_told(told, eve) == told
        await eve.clicks(message, "Try again")

        async def refused_there() -> bool:
            seen = await eve.sees_thread(shared.home, message.raw["thread_ts"])
            return [one.text for one in seen if one.ephemeral] == [told]

        await story.stage.sandbox.until(refused_there)
        assert await story.stored() == 1
        assert {(who, why) for who, _, why, _ in await trail(story)} == {(EVE, "not_permitted:external")}

    @settings(ALLOW_EXTERNAL="true")
    async def test_they_can_be_let_in_and_the_people_they_text_are_ours(self, story: Story) -> None:
        """With ALLOW_EXTERNAL theirs is a text of our workspace: the same person has one thread."""
        shared = Story(story.stage, "C0GLOBEX001")
        phone = await story.phone()
        assert (await shared.types(f"{phone.address} One")).text.startswith("Texting ")
        shown = await shared.types(f"{phone.address} Two", by=story.stage.sandbox.person("eve"))
        assert shown.text.startswith("Texting "), shown.text

        assert [text.text for text in await phone.received(2)] == ["One", "Two"]
        async with story.stage.app.pool.connection() as connection:
            cursor = await connection.execute("SELECT team_id FROM people WHERE address = %s", (phone.address,))
            assert await cursor.fetchall() == [(story.stage.app.slack.identity["team_id"],)]


class TestLists:
    @pytest.mark.usefixtures("asks_each_time")
    @settings(TEXT_GROUPS=SUPPORT_TEAM, TEXT_ADMINS=ANA)
    async def test_a_group_changes_midway(self, story: Story) -> None:
        """Whoever is taken out of it is refused from then on, also in a form that is open; and let in again."""
        ben, sandbox, phone = story.stage.ben, story.stage.sandbox, await story.phone()
        assert (await story.types(f"{phone.address} One", by=ben)).text.startswith("Texting ")
        await story.types("", by=ben)
        await sees_form(story, ben)
        await ben.suggestions("To", phone.address)
        await ben.fills("To", phone.address)
        await ben.fills("Message", "Two")

        await sandbox.changes_group(SUPPORT_TEAM, members=["gus"])
        refused = await ben.submits()
        told = UNLISTED.format(whom="Ana Alvarez").removeprefix("⚠️ ")
        assert (refused.outcome, refused.reason) == ("errors", None)
        assert refused.modal is not None
        assert refused.modal.errors == {"Message": told}
        assert (await ben.suggestions("To", phone.address)).options == []
        shown = await story.types(f"{phone.address} Two", by=ben)
        assert shown.text.startswith(f"⚠️ {told}")
        assert await story.stored() == 1

        await sandbox.changes_group(SUPPORT_TEAM, members=["ben"])
        assert (await ben.submits()).outcome == "closed"
        assert [text.text for text in await phone.received(2)] == ["One", "Two"]
        assert {row[:3] for row in await trail(story)} == {(BEN, "refusal", "not_permitted:unlisted")}

    @pytest.mark.usefixtures("asks_each_time")
    @settings(TEXT_USERS=BEN)
    async def test_an_admin_is_one_no_longer_midway(self, story: Story) -> None:
        """Slack's admins need no list; whoever is none any more needs to be on it."""
        phone = await story.phone()
        assert (await story.types(f"{phone.address} One")).text.startswith("Texting ")
        await story.stage.sandbox.changes_person("ana", is_admin=False)
        shown = await story.types(f"{phone.address} Two")

        assert shown.text.startswith(UNLISTED.format(whom=ADMIN)), shown.text
        assert (await story.types(f"{phone.address} Three", by=story.stage.ben)).text.startswith("Texting ")
        assert [text.text for text in await phone.received(2)] == ["One", "Three"]

    @pytest.mark.usefixtures("asks_each_time")
    async def test_a_member_becomes_a_guest_midway(self, story: Story) -> None:
        """What they have in front of them does nothing any more: no suggestions, and the words stay in the form."""
        ben, phone = story.stage.ben, await story.knows("Mia Lopez")
        await story.types("Mia", by=ben)
        await sees_form(story, ben)
        await ben.fills("Message", "Hello")
        assert (await ben.suggestions("To", "mia")).options != []

        await story.stage.sandbox.changes_person("ben", is_guest=True)
        assert (await ben.suggestions("To", "mia")).options == []
        assert (await ben.submits()).outcome == "errors"
        assert await phone.received() == []
        assert await story.stored() == 0


class TestChannels:
    @settings(TEXT_CHANNELS=SUPPORT)
    async def test_texts_go_from_the_channels_of_the_rule(self, story: Story) -> None:
        """Elsewhere a text is refused, and a form with a thread elsewhere; what sends nothing works anywhere."""
        told, phone = ELSEWHERE.format(whom=ADMIN), await story.knows("Mia Lopez")
        for typed in (f"/text {phone.address} Hello", "/text Mia Hello", "/text"):
            shown = await story.ana.types(story.home, typed)
            assert shown.text.startswith(told), shown.text
        assert (await story.ana.types(story.home, "/text help")).text.startswith("Text someone without")
        assert "Mia Lopez" in (await story.ana.types(story.home, "/contact list")).text
        assert await story.ana.modal() is None

        await story.ana.uses_shortcut("New text")
        await sees_form(story, story.ana)
        await story.ana.suggestions("To", "mia")
        await story.ana.fills("To", phone.address)
        await story.ana.fills("Message", "Hello")
        await story.ana.fills("Where the thread lives", story.home)
        refused = await story.ana.submits()
        assert (refused.outcome, refused.reason) == ("errors", None)
        assert refused.modal is not None
        assert refused.modal.errors == {"Where the thread lives": told.removeprefix("⚠️ ")}
        await story.ana.fills("Where the thread lives", "#support")
        assert (await story.ana.submits()).outcome == "closed"
        assert [text.text for text in await phone.received(1)] == ["Hello"]
        assert {row[2:] for row in await trail(story)} == {("not_permitted:elsewhere", story.home)}


async def forget_people(sandbox: Sandbox, **how: Any) -> None:
    """From now on Slack tells nothing of people; everything else goes on."""
    how = how or {"kind": Kind.DROP_BEFORE}
    await sandbox.order(vendor="slack", where="users.*", times=None, **how)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"kind": Kind.DROP_BEFORE}, id="no answer"),
        pytest.param({"kind": Kind.LATENCY, "seconds": 60}, id="a late answer"),
        pytest.param({"kind": Kind.STATUS, "status": 429, "retry_after": 1}, id="busy"),
    ],
)
async def test_somebody_never_seen_waits_for_slack(how: dict[str, Any], transport: str, database_url: str) -> None:
    """They may be a guest: they are told in time to try again, with their words, and do."""
    async with Sandbox.start() as sandbox:
        await forget_people(sandbox, **how)
        async with bot_beside(sandbox, database_url, transport=transport) as app:
            story = Story(Stage(sandbox, app, transport), SUPPORT)
            phone = await story.phone()
            shown = await story.types(f"{phone.address} Hello")
            assert shown.text.startswith(UNKNOWN), shown.text
            assert f"/text {phone.address} Hello" in shown.text
            await sandbox.calm()

            async def let_in() -> bool:
                return (await story.types(f"{phone.address} Hello")).text.startswith("Texting ")

            await sandbox.until(let_in)
            assert [text.text for text in await phone.received(1)] == ["Hello"]
            assert {row[2] for row in await trail(story)} == {"not_permitted:unknown"}


@pytest.mark.usefixtures("asks_each_time")
async def test_somebody_known_goes_on_without_slack(story: Story) -> None:
    """What Slack said of them last counts, while it says nothing."""
    phone = await story.phone()
    await forget_people(story.stage.sandbox)
    gus = story.stage.sandbox.person("gus")
    assert (await story.types(f"{phone.address} Hello")).text.startswith("Texting ")
    assert (await story.types(f"{phone.address} Hello", by=gus)).text.startswith(GUEST.format(whom=ADMIN))
    assert [text.text for text in await phone.received(1)] == ["Hello"]


async def test_every_text_is_on_record(story: Story) -> None:
    """Who sent it, to whom, when and from where; and none of its words."""
    phone = await story.phone()
    shown = await story.types(f"{phone.address} zebra", by=story.stage.ben)
    assert shown.text.startswith("Texting "), shown.text
    async with story.stage.app.pool.connection() as connection:
        [entry] = [entry async for entry in read_trail(connection, since=timedelta(hours=1))]
        assert (entry.user_id, entry.action, entry.conversation_id) == (BEN, "send", story.home)
        cursor = await connection.execute(
            "SELECT p.address, d.requested_at FROM deliveries d, people p WHERE d.id = %s AND p.id = %s",
            (entry.delivery_id, entry.person_id),
        )
        assert await cursor.fetchall() == [(phone.address, entry.at)]
        cursor = await connection.execute("SELECT audit::text FROM audit")
        assert "zebra" not in str(await cursor.fetchall())


async def actions(story: Story) -> list[tuple[str, str, str | None]]:
    """Who did what to whom, as it is on record: in its order, with the person's address."""
    async with story.stage.app.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT a.user_id, a.action, p.address FROM audit a LEFT JOIN threads t ON t.id = a.thread_id"
            " LEFT JOIN people p ON p.id = coalesce(a.person_id, t.person_id) ORDER BY a.id"
        )
        return await cursor.fetchall()


async def test_what_becomes_of_a_failed_text_is_on_record(story: Story) -> None:
    """Who sent it again, and who edited it."""
    ben, message = story.stage.ben, await failed(story)
    await ben.clicks(message, "Try again")
    assert [row[:2] for row in await actions(story)] == [(ANA, "send"), (BEN, "send"), (BEN, "again")]

    other = await failed(story, status=400)
    await ben.clicks(other, "Edit and send")
    await sees_form(story, ben, "Edit and send")
    await ben.fills("Message", "Good morning")
    assert (await ben.submits()).outcome == "closed"
    assert [row[:2] for row in await actions(story)][3:] == [(ANA, "send"), (BEN, "send"), (BEN, "edit")]


async def test_a_text_to_somebody_who_opted_out_is_on_record(story: Story) -> None:
    """Who tried, and to whom."""
    phone = await story.phone()
    await story.types(f"{phone.address} Hello")
    async with story.stage.app.pool.connection() as connection:
        await connection.execute("UPDATE people SET opted_out_since = now()")
    shown = await story.types(f"{phone.address} Hello again", by=story.stage.ben)

    assert "opted out" in shown.text
    assert await actions(story) == [(ANA, "send", phone.address), (BEN, "refusal", phone.address)]
    assert [row[2] for row in await trail(story)] == ["opted_out"]
