"""`/text report`, from the words typed to the picture in the channel."""

import asyncio
import csv
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from zoneinfo import ZoneInfo

import psycopg
import pytest
import pytest_asyncio
from PIL import Image

from bench.history import history, write
from bot.report.drawing import NotDrawn
from bot.report.figures import Figures, last_days
from bot.report.service import Asked, Reports
from bot.report.words import summary
from bot.storage.record import Record
from sandbox.slack.driver import Message
from tests.acceptance.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMPLETE = "files.completeUploadExternal"

_names = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def past(shared_stage: Stage, shared_database_url: str) -> Stage:
    """A stage on which thirty days of texts lie behind."""
    write(shared_database_url, history(days=31, now=datetime.now(UTC), a_day=12, people=30), people=30)
    return shared_stage


@pytest_asyncio.fixture(loop_scope="module")
async def place(past: Stage) -> str:
    """A channel of the story's own, with the bot in it."""
    name = f"report-{past.transport}-{next(_names)}"
    await past.sandbox.creates_channel(name, members=["ana", "bot"])
    return f"#{name}"


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(past: Stage) -> AsyncIterator[None]:
    """Trouble ends with its story."""
    yield
    await past.sandbox.calm()


async def shared(stage: Stage, where: str, *, timeout: float = 30) -> Message:
    """Wait for a message with a file."""

    async def with_file() -> Message | None:
        return next((message for message in await stage.ana.sees(where) if message.files), None)

    return await stage.sandbox.until(with_file, timeout=timeout)


async def told(stage: Stage, where: str, words: str, *, timeout: float = 30) -> Message:
    """Wait for a message that only she sees and that begins with *words*."""

    async def said() -> Message | None:
        found = [one for one in await stage.ana.sees(where) if one.ephemeral and one.text.startswith(words)]
        return found[0] if found else None

    return await stage.sandbox.until(said, timeout=timeout)


async def counted(stage: Stage, days: int) -> Figures:
    zone = ZoneInfo("America/New_York")  # Ana's
    return await Record(stage.app.pool).figures(last_days(days, now=datetime.now(UTC), zone=zone))


