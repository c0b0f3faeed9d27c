"""A process with a bound on its memory that is too low to begin with is told so in a sentence."""

from __future__ import annotations

import resource

__all__ = ["require"]

# Threads, their stacks and the first blocks take so much; less ends in the middle of something.
_LEAST_BYTES = 64 << 20


def require() -> None:
    """Raise ``MemoryError`` where ``ulimit -v`` leaves less than 64 MB of addresses."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    try:
        with open("/proc/self/statm", "rb") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return
    if limit - used < _LEAST_BYTES:
        raise MemoryError(
            f"this process may have {limit >> 20} MB of addresses (ulimit -v) and uses "
            f"{used >> 20} MB already: a context needs {_LEAST_BYTES >> 20} MB more. Raise the "
            "limit and start again"
        )
