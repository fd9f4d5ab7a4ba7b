"""The picture, drawn for real: it holds whatever there is to say, and the process that draws it may fail."""

import ast
import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from bot.report import figures, picture, words
from bot.report.drawing import NotDrawn, draw
from bot.report.figures import REASONS, ChannelFigures, Figures, Pace, Share, Totals, Way
from bot.texting.model import Channel

NOTHING = Share(0, 0)
UNKNOWN = Pace(None, None)
WEEK = Figures(
    first=date(2026, 11, 14),
    last=date(2026, 11, 20),
    totals=Totals(74, 31, Share(50, 52), Share(30, 49), Pace(3.2, 11)),
    before=Totals(70, 30, Share(50, 52), Share(30, 49), Pace(3.6, 12)),
    daily=tuple({Way.IMESSAGE: 7, Way.SMS: 2, Way.FAILED: 1, Way.UNDER_WAY: 1} for _ in range(7)),
    expected={Channel.IMESSAGE: {Way.IMESSAGE: 49, Way.SMS: 14, Way.FAILED: 7, Way.UNDER_WAY: 7}},
    channels={Channel.IMESSAGE: ChannelFigures(Share(50, 52), Share(30, 49), Pace(3.2, 11))},
    failures=(("line_offline", 4), ("not_sent", 3)),
)
QUIET = replace(WEEK, daily=tuple({} for _ in range(30)), before=None)

EXTREMES = {
    "a week": WEEK,
    "a single text": replace(
        QUIET,
        totals=Totals(1, 1, Share(1, 1), Share(0, 1), Pace(2, 2)),
        daily=(*QUIET.daily[1:], {Way.IMESSAGE: 1}),
        expected={Channel.IMESSAGE: {Way.IMESSAGE: 1}},
        failures=(),
    ),
    "only failures": replace(
        QUIET,
        totals=Totals(12, 4, NOTHING, NOTHING, UNKNOWN),
        daily=(*QUIET.daily[1:], {Way.FAILED: 12}),
        expected={None: {Way.FAILED: 12}},
        channels={},
        failures=(("disconnected", 12),),
    ),
    "100,000 texts a day": replace(
        WEEK,
        totals=Totals(100_000 * 30, 1_234_567, Share(97, 100), Share(1, 3), Pace(100_000, 300_000)),
        before=Totals(12, 5, Share(999, 1000), Share(1, 3), Pace(100_000, 300_000)),
        daily=tuple(dict.fromkeys(Way, 14_286) for _ in range(30)),
        expected=dict.fromkeys((*Channel, None), dict.fromkeys(Way, 123_456)),
        channels=dict.fromkeys(Channel, ChannelFigures(Share(999, 1000), Share(1, 1), Pace(100_000, 300_000))),
        failures=tuple((code, 100_000 - number) for number, code in enumerate(REASONS)),
    ),
}


@pytest.fixture(scope="module", params=EXTREMES.values(), ids=EXTREMES)
def drawn(request: pytest.FixtureRequest) -> bytes:
    return picture.picture(request.param)


def test_it_fits_into_slack(drawn):
    """It is as wide as Slack shows it, sharp on every screen, and a small file."""
    page = Image.open(BytesIO(drawn))
    assert (page.format, page.width) == ("PNG", 1600)
    assert 1000 < page.height < 2200
    assert len(drawn) < 150_000


def test_nothing_runs_over_its_edges(drawn):
    """The margins are empty, whatever the figures are, and the middle is not."""
    page = Image.open(BytesIO(drawn)).convert("RGB")
    edge = 60
    margins = [
        (0, 0, edge, page.height),
        (page.width - edge, 0, page.width, page.height),
        (0, 0, page.width, 40),
        (0, page.height - 20, page.width, page.height),
    ]
    assert [_is_empty(page.crop(box)) for box in margins] == [True] * 4
    assert not _is_empty(page)


def test_the_two_columns_do_not_touch(drawn):
    """Between the tables on the left and the bars on the right nothing is written."""
    page = Image.open(BytesIO(drawn)).convert("RGB")
    middle = picture.MARGIN + picture.COLUMN + picture.GAP // 2
    above_the_footer = (middle - 20, page.height - 370, middle + 20, page.height - 90)
    assert _is_empty(page.crop(above_the_footer))


