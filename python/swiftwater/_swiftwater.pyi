"""The native module: the engine as the Python package sees it.

Every function is driver-side. Functions that compute (``collect``, ``count``, ``start``,
``wait``, ``advance``) let go of the interpreter while the engine works. Errors: ``ValueError``
and ``TypeError`` for bad arguments, ``RuntimeError`` for a call in the wrong state, ``OSError``
for files; a user function's own exception passes through with notes attached
(``BaseException.add_note``).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

class Handle:
    """Owns one engine object (context, RDD, streaming context, stream). Opaque."""

# One per-record or per-partition function of a pipeline: kind, function, the operator's name as
# the user wrote it, and the place of the call ("job.py:9").
# kind is one of: map, flatMap, filter, mapValues, flatMapValues,
# mapPartitions (f(iterator)), mapPartitionsWithIndex (f(index, iterator)).
Operator = tuple[str, Callable[..., Any], str, str]

__version__: Final[str]
python_version: Final[tuple[int, int]]  # the minor version that this module was compiled for

def setting_definitions() -> list[tuple[str, str, str]]: ...  # name, default, description
def set_log_level(level: str) -> None: ...  # ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE, WARN
def log(level: str, message: str) -> None: ...  # "debug" | "info" | "warning" | "error"
def portable_hash(value: object) -> int: ...

# Wraps the C handlers that SIGINT and SIGTERM have now: the first signal goes on to them, the
# second of either kind ends the process at once, status 130 or 143. Again: the count begins anew.
def watch_interrupts(interrupt: bool, termination: bool) -> None: ...

# --- contexts -----------------------------------------------------------------------------
def open_context(settings: dict[str, str]) -> Handle: ...  # reads spark.master, ...
def close_context(context: Handle) -> None: ...
def default_parallelism(context: Handle) -> int: ...

# --- RDDs ---------------------------------------------------------------------------------
def parallelize(context: Handle, values: list[Any], slices: int) -> Handle: ...
def text_file(context: Handle, path: str, minimum_partitions: int) -> Handle: ...
def pipeline(rdd: Handle, operators: Sequence[Operator]) -> Handle: ...
def combine_by_key(
    rdd: Handle,
    create_combiner: Callable[[Any], Any] | None,  # None: the value itself
    merge_value: Callable[[Any, Any], Any],
    merge_combiners: Callable[[Any, Any], Any],
    partitions: int,
    partition_function: Callable[[Any], int] | None,  # None: portable_hash
    name: str,
    site: str,
) -> Handle: ...
def union(context: Handle, rdds: Sequence[Handle]) -> Handle: ...
def set_cached(rdd: Handle, cached: bool) -> None: ...  # False also drops what is cached
def partition_count(rdd: Handle) -> int: ...

# One list a partition, in the order of `partitions` (None: all).
def collect(rdd: Handle, partitions: Sequence[int] | None) -> list[list[Any]]: ...
def take(rdd: Handle, count: int) -> list[Any]: ...  # from as few partitions as possible
def count(rdd: Handle) -> int: ...

# --- streams ------------------------------------------------------------------------------
# manual_start_ms: None for the system's clock; otherwise a manual clock that stands at this
# time (milliseconds since the epoch) until `advance` moves it, and no thread is started.
def open_streaming(context: Handle, interval_ms: int, manual_start_ms: int | None) -> Handle: ...
def socket_stream(streaming: Handle, host: str, port: int, site: str) -> Handle: ...
def queue_stream(
    streaming: Handle,
    rdds: Sequence[Handle],
    one_at_a_time: bool,
    default: Handle | None,
    site: str,
) -> Handle: ...

# A scripted receiver (text lines) for tests: what is sent belongs to the next batch.
def scripted_stream(streaming: Handle, site: str) -> Handle: ...
def scripted_send(stream: Handle, data: bytes) -> None: ...
def stream_pipeline(stream: Handle, operators: Sequence[Operator]) -> Handle: ...
def stream_combine_by_key(
    stream: Handle,
    create_combiner: Callable[[Any], Any] | None,
    merge_value: Callable[[Any, Any], Any],
    merge_combiners: Callable[[Any, Any], Any],
    partitions: int,
    partition_function: Callable[[Any], int] | None,
    name: str,
    site: str,
) -> Handle: ...
def stream_union(streams: Sequence[Handle], site: str) -> Handle: ...

# function(batch time in ms, one RDD (or None) a parent) -> RDD or None
def stream_transform(
    parents: Sequence[Handle],
    function: Callable[[int, list[Handle | None]], Handle | None],
    name: str,
    site: str,
) -> Handle: ...
def stream_set_cached(stream: Handle) -> None: ...

# function(batch time in ms, RDD)
def stream_output(
    stream: Handle, function: Callable[[int, Handle], None], name: str, site: str
) -> None: ...
def stream_slide_ms(stream: Handle) -> int: ...
def start(streaming: Handle) -> None: ...
def stop(streaming: Handle, graceful: bool) -> None: ...

# True when the context has stopped, False on time-out; raises the latest batch error.
# On the main thread Python's signal handlers run while it waits.
def wait(streaming: Handle, timeout_seconds: float | None) -> bool: ...
def state(streaming: Handle) -> str: ...  # "initialized" | "active" | "stopped"

# Manual clock only. `advance` returns when all work due by then is done.
def advance(streaming: Handle, milliseconds: int) -> None: ...
def now_ms(streaming: Handle) -> int: ...

# True when a scripted or queue source still holds records that no batch has taken.
def has_pending_input(streaming: Handle) -> bool: ...
