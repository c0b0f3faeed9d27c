"""Text on its way to a terminal: what terminals obey is shown, and does not reach them."""

from __future__ import annotations

import sys

from swiftwater._native import engine

__all__ = ["complain", "visible"]


def visible(text: str, keeps_lines: bool = False) -> str:
    r"""Return ``text`` with control and format characters shown as ``repr`` shows them.

    With ``keeps_lines`` line ends and tabs stay. Half surrogates, which no terminal can have, are
    shown in the same way.

    Example::

        >>> print(visible("a\x1b[31mb"))
        a\x1b[31mb
    """
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return engine.visible_text(whole, keeps_lines)


def complain(text: str) -> None:
    """Print ``text`` to standard error, as far as there is one."""
    # "print" would take None for standard output.
    if sys.stderr is not None:
        print(visible(text, keeps_lines=True), file=sys.stderr)
