"""What an RDD came from, kept for ``RDD.toDebugString`` only.

An origin holds no engine object, so it keeps no records and no shuffle alive.
"""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._rdd.core import Origin
    from swiftwater.context import SparkContext

__all__ = ["described", "numbered"]


def numbered(found: tuple[str, str, int, list[Any]], number: int, sc: SparkContext) -> Origin:
    """Return what ``engine.lineage`` has found; what is in front of the RDD gets new numbers."""
    operator, file, wide, parents = found
    origins = tuple([numbered(parent, next(sc._rdd_ids), sc) for parent in parents])
    depth = 1 + max([origin[5] for origin in origins], default=0)
    return number, operator, "", wide, origins, depth, file


def described(partitions: int, origin: Origin, name: str | None, level: str) -> str:
    """Return the lineage as text in Spark's form: a line an RDD, a step to the right a shuffle."""
    head = f"({partitions}) "
    title = f"{name} {_title(origin)}" if name else _title(origin)
    lines: list[str] = []
    # What is still to be written: the text in front of a line, that of the lines below it, and
    # the line.
    rest = [(head, _under("", partitions), origin, f"{title} [{level}]")]
    while rest:
        front, below, (_, _, _, wide, parents, _, _), text = rest.pop()
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
    number, operator, site, *_, file = origin
    parts = [file, f"RDD[{number}]", operator, site and f"at {site}"]
    return " ".join(filter(None, parts))
