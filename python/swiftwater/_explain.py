"""How a plan is shown: a line an operator, and why a function is not run natively."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater._swiftwater import PlanLine

__all__ = ["plan_text"]


def plan_text(lines: Iterable[PlanLine]) -> str:
    """Return the plan as text, stage by stage."""
    shown: list[tuple[int, str, str, str]] = []
    for stage, name, site, form, kind, reason, file, line, instruction in lines:
        place = f"{name} at {site}" if site else name
        result = f"-> {kind}" if kind else ""
        if reason:
            result = reason + _place(file, line, instruction)
        shown.append((stage, place, form, result))
    width = max((len(place) for _, place, _, _ in shown), default=0)
    forms = max((len(form) for _, _, form, _ in shown), default=0)
    text: list[str] = []
    last = 0
    for stage, place, form, result in shown:
        if stage != last:
            text.append(f"stage {stage}")
            last = stage
        text.append(f"  {place:<{width}}  {form:<{forms}}  {result}".rstrip())
    return "\n".join(text)


def _place(file: str, line: int, instruction: str) -> str:
    parts = [f"{os.path.basename(file)}:{line}"] if file and line else []
    if instruction:
        parts.append(instruction)
    return f" ({', '.join(parts)})" if parts else ""