class TestShared:
    async def test_the_picture_comes_to_the_channel(self, past: Stage, place: str) -> None:
        """It is announced at once, and stands there with its figures in words."""
        shown = await past.ana.types(place, "/text report 30d")
        assert shown.text == "Drawing the report for the last 30 days …"

        message = await shared(past, place)

        figures = await counted(past, 30)
        (picture,) = message.files
        assert message.author == "Texting"
        assert "*Texts in the last 30 days*" in message.raw["text"]
        assert f"for <@{past.ana.user_id}>" in message.raw["text"]
        assert summary(figures) in message.text
        assert "/text report 30d csv" in message.text
        assert (picture.name, picture.mimetype) == (f"texts-{figures.first}-to-{figures.last}.png", "image/png")
        assert picture.alt_text.startswith("Texts of the last 30 days, ")
        assert Image.open(BytesIO(await past.ana.downloads(picture))).size[0] == 1600
        assert not [one for one in await past.ana.sees(place) if one.ephemeral and one.text != shown.text]

    async def test_the_days_are_hers(self, past: Stage, place: str) -> None:
        """The last day in the file's name is today, where Ana is."""
        await past.ana.types(place, "/text report")
        profile = await past.app.slack.people.profile(past.ana.user_id, fallback="")
        assert profile.zone == ZoneInfo("America/New_York")
        assert (await shared(past, place)).files[0].name.endswith(f"-to-{datetime.now(profile.zone).date()}.png")

    async def test_the_file_has_a_row_for_each_text(self, past: Stage, place: str) -> None:
        """The spreadsheet is as long as the figures say, and names nobody outside."""
        shown = await past.ana.types(place, "/text report 30d csv")
        assert shown.text == "Writing the report for the last 30 days …"

        (file,) = (await shared(past, place)).files

        written = (await past.ana.downloads(file)).decode("utf-8-sig")
        assert file.name.endswith(".csv")
        assert len(list(csv.DictReader(StringIO(written)))) == (await counted(past, 30)).totals.texts > 100
        assert "+1555" not in written

    async def test_it_comes_to_her_messages_with_the_bot(self, past: Stage) -> None:
        """What is asked there is answered there."""
        await past.ana.types("@bot", "/text report 7d")
        message = await shared(past, "@bot")
        assert "Texts in the last 7 days" in message.text

    async def test_a_public_channel_is_joined(self, past: Stage) -> None:
        """The bot needs no invitation where everybody may go."""
        name = f"public-{past.transport}"
        await past.sandbox.creates_channel(name, members=["ana"])
        await past.ana.types(f"#{name}", "/text report")
        assert (await shared(past, f"#{name}")).files

    @pytest.mark.parametrize("where", ["private", "direct"])
    async def test_where_the_bot_cannot_be_it_goes_to_her_messages(self, past: Stage, where: str) -> None:
        """It is not lost, nobody else gets it, and she is told where to look."""
        place = "@ben"
        if where == "private":
            place = f"#secret-{past.transport}"
            await past.sandbox.creates_channel(place[1:], members=["ana"], private=True)
        before = {one.ts for one in await past.ana.sees("@bot")}

        await past.ana.types(place, "/text report csv")

        await told(past, place, "I cannot share files here, so the report is in your messages with me.")

        async def arrived() -> list[Message] | None:
            new = [one for one in await past.ana.sees("@bot") if one.ts not in before]
            return new if new and new[-1].files else None

        reason, message = await past.sandbox.until(arrived)
        assert reason.text.startswith("Here is the report you asked for.")
        assert message.files[0].name.endswith(".csv")
        assert not [one for one in await past.ana.sees(place) if one.files]

    async def test_a_repeated_request_is_one_report(self, past: Stage, place: str) -> None:
        """Slack delivers twice what it is unsure of."""
        await past.sandbox.order(vendor="slack", where="deliver:slash_commands", kind="double")
        await past.ana.types(place, "/text report")
        await shared(past, place)
        await asyncio.sleep(0.5)
        assert len([one for one in await past.ana.sees(place) if one.files]) == 1


class TestNotShared:
    @pytest.mark.parametrize("typed", ["report 90d", "report 30d pdf", "report for Ana"])
    async def test_what_it_does_not_know_is_explained(self, past: Stage, place: str, typed: str) -> None:
        """Nothing is drawn, and what works is said."""
        shown = await past.ana.types(place, f"/text {typed}")
        assert "What works: report, report 30d, report csv, report 30d csv." in shown.text
        assert f"/text {typed}" in shown.text

    async def test_nothing_to_report_is_a_sentence(self, past: Stage, place: str) -> None:
        """An empty picture would say less."""
        async with past.app.pool.connection() as connection:
            await connection.execute("UPDATE deliveries SET requested_at = requested_at - interval '90 days'")
        try:
            await past.ana.types(place, "/text report")
            message = await told(past, place, "No texts in the last 7 days.")
            assert "/text report 30d looks further back" in message.text
            assert not [one for one in await past.ana.sees(place) if one.files]
        finally:
            async with past.app.pool.connection() as connection:
                await connection.execute("UPDATE deliveries SET requested_at = requested_at + interval '90 days'")

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            ("missing_scope", "I may not share files in this workspace yet. An admin has to install the app again"),
            ("storage_limit_reached", "Slack did not take the report (storage_limit_reached)."),
        ],
    )
    async def test_a_refusal_is_told(self, past: Stage, place: str, error: str, words: str) -> None:
        """Whoever asked learns what Slack said, and who can do something about it."""
        refusal = {"ok": False, "error": error}
        await past.sandbox.order(
            vendor="slack", where="files.getUploadURLExternal", kind="status", status=200, body=refusal
        )
        await past.ana.types(place, "/text report")
        await told(past, place, words)

    async def test_a_busy_slack_is_waited_for(self, past: Stage, place: str) -> None:
        """It takes as long as Slack says, and then it is there, once."""
        for where in ("files.getUploadURLExternal", COMPLETE):
            await past.sandbox.order(vendor="slack", where=where, kind="status", status=429, retry_after=1)
        await past.ana.types(place, "/text report")
        await shared(past, place)
        assert len([one for one in await past.ana.sees(place) if one.files]) == 1

    async def test_an_upload_that_is_lost_is_made_again(self, past: Stage, place: str) -> None:
        """What nobody has seen can be sent twice."""
        await past.sandbox.order(vendor="slack", where="upload_url", kind="drop_before")
        await past.ana.types(place, "/text report")
        assert (await shared(past, place)).files

    async def test_what_may_have_been_shared_is_not_shared_again(self, past: Stage, place: str) -> None:
        """The answer is lost, the report is there: she is told to look."""
        await past.sandbox.order(vendor="slack", where=COMPLETE, kind="drop_after")
        await past.ana.types(place, "/text report")
        await told(past, place, "Slack did not answer, so the report may be missing.")
        assert len([one for one in await past.ana.sees(place) if one.files]) == 1

    async def test_a_database_that_is_away_is_told(self, past: Stage, place: str, shared_database_url: str) -> None:
        """The figures cannot be had; she does not wait for them."""
        async with await psycopg.AsyncConnection.connect(shared_database_url, autocommit=True) as other:
            await other.execute("ALTER TABLE deliveries RENAME TO away")
            try:
                await past.ana.types(place, "/text report")
                await told(past, place, "The report could not be counted just now.")
            finally:
                await other.execute("ALTER TABLE away RENAME TO deliveries")


