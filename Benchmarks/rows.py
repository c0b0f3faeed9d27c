"""Results: rows, the table on the screen, the JSON file."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One result. `ratio` is better when larger; None stands for "does not apply"."""

    name: str
    value: float | None
    unit: str
    reference: str | None  # what it is compared with
    reference_value: float | None
    ratio: float | None
    target: float | None
    met: bool | None


def rate(
    name: str,
    values: Sequence[float],
    unit: str,
    reference: str | None,
    references: Sequence[float],
    target: float | None,
) -> Row:
    """A rate beside another's: medians. A reference that is not installed has no values."""
    value = statistics.median(values)
    other = statistics.median(references) if references else None
    ratio = None if other is None else value / other
    met = None if target is None else ratio is not None and ratio >= target
    return Row(name, value, unit, reference, other, ratio, target, met)


def alike(
    name: str,
    values: Sequence[float],
    unit: str,
    reference: str,
    references: Sequence[float],
    within: float,
) -> Row:
    """A rate that has to be near another's: the ratio is that of the slower to the faster."""
    value, other = statistics.median(values), statistics.median(references)
    ratio = min(value, other) / max(value, other)
    return Row(name, value, unit, reference, other, ratio, 1 / within, ratio >= 1 / within)


def limit(name: str, value: float, unit: str, most: float) -> Row:
    """A time or a size that has an upper limit."""
    ratio = most / value
    return Row(name, value, unit, "limit", most, ratio, 1.0, ratio >= 1.0)


def at_most(name: str, value: float, unit: str, reference: str, other: float, times: float) -> Row:
    """A time or a size that may be so many times another's (less than one: a part of it)."""
    ratio = other / value
    return Row(name, value, unit, reference, other, ratio, 1 / times, ratio >= 1 / times)


def beside(
    name: str,
    value: float,
    unit: str,
    reference: str | None,
    other: float | None,
    target: float | None = None,
) -> Row:
    """A time or a size beside another's, mostly without a target."""
    ratio = other / value if other else None
    met = None if target is None else ratio is not None and ratio >= target
    return Row(name, value, unit, reference, other, ratio, target, met)


def failed(name: str) -> Row:
    """The row of a benchmark that could not be run."""
    return Row(name, None, "", None, None, None, None, False)


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    names = [field.name for field in dataclasses.fields(Row)]
    lines = [[name.replace("_", " ") for name in names]]
    lines += [[_cell(getattr(row, name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numbers = {"value", "reference_value", "ratio", "target"}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(names, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def json_text(rows: Sequence[Row]) -> str:
    """The rows as a JSON array of objects."""
    objects = [
        {
            name: _rounded(value, 6) if isinstance(value, float) else value
            for name, value in dataclasses.asdict(row).items()
        }
        for row in rows
    ]
    return json.dumps(objects, indent=2) + "\n"


def _cell(value: str | float | bool | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return f"{_rounded(value, 4):g}"


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
