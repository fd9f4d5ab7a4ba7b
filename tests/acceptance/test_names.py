"""`/text` with a name: who gets the text, and what is asked when that is not clear."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from sandbox.slack.driver import Message
from tests.acceptance.people import Story, new_story, pretty, until_read
from tests.acceptance.stage import Stage, buttons, over_one_transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = "Several people may be meant. Nothing was sent yet: who gets it?"
ONE_AT_A_TIME = "A text goes to one person at a time."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(shared_stage: Stage) -> Stage:
    await until_read(shared_stage)
    return shared_stage


@pytest_asyncio.fixture(loop_scope="module")
async def story(library: Stage) -> AsyncIterator[Story]:
    yield await new_story(library)
    await library.sandbox.calm()


def choices(message: Message | None) -> list[str]:
    """What the buttons beside people read."""
    assert message is not None
    return [block["accessory"]["text"]["text"] for block in message.blocks if "accessory" in block]


class TestOnePerson:
    @pytest.mark.parametrize(
        ("name", "typed", "body"),
        [
            pytest.param("Mia Lopez", "mia hello there", "hello there", id="a first name"),
            pytest.param("Mia Lopez", "Lopez hello", "hello", id="a last name"),
            pytest.param("Mia Lopez", "Mia Lopez hello", "hello", id="both"),
            pytest.param("Mia Lopez", '"Mia Lopez" hello', "hello", id="both in quotes"),
            pytest.param("Mia Lopez", "Mia Lopez: hello", "hello", id="a colon"),
            pytest.param("Mia Lopez", "Mia, hello", "hello", id="a comma"),
            pytest.param("Mia Lopez", "mia thanks a lot, see you", "thanks a lot, see you", id="a comma later"),
            pytest.param("Mia Lopez", "Mia, will you come?", "will you come?", id="a question"),
            pytest.param("Mary Ann Smith", "Mary Ann hello", "hello", id="a first name of two words"),
            pytest.param("José Müller", "jose muller hola", "hola", id="without its accents"),
            pytest.param("王小明", "王小明 您好", "您好", id="Chinese"),
            pytest.param("محمد العلي", "محمد مرحبا", "مرحبا", id="Arabic"),
            pytest.param("help", '"help" me', "me", id="the name of a command"),
            pytest.param("Zoë & Co", '"Zoë & Co" 5 < 6', "5 < 6", id="what Slack escapes"),
        ],
    )
    async def test_is_texted(self, story: Story, name: str, typed: str, body: str) -> None:
        """Who has a number can be texted by name, whichever part is typed, and is called by it."""
        phone = await story.knows(name)
        shown = await story.types(typed)
        assert (shown.text, shown.error) == (f"Texting {name}.", None)
        assert [text.text for text in await phone.received(1)] == [body]

    async def test_the_whole_name_counts_more_than_a_part(self, story: Story) -> None:
        """Somebody is called Jane Roe, and somebody else Jane Roe Smith: the first was named."""
        await story.knows("Jane Roe Smith")
        jane = await story.knows("Jane Roe")
        await story.types("Jane Roe hello")
        assert [text.text for text in await jane.received(1)] == ["hello"]

    async def test_a_delivery_of_the_command_that_comes_twice(self, story: Story) -> None:
        """It is one text, as with a number."""
        phone = await story.knows("Mia Lopez")
        await story.stage.sandbox.order(vendor="slack", where="deliver:slash_commands", kind="double")
        await story.types("Mia hello")
        await story.types("Mia bye")
        assert [text.text for text in await phone.received(2)] == ["hello", "bye"]


class TestSeveral:
    async def test_are_asked_about_and_one_is_texted(self, story: Story) -> None:
        """Only who asked sees the question; the words are kept, and whose button is pressed gets them."""
        await story.knows("Mia Lopez")
        mia = await story.knows("Mia Wong")
        shown = await story.types("mia see you at *10* & later")
        assert shown.text.startswith(ASKED)
        assert f"Mia Wong · {pretty(mia)}" in shown.text
        assert shown.text.endswith("You typed:\n/text mia see you at *10* & later")
        assert sorted(choices(shown.message)) == ["Text Mia Lopez", "Text Mia Wong"]
        assert await story.told(story.stage.ben) == []
        before = await story.stored()

        assert shown.message is not None
        assert (await story.ana.clicks(shown.message, "Text Mia Wong")).error is None
        assert (await mia.received(1))[0].text == "see you at *10* & later"
        assert await story.is_told("Texting Mia Wong.")
        assert await story.stored() == before + 1

    async def test_two_buttons_are_one_text(self, story: Story) -> None:
        """Pressed at once, twice, or after one another: the first that arrives counts."""
        first, second = await story.knows("Mia Lopez"), await story.knows("Mia Wong")
        question = (await story.types("mia hello")).message
        assert question is not None
        before = await story.stored()
        clicks = ["Text Mia Lopez", "Text Mia Wong"] * 2
        await asyncio.gather(*(story.ana.clicks(question, what) for what in clicks))

        async def texts() -> int:
            return len(await first.received()) + len(await second.received())

        assert await story.stage.sandbox.until(texts) == 1
        assert await story.stored() == before + 1

    async def test_another_button_later(self, story: Story) -> None:
        """The question may still stand in another window."""
        mia = await story.knows("Mia Lopez")
        await story.knows("Mia Wong")
        question = (await story.types("mia hello")).message
        assert question is not None
        await story.stage.sandbox.order(vendor="slack", where="response_url", kind="status", status=500)
        await story.ana.clicks(question, "Text Mia Lopez")
        await mia.received(1)
        before = await story.stored()
        question = next(one for one in await story.ana.sees(story.home) if choices(one))
        await story.ana.clicks(question, "Text Mia Wong")

        async def said() -> bool:
            return "You chose Mia Lopez for this message already. Nothing more was sent." in await story.told()

        await story.stage.sandbox.until(said)  # where the question stood
        assert await story.stored() == before

    async def test_a_name_that_may_end_in_two_places(self, story: Story) -> None:
        """Each button says what its person would get to read."""
        await story.knows("Mia")
        mia = await story.knows("Mia Bell")
        shown = await story.types("Mia Bell hello")
        assert "“hello”" in shown.text
        assert "“Bell hello”" in shown.text
        assert shown.message is not None
        await story.ana.clicks(shown.message, "Text Mia Bell")
        assert (await mia.received(1))[0].text == "hello"

    async def test_more_than_can_be_shown(self, story: Story) -> None:
        """Five are, and it is said that there are more."""
        for number in range(7):
            await story.knows(f"Mia {chr(65 + number)}")
        shown = await story.types("mia hello")
        assert len(choices(shown.message)) == 5
        assert "There are more. Write more of the name, in quotes, or use a number." in shown.text

    async def test_without_a_message_the_form_opens(self, story: Story) -> None:
        """Who is asked first whom they mean writes the message then."""
        await story.knows("Mia Lopez")
        await story.knows("Mia Wong")
        shown = await story.types("mia")
        assert shown.message is not None
        await story.ana.clicks(shown.message, "Text Mia Wong")
        form = await story.stage.sandbox.until(story.ana.modal)
        assert form["To"].value.startswith("Mia Wong · ")
        await story.ana.closes()

    @over_one_transport
    async def test_names_of_any_kind_fit(self, story: Story) -> None:
        """255 characters, right to left, emoji, tags in plenty and a message of 2,000: Slack takes the question."""
        for name in ("Mia " + "x" * 251, "Mia " + "م" * 251, "Mia " + "👩‍👩‍👧" * 50, "Mia <!channel> *b*", "Mia\n&"):
            await story.knows(name, tags=tuple(f"tag {number}" for number in range(100)))
        shown = await story.types("mia " + "x" * 2000)
        assert shown.error is None
        assert len(choices(shown.message)) == 5
        assert "@channel" not in shown.text

    @over_one_transport
    async def test_the_question_is_somebody_elses(self, story: Story) -> None:
        """What a button says comes from the client: another person's draft, another number, or none is refused."""
        await story.knows("Mia Lopez")
        await story.knows("Mia Wong")
        await story.types("mia hello", by=story.stage.ben)
        async with story.stage.app.pool.connection() as connection:
            [(draft_id,)] = await (await connection.execute("SELECT id FROM drafts")).fetchall()
        before = await story.stored()
        for value in (f"{draft_id}:0", f"{draft_id}:7", f"{draft_id}:x", "x:0", "", f"{draft_id}:-1"):
            button = {
                "type": "button",
                "text": {"type": "plain_text", "text": "Text"},
                "action_id": "text_named",
                "value": value or " ",
            }
            payload = {"text": "forged", "blocks": [{"type": "actions", "elements": [button]}]}
            _, ts = await story.stage.app.slack.post(story.home, payload, key=value)
            [forged] = [one for one in await story.ana.sees(story.home) if one.ts == ts]
            assert (await story.ana.clicks(forged, "Text")).error is None
            await story.is_told("⚠️ These buttons are too old, or somebody else's.")
        assert await story.stored() == before

    @over_one_transport
    async def test_a_database_that_is_away(self, story: Story) -> None:
        """Nothing is sent, the person is told in time, and the next click works."""
        await story.knows("Mia Lopez")
        mia = await story.knows("Mia Wong")
        question = (await story.types("mia hello")).message
        assert question is not None
        async with await psycopg.AsyncConnection.connect(story.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE drafts")
            assert (await story.ana.clicks(question, "Text Mia Wong")).error is None
            await story.is_told("⚠️ We could not look up what you typed. Try again in a minute.")
        await story.ana.clicks(question, "Text Mia Wong")
        assert len(await mia.received(1)) == 1


class TestNobody:
    async def test_is_said_with_the_words_given_back(self, story: Story) -> None:
        """Only who asked sees it."""
        await story.knows("Mia Lopez")
        before = await story.stored()
        shown = await story.types("Zed Zander hello")
        words = "⚠️ Nobody is called “Zed Zander”. Add them, or use a phone number or an email address."
        assert shown.text.startswith(f"{words}\nYou typed:\n/text Zed Zander hello")
        assert shown.message is not None
        assert buttons(shown.message) == ["Add contact"]
        assert await story.told(story.stage.ben) == []
        assert await story.stored() == before

    async def test_can_be_added_and_gets_the_message(self, story: Story) -> None:
        """The form has the name, and when they are saved the message can go."""
        await story.knows("Mia Lopez")
        zed = await story.phone()
        shown = await story.types('"Zed Zander" see you & me at 10')
        assert shown.message is not None
        await story.ana.clicks(shown.message, "Add contact")
        form = await story.stage.sandbox.until(story.ana.modal)
        assert form.values["Name"] == "Zed Zander"
        await story.ana.fills("Phone number or email address", zed.address)
        saved = await story.ana.submits()
        assert saved.modal is not None
        assert "Your message: “see you & me at 10”" in saved.modal.text
        before = await story.stored()
        await story.stage.sandbox.order(vendor="slack", where="deliver:interactive", kind="double")
        await story.ana.clicks_in_modal("Text Zed Zander")
        assert [text.text for text in await zed.received(1)] == ["see you & me at 10"]

        async def said() -> bool:
            modal = await story.ana.modal()
            return modal is not None and "Texting Zed Zander." in modal.text

        await story.stage.sandbox.until(said)
        await story.ana.closes()
        assert await story.stored() == before + 1
        shown = await story.types("zed and bye")
        assert shown.text.startswith("Texting Zed Zander.")

    @over_one_transport
    async def test_a_database_that_is_away_when_they_were_added(self, story: Story) -> None:
        """The form says so, keeps its button, and the next click sends."""
        await story.knows("Mia Lopez")
        zed = await story.phone()
        question = (await story.types("Zed hello")).message
        assert question is not None
        await story.ana.clicks(question, "Add contact")
        await story.stage.sandbox.until(story.ana.modal)
        await story.ana.fills("Phone number or email address", zed.address)
        await story.ana.submits()
        async with await psycopg.AsyncConnection.connect(story.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE drafts")
            for _ in range(2):
                assert (await story.ana.clicks_in_modal("Text Zed")).error is None

        async def refused() -> str | None:
            modal = await story.ana.modal()
            return modal.text if modal and "⚠️" in modal.text else None

        said = await story.stage.sandbox.until(refused)
        assert said is not None
        assert said.count("⚠️ We could not look up what you typed. Try again in a minute.") == 1
        await story.ana.clicks_in_modal("Text Zed")
        assert [text.text for text in await zed.received(1)] == ["hello"]
        await story.ana.closes()

    async def test_an_empty_address_book(self, story: Story) -> None:
        """It may not have been read yet: that is said, and what works all the same."""
        shown = await story.types("Mia hello")
        assert shown.text.startswith("⚠️ The address book has no names yet. If we were just started,")
        assert shown.text.endswith("/text Mia hello")

    async def test_a_name_in_quotes_is_not_guessed_at(self, story: Story) -> None:
        """Nor is one before a colon: a slip of the pen must not text somebody else."""
        await story.knows("Mia Lopez")
        for typed in ('"Mia Lopes" hello', "Mia Lopes: hello"):
            assert (await story.types(typed)).text.startswith("⚠️ Nobody is called “Mia Lopes”.")


class TestSlips:
    """Names that are nearly somebody's."""

    @over_one_transport
    @pytest.mark.parametrize("typed", ["Mia Lopes hello", "mia lopes, hello"])
    async def test_a_slip_of_the_pen_is_asked_about(self, story: Story, typed: str) -> None:
        """Nothing is sent before somebody says that she is meant; and her name is no part of the message then."""
        mia = await story.knows("Mia Lopez")
        shown = await story.types(typed)
        assert shown.text.startswith("The name is written differently. Nothing was sent yet: is this who you mean?")
        assert "“hello”" in shown.text
        assert await mia.received() == []
        question = shown.message
        assert question is not None
        await story.ana.clicks(question, "Text Mia Lopez")
        assert [text.text for text in await mia.received(1)] == ["hello"]

    @over_one_transport
    @pytest.mark.parametrize("words", ["do you come?", "Hello there", "Lo", "thanks, see you"])
    async def test_what_is_no_name_is_the_message(self, story: Story, words: str) -> None:
        """A message may begin with any word, and nobody is asked about that."""
        jane = await story.knows("Jane Doe-Lopez")
        assert (await story.types(f"Jane {words}")).text.startswith("Texting Jane Doe-Lopez.")
        assert [text.text for text in await jane.received(1)] == [words]


class TestManyPeople:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("Mia, Leo hello", ONE_AT_A_TIME),
            ("mia, leo: hello", ONE_AT_A_TIME),
            ("Mia and Leo hello", ONE_AT_A_TIME),
            ("Mia & Leo hello", ONE_AT_A_TIME),
            ('"Mia Lopez", "Leo Wong" hello', ONE_AT_A_TIME),
            ("@vip hello", "“@vip” is not one person. Texts go to one person at a time"),
            ("#west hello", "“#west” is not one person. Texts go to one person at a time"),
        ],
    )
    async def test_are_not_texted(self, story: Story, typed: str, words: str) -> None:
        """Neither lists of names nor tags: the words are given back."""
        await story.knows("Mia Lopez", tags=("vip",))
        await story.knows("Leo Wong", tags=("west",))
        before = await story.stored()
        shown = await story.types(typed)
        assert shown.text.startswith(f"⚠️ {words}")
        assert shown.text.endswith(f"/text {typed}")
        assert await story.stored() == before


class TestWhatIsInTheWay:
    async def test_a_message_that_is_too_long(self, story: Story) -> None:
        """It is said by how much, and given back."""
        await story.knows("Mia Lopez")
        shown = await story.types("Mia " + "x" * 2001)
        assert shown.text.startswith("⚠️ The message has 2,001 characters, 1 too many. A text can have 2,000.")

    async def test_a_channel_without_the_bot(self, story: Story) -> None:
        """A name changes nothing about that."""
        await story.knows("Mia Lopez")
        shown = await story.ana.types("#vip", "/text Mia hello")
        assert shown.text.startswith("⚠️ I am not in this channel, so there is nowhere to show the answer.")

    @over_one_transport
    async def test_a_database_that_is_away(self, story: Story) -> None:
        """The answer comes in time, with the words given back."""
        await story.knows("Mia Lopez")
        async with await psycopg.AsyncConnection.connect(story.stage.app.pool.conninfo) as other:
            await other.execute("LOCK TABLE contacts")
            shown = await story.types("Mia hello")
        assert shown.error is None
        assert shown.text.startswith("⚠️ The address book could not be read just now, so nothing was done.")
        assert shown.text.endswith("/text Mia hello")
