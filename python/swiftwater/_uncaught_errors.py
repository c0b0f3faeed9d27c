"""How an uncaught error looks: the user's own frames, in a few lines.

The engine adds notes to an exception (the operator, the batch, a sample of the record); this
module drops the frames of the package and shortens what is long. ``swiftwater.errors.full=true``
shows everything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType

from swiftwater import _interrupts, _process_end, _settings
from swiftwater._active_contexts import active_context
from swiftwater._operator_calls import PACKAGE_FOLDER
from swiftwater._terminal_text import complain, visible
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traceback import FrameSummary, TracebackException

__all__ = ["MOST_LINES", "end_after_interrupt", "install", "of_the_program", "render"]

MOST_LINES = 15
_LONGEST_LINE = 300
_FULL = "swiftwater.errors.full"
_HINT = f"(shortened; all of it with --conf {_FULL}=true or {_FULL.upper().replace('.', '_')}=true)"
_CAUSED = "which caused:"
_DURING = "while it was handled:"


_hook_before = sys.__excepthook__
_ends_after_interrupts = False


def install(over_others: bool = False, ends_after_interrupts: bool = True) -> None:
    """Show uncaught errors as this module says.

    Where somebody else shows them already, this takes over interrupts only, unless
    ``over_others`` is set. Without ``ends_after_interrupts`` the end after an interrupt is Python's
    own as long as nobody has wanted another.
    """
    global _hook_before, _ends_after_interrupts
    _ends_after_interrupts = _ends_after_interrupts or ends_after_interrupts
    if sys.excepthook is not _hook:
        _hook_before = sys.__excepthook__ if over_others else sys.excepthook
        sys.excepthook = _hook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) and _ends_after_interrupts and _process_end.started():
        # CPython leaves through its usual way out when a hook raises this, so that output is
        # written and whatever is registered at exit runs.
        raise SystemExit(end_after_interrupt())
    if _hook_before is not sys.__excepthook__:
        _hook_before(kind, error, trace)
        return
    text = render(error.with_traceback(trace), full=_wants_full())
    complain(text)


def end_after_interrupt() -> int:
    """Stop what runs after an interrupt that nobody caught; return the exit status."""
    _interrupts.note_interrupt()
    _process_end.stop_everything()
    return 130


def _wants_full() -> bool:
    active = active_context()
    if active is not None:
        return active._settings.flag(_FULL)
    try:
        return _settings.merge({}, _settings.command_line, os.environ).flag(_FULL)
    except (RuntimeError, ValueError):
        return False


def _as_it_is(error: BaseException) -> BaseException:
    return error


# What a program with Py4J got has the traceback in its text, too: `_py4j` puts its own one here.
untranslated: Callable[[BaseException], BaseException] = _as_it_is


def render(error: BaseException, full: bool = False) -> str:
    """Return ``error`` as text: at most ``MOST_LINES`` lines, or all of it with ``full``.

    What a terminal would obey is shown in it, and not sent there: messages hold parts of records.
    """
    import traceback

    whole = traceback.TracebackException.from_exception(untranslated(error))
    if full:
        return visible("".join(whole.format()).rstrip("\n"), keeps_lines=True)
    chain = _chain(_without_internal(whole))
    text = ""
    for most_frames, carets, most_errors in _STEPS:
        lines, short = _lines(chain, most_frames, carets, most_errors)
        text = "\n".join([*lines, _HINT] if short else lines)
        if text.count("\n") < MOST_LINES:
            return text
    # Still too long: the message itself is. Its beginning says what happened.
    lines = text.split("\n")
    return "\n".join([*lines[: MOST_LINES - 1], _HINT])


def of_the_program(error: BaseException) -> TracebackException:
    """Return ``error`` without the frames of this package."""
    import traceback

    return _without_internal(traceback.TracebackException.from_exception(error))


def _without_internal(error: TracebackException) -> TracebackException:
    for _, one in _chain(error):
        if one.stack is not None:
            one.stack[:] = [frame for frame in one.stack if not _is_internal(frame)]
    return error


# How much is shown, from everything down to the least: frames of each error, whether the part of
# the line is marked, errors of the chain.
_STEPS = (
    (1000, True, 1000),
    (1000, False, 1000),
    (4, False, 3),
    (3, False, 2),
    (2, False, 2),
    (1, False, 2),
    (1, False, 1),
)


def _chain(error: TracebackException) -> list[tuple[str, TracebackException]]:
    """Return the errors from the first cause to the last, each with how it led to the next."""
    found: list[tuple[str, TracebackException]] = [("", error)]
    while True:
        first = found[0][1]
        if first.__cause__ is not None:
            found.insert(0, (_CAUSED, first.__cause__))
        elif first.__context__ is not None and not first.__suppress_context__:
            found.insert(0, (_DURING, first.__context__))
        else:
            return found


def _lines(
    chain: list[tuple[str, TracebackException]], most_frames: int, carets: bool, most_errors: int
) -> tuple[list[str], bool]:
    """Return the lines, and whether something was left out."""
    kept = chain if len(chain) <= most_errors else [*chain[: most_errors - 1], chain[-1]]
    short = len(kept) < len(chain)
    lines: list[str] = []
    for link, error in kept:
        frames = list(error.stack or ())
        if frames:
            lines.append("Traceback (most recent call last):")
        left_out = max(len(frames) - most_frames, 0)
        # The outermost frame says where it began, the innermost ones what went wrong.
        head = frames[:1] if left_out and most_frames > 1 else []
        tail = frames[len(head) + left_out :]
        for frame in head:
            lines += _frame_lines(frame, carets)
        if left_out:
            lines.append(f"  ... {left_out} more ...")
            short = True
        for frame in tail:
            lines += _frame_lines(frame, carets)
        for part in error.format_exception_only():
            for line in part.rstrip("\n").split("\n"):
                shown = visible(line, keeps_lines=True)
                lines.append(_cut(shown))
                short = short or len(shown) > _LONGEST_LINE
        if link:
            lines.append(link)
    return lines, short


def _frame_lines(frame: FrameSummary, carets: bool) -> list[str]:
    import traceback

    lines = traceback.StackSummary.from_list([frame]).format()[0].rstrip("\n").split("\n")
    return [_cut(visible(line, keeps_lines=True)) for line in (lines if carets else lines[:2])]


def _is_internal(frame: FrameSummary) -> bool:
    return frame.filename.startswith((PACKAGE_FOLDER, "<frozen "))


def _cut(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    half = _LONGEST_LINE // 2
    return f"{line[:half]} ... {len(line) - 2 * half} more characters ... {line[-half:]}"
