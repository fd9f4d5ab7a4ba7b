"""
Draws the report: figures in, a PNG out.

`python -m bot.report.picture` reads figures as JSON and writes the picture; the bot has that done by `drawing.draw`.

Sizes are pixels of the picture, which Slack shows at half of them, so that it is sharp on every screen. The typeface
is Aileron, which comes with Pillow in one weight and with ASCII, `·`, `…` and typographic quotes: what is written here
must not need more. It is emboldened by an outline.
"""

import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from math import ceil, log10

from PIL import Image, ImageDraw, ImageFont

from bot.report import words
from bot.report.figures import ChannelFigures, Figures, Pace, Share, Way
from bot.texting.model import Channel

WIDTH = 1600
MARGIN = 72
CONTENT = WIDTH - 2 * MARGIN
GAP = 88  # between two columns
COLUMN = (CONTENT - GAP) // 2

INK = "#14181f"
SOFT = "#5b6472"
FAINT = "#6c7584"  # for what may be overlooked; still 4.5:1 on white
LINE = "#e6e9ee"
EMPTY = "#b4bbc6"  # where a figure would be
PAPER = "#ffffff"
#: The product's colours, deep enough to stand on white; what did not go out is grey or red.
COLOURS = {
    Way.IMESSAGE: "#2f7cf6",
    Way.RCS: "#8f5bea",
    Way.SMS: "#2fb566",
    Way.UNKNOWN: "#98a2b3",
    Way.UNDER_WAY: "#cbd2dc",
    Way.CANCELLED: "#6b7482",
    Way.FAILED: "#e5484d",
}

_SMOOTH = 2  # shapes are drawn this much larger and then reduced, which makes their edges smooth
_SMALLEST = 5  # of a part of a bar that stands for anything at all
_MOST_REASONS = 5
_DOT = 26  # from a dot to its word
_BETWEEN = 36  # two entries of a legend
_WEEK = 7


def picture(figures: Figures) -> bytes:
    """Draw *figures* as a PNG, as wide as `WIDTH` and as high as there is to say."""
    canvas = _Canvas()
    y = _header(canvas, figures)
    y = _headlines(canvas, figures, y)
    y = _days(canvas, figures, y)
    left = _failures(canvas, figures, _channels(canvas, figures, y))
    right = _expectations(canvas, figures, y)
    return canvas.png(_footer(canvas, max(left, right)))


