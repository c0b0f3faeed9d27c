"""The native module: the engine as the Python package sees it.

Every function is driver-side. Functions that compute (``collect``, ``count``, ``start``,
``wait``, ``advance``) let go of the interpreter while the engine works. Errors: ``ValueError``
and ``TypeError`` for bad arguments, ``RuntimeError`` for a call in the wrong state, ``OSError``
for files; a user function's own exception passes through with notes attached
(``BaseException.add_note``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

class Handle:
    """Owns one engine object (context, RDD, streaming context, stream). Opaque."""

# One per-record or per-partition function of a pipeline: kind, function, the operator's name as
# the user wrote it, the place of the call ("job.py:9"), and whether what comes out of map, flatMap
# or a partition function are pairs of the keys that went in (of the others that is known).
# kind is one of: map, flatMap, filter, mapValues, flatMapValues,
# mapPartitions (f(iterator)), mapPartitionsWithIndex (f(index, iterator)).
Operator = tuple[str, Callable[..., Any], str, str, bool]

# See join.
Together = Callable[
    [int],
    tuple[list[Callable[[Any], Any]], Callable[[int, Iterator[Any]], Iterable[Any]]],
]

__version__: Final[str]
most_partitions: Final[int]  # of an RDD
python_version: Final[tuple[int, int]]  # the minor version that this module was compiled for

def setting_definitions() -> list[tuple[str, str, str]]: ...  # name, default, description
def set_log_level(level: str) -> None: ...  # ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE, WARN

# A line of the program's own.
def log(level: str, message: str) -> None: ...  # "debug" | "info" | "warning" | "error"

# Tells of something that the package has noticed, to whoever listens; the log is one of them. With
# a kind, for what may come again and again: of many lines some are written, the others counted.
def notice(level: str, kind: str | None, message: str) -> None: ...

# Ends the process where a test has asked for that with SWIFTWATER_TEST_KILL=<name>:<n>.
def pass_kill_point(name: str) -> None: ...
def silence_log() -> None: ...  # for good: the process has no standard error
def visible_text(text: str, keeps_lines: bool) -> str: ...  # control characters are shown
def portable_hash(value: object) -> int: ...

# Wraps the C handlers that SIGINT and SIGTERM have now: the first signal goes on to them, the
# second of either kind ends the process at once, status 130 or 143. Again: the count begins anew.
def watch_interrupts(
    context: Handle, interrupt: bool, termination: bool, hangup: bool, gracefully: bool
) -> None: ...
def note_interrupt(what: str) -> None: ...

# --- contexts -----------------------------------------------------------------------------
def open_context(settings: dict[str, str]) -> Handle: ...  # reads spark.master, ...
def close_context(context: Handle) -> None: ...
def default_parallelism(context: Handle) -> int: ...

# Bytes of memory: addresses, resident, data; 0 where the system does not tell.
def process_memory() -> tuple[int, int, int]: ...
def spill_limit(setting: str) -> int: ...  # swiftwater.spill.memory in bytes; "": the default

# --- RDDs ---------------------------------------------------------------------------------
# Slices are cut between batches of `batch` values (1: between any two).
def parallelize(context: Handle, values: list[Any], slices: int, batch: int) -> Handle: ...
def text_file(context: Handle, path: str, minimum_partitions: int) -> Handle: ...
def file_path(context: Handle, path: list[str], shown: str) -> Handle: ...
def matching_paths(pattern: str) -> list[str]: ...
def pipeline(rdd: Handle, operators: Sequence[Operator]) -> Handle: ...

# Where a number of partitions is None it is as many as shuffle_partitions says. What is made by a
# shuffle comes with the number of partitions in front of that; -1: no partition, no shuffle.
def shuffle_partitions(rdd: Handle) -> int: ...
def combine_by_key(
    rdd: Handle,
    create_combiner: Callable[[Any], Any] | None,  # None: the value itself
    merge_value: Callable[[Any, Any], Any],
    merge_combiners: Callable[[Any, Any], Any],
    partitions: int | None,
    partition_function: Callable[[Any], int] | None,  # None: portable_hash
    name: str,
    site: str,
    # The functions put values into lists, and lists together, so the engine need not call them.
    gathers_lists: bool,
) -> tuple[Handle, int]: ...

# The values of each key combined inside of each partition, without a shuffle.
def combine_locally(
    rdd: Handle, merge: Callable[[Any, Any], Any], name: str, site: str
) -> Handle: ...

# The partitions of one RDD after those of the other. Where all that have partitions are divided
# alike, partition i has the records of all partitions i, and the RDD is called `name`.
def union(context: Handle, rdds: Sequence[Handle], name: str) -> Handle: ...

# What the records are divided by: the number of partitions, and the function whose value modulo
# that is a key's partition (None: portable_hash). None where that is not known.
def partitioner(rdd: Handle) -> tuple[int, Callable[[Any], int] | None] | None: ...

# The RDD of which a program says that; with another number than it has, that nobody knows.
def divided_by(
    rdd: Handle, partitions: int, partition_function: Callable[[Any], int] | None
) -> Handle: ...

# Records are (key, value) pairs, each sent whole to partition `hash % partitions` of its key.
# They come out in the order of the parent's partitions and of the records in them. None where the
# RDD is divided so.
def partition_by(
    rdd: Handle,
    partitions: int | None,
    partition_function: Callable[[Any], int] | None,  # None: portable_hash
    name: str,
    site: str,
    # What the function finds the place of a key in, by bisect_left; None: it does something else.
    bounds: list[Any] | None,
    ascending: bool,  # False: the partitions the other way round
) -> tuple[Handle, int] | None: ...

# The records in so many partitions, ten by ten in turn as Spark sends them, and the number of
# partitions in front of the shuffle.
def spread(rdd: Handle, partitions: int, name: str, site: str) -> tuple[Handle, int]: ...

# What function(i, [an iterator over the records of each RDD]) gives for each partition i of keys.
# RDDs that are not divided by portable_hash into so many partitions are moved. Where `together` is
# given and the first two are divided alike, but otherwise, all are united and moved together:
# together(number of RDDs) gives ([a function that marks a value, for each RDD], function(i, marked
# pairs)). `form` is as in zip_partitions; `keeps_keys` says that pairs of the same keys come out.
# Comes with the number of partitions in front of each RDD's shuffle (-1: none), and in front of the
# union's.
def join(
    context: Handle,
    rdds: Sequence[Handle],
    partitions: int | None,
    function: Callable[[int, list[Iterator[Any]]], Iterable[Any]],
    together: Together | None,
    name: str,
    site: str,
    form: str,
    keeps_keys: bool,
) -> tuple[Handle, list[int], int]: ...

# What function(i, [an iterator for each]) gives (an iterable) for each partition i of the result,
# which is made of partition i of each RDD; or of one of each of two, each with each. No shuffle.
# Covers zip, cartesian, sorts. `form` names what the function comes to for pairs: a join ("inner",
# "leftOuter", "rightOuter", "fullOuter"), a sort of one part by its keys ("ascending",
# "descending"); "": neither. It is not called then where pairs are in columns.
def zip_partitions(
    context: Handle,
    rdds: Sequence[Handle],
    crosses: bool,
    function: Callable[[int, list[Iterator[Any]]], Iterable[Any]],
    name: str,
    site: str,
    form: str,
    keeps_keys: bool,  # of RDDs that are divided alike: the results are divided so, too
) -> Handle: ...

# The records in at most so many partitions, each made of neighbours.
def coalesce(rdd: Handle, partitions: int, name: str) -> Handle: ...

# The same partitions as an RDD of their own.
def apart(rdd: Handle, name: str) -> Handle: ...

# A line of a plan: stage, operator, place of its call, how it runs ("native", "native where types
# allow", "Python", "driver", "engine"), the type of what it gives ("": not known), and why it is
# not native, with file, line and instruction of the bytecode ("", 0, "": nothing to tell).
PlanLine = tuple[int, str, str, str, str, str, str, int, str]

# (operator, file, partitions in front of its shuffle or -1, parents: such tuples). None where no
# file is among them, unless the whole is wanted.
def lineage(rdd: Handle, whole: bool) -> tuple[str, str, int, list[Any]] | None: ...
def explain(rdd: Handle) -> list[PlanLine]: ...
def stream_explain(streaming: Handle) -> list[PlanLine]: ...

# True where an action on `rdd` computes from `ancestor`.
def depends_on(rdd: Handle, ancestor: Handle) -> bool: ...

# From now on the partitions of `rdd` are read from `replacement`, which has as many; what it was
# computed from is forgotten.
def cut_lineage(rdd: Handle, replacement: Handle) -> None: ...

# Each partition's records as bytes, in a versioned format without pickle for built-in types
# (pickle for others), and back. docs/checkpoints.md has the format. ValueError for bytes that are
# not in it.
def encode(rdd: Handle) -> list[bytes]: ...
def decode(context: Handle, partitions: Sequence[bytes]) -> Handle: ...
def encode_value(value: object) -> bytes: ...
def decode_value(data: bytes) -> Any: ...

# --- values and tasks -----------------------------------------------------------------------
# Nothing in it can be changed (numbers, text, bytes, None, functions, classes, modules, dates, and
# tuples and frozensets of them).
def is_immutable(value: object) -> bool: ...

# A value that shares nothing changeable with `value`; `value` itself where it is immutable.
def isolated(value: Any) -> Any: ...

# The task that runs on this thread: stage id, partition, attempt number (0), task attempt id.
# None in the driver, and so in the functions of foreachRDD and transform.
def end_started() -> None: ...
def is_interrupted() -> bool: ...  # in a worker: by its driver
def serve(descriptors: Sequence[int], settings: dict[str, str]) -> None: ...
def current_task() -> tuple[int, int, int, int] | None: ...

# function(task attempt id, succeeded), called behind each stage that may have called functions, in
# the order of its tasks, on the thread that runs the job.
def set_task_hook(function: Callable[[int, bool], object] | None) -> None: ...

# --- jobs and stages ---------------------------------------------------------------------------
# Both take note from the first call of one of them on, and of what is over remember the last 1000.
# A job is (id, group or None, RUNNING, SUCCEEDED or FAILED, ids of its stages so far); a stage is
# (id, name, whether it runs, its tasks, those that run, have succeeded, have failed).
def watch_jobs(context: Handle) -> None: ...
def jobs(context: Handle) -> list[tuple[int, str | None, str, tuple[int, ...]]]: ...
def stages(context: Handle) -> list[tuple[int, str, bool, int, int, int, int]]: ...

# Of the jobs that the calling thread begins from now on.
def set_job_group(context: Handle, group: str | None) -> None: ...

# --- caches -----------------------------------------------------------------------------------
def set_cached(rdd: Handle, cached: bool) -> None: ...  # False also drops what is cached
def partition_count(rdd: Handle) -> int: ...

# One list a partition, in the order of `partitions` (None: all).
def collect(rdd: Handle, partitions: Sequence[int] | None) -> list[list[Any]]: ...
def take(rdd: Handle, count: int) -> list[Any]: ...  # from as few partitions as possible
def count(rdd: Handle) -> int: ...

# The next records that a partition function's iterator hands out as lines with their ends, in
# UTF-8: text and bytes as they are, anything else as its `str`. Some hundred KB of them; empty at
# the end.
def next_lines(records: Iterator[Any]) -> bytes: ...

# --- streams ------------------------------------------------------------------------------
# manual_start_ms: None for the system's clock; otherwise a manual clock that stands at this
# time (milliseconds since the epoch) until `advance` moves it, and no thread is started.
def open_streaming(context: Handle, interval_ms: int, manual_start_ms: int | None) -> Handle: ...
def socket_stream(streaming: Handle, host: str, port: int) -> Handle: ...

# The files that appear in a folder that `since_ms` is older than: their lines, or what `read(path)`
# makes an RDD of. What batches have chosen is kept by checkpoints: (since_ms, [(ms, paths)]).
def file_stream(
    streaming: Handle,
    directory: bytes,
    since_ms: int,
    read: Callable[[str], Handle] | None,
    name: str,
    site: str,
) -> Handle: ...
def chosen_files(
    stream: Handle, empty_too: list[int]
) -> tuple[int, list[tuple[int, list[str]]]]: ...
def restore_files(
    stream: Handle, since_ms: int, batches: Sequence[tuple[int, Sequence[bytes]]]
) -> None: ...
def hold_files(stream: Handle, ms: int) -> None: ...
def queue_stream(
    streaming: Handle,
    rdds: Sequence[Handle],
    one_at_a_time: bool,
    default: Handle | None,
) -> Handle: ...

# A scripted receiver (text lines) for tests: what is sent belongs to the next batch.
def scripted_stream(streaming: Handle) -> Handle: ...
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
    gathers_lists: bool,
) -> Handle: ...

# As partition_by, join and union do it, in each batch; a stream without an RDD counts as empty.
def stream_partition_by(
    stream: Handle,
    partitions: int,
    partition_function: Callable[[Any], int] | None,
    name: str,
    site: str,
) -> Handle: ...
def stream_join(
    parents: Sequence[Handle],
    partitions: int,
    function: Callable[[int, list[Iterator[Any]]], Iterable[Any]],
    together: Together | None,
    name: str,
    site: str,
    form: str,
    keeps_keys: bool,
) -> Handle: ...
def stream_union(parents: Sequence[Handle], name: str, site: str) -> Handle: ...

# The union of a stream's RDDs within window_ms, every slide_ms; what it looks back on is part of
# checkpoints, under `key`.
def stream_window(
    stream: Handle, window_ms: int, slide_ms: int, key: str, name: str, site: str
) -> Handle: ...

# function(batch time in ms, one RDD (or None) a parent) -> RDD or None
def stream_transform(
    parents: Sequence[Handle],
    function: Callable[[int, list[Handle | None]], Handle | None],
    name: str,
    site: str,
) -> Handle: ...

# What the values of each key come to, from batch to batch, in a table of the engine. `stream` has
# the pairs of each batch, each key once, in as many partitions. Every slide_ms (window_ms: of the
# last batches; None: of all):
# - "window": the values combined by functions[0];
# - "running": the same, made of the window before: functions[1] takes away what has left; with
#   functions[2], only the pairs of which it is true;
# - "state": functions[0](list of new values, state before or None) for all keys, without those that
#   have no new values where it is proved that it gives their state back; those of which it gives
#   None are forgotten. `initial` is an RDD of what is before the first batch; is_taken() is
#   called when the table has that;
# - "mapped": what functions[0] makes of each record and the state of its key; `stream` has the
#   pairs as they come, divided by key. Keys without any for longer than timeout_ms lose their
#   state. What is called for partitions: see swiftwater._tasks.mapped_states.
# Each function comes with what calls it for partitions: applied(index, [arguments, ...]) gives the
# results. What the table has is part of checkpoints, under `key`.
def stream_table(
    stream: Handle,
    kind: str,
    functions: Sequence[tuple[Callable[..., Any], Callable[..., Any]]],
    window_ms: int | None,
    slide_ms: int,
    key: str,
    partitions: int,
    partition_function: Callable[[Any], int] | None,  # None: portable_hash
    name: str,
    site: str,
    initial: Handle | None,
    is_taken: Callable[[], object] | None,
    timeout_ms: int | None,
    time_to_live_ms: int | None,
) -> Handle: ...

# What the function of a table of the kind "mapped" makes of the records of each batch.
def stream_table_records(stream: Handle) -> Handle: ...

# How large the tables of windows and states are after the latest step of each partition: key,
# operator, place, keys, bytes, and keys that were forgotten because their time to live was over.
def stream_tables(streaming: Handle) -> list[tuple[str, str, str, int, int, int]]: ...

# Copies of the pairs of a window or a state as it is now; None for another stream.
def stream_pairs(stream: Handle) -> list[tuple[Any, Any]] | None: ...

# Keeps what windows look back on, for checkpoints. Before the start.
def keep_past(streaming: Handle) -> None: ...

# What all RDDs of parents[n] of a stream with a key, or with n = -1 of itself, are divided by, as
# partitioner says it.
def stream_partitioner(
    streaming: Handle, key: str, parent: int
) -> tuple[int, Callable[[Any], int] | None] | None: ...

# Keeps the RDDs of every stream for at least so long.
def remember(streaming: Handle, milliseconds: int) -> None: ...

# A stream's RDD at a batch time that is still remembered; None for any other.
def stream_rdd_at(stream: Handle, time_ms: int) -> Handle | None: ...

# The time before the first batch; None before the start.
def zero_ms(streaming: Handle) -> int | None: ...

# Called with one event after the other, on a thread of their own, on a manual clock at once. An
# event is a tuple of its name and what it is about:
# - streamingStarted: the time in ms.
# - receiverStarted, receiverError, receiverStopped: a tuple of stream id, name, active, location,
#   last error message, last error, last error time.
# - batchSubmitted, batchStarted, batchCompleted: a tuple of batch time, submission, processing
#   start, processing end, a list of inputs (stream id, records, description), a list of outputs.
# - outputOperationStarted, outputOperationCompleted: an output, which is a tuple of batch time, id,
#   name, description, start, end, failure or None.
# Times are in ms, -1 where there is none yet.
def set_listener(
    streaming: Handle, function: Callable[[tuple[Any, ...]], object] | None
) -> None: ...
def on_listener_thread(streaming: Handle) -> bool: ...

# --- checkpoints ------------------------------------------------------------------------------
# On the thread of the batches: is_over(time_ms, has_failed) when a batch is over, with all its
# outputs; before it failed(time_ms, numbers of outputs) where some have failed.
def set_batch_hook(
    streaming: Handle,
    is_over: Callable[[int, bool], object],
    failed: Callable[[int, list[int]], object],
) -> None: ...

# Inside the hook for failed outputs: offers what they stand on, take((key of a stream or number of
# a source, number of a parent or -1 for the stream itself, time_ms, RDD)). -2 stands for what a
# table of the kind "mapped" makes of records. Where take says False, what that one stands on
# follows. Raises OSError where they stand on more than most_bytes of received text.
def needed(
    streaming: Handle,
    outputs: list[int],
    time_ms: int,
    most_bytes: int,
    take: Callable[[tuple[str | int, int, int, Handle]], bool],
) -> None: ...

# What streams with a key look back on after the batch at time_ms: (key, number of a
# parent or -1 for the stream itself, time_ms, RDD). Inside the batch hook, or after the stop.
def retained(streaming: Handle, time_ms: int) -> list[tuple[str, int, int, Handle]]: ...

# After the stop, when nobody asks for what is retained any more.
def forget(streaming: Handle) -> None: ...

# Before the start: gives a stream with a key an RDD of the past.
def restore(streaming: Handle, key: str, parent: int, time_ms: int, rdd: Handle) -> None: ...

# Before the start: gives a source, by its number, what it had taken in for an earlier batch.
def restore_input(streaming: Handle, number: int, time_ms: int, rdd: Handle) -> None: ...

# Before the start: what receivers take in and what becomes of batches is written below the open
# folder; the job goes on with the log in another one where that is given. Descriptors stay the
# caller's.
def keep_log(
    streaming: Handle,
    descriptor: int,
    path: str,
    source: int | None,
    source_path: str | None,
    reached_ms: int | None,  # what log_reached had given before: one that ends earlier is damaged
) -> None: ...

# The time of the latest batch in the log; None where there is none.
def log_reached(streaming: Handle) -> int | None: ...

# Nothing goes back behind this time any more.
def forget_logged(streaming: Handle, time_ms: int) -> None: ...

# Before the start: outputs of an earlier batch that run again, before all others.
def run_again(streaming: Handle, time_ms: int, outputs: list[int]) -> None: ...

# Before the start: go on from an earlier run. The first batch is the one after last_ms; every
# batch time since then is run.
def resume(streaming: Handle, zero_ms: int, last_ms: int) -> None: ...
def stream_set_cached(stream: Handle) -> None: ...

# begins(batch time in ms): whether the batch has taken effect before; None where nobody can know.
# writes(batch time in ms, RDD) returns what commits(that) makes take effect; without commits, the
# batch has taken effect with the writing. Where it is given up instead, abandons(that) is called.
# Returns the output's name within the job: the given one, or operator and number.
def stream_output(
    stream: Handle,
    begins: Callable[[int], bool] | None,
    writes: Callable[[int, Handle], Any],
    commits: Callable[[Any], object] | None,
    abandons: Callable[[Any], object] | None,
    name: str,
    site: str,
    named: str | None,
) -> str: ...

# Whether a function of an output or a transform runs on this thread.
def in_batch() -> bool: ...
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

# Bytes of received text that batches have worked on, and that are still there: what streams look
# back at, and what somebody holds on to.
def kept_input(streaming: Handle) -> int: ...
