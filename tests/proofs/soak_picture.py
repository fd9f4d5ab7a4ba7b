"""A picture of a soak: what was seen of the bot over the time."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.proofs.soak_figures import Load, Sample

_WIDTH, _PANEL, _LEFT, _TOP = 1600, 250, 150, 84
_INK, _SOFT, _LINE, _PAPER = "#14181f", "#5b6472", "#e6e9ee", "#ffffff"
_COLOURS = ("#2f7cf6", "#e5484d", "#2fb566", "#8f5bea")

Curve = tuple[str, list[float | None]]


def draw(samples: Sequence[Sample], load: Load, path: Path) -> None:
    """Draw memory, connections, latency and tables over the run as a PNG."""
    minutes = [(one.at - samples[0].at) / 60 for one in samples]

    def ms(of: Callable[[Sample], tuple[float, float] | None], place: int) -> list[float | None]:
        return [None if of(one) is None else 1000 * of(one)[place] for one in samples]  # type: ignore[index]

    panels: list[tuple[str, list[Curve]]] = [
        ("Memory of the bot, MB", [("", [one.memory for one in samples])]),
        (
            "Open",
            [
                ("connections to the database", [one.connections for one in samples]),
                ("to Slack and Blooio", [one.asking for one in samples]),
                ("from others", [one.asked for one in samples]),
                ("threads", [one.threads for one in samples]),
            ],
        ),
        (
            "Median of each window, ms, faults included",
            [
                ("acknowledged", ms(lambda one: one.ack, 0)),
                ("at Blooio", ms(lambda one: one.blooio, 0)),
                ("in the thread", ms(lambda one: one.receipt, 0)),
            ],
        ),
        (
            "Tables that are bounded, rows",
            [
                ("events", [one.rows["events"] for one in samples]),
                ("jobs", [one.rows["procrastinate_jobs"] for one in samples]),
            ],
        ),
        (
            "Tables that are the record, MB",
            [(name, [one.sizes[name] for one in samples]) for name in ("deliveries", "audit", "inbound", "replies")],
        ),
    ]
    page = Image.new("RGB", (_WIDTH, _TOP + len(panels) * (_PANEL + _TOP)), _PAPER)
    ink = ImageDraw.Draw(page)
    faults = [(at - samples[0].at) / 60 for at, _ in load.faults]
    for number, (title, curves) in enumerate(panels):
        top = _TOP + number * (_PANEL + _TOP)
        _panel(ink, top, title=title, curves=curves, minutes=minutes, faults=faults)
    page.quantize(64, dither=Image.Dither.NONE).save(path, "PNG", optimize=True)


def _panel(
    ink: ImageDraw.ImageDraw,
    top: float,
    *,
    title: str,
    curves: Sequence[Curve],
    minutes: Sequence[float],
    faults: Sequence[float],
) -> None:
    right, bottom = _WIDTH - 40, top + _PANEL
    known = [value for _, curve in curves for value in curve if value is not None]
    most, end = max([*known, 1.0]) * 1.1, max(minutes[-1], 0.01)

    def place(minute: float, value: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * minute / end, bottom - _PANEL * value / most

    for minute in faults:
        x, _ = place(minute, 0)
        ink.line((x, bottom, x, bottom + 8), fill=_SOFT, width=2)
    for part in (0, 0.5, 1):
        y = bottom - _PANEL * part / 1.1
        ink.line((_LEFT, y, right, y), fill=_LINE, width=2)
        ink.text((_LEFT - 16, y), f"{most / 1.1 * part:,.0f}", fill=_SOFT, font=ImageFont.load_default(22), anchor="rm")
    ink.text((_LEFT, top - 18), title, fill=_INK, font=ImageFont.load_default(26), anchor="ls", stroke_width=0.4)
    x = right
    for (name, curve), colour in reversed(list(zip(curves, _COLOURS, strict=False))):
        points = [place(minute, value) for minute, value in zip(minutes, curve, strict=True) if value is not None]
        if len(points) > 1:
            ink.line(points, fill=colour, width=3, joint="curve")
        if name:
            font = ImageFont.load_default(22)
            x -= ink.textlength(name, font=font)
            ink.text((x, top - 18), name, fill=colour, font=font, anchor="ls")
            x -= 40
    ink.text((right, bottom + 14), f"{end:.0f} min", fill=_SOFT, font=ImageFont.load_default(20), anchor="ra")
