"""How a plan is shown: a line an operator, and why a function is not run natively."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from swiftwater._swiftwater import PlanLine

__all__ = ["plan_text"]

_WIDTH = 100
# However long the names of files are, this much of a type is shown.
_LEAST_REST = 20

# Operators with one function: two of them in a row are two calls, also where the line is the same.
_ONE_FUNCTION = frozenset(
    {"map", "flatMap", "filter", "mapValues", "flatMapValues", "keyBy", "mapPartitions"}
)


class _Line(NamedTuple):
    """One line of a plan, as the engine tells it."""

    stage: int
    name: str
    site: str
    form: str
    type: str
    reason: str
    file: str
    line: int
    instruction: str

    @property
    def place(self) -> str:
        """The operator, and where the program calls it."""
        return f"{self.name} at {self.site}" if self.site else self.name

    @property
    def why(self) -> str:
        """Why it is not native, with the place in the function; empty where it is."""
        parts = [f"{os.path.basename(self.file)}:{self.line}"] if self.file and self.line else []
        if self.instruction:
            parts.append(self.instruction)
        return f"{self.reason} ({', '.join(parts)})" if parts else self.reason


def plan_text(lines: Iterable[PlanLine]) -> str:
    """Return the plan as text, stage by stage, in lines of about a hundred characters."""
    # A stage that two branches share is told of in two places.
    ordered = sorted([_Line(*line) for line in lines], key=lambda line: line.stage)
    stages = [(stage, _united(found)) for stage, found in groupby(ordered, lambda line: line.stage)]
    shown = [line for _, found in stages for line in found]
    places = max((len(line.place) for line in shown), default=0)
    forms = max((len(line.form) for line in shown), default=0)
    rest = _WIDTH - (2 + places + 2 + forms + 2)
    text: list[str] = []
    for stage, found in stages:
        text.append(f"stage {stage}")
        for line in found:
            below: list[str] = []
            result = line.why
            if len(result) > rest:
                result, below = "", textwrap.wrap(result, _WIDTH - 6, break_on_hyphens=False)
            elif not result and line.type:
                result = f"-> {_cut(line.type, max(rest, _LEAST_REST) - 3)}"
            text.append(f"  {line.place:<{places}}  {line.form:<{forms}}  {result}".rstrip())
            text += [f"      {more}" for more in below]
    return "\n".join(text)


def _united(lines: Iterable[_Line]) -> list[_Line]:
    """Return the lines of a stage with one for all that one call of the program has made."""
    found: list[_Line] = []
    for line in lines:
        last = found[-1] if found else None
        if last is None or line.name in _ONE_FUNCTION or not _is_same_call(last, line):
            found.append(line)
        elif not last.reason:
            # What stays Python counts, and else what comes out in the end.
            found[-1] = line
    return found


def _is_same_call(a: _Line, b: _Line) -> bool:
    return a.name == b.name and (a.site == b.site or not a.site or not b.site)


def _cut(type_: str, width: int) -> str:
    """Return a type that fits: of the innermost parts the longest goes first."""
    while len(type_) > width:
        parts = list(re.finditer(r"(?<=\w\[)(?!\.\.\.\])(?:[^\[\]]|\[\.\.\.\])*(?=\])", type_))
        longest = max(parts, key=lambda part: len(part[0]), default=None)
        # The outermost part is shown as far as it fits.
        if longest is None or "[" not in type_[: longest.start() - 1]:
            return f"{type_[: width - 3]}..."
        type_ = f"{type_[: longest.start()]}...{type_[longest.end() :]}"
    return type_
