"""A process with a bound on its memory that is too low to begin with is told so in a sentence."""

from __future__ import annotations

import resource

from swiftwater._native import engine

__all__ = ["require"]

# Threads, their stacks and the first blocks take so much; less ends in the middle of something.
_LEAST_BYTES = 64 << 20

# What is bounded, how the shell names it, and where ``engine.process_memory`` has what is used.
_LIMITS = (
    (resource.RLIMIT_AS, "addresses (ulimit -v)", 0),
    (resource.RLIMIT_DATA, "data (ulimit -d)", 2),
)


def require() -> None:
    """Raise ``MemoryError`` where ``ulimit -v`` or ``ulimit -d`` leaves less than 64 MB."""
    for kind, name, field in _LIMITS:
        limit, _ = resource.getrlimit(kind)
        if limit == resource.RLIM_INFINITY:
            continue
        used = engine.process_memory()[field]
        if used > 0 and limit - used < _LEAST_BYTES:
            raise MemoryError(
                f"this process may have {limit >> 20} MB of {name} and uses {used >> 20} MB "
                f"already: a context needs {_LEAST_BYTES >> 20} MB more. Raise the limit and "
                "start again"
            )
