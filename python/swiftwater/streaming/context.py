"""StreamingContext: where streams come from, and what starts and stops them.

Example::

    >>> ssc = StreamingContext(sc, 1)
    >>> ssc.queueStream([["a b", "b"]]).flatMap(str.split).countByValue().pprint()
    >>> ssc.stop(stopSparkContext=False)
"""

from __future__ import annotations

from swiftwater import _active_contexts
from swiftwater._assembling import assembled
from swiftwater._context.core import JVMOfContexts
from swiftwater._typing import TYPE_CHECKING, ClassVar
from swiftwater.streaming._ssc.core import StreamingContextCore
from swiftwater.streaming._ssc.keeping import Keeping
from swiftwater.streaming._ssc.running import Running
from swiftwater.streaming._ssc.several import Several
from swiftwater.streaming._ssc.sources import Sources

if TYPE_CHECKING:
    from swiftwater.streaming._java import Duration, JavaStreamingContext

__all__ = ["StreamingContext"]


@assembled
class StreamingContext(Sources, Several, Keeping, Running):
    """Streams of one batch interval on a ``SparkContext``.

    ``batchDuration`` is the interval in seconds, a whole or a broken number; it is cut to whole
    milliseconds. Streams are defined first, then ``start`` freezes them and runs them, a batch
    each interval; batch times are multiples of the interval since the epoch. Many contexts may be
    defined on one ``SparkContext``; one may be active in a process.

    Raises ``AssertionError`` without an interval and ``ValueError`` for one below a millisecond.

    Example::

        >>> ssc = StreamingContext(sc, 0.05)
        >>> done = []
        >>> ssc.queueStream([[1, 2, 3]]).count().foreachRDD(lambda rdd: done.extend(rdd.collect()))
        >>> ssc.start()
        >>> while not done:
        ...     stopped = ssc.awaitTerminationOrTimeout(0.01)
        >>> ssc.stop(stopSparkContext=False)
        >>> done[0]
        3
    """

    _activeContext: ClassVar[StreamingContext | None] = None

    # --- names of PySpark's inside --------------------------------------------------------------

    _transformerSerializer: ClassVar[object] = None

    @property
    def _jssc(self) -> JavaStreamingContext:
        """What stands for the context in the JVM; programs stop it by this name."""
        from swiftwater.streaming._java import JavaStreamingContext

        return JavaStreamingContext(self)

    _jvm = JVMOfContexts()

    def _jduration(self, seconds: float) -> Duration:
        """Return a time span as PySpark hands it to the JVM."""
        from swiftwater.streaming._java import Duration

        return Duration(int(seconds * 1000))


StreamingContextCore._context_class = StreamingContext
_active_contexts.find_streams(StreamingContext.getActive)
