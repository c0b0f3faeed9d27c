"""What a worker process knows of its driver; None and nothing elsewhere."""

from __future__ import annotations

# Where the files are that were added to the context.
root: str | None = None

# The properties of the thread that runs the job.
properties: dict[str, str] | None = None
