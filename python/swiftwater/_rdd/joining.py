"""RDDs brought together by key: what is made of the records, and what that came from.

Which RDDs are moved for it, and into how many partitions, the engine plans: ``engine.join``.
"""

from __future__ import annotations

from collections.abc import Sequence

from swiftwater._native import engine
from swiftwater._numbers import checked_partitions
from swiftwater._operator_calls import call_site
from swiftwater._rdd.core import origin, require_rdd
from swiftwater._rdd.joined_records import NATIVE_FORMS, Merger, merged_together
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._rdd.core import Origin
    from swiftwater.rdd import RDD

__all__ = ["together"]


def together(
    rdds: Sequence[RDD[Any]],
    partitions: int | None,
    merge: Merger,
    name: str,
    keeps: bool = True,
) -> RDD[Any]:
    """Return what ``merge(i, [records of each RDD])`` gives for each partition of the keys.

    ``keeps`` says that it gives pairs of these keys.
    """
    first = rdds[0]
    for rdd in rdds[1:]:
        require_rdd(name, rdd)
    number = None if partitions is None else checked_partitions(name, partitions)
    site = call_site()
    context, handles = first.ctx._engine, [rdd._live for rdd in rdds]
    handle, moved, union = engine.join(
        context,
        handles,
        number,
        merge,
        merged_together(merge),
        name,
        site,
        NATIVE_FORMS.get(merge, ""),
        keeps,
    )
    ids = first.ctx._rdd_ids
    parts: list[Origin | None]
    if union >= 0:
        parts = [_united(rdds, name, site, union)]
    else:
        parts = [
            None if wide < 0 else origin(next(ids), name, site, wide, [rdd._known_origin()])
            for rdd, wide in zip(rdds, moved, strict=True)
        ]
    joined = first._rdd_class(handle, first.ctx)
    # Numbers are given in this order.
    origins = [rdds[at]._known_origin() if part is None else part for at, part in enumerate(parts)]
    joined._origin = origin(joined._id, name, site, -1, origins)
    return joined


def _united(rdds: Sequence[RDD[Any]], name: str, site: str, wide: int) -> Origin:
    """Return the origin of what was moved where the RDDs were united before."""
    ids = rdds[0].ctx._rdd_ids
    union = origin(next(ids), "mapValues", site, -1, [rdds[0]._known_origin()])
    for rdd in rdds[1:]:
        marked = origin(next(ids), "mapValues", site, -1, [rdd._known_origin()])
        union = origin(next(ids), "union", site, -1, [union, marked])
    return origin(next(ids), name, site, wide, [union])
