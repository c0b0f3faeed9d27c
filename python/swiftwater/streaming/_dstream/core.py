"""What every operator of a stream stands on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from swiftwater._native import engine
from swiftwater._numbers import checked_partitions
from swiftwater._operator_calls import require_callable
from swiftwater._record_functions import appended, extended, listed, second, under_none
from swiftwater._typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar
from swiftwater.rdd import RDD

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext
    from swiftwater.streaming.dstream import DStream, TransformedDStream

__all__ = ["OF_TWO", "DStreamCore", "K", "S", "T", "T_co", "U", "V", "W", "rdd_handle"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")
S = TypeVar("S")
K = TypeVar("K", bound=Hashable)

PerRDD = Callable[[int, RDD[Any]], Any]

# What Spark's messages call a stream of two streams.
OF_TWO = "PythonTransformed2DStream"


class DStreamCore(Generic[T_co]):
    """A stream of the engine, and how another is made of it."""

    # What is made of it: set by the module that puts the classes together.
    _stream_class: ClassVar[type[DStream[Any]]]
    _transformed_class: ClassVar[type[TransformedDStream[Any]]]

    def __init__(
        self,
        handle: Handle,
        ssc: StreamingContext,
        kind: str = "PythonTransformedDStream",
    ) -> None:
        """Wrap a stream of the engine. Programs make streams with a context's methods."""
        self._handle = handle
        self._ssc = ssc
        self._sc = ssc._sc
        self._definitions = ssc._definitions
        # The class that Spark's messages name.
        self._spark_class = kind
        # Its place among the definitions that made a stream, where the program holds it.
        self._number: int | None = None
        # The key of the stateful operator that it is, or that it stands on.
        self._stable_name: str | None = None
        # Of a state: the stream of all keys with their states.
        self._snapshots: DStream[Any] | None = None
        self._checkpoint_ms: int | None = None
        self.is_cached = False
        self.is_checkpointed = False

    def context(self) -> StreamingContext:
        """Return the context that the stream belongs to.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([[1]]).context() is test.ssc
            True
        """
        return self._ssc

    @property
    def _slideDuration(self) -> float:
        """Seconds between two RDDs of this stream."""
        return self._slide_ms / 1000.0

    @property
    def _slide_ms(self) -> int:
        return engine.stream_slide_ms(self._handle)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a stream is driver-side only."""
        raise RuntimeError(
            "a DStream can only be used in the driver while streams are defined, not inside a "
            "function that works on records"
        )

    def _require_unstarted(self, what: str) -> None:
        _ = self._sc._engine
        if self._ssc._phase() != "initialized":
            from swiftwater.errors import UnsupportedOperationException

            raise UnsupportedOperationException(
                f"Cannot change {what} of a DStream after streaming context has started"
            )

    @staticmethod
    def _require_stream(name: str, other: object) -> None:
        if not isinstance(other, DStreamCore):
            raise TypeError(f"{name} needs a DStream, not {type(other).__name__}")

    def _require_other(self, name: str, other: DStream[Any]) -> None:
        self._require_stream(name, other)
        if other._ssc is not self._ssc:
            raise ValueError("the streams belong to different StreamingContexts")

    def _partition_number(self, name: str, given: int | None) -> int:
        return self._sc.defaultParallelism if given is None else checked_partitions(name, given)

    def _piped(
        self, kind: str, function: Callable[..., Any], name: str, keeps_keys: bool = False
    ) -> DStream[Any]:
        """Return this stream with one more function behind it; ``name`` is the user's operator."""
        require_callable(name, function)
        self._ssc._building()
        step = (kind, function, name, self._definitions.site, bool(keeps_keys))
        handle = engine.stream_pipeline(self._handle, [step])
        return self._stream_class(handle, self._ssc)

    def _piped_state(self, kind: str, function: Callable[..., Any], name: str) -> DStream[Any]:
        """Return what ``_piped`` does: the visible end of the stateful operator ``self``."""
        piped = self._piped(kind, function, name, kind in {"filter", "mapValues"})
        piped._stable_name = self._stable_name
        return piped

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        name: str,
        gathers_lists: bool = False,
    ) -> DStream[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        count = self._partition_number(name, partitions)
        self._ssc._building()
        site = self._definitions.site
        return self._stream_class(
            engine.stream_combine_by_key(
                self._handle,
                create,
                merge_value,
                merge_combiners,
                count,
                None,
                name,
                site,
                gathers_lists,
            ),
            self._ssc,
        )

    def _grouped(self, partitions: int | None, name: str) -> DStream[Any]:
        return self._combined(listed, appended, extended, partitions, name, gathers_lists=True)

    def _reduced(self, func: Callable[[Any, Any], Any], name: str) -> DStream[Any]:
        # As in Spark: all records under one key, so that the engine needs no second way to reduce.
        keyed = self._piped("map", under_none, name)
        reduced = keyed._combined(None, func, func, 1, name)
        return reduced._piped("map", second, name)

    def _per_rdd(self, call: PerRDD, name: str) -> DStream[Any]:
        """Return a stream of ``call(time in ms, rdd)``, which runs in the driver."""

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            (rdd,) = rdds
            return None if rdd is None else rdd_handle(call(time_ms, RDD(rdd, self._sc)), name)

        return self._transformed([self], transformed, name)

    def _with_other(
        self, call: Callable[[int, RDD[Any], RDD[Any]], Any], other: DStream[Any], name: str
    ) -> DStream[Any]:
        """Return a stream of ``call(time in ms, rdd, rdd of other)``, in the driver."""
        sc = self._sc

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            a, b = (sc.emptyRDD() if rdd is None else RDD[Any](rdd, sc) for rdd in rdds)
            return rdd_handle(call(time_ms, a, b), name)

        return self._transformed([self, other], transformed, name, OF_TWO)

    def _transformed(
        self,
        streams: Iterable[DStreamCore[Any]],
        function: Callable[[int, list[Handle | None]], Handle | None],
        name: str,
        kind: str = "PythonTransformedDStream",
    ) -> DStream[Any]:
        self._ssc._building()
        handles = [stream._handle for stream in streams]
        handle = engine.stream_transform(handles, function, name, self._definitions.site)
        return self._stream_class(handle, self._ssc, kind)

    def _output(
        self,
        write: PerRDD,
        name: str,
        commit: Callable[[Any], object] | None = None,
        *,
        begin: Callable[[int], bool] | None = None,
        abandon: Callable[[Any], object] | None = None,
        named: str | None = None,
    ) -> str:
        """Add an output: ``write(time in ms, rdd)`` writes each batch, in the driver.

        What it returns is given to ``commit``, which makes the batch take effect; without that it
        has taken effect with the writing. ``begin(time in ms)`` says whether it has taken effect
        before. ``abandon`` gets what was written of a batch that is given up. Returns what its
        batches are known by within the job: the name that is given, or operator and number.
        """
        self._ssc._building()

        def writes(time_ms: int, rdd: Handle) -> Any:
            return write(time_ms, RDD(rdd, self._sc))

        site = self._definitions.site
        known = engine.stream_output(
            self._handle, begin, writes, commit, abandon, name, site, named
        )
        self._ssc._outputs += 1
        return known


def rdd_handle(result: object, name: str) -> Handle | None:
    """Return the engine's RDD of what a user's function returned."""
    if result is None:
        return None
    if not isinstance(result, RDD):
        raise TypeError(
            f"the function given to {name} must return an RDD, not {type(result).__name__}"
        )
    return result._handle
