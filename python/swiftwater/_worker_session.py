"""What a worker process knows of its driver; None and nothing elsewhere."""

from __future__ import annotations

# Where the files are that were added to the context.
root: str | None = None

# The properties of the thread that runs the job.
properties: dict[str, str] | None = None

# The settings that the driver gave its workers.
settings: dict[str, str] | None = None


def is_worker() -> bool:
    """Return whether this is a worker process."""
    return settings is not None