def _is_empty(part: Image.Image) -> bool:
    return ImageChops.difference(part, Image.new("RGB", part.size, picture.PAPER)).getbbox() is None


def test_days_are_as_high_as_their_texts():
    """The bars stand in the proportion of the counts, in the colours of the ways."""
    days = ({Way.IMESSAGE: 10}, {Way.IMESSAGE: 5}, {Way.SMS: 10}, {}, {}, {}, {})
    page = Image.open(BytesIO(picture.picture(replace(WEEK, daily=days)))).convert("RGB")
    slot = (picture.WIDTH - 2 * picture.MARGIN) / 7

    # Only above the tables, and not in the dots of the legend: those are above the first line of the axis.
    def height(day: int, way: Way) -> int:
        x = int(picture.WIDTH - picture.MARGIN - (6.5 - day) * (slot - 8))
        colour = tuple(int(picture.COLOURS[way][at : at + 2], 16) for at in (1, 3, 5))
        return sum(page.getpixel((x, y)) == colour for y in range(480, 900))

    tall = height(0, Way.IMESSAGE)
    assert tall > 150
    assert height(1, Way.IMESSAGE) == pytest.approx(tall / 2, abs=3)
    assert height(2, Way.SMS) == pytest.approx(tall, abs=3)
    assert height(2, Way.IMESSAGE) == height(4, Way.SMS) == 0


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (7, [0, 5, 10]), (12, [0, 5, 10, 15]), (75, [0, 25, 50, 75]),
        (101, [0, 50, 100, 150]), (90_000, [0, 50_000, 100_000]),
    ],
)  # fmt: skip
def test_the_axis_has_round_numbers(most, ticks):
    """Few whole numbers that people count in, the last at or above the highest bar."""
    assert picture._ticks(most) == ticks


def test_the_typeface_has_every_character():
    """Pillow's typeface has few: what the picture says needs no other. Otherwise it would say ▯."""
    missing = bytes(picture._font(40).getmask("\uffff"))
    for module in (picture, words, figures):
        for character in _characters(Path(module.__file__)) - {"\n"}:
            assert bytes(picture._font(40).getmask(character)) != missing, (module.__name__, character)


def _characters(path: Path) -> set[str]:
    """All characters in a module's strings, without its docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    with_docstring = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, with_docstring)}
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {character for string in strings - docstrings for character in string}


def _hangs(folder: Path) -> str:
    """Make a program that never ends and leaves its process id in `pid`."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\necho $$ > {folder}/pid.new\nmv {folder}/pid.new {folder}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    return str(program)


def _lives(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


class TestProcess:
    async def test_another_process_draws_the_same(self) -> None:
        """What comes out is the picture of these figures."""
        assert await draw(WEEK) == picture.picture(WEEK)

    async def test_it_draws_wherever_the_bot_was_started(self, tmp_path: Path, monkeypatch) -> None:
        """The bot's own folder does not matter."""
        monkeypatch.chdir(tmp_path)
        assert (await draw(WEEK)).startswith(b"\x89PNG")

    async def test_figures_that_cannot_be_drawn_are_an_error(self) -> None:
        """A crash in the other process is told with its last line."""
        with pytest.raises(NotDrawn, match=r"exit status 1: ValueError"):
            await draw(replace(WEEK, daily=()))

    async def test_no_process_is_an_error(self) -> None:
        """So is one that does not start."""
        with pytest.raises(NotDrawn, match="FileNotFoundError"):
            await draw(WEEK, python="/nowhere/python")

    async def test_a_process_that_hangs_is_ended(self, tmp_path: Path) -> None:
        """It is not waited for longer than allowed, and does not live on."""
        with pytest.raises(NotDrawn, match=r"not within 0\.5 s"):
            await draw(WEEK, within=0.5, python=_hangs(tmp_path))
        assert not _lives(tmp_path)

    async def test_a_bot_that_stops_ends_it(self, tmp_path: Path) -> None:
        """A drawing that is cancelled leaves no process."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await draw(WEEK, python=_hangs(tmp_path))
        assert not _lives(tmp_path)

    def test_the_bot_never_loads_what_draws(self) -> None:
        """Pillow's memory belongs to a process that ends."""
        code = "import sys, bot.__main__, bot.app, bot.report.service; sys.exit('PIL' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