class TestMaking:
    async def test_without_a_picture_there_are_words(self, past: Stage, place: str) -> None:
        """A report that cannot be drawn is told in sentences."""

        async def broken(figures: Figures) -> bytes:
            raise NotDrawn("not today")

        async with Reports(record=Record(past.app.pool), slack=past.app.slack, draw=broken).open() as reports:
            reports.make(await _asked(past, place))
            await told(past, place, "The picture could not be drawn. In words:")

    async def test_a_bug_is_told_too(self, past: Stage, place: str, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever happens, she learns that it came to nothing, and where to look."""

        async def broken(figures: Figures) -> bytes:
            raise ZeroDivisionError

        async with Reports(record=Record(past.app.pool), slack=past.app.slack, draw=broken).open() as reports:
            reports.make(await _asked(past, place))
            message = await told(past, place, "Something went wrong with the report.")
        reference = message.text.rstrip(".").rpartition(" ")[2]
        assert f"report_failed reference={reference}" in caplog.text

    async def test_a_report_under_way_is_finished_before_the_end(self, past: Stage, place: str) -> None:
        """A bot that stops shares what it has begun."""
        async with Reports(record=Record(past.app.pool), slack=past.app.slack).open() as reports:
            reports.make(await _asked(past, place))
        assert (await shared(past, place)).files

    async def test_a_report_that_takes_too_long_is_given_up_in_words(self, past: Stage, place: str) -> None:
        """She is told to ask again, and the bot stops all the same."""

        async def slow(figures: Figures) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

        reports = Reports(record=Record(past.app.pool), slack=past.app.slack, draw=slow)
        async with reports.open(grace_seconds=0.5):
            reports.make(await _asked(past, place))
        await told(past, place, "I was restarted before the report was ready.")


async def _asked(stage: Stage, place: str) -> Asked:
    """Ask for a report that is not the running bot's to make: with the address to answer to of another command."""
    await stage.ana.types(place, "/text help")
    delivered = (await stage.sandbox.exchanges(vendor="slack", name="deliver:slash_commands"))[-1]["body"]
    command = delivered.get("payload") or delivered  # an envelope of the socket, or a form
    return Asked(
        user_id=command["user_id"],
        conversation_id=command["channel_id"],
        response_url=command["response_url"],
        days=7,
        csv=False,
    )
