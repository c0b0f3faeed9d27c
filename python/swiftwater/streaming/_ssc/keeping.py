"""What a context keeps: RDDs of the past, and checkpoints from which another one goes on."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, cast
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming._ssc.core import StreamingContextCore, spark_error

if TYPE_CHECKING:
    from swiftwater.streaming._checkpoints.folder import CheckpointFolder
    from swiftwater.streaming.context import StreamingContext

__all__ = ["Keeping"]


class Keeping(StreamingContextCore):
    """What is remembered, and what a checkpoint gives back."""

    @classmethod
    def getOrCreate(
        cls, checkpointPath: str, setupFunc: Callable[[], StreamingContext]
    ) -> StreamingContext:
        """Return a context that goes on where the checkpoint in a folder ends.

        Streams, functions, interval and (where no ``SparkContext`` is active) settings are those
        of the checkpoint, and ``setupFunc`` is not called; after ``start``, every batch time that
        was missed meanwhile is worked on first. Where the folder holds no checkpoint, the context
        is what ``setupFunc()`` returns, and its checkpoints go there.

        A checkpoint that cannot be read is skipped with a warning. Raises ``SparkException`` where
        none can be read, and ``PermissionError`` for a folder that others can write to.

        Example::

            >>> def setup():
            ...     ssc = StreamingContext(sc, 1)
            ...     ssc.textFileStream(tmp).pprint()
            ...     return ssc
            >>> ssc = StreamingContext.getOrCreate(f"{tmp}/checkpoints", setup)
            >>> ssc.stop(stopSparkContext=False)
        """
        from swiftwater.streaming._checkpoints import recovery

        recovered = recovery.recovered(cast("type[StreamingContext]", cls), checkpointPath)
        if recovered is not None:
            return recovered
        created = setupFunc()
        if not isinstance(created, StreamingContextCore):
            raise TypeError(
                f"the set-up function must return a StreamingContext, not {type(created).__name__}"
            )
        created.checkpoint(checkpointPath)
        return created

    @classmethod
    def getActiveOrCreate(
        cls, checkpointPath: str | None, setupFunc: Callable[[], StreamingContext]
    ) -> StreamingContext:
        """Return the active context, else what ``getOrCreate`` gives.

        Without a path (``None``) a new context is ``setupFunc()``. Raises ``TypeError`` for a
        function that cannot be called.

        Example::

            >>> ssc = StreamingContext.getActiveOrCreate(None, lambda: StreamingContext(sc, 1))
            >>> ssc.stop(stopSparkContext=False)
        """
        if not callable(setupFunc):
            raise TypeError("setupFunc should be callable.")
        active = cls.getActive()
        if active is not None:
            return active
        return setupFunc() if checkpointPath is None else cls.getOrCreate(checkpointPath, setupFunc)

    @defines
    def remember(self, duration: float) -> None:
        """Keep the RDDs of every stream for at least ``duration`` seconds, say for ``slice``.

        Raises ``IllegalArgumentException`` when it has been called before.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.remember(60)
        """
        remember_ms = milliseconds(duration, "the time to remember")
        if remember_ms < 0:
            raise ValueError(f"the time to remember must not be negative: {duration}")
        if self._remember_ms is not None:
            raise spark_error(
                "IllegalArgumentException",
                f"requirement failed: Remember duration already set as {self._remember_ms} ms. "
                "Cannot set it again.",
            )
        if self._phase() != "initialized":
            engine.notice("warning", None, "remember has no effect after the start")
            return
        engine.remember(self._handle, remember_ms)
        self._remember_ms = remember_ms

    def checkpoint(self, directory: str | None) -> None:
        """Write checkpoints into ``directory`` from the start on; ``None``: write none.

        The folder is made where it is not there. It must not be one that others can write to
        (``PermissionError``): functions are read from it. ``getOrCreate`` goes on from such a
        checkpoint. Call it before ``start``.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.checkpoint(f"{tmp}/checkpoints")
        """
        if self._phase() != "initialized":
            engine.notice("warning", None, "checkpoint has no effect after the start")
            return
        if directory is None:
            self._checkpoint_folder = None
            return
        from swiftwater._paths import local_path
        from swiftwater.streaming._checkpoints.folder import CheckpointFolder

        self._use_checkpoints(CheckpointFolder.made(local_path(directory, "checkpoint")))

    def _use_checkpoints(self, folder: CheckpointFolder) -> None:
        self._sc.setCheckpointDir(folder.path)
        self._checkpoint_folder = folder
