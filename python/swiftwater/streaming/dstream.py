"""DStream: a stream as one RDD each batch.

Example::

    >>> run_batches(lambda lines: lines.flatMap(str.split).countByValue(), [["a b a"], ["b"]])
    [[('b', 1), ('a', 2)], [('b', 1)]]
"""

from __future__ import annotations

from swiftwater._assembling import assembled
from swiftwater.streaming._dstream.batches import Batches
from swiftwater.streaming._dstream.committed_outputs import CommittedOutputs
from swiftwater.streaming._dstream.core import DStreamCore, T_co
from swiftwater.streaming._dstream.keeping import Keeping
from swiftwater.streaming._dstream.outputs import Outputs
from swiftwater.streaming._dstream.records import Records
from swiftwater.streaming._dstream.several import Several
from swiftwater.streaming._dstream.transforms import Transforms
from swiftwater.streaming._dstream.windows import Windows

__all__ = ["DStream", "TransformedDStream"]


@assembled
class DStream(
    Records[T_co],
    Batches[T_co],
    Several[T_co],
    Transforms[T_co],
    Windows[T_co],
    Keeping[T_co],
    Outputs[T_co],
    CommittedOutputs[T_co],
):
    """Records of one type that keep coming: one RDD each batch.

    Made by the sources of a ``StreamingContext``. Operators return a new stream and work on each
    batch as the RDD method of the same name does; outputs (``pprint``, ``foreachRDD``,
    ``saveAsTextFiles``, ``saveToSQLite``) make something happen. Nothing is computed before
    ``StreamingContext.start``, and nothing may be added after it (``IllegalStateException``). An
    operator that is given something that cannot be called raises ``TypeError`` at once; an error
    inside a user's function is raised by ``awaitTermination``, with operator, batch and a sample of
    the record as notes. Where nothing else is said, ``numPartitions`` is by default the context's
    ``defaultParallelism``; durations are in seconds.

    Example::

        >>> def counts(lines):
        ...     words = lines.flatMap(lambda line: line.split(" "))
        ...     return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
        >>> run_batches(counts, [["to be or", "not to be"]])
        [[('to', 2), ('be', 2), ('or', 1), ('not', 1)]]
    """


class TransformedDStream(DStream[T_co]):
    """What ``DStream.transform`` returns. A stream like any other.

    Example::

        >>> with StreamingTest() as test:
        ...     numbers = test.ssc.queueStream([[1]])
        ...     isinstance(numbers.transform(lambda rdd: rdd), TransformedDStream)
        True
    """


DStreamCore._stream_class = DStream
DStreamCore._transformed_class = TransformedDStream
