"""What every part of a context stands on: the engine's handle, its end, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import get_ident, local

from swiftwater import _active_contexts, _process_end
from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, ClassVar, NoReturn, cast

if TYPE_CHECKING:
    from types import TracebackType
    from weakref import ref

    from swiftwater._claimed_folders import ClaimedFolder
    from swiftwater._context.added_files import AddedFiles
    from swiftwater._context.running_jobs import Properties
    from swiftwater._jvm import JavaName
    from swiftwater._settings import Settings
    from swiftwater._swiftwater import Handle
    from swiftwater.context import SparkContext


__all__ = ["JVMOfContexts", "SparkContextCore", "driver_only", "require_driver"]


class JVMOfContexts:
    """``_jvm`` of a context and of its class: PySpark keeps it in both."""

    def __get__(self, context: object, kind: type) -> JavaName:
        """Return what says that there is none."""
        from swiftwater import _jvm

        return _jvm.jvm


class SparkContextCore:
    """The state of a context, and what its methods have in common."""

    # The class that is made of all parts, where the active context is; its own module puts it here.
    _context_class: ClassVar[type[SparkContext]]

    master: str
    appName: str
    applicationId: str

    _handle: Handle | None
    _settings: Settings
    _rdd_ids: Iterator[int]
    _default_parallelism: int
    _checkpoint_dir: str | None
    _checkpoint_folders: list[ClaimedFolder]
    _log_level: str
    _added_files: AddedFiles | None
    _local: local
    _threads: dict[int, ref[Properties]]
    _hadoop_settings: dict[str, str]

    @property
    def _itself(self) -> SparkContext:
        """The whole context, for what takes one: a part has no objects of its own."""
        return cast("SparkContext", self)

    @property
    def defaultParallelism(self) -> int:
        """Number of partitions where none is given: ``spark.default.parallelism`` or the cores.

        Example::

            >>> sc.defaultParallelism
            2
        """
        return self._default_parallelism

    def stop(self) -> None:
        """Close the engine. What streams are active on it stop first. Again: nothing happens.

        Inside a function given to ``foreachRDD`` or ``transform`` this only asks, as
        ``StreamingContext.stop`` does: the batch still needs the context.

        Example::

            >>> sc = SparkContext("local", "short")
            >>> sc.stop()
            >>> sc.parallelize([1])
            Traceback (most recent call last):
            ...
            swiftwater.errors.IllegalStateException: Cannot call methods on a stopped SparkContext
        """
        _process_end.require_this_process()
        streams = _active_contexts.active_streams()
        if streams is not None and streams._sc is self:
            streams.stop(stopSparkContext=True)
        else:
            self._stop_at_exit(graceful=False)

    def _stop_at_exit(self, graceful: bool) -> None:
        with self._context_class._lock:
            handle, self._handle = self._handle, None
            if self._context_class._active_spark_context is self:
                self._context_class._active_spark_context = None
        _process_end.forget(self._stop_at_exit)
        if handle is None:
            return
        streams = _active_contexts.active_streams()
        if streams is not None and streams._sc is self:
            streams._stop_streams(graceful)
        engine.close_context(handle)
        for close in _active_contexts.at_close:
            close(self._itself)
        if self._added_files is not None:
            self._added_files.delete()
        if self._checkpoint_folders:
            from swiftwater._rdd.kept import give_back

            give_back(self._checkpoint_folders)

    def __enter__(self) -> SparkContext:
        """Return the context itself; leaving the ``with`` block stops it."""
        return self._itself

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the context."""
        self.stop()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a context is driver-side only."""
        raise driver_only(
            "It appears that you are attempting to reference "
            "SparkContext from a broadcast variable, action, or transformation. SparkContext can "
            "only be used on the driver, not in a function that works on records"
        )

    @property
    def _engine(self) -> Handle:
        """The engine's handle, or ``IllegalStateException`` where it can no more be used."""
        _process_end.require_this_process()
        if self._handle is None:
            from swiftwater.errors import IllegalStateException

            raise IllegalStateException("Cannot call methods on a stopped SparkContext")
        return self._handle

    @property
    def _files(self) -> AddedFiles:
        """The folder of added files."""
        _ = self._engine
        with self._context_class._lock:
            if self._added_files is None:
                from swiftwater._context.added_files import AddedFiles

                self._added_files = AddedFiles(self._settings.get("spark.local.dir") or None)
            return self._added_files

    def _properties(self) -> Properties:
        """Return the local properties of the calling thread, for reading and for writing."""
        try:
            found: Properties = self._local.properties
        except AttributeError:
            from weakref import ref

            from swiftwater._context.running_jobs import Properties

            found = self._local.properties = Properties()
            self._threads[get_ident()] = ref(found)
        return found


def driver_only(message: str) -> Exception:
    from swiftwater.errors import PySparkRuntimeError

    return PySparkRuntimeError(
        message, errorClass="CONTEXT_ONLY_VALID_ON_DRIVER", messageParameters={}
    )


def require_driver() -> None:
    if engine.current_task() is not None:
        raise driver_only(
            "a SparkContext can only be made and asked for on the driver, not in a function that "
            "works on records"
        )
