"""States and windows as tables of Arrow."""

from __future__ import annotations

import importlib

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_table"]


def arrow_table(pairs: list[tuple[Any, Any]], operator: str) -> pa.Table:
    """Return a table with the columns ``key`` and ``value``; ``operator`` is what errors name.

    Raises ``ImportError`` without pyarrow, and ``TypeError`` where keys or values have no common
    type of Arrow's.
    """
    try:
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ImportError(
            f"toArrow of {operator} needs pyarrow: pip install 'swiftwater[arrow]'"
        ) from error
    columns = {}
    for number, name in enumerate(("key", "value")):
        try:
            columns[name] = arrow.array([_plain(pair[number]) for pair in pairs])
        except (arrow.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise TypeError(
                f"the {name}s of {operator} have no common type in Arrow: {error}. Use "
                "stateSnapshots() and a function that makes numbers, texts, lists or tuples of them"
            ) from error
    table: pa.Table = arrow.table(columns)
    return table


def _plain(value: Any) -> Any:
    """A value as Arrow takes it: a tuple is a struct of ``_1``, ``_2``, ..., as in Spark."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None) or [f"_{n + 1}" for n in range(len(value))]
        return {name: _plain(item) for name, item in zip(names, value, strict=True)}
    if isinstance(value, (list, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
