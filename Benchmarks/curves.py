"""Draws the time of a batch by the length of its window and by the number of keys, as SVG.

curves.py ROWS PICTURE reads the rows that scripts/bench --json has written.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

POINT = re.compile(r"(window|window-inverse|window-idle|state|state\.map-with-state)\.(\d+)")
SWIFTWATER = "Swiftwater"
WIDTH, HEIGHT = 480, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 44, 118
# Told apart also by those who do not see all colours alike, and by their dashes.
INKS = (("#0072b2", ""), ("#d55e00", "7 3"), ("#009e73", "2 3"))
PEER_INK = ("#555", "9 3 2 3")


@dataclass(frozen=True)
class Line:
    """A curve: points of a size and milliseconds, in the order of the sizes."""

    label: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Panel:
    """Curves with the same axes, and the names that their rows have, with what they are called."""

    title: str
    axis: str
    names: dict[str, str]


PANELS = (
    Panel(
        "A batch by the length of its window",
        "batches in the window",
        {"window": "", "window-inverse": "with an inverse function", "window-idle": "without data"},
    ),
    Panel(
        "A batch by the number of keys that have a state",
        "keys, of which 1,000 are touched in a batch",
        {"state": "updateStateByKey", "state.map-with-state": "mapWithState"},
    ),
)


def lines_of(panel: Panel, rows: Sequence[dict[str, object]]) -> list[Line]:
    """The curves for which there are rows; PySpark's come last.

    A row that is not met has a point that was not measured in full: it is left out.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    peers: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        match = POINT.fullmatch(str(row["name"]))
        if match is None or match[1] not in panel.names:
            continue
        what = panel.names[match[1]]
        suffix = f", {what}" if what else ""
        for curves, engine, value in (
            (found, SWIFTWATER, None if row["met"] is False else row["value"]),
            (peers, str(row["reference"]), row["reference_value"]),
        ):
            if isinstance(value, int | float) and value > 0:
                curves.setdefault(engine + suffix, []).append((int(match[2]), float(value)))
    return [Line(label, sorted(points)) for label, points in (found | peers).items()]


def powers(least: float, most: float) -> range:
    """The powers of ten around what is between them, two at least."""
    first = math.floor(math.log10(least))
    return range(first, max(first + 1, math.ceil(math.log10(most))) + 1)


def in_words(milliseconds: float) -> str:
    return f"{milliseconds:g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:g} s"


def drawn(panel: Panel, lines: Sequence[Line], x0: float) -> Iterator[str]:
    """The elements of one panel, whose left edge is at x0."""
    points = [point for line in lines for point in line.points]
    across = powers(min(size for size, _ in points), max(size for size, _ in points))
    up = powers(min(ms for _, ms in points), max(ms for _, ms in points))
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(size: float) -> float:
        return x0 + LEFT + wide * (math.log10(size) - across[0]) / (across[-1] - across[0])

    def y(milliseconds: float) -> float:
        return TOP + high * (up[-1] - math.log10(milliseconds)) / (up[-1] - up[0])

    def label(at: float, down: float, anchor: str, text: str, kind: str = "") -> str:
        mark = f' class="{kind}"' if kind else ""
        return (
            f'<text x="{at:.1f}" y="{down:.1f}" text-anchor="{anchor}"{mark}>{escape(text)}</text>'
        )

    yield label(x0 + LEFT, TOP - 20, "start", panel.title, "title")
    for power in across:
        at = x(10.0**power)
        yield f'<path class="grid" d="M{at:.1f} {TOP}V{TOP + high}"/>'
        yield label(at, TOP + high + 17, "middle", f"{10**power:,}")
    for power in up:
        down = y(10.0**power)
        yield f'<path class="grid" d="M{x0 + LEFT} {down:.1f}H{x0 + LEFT + wide}"/>'
        yield label(x0 + LEFT - 7, down + 4, "end", in_words(10.0**power))
    yield label(x0 + LEFT + wide / 2, TOP + high + 35, "middle", panel.axis)
    for number, line in enumerate(lines):
        ours = line.label.startswith(SWIFTWATER)
        ink, dashes = INKS[number % len(INKS)] if ours else PEER_INK
        path = "L".join(f"{x(size):.1f} {y(ms):.1f}" for size, ms in line.points)
        stroke = f'stroke="{ink}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
        yield f'<path class="curve" {stroke} d="M{path}"/>'
        for size, ms in line.points:
            told = escape(f"{line.label}: {size:,}, {ms:.3g} ms")
            yield (
                f'<circle cx="{x(size):.1f}" cy="{y(ms):.1f}" r="3.5" fill="{ink}">'
                f"<title>{told}</title></circle>"
            )
        down = TOP + high + 54 + 16 * number
        yield f'<path class="curve" {stroke} d="M{x0 + LEFT} {down - 4}h28"/>'
        yield label(x0 + LEFT + 36, down, "start", line.label)


def picture(rows: Sequence[dict[str, object]]) -> str:
    """The panels for which there are rows, side by side. Raises ValueError where there are none."""
    panels = [(panel, lines) for panel in PANELS if (lines := lines_of(panel, rows))]
    if not panels:
        raise ValueError("no row of a window or a state has a value")
    elements = [
        element
        for number, (panel, lines) in enumerate(panels)
        for element in drawn(panel, lines, number * WIDTH)
    ]
    wide = WIDTH * len(panels)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {HEIGHT}" '
            f'width="{wide}" height="{HEIGHT}" role="img">',
            "<title>The time of a batch by the length of its window and by the number of keys"
            "</title>",
            "<style>text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold }",
            ".grid { stroke: #ddd } .curve { fill: none; stroke-width: 2 }</style>",
            f'<rect width="{wide}" height="{HEIGHT}" fill="#fff"/>',
            *elements,
            "</svg>\n",
        )
    )


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    try:
        target.write_text(picture(json.loads(source.read_text())))
    except (OSError, ValueError) as error:
        print(f"curves.py: {source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
