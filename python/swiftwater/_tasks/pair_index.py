"""The pairs of a table of joins by their keys, so that a few of them are found without the others.

Records stay in their order, and one that matches for several keys comes once: whoever joins what is
found with the records that it was asked for gets what joining with the whole table gives.
"""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._typing import Any

__all__ = ["pair_index"]

Finder = Callable[[list[Any]], list[Any] | None]


def pair_index(records: list[Any]) -> Finder | None:
    """Return what finds records by the keys of others; None where they cannot be a dict's.

    What it returns gives None where the others' keys cannot be looked up, and where they are those
    of most records, which are had sooner by taking all.
    """
    places: dict[Any, int | list[int]] = {}
    try:
        for place, record in enumerate(records):
            key = _key(record)
            found = places.setdefault(key, place)
            if found is place:
                continue
            if isinstance(found, list):
                found.append(place)
            else:
                places[key] = [found, place]
    except Exception:  # noqa: BLE001 - whoever joins all records meets it too, and tells
        return None

    def matching(others: list[Any]) -> list[Any] | None:
        found: list[int] = []
        try:
            for key in dict.fromkeys([_key(other) for other in others]):
                place = places.get(key)
                if place is None:
                    continue
                if isinstance(place, list):
                    found += place
                else:
                    found.append(place)
        except Exception:  # noqa: BLE001 - the same
            return None
        if 2 * len(found) > len(records):
            return None
        found.sort()
        return [records[place] for place in found]

    return matching


def _key(record: Any) -> Any:
    # What is unpacked only once is left alone.
    if not isinstance(record, (tuple, list)):
        raise TypeError("a pair is expected")
    key, _ = record
    return key
