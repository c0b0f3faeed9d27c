"""The end of a process that a user's function has forked, and in which the function came back."""

from __future__ import annotations

import os
import sys

from swiftwater._typing import NoReturn

__all__ = ["end_forked"]


def end_forked(error: BaseException | None) -> NoReturn:
    """End this process as Python would at the end of a program, or after an uncaught ``error``.

    The rest of the stage, the batch and the script is its parent's to do. So is what has been
    registered for the exit of the parent.
    """
    status = 1
    try:
        status = _told(error)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    finally:
        os._exit(status)


def _told(error: BaseException | None) -> int:
    if error is None:
        print(
            "a process that a function has forked has come back from the function, and ends here: "
            "end it in the function with os._exit(), or use multiprocessing or subprocess",
            file=sys.stderr,
        )
        return 0
    if not isinstance(error, SystemExit):
        from swiftwater import _uncaught_errors

        print(_uncaught_errors.render(error), file=sys.stderr)
        return 1
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1
