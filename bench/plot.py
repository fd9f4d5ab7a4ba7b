"""Draws the comparison: bars for each program, and what a text costs beside a history. As `bot.report.picture` does."""

from collections.abc import Mapping
from io import BytesIO
from math import log10

from PIL import Image, ImageDraw, ImageFont

from bot.report.picture import EMPTY, INK, LINE, MARGIN, PAPER, SOFT, WIDTH

OURS = "#2f7cf6"
_SMOOTH = 2  # drawn this much larger and then reduced, which makes edges smooth
_GAP = 96  # between the two columns
_COLUMN = (WIDTH - 2 * MARGIN - _GAP) // 2
_LABEL = 300  # the room of a program's name
_BAR, _STEP = 30, 48  # a bar, and from one to the next

#: Title, figure, what it is multiplied by, how it is written.
_PANELS = (
    ("Known person: command to Blooio, ms", "message, known person", 1000),
    ("First text: command to Blooio, ms", "message, first text", 1000),
    ("First text: command to thread reply, ms", "reply, first text", 1000),
    ("20 at a time: texts/s, more is better", "steady texts/s", 1),
    ("Memory of the bot, MB", "memory, bytes", 2**-20),
)


def draw(medians: Mapping[str, Mapping[str, float]], costs: Mapping[int, float]) -> bytes:
    """Return a PNG: *medians* by program and figure, our own first; *costs* in seconds by the texts stored before."""
    panel = 70 + len(medians) * _STEP + 40
    height = 190 + 3 * panel + 20
    page = Image.new("RGB", (WIDTH * _SMOOTH, height * _SMOOTH), PAPER)
    ink = _Ink(ImageDraw.Draw(page))
    ink.write(MARGIN, 92, "The bot beside what one would write instead", 44, bold=True)
    ink.write(
        MARGIN,
        138,
        "Slack and Blooio answer after 50 ms. The others keep nothing: what a crash meets is lost.",
        26,
        SOFT,
    )
    for number, (title, figure, unit) in enumerate(_PANELS):
        values = {name: found[figure] * unit for name, found in medians.items() if figure in found}
        _bars(ink, _place(number, panel), title, values)
    _history(ink, _place(len(_PANELS), panel), costs, panel)
    written = BytesIO()
    page.reduce(_SMOOTH).quantize(64, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


class _Ink:
    """Shapes and words, in pixels of the picture."""

    def __init__(self, canvas: ImageDraw.ImageDraw) -> None:
        self._canvas = canvas

    def write(
        self, x: float, y: float, text: str, size: int, colour: str = INK, *, bold: bool = False, to: str = "l"
    ) -> None:
        """Write a line whose baseline is at *y*, to the left (`l`), the middle (`m`) or the right (`r`) of *x*."""
        self._canvas.text(
            (x * _SMOOTH, y * _SMOOTH),
            text,
            fill=colour,
            font=ImageFont.load_default(size * _SMOOTH),
            anchor=f"{to}s",
            stroke_width=size * _SMOOTH / 64 if bold else 0,
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str, *, radius: float = 6) -> None:
        box = (x * _SMOOTH, y * _SMOOTH, (x + width) * _SMOOTH, (y + height) * _SMOOTH)
        self._canvas.rounded_rectangle(box, min(radius, width / 2, height / 2) * _SMOOTH, fill=colour)

    def line(self, points: list[tuple[float, float]], colour: str, width: int) -> None:
        self._canvas.line([(x * _SMOOTH, y * _SMOOTH) for x, y in points], fill=colour, width=width * _SMOOTH)


def _place(number: int, panel: int) -> tuple[int, int]:
    return MARGIN + (number % 2) * (_COLUMN + _GAP), 190 + number // 2 * panel


def _bars(ink: _Ink, at: tuple[int, int], title: str, values: Mapping[str, float]) -> None:
    left, top = at
    ink.write(left, top + 34, title, 30, bold=True)
    room, most = _COLUMN - _LABEL - 80, max(values.values(), default=1) or 1
    for row, (name, value) in enumerate(values.items()):
        y, ours = top + 62 + row * _STEP, row == 0
        ink.write(left, y + 23, name, 23, INK if ours else SOFT, bold=ours)
        width = max(room * value / most, 4)
        ink.bar(left + _LABEL, y, width, _BAR, OURS if ours else EMPTY)
        ink.write(left + _LABEL + width + 14, y + 23, f"{value:.0f}", 23, INK if ours else SOFT, bold=ours)


def _history(ink: _Ink, at: tuple[int, int], costs: Mapping[int, float], panel: int) -> None:
    """Draw what a text costs, as a multiple of the cost beside the smallest history."""
    left, top = at
    ink.write(left, top + 34, "CPU a text, beside so many stored ones", 30, bold=True)
    if not costs:
        return
    least, bottom, height = min(costs), top + panel - 96, panel - 190
    for level in (0.0, 0.5, 1.0):
        y = bottom - height * level / 1.2
        ink.bar(left + 60, y, _COLUMN - 60, 2, LINE, radius=0)
        ink.write(left + 48, y + 8, f"{level:.1f}", 22, SOFT, to="r")
    span = max(log10(max(costs)) - log10(least), 1)
    points = []
    for size, seconds in sorted(costs.items()):
        x = left + 110 + (_COLUMN - 190) * (log10(size) - log10(least)) / span
        points.append((x, bottom - height * min(seconds / costs[least], 1.5) / 1.2))
        ink.write(x, bottom + 36, f"{size:,}", 22, SOFT, to="m")
    ink.line(points, OURS, 4)
    for (x, y), size in zip(points, sorted(costs), strict=True):
        ink.bar(x - 9, y - 9, 18, 18, OURS, radius=9)
        ink.write(x, y - 20, f"{costs[size] * 1000:.1f} ms", 22, INK, to="m")
