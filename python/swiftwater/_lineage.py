"""What an RDD came from, kept for ``RDD.toDebugString`` only.

An origin holds no engine object, so it keeps no records and no shuffle alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.rdd import Origin

__all__ = ["described"]


def described(partitions: int, origin: Origin, name: str | None, level: str) -> str:
    """Return the lineage as text in Spark's form: a line an RDD, a step to the right a shuffle."""
    head = f"({partitions}) "
    title = f"{name} {_title(origin)}" if name else _title(origin)
    lines: list[str] = []
    # What is still to be written: the text in front of a line, that of the lines below it, and
    # the line.
    rest = [(head, _under("", partitions), origin, f"{title} [{level}]")]
    while rest:
        front, below, (_, _, _, wide, parents, _), text = rest.pop()
        lines.append(front + text)
        for parent in reversed(parents):
            title = f"{_title(parent)} []"
            if wide < 0:
                rest.append((below, below, parent, title))
            else:
                left = below[: below.rindex("|")]
                rest.append((f"{left}+-({wide}) ", _under(f"{left}  ", wide), parent, title))
    return "\n".join(lines)


def _under(left: str, partitions: int) -> str:
    """Return the beginning of the lines below ``({partitions})``: a bar under its middle."""
    width = len(str(partitions)) + 2
    middle = (width - 1) // 2
    return f"{left}{' ' * middle}|{' ' * (width - middle)}"


def _title(origin: Origin) -> str:
    number, operator, site = origin[:3]
    return f"RDD[{number}] {operator} at {site}" if operator else f"RDD[{number}]"