class _Canvas:
    """Shapes and words to be drawn, once it is known how high the picture is."""

    def __init__(self) -> None:
        self._shapes: list[Callable[[Image.Image], None]] = []
        self._words: list[Callable[[ImageDraw.ImageDraw], None]] = []

    def write(
        self, at: tuple[float, float], text: str, size: int, *, colour: str = INK, bold: bool = False, to: str = "l"
    ) -> None:
        """Write a line whose baseline is at *at*, to the left (`l`), the middle (`m`) or the right (`r`) of it."""
        stroke = size / 64 if bold else 0
        self._words.append(
            lambda ink: ink.text(at, text, fill=colour, font=_font(size), anchor=f"{to}s", stroke_width=stroke)
        )

    def line(self, x: float, y: float, width: float, colour: str = LINE) -> None:
        self.bar((x, y, x + width, y + 2), [(width, colour)], radius=0)

    def dot(self, x: float, y: float, colour: str, size: float = 16) -> None:
        self.bar((x, y - size / 2, x + size, y + size / 2), [(size, colour)], radius=size / 2)

    def bar(
        self,
        box: tuple[float, float, float, float],
        parts: Iterable[tuple[float, str]],
        *,
        radius: float,
        upright: bool = False,
    ) -> None:
        """Draw a bar of *parts* (length, colour) from left to right, or *upright*: from the bottom, round on top."""
        left, top, right, bottom = (round(edge * _SMOOTH) for edge in box)
        width, height = max(right - left, 1), max(bottom - top, 1)
        parts = list(parts)

        def paint(page: Image.Image) -> None:
            body, shape = Image.new("RGB", (width, height), PAPER), Image.new("L", (width, height), 0)
            ink, done = ImageDraw.Draw(body), 0.0
            for length, colour in parts:
                start, done = done, done + length * _SMOOTH
                if upright:
                    ink.rectangle((0, height - round(done), width, height - round(start) - 1), fill=colour)
                else:
                    ink.rectangle((round(start), 0, round(done) - 1, height), fill=colour)
            round_corners = (True, True, not upright, not upright)
            ImageDraw.Draw(shape).rounded_rectangle(
                (0, 0, width - 1, height - 1),
                min(radius * _SMOOTH, width / 2, height / (1 if upright else 2)),
                fill=255,
                corners=round_corners,
            )
            page.paste(body, (left, top), shape)

        self._shapes.append(paint)

    def png(self, height: float) -> bytes:
        page = Image.new("RGB", (WIDTH * _SMOOTH, round(height) * _SMOOTH), PAPER)
        for shape in self._shapes:
            shape(page)
        page = page.reduce(_SMOOTH)
        ink = ImageDraw.Draw(page)
        for word in self._words:
            word(ink)
        written = BytesIO()
        page.quantize(256, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        return written.getvalue()


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _width(text: str, size: int) -> float:
    return _font(size).getlength(text)


def _fitting(text: str, size: int, room: float) -> int:
    """The largest size, up to *size*, at which *text* fits."""
    return min(size, int(size * room / max(_width(text, size), 1)))


def _cut(text: str, size: int, room: float) -> str:
    """*text*, or as much of it as fits."""
    if _width(text, size) <= room:
        return text
    while text and _width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _header(canvas: _Canvas, figures: Figures) -> float:
    canvas.write((MARGIN, 100), f"Texts in the last {figures.days} days", 44, bold=True)
    canvas.write((WIDTH - MARGIN, 100), words.period(figures), 28, colour=SOFT, to="r")
    canvas.line(MARGIN, 136, CONTENT)
    return 136


def _headlines(canvas: _Canvas, figures: Figures, y: float) -> float:
    """The four figures to remember."""
    now, before = figures.totals, figures.before
    earlier = f"the {figures.days} days before"
    more = words.change(now.texts, before.texts) if before else None
    columns = [
        (
            "Texts",
            words.count(now.texts),
            f"to {words.some(now.people, 'person', 'people')}",
            f"{more} {earlier}" if more else "",
        ),
        (
            "Delivered",
            words.percent(now.delivered),
            "of iMessage and RCS",
            _was(words.percent(before.delivered) if before else None, earlier),
        ),
        (
            "Read",
            words.percent(now.read),
            "of delivered iMessages",
            _was(words.percent(before.read) if before else None, earlier),
        ),
        (
            "Time to deliver",
            words.duration(now.pace.median),
            _median(now.pace),
            _was(words.duration(before.pace.median) if before else None, earlier),
        ),
    ]
    gap = 40
    width = (CONTENT + gap) / len(columns)
    large, note_size, small = (
        min(_fitting(column[place] or "", size, width - gap) for column in columns)
        for place, size in ((1, 92), (2, 26), (3, 24))
    )
    for number, (title, value, note, comparison) in enumerate(columns):
        x = MARGIN + number * width
        canvas.write((x, y + 60), title, 28, colour=SOFT)
        if value:
            canvas.write((x - large / 32, y + 154), value, large, bold=True)
        else:
            canvas.bar((x, y + 118, x + 56, y + 126), [(56, EMPTY)], radius=4)
        canvas.write((x, y + 202), note if value else "nothing to measure yet", note_size, colour=SOFT)
        canvas.write((x, y + 238), comparison, small, colour=FAINT)
    bottom = y + (278 if any(comparison for *_, comparison in columns) else 242)
    canvas.line(MARGIN, bottom, CONTENT)
    return bottom


def _median(pace: Pace) -> str:
    median, slow = words.duration(pace.median), words.duration(pace.slow)
    return f"median; 9 in 10 within {slow}" if slow != median else "median"


def _was(earlier_value: str | None, earlier: str) -> str:
    return f"{earlier_value} in {earlier}" if earlier_value else ""


def _days(canvas: _Canvas, figures: Figures, y: float) -> float:
    """A bar for each day, in the colours of what became of its texts."""
    title = "Texts per day"
    canvas.write((MARGIN, y + 68), title, 32, bold=True)
    beside = CONTENT - _width(title, 32) - 72
    if (wide := _legend_width(figures.ways, 26)) <= beside:
        top = _legend(canvas, figures.ways, (WIDTH - MARGIN - wide, y + 68), wide) + 52
    else:
        top = _legend(canvas, figures.ways, (MARGIN, y + 116), CONTENT) + 48
    height = 280
    ticks = _ticks(max(sum(day.values()) for day in figures.daily))
    left = MARGIN + max(_width(words.count(tick), 22) for tick in ticks) + 24
    for tick in ticks:
        at = top + height * (1 - tick / ticks[-1])
        canvas.write((left - 24, at + 8), words.count(tick), 22, colour=FAINT, to="r")
        canvas.line(left, at - 1, WIDTH - MARGIN - left)
    slot = (WIDTH - MARGIN - left) / figures.days
    wide = min(slot * 0.68, 88)
    for number, day in enumerate(figures.daily):
        middle = left + (number + 0.5) * slot
        parts = _lengths([(day[way], COLOURS[way]) for way in Way if day.get(way)], height / ticks[-1], 3)
        tall = sum(length for length, _ in parts)
        box = (middle - wide / 2, top + height - tall, middle + wide / 2, top + height)
        if parts:
            canvas.bar(box, parts, radius=8, upright=True)
        date = figures.first + timedelta(days=number)
        if figures.days <= _WEEK:
            canvas.write((middle, top + height + 40), f"{date:%a} {date.day}", 24, colour=SOFT, to="m")
        elif date.weekday() == 0:
            canvas.write((middle, top + height + 40), f"{date.day} {date:%b}", 24, colour=SOFT, to="m")
    canvas.line(left, top + height, WIDTH - MARGIN - left, FAINT)
    canvas.line(MARGIN, top + height + 80, CONTENT)
    return top + height + 80


def _ticks(most: int) -> list[int]:
    """Three to five round numbers from 0 to *most* or a little above."""
    rough = max(most, 1) / 3
    power = 10 ** max(int(log10(rough)), 0) if rough >= 1 else 1
    step = next(
        int(power * factor) for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough and power * factor % 1 == 0
    )
    return [step * number for number in range(ceil(max(most, 1) / step) + 1)]


def _lengths(parts: Sequence[tuple[int, str]], scale: float, smallest: float) -> list[tuple[float, str]]:
    """Counts as lengths: one that stands for anything at all can be seen."""
    return [(max(number * scale, smallest), colour) for number, colour in parts]


def _legend(
    canvas: _Canvas, ways: Mapping[Way, int], at: tuple[float, float], room: float, *, sizes: Sequence[int] = (26, 24)
) -> float:
    """
    Name and number of each way behind a dot in its colour.

    In the first of *sizes* in which they fit into one line, or else in several lines. Returns the last baseline.
    """
    size = next((size for size in sizes if _legend_width(ways, size) <= room + 1), sizes[-1])
    left, y = at
    x = left
    for way, number in ways.items():
        wide = _entry_width(way, number, size)
        if x > left and x + wide > left + room + 1:
            x, y = left, y + size * 1.6
        canvas.dot(x, y - size * 0.35, COLOURS[way])
        canvas.write((x + _DOT, y), words.WAY_NAMES[way], size, colour=SOFT)
        canvas.write((x + wide, y), words.count(number), size, to="r")
        x += wide + _BETWEEN
    return y


def _legend_width(ways: Mapping[Way, int], size: int) -> float:
    return sum(_entry_width(way, number, size) + _BETWEEN for way, number in ways.items()) - _BETWEEN


def _entry_width(way: Way, number: int, size: int) -> float:
    return _DOT + _width(f"{words.WAY_NAMES[way]} {words.count(number)}", size) + 2


def _channels(canvas: _Canvas, figures: Figures, y: float) -> float:
    """A table: how each channel did."""
    columns = {"Texts": 300, "Delivered": 440, "Read": 550, "Median": COLUMN}
    canvas.write((MARGIN, y + 68), "By channel", 32, bold=True)
    y += 68
    if not figures.channels:
        canvas.write((MARGIN, y + 56), "None took a text.", 26, colour=SOFT)
        return y + 64
    for title, right in columns.items():
        canvas.write((MARGIN + right, y), title, 24, colour=FAINT, to="r")
    for channel, each in figures.channels.items():
        y += 60
        canvas.dot(MARGIN, y - 9, COLOURS[Way(channel)])
        canvas.write((MARGIN + _DOT, y), words.CHANNEL_NAMES[channel], 28)
        for right, value in zip(columns.values(), _row(figures, channel, each), strict=True):
            if value:
                canvas.write((MARGIN + right, y), value, 28, to="r")
            else:
                canvas.line(MARGIN + right - 20, y - 10, 20, EMPTY)
        if channel is not list(figures.channels)[-1]:
            canvas.line(MARGIN, y + 20, COLUMN)
    return y + 12


def _row(figures: Figures, channel: Channel, each: ChannelFigures) -> list[str | None]:
    return [
        words.count(figures.ways.get(Way(channel), 0)),
        words.percent(each.delivered),
        words.percent(each.read) if channel is Channel.IMESSAGE else None,
        words.duration(each.pace.median),
    ]


def _failures(canvas: _Canvas, figures: Figures, y: float) -> float:
    """Why texts failed, the most frequent reason first."""
    failed = sum(number for _, number in figures.failures)
    canvas.write((MARGIN, y + 68), "Why texts failed", 32, bold=True)
    share = words.percent(Share(failed, figures.totals.texts))
    canvas.write((MARGIN + COLUMN, y + 68), f"{share} of all texts" if failed else "", 26, colour=SOFT, to="r")
    y += 68
    if not failed:
        canvas.write((MARGIN, y + 56), "None did.", 26, colour=SOFT)
        return y + 56
    shown = _most_frequent(words.reasons(figures.failures))
    most = max(number for _, number in shown)
    for title, number in shown:
        y += 56
        count = words.count(number)
        title = _cut(title, 26, COLUMN - _width(count, 26) - 40)  # noqa: PLW2901  (the same, shorter)
        canvas.write((MARGIN, y), title, 26)
        canvas.write((MARGIN + COLUMN, y), count, 26, to="r")
        y += 16
        (length, colour) = _lengths([(number, COLOURS[Way.FAILED])], COLUMN / most, 10)[0]
        canvas.bar((MARGIN, y, MARGIN + COLUMN, y + 10), [(COLUMN, "#f3f4f7")], radius=5)
        canvas.bar((MARGIN, y, MARGIN + length, y + 10), [(length, colour)], radius=5)
    return y + 10


def _most_frequent(reasons: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The reasons that there is room for, and all others as one."""
    if len(reasons) <= _MOST_REASONS:
        return reasons
    rest = reasons[_MOST_REASONS - 1 :]
    return [*reasons[: _MOST_REASONS - 1], (f"{len(rest)} other reasons", sum(number for _, number in rest))]


def _expectations(canvas: _Canvas, figures: Figures, y: float) -> float:
    """A bar for each expected channel, in the colours of what really happened."""
    x = MARGIN + COLUMN + GAP
    canvas.write((x, y + 68), "Expected and real channel", 32, bold=True)
    share = words.percent(figures.as_expected)
    canvas.write((WIDTH - MARGIN, y + 68), f"{share} as expected" if share else "", 26, colour=SOFT, to="r")
    y += 68
    for expected, ways in figures.expected.items():
        total = sum(ways.values())
        title = f"Expected {words.CHANNEL_NAMES[expected]}" if expected else "Nothing known beforehand"
        canvas.write((x, y + 56), title, 26)
        canvas.write((WIDTH - MARGIN, y + 56), words.count(total), 26, colour=SOFT, to="r")
        parts = _lengths([(ways[way], COLOURS[way]) for way in Way if ways.get(way)], COLUMN / total, _SMALLEST)
        excess = COLUMN / sum(length for length, _ in parts)
        parts = [(length * excess, colour) for length, colour in parts]
        canvas.bar((x, y + 76, x + COLUMN, y + 106), parts, radius=8)
        shown = {way: ways[way] for way in Way if ways.get(way)}
        y = _legend(canvas, shown, (x, y + 148), COLUMN, sizes=(24, 22)) + 14
    return y - 14


def _footer(canvas: _Canvas, y: float) -> float:
    canvas.line(MARGIN, y + 52, CONTENT)
    note = "Delivered counts what Blooio accepted. An SMS can arrive without saying so; Read is told by iMessage only."
    canvas.write((MARGIN, y + 96), note, 22, colour=FAINT)
    return y + 132


if __name__ == "__main__":
    sys.stdout.buffer.write(picture(Figures.from_json(sys.stdin.buffer.read())))
